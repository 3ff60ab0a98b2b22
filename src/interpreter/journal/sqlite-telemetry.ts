// Sqlite telemetry: measurements in a database of their own, `telemetry.db` beside the journal.
// Owns: its file, schema and statements. Does not own: what is measured (meter.ts), the bounds (telemetry-store.ts).
//   Q1. It waits for nobody: a database that another process holds is an answer, and the same numbers are written a second later.
//   Q2. No sync: a power cut may damage it. A damaged one is made anew, since everything in it is only told, never decided on.
//   Q3. Opened at the first write: a run that ends before costs one transaction.
import { mkdirSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type Sqlite from 'better-sqlite3'
import type { Database, Statement } from 'better-sqlite3'
import { bucketBounds, MAX_MEASURED_RUNS, MEASURED_FOR_MS, type MeasuredEvent, type MeasuredRun, type Measurements, type Sample, type Series, type TelemetryStore } from './telemetry-store.ts'
import { databaseImage } from './sqlite-image.ts'
import { keepDatabase, statement } from './sqlite-statement.ts'

const SCHEMA_VERSION = 1

const schema = [
  'create table runs (id text primary key, program text not null, workflow text not null, started_ms real not null, elapsed_ms real not null, status text not null) without rowid',
  'create index runs_by_start on runs (started_ms)',
  'create index runs_by_program on runs (program, started_ms)',
  `create table series (
    run text not null, name text not null, attributes text not null, kind text not null, unit text not null, count real not null, sum real not null, min real, max real, buckets text,
    primary key (run, name, attributes)
  ) without rowid`,
  'create table events (run text not null, at_ms real not null, name text not null, attributes text not null)',
  'create index events_by_run on events (run)',
  'create table samples (run text not null, at_ms real not null, "values" text not null)',
  'create index samples_by_run on samples (run)',
]

/** @param path of the database; @param journal path of the journal's, whose size is measured. */
export async function sqliteTelemetry(path: string, journal: string): Promise<TelemetryStore> {
  const { default: open } = await import('better-sqlite3')
  return new SqliteTelemetry(path, journal, open)
}

interface Opened {
  readonly database: Database
  readonly sql: (text: string) => Statement
}

class SqliteTelemetry implements TelemetryStore {
  private readonly path: string
  private readonly journal: string
  private readonly library: typeof Sqlite
  private opened: Opened | null = null
  private readonly statements = new Map<string, Statement>()
  private hasPruned = false

  constructor(path: string, journal: string, library: typeof Sqlite) {
    this.path = path
    this.journal = journal
    this.library = library
  }

  write(batch: Measurements): string | null {
    return this.attempt(true, ({ database, sql }) => database.transaction(() => {
      const { runId, program, workflow, startedAtMs, elapsedMs, status } = batch.run
      sql(`insert into runs (id, program, workflow, started_ms, elapsed_ms, status) values (?, ?, ?, ?, ?, ?)
        on conflict (id) do update set elapsed_ms = excluded.elapsed_ms, status = excluded.status`).run(runId, program, workflow, startedAtMs, elapsedMs, status)
      const addSeries = sql('insert or replace into series (run, name, attributes, kind, unit, count, sum, min, max, buckets) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
      for (const { name, attributes, kind, unit, count, sum, min, max, buckets } of batch.series) {
        addSeries.run(runId, name, JSON.stringify(attributes), kind, unit, count, sum, min, max, buckets === null ? null : JSON.stringify(buckets.slice(0, buckets.findLastIndex(each => each > 0) + 1)))
      }
      for (const { atMs, name, attributes } of batch.events) sql('insert into events (run, at_ms, name, attributes) values (?, ?, ?, ?)').run(runId, atMs, name, JSON.stringify(attributes))
      for (const { atMs, values } of batch.samples) sql('insert into samples (run, at_ms, "values") values (?, ?, ?)').run(runId, atMs, JSON.stringify(values))
      if (!this.hasPruned) this.prune(startedAtMs)
    }).immediate())
  }

  thinOut(runId: string): void {
    this.attempt(true, ({ sql }) => sql('delete from samples where rowid in (select id from (select rowid as id, row_number() over (order by at_ms) as place from samples where run = ?) where place % 2 = 0)').run(runId))
  }

  read(runId: string): Measurements | null {
    let found: Measurements | null = null
    this.attempt(false, ({ sql }) => {
      const run = sql(`${selectRuns} where id = ?`).get(runId) as MeasuredRun | undefined
      if (run === undefined) return
      const events = sql('select at_ms as atMs, name, attributes from events where run = ? order by at_ms').all(runId) as { atMs: number; name: string; attributes: string }[]
      const samples = sql('select at_ms as atMs, "values" from samples where run = ? order by at_ms').all(runId) as { atMs: number; values: string }[]
      found = {
        run, series: this.series([runId]).map(({ runId: _, ...each }) => each),
        events: events.map((each): MeasuredEvent => ({ ...each, attributes: JSON.parse(each.attributes) as Record<string, string> })),
        samples: samples.map((each): Sample => ({ ...each, values: JSON.parse(each.values) as Record<string, number> })),
      }
    })
    return found
  }

  runs(limit: number, program?: string): readonly MeasuredRun[] {
    let found: MeasuredRun[] = []
    this.attempt(false, ({ sql }) => {
      found = (program === undefined ? sql(`${selectRuns} order by started_ms desc limit ?`).all(limit) : sql(`${selectRuns} where program = ? order by started_ms desc limit ?`).all(program, limit)) as MeasuredRun[]
    })
    return found
  }

  series(runIds: readonly string[]): readonly (Series & { readonly runId: string })[] {
    const found: (Series & { runId: string })[] = []
    this.attempt(false, ({ sql }) => {
      for (const runId of runIds) {
        const rows = sql('select name, attributes, kind, unit, count, sum, min, max, buckets from series where run = ?').all(runId) as (Omit<Series, 'attributes' | 'buckets'> & { attributes: string; buckets: string | null })[]
        for (const row of rows) found.push({ ...row, runId, attributes: JSON.parse(row.attributes) as Record<string, string>, buckets: row.buckets === null ? null : filled(JSON.parse(row.buckets) as number[]) })
      }
    })
    return found
  }

  forget(runIds: readonly string[]): void {
    this.attempt(false, ({ database, sql }) => database.transaction(() => {
      for (const runId of runIds) for (const text of deletions) sql(text).run(runId)
    }).immediate())
  }

  journalBytes(): number {
    return sizeOf(this.journal) + sizeOf(`${this.journal}-wal`)
  }

  close(): void {
    this.opened?.database.close()
    this.opened = null
    this.statements.clear()
  }

  /** Does something with the database; null, or why it could not be done. Without `mayMake` a file that is not there is left so. */
  private attempt(mayMake: boolean, work: (opened: Opened) => unknown, isAgain = false): string | null {
    try {
      if (this.opened === null && !mayMake && statSync(this.path, { throwIfNoEntry: false }) === undefined) return 'there is nothing'
      work((this.opened ??= mayMake ? this.open(this.path) : this.openToRead()))
      return null
    } catch (error) {
      const code = String((error as { code?: unknown } | null)?.code ?? '')
      const isDamaged = /^SQLITE_(CORRUPT|NOTADB)/.test(code) || error instanceof SyntaxError
      if (isDamaged && mayMake && !isAgain) { // Q2
        this.close()
        for (const end of ['', '-wal', '-shm']) rmSync(`${this.path}${end}`, { force: true })
        return this.attempt(mayMake, work, true)
      }
      return `${(error as Error).message} (${this.path})`
    }
  }

  /** Where the file cannot be opened as usual (a read-only medium, a full disk), a copy of it in memory. */
  private openToRead(): Opened {
    try {
      return this.open(this.path)
    } catch (error) {
      const image = databaseImage(this.path)
      if (image === null) throw error
      return this.open(image)
    }
  }

  /** Q3. */
  private open(place: string | Buffer): Opened {
    if (typeof place === 'string') mkdirSync(dirname(place), { recursive: true })
    const database = new this.library(place, { timeout: 0 }) // Q1
    keepDatabase(database)
    try {
      database.exec('pragma synchronous = OFF') // Q2
      const version = statement(database, 'pragma user_version').pluck().get() as number
      if (version > SCHEMA_VERSION) throw new Error('it was written by a newer tek')
      if (version === 0) {
        database.exec('pragma journal_mode = WAL') // the file remembers it
        database.transaction(() => {
          for (const each of schema) database.exec(each)
          database.exec(`pragma user_version = ${SCHEMA_VERSION}`)
        }).immediate()
      }
    } catch (error) {
      database.close()
      throw error
    }
    const sql = (text: string): Statement => {
      let made = this.statements.get(text)
      if (made === undefined) this.statements.set(text, (made = statement(database, text)))
      return made
    }
    return { database, sql }
  }

  /** To be called inside a transaction. */
  private prune(nowMs: number): void {
    this.hasPruned = true
    const { sql } = this.opened!
    const old = sql(`select id from runs where started_ms < ? or id in (select id from runs order by started_ms desc limit -1 offset ${MAX_MEASURED_RUNS})`).pluck().all(nowMs - MEASURED_FOR_MS) as string[]
    for (const runId of old) for (const text of deletions) sql(text).run(runId)
  }
}

const selectRuns = 'select id as runId, program, workflow, started_ms as startedAtMs, elapsed_ms as elapsedMs, status from runs'
const deletions = ['delete from runs where id = ?', 'delete from series where run = ?', 'delete from events where run = ?', 'delete from samples where run = ?']

/** Empty buckets at the end are not kept. */
const filled = (buckets: readonly number[]): number[] => Array.from({ length: bucketBounds.length + 1 }, (_, index) => buckets[index] ?? 0)

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0
