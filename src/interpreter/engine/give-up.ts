// Give up: a task fails for good, and what its `on failure` says follows.
// Owns: the three policies. Does not own: whether it is tried again (attempt.ts), what its end means to others (settle.ts).
import type { Failure, Outcome, TaskId } from '#model/event.ts'
import type { PlanNode, PlanOnFailure } from '#model/plan.ts'
import { over, overByFailure } from './over.ts'
import type { State } from './state.ts'
import { phase } from './tasks.ts'

/** What follows when a task fails; null for a `let`. */
export function policyOf(state: State, task: TaskId, node: PlanNode): PlanOnFailure | null {
  return node.onFailure ?? (node.kind === 'let' ? null : state.scopeOf(task).shape.workflow.onFailure)
}

export function giveUp(state: State, task: TaskId, node: PlanNode, failure: Failure): void {
  switch (policyOf(state, task, node)?.kind) {
    case 'continue':
      state.failures.set(task, failure)
      return over(state, task, 'failed', null)
    case 'use':
      state.failures.set(task, failure)
      state.tasks.phase[task] = phase.fallback
      state.out.push({ kind: 'evaluate', task, attempt: state.tasks.attempt[task]!, part: 'fallback' })
      return
    default:
      overByFailure(state, task, failure)
  }
}

export function fallbackAnswered(state: State, task: TaskId, outcome: Outcome): void {
  if (outcome.kind === 'value') over(state, task, 'failed', outcome.value)
  else overByFailure(state, task, outcome.failure)
}
