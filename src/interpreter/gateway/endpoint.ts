// Endpoint: one account at one server, as everybody who asks it shares it.
// Owns: who may ask when: places, turns between agents, pauses, the circuit breaker. Does not own: a request and its attempts (gateway.ts).
//   P1. A server that says "too often" is left alone by all until it said they may ask again, and fewer ask at once from then on: half as many, one more with
//       each ROUND of answers.
//   P2. After BREAK_AFTER failures in a row, without an answer in between, nobody asks for a while; then one does, and its outcome decides for all.
//   P3. Agents take turns: who asks much does not keep others waiting. Within an agent, first come, first served.
//   P4. At most MAX_WAITING wait; the one too many is told at once.
//   P5. A break of more than PATIENCE_MS is waited out by nobody: who waits, and who comes, is told at once.
//   P6. No more begin in any minute than a program says, attempts included; who is one too many waits.

export interface Clock {
  /** Milliseconds that never go back. */
  monotonic(): number
  /** Resolves after `ms`, or rejects when the signal is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
  /** From 0 up to 1. */
  random(): number
}

export const MAX_WAITING = 10_000
/** Requests at once where a program says nothing. */
export const STANDARD_PLACES = 8
/** Answers after which one more may ask at once. */
const ROUND = 10
const BREAK_AFTER = 5
const FIRST_BREAK_MS = 5_000
const MAX_BREAK_MS = 300_000
/** Milliseconds that a question waits for a broken server. */
export const PATIENCE_MS = 10_000
/** A pause that no server named. */
const STANDARD_PAUSE_MS = 1_000

const MINUTE_MS = 60_000
/** Requests a minute that a program may name; more is no limit. */
export const MAX_PER_MINUTE = 100_000

/** What came of asking for a place. */
export type Place = 'taken' | 'full' | 'broken'

interface Waiter {
  readonly agent: string
  readonly resolve: (place: Place) => void
}

/** Why a place was given back. */
export type Ending = 'answered' | 'failed' | 'rate-limited' | 'given-up'

export class Endpoint {
  readonly name: string
  private readonly clock: Clock
  private most: number
  private places: number
  private isBound = false
  private perMinute = Infinity
  /** When the last `perMinute` began, in order. */
  private begun: number[] = []
  private taken = 0
  private answers = 0
  private failures = 0
  private pausedUntilMs = 0
  private openUntilMs: number | null = null
  private breakMs = FIRST_BREAK_MS
  private isProbing = false
  private waiting: Waiter[] = []
  private lastAgent = ''
  private timer: { readonly atMs: number; readonly abort: AbortController } | null = null

  /** @param places requests at once, at most. */
  constructor(name: string, clock: Clock, places: number = STANDARD_PLACES) {
    this.name = name
    this.clock = clock
    this.most = places
    this.places = places
  }

  /** Bounds of a program: the narrower ones of all who share the server hold. */
  bound({ places, perMinute = Infinity }: { readonly places?: number; readonly perMinute?: number }): void {
    this.perMinute = Math.min(this.perMinute, perMinute)
    if (places === undefined) return
    const most = this.isBound ? Math.min(this.most, places) : places
    this.places = this.places === this.most ? most : Math.min(this.places, most)
    this.most = most
    this.isBound = true
  }

  /** Milliseconds until somebody may ask; 0: now. Those who wait already are not counted. */
  get closedForMs(): number {
    const nowMs = this.clock.monotonic()
    return Math.max(0, this.pausedUntilMs - nowMs, (this.openUntilMs ?? 0) - nowMs)
  }

  /** Whether the circuit breaker keeps everybody away. */
  get isBroken(): boolean {
    return this.openUntilMs !== null && (this.isProbing || this.openUntilMs > this.clock.monotonic())
  }

  get queueLength(): number {
    return this.waiting.length
  }

  /**
   * Waits for a place; who has one gives it back by `end`.
   *
   * @returns `taken`, or why there is none. Rejects with the signal's reason when it is aborted. // P4 P5
   */
  async begin(agent: string, signal: AbortSignal): Promise<Place> {
    signal.throwIfAborted()
    if (this.waiting.length === 0 && this.mayBegin()) {
      this.take(agent)
      return 'taken'
    }
    if (this.isGivenUp) return 'broken'
    if (this.waiting.length >= MAX_WAITING) return 'full'
    return new Promise<Place>((resolve, reject) => {
      const waiter: Waiter = { agent, resolve: place => {
        signal.removeEventListener('abort', leave)
        resolve(place)
      } }
      const leave = (): void => {
        this.waiting = this.waiting.filter(each => each !== waiter)
        reject(signal.reason)
      }
      signal.addEventListener('abort', leave, { once: true })
      this.waiting.push(waiter)
      this.serve()
    })
  }

  /** P5. */
  private get isGivenUp(): boolean {
    return this.openUntilMs !== null && this.openUntilMs - this.clock.monotonic() > PATIENCE_MS
  }

  /** Gives a place back. `pauseMs`: how long the server asks to wait. */
  end(how: Ending, pauseMs: number | null = null): void {
    this.taken--
    const wasProbe = this.isProbing
    this.isProbing = false
    if (how === 'answered') this.answered()
    else if (how === 'rate-limited') this.pause(pauseMs ?? STANDARD_PAUSE_MS)
    else if (how === 'failed') this.failed(wasProbe, pauseMs)
    this.serve()
  }

  private answered(): void {
    this.failures = 0
    this.openUntilMs = null
    this.breakMs = FIRST_BREAK_MS
    if (++this.answers % ROUND === 0 && this.places < this.most) this.places++ // P1
  }

  private pause(ms: number): void {
    this.places = Math.max(1, Math.floor(this.places / 2)) // P1
    this.pausedUntilMs = Math.max(this.pausedUntilMs, this.clock.monotonic() + ms)
    this.openUntilMs = null // it answers
    this.failures = 0
  }

  private failed(wasProbe: boolean, pauseMs: number | null): void {
    if (pauseMs !== null) this.pausedUntilMs = Math.max(this.pausedUntilMs, this.clock.monotonic() + pauseMs)
    this.failures++
    if (!wasProbe && this.failures < BREAK_AFTER) return
    if (wasProbe) this.breakMs = Math.min(MAX_BREAK_MS, this.breakMs * 2)
    this.openUntilMs = this.clock.monotonic() + this.breakMs // P2
    if (this.isGivenUp) for (const each of this.waiting.splice(0)) each.resolve('broken') // P5
  }

  private mayBegin(): boolean {
    if (this.taken >= this.places || this.closedForMs > 0 || this.pacedForMs > 0) return false
    return this.openUntilMs === null || !this.isProbing // after a break, one at a time
  }

  /** Milliseconds until another may begin. // P6 */
  private get pacedForMs(): number {
    const first = this.begun.length < this.perMinute ? undefined : this.begun.at(-this.perMinute)
    return first === undefined ? 0 : Math.max(0, first + MINUTE_MS - this.clock.monotonic())
  }

  private take(agent: string): void {
    this.taken++
    if (this.perMinute < Infinity) {
      this.begun.push(this.clock.monotonic())
      if (this.begun.length > 2 * this.perMinute) this.begun = this.begun.slice(-this.perMinute)
    }
    this.lastAgent = agent
    if (this.openUntilMs !== null) this.isProbing = true // P2
  }

  private serve(): void {
    while (this.waiting.length > 0 && this.mayBegin()) {
      const next = this.nextInTurn()
      this.waiting.splice(this.waiting.indexOf(next), 1)
      this.take(next.agent)
      next.resolve('taken')
    }
    const closedMs = Math.max(this.closedForMs, this.pacedForMs)
    if (this.waiting.length > 0 && closedMs > 0) this.wakeIn(closedMs)
  }

  /** The first of the agent after the one that was served last, in the order of their names. // P3 */
  private nextInTurn(): Waiter {
    let after: Waiter | null = null
    let least: Waiter = this.waiting[0]!
    for (const each of this.waiting) {
      if (each.agent < least.agent) least = each
      if (each.agent > this.lastAgent && (after === null || each.agent < after.agent)) after = each
    }
    return after ?? least
  }

  private wakeIn(ms: number): void {
    const atMs = this.clock.monotonic() + ms
    if (this.timer !== null && this.timer.atMs <= atMs) return
    this.timer?.abort.abort()
    const abort = new AbortController()
    this.timer = { atMs, abort }
    const woken = (): void => {
      if (this.timer?.abort !== abort) return
      this.timer = null
      this.serve()
    }
    this.clock.sleep(ms, abort.signal).then(woken, () => {}) // taken back
  }
}
