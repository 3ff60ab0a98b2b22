// Journal: where runs are kept. The interface; sqlite.ts keeps them on disk, memory.ts for the life of the process.
// Owns: what can be asked of a journal. Does not own: what events mean (engine), when they must be durable (driver.ts).
//   J1. Events of a run are numbered from 0 without gaps; what `commit` has returned for survives the death of the process.
//   J2. Of a run that is driven under a lease, only the lease's owner can record: what any other would add is refused, by `run/lease-lost`.
//   J3. Nothing here throws but JournalError, which carries a diagnostic with a code.
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import type { RunEvent } from '#model/event.ts'
import type { KeptEntry, ThreadEntry, ThreadRead, ThreadShown } from '#model/memory.ts'
import type { Plan } from '#model/plan.ts'
import type { LogLine, RunSummary } from '#model/report.ts'
import type { Value } from '#model/type.ts'
import type { AuditLog } from './audit-log.ts'
import type { Lease } from './lease.ts'
import type { LoopStore } from './loops.ts'
import type { Retention } from './retention.ts'
import type { TriggerStore } from './triggers.ts'

/** Characters of a value's JSON kept beside the event; a longer one is kept once, by its hash. */
export const MAX_INLINE_VALUE_LENGTH = 256 * 1_024
/** Characters of a value's JSON that the cache of results keeps. */
export const MAX_CACHED_VALUE_LENGTH = 16 * 1_024 * 1_024
/** Results kept in the cache; the oldest go first. */
export const MAX_CACHED_RESULTS = 100_000
/** Runs that `list` gives; as many again that are not finished. */
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
  /** Adds a line to the run's log; durable after the next `commit`, or never: see lines.ts for the bounds. */
  say(line: LogLine): void
  /** A request is taken off the mailbox in the transaction of the next `commit`: it and the events it led to are durable together. */
  took(request: PendingRequest): void
  /** Something is added to a thread in the transaction of the next `commit`: it is there exactly when the event is that led to it. */
  keep(entry: KeptEntry): void
  /** Events, lines, requests, and entries of threads and of the audit log, appended and not yet durable. */
  readonly uncommitted: number
  /** Durable events, in order. */
  events(): Iterable<RunEvent>
  /** Durable lines, in order. */
  lines(): readonly LogLine[]
  /** Writes how the run stands, for lists; the events remain the truth. */
  describe(summary: RunSummary): void
}

/** Hashes of the files that a program was made of, by their paths as they are shown: while they are the same, so is the program. */
export type SourceHashes = Readonly<Record<string, string>>

/** What is recorded together with a new run. */
export interface Beginning {
  /** The run's first event, and those of another run that it takes over. */
  readonly events?: readonly RunEvent[]
  /** Folder from which the program's plugins are found, as it is to be given back. */
  readonly folder?: string
  readonly sources?: SourceHashes
  readonly lease?: Lease
  /** How the run stands whose place it takes: written in the same transaction. */
  readonly superseded?: RunSummary
}

export interface OpenedRun {
  readonly summary: RunSummary
  readonly plan: Plan
  /** Null where none was recorded. */
  readonly folder: string | null
  /** Null where none were recorded. */
  readonly sources: SourceHashes | null
  readonly log: RunLog
}

/** What the cache of results holds under a key. */
export interface CachedResult {
  readonly value: Value
  readonly madeAtMs: number
}

/** What a person asks of a run from outside its process; it waits in the journal until a process that drives the run takes it. */
export type RunRequest =
  | { readonly kind: 'pause' }
  /** `agent`: its key in the plan. */
  | { readonly kind: 'steer'; readonly agent: string; readonly does: 'pause' | 'resume' | 'stop'; readonly by: string }
  | { readonly kind: 'cancel'; readonly task: string; readonly by: string }
  | { readonly kind: 'answer'; readonly task: string; readonly verdict: 'approved' | 'refused'; readonly by: string; readonly note?: string }

/** When a run is to be woken of which only people can say when: never by itself. */
const NEVER_MS = 8_640_000_000_000_000

/** When a run is to be woken; null for one that waits for nothing. */
export function wakeMsOf({ waits = [] }: RunSummary): number | null {
  return waits.length === 0 ? null : waits.reduce((least, { dueMs }) => Math.min(least, dueMs ?? NEVER_MS), NEVER_MS)
}

export interface PendingRequest {
  readonly id: number
  readonly atMs: number
  /** `unreadable`: of a newer tek, or damaged. */
  readonly request: RunRequest | { readonly kind: 'unreadable' }
}

/** Characters of who asked, and of what was noted, that are recorded. */
export const MAX_BY_LENGTH = 200
export const MAX_NOTE_LENGTH = 4_000
/** Requests to one run that may wait. */
export const MAX_PENDING_REQUESTS = 1_000

export interface Mailbox {
  /** Durable when it returns. False: MAX_PENDING_REQUESTS wait already. @throws {JournalError} when it cannot be written. */
  put(runId: string, request: RunRequest, nowMs: number): boolean
  /** Oldest first. */
  pending(runId: string): readonly PendingRequest[]
}

/** What agents remember under a name, in the order in which it was committed. It is added to by `RunLog.keep`. */
export interface ThreadStore {
  /** Oldest first; none where there is no such thread. */
  entries(name: string): readonly ThreadEntry[]
  /** The one that was added to last comes first. */
  list(): readonly ThreadShown[]
  /** Null: there is no such thread. */
  read(name: string): ThreadRead | null
  /** Forgets threads whole, null: all of them; gives how many there were. */
  forget(names: readonly string[] | null): number
}

export interface Journal {
  readonly threads: ThreadStore
  /** What is asked of runs from outside. */
  readonly mailbox: Mailbox
  /** What `tek serve` keeps; null in memory, from where nothing is served. */
  readonly triggers: TriggerStore | null
  /** What is kept of loops; null in memory, where none is driven. */
  readonly loops: LoopStore | null
  /** Forgetting. */
  readonly retention: Retention
  /** What was decided, of all its runs. Entries that wait become durable with any log's `commit`. */
  readonly audit: AuditLog
  /** Everything of the beginning is durable when it returns. @throws {JournalError} when it cannot be written. */
  startRun(summary: RunSummary, plan: Plan, beginning?: Beginning): RunLog
  /** Null when there is no such run. With the owner of a lease, the log records for that owner only. // J2 */
  openRun(runId: string, owner?: string): OpenedRun | null
  /** Takes the lease of a run, which also forgets earlier requests to stop. Null: taken; otherwise the one that still holds. */
  takeLease(runId: string, lease: Lease, isHeld: (lease: Lease) => boolean): Lease | null
  /** False when the lease is no longer this owner's. */
  renewLease(runId: string, owner: string, expiresMs: number): boolean
  releaseLease(runId: string, owner: string): void
  /** Leases that were not released, by run. */
  leases(): ReadonlyMap<string, Lease>
  /** Asks the process that drives a run to stop; does nothing where no lease is. */
  askToStop(runId: string, nowMs: number): void
  /** The process that drives a run says that it saw the request. */
  stopSeen(runId: string, owner: string, nowMs: number): void
  /** Whether it has said so. */
  isStopSeen(runId: string): boolean
  /** How a run stands with the owner of its lease. */
  standing(runId: string, owner: string): { readonly isOwner: boolean; readonly isAskedToStop: boolean }
  /** Runs that wait, or that were killed while they waited, and now have what they waited for, as far as can be seen from outside: a time that is due, an
   * answer or another request. Some may be driven by a process that knows it already. */
  toWake(nowMs: number, limit: number): readonly string[]
  /** Newest first, MAX_LISTED_RUNS unless told, and as many older ones that are not finished: what waits for a person is not hidden by what came after it. */
  listRuns(limit?: number): RunSummary[]
  /** A result by its key, however old. */
  cached(key: string): CachedResult | null
  remember(key: string, value: Value, nowMs: number): void
  /** Mean milliseconds by `workflow/node`, from earlier runs of a program. */
  durations(program: string): Record<string, number>
  addDurations(program: string, seen: ReadonlyMap<string, { readonly totalMs: number; readonly count: number }>): void
  close(): void
}
