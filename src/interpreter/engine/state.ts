// State: everything the engine knows of a run; the fold of its events.
// Owns: the shape of the state and its beginning. Does not own: how an event changes it (transition.ts and what it calls).
//   I1. The state depends on the plan, the events and (for order among equals only) on capacity and weights.
//   I2. It is changed in place and shared with nobody outside the engine; effects read it through view.ts.
import type { Authority, Grant } from '#model/capability.ts'
import { Fifo } from '#base/fifo.ts'
import type { Failure, Outcome, RunBounds, RunOrigin, StopCause, TaskId } from '#model/event.ts'
import type { Plan, PlanAgent, PlanNode, PlanTool } from '#model/plan.ts'
import type { TalkUsage, TaskCounts, TaskStatus } from '#model/report.ts'
import type { Value } from '#model/type.ts'
import type { KeptEntry, Remembered, ThreadEntry } from '#model/memory.ts'
import type { Budgets, Spending } from './budget.ts'
import type { Capacity, Command } from './protocol.ts'
import { type Bounds, Limiter, Schedule } from './schedule.ts'
import { Shapes, type Shape, type Weights } from './shape.ts'
import type { Letter } from './talk/letter.ts'
import type { Counted } from './talk/size.ts'
import type { CallResult, Talk, TalkStep } from './talk/talk.ts'
import { TaskTable } from './tasks.ts'

/** One level of authority: every level must allow an action. */
export interface Level {
  readonly allows: Authority
  /** What comes with a grant of a plugin, for the plugin's own code: by the grant's name. */
  readonly implied: readonly { readonly by: string; readonly grant: Grant }[]
}

/** A bound on how many tasks are begun, or calls made, beneath a workflow. */
export interface Quota {
  readonly limit: number
  readonly workflow: string
  used: number
  /** Calls that are announced and not yet recorded. Not part of the fold: nothing is announced while a record is read. */
  announced: number
  readonly parent: Quota | null
}

/** A (sub-)workflow under way. */
export interface Scope {
  readonly index: number
  /** The task it is the body of; 0 for the root. */
  readonly task: TaskId
  readonly attempt: number
  readonly shape: Shape
  /** Number of its node 0; node i is `base + i`. */
  readonly base: TaskId
  readonly params: Readonly<Record<string, Value>>
  readonly levels: readonly Level[]
  readonly limiter: Limiter | null
  readonly quota: Quota | null
  /** Of calls of tools. */
  readonly callQuota: Quota | null
  /** Of questions to models. */
  readonly budgets: Budgets
  readonly bounds: Bounds
  /** Milliseconds it may take; null = no limit of its own. */
  readonly timeMs: number | null
  /** The run's driven time when it was opened; less, once its limit of time was reached. */
  openedAtMs: number
  readonly depth: number
  /** Length of the way from the end of this workflow to the end of the run. */
  readonly tail: number
  /** Sum of the priorities of the tasks it is inside of. */
  readonly priority: number
  /** Lane of tasks without needs of their own. */
  readonly lane: number
  /** Of a desk; null: of a workflow. See delegation.ts. */
  readonly desk: Desk | null
  /** Nodes not yet over. */
  remaining: number
  isOpen: boolean
}

/** A call of a conversation that a workflow carries out. */
export interface Desk {
  /** Its number in the conversation, which is the scope's task. */
  readonly call: number
  readonly tool: PlanTool
  /** What was said to it, or by anybody at it, holds text from outside. */
  isTainted: boolean
  /** What the conversation gave it holds text from outside. */
  readonly isGivenTainted: boolean
  /** Of a question to the lead: the conversation that is asked. */
  readonly lead: TaskId | null
  /** What those at it asked the lead meanwhile. */
  readonly asked: { readonly question: string; readonly answer: string }[]
}

/** A `for` under way. */
export interface Group {
  readonly task: TaskId
  readonly base: TaskId
  readonly items: readonly Value[]
  /** Items under way at once. */
  readonly width: number
  next: number
  active: number
  over: number
}

export interface VerifyRun {
  readonly outcome: Outcome
  /** Of an agent that remembers: what is kept if this is the run that counts. */
  readonly keeping: Keeping | null
  /** Canonical JSON of what is compared; null for a failure, which agrees with nothing. */
  readonly key: string | null
}

export interface RecordedCall {
  readonly name: string
  outcome: Outcome | null
  /** The run whose id is in its key, where it is not this one. */
  readonly keyRun?: string
}

/** An attempt at a body that an agent does. */
export interface Conversation {
  /** Of the agent. */
  readonly key: string
  readonly agent: PlanAgent
  /** Key of its model. */
  readonly model: string
  /** Its own, within those of the workflows around it. */
  readonly budgets: Budgets
  /** What the agent is asked; null until that is worked out. */
  prompt: string | null
  /** What the agent is; null until that is worked out. */
  role: string | null
  /** What it is reminded of, on its way; null where nothing is looked for. */
  recalling: Recalling | null
  /** Of the agent, within those of the workflow it is asked in. */
  levels: readonly Level[]
  /** Null until its role is worked out, and what it is reminded of is there. */
  talk: Talk | null
  /** Whose turn it is: to ask, or to call. Turn 0 puts earlier conversations into few words. */
  step: Extract<TalkStep, { kind: 'ask' | 'call' }> | null
  /** Calls of tools that it made. */
  calls: number
  /** Calls that were made to see whether its answers are what was wanted. */
  ensureCalls: number
  /** Calls that workflows carry out, by their numbers. */
  readonly desks: Map<number, Scope>
  /** The call by which it waits for a message; the least order has waited longest. */
  receiving: { readonly call: number; readonly order: number } | null
  /** The most tokens that the next question can hold. */
  inputTokens: number
  /** What its model counted in its last turn. */
  counted: Counted | null
  /** The question under way. */
  open: OpenQuestion | null
  /** What the attempt came to; null before, and where it was given up. For evidence. */
  end: Outcome | null
}

/** What a tree of conversations has beside them. */
export interface Team {
  /** For agents that are not at work, by key. */
  readonly kept: Map<string, Letter[]>
  /** Who listens, by topic. */
  readonly listening: Map<string, Set<TaskId>>
}

export interface OpenQuestion {
  /** The most tokens of its answer. */
  readonly answerTokens: number
  readonly aside: Spending
  /** That it was asked is recorded. */
  isRecorded: boolean
}

/** What a conversation is reminded of, on its way. */
export interface Recalling {
  /** Of a thread; null: not known yet, or none. */
  thread: string | null
  /** Null: not there yet. Oldest first. */
  entries: readonly ThreadEntry[] | null
  /** How many of them, the oldest, are being put into few words; null: nobody was asked. */
  summing: number | null
}

/** What is kept of an attempt that has succeeded. */
export interface Keeping {
  readonly agent: string
  readonly thread: string | null
  readonly key: string
  readonly entry: Remembered
}

/** What is known of an agent. */
export interface AgentLife {
  isPaused: boolean
  /** By whom; null: it was not. */
  stoppedBy: string | null
  /** The failure after which it was given up. */
  givenUp: Failure | null
  failuresInRow: number
  lastFailure: Failure | null
  lastAnswer: string | null
  /** Conversations that came to a value, and that did not. */
  done: number
  failed: number
  turns: number
  tokens: number
  costMicros: number
}

/** What a task waits for that no process needs to live for. */
export interface Waiting {
  /** Null: for a time. */
  readonly question: string | null
  /** How often the question was passed on. */
  readonly step: number
  readonly sinceMs: number
  /** Milliseconds since 1970; null: never. */
  readonly dueMs: number | null
  /** Milliseconds from what began it to `dueMs`: it never takes longer, whatever clocks do. */
  readonly lengthMs: number
}

export class State {
  readonly tasks = new TaskTable()
  readonly scopes: Scope[] = []
  readonly groups = new Map<TaskId, Group>()
  /** Sub-workflow under way, by the task whose body it is. */
  readonly inside = new Map<TaskId, Scope>()
  readonly failures = new Map<TaskId, Failure>()
  readonly verifies = new Map<TaskId, VerifyRun[]>()
  /** Value of a run that waits for its `verify` key, or of a body that waits to be remembered. */
  readonly held = new Map<TaskId, Value>()
  readonly cacheKeys = new Map<TaskId, string>()
  readonly cached = new Set<TaskId>()
  /** Tasks that wait for a person, a time, or another attempt. */
  readonly waits = new Map<TaskId, Waiting>()
  /** Changes whenever `waits` does. */
  waitsVersion = 0
  /** Tasks that were given up before they could fail, and by whom: they fail when their turn comes. */
  readonly givenUp = new Map<TaskId, string>()
  /** Calls of attempts under way, for resuming them. */
  readonly calls = new Map<TaskId, RecordedCall[]>()
  /** Values of bodies of which is being worked out whether they are what was wanted. */
  readonly ensuring = new Map<TaskId, Value>()
  /** What becomes of the agents of this run, by their keys. */
  readonly lives = new Map<string, AgentLife>()
  /** Agents that were stopped or given up, whose tasks are to fail. */
  readonly toClose = new Fifo<string>()
  /** What agents remember within this run, by their keys. */
  readonly memories = new Map<string, readonly ThreadEntry[]>()
  /** What is to be added to threads; whoever records the events takes it after each. */
  readonly kept: KeptEntry[] = []
  /** Of tasks whose values are compared by a key: what is kept if they count. */
  readonly keeping = new Map<TaskId, Keeping>()
  /** Conversations under way. */
  readonly talks = new Map<TaskId, Conversation>()
  /** Of them, those whose turn it is to ask, until there is room in their budgets. */
  readonly toAsk = new Set<TaskId>()
  /** What models told of their answers, all attempts of a task together; of answers that were lost nothing is known. */
  readonly spent = new Map<TaskId, TalkUsage>()
  /** The same of the whole run. */
  readonly usage: { -readonly [Key in keyof Spending]: Spending[Key] } = { tokens: 0, costMicros: 0 }
  readonly lanes = new Map<PlanNode, number>()
  readonly counts: { -readonly [Key in keyof TaskCounts]: number } = { total: 0, done: 0, failed: 0, skipped: 0, cancelled: 0, running: 0, cached: 0 }
  readonly plan: Plan
  readonly shapes: Shapes
  readonly capacity: Capacity
  readonly schedule: Schedule
  /** Tasks whose sub-workflow has been opened at least once: their tasks are counted in their place. */
  readonly opened = new Set<TaskId>()
  /** Paths of workflows by scope, made when first asked for. */
  readonly prefixes: (string | undefined)[] = []
  /** Work within one transition: tasks to begin, tasks that are over, attempts that came to an end by way of other tasks. */
  readonly toBegin = new Fifo<TaskId>()
  readonly toSettle = new Fifo<TaskId>()
  readonly toEnd = new Fifo<{ readonly task: TaskId; readonly attempt: number; readonly outcome: Outcome }>()
  /** What came of calls that are carried out inside the run. */
  readonly toTell = new Fifo<{ readonly task: TaskId; readonly attempt: number; readonly call: number; readonly result: CallResult; readonly isTainted: boolean }>()
  /** Of trees of conversations in which messages were sent, by the conversation at the top. */
  readonly teams = new Map<TaskId, Team>()
  /** Conversations that wait for a message. */
  readonly receiving = new Set<TaskId>()
  /** How often a message was waited for. */
  receives = 0
  /** What is to be done, until it is taken. */
  readonly out = new Fifo<Command>()
  runId = ''
  workflow = ''
  args: Readonly<Record<string, Value>> = {}
  /** Bounds of the whole run beside the plan's. */
  within: RunBounds = {}
  /** Of a forked run: where it began again. */
  origin: RunOrigin | null = null
  /** When the event that is being folded was recorded. */
  atMs = 0
  /** Milliseconds in which a process drove the run, up to the last event. */
  drivenMs = 0
  /** False for what a fork took over: that time was the other run's. */
  isDriven = false
  isStopping = false
  /** Why it is stopping or was stopped last. */
  stop: { readonly reason: StopCause; readonly detail: string; readonly isFinal: boolean } | null = null
  /** Why, when a limit was reached and the stop is not recorded yet. */
  pendingStop: { readonly detail: string; readonly isFinal: boolean; isAskedFor: boolean } | null = null
  /** What the run came to; recorded as `run-finished`. */
  outcome: Outcome | null = null
  isFinished = false

  /** Whether any of the plan's workflows works in a folder of its own. */
  readonly hasWorkspaces: boolean

  constructor(plan: Plan, capacity: Capacity, weights: Weights) {
    this.plan = plan
    this.hasWorkspaces = Object.values(plan.workflows).some(each => each.worksIn !== undefined)
    this.capacity = capacity
    this.shapes = new Shapes(plan, weights)
    this.schedule = new Schedule(this.tasks, capacity)
  }

  scopeOf(task: TaskId): Scope {
    return this.scopes[this.tasks.scope[task]!]!
  }

  /** The node a task carries out; the task must not be the root. */
  nodeOf(task: TaskId): PlanNode {
    const scope = this.scopeOf(task)
    const group = this.tasks.group[task]!
    return scope.shape.workflow.nodes[(group === -1 ? task : group) - scope.base]!
  }

  changed(task: TaskId, status: TaskStatus, cached = false): void {
    this.out.push({ kind: 'changed', task, status, cached })
  }
}

/**
 * The state before anything has happened.
 *
 * @param capacity what this machine can bear.
 * @param weights mean durations of earlier runs, for critical paths.
 */
export function initialState(plan: Plan, capacity: Capacity, weights: Weights = {}): State {
  return new State(plan, capacity, weights)
}
