// Drives: the runs that are carried out in this process, a few at once.
// Owns: which run is begun or gone on with next, what its end means to what is owed. Does not own: carrying it out (tek.ts), what fires.
//   D1. Runs that wait and are due or were answered come first, whoever began them: a person may be waiting for them. Then those that a server owes an end
//       (journal/triggers.ts), oldest first. Nothing is taken from a process that lives.
//   D2. Nothing is owed any more to a run that ended, came to a wait (waking owes it again), was paused, or was stopped by anybody but this server.
//   D4. A run whose process died is gone on with if a server drove it, or if it had waited: its record may say so still, although what it waited for has come
//       and was taken. With `takeOver`, any.
//   D3. What cannot begin or go on now (a kill switch, a full disk, a permit that is lacking) is tried again after RETRY_MS; a run that
//       was taken up MAX_TAKE_UPS times without coming to an end, or even to a wait, is left to people: perhaps it takes the process down each time.
import { serveErrors } from '#diagnostics/catalog/serve.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import type { Host } from '#host/host.ts'
import { JournalError, type Journal } from '#interpreter/journal/journal.ts'
import { isHeld } from '#interpreter/journal/lease.ts'
import type { Firing, TriggerStore } from '#interpreter/journal/triggers.ts'
import type { Permit } from '#model/capability.ts'
import type { RunNotice, RunSummary } from '#model/report.ts'
import { resume, run, type Answer } from '#tek.ts'
import type { Announcer } from './announcer.ts'
import type { ServeEvent } from './event.ts'
import type { ServedTrigger } from './trigger.ts'

export const RETRY_MS = 30_000
export const MAX_TAKE_UPS = 20
/** A run that waits again is not looked at before. */
const WOKEN_REST_MS = 200
/** Runs that wait and are looked at together. */
const MAX_WOKEN = 100

export interface DriveParts {
  readonly host: Host
  readonly journal: Journal
  readonly store: TriggerStore
  readonly owner: string
  /** Most runs at once. */
  readonly most: number
  readonly takeOver: boolean
  readonly tekVersion: string
  readonly workers?: number
  readonly mayBeUnconfined: boolean
  readonly triggers: ReadonlyMap<string, ServedTrigger>
  readonly permitAgain: (runId: string) => Promise<Answer<Permit>>
  readonly announcer: Announcer | null
  readonly tell: (event: ServeEvent) => void
  /** Called when a run came to its end or a stop. */
  readonly ended: (runId: string, trigger: string) => void
  readonly signal: AbortSignal
}

interface Retry {
  readonly atMs: number
  /** Why it was refused; null: it is only not woken again at once. */
  readonly code: string | null
}

export class Drives {
  private readonly parts: DriveParts
  private readonly under = new Map<string, Promise<void>>()
  private readonly retries = new Map<string, Retry>()
  /** Leases of processes that died, of runs that are left alone. */
  private readonly left = new Set<string>()
  /** The newest run of a trigger, once it has finished. */
  private readonly finished = new Map<string, string>()
  /** Runs that failed or could not begin. */
  failures = 0

  constructor(parts: DriveParts) {
    this.parts = parts
  }

  get runIds(): string[] {
    return [...this.under.keys()]
  }

  /** Begins and goes on with what is due, as far as there is room. True: something is due for which there is none. */
  look(): boolean {
    const open = this.parts.store.open()
    const triggers = new Map(open.map(each => [each.runId, each.trigger]))
    for (const runId of this.wakeable()) {
      if (this.under.has(runId) || this.mustRest(runId)) continue
      if (this.under.size >= this.parts.most) return true
      this.take(runId, triggers.get(runId) ?? '', 'go-on')
    }
    for (const firing of open) {
      if (!this.isOpen(firing)) continue
      if (this.under.size >= this.parts.most) return true
      this.take(firing.runId, firing.trigger, firing.state === 'due' ? 'begin' : 'go-on')
    }
    return false
  }

  /** The run of a trigger that still goes on: its newest firing's. */
  goingOn(trigger: string): string | null {
    const newest = this.parts.store.newest(trigger)
    if (newest === null) return null
    const { runId, state } = newest
    if (state === 'due' || state === 'begun' || this.under.has(runId)) return runId
    if (state !== 'over' || this.finished.get(trigger) === runId) return null
    const status = this.parts.journal.openRun(runId)?.summary.status
    if (status === 'waiting' || status === 'paused') return runId
    if (status === 'done' || status === 'failed') this.finished.set(trigger, runId)
    return null
  }

  /** Resolves when the runs that are under way now have ended. */
  async idle(): Promise<void> {
    await Promise.all(this.under.values())
  }

  /** Whether a firing is to be taken up now; what is over by now is settled. // D2 */
  private isOpen({ runId, trigger, state, tries }: Firing): boolean {
    const { host, journal, store, triggers } = this.parts
    if (this.under.has(runId) || this.mustRest(runId)) return false
    const found = journal.openRun(runId)
    if (found === null) {
      if (state === 'due') return triggers.has(trigger) // of a program that is not served now: it waits
      store.settle(runId, 'over') // forgotten by `tek clean`
      return false
    }
    const { status } = found.summary
    if (status === 'done' || status === 'failed' || status === 'paused') { // one that came to a wait was settled then: this one's process died // D4
      store.settle(runId, 'over')
      return false
    }
    const lease = journal.leases().get(runId)
    if (lease !== undefined && isHeld(lease, host)) return false // somebody goes on with it by hand
    if (tries < MAX_TAKE_UPS) return true
    store.settle(runId, 'over') // D3
    const { code, message } = serveErrors['taken-up-too-often']({ times: MAX_TAKE_UPS })
    this.parts.tell({ kind: 'refused', runId, code, message, retried: false })
    return false
  }

  private mustRest(runId: string): boolean {
    const retry = this.retries.get(runId)
    if (retry === undefined) return false
    const rests = this.parts.host.monotonic() < retry.atMs
    if (!rests && retry.code === null) this.retries.delete(runId)
    return rests
  }

  /** Runs that wait and are due or were answered, and those whose process died. // D1 D4 */
  private wakeable(): string[] {
    const { host, journal, takeOver } = this.parts
    const leases = journal.leases()
    const runIds = new Set(journal.toWake(host.now(), MAX_WOKEN + leases.size + this.retries.size)) // what cannot go on now hides nothing that can
    for (const [runId, lease] of leases) {
      if (isHeld(lease, host)) runIds.delete(runId)
      else if (!runIds.has(runId) && !this.under.has(runId) && !this.left.has(lease.owner)) {
        const status = journal.openRun(runId)?.summary.status
        if (status === 'waiting' || (takeOver && status === 'running')) runIds.add(runId)
        else this.left.add(lease.owner)
      }
    }
    return [...runIds]
  }

  private take(runId: string, trigger: string, how: 'begin' | 'go-on'): void {
    const work = (how === 'begin' && this.parts.journal.openRun(runId) === null ? this.begin(runId, trigger) : this.goOn(runId)).then(
      answer => this.over(runId, how, answer),
      error => {
        if (!(error instanceof JournalError)) throw error
        this.refused(runId, how, [error.diagnostic])
      },
    ).finally(() => {
      this.under.delete(runId)
      this.parts.ended(runId, trigger)
    })
    this.under.set(runId, work)
  }

  private begin(runId: string, key: string): Promise<Answer<RunSummary>> {
    const { host, journal, store, triggers } = this.parts
    const { program, workflow } = triggers.get(key)!
    return run(host, {
      ...this.driving(runId, false), plan: program.plan, program: program.shown, folder: program.folder, workflow, args: store.argsOf(runId), runId, database: journal,
      permit: program.permits.get(workflow)!, ...(program.sources === undefined ? {} : { sources: program.sources }),
    })
  }

  private async goOn(runId: string): Promise<Answer<RunSummary>> {
    const { host, journal, store, owner } = this.parts
    const permit = await this.parts.permitAgain(runId)
    if (permit.kind === 'refused') return permit
    store.takeUp(owner, runId, host.now())
    return resume(host, { ...this.driving(runId, true), runId, database: journal, permit: permit.value })
  }

  private driving(runId: string, isResumed: boolean) {
    const { store, tell, announcer, tekVersion, workers, mayBeUnconfined, signal } = this.parts
    let about: Pick<RunSummary, 'runId' | 'program' | 'workflow'> | undefined
    const onNotice = (notice: RunNotice): void => {
      if (notice.kind === 'run-started') {
        if (announcer !== null) about = this.parts.journal.openRun(runId)?.summary
        store.settle(runId, 'begun')
        tell({ kind: 'begun', runId, workflow: notice.workflow, isResumed })
      } else if (notice.kind === 'waits' && about !== undefined) announcer?.heard(about, notice.waits)
    }
    return { tekVersion, mayBeUnconfined, signal, onNotice, ...(workers === undefined ? {} : { workers }) }
  }

  private over(runId: string, how: 'begin' | 'go-on', answer: Answer<RunSummary>): void {
    const { store, tell, signal, announcer } = this.parts
    if (answer.kind === 'refused') return this.refused(runId, how, answer.diagnostics)
    const summary = answer.value
    const { status, workflow, outcome, elapsedMs, waits = [] } = summary
    if (status === 'waiting') this.retries.set(runId, { atMs: this.parts.host.monotonic() + WOKEN_REST_MS, code: null })
    else this.retries.delete(runId)
    if (status === 'failed') this.failures++
    tell({ kind: 'ended', runId, workflow, status, code: outcome?.kind === 'failure' ? outcome.failure.code : null, elapsedMs, waits })
    announcer?.heard(summary, waits)
    if (status === 'stopped' && signal.aborted) store.drained(runId) // the next server goes on with it
    else store.settle(runId, 'over') // D2
  }

  private refused(runId: string, how: 'begin' | 'go-on', diagnostics: readonly Diagnostic[]): void {
    const { store, tell, host, signal } = this.parts
    if (signal.aborted) return
    const { code, message } = diagnostics[0]!
    const isFinal = final.has(code)
    if (isFinal) store.settle(runId, 'refused')
    if (isFinal || this.retries.get(runId)?.code !== code) tell({ kind: 'refused', runId, code, message, retried: !isFinal })
    if (isFinal && how === 'begin') this.retries.delete(runId)
    else if (isFinal) this.retries.set(runId, { atMs: Infinity, code }) // what it waited for stays there: it would be woken again at once
    else this.retries.set(runId, { atMs: host.monotonic() + RETRY_MS, code })
    this.failures++
  }
}

/** Nothing that time changes: the program is another one than when it fired, or the record is not whole. */
const final: ReadonlySet<string> = new Set([
  'run/unknown-workflow', 'run/which-workflow', 'run/missing-argument', 'run/unknown-argument', 'run/bad-argument', 'run/other-format', 'run/other-plan', 'run/journal-damaged', 'run/unknown-run',
])
