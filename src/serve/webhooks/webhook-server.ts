// Webhook server: deliveries over HTTP, each durable before it is answered.
// Owns: the listening socket, what is refused and how, the limits of connections. Does not own: signatures, bodies, the runs that follow.
//   H1. A delivery is in the journal when it is answered with 202: it begins one run, also if this process is killed in that instant.
//   H2. What it is named by (webhook-id, x-github-delivery, idempotency-key) makes it the same delivery when it is sent again: the answer is the same run.
//   H3. Every refusal says little to the sender and, at most MAX_TOLD_A_MINUTE times, more to the log; nothing of body, signature or secret.
//   H4. The Host header is an address of this server: a page in a browser whose name was made to point here (DNS rebinding) is refused. Requests of pages
//       (`Origin`) begin nothing by an unsigned webhook. No other origin may read an answer.
//   H5. Requests are bounded in time, size, headers and number by the constants below; connections beyond MAX_CONNECTIONS are closed.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serveErrors } from '#diagnostics/catalog/serve.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import type { Host } from '#host/host.ts'
import { newRunId } from '#interpreter/run.ts'
import { JournalError } from '#interpreter/journal/journal.ts'
import type { TriggerStore } from '#interpreter/journal/triggers.ts'
import type { PlanTrigger } from '#model/plan.ts'
import type { ServeEvent } from '../event.ts'
import type { ServedTrigger } from '../trigger.ts'
import { readBody } from './delivery.ts'
import { checkSignature, deliveryId, one } from './signature.ts'

export const MAX_BODY_BYTES = 1024 * 1024
/** Deliveries of one webhook that are durable and not begun. */
export const MAX_DELIVERIES = 1_000
export const MAX_CONNECTIONS = 100
const MAX_HEADER_BYTES = 16 * 1024
const MAX_HEADERS = 100
const MAX_REQUESTS_PER_CONNECTION = 1_000
const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 30_000
const KEEP_ALIVE_MS = 5_000
const CHECK_EVERY_MS = 1_000
/** A connection on which nothing comes, not even a first byte: the time for headers does not count before that. */
const SILENCE_MS = 10_000
const RETRY_AFTER_S = 30
const MAX_TOLD_A_MINUTE = 20
const MAX_SHOWN_PATH = 200
/** How long answers under way may take when the server closes. */
const CLOSE_GRACE_MS = 1_000

export type WebhookTrigger = ServedTrigger<Extract<PlanTrigger, { kind: 'webhook' }>>

export interface WebhookParts {
  readonly host: Host
  readonly store: TriggerStore
  readonly owner: string
  /** With their secrets; null: unsigned. */
  readonly webhooks: readonly { readonly trigger: WebhookTrigger; readonly secret: string | null }[]
  readonly bind: string
  /** 0: one that is free. */
  readonly port: number
  /** More names under which it is reached, behind a server that passes them on. */
  readonly names: readonly string[]
  /** What `GET /status` answers. */
  readonly status: () => unknown
  readonly tell: (event: ServeEvent) => void
  /** Something is due. */
  readonly poke: () => void
}

interface Answer {
  readonly status: number
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** For the log; absent: nothing was refused. */
  readonly reason?: string
}

const refusal = (status: number, error: string, reason: string = error, headers: Readonly<Record<string, string>> = {}): Answer => ({ status, body: { error }, reason, headers })

export class WebhookServer {
  private readonly parts: WebhookParts
  private readonly server: Server
  private readonly byName: ReadonlyMap<string, WebhookParts['webhooks'][number]>
  private told: number[] = []
  private untold = 0

  constructor(parts: WebhookParts) {
    this.parts = parts
    this.byName = new Map(parts.webhooks.map(each => [each.trigger.on.name, each]))
    this.server = createServer({
      maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS, keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: CHECK_EVERY_MS, requireHostHeader: true,
    }, (request, response) => void this.handle(request, response))
    this.server.maxConnections = MAX_CONNECTIONS
    this.server.timeout = SILENCE_MS
    this.server.maxHeadersCount = MAX_HEADERS
    this.server.maxRequestsPerSocket = MAX_REQUESTS_PER_CONNECTION
    this.server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      const status = brokenRequest[error.code ?? ''] ?? '400 Bad Request'
      if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`, () => socket.destroy()) // it need not close its side
      else socket.destroy()
    })
  }

  /** Listens; the address, or why it cannot. */
  listen(): Promise<{ readonly url: string } | Diagnostic> {
    const { bind, port } = this.parts
    return new Promise(resolve => {
      this.server.once('error', (error: NodeJS.ErrnoException) => {
        const reason = reasons[error.code ?? ''] ?? error.code ?? 'unknown'
        resolve(serveErrors['no-address']({ address: `${shown(bind)}:${port}`, reason }))
      })
      this.server.listen({ host: bind, port }, () => {
        this.server.on('error', () => {}) // of a single connection
        resolve({ url: `http://${shown(bind)}:${this.port}` })
      })
    })
  }

  /** Answers what is under way, then closes. */
  async close(): Promise<void> {
    if (!this.server.listening) return
    await new Promise<void>(resolve => {
      const timer = setTimeout(() => this.server.closeAllConnections(), CLOSE_GRACE_MS)
      this.server.close(() => {
        clearTimeout(timer)
        resolve()
      })
      this.server.closeIdleConnections()
    })
  }

  private get port(): number {
    return (this.server.address() as AddressInfo | null)?.port ?? 0
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.on('error', () => {}) // it went away
    response.on('error', () => {})
    let answer: Answer
    try {
      answer = await this.answer(request)
    } catch (error) {
      if (!(error instanceof JournalError)) throw error
      answer = refusal(503, 'unavailable', error.diagnostic.message, { 'retry-after': String(RETRY_AFTER_S) })
    }
    const { status, body, headers = {}, reason } = answer
    if (reason !== undefined) this.refused(request.url ?? '', status, reason)
    if (response.destroyed) return
    const isWhole = request.complete
    const text = `${JSON.stringify(body)}\n`
    response.writeHead(status, {
      'content-type': 'application/json', 'content-length': Buffer.byteLength(text), 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', ...(isWhole ? {} : { connection: 'close' }), ...headers,
    })
    response.end(text, () => {
      if (!isWhole) request.destroy() // what it still sends is not read
    })
  }

  private async answer(request: IncomingMessage): Promise<Answer> {
    const { method = '', headers } = request
    if (!this.isOwnHost(one(headers, 'host') ?? '')) return refusal(421, 'wrong host', 'its Host header names another server') // H4
    const path = (request.url ?? '').split('?', 1)[0]!
    if (method === 'GET' && path === '/health') return { status: 200, body: { ok: true } }
    if (method === 'GET' && path === '/status') return { status: 200, body: this.parts.status() }
    const known = this.byName.get(path.slice(1))
    if (known === undefined || !path.startsWith('/')) return refusal(404, 'not found', 'there is no such webhook')
    if (method !== 'POST') return refusal(405, 'method not allowed', `a webhook takes POST, not ${method}`, { allow: 'POST' })
    if (known.secret === null && headers.origin !== undefined) return refusal(403, 'forbidden', 'a page in a browser sent it, and it is not signed') // H4
    if (!/^application\/(?:[\w.+-]+\+)?json(?:\s*;\s*charset="?utf-8"?)?\s*$/i.test(one(headers, 'content-type') ?? '')) return refusal(415, 'a webhook takes application/json')
    if (headers['content-encoding'] !== undefined) return refusal(415, 'a webhook takes no content encoding')
    const body = await bodyOf(request)
    if (body === 'too-large') return refusal(413, `a body has at most ${MAX_BODY_BYTES} bytes`)
    if (body === 'gone') return refusal(400, 'incomplete', 'the sender went away')
    return this.accept(known, request, body)
  }

  private accept({ trigger, secret }: WebhookParts['webhooks'][number], request: IncomingMessage, body: Buffer): Answer {
    const { host, store, owner } = this.parts
    const verdict = secret === null ? null : checkSignature(secret, request.headers, body, host.now())
    if (verdict?.kind === 'invalid') return refusal(401, 'unauthorized', verdict.reason)
    const delivery = deliveryId(request.headers)
    const before = delivery === null ? null : store.known(trigger.key, delivery) // H2
    if (before !== null) return { status: 202, body: { run: before, known: true } }
    const read = readBody(body, trigger.program.plan.workflows[trigger.workflow]!.params, trigger.on.params)
    if ('unreadable' in read) return refusal(422, read.unreadable)
    if ('problems' in read) {
      const names = read.problems.map(each => each.param).join(', ')
      return { status: 422, body: { error: 'parameters do not fit', problems: read.problems }, reason: `parameters do not fit: ${names}` }
    }
    if (store.due(trigger.key) >= MAX_DELIVERIES) return refusal(429, 'too many deliveries wait', undefined, { 'retry-after': String(RETRY_AFTER_S) })
    const runId = newRunId(host)
    const known = store.record(owner, { trigger: trigger.key, firing: { runId, delivery, atMs: host.now(), args: read.args } }) // H1
    if (known !== null) return { status: 202, body: { run: known, known: true } }
    this.parts.tell({ kind: 'fired', runId, program: trigger.program.shown, workflow: trigger.name, trigger: trigger.words })
    this.parts.poke()
    return { status: 202, body: { run: runId } }
  }

  private isOwnHost(given: string): boolean {
    const found = /^(\[[0-9a-f:.]+\]|[^:]+)(?::(\d+))?$/i.exec(given)
    if (found === null) return false
    const name = found[1]!.toLowerCase()
    if (this.parts.names.some(each => each.toLowerCase() === name)) return true // whatever port that server has
    if (Number(found[2] ?? 80) !== this.port) return false
    const { bind } = this.parts
    if (['localhost', '127.0.0.1', '[::1]', shown(bind).toLowerCase()].includes(name)) return true
    return (bind === '0.0.0.0' || bind === '::') && /^(\d+\.\d+\.\d+\.\d+|\[[0-9a-f:.]+\])$/.test(name) // rebinding needs a name
  }

  /** H3 */
  private refused(url: string, status: number, reason: string): void {
    const nowMs = this.parts.host.monotonic()
    this.told = this.told.filter(each => nowMs - each < 60_000)
    if (this.told.length >= MAX_TOLD_A_MINUTE) {
      this.untold++
      return
    }
    this.told.push(nowMs)
    this.parts.tell({ kind: 'delivery-refused', path: url.split('?', 1)[0]!.slice(0, MAX_SHOWN_PATH), status, reason, untold: this.untold })
    this.untold = 0
  }
}

/** Answers to what is no whole request. */
const brokenRequest: Readonly<Record<string, string>> = { HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large', ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout' }

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use', EACCES: 'it may not be used by you', EADDRNOTAVAIL: 'it is no address of this machine',
  ENOTFOUND: 'it is no address', EINVAL: 'it is no address',
}

/** An address as it stands in a URL. */
function shown(address: string): string {
  return address.includes(':') ? `[${address}]` : address
}

/** Every byte of a body, at most MAX_BODY_BYTES. */
function bodyOf(request: IncomingMessage): Promise<Buffer | 'too-large' | 'gone'> {
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) return Promise.resolve('too-large')
  return new Promise(resolve => {
    const chunks: Buffer[] = []
    let bytes = 0
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= MAX_BODY_BYTES) chunks.push(chunk)
      else {
        request.pause()
        resolve('too-large')
      }
    })
    request.on('end', () => resolve(Buffer.concat(chunks)))
    request.on('close', () => resolve('gone'))
    request.on('error', () => resolve('gone'))
  })
}
