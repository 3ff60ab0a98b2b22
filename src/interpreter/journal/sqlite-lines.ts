// Sqlite lines: the log of a run as a table of the journal's database.
// Owns: its statements, the lines that wait. Does not own: the bounds (lines.ts), the transaction in which they are written (sqlite.ts).
//   Q1. As everything a run records: only the owner of its lease writes.
import type { Database, Statement } from 'better-sqlite3'
import type { LogLine } from '#model/report.ts'
import { LogBound } from './lines.ts'
import { statement } from './sqlite-statement.ts'

export function prepareLines(database: Database): Readonly<Record<'kept' | 'add' | 'all', Statement>> {
  return {
    kept: statement(database, 'select count(*) as lines, coalesce(sum(length(message)), 0) as length, coalesce(max(seq) + 1, 0) as next from lines where run = ?'),
    add: statement(database, 'insert into lines (run, seq, at_ms, level, task, message) select ?, ?, ?, ?, ?, ? where ? is null or exists (select 1 from runs where id = ? and lease_owner = ?)'),
    all: statement(database, 'select at_ms as atMs, level, task, message from lines where run = ? order by seq'),
  }
}

export class SqliteLines {
  private readonly statements: ReturnType<typeof prepareLines>
  private readonly runId: string
  private readonly owner: string | null
  private waiting: LogLine[] = []
  private bound: LogBound | null = null
  private next = 0

  constructor(statements: ReturnType<typeof prepareLines>, runId: string, owner: string | null) {
    this.statements = statements
    this.runId = runId
    this.owner = owner
  }

  get count(): number {
    return this.waiting.length
  }

  say(line: LogLine): void {
    if (this.bound === null) {
      const kept = this.statements.kept.get(this.runId) as { lines: number; length: number; next: number }
      this.bound = new LogBound(kept.lines, kept.length)
      this.next = kept.next
    }
    const admitted = this.bound.admit(line)
    if (admitted !== null) this.waiting.push(admitted)
  }

  /** Writes what waits; to be called inside a transaction. False when the run is another's. // Q1 */
  write(): boolean {
    const { runId, owner, waiting } = this
    return waiting.every(({ atMs, level, task, message }, index) => this.statements.add.run(runId, this.next + index, atMs, level, task, message, owner, runId, owner).changes > 0)
  }

  /** The transaction is over. */
  written(): void {
    this.next += this.waiting.length
    this.waiting = []
  }

  all(): LogLine[] {
    return this.statements.all.all(this.runId) as LogLine[]
  }
}
