// Model door: what a model of a plugin reaches through tek: its own hosts, piece by piece.
// Owns: open answers, their bounds, bytes as base64. Does not own: which hosts (the `fetch` it is given is guarded).
//   D1. At most MAX_OPEN answers are open; who leaves one, or ends, closes its socket.
//   D2. A piece fits into one message: larger ones are handed over in parts.
import { HostError } from '#host/host.ts'
import type { DoorAnswer, ModelDoor } from './messages.ts'

const MAX_OPEN = 4
/** Bytes of one piece. */
const MAX_PIECE_BYTES = 1_000_000
/** Headers of an answer that a plugin is shown. */
const MAX_HEADERS = 200

interface OpenAnswer {
  readonly reader: ReadableStreamDefaultReader<Uint8Array>
  left: Uint8Array
}

export class FetchDoor implements ModelDoor {
  private readonly fetch: typeof fetch
  private readonly signal: AbortSignal
  private readonly open = new Map<number, OpenAnswer>()
  private next = 0

  constructor(fetchOfHost: typeof fetch, signal: AbortSignal) {
    this.fetch = fetchOfHost
    this.signal = signal
  }

  async begin(url: string, { method, headers, body }: Parameters<ModelDoor['begin']>[1]): Promise<DoorAnswer> {
    if (this.open.size >= MAX_OPEN) throw new HostError('refused', url.slice(0, 200), `More than ${MAX_OPEN} answers are open at once.`)
    const response = await this.fetch(url, { method: method ?? 'GET', signal: this.signal, ...(headers === undefined ? {} : { headers }), ...(body === undefined ? {} : { body }) })
    const id = ++this.next
    if (response.body !== null) this.open.set(id, { reader: response.body.getReader(), left: new Uint8Array() })
    return { id, status: response.status, headers: [...response.headers].slice(0, MAX_HEADERS) }
  }

  async read(id: number): Promise<string | null> {
    const answer = this.open.get(id)
    if (answer === undefined) return null
    while (answer.left.length === 0) {
      const { done, value } = await answer.reader.read()
      if (done) {
        this.open.delete(id)
        return null
      }
      answer.left = value
    }
    const piece = answer.left.subarray(0, MAX_PIECE_BYTES) // D2
    answer.left = answer.left.subarray(piece.length)
    return Buffer.from(piece).toString('base64')
  }

  async leave(id: number): Promise<void> {
    const answer = this.open.get(id)
    this.open.delete(id)
    await answer?.reader.cancel().catch(() => undefined)
  }

  /** D1. */
  async close(): Promise<void> {
    await Promise.all([...this.open.keys()].map(id => this.leave(id)))
  }
}
