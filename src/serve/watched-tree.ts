// Watched tree: the files that a pattern stands for, each with its size and when it was changed.
// Owns: the walk, what is left out, its bounds. Does not own: comparing and what follows (file-trigger.ts).
//   W1. Only what lies beneath the folder that is served: `..` and absolute patterns are refused, folders that are links are not entered, a link to a
//       file counts only if the file lies beneath it too.
//   W2. `.tek` and `.git` are never watched; `node_modules` only where the pattern names it.
//   W3. At most MAX_WATCHED_FILES files and MAX_WATCHED_FOLDERS folders, MAX_WATCHED_DEPTH deep; one more and there is no answer, never a shorter one.
//   W4. A disk that fails for a moment (a network disk that is away) is no disk without files: then there is no answer either.
import { posix } from 'node:path'
import { expandBraces, fitsGlobSegment } from '#grants/glob.ts'
import { HostError, type DirectoryEntry, type Host } from '#host/host.ts'

export const MAX_WATCHED_FILES = 50_000
export const MAX_WATCHED_FOLDERS = 50_000
const MAX_WATCHED_DEPTH = 128
const MAX_PATTERN_LENGTH = 1_000
const MAX_SEGMENTS = 64
/** Files asked about at once. */
const STATS_AT_ONCE = 64
const absent: ReadonlySet<string> = new Set(['not-found', 'not-a-directory', 'not-a-file', 'no-permission'])
const never: ReadonlySet<string> = new Set(['.tek', '.git'])

export interface SeenTree {
  /** Paths relative to the folder that is served → size and time of change. */
  readonly files: ReadonlyMap<string, string>
  /** Absolute paths of the folders that were looked into. */
  readonly folders: ReadonlySet<string>
}

/** A pattern taken apart; a text says what is wrong with it. // W1 */
export function watchedPattern(pattern: string): readonly (readonly string[])[] | string {
  if (pattern.length > MAX_PATTERN_LENGTH) return `its pattern is longer than ${MAX_PATTERN_LENGTH.toLocaleString('en')} characters`
  const expanded = expandBraces(pattern)
  if (expanded === null) return 'its pattern stands for too many alternatives'
  const all: string[][] = []
  for (const each of expanded) {
    const path = posix.normalize(each)
    if (each === '' || path.startsWith('/') || path.split('/').includes('..')) return `\`${pattern}\` is not beneath the folder that is served`
    const segments = path.split('/').filter(segment => segment !== '' && segment !== '.')
    if (segments.length === 0) return `\`${pattern}\` names no file`
    if (segments.length > MAX_SEGMENTS) return `its pattern has more than ${MAX_SEGMENTS} parts`
    if (segments.some(segment => never.has(segment))) return '`.tek` and `.git` are never watched'
    all.push(segments)
  }
  return all
}

/** The files as they are now; or that they are too many (W3), or that the disk gave no clear answer (W4). */
export async function seeTree(host: Host, patterns: readonly (readonly string[])[], signal: AbortSignal): Promise<SeenTree | 'too-many' | 'unclear'> {
  const walk = new Walk(host, await host.files.realPath(host.cwd), signal)
  for (const segments of patterns) {
    await walk.folder('', segments, closure(segments, [0]), 0)
    if (walk.isTooMuch) return 'too-many'
  }
  return walk.isUnclear || signal.aborted ? 'unclear' : walk
}

/** Positions in a pattern, with those reached by taking `**` for no folder at all. */
function closure(segments: readonly string[], positions: readonly number[]): number[] {
  const all = new Set(positions)
  for (const position of all) if (segments[position] === '**') all.add(position + 1)
  return [...all]
}

class Walk implements SeenTree {
  readonly files = new Map<string, string>()
  readonly folders = new Set<string>()
  isTooMuch = false
  isUnclear = false
  private readonly host: Host
  private readonly root: string
  private readonly signal: AbortSignal

  constructor(host: Host, root: string, signal: AbortSignal) {
    this.host = host
    this.root = root
    this.signal = signal
  }

  async folder(folder: string, segments: readonly string[], positions: readonly number[], depth: number): Promise<void> {
    if (this.signal.aborted || this.isTooMuch || depth > MAX_WATCHED_DEPTH) return
    const absolute = folder === '' ? this.host.cwd : `${this.host.cwd}/${folder}`
    this.folders.add(absolute)
    if (this.folders.size > MAX_WATCHED_FOLDERS) this.isTooMuch = true
    const entries = await this.host.files.list(absolute).catch(error => this.without(error))
    const wanted: { readonly path: string; readonly entry: DirectoryEntry }[] = []
    for (const entry of entries) {
      if (never.has(entry.name)) continue // W2
      const next = closure(segments, positions.flatMap(position => after(segments, position, entry.name)))
      if (next.length === 0) continue
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (entry.kind === 'directory') {
        if (next.some(position => position < segments.length)) await this.folder(path, segments, next, depth + 1)
      } else if (next.includes(segments.length) && entry.kind !== 'other') wanted.push({ path, entry })
    }
    for (let at = 0; at < wanted.length && !this.isTooMuch; at += STATS_AT_ONCE) await Promise.all(wanted.slice(at, at + STATS_AT_ONCE).map(each => this.file(each.path, each.entry)))
  }

  private async file(path: string, entry: DirectoryEntry): Promise<void> {
    const absolute = `${this.host.cwd}/${path}`
    if (entry.kind === 'link' && !(await this.host.files.realPath(absolute).catch(() => '')).startsWith(`${this.root}/`)) return // W1
    const stat = await this.host.files.stat(absolute).catch(error => {
      this.without(error)
      return null
    })
    if (stat?.kind !== 'file') return
    this.files.set(path, `${stat.sizeBytes} ${stat.modifiedMs}`)
    if (this.files.size > MAX_WATCHED_FILES) this.isTooMuch = true
  }

  /** What went away, or may not be read, has nothing in it. */
  private without(error: unknown): readonly DirectoryEntry[] {
    if (!(error instanceof HostError)) throw error
    if (error.code === 'too-large') this.isTooMuch = true
    else if (!absent.has(error.code)) this.isUnclear = true // W4
    return []
  }
}

/** Where the pattern stands after a name; `**` stays where it is. */
function after(segments: readonly string[], position: number, name: string): number[] {
  const segment = segments[position]
  if (segment === undefined || !fitsGlobSegment(segment, name)) return []
  return [segment === '**' ? position : position + 1]
}

/** What is other in `now` than in `before`: the new state of each path, null for one that is gone. */
export function treeDifference(before: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>): Map<string, string | null> {
  const difference = new Map<string, string | null>()
  for (const [path, mark] of now) if (before.get(path) !== mark) difference.set(path, mark)
  for (const path of before.keys()) if (!now.has(path)) difference.set(path, null)
  return difference
}

/** When a file was changed, by what is known of it; null for one that is gone. */
export function changedMs(mark: string | null): number | null {
  return mark === null ? null : Number(mark.slice(mark.indexOf(' ') + 1))
}
