// Confinement: what a command that a call starts may see of the machine's files: the authority of that call, and nothing else.
// Owns: turning grants into real files and folders. Does not own: the sandbox that shows only those (host/sandbox), the meaning of patterns (grants/).
//   M1. Sound: a place is shown only if every level covers all of it (or it comes with a plugin's grant). Of two patterns that overlap, and of
//       which neither contains the other, the files that both cover are shown one by one.
//   M2. A pattern that ends in its only wildcard, `**`, is a folder with all that is in it. Any other with a wildcard is the files it fits when the
//       command starts, at most MAX_FILES; a folder named without one is not shown (its content is not granted).
//   M3. A place to write must also be readable: what is shown for writing can be read. A folder to write that does not exist is made.
//   M4. Control files below a shown folder stay what they are unless a grant names them: `.tek`, `.git/config` and `config.worktree`, which may hold
//       tokens, are out of sight; the others can be read and not changed. Those are found at the folder's top and in MAX_FOLDERS folders below it,
//       at most MAX_DEPTH deep. What a command made of them all the same is taken away afterwards, and the call fails.
//       So is a file named `.git` (of a working tree, of a submodule): it says where git finds those. One that leads to a working tree of a repository
//       whose working trees the call may make (`git.worktree`) may be made and removed.
//   M5. Commands have no network, whatever `net` says.
import { basename, dirname, join } from 'node:path'
import { permitErrors } from '#diagnostics/catalog/permit.ts'
import { isContained } from '#grants/automaton.ts'
import { absoluteSegments, coversPath, isControlFile, isGitFolder, parsePathPattern, type PathPattern } from '#grants/path-pattern.ts'
import { pathAutomaton } from '#grants/pattern-automaton.ts'
import { HostError, type Confinement, type HostFiles, type ProcessLimits } from '#host/host.ts'
import type { Authority } from '#model/capability.ts'
import { ToolFailure } from '#plugin-api/context.ts'
import { expandGlob } from './expand-glob.ts'
import type { RealPaths } from './real-paths.ts'

/** Files shown one by one. */
const MAX_FILES = 400
const MAX_FOLDERS = 200
const MAX_DEPTH = 3
const MAX_PATTERNS = 2_000
const MAX_KEPT = 200
/** A file `.git` says where git finds a repository, and no more. */
const MAX_GIT_FILE_BYTES = 10_000
/** Nested repositories that appear are found this much later. */
const LOOK_AGAIN_MS = 2_000

/** Relative to a folder: what steers tek and git. */
const steering = ['.tek', 'tek.permits.yaml', '.git/hooks', '.git/config', '.git/config.worktree', '.git/commondir']

export interface ConfinementAsk {
  readonly files: HostFiles
  /** Absolute. */
  readonly cwd: string
  readonly paths: RealPaths
  readonly authority: readonly Authority[]
  readonly implied: Authority
  readonly signal: AbortSignal
  readonly limits: ProcessLimits
  readonly mayBeUnconfined: boolean
}

export interface Confined {
  readonly confinement: Confinement
  /** Nothing of the run's folder can be seen. */
  readonly isBlind: boolean
  /** Takes away control files that were made meanwhile, and gives their names (M4). */
  after(): Promise<readonly string[]>
}

type FileGrant = 'fs.read' | 'fs.write'
type Places = Map<string, 'file' | 'folder'>

/** @throws {ToolFailure} `permit/too-many-files` (M2) */
export async function confine(ask: ConfinementAsk): Promise<Confined> {
  const patterns = await patternsOf(ask)
  const [readable, writable] = [await placesOf(ask, patterns.read, false), await placesOf(ask, patterns.write, true)]
  const real = `/${(await ask.paths.realBase(absoluteSegments(ask.cwd, '/') ?? [])).join('/')}`
  const kept: Kept = { hidden: new Set(), fixed: new Set(), watched: new Set() }
  for (const folder of foldersOf(readable, writable)) {
    const mayWrite = isBelow(folder, writable)
    for (const path of await controlFiles(ask.files, folder)) {
      if (await isNamed(ask, 'fs.write', path) || await isOwnWorktree(ask, path) || await leadsToOwnWorktree(ask, path)) continue
      await keep(ask, kept, path, { mayWrite, mayRead: await isNamed(ask, 'fs.read', path), isOwn: dirname(path) === real })
    }
  }
  const isInside = (path: string): boolean => path === real || path.startsWith(`${real}/`) || `${real}/`.startsWith(path === '/' ? path : `${path}/`)
  const shown = [...readable.keys(), ...kept.fixed]
  return {
    confinement: { readable: shown, writable: [...writable.keys()], hidden: [...kept.hidden], limits: ask.limits, mayBeUnconfined: ask.mayBeUnconfined },
    isBlind: ![...shown, ...writable.keys()].some(isInside),
    after: () => takeAway(ask, [...kept.watched]),
  }
}

/** Control files by what becomes of them: out of sight, read-only, looked for afterwards. */
interface Kept {
  readonly hidden: Set<string>
  readonly fixed: Set<string>
  readonly watched: Set<string>
}

async function keep({ files }: ConfinementAsk, kept: Kept, path: string, { mayWrite, mayRead, isOwn }: { mayWrite: boolean; mayRead: boolean; isOwn: boolean }): Promise<void> {
  const name = basename(path)
  const isSecret = (name === '.tek' || name.startsWith('config')) && !mayRead
  const found = await files.stat(path).catch(() => null)
  if (found !== null) {
    // An empty one may be held by a command that runs beside this one, and go with it: hidden, it is held for this one as well.
    if (isSecret || (mayWrite && name === 'tek.permits.yaml' && found.kind === 'file' && found.sizeBytes === 0)) kept.hidden.add(path)
    else if (mayWrite) kept.fixed.add(path)
  } else if (mayWrite) {
    const isFolderHere = name === 'hooks' && (await files.stat(dirname(path)).catch(() => null))?.kind === 'directory'
    // An empty folder steers nothing; what cannot be made beforehand is held by name (host/sandbox), or looked for afterwards.
    if (isFolderHere || (name === '.tek' && isOwn)) {
      await files.makeDirectory(path)
      kept.hidden.add(path)
    } else if (name === '.tek' || name === 'tek.permits.yaml') kept.hidden.add(path)
    else kept.watched.add(path)
  }
}

/** The shown folders that do not lie in one another. */
function foldersOf(readable: Places, writable: Places): string[] {
  const folders = [...new Set([...readable, ...writable].flatMap(([path, kind]) => (kind === 'folder' ? [path] : [])))]
  return folders.filter(folder => writable.has(folder) || !folders.some(other => other !== folder && folder.startsWith(other === '/' ? other : `${other}/`)))
}

const isBelow = (path: string, places: Places): boolean => [...places].some(([place, kind]) => kind === 'folder' && (path === place || path.startsWith(place === '/' ? place : `${place}/`)))

async function takeAway(ask: ConfinementAsk, paths: readonly string[]): Promise<readonly string[]> {
  const { files } = ask
  const made: string[] = []
  for (const path of paths) {
    const found = await files.stat(path).catch(() => null)
    if (found === null || (found.kind === 'directory' && isGitFolder(path))) continue // a folder does nothing by itself
    if (found.kind === 'file' && await leadsToOwnWorktree(ask, path)) continue
    await files.remove(path)
    made.push(path)
  }
  return made
}

const isNamed = async (ask: ConfinementAsk, name: FileGrant, path: string): Promise<boolean> => {
  if (ask.implied.length > 0 && await ask.paths.covers(ask.implied, name, path, true)) return true
  for (const level of ask.authority) if (!(await ask.paths.covers(level, name, path, true))) return false
  return ask.authority.length > 0
}

/** git's own notes on working trees, where the call may make and remove those (`git.worktree` implies it). */
async function isOwnWorktree(ask: ConfinementAsk, path: string): Promise<boolean> {
  const at = path.indexOf('/.git/worktrees/')
  return at >= 0 && ask.paths.covers(ask.implied, 'fs.write', path.slice(0, at + '/.git/worktrees'.length))
}

/** A file `.git` of a working tree that the call may make. */
async function leadsToOwnWorktree(ask: ConfinementAsk, path: string): Promise<boolean> {
  if (ask.implied.length === 0 || !isGitFolder(path)) return false
  const bytes = await ask.files.readBytes(path, MAX_GIT_FILE_BYTES, { exact: true }).catch(() => null)
  const place = /^gitdir: (\/[^\n\0]+)\n?$/.exec(bytes === null ? '' : new TextDecoder().decode(bytes))?.[1]
  return place !== undefined && isOwnWorktree(ask, await ask.files.realPath(place).catch(() => ''))
}

interface Patterns {
  readonly read: readonly PathPattern[]
  readonly write: readonly PathPattern[]
}

const kept = new WeakMap<HostFiles, Map<string, Patterns>>()

/** What is covered, as patterns whose folders are real; the same grants are put together once. */
async function patternsOf(ask: ConfinementAsk): Promise<Patterns> {
  const known = kept.get(ask.files) ?? new Map<string, Patterns>()
  kept.set(ask.files, known)
  const fileGrants = (level: Authority): Authority => level.filter(each => each.name === 'fs.read' || each.name === 'fs.write')
  const key = JSON.stringify([ask.cwd, fileGrants(ask.implied), ask.authority.map(fileGrants)])
  const found = known.get(key)
  if (found !== undefined) return found
  const cwd = await ask.paths.realBase(absoluteSegments(ask.cwd, '/') ?? [])
  const ofLevel = (name: FileGrant, level: Authority): Promise<PathPattern[]> => Promise.all(level.flatMap(grant => {
    const pattern = grant.name === name && grant.args.length === 1 ? parsePathPattern(grant.args[0]!, ask.cwd) : null
    return pattern === null ? [] : [ask.paths.realBase(pattern.base).then(base => ({ base, rest: pattern.rest }))]
  }))
  const covered = async (name: FileGrant): Promise<PathPattern[]> => {
    const levels = await Promise.all([...ask.authority].reverse().map(level => ofLevel(name, level)))
    const [innermost = [], ...others] = levels
    return [...(await ofLevel(name, ask.implied)), ...await common(ask, cwd, innermost, others)]
  }
  const read = await covered('fs.read')
  const patterns = { read, write: await common(ask, cwd, await covered('fs.write'), [read]) } // M3
  // Files one by one are as they are now: they are looked for again each time.
  if (![...patterns.read, ...patterns.write].some(isExpanded) && known.size < MAX_KEPT) known.set(key, patterns)
  return patterns
}

const isExpanded = (pattern: PathPattern): boolean => pattern.rest.length === 0

/** M1: what the first level and all others cover. */
async function common(ask: ConfinementAsk, cwd: readonly string[], first: readonly PathPattern[], others: readonly (readonly PathPattern[])[]): Promise<PathPattern[]> {
  let all: readonly PathPattern[] = first
  for (const level of others) {
    const both: PathPattern[] = []
    for (const pattern of all) {
      if (level.some(each => contains(each, pattern, cwd))) {
        both.push(pattern)
        continue
      }
      const narrower = level.filter(each => contains(pattern, each, cwd))
      both.push(...narrower)
      const beside = level.filter(each => !narrower.includes(each) && mayMeet(each, pattern))
      if (beside.length === 0) continue
      for (const path of await filesOf(ask, pattern)) { // overlapping
        const segments = absoluteSegments(path, '/') ?? []
        if (beside.some(each => coversPath(each, segments, cwd)) && await isItself(ask.files, path)) both.push({ base: segments, rest: [] })
      }
    }
    if (both.length > MAX_PATTERNS) throw tooMany()
    all = both
  }
  return [...all]
}

function contains(outer: PathPattern, inner: PathPattern, cwd: readonly string[]): boolean {
  if (inner.rest.length === 0) return coversPath(outer, inner.base, cwd)
  if (outer.rest.length === 0 || outer.base.length > inner.base.length || outer.base.some((segment, index) => segment !== inner.base[index])) return false
  return isContained(pathAutomaton([...inner.base.slice(outer.base.length), ...inner.rest]), pathAutomaton(outer.rest))
}

/** Whether two patterns may fit a common path, judged by their folders. */
function mayMeet(a: PathPattern, b: PathPattern): boolean {
  const shared = Math.min(a.base.length, b.base.length)
  return a.base.slice(0, shared).every((segment, index) => segment === b.base[index]) && (a.rest.length > 0 || b.rest.length > 0)
}

async function filesOf(ask: ConfinementAsk, pattern: PathPattern): Promise<string[]> {
  try {
    return await expandGlob(ask.files, pattern, MAX_FILES, ask.signal)
  } catch (error) {
    if (error instanceof HostError && error.code === 'too-large') throw tooMany()
    if (error instanceof HostError && error.code !== 'cancelled') return [] // what cannot be looked at is not shown
    throw error
  }
}

const isItself = async (files: HostFiles, path: string): Promise<boolean> => (await files.realPath(path).catch(() => null)) === path

function tooMany(): ToolFailure {
  const { code, message, help } = permitErrors['too-many-files']({ most: MAX_FILES })
  return new ToolFailure(code, message, { help: help[0]! })
}

/** The real files and folders of patterns. */
async function placesOf(ask: ConfinementAsk, patterns: readonly PathPattern[], toWrite: boolean): Promise<Places> {
  const places: Places = new Map()
  const cwd = await ask.paths.realBase(absoluteSegments(ask.cwd, '/') ?? [])
  for (const pattern of patterns) {
    const path = `/${pattern.base.join('/')}`
    if (pattern.rest.length === 1 && pattern.rest[0] === '**') { // M2
      if (isControlFile(cwd.every((segment, index) => pattern.base[index] === segment) ? pattern.base.slice(cwd.length) : pattern.base)) continue
      const kind = (await ask.files.stat(path).catch(() => null))?.kind ?? null
      if (kind === null && toWrite) await ask.files.makeDirectory(path).catch(() => undefined) // M3
      if (kind === 'directory' || (kind === null && toWrite)) places.set(path, 'folder')
    } else {
      for (const file of await filesOf(ask, pattern)) {
        // A link fits by its own name; what it leads to may not be covered.
        if (await isItself(ask.files, file) && (pattern.rest.length === 0 || coversPath(pattern, absoluteSegments(file, '/') ?? [], cwd))) places.set(file, 'file')
      }
      if (places.size > MAX_FILES) throw tooMany()
    }
  }
  return places
}

const looked = new WeakMap<HostFiles, Map<string, { readonly atMs: number; readonly found: Promise<string[]> }>>()

/** Where control files are, or would be, below a folder (M4): looked for again after LOOK_AGAIN_MS, and always at its top. */
async function controlFiles(files: HostFiles, folder: string): Promise<string[]> {
  const known = looked.get(files) ?? new Map<string, { atMs: number; found: Promise<string[]> }>()
  looked.set(files, known)
  const before = known.get(folder)
  if (before !== undefined && performance.now() - before.atMs < LOOK_AGAIN_MS) return before.found
  if (known.size >= MAX_KEPT) known.clear()
  const found = lookFor(files, folder)
  known.set(folder, { atMs: performance.now(), found })
  return found
}

async function lookFor(files: HostFiles, folder: string): Promise<string[]> {
  const found: string[] = []
  const queue = [{ path: folder, depth: 0 }]
  for (let seen = 0; queue.length > 0 && seen < MAX_FOLDERS; seen++) {
    const { path, depth } = queue.shift()!
    const entries = await files.list(path).catch(() => [])
    const isGit = path.endsWith('/.git') || path.includes('/.git/')
    const own = isGit ? steering.filter(each => each.startsWith('.git/')).map(each => each.slice('.git/'.length)) : depth === 0 ? steering.filter(each => !each.startsWith('.git/')) : []
    for (const name of own) if (depth === 0 || path.endsWith('/.git') || entries.some(entry => entry.name === name)) found.push(join(path, name))
    for (const entry of entries) {
      if (!isGit && (isControlFile([entry.name]) || (entry.kind === 'file' && isGitFolder(entry.name)))) found.push(join(path, entry.name))
      if (entry.kind !== 'directory' || depth >= MAX_DEPTH || entry.name === 'node_modules' || (isGit && /^(?:objects|refs|logs|hooks|info)$/.test(entry.name))) continue
      queue.push({ path: join(path, entry.name), depth: depth + 1 })
    }
  }
  if (!/\/\.git(?:\/|$)/.test(folder)) {
    found.push(...steering.filter(each => each.startsWith('.git/')).map(each => join(folder, each)))
    if ((await files.stat(join(folder, '.git')).catch(() => null)) === null) found.push(join(folder, '.git'))
  }
  return [...new Set(found)]
}
