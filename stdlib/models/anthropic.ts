// Anthropic: models over the Messages API, by the official SDK.
// Owns: opening a model, one request, what its errors mean. Does not own: the shapes on the wire (anthropic-wire.ts), retries and queues (the gateway).
//   A1. The SDK reads nothing of the machine: no variable, profile or file of its own. Key, address and socket are the caller's.
//   A2. One attempt: the SDK's own retries are off, and an answer counts only when its end was seen.
//   A3. The SDK is loaded with the first request: it takes a fifth of a second, and not every program asks a model.
//   A4. What the SDK has to say of a model (that its end is near) is told as a note, not printed: it prints while it makes a request, before anything is awaited.
//   A5. A client is made for each request, because key and socket are its own; of the SDK's only what asks for messages: all of it took a millisecond.
//   Source: Messages API, version 2026-10-21.
import type Anthropic from '@anthropic-ai/sdk'
import { isModelFailure, ModelFailure, z, type ChatFailureCode, type ChatReply, type ChatRequest, type Model, type ModelContext, type ModelProvider } from 'tek-lang/plugin'
import { Answer, countedRequest, request as asRequest } from './anthropic-wire.ts'
import { asUrl, explainedBelow, hostOf, missingLibrary, retryAfterMs } from './provider-facts.ts'

const STANDARD_URL = 'https://api.anthropic.com'
/** The SDK's own deadline comes this much after that of `context.fetch`, which says what was late. */
const LATER_MS = 60_000
/** Tokens that all current models take, question and answer together; some take more, which nothing here depends on. */
const LEAST_CONTEXT_TOKENS = 200_000

const options = z.object({
  /** Another server that speaks the same protocol. */
  baseUrl: z.string().optional(),
})

export const anthropic = {
  doc: 'Models of Anthropic, over its Messages API.',
  options,
  open(model, { baseUrl = STANDARD_URL }) {
    return new AnthropicModel(model, asUrl(baseUrl))
  },
} satisfies ModelProvider<typeof options>

class AnthropicModel implements Model {
  readonly abilities = { images: true, tools: true, schemas: true, contextTokens: LEAST_CONTEXT_TOKENS }
  readonly hosts: readonly string[]
  private readonly model: string
  private readonly baseUrl: URL

  constructor(model: string, baseUrl: URL) {
    this.model = model
    this.baseUrl = baseUrl
    this.hosts = [hostOf(baseUrl)]
  }

  async ask(request: ChatRequest, context: ModelContext): Promise<ChatReply> {
    const messages = await this.messages(context)
    try {
      const { made, said } = hearing(() => messages.create({ ...asRequest(request, this.model), stream: true }, { signal: context.signal }))
      for (const each of said) context.onNote?.(each) // A4
      const { data: stream, request_id: requestId } = await made.withResponse()
      const answer = new Answer(context.onDelta)
      for await (const event of stream) answer.take(event)
      if (context.signal.aborted) throw new ModelFailure('cancelled', 'The request was given up.')
      return answer.reply(requestId ?? undefined) // A2
    } catch (error) {
      throw await explained(error, context.signal)
    }
  }

  async countTokens(request: ChatRequest, context: ModelContext): Promise<number> {
    const messages = await this.messages(context)
    try {
      return (await messages.countTokens(countedRequest(request, this.model), { signal: context.signal })).input_tokens
    } catch (error) {
      throw await explained(error, context.signal)
    }
  }

  private async messages({ key, fetch, firstByteMs }: ModelContext): Promise<Anthropic.Messages> {
    if (key === null) throw new ModelFailure('no-key', `The model \`${this.model}\` needs a key: \`secret anthropicKey = env("ANTHROPIC_API_KEY")\` and \`key: anthropicKey\`.`)
    const { Anthropic: { Messages }, BaseAnthropic } = await import('@anthropic-ai/sdk').catch(() => { throw missingLibrary('@anthropic-ai/sdk') }) // A3
    return new Messages(new BaseAnthropic({ // A1 A5
      apiKey: key, authToken: null, credentials: null, config: null, profile: null, webhookKey: null, baseURL: this.baseUrl.href.replace(/\/$/, ''),
      maxRetries: 0, timeout: firstByteMs + LATER_MS, fetch, openTelemetry: false, logLevel: 'off',
    }))
  }
}

/** A4: nothing else runs meanwhile, so nothing else is heard. */
function hearing<Made>(make: () => Made): { readonly made: Made; readonly said: readonly string[] } {
  const said: string[] = []
  const { warn } = console
  Object.assign(console, { warn: (...words: unknown[]) => void said.push(words.map(String).join(' ')) })
  try {
    return { made: make(), said }
  } finally {
    Object.assign(console, { warn })
  }
}

const codesByType: Readonly<Record<string, ChatFailureCode>> = {
  rate_limit_error: 'rate-limited', overloaded_error: 'overloaded', api_error: 'server', timeout_error: 'timed-out', authentication_error: 'no-key', permission_error: 'no-key',
  billing_error: 'quota', not_found_error: 'unknown-model', request_too_large: 'context-full', invalid_request_error: 'bad-request',
}

function codeOf(status: number | undefined, type: string | null): ChatFailureCode {
  const known = type === null ? undefined : codesByType[type]
  if (known !== undefined) return known
  if (status === 429) return 'rate-limited'
  if (status === 529 || status === 503) return 'overloaded'
  if (status === 401 || status === 403) return 'no-key'
  if (status === 402) return 'quota'
  if (status === 404) return 'unknown-model'
  if (status === 413) return 'context-full'
  return status === undefined || status >= 500 ? 'server' : 'bad-request'
}

/** What an error of the SDK, or of the socket under it, means for the one who asked. */
async function explained(error: unknown, signal: AbortSignal): Promise<unknown> {
  if (isModelFailure(error)) return error
  if (signal.aborted) return new ModelFailure('cancelled', 'The request was given up.')
  const { APIConnectionError, APIConnectionTimeoutError, APIError, AnthropicError } = await import('@anthropic-ai/sdk')
  if (error instanceof APIConnectionTimeoutError) return new ModelFailure('timed-out', 'The model did not begin to answer in time.')
  if (error instanceof APIConnectionError) return explainedBelow(error.cause) ?? new ModelFailure('network', `The model cannot be reached: ${error.message}`)
  if (error instanceof APIError) {
    const code = codeOf(error.status, error.type)
    const says = error.apiMessage ?? error.message
    const isTooLong = code === 'bad-request' && /prompt is too long|context window|maximum.*tokens/i.test(says)
    const wait = retryAfterMs(error.headers)
    return new ModelFailure(isTooLong ? 'context-full' : code, `The model's server refused: ${says}`.slice(0, 1_000), wait === null ? {} : { retryAfterMs: wait })
  }
  if (error instanceof SyntaxError || error instanceof AnthropicError) return explainedBelow(error) ?? new ModelFailure('cut-off', 'What the model sent could not be read.', { details: String((error as Error).message).slice(0, 2_000) })
  return explainedBelow(error) ?? new ModelFailure('cut-off', 'The connection to the model was broken off.', { details: String(error).slice(0, 2_000) })
}
