// Sqlite audit: the audit log as a table of the journal's database.
// Owns: its statements, writing in the journal's transactions. Does not own: the tables (schema.ts), the rest of the database (sqlite.ts).
//   A1. The last row is read inside the transaction that adds the next: transactions that write exclude each other across processes.
//   A2. Entries wait until a transaction that holds them is over; one that fails leaves them waiting, and the log broken.
//       One entry alone, as an effect waits for it, is added by a statement of its own: only where the last row still is the one that this
//       process wrote, which the statement looks at itself.
//   A3. Signatures are made inside the transaction, and remembered elsewhere only when it is over.
import { resolve } from 'node:path'
import type { Database, Transaction } from 'better-sqlite3'
import { beginningOf, rowHash, type AuditRow } from '#interpreter/audit/chain.ts'
import { MAX_WAITING_ENTRIES, SIGN_EVERY_ROWS, type AuditHead, type AuditLog, type AuditMark, type AuditRange, type AuditSealer } from './audit-log.ts'
import { JournalError } from './journal.ts'
import { auditTables } from './schema.ts'
import { statement, type Guarded } from './sqlite-statement.ts'

export class SqliteAudit implements AuditLog {
  readonly id: string
  readonly place: string
  private readonly guarded: Guarded
  private readonly statements: ReturnType<typeof prepare>
  private readonly transaction: Transaction<(work: (() => void) | null, isSealed: boolean) => void>
  private entries: { readonly run: string; readonly body: string }[] = []
  private sealer: AuditSealer | null = null
  private toRemember: AuditHead | null = null
  private broken: JournalError | null = null
  /** As this process left it. */
  private last: { readonly seq: number; readonly hash: string } | null = null

  constructor(database: Database, guarded: Guarded, path: string) {
    this.guarded = guarded
    this.place = resolve(path)
    this.statements = prepare(database)
    this.transaction = database.transaction((work, isSealed) => {
      work?.()
      const head = this.writeWaiting()
      if (isSealed && head !== null) this.mark(head.seq, head.hash)
    })
    this.id = this.statements.id.pluck().get() as string
  }

  get waiting(): number {
    return this.entries.length
  }

  append(run: string, body: string): void {
    this.expectWhole()
    this.entries.push({ run, body })
    if (this.entries.length >= MAX_WAITING_ENTRIES) this.flush()
  }

  flush(): void {
    this.expectWhole()
    if (this.entries.length > 0 && !this.isAddedAlone()) this.inTransaction(null)
  }

  /** Runs work together with the entries that wait, in one transaction. */
  inTransaction(work: (() => void) | null, isSealed = false): void {
    this.expectWhole()
    this.orBroken(() => this.transaction.immediate(work, isSealed))
    this.entries = []
    this.remember()
  }

  /** Adds the one entry that waits; false where that must be done in a transaction. // A1 */
  private isAddedAlone(): boolean {
    const { last, entries } = this
    const entry = entries[0]!
    if (last === null || entries.length > 1 || (last.seq + 1) % SIGN_EVERY_ROWS === 0) return false
    const seq = last.seq + 1
    const hash = rowHash(last.hash, seq, entry.run, entry.body)
    if (this.orBroken(() => this.statements.addAfter.run(seq, entry.run, entry.body, hash, last.hash).changes) === 0) return false
    this.last = { seq, hash }
    this.entries = []
    return true
  }

  /** A2. */
  private orBroken<Result>(work: () => Result): Result {
    try {
      return this.guarded(work)
    } catch (error) {
      if (error instanceof JournalError && error.diagnostic.code !== 'run/lease-lost') this.broken = error
      throw error
    }
  }

  sealWith(sealer: AuditSealer): void {
    this.sealer = sealer
  }

  seal(): void {
    this.inTransaction(null, true)
  }

  head(): { seq: number; hash: string } | null {
    return this.guarded(() => this.statements.last.get() as { seq: number; hash: string } | undefined) ?? null
  }

  rows(afterSeq: number, limit: number, run?: string): AuditRow[] {
    return this.guarded(() => (run === undefined ? this.statements.rows.all(afterSeq, limit) : this.statements.rowsOfRun.all(run, afterSeq, run, limit)) as AuditRow[])
  }

  range(run: string): AuditRange | null {
    const row = this.guarded(() => this.statements.range.get(run, run) as AuditRange)
    return row.entries === 0 ? null : row
  }

  marks(): AuditMark[] {
    return this.guarded(() => this.statements.marks.all() as AuditMark[])
  }

  changedSchema(): string[] {
    const found = new Map((this.guarded(() => this.statements.schema.all()) as { name: string; sql: string }[]).map(({ name, sql }) => [name, sql.toLowerCase()]))
    const changed = auditTables.flatMap(sql => {
      const name = /^create \w+ (\w+)/.exec(sql)![1]!
      const isAsMade = found.get(name) === sql.toLowerCase()
      found.delete(name)
      return isAsMade ? [] : [name]
    })
    return [...changed, ...found.keys()]
  }

  private expectWhole(): void {
    if (this.broken !== null) throw this.broken
  }

  /** The last row after it. // A1 */
  private writeWaiting(): { readonly seq: number; readonly hash: string } | null {
    const { statements, entries } = this
    const last = statements.last.get() as { seq: number; hash: string } | undefined
    if (entries.length === 0) return last ?? null
    let { seq, hash } = last ?? { seq: 0, hash: beginningOf(this.id) }
    for (const { run, body } of entries) {
      hash = rowHash(hash, ++seq, run, body)
      statements.add.run(seq, run, body, hash)
      if (seq % SIGN_EVERY_ROWS === 0) this.mark(seq, hash)
    }
    return (this.last = { seq, hash })
  }

  private mark(seq: number, hash: string): void {
    if (this.sealer === null) return
    const signed = this.statements.isMarked.get(seq) === undefined ? this.sealer.sign(this.id, seq, hash) : null
    if (signed !== null) this.statements.addMark.run(seq, hash, signed.key, signed.signature)
    this.toRemember = { seq, hash, isSigned: this.statements.isMarked.get(seq) !== undefined }
  }

  /** A3. */
  private remember(): void {
    if (this.toRemember === null) return
    this.sealer?.remember(this.id, this.place, this.toRemember)
    this.toRemember = null
  }
}

/** What was there before a run began need not be looked through. */
const beginningOfRun = 'coalesce((select audit_from from runs where id = ?), 0)'

function prepare(database: Database) {
  return {
    id: statement(database, 'select id from identity'),
    last: statement(database, 'select seq, hash from audit order by seq desc limit 1'),
    add: statement(database, 'insert into audit (seq, run, body, hash) values (?, ?, ?, ?)'),
    addAfter: statement(database, 'insert into audit (seq, run, body, hash) select ?, ?, ?, ? where (select hash from audit order by seq desc limit 1) = ?'),
    rows: statement(database, 'select seq, run, body, hash from audit where seq > ? order by seq limit ?'),
    rowsOfRun: statement(database, `select seq, run, body, hash from audit where run = ? and seq > max(?, ${beginningOfRun}) order by seq limit ?`),
    range: statement(database, `select min(seq) as first, max(seq) as last, count(*) as entries from audit where run = ? and seq > ${beginningOfRun}`),
    isMarked: statement(database, 'select 1 from audit_marks where seq = ?'),
    addMark: statement(database, 'insert into audit_marks (seq, hash, key, signature) values (?, ?, ?, ?)'),
    marks: statement(database, 'select seq, hash, key, signature from audit_marks order by seq'),
    schema: statement(database, "select name, sql from sqlite_master where tbl_name in ('identity', 'audit', 'audit_marks') and sql is not null"),
  }
}
