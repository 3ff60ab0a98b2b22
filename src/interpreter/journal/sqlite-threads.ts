// Sqlite threads: what agents remember under a name, kept across runs in the journal's database.
// Owns: its table's statements, the order of a thread, what is dropped. Does not own: the transaction in which a log adds to it (sqlite.ts), what is shown to a model (engine).
//   T1. The order of a thread is that in which entries were committed, by whichever run.
//   T2. An entry is known by its key: what a run adds again is there once.
//   T3. A summary takes the place of what it was made from. Where another run was faster, the newest of that is gone already: then the other's summary counts.
//   T4. What is read is as it was written: an entry whose sum does not fit is left out, as a result in the cache is.
import type { Database, Statement } from 'better-sqlite3'
import { MAX_LISTED_THREADS, MAX_THREAD_ENTRIES, type KeptEntry, type Remembered, type ThreadEntry, type ThreadRead, type ThreadShown } from '#model/memory.ts'
import type { ThreadStore } from './journal.ts'
import { statement, type Guarded } from './sqlite-statement.ts'
import { isAsWritten, sumOf } from './sqlite-sum.ts'

interface Row {
  readonly seq: number
  readonly key: string
  readonly atMs: number
  readonly body: string
  readonly sum: number
}

/** The place that an entry's sum is bound to. */
const placeOf = (thread: string, key: string): string => `${thread}\n${key}`

export class SqliteThreads implements ThreadStore {
  private readonly database: Database
  private readonly guarded: Guarded
  private readonly statements: Readonly<Record<'add' | 'has' | 'cover' | 'summarise' | 'prune' | 'entries' | 'list' | 'names' | 'forget', Statement>>

  constructor(database: Database, guarded: Guarded) {
    this.database = database
    this.guarded = guarded
    const sql = (text: string): Statement => statement(database, text)
    this.statements = {
      add: sql('insert into thread_entries (thread, key, at_ms, untrusted, body, sum) values (?, ?, ?, ?, ?, ?) on conflict (thread, key) do nothing'), // T2
      has: sql('select 1 from thread_entries where thread = ? and seq = ?'),
      cover: sql('delete from thread_entries where thread = ? and seq <= ?'),
      summarise: sql('insert into thread_entries (seq, thread, key, at_ms, untrusted, body, sum) values (?, ?, ?, ?, ?, ?, ?)'),
      prune: sql(`delete from thread_entries where thread = @thread and seq <= (select seq from thread_entries where thread = @thread order by seq desc limit 1 offset ${MAX_THREAD_ENTRIES})`),
      entries: sql('select seq, key, at_ms as atMs, body, sum from thread_entries where thread = ? order by seq'), // T1
      list: sql(`select thread as name, count(*) as entries, max(untrusted) as untrusted, min(at_ms) as firstMs, max(at_ms) as lastMs from thread_entries group by thread order by lastMs desc, thread limit ${MAX_LISTED_THREADS}`),
      names: sql('select distinct thread from thread_entries').pluck(),
      forget: sql('delete from thread_entries where thread = ?'),
    }
  }

  entries(name: string): readonly ThreadEntry[] {
    return this.rows(name).map(({ seq, entry }) => ({ ...entry, seq }))
  }

  list(): readonly ThreadShown[] {
    const rows = this.guarded(() => this.statements.list.all() as (Omit<ThreadShown, 'isUntrusted'> & { untrusted: number })[])
    return rows.map(({ untrusted, ...each }) => ({ ...each, isUntrusted: untrusted === 1 }))
  }

  read(name: string): ThreadRead | null {
    const rows = this.rows(name)
    return rows.length === 0 ? null : { name, entries: rows.map(({ seq, key, atMs, entry }) => ({ ...entry, seq, atMs, from: key })) }
  }

  forget(names: readonly string[] | null): number {
    return this.guarded(() => this.database.transaction(() => {
      const chosen = names ?? (this.statements.names.all() as string[])
      return chosen.reduce((count, name) => count + (this.statements.forget.run(name).changes > 0 ? 1 : 0), 0)
    }).immediate())
  }

  /** To be called inside a transaction. */
  add(kept: readonly KeptEntry[]): void {
    const { statements } = this
    for (const { thread, key, atMs, entry, covers } of kept) {
      const body = JSON.stringify(entry)
      const sum = sumOf(body, placeOf(thread, key))
      const untrusted = entry.isUntrusted ? 1 : 0
      if (covers === undefined) {
        if (statements.add.run(thread, key, atMs, untrusted, body, sum).changes > 0) statements.prune.run({ thread })
      } else if (statements.has.get(thread, covers) !== undefined) { // T3
        statements.cover.run(thread, covers)
        statements.summarise.run(covers, thread, key, atMs, untrusted, body, sum)
      }
    }
  }

  private rows(name: string): (Omit<Row, 'body' | 'sum'> & { readonly entry: Remembered })[] {
    const rows = this.guarded(() => this.statements.entries.all(name) as Row[])
    return rows.flatMap(({ body, sum, ...row }) => (isAsWritten(sum, body, placeOf(name, row.key)) ? [{ ...row, entry: JSON.parse(body) as Remembered }] : [])) // T4
  }
}
