// Event: what `tek serve` says of itself, one at a time.
// Owns: the shape. Does not own: how it is written (cli/).
import type { RunSummary, Wait } from '#model/report.ts'

/** A trigger, as shown. */
interface About {
  readonly program: string
  readonly workflow: string
  readonly trigger: string
}

/** `atMs` is added where it is written down. */
export type ServeEvent =
  | { readonly kind: 'serving'; readonly triggers: number; readonly waiting: number; readonly pid: number }
  | { readonly kind: 'listening'; readonly url: string; readonly webhooks: readonly string[] }
  /** A trigger fired: its run is recorded. `more`: changed files beyond those it is given. */
  | (About & { readonly kind: 'fired'; readonly runId: string; readonly tickMs?: number; readonly isMissed?: boolean; readonly files?: number; readonly more?: number })
  /** It did not, because its last run still goes on. */
  | (About & { readonly kind: 'passed-over'; readonly tickMs: number; readonly runId: string })
  /** Files changed and no run begins: `own`: its last run wrote them; `settled`: they changed again during a row of runs; `brake`: too many runs. */
  | (About & { readonly kind: 'not-fired'; readonly reason: 'own' | 'settled' | 'brake'; readonly files: number })
  /** Files cannot be watched as they should be. */
  | { readonly kind: 'watching-slowly'; readonly trigger: string; readonly reason: string }
  | { readonly kind: 'begun'; readonly runId: string; readonly workflow: string; readonly isResumed: boolean }
  | {
      readonly kind: 'ended'
      readonly runId: string
      readonly workflow: string
      readonly status: RunSummary['status']
      /** Of its failure. */
      readonly code: string | null
      readonly elapsedMs: number
      readonly waits: readonly Wait[]
    }
  /** A run could not begin or go on. `retried`: it is tried again. */
  | { readonly kind: 'refused'; readonly runId: string; readonly code: string; readonly message: string; readonly retried: boolean }
  | { readonly kind: 'delivery-refused'; readonly path: string; readonly status: number; readonly reason: string; /** Refusals before it that were not told. */ readonly untold: number }
  | { readonly kind: 'announced'; readonly runId: string; readonly task: string; /** Null: the program ended well. */ readonly failure: string | null }
  | { readonly kind: 'draining'; readonly runs: number }
