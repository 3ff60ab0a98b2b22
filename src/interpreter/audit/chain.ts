// Chain: how an entry of the audit log is written, and how each row holds the one before it.
// Owns: the written form of an entry, the hash of a row. Does not own: where rows are kept (journal/), who signs them (seal.ts).
//   C1. A row's hash is SHA-256 over the hash before it, its number, its run and its body; the first one's is over the name of the log.
//       So a row that was edited, left out, moved or brought from elsewhere breaks the chain at that row.
//   C2. A body is a JSON list in ASCII: every byte of a row counts, none decodes to the same text as another.
//   C3. Text in a body is one line: control characters and those that turn the direction of writing are shown as pictures, never kept,
//       and what is too long is cut, with an ellipsis. Nobody can write a line that looks like another entry.
import { sha256 } from '#base/hash.ts'
import { neutralise } from '#base/terminal-text.ts'
import { printGrant } from '#grants/grant-text.ts'
import type { AuditEntry } from './trail.ts'

/** Characters of one text in an entry. */
export const MAX_ENTRY_TEXT_LENGTH = 500

export interface AuditRow {
  /** From 1, without gaps. */
  readonly seq: number
  readonly run: string
  readonly body: string
  /** 64 hexadecimal digits. */
  readonly hash: string
}

/** An entry as it is shown. */
export interface AuditFact {
  readonly atMs: number
  readonly kind: AuditEntry['kind']
  readonly task: string
  readonly call: string
  /** The grant, the name of the secret, what was permitted, who stopped it. */
  readonly what: string
  readonly verdict: string
}

/** What stands before the first row of the log `id`. */
export function beginningOf(id: string): string {
  return sha256(`tek audit log 1\n${id}`)
}

/** The hash of a row. // C1 */
export function rowHash(before: string, seq: number, run: string, body: string): string {
  return sha256(`${before}\n${seq}\n${run}\n${body}`)
}

/**
 * An entry as it is kept.
 *
 * @param redact takes secrets out of a text.
 * @example
 * bodyOf({ kind: 'stopped', by: '`tek stop`' }, 5, text => text) // '[5,"stopped","","","`tek stop`","stopped"]'
 */
export function bodyOf(entry: AuditEntry, atMs: number, redact: (text: string) => string): string {
  const [task, call, what, verdict] = partsOf(entry)
  const line = (text: string): string => (text === '' ? '""' : asJson(oneLine(redact(text))))
  return `[${Math.trunc(atMs)},"${entry.kind}",${line(task)},${line(call)},${line(what)},${line(verdict)}]`
}

/** Null when the text is no body: then the row is not tek's. */
export function readBody(body: string): AuditFact | null {
  try {
    const [atMs, kind, task, call, what, verdict] = JSON.parse(body) as [number, AuditEntry['kind'], string, string, string, string]
    return { atMs, kind, task, call, what, verdict }
  } catch {
    return null
  }
}

const steeredWords = { pause: 'paused', resume: 'resumed', stop: 'stopped' } as const

/** Task, call, what, verdict. */
function partsOf(entry: AuditEntry): [string, string, string, string] {
  switch (entry.kind) {
    case 'decision':
      return [entry.task, entry.call, printGrant(short(entry.grant)), entry.allowed ? 'allowed' : 'refused']
    case 'outcome':
      return [entry.task, entry.call, '', entry.ok ? 'done' : `failed ${entry.code ?? ''}`.trimEnd()]
    case 'secret-used':
      return [entry.task, entry.call, entry.secret, 'used']
    case 'model-answered':
      return [entry.task, `agent ${entry.agent}`, `${entry.model} (${entry.name})`, `${entry.tokens} tokens${entry.costMicros === null ? '' : `, $${(entry.costMicros / 1_000_000).toFixed(6)}`}`]
    case 'permit':
      return ['', '', entry.grants.join(', '), `by ${entry.by}`]
    case 'stopped':
      return ['', '', entry.by, 'stopped']
    case 'answered':
      return [entry.task, '', entry.question, `${entry.verdict} by ${entry.by}`]
    case 'cancelled':
      return [entry.task, '', entry.by, 'cancelled']
    case 'steered':
      return ['', `agent ${entry.agent}`, entry.by, steeredWords[entry.does]]
  }
}

/** Long arguments are cut before they are looked at any closer: a call may bring megabytes. */
function short(grant: { readonly name: string; readonly args: readonly string[] }): { name: string; args: string[] } {
  const args: string[] = []
  let room = MAX_ENTRY_TEXT_LENGTH * 2
  for (const arg of grant.args) {
    if (room <= 0) break
    args.push(arg.length > room ? arg.slice(0, room) : arg)
    room -= arg.length + 1
  }
  return { name: grant.name, args }
}

/** C3. */
function oneLine(text: string): string {
  const cut = text.length > MAX_ENTRY_TEXT_LENGTH ? `${text.slice(0, MAX_ENTRY_TEXT_LENGTH - 1)}…` : text
  return isPlain(cut) ? cut : neutralise(cut).replace(/\n/g, '\u240a').replace(/\t/g, '\u2409')
}

function isPlain(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text)
}

/** C2. */
function asJson(text: string): string {
  const json = JSON.stringify(text)
  return isPlain(json) ? json : json.replace(/[^\x20-\x7e]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
