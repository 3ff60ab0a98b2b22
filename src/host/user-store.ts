// User store: small files of tek's own that lie with the user, outside of any project: keys and what is remembered between runs.
// Owns: where they lie (XDG Base Directory Specification 0.8), who may read them. Does not own: what is in them.
//   U1. Nothing here lies inside the workspace: a program that may write there must not reach it. A store that would is no store.
//   U2. A file is the old one or the new one, never half; `create` never replaces one.
//   U3. Nothing here throws: where the user's folders cannot be used, reading gives null and writing false.
import { chmodSync, linkSync, mkdirSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, isAbsolute, join, relative } from 'node:path'

/** Bytes of one file. */
const MAX_FILE_BYTES = 16_384
/** Names that a folder's listing gives. */
const MAX_LISTED_FILES = 10_000
const FOLDER_MODE = 0o700
const FILE_MODE = 0o600

/** `config`: what the user keeps and may copy; `state`: what this machine remembers. */
export type StoreArea = 'config' | 'state'

export interface UserStore {
  /** Shown to people. */
  path(area: StoreArea, name: string): string
  read(area: StoreArea, name: string): string | null
  /** False when it is there already or cannot be written. */
  create(area: StoreArea, name: string, text: string): boolean
  replace(area: StoreArea, name: string, text: string): boolean
  /** Names of the files of a folder. */
  list(area: StoreArea, folder: string): readonly string[]
}

/**
 * The store of the user who runs this; null where there is no home, or where it lies inside the workspace.
 *
 * @param env the variables HOME, XDG_CONFIG_HOME, XDG_STATE_HOME, as the host has them.
 * @param workspace absolute path of the project's folder.
 */
export function userStore(env: (name: string) => string | undefined, workspace: string): UserStore | null {
  const home = absolute(env('HOME') ?? env('USERPROFILE'))
  const config = absolute(env('XDG_CONFIG_HOME')) ?? (home && join(home, '.config'))
  const state = absolute(env('XDG_STATE_HOME')) ?? (home && join(home, '.local', 'state'))
  if (config === null || state === null || isWithin(config, workspace) || isWithin(state, workspace)) return null // U1
  const path = (area: StoreArea, name: string): string => join(area === 'config' ? config : state, 'tek', name)
  return {
    path,
    read: (area, name) => attempt(() => readFileSync(path(area, name), 'utf8').slice(0, MAX_FILE_BYTES), null),
    create: (area, name, text) => put(path(area, name), text, linkSync),
    replace: (area, name, text) => put(path(area, name), text, renameSync),
    list: (area, folder) => attempt(() => readdirSync(path(area, folder)).slice(0, MAX_LISTED_FILES), []),
  }
}

/** U2: written beside it, then put in its place in one step. `link` fails where there is one already. */
function put(path: string, text: string, place: (from: string, to: string) => void): boolean {
  const made = `${path}.${process.pid}.new`
  return attempt(() => {
    mkdirSync(dirname(path), { recursive: true, mode: FOLDER_MODE })
    try {
      writeFileSync(made, text, { mode: FILE_MODE })
      chmodSync(made, FILE_MODE)
      place(made, path)
    } finally {
      rmSync(made, { force: true })
    }
    return true
  }, false)
}

function absolute(path: string | undefined): string | null {
  return path !== undefined && isAbsolute(path) ? path : null
}

function isWithin(path: string, folder: string): boolean {
  const [inner, outer] = [real(path), real(folder)]
  const way = relative(outer, inner)
  return way === '' || (!way.startsWith('..') && !isAbsolute(way))
}

/** With links resolved, as far as the path exists. */
function real(path: string): string {
  const parent = dirname(path)
  return attempt(() => realpathSync(path), null) ?? (parent === path ? path : join(real(parent), path.slice(parent.length)))
}

/** U3. */
function attempt<Result>(work: () => Result, otherwise: Result): Result {
  try {
    return work()
  } catch {
    return otherwise
  }
}
