// Source files: from the paths on a command line to the text of programs.
// Owns: finding `.tek` files, reading them, and the coded answers when that fails. Does not own: checking them (tek.ts).
//   S1. Folders are searched without following links, leaving out `.git`, `.tek`, `node_modules`, `dist` and hidden folders.
import { resolve } from 'node:path'
import { didYouMean } from '#base/did-you-mean.ts'
import { cliErrors } from '#diagnostics/catalog/cli.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import { HostError, type Host } from '#host/host.ts'
import { CliFailure, type CliContext } from './command.ts'
import { exitCodes } from './exit-codes.ts'

const MAX_SOURCE_MB = 32
const MAX_FILES = 10_000
const MAX_FOLDER_DEPTH = 40
const LEFT_OUT = new Set(['node_modules', 'dist'])

/** A file's path as shown: relative to the working directory when beneath it, `/` on every system. */
export function shownPath(cwd: string, path: string): string {
  const plain = path.replace(/\\/g, '/').replace(/^(\.\/)+/, '')
  const base = `${cwd.replace(/\\/g, '/').replace(/\/$/, '')}/`
  return plain.startsWith(base) ? plain.slice(base.length) : plain
}

/** Where a shown path lies: the host's files take absolute paths. */
export function at(host: Host, path: string): string {
  return resolve(host.cwd, path)
}

/** What a failure of the machine says on the command line. */
function hostDiagnostic(error: HostError, path: string, doing: 'read' | 'write' = 'read'): Diagnostic {
  if (doing === 'write') return cliErrors['cannot-write']({ path, reason: reasons[error.code] ?? error.message })
  if (error.code === 'not-found') return cliErrors['file-not-found']({ path })
  if (error.code === 'not-a-file') return cliErrors['is-a-folder']({ path })
  if (error.code === 'not-utf8') return cliErrors['not-utf8']({ path })
  if (error.code === 'too-large') return cliErrors['too-large']({ path, limitMb: MAX_SOURCE_MB })
  return cliErrors['cannot-read']({ path, reason: reasons[error.code] ?? error.message })
}

const reasons: Readonly<Partial<Record<HostError['code'], string>>> = {
  'no-permission': 'you do not have the permission',
  'read-only': 'it lies on a read-only file system',
  'disk-full': 'the disk is full',
  'not-a-directory': 'a part of its path is not a folder',
  'not-a-file': 'it is a folder',
  'exists': 'it is already there',
}

/** Text of one source file; a coded failure when it cannot be had. */
export async function readSource(host: Host, path: string): Promise<string> {
  return guarded(async () => {
    const stat = await host.files.stat(at(host, path))
    if (stat === null) throw await notFound(host, path)
    if (stat.kind !== 'file') throw new CliFailure([cliErrors['is-a-folder']({ path })], exitCodes.usage)
    return host.files.readTextSync(at(host, path), MAX_SOURCE_MB * 1024 * 1024)
  }, path, 'read')
}

/** Writes a whole file or nothing; through a link, to what it points at. */
export async function writeFile(host: Host, path: string, text: string): Promise<void> {
  await guarded(async () => host.files.writeAtomic(await host.files.realPath(at(host, path)), text), path, 'write')
}

/** Runs something on the machine; its failures become coded ones. */
async function guarded<Result>(work: () => Promise<Result>, path: string, doing: 'read' | 'write'): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof HostError) throw new CliFailure([hostDiagnostic(error, path, doing)], exitCodes.usage)
    throw error
  }
}

async function notFound(host: Host, path: string): Promise<CliFailure> {
  const slash = path.lastIndexOf('/')
  const folder = slash < 0 ? '.' : path.slice(0, slash) || '/'
  let names: string[] = []
  try {
    names = (await host.files.list(at(host, folder))).map(each => each.name)
  } catch {
    // No folder: then there is nothing near to suggest.
  }
  const near = didYouMean(slash < 0 ? path : path.slice(slash + 1), names)
  const help = near.map(name => `Did you mean \`${slash < 0 ? name : `${path.slice(0, slash)}/${name}`}\`?`)
  return new CliFailure([cliErrors['file-not-found']({ path }, { help })], exitCodes.usage)
}

/** Every `.tek` file that the arguments name; a folder stands for all beneath it, no argument for the current folder. */
export async function sourceFiles(host: Host, args: readonly string[]): Promise<string[]> {
  const found: string[] = []
  for (const arg of args.length === 0 ? ['.'] : args) {
    const path = shownPath(host.cwd, arg)
    const stat = await guarded(() => host.files.stat(at(host, path)), path, 'read')
    if (stat === null) throw await notFound(host, path)
    if (stat.kind !== 'directory') {
      found.push(path)
      continue
    }
    const before = found.length
    await walk(host, path === '.' || path === '' ? '' : path.replace(/\/$/, ''), found, arg, 0)
    if (found.length === before) throw new CliFailure([cliErrors['no-programs']({ path: arg })], exitCodes.usage)
  }
  return [...new Set(found)]
}

async function walk(host: Host, folder: string, found: string[], asked: string, depth: number): Promise<void> {
  if (depth > MAX_FOLDER_DEPTH) return
  const entries = await guarded(() => host.files.list(at(host, folder)), folder === '' ? '.' : folder, 'read')
  for (const entry of [...entries].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`
    if (entry.kind === 'directory' && !entry.name.startsWith('.') && !LEFT_OUT.has(entry.name)) await walk(host, path, found, asked, depth + 1) // S1
    else if (entry.kind === 'file' && entry.name.endsWith('.tek')) {
      found.push(path)
      if (found.length > MAX_FILES) throw new CliFailure([cliErrors['too-many-files']({ path: asked, limit: MAX_FILES })], exitCodes.usage)
    }
  }
}

export const stdinPath = '<stdin>'

/** All of standard input as text. */
export async function readStdin(context: CliContext): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of context.stdin) {
    const buffer = Buffer.from(chunk as Uint8Array | string)
    bytes += buffer.length
    if (bytes > MAX_SOURCE_MB * 1024 * 1024) throw new CliFailure([cliErrors['too-large']({ path: stdinPath, limitMb: MAX_SOURCE_MB })], exitCodes.usage)
    chunks.push(buffer)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks))
  } catch {
    throw new CliFailure([cliErrors['not-utf8']({ path: stdinPath })], exitCodes.usage)
  }
}
