// Fork: a new run that takes over what a recorded one found, up to a task.
// Owns: which results are taken over. Does not own: telling events to the new run (take-over.ts), going on with it (run.ts: it is one that was stopped).
//   F1. Taken over is what came to a value and does not depend on the task: with everything inside it, calls and attempts included. The task, what waits for
//       it, what failed without a value, was cancelled or had not ended, begins again, from its first attempt. The cache does not answer for the task itself.
//   F3. From a task inside what an agent delegated: of the conversations around it the turns are taken over up to the one that delegated, and whatever else was asked
//       for in that turn; later turns are asked again. Where agents of that tree of conversations told each other anything, the whole tree begins again.
//   F2. Idempotency keys are made of the new run's id: what is done again is done again.
import { runErrors } from '#diagnostics/catalog/run.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import type { RunEvent, RunOrigin, TaskId } from '#model/event.ts'
import { planVersion, readableVersions } from '#model/plan.ts'
import { agentOf } from './engine/agent-role.ts'
import { rootOf } from './engine/messages.ts'
import { pathOf } from './engine/path.ts'
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
  const opened = journal.openRun(runId)
  if (opened === null) return null
  const { plan } = opened
  if (!readableVersions.includes(plan.version)) return runErrors['other-format']({ runId, found: String(plan.version), known: planVersion })
  const events = [...opened.log.events()]
  const [first] = events
  if (first?.kind !== 'run-started') return runErrors['unknown-run']({ runId })
  const whole = folded(plan, events)
  const found = taskAt(whole, from)
  if (found === null) return unknownTask(whole, runId, from)
  const task = startOf(whole, events, found)
  const origin: RunOrigin = { runId, task: task === found ? from : pathOf(whole, task) }
  const begun: Begun = { ...first, runId: host.randomHex(RUN_ID_BYTES), atMs: host.now(), origin }
  const kept = new Kept(whole, events, task)
  const taken = takeOver(events, plan, plan, begun, (event, old, own) => (kept.isTaken(event) ? translated(event, old, own) : null))
  recordTakenOver(journal, opened, begun, plan, taken)
  const { done, failed, skipped } = taken.state.counts
  return { runId: begun.runId, origin, takenOver: done + failed + skipped }
}

/** Where a fork from a task begins again. // F3 */
function startOf(whole: State, events: readonly RunEvent[], task: TaskId): TaskId {
  const root = rootOf(whole, task)
  if (root === task || root === 0) return task
  return events.some(event => event.kind === 'call-started' && isMessage(whole, event.task, event.name) && rootOf(whole, event.task) === root) ? root : task
}

function isMessage(whole: State, task: TaskId, name: string): boolean {
  return task > 0 && task < whole.tasks.size && agentOf(whole, task)?.tools.some(each => each.kind === 'message' && each.name === name) === true
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
  /** Of conversations of `around`, the last turn that does not depend on the task. // F3 */
  private readonly turns = new Map<TaskId, number>()
  /** Those of which it was passed. */
  private readonly passed = new Set<TaskId>()

  constructor(whole: State, events: readonly RunEvent[], task: TaskId) {
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
      if (scope.desk !== null) this.turns.set(at, turnOf(events, at, scope.attempt, scope.desk.call))
    }
  }

  isTaken(event: RunEvent): boolean {
    switch (event.kind) {
      case 'evaluated':
        return this.isTakenOf(event.task, event.attempt, event.part === 'returns' || event.part === 'ensure' || event.part === 'verify-key' || event.part === 'fallback')
      case 'model-asked':
        if (event.attempt === this.attempts.get(event.task) && event.turn > (this.turns.get(event.task) ?? Infinity)) this.passed.add(event.task) // F3
        return this.isTakenOf(event.task, event.attempt, false)
      case 'call-started':
      case 'call-finished':
      case 'model-answered':
      case 'recalled':
      case 'answered':
        return this.isTakenOf(event.task, event.attempt, false)
      case 'cache-answered':
        return this.isTakenOf(event.task, 1, false)
      case 'timer-fired': {
        const parts = partsOfTimer(event.timer)
        return parts !== null && parts.purpose !== 'time-limit' && this.isTakenOf(parts.task, parts.attempt, parts.purpose === 'timeout')
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
    return last === undefined ? !isEnd : attempt < last || (attempt === last && !isEnd && !this.passed.has(task))
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

/** The turn of a conversation in which it asked for a call. */
function turnOf(events: readonly RunEvent[], task: TaskId, attempt: number, call: number): number {
  let turn = 0
  for (const event of events) {
    if (!('attempt' in event) || event.task !== task || event.attempt !== attempt) continue
    if (event.kind === 'model-answered') turn = event.turn
    if (event.kind === 'call-started' && event.call === call) return turn
  }
  return turn
}
