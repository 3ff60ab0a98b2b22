// World: what effects work with: the machine, the tools, the clock, and the way back into the loop.
// Owns: the shape that driver and effects share. Does not own: any behaviour.
import type { GrantKinds } from '#grants/match.ts'
import type { ComesWithStd } from './implied.ts'
import type { Host } from '#host/host.ts'
import type { Failure, RunEvent, TaskId } from '#model/event.ts'
import type { CallCounts, RunNotice } from '#model/report.ts'
import type { Value } from '#model/type.ts'
import type { ToolRunner } from '#plugin-api/tool-runner.ts'
import type { State } from '#interpreter/engine/state.ts'
import type { Journal } from '#interpreter/journal/journal.ts'
import type { Pool } from '#interpreter/pool/pool.ts'
import type { Authority } from '#model/capability.ts'
import type { AuditTrail } from '#interpreter/audit/trail.ts'
import type { AskedModels } from '#interpreter/gateway/models.ts'
import type { ServerCaller } from '#interpreter/guard/server-access.ts'
import type { Fakes } from './effects/fakes.ts'
import type { AppendNotes } from '#interpreter/guard/append-notes.ts'
import type { SecretVault } from '#interpreter/secrets/vault.ts'

/** Timers of a run: retries, timeouts, limits of time. Tests bring their own. */
export interface Timers {
  /** Calls `fire` once after `ms`; the answer takes it back. */
  set(ms: number, fire: () => void): () => void
}

export interface World {
  readonly host: Host
  /** Absolute working directory of the run. */
  readonly cwd: string
  readonly state: State
  readonly runId: string
  readonly toolRunner: ToolRunner
  /** Servers of tools; null: the program uses none, or none is to be reached. */
  readonly servers: ServerCaller | null
  readonly journal: Journal
  readonly timers: Timers
  readonly kindsOf: GrantKinds | undefined
  /** What comes with grants of the standard library; absent: whatever the plan says. */
  readonly comesWithStd: ComesWithStd | undefined
  /** What the person who runs it allows: a level above the program's own; null where none was asked for. */
  readonly permit: Authority | null
  /** That person accepted by name that commands run unconfined where the machine has no sandbox. */
  readonly mayBeUnconfined: boolean
  readonly audit: AuditTrail
  /** What appends of calls under way are noted in; null where nothing of the run outlives its process. */
  readonly appends: AppendNotes | null
  readonly secrets: SecretVault
  /** What stands in the place of tools in a test; null: this is none. */
  readonly fakes: Fakes | null
  /** What answers agents. */
  readonly models: AskedModels
  readonly constants: ReadonlyMap<string, Value>
  /** Why a constant has no value; the run fails with it. */
  readonly constantsFailure: Failure | null
  readonly calls: { -readonly [Key in keyof CallCounts]: number }
  /** Started when first asked for. */
  pool(): Pool
  /** Puts an event into the loop. */
  emit(event: RunEvent): void
  /** Makes the loop look again at what it waits for. */
  wake(): void
  /** Runs `work` once everything emitted so far is durable. */
  whenDurable(work: () => void): void
  /** A task is worked on from now (host's monotonic time). */
  began(task: TaskId, nowMs: number): void
  /** Something to show at once: nothing is recorded of it, and nothing waits for it. */
  show(notice: Extract<RunNotice, { kind: 'saying' }>): void
  /** A line in the run's log. */
  log(task: string, message: string): void
  /** False once the run stops: no new call is begun. A pause lets attempts under way make theirs. */
  mayBegin(): boolean
  /** The same, after a look at every kill switch: asked before each effect, also within a call. */
  mayAct(): boolean
}
