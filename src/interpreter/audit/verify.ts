// Verify: is the audit log what was written?
// Owns: every way in which it can be told that it is not. Does not own: words for people (cli), signing (seal.ts).
//   V1. What is remembered and signed is read before the rows: a run that goes on meanwhile only adds to them.
//   V2. A row is compared with the stored hash of the one before it, so one change is one problem, at its place. Who writes all hashes anew
//       from there on is found by the signatures and by what is remembered outside the workspace.
import type { AuditLog, AuditMark } from '#interpreter/journal/audit-log.ts'
import { beginningOf, readBody, rowHash, type AuditRow } from './chain.ts'
import { headPath, headsAt, isSignedBy, keyPath, publicKeyOf, readHead, type RememberedHead, type SealStore } from './seal.ts'

/** Rows that are looked at together. */
const PAGE_ROWS = 5_000
/** Problems that are told one by one. */
export const MAX_AUDIT_PROBLEMS = 100

export type AuditProblem =
  /** A table or trigger is not as tek made it. */
  | { readonly kind: 'changed-table'; readonly name: string }
  /** The row does not follow from its hash and the row before it: edited, put in, or moved there. */
  | { readonly kind: 'changed'; readonly seq: number }
  | { readonly kind: 'missing'; readonly seq: number; readonly last: number }
  /** It is in order with its neighbours, but it is not what was signed (`signature`) or remembered (`head`). */
  | { readonly kind: 'rewritten'; readonly seq: number; readonly by: 'signature' | 'head' }
  /** The log was longer: up to `last`. */
  | { readonly kind: 'truncated'; readonly seq: number; readonly last: number; readonly by: 'signature' | 'head' }
  | { readonly kind: 'bad-signature'; readonly seq: number }
  /** Signed, but by none of the keys that are trusted. */
  | { readonly kind: 'foreign-key'; readonly seq: number; readonly key: string }
  | { readonly kind: 'signature-missing'; readonly seq: number }

export interface AuditVerdict {
  readonly id: string
  readonly entries: number
  readonly fromMs: number | null
  readonly toMs: number | null
  /** The first MAX_AUDIT_PROBLEMS. */
  readonly problems: readonly AuditProblem[]
  /** The last row that a trusted key has signed. */
  readonly signedTo: number | null
  /** The last row that is remembered outside the workspace, and where. */
  readonly remembered: { readonly seq: number; readonly path: string } | null
  /** The user's own key and where its secret half lies; null where there is none. */
  readonly key: { readonly publicKey: string; readonly path: string } | null
  /** Null: the user's folders cannot be used, so nothing is signed or remembered. */
  readonly hasStore: boolean
  /** Other logs that were kept at the same place before this one. */
  readonly earlier: readonly { readonly entries: number; readonly path: string }[]
}

/**
 * Looks at every row of an audit log.
 *
 * @param trusted public keys, base64, beside the user's own.
 * @throws {JournalError} when the database cannot be read.
 */
export function verifyAudit(log: AuditLog, store: SealStore | null, trusted: readonly string[] = []): AuditVerdict {
  const marks = log.marks() // V1
  const head = store === null ? null : readHead(store, log.id)
  const publicKey = store === null ? null : publicKeyOf(store)
  const found = new Problems()
  for (const name of log.changedSchema()) found.add({ kind: 'changed-table', name })
  const rows = new RowCheck(log.id, marks, head, found)
  for (;;) {
    const page = log.rows(rows.last, PAGE_ROWS)
    for (const row of page) rows.see(row)
    if (page.length < PAGE_ROWS) break
  }
  rows.end()
  const keys = new Set([...trusted, ...(publicKey === null ? [] : [publicKey])])
  return {
    id: log.id, entries: rows.count, fromMs: rows.fromMs, toMs: rows.toMs,
    signedTo: checkMarks(log.id, marks, keys, head, found),
    problems: found.all,
    remembered: head === null ? null : { seq: head.seq, path: headPath(store!, log.id) },
    key: publicKey === null ? null : { publicKey, path: keyPath(store!) },
    hasStore: store !== null,
    earlier: store === null || log.place === null ? [] : headsAt(store, log.place).filter(each => each.id !== log.id).map(each => ({ entries: each.seq, path: headPath(store, each.id) })),
  }
}

class Problems {
  readonly all: AuditProblem[] = []
  add(problem: AuditProblem): void {
    if (this.all.length < MAX_AUDIT_PROBLEMS) this.all.push(problem)
  }
}

class RowCheck {
  last = 0
  count = 0
  fromMs: number | null = null
  toMs: number | null = null
  private before: string
  private readonly signed: ReadonlyMap<number, string>
  private readonly head: RememberedHead | null
  private readonly found: Problems

  constructor(id: string, marks: readonly AuditMark[], head: RememberedHead | null, found: Problems) {
    this.before = beginningOf(id)
    this.signed = new Map(marks.map(({ seq, hash }) => [seq, hash]))
    this.head = head
    this.found = found
  }

  see({ seq, run, body, hash }: AuditRow): void {
    if (seq !== this.last + 1) this.found.add({ kind: 'missing', seq: this.last + 1, last: seq - 1 })
    else if (rowHash(this.before, seq, run, body) !== hash) this.found.add({ kind: 'changed', seq }) // V2
    if ((this.signed.get(seq) ?? hash) !== hash) this.found.add({ kind: 'rewritten', seq, by: 'signature' })
    if (this.head?.seq === seq && this.head.hash !== hash) this.found.add({ kind: 'rewritten', seq, by: 'head' })
    const fact = readBody(body)
    if (fact !== null) {
      this.fromMs ??= fact.atMs
      this.toMs = fact.atMs
    }
    this.before = hash
    this.last = seq
    this.count++
  }

  end(): void {
    const signedTo = [...this.signed.keys()].at(-1) ?? 0
    const knownTo = this.head?.seq ?? 0
    if (Math.max(signedTo, knownTo) > this.last) {
      this.found.add({ kind: 'truncated', seq: this.last, last: Math.max(signedTo, knownTo), by: signedTo >= knownTo ? 'signature' : 'head' })
    }
  }
}

/** The last row that is signed by a trusted key. */
function checkMarks(id: string, marks: readonly AuditMark[], keys: ReadonlySet<string>, head: RememberedHead | null, found: Problems): number | null {
  let signedTo: number | null = null
  for (const mark of marks) {
    if (!isSignedBy(id, mark)) found.add({ kind: 'bad-signature', seq: mark.seq })
    else if (!keys.has(mark.key)) found.add({ kind: 'foreign-key', seq: mark.seq, key: mark.key })
    else signedTo = mark.seq
  }
  if (head?.isSigned === true && !marks.some(each => each.seq === head.seq)) found.add({ kind: 'signature-missing', seq: head.seq })
  return signedTo
}
