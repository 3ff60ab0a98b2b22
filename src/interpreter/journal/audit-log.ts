// Audit log: the append-only list of what was decided, of all runs of a database. The interface; sqlite-audit.ts keeps it on disk.
// Owns: what can be asked of it. Does not own: what an entry says (audit/chain.ts), keys (audit/seal.ts), whether it was tampered with (audit/verify.ts).
//   L1. Rows are numbered from 1 without gaps over all runs and processes; each holds the hash of the one before it.
//   L2. What `flush` has returned for is durable, as what a run's `commit` has returned for: one transaction holds both.
//   L3. Once an entry could not be kept, everything that would act on one fails: `append`, `flush` and every `commit` of the journal throw.
import type { AuditRow } from '#interpreter/audit/chain.ts'

/** Rows from one signature to the next. */
export const SIGN_EVERY_ROWS = 1_000
/** Entries that wait to be written; one more writes them. */
export const MAX_WAITING_ENTRIES = 2_048

/** A row that somebody has signed: with it everything before. */
export interface AuditMark {
  readonly seq: number
  readonly hash: string
  /** The public key, base64. */
  readonly key: string
  readonly signature: string
}

/** The last row, as it is remembered elsewhere. */
export interface AuditHead {
  readonly seq: number
  readonly hash: string
  /** Whether the log holds a signature of this very row. */
  readonly isSigned: boolean
}

/** Signs rows and remembers them elsewhere. */
export interface AuditSealer {
  /** Null where there is no key. */
  sign(id: string, seq: number, hash: string): { readonly key: string; readonly signature: string } | null
  /** Called when the row is durable. */
  remember(id: string, place: string, head: AuditHead): void
}

/** Where a run's entries lie; between them there may be other runs'. */
export interface AuditRange {
  readonly first: number
  readonly last: number
  readonly entries: number
}

export interface AuditLog {
  /** Drawn when the database was made. */
  readonly id: string
  /** Absolute path of the database; null for one in memory. */
  readonly place: string | null
  readonly waiting: number
  /** @throws {JournalError} // L3 */
  append(run: string, body: string): void
  /** @throws {JournalError} */
  flush(): void
  /** Who signs from now on, every SIGN_EVERY_ROWS rows and when `seal` is called. */
  sealWith(sealer: AuditSealer): void
  /** Signs and remembers the last row. @throws {JournalError} */
  seal(): void
  head(): { readonly seq: number; readonly hash: string } | null
  /** In order, `limit` at most; of one run or of all. */
  rows(afterSeq: number, limit: number, run?: string): AuditRow[]
  range(run: string): AuditRange | null
  /** In order of their rows. */
  marks(): AuditMark[]
  /** What of its tables and triggers is not as it was made. */
  changedSchema(): string[]
}
