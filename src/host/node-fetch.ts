// Node fetch: one HTTP exchange over node:http, redirects by hand.
// Owns: dialling, redirects, decompression, sizes, time. Does not own: which hosts may be reached (guard, through mayFollow and mayConnect),
// proxies (proxy.ts), whose signature counts (certificates.ts).
//   W1. A name is looked up once; each of its addresses is shown to `mayConnect` and only those are dialled.
//   W2. Each redirect's target is shown to `mayFollow` before anything is sent; at most 10. To another origin go only headers that say nothing of who asks:
//       any other may be a key, whatever it is called.
//   W3. The body's limit counts bytes after decompression.
//   W4. One deadline covers look-up, all hops and the body; abort closes the socket.
//   W5. Through a proxy the target's name is not looked up here: what it stands for is the proxy's to decide. An address given as such is checked.
//   W6. A stream has two deadlines instead: one until its head, one between two pieces. Who stops reading closes the socket.
//   W7. What is sent by a connection that was used before, and finds it ended, is sent once more by a new one only where that does nothing twice: by a method that
//       may be repeated (RFC 9110, section 9.2.2), or when no byte of it was written. A POST of which one was is a failure, for its asker to decide about.
import { lookup, type LookupAddress } from 'node:dns'
import * as http from 'node:http'
import * as https from 'node:https'
import { isIP } from 'node:net'
import { addAbortSignal, type Readable } from 'node:stream'
import { connect } from 'node:tls'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { errnoOf } from './errno.ts'
import { certificateProblem, trustedAuthorities } from './certificates.ts'
import { HostError, type HttpRequest, type HttpResponse, type HttpStream, type HttpStreamRequest } from './host.ts'
import { type ConnectionOptions, KeptConnections, type MayUse, StaleConnection } from './kept-connections.ts'
import { bareHost, proxyFor, proxyHeaders, proxyPlace, tunnel, type Variables } from './proxy.ts'

const MAX_REDIRECTS = 10
const MAX_REQUEST_BYTES = 10_000_000
/** Node's timers hold no more. */
const MAX_TIMER_MS = 2 ** 31 - 1
const redirectStatuses = new Set([301, 302, 303, 307, 308])
const acrossOrigins = new Set(['accept', 'accept-language', 'user-agent', 'content-type', 'content-encoding', 'range', 'if-none-match', 'if-modified-since', 'cache-control', 'idempotency-key'])
const aboutTheBody = new Set(['content-length', 'content-type', 'content-encoding'])

/** What of the machine a request depends on. */
export interface Network {
  readonly env: Variables
  readonly lookup: typeof lookup
}

const machineNetwork: Network = { env: name => process.env[name], lookup }

export async function nodeFetch(request: HttpRequest, signal: AbortSignal, network: Network = machineNetwork): Promise<HttpResponse> {
  const deadline = AbortSignal.timeout(Math.max(1, Math.min(request.timeoutMs, MAX_TIMER_MS)))
  const { response, url } = await reach(request, AbortSignal.any([signal, deadline]), network, (error, at) => fetchError(error, at, signal, deadline)) // W4
  const bytes = await readBody(response, request.maxBodyBytes, url).catch(error => { throw fetchError(error, url, signal, deadline) })
  const answer = { status: response.statusCode ?? 0, headers: flat(response.headers), url: url.href }
  return request.wantsBytes ? { ...answer, body: '', bytes } : { ...answer, body: decode(bytes, response.headers['content-type'] ?? '') }
}

/** The same, with the body as it comes. // W6 */
export async function nodeStream(request: HttpStreamRequest, signal: AbortSignal, network: Network = machineNetwork): Promise<HttpStream> {
  const late = new AbortController()
  const either = AbortSignal.any([signal, late.signal])
  const explained: Explain = (error, at) => fetchError(error, at, signal, late.signal)
  const stopWaiting = after(request.firstByteMs, () => late.abort())
  try {
    const { response, url } = await reach(request, either, network, explained)
    return { status: response.statusCode ?? 0, headers: flat(response.headers), url: url.href, body: pieces(response, request, url, late, explained) }
  } finally {
    stopWaiting()
  }
}

async function* pieces(response: http.IncomingMessage, { idleMs, maxBodyBytes }: HttpStreamRequest, url: URL, late: AbortController, explained: Explain): AsyncGenerator<Uint8Array> {
  let total = 0
  let stopWaiting = after(idleMs, () => late.abort())
  try {
    for await (const chunk of decompressed(response)) {
      stopWaiting()
      total += (chunk as Buffer).length
      if (total > maxBodyBytes) throw tooLarge(url, maxBodyBytes) // W3
      yield chunk as Buffer
      stopWaiting = after(idleMs, () => late.abort())
    }
  } catch (error) {
    throw explained(error, url)
  } finally {
    stopWaiting()
    response.destroy()
  }
}

function after(ms: number, work: () => void): () => void {
  const timer = setTimeout(work, Math.max(1, Math.min(ms, MAX_TIMER_MS)))
  return () => clearTimeout(timer)
}

type Reached = Omit<HttpRequest, 'timeoutMs'> & Pick<HttpStreamRequest, 'connections'>

type Explain = (error: unknown, url: URL) => unknown

/** The answer at the end of all redirects, its body not yet read. */
async function reach(
  request: Reached, signal: AbortSignal, network: Network, explained: Explain,
): Promise<{ readonly response: http.IncomingMessage; readonly url: URL }> {
  let url = parseUrl(request.url)
  let { method, body } = request
  let headers = lowerCased(request.headers)
  if ((body?.length ?? 0) > MAX_REQUEST_BYTES) throw new HostError('too-large', request.url, `The request's body is larger than ${MAX_REQUEST_BYTES.toLocaleString('en')} bytes.`)
  for (let hops = 0; ; hops++) {
    const response = await exchange(url, { method, headers, body }, request, signal, network).catch(error => { throw explained(error, url) })
    const location = response.headers.location
    if (!redirectStatuses.has(response.statusCode ?? 0) || location === undefined) return { response, url }
    response.destroy()
    if (hops === MAX_REDIRECTS) throw new HostError('other', request.url, `${request.url} redirects more than ${MAX_REDIRECTS} times.`)
    const target = parseUrl(location, url)
    request.mayFollow(target.href) // W2
    if (target.origin !== url.origin) headers = Object.fromEntries(Object.entries(headers).filter(([name]) => acrossOrigins.has(name)))
    const becomesGet = response.statusCode === 303 ? method !== 'HEAD' : response.statusCode! < 303 && method === 'POST'
    if (becomesGet) [method, body, headers] = ['GET', undefined, without(headers, aboutTheBody)]
    url = target
  }
}

function parseUrl(text: string, base?: URL): URL {
  const url = URL.canParse(text, base?.href) ? new URL(text, base) : null
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) throw new HostError('refused', text, `\`${text}\` is not an http or https address.`)
  url.username = ''
  url.password = ''
  return url
}

interface Message {
  readonly method: string
  readonly headers: Record<string, string>
  readonly body: string | undefined
}

async function exchange(url: URL, { method, headers, body }: Message, request: Pick<Reached, 'mayConnect' | 'connections'>, signal: AbortSignal, network: Network): Promise<http.IncomingMessage> {
  const bare = bareHost(url)
  if (isIP(bare)) request.mayConnect?.(bare, bare) // no look-up happens for an address
  const proxy = proxyFor(url, network.env)
  const isSecure = url.protocol === 'https:'
  const ca = isSecure || proxy?.protocol === 'https:' ? trustedAuthorities(network.env) : undefined
  const trusting = ca === undefined ? {} : { ca }
  const options: ConnectionOptions = {
    method, setHost: true, ...trusting,
    headers: { 'accept-encoding': 'gzip, deflate, br', 'user-agent': 'tek', ...headers, ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }) },
    ...(proxy === null ? { lookup: (hostname, lookupOptions, done) => lookUp(hostname, lookupOptions, request, network, done) } : { via: proxy.href }),
  }
  const opened = async () => connect({ socket: await tunnel(proxy!, url, signal, ca), host: bare, ...(isIP(bare) ? {} : { servername: bare }), ...trusting }) // W5
  const begin = (more: ConnectionOptions, answered: (response: http.IncomingMessage) => void): http.ClientRequest =>
    proxy !== null && !isSecure ? throughProxy(proxy, url, { ...options, ...more }, answered) : isSecure ? https.request(url, { ...options, ...more }, answered) : http.request(url, { ...options, ...more }, answered)
  if (request.connections instanceof KeptConnections) {
    const mayUse: MayUse | null = proxy === null ? address => request.mayConnect?.(bare, address) : null
    const overTls = (proxy !== null && !isSecure ? proxy : url).protocol === 'https:'
    const response = await byKept(request.connections, overTls, mayUse, { method, body, signal }, (agent, answered) => begin({ agent, ...(proxy !== null && isSecure ? { opened } : {}) }, answered))
    if (response !== null) return response
  }
  const own: ConnectionOptions = { agent: false, signal }
  if (proxy !== null && isSecure) {
    const socket = await opened()
    delete own.agent // else Node makes one, which makes connections of its own
    own.defaultPort = 443
    own.createConnection = () => socket
  }
  return new Promise((answered, failed) => {
    const call = begin(own, answered)
    call.on('error', failed)
    call.end(body)
  })
}

const mayBeRepeated: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])

/** The same by a connection that is kept; null: those that were have ended, and it may be sent by a new one. // W7 */
async function byKept(
  kept: KeptConnections, isSecure: boolean, mayUse: MayUse | null, { method, body, signal }: Pick<Message, 'method' | 'body'> & { readonly signal: AbortSignal },
  begin: (agent: http.Agent, answered: (response: http.IncomingMessage) => void) => http.ClientRequest,
): Promise<http.IncomingMessage | null> {
  await kept.lookedAt()
  signal.throwIfAborted()
  return new Promise((answered, failed) => {
    let call: http.ClientRequest | null = null
    const came = (response: http.IncomingMessage): void => {
      kept.heard(response)
      answered(response)
    }
    while (call === null) { // each that is stale is taken out
      try {
        call = kept.begin(isSecure, mayUse, agent => begin(agent, came))
      } catch (error) {
        if (!(error instanceof StaleConnection)) return failed(error)
      }
    }
    const sending = call
    let writtenBefore: number | undefined
    sending.once('socket', socket => { writtenBefore = socket.bytesWritten })
    sending.on('error', error => {
      const isUnsent = writtenBefore === undefined || sending.socket?.bytesWritten === writtenBefore
      if (sending.reusedSocket && !signal.aborted && (mayBeRepeated.has(method) || isUnsent)) answered(null)
      else failed(error)
    })
    addAbortSignal(signal, sending)
    sending.end(body)
  })
}

/** An http request as a proxy takes it: the whole address as its path (RFC 9112, section 3.2.2). */
function throughProxy(proxy: URL, url: URL, options: ConnectionOptions, answered: (response: http.IncomingMessage) => void): http.ClientRequest {
  const { hostname, port, module } = proxyPlace(proxy)
  return module.request({ ...options, hostname, port, path: url.href.replace(/#.*$/, ''), setHost: false, headers: { ...options.headers as Record<string, string>, host: url.host, ...proxyHeaders(proxy) } }, answered)
}

type LookupDone = (error: Error | null, address: string | LookupAddress[], family?: number) => void

/** W1: the addresses dialled are the ones that were shown. */
function lookUp(hostname: string, options: { all?: boolean | undefined }, request: Pick<HttpRequest, 'mayConnect'>, network: Network, done: LookupDone): void {
  network.lookup(hostname, { all: true }, (error, found) => {
    if (error) return done(error, '')
    try {
      for (const each of found) request.mayConnect?.(hostname, each.address)
    } catch (refusal) {
      return done(refusal instanceof Error ? refusal : new Error(String(refusal)), '')
    }
    const first = found[0]
    if (options.all || first === undefined) done(null, found)
    else done(null, first.address, first.family)
  })
}

async function readBody(response: http.IncomingMessage, maxBytes: number, url: URL): Promise<Buffer> {
  const chunks: Buffer[] = []
  let total = 0
  for await (const chunk of decompressed(response)) {
    total += (chunk as Buffer).length
    if (total > maxBytes) { // W3
      response.destroy()
      throw tooLarge(url, maxBytes)
    }
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks)
}

function tooLarge(url: URL, maxBytes: number): HostError {
  return new HostError('too-large', url.href, `The answer of ${url.host} is larger than the limit of ${maxBytes.toLocaleString('en')} bytes.`)
}

function decompressed(response: http.IncomingMessage): Readable {
  const encoding = (response.headers['content-encoding'] ?? '').trim().toLowerCase()
  const decoder = encoding === 'gzip' || encoding === 'x-gzip' ? createGunzip() : encoding === 'br' ? createBrotliDecompress() : encoding === 'deflate' ? createInflate() : null
  if (decoder === null) return response
  response.on('error', error => decoder.destroy(error))
  return response.pipe(decoder)
}

function decode(bytes: Buffer, contentType: string): string {
  const charset = /charset\s*=\s*"?([\w-]+)/i.exec(contentType)?.[1] ?? 'utf-8'
  try {
    return new TextDecoder(charset).decode(bytes)
  } catch {
    return bytes.toString('utf8')
  }
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}

function without(headers: Record<string, string>, names: ReadonlySet<string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.has(name)))
}

function flat(headers: http.IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]))
}

const networkCodes: Readonly<Record<string, string>> = {
  ENOTFOUND: 'its name is not known', EAI_AGAIN: 'its name could not be looked up', ECONNREFUSED: 'nothing answers there', ECONNRESET: 'the connection was broken off',
  EHOSTUNREACH: 'there is no way to it', ENETUNREACH: 'there is no network', ETIMEDOUT: 'it does not answer', EPIPE: 'the connection was broken off',
}

/** What went wrong on the wire; what `mayConnect` threw passes through as it is. */
function fetchError(error: unknown, url: URL, signal: AbortSignal, deadline: AbortSignal): unknown {
  if (signal.aborted) return new HostError('cancelled', url.href, `The request to ${url.host} was stopped.`)
  if (deadline.aborted) return new HostError('timed-out', url.href, `${url.host} did not answer in time.`)
  if (error instanceof HostError || (error instanceof Error && error.name === 'ToolFailure')) return error
  const why = networkCodes[errnoOf(error)] ?? certificateProblem(errnoOf(error))
  if (why !== null) return new HostError('no-network', url.href, `${url.host} cannot be reached: ${why}.`)
  return new HostError('other', url.href, `The exchange with ${url.host} failed: ${error instanceof Error ? error.message : String(error)}`)
}
