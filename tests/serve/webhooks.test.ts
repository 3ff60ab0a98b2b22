// Webhooks: real HTTP, with what senders and attackers do.
import { createHmac, randomBytes } from 'node:crypto'
import { request as ask } from 'node:http'
import { connect } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import type { Permit } from '#model/capability.ts'
import { MAX_BODY_BYTES, MAX_CONNECTIONS, MAX_DELIVERIES } from '#serve/webhooks/webhook-server.ts'
import { showRun } from '#tek.ts'
import { place, served, start, statuses, until, withStore, type Place, type Running } from './harness.ts'

const SECRET = 'a secret that signs'
const program = 'secret key = env("HOOK_KEY")\n\nworkflow push(branch: untrusted string = "main", count: int, kind: "a" | "b" = "a") -> int {\n  can env("HOOK_KEY")\n  on webhook "push" signed key\n  return count\n}\n\n'
  + 'workflow open(n: int = 1) -> int {\n  on webhook "in/the-open"\n  return n\n}\n'

let where: Place
let server: Running
let url: URL
async function listen(options: Partial<Parameters<typeof start>[2]> = {}, text = program): Promise<void> {
  where = place(null)
  const host = { ...where.host, env: (name: string) => (name === 'HOOK_KEY' ? SECRET : where.host.env(name)) }
  server = start({ ...where, host }, [await served(host, text)], options)
  url = new URL((await server.heard('listening')).url)
}
afterEach(async () => {
  await server.stop()
  where.remove()
})

interface Reply {
  readonly status: number
  readonly body: Record<string, unknown>
  readonly headers: Record<string, unknown>
}

function send(path: string, body: string | Buffer | null, headers: Record<string, string> = {}, method = 'POST'): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const request = ask({ host: url.hostname, port: url.port, path, method, headers: { ...(body === null ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }), ...headers } }, response => {
      let text = ''
      response.setEncoding('utf8').on('data', (piece: string) => void (text += piece)).on('end', () => resolve({ status: response.statusCode!, body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>, headers: response.headers }))
    })
    request.on('error', reject)
    request.end(body ?? undefined)
  })
}

const github = (body: string | Buffer, secret = SECRET): Record<string, string> => ({ 'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}` })
const standard = (body: string, id: string, atMs = Date.now()): Record<string, string> => {
  const seconds = String(Math.floor(atMs / 1_000))
  return { 'webhook-id': id, 'webhook-timestamp': seconds, 'webhook-signature': `v1,${createHmac('sha256', SECRET).update(`${id}.${seconds}.${body}`).digest('base64')}` }
}
const good = JSON.stringify({ branch: 'main', count: 7, others: { of: ['the', 'sender'] } })

async function result(runId: unknown): Promise<unknown> {
  const report = await showRun(where.database, runId as string)
  const outcome = report.kind === 'answer' ? report.value?.summary.outcome : null
  return outcome?.kind === 'value' ? outcome.value : outcome
}

test('a signed delivery begins a run with the parameters it sets, by either scheme', async () => {
  await listen()
  const first = await send('/push', good, github(good))
  expect(first).toMatchObject({ status: 202, body: { run: expect.stringMatching(/^[0-9a-f]{12}$/) } })
  await server.heard('ended', each => each.runId === first.body['run'])
  expect(await result(first.body['run'])).toBe(7)
  const second = await send('/push?source=test', good, standard(good, 'msg_1'))
  await server.heard('ended', each => each.runId === second.body['run'])
  expect(await statuses(where)).toEqual(['done', 'done'])
})

test('a delivery that is sent again is the same run, also to the next server', async () => {
  await listen()
  const first = await send('/push', good, standard(good, 'msg_1'))
  expect(await send('/push', good, standard(good, 'msg_1'))).toMatchObject({ status: 202, body: { run: first.body['run'], known: true } })
  const other = await send('/push', good, { ...github(good), 'x-github-delivery': 'd-1' })
  expect((await send('/push', good, { ...github(good), 'x-github-delivery': 'd-1' })).body).toEqual({ run: other.body['run'], known: true })
  await server.heard('ended', () => true, 2)
  await server.stop()
  const host = { ...where.host, env: () => SECRET }
  server = start({ ...where, host }, [await served(host, program)])
  url = new URL((await server.heard('listening')).url)
  expect((await send('/push', good, standard(good, 'msg_1'))).body).toEqual({ run: first.body['run'], known: true })
  expect(await statuses(where)).toEqual(['done', 'done'])
})

test.each<[string, () => Record<string, string>]>([
  ['nothing', () => ({})],
  ['another secret', () => github(good, 'another')],
  ['the signature of another body', () => github('{}')],
  ['an old timestamp', () => standard(good, 'msg_1', Date.now() - 600_000)],
  ['a timestamp to come', () => standard(good, 'msg_1', Date.now() + 600_000)],
])('signed by %s: refused, with nothing of it in what is said', async (_, headers) => {
  await listen()
  const reply = await send('/push', good, headers())
  expect(reply).toMatchObject({ status: 401, body: { error: 'unauthorized' } })
  expect(await server.heard('delivery-refused')).toMatchObject({ path: '/push', status: 401 })
  expect(JSON.stringify(server.events)).not.toContain(SECRET)
  expect(await statuses(where)).toEqual([])
})

test.each<[string, string | Buffer, number, unknown]>([
  ['a parameter of another type', '{"count":"7"}', 422, { error: 'parameters do not fit', problems: [{ param: 'count', problem: 'int is needed, the text "7" is given' }] }],
  ['a parameter that is missing', '{}', 422, { error: 'parameters do not fit', problems: [{ param: 'count', problem: 'int is needed' }] }],
  ['several that do not fit', '{"count":1.5,"kind":"c","branch":null}', 422, expect.objectContaining({ problems: [expect.objectContaining({ param: 'branch' }), expect.objectContaining({ param: 'count' }), expect.objectContaining({ param: 'kind' })] })],
  ['names of the language below', '{"__proto__":{"count":7},"constructor":7}', 422, expect.objectContaining({ problems: [{ param: 'count', problem: 'int is needed' }] })],
  ['no object', '[7]', 422, { error: 'the body is not a JSON object' }],
  ['no JSON', '{"count":7', 422, { error: 'the body is not JSON' }],
  ['no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 422, { error: 'the body is not UTF-8' }],
  ['129 levels', `{"count":7,"x":${'['.repeat(128)}${']'.repeat(128)}}`, 422, { error: 'the body nests more than 128 deep' }],
  ['a hundred thousand levels', `{"count":7,"x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 422, { error: 'the body nests more than 128 deep' }],
])('%s is refused, in words', async (_, body, status, said) => {
  await listen()
  const reply = await send('/push', body, github(body))
  expect([reply.status, reply.body]).toEqual([status, said])
  expect(await statuses(where)).toEqual([])
})

test('brackets in texts are no levels', async () => {
  await listen()
  const body = JSON.stringify({ count: 7, text: `${'['.repeat(500)}\\"` })
  expect((await send('/push', body, github(body))).status).toBe(202)
})

test('methods, paths and kinds of content that it does not take', async () => {
  await listen()
  expect((await send('/push', null, {}, 'GET'))).toMatchObject({ status: 405, headers: { allow: 'POST' } })
  expect((await send('/push', good, github(good), 'PUT')).status).toBe(405)
  expect((await send('/push', null, {}, 'OPTIONS')).status).toBe(405)
  expect((await send('/pushed', good, github(good))).status).toBe(404)
  expect((await send('//push', good, github(good))).status).toBe(404)
  expect((await send('/in/the-open', '{}', { 'content-type': 'text/plain' })).status).toBe(415)
  expect((await send('/in/the-open', 'n=1', { 'content-type': 'application/x-www-form-urlencoded' })).status).toBe(415)
  expect((await send('/in/the-open', '{}', { 'content-encoding': 'gzip' })).status).toBe(415)
  expect((await send('/in/the-open', '{"n":2}', { 'content-type': 'application/cloudevents+json; charset=utf-8' })).status).toBe(202)
})

test('whom it answers: names of another server are refused, and pages of a browser begin nothing unsigned', async () => {
  await listen({ http: { bind: '127.0.0.1', port: 0, names: ['hooks.example.com'], allowUnsigned: false } })
  expect((await send('/in/the-open', '{}', { host: `attacker.example:${url.port}` })).status).toBe(421)
  expect((await send('/in/the-open', '{}', { host: '127.0.0.1:1' })).status).toBe(421)
  expect((await send('/status', null, { host: 'attacker.example' }, 'GET')).status).toBe(421)
  expect((await send('/in/the-open', '{}', { origin: 'http://127.0.0.1' })).status).toBe(403)
  for (const host of [`localhost:${url.port}`, `LOCALHOST:${url.port}`, 'hooks.example.com', 'hooks.example.com:443']) expect((await send('/in/the-open', '{}', { host })).status).toBe(202)
  const reply = await send('/health', null, {}, 'GET')
  expect(reply.headers['access-control-allow-origin']).toBeUndefined()
})

test('too large: by what it says of itself, and by what it sends', async () => {
  await listen()
  const large = Buffer.alloc(MAX_BODY_BYTES + 1, 0x20)
  expect((await send('/push', large, github(large)).catch(() => ({ status: 413 }))).status).toBe(413) // it may close before all was sent
  const chunked = new Promise<string>(resolve => {
    const socket = connect(Number(url.port), url.hostname)
    let said = ''
    socket.on('data', (piece: Buffer) => void (said += piece.toString('latin1'))).on('error', () => {}).on('close', () => resolve(said))
    socket.write(`POST /push HTTP/1.1\r\nhost: ${url.host}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n`)
    const piece = Buffer.alloc(65_536, 0x20)
    const more = (): void => {
      if (!socket.destroyed) socket.write(Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]), () => setImmediate(more))
    }
    more()
  })
  await chunked // it ends, although the sender never does
  expect(server.events.filter(each => each.kind === 'delivery-refused').map(each => each.status)).toEqual([413, 413])
  const exact = JSON.stringify({ count: 7, pad: '' })
  const full = exact.replace('""', `"${'x'.repeat(MAX_BODY_BYTES - exact.length)}"`)
  expect((await send('/push', full, github(full))).status).toBe(202)
})

test('a request that is no HTTP, and one whose headers are too long, end with 400 and 431', async () => {
  await listen()
  const raw = (text: string): Promise<string> => new Promise(resolve => {
    const socket = connect(Number(url.port), url.hostname)
    let said = ''
    socket.on('data', (piece: Buffer) => void (said += piece.toString('latin1'))).on('error', () => {}).on('close', () => resolve(said))
    socket.write(text)
  })
  expect(await raw('nonsense\r\n\r\n')).toContain('400')
  expect(await raw(`GET /health HTTP/1.1\r\nhost: ${url.host}\r\nx: ${'y'.repeat(40_000)}\r\n\r\n`)).toContain('431')
  expect(await raw(`POST /push HTTP/1.1\r\nhost: ${url.host}\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`)).toContain('400') // smuggling
  expect((await send('/health', null, {}, 'GET')).body).toEqual({ ok: true })
})

test(`connections that say nothing, or a byte at a time, are closed; beyond ${MAX_CONNECTIONS} at once; it goes on answering`, { timeout: 180_000 }, async () => {
  await listen()
  const slow = connect({ port: Number(url.port), host: url.hostname, allowHalfOpen: true }).on('error', () => {}).resume() // never closes its side
  await new Promise(resolve => slow.once('connect', resolve))
  slow.write(`POST /push HTTP/1.1\r\nhost: ${url.host}\r\n`)
  const dripping = setInterval(() => slow.write('x'), 500)
  let isSlowClosed = false
  slow.on('close', () => { isSlowClosed = true })
  const sockets = Array.from({ length: MAX_CONNECTIONS + 20 }, () => connect(Number(url.port), url.hostname).on('error', () => {}).resume()) // reads what it is told: a socket that holds an unread 408 never ends
  let closed = 0
  for (const socket of sockets) socket.on('close', () => void closed++)
  await until(() => closed >= 20)
  await until(() => closed === sockets.length)
  await until(() => isSlowClosed)
  clearInterval(dripping)
  expect((await send('/health', null, {}, 'GET')).body).toEqual({ ok: true })
})

test(`${MAX_DELIVERIES} deliveries wait; one more is told to come again, and what was taken begins later`, { timeout: 180_000 }, async () => {
  await listen()
  await server.stop()
  // Nothing can begin: the file that stops every run is there.
  await where.host.files.writeAtomic(`${where.path}/.tek/STOP`, '')
  server = start(where, [await served(where.host, 'workflow open(n: int = 1) -> int {\n  on webhook "open"\n  return n\n}\n')])
  url = new URL((await server.heard('listening')).url)
  for (let at = 0; at < MAX_DELIVERIES; at += 25) {
    const replies = await Promise.all(Array.from({ length: 25 }, (_, index) => send('/open', JSON.stringify({ n: at + index }))))
    expect(new Set(replies.map(each => each.status))).toEqual(new Set([202]))
  }
  expect(await send('/open', '{}')).toMatchObject({ status: 429, headers: { 'retry-after': '30' } })
  expect((await send('/status', null, {}, 'GET')).body).toMatchObject({ waitingToBegin: MAX_DELIVERIES })
  expect(await withStore(where, journal => journal.triggers!.open().length)).toBe(MAX_DELIVERIES)
  await server.stop()
})

test('refusals are told so many times a minute, then counted', async () => {
  await listen()
  for (let at = 0; at < 30; at++) await send(`/${randomBytes(4).toString('hex')}`, '{}')
  expect(server.events.filter(each => each.kind === 'delivery-refused')).toHaveLength(20)
})

test('what it says of itself holds no secret', async () => {
  await listen()
  const { body } = await send('/status', null, {}, 'GET')
  expect(body).toEqual({
    version: 1, running: [], waitingToBegin: 0,
    triggers: [{ program: 'p.tek', workflow: 'push', trigger: 'on webhook "push"' }, { program: 'p.tek', workflow: 'open', trigger: 'on webhook "in/the-open"' }],
  })
})

test('a permit that does not cover where the secret comes from', async () => {
  await listen()
  const none: Permit = { grants: [], by: 'file' }
  const made = await served({ ...where.host, env: () => SECRET }, program)
  const other = place(null)
  const end = await start(other, [{ ...made, permits: new Map([...made.permits].map(([key]) => [key, none])) }]).ended
  other.remove()
  expect(end).toMatchObject({ kind: 'refused', diagnostics: [{ code: 'serve/bad-trigger', message: expect.stringContaining('env("HOOK_KEY")') }] })
})
