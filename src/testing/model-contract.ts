// Model contract: what every provider of models owes the gateway, as checks that any test runner carries out, over a transport that is no network.
// Owns: the checks that hold whatever a provider speaks, and those that one whole answer in its own protocol makes possible. Does not own: a test runner, sockets.
//   C1. A check resolves or rejects with an Error that says what the provider did; it never hangs: MAX_CHECK_MS.
//   C2. A provider that never asks its transport has nothing of it to get wrong: those checks then ask no more than that it answers.
//   C3. Every failure is a ModelFailure with one of tek's codes (M1 to M3 of plugin-api/model-provider.ts).
import { type ChatDelta, type ChatFailureCode, type ChatReply, type ChatRequest } from '#model/chat.ts'
import { isModelFailure, type Model, type ModelContext, ModelFailure, type ModelProvider } from '#plugin-api/model-provider.ts'

/** Milliseconds for one check. */
const MAX_CHECK_MS = 20_000
/** Bytes of a piece of an answer: small, so that characters of several bytes are cut. */
const PIECE_BYTES = 5
/** At how many places the answer is cut off. */
const CUTS = 8

export interface ModelSample {
  readonly contentType: string
  /** One whole answer as the model's server sends it. */
  readonly body: string
  /** The text that it holds. */
  readonly text: string
}

export interface ModelContractOptions {
  /** Its name, as a program says it first. */
  readonly model: string
  readonly options?: Readonly<Record<string, unknown>>
  /** Without one, what depends on the form of an answer is not checked. */
  readonly sample?: ModelSample
}

export interface ContractCheck {
  readonly name: string
  readonly run: () => Promise<void>
}

const codes: ReadonlySet<string> = new Set<ChatFailureCode>([
  'rate-limited', 'overloaded', 'network', 'timed-out', 'cut-off', 'server', 'quota', 'no-key', 'unknown-model', 'bad-request', 'context-full', 'bad-answer', 'library-missing', 'cancelled',
])

/**
 * The checks of a provider of models, to be carried out one by one.
 *
 * @example
 * for (const { name, run } of modelContract(plugin.models!.talk!, { model: 'any', options: { baseUrl: 'http://127.0.0.1:9' }, sample })) test(name, run)
 */
export function modelContract(provider: ModelProvider, options: ModelContractOptions): readonly ContractCheck[] {
  const open = async (): Promise<Model> => provider.open(options.model, (options.options ?? {}) as never, { folder: '/project' })
  const check = (name: string, run: () => Promise<void>): ContractCheck => ({ name, run: () => inTime(run) })
  return [
    check('opens, and says what it can and whom it reaches', async () => checkOpened(await open())),
    ...([[401, ['no-key']], [403, ['no-key', 'bad-request']], [429, ['rate-limited', 'quota']], [500, ['server', 'overloaded']], [503, ['overloaded', 'server']]] as const).map(([status, allowed]) =>
      check(`an answer of ${status} is ${allowed.join(' or ')}, after one request`, async () => checkRefused(await open(), status, allowed))),
    check('a server that cannot be reached is a failure of the network', async () => {
      const link = new Link(() => Promise.reject(new ModelFailure('network', 'Nothing answers there.')))
      expectCode(link, await outcomeOf(await open(), link), ['network'])
    }),
    ...['<html>a login page</html>', '{not json', ''].map(body => check(`an answer of ${body === '' ? 'nothing' : `\`${body}\``} is no answer`, async () => {
      const link = new Link(async () => new Response(body, { status: 200, headers: { 'content-type': 'text/html' } }))
      expectCode(link, await outcomeOf(await open(), link), null)
    })),
    check('giving up before the first byte ends the request as cancelled', async () => checkGivenUp(await open())),
    ...(options.sample === undefined ? [check('what it answers by itself has the form of an answer', async () => checkWithoutNetwork(await open()))] : withSample(open, options.sample, check)),
  ]
}

type Outcome = { readonly kind: 'reply'; readonly reply: ChatReply } | { readonly kind: 'failed'; readonly error: unknown }

/** A transport that notes what is asked. */
class Link {
  asked = 0
  readonly deltas: ChatDelta[] = []
  readonly abort = new AbortController()
  private readonly answer: (signal: AbortSignal) => Promise<Response>

  constructor(answer: (signal: AbortSignal) => Promise<Response>) {
    this.answer = answer
  }

  context(): ModelContext {
    const fetch: typeof globalThis.fetch = async (_, init) => {
      this.asked++
      return this.answer(init?.signal ?? this.abort.signal)
    }
    return { signal: this.abort.signal, fetch, key: 'a-key', firstByteMs: MAX_CHECK_MS, idleMs: MAX_CHECK_MS, onDelta: delta => void this.deltas.push(delta) }
  }
}

const question: Omit<ChatRequest, 'model'> = { system: 'Be terse.', messages: [{ role: 'user', content: [{ kind: 'text', text: 'What is 2 + 2?' }] }], tools: [], maxTokens: 1_000 }

async function outcomeOf(model: Model, link: Link): Promise<Outcome> {
  try {
    return { kind: 'reply', reply: await model.ask({ model: 'model', ...question }, link.context()) }
  } catch (error) {
    return { kind: 'failed', error }
  }
}

function checkOpened({ abilities, hosts, ask }: Model): void {
  if (typeof ask !== 'function') throw new Error('`open` gave something without `ask`.')
  for (const each of ['images', 'tools', 'schemas'] as const) if (typeof abilities?.[each] !== 'boolean') throw new Error(`\`abilities.${each}\` is neither true nor false.`)
  if (abilities.contextTokens !== null && !(abilities.contextTokens > 0)) throw new Error('`abilities.contextTokens` is neither null nor a number above 0.')
  for (const host of hosts) if (!/^[\w.-]{1,253}:\d{1,5}$/.test(host)) throw new Error(`\`hosts\` names \`${host}\`, which is no \`host:port\`.`)
}

async function checkRefused(model: Model, status: number, allowed: readonly ChatFailureCode[]): Promise<void> {
  const body = JSON.stringify({ error: { type: 'error', message: 'no' }, type: 'error', message: 'no' })
  const link = new Link(async () => new Response(body, { status, headers: { 'content-type': 'application/json', 'retry-after': '7' } }))
  expectCode(link, await outcomeOf(model, link), allowed)
  if (link.asked > 1) throw new Error(`It asked ${link.asked} times: asking again is for tek to decide.`)
}

async function checkGivenUp(model: Model): Promise<void> {
  let ended = false
  const link: Link = new Link(signal => new Promise((_, refuse) => {
    const stop = (): void => {
      ended = true
      refuse(new ModelFailure('cancelled', 'The request was given up.'))
    }
    for (const each of new Set([signal, link.abort.signal])) each.addEventListener('abort', stop, { once: true })
    setImmediate(() => link.abort.abort())
  }))
  expectCode(link, await outcomeOf(model, link), ['cancelled'])
  if (link.asked > 0 && !ended) throw new Error('The request was not ended.')
}

async function checkWithoutNetwork(model: Model): Promise<void> {
  const link = new Link(() => Promise.reject(new ModelFailure('network', 'Nothing answers there.')))
  const outcome = await outcomeOf(model, link)
  if (link.asked > 0) return // C2: its answers are not known here
  if (outcome.kind === 'failed') throw outcome.error
  checkReply(outcome.reply, link.deltas)
}

function withSample(open: () => Promise<Model>, { contentType, body, text }: ModelSample, check: (name: string, run: () => Promise<void>) => ContractCheck): ContractCheck[] {
  const bytes = new TextEncoder().encode(body)
  const answerOf = (length: number): Link => new Link(async () => new Response(piecesOf(bytes.slice(0, length)), { status: 200, headers: { 'content-type': contentType } }))
  return [
    check('an answer that comes in small pieces is whole, counted, and shown as it comes', async () => {
      const link = answerOf(bytes.length)
      const outcome = await outcomeOf(await open(), link)
      if (outcome.kind === 'failed') throw outcome.error
      checkReply(outcome.reply, link.deltas)
      const said = textOf(outcome.reply)
      if (said !== text) throw new Error(`It answered ${JSON.stringify(said)} where the sample holds ${JSON.stringify(text)}.`)
    }),
    check('an answer that is cut off anywhere is no answer', async () => {
      for (let cut = 1; cut <= CUTS; cut++) {
        const length = Math.floor((bytes.length * cut) / (CUTS + 1))
        const link = answerOf(length)
        const outcome = await outcomeOf(await open(), link)
        if (outcome.kind === 'reply') throw new Error(`After ${length} of ${bytes.length} bytes it took ${JSON.stringify(textOf(outcome.reply))} for the whole answer.`)
        expectCode(link, outcome, null)
      }
    }),
    check('giving up in the middle of an answer is no answer', async () => {
      const link: Link = new Link(async () => new Response(new ReadableStream({
        start(controller) {
          controller.enqueue(bytes.slice(0, Math.floor(bytes.length / 2)))
          link.abort.signal.addEventListener('abort', () => controller.error(new ModelFailure('cancelled', 'The request was given up.')))
          setImmediate(() => link.abort.abort())
        },
      }), { status: 200, headers: { 'content-type': contentType } }))
      expectCode(link, await outcomeOf(await open(), link), ['cancelled'])
    }),
  ]
}

function piecesOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  let at = 0
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close()
      controller.enqueue(bytes.slice(at, at + PIECE_BYTES))
      at += PIECE_BYTES
    },
  })
}

const textOf = ({ content }: ChatReply): string => content.map(each => (each.kind === 'text' ? each.text : '')).join('')

function checkReply(reply: ChatReply, deltas: readonly ChatDelta[]): void {
  if (!Array.isArray(reply?.content)) throw new Error('Its answer has no `content`.')
  if (typeof reply.model !== 'string' || reply.model === '') throw new Error('Its answer does not name the model.')
  for (const part of ['input', 'output', 'cacheRead', 'cacheWrite', 'thinking'] as const) {
    const count = reply.usage?.[part]
    if (!Number.isInteger(count) || count < 0) throw new Error(`\`usage.${part}\` is ${String(count)}, and must be a whole number from 0.`)
  }
  if (reply.usage.output === 0 && textOf(reply) !== '') throw new Error('It counts no token for an answer with text: budgets would not hold.')
  const shown = deltas.map(each => (each.kind === 'text' ? each.text : '')).join('')
  if (shown !== '' && shown !== textOf(reply)) throw new Error(`What it showed on the way (${JSON.stringify(shown)}) is not its answer (${JSON.stringify(textOf(reply))}).`)
}

/** C2, C3. `allowed` null: any failure of a model. */
function expectCode(link: Link, outcome: Outcome, allowed: readonly ChatFailureCode[] | null): void {
  if (link.asked === 0) { // C2
    if (outcome.kind === 'failed' && !isModelFailure(outcome.error)) throw outcome.error
    return
  }
  if (outcome.kind === 'reply') throw new Error(`It answered ${JSON.stringify(textOf(outcome.reply))} instead of failing.`)
  if (!isModelFailure(outcome.error)) throw new Error(`It threw ${String(outcome.error)}, which is no ModelFailure.`)
  const { code } = outcome.error
  if (!codes.has(code)) throw new Error(`Its failure has the code \`${String(code)}\`, which is none of tek's.`)
  if (allowed !== null && !allowed.includes(code)) throw new Error(`It failed with \`${code}\` where it must fail with ${allowed.map(each => `\`${each}\``).join(' or ')}.`)
}

/** C1 */
async function inTime(run: () => Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, refuse) => {
    timer = setTimeout(() => refuse(new Error(`It did not end within ${MAX_CHECK_MS / 1_000} s.`)), MAX_CHECK_MS)
  })
  try {
    await Promise.race([run(), late])
  } finally {
    clearTimeout(timer)
  }
}
