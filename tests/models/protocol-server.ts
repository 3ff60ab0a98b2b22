// Protocol server: a model's server on this machine that answers as it is told, with the faults of real ones.
// Owns: scripts, counting, sockets. Does not own: how a provider's protocol looks (anthropic-protocol.ts, openai-protocol.ts).
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ChatBlock, ChatStop, ChatUsage } from '#model/chat.ts'

/** What the next request is answered with. */
export type Script =
  | { readonly kind: 'reply'; readonly content: readonly ChatBlock[]; readonly stop: ChatStop; readonly usage?: Partial<ChatUsage>; /** Characters of each piece; default 7. */ readonly pieceLength?: number }
  /** A status instead of an answer. `type` and `message` as the protocol says them. */
  | { readonly kind: 'refuse'; readonly status: number; readonly type?: string; readonly message?: string; readonly headers?: Readonly<Record<string, string>> }
  /** The first `pieces` of a reply, then the end of the stream, or of the socket. */
  | { readonly kind: 'cut'; readonly content: readonly ChatBlock[]; readonly pieces: number; readonly how: 'end' | 'socket' }
  /** The first `pieces` of a reply, then nothing more. 0: not even a head. */
  | { readonly kind: 'hang'; readonly content: readonly ChatBlock[]; readonly pieces: number }
  /** An error in the middle of the stream. */
  | { readonly kind: 'error-in-stream'; readonly content: readonly ChatBlock[]; readonly pieces: number; readonly type: string; readonly message: string }
  /** As it is. */
  | { readonly kind: 'raw'; readonly status: number; readonly contentType: string; readonly body: string }
  /** The socket is closed without a word. */
  | { readonly kind: 'nobody' }
  /** A tool whose arguments are this text. */
  | { readonly kind: 'broken-arguments'; readonly name: string; readonly text: string }

export interface Protocol {
  /** The events of a stream, in order, each as the bytes on the wire. */
  pieces(script: Extract<Script, { kind: 'reply' | 'cut' | 'hang' | 'error-in-stream' | 'broken-arguments' }>): readonly string[]
  error(type: string, message: string): string
  /** An error as an event of a stream. */
  streamError(type: string, message: string): string
}

export interface SeenRequest {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: Readonly<Record<string, unknown>>
}

export interface ProtocolServer {
  readonly url: string
  /** Requests in the order they came. */
  readonly seen: SeenRequest[]
  /** Sockets that the other side closed before its answer was whole. */
  readonly left: () => number
  next(...scripts: Script[]): void
  /** Drops the scripts that were not used. */
  clear(): void
  close(): Promise<void>
}

const MAX_BODY_BYTES = 20_000_000

/** A server that answers each request by the next script; without one, as `otherwise` says, or with status 500. */
export async function serveProtocol(protocol: Protocol, otherwise?: (request: SeenRequest) => Script): Promise<ProtocolServer> {
  const scripts: Script[] = []
  const seen: SeenRequest[] = []
  let left = 0
  const server = createServer((request, response) => {
    void read(request).then(body => {
      seen.push({ path: request.url ?? '', headers: request.headers, body: JSON.parse(body === '' ? '{}' : body) as Readonly<Record<string, unknown>> })
      response.on('close', () => void (response.writableFinished || left++))
      answer(protocol, scripts.shift() ?? otherwise?.(seen.at(-1)!) ?? { kind: 'refuse', status: 500, message: 'no script is left' }, response)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen, left: () => left,
    next: (...more) => void scripts.push(...more),
    clear: () => void scripts.splice(0),
    close: () => new Promise(resolve => {
      server.close(() => resolve())
      server.closeAllConnections()
    }),
  }
}

function answer(protocol: Protocol, script: Script, response: ServerResponse): void {
  if (script.kind === 'raw') return void response.writeHead(script.status, { 'content-type': script.contentType }).end(script.body)
  if (script.kind === 'refuse') {
    return void response.writeHead(script.status, { 'content-type': 'application/json', ...script.headers }).end(protocol.error(script.type ?? '', script.message ?? 'refused'))
  }
  if (script.kind === 'nobody') return void response.socket?.destroy()
  if (script.kind === 'hang' && script.pieces === 0) return
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const pieces = protocol.pieces(script)
  if (script.kind === 'reply' || script.kind === 'broken-arguments') return void response.end(pieces.join(''))
  response.write(pieces.slice(0, script.pieces).join(''), () => {
    if (script.kind === 'hang') return
    if (script.kind === 'error-in-stream') response.end(protocol.streamError(script.type, script.message))
    else if (script.how === 'end') response.end()
    else response.socket?.destroy()
  })
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request) {
    length += (chunk as Buffer).length
    if (length > MAX_BODY_BYTES) throw new Error('a request of more than 20 MB')
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks).toString()
}

/** A text in pieces of a few characters, as models send it. */
export function inPieces(text: string, length: number): string[] {
  const found: string[] = []
  for (let at = 0; at < text.length; at += length) found.push(text.slice(at, at + length))
  return found.length === 0 ? [''] : found
}
