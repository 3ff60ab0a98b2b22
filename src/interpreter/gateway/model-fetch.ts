// Model fetch: the web's `fetch` as a provider's library is given it: over the host's own door, with deadlines, and with failures that say what they are.
// Owns: the translation in both directions. Does not own: which hosts may be reached (its `mayReach` and `mayConnect` are the guard's).
//   F1. What goes wrong below comes out as a ModelFailure, also where a library wraps it: it is somewhere in the chain of causes.
//   F2. Who stops reading the body closes the socket.
//   Source: Fetch Standard, section 5 (https://fetch.spec.whatwg.org); only what libraries of models use of it.
import { HostError, type Host, type HttpConnections, type HttpStream } from '#host/host.ts'
import type { ChatFailureCode } from '#model/chat.ts'
import { isModelFailure, ModelFailure } from '#plugin-api/model-provider.ts'

/** Bytes of one answer after decompression. */
export const MAX_ANSWER_BYTES = 32 * 1_024 * 1_024

export interface ModelFetchOptions {
  readonly stream: NonNullable<Host['stream']>
  /** Called with each address, redirects included; throws to refuse. */
  readonly mayReach: (url: string) => void
  readonly mayConnect?: (hostname: string, address: string) => void
  readonly firstByteMs: number
  readonly idleMs: number
  /** Of this model's server and key alone. */
  readonly connections?: HttpConnections | undefined
}

const never = new AbortController().signal
/** What the host has undone already. */
const undone: ReadonlySet<string> = new Set(['content-encoding', 'content-length', 'transfer-encoding'])

/** A `fetch` for one request of a model. */
export function modelFetch(options: ModelFetchOptions): typeof fetch {
  const { stream, mayReach, mayConnect, firstByteMs, idleMs, connections } = options
  return async (input, init) => {
    const request = input instanceof Request ? input : null
    const url = request?.url ?? String(input)
    const signal = init?.signal ?? request?.signal ?? never
    const body = init?.body ?? (request === null ? null : await request.text())
    if (body !== null && typeof body !== 'string') throw new ModelFailure('bad-request', 'A request of a model is text.')
    try {
      mayReach(url)
      const answer = await stream({
        method: init?.method ?? request?.method ?? 'GET', url, headers: Object.fromEntries(new Headers(init?.headers ?? request?.headers)), ...(body === null ? {} : { body }),
        firstByteMs, idleMs, maxBodyBytes: MAX_ANSWER_BYTES, mayFollow: mayReach, ...(mayConnect === undefined ? {} : { mayConnect }), ...(connections === undefined ? {} : { connections }),
      }, signal)
      const headers = Object.entries(answer.headers).filter(([name]) => !undone.has(name))
      return new Response(hasBody(answer.status) ? bodyOf(answer, signal) : null, { status: answer.status, headers })
    } catch (error) {
      throw explained(error, signal)
    }
  }
}

/** These have none (Fetch Standard, "null body status"), and a Response refuses one. */
const hasBody = (status: number): boolean => ![101, 103, 204, 205, 304].includes(status)

function bodyOf({ body }: HttpStream, signal: AbortSignal): ReadableStream<Uint8Array> {
  const pieces = body[Symbol.asyncIterator]()
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await pieces.next()
        if (done === true) controller.close()
        else controller.enqueue(new Uint8Array(value))
      } catch (error) {
        controller.error(explained(error, signal))
      }
    },
    async cancel() {
      await pieces.return?.() // F2
    },
  })
}

const codes: Readonly<Partial<Record<HostError['code'], ChatFailureCode>>> = { 'timed-out': 'timed-out', 'no-network': 'network', cancelled: 'cancelled', 'too-large': 'bad-answer', refused: 'bad-request' }

/** F1. */
function explained(error: unknown, signal: AbortSignal): unknown {
  if (isModelFailure(error)) return error
  if (signal.aborted) return new ModelFailure('cancelled', 'The request was given up.')
  if (error instanceof HostError) return new ModelFailure(codes[error.code] ?? 'network', error.message)
  if (error instanceof Error && error.name === 'ToolFailure') return new ModelFailure('bad-request', error.message) // the guard refused
  return error
}
