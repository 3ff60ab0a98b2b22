// An answer that is read as it comes: its pieces, its two deadlines, its limit, and the socket that goes when nobody reads any more.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import type { HttpStreamRequest } from '#host/host.ts'
import { nodeStream } from '#host/node-fetch.ts'

const never = new AbortController().signal
const here = { env: () => undefined, lookup: undefined as never }
const servers: Server[] = []

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

async function serving(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer)
  servers.push(server)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

const asking = (url: string, more: Partial<HttpStreamRequest> = {}): HttpStreamRequest => ({
  method: 'POST', url, headers: {}, body: '{}', firstByteMs: 20_000, idleMs: 20_000, maxBodyBytes: 1_000_000, mayFollow: () => undefined, ...more,
})

async function read(body: AsyncIterable<Uint8Array>): Promise<string> {
  let text = ''
  for await (const piece of body) text += Buffer.from(piece).toString()
  return text
}

describe('a streamed answer', () => {
  test('a piece is read before the next is sent', async () => {
    let more = (): void => {}
    const url = await serving((_, response) => {
      response.write('one ')
      more = () => void response.end('two')
    })
    const { status, body } = await nodeStream(asking(url), never, here)
    expect(status).toBe(200)
    const pieces = body[Symbol.asyncIterator]()
    expect(Buffer.from((await pieces.next()).value as Uint8Array).toString()).toBe('one ')
    more()
    expect(Buffer.from((await pieces.next()).value as Uint8Array).toString()).toBe('two')
    expect((await pieces.next()).done).toBe(true)
  })

  test('what is compressed is read as it was', async () => {
    const url = await serving((_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('the answer')))
    expect(await read((await nodeStream(asking(url), never, here)).body)).toBe('the answer')
  })

  test('no head in time, and no next piece in time, are timed out', async () => {
    const silent = await serving(() => {})
    await expect(nodeStream(asking(silent, { firstByteMs: 50 }), never, here)).rejects.toMatchObject({ code: 'timed-out' })
    const stuck = await serving((_, response) => void response.write('begun'))
    const { body } = await nodeStream(asking(stuck, { idleMs: 50 }), never, here)
    await expect(read(body)).rejects.toMatchObject({ code: 'timed-out' })
  })

  test('a stream that is broken off is no end', async () => {
    const url = await serving((_, response) => void response.write('half', () => response.socket!.destroy()))
    const { body } = await nodeStream(asking(url), never, here)
    await expect(read(body)).rejects.toMatchObject({ code: 'no-network' })
  })

  test('more than its limit is refused', async () => {
    const url = await serving((_, response) => response.end('x'.repeat(2_000)))
    const { body } = await nodeStream(asking(url, { maxBodyBytes: 1_000 }), never, here)
    await expect(read(body)).rejects.toMatchObject({ code: 'too-large' })
  })

  test('who leaves off reading, and who aborts, closes the socket', async () => {
    const gone: Promise<void>[] = []
    const url = await serving((_, response) => {
      gone.push(new Promise(resolve => void response.on('close', () => resolve())))
      response.write('first')
    })
    const left = await nodeStream(asking(url), never, here)
    for await (const _ of left.body) break
    await gone[0]
    const abort = new AbortController()
    const aborted = await nodeStream(asking(url), abort.signal, here)
    const pieces = aborted.body[Symbol.asyncIterator]()
    await pieces.next()
    abort.abort()
    await expect(pieces.next()).rejects.toMatchObject({ code: 'cancelled' })
    await gone[1]
  })

  test('where a redirect leads is asked before it is followed', async () => {
    const url = await serving((request, response) => (request.url === '/' ? response.writeHead(307, { location: '/there' }).end() : response.end(request.url)))
    const asked: string[] = []
    const { body } = await nodeStream(asking(url, { mayFollow: target => void asked.push(target) }), never, here)
    expect(await read(body)).toBe('/there')
    expect(asked).toEqual([`${url}there`])
  })
})
