// Loop gap: how long the event loop was held by this thread's own work while something went on.
// Owns: the measure. A thread that has to wait for a processor holds nothing: what counts is the time that it had one (Linux tells it of each thread; elsewhere the clock's).
import { readFileSync } from 'node:fs'

/** `/proc/PID/schedstat`: "time spent on the cpu (in nanoseconds)" (Linux, Documentation/scheduler/sched-stats.rst). */
const CLOCK = '/proc/thread-self/schedstat'

function processorMs(): number {
  try {
    return Number(readFileSync(CLOCK, 'utf8').split(' ')[0]) / 1e6
  } catch {
    return performance.now()
  }
}

export interface LoopGap {
  /** Between two beats of a timer of 1 ms. */
  readonly longestMs: number
  /** Of everything together. */
  readonly totalMs: number
}

/** Longer than a person notices; where a processor is slow, a share of the whole. */
export const isHeld = ({ longestMs, totalMs }: LoopGap): boolean => longestMs >= Math.max(50, totalMs / 6)

export async function loopGap(work: () => Promise<void>): Promise<LoopGap> {
  let longest = 0
  const begun = processorMs()
  let last = begun
  const look = (): void => {
    const now = processorMs()
    longest = Math.max(longest, now - last)
    last = now
  }
  const beat = setInterval(look, 1)
  await work()
  look()
  clearInterval(beat)
  return { longestMs: longest, totalMs: last - begun }
}
