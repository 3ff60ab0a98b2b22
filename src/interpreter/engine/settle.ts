// Settle: what the end of a task means to those who waited for it, to its `for` and to its workflow.
// Owns: dependents, the list a `for` makes, the end of a workflow. Does not own: the end of an attempt (attempt.ts).
//   L1. A task that failed without a value fails what it belongs to; its siblings are cancelled.
//   L2. A `for` gives its values in the order of its list; holes stay in place.
import type { TaskId } from '#model/event.ts'
import type { Value } from '#model/type.ts'
import { cancelItems, cancelScope, closeScope } from './cancel.ts'
import { deskOver, isDesk } from './delegation.ts'
import { askForResult } from './open-scope.ts'
import { over, overByFailure } from './over.ts'
import type { Group, Scope, State } from './state.ts'
import type { Outcome } from '#model/event.ts'
import { isOver, phase } from './tasks.ts'

export function settle(state: State, task: TaskId): void {
  const owner = state.tasks.group[task]!
  if (owner !== -1) return settleItem(state, state.groups.get(owner)!, task)
  const scope = state.scopeOf(task)
  if (!scope.isOpen) return
  if (isDesk(scope)) return deskOver(state, scope)
  if (state.tasks.values[task] === undefined) {
    cancelScope(state, scope) // L1
    return endScope(state, scope, { kind: 'failure', failure: state.failures.get(task)! })
  }
  const { starts, dependents } = scope.shape
  const { pending } = state.tasks
  const index = task - scope.base
  for (let i = starts[index]!; i < starts[index + 1]!; i++) {
    const dependent = scope.base + dependents[i]!
    if (--pending[dependent]! === 0) state.toBegin.push(dependent)
  }
  if (--scope.remaining === 0) askForResult(state, scope)
}

function settleItem(state: State, group: Group, task: TaskId): void {
  if (isOver(state.tasks.phase[group.task]!)) return
  if (state.tasks.values[task] === undefined) {
    cancelItems(state, group) // L1
    return overByFailure(state, group.task, state.failures.get(task)!)
  }
  group.over++
  group.active--
  const count = group.items.length
  while (group.next < count && state.tasks.phase[group.base + group.next] !== phase.waiting) group.next++ // adopted already
  if (group.next < count && group.active < group.width) {
    group.active++
    state.toBegin.push(group.base + group.next++)
  }
  if (group.over === count) over(state, group.task, 'done', valuesOf(state, group))
}

function valuesOf(state: State, group: Group): Value[] {
  const { values } = state.tasks
  const list: Value[] = []
  for (let i = 0; i < group.items.length; i++) list.push(values[group.base + i]!) // L2
  return list
}

/** The result of a workflow is known. */
export function resultAnswered(state: State, scope: Scope, outcome: Outcome): void {
  closeScope(state, scope)
  endScope(state, scope, outcome)
}

function endScope(state: State, scope: Scope, outcome: Outcome): void {
  if (scope.task !== 0) state.tasks.values.fill(undefined, scope.base, scope.base + scope.shape.workflow.nodes.length) // nobody can mention them any more
  state.toEnd.push({ task: scope.task, attempt: scope.attempt, outcome })
}
