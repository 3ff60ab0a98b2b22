// Hostile network: servers, names and answers that try to get more than a grant gives, against the real door behind the real guard.
import { createServer as createRawServer, type Server as RawServer, type Socket } from 'node:net'
import { createServer, type Server } from 'node:http'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { nodeFetch, type Network } from '#host/node-fetch.ts'
import { nodeHost } from '#host/node-host.ts'
import { makeToolContext } from '#interpreter/guard/context.ts'
import type { Grant } from '#model/capability.ts'
import type { ToolContext } from '#plugin-api/context.ts'
import http from '../../stdlib/http/plugin.ts'
import { callTool } from '../stdlib/call.ts'
import { portOf } from './network.ts'

let server: Server
let raw: RawServer
/** What a connection to the raw server is answered with. */
let answerRaw: (socket: Socket) => void
const reached: string[] = []
beforeAll(async () => {
  server = createServer((request, response) => {
    reached.push(`${request.headers.host} ${request.url} ${request.headers['authorization'] ?? ''} ${request.headers['x-api-key'] ?? ''}`.trim())
    const to = /^\/to\/(.*)$/.exec(request.url ?? '')?.[1]
    if (to !== undefined) return void response.writeHead(302, { location: decodeURIComponent(to) }).end()
    if (request.url === '/gzip') return void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(50_000_000)))
    if (request.url === '/br') return void response.writeHead(200, { 'content-encoding': 'br' }).end(brotliCompressSync(Buffer.alloc(50_000_000)))
    if (request.url === '/gzip-twice') return void response.writeHead(200, { 'content-encoding': 'gzip, gzip' }).end(gzipSync(gzipSync(Buffer.alloc(5_000_000))))
    if (request.url === '/broken-gzip') return void response.writeHead(200, { 'content-encoding': 'gzip' }).end('this is not gzip')
    response.end('here')
  })
  raw = createRawServer(socket => {
    socket.on('error', () => undefined)
    socket.once('data', () => answerRaw(socket))
  })
  for (const each of [server, raw]) await new Promise<void>(done => each.listen(0, '127.0.0.1', done))
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
  raw.close()
})

const publicAddress = '93.184.216.34'

/** A context for which `names` resolve as said, one after the other; anything else is not known. */
function contextOf(grants: readonly Grant[], names: Readonly<Record<string, readonly string[]>> = {}): ToolContext & { readonly lookedUp: string[] } {
  const lookedUp: string[] = []
  const lookup = ((name: string, _options: unknown, done: (error: Error | null, found?: { address: string; family: number }[]) => void) => {
    const known = names[name]
    lookedUp.push(name)
    if (known === undefined) return done(Object.assign(new Error('unknown'), { code: 'ENOTFOUND' }))
    done(null, [{ address: known[Math.min(lookedUp.filter(each => each === name).length, known.length) - 1]!, family: 4 }])
  }) as unknown as Network['lookup']
  const host = { ...nodeHost({ cwd: '/tmp' }), fetch: (request: Parameters<typeof nodeFetch>[0], signal: AbortSignal) => nodeFetch(request, signal, { env: () => undefined, lookup }) }
  const context = makeToolContext({
    host, cwd: '/tmp', authority: [grants], implied: [], signal: new AbortController().signal, idempotencyKey: 'k', taskPath: 't', onCount() {}, onLog() {}, onProgress() {},
  })
  return Object.assign(context, { lookedUp })
}

const net = (...hosts: readonly string[]): Grant[] => hosts.map(host => ({ name: 'net', args: [host] }))
const here = (): string => `127.0.0.1:${portOf(server)}`
const codeOf = (promise: Promise<unknown>): Promise<string> => promise.then(() => 'nothing', error => String((error as { code?: unknown }).code ?? error))

describe('redirects', () => {
  test('to this machine, to the cloud\'s metadata, to another scheme: each hop is decided anew', async () => {
    const context = contextOf(net(here(), '*:80', '*:443'))
    for (const target of ['http://169.254.169.254/latest/meta-data/', 'http://127.0.0.1:1/', 'http://[::1]/', 'http://0x7f000001/', 'http://2130706433/', 'http://10.0.0.1/', 'http://[::ffff:169.254.169.254]/']) {
      expect(await codeOf(context.fetch(`http://${here()}/to/${encodeURIComponent(target)}`)), target).toBe('permit/denied')
    }
    for (const target of ['file:///etc/passwd', 'ftp://127.0.0.1/', 'gopher://127.0.0.1/', 'javascript:1', 'data:text/plain,x']) {
      expect(await codeOf(context.fetch(`http://${here()}/to/${encodeURIComponent(target)}`)), target).toBe('refused')
    }
  })
  test('to another origin: no header that may be a key goes along', async () => {
    const context = contextOf(net(here(), `localhost:${portOf(server)}`), { localhost: ['127.0.0.1'] })
    await context.fetch(`http://${here()}/to/${encodeURIComponent(`http://localhost:${portOf(server)}/there`)}`, { headers: { authorization: 'Bearer key', 'x-api-key': 'key' } })
    expect(reached.at(-1)).toBe(`localhost:${portOf(server)} /there`)
  })
})

describe('names', () => {
  test('a public name that stands for this machine or its network reaches nothing', async () => {
    for (const address of ['127.0.0.1', '10.1.2.3', '169.254.169.254', '192.168.1.1', '100.64.0.1', '0.0.0.0']) {
      const before = reached.length
      expect(await codeOf(contextOf(net('*:*', 'evil.example'), { 'evil.example': [address] }).fetch(`http://evil.example:${portOf(server)}/`)), address).toBe('permit/denied')
      expect(reached.length).toBe(before)
    }
  })
  test('a name that changes its address between the check and the connection is looked up but once', async () => {
    const context = contextOf(net(`rebind.example:${portOf(server)}`), { 'rebind.example': ['127.0.0.1', publicAddress] })
    expect(await codeOf(context.fetch(`http://rebind.example:${portOf(server)}/`))).toBe('permit/denied')
    expect(context.lookedUp).toEqual(['rebind.example'])
  })
  test('a user and a password in an address are no way to another host', async () => {
    const context = contextOf(net('good.example:80'), { 'good.example': ['127.0.0.1'] })
    expect(await codeOf(context.fetch('http://good.example:80@127.0.0.1/'))).toBe('permit/denied')
    expect(await codeOf(callTool(http, context, 'get', `http://user:key@${here()}/`))).toBe('bad-url')
  })
})

describe('answers', () => {
  const limited = { maxBodyBytes: 100_000, timeoutMs: 20_000 }
  test('a small answer that unpacks to a large one ends at the limit', async () => {
    const context = contextOf(net(here()))
    for (const path of ['/gzip', '/br']) expect(await codeOf(context.fetch(`http://${here()}${path}`, limited)), path).toBe('too-large')
    expect((await context.fetch(`http://${here()}/gzip-twice`, limited)).body.length).toBeLessThan(100_000) // one layer is taken off at most, or none
    expect(await codeOf(context.fetch(`http://${here()}/broken-gzip`, limited))).toBe('other')
  })
  const rawAnswer = async (answer: (socket: Socket) => void, options: object = limited): Promise<string> => {
    answerRaw = answer
    return codeOf(contextOf(net(`127.0.0.1:${portOf(raw)}`)).fetch(`http://127.0.0.1:${portOf(raw)}/`, options))
  }
  test('one that never ends, a byte at a time, ends by the clock', async () => {
    const drip = (socket: Socket): void => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n')
      const timer = setInterval(() => socket.write('x'), 20)
      socket.on('close', () => clearInterval(timer))
    }
    expect(await rawAnswer(drip, { timeoutMs: 300 })).toBe('timed-out')
    const dripHead = (socket: Socket): void => {
      socket.write('HTTP/1.1 200 OK\r\n')
      const timer = setInterval(() => socket.write('x-a: b\r\n'), 20)
      socket.on('close', () => clearInterval(timer))
    }
    expect(await rawAnswer(dripHead, { timeoutMs: 300 })).toBe('timed-out')
  })
  test('headers without end, a length that is not true, two lengths, nonsense', async () => {
    expect(await rawAnswer(socket => socket.write(`HTTP/1.1 200 OK\r\n${'x-a: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n'.repeat(2_000)}\r\n`))).toBe('other')
    expect(await rawAnswer(socket => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort'))).toBe('no-network')
    expect(await rawAnswer(socket => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nshort!'))).toBe('other')
    expect(await rawAnswer(socket => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'))).toMatch(/^(?:other|nothing)$/)
    expect(await rawAnswer(socket => socket.end('SSH-2.0-OpenSSH_9\r\n'))).toBe('other')
    expect(await rawAnswer(socket => socket.destroy())).toBe('no-network')
  })
})

describe('requests', () => {
  test('a line end in a header, a name that is none, a header that is tek\'s own', async () => {
    const context = contextOf(net(here()))
    const before = reached.length
    for (const headers of [{ 'x-a': 'b\r\nx-c: d' }, { 'x-a': 'b\n' }, { 'x-a': '\0' }, { 'x a': 'b' }, { 'x-a: b\r\nx': 'y' }, { Host: 'other' }, { 'Content-Length': '5' }, { 'Transfer-Encoding': 'chunked' }, { 'Proxy-Authorization': 'x' }]) {
      expect(await codeOf(callTool(http, context, 'get', `http://${here()}/`, headers)), JSON.stringify(headers)).toBe('bad-header')
      expect(await codeOf(context.fetch(`http://${here()}/`, { headers: headers as unknown as Record<string, string> })), JSON.stringify(headers)).not.toBe('nothing')
    }
    expect(reached.length).toBe(before)
  })
  test('a line end in an address is no second request', async () => {
    const context = contextOf(net(here()))
    expect(await codeOf(context.fetch(`http://${here()}/a\r\nx-evil: 1`))).toBe('nothing')
    expect(reached.at(-1)).toContain('/ax-evil:%201')
  })
})
