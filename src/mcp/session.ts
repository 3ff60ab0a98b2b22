// Session: one conversation with a server, by the protocol's own library. The only file that imports its client; built as a file of its own (dist/mcp-client.mjs).
// Owns: handshake, the list of tools, calls, cancellation, progress; what went wrong, in four kinds. Does not own: pipes (pipe-link.ts), addresses (http-link.ts), meaning (connection.ts).
//   Source: MCP specification 2026-07-28 (and 2025-11-25 for servers that know no newer one), @modelcontextprotocol/client 2.4.
//   S1. What a client could offer a server (sampling, roots, questions to the user) is not offered: a server asks tek nothing.
//   S2. Schemas of a server are compiled by nobody here: results are checked by tek's own types (a schema is the server's word, a pattern of it may never end).
//   S3. Which version is spoken is found out once, when the server is locked; later it is that one or none.
import { Client, ProtocolError, SdkError, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'

/** How a server is reached: a pipe that is a transport already, or an address with the `fetch` by which it is reached. */
export type Link =
  | { readonly kind: 'pipe'; readonly pipe: object }
  | { readonly kind: 'http'; readonly url: string; readonly headers: Readonly<Record<string, string>>; readonly fetch: typeof fetch }

export interface SessionOptions {
  readonly tekVersion: string
  /** Version of the protocol that the lock names; null: it is to be found out. // S3 */
  readonly protocol: string | null
  readonly connectMs: number
  readonly signal: AbortSignal
  /** The server says that its tools are others now. */
  onToolsChanged(): void
}

export interface CallOptions {
  readonly signal: AbortSignal
  /** Milliseconds without an answer or a sign of progress, and in all. */
  readonly idleMs: number
  readonly totalMs: number
  onProgress(fraction: number | null, message: string | undefined): void
}

/** Why there is no answer. */
export class SessionFailure extends Error {
  override readonly name = 'SessionFailure'
  /** `refused`: the server answered with an error of the protocol. */
  readonly kind: 'timed-out' | 'closed' | 'refused' | 'broken'
  constructor(kind: SessionFailure['kind'], message: string) {
    super(message)
    this.kind = kind
  }
}

export interface Session {
  /** Version of the protocol that both speak. */
  readonly protocol: string
  /** What the server says of itself: `name 1.2.3`. */
  readonly release: string
  tools(signal: AbortSignal): Promise<readonly unknown[]>
  call(name: string, args: Readonly<Record<string, unknown>>, options: CallOptions): Promise<unknown>
  close(): Promise<void>
}

const PROBE_MS = 10_000
const FIRST_MODERN_VERSION = '2026-07-28'
const MAX_PAGES = 64

const trustful = { getValidator: () => (input: unknown) => ({ valid: true as const, data: input as never, errorMessage: undefined }) } // S2

/** Connects. @throws {SessionFailure} */
export async function openSession(link: Link, options: SessionOptions): Promise<Session> {
  const { protocol, connectMs, signal } = options
  const mode = protocol === null ? ('auto' as const) : protocol >= FIRST_MODERN_VERSION ? { pin: protocol } : ('legacy' as const) // S3
  const client = new Client({ name: 'tek', version: options.tekVersion }, {
    capabilities: {}, jsonSchemaValidator: trustful, listMaxPages: MAX_PAGES, inputRequired: { autoFulfill: false }, // S1
    versionNegotiation: { mode, probe: { timeoutMs: Math.min(PROBE_MS, connectMs) } },
  })
  client.onerror = () => undefined // what cannot be used is not used; a call that it was for runs into its time limit
  client.setNotificationHandler('notifications/tools/list_changed', () => options.onToolsChanged())
  const transport = link.kind === 'pipe' ? (link.pipe as never) : new StreamableHTTPClientTransport(new URL(link.url), {
    requestInit: { headers: link.headers }, fetch: link.fetch as never, reconnectionOptions: { maxRetries: 0, initialReconnectionDelay: 1_000, maxReconnectionDelay: 1_000, reconnectionDelayGrowFactor: 1 },
  })
  await explained(client.connect(transport, { signal, timeout: connectMs }))
  const about = client.getServerVersion()
  return {
    protocol: client.getNegotiatedProtocolVersion() ?? '', release: [about?.name, about?.version].filter(each => each !== undefined).join(' '),
    tools: async toolsSignal => (await explained(client.listTools(undefined, { signal: toolsSignal, timeout: connectMs, cacheMode: 'refresh' }))).tools,
    call: (name, args, { signal: callSignal, idleMs, totalMs, onProgress }) => explained(client.callTool({ name, arguments: args as Record<string, unknown> }, {
      signal: callSignal, timeout: idleMs, maxTotalTimeout: totalMs, resetTimeoutOnProgress: true,
      onprogress: ({ progress, total, message }) => onProgress(typeof total === 'number' && total > 0 ? progress / total : null, message),
    })),
    close: () => client.close().catch(() => undefined),
  }
}

async function explained<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work
  } catch (error) {
    const message = error instanceof Error ? error.message.slice(0, 1_000) : 'it does not say why'
    if (SdkError.isInstance(error)) throw new SessionFailure(kinds[error.code] ?? 'broken', message)
    throw new SessionFailure(ProtocolError.isInstance(error) ? 'refused' : 'broken', message)
  }
}

const kinds: Readonly<Record<string, SessionFailure['kind']>> = { REQUEST_TIMEOUT: 'timed-out', CONNECTION_CLOSED: 'closed', NOT_CONNECTED: 'closed', SEND_FAILED: 'closed' }
