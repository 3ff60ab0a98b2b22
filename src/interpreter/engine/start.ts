// Start: an attempt at a body begins, once everything that comes before it is over.
// Owns: what makes a start impossible; the first step of an attempt. Does not own: what comes before (begin.ts, waiting.ts), places (place.ts).
import type { Failure, TaskId } from '#model/event.ts'
import type { PlanNode } from '#model/plan.ts'
import { closedFor } from './agent-life.ts'
import { agentOf } from './agent-role.ts'
import { failures } from './failures.ts'
import { pathOf } from './path.ts'
import { lineUp } from './place.ts'
import { timerOf } from './protocol.ts'
import type { Needs } from './schedule.ts'
import type { State } from './state.ts'
import { phase } from './tasks.ts'

/** Why the body can never be started here, which is said before anybody is asked; null where it can. */
export function unstartable(state: State, task: TaskId, node: PlanNode): Failure | null {
  if (node.body.kind === 'agent') {
    const closed = closedFor(state, task, node)
    if (closed !== null) return closed
    const agent = agentOf(state, task)
    if (agent === null) return failures.unknownAgent(pathOf(state, task), node.body.agent)
    if (agent.model === null) return failures.notAvailableYet(pathOf(state, task), 'An agent without a model')
  }
  return node.needs !== null && node.body.kind !== 'workflow' ? beyondReach(state, task, node.needs) : null
}

/** Needs that the machine, or a limit of a workflow it is in, can never meet. */
function beyondReach(state: State, task: TaskId, needs: Needs): Failure | null {
  const { memoryBytes, cpu } = state.scopeOf(task).bounds
  const { capacity } = state
  const most = { cpu: capacity.cpu * (cpu ?? 1), memoryBytes: Math.min(capacity.memoryBytes, memoryBytes ?? Infinity) }
  return needs.cpu > most.cpu || needs.memoryBytes > most.memoryBytes ? failures.needsTooMuch(pathOf(state, task), needs, most) : null
}

/** Begins the current attempt: a sub-workflow at once, anything else by taking its place in line. */
export function startAttempt(state: State, task: TaskId, node: PlanNode): void {
  const attempt = state.tasks.attempt[task]!
  const closed = closedFor(state, task, node)
  if (closed !== null) {
    state.tasks.phase[task] = phase.setup
    return state.toEnd.push({ task, attempt, outcome: { kind: 'failure', failure: closed } })
  }
  if (node.body.kind !== 'workflow') return lineUp(state, task)
  if (node.timeoutMs !== null) state.out.push({ kind: 'set-timer', timer: timerOf(task, attempt, 'timeout'), ms: node.timeoutMs })
  state.tasks.phase[task] = phase.setup
  state.out.push({ kind: 'evaluate', task, attempt, part: 'setup' })
}
