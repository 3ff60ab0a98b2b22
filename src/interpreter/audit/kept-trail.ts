// Kept trail: the trail of one run, in the audit log of its journal.
// Owns: which entries must be durable before anything acts by them. Does not own: how they are written (chain.ts), kept (journal/).
//   K1. What a decision allows to change, to start or to connect is durable before it is done; so is the use of a secret. Reading need not wait:
//       its entry goes with the run's next events, at most some milliseconds later.
//   K2. An entry that cannot be kept throws: what it would have allowed is not done, and the run ends with the journal's code.
import type { AuditLog } from '#interpreter/journal/audit-log.ts'
import { bodyOf } from './chain.ts'
import type { AuditEntry, AuditTrail } from './trail.ts'

export interface TrailOptions {
  readonly log: AuditLog
  readonly runId: string
  now(): number
  /** Takes secrets out of a text: a command's arguments may hold one. */
  redact(text: string): string
}

/** Records into a journal's audit log, on behalf of a run. */
export function keptTrail({ log, runId, now, redact }: TrailOptions): AuditTrail {
  return {
    record(entry) {
      log.append(runId, bodyOf(entry, now(), redact)) // K2
      if (comesFirst(entry)) log.flush() // K1
    },
  }
}

const onlyLooks = new Set(['fs.read', 'env'])

function comesFirst(entry: AuditEntry): boolean {
  return entry.kind === 'secret-used' || (entry.kind === 'decision' && entry.allowed && !onlyLooks.has(entry.grant.name))
}
