// Models: the models of a plan as a run asks them, each opened once, with one endpoint for each server and key.
// Owns: opening by a provider, which hosts a model reaches, when its key is read. Does not own: whether it may be asked
// (effects/ask-model.ts), attempts and waits (gateway.ts), what a provider says on the wire.
//   M1. A model reaches its own hosts and no other. An address of this machine or a private network is reached where the model's address names it, or by a
//       name that is plainly local; one at which clouds hand out credentials, never.
//   M2. A key is read when a request is about to be sent, for that request alone, and nothing here keeps it.
//   M3. Who shares a server and a key shares its places, pauses and circuit breaker.
import { hostOf } from '#grants/host-pattern.ts'
import type { Host } from '#host/host.ts'
import type { ChatDelta, ChatFailureCode, ChatRequest, LostAttempt } from '#model/chat.ts'
import type { ModelOutcome } from '#model/event.ts'
import type { Plan, PlanModel } from '#model/plan.ts'
import type { Value } from '#model/type.ts'
import { isModelFailure, isRetryable, type Model, ModelFailure, type ModelProvider } from '#plugin-api/model-provider.ts'
import { needsOwnGrant } from '#interpreter/guard/address.ts'
import { type Clock, Endpoint } from './endpoint.ts'
import { askModels, type GatewayModel } from './gateway.ts'
import { modelFetch } from './model-fetch.ts'

/** Milliseconds of one question where its model says nothing, retries and waits included. */
const STANDARD_TIMEOUT_MS = 600_000
/** Until the first byte of an answer: a server of this machine may load the model first. */
const FIRST_BYTE_MS = 300_000
/** Between two pieces of it. */
const IDLE_MS = 120_000

export interface Question {
  /** Keys of the model that is asked, and of those that answer where it cannot, in order. */
  readonly chain: readonly string[]
  /** Who asks: agents take turns. */
  readonly agent: string
  readonly request: Omit<ChatRequest, 'model'>
  readonly signal: AbortSignal
  /** Called before each request is sent, with the model and its hosts. @throws {ModelFailure} where it may not be sent after all. */
  sending(model: string, hosts: readonly string[]): void
  /** Gives a model's key, by the name of its secret. @throws {ModelFailure} */
  keyOf(model: string, secret: string): Promise<string>
  onDelta(delta: ChatDelta): void
}

/** What answers agents. */
export interface AskedModels {
  /** They answer what a test says: nothing is reached, so that nothing need be allowed. */
  readonly isScripted: boolean
  /** Never rejects but for a bug. */
  ask(question: Question): Promise<ModelOutcome>
}

export interface ModelsSettings {
  readonly plan: Plan
  readonly host: Host
  readonly clock: Clock
  /** Null: there is no provider of that name. */
  readonly provider: (name: string) => Promise<ModelProvider | null>
  /** Works out an option of a model. @throws {ModelFailure} */
  readonly evaluate: (model: string, option: Plan['constants'][number]['value']) => Value
}

interface Opened extends GatewayModel {
  readonly plan: PlanModel
  /** Options that a request carries. */
  readonly asking: Pick<ChatRequest, 'temperature' | 'thinkingTokens'>
}

export class OpenModels implements AskedModels {
  readonly isScripted = false
  private readonly settings: ModelsSettings
  private readonly opened = new Map<string, Promise<Opened>>()
  private readonly endpoints = new Map<string, Endpoint>()

  constructor(settings: ModelsSettings) {
    this.settings = settings
  }

  async ask(question: Question): Promise<ModelOutcome> {
    const { clock } = this.settings
    let chain: Opened[]
    try {
      chain = await Promise.all(question.chain.map(key => this.open(key)))
    } catch (error) {
      if (!isModelFailure(error)) throw error
      return failed(error.code, error.message, [])
    }
    const byKey = new Map(chain.map(each => [each.key, each]))
    const answer = await askModels({
      chain: chain.map(each => asked(each)), request: question.request, agent: question.agent, signal: question.signal,
      deadlineMs: chain.reduce((sum, each) => sum + (each.plan.timeoutMs ?? STANDARD_TIMEOUT_MS), 0),
      contextFor: model => this.contextFor(byKey.get(model.key)!, question),
      onDelta: delta => question.onDelta(delta), onRestart: () => {},
    }, clock)
    return answer.kind === 'reply' ? answer : failed(answer.code, answer.message, answer.lost)
  }

  private async contextFor({ key, model, plan }: Opened, question: Question) {
    const { stream } = this.settings.host
    if (stream === undefined) throw new ModelFailure('bad-request', 'No model can be reached from here.')
    question.sending(key, model.hosts)
    const limitMs = plan.timeoutMs ?? Infinity
    const [firstByteMs, idleMs] = [Math.min(FIRST_BYTE_MS, limitMs), Math.min(IDLE_MS, limitMs)]
    const fetch = modelFetch({ stream: (request, signal) => stream(request, signal), mayReach: url => mayReach(key, model, url), mayConnect: mayConnect(key), firstByteMs, idleMs })
    return { fetch, firstByteMs, idleMs, key: plan.key === null ? null : await question.keyOf(key, plan.key) } // M2
  }

  private open(key: string): Promise<Opened> {
    let opened = this.opened.get(key)
    if (opened === undefined) this.opened.set(key, (opened = this.openNow(key)))
    return opened
  }

  private async openNow(key: string): Promise<Opened> {
    const { plan, provider } = this.settings
    const declared = plan.models![key]!
    const found = await provider(declared.provider)
    if (found === null) throw new ModelFailure('unknown-model', `There is no provider of models \`${declared.provider}\` in this tek: the model \`${key}\` cannot be asked.`)
    const { temperature, thinking, ...options } = Object.fromEntries(Object.entries(declared.options).map(([name, value]) => [name, this.settings.evaluate(key, value)]))
    const read = found.options.safeParse(options)
    if (!read.success) throw new ModelFailure('bad-request', `The model \`${key}\` cannot be opened with these options: ${read.error.issues[0]?.message ?? 'they do not fit'}.`)
    const model = found.open(declared.model, read.data)
    return {
      key, name: declared.model, model, plan: declared, endpoint: this.endpointOf(declared, model),
      asking: { ...(typeof temperature === 'number' ? { temperature } : {}), ...(typeof thinking === 'number' ? { thinkingTokens: thinking } : {}) },
    }
  }

  /** M3. */
  private endpointOf({ provider, key }: PlanModel, { hosts }: Model): Endpoint {
    const name = JSON.stringify([provider, hosts, key])
    let endpoint = this.endpoints.get(name)
    if (endpoint === undefined) this.endpoints.set(name, (endpoint = new Endpoint(name, this.settings.clock)))
    return endpoint
  }
}

/** What an agent's task fails with. */
export function failed(code: ChatFailureCode, message: string, lost: readonly LostAttempt[]): ModelOutcome {
  return { kind: 'failure', failure: { code: `model/${code}`, message, task: '', retryable: isRetryable(code) }, lost }
}

/** The same model, asked with the options that its declaration gives. */
function asked({ key, name, model, endpoint, asking }: Opened): GatewayModel {
  return { key, name, endpoint, model: { abilities: model.abilities, hosts: model.hosts, ask: (request, context) => model.ask({ ...request, ...asking }, context) } }
}

/** M1. */
function mayReach(key: string, { hosts }: Model, url: string): void {
  const host = hostOf(url)
  if (host === null || !hosts.some(each => hostOf(each) === host)) throw new ModelFailure('bad-request', `The model \`${key}\` may not reach ${host ?? 'what is no web address'}: its own are ${hosts.join(', ')}.`)
}

/** M1. A name that is plainly local passes everything but the addresses of credentials. */
function mayConnect(key: string): (hostname: string, address: string) => void {
  return (hostname, address) => {
    const isNamed = hostname.replace(/^\[|\]$/g, '') === address
    if (needsOwnGrant('localhost', address) || (!isNamed && needsOwnGrant(hostname, address))) {
      throw new ModelFailure('bad-request', `The model \`${key}\` may not reach \`${hostname}\`: it stands for ${address}, an address of a private network.`)
    }
  }
}
