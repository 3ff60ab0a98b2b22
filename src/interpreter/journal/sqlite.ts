// Sqlite: the journal on disk, one database for all runs of a project and all processes at work in it.
// Owns: the database file, transactions, what its errors mean. Only files named sqlite* know SQLite.
//   Q1. WAL with synchronous=NORMAL: what was committed survives `kill -9` of any process; a power cut may lose the last moments, never more.
//   Q2. A batch of events is one row in one transaction; its number follows the last one's, so a second writer of the same run is refused.
//   Q3. What the owner of a lease records is written only where the lease is still its own, in the same statement.
//   Q4. A schema newer than this program's is refused, an older one is brought up step by step in one transaction.
//   Q5. Entries of the audit log and of threads are written with the events that wait: one transaction holds both.
//   Q7. What is read is as it was written, or damaged: plans, summaries, events and results carry sums. // sqlite-sum.ts
//   Q8. A file that was taken away or replaced while a run goes on is noticed: SQLite would go on writing to what nobody can open any more.
//   Q6. Who only reads needs no room and no permission to write: where the file cannot be opened as usual, what is in it is read from a copy in memory.
import { existsSync, mkdirSync, statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Database, Statement } from 'better-sqlite3'
import { sha256 } from '#base/hash.ts'
import { runErrors } from '#diagnostics/catalog/run.ts'
import type { RunEvent } from '#model/event.ts'
import type { KeptEntry } from '#model/memory.ts'
import type { Plan } from '#model/plan.ts'
import type { LogLine, RunSummary } from '#model/report.ts'
import type { Value } from '#model/type.ts'
import { JournalError, MAX_CACHED_RESULTS, MAX_CACHED_VALUE_LENGTH, MAX_LISTED_RUNS, type Beginning, type CachedResult, type Journal, type OpenedRun, type PendingRequest, type RunLog, type SourceHashes, wakeMsOf } from './journal.ts'
import type { Lease } from './lease.ts'
import { packBatch, readBatch, unpackEvent } from './pack.ts'
import { migrations } from './schema.ts'
import { SqliteAudit } from './sqlite-audit.ts'
import { databaseImage } from './sqlite-image.ts'
import { prepareLines, SqliteLines } from './sqlite-lines.ts'
import { SqliteLoops } from './sqlite-loops.ts'
import { SqliteMailbox } from './sqlite-mailbox.ts'
import { SqliteRetention } from './sqlite-retention.ts'
import { SqliteThreads } from './sqlite-threads.ts'
import { keepDatabase, statement, type Guarded } from './sqlite-statement.ts'
import { isAsWritten, placeOfEvents, sumOf } from './sqlite-sum.ts'
import { SqliteTriggers } from './sqlite-triggers.ts'

/** Pages in the log from which they are moved to the database, which waits for the disk: rarely enough to be no part of what an entry costs. */
const CHECKPOINT_PAGES = 4_000
/** Milliseconds to wait for another process's transaction. */
const BUSY_TIMEOUT_MS = 5_000
/** Events in one row, of those that a new run takes over. */
const MAX_BATCH_EVENTS = 2_048
/** Rows of events that are read together. */
const ROWS_A_READ = 64
/** Results remembered between two looks at how many there are. */
const PRUNE_EVERY = 1_000
/** Hashes of blobs remembered so that they are not written twice. */
const MAX_KNOWN_BLOBS = 10_000

/**
 * Opens the journal of a project, making the file when there is none.
 *
 * @param path of the database, usually `.tek/tek.db`.
 * @param onlyReads: what is there is read into memory where nothing can be written: on a read-only medium, on a full disk. // Q6
 * @throws {JournalError} with code `run/journal-not-writable`, `-damaged`, `-newer`, `-locked` or `-disk-full`.
 */
export async function sqliteJournal(path: string, { onlyReads = false }: { readonly onlyReads?: boolean } = {}): Promise<Journal> {
  const { default: SqliteDatabase } = await import('better-sqlite3')
  const guarded = <Result>(work: () => Result): Result => {
    try {
      return work()
    } catch (error) {
      throw explained(error, path)
    }
  }
  const prepared = (made: Database, setUp: (made: Database) => void): Database => {
    keepDatabase(made)
    try {
      setUp(made)
    } catch (error) {
      made.close()
      throw error
    }
    return made
  }
  const onDisk = (): Database => {
    mkdirSync(dirname(path), { recursive: true })
    return prepared(new SqliteDatabase(path, { timeout: BUSY_TIMEOUT_MS }), made => {
      made.exec('pragma journal_mode = WAL') // Q1
      made.exec('pragma synchronous = NORMAL')
      made.exec(`pragma wal_autocheckpoint = ${CHECKPOINT_PAGES}`)
      migrate(made, path)
    })
  }
  try {
    return new SqliteJournal(guarded(onDisk), guarded, path, statSync(path, { throwIfNoEntry: false })?.ino ?? null)
  } catch (error) {
    const image = onlyReads && error instanceof JournalError && needsWriting.has(error.diagnostic.code) && existsSync(path) ? guarded(() => databaseImage(path)) : null
    if (image === null) throw error
    const inMemory = (): Database => prepared(new SqliteDatabase(image.length === 0 ? ':memory:' : image), made => {
      migrate(made, path)
      made.exec('pragma query_only = on')
    })
    return new SqliteJournal(guarded(inMemory), guarded, path, null)
  }
}

/** What stands in the way of who writes, not of who reads. */
const needsWriting: ReadonlySet<string> = new Set(['run/journal-not-writable', 'run/journal-disk-full', 'run/journal-locked'])

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
  private remembering: SqliteThreads | null = null
  private served: SqliteTriggers | null = null
  private looped: SqliteLoops | null = null
  private remembered = 0
  /** The one that was read last: going on with a run reads it several times. */
  private readPlan: { readonly hash: string; readonly plan: Plan } | null = null
  private readonly file: number | null

  /** @param file the inode of the database; null for one in memory. */
  constructor(database: Database, guarded: Guarded, path: string, file: number | null) {
    this.database = database
    this.file = file
    this.guarded = guarded
    this.statements = guarded(() => prepare(database))
    this.audit = guarded(() => new SqliteAudit(database, guarded, path))
    this.mailbox = guarded(() => new SqliteMailbox(database, guarded))
    this.retention = new SqliteRetention(database, guarded, runId => this.statements.lease.get(runId) as Lease | undefined)
  }

  /** Its statements are made when something is remembered. */
  get threads(): SqliteThreads {
    return (this.remembering ??= this.guarded(() => new SqliteThreads(this.database, this.guarded)))
  }

  /** Its statements are made when something is served. */
  get triggers(): SqliteTriggers {
    return (this.served ??= this.guarded(() => new SqliteTriggers(this.database, this.guarded)))
  }

  /** The same for loops. */
  get loops(): SqliteLoops {
    return (this.looped ??= this.guarded(() => new SqliteLoops(this.database, this.guarded)))
  }

  startRun(summary: RunSummary, plan: Plan, { events = [], folder, sources, lease, superseded }: Beginning = {}): RunLog {
    const log = new SqliteLog(this.statements, this.guarded, this.audit, this.mailbox, () => this.threads, summary.runId, 0, lease?.owner ?? null)
    const { runId, program, workflow, planHash, status, startedAtMs } = summary
    this.guarded(() => this.database.transaction(() => {
      const planJson = JSON.stringify(plan)
      const summaryJson = JSON.stringify(summary)
      this.statements.addPlan.run(plan.hash, planJson, sumOf(planJson, plan.hash))
      this.statements.addRun.run(runId, program, workflow, planHash, status, startedAtMs, summaryJson, folder ?? null, sources === undefined ? null : JSON.stringify(sources), sumOf(summaryJson, runId))
      if (lease !== undefined) this.takeLease(runId, lease, () => true)
      if (superseded !== undefined) this.supersede(superseded)
      for (const [index, event] of events.entries()) {
        log.append(event)
        if (index % MAX_BATCH_EVENTS === MAX_BATCH_EVENTS - 1) log.commit()
      }
      if (log.uncommitted > 0) log.commit()
    }).immediate())
    return log
  }

  private damaged(): JournalError {
    return new JournalError(runErrors['journal-damaged']({ path: this.audit.place }))
  }

  /** Q8. */
  private expectInPlace(): void {
    if (this.file !== null && this.guarded(() => statSync(this.audit.place, { throwIfNoEntry: false })?.ino) !== this.file) throw new JournalError(runErrors['journal-removed']({ path: this.audit.place }))
  }

  /** Nothing wakes it any more. */
  private supersede(summary: RunSummary): void {
    const json = JSON.stringify(summary)
    this.statements.describe.run(summary.status, json, null, sumOf(json, summary.runId), summary.runId)
  }

  openRun(runId: string, owner?: string): OpenedRun | null {
    return this.guarded(() => {
      const run = this.statements.run.get(runId) as { summary: string; folder: string | null; sources: string | null; hash: string; runSum: number | null } | undefined
      if (run === undefined) return null
      if (!isAsWritten(run.runSum, run.summary, runId)) throw this.damaged() // Q7
      const { next } = this.statements.nextSeq.get(runId) as { next: number }
      return {
        summary: JSON.parse(run.summary) as RunSummary,
        plan: this.planOf(run.hash),
        folder: run.folder,
        sources: run.sources === null ? null : (JSON.parse(run.sources) as SourceHashes),
        log: new SqliteLog(this.statements, this.guarded, this.audit, this.mailbox, () => this.threads, runId, next, owner ?? null),
      }
    })
  }

  private planOf(hash: string): Plan {
    if (this.readPlan?.hash !== hash) {
      const { json, sum } = this.statements.plan.get(hash) as { json: string; sum: number | null }
      if (!isAsWritten(sum, json, hash)) throw new JournalError(runErrors['journal-damaged']({ path: this.audit.place })) // Q7
      this.readPlan = { hash, plan: JSON.parse(json) as Plan }
    }
    return this.readPlan!.plan
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
    this.expectInPlace()
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
    this.expectInPlace()
    const row = this.guarded(() => this.statements.standing.get(runId) as { owner: string | null; asked: number | null } | undefined)
    return { isOwner: row?.owner === owner, isAskedToStop: row !== undefined && row.asked !== null }
  }

  toWake(nowMs: number, limit: number): readonly string[] {
    return this.guarded(() => (this.statements.toWake.all(nowMs, limit) as { id: string }[]).map(each => each.id))
  }

  listRuns(limit: number = MAX_LISTED_RUNS): RunSummary[] {
    return this.guarded(() => (this.statements.runs.all({ limit }) as { id: string; summary: string; sum: number | null }[]).map(({ id, summary, sum }) => {
      if (!isAsWritten(sum, summary, id)) throw this.damaged() // Q7
      return JSON.parse(summary) as RunSummary
    }))
  }

  cached(key: string): CachedResult | null {
    return this.guarded(() => {
      const row = this.statements.cached.get(key) as { json: string; created_ms: number; sum: number | null } | undefined
      return row === undefined || !isAsWritten(row.sum, row.json, key) ? null : { value: JSON.parse(row.json) as Value, madeAtMs: row.created_ms }
    })
  }

  remember(key: string, value: Value, nowMs: number): void {
    const json = JSON.stringify(value)
    if (json.length > MAX_CACHED_VALUE_LENGTH) return
    this.guarded(() => {
      this.statements.remember.run(key, json, nowMs, sumOf(json, key))
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

interface EventRow {
  readonly seq: number
  readonly count: number
  readonly base_ms: number
  readonly packed: string
  readonly sum: number | null
}

class SqliteLog implements RunLog {
  private readonly statements: ReturnType<typeof prepare>
  private readonly guarded: Guarded
  private readonly audit: SqliteAudit
  private readonly mailbox: SqliteMailbox
  private readonly threads: () => SqliteThreads
  private readonly runId: string
  private readonly said: SqliteLines
  private readonly knownBlobs = new Set<string>()
  private batch: RunEvent[] = []
  private taken: PendingRequest[] = []
  private kept: KeptEntry[] = []
  private next: number
  /** Of the lease under which the run is driven; null where there is none. */
  private readonly owner: string | null

  constructor(statements: ReturnType<typeof prepare>, guarded: Guarded, audit: SqliteAudit, mailbox: SqliteMailbox, threads: () => SqliteThreads, runId: string, next: number, owner: string | null) {
    this.statements = statements
    this.guarded = guarded
    this.audit = audit
    this.mailbox = mailbox
    this.threads = threads
    this.runId = runId
    this.next = next
    this.owner = owner
    this.said = new SqliteLines(statements.lines, runId, owner)
  }

  get uncommitted(): number {
    return this.batch.length + this.audit.waiting + this.said.count + this.taken.length + this.kept.length
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

  keep(entry: KeptEntry): void {
    this.kept.push(entry)
  }

  append(event: RunEvent): void {
    this.batch.push(event)
  }

  commit(): void {
    const { batch } = this
    if (batch.length === 0) return this.said.count === 0 && this.taken.length === 0 && this.kept.length === 0 ? this.audit.flush() : this.writeLines(() => {})
    const baseMs = batch[0]!.atMs
    const blobs = new Map<string, string>()
    const keep = (text: string): string => {
      const hash = sha256(text)
      if (!this.knownBlobs.has(hash)) blobs.set(hash, text)
      return hash
    }
    const packed = packBatch(batch, baseMs, keep)
    if (blobs.size === 0 && this.audit.waiting === 0 && this.said.count === 0 && this.taken.length === 0 && this.kept.length === 0) this.guarded(() => this.write(batch.length, baseMs, packed))
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
      if (this.kept.length > 0) this.threads().add(this.kept)
      if (!this.said.write()) this.expectOwner(0)
    })
    this.said.written()
    this.taken = []
    this.kept = []
  }

  private write(count: number, baseMs: number, packed: string): void {
    const { statements, runId, next, owner } = this
    const sum = sumOf(packed, placeOfEvents(runId, next, count, baseMs))
    if (owner === null) statements.addEvents.run(runId, next, count, baseMs, packed, sum) // Q2
    else this.expectOwner(statements.addEventsAsOwner.run(runId, next, count, baseMs, packed, sum, runId, owner).changes) // Q3
  }

  private damaged(): JournalError {
    return new JournalError(runErrors['journal-damaged']({ path: this.audit.place }))
  }

  private expectOwner(changes: number): void {
    if (changes === 0) throw new JournalError(runErrors['lease-lost']({ runId: this.runId }))
  }

  /** Rows of events, some at a time; the first alone, which is often all that is asked for. */
  private *rows(): Iterable<EventRow> {
    let after = -1
    for (let limit = 1; ; limit = ROWS_A_READ) {
      const rows = this.guarded(() => this.statements.events.all(this.runId, after, limit) as EventRow[])
      yield* rows
      if (rows.length < limit) return
      after = rows.at(-1)!.seq
    }
  }

  /** Whatever cannot be read was not written by tek. // Q7 */
  private *unpacked({ packed, base_ms, count }: EventRow, read: (hash: string) => string): Iterable<RunEvent> {
    try {
      const batch = readBatch(packed)
      if (batch.length !== count) throw this.damaged()
      for (const each of batch) yield unpackEvent(each, base_ms, read)
    } catch (error) {
      throw error instanceof JournalError ? error : this.damaged()
    }
  }

  *events(): Iterable<RunEvent> {
    const read = (hash: string): string => {
      const row = this.statements.blob.get(hash) as { json: string } | undefined
      if (row === undefined || sha256(row.json) !== hash) throw this.damaged() // Q7
      return row.json
    }
    let expected = 0
    let last: RunEvent['kind'] | undefined
    for (const row of this.rows()) {
      if (!isAsWritten(row.sum, row.packed, placeOfEvents(this.runId, row.seq, row.count, row.base_ms))) throw this.damaged() // Q7
      if (row.seq !== expected) throw this.damaged()
      expected += row.count
      for (const event of this.unpacked(row, read)) {
        last = event.kind
        yield event
      }
    }
    const status = this.guarded(() => this.statements.status.get(this.runId) as { status: string } | undefined)?.status
    if ((status === 'done' || status === 'failed') && last !== 'run-finished') throw this.damaged() // its end is missing
  }

  describe(summary: RunSummary): void {
    const { statements, runId, owner } = this
    const json = JSON.stringify(summary)
    this.guarded(() => {
      const sum = sumOf(json, runId)
      if (owner === null) statements.describe.run(summary.status, json, wakeMsOf(summary), sum, runId)
      else this.expectOwner(statements.describeAsOwner.run(summary.status, json, wakeMsOf(summary), sum, runId, owner).changes) // Q3
    })
  }
}

const leaseColumns = `lease_owner as owner, lease_pid as pid, lease_host as hostName, lease_boot as bootId, coalesce(lease_since, '') as since, lease_expires_ms as expiresMs`

function prepare(database: Database) {
  const sql = (text: string): Statement => statement(database, text)
  return {
    lines: prepareLines(database),
    addPlan: sql('insert into plans (hash, json, sum) values (?, ?, ?) on conflict do nothing'),
    addRun: sql('insert into runs (id, program, workflow, plan_hash, status, started_ms, summary, folder, sources, sum, audit_from) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, (select coalesce(max(seq), 0) from audit))'),
    describe: sql('update runs set status = ?, summary = ?, wake_ms = ?, sum = ? where id = ?'),
    describeAsOwner: sql('update runs set status = ?, summary = ?, wake_ms = ?, sum = ? where id = ? and lease_owner = ?'),
    lease: sql(`select ${leaseColumns} from runs where id = ? and lease_owner is not null`),
    leases: sql(`select id, ${leaseColumns} from runs where lease_owner is not null`),
    takeLease: sql('update runs set lease_owner = ?, lease_pid = ?, lease_host = ?, lease_boot = ?, lease_since = ?, lease_expires_ms = ?, stop_asked_ms = null, stop_seen_ms = null where id = ?'),
    renewLease: sql('update runs set lease_expires_ms = ? where id = ? and lease_owner = ?'),
    releaseLease: sql('update runs set lease_owner = null, stop_asked_ms = null where id = ? and lease_owner = ?'),
    stopSeen: sql('update runs set stop_seen_ms = ? where id = ? and lease_owner = ?'),
    isStopSeen: sql('select 1 from runs where id = ? and stop_seen_ms is not null'),
    askToStop: sql('update runs set stop_asked_ms = ? where id = ? and lease_owner is not null'),
    standing: sql('select lease_owner as owner, stop_asked_ms as asked from runs where id = ?'),
    run: sql('select runs.summary, runs.folder, runs.sources, runs.sum as runSum, plan_hash as hash from runs where runs.id = ? and exists (select 1 from plans where plans.hash = plan_hash)'),
    plan: sql('select json, sum from plans where hash = ?'),
    toWake: sql(`select id from runs where wake_ms is not null and status in ('waiting', 'running') and (wake_ms <= ? or exists (select 1 from requests where run = runs.id)) order by wake_ms limit ?`),
    runs: sql(`select id, summary, sum from runs where id in (select id from (select id from runs order by started_ms desc limit @limit)
      union select id from (select id from runs where status not in ('done', 'failed') order by started_ms desc limit @limit)) order by started_ms desc`),
    status: sql('select status from runs where id = ?'),
    nextSeq: sql('select coalesce(max(seq + count), 0) as next from events where run = ?'),
    addEvents: sql('insert into events (run, seq, count, base_ms, packed, sum) values (?, ?, ?, ?, ?, ?)'),
    addEventsAsOwner: sql('insert into events (run, seq, count, base_ms, packed, sum) select ?, ?, ?, ?, ?, ? where exists (select 1 from runs where id = ? and lease_owner = ?)'),
    events: sql('select seq, count, base_ms, packed, sum from events where run = ? and seq > ? order by seq limit ?'),
    addBlob: sql('insert into blobs (hash, json) values (?, ?) on conflict do nothing'),
    blob: sql('select json from blobs where hash = ?'),
    cached: sql('select json, created_ms, sum from cache where key = ?'),
    remember: sql('insert into cache (key, json, created_ms, sum) values (?, ?, ?, ?) on conflict (key) do update set json = excluded.json, created_ms = excluded.created_ms, sum = excluded.sum'),
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
  // Statements are fixed: where one does not fit the tables, the tables are not as they were made.
  const isOtherSchema = code === 'SQLITE_ERROR' && /no such (table|column|index)|unsupported file format|duplicate column|already exists|malformed|has no column/.test(String((error as Error).message))
  if (isOtherSchema || code.startsWith('SQLITE_CORRUPT') || code.startsWith('SQLITE_NOTADB') || error instanceof SyntaxError) return new JournalError(runErrors['journal-damaged']({ path }))
  if (code.startsWith('SQLITE_CONSTRAINT')) return new JournalError(runErrors['journal-taken']({ path }))
  if (code.startsWith('SQLITE_IOERR') && isDiskFull(path)) return new JournalError(runErrors['journal-disk-full']({ path })) // where SQLite says no more
  if (/^(SQLITE_(READONLY|CANTOPEN|IOERR|PERM|AUTH)|EACCES|EROFS|EPERM|ENOENT|ENOTDIR|EEXIST|EISDIR)/.test(code)) {
    return new JournalError(runErrors['journal-not-writable']({ path }))
  }
  return error
}

/** Whether the disk beneath a path has no room at all. */
function isDiskFull(path: string): boolean {
  try {
    return statfsSync(dirname(path)).bavail === 0
  } catch {
    return false
  }
}
