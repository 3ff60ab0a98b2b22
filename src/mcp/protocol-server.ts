// Protocol server: tek as a server of tools, by the protocol's own library. The only file that imports its server; built as a file of its own (dist/mcp-server.mjs).
// Owns: both transports, who may reach the one over HTTP. Does not own: the tools (served-tools.ts), calls (served-calls.ts).
//   Source: MCP specification 2026-07-28 (older clients are served as well), @modelcontextprotocol/server 2.4, /node 2.1.
//   W1. Standard output carries the protocol and nothing else.
//   W2. Over HTTP it listens on this machine alone, and answers only what names it as such: `Host` and `Origin` of a page elsewhere are refused (DNS rebinding).
//   W3. Over HTTP, who closes the request has cancelled the call.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import { localhostHostValidation, localhostOriginValidation, toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, ProtocolError, ProtocolErrorCode, Server } from '@modelcontextprotocol/server'
import { serveStdio, StdioServerTransport } from '@modelcontextprotocol/server/stdio'
import type { ServedCalls } from './served-calls.ts'

/** One request, as JSON. */
export const MAX_REQUEST_BYTES = 4 * 1_024 * 1_024
const HTTP_PATH = '/mcp'

export interface ServerOptions {
  readonly calls: ServedCalls
  /** The program as shown. */
  readonly name: string
  readonly tekVersion: string
}

function makeServer({ calls, name, tekVersion }: ServerOptions): Server {
  const server = new Server({ name: `tek ${name}`, version: tekVersion }, { capabilities: { tools: {} } })
  server.setRequestHandler('tools/list', () => ({ tools: calls.tools.map(({ key: _, ...tool }) => tool) }) as never)
  server.setRequestHandler('tools/call', async (request, context) => {
    const token = context.mcpReq._meta?.progressToken
    const answer = await calls.call({
      name: request.params.name, args: request.params.arguments ?? {}, signal: context.mcpReq.signal,
      onProgress: (progress, total, message) => {
        if (token === undefined) return
        const told = { progressToken: token, progress, total, ...(message === '' ? {} : { message }) }
        void context.mcpReq.notify({ method: 'notifications/progress', params: told }).catch(() => undefined) // whoever went away misses it
      },
    })
    if (answer === null) throw new ProtocolError(ProtocolErrorCode.InvalidParams, `There is no tool \`${request.params.name.slice(0, 200)}\`.`)
    return answer as never
  })
  return server
}

/** Serves over a pair of streams until the input ends or `signal` is aborted. // W1 */
export async function serveStreams(options: ServerOptions, input: Readable, output: Writable, signal: AbortSignal): Promise<void> {
  const ended = new Promise<void>(resolve => {
    for (const event of ['end', 'close', 'error']) input.once(event, () => resolve())
    output.once('error', () => resolve())
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
  const handle = serveStdio(() => makeServer(options), { transport: new StdioServerTransport(input, output, { maxBufferSize: MAX_REQUEST_BYTES }), onerror: () => undefined })
  await ended
  await options.calls.close()
  await handle.close()
}

/** Serves over HTTP on this machine until `signal` is aborted. `onListening`: told the address. @throws {NodeJS.ErrnoException} when the port cannot be had. // W2 */
export async function serveHttp(options: ServerOptions, port: number, signal: AbortSignal, onListening: (url: string) => void): Promise<void> {
  const handler = createMcpHandler(() => makeServer(options), { maxRequestBodySize: MAX_REQUEST_BYTES, onerror: () => undefined })
  const [isHost, isOrigin, answer] = [localhostHostValidation(), localhostOriginValidation(), toNodeHandler(handler)]
  const server = createServer((request, response) => {
    if (!isHost(request, response) || !isOrigin(request, response)) return
    if (new URL(request.url ?? '/', 'http://localhost').pathname !== HTTP_PATH) return void response.writeHead(404).end()
    void answer(request as never, response)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  onListening(`http://127.0.0.1:${(server.address() as AddressInfo).port}${HTTP_PATH}`)
  if (!signal.aborted) await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
  await options.calls.close()
  await handler.close()
  server.closeAllConnections()
  await new Promise<void>(resolve => server.close(() => resolve()))
}
