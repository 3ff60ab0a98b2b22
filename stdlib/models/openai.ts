// OpenAI: models behind a server that speaks the Chat Completions API: OpenAI itself, Ollama, vLLM, llama.cpp, LM Studio and others, by the official SDK.
// Owns: opening a model, one request, the dialect of its server, what its errors mean. Does not own: the shapes on the wire (openai-wire.ts), retries and queues (the gateway).
//   O1. The SDK reads nothing of the machine: no variable of its own. Key, address and socket are the caller's.
//   O2. One attempt: the SDK's own retries are off, and an answer counts only when a reason for its end was seen.
//   O3. A server that does not understand a newer form is asked in an older one at once, at most MAX_DIALECT_STEPS times, and from then on: it has answered nothing yet.
//   O4. The SDK is loaded with the first request.
//   Source: Chat Completions API; the differences of the other servers as tests/models/openai.test.ts has them.
import type OpenAI from 'openai'
import { isModelFailure, ModelFailure, z, type ChatFailureCode, type ChatReply, type ChatRequest, type Model, type ModelContext, type ModelProvider } from 'tek-lang/plugin'
import { Answer, newest, older, request as asRequest, type Dialect } from './openai-wire.ts'
import { asUrl, explainedBelow, hostOf, missingLibrary, retryAfterMs } from './provider-facts.ts'

const STANDARD_URL = 'https://api.openai.com/v1'
/** The SDK's own deadline comes this much after that of `context.fetch`, which says what was late. */
const LATER_MS = 60_000
/** Older forms tried within one request. */
const MAX_DIALECT_STEPS = 4

const options = z.object({
  /** Another server that speaks the same protocol: `http://127.0.0.1:11434/v1`. */
  baseUrl: z.string().optional(),
})

export const openai = {
  doc: 'Models behind a server that speaks the Chat Completions API: OpenAI, Ollama, vLLM, llama.cpp, LM Studio.',
  options,
  open(model, { baseUrl = STANDARD_URL }) {
    return new CompletionsModel(model, asUrl(baseUrl))
  },
} satisfies ModelProvider<typeof options>

class CompletionsModel implements Model {
  readonly abilities
  readonly hosts: readonly string[]
  private readonly model: string
  private readonly baseUrl: URL
  private dialect: Dialect

  constructor(model: string, baseUrl: URL) {
    this.model = model
    this.baseUrl = baseUrl
    this.hosts = [hostOf(baseUrl)]
    const isOpenAi = baseUrl.hostname === 'api.openai.com'
    this.dialect = newest(isOpenAi)
    this.abilities = { images: true, tools: true, schemas: isOpenAi, contextTokens: null }
  }

  async ask(request: ChatRequest, context: ModelContext): Promise<ChatReply> {
    const client = await this.client(context)
    for (let step = 0; ; step++) {
      try {
        return await this.once(client, request, context)
      } catch (error) {
        const next = step < MAX_DIALECT_STEPS && !context.signal.aborted ? await this.olderFor(error) : null // O3
        if (next === null) throw await explained(error, context.signal)
        this.dialect = next
      }
    }
  }

  private async once(client: OpenAI, request: ChatRequest, context: ModelContext): Promise<ChatReply> {
    const { data: stream, request_id: requestId } = await client.chat.completions.create({ ...asRequest(request, this.model, this.dialect), stream: true }, { signal: context.signal }).withResponse()
    const answer = new Answer(context.onDelta)
    for await (const chunk of stream) answer.take(chunk)
    if (context.signal.aborted) throw new ModelFailure('cancelled', 'The request was given up.')
    return answer.reply(requestId ?? undefined) // O2
  }

  private async olderFor(error: unknown): Promise<Dialect | null> {
    const { APIError } = await import('openai')
    return error instanceof APIError && (error.status === 400 || error.status === 422) ? older(this.dialect, error.message) : null
  }

  private async client({ key, fetch, firstByteMs }: ModelContext): Promise<OpenAI> {
    const { default: Client } = await import('openai').catch(() => { throw missingLibrary('openai') }) // O4
    return new Client({ // O1
      apiKey: key ?? 'none', adminAPIKey: null, organization: null, project: null, webhookSecret: null, baseURL: this.baseUrl.href.replace(/\/$/, ''),
      maxRetries: 0, timeout: firstByteMs + LATER_MS, fetch, logLevel: 'off', ...(key === null ? { defaultHeaders: { authorization: null } } : {}),
    })
  }
}

function codeOf(status: number | undefined, code: string, says: string): ChatFailureCode {
  if (code === 'insufficient_quota' || status === 402) return 'quota'
  if (code === 'context_length_exceeded' || /context (length|window|size)|maximum context|too many tokens/i.test(says)) return 'context-full'
  if (status === 429 || code === 'rate_limit_exceeded') return 'rate-limited'
  if (status === 503 || status === 529 || /overloaded/i.test(code)) return 'overloaded'
  if (status === 401 || status === 403 || code === 'invalid_api_key') return 'no-key'
  if (status === 404 || code === 'model_not_found') return 'unknown-model'
  if (status === 413) return 'context-full'
  return status === undefined || status >= 500 ? 'server' : 'bad-request'
}

/** What an error of the SDK, or of the socket under it, means for the one who asked. */
async function explained(error: unknown, signal: AbortSignal): Promise<unknown> {
  if (isModelFailure(error)) return error
  if (signal.aborted) return new ModelFailure('cancelled', 'The request was given up.')
  const { APIConnectionError, APIConnectionTimeoutError, APIError } = await import('openai')
  const below = explainedBelow(error)
  if (below !== null) return below
  if (error instanceof APIConnectionTimeoutError) return new ModelFailure('timed-out', 'The model did not begin to answer in time.')
  if (error instanceof APIConnectionError) return new ModelFailure('network', `The model cannot be reached: ${error.message}`)
  if (error instanceof APIError) {
    const wait = retryAfterMs(error.headers)
    const code = codeOf(error.status, String(error.code ?? error.type ?? ''), error.message)
    return new ModelFailure(code, `The model's server refused: ${error.message}`.slice(0, 1_000), wait === null ? {} : { retryAfterMs: wait })
  }
  return new ModelFailure('cut-off', 'What the model sent could not be read.', { details: String(error).slice(0, 2_000) })
}
