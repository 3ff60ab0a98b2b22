// Evidence: what the record of a run tells beyond its report: attempts, waits, answers of people, calls with their keys, what each task was made from.
// Owns: one fold of the events, through the engine. Does not own: the report of a task (report.ts), where it is written (history/export.ts).
//   E1. Everything is derived from plan and events; nothing is recorded for it.
//   E2. What is kept of a task in the fold is bounded: MAX_SPANS, MAX_KEPT_CALLS. Details are gathered only of tasks that were asked for.
import type { Outcome, Part, RunEvent, TaskId } from '#model/event.ts'
import type { Plan } from '#model/plan.ts'
import type { PersonSaid, RunReport, RunSession, TaskSpan } from '#model/report.ts'
import type { Value } from '#model/type.ts'
import { idempotencyKey } from './effects/idempotency-key.ts'
import { hashOf, keyCode, keyInputs } from './effects/key-parts.ts'
import { pathOf } from './engine/path.ts'
import { partsOfTimer } from './engine/protocol.ts'
import { isCarriedOutInside } from './engine/talks.ts'
import { initialState, type State } from './engine/state.ts'
import { isOver, phase } from './engine/tasks.ts'
import { timeoutOf } from './engine/timeout.ts'
import { transition } from './engine/transition.ts'
import { unbounded } from './find-task.ts'
import { showStandIns } from './secrets/stand-in.ts'

/** Attempts and waits of one task that are told. */
const MAX_SPANS = 100
/** Calls of one task that are told. */
const MAX_KEPT_CALLS = 1_000
/** What people said, and sessions, of one run. */
const MAX_SAID = 10_000

/** A call of a tool. */
export interface CallEvidence {
  readonly attempt: number
  readonly part: Part
  readonly call: number
  readonly name: string
  readonly startedAtMs: number
  readonly elapsedMs: number | null
  /** Null: it was under way when the record ends, or when its process did. */
  readonly outcome: Outcome | null
  /** Null for a call that a fork took over: the key was of the run it comes from; and for one that is carried out inside the run. */
  readonly idempotencyKey: string | null
  /** It is carried out inside the run: as a task whose path ends in its number and name, or as a message. What came of it is told there. */
  readonly isInside?: true
}

/** What a task was made from, and how. */
export interface TaskDetails {
  /** Values it waited for, by the task they come from. */
  readonly inputs: readonly { readonly task: string; readonly sha256: string }[]
  /** Of an item of a `for`. */
  readonly item: { readonly index: number; readonly sha256: string } | null
  /** Each end of its body, in order: what was tried again, what a `verify` compared. */
  readonly outcomes: readonly { readonly attempt: number; readonly atMs: number; readonly elapsedMs: number; readonly outcome: Outcome }[]
  readonly calls: readonly CallEvidence[]
  readonly cache: { readonly key: string; readonly hit: boolean; readonly madeAtMs: number | null; readonly parts: readonly { readonly part: string; readonly sha256: string }[] } | null
}

export interface Evidence {
  /** As the record leaves it. */
  readonly state: State
  readonly spans: ReadonlyMap<TaskId, readonly TaskSpan[]>
  readonly said: readonly PersonSaid[]
  readonly sessions: readonly RunSession[]
  readonly details: ReadonlyMap<TaskId, TaskDetails>
}

/** Folds the events of a run; details are gathered of the tasks that are wanted. */
export function gatherEvidence(plan: Plan, events: Iterable<RunEvent>, isWanted: (task: TaskId) => boolean = () => false): Evidence {
  const gathering = new Gathering(plan, isWanted)
  for (const event of events) gathering.add(event)
  return gathering
}

/** Numbers of the tasks of a run in the order of its report. */
export function reportedTasks(state: State): TaskId[] {
  const found: TaskId[] = []
  for (let task = 1; task < state.tasks.size; task++) if (state.nodeOf(task).kind === 'task') found.push(task)
  return found
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }
type Details = { -readonly [Key in keyof TaskDetails]: TaskDetails[Key] extends readonly (infer Item)[] ? Mutable<Item>[] : TaskDetails[Key] }
type Call = Extract<RunEvent, { kind: 'call-started' | 'call-finished' }>

class Gathering implements Evidence {
  readonly state: State
  readonly spans = new Map<TaskId, Mutable<TaskSpan>[]>()
  readonly said: PersonSaid[] = []
  readonly sessions: Mutable<RunSession>[] = []
  readonly details = new Map<TaskId, Details>()
  private readonly isWanted: (task: TaskId) => boolean
  /** The last thing that was heard of a task that has not ended: where its next attempt may begin. */
  private readonly open = new Map<TaskId, Mutable<TaskSpan>>()
  private readonly hashes = new Map<TaskId, string>()
  /** When the attempts under way that agents do began. */
  private readonly talksBegan = new Map<TaskId, number>()
  private startedAtMs = 0

  constructor(plan: Plan, isWanted: (task: TaskId) => boolean) {
    this.state = initialState(plan, unbounded)
    this.isWanted = isWanted
  }

  add(event: RunEvent): void {
    const { state } = this
    this.session(event)
    const task = taskOf(event)
    const isKnown = task !== null && task < state.tasks.size
    if (isKnown && task > 0 && this.isWanted(task)) this.detail(task, event)
    const attempt = isKnown ? state.tasks.attempt[task]! : 0
    const wasOver = isKnown && isOver(state.tasks.phase[task]!)
    const talk = task === null ? undefined : state.talks.get(task)
    if (task !== null && talk !== undefined && event.kind === 'evaluated' && event.part === 'prompt') this.talksBegan.set(task, event.atMs - event.elapsedMs)
    transition(state, event)
    if (isKnown && task > 0 && !wasOver) this.span(task, attempt, event)
    if (task !== null && talk !== undefined && talk.end !== null && state.talks.get(task) !== talk) this.talkEnded(task, attempt, event.atMs, talk.end)
  }

  /** An attempt that an agent does has no event of its own for its end. */
  private talkEnded(task: TaskId, attempt: number, atMs: number, outcome: Outcome): void {
    const fromMs = this.talksBegan.get(task) ?? atMs
    const span: Mutable<TaskSpan> = { kind: 'work', attempt, fromMs, toMs: atMs, ...(outcome.kind === 'failure' ? { code: outcome.failure.code } : {}) }
    const waiting = this.open.get(task)
    const spans = this.spans.get(task)
    if (waiting !== undefined && spans !== undefined && spans.at(-1) === waiting) spans.splice(-1, 1, span, waiting) // the wait before the next attempt comes after it
    else this.push(task, span)
    if (!this.isWanted(task)) return
    const { outcomes } = this.detailsOf(task)
    if (outcomes.length < MAX_SPANS) outcomes.push({ attempt, atMs, elapsedMs: atMs - fromMs, outcome })
  }

  private session(event: RunEvent): void {
    const { sessions } = this
    const { atMs } = event
    const last = sessions.at(-1)
    if (event.kind === 'run-started' || event.kind === 'run-resumed') {
      if (event.kind === 'run-started') this.startedAtMs = atMs
      if (sessions.length < MAX_SAID) sessions.push({ fromMs: atMs, toMs: atMs, end: 'broken-off' })
      return
    }
    if (last === undefined) return
    if (atMs > last.toMs) last.toMs = atMs
    if (event.kind === 'stop-requested' && last.end === 'broken-off') last.end = event.reason
    if (event.kind === 'run-finished') last.end = 'finished'
    if (event.kind === 'answered' || event.kind === 'task-cancelled') this.people(event)
  }

  private people(event: Extract<RunEvent, { kind: 'answered' | 'task-cancelled' }>): void {
    const { state } = this
    if (event.task >= state.tasks.size || this.said.length >= MAX_SAID) return
    const note = event.kind === 'answered' ? event.note : undefined
    this.said.push({
      task: pathOf(state, event.task), atMs: event.atMs, verdict: event.kind === 'answered' ? event.verdict : 'cancelled', by: event.by, ...(note === undefined ? {} : { note }),
    })
  }

  /** The state has taken the event. */
  private span(task: TaskId, attempt: number, event: RunEvent): void {
    const { state } = this
    const now = state.tasks.phase[task]!
    const waiting = this.open.get(task)
    if (waiting !== undefined && (event.kind !== 'timer-fired' || isOver(now) || waiting.kind !== 'approval')) { // a question that is passed on is still the same wait
      waiting.toMs = event.kind === 'evaluated' ? Math.max(waiting.fromMs, event.atMs - event.elapsedMs) : event.atMs
      this.open.delete(task)
    }
    if (event.kind === 'timer-fired' && partsOfTimer(event.timer)?.purpose === 'timeout') {
      const began = this.spans.get(task)?.at(-1)?.toMs ?? this.startedAtMs
      this.push(task, { kind: 'work', attempt, fromMs: Math.max(began, event.atMs - (timeoutOf(state, task) ?? 0)), toMs: event.atMs, code: 'run/timed-out' })
    }
    if (event.kind === 'evaluated') {
      const { part, outcome, atMs, elapsedMs } = event
      if (part === 'body') this.push(task, { kind: 'work', attempt, fromMs: atMs - elapsedMs, toMs: atMs, ...(outcome.kind === 'failure' ? { code: outcome.failure.code } : {}) })
      if ((part === 'approve' || part === 'wait') && outcome.kind === 'value' && !isOver(now)) this.wait(task, { kind: part === 'approve' ? 'approval' : 'time', attempt, fromMs: atMs, toMs: null })
    }
    if (now === phase.backoff && !this.open.has(task)) this.wait(task, { kind: 'retry', attempt: state.tasks.attempt[task]!, fromMs: event.atMs, toMs: null })
  }

  private wait(task: TaskId, span: Mutable<TaskSpan>): void {
    this.open.set(task, span)
    this.push(task, span)
  }

  private push(task: TaskId, span: Mutable<TaskSpan>): void {
    const spans = this.spans.get(task)
    if (spans === undefined) this.spans.set(task, [span])
    else if (spans.length < MAX_SPANS) spans.push(span) // E2
  }

  /** Before the state takes the event: what the task mentions is still there. */
  private detail(task: TaskId, event: RunEvent): void {
    const { state } = this
    if (event.kind === 'call-started' || event.kind === 'call-finished') return this.call(this.detailsOf(task), task, event)
    if (event.kind === 'cache-answered') {
      const by = state.held.get(task)
      const parts = [...keyCode(state, task), ...[...keyInputs(state, task, by)].map(([part, value]): [string, string] => [part, hashOf(value)])]
      this.detailsOf(task).cache = { key: event.key, hit: event.hit, madeAtMs: event.madeAtMs ?? null, parts: parts.map(([part, hash]) => ({ part, sha256: hash })) }
    }
    if (event.kind === 'evaluated' && event.part === 'body' && event.attempt === state.tasks.attempt[task] && !isOver(state.tasks.phase[task]!)) {
      const { attempt, atMs, elapsedMs, outcome } = event
      const { outcomes } = this.detailsOf(task)
      if (outcomes.length < MAX_SPANS) outcomes.push({ attempt, atMs, elapsedMs, outcome })
    }
    if (event.kind === 'evaluated') this.detailsOf(task)
  }

  private call({ calls }: Details, task: TaskId, event: Call): void {
    const { attempt, call, atMs } = event
    if (event.kind === 'call-finished') {
      const known = calls.findLast(each => each.attempt === attempt && each.call === call && each.outcome === null)
      if (known !== undefined) [known.outcome, known.elapsedMs] = [event.outcome, event.elapsedMs]
      return
    }
    const talk = this.state.talks.get(task)
    const part = talk?.talk === null ? (talk.prompt === null ? 'prompt' : 'role') : (partOfPhase[this.state.tasks.phase[task]!] ?? 'body')
    const again = calls.find(each => each.attempt === attempt && each.call === call && each.part === part && each.outcome === null)
    if (again !== undefined) again.startedAtMs = atMs // after a crash, with the same key
    else if (calls.length < MAX_KEPT_CALLS) { // E2
      const keyRun = event.keyRun ?? (atMs < this.startedAtMs ? null : this.state.runId)
      const isInside = talk?.talk != null && isCarriedOutInside(this.state, task, call)
      const key = keyRun === null || isInside ? null : idempotencyKey(keyRun, pathOf(this.state, task), { attempt, part, call })
      calls.push({ attempt, part, call, name: event.name, startedAtMs: atMs, elapsedMs: null, outcome: null, idempotencyKey: key, ...(isInside ? { isInside: true } : {}) })
    }
  }

  private detailsOf(task: TaskId): Details {
    const known = this.details.get(task)
    if (known !== undefined) return known
    const { state } = this
    const scope = state.scopeOf(task)
    const group = state.tasks.group[task]!
    const items = group === -1 ? undefined : state.groups.get(group)
    const inputs = state.nodeOf(task).dependsOn.filter(each => state.tasks.values[scope.base + each] !== undefined)
    const made: Details = {
      inputs: inputs.map(each => ({ task: pathOf(state, scope.base + each), sha256: this.hashOfTask(scope.base + each) })),
      item: items === undefined ? null : { index: task - items.base, sha256: hashOf(items.items[task - items.base] as Value) },
      outcomes: [], calls: [], cache: null,
    }
    this.details.set(task, made)
    return made
  }

  private hashOfTask(task: TaskId): string {
    let hash = this.hashes.get(task)
    if (hash === undefined) this.hashes.set(task, (hash = hashOf(this.state.tasks.values[task]!)))
    return hash
  }
}

const partOfPhase: Readonly<Record<number, Part>> = {
  [phase.when]: 'when', [phase.list]: 'list', [phase.width]: 'width', [phase.cacheKey]: 'cache-key', [phase.setup]: 'setup', [phase.returns]: 'returns',
  [phase.verifyKey]: 'verify-key', [phase.fallback]: 'fallback', [phase.question]: 'approve', [phase.delay]: 'wait',
}

function taskOf(event: RunEvent): TaskId | null {
  return 'task' in event ? event.task : event.kind === 'timer-fired' ? (partsOfTimer(event.timer)?.task ?? null) : null
}

/** A report with what only the evidence tells: spans of tasks that were tried again or waited, answers of people, sessions. */
export function withEvidence(report: RunReport, { state, spans, said, sessions }: Evidence): RunReport {
  const ids = reportedTasks(state)
  const tasks = report.tasks.map((task, index) => {
    const own = spans.get(ids[index]!)
    return own === undefined || (own.length === 1 && own[0]!.kind === 'work') ? task : { ...task, spans: own }
  })
  return { ...report, tasks, ...(said.length === 0 ? {} : { said: said.map(each => (each.note === undefined ? each : { ...each, note: showStandIns(each.note) })) }), sessions }
}
