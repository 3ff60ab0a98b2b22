// Fork: a new run that takes over what a recorded one found, up to a task.
// Owns: which results are taken over. Does not own: telling events to the new run (take-over.ts), going on with it (run.ts: it is one that was stopped).
//   F1. Taken over is what came to a value and does not depend on the task: with everything inside it, calls and attempts included. The task, what waits for
//       it, what failed without a value, was cancelled or had not ended, begins again, from its first attempt. The cache does not answer for the task itself.
//   F2. Idempotency keys are made of the new run's id: what is done again is done again.
import { runErrors } from '#diagnostics/catalog/run.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import type { RunEvent, RunOrigin, TaskId } from '#model/event.ts'
import { planVersion, readableVersions } from '#model/plan.ts'
import { partsOfTimer } from './engine/protocol.ts'
import type { State } from './engine/state.ts'
import { folded, taskAt, unknownTask } from './find-task.ts'
import type { Journal } from './journal/journal.ts'
import { hasValue, recordTakenOver, takeOver, translated, type Begun } from './take-over.ts'

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
  const { plan } = found
  if (!readableVersions.includes(plan.version)) return runErrors['other-format']({ runId, found: String(plan.version), known: planVersion })
  const events = [...found.log.events()]
  const [first] = events
  if (first?.kind !== 'run-started') return runErrors['unknown-run']({ runId })
  const whole = folded(plan, events)
  const task = taskAt(whole, from)
  if (task === null) return unknownTask(whole, runId, from)
  const origin: RunOrigin = { runId, task: from }
  const begun: Begun = { ...first, runId: host.randomHex(RUN_ID_BYTES), atMs: host.now(), origin }
  const kept = new Kept(whole, task)
  const taken = takeOver(events, plan, plan, begun, (event, old, own) => (kept.isTaken(event) ? translated(event, old, own) : null))
  recordTakenOver(journal, found, begun, plan, taken)
  const { done, failed, skipped } = taken.state.counts
  return { runId: begun.runId, origin, takenOver: done + failed + skipped }
}

/** What of a run's record is taken over. */
class Kept {
  /** The old run at the end of its record. */
  private readonly whole: State
  /** Tasks that contain the one from which on it begins again: of them only their beginning is taken over. */
  private readonly around = new Set<TaskId>()
  /** Attempt of each workflow of `around` in which that task is. */
  private readonly attempts = new Map<TaskId, number>()
  /** The task, what waits for it, and what waits for the tasks around it. */
  private readonly again = new Set<TaskId>()
  private readonly decided = new Map<TaskId, boolean>()

  constructor(whole: State, task: TaskId) {
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

  isTaken(event: RunEvent): boolean {
    switch (event.kind) {
      case 'evaluated':
        return this.isTakenOf(event.task, event.attempt, event.part === 'returns' || event.part === 'verify-key' || event.part === 'fallback')
      case 'call-started':
      case 'call-finished':
      case 'model-asked':
      case 'model-answered':
      case 'answered':
        return this.isTakenOf(event.task, event.attempt, false)
      case 'cache-answered':
        return this.isTakenOf(event.task, 1, false)
      case 'timer-fired': {
        const parts = partsOfTimer(event.timer)
        return parts !== null && parts.purpose !== 'time-limit' && this.isTakenOf(parts.task, parts.attempt, false)
      }
      case 'task-cancelled':
        return this.isTakenOf(event.task, this.whole.tasks.attempt[event.task] ?? 1, true)
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
