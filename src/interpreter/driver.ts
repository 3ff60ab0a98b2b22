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
import { unreachable } from '#base/invariant.ts'
import type { RunEvent } from '#model/event.ts'
import { openCommands } from '#interpreter/engine/open-commands.ts'
import type { Command } from '#interpreter/engine/protocol.ts'
import type { State } from '#interpreter/engine/state.ts'
import { transition } from '#interpreter/engine/transition.ts'
import type { Evaluator } from '#interpreter/effects/evaluate.ts'
import { lookUp } from '#interpreter/effects/look-up.ts'
import type { RunLog } from '#interpreter/journal/journal.ts'
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
/** After a request to stop, calls under way may take this long before they are given up: together with what a program is given to end
 * after a signal, within two seconds. */
const STOP_GRACE_MS = 1_000
/** The same where a kill switch asked. */
const KILL_GRACE_MS = 250
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
}

export class Driver {
  private readonly options: DriverOptions
  private world!: World
  private evaluator!: Evaluator
  private inbox: RunEvent[] = []
  private commands: Command[] = []
  private readonly gated: (() => void)[] = []
  private readonly timers = new Map<number, () => void>()
  private wakeUp: (() => void) | null = null
  private lastCommitMs = 0
  private stopSeenMs: number | null = null
  private isStopHeeded = false

  constructor(options: DriverOptions) {
    this.options = options
  }

  /** Joins the loop with its effects; to be called once, before `run`. */
  connect(world: World, evaluator: Evaluator): void {
    this.world = world
    this.evaluator = evaluator
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
    this.commands = transition(this.options.state, begun).slice()
  }

  /** Takes up a run from its recorded events. // D4 */
  resume(events: Iterable<RunEvent>): void {
    const { state } = this.options
    for (const event of events) transition(state, event)
    if (state.isFinished) return
    this.record({ kind: 'run-resumed', atMs: this.world.host.now() })
    this.commands = openCommands(state)
  }

  /** Moves the run forward until it is finished, or stopped with nothing left under way. */
  async run(): Promise<void> {
    try {
      while (!this.isOver()) {
        this.heedStop()
        const isIdle = this.turn()
        this.commitIfDue(isIdle)
        if (this.isOver()) break
        await (isIdle ? this.wait() : nextTurn())
      }
      this.commit()
      await this.settleCancelled()
    } finally {
      for (const clear of this.timers.values()) clear()
      this.evaluator.cancelAll()
    }
  }

  /** Works for at most SLICE_MS; true when there is nothing to do but wait. // D6 */
  private turn(): boolean {
    const endMs = performance.now() + SLICE_MS
    for (let step = 1; ; step++) {
      if (this.inbox.length > 0) this.takeInbox()
      const { commands } = this
      if (commands.length === 0) return true
      this.commands = []
      for (let i = 0; i < commands.length; i++) {
        this.perform(commands[i]!)
        if (this.inbox.length > 0) this.takeInbox()
        if (i % STEPS_A_LOOK === STEPS_A_LOOK - 1 && performance.now() >= endMs) {
          this.commands = commands.slice(i + 1).concat(this.commands)
          return false
        }
      }
      if (step % STEPS_A_LOOK === 0 && performance.now() >= endMs) return false
    }
  }

  private takeInbox(): void {
    const { inbox } = this
    if (inbox.length === 1) return this.record(inbox.pop()!) // the usual case, without a new list
    this.inbox = []
    for (const event of inbox) this.record(event)
  }

  private record(event: RunEvent): void {
    if (this.options.state.isFinished) return
    this.options.log.append(event) // D1
    this.options.watcher.recorded(event)
    const commands = transition(this.options.state, event) // D2
    for (const command of commands) this.commands.push(command)
  }

  private perform(command: Command): void {
    const { world, evaluator } = this
    switch (command.kind) {
      case 'evaluate':
        if (!this.mayBegin()) return
        return evaluator.start(command.task, command.attempt, command.part)
      case 'look-up':
        return lookUp(world, command.task, command.by)
      case 'remember':
        return world.journal.remember(command.key, command.value, world.host.now())
      case 'set-timer':
        return this.setTimer(command.timer, command.ms)
      case 'clear-timer':
        this.timers.get(command.timer)?.()
        this.timers.delete(command.timer)
        return
      case 'cancel':
        return evaluator.cancel(command.task, command.attempt)
      case 'stop':
        return this.record({ kind: 'stop-requested', atMs: world.host.now(), reason: 'limit', detail: command.detail, ...(command.isFinal ? { isFinal: true } : {}) })
      case 'finish':
        return this.record({ kind: 'run-finished', atMs: world.host.now(), outcome: command.outcome })
      case 'changed':
        return this.options.watcher.changed(command)
      default:
        unreachable(command)
    }
  }

  mayBegin(): boolean {
    return !this.options.state.isStopping
  }

  /** Whether the world may be touched now. // D7 */
  mayAct(): boolean {
    const { state, lookNow } = this.options
    const isKilled = state.isStopping ? state.stop?.reason !== 'limit' : lookNow() !== null
    if (isKilled) this.wake()
    return !isKilled
  }

  private setTimer(timer: number, ms: number): void {
    this.timers.get(timer)?.()
    if (ms > MAX_TIMER_MS) { // in steps that a timer can hold
      this.timers.set(timer, this.world.timers.set(MAX_TIMER_MS, () => this.setTimer(timer, ms - MAX_TIMER_MS)))
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
    watcher.tick(this.evaluator.underWay.keys())
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
    if (this.inbox.length > 0 || this.commands.length > 0) return
    const ms = this.options.log.uncommitted > 0 ? COMMIT_INTERVAL_MS : this.options.state.isStopping ? COMMIT_INTERVAL_MS * 4 : MAX_WAIT_MS
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
    if (stop === null || this.isStopHeeded) return
    this.isStopHeeded = true
    this.world.audit.record({ kind: 'stopped', by: stop.reason === 'interrupt' ? 'an interrupt' : stop.detail })
    if (!this.options.state.isStopping) this.emit({ kind: 'stop-requested', atMs: this.world.host.now(), ...stop })
  }

  private isOver(): boolean {
    const { state } = this.options
    if (state.isFinished) return true
    if (!state.isStopping) return false
    this.stopSeenMs ??= performance.now()
    if (this.evaluator.underWay.size === 0 && this.inbox.length === 0) return true
    const graceMs = state.stop?.reason === 'terminate' || state.stop?.reason === 'stop-file' ? KILL_GRACE_MS : STOP_GRACE_MS
    if (performance.now() - this.stopSeenMs > graceMs) this.evaluator.cancelAll()
    return false
  }

  /** Gives work that was given up a moment to end, so that no child outlives the run. */
  private async settleCancelled(): Promise<void> {
    this.evaluator.cancelAll()
    const endMs = performance.now() + CANCEL_GRACE_MS
    while (this.evaluator.outstanding > 0 && performance.now() < endMs) {
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
