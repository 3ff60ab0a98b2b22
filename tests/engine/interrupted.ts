// Interrupted: one run on a clock of its own, driven by processes that are killed, paused, or leave when nothing is left but to wait; between them time
// passes and the wall clock is set. People answer and give tasks up by the mailbox, whether a process lives or not.
// Owns: the clocks, the mailbox, when a process ends. What the world answers is the caller's.
//   N1. Of a process that is killed only the recorded events remain; the next folds them into a state of its own.
//   N2. A timer fires exactly when its clock says so; what fires at once fires in the order in which it was asked for.
import { pathOf } from '#interpreter/engine/path.ts'
import { openCommands } from '#interpreter/engine/open-commands.ts'
import { partsOfTimer, type Capacity, type Command } from '#interpreter/engine/protocol.ts'
import { initialState, type State } from '#interpreter/engine/state.ts'
import { isOver, phase } from '#interpreter/engine/tasks.ts'
import { transition } from '#interpreter/engine/transition.ts'
import { fits } from '#interpreter/fits.ts'
import type { RunRequest } from '#interpreter/journal/journal.ts'
import type { Outcome, Part, RunEvent, TaskId } from '#model/event.ts'
import type { Plan } from '#model/plan.ts'

const MAX_STEPS = 100_000
const BEGAN_MS = Date.UTC(2026, 5, 1)

export interface Interruption {
  readonly kind: 'kill' | 'pause'
  /** Events after which it comes, counted in one process. */
  readonly afterEvents: number
}

export interface Decision {
  readonly request: RunRequest
  readonly ms: number
}

export interface InterruptedRun {
  readonly plan: Plan
  readonly capacity: Capacity
  /** Null: a body that never ends. */
  answer(state: State, task: TaskId, part: Part, attempt: number): Outcome | null
  /** Milliseconds a body takes. */
  durationMs(path: string, attempt: number): number
  /** What a person does when a task asks; and how many milliseconds later. */
  onAsk(path: string, step: number): Decision | null
  /** The same when a body begins. */
  onBegin(path: string): Decision | null
  /** The same when a workflow is opened; the path of the first is empty. */
  onOpen(path: string): readonly Decision[]
  /** What ends the process of this number, beside that nothing is left to do. */
  interruption(process: number): Interruption | null
  /** Whether a process leaves when nothing is left but to wait. */
  leaves(process: number): boolean
  /** Milliseconds until somebody goes on, and how far the wall clock is set meanwhile. */
  gap(process: number): { readonly ms: number; readonly setMs: number }
}

interface Due {
  readonly atMs: number
  readonly order: number
  readonly event: RunEvent
}

export class Interrupted {
  readonly events: RunEvent[] = []
  /** Bodies that were begun, by path and attempt. */
  readonly begun: string[] = []
  readonly violations: string[] = []
  /** Requests that could not be done any more. */
  readonly misfits: RunRequest[] = []
  processes = 0
  /** Milliseconds that processes lived, each until what it recorded last. */
  drivenMs = 0
  state!: State
  private readonly run: InterruptedRun
  private nowMs = 0
  private skewMs = 0
  private order = 0
  private due: Due[] = []
  private readonly mailbox: { readonly atMs: number; readonly request: RunRequest }[] = []
  private readonly told = new Set<string>()
  /** When each timer is to fire. */
  private readonly expected = new Map<number, number>()
  private startedMs = 0
  private recordedMs = 0

  constructor(run: InterruptedRun) {
    this.run = run
  }

  private get wallMs(): number {
    return BEGAN_MS + this.nowMs + this.skewMs
  }

  /** Lives until the run is finished. */
  live(): this {
    for (;;) {
      this.begin()
      this.drive()
      this.drivenMs += this.recordedMs - this.startedMs
      if (this.state.isFinished) return this
      const { ms, setMs } = this.run.gap(this.processes)
      this.nowMs += ms
      const isAsking = [...this.state.waits.values()].some(each => each.question !== null)
      this.skewMs += isAsking ? Math.min(0, setMs) : setMs // set forward, it would take their time from people
      this.processes++
    }
  }

  private begin(): void {
    this.startedMs = this.nowMs
    this.recordedMs = this.nowMs
    this.due = []
    this.state = initialState(this.run.plan, this.run.capacity)
    for (const event of this.events) transition(this.state, event) // N1
    const { plan } = this.run
    if (this.events.length === 0) return this.record({ kind: 'run-started', atMs: this.wallMs, runId: 'r', planHash: plan.hash, workflow: plan.entries[0]!, args: {}, tekVersion: 'test' })
    const resumed: RunEvent = { kind: 'run-resumed', atMs: this.wallMs }
    this.events.push(resumed)
    transition(this.state, resumed)
    for (const command of openCommands(this.state, this.wallMs)) this.perform(command)
  }

  private drive(): void {
    const interruption = this.run.interruption(this.processes)
    const before = this.events.length
    for (let steps = 0; steps < MAX_STEPS; steps++) {
      if (this.state.isFinished) return
      if (interruption !== null && this.events.length - before >= interruption.afterEvents) {
        if (interruption.kind === 'kill') return
        if (!this.state.isStopping) this.record({ kind: 'stop-requested', atMs: this.wallMs, reason: 'pause', detail: '' })
      }
      this.takeRequests()
      if (this.state.isStopping && !this.isAtWork()) return
      const next = this.next()
      const request = this.mailbox[0]
      if (next === undefined || (request !== undefined && request.atMs < next.atMs)) {
        if (request === undefined && next === undefined) return this.fail('nothing will ever happen')
        if (this.run.leaves(this.processes) && this.onlyWaits()) return this.record({ kind: 'stop-requested', atMs: this.wallMs, reason: 'waiting', detail: '' })
        this.nowMs = Math.max(this.nowMs, request!.atMs)
        continue
      }
      if (next.event.kind === 'timer-fired' && this.run.leaves(this.processes) && this.onlyWaits() && next.atMs > this.nowMs) {
        return this.record({ kind: 'stop-requested', atMs: this.wallMs, reason: 'waiting', detail: '' })
      }
      this.due.splice(this.due.indexOf(next), 1)
      this.nowMs = Math.max(this.nowMs, next.atMs)
      if (next.event.kind === 'timer-fired') this.checkTimer(next.event.timer)
      this.record({ ...next.event, atMs: this.wallMs })
    }
    this.fail(`more than ${MAX_STEPS} steps`)
  }

  private fail(words: string): never {
    throw new Error(`${words}, after ${this.events.length} events and ${this.processes} processes`)
  }

  private next(): Due | undefined {
    let next: Due | undefined
    for (const each of this.due) if (next === undefined || each.atMs < next.atMs || (each.atMs === next.atMs && each.order < next.order)) next = each
    return next
  }

  private isAtWork(): boolean {
    return this.due.some(each => each.event.kind === 'evaluated')
  }

  private onlyWaits(): boolean {
    return !this.isAtWork() && this.state.schedule.running === 0 && this.state.waits.size > 0 && (this.mailbox[0]?.atMs ?? Infinity) > this.nowMs
  }

  private takeRequests(): void {
    while (this.mailbox.length > 0 && this.mailbox[0]!.atMs <= this.nowMs) {
      const { request } = this.mailbox.shift()!
      const fit = fits(this.state, request)
      if ('code' in fit) {
        this.misfits.push(request)
        continue
      }
      if (request.kind === 'answer') this.record({ kind: 'answered', atMs: this.wallMs, task: fit.task, attempt: this.state.tasks.attempt[fit.task]!, verdict: request.verdict, by: request.by })
      if (request.kind === 'cancel') this.record({ kind: 'task-cancelled', atMs: this.wallMs, task: fit.task, by: request.by })
    }
  }

  /** A person decides once, however many processes ask. */
  private tell(key: string, decision: Decision | null): void {
    if (decision === null || this.told.has(key)) return
    this.told.add(key)
    this.mailbox.push({ atMs: this.nowMs + decision.ms, request: decision.request })
    this.mailbox.sort((a, b) => a.atMs - b.atMs)
  }

  private record(event: RunEvent): void {
    this.recordedMs = this.nowMs
    this.events.push(event)
    const commands = transition(this.state, event)
    for (const command of commands) this.perform(command)
    for (const { task } of this.state.inside.values()) {
      const path = task === 0 ? '' : pathOf(this.state, task)
      for (const [index, decision] of this.run.onOpen(path).entries()) this.tell(`open ${path} ${index}`, decision)
    }
    this.checkPlaces()
  }

  private perform(command: Command): void {
    const { state } = this
    switch (command.kind) {
      case 'evaluate': {
        if (state.isStopping) return
        const { task, attempt, part } = command
        const path = task === 0 ? '' : pathOf(state, task)
        if (part === 'body') {
          this.begun.push(`${path} ${attempt}`)
          this.tell(`body ${path}`, this.run.onBegin(path))
        }
        const outcome = this.run.answer(state, task, part, attempt)
        const ms = part === 'body' ? this.run.durationMs(path, attempt) : 0
        if (outcome !== null) this.later(ms, { kind: 'evaluated', atMs: 0, task, attempt, part, outcome, elapsedMs: ms })
        return
      }
      case 'look-up':
        return this.later(0, { kind: 'cache-answered', atMs: 0, task: command.task, key: 'k', value: undefined, hit: false })
      case 'set-timer':
        this.clear(command.timer)
        this.expectTimer(command.timer)
        return this.later(command.ms, { kind: 'timer-fired', atMs: 0, timer: command.timer })
      case 'clear-timer':
        return this.clear(command.timer)
      case 'cancel':
        this.due = this.due.filter(({ event }) => event.kind !== 'evaluated' || event.task !== command.task || event.attempt !== command.attempt)
        return
      case 'ask': {
        const path = pathOf(state, command.task)
        const { step } = state.waits.get(command.task)!
        return this.tell(`${path} ${step}`, this.run.onAsk(path, step))
      }
      case 'finish':
        return this.later(0, { kind: 'run-finished', atMs: 0, outcome: command.outcome })
      case 'stop':
        return this.fail('a limit stopped it')
    }
  }

  private later(ms: number, event: RunEvent): void {
    this.due.push({ atMs: this.nowMs + ms, order: this.order++, event })
  }

  private clear(timer: number): void {
    this.due = this.due.filter(({ event }) => event.kind !== 'timer-fired' || event.timer !== timer)
  }

  /** A wait is over when its time has come by the wall clock as it was seen when the wait, or this process, began; its whole length later at the latest. */
  private expectTimer(timer: number): void {
    const waiting = this.state.waits.get(partsOfTimer(timer)!.task)
    if (waiting === undefined || waiting.dueMs === null) return void this.violations.push(`the timer ${timer} is set for nothing that waits`)
    const untilMs = waiting.dueMs - this.wallMs
    this.expected.set(timer, this.nowMs + (untilMs < 0 ? 0 : untilMs > waiting.lengthMs ? waiting.lengthMs : untilMs))
  }

  private checkTimer(timer: number): void {
    if (!this.state.waits.has(partsOfTimer(timer)!.task)) this.violations.push(`the timer ${timer} fires for nothing that waits`)
    const lateMs = this.nowMs - (this.expected.get(timer) ?? Infinity)
    if (lateMs !== 0) this.violations.push(`${pathOf(this.state, partsOfTimer(timer)!.task)} is ${lateMs} ms late`)
  }

  /** Who waits holds no place but that in the width of its `for`. */
  private checkPlaces(): void {
    for (const { task, base, items, width } of this.state.groups.values()) {
      const phases = items.map((_, index) => this.state.tasks.phase[base + index]!)
      const underWay = phases.filter(at => at !== phase.waiting && at !== phase.fallback && !isOver(at)).length // those given up together end together
      if (underWay > width) this.violations.push(`${underWay} items of ${pathOf(this.state, task)} are under way, ${width} may`)
    }
    const { tasks, schedule } = this.state
    let running = 0
    for (let task = 0; task < tasks.size; task++) {
      const at = tasks.phase[task]!
      if (at === phase.body) running++
      const waits = at === phase.asking || at === phase.resting
      if (waits && tasks.held[task] !== 0) this.violations.push(`${pathOf(this.state, task)} waits and holds a place`)
      if ((waits || at === phase.backoff) !== this.state.waits.has(task)) this.violations.push(`${pathOf(this.state, task)} is not where its wait is`)
    }
    if (running !== schedule.running) this.violations.push(`${running} bodies run, ${schedule.running} places are taken`)
  }
}
