// Fits: whether what a person asks of a run can be done, as the run stands.
// Owns: that question, for whoever asks before a request is put and for the run itself when it takes one. Does not own: what a request does (engine).
//   F1. Both ask the same function: a request that was let through is refused later only when the run has gone on meanwhile.
import { didYouMean } from '#base/did-you-mean.ts'
import { runErrors } from '#diagnostics/catalog/run.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import type { RunEvent, TaskId } from '#model/event.ts'
import type { Plan } from '#model/plan.ts'
import { canBeGivenUp } from './engine/cancel.ts'
import type { State } from './engine/state.ts'
import { isOver, phase } from './engine/tasks.ts'
import { folded, taskAt, unknownTask } from './find-task.ts'
import type { RunRequest } from './journal/journal.ts'

/**
 * Why a recorded run cannot do what it is asked; null when it can.
 *
 * @param events of the run, in order.
 * @example
 * whyNot(plan, log.events(), { kind: 'answer', task: 'deploy', verdict: 'approved', by: 'tek approve' })
 */
export function whyNot(plan: Plan, events: Iterable<RunEvent>, request: RunRequest): Diagnostic | null {
  const fit = fits(folded(plan, events), request)
  return 'code' in fit ? fit : null
}

/** The task that a request is about (0 for the run itself), or why it cannot be done. // F1 */
export function fits(state: State, request: RunRequest): { readonly task: TaskId } | Diagnostic {
  if (state.isFinished) return runErrors['finished-already']({ runId: state.runId })
  if (request.kind === 'pause') return { task: 0 }
  if (request.kind === 'steer') return steerable(state, request)
  const task = taskAt(state, request.task)
  if (task === null || state.nodeOf(task).kind === 'let') return unknownTask(state, state.runId, request.task)
  const { task: path } = request
  if (isOver(state.tasks.phase[task]!)) return runErrors['over-before']({ task: path })
  if (request.kind === 'cancel') return canBeGivenUp(state, task) ? { task } : runErrors['given-up-already']({ task: path })
  return state.tasks.phase[task] === phase.asking ? { task } : runErrors['not-asking']({ task: path })
}

/** An agent of the program that was neither stopped nor given up. */
function steerable({ plan, lives, runId }: State, { agent }: Extract<RunRequest, { kind: 'steer' }>): { readonly task: TaskId } | Diagnostic {
  if (plan.agentBodies === undefined || !Object.hasOwn(plan.agentBodies, agent)) return runErrors['unknown-agent']({ runId, name: agent, suggestions: didYouMean(agent, plan.agents) })
  const life = lives.get(agent)
  return life !== undefined && (life.stoppedBy !== null || life.givenUp !== null) ? runErrors['agent-over']({ agent, by: life.stoppedBy }) : { task: 0 }
}
