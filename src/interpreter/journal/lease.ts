// Lease: the right of one process to drive a run, for a while.
// Owns: how long it holds, when its holder counts as gone. Does not own: keeping it up (keeper.ts), where it is written (sqlite.ts).
//   L1. A lease holds until it expires, or until its process is known to be gone: same machine, same boot, no such process.
//   L2. Expiry goes by the wall clock, the only one that two processes share: a jump of it can end a lease early, and then the journal
//       refuses what the former holder would record; it cannot make two processes record.
//   L3. No wrong clock keeps a run from going on for good: a lease of another boot or machine that holds for longer than MAX_AHEAD_MS counts as run out.
import type { Host } from '#host/host.ts'

/** Milliseconds that a lease holds after it was last renewed. */
export const LEASE_MS = 10_000
/** Milliseconds between two renewals. */
export const RENEW_EVERY_MS = 2_000

export interface Lease {
  /** Drawn at random for each taking: no two holders have the same. */
  readonly owner: string
  readonly pid: number
  readonly hostName: string
  readonly bootId: string
  /** Tells the process from a later one with the same number; absent where the system does not say. */
  readonly since?: string
  readonly expiresMs: number
}

/** A lease that would hold for longer than this from now on was taken by a clock that was wrong. */
const MAX_AHEAD_MS = 3_600_000

/** Whether a lease keeps others away. // L1 L3 */
export function isHeld(lease: Lease, host: Host): boolean {
  const leftMs = lease.expiresMs - host.now()
  if (leftMs <= 0) return false
  const here = host.identity?.()
  if (here === undefined || here.bootId === '' || here.bootId !== lease.bootId || lease.hostName !== here.hostName) return leftMs <= MAX_AHEAD_MS
  return host.isAlive?.(lease.pid, lease.since) ?? true
}
