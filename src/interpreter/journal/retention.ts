// Retention: what a journal can be made to forget.
//   N1. A run is forgotten whole, in one transaction with the look whether somebody drives it: never one that is driven.
//   N2. The audit log is not forgotten: it is append-only.
import type { Lease } from './lease.ts'

export interface Retention {
  /** Forgets runs; gives those that were, without those that are driven or unknown. // N1 */
  forget(runIds: readonly string[], isHeld: (lease: Lease) => boolean): readonly string[]
  /** Empties the cache of results; gives how many there were. */
  dropResults(): number
  /** Results in the cache. */
  results(): number
  /** Gives space back to the disk. False: another process is at work in the database; it is given back another time. */
  compact(): boolean
}
