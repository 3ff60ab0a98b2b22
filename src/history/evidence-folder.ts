// Evidence folder: a folder that is there whole or not at all, with the hash of each of its files.
// Owns: where files are put until all are there, the manifest, checking it. Does not own: what the files say (export.ts).
//   F1. Files are written to a folder beside it, which then takes its name: a process that is killed leaves no half of one.
//   F2. What is there already is replaced only where it is an earlier export with nothing else in it, or where that was asked for; never the project's own folder.
//   F3. A folder is bounded: MAX_FOLDER_BYTES, MAX_FOLDER_FILES.
import { createHash, type Hash } from 'node:crypto'
import { dirname, join, relative } from 'node:path'
import { sha256 } from '#base/hash.ts'
import { cliErrors } from '#diagnostics/catalog/cli.ts'
import { runErrors } from '#diagnostics/catalog/run.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import { HostError, type Host } from '#host/host.ts'
import { answer, type Answer } from './journal-access.ts'

export const MANIFEST = 'manifest.json'
const KIND = 'tek-evidence'
export const MAX_FOLDER_BYTES = 4 * 1024 ** 3
/** One for each task, one for each large value, and the rest. */
export const MAX_FOLDER_FILES = 250_000
const MAX_FILE_BYTES = 1024 ** 3
const MAX_DEPTH = 4
/** Differences that are listed. */
const MAX_PROBLEMS = 20
const NAME_BYTES = 6

export interface ManifestFile {
  readonly path: string
  readonly bytes: number
  readonly sha256: string
}

export interface Manifest {
  readonly version: 1
  readonly kind: typeof KIND
  readonly runId: string
  readonly tekVersion: string
  /** By path. */
  readonly files: readonly ManifestFile[]
}

/** A folder that does not fit, or a file that cannot be written. */
export class FolderProblem extends Error {
  override readonly name = 'FolderProblem'
  readonly diagnostic: Diagnostic
  constructor(diagnostic: Diagnostic) {
    super(diagnostic.message)
    this.diagnostic = diagnostic
  }
}

/** Files that an export may hold: a manifest that came with a folder and names others is nobody's leave to take them away. */
const ofExport = /^(?:run\.json|plan\.json|events\.ndjson|report\.html|tasks\/[\w.-]+\.json|values\/[0-9a-f]+\.json)$/

/** Whether a folder could be written there; null: it could. */
export async function whyNotThere(host: Host, shown: string, path: string, isForced: boolean): Promise<Diagnostic | null> {
  const stat = await host.files.stat(path)
  if (stat === null) return null
  const taken = (reason: string, isForcible = true): Diagnostic => runErrors['folder-taken']({ path: shown, reason, isForcible })
  if (stat.kind !== 'directory') return taken('it is a file', false)
  const down = relative(path, await host.files.realPath(host.cwd))
  if (down === '' || !down.startsWith('..')) return taken('this project lies in it', false) // F2
  if (isForced || (await host.files.list(path)).length === 0) return null
  const manifest = await readManifest(host, path)
  if (manifest === null || !manifest.files.every(each => ofExport.test(each.path))) return taken('it is not an earlier export of tek')
  const known = new Set([MANIFEST, ...manifest.files.map(each => each.path)])
  const other = (await filesBeneath(host, path)).find(each => !known.has(each))
  return other === undefined ? null : taken(`\`${other}\` in it is not of tek`)
}

/** A folder that is being written. */
export class FolderWriter {
  private readonly host: Host
  private readonly path: string
  private readonly temporary: string
  private readonly files: ManifestFile[] = []
  private readonly maxBytes: number
  private bytes = 0
  private stream: { readonly path: string; readonly hash: Hash; bytes: number } | null = null

  /** @param path absolute, without links. */
  constructor(host: Host, path: string, maxBytes: number = MAX_FOLDER_BYTES) {
    this.host = host
    this.path = path
    this.maxBytes = maxBytes
    this.temporary = join(dirname(path), `.tek-evidence-${host.randomHex(NAME_BYTES)}`)
  }

  async write(path: string, text: string): Promise<void> {
    this.files.push({ path, bytes: this.count(text), sha256: sha256(text) })
    await this.host.files.writeAtomic(join(this.temporary, path), text)
  }

  /** Adds to the one file that is written piece by piece. */
  async append(path: string, text: string): Promise<void> {
    this.stream ??= { path, hash: createHash('sha256'), bytes: 0 }
    this.stream.hash.update(text)
    this.stream.bytes += this.count(text)
    await this.host.files.append(join(this.temporary, path), text)
  }

  endStream(): void {
    if (this.stream === null) return
    this.files.push({ path: this.stream.path, bytes: this.stream.bytes, sha256: this.stream.hash.digest('hex') })
    this.stream = null
  }

  /** F1. Gives the number of files. */
  async finish(runId: string, tekVersion: string): Promise<{ readonly files: number; readonly bytes: number }> {
    const { files } = this.host
    const manifest: Manifest = { version: 1, kind: KIND, runId, tekVersion, files: [...this.files].sort((a, b) => (a.path < b.path ? -1 : 1)) }
    await files.writeAtomic(join(this.temporary, MANIFEST), `${JSON.stringify(manifest, null, 1)}\n`)
    if ((await files.stat(this.path)) === null) await files.rename(this.temporary, this.path)
    else {
      const old = `${this.temporary}.old`
      await files.rename(this.path, old)
      await files.rename(this.temporary, this.path)
      await files.remove(old)
    }
    return { files: this.files.length + 1, bytes: this.bytes }
  }

  /** Takes away what was written so far. */
  async giveUp(): Promise<void> {
    await this.host.files.remove(this.temporary).catch(() => {}) // what stood in the way of writing is said; this would only hide it
  }

  /** F3. */
  private count(text: string): number {
    const bytes = Buffer.byteLength(text)
    this.bytes += bytes
    if (this.bytes > this.maxBytes || this.files.length > MAX_FOLDER_FILES) throw new FolderProblem(runErrors['evidence-too-large']({ limitMb: Math.floor(this.maxBytes / 1024 ** 2) }))
    return bytes
  }
}

/** Does the work; what the machine refuses comes back as a diagnostic. */
export async function writing<Result>(shown: string, work: () => Promise<Answer<Result>>): Promise<Answer<Result>> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof FolderProblem) return { kind: 'refused', diagnostics: [error.diagnostic] }
    if (error instanceof HostError) return { kind: 'refused', diagnostics: [cliErrors['cannot-write']({ path: shown, reason: error.message.replace(/\.$/, '') })] }
    throw error
  }
}

export interface FolderVerdict {
  readonly runId: string
  readonly files: number
  /** Null: each file is what was written, and no other is there. */
  readonly problem: Diagnostic | null
}

/** Compares a folder with its manifest. */
export async function verifyFolder(host: Host, shown: string, path: string): Promise<Answer<FolderVerdict>> {
  return writing(shown, async () => {
    const manifest = await readManifest(host, path)
    if (manifest === null) return { kind: 'refused', diagnostics: [runErrors['not-evidence']({ path: shown })] }
    const left = new Set(await filesBeneath(host, path))
    left.delete(MANIFEST)
    const problems: string[] = []
    for (const file of manifest.files) {
      if (!left.delete(file.path)) problems.push(`\`${file.path}\` is missing`)
      else if (sha256(await host.files.readBytes(join(path, file.path), MAX_FILE_BYTES)) !== file.sha256) problems.push(`\`${file.path}\` was changed`)
    }
    for (const each of left) problems.push(`\`${each}\` was added`)
    const problem = problems.length === 0 ? null : runErrors['evidence-changed']({ path: shown, problems: problems.slice(0, MAX_PROBLEMS), total: problems.length })
    return answer({ runId: manifest.runId, files: manifest.files.length, problem })
  })
}

async function readManifest(host: Host, path: string): Promise<Manifest | null> {
  if ((await host.files.stat(join(path, MANIFEST)))?.kind !== 'file') return null
  try {
    const found = JSON.parse(new TextDecoder().decode(await host.files.readBytes(join(path, MANIFEST), MAX_FILE_BYTES))) as Partial<Manifest> | null
    const isOurs = found?.kind === KIND && typeof found.runId === 'string' && Array.isArray(found.files)
    return isOurs && found.files!.every(each => typeof each?.path === 'string' && typeof each.sha256 === 'string') ? (found as Manifest) : null
  } catch {
    return null // not JSON
  }
}

/** Paths beneath a folder, with `/` between their parts. */
async function filesBeneath(host: Host, folder: string, beneath = '', depth = 0): Promise<string[]> {
  const found: string[] = []
  for (const { name, kind } of await host.files.list(join(folder, beneath))) {
    const path = beneath === '' ? name : `${beneath}/${name}`
    if (kind === 'directory' && depth < MAX_DEPTH) found.push(...(await filesBeneath(host, folder, path, depth + 1)))
    else found.push(path)
    if (found.length > MAX_FOLDER_FILES) break
  }
  return found
}
