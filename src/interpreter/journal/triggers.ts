// Triggers: what `tek serve` keeps: what it has handled, the runs it owes, and that there is one of it. The interface; sqlite-triggers.ts keeps it.
// Owns: what a firing is and what can be asked of the store. Does not own: when something fires (serve/), runs (journal.ts).
//   T1. A firing names its run before the run begins: the run takes that id, and no two runs can have one. So a process that is killed between the
//       two leaves a firing whose run is begun later, and one that is killed after the run began finds it there. Nothing is lost or begun twice.
//   T2. What was handled (a tick, a delivery, the files as they were seen) is written in the transaction of the firing that came of it.
//   T3. Only the process that holds the server's lease records what fired.
//   T4. A delivery or a tick fires once, as long as it is remembered: the last MAX_KEPT_FIRINGS.
import type { Value } from '#model/type.ts'
import type { Lease } from './lease.ts'

/** Firings whose runs are over that are remembered. // T4 */
export const MAX_KEPT_FIRINGS = 100_000
/** Firings given at once. */
export const MAX_OPEN_FIRINGS = 10_000
/** Announcements remembered, so that none is made twice. */
export const MAX_KEPT_ANNOUNCEMENTS = 10_000

/** `due`: its run is to begin; `begun`: it is to be brought to an end; `over`: nothing is owed; `refused`: it could not begin. */
export type FiringState = 'due' | 'begun' | 'over' | 'refused'

export interface Firing {
  /** Of its trigger; empty for a run that was begun otherwise and only woken. */
  readonly trigger: string
  readonly runId: string
  readonly state: FiringState
  /** How often it was taken up. */
  readonly tries: number
}

/** What happened to one trigger, recorded together. // T2 */
export interface TriggerChange {
  readonly trigger: string
  /** What the trigger is to remember of itself, as JSON; absent: what it was. */
  readonly state?: string
  /** Files that are other than before: what is known of each now, null for one that is gone. */
  readonly files?: ReadonlyMap<string, string | null>
  readonly firing?: {
    readonly runId: string
    /** Names the tick or delivery; null where nothing does. // T4 */
    readonly delivery: string | null
    readonly atMs: number
    readonly args: Readonly<Record<string, Value>>
  }
}

export interface TriggerStore {
  /** Makes this process the one that serves. Null: done; otherwise the lease that still holds. */
  take(lease: Lease, isHeld: (lease: Lease) => boolean): Lease | null
  /** False when another serves by now. */
  renew(owner: string, expiresMs: number): boolean
  release(owner: string): void
  /** What a trigger remembers of itself; null before its first change. */
  state(trigger: string): string | null
  /** Files as a trigger saw them last. */
  files(trigger: string): Map<string, string>
  /** The run that had fired before for the same delivery: then nothing is recorded; null otherwise. @throws {JournalError} `serve/taken-over`. // T3 */
  record(owner: string, change: TriggerChange): string | null
  /** The run of an earlier delivery; null when there is none. */
  known(trigger: string, delivery: string): string | null
  /** Oldest first: `due` and `begun`, MAX_OPEN_FIRINGS at most. */
  open(): Firing[]
  /** How many are `due` whose trigger begins with `prefix`. */
  due(prefix: string): number
  /** The arguments of a firing's run. */
  argsOf(runId: string): Readonly<Record<string, Value>>
  /** The newest of a trigger. */
  newest(trigger: string): Firing | null
  /** Owes a run an end; counts how often. @throws {JournalError} `serve/taken-over`. */
  takeUp(owner: string, runId: string, nowMs: number): number
  settle(runId: string, state: 'begun' | 'over' | 'refused'): void
  /** Its server stopped it in good order: how often it was taken up is counted anew. */
  drained(runId: string): void
  /** From now on it counts as announced. */
  announce(key: string, nowMs: number): void
  isAnnounced(key: string): boolean
}
