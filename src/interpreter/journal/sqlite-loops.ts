// Sqlite loops: what is kept of loops, as tables of the journal's database.
// Owns: its statements and transactions. Does not own: what the parts mean (loops.ts).
import type { Database, Statement } from 'better-sqlite3'
import { loopErrors } from '#diagnostics/catalog/loop.ts'
import type { Value } from '#model/type.ts'
import { JournalError } from './journal.ts'
import type { Lease } from './lease.ts'
import {
  MAX_KEPT_CYCLES, MAX_KEPT_DECISIONS, MAX_KEPT_VERSIONS, MAX_RATIONALE_LENGTH,
  type CycleEnd, type DecisionOutcome, type LoopCycle, type LoopDecision, type LoopIntent, type LoopRow, type LoopSeries, type LoopStore, type LoopVersion,
} from './loops.ts'
import { statement, type Guarded } from './sqlite-statement.ts'

interface VersionRow {
  readonly version: number
  readonly parent: number
  readonly run: string
  readonly cycle: number
  readonly atMs: number
  readonly candidate: string
  readonly score: number
  readonly content: string | null
}

interface CycleRow {
  readonly cycle: number
  readonly run: string
  readonly atMs: number
  readonly summary: string | null
}

export class SqliteLoops implements LoopStore {
  private readonly database: Database
  private readonly guarded: Guarded
  private readonly statements: ReturnType<typeof prepare>

  constructor(database: Database, guarded: Guarded) {
    this.database = database
    this.guarded = guarded
    this.statements = prepare(database)
  }

  all(): LoopRow[] {
    return this.guarded(() => (this.statements.all.all() as RawRow[]).map(rowOf))
  }

  row(key: string): LoopRow | null {
    const found = this.guarded(() => this.statements.row.get(key) as RawRow | undefined)
    return found === undefined ? null : rowOf(found)
  }

  take({ key, program, name }: Pick<LoopRow, 'key' | 'program' | 'name'>, lease: Lease, isHeld: (lease: Lease) => boolean): Lease | null {
    const { owner, pid, hostName, bootId, since = '', expiresMs } = lease
    return this.together(() => {
      this.statements.add.run(key, program, name)
      const held = this.statements.lease.get(key) as Lease | undefined
      if (held !== undefined && held.owner !== owner && isHeld(held)) return held
      this.statements.take.run(owner, pid, hostName, bootId, since, expiresMs, key)
      return null
    })
  }

  renew(key: string, owner: string, expiresMs: number): boolean {
    return this.guarded(() => this.statements.renew.run(expiresMs, key, owner).changes > 0)
  }

  release(key: string, owner: string): void {
    this.guarded(() => this.statements.release.run(key, owner))
  }

  lease(key: string): Lease | null {
    return this.guarded(() => (this.statements.lease.get(key) as Lease | undefined) ?? null)
  }

  askToStop(key: string, nowMs: number): void {
    this.guarded(() => this.statements.askToStop.run(nowMs, key))
  }

  isAskedToStop(key: string): boolean {
    return this.guarded(() => this.statements.isAsked.get(key)) !== undefined
  }

  keep(key: string, owner: string, series: LoopSeries): void {
    this.together(() => {
      this.expectOwner(key, owner)
      this.statements.keep.run(JSON.stringify(series), key)
    })
  }

  begin(key: string, owner: string, { cycle, runId, atMs }: Pick<LoopCycle, 'cycle' | 'runId' | 'atMs'>, series: LoopSeries): void {
    this.together(() => {
      this.expectOwner(key, owner)
      this.statements.begin.run(key, cycle, runId, atMs)
      this.statements.keepWithCycle.run(JSON.stringify(series), cycle, key)
    })
  }

  end(key: string, owner: string, cycle: number, end: CycleEnd, decisions: readonly Omit<LoopDecision, 'cycle'>[], series: LoopSeries): void {
    const isKept = end.promoted !== null || end.rolledBack ? 1 : 0
    this.together(() => {
      this.expectOwner(key, owner)
      if (this.statements.end.run(JSON.stringify(end), isKept, key, cycle).changes === 0) return
      for (const each of decisions) this.decide(key, { cycle, ...each })
      this.statements.keep.run(JSON.stringify(series), key)
    })
  }

  open(key: string): LoopCycle | null {
    const row = this.guarded(() => this.statements.open.get(key) as CycleRow | undefined)
    return row === undefined ? null : cycleOf(row)
  }

  past(key: string, limit: number): LoopCycle[] {
    return this.guarded(() => (this.statements.past.all(key, limit) as CycleRow[]).map(cycleOf))
  }

  ofRun(runId: string): { readonly key: string; readonly cycle: number } | null {
    return this.guarded(() => (this.statements.ofRun.get(runId) as { key: string; cycle: number } | undefined) ?? null)
  }

  promote(key: string, made: Pick<LoopVersion, 'runId' | 'cycle' | 'atMs' | 'candidate' | 'score' | 'content'>, origin: string | null = null): LoopVersion {
    return this.together(() => {
      const before = this.statements.madeBy.get(key, made.runId) as VersionRow | undefined // L2
      if (before !== undefined) return versionOf(before)
      const { champion, next } = this.statements.standing.get(key) as { champion: number; next: number }
      if (champion === 0 && origin !== null) this.statements.addOrigin.run(key, `origin of ${key}`, made.atMs, origin)
      this.statements.addVersion.run(key, next, champion, made.runId, made.cycle, made.atMs, JSON.stringify(made.candidate), made.score, made.content)
      this.statements.crown.run(next, next + 1, key)
      return { version: next, parent: champion, ...made }
    })
  }

  champion(key: string): LoopVersion | null {
    return this.one(this.statements.championOf, key)
  }

  madeBy(key: string, runId: string): LoopVersion | null {
    return this.one(this.statements.madeBy, key, runId)
  }

  versions(key: string, limit: number): LoopVersion[] {
    return this.guarded(() => (this.statements.versions.all(key, limit) as VersionRow[]).map(versionOf))
  }

  version(key: string, version: number): LoopVersion | null {
    return this.one(this.statements.version, key, version)
  }

  restore(key: string, owner: string, version: number, decision: LoopDecision): void {
    this.together(() => {
      this.expectOwner(key, owner)
      this.statements.setChampion.run(version, key)
      this.decide(key, decision)
    })
  }

  decisions(key: string, limit: number): LoopDecision[] {
    return this.guarded(() => this.statements.decisions.all(key, limit) as LoopDecision[])
  }

  intent(key: string): LoopIntent | null {
    const row = this.guarded(() => this.statements.intent.get(key) as { intent: string | null } | undefined)
    return row?.intent == null ? null : (JSON.parse(row.intent) as LoopIntent)
  }

  setIntent(key: string, intent: LoopIntent | null): void {
    this.guarded(() => this.statements.setIntent.run(intent === null ? null : JSON.stringify(intent), key))
  }

  retire(key: string, keepRuns: number, limit: number): readonly string[] {
    const { statements } = this
    return this.together(() => {
      const runs = (statements.oldRuns.all({ key, keep: keepRuns, limit }) as { run: string }[]).map(each => each.run)
      for (const run of runs) statements.forgotten.run(run)
      statements.pruneCycles.run(key, key, MAX_KEPT_CYCLES)
      statements.pruneDecisions.run(key, key, MAX_KEPT_DECISIONS)
      statements.pruneVersions.run(key, key, MAX_KEPT_VERSIONS, key)
      return runs
    })
  }

  private one(query: Statement, ...args: readonly (string | number)[]): LoopVersion | null {
    const row = this.guarded(() => query.get(...args) as VersionRow | undefined)
    return row === undefined ? null : versionOf(row)
  }

  private decide(key: string, { cycle, atMs, stage, outcome, rationale, confidence, by }: LoopDecision): void {
    this.statements.decide.run(key, cycle, atMs, stage, outcome satisfies DecisionOutcome, rationale.slice(0, MAX_RATIONALE_LENGTH), confidence, by)
  }

  private together<Result>(work: () => Result): Result {
    return this.guarded(() => this.database.transaction(work).immediate())
  }

  private expectOwner(key: string, owner: string): void {
    if (this.statements.isOwner.get(key, owner) === undefined) throw new JournalError(loopErrors['taken-over']({}))
  }
}

interface RawRow extends Omit<LoopRow, 'series'> {
  readonly series: string | null
}

function rowOf({ series, ...row }: RawRow): LoopRow {
  return { ...row, series: series === null ? null : (JSON.parse(series) as LoopSeries) }
}

function cycleOf({ cycle, run, atMs, summary }: CycleRow): LoopCycle {
  return { cycle, runId: run, atMs, end: summary === null ? null : (JSON.parse(summary) as CycleEnd) }
}

function versionOf({ candidate, run, ...rest }: VersionRow): LoopVersion {
  return { ...rest, runId: run, candidate: JSON.parse(candidate) as Value }
}

const versionColumns = 'version, parent, run, cycle, at_ms as atMs, candidate, score, content'
const cycleColumns = 'cycle, run, at_ms as atMs, summary'
const rowColumns = 'key, program, name, series, champion, cycle'

function prepare(database: Database) {
  const sql = (text: string): Statement => statement(database, text)
  return {
    all: sql(`select ${rowColumns} from loops order by key`),
    row: sql(`select ${rowColumns} from loops where key = ?`),
    add: sql('insert into loops (key, program, name) values (?, ?, ?) on conflict do nothing'),
    lease: sql('select owner, pid, host as hostName, boot as bootId, since, expires_ms as expiresMs from loops where key = ? and owner is not null'),
    take: sql('update loops set owner = ?, pid = ?, host = ?, boot = ?, since = ?, expires_ms = ?, stop_asked_ms = null where key = ?'),
    renew: sql('update loops set expires_ms = ? where key = ? and owner = ?'),
    release: sql('update loops set owner = null, stop_asked_ms = null where key = ? and owner = ?'),
    isOwner: sql('select 1 from loops where key = ? and owner = ?'),
    askToStop: sql('update loops set stop_asked_ms = ? where key = ? and owner is not null'),
    isAsked: sql('select 1 from loops where key = ? and stop_asked_ms is not null'),
    keep: sql('update loops set series = ? where key = ?'),
    keepWithCycle: sql('update loops set series = ?, cycle = ? where key = ?'),
    begin: sql('insert into loop_cycles (loop, cycle, run, at_ms, kept) values (?, ?, ?, ?, 1)'),
    end: sql('update loop_cycles set summary = ?, kept = ? where loop = ? and cycle = ? and summary is null'),
    open: sql(`select ${cycleColumns} from loop_cycles where loop = ? and summary is null order by cycle desc limit 1`),
    past: sql(`select ${cycleColumns} from loop_cycles where loop = ? and summary is not null order by cycle desc limit ?`),
    ofRun: sql('select loop as key, cycle from loop_cycles where run = ?'),
    standing: sql('select champion, next_version as next from loops where key = ?'),
    addVersion: sql('insert into loop_versions (loop, version, parent, run, cycle, at_ms, candidate, score, content) values (?, ?, ?, ?, ?, ?, ?, ?, ?)'),
    addOrigin: sql(`insert into loop_versions (loop, version, parent, run, cycle, at_ms, candidate, score, content) values (?, 0, 0, ?, 0, ?, 'null', 0, ?) on conflict do nothing`),
    crown: sql('update loops set champion = ?, next_version = ?, intent = null where key = ?'),
    setChampion: sql('update loops set champion = ?, intent = null where key = ?'),
    championOf: sql(`select ${versionColumns} from loop_versions where loop = ? and version = (select champion from loops where key = loop)`),
    madeBy: sql(`select ${versionColumns} from loop_versions where loop = ? and run = ?`),
    versions: sql(`select ${versionColumns} from loop_versions where loop = ? order by version desc limit ?`),
    version: sql(`select ${versionColumns} from loop_versions where loop = ? and version = ?`),
    decide: sql('insert into loop_decisions (loop, cycle, at_ms, stage, outcome, rationale, confidence, who) values (?, ?, ?, ?, ?, ?, ?, ?)'),
    decisions: sql('select cycle, at_ms as atMs, stage, outcome, rationale, confidence, who as "by" from loop_decisions where loop = ? order by id desc limit ?'),
    intent: sql('select intent from loops where key = ?'),
    setIntent: sql('update loops set intent = ? where key = ?'),
    oldRuns: sql(`select run from loop_cycles where loop = @key and kept < 2 and summary is not null and (kept = 0 and cycle <= (select max(cycle) from loop_cycles where loop = @key) - @keep
      or kept = 1 and cycle <= (select max(cycle) from loop_cycles where loop = @key) - ${MAX_KEPT_CYCLES}) order by cycle limit @limit`),
    forgotten: sql('update loop_cycles set kept = 2 where run = ?'),
    pruneCycles: sql(`delete from loop_cycles where loop = ? and kept = 2 and cycle <= (select max(cycle) from loop_cycles where loop = ?) - ?`),
    pruneDecisions: sql(`delete from loop_decisions where loop = ? and id <= (select id from loop_decisions where loop = ? order by id desc limit 1 offset ?)`),
    pruneVersions: sql(`delete from loop_versions where loop = ? and version <= (select max(version) from loop_versions where loop = ?) - ?
      and version not in (select champion from loops where key = ?)`),
  }
}
