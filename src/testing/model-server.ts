// Model server: a server of this machine that answers as models' servers do, for tests of whatever speaks to one.
// Owns: the socket, routes, delays, limits, faults. Does not own: how an answer looks on the wire (model-dialects.ts), what is answered.
//   S1. It listens on the loopback address alone.
//   S2. Requests are answered as they come, side by side; `answer` is told their number, so that a test is the same whatever is quicker.
//   S3. What a client sends and what a test lets it keep is bounded: MAX_BODY_BYTES, MAX_SEEN.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dialects, type ModelRequest, type ModelWords, requestOf } from './model-dialects.ts'

const MAX_BODY_BYTES = 32 * 1_024 * 1_024
/** Requests that are kept. */
const MAX_SEEN = 100_000
const SECOND_MS = 1_000

/** What a request is answered with. A text is a reply of that text. */
export type ModelAnswer =
  | string
  | ModelWords
  /** A status instead of an answer. */
  | { readonly status: number; readonly message?: string; /** Said as `retry-after`. */ readonly retryAfterMs?: number }
  /** The beginning of a reply, then the end of the socket. */
  | (ModelWords & { readonly cutAfterPieces: number })

export interface RouteAnswer {
  /** Default 200. */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** A text as it is; anything else as JSON. */
  readonly body?: unknown
}

export interface ModelServerOptions {
  /** Called for each question, with its number from 0. */
  readonly answer: (request: ModelRequest, number: number) => ModelAnswer | Promise<ModelAnswer>
  /** Milliseconds before the first byte of each answer; default 0. */
  readonly latencyMs?: number
  /** Milliseconds between the pieces of a stream; default 0. */
  readonly pieceMs?: number
  /** Questions beyond this many in any stretch of this length are answered with 429 and `retry-after`. */
  readonly rateLimit?: { readonly questions: number; readonly perMs: number }
  /** Other addresses, by method and path: `GET /status`. */
  readonly routes?: Readonly<Record<string, (request: { readonly headers: Readonly<Record<string, string>>; readonly body: string }) => RouteAnswer | Promise<RouteAnswer>>>
}

export interface ModelServer {
  /** `http://127.0.0.1:PORT`: the `baseUrl` of an `anthropic` model; of an `openai` one with `/v1` behind it. */
  readonly url: string
  /** Questions in the order in which they came, refused ones included. */
  readonly seen: readonly ModelRequest[]
  /** Ends it, and every answer under way. */
  close(): Promise<void>
}

/**
 * Serves models on this machine: `POST /v1/messages` in the dialect of Anthropic, `POST /v1/chat/completions` in that of OpenAI, streamed where the client asks for it.
 *
 * @throws Error when no port can be had.
 * @example
 * const server = await serveModels({ answer: ({ messages }) => `You said: ${messages.at(-1)?.text}`, rateLimit: { questions: 10, perMs: 1_000 } })
 * // model m = openai("any", baseUrl: "${server.url}/v1")
 * await server.close()
 */
export async function serveModels(options: ModelServerOptions): Promise<ModelServer> {
  const seen: ModelRequest[] = []
  const recent: number[] = []
  const server = createServer((request, response) => {
    handle(options, { seen, recent }, request, response).catch((error: unknown) => fail(response, error))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve) // S1
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen,
    close: () => new Promise(resolve => {
      server.close(() => resolve())
      server.closeAllConnections()
    }),
  }
}

interface Served {
  readonly seen: ModelRequest[]
  /** When the questions of the last stretch came. */
  readonly recent: number[]
}

async function handle(options: ModelServerOptions, { seen, recent }: Served, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = new URL(request.url ?? '/', 'http://here').pathname
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
  const body = await bodyOf(request)
  const route = options.routes?.[`${request.method} ${path}`]
  if (route !== undefined) {
    const { status = 200, headers: own = {}, body: said = '' } = await route({ headers, body })
    const isText = typeof said === 'string'
    return void response.writeHead(status, { 'content-type': isText ? 'text/plain; charset=utf-8' : 'application/json', ...own }).end(isText ? said : JSON.stringify(said))
  }
  const dialect = request.method !== 'POST' ? null : path.endsWith('/messages') ? 'anthropic' : path.endsWith('/chat/completions') ? 'openai' : null
  if (dialect === null) return void response.writeHead(404, { 'content-type': 'application/json' }).end(JSON.stringify({ error: { message: `nothing is served at ${request.method} ${path}` } }))
  const asked = requestOf(dialect, JSON.parse(body === '' ? '{}' : body) as Record<string, unknown>, headers)
  const number = seen.length
  if (number < MAX_SEEN) seen.push(asked) // S3
  const waitMs = limited(options.rateLimit, recent)
  const answer = waitMs > 0 ? { status: 429, message: 'too many questions', retryAfterMs: waitMs } : await options.answer(asked, number)
  await sleep(options.latencyMs ?? 0)
  if (typeof answer === 'object' && 'status' in answer) {
    const { status, message = 'refused', retryAfterMs } = answer
    const retry = retryAfterMs === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfterMs / SECOND_MS)), 'retry-after-ms': String(Math.ceil(retryAfterMs)) }
    return void response.writeHead(status, { 'content-type': 'application/json', ...retry }).end(JSON.stringify(dialects[dialect].error(status, message)))
  }
  const words: ModelWords = typeof answer === 'string' ? { text: answer } : answer
  if (asked.body['stream'] !== true) return void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(dialects[dialect].whole(words, asked)))
  const pieces = dialects[dialect].pieces(words, asked)
  const most = typeof answer === 'object' && 'cutAfterPieces' in answer ? answer.cutAfterPieces : pieces.length
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  for (const piece of pieces.slice(0, most)) {
    if (response.destroyed) return
    await new Promise<void>(resolve => response.write(piece, () => resolve()))
    await sleep(options.pieceMs ?? 0)
  }
  if (most < pieces.length) response.socket?.destroy()
  else response.end()
}

/** Milliseconds until the next question is taken; 0: this one is. */
function limited(limit: ModelServerOptions['rateLimit'], recent: number[]): number {
  if (limit === undefined) return 0
  const now = performance.now()
  while (recent.length > 0 && recent[0]! <= now - limit.perMs) recent.shift()
  if (recent.length >= limit.questions) return Math.max(1, recent[0]! + limit.perMs - now)
  recent.push(now)
  return 0
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length
    if (bytes > MAX_BODY_BYTES) throw new Error(`a request of more than ${MAX_BODY_BYTES} bytes`) // S3
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks).toString()
}

/** A mistake in a test's own `answer`, or a request that is none: said to whoever asked. */
function fail(response: ServerResponse, error: unknown): void {
  if (response.headersSent) return void response.socket?.destroy()
  response.writeHead(500, { 'content-type': 'application/json' }).end(JSON.stringify({ error: { message: String((error as Error | null)?.message ?? error) } }))
}

const sleep = (ms: number): Promise<void> => (ms <= 0 ? Promise.resolve() : new Promise(resolve => setTimeout(resolve, ms)))
