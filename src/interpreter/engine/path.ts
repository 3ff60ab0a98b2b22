// Path: the name of a task within its run, for people and for idempotency keys: `scan[3]`, `build/test[2]/compile`.
// Owns: how paths are written.
//   N1. A path names one task of a run: the second and later attempts of a sub-workflow carry their number, `build#2/test`.
//   N2. What an agent delegates is named by its call: `review/2.reader` is the third call of the conversation `review`. // delegation.ts
import type { TaskId } from '#model/event.ts'
import type { Scope, State } from './state.ts'

/** Path of a task; the name of the workflow for the root. */
export function pathOf(state: State, task: TaskId): string {
  if (task === 0) return state.workflow
  const scope = state.scopeOf(task)
  const group = state.tasks.group[task]!
  const prefix = prefixOf(state, scope)
  if (group === -1) return prefix + scope.shape.workflow.nodes[task - scope.base]!.name
  const name = scope.shape.workflow.nodes[group - scope.base]!.name
  return `${prefix}${name}[${task - state.groups.get(group)!.base}]`
}

function prefixOf(state: State, scope: Scope): string {
  if (scope.task === 0) return ''
  const known = state.prefixes[scope.index]
  if (known !== undefined) return known
  const again = scope.attempt > 1 ? `#${scope.attempt}` : '' // N1
  const prefix = `${pathOf(state, scope.task)}${again}/`
  state.prefixes[scope.index] = prefix
  return prefix
}
