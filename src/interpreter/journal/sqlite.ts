// Sqlite: the journal on disk, one database for all runs of a project and all processes at work in it.
// Owns: the database file, transactions, what its errors mean. Only files named sqlite* know SQLite.
//   Q1. WAL with synchronous=NORMAL: what was committed survives `kill -9` of any process; a power cut may lose the last moments, never more.
//   Q2. A batch of events is one row in one transaction; its number follows the last one's, so a second writer of the same run is refused.
//   Q3. What the owner of a lease records is written only where the lease is still its own, in the same statement.
//   Q4. A schema newer than this program's is refused, an older one is brought up step by step in one transaction.
//   Q5. Entries of the audit log are written with the events that wait: one transaction holds both.
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Database, Statement } from 'better-sqlite3'
import { sha256 } from '#base/hash.ts'
import { runErrors } from '#diagnostics/catalog/run.ts'
import type { RunEvent } from '#model/event.ts'
import type { Plan } from '#model/plan.ts'
import type { LogLine, RunSummary } from '#model/report.ts'
import type { Value } from '#model/type.ts'
import { JournalError, MAX_CACHED_RESULTS, MAX_CACHED_VALUE_LENGTH, MAX_LISTED_RUNS, type Beginning, type CachedResult, type Journal, type OpenedRun, type PendingRequest, type RunLog } from './journal.ts'
import type { Lease } from './lease.ts'
import { packEvent, unpackBatch } from './pack.ts'
import { migrations } from './schema.ts'
import { SqliteAudit } from './sqlite-audit.ts'
import { prepareLines, SqliteLines } from './sqlite-lines.ts'
import { SqliteMailbox } from './sqlite-mailbox.ts'
import { SqliteRetention } from './sqlite-retention.ts'
import { keepDatabase, statement, type Guarded } from './sqlite-statement.ts'

/** Pages in the log from which they are moved to the database, which waits for the disk: rarely enough to be no part of what an entry costs. */
const CHECKPOINT_PAGES = 4_000
/** Milliseconds to wait for another process's transaction. */
const BUSY_TIMEOUT_MS = 5_000
/** Events in one row, of those that a new run takes over. */
const MAX_BATCH_EVENTS = 2_048
/** Results remembered between two looks at how many there are. */
const PRUNE_EVERY = 1_000
/** Hashes of blobs remembered so that they are not written twice. */
const MAX_KNOWN_BLOBS = 10_000

/**
 * Opens the journal of a project, making the file when there is none.
 *
 * @param path of the database, usually `.tek/tek.db`.
 * @throws {JournalError} with code `run/journal-not-writable`, `-damaged`, `-newer`, `-locked` or `-disk-full`.
 */
export async function sqliteJournal(path: string): Promise<Journal> {
  const { default: open } = await import('better-sqlite3')
  const guarded = <Result>(work: () => Result): Result => {
    try {
      return work()
    } catch (error) {
      throw explained(error, path)
    }
  }
  const database = guarded(() => {
    mkdirSync(dirname(path), { recursive: true })
    const made = open(path, { timeout: BUSY_TIMEOUT_MS })
    keepDatabase(made)
    try {
      made.exec('pragma journal_mode = WAL') // Q1
      made.exec('pragma synchronous = NORMAL')
      made.exec(`pragma wal_autocheckpoint = ${CHECKPOINT_PAGES}`)
      migrate(made, path)
    } catch (error) {
      made.close()
      throw error
    }
    return made
  })
  return new SqliteJournal(database, guarded)
}

function migrate(database: Database, path: string): void {
  const userVersion = statement(database, 'pragma user_version').pluck()
  const version = () => userVersion.get() as number
  if (version() > migrations.length) throw new JournalError(runErrors['journal-newer']({ path })) // Q4
  if (version() === migrations.length) return
  database.transaction(() => {
    for (let at = version(); at < migrations.length; at++) { // read again: another process may have come first
      for (const change of migrations[at]!) database.exec(change)
    }
    database.exec(`pragma user_version = ${migrations.length}`)
  }).immediate()
}

class SqliteJournal implements Journal {
  private readonly database: Database
  private readonly guarded: Guarded
  private readonly statements: ReturnType<typeof prepare>
  readonly audit: SqliteAudit
  readonly retention: SqliteRetention
  readonly mailbox: SqliteMailbox
  private remembered = 0

  constructor(database: Database, guarded: Guarded) {
    this.database = database
    this.guarded = guarded
    this.statements = guarded(() => prepare(database))
    this.audit = guarded(() => new SqliteAudit(database, guarded))
    this.mailbox = guarded(() => new SqliteMailbox(database, guarded))
    this.retention = new SqliteRetention(database, guarded, runId => this.statements.lease.get(runId) as Lease | undefined)
  }

  startRun(summary: RunSummary, plan: Plan, { events = [], folder, lease }: Beginning = {}): RunLog {
    const log = new SqliteLog(this.database, this.statements, this.guarded, this.audit, this.mailbox, summary.runId, 0, lease?.owner ?? null)
    const { runId, program, workflow, planHash, status, startedAtMs } = summary
    this.guarded(() => this.database.transaction(() => {
      this.statements.addPlan.run(plan.hash, JSON.stringify(plan))
      this.statements.addRun.run(runId, program, workflow, planHash, status, startedAtMs, JSON.stringify(summary), folder ?? null)
      if (lease !== undefined) this.takeLease(runId, lease, () => true)
      for (const [index, event] of events.entries()) {
        log.append(event)
        if (index % MAX_BATCH_EVENTS === MAX_BATCH_EVENTS - 1) log.commit()
      }
      if (log.uncommitted > 0) log.commit()
    }).immediate())
    return log
  }

  openRun(runId: string, owner?: string): OpenedRun | null {
    return this.guarded(() => {
      const run = this.statements.run.get(runId) as { summary: string; json: string; folder: string | null } | undefined
      if (run === undefined) return null
      const { next } = this.statements.nextSeq.get(runId) as { next: number }
      return {
        summary: JSON.parse(run.summary) as RunSummary,
        plan: JSON.parse(run.json) as Plan,
        folder: run.folder,
        log: new SqliteLog(this.database, this.statements, this.guarded, this.audit, this.mailbox, runId, next, owner ?? null),
      }
    })
  }

  takeLease(runId: string, lease: Lease, isHeld: (lease: Lease) => boolean): Lease | null {
    const { owner, pid, hostName, bootId, since = '', expiresMs } = lease
    return this.guarded(() => this.database.transaction(() => {
      const held = this.statements.lease.get(runId) as Lease | undefined
      if (held !== undefined && held.owner !== owner && isHeld(held)) return held
      this.statements.takeLease.run(owner, pid, hostName, bootId, since, expiresMs, runId)
      return null
    }).immediate())
  }

  renewLease(runId: string, owner: string, expiresMs: number): boolean {
    return this.guarded(() => this.statements.renewLease.run(expiresMs, runId, owner).changes > 0)
  }

  releaseLease(runId: string, owner: string): void {
    this.guarded(() => this.statements.releaseLease.run(runId, owner))
  }

  leases(): ReadonlyMap<string, Lease> {
    const rows = this.guarded(() => this.statements.leases.all() as ({ id: string } & Lease)[])
    return new Map(rows.map(({ id, ...lease }) => [id, lease]))
  }

  askToStop(runId: string, nowMs: number): void {
    this.guarded(() => this.statements.askToStop.run(nowMs, runId))
  }

  stopSeen(runId: string, owner: string, nowMs: number): void {
    this.guarded(() => this.statements.stopSeen.run(nowMs, runId, owner))
  }

  isStopSeen(runId: string): boolean {
    return this.guarded(() => this.statements.isStopSeen.get(runId)) !== undefined
  }

  standing(runId: string, owner: string): { isOwner: boolean; isAskedToStop: boolean } {
    const row = this.guarded(() => this.statements.standing.get(runId) as { owner: string | null; asked: number | null } | undefined)
    return { isOwner: row?.owner === owner, isAskedToStop: row !== undefined && row.asked !== null }
  }

  listRuns(limit: number = MAX_LISTED_RUNS): RunSummary[] {
    return this.guarded(() => (this.statements.runs.all(limit) as { summary: string }[]).map(row => JSON.parse(row.summary) as RunSummary))
  }

  cached(key: string): CachedResult | null {
    return this.guarded(() => {
      const row = this.statements.cached.get(key) as { json: string; created_ms: number } | undefined
      return row === undefined ? null : { value: JSON.parse(row.json) as Value, madeAtMs: row.created_ms }
    })
  }

  remember(key: string, value: Value, nowMs: number): void {
    const json = JSON.stringify(value)
    if (json.length > MAX_CACHED_VALUE_LENGTH) return
    this.guarded(() => {
      this.statements.remember.run(key, json, nowMs)
      if (++this.remembered % PRUNE_EVERY === 0) this.statements.pruneCache.run(MAX_CACHED_RESULTS)
    })
  }

  durations(program: string): Record<string, number> {
    return this.guarded(() => {
      const rows = this.statements.durations.all(program) as { key: string; mean: number }[]
      return Object.fromEntries(rows.map(row => [row.key, row.mean]))
    })
  }

  addDurations(program: string, seen: ReadonlyMap<string, { readonly totalMs: number; readonly count: number }>): void {
    this.guarded(() => this.database.transaction(() => {
      for (const [key, { totalMs, count }] of seen) this.statements.addDuration.run(program, key, totalMs, count)
    }).immediate())
  }

  close(): void {
    this.guarded(() => this.database.close())
  }
}

class SqliteLog implements RunLog {
  private readonly database: Database
  private readonly statements: ReturnType<typeof prepare>
  private readonly guarded: Guarded
  private readonly audit: SqliteAudit
  private readonly mailbox: SqliteMailbox
  private readonly runId: string
  private readonly said: SqliteLines
  private readonly knownBlobs = new Set<string>()
  private batch: RunEvent[] = []
  private taken: PendingRequest[] = []
  private next: number
  /** Of the lease under which the run is driven; null where there is none. */
  private readonly owner: string | null

  constructor(database: Database, statements: ReturnType<typeof prepare>, guarded: Guarded, audit: SqliteAudit, mailbox: SqliteMailbox, runId: string, next: number, owner: string | null) {
    this.database = database
    this.statements = statements
    this.guarded = guarded
    this.audit = audit
    this.mailbox = mailbox
    this.runId = runId
    this.next = next
    this.owner = owner
    this.said = new SqliteLines(statements.lines, runId, owner)
  }

  get uncommitted(): number {
    return this.batch.length + this.audit.waiting + this.said.count + this.taken.length
  }

  say(line: LogLine): void {
    this.guarded(() => this.said.say(line))
  }

  lines(): readonly LogLine[] {
    return this.guarded(() => this.said.all())
  }

  took(request: PendingRequest): void {
    this.taken.push(request)
  }

  append(event: RunEvent): void {
    this.batch.push(event)
  }

  commit(): void {
    const { batch } = this
    if (batch.length === 0) return this.said.count === 0 && this.taken.length === 0 ? this.audit.flush() : this.writeLines(() => {})
    const baseMs = batch[0]!.atMs
    const blobs = new Map<string, string>()
    const keep = (text: string): string => {
      const hash = sha256(text)
      if (!this.knownBlobs.has(hash)) blobs.set(hash, text)
      return hash
    }
    let packed = ''
    for (const event of batch) packed += packed === '' ? packEvent(event, baseMs, keep) : `,${packEvent(event, baseMs, keep)}`
    packed = `[${packed}]`
    if (blobs.size === 0 && this.audit.waiting === 0 && this.said.count === 0 && this.taken.length === 0) this.guarded(() => this.write(batch.length, baseMs, packed))
    else {
      this.writeLines(() => { // Q5
        for (const [hash, text] of blobs) this.statements.addBlob.run(hash, text)
        this.write(batch.length, baseMs, packed)
      })
    }
    for (const hash of blobs.keys()) if (this.knownBlobs.size < MAX_KNOWN_BLOBS) this.knownBlobs.add(hash)
    this.next += batch.length
    this.batch = []
  }

  /** Does what is to be done with the lines and entries that wait, in one transaction. */
  private writeLines(work: () => void): void {
    this.audit.inTransaction(() => {
      work()
      this.mailbox.takeOff(this.taken)
      if (!this.said.write()) this.expectOwner(0)
    })
    this.said.written()
    this.taken = []
  }

  private write(count: number, baseMs: number, packed: string): void {
    const { statements, runId, next, owner } = this
    if (owner === null) statements.addEvents.run(runId, next, count, baseMs, packed) // Q2
    else this.expectOwner(statements.addEventsAsOwner.run(runId, next, count, baseMs, packed, runId, owner).changes) // Q3
  }

  private expectOwner(changes: number): void {
    if (changes === 0) throw new JournalError(runErrors['lease-lost']({ runId: this.runId }))
  }

  *events(): Iterable<RunEvent> {
    const read = (hash: string): string => {
      const row = this.statements.blob.get(hash) as { json: string } | undefined
      if (row === undefined) throw new JournalError(runErrors['journal-damaged']({ path: this.database.name }))
      return row.json
    }
    const rows = this.guarded(() => this.statements.events.all(this.runId) as { seq: number; count: number; base_ms: number; packed: string }[])
    let expected = 0
    for (const row of rows) {
      const events = this.guarded(() => unpackBatch(row.packed, row.base_ms, read))
      if (row.seq !== expected || events.length !== row.count) throw new JournalError(runErrors['journal-damaged']({ path: this.database.name }))
      expected += events.length
      yield* events
    }
  }

  describe(summary: RunSummary): void {
    const { statements, runId, owner } = this
    const json = JSON.stringify(summary)
    this.guarded(() => {
      if (owner === null) statements.describe.run(summary.status, json, runId)
      else this.expectOwner(statements.describeAsOwner.run(summary.status, json, runId, owner).changes) // Q3
    })
  }
}

const leaseColumns = `lease_owner as owner, lease_pid as pid, lease_host as hostName, lease_boot as bootId, coalesce(lease_since, '') as since, lease_expires_ms as expiresMs`

function prepare(database: Database) {
  const sql = (text: string): Statement => statement(database, text)
  return {
    lines: prepareLines(database),
    addPlan: sql('insert into plans (hash, json) values (?, ?) on conflict do nothing'),
    addRun: sql('insert into runs (id, program, workflow, plan_hash, status, started_ms, summary, folder, audit_from) values (?, ?, ?, ?, ?, ?, ?, ?, (select coalesce(max(seq), 0) from audit))'),
    describe: sql('update runs set status = ?, summary = ? where id = ?'),
    describeAsOwner: sql('update runs set status = ?, summary = ? where id = ? and lease_owner = ?'),
    lease: sql(`select ${leaseColumns} from runs where id = ? and lease_owner is not null`),
    leases: sql(`select id, ${leaseColumns} from runs where lease_owner is not null`),
    takeLease: sql('update runs set lease_owner = ?, lease_pid = ?, lease_host = ?, lease_boot = ?, lease_since = ?, lease_expires_ms = ?, stop_asked_ms = null, stop_seen_ms = null where id = ?'),
    renewLease: sql('update runs set lease_expires_ms = ? where id = ? and lease_owner = ?'),
    releaseLease: sql('update runs set lease_owner = null, stop_asked_ms = null where id = ? and lease_owner = ?'),
    stopSeen: sql('update runs set stop_seen_ms = ? where id = ? and lease_owner = ?'),
    isStopSeen: sql('select 1 from runs where id = ? and stop_seen_ms is not null'),
    askToStop: sql('update runs set stop_asked_ms = ? where id = ? and lease_owner is not null'),
    standing: sql('select lease_owner as owner, stop_asked_ms as asked from runs where id = ?'),
    run: sql('select runs.summary, runs.folder, plans.json from runs join plans on plans.hash = runs.plan_hash where runs.id = ?'),
    runs: sql('select summary from runs order by started_ms desc limit ?'),
    nextSeq: sql('select coalesce(max(seq + count), 0) as next from events where run = ?'),
    addEvents: sql('insert into events (run, seq, count, base_ms, packed) values (?, ?, ?, ?, ?)'),
    addEventsAsOwner: sql('insert into events (run, seq, count, base_ms, packed) select ?, ?, ?, ?, ? where exists (select 1 from runs where id = ? and lease_owner = ?)'),
    events: sql('select seq, count, base_ms, packed from events where run = ? order by seq'),
    addBlob: sql('insert into blobs (hash, json) values (?, ?) on conflict do nothing'),
    blob: sql('select json from blobs where hash = ?'),
    cached: sql('select json, created_ms from cache where key = ?'),
    remember: sql('insert into cache (key, json, created_ms) values (?, ?, ?) on conflict (key) do update set json = excluded.json, created_ms = excluded.created_ms'),
    pruneCache: sql('delete from cache where created_ms <= (select created_ms from cache order by created_ms desc limit 1 offset ?)'),
    durations: sql('select key, total_ms / count as mean from durations where program = ?'),
    addDuration: sql(`insert into durations (program, key, total_ms, count) values (?, ?, ?, ?)
      on conflict (program, key) do update set total_ms = total_ms + excluded.total_ms, count = count + excluded.count`),
  }
}

/** What an error of the database or the file system means for the user. */
function explained(error: unknown, path: string): unknown {
  if (error instanceof JournalError) return error
  const code = String((error as { code?: unknown } | null)?.code ?? '')
  if (code.startsWith('SQLITE_FULL') || code === 'ENOSPC') return new JournalError(runErrors['journal-disk-full']({ path }))
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) return new JournalError(runErrors['journal-locked']({ path }))
  const isTableGone = code === 'SQLITE_ERROR' && /no such (table|column)/.test(String((error as Error).message))
  if (isTableGone || code.startsWith('SQLITE_CORRUPT') || code.startsWith('SQLITE_NOTADB') || error instanceof SyntaxError) return new JournalError(runErrors['journal-damaged']({ path }))
  if (code.startsWith('SQLITE_CONSTRAINT')) return new JournalError(runErrors['journal-taken']({ path }))
  if (/^(SQLITE_(READONLY|CANTOPEN|IOERR|PERM|AUTH)|EACCES|EROFS|EPERM|ENOENT|ENOTDIR|EEXIST|EISDIR)/.test(code)) {
    return new JournalError(runErrors['journal-not-writable']({ path }))
  }
  return error
}
