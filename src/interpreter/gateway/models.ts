// Models: the models of a plan as a run asks them, each opened once, with one endpoint for each server and key.
// Owns: opening by a provider, which hosts a model reaches, when its key is read. Does not own: whether it may be asked
// (effects/ask-model.ts), attempts and waits (gateway.ts), what a provider says on the wire.
//   M1. A model reaches its own hosts and no other. An address of this machine or a private network is reached where the model's address names it, or by a
//       name that is plainly local; one at which clouds hand out credentials, never.
//   M2. A key is read when a request is about to be sent, for that request alone, and nothing here keeps it.
//   M3. Who shares a server and a key shares its places, pauses and circuit breaker; of what programs say of these, the narrowest holds for all of them. A model
//       without a server shares with nobody.
//   M4. Connections are kept for who shares a server and a key, and closed with the run. Each use of one is decided anew, as if it were opened.
//   M5. At most QUESTIONS_A_TURN begin in one turn of the event loop: hundreds at once hold it up no longer than a few do.
import { hostOf } from '#grants/host-pattern.ts'
import type { Host, HttpConnections } from '#host/host.ts'
import type { ChatDelta, ChatFailureCode, ChatRequest, LostAttempt } from '#model/chat.ts'
import type { ModelOutcome } from '#model/event.ts'
import type { Plan, PlanModel } from '#model/plan.ts'
import type { Value } from '#model/type.ts'
import { isModelFailure, isRetryable, type Model, ModelFailure, type ModelProvider } from '#plugin-api/model-provider.ts'
import { needsOwnGrant } from '#interpreter/guard/address.ts'
import { type Clock, Endpoint, MAX_PER_MINUTE } from './endpoint.ts'
import { askModels, type GatewayModel } from './gateway.ts'
import { modelFetch } from './model-fetch.ts'

/** Milliseconds of one question where its model says nothing, retries and waits included. */
const STANDARD_TIMEOUT_MS = 600_000
/** Until the first byte of an answer: a server of this machine may load the model first. */
const FIRST_BYTE_MS = 300_000
/** Between two pieces of it. */
const IDLE_MS = 120_000
/** Notes of providers that a run tells, and the length of one. */
const MAX_NOTES = 20
const MAX_NOTE_LENGTH = 1_000
/** Each takes some milliseconds of this thread, on a slow machine. */
const QUESTIONS_A_TURN = 4
/** Requests at once that a program may name. */
const MAX_PLACES = 1_000

export interface Question {
  /** Keys of the model that is asked, and of those that answer where it cannot, in order. */
  readonly chain: readonly string[]
  /** Who asks: agents take turns. */
  readonly agent: string
  /** Requests of this agent in any minute, whatever model they go to; absent: no bound. */
  readonly perMinute?: number
  /** Path of its task; absent: what answers need not know. */
  readonly task?: string
  readonly request: Omit<ChatRequest, 'model'>
  readonly signal: AbortSignal
  /** Called before each request is sent, with the model and its hosts. @throws {ModelFailure} where it may not be sent after all. */
  sending(model: string, hosts: readonly string[]): void
  /** Gives a model's key, by the name of its secret. @throws {ModelFailure} */
  keyOf(model: string, secret: string): Promise<string>
  onDelta(delta: ChatDelta): void
  /** What was told of an answer does not count: it is asked again. */
  onRestart(): void
  /** Called once for each note that a provider makes about a model. */
  onNote(model: string, text: string): void
}

/** What answers agents. */
export interface AskedModels {
  /** They answer what a test says: nothing is reached, so that nothing need be allowed. */
  readonly isScripted: boolean
  /** Never rejects but for a bug. */
  ask(question: Question): Promise<ModelOutcome>
  /** In sentences, what a test gives that nothing asked for, or that cannot be meant. */
  oddities?(): readonly string[]
  /** Gives back what models hold of this machine. */
  close?(): Promise<void>
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
  private readonly connections = new Map<Endpoint, Promise<HttpConnections>>()
  private readonly paces = new Map<string, Endpoint>()
  private readonly noted = new Set<string>()
  /** Questions that are about to begin. // M5 */
  private readonly ready: (() => void)[] = []

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
      chain: chain.map(each => asked(each)), request: question.request, agent: question.agent, signal: question.signal, ...this.paceOf(question),
      deadlineMs: chain.reduce((sum, each) => sum + (each.plan.timeoutMs ?? STANDARD_TIMEOUT_MS), 0),
      contextFor: model => this.contextFor(byKey.get(model.key)!, question),
      onDelta: delta => question.onDelta(delta), onRestart: () => question.onRestart(),
    }, clock)
    return answer.kind === 'reply' ? answer : failed(answer.code, answer.message, answer.lost)
  }

  async close(): Promise<void> {
    const opened = await Promise.allSettled(this.opened.values())
    await Promise.all(opened.map(each => (each.status === 'fulfilled' ? each.value.model.close?.() : undefined)))
    for (const each of this.connections.values()) (await each).close() // M4
  }

  private async contextFor({ key, model, plan, endpoint }: Opened, question: Question) {
    const { stream = nowhere } = this.settings.host
    if (stream === nowhere && model.hosts.length > 0) throw new ModelFailure('bad-request', 'No model can be reached from here.')
    await this.turn()
    if (question.signal.aborted) throw new ModelFailure('cancelled', 'The question was given up.')
    question.sending(key, model.hosts)
    const limitMs = plan.timeoutMs ?? Infinity
    const [firstByteMs, idleMs] = [Math.min(FIRST_BYTE_MS, limitMs), Math.min(IDLE_MS, limitMs)]
    const fetch = modelFetch({ stream: (request, signal) => stream(request, signal), mayReach: url => mayReach(key, model, url), mayConnect: mayConnect(key), firstByteMs, idleMs, connections: await this.connectionsOf(endpoint) })
    return { fetch, firstByteMs, idleMs, key: plan.key === null ? null : await question.keyOf(key, plan.key), onNote: (text: string) => this.note(key, text, question) } // M2
  }

  /** M5. */
  private turn(): Promise<void> {
    const release = (): void => {
      for (const begin of this.ready.splice(0, QUESTIONS_A_TURN)) begin()
      if (this.ready.length > 0) setImmediate(release)
    }
    return new Promise(resolve => {
      if (this.ready.push(resolve) === 1) setImmediate(release)
    })
  }

  /** M4. */
  private connectionsOf(endpoint: Endpoint): Promise<HttpConnections> | undefined {
    let kept = this.connections.get(endpoint)
    if (kept === undefined && this.settings.host.keepConnections !== undefined) this.connections.set(endpoint, (kept = this.settings.host.keepConnections()))
    return kept
  }

  private paceOf({ agent, perMinute }: Question): { readonly pace?: Endpoint } {
    if (perMinute === undefined) return {}
    let pace = this.paces.get(agent)
    if (pace === undefined) {
      pace = new Endpoint(agent, this.settings.clock, Infinity)
      pace.bound({ perMinute })
      this.paces.set(agent, pace)
    }
    return { pace }
  }

  private note(key: string, text: string, question: Question): void {
    const note = `${key} ${text}`
    if (this.noted.size >= MAX_NOTES || this.noted.has(note)) return
    this.noted.add(note)
    question.onNote(key, text.slice(0, MAX_NOTE_LENGTH))
  }

  private open(key: string): Promise<Opened> {
    let opened = this.opened.get(key)
    if (opened === undefined) {
      this.opened.set(key, (opened = this.openNow(key)))
      opened.catch(() => this.opened.delete(key)) // a plugin may open it the next time
    }
    return opened
  }

  private async openNow(key: string): Promise<Opened> {
    const { plan, provider } = this.settings
    const declared = plan.models![key]!
    const found = await provider(declared.provider)
    if (found === null) throw new ModelFailure('unknown-model', `There is no provider of models \`${declared.provider}\` in this tek: the model \`${key}\` cannot be asked.`)
    const { temperature, thinking, parallel, requestsPerMinute, ...options } = Object.fromEntries(Object.entries(declared.options).map(([name, value]) => [name, this.settings.evaluate(key, value)]))
    const read = found.options.safeParse(options)
    if (!read.success) throw new ModelFailure('bad-request', `The model \`${key}\` cannot be opened with these options: ${read.error.issues[0]?.message ?? 'they do not fit'}.`)
    const model = await found.open(declared.model, read.data, { folder: this.settings.host.cwd })
    const places = within('parallel', parallel, MAX_PLACES) ?? model.parallel
    const perMinute = within('requestsPerMinute', requestsPerMinute, MAX_PER_MINUTE)
    const endpoint = this.endpointOf(key, declared, model)
    endpoint.bound({ ...(places === undefined ? {} : { places }), ...(perMinute === undefined ? {} : { perMinute }) })
    return {
      key, name: declared.model, model, plan: declared, endpoint,
      asking: { ...(typeof temperature === 'number' ? { temperature } : {}), ...(typeof thinking === 'number' ? { thinkingTokens: thinking } : {}) },
    }
  }

  /** M3. */
  private endpointOf(model: string, { provider, key }: PlanModel, { hosts }: Model): Endpoint {
    const name = JSON.stringify([provider, ...(hosts.length === 0 ? [[], model] : [hosts, key])])
    let endpoint = this.endpoints.get(name)
    if (endpoint === undefined) this.endpoints.set(name, (endpoint = new Endpoint(name, this.settings.clock)))
    return endpoint
  }
}

const nowhere: NonNullable<Host['stream']> = () => Promise.reject(new ModelFailure('bad-request', 'No model can be reached from here.'))

/** A bound that a program gives; undefined where it gives none. */
function within(name: string, given: Value | undefined, most: number): number | undefined {
  if (given === undefined || given === null) return undefined
  if (typeof given === 'number' && Number.isInteger(given) && given >= 1 && given <= most) return given
  throw new ModelFailure('bad-request', `\`${name}\` of a model is a whole number from 1 to ${most.toLocaleString('en')}.`)
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
