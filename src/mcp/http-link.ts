// Http link: the web's `fetch` as the protocol's library is given it: one server's address over the host's own door, and nothing else.
// Owns: which addresses may be reached by it, bounds of answers. Does not own: the protocol (session.ts), sockets (host).
//   Source: MCP specification, basic/transports, "Streamable HTTP"; Fetch Standard, section 5.
//   H1. Only the origin of the address that was agreed is reached; a redirect to another is refused, also to another scheme or port.
//   H2. A name that stands for an address of this machine or its network is refused unless it says so itself (guard/address.ts); an address that was
//       agreed as such is what was agreed.
//   H3. The stream that a server may open by itself (GET) is not asked for: a server tells tek nothing that was not asked.
//   H4. Bytes and nesting of an answer are bounded before it is parsed; who stops reading closes the socket.
import { HostError, type Host, type HttpStream } from '#host/host.ts'
import { MAX_FRAME_BYTES } from './pipe-link.ts'
import { Nesting } from './nesting.ts'

export interface HttpLinkOptions {
  readonly stream: NonNullable<Host['stream']>
  readonly url: string
  /** Whether an address that the name stands for would need a grant of its own. // H2 */
  readonly needsOwnGrant: (hostname: string, address: string) => boolean
  readonly firstByteMs: number
  readonly idleMs: number
}

const never = new AbortController().signal
/** What the host has undone already. */
const undone: ReadonlySet<string> = new Set(['content-encoding', 'content-length', 'transfer-encoding'])

export function httpLink({ stream, url: agreed, needsOwnGrant, firstByteMs, idleMs }: HttpLinkOptions): typeof fetch {
  const { origin } = new URL(agreed)
  const mayReach = (url: string): void => {
    if (new URL(url).origin !== origin) throw new HostError('refused', url, `it leads to another server: ${new URL(url).origin.slice(0, 200)}`) // H1
  }
  return async (input, init) => {
    const url = input instanceof Request ? input.url : String(input)
    const method = init?.method ?? 'GET'
    mayReach(url)
    if (method === 'GET') return new Response(null, { status: 405 }) // H3
    const signal = init?.signal ?? never
    const { body = null } = init ?? {}
    if (body !== null && typeof body !== 'string') throw new HostError('refused', url, 'a request of the protocol is text')
    const answer = await stream({
      method, url, headers: Object.fromEntries(new Headers(init?.headers)), ...(body === null ? {} : { body }), firstByteMs, idleMs, maxBodyBytes: MAX_FRAME_BYTES, mayFollow: mayReach,
      mayConnect: (hostname, address) => {
        if (hostname !== address && needsOwnGrant(hostname, address)) throw new HostError('refused', url, `\`${hostname}\` stands for ${address}, an address of this machine's own network`) // H2
      },
    }, signal)
    const headers = Object.entries(answer.headers).filter(([name]) => !undone.has(name))
    return new Response([204, 205, 304].includes(answer.status) ? null : bodyOf(answer), { status: answer.status, headers })
  }
}

/** H4. */
function bodyOf({ body }: HttpStream): ReadableStream<Uint8Array> {
  const pieces = body[Symbol.asyncIterator]()
  const nesting = new Nesting()
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await pieces.next()
      if (done === true) return controller.close()
      if (nesting.take(value)) return controller.enqueue(new Uint8Array(value))
      await pieces.return?.()
      throw new HostError('too-large', 'message', 'it sent a message that is nested too deeply')
    },
    async cancel() {
      await pieces.return?.()
    },
  })
}
