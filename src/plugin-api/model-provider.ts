// Model provider: what a plugin offers that brings language models. Published.
// Owns: the contract between a provider and the gateway. Does not own: queues, retries, budgets, fallbacks (gateway): a provider makes one attempt.
//   M1. `ask` makes one request. It neither waits for a better moment nor asks again: it fails with a ModelFailure that says what the gateway needs to know.
//       Only a server that does not understand the form of a request may be asked in an older form at once: it has answered nothing yet.
//   M2. It reaches the network only through `context.fetch`, which the guard watches; aborting `context.signal` closes the socket.
//   M3. It resolves only when the end of the answer was seen; a stream that ends early is `cut-off`.
import type { z } from 'zod'
import type { ChatDelta, ChatFailureCode, ChatReply, ChatRequest } from '#model/chat.ts'

/** What a provider is given for one request. */
export interface ModelContext {
  /** Aborted when the answer is no longer wanted. */
  readonly signal: AbortSignal
  /** As the web's `fetch`, streaming; redirects are followed only within the granted hosts. */
  readonly fetch: typeof fetch
  /** The key of the account; null where the program gives none. */
  readonly key: string | null
  /** Milliseconds until the first byte of an answer, and between two pieces of it. */
  readonly firstByteMs: number
  readonly idleMs: number
  /** Called with each piece as it comes; shown, never decided on. */
  onDelta(delta: ChatDelta): void
  /** Something about the model that its user should know, such as its end: once in the run's log. */
  onNote?(text: string): void
}

/** What a model can do, as far as its provider knows. */
export interface ModelAbilities {
  readonly images: boolean
  readonly tools: boolean
  /** Holds to the schema of an answer by itself. */
  readonly schemas: boolean
  /** Tokens of question and answer together; null: unknown. */
  readonly contextTokens: number | null
}

/** A model as a program declared it, ready to be asked. */
export interface Model {
  readonly abilities: ModelAbilities
  /** Hosts it needs, `host:port`; none for a model on this machine. */
  readonly hosts: readonly string[]
  /** Requests that it takes at once, where a program does not say; absent: as many as the gateway gives. */
  readonly parallel?: number
  /** One request. @throws {ModelFailure} and nothing else. */
  ask(request: ChatRequest, context: ModelContext): Promise<ChatReply>
  /** Tokens that the request holds, exactly; absent where that cannot be told without asking. */
  countTokens?(request: ChatRequest, context: ModelContext): Promise<number>
  /** Gives back what it holds of this machine; asked once, when nothing is under way any more. */
  close?(): Promise<void>
}

/** Where a model is opened. */
export interface ModelPlace {
  /** Absolute folder in which the program runs: what a relative path of a model begins at. */
  readonly folder: string
}

/** A way to declare models: `model x = name("model-name", option: …)`. */
export interface ModelProvider<Options extends z.ZodType = z.ZodType> {
  readonly doc: string
  /** An object of what a program may say beside what it says of any model (`maxTokens`, `price`, `timeout`, `key`, `fallback`, …). */
  readonly options: Options
  /** Of a plugin: hosts that its models may reach, `host:port`, beside those that a program names in an option. */
  readonly hosts?: readonly string[]
  /** Called once for each declared model, with checked options. @throws {ModelFailure} where there is no such model. */
  open(model: string, options: z.output<Options>, place: ModelPlace): Model | Promise<Model>
}

/**
 * Declares models of a plugin.
 *
 * @example
 * modelProvider({
 *   doc: 'Says what it is asked.', options: z.object({ twice: z.boolean().optional() }),
 *   open: (model, { twice = false }) => ({
 *     abilities: { images: false, tools: false, schemas: false, contextTokens: null }, hosts: [],
 *     ask: async ({ messages }) => ({ content: messages.at(-1)!.content, stop: 'done', usage: noUsage, model }),
 *   }),
 * })
 */
export function modelProvider<const Options extends z.ZodType>(provider: ModelProvider<Options>): ModelProvider {
  return provider as unknown as ModelProvider
}

/** Why a request came to nothing. */
export class ModelFailure extends Error {
  override readonly name = 'ModelFailure'
  readonly code: ChatFailureCode
  /** Milliseconds that the server asks to wait; null: it does not say. */
  readonly retryAfterMs: number | null
  readonly details: string | null

  /**
   * @param message one sentence in the user's words.
   * @example
   * throw new ModelFailure('rate-limited', 'The account may not ask more often.', { retryAfterMs: 2_000 })
   */
  constructor(code: ChatFailureCode, message: string, options: { readonly retryAfterMs?: number; readonly details?: string } = {}) {
    super(message)
    this.code = code
    this.retryAfterMs = options.retryAfterMs ?? null
    this.details = options.details ?? null
  }
}

/** Known by its name, not its class: a bundle may carry its own copy. */
export function isModelFailure(error: unknown): error is ModelFailure {
  return error instanceof Error && error.name === 'ModelFailure' && 'code' in error && typeof error.code === 'string'
}

const retryable: ReadonlySet<ChatFailureCode> = new Set(['rate-limited', 'overloaded', 'network', 'timed-out', 'cut-off', 'server'])

/** Whether the same request may succeed later. */
export function isRetryable(code: ChatFailureCode): boolean {
  return retryable.has(code)
}
