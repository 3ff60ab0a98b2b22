// End agent: an agent was stopped or given up: what it has in line and at work fails.
// Owns: which tasks these are. Does not own: why (agent-life.ts), tasks that come later (start.ts).
//   E1. Whether a task fails does not depend on the machine: one in line fails as one at work does.
import { closedFor } from './agent-life.ts'
import { cancelAttempt } from './cancel.ts'
import type { State } from './state.ts'
import { phase } from './tasks.ts'

/** Fails every task that an agent has in line or at work. // E1 */
export function endTasksOf(state: State, agent: string): void {
  const { tasks } = state
  for (let task = 1; task < tasks.size; task++) {
    if (tasks.phase[task] !== phase.queued && !state.talks.has(task)) continue
    const node = state.nodeOf(task)
    if (node.body.kind !== 'agent' || node.body.agent !== agent) continue
    cancelAttempt(state, task)
    tasks.phase[task] = phase.setup // the attempt holds nothing any more
    state.toEnd.push({ task, attempt: tasks.attempt[task]!, outcome: { kind: 'failure', failure: closedFor(state, task, node)! } })
  }
}
