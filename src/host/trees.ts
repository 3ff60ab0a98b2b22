// Trees: whole folders: copied, compared by a hash, put in each other's place.
// Owns: those. Does not own: which folders (interpreter/loop), who may ask.
//   T1. Links are copied as they are written and never followed; sockets, pipes and devices are left out. What is left out by name is so at every depth.
//   T2. The hash covers names, kinds, contents, where links lead and whether a file may be executed; times and owners it does not. Two trees with the same
//       hash are the same byte for byte.
//   T3. `exchange` is one step where the system has it (Linux, by renameat2 through Perl): whoever looks sees the one or the other. Elsewhere it is three
//       renames by way of `spare`, and `finishExchange` brings one that was broken off to its end.
import { execFile } from 'node:child_process'
import { createHash, type Hash } from 'node:crypto'
import { constants, createReadStream, existsSync } from 'node:fs'
import { chmod, copyFile, lstat, mkdir, readdir, readlink, rename, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { fileError } from './errno.ts'
import { HostError } from './host.ts'

/** Files, folders and links of one tree. */
export const MAX_TREE_ENTRIES = 500_000
/** Folders within folders. */
const MAX_TREE_DEPTH = 200
const EXCHANGE_MS = 10_000

export interface TreeOptions {
  /** Names of files and folders that are no part of it. */
  readonly leftOut?: readonly string[]
}

interface Entry {
  /** From the tree's root. */
  readonly path: string
  readonly kind: 'file' | 'directory' | 'link'
  readonly isExecutable: boolean
}

/** In the order of paths. @throws {HostError} */
async function entriesOf(root: string, { leftOut = [] }: TreeOptions): Promise<Entry[]> {
  const found: Entry[] = []
  const left: { readonly path: string; readonly depth: number }[] = [{ path: '', depth: 0 }]
  while (left.length > 0) {
    const { path, depth } = left.pop()!
    if (depth > MAX_TREE_DEPTH) throw new HostError('too-large', root, `${root} has folders more than ${MAX_TREE_DEPTH} deep.`)
    for (const each of await readdir(join(root, path), { withFileTypes: true })) {
      if (leftOut.includes(each.name)) continue
      const inner = path === '' ? each.name : `${path}/${each.name}`
      const kind = each.isDirectory() ? 'directory' as const : each.isFile() ? 'file' as const : each.isSymbolicLink() ? 'link' as const : null
      if (kind === null) continue // T1
      const isExecutable = kind === 'file' && ((await lstat(join(root, inner))).mode & 0o111) !== 0
      found.push({ path: inner, kind, isExecutable })
      if (found.length > MAX_TREE_ENTRIES) throw new HostError('too-large', root, `${root} holds more than ${MAX_TREE_ENTRIES} files.`)
      if (kind === 'directory') left.push({ path: inner, depth: depth + 1 })
    }
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1))
}

async function copied(from: string, to: string, options: TreeOptions): Promise<void> {
  await mkdir(to, { recursive: true })
  for (const { path, kind, isExecutable } of await entriesOf(from, options)) {
    const [source, target] = [join(from, path), join(to, path)]
    if (kind === 'directory') await mkdir(target, { recursive: true })
    else if (kind === 'link') await symlink(await readlink(source), target)
    else {
      await copyFile(source, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
      await chmod(target, isExecutable ? 0o755 : 0o644)
    }
  }
}

async function hashed(root: string, options: TreeOptions): Promise<string> {
  const hash = createHash('sha256')
  for (const { path, kind, isExecutable } of await entriesOf(root, options)) {
    hash.update(`${kind}${isExecutable ? 'x' : ''}\0${path}\0`)
    if (kind === 'link') hash.update(`${await readlink(join(root, path))}\0`)
    if (kind === 'file') hash.update(await fileHash(join(root, path)))
  }
  return hash.digest('hex')
}

async function fileHash(path: string): Promise<Buffer> {
  const hash: Hash = createHash('sha256')
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer)
  return hash.digest()
}

async function exchanged(a: string, b: string, spare: string): Promise<boolean> {
  if (await exchangedAtOnce(a, b)) return true
  await rename(a, spare)
  await rename(b, a)
  await rename(spare, b)
  return false
}

async function finished(a: string, b: string, spare: string): Promise<void> {
  if (!existsSync(spare)) return
  if (!existsSync(a) && existsSync(b)) await rename(b, a)
  if (!existsSync(b)) await rename(spare, b)
}

/** Copies a folder to a place where nothing is. @throws {HostError} */
export function copyTree(from: string, to: string, options: TreeOptions = {}): Promise<void> {
  return explained(copied(from, to, options), from)
}

/** SHA-256 of a folder, as hexadecimal. // T2 @throws {HostError} */
export function hashTree(root: string, options: TreeOptions = {}): Promise<string> {
  return explained(hashed(root, options), root)
}

/** Puts two folders in each other's place. Gives whether it was one step. // T3 @throws {HostError} */
export function exchange(a: string, b: string, spare: string): Promise<boolean> {
  return explained(exchanged(a, b, spare), a)
}

/** Brings an exchange that was broken off to its end; does nothing where there is nothing left to do. // T3 @throws {HostError} */
export function finishExchange(a: string, b: string, spare: string): Promise<void> {
  return explained(finished(a, b, spare), a)
}

async function explained<Result>(work: Promise<Result>, subject: string): Promise<Result> {
  try {
    return await work
  } catch (error) {
    throw fileError(error, subject)
  }
}

/** Numbers of renameat2 by processor, as the kernel's tables have them. */
const RENAMEAT2: Readonly<Record<string, number>> = { x64: 316, arm64: 276 }
const AT_FDCWD = -100
const RENAME_EXCHANGE = 2

async function exchangedAtOnce(a: string, b: string): Promise<boolean> {
  const number = process.platform === 'linux' ? RENAMEAT2[process.arch] : undefined
  if (number === undefined) return false
  const script = `exit(syscall(${number}, ${AT_FDCWD}, $ARGV[0], ${AT_FDCWD}, $ARGV[1], ${RENAME_EXCHANGE}) == 0 ? 0 : 1)`
  return new Promise(resolve => {
    execFile('perl', ['-e', script, a, b], { timeout: EXCHANGE_MS, env: { PATH: '/usr/bin:/bin' } }, error => resolve(error === null))
  })
}
