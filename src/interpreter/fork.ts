// Fork: a new run that takes over what a recorded one found, up to a task.
// Owns: which results are taken over, their events in the new run's own numbers. Does not own: going on with the new run (run.ts: it is one that was stopped).
//   F1. Taken over is what came to a value and does not depend on the task: with everything inside it, calls and attempts included. The task, what waits for
//       it, what failed without a value, was cancelled or had not ended, begins again, from its first attempt. The cache does not answer for the task itself.
//   F2. The new run is begun, with all that it takes over, in one transaction: it is there whole or not at all. From then on it needs nothing of the old one.
//   F3. Numbers of tasks depend on the order in which lists and workflows were opened; so each event is told to the new run by the place of its task there.
//   F4. Idempotency keys are made of the new run's id: what is done again is done again.
import { runErrors } from '#diagnostics/catalog/run.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import type { RunEvent, RunOrigin, TaskId } from '#model/event.ts'
import { type Plan, planVersion, readableVersions } from '#model/plan.ts'
import type { RunSummary } from '#model/report.ts'
import { partsOfTimer, timerOf } from './engine/protocol.ts'
import { initialState, type State } from './engine/state.ts'
import { isOver, phase } from './engine/tasks.ts'
import { transition } from './engine/transition.ts'
import { folded, taskAt, unbounded, unknownTask } from './find-task.ts'
import type { Journal } from './journal/journal.ts'

const RUN_ID_BYTES = 6

export interface Forked {
  readonly runId: string
  readonly origin: RunOrigin
  /** Tasks whose results were taken over. */
  readonly takenOver: number
}

/** Makes the new run, stopped before its first task of its own. Null when there is no run to fork. */
export function forkRun(journal: Journal, host: { randomHex(bytes: number): string; now(): number }, runId: string, from: string): Forked | Diagnostic | null {
  const found = journal.openRun(runId)
  if (found === null) return null
  const { plan, summary, folder } = found
  if (!readableVersions.includes(plan.version)) return runErrors['other-format']({ runId, found: String(plan.version), known: planVersion })
  const events = [...found.log.events()]
  const [first] = events
  if (first?.kind !== 'run-started') return runErrors['unknown-run']({ runId })
  const whole = folded(plan, events)
  const task = taskAt(whole, from)
  if (task === null) return unknownTask(whole, runId, from)
  const origin: RunOrigin = { runId, task: from }
  const begun: RunEvent = { ...first, runId: host.randomHex(RUN_ID_BYTES), atMs: host.now(), origin }
  const kept = new Takeover(plan, events, whole, task)
  const own = kept.eventsFor(begun)
  const { counts } = own.state
  const nothingDone: RunSummary['calls'] = { read: 0, wrote: 0, ran: 0, fetched: 0, refused: 0 }
  const standing: RunSummary = {
    runId: begun.runId, workflow: summary.workflow, program: summary.program, planHash: summary.planHash, startedAtMs: begun.atMs, elapsedMs: 0, status: 'stopped', outcome: null,
    tasks: { ...counts, running: 0 }, calls: nothingDone, origin,
  }
  const log = journal.startRun(standing, plan, { events: [begun, ...own.events], ...(folder === null ? {} : { folder }) }) // F2
  log.describe(standing)
  return { runId: begun.runId, origin, takenOver: counts.done + counts.failed + counts.skipped }
}

/** What of a run's record is taken over. */
class Takeover {
  private readonly plan: Plan
  private readonly record: readonly RunEvent[]
  /** The old run at the end of its record. */
  private readonly whole: State
  /** Tasks that contain the one from which on it begins again: of them only their beginning is taken over. */
  private readonly around = new Set<TaskId>()
  /** Attempt of each workflow of `around` in which that task is. */
  private readonly attempts = new Map<TaskId, number>()
  /** The task, what waits for it, and what waits for the tasks around it. */
  private readonly again = new Set<TaskId>()
  private readonly decided = new Map<TaskId, boolean>()

  constructor(plan: Plan, record: readonly RunEvent[], whole: State, task: TaskId) {
    this.plan = plan
    this.record = record
    this.whole = whole
    this.again.add(task)
    for (let at = task; at !== 0; ) {
      const group = whole.tasks.group[at]!
      const node = group === -1 ? at : group
      if (group !== -1) this.around.add(group)
      this.addDependents(node)
      const scope = whole.scopeOf(at)
      at = scope.task
      this.around.add(at)
      this.attempts.set(at, scope.attempt)
    }
  }

  /** The events with which the new run begins, after its first. // F3 */
  eventsFor(begun: RunEvent): { readonly events: readonly RunEvent[]; readonly state: State } {
    const old = initialState(this.plan, unbounded)
    const own = initialState(this.plan, unbounded)
    transition(own, begun)
    const events: RunEvent[] = []
    for (const event of this.record) {
      const mine = this.isTaken(event) ? translated(event, old, own) : null
      if (mine !== null) {
        transition(own, mine)
        events.push(mine)
      }
      transition(old, event)
    }
    return { events, state: own }
  }

  private isTaken(event: RunEvent): boolean {
    switch (event.kind) {
      case 'evaluated':
        return this.isTakenOf(event.task, event.attempt, event.part === 'returns' || event.part === 'verify-key' || event.part === 'fallback')
      case 'call-started':
      case 'call-finished':
        return this.isTakenOf(event.task, event.attempt, false)
      case 'cache-answered':
        return this.isTakenOf(event.task, 1, false)
      case 'timer-fired': {
        const parts = partsOfTimer(event.timer)
        return parts !== null && parts.purpose !== 'time-limit' && this.isTakenOf(parts.task, parts.attempt, false)
      }
      default: // what became of the old run as a whole is its own
        return false
    }
  }

  private isTakenOf(task: TaskId, attempt: number, isEnd: boolean): boolean {
    if (task >= this.whole.tasks.size || !this.isInTakenAttempt(task)) return false
    if (!this.around.has(task)) return this.cameToValue(task)
    const last = this.attempts.get(task)
    return last === undefined ? !isEnd : attempt < last || (attempt === last && !isEnd)
  }

  /** Whether every workflow that a task is in is taken over, in the attempt that it belongs to. */
  private isInTakenAttempt(task: TaskId): boolean {
    if (task === 0) return true
    const { task: outer, attempt } = this.whole.scopeOf(task)
    if (!this.around.has(outer)) return this.cameToValue(outer)
    return attempt <= this.attempts.get(outer)!
  }

  /** F1. */
  private cameToValue(task: TaskId): boolean {
    const known = this.decided.get(task)
    if (known !== undefined) return known
    const { tasks } = this.whole
    const group = tasks.group[task]!
    const scope = this.whole.scopeOf(task)
    const isAround = group !== -1 && this.around.has(group)
    let isKept = !this.again.has(task) && (group === -1 || isAround || this.cameToValue(group))
    if (isKept && this.around.has(scope.task) && scope.attempt === this.attempts.get(scope.task)) isKept = hasValue(this.whole, task)
    else if (isKept && !this.around.has(scope.task)) isKept = this.cameToValue(scope.task)
    this.decided.set(task, isKept)
    return isKept
  }

  private addDependents(node: TaskId): void {
    const scope = this.whole.scopeOf(node)
    const { starts, dependents } = scope.shape
    const left = [node - scope.base]
    while (left.length > 0) {
      const index = left.pop()!
      for (let i = starts[index]!; i < starts[index + 1]!; i++) {
        const dependent = scope.base + dependents[i]!
        if (this.again.has(dependent)) continue
        this.again.add(dependent)
        left.push(dependents[i]!)
      }
    }
  }
}

function hasValue(state: State, task: TaskId): boolean {
  const at = state.tasks.phase[task]!
  return at === phase.done || at === phase.skipped || (at === phase.failed && !isWithoutValue(state, task))
}

/** A task that failed and gave no value in its place. Values inside a workflow that is over are not kept; where it succeeded, each task gave one. */
function isWithoutValue(state: State, task: TaskId): boolean {
  const { task: outer, attempt } = state.scopeOf(task)
  const hasSucceeded = outer !== 0 && state.tasks.phase[outer] === phase.done && state.tasks.attempt[outer] === attempt
  return state.tasks.values[task] === undefined && !hasSucceeded
}

/** The event as it is in the new run; null where its task has no place there, or is over. */
function translated(event: RunEvent, old: State, own: State): RunEvent | null {
  if (event.kind === 'timer-fired') {
    const parts = partsOfTimer(event.timer)!
    const task = placeOf(parts.task, old, own)
    return task === null ? null : { ...event, timer: timerOf(task, parts.attempt, parts.purpose) }
  }
  if (!('task' in event)) return null
  const task = placeOf(event.task, old, own)
  return task === null || isOver(own.tasks.phase[task]!) ? null : { ...event, task }
}

/** Number in the new run of a task of the old one, both as they stand. */
function placeOf(task: TaskId, old: State, own: State): TaskId | null {
  if (task === 0) return 0
  if (task >= old.tasks.size) return null
  const group = old.tasks.group[task]!
  if (group !== -1) {
    const owner = placeOf(group, old, own)
    const opened = owner === null ? undefined : own.groups.get(owner)
    return opened === undefined ? null : opened.base + (task - old.groups.get(group)!.base)
  }
  const scope = old.scopeOf(task)
  const outer = placeOf(scope.task, old, own)
  const inner = outer === null ? undefined : own.inside.get(outer)
  return inner === undefined || inner.attempt !== scope.attempt ? null : inner.base + (task - scope.base)
}
