// Servers by address that lie, and the parts that calls are made of: what is reached, and what becomes of an answer that does not come.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { nodeHost } from '#host/node-host.ts'
import { HostError } from '#host/host.ts'
import { answerValue } from '#mcp/answer-value.ts'
import { CalledServers } from '#mcp/call-servers.ts'
import { definitionHash, readDefinitions } from '#mcp/definition.ts'
import { httpLink } from '#mcp/http-link.ts'
import { entryHash, type LockedTool, writeLock } from '#mcp/lock-file.ts'
import { MAX_FRAME_BYTES } from '#mcp/pipe-link.ts'
import type { ServerAccess } from '#interpreter/guard/server-access.ts'
import type { ToolContext } from '#plugin-api/context.ts'
import { ServerProject } from './server-project.ts'

const servers: Server[] = []
const made: ServerProject[] = []
afterEach(() => {
  for (const each of servers.splice(0)) each.close()
  for (const each of made.splice(0)) each.remove()
})

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer)
  servers.push(server)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`
}

const host = nodeHost({ cwd: process.cwd() })
const fetchOf = (url: string, more: Partial<Parameters<typeof httpLink>[0]> = {}) => httpLink({ stream: host.stream!.bind(host), url, needsOwnGrant: () => false, firstByteMs: 30_000, idleMs: 30_000, ...more })

test('a redirect to another server is refused, and the other one is not asked', async () => {
  let isAsked = false
  const other = await serve((_, response) => {
    isAsked = true
    response.end('{}')
  })
  const url = await serve((_, response) => response.writeHead(307, { location: other }).end())
  await expect(fetchOf(url)(url, { method: 'POST', body: '{}' })).rejects.toThrow('another server')
  expect(isAsked).toBe(false)
  await expect(fetchOf(url)(other, { method: 'POST', body: '{}' })).rejects.toThrow(HostError)
})

test('a name that stands for this machine is refused; an address that was agreed to is reached', async () => {
  const url = await serve((_, response) => response.end('{}'))
  const local = url.replace('127.0.0.1', 'localhost')
  await expect(fetchOf(local, { needsOwnGrant: () => true })(local, { method: 'POST', body: '{}' })).rejects.toThrow('own network')
  expect((await fetchOf(url, { needsOwnGrant: () => true })(url, { method: 'POST', body: '{}' })).status).toBe(200)
})

test('an answer without end, or nested without end, is broken off; a stream that a server would open is not asked for', async () => {
  const endless = await serve((_, response) => {
    const more = (): void => {
      while (!response.destroyed && response.write('x'.repeat(1_000_000)));
      if (!response.destroyed) response.once('drain', more)
    }
    more()
  })
  await expect(fetchOf(endless)(endless, { method: 'POST', body: '{}' }).then(answer => answer.text())).rejects.toThrow()
  const deep = await serve((_, response) => response.end('['.repeat(10_000)))
  await expect(fetchOf(deep)(deep, { method: 'POST', body: '{}' }).then(answer => answer.text())).rejects.toThrow('nested too deeply')
  let asked = 0
  const quiet = await serve((_, response) => {
    asked++
    response.end()
  })
  expect((await fetchOf(quiet)(quiet)).status).toBe(405)
  expect(asked).toBe(0)
  expect(MAX_FRAME_BYTES).toBe(8 * 1_024 * 1_024)
})

const tool = (more: Partial<LockedTool>): LockedTool => ({ name: 'a', as: 'a', doc: '', input: {}, result: 'text', effect: 'read', ...more })

test.each<[string, Partial<LockedTool>, unknown, unknown]>([
  ['text', {}, { content: [{ type: 'text', text: 'a' }, { type: 'text', text: 'b' }] }, { value: 'a\nb' }],
  ['no text', {}, {}, { value: '' }],
  ['structured', { result: 'structured', output: { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] } }, { structuredContent: { n: 1, more: 2 } }, { value: { n: 1 } }],
  ['structured that is missing', { result: 'structured', output: { type: 'object', properties: {} } }, { content: [] }, { code: 'mcp/bad-answer' }],
  ['pieces', { result: 'content' }, { content: [{ type: 'resource', resource: { uri: 'a:b', text: 'x' } }, { type: 'resource_link', uri: 'c:d' }] }, { value: [{ kind: 'resource', text: 'x', data: null, mimeType: null, uri: 'a:b' }, { kind: 'link', text: null, data: null, mimeType: null, uri: 'c:d' }] }],
  ['a piece of an unknown kind', { result: 'content' }, { content: [{ type: 'hologram' }] }, { code: 'mcp/bad-answer' }],
  ['data that is no base64', { result: 'content' }, { content: [{ type: 'image', data: '!!', mimeType: 'image/png' }] }, { code: 'mcp/bad-answer' }],
  ['an error', {}, { isError: true, content: [{ type: 'text', text: 'no' }] }, { code: 'mcp/failed' }],
  ['too many pieces', { result: 'content' }, { content: Array.from({ length: 2_000 }, () => ({ type: 'text', text: '' })) }, { code: 'mcp/bad-answer' }],
  ['half a character', {}, { content: [{ type: 'text', text: '\ud800' }] }, { value: '\ufffd' }],
])('an answer as a value: %s', (_, locked, answer, value) => {
  expect(answerValue('it.a', tool(locked), answer)).toMatchObject(value as object)
})

/** A stand-in for the built file that speaks the protocol: each call ends in the failure that the query names. */
const clientThat = (kind: string): string => `data:text/javascript,${encodeURIComponent(`
  class SessionFailure extends Error { name = 'SessionFailure'; kind = '${kind}' }
  export const openSession = async () => ({ protocol: '', release: '', close: async () => {}, tools: async () => [{ name: 'a', inputSchema: { type: 'object' } }], call: async () => { throw new SessionFailure('said so') } })`)}`

test.each([['timed-out', 'mcp/timed-out', true], ['refused', 'mcp/refused', false], ['broken', 'mcp/bad-answer', false], ['closed', 'mcp/died', true]] as const)('a call that is %s fails with %s', async (kind, code, retryable) => {
  const project = new ServerProject({ it: { url: 'http://127.0.0.1:9/mcp' } })
  made.push(project)
  const own = nodeHost({ cwd: project.path })
  const definition = definitionHash(readDefinitions('{"mcpServers": {"it": {"url": "http://127.0.0.1:9/mcp"}}}').get('it')!)
  const server = { definition, shows: 'http://127.0.0.1:9/mcp', variables: [], reads: [], protocol: '', release: '', tools: [tool({ effect: 'write', input: { type: 'object' } })] }
  project.write('tek.mcp.lock.json', writeLock(new Map([['it', server]])))
  const modules = [{ name: 'it', origin: 'mcp' as const, source: 'it', release: '', hash: entryHash(server), server: { name: 'it', definition, shows: 'http://127.0.0.1:9/mcp', variables: [], reads: [] } }]
  const called = new CalledServers({ host: own, folder: project.path, modules, clientUrl: clientThat(kind), tekVersion: '0.0.0' })
  const context = { signal: new AbortController().signal, log: () => {}, progress: () => {} } as unknown as ToolContext
  const access = { needsOwnGrant: () => false, variable: () => undefined } as unknown as ServerAccess
  expect(await called.call({ module: 'it', fn: 'a', args: {} }, context, access)).toMatchObject({ kind: 'failure', failure: { code, retryable } })
  expect(await called.call({ module: 'it', fn: 'gone', args: {} }, context, access)).toMatchObject({ failure: { code: 'mcp/changed' } })
  await called.close()
})
