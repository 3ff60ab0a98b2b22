// Cancel: what is given up when a workflow, a `for` or an attempt fails or runs out of time.
// Owns: which commands are taken back.
import type { TaskId } from '#model/event.ts'
import { mark } from './over.ts'
import { stepOut } from './place.ts'
import { timerOf } from './protocol.ts'
import type { Group, Scope, State } from './state.ts'
import { isOver, phase } from './tasks.ts'

/** Gives up everything in a workflow that is not over, and closes it. */
export function cancelScope(state: State, scope: Scope): void {
  closeScope(state, scope)
  for (let i = 0; i < scope.shape.workflow.nodes.length; i++) cancelTask(state, scope.base + i)
}

/** Nothing that happens to its tasks from now on has an effect. */
export function closeScope(state: State, scope: Scope): void {
  scope.isOpen = false
  state.inside.delete(scope.task)
  if (scope.timeMs !== null) state.out.push({ kind: 'clear-timer', timer: timerOf(scope.task, scope.attempt, 'time-limit') })
}

export function cancelItems(state: State, group: Group): void {
  for (let i = 0; i < group.items.length; i++) cancelTask(state, group.base + i)
}

function cancelTask(state: State, task: TaskId): void {
  if (isOver(state.tasks.phase[task]!)) return
  cancelAttempt(state, task)
  const group = state.groups.get(task)
  if (group !== undefined) cancelItems(state, group)
  mark(state, task, 'cancelled')
}

/** Takes back what the current attempt of a task has asked for; its phase is changed by the caller. */
export function cancelAttempt(state: State, task: TaskId): void {
  const attempt = state.tasks.attempt[task]!
  switch (state.tasks.phase[task]) {
    case phase.waiting:
    case phase.items:
      return
    case phase.queued:
      return stepOut(state, task)
    case phase.backoff:
      state.out.push({ kind: 'clear-timer', timer: timerOf(task, attempt, 'retry') })
      return
    case phase.body:
      stepOut(state, task)
      break
    case phase.inside:
    case phase.returns: {
      const inner = state.inside.get(task)
      if (inner !== undefined) cancelScope(state, inner)
      break
    }
  }
  state.out.push({ kind: 'cancel', task, attempt })
  if (task !== 0 && state.nodeOf(task).timeoutMs !== null) state.out.push({ kind: 'clear-timer', timer: timerOf(task, attempt, 'timeout') })
}
