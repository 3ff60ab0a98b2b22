// Over: a task has come to its end.
// Owns: its value, its last phase, the counts, what is forgotten. Does not own: what follows from it (settle.ts).
import type { Failure, TaskId } from '#model/event.ts'
import type { TaskStatus } from '#model/report.ts'
import type { Value } from '#model/type.ts'
import type { State } from './state.ts'
import { phase } from './tasks.ts'

type Ending = 'done' | 'failed' | 'skipped' | 'cancelled'

/** Marks a task as over with the value others will see. */
export function over(state: State, task: TaskId, ending: Ending, value: Value): void {
  state.tasks.values[task] = value
  mark(state, task, ending)
  state.toSettle.push(task)
}

/** Marks a task as failed without a value: what it belongs to fails too. */
export function overByFailure(state: State, task: TaskId, failure: Failure): void {
  state.failures.set(task, failure)
  mark(state, task, 'failed')
  state.toSettle.push(task)
}

/** Marks a task as over and nothing more; for tasks whose workflow is over too. */
export function mark(state: State, task: TaskId, ending: Ending): void {
  state.tasks.phase[task] = phase[ending]
  if (state.verifies.size > 0) state.verifies.delete(task)
  if (state.held.size > 0) state.held.delete(task)
  if (state.keeping.size > 0) state.keeping.delete(task)
  if (state.ensuring.size > 0) state.ensuring.delete(task)
  if (state.cacheKeys.size > 0) state.cacheKeys.delete(task)
  if (state.calls.size > 0) state.calls.delete(task)
  if (state.waits.size > 0 && state.waits.delete(task)) state.waitsVersion++
  if (state.givenUp.size > 0) state.givenUp.delete(task)
  if (task === 0) return
  const node = state.nodeOf(task)
  if (node.kind === 'let') return
  const cached = state.cached.size > 0 && state.cached.has(task)
  if (!state.groups.has(task) && !state.opened.has(task)) {
    state.counts[ending]++
    if (cached) state.counts.cached++
  }
  state.changed(task, ending satisfies TaskStatus, cached)
}
