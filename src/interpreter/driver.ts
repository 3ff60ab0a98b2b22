// Driver: the one loop that moves a run forward.
// Owns: the order of append, transition, perform, commit. Does not own: what an event means (engine) or how work is done (effects).
//   D1. Nothing outside this process sees a consequence of an event before the event is durable: calls that write, notices and the
//       end of a run wait for the commit that holds it. Commits are made in groups. Pure work and reading need not wait:
//       losing them in a crash means doing them again.
//   D2. `transition` is the only reader of an event's meaning; it is pure.
//   D3. A command's id is made of run, task path, attempt and part: performed twice, it shows the tool the same idempotency key.
//   D4. Resume is the same loop over recorded events with effects silent; open commands are performed at the end.
//   D5. The only await on outside work is the inbox; every wait has a limit.
//   D6. A turn of the loop ends after SLICE_MS, so that timers, signals and the terminal are served. The loop paces itself by the
//       process's own clock; everything that is recorded or waited for goes by the host's.
//   D7. Kill switches are looked at before every effect, not only between turns.
//   D8. What a person asks is folded as an event and taken off the mailbox in the same commit; what fits nothing any more is taken off with a warning.
//   D9. When nothing is left but to wait, for a person or for longer than WAIT_LIVE_MS, the run stops as `waiting`: nobody needs to live for it. The mailbox
//       is looked at last thing; what comes after that is found by who looks for runs to wake, or by the next who goes on.
//   D10. A pause gives whatever is under way all the time it needs, and lets it make further calls; a second one gives it up, a stop cuts it short.
import { Fifo } from '#base/fifo.ts'
import { unreachable } from '#base/invariant.ts'
import type { RunEvent, TaskId } from '#model/event.ts'
import { openCommands } from '#interpreter/engine/open-commands.ts'
import { pathOf } from '#interpreter/engine/path.ts'
import { worthRecalling } from '#interpreter/engine/memory.ts'
import type { Command } from '#interpreter/engine/protocol.ts'
import type { State } from '#interpreter/engine/state.ts'
import { fold } from '#interpreter/engine/transition.ts'
import { Conversations } from '#interpreter/effects/conversations.ts'
import { Evaluator } from '#interpreter/effects/evaluate.ts'
import { lookUp } from '#interpreter/effects/look-up.ts'
import { nextLeftMs } from '#interpreter/engine/waiting.ts'
import { MAX_BY_LENGTH, MAX_NOTE_LENGTH, type PendingRequest, type RunLog } from '#interpreter/journal/journal.ts'
import { showStandIns } from '#interpreter/secrets/stand-in.ts'
import { fits } from './fits.ts'
import type { StopReason } from './keeper.ts'
import type { Watcher } from './watcher.ts'
import type { World } from './world.ts'

const SLICE_MS = 8
/** Events that may wait for a commit. */
const COMMIT_EVENTS = 2_048
/** Milliseconds that an event may wait for a commit. */
const COMMIT_INTERVAL_MS = 5
/** Longest wait on the inbox. */
const MAX_WAIT_MS = 500
/** Work that was given up may take this long to end. */
const CANCEL_GRACE_MS = 2_000
/** At a limit of the program, or a second pause, calls under way may take this long before they are given up. */
const STOP_GRACE_MS = 1_000
/** A wait that is over within this time is waited through, also by a process that would otherwise end. */
export const WAIT_LIVE_MS = 60_000
/** Between two looks at the wall clock while a timer runs that is due at a point in time: a machine that slept, or whose clock was set, is late by no more. */
const LOOK_AGAIN_MS = 30_000
/** Least time between two times that changed waits are told while there is other work. */
const TELL_WAITS_EVERY_MS = 200
/** Steps between two looks at the clock. */
const STEPS_A_LOOK = 16
/** Node's timers hold no more. */
const MAX_TIMER_MS = 2 ** 31 - 1

export interface DriverOptions {
  readonly state: State
  readonly log: RunLog
  readonly watcher: Watcher
  /** Asked before every turn and every wait: a reason to stop that came from outside. Throws when the run may not be gone on with. */
  readonly shouldStop: () => StopReason | null
  /** The same after a look at every kill switch now, which costs some microseconds. */
  readonly lookNow: () => StopReason | null
  /** What people asked since the last time. */
  readonly newRequests: () => readonly PendingRequest[]
  /** The same after a look into the mailbox now. */
  readonly lookForRequests: () => readonly PendingRequest[]
  /** The run was paused: what asked for that before it goes on is heard. */
  readonly wasPaused: boolean
  /** Whether it stays although nothing is left but to wait. */
  readonly waitsLive: () => boolean
  /** Answers every question with yes, as this. */
  readonly answersAs: string | null
  /** What the run waits for has changed, and that is durable. */
  readonly waitsChanged: () => void
}

/** How the run stops. */
type Manner = Pick<StopReason, 'isKill' | 'graceMs'>
const limitManner: Manner = { isKill: false, graceMs: STOP_GRACE_MS }
const pauseManner: Manner = { isKill: false, graceMs: Infinity }

export class Driver {
  private readonly options: DriverOptions
  private world!: World
  private evaluator!: Evaluator
  private conversations!: Conversations
  private readonly inbox = new Fifo<RunEvent>()
  private readonly gated: (() => void)[] = []
  private readonly timers = new Map<number, () => void>()
  private wakeUp: (() => void) | null = null
  private lastCommitMs = 0
  private stopSeenMs: number | null = null
  private resumedMs = 0
  private heeded: StopReason | null = null
  private manner: Manner = limitManner
  private toldWaits = 0
  private toldWaitsMs = 0

  constructor(options: DriverOptions) {
    this.options = options
  }

  /** Joins the loop with its effects; to be called once, before `run`. */
  connect(world: World): void {
    const onWaiting = (task: TaskId): void => this.options.watcher.waits(task)
    this.world = world
    this.evaluator = new Evaluator(world, onWaiting, () => this.conversations.underWay.size)
    this.conversations = new Conversations(world, onWaiting, { reached: limit => this.evaluator.reachLimit(limit), lookAgain: () => this.evaluator.stopAtLimit() })
  }

  emit(event: RunEvent): void {
    this.inbox.push(event)
    this.wake()
  }

  wake(): void {
    this.wakeUp?.()
  }

  whenDurable(work: () => void): void {
    this.gated.push(work)
  }

  /** Begins a run whose first event is recorded already. */
  start(begun: RunEvent): void {
    fold(this.options.state, begun)
  }

  /** Takes up a run from its recorded events. // D4 */
  resume(events: Iterable<RunEvent>): void {
    const { state } = this.options
    for (const event of events) {
      fold(state, event)
      state.out.clear()
      state.kept.length = 0
    }
    if (state.isFinished) return
    this.resumedMs = this.world.host.now()
    this.record({ kind: 'run-resumed', atMs: this.resumedMs })
    state.out.clear() // all that is open is found anew
    for (const command of openCommands(state, this.resumedMs)) state.out.push(command)
  }

  /** Moves the run forward until it is finished, or stopped with nothing left under way. */
  async run(): Promise<void> {
    try {
      while (!this.isOver()) {
        this.heedStop()
        this.heedRequests(this.options.newRequests())
        const isIdle = this.turn()
        if (isIdle) this.leaveIfUseless()
        this.commitIfDue(isIdle)
        if (this.isOver()) break
        await (isIdle ? this.wait() : nextTurn())
      }
      this.commit()
      await this.settleCancelled()
    } finally {
      for (const clear of this.timers.values()) clear()
      this.cancelAll()
    }
  }

  /** Works for at most SLICE_MS; true when there is nothing to do but wait. // D6 */
  private turn(): boolean {
    const endMs = performance.now() + SLICE_MS
    const { out } = this.options.state
    this.takeInbox()
    for (let step = 1; ; step++) {
      const command = out.take()
      if (command === undefined) return true
      this.perform(command)
      this.takeInbox() // before a commit: what waits for it may be of these events
      if (step % STEPS_A_LOOK === 0 && performance.now() >= endMs) return false
    }
  }

  private takeInbox(): void {
    while (this.inbox.size > 0) this.record(this.inbox.take()!)
  }

  private record(event: RunEvent): void {
    if (this.options.state.isFinished) return
    this.options.log.append(event) // D1
    this.options.watcher.recorded(event)
    fold(this.options.state, event) // D2
    this.keepThreads()
  }

  /** What agents are to remember is written with the event by which it came to that. */
  private keepThreads(): void {
    const { state, log } = this.options
    if (state.kept.length === 0) return
    const { secrets } = this.world
    const plain = (text: string): string => showStandIns(secrets.redactText(text))
    for (const { entry, ...kept } of state.kept.splice(0)) log.keep({ ...kept, entry: { ...entry, prompt: entry.prompt === null ? null : plain(entry.prompt), between: plain(entry.between), answer: plain(entry.answer) } })
  }

  private perform(command: Command): void {
    const { world, evaluator } = this
    switch (command.kind) {
      case 'evaluate':
        if (this.options.state.isStopping) return
        return evaluator.start(command.task, command.attempt, command.part)
      case 'look-up':
        return lookUp(world, command.task, command.by)
      case 'remember':
        return world.journal.remember(command.key, command.value, world.host.now())
      case 'set-timer':
        return this.setTimer(command.timer, command.ms, command.dueMs)
      case 'clear-timer':
        this.timers.get(command.timer)?.()
        this.timers.delete(command.timer)
        return
      case 'ask-model':
        return this.conversations.ask(command.task, command.attempt, command.turn)
      case 'recall':
        return this.recall(command)
      case 'call-for-agent':
        return this.conversations.call(command.task, command.attempt, command.call)
      case 'cancel':
        this.conversations.cancel(command.task, command.attempt)
        return evaluator.cancel(command.task, command.attempt)
      case 'stop':
        return this.record({ kind: 'stop-requested', atMs: world.host.now(), reason: 'limit', detail: command.detail, ...(command.isFinal ? { isFinal: true } : {}) })
      case 'finish':
        return this.record({ kind: 'run-finished', atMs: world.host.now(), outcome: command.outcome })
      case 'ask':
        if (this.options.answersAs !== null && !this.options.state.isStopping) this.answer(command.task, command.attempt, 'approved', this.options.answersAs)
        return
      case 'changed':
        return this.options.watcher.changed(command)
      case 'agent-changed':
        return this.options.watcher.agentChanged(command)
      default:
        unreachable(command)
    }
  }

  /** Reads a thread, once everything is written that this run has added to it so far. */
  private recall({ task, attempt, thread }: Extract<Command, { kind: 'recall' }>): void {
    const { world } = this
    this.whenDurable(() => {
      const agent = world.state.talks.get(task)?.agent
      if (agent === undefined) return // given up since
      this.emit({ kind: 'recalled', atMs: world.host.now(), task, attempt, entries: worthRecalling(world.journal.threads.entries(thread), agent) })
    })
  }

  /** Whether an attempt under way may make a call. // D10 */
  mayBegin(): boolean {
    return !this.options.state.isStopping || this.manner === pauseManner
  }

  /** Whether the world may be touched now. // D7 */
  mayAct(): boolean {
    const isKilled = (this.options.state.isStopping && this.manner.isKill) || this.options.lookNow()?.isKill === true
    if (isKilled) this.wake()
    return !isKilled
  }

  private setTimer(timer: number, ms: number, dueMs?: number): void {
    this.timers.get(timer)?.()
    const stepMs = dueMs === undefined ? MAX_TIMER_MS : LOOK_AGAIN_MS
    if (ms > stepMs) {
      this.timers.set(timer, this.world.timers.set(stepMs, () => {
        const leftMs = ms - stepMs
        this.setTimer(timer, dueMs === undefined ? leftMs : Math.min(leftMs, Math.max(0, dueMs - this.world.host.now())), dueMs)
      }))
      return
    }
    this.timers.set(timer, this.world.timers.set(ms, () => {
      this.timers.delete(timer)
      this.emit({ kind: 'timer-fired', atMs: this.world.host.now(), timer })
    }))
  }

  private commitIfDue(isIdle: boolean): void {
    const { log, watcher } = this.options
    const nowMs = performance.now()
    const isDue = this.gated.length > 0 || log.uncommitted >= COMMIT_EVENTS || nowMs - this.lastCommitMs >= COMMIT_INTERVAL_MS || (isIdle && this.isOver())
    if (isDue && (log.uncommitted > 0 || this.gated.length > 0)) this.commit()
    this.tellWaits(isIdle)
    watcher.tick(this.running())
  }

  /** Tasks that wait for something outside. */
  private *running(): Generator<TaskId> {
    yield* this.evaluator.underWay.keys()
    yield* this.conversations.underWay.keys()
  }

  private get underWay(): number {
    return this.evaluator.underWay.size + this.conversations.underWay.size
  }

  private cancelAll(): void {
    this.evaluator.cancelAll()
    this.conversations.cancelAll()
  }

  private tellWaits(isIdle: boolean): void {
    const { state, log, waitsChanged } = this.options
    if (state.waitsVersion === this.toldWaits || log.uncommitted > 0) return
    const nowMs = performance.now()
    if (!isIdle && nowMs - this.toldWaitsMs < TELL_WAITS_EVERY_MS) return
    this.toldWaits = state.waitsVersion
    this.toldWaitsMs = nowMs
    waitsChanged()
  }

  private commit(): void {
    this.options.log.commit() // D1
    this.lastCommitMs = performance.now()
    const gated = this.gated.splice(0)
    for (const work of gated) work()
    this.options.watcher.durable()
  }

  /** Waits for the inbox, a due commit, or MAX_WAIT_MS. // D5 */
  private async wait(): Promise<void> {
    this.heedStop()
    if (this.inbox.size > 0 || this.options.state.out.size > 0) return
    const ms = this.options.log.uncommitted > 0 ? COMMIT_INTERVAL_MS : this.options.state.isStopping && this.manner !== pauseManner ? COMMIT_INTERVAL_MS * 4 : MAX_WAIT_MS
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, ms)
      this.wakeUp = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.wakeUp = null
  }

  private heedStop(): void {
    const stop = this.options.shouldStop()
    if (stop === null || (this.heeded !== null && (this.heeded.isKill || !stop.isKill))) return
    this.heeded = stop
    this.world.audit.record({ kind: 'stopped', by: stop.reason === 'interrupt' ? 'an interrupt' : stop.detail })
    this.stopAs(stop)
    const { state } = this.options
    if (!state.isStopping || state.stop?.reason === 'pause') this.emit({ kind: 'stop-requested', atMs: this.world.host.now(), reason: stop.reason, detail: stop.detail })
  }

  private stopAs(manner: Manner): void {
    this.manner = manner
    this.stopSeenMs = null
  }

  private heedRequests(requests: readonly PendingRequest[]): void {
    for (const request of requests) {
      this.takeInbox()
      if (this.heeded === null) this.heedRequest(request) // else it waits for who goes on
    }
  }

  /** D8. */
  private heedRequest(pending: PendingRequest): void {
    const { state, log } = this.options
    const { host, audit } = this.world
    const { request } = pending
    log.took(pending)
    if (request.kind === 'unreadable') return this.warn(state.workflow, 'what was asked of this run cannot be read: a newer tek asked it, or it was damaged')
    const fit = fits(state, request)
    if ('code' in fit) return this.warn('task' in request ? request.task : state.workflow, `what a person asked for (${request.kind}) came to nothing: ${fit.message}`)
    switch (request.kind) {
      case 'pause':
        return this.pause(pending.atMs)
      case 'cancel':
        audit.record({ kind: 'cancelled', task: request.task, by: request.by })
        return this.record({ kind: 'task-cancelled', atMs: host.now(), task: fit.task, by: request.by.slice(0, MAX_BY_LENGTH) })
      case 'steer':
        audit.record({ kind: 'steered', agent: request.agent, does: request.does, by: request.by })
        return this.record({ kind: 'agent-steered', atMs: host.now(), agent: request.agent, does: request.does, by: request.by.slice(0, MAX_BY_LENGTH) })
      case 'answer':
        return this.answer(fit.task, state.tasks.attempt[fit.task]!, request.verdict, request.by, request.note)
      default:
        unreachable(request)
    }
  }

  private warn(task: string, message: string): void {
    this.options.watcher.log(task, message)
    this.options.log.say({ atMs: this.world.host.now(), level: 'warn', task, message })
  }

  /** D10. */
  private pause(askedMs: number): void {
    const { state, wasPaused } = this.options
    if (wasPaused && askedMs <= this.resumedMs) return
    if (state.isStopping) return this.stopAs(limitManner)
    this.stopAs(pauseManner)
    this.record({ kind: 'stop-requested', atMs: this.world.host.now(), reason: 'pause', detail: '`tek pause`' })
  }

  private answer(task: TaskId, attempt: number, verdict: 'approved' | 'refused', by: string, note?: string): void {
    const { state } = this.options
    const waiting = state.waits.get(task)
    if (waiting === undefined) return // it was given up since
    this.world.audit.record({ kind: 'answered', task: pathOf(state, task), question: showStandIns(waiting.question ?? ''), verdict, by })
    this.record({ kind: 'answered', atMs: this.world.host.now(), task, attempt, verdict, by: by.slice(0, MAX_BY_LENGTH), ...(note === undefined ? {} : { note: note.slice(0, MAX_NOTE_LENGTH) }) })
  }

  /** D9. */
  private leaveIfUseless(): void {
    const { state, waitsLive, lookForRequests } = this.options
    if (!this.onlyWaits()) return
    const leftMs = nextLeftMs(state, this.world.host.now())
    if ((leftMs !== null && leftMs <= WAIT_LIVE_MS) || waitsLive()) return
    this.heedRequests(lookForRequests())
    if (!this.onlyWaits()) return
    this.stopAs({ isKill: false, graceMs: 0 })
    this.record({ kind: 'stop-requested', atMs: this.world.host.now(), reason: 'waiting', detail: '' })
  }

  private onlyWaits(): boolean {
    const { state } = this.options
    return state.waits.size > 0 && !state.isStopping && this.underWay === 0 && this.gated.length === 0 && this.inbox.size === 0 && state.out.size === 0
  }

  private isOver(): boolean {
    const { state } = this.options
    if (state.isFinished) return true
    if (!state.isStopping) return false
    this.stopSeenMs ??= performance.now()
    if (this.underWay === 0 && this.inbox.size === 0) return true
    if (performance.now() - this.stopSeenMs > this.manner.graceMs) this.cancelAll()
    return false
  }

  /** Gives work that was given up a moment to end, so that no child outlives the run. */
  private async settleCancelled(): Promise<void> {
    this.cancelAll()
    const endMs = performance.now() + CANCEL_GRACE_MS
    while (this.evaluator.outstanding + this.conversations.outstanding > 0 && performance.now() < endMs) {
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, MAX_WAIT_MS / 10)
        this.wakeUp = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }
}

function nextTurn(): Promise<void> {
  return new Promise(resolve => void setImmediate(resolve))
}
