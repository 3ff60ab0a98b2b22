// Node files: HostFiles on a real file system.
// Owns: sizes, encodings, atomic replacement, links. Does not own: which path may be touched (interpreter/guard).
//   F1. A text is strictly UTF-8; what is not is `not-utf8`, never repaired in silence. A byte order mark is kept.
//   F2. A file is the old one or the new one: data goes to a temporary name beside it and is renamed; the temporary is removed when that fails.
//       It survives the death of the process at any instant (which may leave the temporary; a write that has a name of its own clears it when made again); of the last seconds before a power cut no promise is made (no fsync).
//   F3. An `exact` path is checked on the opened descriptor (see PathOptions and pinned-folder.ts), whatever is done with it; devices, pipes
//       and sockets are neither read nor waited for, nor, by an exact path, written to.
import { randomBytes } from 'node:crypto'
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, realpathSync, statSync, type Stats } from 'node:fs'
import * as fs from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { errnoOf, fileError } from './errno.ts'
import { HostError, type DirectoryEntry, type FileStat, type HostFiles, type PathOptions, type WriteOptions } from './host.ts'
import { checkExact, exchanged, hasDescriptorPaths, inFolderOf, makeFolder, nameOf, O_PATH, removeTree } from './pinned-folder.ts'

const MAX_LINKS = 40
const MAX_ENTRIES = 100_000
const READ_CHUNK_BYTES = 65_536

export function nodeFiles(): HostFiles {
  return {
    readTextSync,
    statSync(path) {
      try {
        const stat = statSync(path, { throwIfNoEntry: false }) // usually absent, as `.tek/STOP` is: an error would cost more than the look
        return stat === undefined ? null : describe(stat)
      } catch (error) {
        return nullWhenAbsent(error, path)
      }
    },
    readBytes,
    async stat(path, options = {}) {
      try {
        return describe(options.exact && hasDescriptorPaths ? await exactStat(path) : await fs.stat(path))
      } catch (error) {
        return nullWhenAbsent(error, path)
      }
    },
    list,
    realPath: path => realPath(path, MAX_LINKS),
    writeAtomic,
    append,
    makeDirectory: (path, options = {}) => coded(path, () => makeFolder(path, options.exact ?? false)),
    remove: (path, options = {}) => coded(path, async () => {
      if ((await fs.stat(dirname(path)).catch(() => null)) === null) return
      await inFolderOf(path, { exact: options.exact ?? false, make: false }, name => removeTree(name, path))
    }),
    rename: (from, to, options = {}) => coded(from, async () => {
      await fs.lstat(from) // so that no folder is made for something that is not there
      const exact = options.exact ?? false
      await inFolderOf(from, { exact, make: false }, source => inFolderOf(to, { exact, make: true }, target => fs.rename(source, target)))
    }),
  }
}

async function coded(path: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work()
  } catch (error) {
    throw fileError(error, path)
  }
}

function describe(stat: Stats): FileStat {
  const kind = stat.isFile() ? 'file' : stat.isDirectory() ? 'directory' : 'other'
  return { kind, sizeBytes: stat.size, modifiedMs: Math.round(stat.mtimeMs) }
}

function nullWhenAbsent(error: unknown, path: string): null {
  const code = errnoOf(error)
  if (code === 'ENOENT' || code === 'ENOTDIR') return null
  throw fileError(error, path)
}

/** Strict UTF-8 (F1). */
function decodeUtf8(bytes: Uint8Array, subject: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new HostError('not-utf8', subject, `${subject} is not UTF-8 text.`)
  }
}

function tooLarge(path: string, maxBytes: number): HostError {
  return new HostError('too-large', path, `${path} is larger than the limit of ${maxBytes.toLocaleString('en')} bytes.`)
}

function checkRegular(stat: Stats, path: string, maxBytes: number): void {
  if (stat.isDirectory()) throw fileError({ code: 'EISDIR' }, path)
  if (!stat.isFile()) throw new HostError('not-a-file', path, `${path} is a device or a pipe, not a file.`) // F3
  if (stat.size > maxBytes) throw tooLarge(path, maxBytes)
}

function readTextSync(path: string, maxBytes: number): string {
  let descriptor: number | undefined
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    checkRegular(fstatSync(descriptor), path, maxBytes)
    const chunks: Buffer[] = []
    for (let total = 0; ; ) {
      const chunk = Buffer.allocUnsafe(READ_CHUNK_BYTES)
      const read = readSync(descriptor, chunk, 0, READ_CHUNK_BYTES, null)
      if (read === 0) break
      total += read
      if (total > maxBytes) throw tooLarge(path, maxBytes)
      chunks.push(chunk.subarray(0, read))
    }
    return decodeUtf8(Buffer.concat(chunks), path)
  } catch (error) {
    throw fileError(error, path)
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

/** Of what lies at the path itself, opened without being used (F3). */
async function exactStat(path: string): Promise<Stats> {
  const handle = await fs.open(path, O_PATH | constants.O_NOFOLLOW)
  try {
    const stat = await handle.stat()
    if (stat.isSymbolicLink()) throw exchanged(path)
    await checkExact(handle, path)
    return stat
  } finally {
    await handle.close()
  }
}

async function readBytes(path: string, maxBytes: number, options: PathOptions = {}): Promise<Uint8Array> {
  const noFollow = options.exact ? constants.O_NOFOLLOW : 0
  let handle: fs.FileHandle | undefined
  try {
    handle = await fs.open(path, constants.O_RDONLY | constants.O_NONBLOCK | noFollow)
    if (options.exact) await checkExact(handle, path)
    const stat = await handle.stat()
    checkRegular(stat, path, maxBytes)
    // One byte more than the size: a file that grew, or one that says 0 and holds more (as in /proc), is noticed.
    let buffer = Buffer.allocUnsafe(Math.min(maxBytes, stat.size) + 1)
    let filled = 0
    for (;;) {
      if (filled === buffer.length) buffer = Buffer.concat([buffer, Buffer.allocUnsafe(READ_CHUNK_BYTES)])
      const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled)
      if (bytesRead === 0) break
      filled += bytesRead
      if (filled > maxBytes) throw tooLarge(path, maxBytes)
      if (filled === stat.size) break // less than was asked for: the end, where the size is known
    }
    return new Uint8Array(buffer.buffer, buffer.byteOffset, filled)
  } catch (error) {
    if (options.exact && errnoOf(error) === 'ELOOP') throw exchanged(path)
    throw fileError(error, path)
  } finally {
    await handle?.close()
  }
}

async function list(directory: string, options: PathOptions = {}): Promise<readonly DirectoryEntry[]> {
  let handle: fs.FileHandle | undefined
  try {
    if (options.exact && hasDescriptorPaths) {
      handle = await fs.open(directory, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
      await checkExact(handle, directory)
    }
    const opened = handle === undefined ? directory : nameOf(handle)
    const found: DirectoryEntry[] = []
    for await (const entry of await fs.opendir(opened)) {
      if (found.length === MAX_ENTRIES) {
        throw new HostError('too-large', directory, `${directory} holds more than ${MAX_ENTRIES.toLocaleString('en')} entries.`)
      }
      const kind = entry.isFile() ? 'file' : entry.isDirectory() ? 'directory' : entry.isSymbolicLink() ? 'link' : 'other'
      found.push({ name: entry.name, kind })
    }
    return found.sort((a, b) => (a.name < b.name ? -1 : 1))
  } catch (error) {
    throw fileError(error, directory)
  } finally {
    await handle?.close()
  }
}

/** On the main thread: names are looked up in some microseconds, and a turn through the thread pool costs ten times that at each effect. */
async function realPath(path: string, linksLeft: number): Promise<string> {
  const absolute = resolve(path)
  let isThere = false
  try {
    isThere = lstatSync(absolute, { throwIfNoEntry: false }) !== undefined
    if (isThere) return realpathSync.native(absolute)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw fileError(error, path)
  }
  if (linksLeft === 0) throw fileError({ code: 'ENOENT' }, path)
  const parent = await realPath(dirname(absolute), linksLeft)
  const here = join(parent, basename(absolute))
  // A link to nothing yet: whoever creates the file creates it where the link points.
  const target = isThere ? await fs.readlink(here).catch(() => null) : null
  return target === null ? here : realPath(resolve(parent, target), linksLeft - 1)
}

async function writeAtomic(path: string, data: string | Uint8Array, options: WriteOptions = {}): Promise<void> {
  await coded(path, () => inFolderOf(path, { exact: options.exact ?? false, make: true }, async (name, folder) => {
    const existing = await fs.lstat(name).catch(() => null)
    if (existing?.isDirectory()) throw fileError({ code: 'EISDIR' }, path)
    const temporary = `${folder}/.tek-${options.write ?? randomBytes(6).toString('hex')}.tmp`
    try {
      const write = (): Promise<void> => fs.writeFile(temporary, data, { flag: 'wx', mode: existing?.isFile() ? existing.mode & 0o777 : 0o666 })
      await write().catch(async error => {
        if (errnoOf(error) !== 'EEXIST' || options.write === undefined) throw error
        await fs.rm(temporary, { force: true }) // never opened: it may be somebody else's link by now
        await write()
      })
      await fs.rename(temporary, name) // F2
    } catch (error) {
      await fs.rm(temporary, { force: true }).catch(() => undefined)
      throw error
    }
  }))
}

async function append(path: string, data: string, options: PathOptions = {}): Promise<void> {
  const { O_APPEND, O_CREAT, O_WRONLY, O_NOFOLLOW, O_NONBLOCK } = constants
  await coded(path, () => inFolderOf(path, { exact: options.exact ?? false, make: true }, async name => {
    const handle = await fs.open(name, O_APPEND | O_CREAT | O_WRONLY | O_NONBLOCK | (options.exact ? O_NOFOLLOW : 0)).catch(error => {
      throw options.exact && errnoOf(error) === 'ELOOP' ? exchanged(path) : error
    })
    try {
      if (options.exact) checkRegular(await handle.stat(), path, Infinity)
      await handle.writeFile(data)
    } finally {
      await handle.close()
    }
  }))
}
