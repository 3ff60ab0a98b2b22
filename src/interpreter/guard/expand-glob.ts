// Expand glob: the files a pattern finds.
// Owns: the walk and its limits. Does not own: whether the pattern is granted (guarded-files.ts), the pattern's meaning (grants/glob.ts).
//   E1. Folders that are links are not entered; links to files are found.
//   E2. At most 100,000 files (or fewer, as asked) and 128 folders deep; one more is a `too-large` failure, never a shorter list.
import { fitsGlobSegment } from '#grants/glob.ts'
import type { PathPattern } from '#grants/path-pattern.ts'
import { HostError, type HostFiles } from '#host/host.ts'

export const MAX_GLOB_FILES = 100_000
const MAX_GLOB_DEPTH = 128
const MAX_GLOB_FOLDERS = 200_000

/** Absolute paths, below the pattern's own folder, which has no links in it; `signal` ends the walk. */
export async function expandGlob(files: HostFiles, pattern: PathPattern, maxFiles: number, signal: AbortSignal): Promise<string[]> {
  const walk = new Walk(files, maxFiles, signal)
  const base = `/${pattern.base.join('/')}`
  if (pattern.rest.length === 0) return (await files.stat(base, { exact: true }))?.kind === 'file' ? [base] : []
  if ((await files.stat(base, { exact: true }))?.kind === 'directory') await walk.folder(base === '/' ? '' : base, pattern.rest, closure(pattern.rest, [0]), 0)
  return walk.found
}

/** Positions in the pattern, with those reached by taking `**` for no folder at all. */
function closure(rest: readonly string[], positions: readonly number[]): number[] {
  const all = new Set(positions)
  for (const position of all) if (rest[position] === '**') all.add(position + 1)
  return [...all]
}

class Walk {
  readonly found: string[] = []
  private folders = 0
  private readonly files: HostFiles
  private readonly maxFiles: number
  private readonly signal: AbortSignal

  constructor(files: HostFiles, maxFiles: number, signal: AbortSignal) {
    this.files = files
    this.maxFiles = Math.min(maxFiles, MAX_GLOB_FILES)
    this.signal = signal
  }

  async folder(folder: string, rest: readonly string[], positions: readonly number[], depth: number): Promise<void> {
    if (this.signal.aborted) throw new HostError('cancelled', folder, 'The search for files was stopped.')
    if (depth > MAX_GLOB_DEPTH) throw new HostError('too-large', folder, `There are folders nested more than ${MAX_GLOB_DEPTH} deep at ${folder.slice(0, 200)}….`)
    if (++this.folders > MAX_GLOB_FOLDERS) throw this.tooMany(`more than ${MAX_GLOB_FOLDERS.toLocaleString('en')} folders`)
    for (const entry of await this.files.list(folder || '/', { exact: true })) {
      const next = closure(rest, positions.flatMap(position => this.after(rest, position, entry.name)))
      if (next.length === 0) continue
      const path = `${folder}/${entry.name}`
      if (entry.kind === 'directory') {
        if (next.some(position => position < rest.length)) await this.folder(path, rest, next, depth + 1)
      } else if (next.includes(rest.length) && (entry.kind === 'file' || (entry.kind === 'link' && await this.leadsToFile(path)))) { // E1
        if (this.found.length === this.maxFiles) throw this.tooMany(`more than ${this.maxFiles.toLocaleString('en')} files`) // E2
        this.found.push(path)
      }
    }
  }

  /** Where the pattern stands after an entry; `**` stays where it is. */
  private after(rest: readonly string[], position: number, name: string): number[] {
    const segment = rest[position]
    if (segment === undefined || !fitsGlobSegment(segment, name)) return []
    return [segment === '**' ? position : position + 1]
  }

  private async leadsToFile(path: string): Promise<boolean> {
    return (await this.files.stat(path).catch(() => null))?.kind === 'file'
  }

  private tooMany(what: string): HostError {
    return new HostError('too-large', 'glob', `The pattern finds ${what}; use a narrower one.`)
  }
}
