// Ensure: whether a value is what was wanted, before anything else sees it.
// Owns: the one expression that all conditions are, what follows from its value. Does not own: evaluating it, other repairs (talk/).
//   E1. It is asked of each value that a body comes to: before `verify` compares it and before it is kept. A result from the cache was asked about when it was made.
//   E2. Conditions are looked at in order, up to the first that does not hold: later ones may take for granted what earlier ones say.
//   E3. It is part of the attempt: its place in line, its timeout, its calls. A conversation stays open meanwhile; the agent's levels and its bounds
//       on memory and processors do not hold for it, because it is the workflow that asks.
//   E4. Calls are numbered apart from those of the body; in a conversation on and on, so that no two of one attempt have a key in common.
import type { Outcome, Part, TaskId } from '#model/event.ts'
import type { PlanExpr, PlanNode } from '#model/plan.ts'
import { attemptOver } from './attempt.ts'
import { failures } from './failures.ts'
import { pathOf } from './path.ts'
import type { State } from './state.ts'
import { objectiveMissed } from './talks.ts'

const made = new WeakMap<NonNullable<PlanNode['ensure']>, PlanExpr>()

/** Null when all holds, else what does not, as text. Made once, so that it is compiled once. // E2 */
export function ensureExpr({ ensure = [] }: PlanNode): PlanExpr | null {
  if (ensure.length === 0) return null
  let expr = made.get(ensure)
  if (expr === undefined) {
    expr = ensure.reduceRight<PlanExpr>((rest, { condition, says }) => ({ op: 'if', condition, then: rest, else: says }), { op: 'value', value: null })
    made.set(ensure, expr)
  }
  return expr
}

/** Number of the first call of a part. // E4 */
export function firstCallOf(state: State, task: TaskId, part: Part): number {
  return part === 'ensure' ? (state.talks.get(task)?.ensureCalls ?? 0) : 0
}

/** Its calls are over: those of the next time are numbered after them. // E4 */
export function countEnsureCalls(state: State, task: TaskId): void {
  const talk = state.talks.get(task)
  if (talk !== undefined) talk.ensureCalls = Math.max(talk.ensureCalls, state.calls.get(task)?.length ?? 0)
}

/** What was wanted of a value is worked out. */
export function ensureAnswered(state: State, task: TaskId, outcome: Outcome): void {
  const value = state.ensuring.get(task)
  if (value === undefined) return
  state.ensuring.delete(task)
  if (outcome.kind === 'failure') return attemptOver(state, task, outcome)
  if (outcome.value === null) return attemptOver(state, task, { kind: 'value', value })
  const says = typeof outcome.value === 'string' ? outcome.value : JSON.stringify(outcome.value)
  if (state.talks.has(task)) return objectiveMissed(state, task, says)
  attemptOver(state, task, { kind: 'failure', failure: failures.notEnsured(pathOf(state, task), says, value) })
}
