// Sqlite retention: forgetting runs and results of the journal's database.
// Owns: which rows go with a run. Does not own: which runs are to be forgotten.
//   R1. Large values and plans are shared by their hash: one goes when no run that is left mentions it. A text that merely looks like such a mention keeps one
//       too many, never one too few.
import type { Database, Statement } from 'better-sqlite3'
import { JournalError } from './journal.ts'
import type { Lease } from './lease.ts'
import type { Retention } from './retention.ts'
import { statement, type Guarded } from './sqlite-statement.ts'

/** As pack.ts writes the hash of a large value. */
const mention = /2,"([0-9a-f]{64})"/g

interface Forgetting {
  readonly deletions: readonly Statement[]
  readonly blobs: Statement
  readonly rows: Statement
  readonly drop: Statement
}

export class SqliteRetention implements Retention {
  private readonly database: Database
  private readonly guarded: Guarded
  private readonly leaseOf: (runId: string) => Lease | undefined
  private made: Forgetting | null = null

  constructor(database: Database, guarded: Guarded, leaseOf: (runId: string) => Lease | undefined) {
    this.database = database
    this.guarded = guarded
    this.leaseOf = leaseOf
  }

  forget(runIds: readonly string[], isHeld: (lease: Lease) => boolean): readonly string[] {
    const { database } = this
    const { deletions } = this.forgetting
    return this.guarded(() => database.transaction(() => {
      const forgotten = runIds.filter(runId => {
        const lease = this.leaseOf(runId)
        if (lease !== undefined && isHeld(lease)) return false
        return deletions.reduce((_, deletion) => deletion.run(runId).changes > 0, false) // the last is of the run itself
      })
      if (forgotten.length > 0) this.dropUnmentioned()
      return forgotten
    }).immediate())
  }

  /** Made once: a loop forgets again and again, and statements are never given back. */
  private get forgetting(): Forgetting {
    const { database } = this
    return (this.made ??= {
      deletions: ['delete from requests where run = ?', 'delete from lines where run = ?', 'delete from events where run = ?', 'delete from runs where id = ?'].map(text => statement(database, text)),
      blobs: statement(database, 'select hash from blobs').pluck(), rows: statement(database, 'select packed from events').pluck(), drop: statement(database, 'delete from blobs where hash = ?'),
    })
  }

  dropResults(): number {
    const drop = statement(this.database, 'delete from cache')
    return this.guarded(() => drop.run().changes)
  }

  results(): number {
    const count = statement(this.database, 'select count(*) as results from cache')
    return this.guarded(() => (count.get() as { results: number }).results)
  }

  compact(): boolean {
    try {
      this.guarded(() => {
        this.database.exec('vacuum')
        this.database.exec('pragma wal_checkpoint(truncate)')
      })
      return true
    } catch (error) {
      if (error instanceof JournalError && error.diagnostic.code === 'run/journal-locked') return false
      throw error
    }
  }

  /** R1. */
  private dropUnmentioned(): void {
    const { blobs, rows, drop } = this.forgetting
    this.database.exec('delete from plans where hash not in (select plan_hash from runs)')
    const left = new Set(blobs.all() as string[])
    if (left.size === 0) return
    for (const packed of rows.iterate() as IterableIterator<string>) for (const [, hash] of packed.matchAll(mention)) left.delete(hash!)
    for (const hash of left) drop.run(hash)
  }
}
