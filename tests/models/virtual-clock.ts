// Virtual clock: time that goes on only when nothing else is to be done.
import type { Clock } from '#interpreter/gateway/endpoint.ts'

export interface VirtualClock extends Clock {
  /** How long each sleep was asked to be. */
  readonly slept: number[]
  /** Lets time go on, sleeper by sleeper, until `work` is settled. */
  during<T>(work: Promise<T>): Promise<T>
}

const MAX_STEPS = 100_000

export function virtualClock(random: () => number = () => 0.5): VirtualClock {
  let nowMs = 0
  let sleepers: { readonly atMs: number; readonly wake: () => void }[] = []
  const slept: number[] = []
  return {
    monotonic: () => nowMs,
    random,
    slept,
    sleep: (ms, signal) => new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
      slept.push(ms)
      const sleeper = { atMs: nowMs + ms, wake: resolve }
      sleepers.push(sleeper)
      signal.addEventListener('abort', () => {
        sleepers = sleepers.filter(each => each !== sleeper)
        reject(signal.reason)
      }, { once: true })
    }),
    async during(work) {
      let isSettled = false
      work.then(() => { isSettled = true }, () => { isSettled = true })
      for (let step = 0; step < MAX_STEPS; step++) {
        await new Promise(resolve => setImmediate(resolve)) // all that can be done now is done
        if (isSettled) return work
        const next = sleepers.reduce<(typeof sleepers)[number] | null>((least, each) => (least === null || each.atMs < least.atMs ? each : least), null)
        if (next === null) continue
        sleepers = sleepers.filter(each => each !== next)
        nowMs = Math.max(nowMs, next.atMs)
        next.wake()
      }
      throw new Error('it did not end')
    },
  }
}
