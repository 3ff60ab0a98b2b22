// Ask model: one question of an agent to its model, from the guard's yes to the outcome.
// Owns: the guard's place before every request, what a model is shown of secrets and what is kept of its answer. Does not own: the way there and back
// (gateway/), whose turn it is and what an answer means (engine/talk).
//   A1. No question without `llm(model)` at every level of authority; a fallback that lacks it is not asked.
//   A2. Before each request, however late, the kill switches are looked at, and what is about to be sent where is in the audit log, durably. A question that is
//       stopped there has no outcome: it is asked when the run goes on.
//   A3. The key is read when a request is about to be sent, if the person who runs the program lets its source be read; a program that may ask the model
//       may use the model's key for that and for nothing else.
//   A4. No secret goes out with a question, and none that comes back is kept.
import type { Authority, Grant } from '#model/capability.ts'
import type { ChatRequest } from '#model/chat.ts'
import type { ModelOutcome, TaskId } from '#model/event.ts'
import { ModelFailure } from '#plugin-api/model-provider.ts'
import { standInName } from '#interpreter/engine/evaluation.ts'
import { pathOf } from '#interpreter/engine/path.ts'
import { priceOf } from '#interpreter/engine/questions.ts'
import { costOf, tokensOf } from '#interpreter/engine/talk/talk.ts'
import { levelsOf } from '#interpreter/engine/view.ts'
import { checkNeeds, isAllowed } from '#interpreter/guard/guard.ts'
import { needOf } from '#grants/secret-source.ts'
import { noSecrets } from '#interpreter/secrets/vault.ts'
import type { World } from '#interpreter/world.ts'
import { Saying } from './saying.ts'
import { shownRequest, withoutSecrets } from './shown-request.ts'

export interface AgentQuestion {
  readonly task: TaskId
  /** Key of the agent. */
  readonly agent: string
  /** Keys of its model and of those that answer where it cannot, in order. */
  readonly chain: readonly string[]
  readonly request: Omit<ChatRequest, 'model'>
}

/** Asks. Null: it was stopped before a request was sent. Rejects only when the audit log cannot be kept, or for a bug. */
export async function askModel(world: World, { task, agent, chain, request }: AgentQuestion, signal: AbortSignal): Promise<ModelOutcome | null> {
  const { state, cwd, calls, audit, secrets } = world
  if (world.models.isScripted) { // what is asked is compared with what was recorded as it was sent
    return world.models.ask({ chain, agent, task: pathOf(state, task), request: shownRequest(request, secrets), signal, ...nothingSent })
  }
  const levels: Authority[] = [...(world.permit === null ? [] : [world.permit]), ...levelsOf(state, task).map(level => level.allows)]
  const taskPath = pathOf(state, task)
  const call = `agent ${agent}`
  const decided = (grant: Grant, allowed: boolean): void => audit.record({ kind: 'decision', task: taskPath, call, grant, allowed })
  const need = (key: string): Grant => ({ name: 'llm', args: [key] })
  const [first] = chain
  if (first === undefined) return { kind: 'failure', failure: { code: 'run/not-available-yet', message: `The agent \`${agent}\` has no model to ask.`, task: '', retryable: false }, lost: [] }
  const refusal = checkNeeds(levels, [need(first)], cwd, world.kindsOf) // A1
  if (refusal !== null) {
    calls.refused++
    decided(need(first), false)
    return { kind: 'failure', failure: { ...refusal, task: '' }, lost: [] }
  }
  let isStopped = false
  const saying = new Saying({ task: taskPath, agent, now: () => world.host.monotonic(), redact: text => secrets.redactText(text), show: notice => world.show(notice) })
  const perMinute = state.plan.agentBodies?.[agent]?.limits['requestsPerMinute']
  const outcome = await world.models.ask({
    agent, signal, ...(typeof perMinute === 'number' ? { perMinute } : {}), request: shownRequest(request, secrets), // A4
    chain: chain.filter(key => isAllowed(levels, need(key), cwd, world.kindsOf)), // A1
    sending(key, hosts) {
      isStopped ||= !world.mayAct()
      if (isStopped) throw new ModelFailure('cancelled', 'The run is being stopped: nothing is begun any more.') // A2
      decided(need(key), true)
      for (const host of hosts) decided({ name: 'net', args: [host] }, true)
      calls.fetched++
    },
    keyOf: (key, secret) => keyOf(world, { taskPath, call, model: key, secret }),
    onDelta: delta => saying.take(delta), onRestart: () => saying.restart(), onNote: (model, text) => world.log(taskPath, `The model \`${model}\`: ${secrets.redactText(text)}`),
  })
  if (isStopped) return null
  if (outcome.kind === 'failure') audit.record({ kind: 'outcome', task: taskPath, call, ok: false, code: outcome.failure.code })
  else {
    const { model, reply: { model: name, usage } } = outcome
    const price = priceOf(state.plan, model)
    audit.record({ kind: 'model-answered', task: taskPath, agent, model, name, tokens: tokensOf(usage), costMicros: price === null ? null : costOf(usage, price) })
  }
  return secrets === noSecrets ? outcome : withoutSecrets(outcome, text => secrets.redactText(text)) // A4
}

const nothingSent = { sending: () => {}, keyOf: async () => '', onDelta: () => {}, onRestart: () => {}, onNote: () => {} }

/** A3. */
async function keyOf(world: World, { taskPath, call, model, secret }: { readonly taskPath: string; readonly call: string; readonly model: string; readonly secret: string }): Promise<string> {
  const { secrets, audit, permit, state } = world
  const standIn = secrets.standIns.get(standInName(secret))
  const declared = state.plan.secrets?.find(each => each.name === secret)
  if (standIn === undefined || declared === undefined) throw new ModelFailure('no-key', `The model \`${model}\` has no key.`)
  const locked = await secrets.unlock(standIn, [permit ?? [needOf(declared.source)]], (grant, allowed) => audit.record({ kind: 'decision', task: taskPath, call, grant, allowed }))
  if (locked !== null) throw new ModelFailure('no-key', `The key of the model \`${model}\`: ${locked.message}${locked.help === undefined ? '' : ` ${locked.help}`}`)
  const { value, used } = secrets.reveal(standIn)
  for (const name of used) audit.record({ kind: 'secret-used', task: taskPath, call, secret: name })
  return String(value)
}
