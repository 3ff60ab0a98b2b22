// Trail: what the guard decided and what acted by it, told to whoever keeps it.
// Owns: the shape of an entry. Does not own: the chain of hashes (chain.ts) and where it is kept (kept-trail.ts, journal/).
//   A1. Every decision is told before anything acts by it: an allowed action as an intent, a refused one as a refusal.
//   A2. An entry holds no secret and no value that a tool was given: grants, names and places only.
import type { Grant } from '#model/capability.ts'

export type AuditEntry =
  /** The guard was asked for `grant` on behalf of a task's call. */
  | { readonly kind: 'decision'; readonly task: string; readonly call: string; readonly grant: Grant; readonly allowed: boolean }
  /** The action that a decision allowed came to its end. */
  | { readonly kind: 'outcome'; readonly task: string; readonly call: string; readonly ok: boolean; readonly code?: string }
  /** A secret was handed to a tool, by name. */
  | { readonly kind: 'secret-used'; readonly task: string; readonly call: string; readonly secret: string }
  /** A model answered an agent: `name` is the model's own, `costMicros` null where no price is known. */
  | { readonly kind: 'model-answered'; readonly task: string; readonly agent: string; readonly model: string; readonly name: string; readonly tokens: number; readonly costMicros: number | null }
  /** What the person allowed for this run, and where that is written. */
  | { readonly kind: 'permit'; readonly grants: readonly string[]; readonly by: 'file' | 'flag' | 'question' | 'bundled' }
  /** A kill switch. */
  | { readonly kind: 'stopped'; readonly by: string }
  /** A person answered the question of a task, or gave a task up; `by` says who and where. */
  | { readonly kind: 'answered'; readonly task: string; readonly question: string; readonly verdict: 'approved' | 'refused'; readonly by: string }
  | { readonly kind: 'cancelled'; readonly task: string; readonly by: string }
  /** A person paused an agent, let it go on, or stopped it. */
  | { readonly kind: 'steered'; readonly agent: string; readonly does: 'pause' | 'resume' | 'stop'; readonly by: string }

export interface AuditTrail {
  /** Throws where the entry cannot be kept: what it would have allowed is not done. */
  record(entry: AuditEntry): void
}
