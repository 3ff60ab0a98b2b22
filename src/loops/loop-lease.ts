// Loop lease: the right of one process to drive a loop.
// Owns: making one where the host has no others beside it. Does not own: what a lease is (interpreter/journal/lease.ts).
import type { Host } from '#host/host.ts'
import { LEASE_MS, type Lease } from '#interpreter/journal/lease.ts'
import { newLease } from '#interpreter/keeper.ts'

export { isHeld, LEASE_MS, RENEW_EVERY_MS } from '#interpreter/journal/lease.ts'

const OWNER_BYTES = 12

export function newLeaseOf(host: Host): Lease {
  return newLease(host) ?? { owner: host.randomHex(OWNER_BYTES), pid: 0, hostName: '', bootId: '', expiresMs: host.now() + LEASE_MS }
}
