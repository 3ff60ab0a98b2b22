// Report: what a run says of itself, live (notices) and afterwards (summary). Telemetry, the command line and the web read only this.
import type { Failure, Outcome, RunOrigin, StopCause } from './event.ts'

export type TaskStatus = 'waiting' | 'ready' | 'running' | 'done' | 'failed' | 'skipped' | 'cancelled'

/** Sent to listeners while a run goes on, after the events that caused it are durable. */
export type RunNotice =
  | { readonly kind: 'run-started'; readonly runId: string; readonly workflow: string; readonly atMs: number; readonly authority: readonly string[] }
  | {
      readonly kind: 'task'
      readonly path: string
      readonly label: string | null
      readonly status: TaskStatus
      readonly attempt: number
      readonly cached: boolean
      readonly elapsedMs: number
      readonly failure: Failure | null
    }
  /** At most every 100 ms. `fraction` never falls and is 1 only at the end; `etaMs` is null when nothing can be said. */
  | { readonly kind: 'progress'; readonly fraction: number; readonly etaMs: number | null; readonly tasks: TaskCounts; readonly running: readonly string[]; readonly calls: CallCounts }
  /** What the run waits for now, whenever that changes. */
  | { readonly kind: 'waits'; readonly waits: readonly Wait[] }
  | { readonly kind: 'log'; readonly task: string; readonly atMs: number; readonly message: string }
  /** A model is asked on behalf of a task, or has answered. */
  | {
      readonly kind: 'model'
      /** Path of the task. */
      readonly task: string
      /** Key of the agent. */
      readonly agent: string
      /** Key of the model that is asked or has answered; null: none did. */
      readonly model: string | null
      /** From 1. */
      readonly turn: number
      readonly isAsking: boolean
      /** Of this conversation so far. */
      readonly tokens: number
      readonly costMicros: number
    }
  /**
   * What an agent is saying or doing at the moment: the end of its words, or the tool that it calls. Shown and forgotten: a few in a second at most, and none that
   * anything depends on.
   */
  | { readonly kind: 'saying'; readonly task: string; readonly agent: string; readonly what: 'text' | 'thinking' | 'tool'; readonly text: string }
  /** `agent`: its key. `failure`: of one that was given up, the last. */
  | { readonly kind: 'agent'; readonly agent: string; readonly change: AgentChange; readonly failure: Failure | null }
  | { readonly kind: 'run-finished'; readonly summary: RunSummary }

/** `given-up`: its model failed too often in a row. */
export type AgentChange = 'paused' | 'resumed' | 'stopped' | 'given-up'

/** An agent of a run as lists show it. */
export interface AgentShown {
  /** Its key. */
  readonly agent: string
  /** What a person or its health made of it; `at-work`: a conversation of it is open, `idle`: none is. */
  readonly state: 'at-work' | 'idle' | 'paused' | 'stopped' | 'given-up'
  /** `failing`: the last conversation was failed by its model. */
  readonly health: 'good' | 'failing' | 'given-up'
  /** Conversations: under way, those that came to a value, and those that did not. */
  readonly open: number
  readonly done: number
  readonly failed: number
  /** Of all of them, as far as they were answered. */
  readonly turns: number
  readonly tokens: number
  readonly costMicros: number
  /** Conversations in a row that its model failed. */
  readonly failuresInRow: number
  readonly lastAnswer: string | null
  readonly lastFailure: { readonly code: string; readonly message: string } | null
  /** Those under way, at most 100. */
  readonly conversations: readonly ConversationShown[]
}

/** What a conversation is at. */
export type ConversationState =
  | 'begins' | 'waits-for-turn' | 'waits-for-room' | 'asks' | 'calls-tools' | 'is-checked' | 'waits-for-others' | 'waits-for-message' | 'waits-for-person' | 'waits-for-time' | 'backs-off' | 'paused'

export interface ConversationShown {
  /** Path of its task. */
  readonly task: string
  readonly attempt: number
  readonly state: ConversationState
  /** Answered, in this attempt. */
  readonly turns: number
  readonly tokens: number
  readonly costMicros: number
  /** Text from outside is in it. */
  readonly isUntrusted: boolean
}

/** What a run waits for that no process needs to live for. */
export type Wait =
  | {
      readonly kind: 'approval'
      /** Path of the task. */
      readonly task: string
      readonly question: string
      /** Whom it was passed on to when nobody answered in time; null before that. */
      readonly askedOf: string | null
      readonly sinceMs: number
      /** When it is passed on, or counts as refused; null: never. Milliseconds since 1970. */
      readonly dueMs: number | null
    }
  | { readonly kind: 'time'; readonly task: string; readonly sinceMs: number; readonly dueMs: number }

export interface TaskCounts {
  readonly total: number
  readonly done: number
  readonly failed: number
  readonly skipped: number
  readonly cancelled: number
  readonly running: number
  readonly cached: number
}

/** What models told of their answers. */
export interface ModelUsage {
  readonly tokens: number
  /** By the prices of the program's models; a model without one costs nothing here. */
  readonly costMicros: number
}

/** What the agents of a task needed, all its attempts together. */
export interface TalkUsage extends ModelUsage {
  /** Answers of models. */
  readonly turns: number
}

/** What the guard let through and refused. */
export interface CallCounts {
  readonly read: number
  readonly wrote: number
  readonly ran: number
  readonly fetched: number
  readonly refused: number
}

export interface RunSummary {
  readonly runId: string
  readonly workflow: string
  readonly program: string
  readonly planHash: string
  readonly startedAtMs: number
  readonly elapsedMs: number
  /** As it was recorded last: `running` also when its process is gone. */
  readonly status: 'running' | 'done' | 'failed' | 'stopped' | 'paused' | 'waiting'
  readonly outcome: Outcome | null
  readonly tasks: TaskCounts
  readonly calls: CallCounts
  /** Of all its agents; absent where none was asked. */
  readonly usage?: ModelUsage
  /** Of a forked or migrated run. */
  readonly origin?: RunOrigin
  /** The run that took its place: it goes on with a later version of the program. */
  readonly successor?: string
  /** What it waited for when it was recorded last; absent: nothing. At most 100. */
  readonly waits?: readonly Wait[]
}

/** A line in the log of a run. */
export interface LogLine {
  readonly atMs: number
  /** `info`: said by a tool; `warn`: an attempt that failed and is made again, or lines that are missing; `error`: a task that failed. */
  readonly level: 'info' | 'warn' | 'error'
  /** Path of the task. */
  readonly task: string
  readonly message: string
  /** Of a failure: its code, and the attempt it ended. */
  readonly code?: string
  readonly attempt?: number
  /** Of what a person said: who, and where. */
  readonly by?: string
}

/** A run as lists show it. */
export interface RecordedRun extends RunSummary {
  /** `running`: a process drives it now; `resumable`: none does, and it is not finished; `limited`: neither, and going on would stop at the same limit again; `superseded`:
   * another run took its place (see `successor`); `paused`: a person paused it; `waiting`: for a person or a time, and no process needs to live meanwhile. */
  readonly state: 'running' | 'resumable' | 'limited' | 'paused' | 'waiting' | 'superseded' | 'done' | 'failed'
  /** The process that drives it now. */
  readonly driver: { readonly pid: number; readonly hostName: string } | null
}

/** What came of a request to stop a run. */
export type StopSeen =
  | { readonly kind: 'not-running'; readonly runId: string }
  | { readonly kind: 'ended'; readonly runId: string; readonly pid: number }
  /** It did not answer, so its process and `processes` that it had started were ended from outside. */
  | { readonly kind: 'killed'; readonly runId: string; readonly pid: number; readonly processes: number }
  | { readonly kind: 'going-on'; readonly runId: string; readonly pid: number; readonly hostName: string }

export interface TaskReport {
  readonly path: string
  readonly status: TaskStatus
  readonly attempts: number
  readonly cached: boolean
  readonly startedAtMs: number | null
  readonly elapsedMs: number
  readonly outcome: Outcome | null
  readonly dependsOn: readonly string[]
  /** Of a task that an agent does; absent where no model answered. */
  readonly usage?: TalkUsage
  /** Of a task that an agent does: its key. */
  readonly agent?: string
  /** Tools that this agent called, all attempts together, in the order of their first calls; at most 100; absent: none. */
  readonly tools?: readonly ToolUse[]
  /** Of a call of an agent that is carried out as a task: what for. Its own tasks are those whose paths begin with its path. */
  readonly delegated?: Delegation
  /** Of a task that was tried again or waited: its attempts and waits, in order; at most 100. */
  readonly spans?: readonly TaskSpan[]
}

/** How often a tool was called by an agent. */
export interface ToolUse {
  readonly name: string
  readonly calls: number
  /** Of them, those that came to a failure, which the agent was told; of calls that are tasks see there. */
  readonly failed: number
}

/** What a task is to the agent that asked for it. */
export interface Delegation {
  /** Path of the task that this agent does. */
  readonly by: string
  readonly tool: string
  /** `agent`: one that it leads; `ask-lead`: a question to who leads it; `asked-call`: a call before which a person is asked. */
  readonly as: 'agent' | 'ask-lead' | 'vote' | 'asked-call' | 'workflow'
}

/** An attempt of a task, or a time in which it waited. */
export interface TaskSpan {
  /** `work`: an attempt; `approval`: for a person; `time`: for a time that the program names; `retry`: before the next attempt. */
  readonly kind: 'work' | 'approval' | 'time' | 'retry'
  /** From 1. */
  readonly attempt: number
  readonly fromMs: number
  /** Null: it has not ended. */
  readonly toMs: number | null
  /** Code of the failure in which an attempt ended. */
  readonly code?: string
}

/** What a person said to a task, or about it. */
export interface PersonSaid {
  readonly task: string
  readonly atMs: number
  readonly verdict: 'approved' | 'refused' | 'cancelled'
  /** Who, and where: `terminal`, `--yes`, `tek approve`. */
  readonly by: string
  readonly note?: string
}

/** A time in which a process drove the run. */
export interface RunSession {
  readonly fromMs: number
  /** The last event of it. */
  readonly toMs: number
  /** `finished`, why it stopped, or `broken-off`: it was killed, or goes on. */
  readonly end: 'finished' | 'broken-off' | StopCause
}

/** An entry of the audit log. */
export interface AuditEntryShown {
  readonly seq: number
  readonly runId: string
  readonly atMs: number
  /** `decision`, `outcome`, `secret-used`, `model-answered`, `permit`, `stopped`, `answered`, `cancelled` or `steered`. */
  readonly kind: string
  readonly task: string
  readonly call: string
  /** The grant, the name of the secret, the model, what was permitted, who stopped it or gave it up, the question. */
  readonly what: string
  readonly verdict: string
}

/** Everything `tek show` prints. */
export interface RunReport {
  readonly summary: RunSummary
  /** Where the run's entries in the audit log lie; between them there may be other runs'. Null where there are none. */
  readonly audit?: { readonly first: number; readonly last: number; readonly entries: number } | null
  readonly tasks: readonly TaskReport[]
  /** What people said to its tasks, in order. */
  readonly said?: readonly PersonSaid[]
  /** The processes that drove it, one after the other. */
  readonly sessions?: readonly RunSession[]
}

/** Where a replay and its record part. */
export interface ReplayDifference {
  /** Path of the task. */
  readonly task: string
  /** `body`, `when`, `list`, … of it; `result` of the run. */
  readonly part: string
  /** What was recorded and what came now; null where nothing did. */
  readonly recorded: Outcome | null
  readonly replayed: Outcome | null
  readonly words: string
}

export interface Replay {
  readonly runId: string
  /** Values compared. */
  readonly values: number
  /** Calls whose recorded outcomes were fed back. */
  readonly calls: number
  /** Hash over all values that were compared, in order. */
  readonly hash: string
  /** Null: all the same. */
  readonly difference: ReplayDifference | null
  /** How the run stood there; null without `to`. */
  readonly state: RunReport | null
}
