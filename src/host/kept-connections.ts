// Kept connections: what one asker's exchanges with a server leave open for its next one.
// Owns: which connection may be used again, for how long one waits, that all are closed in the end. Does not own: exchanges and where new connections go
// (node-fetch.ts), who shares connections with whom (who opened this).
//   K1. A connection serves the host and port it was opened to, by the way it was opened: straight, or through the same proxy.
//   K2. One that was opened straight is shown to `mayConnect` each time, with the address it leads to: what one request may reach, the next may not.
//   K3. A connection waits for MAX_IDLE_MS, or for less than its server says; one whose server has ended it, or has spoken unasked, is used no more.
//   K4. Before one is used again, what the system knows of it is read: a server's end that came while this process was busy is seen before anything is sent.
//   K5. A waiting connection keeps no process alive; when these are closed, all are ended, those in use included.
//   Source: RFC 9112, section 9.3 (persistence); RFC 9110, section 9.2.2 (what may be sent again).
import * as http from 'node:http'
import * as https from 'node:https'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { HttpConnections } from './host.ts'

/** Milliseconds that a connection waits where its server says nothing. */
const MAX_IDLE_MS = 30_000
/** Connections to one server that wait. */
const MAX_WAITING = 256
/** Milliseconds before the server's own end of a connection from which on it is used no more. */
const LEEWAY_MS = 1_000

/** What says, before a connection is used again, whether it may be. */
export type MayUse = (address: string) => void

/** What a request says of its connection beside what Node knows. */
export interface ConnectionOptions extends https.RequestOptions {
  /** The proxy it goes through. // K1 */
  readonly via?: string
  /** Opens it, where that is more than to dial. */
  readonly opened?: () => Promise<Duplex>
}

/** A connection turned out to be of no use before anything was sent by it: another is to be taken. */
export class StaleConnection extends Error {
  override readonly name = 'StaleConnection'
}

export class KeptConnections implements HttpConnections {
  isClosed = false
  private readonly agents: { readonly plain: KeptAgent; readonly secure: KeptAgent }
  private mayUse: MayUse | null = null
  /** How long a server says that it keeps one. */
  private readonly toldMs = new WeakMap<Duplex, number>()
  private readonly waiting = new WeakMap<Duplex, { readonly untilMs: number; readonly bytesRead: number }>()

  constructor() {
    const options = { keepAlive: true, maxFreeSockets: MAX_WAITING, timeout: MAX_IDLE_MS }
    this.agents = { plain: new PlainAgent(options), secure: new SecureAgent(options) }
    this.agents.plain.kept = this
    this.agents.secure.kept = this
  }

  close(): void {
    this.isClosed = true
    for (const agent of Object.values(this.agents)) agent.destroy()
  }

  /**
   * Begins a request by a connection that waits, or a new one.
   *
   * @param mayUse null: what it leads to is a proxy's to decide.
   * @throws {StaleConnection} or what `mayUse` throws.
   */
  begin(isSecure: boolean, mayUse: MayUse | null, make: (agent: http.Agent) => http.ClientRequest): http.ClientRequest {
    this.mayUse = mayUse
    try {
      return make(isSecure ? this.agents.secure : this.agents.plain) // Node asks `checkAgain` within
    } finally {
      this.mayUse = null
    }
  }

  /** K4: two turns of the event loop, so that a whole look at the system lies between. */
  async lookedAt(): Promise<void> {
    if (Object.values(this.agents).every(agent => Object.keys(agent.freeSockets).length === 0)) return
    for (let turns = 0; turns < 2; turns++) await new Promise(resolve => setImmediate(resolve))
  }

  /** An answer's head came by a connection. */
  heard({ socket, headers }: http.IncomingMessage): void {
    const seconds = /(?:^|[\s,;])timeout=(\d{1,6})/i.exec(String(headers['keep-alive'] ?? ''))?.[1]
    if (seconds !== undefined) this.toldMs.set(socket, Number(seconds) * 1_000)
  }

  /** Whether a connection that is done with one exchange waits for the next. // K3 */
  mayWait(socket: Socket): boolean {
    const waitMs = Math.min(MAX_IDLE_MS, (this.toldMs.get(socket) ?? Infinity) - LEEWAY_MS)
    this.waiting.set(socket, { untilMs: performance.now() + waitMs, bytesRead: socket.bytesRead })
    return !this.isClosed && waitMs > 0
  }

  /** K2 K3. */
  checkAgain(socket: Socket): void {
    const { destroyed, writable, readable, bytesRead, remoteAddress } = socket
    const waited = this.waiting.get(socket)
    const isWhole = !destroyed && writable && readable && remoteAddress !== undefined && waited?.bytesRead === bytesRead && performance.now() < waited.untilMs
    try {
      if (!isWhole) throw new StaleConnection('The connection is over.')
      this.mayUse?.(remoteAddress)
    } catch (error) {
      socket.destroy()
      throw error
    }
  }
}

interface KeptAgent extends http.Agent {
  kept: KeptConnections | null
}

/** What Node keeps connections in, for http and for https. */
function keeping<Base extends new (...args: any[]) => http.Agent>(Agent: Base) {
  return class extends Agent implements KeptAgent {
    kept: KeptConnections | null = null

    override getName({ via = '', host, port }: ConnectionOptions = {}): string {
      return `${via} ${host}:${port}` // K1
    }

    override createConnection(options: http.ClientRequestArgs, done?: (error: Error | null, stream: Duplex) => void): Duplex | null | undefined {
      const { opened } = options as ConnectionOptions
      if (opened === undefined || done === undefined) return super.createConnection(options, done)
      opened().then(socket => done(null, socket), error => done(error, undefined as never))
      return undefined
    }

    override keepSocketAlive(socket: Duplex): boolean {
      const keeps = super.keepSocketAlive(socket) as unknown // Node's own says so as well, whatever its types say
      return this.kept?.mayWait(socket as Socket) === true && keeps !== false
    }

    override reuseSocket(socket: Duplex, request: http.ClientRequest): void {
      this.kept?.checkAgain(socket as Socket)
      super.reuseSocket(socket, request)
    }
  }
}

class PlainAgent extends keeping(http.Agent) {}
class SecureAgent extends keeping(https.Agent) {}
