// Take over: a new run begins with events of a recorded one, told in its own numbers.
// Owns: where a task of the old run is in the new one, the new run's beginning in the journal. Does not own: which events are taken (fork.ts, migrate.ts).
//   O1. Numbers of tasks depend on the order in which lists and workflows were opened; so each event is told to the new run by the place of its task
//       there: the names on the way to it, as both runs stand when the event comes.
//   O2. The new run is begun, with all that it takes over, in one transaction: it is there whole or not at all. From then on it needs nothing of the old one.
import type { RunEvent, TaskId } from '#model/event.ts'
import type { Plan, PlanWorkflow } from '#model/plan.ts'
import type { RunSummary } from '#model/report.ts'
import { partsOfTimer, timerOf } from './engine/protocol.ts'
import { initialState, type State } from './engine/state.ts'
import { isOver, phase } from './engine/tasks.ts'
import { transition } from './engine/transition.ts'
import { unbounded } from './find-task.ts'
import type { Journal, OpenedRun } from './journal/journal.ts'

export type Begun = Extract<RunEvent, { kind: 'run-started' }>

/** The events with which a new run begins after its first, and how it stands then. */
export interface TakenOver {
  readonly events: readonly RunEvent[]
  readonly state: State
}

/**
 * Tells the events of a record to a new run.
 *
 * @param choose the event as the new run takes it over, in its own numbers (see `translated`), or null; both states stand as they did before the event.
 */
export function takeOver(record: readonly RunEvent[], was: Plan, plan: Plan, begun: Begun, choose: (event: RunEvent, old: State, own: State) => RunEvent | null): TakenOver {
  const old = initialState(was, unbounded)
  const own = initialState(plan, unbounded)
  transition(own, begun)
  const events: RunEvent[] = []
  for (const event of record) {
    const mine = choose(event, old, own)
    if (mine !== null) {
      transition(own, mine)
      events.push(mine)
    }
    transition(old, event)
  }
  return { events, state: own }
}

/** Records the new run, stopped before its first task of its own. `successorOf`: the old run is over with it. // O2 */
export function recordTakenOver(journal: Journal, from: OpenedRun, begun: Begun, plan: Plan, taken: TakenOver, successorOf?: RunSummary): void {
  const { summary, folder, sources } = from
  const { waits: _waits, ...standsStill } = successorOf ?? summary
  const nothingDone: RunSummary['calls'] = { read: 0, wrote: 0, ran: 0, fetched: 0, refused: 0 }
  const standing: RunSummary = {
    runId: begun.runId, workflow: summary.workflow, program: summary.program, planHash: plan.hash, startedAtMs: begun.atMs, elapsedMs: 0, status: 'stopped', outcome: null,
    tasks: { ...taken.state.counts, running: 0 }, calls: nothingDone, ...(begun.origin === undefined ? {} : { origin: begun.origin }),
  }
  journal.startRun(standing, plan, {
    events: [begun, ...taken.events], ...(folder === null ? {} : { folder }), ...(sources === null ? {} : { sources }), ...(successorOf === undefined ? {} : { superseded: { ...standsStill, successor: begun.runId } }),
  })
}

/** The event as it is in the new run; null where its task has no place there, or is over. */
export function translated(event: RunEvent, old: State, own: State): RunEvent | null {
  const task = taskOf(event)
  const mine = task === null ? null : placeOf(task, old, own)
  if (mine === null || isOver(own.tasks.phase[mine]!)) return null
  if (event.kind === 'timer-fired') {
    const { attempt, purpose } = partsOfTimer(event.timer)!
    return { ...event, timer: timerOf(mine, attempt, purpose) }
  }
  return { ...event, task: mine } as RunEvent
}

/** The task that an event is about; null where it is about the run. */
export function taskOf(event: RunEvent): TaskId | null {
  if (event.kind === 'timer-fired') return partsOfTimer(event.timer)?.task ?? null
  return 'task' in event ? event.task : null
}

/** Number in the new run of a task of the old one, both as they stand. // O1 */
export function placeOf(task: TaskId, old: State, own: State): TaskId | null {
  if (task === 0) return 0
  if (task >= old.tasks.size) return null
  const group = old.tasks.group[task]!
  if (group !== -1) {
    const owner = placeOf(group, old, own)
    const opened = owner === null ? undefined : own.groups.get(owner)
    const index = task - old.groups.get(group)!.base
    return opened === undefined || index >= opened.items.length ? null : opened.base + index
  }
  const scope = old.scopeOf(task)
  const outer = placeOf(scope.task, old, own)
  const inner = outer === null ? undefined : scope.desk === null ? own.inside.get(outer) : own.talks.get(outer)?.desks.get(scope.desk.call)
  if (inner === undefined || inner.attempt !== scope.attempt) return null
  const index = sameNode(scope.shape.workflow, inner.shape.workflow, task - scope.base)
  return index === null ? null : inner.base + index
}

const indexes = new WeakMap<PlanWorkflow, ReadonlyMap<string, number>>()

/** Index of the node of the same name; null where there is none. */
export function sameNode(was: PlanWorkflow, is: PlanWorkflow, index: number): number | null {
  if (was === is) return index
  let byName = indexes.get(is)
  if (byName === undefined) indexes.set(is, (byName = new Map(is.nodes.map((node, at) => [node.name, at]))))
  return byName.get(was.nodes[index]!.name) ?? null
}

/** A task that came to its end without a value, or was given up: its workflow failed with it. */
export function endedWithoutValue(state: State, task: TaskId): boolean {
  const at = state.tasks.phase[task]!
  return at === phase.cancelled || (at === phase.failed && isWithoutValue(state, task))
}

/** A task that is over and gave a value. */
export function hasValue(state: State, task: TaskId): boolean {
  return isOver(state.tasks.phase[task]!) && !endedWithoutValue(state, task)
}

/** Values inside a workflow that is over are not kept; where it succeeded, each task gave one. What a conversation delegated and was told the end of counts as a
 * value, whatever it was. */
function isWithoutValue(state: State, task: TaskId): boolean {
  const { task: outer, attempt, desk } = state.scopeOf(task)
  if (desk !== null) return false
  const hasSucceeded = outer !== 0 && state.tasks.phase[outer] === phase.done && state.tasks.attempt[outer] === attempt
  return state.tasks.values[task] === undefined && !hasSucceeded
}
