// Counting server: what a run really asked of the world, by item and by idempotency key.
// Owns: the count, one answer for each key however often it is asked. Does not own: what should have been asked.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Asked {
  readonly item: number
  readonly key: string
}

/** Every so many-th item is refused at the first key it comes with: a retry is needed. */
const REFUSED_EVERY = 7

export async function countingServer(delayMs: () => number) {
  const asked: Asked[] = []
  const answers = new Map<string, number>()
  const refused = new Set<number>()
  /** Items by how many different keys were accepted for them. */
  const applied = new Map<number, number>()
  let onAsked = (): void => {}
  let held: Promise<void> | null = null
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', piece => void (text += String(piece)))
    request.on('end', () => {
      const { item } = JSON.parse(text) as { item: number }
      const key = String(request.headers['idempotency-key'])
      asked.push({ item, key })
      onAsked()
      if (!answers.has(key)) {
        const isRefused = item % REFUSED_EVERY === 3 && !refused.has(item)
        if (isRefused) refused.add(item)
        else applied.set(item, (applied.get(item) ?? 0) + 1)
        answers.set(key, isRefused ? 503 : 200)
      }
      const answer = (): void => void setTimeout(() => {
        response.writeHead(answers.get(key)!, { 'content-type': 'application/json' })
        response.end(JSON.stringify(item * 2))
      }, delayMs())
      if (held === null) answer()
      else void held.then(answer)
    })
    request.on('error', () => {})
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    asked, applied, keys: answers,
    /** Calls `then` once, when `count` more requests have come. */
    after(count: number, then: () => void): void {
      const target = asked.length + count
      onAsked = () => {
        if (asked.length < target) return
        onAsked = () => {}
        then()
      }
    },
    /** Answers nothing until the function it gives is called. */
    hold(): () => void {
      let release = (): void => {}
      held = new Promise(resolve => { release = resolve })
      return () => {
        held = null
        release()
      }
    },
    close: () => new Promise<void>(resolve => {
      server.closeAllConnections()
      server.close(() => resolve())
    }),
  }
}
