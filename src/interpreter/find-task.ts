// Find task: a task of a recorded run by its path.
// Owns: the answer to a path that no task has. Paths themselves are engine/path.ts's.
import { didYouMean } from '#base/did-you-mean.ts'
import { runErrors } from '#diagnostics/catalog/run.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import type { RunEvent, TaskId } from '#model/event.ts'
import type { Plan } from '#model/plan.ts'
import { pathOf } from './engine/path.ts'
import type { Capacity } from './engine/protocol.ts'
import { initialState, type Scope, type State } from './engine/state.ts'
import { transition } from './engine/transition.ts'

/** Room for everything: what was begun is told by the record. */
export const unbounded: Capacity = { parallel: Infinity, cpu: Infinity, memoryBytes: Infinity }

/** The state that the events of a run come to. */
export function folded(plan: Plan, events: Iterable<RunEvent>, capacity: Capacity = unbounded): State {
  const state = initialState(plan, capacity)
  for (const event of events) transition(state, event)
  return state
}

/** The task with a path: the last one, where a sub-workflow was begun again under the same. Null when there is none. */
export function taskAt(state: State, path: string): TaskId | null {
  const open = openTaskAt(state, path)
  if (open !== null) return open
  for (let task = state.tasks.size - 1; task > 0; task--) if (pathOf(state, task) === path) return task
  return null
}

/** The same by the names on the way, where every workflow on it is under way: people answer thousands of questions of one run. */
function openTaskAt(state: State, path: string): TaskId | null {
  let scope = state.inside.get(0)
  const segments = path.split('/')
  for (const [at, segment] of segments.entries()) {
    const parts = /^([^[#]+)(?:\[(\d{1,9})\])?(?:#(\d{1,9}))?$/.exec(segment)
    if (parts === null || scope === undefined) return null
    const [, name, item, attempt] = parts
    const index = scope.shape.workflow.nodes.findIndex(each => each.name === name)
    if (index === -1) return null
    const node = scope.base + index
    const group = item === undefined ? undefined : state.groups.get(node)
    if (item !== undefined && (group === undefined || Number(item) >= group.items.length)) return null
    const task = group === undefined ? node : group.base + Number(item)
    if (at === segments.length - 1) return attempt === undefined && pathOf(state, task) === path ? task : null
    scope = state.inside.get(task) ?? deskNamed(state, task, segments[at + 1]!)
    if (scope?.attempt !== Number(attempt ?? 1)) return null
  }
  return null
}

/** Of what a conversation under way delegated, the call with a name. */
function deskNamed(state: State, task: TaskId, name: string): Scope | undefined {
  const call = /^(\d{1,9})\./.exec(name)
  return call === null ? undefined : state.talks.get(task)?.desks.get(Number(call[1]))
}

/** What is said of a path that no task of a run has. */
export function unknownTask(state: State, runId: string, path: string): Diagnostic {
  const names: string[] = []
  for (let task = 1; task < state.tasks.size; task++) if (state.nodeOf(task).kind === 'task') names.push(pathOf(state, task))
  return runErrors['unknown-task']({ runId, path, suggestions: didYouMean(path, names) })
}
