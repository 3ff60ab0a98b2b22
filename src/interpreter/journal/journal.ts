// Journal: where runs are kept. The interface; sqlite.ts keeps them on disk, memory.ts for the life of the process.
// Owns: what can be asked of a journal. Does not own: what events mean (engine), when they must be durable (driver.ts).
//   J1. Events of a run are numbered from 0 without gaps; what `commit` has returned for survives the death of the process.
//   J2. Nothing here throws but JournalError, which carries a diagnostic with a code.
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import type { RunEvent } from '#model/event.ts'
import type { Plan } from '#model/plan.ts'
import type { RunSummary } from '#model/report.ts'
import type { Value } from '#model/type.ts'

/** Characters of a value's JSON kept beside the event; a longer one is kept once, by its hash. */
export const MAX_INLINE_VALUE_LENGTH = 256 * 1_024
/** Characters of a value's JSON that the cache of results keeps. */
export const MAX_CACHED_VALUE_LENGTH = 16 * 1_024 * 1_024
/** Results kept in the cache; the oldest go first. */
export const MAX_CACHED_RESULTS = 100_000
/** Runs that `list` gives. */
export const MAX_LISTED_RUNS = 1_000

/** A journal that cannot be used: a full disk, a locked or damaged database, a newer schema. */
export class JournalError extends Error {
  override readonly name = 'JournalError'
  readonly diagnostic: Diagnostic
  constructor(diagnostic: Diagnostic) {
    super(diagnostic.message)
    this.diagnostic = diagnostic
  }
}

/** The events of one run. */
export interface RunLog {
  /** Adds an event to the batch; durable after the next `commit`. */
  append(event: RunEvent): void
  /** Makes everything appended durable, in one transaction. */
  commit(): void
  /** Events appended and not yet durable. */
  readonly uncommitted: number
  /** Durable events, in order. */
  events(): Iterable<RunEvent>
  /** Writes how the run stands, for lists; the events remain the truth. */
  describe(summary: RunSummary): void
}

export interface Journal {
  /** @throws {JournalError} when it cannot be written. */
  startRun(summary: RunSummary, plan: Plan): RunLog
  /** Null when there is no such run. */
  openRun(runId: string): { readonly summary: RunSummary; readonly plan: Plan; readonly log: RunLog } | null
  /** Newest first. */
  listRuns(): RunSummary[]
  /** A result by its key, unless it is older than `maxAgeMs`. */
  cached(key: string, nowMs: number, maxAgeMs: number | null): { readonly value: Value } | null
  remember(key: string, value: Value, nowMs: number): void
  /** Mean milliseconds by `workflow/node`, from earlier runs of a program. */
  durations(program: string): Record<string, number>
  addDurations(program: string, seen: ReadonlyMap<string, { readonly totalMs: number; readonly count: number }>): void
  close(): void
}
