// Loops: what is kept of loops beside their cycles' runs: champion, versions, decisions, how far it got. The interface; sqlite-loops.ts keeps it.
// Owns: what can be asked of the store. Does not own: what a cycle is (a run), when the next is due (loops/), workspaces (interpreter/loop).
//   L1. A cycle names its run before the run begins, in one transaction: a kill between loses no cycle and begins none twice.
//   L2. A promotion is one transaction, known by its run: asked for again after a crash it gives the version that it made. So the champion is the old one
//       or the new one, and the run's record of the promotion follows.
//   L3. What a cycle came to, its decisions and what is left of the loop's limits are written in one transaction, once.
//   L4. Only the process that holds the loop's lease begins and ends cycles; the runs of cycles have leases of their own besides.
//   L5. What is kept is bounded: the limits below. The champion and the version that it came from are always kept.
import type { Value } from '#model/type.ts'
import type { Lease } from './lease.ts'

/** Ended cycles of a loop that are remembered, the newest; those that promoted are kept as long as their versions. */
export const MAX_KEPT_CYCLES = 1_000
/** Decisions of a loop that are remembered. */
export const MAX_KEPT_DECISIONS = 10_000
/** Versions of a loop's champion that are kept. */
export const MAX_KEPT_VERSIONS = 1_000
/** Characters of a rationale. */
export const MAX_RATIONALE_LENGTH = 4_000

/** What of its limits a loop has spent since it began. */
export interface LoopSpent {
  readonly timeMs: number
  readonly tokens: number
  readonly costMicros: number
  readonly calls: number
  readonly tasks: number
}

/** Why no further cycle begins. */
export interface LoopEnd {
  readonly code: string
  readonly message: string
}

/** A loop from its first cycle to its end; begun again, it is another series with the same champion. */
export interface LoopSeries {
  readonly beganMs: number
  /** Cycles that began. */
  readonly cycles: number
  readonly spent: LoopSpent
  /** Failed cycles in a row. */
  readonly errors: number
  readonly ended: LoopEnd | null
  /** Ticks of its clock up to this time are handled. */
  readonly handledMs: number | null
  /** It rests until then, or until nothing is scarce; null: it does not. */
  readonly rest: { readonly untilMs: number; readonly scarce: boolean; readonly reason: string } | null
}

/** A champion, as it was promoted. */
export interface LoopVersion {
  readonly version: number
  /** The version that was champion before; 0: none. */
  readonly parent: number
  readonly runId: string
  readonly cycle: number
  readonly atMs: number
  readonly candidate: Value
  readonly score: number
  /** Of a workspace: what its files are (interpreter/loop/workspaces.ts); null: candidates are values. */
  readonly content: string | null
}

export type DecisionOutcome = 'approved' | 'rejected' | 'deferred' | 'escalated'

export interface LoopDecision {
  readonly cycle: number
  readonly atMs: number
  /** A stage, in the words of the language. */
  readonly stage: string
  readonly outcome: DecisionOutcome
  readonly rationale: string
  /** 0 to 1; null where nobody said. */
  readonly confidence: number | null
  /** Who decided: `program`, or a person. */
  readonly by: string
}

export interface LoopCycle {
  readonly cycle: number
  readonly runId: string
  readonly atMs: number
  /** Null: it is under way. */
  readonly end: CycleEnd | null
}

export interface CycleEnd {
  readonly endedMs: number
  readonly elapsedMs: number
  /** False: its run failed. */
  readonly ok: boolean
  readonly branch: string | null
  readonly verdict: 'ok' | 'tie' | 'bad' | null
  readonly score: number | null
  readonly candidate: Value
  /** The version that it made champion. */
  readonly promoted: number | null
  readonly rolledBack: boolean
  /** A sentence for people. */
  readonly says: string
}

/** What a switch of a workspace is about to do, so that it can be brought to its end after a crash. */
export interface LoopIntent {
  readonly runId: string
  readonly body: string
}

export interface LoopRow {
  readonly key: string
  readonly program: string
  readonly name: string
  readonly series: LoopSeries | null
  readonly champion: number
  readonly cycle: number
}

export interface LoopStore {
  /** Every loop that ever began here. */
  all(): LoopRow[]
  row(key: string): LoopRow | null
  /** Makes this process the one that drives the loop. Null: done; otherwise the lease that still holds. Forgets earlier requests to stop. */
  take(loop: Pick<LoopRow, 'key' | 'program' | 'name'>, lease: Lease, isHeld: (lease: Lease) => boolean): Lease | null
  /** False when another drives it by now. */
  renew(key: string, owner: string, expiresMs: number): boolean
  release(key: string, owner: string): void
  /** Null: nobody drives it. */
  lease(key: string): Lease | null
  askToStop(key: string, nowMs: number): void
  isAskedToStop(key: string): boolean
  /** @throws {JournalError} `loop/taken-over`. // L4 */
  keep(key: string, owner: string, series: LoopSeries): void
  /** @throws {JournalError} `loop/taken-over`. // L1 L4 */
  begin(key: string, owner: string, cycle: Pick<LoopCycle, 'cycle' | 'runId' | 'atMs'>, series: LoopSeries): void
  /** @throws {JournalError} `loop/taken-over`. // L3 L4 */
  end(key: string, owner: string, cycle: number, end: CycleEnd, decisions: readonly Omit<LoopDecision, 'cycle'>[], series: LoopSeries): void
  /** The cycle under way. */
  open(key: string): LoopCycle | null
  /** Ended cycles, newest first. */
  past(key: string, limit: number): LoopCycle[]
  ofRun(runId: string): { readonly key: string; readonly cycle: number } | null
  /** The new champion; the same one when the run made it before. // L2 */
  /** `origin`: what the workspace was before its first version, kept as version 0. */
  promote(key: string, made: Pick<LoopVersion, 'runId' | 'cycle' | 'atMs' | 'candidate' | 'score' | 'content'>, origin?: string | null): LoopVersion
  champion(key: string): LoopVersion | null
  /** The version that a run made. */
  madeBy(key: string, runId: string): LoopVersion | null
  /** Newest first. */
  versions(key: string, limit: number): LoopVersion[]
  version(key: string, version: number): LoopVersion | null
  /** An earlier version is champion from now on, or none (0). @throws {JournalError} `loop/taken-over`. */
  restore(key: string, owner: string, version: number, decision: LoopDecision): void
  /** Newest first. */
  decisions(key: string, limit: number): LoopDecision[]
  intent(key: string): LoopIntent | null
  setIntent(key: string, intent: LoopIntent | null): void
  /** Forgets what is beyond the bounds, and gives the runs of ended cycles that are older than the newest `keepRuns` and neither promoted nor were rolled back. // L5 */
  retire(key: string, keepRuns: number, limit: number): readonly string[]
}
