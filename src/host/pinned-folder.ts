// Pinned folder: names that nobody can redirect, because the folder they lie in is held open (Linux: `/proc/self/fd/N/name`).
// Owns: opening a folder by a path that must hold no links, making what is missing of it, removing a tree. Does not own: files (node-files.ts).
//   P1. A folder is compared, once it is open, with the path it was asked by; folders made or entered from there on are opened by name,
//       never through a link. So a link put in the way at any moment leads nowhere: `refused`.
//   P2. A tree is removed from within: an entry that turns into a link while it is removed is not entered. At most 256 folders deep.
//   P3. Where the system has no such names, the path is used as it is: the race is narrowed by the caller's checks, not closed.
import { constants } from 'node:fs'
import * as fs from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { errnoOf, fileError } from './errno.ts'
import { HostError } from './host.ts'

/** Linux: opens a name without using what it names, open(2); Node has no constant for it. */
export const O_PATH = 0o10000000
const ITSELF = O_PATH | constants.O_NOFOLLOW
const MAX_TREE_DEPTH = 256
export const hasDescriptorPaths = process.platform === 'linux'

export function exchanged(path: string): HostError {
  return new HostError('refused', path, `${path} was exchanged for a link while it was being opened.`)
}

/** Refuses a descriptor that is not what `path` names (P1). */
export async function checkExact(handle: fs.FileHandle, path: string): Promise<void> {
  if (!hasDescriptorPaths) return
  const opened = await fs.readlink(nameOf(handle))
  if (opened === path) return
  // Replaced since by a newer version of itself, as an atomic write does: it was the right one, and now it has no name at all.
  if (opened !== `${path} (deleted)` || (await handle.stat()).nlink !== 0) throw exchanged(path)
}

export function nameOf(handle: fs.FileHandle): string {
  return `/proc/self/fd/${handle.fd}`
}

/**
 * Runs `work` with a name for `path` that cannot be redirected, and with the name of its folder.
 *
 * @param options.exact the path has no links in it, and must have none; otherwise it is used as it is.
 * @param options.make makes the folders that are missing.
 */
export async function inFolderOf<T>(path: string, options: { readonly exact: boolean; readonly make: boolean }, work: (name: string, folder: string) => Promise<T>): Promise<T> {
  const folder = dirname(path)
  if (!options.exact || !hasDescriptorPaths) {
    if (options.make) await makeFolders(folder)
    return work(path, folder)
  }
  const handle = await openFolder(folder, options.make)
  try {
    return await work(`${nameOf(handle)}/${basename(path)}`, nameOf(handle))
  } finally {
    await handle.close()
  }
}

/** Makes a folder and the folders above it; fine where it is there. */
export async function makeFolder(path: string, exact: boolean): Promise<void> {
  if (!exact || !hasDescriptorPaths) return makeFolders(path)
  await (await openFolder(path, true)).close()
}

async function openFolder(path: string, make: boolean): Promise<fs.FileHandle> {
  const missing: string[] = []
  let at = path
  let handle = await openExact(at)
  while (handle === null) {
    if (!make || at === '/') throw fileError({ code: 'ENOENT' }, path)
    missing.unshift(basename(at))
    at = dirname(at)
    handle = await openExact(at)
  }
  for (const part of missing) {
    const above: fs.FileHandle = handle
    try {
      await fs.mkdir(`${nameOf(above)}/${part}`).catch(error => { if (errnoOf(error) !== 'EEXIST') throw error })
      handle = await openItself(`${nameOf(above)}/${part}`, path)
    } finally {
      await above.close()
    }
  }
  return handle
}

/** The open folder, or null where there is none. */
async function openExact(folder: string): Promise<fs.FileHandle | null> {
  const handle = await openItself(folder, folder).catch(error => {
    if (errnoOf(error) === 'ENOENT') return null
    throw error
  })
  if (handle === null) return null
  try {
    await checkExact(handle, folder)
    return handle
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** Opens a folder that may not be a link. */
async function openItself(name: string, path: string): Promise<fs.FileHandle> {
  const handle = await fs.open(name, ITSELF)
  const stat = await handle.stat()
  if (stat.isDirectory()) return handle
  await handle.close()
  throw stat.isSymbolicLink() ? exchanged(path) : fileError({ code: 'ENOTDIR' }, path)
}

/** One folder after the other: Node's own recursive mkdir never ends where a file system refuses with ENOENT, as /proc does. */
async function makeFolders(folder: string): Promise<void> {
  const missing: string[] = []
  for (let at = folder; (await fs.stat(at).catch(() => null)) === null; at = dirname(at)) missing.unshift(at)
  for (const each of missing) await fs.mkdir(each).catch(error => { if (errnoOf(error) !== 'EEXIST') throw error })
  if (!(await fs.stat(folder)).isDirectory()) throw fileError({ code: 'ENOTDIR' }, folder)
}

/** Removes a file, a link, or a folder with everything in it; nothing there is fine (P2). `name` is one that cannot be redirected. */
export async function removeTree(name: string, path: string, depth: number = 0): Promise<void> {
  if (!hasDescriptorPaths) return fs.rm(path, { recursive: true, force: true })
  try {
    return await fs.unlink(name)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return
    if (errnoOf(error) !== 'EISDIR') throw error
  }
  if (depth === MAX_TREE_DEPTH) throw new HostError('too-large', path, `There are folders nested more than ${MAX_TREE_DEPTH} deep at ${path.slice(0, 200)}….`)
  const handle = await fs.open(name, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW).catch(error => {
    if (errnoOf(error) === 'ENOENT') return null
    throw ['ELOOP', 'ENOTDIR'].includes(errnoOf(error)) ? exchanged(path) : error
  })
  if (handle === null) return
  try {
    for (const entry of await fs.readdir(nameOf(handle))) await removeTree(`${nameOf(handle)}/${entry}`, join(path, entry), depth + 1)
  } finally {
    await handle.close()
  }
  await fs.rmdir(name)
}
