// Timeout: how long an attempt at a task may take.
import type { TaskId } from '#model/event.ts'
import { agentOf, limitOfAgent } from './agent-role.ts'
import { least } from './open-scope.ts'
import type { State } from './state.ts'

/** Milliseconds: its `timeout`, or the limit of time of the agent that does it; null: no bound of its own. */
export function timeoutOf(state: State, task: TaskId): number | null {
  const { timeoutMs, body } = state.nodeOf(task)
  const agent = body.kind === 'agent' ? agentOf(state, task) : null
  return agent === null ? timeoutMs : least(timeoutMs, limitOfAgent(state, task, agent, 'timeMs'))
}
