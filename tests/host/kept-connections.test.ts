// Connections that wait for the next exchange: how many are opened, who may use one again, and what is sent twice (nothing that does something twice).
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { HttpStreamRequest } from '#host/host.ts'
import { KeptConnections } from '#host/kept-connections.ts'
import { type Network, nodeStream } from '#host/node-fetch.ts'
import { hasOpenssl, listening, portOf, proxyServer, secureServer } from './network.ts'

const never = new AbortController().signal
/** Every name is this machine. */
const lookup = ((_name: string, _options: unknown, done: (error: null, found: unknown) => void) => done(null, [{ address: '127.0.0.1', family: 4 }])) as unknown as Network['lookup']
const network = (env: Readonly<Record<string, string>> = {}): Network => ({ env: name => env[name], lookup })

const closing: (() => void)[] = []
afterEach(() => { for (const close of closing.splice(0)) close() })

async function until(holds: () => boolean): Promise<void> {
  for (const from = Date.now(); !holds(); ) {
    if (Date.now() - from > 30_000) throw new Error('it never came')
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

interface Serving {
  readonly url: string
  readonly sockets: Socket[]
  readonly asked: string[]
}

async function serving(answer: RequestListener = (_, response) => void response.end('answer'), settings: (server: Server) => void = () => {}): Promise<Serving> {
  const sockets: Socket[] = []
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    answer(request, response)
  })
  server.on('connection', socket => sockets.push(socket.unref()))
  settings(server)
  await listening(server)
  closing.push(() => { server.closeAllConnections(); server.close() })
  return { url: `http://a.example:${portOf(server)}/`, sockets, asked }
}

function keeping(): KeptConnections {
  const kept = new KeptConnections()
  closing.push(() => kept.close())
  return kept
}

async function ask(connections: KeptConnections, url: string, more: Partial<HttpStreamRequest> = {}, of: Network = network()): Promise<string> {
  const request: HttpStreamRequest = { method: 'POST', url, headers: {}, ...(more.method === 'GET' ? {} : { body: '{}' }), firstByteMs: 30_000, idleMs: 30_000, maxBodyBytes: 1_000_000, mayFollow: () => undefined, connections, ...more }
  let text = ''
  for await (const piece of (await nodeStream(request, never, of)).body) text += Buffer.from(piece).toString()
  return text
}

describe('one connection', () => {
  test('serves one exchange after the other, compressed ones too', async () => {
    const { url, sockets, asked } = await serving((_, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('answer')))
    const kept = keeping()
    for (let turn = 0; turn < 10; turn++) expect(await ask(kept, url)).toBe('answer')
    expect([asked.length, sockets.length]).toEqual([10, 1])
  })

  test('each use of it is shown to the one who decides, with the address it leads to', async () => {
    const { url, sockets, asked } = await serving()
    const kept = keeping()
    const shown: string[] = []
    for (let turn = 0; turn < 3; turn++) await ask(kept, url, { mayConnect: (name, address) => void shown.push(`${name} ${address}`) })
    expect(shown).toEqual(Array(3).fill('a.example 127.0.0.1'))
    await expect(ask(kept, url, { mayConnect: () => { throw new Error('not there') } })).rejects.toThrow('not there')
    expect([asked.length, sockets.length]).toEqual([3, 1])
  })

  test('another name of the same machine, another asker, and no asker have their own', async () => {
    const { url, sockets } = await serving()
    const kept = keeping()
    await ask(kept, url)
    await ask(kept, url.replace('a.example', 'b.example'))
    await ask(keeping(), url)
    await nodeStream({ method: 'GET', url, headers: {}, firstByteMs: 30_000, idleMs: 30_000, maxBodyBytes: 1_000, mayFollow: () => undefined }, never, network())
    expect(sockets.length).toBe(4)
  })

  test('as many as are in use at once, and no more the next time', async () => {
    let waiting: (() => void)[] = []
    const { url, sockets } = await serving((_, response) => {
      waiting.push(() => response.end('answer'))
      if (waiting.length === 20) for (const each of waiting.splice(0)) each()
    })
    const kept = keeping()
    for (let round = 0; round < 3; round++) await Promise.all(Array.from({ length: 20 }, () => ask(kept, url)))
    expect(sockets.length).toBe(20)
  })

  test('who leaves off reading ends it', async () => {
    const { url, sockets } = await serving((_, response) => void response.write('the first piece'))
    const kept = keeping()
    const { body } = await nodeStream({ method: 'POST', url, headers: {}, body: '{}', firstByteMs: 30_000, idleMs: 30_000, maxBodyBytes: 1_000, mayFollow: () => undefined, connections: kept }, never, network())
    for await (const piece of body) {
      expect(piece.length).toBeGreaterThan(0)
      break
    }
    await until(() => sockets[0]!.destroyed)
  })

  test('keeps no process alive while it waits, and is closed with the rest', async () => {
    const held = (): number => process.getActiveResourcesInfo().filter(each => each === 'TCPSocketWrap').length
    const { url, sockets } = await serving()
    const before = held()
    const kept = keeping()
    await ask(kept, url)
    await until(() => held() === before)
    expect(sockets[0]!.destroyed).toBe(false)
    kept.close()
    await until(() => sockets[0]!.destroyed)
    await ask(kept, url) // later ones wait for nothing
    await until(() => sockets[1]!.destroyed)
  })
})

describe('a connection that is over', () => {
  test('a server that ended it while it waited is asked by a new one, once', async () => {
    const { url, sockets, asked } = await serving()
    const kept = keeping()
    for (let turn = 0; turn < 5; turn++) {
      await ask(kept, url)
      sockets.at(-1)!.end() // and this process is not told before it asks again
    }
    expect([asked.length, sockets.length]).toEqual([5, 5])
  })

  test('one that says how long it waits is not used near its end', async () => {
    const { url, sockets } = await serving(undefined, server => { server.keepAliveTimeout = 1_000 })
    const kept = keeping()
    for (let turn = 0; turn < 3; turn++) await ask(kept, url)
    expect(sockets.length).toBe(3)
  })

  test('one that spoke unasked is not used: its words are no answer', async () => {
    const { url, sockets } = await serving()
    const kept = keeping()
    await ask(kept, url)
    sockets[0]!.write('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nwrong')
    expect(await ask(kept, url)).toBe('answer')
    expect(sockets.length).toBe(2)
  })

  test('what may have been done is not sent again; what may be repeated is', async () => {
    const { url, asked } = await serving((request, response) => {
      const socket = request.socket as Socket & { isUsed?: boolean }
      if (socket.isUsed === true) return void socket.destroy() // after it took the request
      socket.isUsed = true
      response.end('answer')
    })
    const kept = keeping()
    await ask(kept, url)
    await expect(ask(kept, url)).rejects.toMatchObject({ code: 'no-network' })
    expect(asked).toEqual(['POST /', 'POST /'])
    await ask(kept, url)
    expect(await ask(kept, url, { method: 'GET' })).toBe('answer')
    expect(asked.slice(2)).toEqual(['POST /', 'GET /', 'GET /'])
  })
})

describe.runIf(hasOpenssl)('over TLS', () => {
  let folder: string
  beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'tek-kept-')) })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test('one handshake; the certificate is checked; through a proxy one CONNECT', async () => {
    const { server, authority } = await secureServer(folder, 'a.example', (_, response) => void response.end('answer'))
    let handshakes = 0
    server.on('secureConnection', () => void handshakes++)
    const url = `https://a.example:${portOf(server)}/`
    const env = { NODE_EXTRA_CA_CERTS: authority }
    const kept = keeping()
    for (let turn = 0; turn < 5; turn++) expect(await ask(kept, url, {}, network(env))).toBe('answer')
    expect(handshakes).toBe(1)
    await expect(ask(keeping(), url)).rejects.toThrow(/is signed by no authority/)
    await expect(ask(kept, url.replace('a.example', 'b.example'), {}, network(env))).rejects.toThrow(/is for another name/)
    const before = handshakes
    const proxy = await proxyServer(() => portOf(server))
    closing.push(() => proxy.close(), () => { server.closeAllConnections(); server.close() })
    for (let turn = 0; turn < 5; turn++) expect(await ask(kept, url, {}, network({ ...env, HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` }))).toBe('answer')
    expect([proxy.asked, handshakes - before]).toEqual([[`CONNECT a.example:${portOf(server)}`], 1])
  })
})

test('an http address through a proxy: the connection is the proxy\'s', async () => {
  const { url, asked } = await serving()
  const proxy = await proxyServer(() => Number(new URL(url).port))
  closing.push(() => proxy.close())
  const kept = keeping()
  for (let turn = 0; turn < 3; turn++) expect(await ask(kept, url, { mayConnect: () => { throw new Error('nothing is looked up here') } }, network({ HTTP_PROXY: `http://127.0.0.1:${proxy.port}` }))).toBe('answer')
  expect([asked.length, proxy.asked.length]).toEqual([3, 3])
})
