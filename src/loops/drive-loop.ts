// Drive loop: a loop goes through its cycles, one run after another, until it ends or somebody ends it.
// Owns: which cycle is next and when, what its end means for the loop, being the only one. Does not own: a cycle (a run like any other: tek.ts), what is
// kept (journal/loops.ts), the stages (compiler/4-lower/lower-loop.ts, interpreter/loop).
//   D1. One process a loop, by a lease of its own.
//   D2. A cycle is in the store with its run's id before the run begins. Whoever drives the loop next goes on with the cycle that is open: at the stage
//       where it stopped, since that is where its run did.
//   D3. What a cycle came to is recorded once; then the next may begin. A kill between the two loses nothing: a run that is finished is read again.
//   D4. A cycle is given what is left of the loop's limits. At a limit, after too many failed cycles in a row, or by `stop when`, the loop ends and says why.
//   D5. Old cycles go: all but the newest KEEP_RUNS lose their runs, those that promoted or were rolled back later (journal/loops.ts). Memory does not grow with cycles.
//   D6. Kill switches are heeded within a cycle by its run, and between cycles here.
import { join } from 'node:path'
import { loopErrors } from '#diagnostics/catalog/loop.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import { type Answer, answer, withJournal } from '#history/journal-access.ts'
import type { Host } from '#host/host.ts'
import { JournalError, type Journal } from '#interpreter/journal/journal.ts'
import { isHeld, LEASE_MS, newLeaseOf, RENEW_EVERY_MS } from './loop-lease.ts'
import type { CycleEnd, LoopCycle, LoopRow, LoopSeries, LoopStore } from '#interpreter/journal/loops.ts'
import { readCycle } from '#interpreter/loop/cycle-result.ts'
import { MAX_PAST, pastOf } from '#interpreter/loop/past.ts'
import { Workspaces } from '#interpreter/loop/workspaces.ts'
import { isFinished, newRunId } from '#interpreter/run.ts'
import type { RunNotice, RunSummary } from '#model/report.ts'
import type { PlanLoop } from '#model/plan.ts'
import type { Value } from '#model/type.ts'
import { type DriveOptions, resume, run, type RunOptions } from '#tek.ts'
import { addSpent, areDone, boundsLeft, endOf, nothingSpent, spentBy } from './limits-left.ts'
import { NextCycle } from './next-cycle.ts'

/** Runs of ended cycles that are kept whole. */
export const KEEP_RUNS = 100
/** Cycles between two times that old ones are forgotten, and how many go at once. */
const RETIRE_EVERY = 50
const MAX_RETIRED = 500

export interface LoopOptions extends Omit<DriveOptions, 'onNotice' | 'given'>, Pick<RunOptions, 'plan' | 'program' | 'folder' | 'sources'> {
  /** Its key in the plan. */
  readonly loop: string
  /** Path of the SQLite database. */
  readonly database: string | Journal
  readonly onNotice: (notice: RunNotice) => void
  readonly onLoop: (event: LoopEvent) => void
  /** Runs of ended cycles that are kept whole; default KEEP_RUNS. */
  readonly keepRuns?: number
}

/** For those who watch. */
export type LoopEvent =
  | { readonly kind: 'loop-began'; readonly loop: string; readonly champion: number; readonly cycles: number; readonly resumed: boolean }
  | { readonly kind: 'cycle-began'; readonly cycle: number; readonly runId: string; readonly resumed: boolean }
  | { readonly kind: 'cycle-ended'; readonly cycle: number; readonly runId: string; readonly end: CycleEnd }
  | { readonly kind: 'rests'; readonly untilMs: number | null; readonly reason: string }

/** How it stands when this process leaves it. */
export interface LoopStanding {
  /** `ended`: no further cycle; `waits`: a cycle waits for a person or a time; `stopped`: somebody stopped it. */
  readonly kind: 'ended' | 'waits' | 'paused' | 'stopped'
  readonly loop: string
  readonly cycles: number
  /** Why it ended, where that was a limit. */
  readonly because: Diagnostic | null
  /** What it came to by `stop when`, or a limit. */
  readonly says: string
  /** The run of the cycle that is open. */
  readonly open: RunSummary | null
  readonly champion: { readonly version: number; readonly score: number; readonly candidate: Value } | null
}

/** The name of a loop in the journal: a loop of that name in that program. */
export function loopKey(program: string, name: string): string {
  return `${program} ${name}`
}

/**
 * Drives a loop until it ends, waits, or is stopped.
 *
 * @returns refused when another process drives it, or something of it cannot begin.
 */
export async function driveLoop(host: Host, options: LoopOptions): Promise<Answer<LoopStanding>> {
  const loop = options.plan.loopBodies?.[options.loop]
  if (loop?.evolves != null) return { kind: 'refused', diagnostics: [loopErrors['cannot-evolve']({ loop: loop.name })] }
  if (loop === undefined) return { kind: 'refused', diagnostics: [loopErrors['not-driven']({})] }
  return withJournal(options.database, async journal => {
    const store = journal.loops
    if (store === null) return { kind: 'refused', diagnostics: [loopErrors['no-journal']({ loop: loop.name })] }
    const lease = newLeaseOf(host)
    const named = { key: loopKey(options.program, loop.name), program: options.program, name: loop.name }
    const held = store.take(named, lease, each => isHeld(each, host)) // D1
    if (held !== null) return { kind: 'refused', diagnostics: [loopErrors['being-driven']({ loop: loop.name, pid: held.pid, hostName: held.hostName })] }
    const driving = new Driving(host, options, journal, store, loop, named.key, lease.owner)
    try {
      return await driving.go()
    } finally {
      driving.close()
      store.release(named.key, lease.owner)
    }
  })
}

class Driving {
  private readonly host: Host
  private readonly options: LoopOptions
  private readonly journal: Journal
  private readonly store: LoopStore
  private readonly loop: PlanLoop
  private readonly key: string
  private readonly owner: string
  private readonly next: NextCycle
  private readonly timer: NodeJS.Timeout
  private series: LoopSeries
  private sinceMs: number
  private isLost = false

  constructor(host: Host, options: LoopOptions, journal: Journal, store: LoopStore, loop: PlanLoop, key: string, owner: string) {
    const { series } = this.rowOf(store, key)
    this.host = host
    this.options = options
    this.journal = journal
    this.store = store
    this.loop = loop
    this.key = key
    this.owner = owner
    const fresh = { beganMs: host.now(), cycles: 0, spent: nothingSpent, errors: 0, ended: null, handledMs: null, rest: null }
    this.series = series === null || (series.ended !== null && store.open(key) === null) ? fresh : { ...series, ended: null }
    this.sinceMs = host.monotonic()
    this.timer = setInterval(() => this.renew(), RENEW_EVERY_MS)
    this.timer.unref()
    this.next = new NextCycle(host, loop, { isStopped: () => this.isStopped(), spend: () => this.spend(), rested: () => this.keep({ ...this.series, rest: null }) })
  }

  close(): void {
    clearInterval(this.timer)
  }

  async go(): Promise<Answer<LoopStanding>> {
    const { store, key, options, loop } = this
    options.onLoop({ kind: 'loop-began', loop: loop.name, champion: store.champion(key)?.version ?? 0, cycles: this.series.cycles, resumed: this.series.cycles > 0 })
    for (;;) {
      if (this.isStopped()) return this.standing('stopped')
      const open = store.open(key)
      if (open === null) {
        const ended = await this.beforeNext()
        if (ended !== null) return ended
        continue
      }
      const left = await this.cycle(open)
      if (left !== null) return left
    }
  }

  /** Waits until the next cycle is due, and begins it; how the loop stands when there is none. */
  private async beforeNext(): Promise<Answer<LoopStanding> | null> {
    const { loop, options } = this
    if (this.series.ended !== null) return this.standing('ended')
    const reached = endOf(loop.name, loop, this.series) // D4
    if (reached !== null) return this.end(reached)
    if (areDone(loop, this.series)) {
      this.keep({ ...this.series, ended: { code: 'cycles', message: `its ${this.series.cycles === 1 ? 'cycle is' : `${this.series.cycles} cycles are`} done` } })
      return this.standing('ended')
    }
    const due = await this.next.due(this.series, (untilMs, reason) => options.onLoop({ kind: 'rests', untilMs, reason }))
    if (due === null) return this.isStopped() ? this.standing('stopped') : null
    this.series = { ...this.series, handledMs: due, rest: null, cycles: this.series.cycles + 1 }
    const { cycle } = this.rowOf(this.store, this.key)
    this.store.begin(this.key, this.owner, { cycle: cycle + 1, runId: newRunId(this.host), atMs: this.host.now() }, this.series) // D2
    return null
  }

  /** Carries a cycle on to its end; how the loop stands where that does not come now. */
  private async cycle(open: LoopCycle): Promise<Answer<LoopStanding> | null> {
    const { journal, options } = this
    const before = journal.openRun(open.runId)
    options.onLoop({ kind: 'cycle-began', cycle: open.cycle, runId: open.runId, resumed: before !== null })
    const done = before !== null && isFinished(before.summary) ? answer(before.summary) : before === null ? await this.begin(open) : await this.goOn(open.runId) // D3
    this.spend()
    if (done.kind === 'refused') return done
    const { status, outcome } = done.value
    if (status === 'waiting') return this.standing('waits', done.value)
    if (status === 'paused') return this.standing('paused', done.value)
    const isLimit = status === 'stopped' && outcome?.kind === 'failure' && outcome.failure.code === 'run/limit-reached'
    if (status === 'stopped' && !isLimit) return this.standing('stopped', done.value)
    await this.settle(open, done.value)
    return null
  }

  private begin({ cycle, runId }: LoopCycle): Promise<Answer<RunSummary>> {
    const { options, loop, store, key, host } = this
    const champion = store.champion(key)
    const args = {
      cycle, past: loop.looksBack === true ? pastOf(store.past(key, MAX_PAST)) : [],
      champion: champion === null ? { candidate: null, score: 0, version: 0 } : { candidate: champion.candidate, score: champion.score, version: champion.version },
    }
    const { onLoop: _onLoop, keepRuns: _keepRuns, loop: _loop, ...rest } = options
    return run(host, { ...rest, workflow: loop.cycle, args, runId, database: this.journal, within: boundsLeft(loop.limits, this.series.spent) })
  }

  private goOn(runId: string): Promise<Answer<RunSummary>> {
    const { onLoop: _onLoop, keepRuns: _keepRuns, loop: _loop, plan: _plan, program: _program, folder: _folder, sources: _sources, ...rest } = this.options
    return resume(this.host, { ...rest, runId, database: this.journal })
  }

  /** Records what a cycle came to. // D3 */
  private async settle({ cycle, runId }: LoopCycle, summary: RunSummary): Promise<void> {
    const { host, options, store, key, owner } = this
    const read = readCycle(summary.outcome!, host.now(), summary.elapsedMs)
    const promoted = read.end.promoted ?? store.madeBy(key, runId)?.version ?? null
    const end = { ...read.end, promoted }
    const { rests } = read
    const rest = rests === null ? null : { untilMs: this.next.restUntil(rests.ms), scarce: rests.scarce, reason: rests.reason }
    this.series = {
      ...this.series, spent: addSpent(this.series.spent, spentBy(summary, this.callsOf(runId))), errors: end.ok ? 0 : this.series.errors + 1, rest,
      ...(read.stops ? { ended: { code: 'stop when', message: 'its `stop when` holds' } } : {}),
    }
    if (this.loop.over !== null) await new Workspaces({ host, store, key, name: this.loop.name, mayBeUnconfined: options.mayBeUnconfined ?? false }).close(cycle) // of one that failed, too
    store.end(key, owner, cycle, end, read.decisions, this.series)
    options.onLoop({ kind: 'cycle-ended', cycle, runId, end })
    if (cycle % RETIRE_EVERY === 0) this.retire()
  }

  /** D5. */
  private retire(): void {
    const { store, key, journal, host, options } = this
    const runs = store.retire(key, options.keepRuns ?? KEEP_RUNS, MAX_RETIRED)
    if (runs.length > 0) journal.retention.forget(runs, each => isHeld(each, host))
  }

  /** Counted only where the loop has such a limit. */
  private callsOf(runId: string): number {
    if (this.loop.limits.calls === undefined) return 0
    let calls = 0
    for (const event of this.journal.openRun(runId)?.log.events() ?? []) if (event.kind === 'call-started' && !event.name.startsWith('@loop.')) calls++
    return calls
  }

  private end(because: Diagnostic): Answer<LoopStanding> {
    this.keep({ ...this.series, ended: { code: because.code, message: because.message } })
    return this.standing('ended', null, because)
  }

  private standing(kind: LoopStanding['kind'], open: RunSummary | null = null, because: Diagnostic | null = null): Answer<LoopStanding> {
    const { store, key, loop } = this
    this.spend()
    const champion = store.champion(key)
    const [last] = store.past(key, 1)
    return answer({
      kind, loop: loop.name, cycles: this.series.cycles, because, open, says: this.series.ended?.message ?? last?.end?.says ?? '',
      champion: champion === null || champion.version === 0 ? null : { version: champion.version, score: champion.score, candidate: champion.candidate },
    })
  }

  /** Time in which somebody drove it counts, rests included. */
  private spend(): void {
    const nowMs = this.host.monotonic()
    this.series = { ...this.series, spent: addSpent(this.series.spent, { timeMs: nowMs - this.sinceMs }) }
    this.sinceMs = nowMs
  }

  private keep(series: LoopSeries): void {
    this.series = series
    this.store.keep(this.key, this.owner, series)
  }

  /** D6. */
  private isStopped(): boolean {
    const { options, host, store, key } = this
    if (this.isLost) throw new JournalError(loopErrors['taken-over']({}))
    return options.signal?.aborted === true || store.isAskedToStop(key) || host.files.statSync(join(host.cwd, '.tek', 'STOP')) !== null
  }

  private renew(): void {
    try {
      if (!this.store.renew(this.key, this.owner, this.host.now() + LEASE_MS)) this.isLost = true
    } catch (error) {
      if (!(error instanceof JournalError)) throw error // busy for now; what is recorded next tells
    }
  }

  private rowOf(store: LoopStore, key: string): LoopRow {
    return store.row(key)!
  }
}
