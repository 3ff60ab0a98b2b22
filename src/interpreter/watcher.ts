// Watcher: tells listeners how a run goes, and keeps what its summary says.
// Owns: notices, their rate, the fraction done, durations by task. Does not own: drawing (telemetry), truth (the events).
//   W1. A notice is sent only after the events that caused it are durable.
//   W2. Progress at most every PROGRESS_INTERVAL_MS; its fraction never falls and is 1 only at the end.
//   W3. At most MAX_WAITING_NOTICES wait; logs beyond that are dropped and counted.
import type { Failure, RunEvent, TaskId } from '#model/event.ts'
import type { AgentChange, CallCounts, RunNotice, TaskCounts, TaskStatus } from '#model/report.ts'
import type { Host } from '#host/host.ts'
import { Evaluation, type PureFunctions } from '#interpreter/engine/evaluation.ts'
import { pathOf } from '#interpreter/engine/path.ts'
import { priceOf } from '#interpreter/engine/questions.ts'
import type { State } from '#interpreter/engine/state.ts'
import { costOf, tokensOf } from '#interpreter/engine/talk/talk.ts'
import { durationKeyOf, expressionOf, Names, nodeOf } from '#interpreter/engine/view.ts'
import type { Value } from '#model/type.ts'

const PROGRESS_INTERVAL_MS = 100
const MAX_WAITING_NOTICES = 200_000
/** Paths of running tasks that a notice lists. */
const MAX_SHOWN_RUNNING = 8
/** Shorter tasks do not matter to a critical path: without a mean they count as this long. */
const LEAST_DURATION_MS = 1
/** Below this much done, nothing is said about the end. */
const LEAST_FRACTION_FOR_ETA = 0.02
const MAX_LABEL_STEPS = 10_000
const MAX_LABEL_LENGTH = 200

export class Watcher {
  private readonly state: State
  private readonly host: Host
  private readonly listener: (notice: RunNotice) => void
  private readonly calls: CallCounts
  private readonly startedMs: number
  private readonly constants: ReadonlyMap<string, Value>
  private waiting: RunNotice[] = []
  /** When each task was first worked on. */
  private readonly firstBegan: number[] = []
  /** The latest time seen; kept so that a small task costs no more looks at the clock. */
  private nowMs: number
  private fraction = 0
  private lastProgressMs = 0
  private droppedLogs = 0
  readonly durations = new Map<string, { totalMs: number; count: number }>()

  constructor(state: State, host: Host, calls: CallCounts, constants: ReadonlyMap<string, Value>, listener: (notice: RunNotice) => void) {
    this.state = state
    this.host = host
    this.calls = calls
    this.constants = constants
    this.listener = listener
    this.startedMs = host.monotonic()
    this.nowMs = this.startedMs
  }

  /** A task is worked on, perhaps again. */
  began(task: TaskId, nowMs: number): void {
    this.nowMs = nowMs
    this.firstBegan[task] ??= nowMs
  }

  recorded(event: RunEvent): void {
    if (event.kind === 'timer-fired') this.nowMs = this.host.monotonic() // a time-out may end what nothing was heard of for long
    if (event.kind === 'model-asked' || event.kind === 'model-answered') return this.talked(event)
    if (event.kind !== 'evaluated' || event.part !== 'body') return
    const endMs = (this.firstBegan[event.task] ?? 0) + event.elapsedMs
    if (endMs > this.nowMs) this.nowMs = endMs
    if (event.elapsedMs < LEAST_DURATION_MS || event.outcome.kind !== 'value') return
    const key = durationKeyOf(this.state, event.task)
    if (key === null) return
    const seen = this.durations.get(key)
    if (seen === undefined) this.durations.set(key, { totalMs: event.elapsedMs, count: 1 })
    else {
      seen.totalMs += event.elapsedMs
      seen.count++
    }
  }

  changed(change: { readonly task: TaskId; readonly status: TaskStatus; readonly cached: boolean }): void {
    const { task, status } = change
    const beganMs = this.firstBegan[task]
    const failure: Failure | null = this.state.failures.size === 0 ? null : (this.state.failures.get(task) ?? null)
    this.add({
      kind: 'task', path: pathOf(this.state, task), label: this.labelOf(task), status, attempt: this.state.tasks.attempt[task]!, cached: change.cached,
      elapsedMs: beganMs === undefined ? 0 : this.nowMs - beganMs, failure,
    })
  }

  /** An agent was paused, goes on, was stopped or given up. */
  agentChanged({ agent, change }: { readonly agent: string; readonly change: AgentChange }): void {
    const why = this.state.lives.get(agent)?.givenUp ?? null
    this.add({ kind: 'agent', agent, change, failure: change === 'given-up' ? why : null })
  }

  /** A task waits for something outside: worth showing as running. */
  waits(task: TaskId): void {
    if (task === 0 || nodeOf(this.state, task)?.kind === 'let') return
    this.changed({ task, status: 'running', cached: false })
  }

  /** A model is asked, or has answered; the event is not folded yet. */
  private talked(event: Extract<RunEvent, { kind: 'model-asked' | 'model-answered' }>): void {
    const { plan, talks } = this.state
    const { task, turn } = event
    const body = nodeOf(this.state, task)?.body
    const reply = event.kind === 'model-answered' && event.outcome.kind === 'reply' ? event.outcome : null
    const model = event.kind === 'model-asked' ? event.model : (reply?.model ?? null)
    const price = reply === null ? null : priceOf(plan, reply.model)
    const last = { tokens: reply === null ? 0 : tokensOf(reply.reply.usage), costMicros: price === null ? 0 : costOf(reply!.reply.usage, price) }
    const before = talks.get(task)?.talk
    this.add({
      kind: 'model', task: pathOf(this.state, task), agent: body?.kind === 'agent' ? body.agent : '', model, turn, isAsking: event.kind === 'model-asked',
      tokens: (before?.tokens ?? 0) + last.tokens, costMicros: (before?.costMicros ?? 0) + last.costMicros,
    })
  }

  log(task: string, message: string): void {
    if (this.waiting.length >= MAX_WAITING_NOTICES) this.droppedLogs++ // W3
    else this.add({ kind: 'log', task, atMs: this.host.now(), message })
  }

  /** Everything recorded so far is durable. // W1 */
  durable(): void {
    const { waiting } = this
    if (waiting.length === 0) return
    this.waiting = []
    for (const notice of waiting) this.listener(notice)
  }

  /** Called every turn. // W2 */
  tick(running: Iterable<TaskId>): void {
    const nowMs = this.host.monotonic()
    this.nowMs = nowMs
    if (nowMs - this.lastProgressMs < PROGRESS_INTERVAL_MS) return
    this.lastProgressMs = nowMs
    this.listener(this.progress(running, nowMs))
  }

  /** The last progress notice. */
  end(isDone: boolean): void {
    this.durable()
    if (isDone) this.fraction = 1
    this.listener({ ...this.progress([], this.host.monotonic()), fraction: this.fraction, etaMs: isDone ? 0 : null })
  }

  counts(): TaskCounts {
    return { ...this.state.counts, running: this.state.schedule.running }
  }

  private progress(running: Iterable<TaskId>, nowMs: number): Extract<RunNotice, { kind: 'progress' }> {
    const tasks = this.counts()
    const over = tasks.done + tasks.failed + tasks.skipped + tasks.cancelled
    this.fraction = Math.max(this.fraction, tasks.total === 0 ? 0 : Math.min(0.999, over / tasks.total)) // W2
    const elapsedMs = nowMs - this.startedMs
    const shown: string[] = []
    for (const task of running) {
      if (shown.length >= MAX_SHOWN_RUNNING) break
      if (task !== 0) shown.push(pathOf(this.state, task))
    }
    const etaMs = this.fraction < LEAST_FRACTION_FOR_ETA ? null : Math.round((elapsedMs * (1 - this.fraction)) / this.fraction)
    return { kind: 'progress', fraction: this.fraction, etaMs, tasks, running: shown, calls: { ...this.calls } }
  }

  private add(notice: RunNotice): void {
    this.waiting.push(notice)
  }

  /** A label is for people: one that cannot be worked out at once is left away. */
  private labelOf(task: TaskId): string | null {
    const node = nodeOf(this.state, task)
    if (node === null || node.label === null) return null
    if (node.forEach !== null && this.state.tasks.group[task] === -1) return null // it is for the items, and may mention them
    const expr = expressionOf(this.state, task, 'label')!
    const options = { inlineSteps: MAX_LABEL_STEPS, maxSteps: MAX_LABEL_STEPS, pure: noFunctions, prompts: this.state.plan.prompts }
    const step = new Evaluation(expr, new Names(this.state, task, 'label', this.constants), options).start()
    return step.kind === 'done' && step.value !== null ? String(step.value).slice(0, MAX_LABEL_LENGTH) : null
  }
}

const noFunctions: PureFunctions = () => null
