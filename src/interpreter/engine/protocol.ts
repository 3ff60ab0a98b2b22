// Protocol: what the engine asks of the world, and the bounds it keeps.
// Owns: commands, timer numbers, limits of a run. Does not own: how a command is carried out (effects/) or what an event means (transition.ts).
//   E1. A command is data; performing it ends in an event (or, for `cancel`, `clear-timer`, `remember`, `changed`, `agent-changed`, in none; for `ask`, when somebody answers).
//   E2. A command names task and attempt; an event that names an attempt which is over changes nothing.
//   E3. Timer numbers are made of task, attempt and purpose, never of the order in which they were asked for.
import type { Outcome, Part, TaskId } from '#model/event.ts'
import type { AgentChange, TaskStatus } from '#model/report.ts'
import type { Value } from '#model/type.ts'

/** Tasks (items of a `for` and tasks of sub-workflows included) one run may have. */
export const MAX_TASKS = 100_000
/** Workflows inside workflows. */
export const MAX_WORKFLOW_DEPTH = 64
/** Attempts of one task, over all retries and runs of a `verify`. */
export const MAX_ATTEMPTS = 1_000
/** Runs that one `verify` may make. */
export const MAX_VERIFY_RUNS = 100
/** Milliseconds between two attempts. */
export const MAX_BACKOFF_MS = 24 * 3_600_000
/** Characters of a question; a longer one is not asked. */
export const MAX_QUESTION_LENGTH = 16_000
/** Characters kept in `details` of a failure. */
export const MAX_DETAILS_LENGTH = 16_000

export type Command =
  | { readonly kind: 'evaluate'; readonly task: TaskId; readonly attempt: number; readonly part: Part }
  /** Asks the cache of results; `by` is the value of `cache by`, undefined when the key is made of the inputs. */
  | { readonly kind: 'look-up'; readonly task: TaskId; readonly by: Value | undefined }
  | { readonly kind: 'remember'; readonly task: TaskId; readonly key: string; readonly value: Value }
  /** `dueMs`: the point in time, in milliseconds since 1970, at which it is due in any case, even if this clock says that `ms` have not passed. */
  | { readonly kind: 'set-timer'; readonly timer: number; readonly ms: number; readonly dueMs?: number }
  /** A person is to be asked, or somebody else than before; the question is in the state's waits. */
  | { readonly kind: 'ask'; readonly task: TaskId; readonly attempt: number }
  /** The question of the open turn is to be put to a model: `questionOf` in talks.ts has it. Ends in `model-answered`. */
  | { readonly kind: 'ask-model'; readonly task: TaskId; readonly attempt: number; readonly turn: number }
  /** What is in a thread is to be read. Ends in `recalled`. */
  | { readonly kind: 'recall'; readonly task: TaskId; readonly attempt: number; readonly thread: string }
  /** A call that a model asked for is to be made: `callOf` in talks.ts has it. Ends in `call-finished`. */
  | { readonly kind: 'call-for-agent'; readonly task: TaskId; readonly attempt: number; readonly call: number }
  | { readonly kind: 'clear-timer'; readonly timer: number }
  /** Its outcome is no longer wanted. */
  | { readonly kind: 'cancel'; readonly task: TaskId; readonly attempt: number }
  /** A limit was reached: to be recorded as `stop-requested`. `isFinal`: going on would stop again at once. */
  | { readonly kind: 'stop'; readonly detail: string; readonly isFinal: boolean }
  /** To be recorded as `run-finished`. */
  | { readonly kind: 'finish'; readonly outcome: Outcome }
  /** For those who watch; nothing is to be done. */
  | { readonly kind: 'agent-changed'; readonly agent: string; readonly change: AgentChange }
  | { readonly kind: 'changed'; readonly task: TaskId; readonly status: TaskStatus; readonly cached: boolean }

/** `due`: the deadline of a question, the end of a wait. */
export type TimerPurpose = 'timeout' | 'retry' | 'time-limit' | 'due'
const purposes: readonly TimerPurpose[] = ['timeout', 'retry', 'time-limit', 'due']

/** Number of the timer of one attempt for one purpose. // E3 */
export function timerOf(task: TaskId, attempt: number, purpose: TimerPurpose): number {
  return (task * (MAX_ATTEMPTS + 1) + attempt) * 4 + purposes.indexOf(purpose)
}

/** The parts of a timer's number; null for a number that `timerOf` does not make. */
export function partsOfTimer(timer: number): { task: TaskId; attempt: number; purpose: TimerPurpose } | null {
  const purpose = purposes[timer % 4]
  if (purpose === undefined) return null
  const rest = Math.floor(timer / 4)
  return { task: Math.floor(rest / (MAX_ATTEMPTS + 1)), attempt: rest % (MAX_ATTEMPTS + 1), purpose }
}

/** What the machine that runs it can bear. Not recorded: a run may be resumed on another machine. */
export interface Capacity {
  /** Tasks under way at once. */
  readonly parallel: number
  readonly cpu: number
  readonly memoryBytes: number
}
