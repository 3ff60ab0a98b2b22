// Agent life: what becomes of an agent within a run: it is asked, paused, stopped by a person, given up because its model fails again and again.
// Owns: its state, its health, what it has done so far. Does not own: giving its tasks up (end-agent.ts), a conversation (talks.ts), how it is shown (agents-view.ts).
//   L1. While it is paused nothing new is asked of it; what is under way comes to its end. It goes on from there.
//   L2. Stopped, or given up, its conversations are given up and all its further tasks fail at once; `on failure` applies. That is for good, in this run.
//   L3. Only its model's failures count against it (`model/…`), one a conversation; any other end of a conversation says that the model is well. After as many in a
//       row as its limit says it is given up: the model fails for a reason that asking again does not mend. Between attempts `retry` backs off.
import type { Failure, Outcome, RunEvent, TaskId } from '#model/event.ts'
import type { PlanNode } from '#model/plan.ts'
import type { AgentChange } from '#model/report.ts'
import { agentOf } from './agent-role.ts'
import type { Spending } from './budget.ts'
import { failures } from './failures.ts'
import { pathOf } from './path.ts'
import type { AgentLife, State } from './state.ts'

/** Conversations in a row that an agent's model may fail where the program says nothing. */
export const MAX_FAILURES_IN_ROW = 10
/** Characters of its last answer that are kept. */
const MAX_ANSWER_LENGTH = 500

/** What is known of an agent so far. */
export function lifeOf(state: State, agent: string): AgentLife {
  let life = state.lives.get(agent)
  if (life === undefined) {
    life = { isPaused: false, stoppedBy: null, givenUp: null, failuresInRow: 0, lastFailure: null, lastAnswer: null, done: 0, failed: 0, turns: 0, tokens: 0, costMicros: 0 }
    state.lives.set(agent, life)
  }
  return life
}

/** Whether its conversations may ask. // L1 */
export function isPaused(state: State, agent: string): boolean {
  return state.lives.size > 0 && state.lives.get(agent)?.isPaused === true
}

/** Why a task by an agent fails at once; null where it does not. // L2 */
export function closedFor(state: State, task: TaskId, { body }: PlanNode): Failure | null {
  const life = body.kind === 'agent' && state.lives.size > 0 ? state.lives.get(body.agent) : undefined
  if (life === undefined) return null
  const name = agentOf(state, task)?.name ?? ''
  if (life.stoppedBy !== null) return failures.agentStopped(pathOf(state, task), name, life.stoppedBy)
  return life.givenUp === null ? null : failures.agentGivenUp(pathOf(state, task), name, life.failuresInRow, life.givenUp)
}

/** A person steers it. */
export function steered(state: State, { agent, does, by }: Extract<RunEvent, { kind: 'agent-steered' }>): void {
  const life = lifeOf(state, agent)
  if (life.stoppedBy !== null) return
  if (does === 'stop') {
    life.stoppedBy = by
    life.isPaused = false
    state.toClose.push(agent)
  } else life.isPaused = does === 'pause'
  tell(state, agent, does === 'stop' ? 'stopped' : does === 'pause' ? 'paused' : 'resumed')
}

/** One of its turns was answered. */
export function turnAnswered(state: State, agent: string, { tokens, costMicros }: Spending): void {
  const life = lifeOf(state, agent)
  life.turns++
  life.tokens += tokens
  life.costMicros += costMicros
}

/** One of its conversations came to an end; without an outcome it was given up from outside, which says nothing of it. // L3 */
export function conversationEnded(state: State, agent: string, outcome: Outcome | null): void {
  const life = lifeOf(state, agent)
  if (outcome === null) return void life.failed++
  if (outcome.kind === 'value') {
    life.done++
    life.failuresInRow = 0
    life.lastAnswer = (typeof outcome.value === 'string' ? outcome.value : JSON.stringify(outcome.value)).slice(0, MAX_ANSWER_LENGTH)
    return
  }
  life.failed++
  life.lastFailure = outcome.failure
  if (!isOfModel(outcome.failure)) return void (life.failuresInRow = 0)
  life.failuresInRow++
  if (life.failuresInRow < mostFailures(state, agent) || life.givenUp !== null || life.stoppedBy !== null) return
  life.givenUp = outcome.failure
  state.toClose.push(agent)
  tell(state, agent, 'given-up')
}

const isOfModel = ({ code }: Failure): boolean => code.startsWith('model/') && code !== 'model/cancelled'

function mostFailures({ plan }: State, agent: string): number {
  const most = plan.agentBodies !== undefined && Object.hasOwn(plan.agentBodies, agent) ? plan.agentBodies[agent]!.limits['failures'] : undefined
  return typeof most === 'number' ? Math.max(1, most) : MAX_FAILURES_IN_ROW
}

function tell(state: State, agent: string, change: AgentChange): void {
  state.out.push({ kind: 'agent-changed', agent, change })
}
