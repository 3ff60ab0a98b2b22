// Event: what happened in a run, in order. A run's truth is its list of events; its state is their fold.
//   V1. Compact: tasks are numbered in the order the engine met them, which the fold reproduces; paths are not repeated.
//   V2. Every field is JSON; an event once written is never changed. A new field is optional, a new meaning is a new kind.
//   V3. `atMs` is the wall clock when it was recorded. Nothing is decided by it but when a wait is due and how long the run was driven.
import type { ChatReply, LostAttempt } from './chat.ts'
import type { ThreadEntry } from './memory.ts'
import type { Value } from './type.ts'

/** Number of a task, an item of a `for`, or a (sub-)workflow within its run. The root workflow is 0. */
export type TaskId = number

export interface Failure {
  /** `family/slug`, or `<plugin>/slug`. */
  readonly code: string
  readonly message: string
  /** Path of the task that failed first: `scan[3]`, `build/test`. */
  readonly task: string
  readonly retryable: boolean
  readonly help?: string
  /** Facts for the reader: stderr's last lines, the differing values of a `verify`. At most 16,000 characters. */
  readonly details?: string
}

export type Outcome =
  | { readonly kind: 'value'; readonly value: Value }
  | { readonly kind: 'failure'; readonly failure: Failure }

/** Which expression of a node was worked on. `prompt`: what an agent is asked; `role`: what the agent is, with its authority; `thread`: the name of its memory;
 * `ensure`: whether its value is what was wanted (a text: the first that does not hold; null: all does). */
export type Part = 'body' | 'when' | 'list' | 'width' | 'cache-key' | 'fallback' | 'verify-key' | 'returns' | 'setup' | 'label' | 'approve' | 'wait' | 'prompt' | 'role' | 'ensure' | 'thread'

/** What came of a question to a model. */
export type ModelOutcome =
  /** `model`: key of the model that answered; `lost`: attempts before it that came to nothing. */
  | { readonly kind: 'reply'; readonly reply: ChatReply; readonly model: string; readonly lost: readonly LostAttempt[] }
  /** `failure`: with the code `model/<code>`. */
  | { readonly kind: 'failure'; readonly failure: Failure; readonly lost: readonly LostAttempt[] }

/** Why a run stops before its end. `pause`: what runs is finished first; `waiting`: nothing is left but to wait, for a person or a time. */
export type StopCause = 'interrupt' | 'terminate' | 'stop-file' | 'limit' | 'pause' | 'waiting'

/** Where a forked run comes from. */
export interface RunOrigin {
  readonly runId: string
  /** Path of the task from which on it began again; '' where it was migrated. */
  readonly task: string
  /** It took over what still holds of a run of an earlier version of the program. */
  readonly migrated?: true
}

/** What is left of limits that several runs share. */
export interface RunBounds {
  readonly timeMs?: number
  readonly tokens?: number
  readonly costMicros?: number
  readonly calls?: number
  readonly tasks?: number
}

export type RunEvent =
  | {
      readonly kind: 'run-started'
      readonly atMs: number
      readonly runId: string
      readonly planHash: string
      readonly workflow: string
      readonly args: Readonly<Record<string, Value>>
      readonly tekVersion: string
      /** What the stand-ins of this run's secrets are made of; absent where it has none. */
      readonly standInSeed?: string
      /** Bounds of this run beside those of the plan: what is left to a loop for its next cycle. */
      readonly within?: RunBounds
      /** The run whose results it took over, and the task from which on it did not; absent where it began with nothing. */
      readonly origin?: RunOrigin
    }
  /** An expression came to its end. */
  | { readonly kind: 'evaluated'; readonly atMs: number; readonly task: TaskId; readonly attempt: number; readonly part: Part; readonly outcome: Outcome; readonly elapsedMs: number }
  /** Intent, recorded before the world is touched. `call` counts the calls of one attempt from 0; a conversation counts those that it refuses too. */
  | {
      readonly kind: 'call-started'
      readonly atMs: number
      readonly task: TaskId
      readonly attempt: number
      readonly call: number
      readonly name: string
      /** Of a call that was taken over under way: the run whose id is in its idempotency key. */
      readonly keyRun?: string
    }
  | { readonly kind: 'call-finished'; readonly atMs: number; readonly task: TaskId; readonly attempt: number; readonly call: number; readonly outcome: Outcome; readonly elapsedMs: number }
  /** Intent, recorded before a model is asked. `turn` counts the turns of one conversation from 1; `model`: key of the model that is asked first. */
  | { readonly kind: 'model-asked'; readonly atMs: number; readonly task: TaskId; readonly attempt: number; readonly turn: number; readonly model: string }
  | { readonly kind: 'model-answered'; readonly atMs: number; readonly task: TaskId; readonly attempt: number; readonly turn: number; readonly outcome: ModelOutcome; readonly elapsedMs: number }
  | { readonly kind: 'timer-fired'; readonly atMs: number; readonly timer: number }
  | {
      readonly kind: 'cache-answered'
      readonly atMs: number
      readonly task: TaskId
      readonly key: string
      readonly value: Value | undefined
      readonly hit: boolean
      /** When what the cache holds under the key was made, also where that is too long ago. */
      readonly madeAtMs?: number
    }
  | { readonly kind: 'stop-requested'; readonly atMs: number; readonly reason: StopCause; readonly detail: string; /** Going on would stop again at once. */ readonly isFinal?: true }
  /** A person's answer to `approve`. `by` says who and where: `terminal`, `--yes`, `tek approve`, a web page. */
  | { readonly kind: 'answered'; readonly atMs: number; readonly task: TaskId; readonly attempt: number; readonly verdict: 'approved' | 'refused'; readonly by: string; readonly note?: string }
  /** What an agent that remembers a thread begins an attempt with: what was in it then. Oldest first. */
  | { readonly kind: 'recalled'; readonly atMs: number; readonly task: TaskId; readonly attempt: number; readonly entries: readonly ThreadEntry[] }
  /** A person steers an agent: it asks nothing new, it goes on, or its conversations are given up and it is asked nothing any more in this run. `agent`: its key. */
  | { readonly kind: 'agent-steered'; readonly atMs: number; readonly agent: string; readonly does: 'pause' | 'resume' | 'stop'; readonly by: string }
  /** A person gives a task up: it fails, and what its `on failure` says follows. */
  | { readonly kind: 'task-cancelled'; readonly atMs: number; readonly task: TaskId; readonly by: string }
  /** A stopped run goes on, perhaps in another process. */
  | { readonly kind: 'run-resumed'; readonly atMs: number }
  | { readonly kind: 'run-finished'; readonly atMs: number; readonly outcome: Outcome }
