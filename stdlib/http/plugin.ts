// http: requests to servers that the program was granted.
// Owns: the tools, JSON bodies, what counts as success. Does not own: which hosts (grant `net`), redirects and their re-check, limits of the host.
//   H1. An address must be trusted; an answer is untrusted. H2. Only http and https, no user and password in an address.
//   H3. A status of 400 or more is a result for `request`, `get` and `post`, and a failure for the JSON tools (5xx, 408 and 429 retryable).
//   H4. What may change something carries `Idempotency-Key`, the same when the request is made again after a crash, unless the program gives one. A server
//       that heeds it acts once. Its value is a string of RFC 8941, as draft-ietf-httpapi-idempotency-key-header has it.
import { definePlugin, t, ToolFailure, writes, reads, z, type FetchResult, type ToolContext } from 'tek-lang/plugin'

const MAX_BODY_BYTES = 50_000_000
const MAX_TIMEOUT_MS = 600_000
const MAX_JSON_DEPTH = 128
const CHANGING = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])

const url = t.url.describe('The address, http or https.')
const headers = t.secret(t.map(z.string())).default({}).describe('Headers of the request; what they say may be secret.')
const bearer = t.secret(z.string()).default('').describe('A key sent as `Authorization: Bearer …`; may be a secret.')
const basic = t.secret(z.string()).default('').describe('User and key with `:` between, sent as `Authorization: Basic …`; may be secret.')
const timeout = t.duration.default(30_000).describe('Fails after this long; at most 10m.')
const maxBody = t.size.default(5_000_000).describe('Largest answer in bytes; at most 50 MB.')
const needs = { net: ['$url'] } as const

const responseType = z.object({
  status: t.int, ok: z.boolean().describe('The status is from 200 to 299.'),
  headers: t.untrusted(t.map(z.string())).describe('By lower-case name.'), body: t.untrusted(z.string()), url: t.untrusted(z.string()).describe('Where the answer came from, after redirects.'),
})

interface Request {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly bearer: string
  readonly basic: string
  readonly timeout: number
  readonly maxBody: number
}

function checkedUrl(address: string): string {
  let parsed: URL
  try {
    parsed = new URL(address)
  } catch {
    throw new ToolFailure('bad-url', `\`${address.slice(0, 200)}\` is not an address.`, { help: 'Write it whole: https://example.com/path.' })
  }
  if (parsed.protocol !== 'https:' && parsed.protocol !== 'http:') throw new ToolFailure('bad-url', `An address begins with http or https, not ${parsed.protocol}`)
  if (parsed.username !== '' || parsed.password !== '') throw new ToolFailure('bad-url', 'An address may not hold a user or password.', { help: 'Use `bearer:` or a header.' })
  return parsed.href
}

function checkedHeaders(given: Readonly<Record<string, string>>, bearer: string, basic: string): Record<string, string> {
  const result = new Map<string, string>()
  for (const [name, value] of Object.entries(given)) {
    if (!/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/.test(name)) throw new ToolFailure('bad-header', `\`${name.slice(0, 100)}\` cannot be the name of a header.`)
    if (/[\r\n\0]/.test(value)) throw new ToolFailure('bad-header', `The header \`${name}\` holds a line end.`)
    if (/^(?:host|content-length|transfer-encoding|connection|upgrade|te|trailer|proxy-.*)$/i.test(name)) throw new ToolFailure('bad-header', `The header \`${name}\` is set by tek.`)
    result.set(name.toLowerCase(), value)
  }
  if (bearer !== '') {
    if (/[\r\n\0]/.test(bearer)) throw new ToolFailure('bad-header', 'The key holds a line end.')
    result.set('authorization', `Bearer ${bearer}`)
  }
  if (basic !== '') {
    if (bearer !== '' || !basic.includes(':')) throw new ToolFailure('bad-header', bearer !== '' ? 'Give either `bearer` or `basic`.' : '`basic` is `user:key`.')
    result.set('authorization', `Basic ${Buffer.from(basic).toString('base64')}`) // RFC 7617
  }
  return Object.fromEntries(result)
}

async function send(request: Request, context: ToolContext): Promise<FetchResult> {
  if (!/^[A-Z]{1,20}$/.test(request.method)) throw new ToolFailure('bad-method', `\`${request.method.slice(0, 30)}\` is not a method.`)
  if (!(request.timeout > 0 && request.timeout <= MAX_TIMEOUT_MS)) throw new ToolFailure('bad-timeout', 'timeout must be above 0 and at most 10m.')
  if (!(request.maxBody >= 0 && request.maxBody <= MAX_BODY_BYTES)) throw new ToolFailure('bad-limit', `maxBody must be from 0 to ${MAX_BODY_BYTES} bytes.`)
  const headers = checkedHeaders(request.headers, request.bearer, request.basic)
  if (CHANGING.has(request.method)) headers['idempotency-key'] ??= `"${context.idempotencyKey}"` // H4
  return context.fetch(checkedUrl(request.url), {
    method: request.method, headers, timeoutMs: request.timeout, maxBodyBytes: request.maxBody,
    ...(request.body === undefined ? {} : { body: request.body }),
  })
}

const shown = (result: FetchResult) => ({ status: result.status, ok: result.status >= 200 && result.status < 300, headers: { ...result.headers }, body: result.body, url: result.url })

function jsonOf(result: FetchResult, method: string): unknown {
  if (result.status < 200 || result.status >= 300) {
    const retryable = result.status >= 500 || result.status === 408 || result.status === 429
    throw new ToolFailure('bad-status', `${method} ${new URL(result.url).host} answered ${result.status}: ${result.body.slice(0, 300)}`, { retryable }) // H3
  }
  if (result.body.trim() === '') return null
  let depth = 0
  let deepest = 0
  for (const mark of result.body.replace(/"(?:\\.|[^"\\])*"/g, '')) {
    if (mark === '[' || mark === '{') deepest = Math.max(deepest, ++depth)
    else if (mark === ']' || mark === '}') depth--
  }
  if (deepest > MAX_JSON_DEPTH) throw new ToolFailure('too-deep', `The answer is nested more than ${MAX_JSON_DEPTH} deep.`)
  try {
    return JSON.parse(result.body)
  } catch {
    throw new ToolFailure('not-json', `${new URL(result.url).host} answered something else than JSON: ${result.body.slice(0, 100)}`)
  }
}

const jsonHeaders = (given: Readonly<Record<string, string>>, hasBody: boolean) => ({ accept: 'application/json', ...(hasBody ? { 'content-type': 'application/json' } : {}), ...given })

export default definePlugin({
  name: 'http',
  version: '1.0.0',
  doc: 'Requests to servers. Each needs `net(host:port)`, redirects as well; answers are untrusted.',
  tools: {
    get: reads({
      doc: 'Fetches an address.',
      input: { url, headers, bearer, timeout, maxBody, basic }, output: responseType, needs, sinks: ['url', 'headers'],
      run: async (input, context) => shown(await send({ ...input, method: 'GET' }, context)),
    }),
    head: reads({
      doc: 'Fetches the headers of an address.',
      input: { url, headers, bearer, timeout, basic }, output: responseType, needs, sinks: ['url', 'headers'],
      run: async (input, context) => shown(await send({ ...input, method: 'HEAD', maxBody: 0 }, context)),
    }),
    post: writes({
      doc: 'Sends text to an address. The header Idempotency-Key, unless it is given, is the same when the request is made again after a crash.',
      input: { url, body: z.string().describe('What to send.'), headers, bearer, timeout, maxBody, basic }, output: responseType, needs, sinks: ['url', 'headers'],
      run: async (input, context) => shown(await send({ ...input, method: 'POST' }, context)),
    }),
    request: writes({
      doc: 'Sends any other request, such as PUT, PATCH or DELETE; those carry Idempotency-Key, as `post` does.',
      input: { method: z.string().describe('The method, in capitals.'), url, body: z.string().default('').describe('What to send; "" is no body.'), headers, bearer, timeout, maxBody, basic },
      output: responseType, needs, sinks: ['method', 'url', 'headers'],
      run: async ({ body, ...input }, context) => shown(await send(body === '' ? input : { ...input, body }, context)),
    }),
    getJson: reads({
      doc: 'Fetches JSON; fails for a status other than 2xx and for anything else than JSON.',
      input: { url, headers, bearer, timeout, maxBody, basic }, output: t.json, untrusted: true, needs, sinks: ['url', 'headers'],
      run: async (input, context) => jsonOf(await send({ ...input, headers: jsonHeaders(input.headers, false), method: 'GET' }, context), 'GET'),
    }),
    postJson: writes({
      doc: 'Sends a value as JSON and gives the JSON that comes back (null when nothing does). It carries Idempotency-Key, as `post` does.',
      input: { url, value: t.json.describe('What to send.'), headers, bearer, timeout, maxBody, basic }, output: t.json, untrusted: true, needs, sinks: ['url', 'headers'],
      run: async ({ value, ...input }, context) =>
        jsonOf(await send({ ...input, headers: jsonHeaders(input.headers, true), body: JSON.stringify(value), method: 'POST' }, context), 'POST'),
    }),
  },
})
