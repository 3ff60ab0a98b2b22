// Permits store: the permits file on the disk.
// Owns: where it is, who may be read instead of it (nobody), reading and replacing it. Does not own: its form (permits-file.ts).
//   S1. It is a file of the project's own folder: a link in its place is refused, since what it leads to is not what was reviewed.
//   S2. A change begins with what is on the disk then, not with what was read before the question; what cannot be read is not replaced.
//   S3. A file without any text is none: while commands run, one stands in the way of a command that would make it (host/sandbox/held-names.ts).
import { permitErrors } from '#diagnostics/catalog/permit.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import { HostError, type Host } from '#host/host.ts'
import { MAX_FILE_BYTES, noPermits, type Permits, permitsFileName, readPermits, type Section, type PermitEntry, withEntry, withoutEntry } from './permits-file.ts'

export type Stored =
  | { readonly kind: 'read'; readonly permits: Permits; /** Null: there is no file. */ readonly text: string | null }
  | { readonly kind: 'wrong'; readonly diagnostics: readonly Diagnostic[]; /** Null: not even its text could be had. */ readonly text: string | null }

/** Codes that say that the folder takes nothing: then an answer can still count for one run. */
const cannotKeep: ReadonlySet<HostError['code']> = new Set(['disk-full', 'read-only', 'no-permission'])
const WITHOUT_FILE = 'To run it without keeping the answer: `o` at the question, or `--allow` and `--allow-all`.'

const reasons: Readonly<Partial<Record<HostError['code'], string>>> = {
  refused: 'a link stands in its place, and where that leads is not what was reviewed',
  'not-a-file': 'it is no file',
  'no-permission': 'you may not read or write it',
  'read-only': 'it lies on a read-only file system',
  'disk-full': 'the disk is full',
  'too-large': `it is larger than ${MAX_FILE_BYTES / 1_000_000} MB`,
}

/** The file of `host.cwd` as it is now. */
export async function loadPermits(host: Host): Promise<Stored> {
  try {
    const path = await placeOf(host)
    const bytes = await host.files.readBytes(path, MAX_FILE_BYTES, { exact: true }) // S1
    return understood(bytes)
  } catch (error) {
    if (error instanceof HostError && error.code === 'not-found') return { kind: 'read', permits: noPermits, text: null }
    return wrong(error)
  }
}

/** Sets one program's entry, or takes it away (`entry` null). Answers with the mistakes for which it was not done. */
export async function storePermit(host: Host, section: Section, program: string, entry: PermitEntry | null): Promise<Extract<Stored, { kind: 'wrong' }> | null> {
  const now = await loadPermits(host) // S2
  if (now.kind === 'wrong') return now
  if (entry === null && now.text === null) return null
  try {
    const text = entry === null ? withoutEntry(now.text!, section, program) : withEntry(now.text, section, program, entry)
    await host.files.writeAtomic(await placeOf(host), text, { exact: true })
    return null
  } catch (error) {
    return wrong(error)
  }
}

/** @throws {HostError} `refused` for a link (S1); one that is put there later is noticed when the file is opened (`exact`). */
async function placeOf({ cwd, files }: Host): Promise<string> {
  const path = `${(await files.realPath(cwd)).replace(/\/$/, '')}/${permitsFileName}`
  if ((await files.realPath(path)) !== path) throw new HostError('refused', path, `${path} is a link.`)
  return path
}

function understood(bytes: Uint8Array): Stored {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return { kind: 'wrong', diagnostics: [permitErrors['bad-file']({ reason: 'it is not UTF-8 text' })], text: null }
  }
  if (text.trim() === '') return { kind: 'read', permits: noPermits, text: null } // S3
  const { value, diagnostics } = readPermits(text)
  return value === null ? { kind: 'wrong', diagnostics, text } : { kind: 'read', permits: value, text }
}

function wrong(error: unknown): Extract<Stored, { kind: 'wrong' }> {
  if (error instanceof HostError) return { kind: 'wrong', diagnostics: [permitErrors['bad-file']({ reason: reasons[error.code] ?? error.message.replace(/\.$/, '') }, cannotKeep.has(error.code) ? { help: [WITHOUT_FILE] } : {})], text: null }
  throw error
}
