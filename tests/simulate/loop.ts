// Loop: the event loop of the simulated machine: timers, immediates and the clocks that processes see, all drawn from one seed.
//   L1. While it turns, nothing in the simulated processes waits for real time: they get these timers and this clock in the places of Node's own.
//   L2. One callback at a time; every promise that follows from it is settled before the next. So what runs belongs to one process: `current`.
//   L3. A process that is dead never runs again: its callbacks are dropped, as `kill -9` drops them.
//   L4. Time passes by itself: a little with each look at the clock, sometimes much (a collection of garbage, a machine that was suspended).
import { random } from '../compiler/random-programs.ts'

/** Callbacks of one history; more means that it does not come to its end. */
const MAX_CALLBACKS = 60_000
/** Turns of the real loop without a callback of ours before nothing is expected any more. */
const MAX_IDLE_TURNS = 200
/** Longest time by which a callback is late. */
const LATE_MS = 1.5
const STEP_MS = 0.02

export interface SimulatedProcess {
  readonly pid: number
  isDead: boolean
  /** Suspended (SIGSTOP, a closed lid) until then, by the loop's clock. */
  frozenUntilMs?: number
}

interface Due {
  atMs: number
  readonly process: SimulatedProcess | null
  readonly fire: () => void
  isOff: boolean
}

/** What stands in for a timer of Node. */
class Handle {
  due: Due
  constructor(due: Due) {
    this.due = due
  }
  unref(): this {
    return this
  }
  ref(): this {
    return this
  }
  hasRef(): boolean {
    return true
  }
}

const real = { setImmediate: globalThis.setImmediate, now: performance.now.bind(performance) }
const names = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'clearImmediate'] as const

class NothingHappens extends Error {}

export class Loop {
  nowMs = 0
  /** How far the wall clock is off. */
  skewMs = 0
  current: SimulatedProcess | null = null
  /** Called before each callback; may move clocks and suspend processes. */
  onStep: (step: number) => void = () => {}
  private readonly next: () => number
  private readonly queue: Due[] = []
  private readonly pauseShare: number
  private steps = 0

  constructor(seed: number, { pauses = 0.002 }: { readonly pauses?: number } = {}) {
    this.next = random(seed * 31 + 7)
    this.pauseShare = pauses
  }

  /** Milliseconds since 1970, as processes see it. */
  wallMs(): number {
    return Date.UTC(2026, 5, 1) + Math.floor(this.look() + this.skewMs)
  }

  /** The clock that never goes back. // L4 */
  look(): number {
    this.nowMs += this.next() < this.pauseShare ? this.next() * 40 : this.next() * STEP_MS
    return this.nowMs
  }

  after(ms: number, fire: () => void, process: SimulatedProcess | null = this.current): Due {
    const due: Due = { atMs: this.nowMs + Math.max(0, Number(ms) || 0) + this.next() * LATE_MS, process, fire, isOff: false }
    this.insert(due)
    return due
  }

  private insert(due: Due): void {
    let at = this.queue.length
    while (at > 0 && this.queue[at - 1]!.atMs > due.atMs) at--
    this.queue.splice(at, 0, due)
  }

  sleep(ms: number): Promise<void> {
    return new Promise(resolve => void this.after(ms, resolve))
  }

  /** Starts something as a process, at the next turn. */
  spawn<Result>(process: SimulatedProcess, work: () => Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => void this.after(0, () => void work().then(resolve, reject), process))
  }

  /** Turns until `isOver`. */
  async turnUntil(isOver: () => boolean): Promise<void> {
    const restore = this.takeOver()
    try {
      for (let idle = 0; !isOver(); ) {
        const due = this.queue.shift()
        if (due === undefined) {
          if (++idle > MAX_IDLE_TURNS) throw new NothingHappens('nothing is left to happen, and the run is not over')
          await settled()
          continue
        }
        if (due.isOff || due.process?.isDead === true) continue // L3
        if ((due.process?.frozenUntilMs ?? 0) > Math.max(this.nowMs, due.atMs)) {
          due.atMs = due.process!.frozenUntilMs!
          this.insert(due)
          continue
        }
        if (++this.steps > MAX_CALLBACKS) throw new NothingHappens(`not over after ${MAX_CALLBACKS} callbacks`)
        idle = 0
        this.nowMs = Math.max(this.nowMs, due.atMs)
        this.onStep(this.steps)
        this.current = due.process
        due.fire()
        await settled() // L2
        this.current = null
      }
    } finally {
      restore()
    }
  }

  /** L1. */
  private takeOver(): () => void {
    const kept = names.map(name => [name, globalThis[name]] as const)
    const set = (ms: number, fire: () => void): Handle => new Handle(this.after(ms, fire))
    const clear = (handle: unknown): void => {
      if (handle instanceof Handle) handle.due.isOff = true
    }
    const repeat = (ms: number, fire: () => void): Handle => {
      const handle = set(ms, function again(): void {
        fire()
        const { isOff } = handle.due
        handle.due = set(ms, again).due
        handle.due.isOff = isOff
      })
      return handle
    }
    const own: Record<(typeof names)[number], unknown> = {
      setTimeout: (fire: (...args: unknown[]) => void, ms: number, ...args: unknown[]) => set(ms, () => fire(...args)),
      setInterval: (fire: (...args: unknown[]) => void, ms: number, ...args: unknown[]) => repeat(ms, () => fire(...args)),
      setImmediate: (fire: (...args: unknown[]) => void, ...args: unknown[]) => set(0, () => fire(...args)),
      clearTimeout: clear, clearInterval: clear, clearImmediate: clear,
    }
    Object.assign(globalThis, own)
    performance.now = () => this.look()
    return () => {
      for (const [name, value] of kept) Object.assign(globalThis, { [name]: value })
      performance.now = real.now
    }
  }
}

/** Everything that follows from promises has happened. */
function settled(): Promise<void> {
  return new Promise(resolve => void real.setImmediate(resolve))
}
