// Guarded files: ToolFiles over a host, every path checked.
// Owns: which grant each operation needs, and caps. Does not own: the decision (guard.ts, real-paths.ts), the work (host).
//   F1. A path is resolved once, checked, and the resolved path is used with `exact`: what was checked is what is opened.
//   F2. Removing or moving a folder needs the right to everything in it, at both places: `fs.write("*")` is no grant for what lies deeper.
//   F3. Moving needs `fs.read` of the source as well: what may not be read may not be moved to where it may.
//   F4. A file named `.git` sends git to another folder for its settings and hooks: it is written only where it is granted by its name.
import { resolve } from 'node:path'
import { expandBraces } from '#grants/glob.ts'
import { isGitFolder, parsePathPattern } from '#grants/path-pattern.ts'
import { HostError, type Host } from '#host/host.ts'
import { ToolFailure, type ToolFiles } from '#plugin-api/context.ts'
import { expandGlob, MAX_GLOB_FILES } from './expand-glob.ts'
import type { RealPaths } from './real-paths.ts'

const DEFAULT_READ_BYTES = 10_000_000
const MAX_READ_BYTES = 100_000_000
const MAX_WRITE_BYTES = 100_000_000
const MAX_TREE_ENTRIES = 100_000

export type FileGrant = 'fs.read' | 'fs.write'

/** What the context decides and counts on behalf of these operations. */
export interface FileGuard {
  readonly host: Host
  readonly cwd: string
  readonly signal: AbortSignal
  readonly paths: RealPaths
  /** Whether a real path is covered at every level. */
  allows(name: FileGrant, real: string): Promise<boolean>
  /** The same, by a grant without wildcards at every level. */
  allowsByName(name: FileGrant, real: string): Promise<boolean>
  allowsPattern(name: FileGrant, base: readonly string[], rest: readonly string[]): Promise<boolean>
  /** `byLink`: the path as written is granted, what it leads to on disk is not. Where that is, is not told. */
  refuse(name: FileGrant, path: string, byLink?: boolean): ToolFailure
  count(kind: 'read' | 'wrote'): void
  /** What tells the next write of the call from all others, where there is such a thing. */
  nextWrite(): { readonly write?: string }
  /** Adds a text at the end of a file that may be written: once, also where the call is made again after a crash. */
  append(real: string, text: string): Promise<void>
  /** Told of what may be done, before it is. @throws when it may not after all. */
  decided(wanted: { readonly name: FileGrant; readonly args: readonly string[] }, allowed: true): void
}

export function guardedFiles(guard: FileGuard): ToolFiles {
  const files = guard.host.files
  const readBytes = async (path: string, options: { maxBytes?: number } = {}): Promise<Uint8Array> => {
    const real = await permitted(guard, 'fs.read', path)
    guard.count('read')
    return files.readBytes(real, Math.min(options.maxBytes ?? DEFAULT_READ_BYTES, MAX_READ_BYTES), { exact: true })
  }
  const write = async (path: string, data: string | Uint8Array): Promise<void> => {
    checkSize(path, data)
    const real = await permitted(guard, 'fs.write', path)
    await checkGitFile(guard, real)
    guard.count('wrote')
    await files.writeAtomic(real, data, { exact: true, ...guard.nextWrite() })
  }
  return {
    readBytes,
    async readText(path, options) {
      const bytes = await readBytes(path, options)
      try {
        return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
      } catch {
        throw new HostError('not-utf8', path, `${path} is not UTF-8 text.`)
      }
    },
    stat: async path => files.stat(await permitted(guard, 'fs.read', path), { exact: true }),
    list: async directory => files.list(await permitted(guard, 'fs.read', directory), { exact: true }),
    glob: (pattern, options = {}) => glob(guard, pattern, options.maxFiles ?? MAX_GLOB_FILES),
    writeText: write,
    writeBytes: write,
    async append(path, text) {
      checkSize(path, text)
      const real = await permitted(guard, 'fs.write', path)
      await checkGitFile(guard, real)
      guard.count('wrote')
      await guard.append(real, text)
    },
    makeDirectory: async path => files.makeDirectory(await permitted(guard, 'fs.write', path), { exact: true }),
    async remove(path) {
      const real = await permitted(guard, 'fs.write', path, true)
      await checkTree(guard, real, [{ name: 'fs.write', root: real }])
      guard.count('wrote')
      await files.remove(real, { exact: true })
    },
    async move(from, to) {
      const source = await permitted(guard, 'fs.write', from, true)
      if (!(await guard.allows('fs.read', source))) throw guard.refuse('fs.read', from) // F3
      const target = await permitted(guard, 'fs.write', to, true)
      if ((await treeKind(guard, source)) !== 'directory') await checkGitFile(guard, target)
      await checkTree(guard, source, [{ name: 'fs.write', root: source }, { name: 'fs.read', root: source }, { name: 'fs.write', root: target }])
      await checkTree(guard, target, [{ name: 'fs.write', root: target }])
      guard.count('wrote')
      await files.rename(source, target, { exact: true })
    },
  }
}

function checkSize(path: string, data: string | Uint8Array): void {
  if (data.length > MAX_WRITE_BYTES) throw new HostError('too-large', path, `More than ${MAX_WRITE_BYTES.toLocaleString('en')} bytes were to be written to ${path}.`)
}

/** The real path, or a refusal (F1). */
async function permitted(guard: FileGuard, name: FileGrant, path: string, link: boolean = false): Promise<string> {
  if (path.includes('\0')) throw guard.refuse(name, path)
  let real: string
  try {
    real = await guard.paths.of(path, link)
  } catch (error) {
    // It cannot be resolved; whoever may not use it is not told why.
    if (await guard.allows(name, resolve(guard.cwd, path))) throw error
    throw guard.refuse(name, path)
  }
  if (!(await guard.allows(name, real))) throw guard.refuse(name, path, await guard.allows(name, resolve(guard.cwd, path)))
  guard.decided({ name, args: [real] }, true)
  return real
}

/** F4. */
async function checkGitFile(guard: FileGuard, real: string): Promise<void> {
  if (isGitFolder(real) && !(await guard.allowsByName('fs.write', real))) throw guard.refuse('fs.write', real)
}

/** What lies at a real path; a link is a link, wherever it leads. */
async function treeKind(guard: FileGuard, path: string): Promise<'directory' | 'other'> {
  const isLink = (await guard.paths.of(path).catch(() => null)) !== path
  return !isLink && (await guard.host.files.stat(path, { exact: true }))?.kind === 'directory' ? 'directory' : 'other'
}

interface TreeRight {
  readonly name: FileGrant
  /** Where the tree lies, or would lie. */
  readonly root: string
}

/** F2. A link is removed or moved as a link: it is not entered. */
async function checkTree(guard: FileGuard, root: string, rights: readonly TreeRight[]): Promise<void> {
  const queue = [{ below: '', isFolder: (await treeKind(guard, root)) === 'directory' }]
  for (let seen = 0; queue.length > 0; seen++) {
    if (seen > MAX_TREE_ENTRIES) throw new HostError('too-large', root, `${root} holds more than ${MAX_TREE_ENTRIES.toLocaleString('en')} entries.`)
    const { below, isFolder } = queue.pop()!
    for (const right of rights) if (!(await guard.allows(right.name, right.root + below))) throw guard.refuse(right.name, right.root + below)
    if (!isFolder) continue
    for (const entry of await guard.host.files.list(root + below, { exact: true })) queue.push({ below: `${below}/${entry.name}`, isFolder: entry.kind === 'directory' })
  }
}

async function glob(guard: FileGuard, pattern: string, maxFiles: number): Promise<readonly string[]> {
  const alternatives = expandBraces(pattern)
  if (alternatives === null) throw new HostError('too-large', pattern, 'The pattern stands for too many alternatives.')
  const found = new Set<string>()
  for (const each of alternatives) {
    const parsed = parsePathPattern(each, guard.cwd)
    if (parsed === null) throw guard.refuse('fs.read', each)
    const realBase = await guard.paths.realBase(parsed.base)
    const isCovered = parsed.rest.length === 0 ? await guard.allows('fs.read', `/${realBase.join('/')}`) : await guard.allowsPattern('fs.read', realBase, parsed.rest)
    if (!isCovered) throw guard.refuse('fs.read', each)
    guard.decided({ name: 'fs.read', args: [each] }, true)
    const prefix = `/${realBase.join('/')}`
    for (const path of await expandGlob(guard.host.files, { base: realBase, rest: parsed.rest }, maxFiles, guard.signal)) {
      // Shown under the name the program used for the folder, not under where its links lead.
      found.add(shown(`/${[...parsed.base, ...path.slice(prefix.length).split('/')].filter(part => part !== '').join('/')}`, each, guard.cwd))
    }
    if (found.size > maxFiles) throw new HostError('too-large', pattern, `The pattern finds more than ${maxFiles.toLocaleString('en')} files; use a narrower one.`)
  }
  guard.count('read')
  return [...found].sort()
}

/** A path as a program sees it; one that begins with `-` would be an option to a command it is given to. */
function shown(path: string, pattern: string, cwd: string): string {
  if (pattern.startsWith('/') || !path.startsWith(`${cwd}/`)) return path
  const relative = path.slice(cwd.length + 1)
  return relative.startsWith('-') ? `./${relative}` : relative
}
