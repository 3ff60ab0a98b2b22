// Gateway: brings a question to a model and back: the one door from agents to models.
// Owns: attempts, their waits, the way down a chain of fallbacks, the deadline. Does not own: who asks at a server when (endpoint.ts), budgets (engine),
// what a request looks like on the wire (a provider).
//   G1. A failure that may pass is tried again, at most MAX_TRIES times at one model, with waits that double and are drawn at random ("full jitter",
//       https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/). What the server says about waiting goes before.
//   G2. The next model of the chain is asked when one cannot answer: not for what would fail anywhere (a request that no server takes, one that is given up).
//       A broken or paused model is passed over at once where another can answer; one that stays broken fails at once also where none can.
//   G3. Each attempt and why it ended is told, so that the record can say what an answer cost and where it came from.
//   G4. All of it ends by the deadline, waits included.
//   G6. Who may ask only so often in a minute waits before it takes a place that others could use.
//   G5. A model that has no place for what a request holds (tools, images) is not asked; the next one is.
import type { ChatDelta, ChatFailureCode, ChatReply, ChatRequest, LostAttempt } from '#model/chat.ts'
import { isModelFailure, isRetryable, ModelFailure, type Model, type ModelContext } from '#plugin-api/model-provider.ts'
import { PATIENCE_MS, type Clock, type Endpoint } from './endpoint.ts'
import { withPlausibleUsage } from './plausible-usage.ts'

/** Attempts at one model for one question. */
export const MAX_TRIES = 5
const FIRST_WAIT_MS = 500
const MAX_WAIT_MS = 30_000

/** A model as the gateway can ask it. */
export interface GatewayModel {
  /** As the program calls it. */
  readonly key: string
  /** As the provider calls it. */
  readonly name: string
  readonly model: Model
  readonly endpoint: Endpoint
}

export interface GatewayAsk {
  /** The model, then its fallbacks in order; at least one. */
  readonly chain: readonly GatewayModel[]
  readonly request: Omit<ChatRequest, 'model'>
  /** Who asks: agents take turns. */
  readonly agent: string
  /** How often the agent may ask anybody; absent: as often as it likes. */
  readonly pace?: Endpoint
  /** Milliseconds for all of it. */
  readonly deadlineMs: number
  readonly signal: AbortSignal
  /** What a provider is given beside the signal and `onDelta`. */
  contextFor(model: GatewayModel): Promise<Omit<ModelContext, 'signal' | 'onDelta'>>
  onDelta(delta: ChatDelta): void
  /** What was shown of an answer does not count: another attempt begins. */
  onRestart(): void
}

export type GatewayAnswer =
  | { readonly kind: 'reply'; readonly reply: ChatReply; /** Key of the model that answered. */ readonly model: string; readonly lost: readonly LostAttempt[] }
  | { readonly kind: 'failure'; readonly code: ChatFailureCode; readonly message: string; readonly lost: readonly LostAttempt[] }

/** Failures for which no other model need be asked. */
const hopeless: ReadonlySet<ChatFailureCode> = new Set(['cancelled', 'bad-request'])

/** Why a deadline is waited for no more: an error of its own would be made, with its stack, for every question. */
const over = new Error('The question is answered.')

/** Asks until there is an answer, or none can be had. Never rejects but for a bug. */
export async function askModels(ask: GatewayAsk, clock: Clock): Promise<GatewayAnswer> {
  const lost: LostAttempt[] = []
  const late = new AbortController()
  const done = new AbortController()
  clock.sleep(ask.deadlineMs, done.signal).then(() => late.abort(), () => {}) // G4
  const signal = AbortSignal.any([ask.signal, late.signal])
  try {
    const able = ask.chain.filter(each => isAble(each, ask.request, lost))
    const order = [...able.filter(each => !isPassedOver(each, able)), ...able.filter(each => isPassedOver(each, able))] // G2
    for (const [index, model] of order.entries()) {
      const reply = await askOne(model, index === order.length - 1, ask, signal, clock, lost)
      if (reply !== null) return { kind: 'reply', reply, model: model.key, lost }
      if (hopeless.has(lost.at(-1)?.code ?? 'server') || signal.aborted) break
    }
  } finally {
    done.abort(over)
  }
  if (ask.signal.aborted) return { kind: 'failure', code: 'cancelled', message: 'The question was given up.', lost }
  if (late.signal.aborted) return { kind: 'failure', code: 'timed-out', message: `No model answered within ${Math.round(ask.deadlineMs / 1_000)} s.${lost.length === 0 ? '' : ` Last: ${lost.at(-1)!.message}`}`, lost }
  return { kind: 'failure', code: lost.at(-1)!.code, message: lost.at(-1)!.message, lost }
}

/** G5. */
function isAble({ key, model: { abilities } }: GatewayModel, { tools, messages }: GatewayAsk['request'], lost: LostAttempt[]): boolean {
  const hasImages = (): boolean => messages.some(({ content }) => content.some(each => each.kind === 'image' || (each.kind === 'tool-result' && each.content.some(part => part.kind === 'image'))))
  const lacks = tools.length > 0 && !abilities.tools ? 'tools' : !abilities.images && hasImages() ? 'images' : null
  if (lacks !== null) lost.push({ model: key, code: 'bad-request', message: `\`${key}\` takes no ${lacks}: it cannot answer this agent.` })
  return lacks === null
}

function isPassedOver({ endpoint }: GatewayModel, chain: readonly GatewayModel[]): boolean {
  return chain.length > 1 && (endpoint.isBroken || endpoint.closedForMs > PATIENCE_MS)
}

/** Null when this model gave no answer; `lost` then says why. */
async function askOne(model: GatewayModel, isLast: boolean, ask: GatewayAsk, signal: AbortSignal, clock: Clock, lost: LostAttempt[]): Promise<ChatReply | null> {
  for (let tries = 1; ; tries++) {
    const outcome = await attempt(model, ask, signal)
    if ('content' in outcome) return outcome
    lost.push({ model: model.key, code: outcome.code, message: outcome.message })
    const mayPass = isRetryable(outcome.code) && tries < MAX_TRIES && !signal.aborted // G1
    const { endpoint } = model
    const isLong = (outcome.retryAfterMs ?? 0) > PATIENCE_MS || endpoint.isBroken
    const isGivenUp = endpoint.isBroken && endpoint.closedForMs > PATIENCE_MS
    if (!mayPass || (isLong && !isLast) || isGivenUp) return null
    const waitMs = outcome.retryAfterMs ?? Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** (tries - 1)) * clock.random()
    await clock.sleep(waitMs, signal).catch(() => {}) // seen by the next attempt
    ask.onRestart()
  }
}

async function attempt(model: GatewayModel, ask: GatewayAsk, signal: AbortSignal): Promise<ChatReply | ModelFailure> {
  const { endpoint } = model
  const mayAsk = (await ask.pace?.begin(ask.agent, signal).catch(() => null)) ?? null // G6
  if (mayAsk === 'taken') ask.pace!.end('given-up')
  const place = await endpoint.begin(ask.agent, signal).catch(() => null)
  if (place === null) return new ModelFailure('cancelled', 'The question was given up while it waited for its turn.')
  if (place === 'broken') return new ModelFailure('network', `\`${model.key}\` has not answered for a while, and is left alone for another ${Math.ceil(endpoint.closedForMs / 1_000)} s.`)
  if (place === 'full') return new ModelFailure('overloaded', `Too many questions wait for \`${model.key}\`.`)
  let failure: ModelFailure
  try {
    const context = await ask.contextFor(model)
    const reply = await model.model.ask({ ...ask.request, model: model.name }, { ...context, signal, onDelta: delta => ask.onDelta(delta) })
    endpoint.end('answered')
    return withPlausibleUsage(reply, ask.request)
  } catch (error) {
    if (!isModelFailure(error)) {
      endpoint.end('given-up')
      throw error
    }
    failure = error
  }
  const { code, retryAfterMs } = failure
  endpoint.end(code === 'rate-limited' ? 'rate-limited' : isRetryable(code) ? 'failed' : 'given-up', retryAfterMs)
  return failure
}
