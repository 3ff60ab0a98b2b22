// Effect server: the world of `tek demo crash`. Each request is one effect, and every one of them is counted.
// Owns: the counts, knowing keys again. Does not own: who asks, and when they are killed (ordeal.ts).
//   E1. A request counts when its whole body is there, before it is answered: one whose sender was killed while it waited for the answer has had its effect.
//   E2. With keys, a request that comes again with the same Idempotency-Key is answered as it was and has no effect. Without keys, each has one.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Milliseconds until an answer: long enough that each kill meets requests under way. */
const ANSWER_MS = { least: 2, most: 10 }
const MAX_BODY_LENGTH = 1_000

export interface Counts {
  /** Requests received. */
  readonly requests: number
  /** Different keys among them. */
  readonly keys: number
  /** Requests whose key was known already. */
  readonly again: number
  /** Effects applied. */
  readonly effects: number
  /** Tasks with at least one effect. */
  readonly affected: number
}

export interface EffectServer {
  readonly port: number
  counts(): Counts
  /** Effects of a task. */
  effectsOf(task: number): number
  /** Called with the task of each request. */
  onRequest: (task: number) => void
  close(): Promise<void>
}

/** A server on the loopback address, on a port of its own. */
export async function effectServer(heedsKeys: boolean): Promise<EffectServer> {
  const keys = new Set<string>()
  const applied = new Map<number, number>()
  let [requests, again, effects] = [0, 0, 0]
  const server = createServer((request, response) => {
    let text = ''
    request.on('error', () => {})
    response.on('error', () => {}) // its reader was killed
    request.setEncoding('utf8').on('data', (piece: string) => { if (text.length <= MAX_BODY_LENGTH) text += piece })
    request.on('end', () => { // E1
      const task = Number(/^\{"task":(\d+)\}$/.exec(text)?.[1] ?? NaN)
      const key = request.headers['idempotency-key']
      const isRight = request.method === 'POST' && Number.isInteger(task) && typeof key === 'string'
      if (isRight) {
        requests++
        if (keys.has(key)) again++
        if (!heedsKeys || !keys.has(key)) { // E2
          effects++
          applied.set(task, (applied.get(task) ?? 0) + 1)
        }
        keys.add(key)
        facade.onRequest(task)
      }
      setTimeout(() => response.writeHead(isRight ? 200 : 400, { 'content-type': 'application/json' }).end(isRight ? String(task) : '"no effect"'), ANSWER_MS.least + Math.random() * (ANSWER_MS.most - ANSWER_MS.least))
    })
  })
  await new Promise<void>((done, failed) => server.once('error', failed).listen(0, '127.0.0.1', done))
  const facade: EffectServer = {
    port: (server.address() as AddressInfo).port,
    counts: () => ({ requests, keys: keys.size, again, effects, affected: applied.size }),
    effectsOf: task => applied.get(task) ?? 0,
    onRequest: () => {},
    close: () => new Promise(done => {
      server.close(() => done())
      server.closeAllConnections()
    }),
  }
  return facade
}
