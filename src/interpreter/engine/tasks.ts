// Tasks: the table of everything a run has met, as columns.
// Owns: storage by task number, growth. Does not own: what the columns mean to scheduling (transition, schedule).
//   K1. Numbers are given in blocks and never reused; the order of blocks depends on recorded events alone.
//   K2. A task costs a fixed number of bytes in typed columns plus its value; nothing else is kept per task unless it is out of the ordinary.
import type { TaskId } from '#model/event.ts'
import type { Value } from '#model/type.ts'

/** Where a task stands. Kept as numbers in a byte column. */
export const phase = {
  /** For its dependencies, or (an item) for a free place in its `for`. */
  waiting: 0,
  when: 1,
  list: 2,
  width: 3,
  /** A `for` whose items are under way. */
  items: 4,
  cacheKey: 5,
  lookUp: 6,
  /** Ready; waits for room. */
  queued: 7,
  body: 8,
  /** A sub-workflow whose arguments and authority are being worked out. */
  setup: 9,
  /** A sub-workflow whose tasks are under way. */
  inside: 10,
  returns: 11,
  backoff: 12,
  verifyKey: 13,
  fallback: 14,
  /** The question of `approve` is being worked out. */
  question: 15,
  /** Waits for a person. */
  asking: 16,
  /** What `wait` says is being worked out. */
  delay: 17,
  /** Waits for a time. */
  resting: 18,
  /** A conversation that waits for nothing but what is carried out inside the run: it holds no place. */
  away: 19,
  // From here on a task is over.
  done: 20,
  /** Failed; its value (null or that of `use`) may still be used by others. */
  failed: 21,
  skipped: 22,
  cancelled: 23,
} as const

export function isOver(code: number): boolean {
  return code >= phase.done
}

const FIRST_ROOM = 64

export class TaskTable {
  size = 0
  phase = new Uint8Array(FIRST_ROOM)
  /** Attempts begun, from 1. */
  attempt = new Uint16Array(FIRST_ROOM)
  /** Attempts begun within the current run of a `verify`. */
  tries = new Uint16Array(FIRST_ROOM)
  /** Index in the state's scopes of the workflow it belongs to. */
  scope = new Int32Array(FIRST_ROOM)
  /** The `for` it is an item of, or -1. */
  group = new Int32Array(FIRST_ROOM)
  /** Dependencies not yet over. */
  pending = new Int32Array(FIRST_ROOM)
  /** Limiters it has passed; see schedule.ts. */
  held = new Uint8Array(FIRST_ROOM)
  /** Higher goes first. */
  rank = new Float64Array(FIRST_ROOM)
  values: (Value | undefined)[] = []

  /** Gives `count` consecutive numbers. // K1 */
  allocate(count: number): TaskId {
    const base = this.size
    this.size += count
    if (this.size > this.phase.length) this.grow(this.size)
    for (let i = 0; i < count; i++) this.values.push(undefined)
    this.group.fill(-1, base, this.size)
    this.attempt.fill(1, base, this.size)
    this.tries.fill(1, base, this.size)
    return base
  }

  private grow(atLeast: number): void {
    let room = this.phase.length
    while (room < atLeast) room *= 2
    const wider = <Column extends Uint8Array | Uint16Array | Int32Array | Float64Array>(from: Column, to: Column): Column => {
      to.set(from)
      return to
    }
    this.phase = wider(this.phase, new Uint8Array(room))
    this.attempt = wider(this.attempt, new Uint16Array(room))
    this.tries = wider(this.tries, new Uint16Array(room))
    this.scope = wider(this.scope, new Int32Array(room))
    this.group = wider(this.group, new Int32Array(room))
    this.pending = wider(this.pending, new Int32Array(room))
    this.held = wider(this.held, new Uint8Array(room))
    this.rank = wider(this.rank, new Float64Array(room))
  }
}
