// Cancel: what is given up when a workflow, a `for` or an attempt fails or runs out of time, and when a person gives a task up.
// Owns: which commands are taken back, what a person can give up. Does not own: what follows from a failure (give-up.ts).
//   C1. A person who gives up a `for` gives up each of its items that is not over, also those whose turn has not come: `on failure` is theirs.
//   C2. What cannot fail yet fails when its turn comes: a `for` whose items are not known, a task whose `on failure use` may mention what it waits for.
//   C3. Nothing happens to a task that is over, that is being given up already, or that is a `let`.
import type { TaskId } from '#model/event.ts'
import { failures } from './failures.ts'
import { giveUp, policyOf } from './give-up.ts'
import { mark } from './over.ts'
import { pathOf } from './path.ts'
import { stepOut } from './place.ts'
import { timerOf } from './protocol.ts'
import { closeTalk } from './questions.ts'
import type { Group, Scope, State } from './state.ts'
import { isOver, phase } from './tasks.ts'
import { timeoutOf } from './timeout.ts'
import { stopWaiting } from './waiting.ts'

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
      stepOut(state, task)
      if (!state.talks.has(task)) return
      break
    case phase.away:
      break
    case phase.backoff:
      stopWaiting(state, task)
      state.out.push({ kind: 'clear-timer', timer: timerOf(task, attempt, 'retry') })
      return
    case phase.asking:
    case phase.resting:
      stopWaiting(state, task)
      state.out.push({ kind: 'clear-timer', timer: timerOf(task, attempt, 'due') })
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
  if (state.talks.size > 0) dropTalk(state, task)
  if (state.ensuring.size > 0) state.ensuring.delete(task)
  state.out.push({ kind: 'cancel', task, attempt })
  if (task !== 0 && timeoutOf(state, task) !== null) state.out.push({ kind: 'clear-timer', timer: timerOf(task, attempt, 'timeout') })
}

/** Gives up a conversation with all that it delegated. */
function dropTalk(state: State, task: TaskId): void {
  for (const desk of state.talks.get(task)?.desks.values() ?? []) cancelScope(state, desk)
  closeTalk(state, task)
}

/** A person gives up a task. */
export function cancelByPerson(state: State, task: TaskId, by: string): void {
  if (!canBeGivenUp(state, task)) return
  const { tasks } = state
  const group = state.groups.get(task)
  if (group !== undefined) {
    for (let i = 0; i < group.items.length; i++) cancelByPerson(state, group.base + i, by) // C1
    return
  }
  const node = state.nodeOf(task)
  const owner = tasks.group[task]!
  const isWaiting = tasks.phase[task] === phase.waiting
  if ((node.forEach !== null && owner === -1) || (isWaiting && tasks.pending[task]! > 0 && policyOf(state, task, node)?.kind === 'use')) { // C2
    state.givenUp.set(task, by)
    return
  }
  if (isWaiting && owner !== -1) state.groups.get(owner)!.active++
  cancelAttempt(state, task)
  giveUp(state, task, node, failures.cancelled(pathOf(state, task), by))
}

/** Whether a person can give a task up. // C3 */
export function canBeGivenUp(state: State, task: TaskId): boolean {
  if (task === 0 || task >= state.tasks.size) return false
  const at = state.tasks.phase[task]!
  return !isOver(at) && at !== phase.fallback && state.nodeOf(task).kind === 'task' && !state.givenUp.has(task)
}

/** What a person gave up before its turn came fails now. // C2 */
export function wasGivenUp(state: State, task: TaskId): boolean {
  const by = state.givenUp.size === 0 ? undefined : state.givenUp.get(task)
  if (by === undefined) return false
  if (state.nodeOf(task).forEach !== null && state.tasks.group[task] === -1 && !state.groups.has(task)) return false
  state.givenUp.delete(task)
  cancelByPerson(state, task, by)
  return true
}
