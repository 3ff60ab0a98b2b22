// Clock triggers: `every` and `cron`, looked at again and again.
// Owns: recording what came of each tick. Does not own: which tick is due (schedule/ticks.ts), carrying runs out (drives.ts).
//   C1. A tick's name is its time: it fires once, whoever looks and however often (journal/triggers.ts).
//   C2. While the trigger's last run goes on, also when it waits or is paused, a tick is passed over, and that is recorded.
import type { Host } from '#host/host.ts'
import { newRunId } from '#interpreter/run.ts'
import type { TriggerStore } from '#interpreter/journal/triggers.ts'
import type { PlanTrigger } from '#model/plan.ts'
import type { ServeEvent } from './event.ts'
import { dueTick, SET_BACK_MS, type Ticking } from '#schedule/ticks.ts'
import type { ServedTrigger } from './trigger.ts'

/** Two looks further apart than this: the machine slept, or stood still, and what was due meanwhile was not watched. */
export const SLEPT_MS = 60_000

export type ClockTrigger = Extract<PlanTrigger, { kind: 'every' | 'cron' }>

/** What is recorded of a clock. */
export interface ClockState {
  /** Ticks up to this time are handled. */
  readonly handledMs: number
  /** Ticks that were passed over so far, and the last of them. */
  readonly passed: number
  readonly passedMs: number | null
}

export interface Watching {
  readonly host: Host
  readonly store: TriggerStore
  readonly owner: string
  /** The run of a trigger that still goes on; null when there is none. */
  readonly goingOn: (trigger: ServedTrigger) => string | null
  readonly tell: (event: ServeEvent) => void
}

export class ClockTriggers {
  private readonly watching: Watching
  private readonly clocks: { readonly trigger: ServedTrigger<ClockTrigger>; readonly ticking: Ticking; state: ClockState | null; nextMs: number | null }[]
  private sinceMs: number
  private lookedMs: number

  constructor(watching: Watching, triggers: readonly { readonly trigger: ServedTrigger<ClockTrigger>; readonly ticking: Ticking }[]) {
    this.watching = watching
    this.sinceMs = this.lookedMs = watching.host.now()
    this.clocks = triggers.map(each => {
      const kept = watching.store.state(each.trigger.key)
      const state = kept === null ? null : (JSON.parse(kept) as ClockState)
      return { ...each, state, nextMs: state === null ? null : each.ticking.next(state.handledMs) }
    })
  }

  /** Records every tick that is due. */
  look(): void {
    const nowMs = this.watching.host.now()
    if (nowMs - this.lookedMs > SLEPT_MS) this.sinceMs = nowMs
    this.sinceMs = Math.min(this.sinceMs, nowMs) // a clock that was set back
    this.lookedMs = nowMs
    for (const clock of this.clocks) {
      if (clock.nextMs !== null && nowMs < clock.nextMs && clock.state!.handledMs - nowMs <= SET_BACK_MS) continue
      const { handledMs, tick } = dueTick(clock.ticking, clock.trigger.on.missed, clock.state?.handledMs ?? null, this.sinceMs, nowMs)
      if (clock.state !== null && handledMs === clock.state.handledMs) continue
      clock.state = this.handle(clock.trigger, { passed: 0, passedMs: null, ...clock.state, handledMs }, tick)
      clock.nextMs = clock.ticking.next(handledMs)
    }
  }

  /** When the next tick is due; null when none will be. */
  nextMs(): number | null {
    const times = this.clocks.flatMap(({ nextMs }) => nextMs ?? [])
    return times.length === 0 ? null : Math.min(...times)
  }

  /** For people: each clock with its next tick. */
  standing(): { readonly trigger: ServedTrigger; readonly nextMs: number | null; readonly passed: number }[] {
    return this.clocks.map(({ trigger, nextMs, state }) => ({ trigger, nextMs, passed: state?.passed ?? 0 }))
  }

  private handle(trigger: ServedTrigger<ClockTrigger>, state: ClockState, tick: { readonly atMs: number; readonly isMissed: boolean } | null): ClockState {
    const { host, store, owner, tell } = this.watching
    const shown = { program: trigger.program.shown, workflow: trigger.name, trigger: trigger.words }
    const goesOn = tick === null ? null : this.watching.goingOn(trigger)
    if (tick !== null && goesOn !== null) { // C2
      const passed: ClockState = { ...state, passed: state.passed + 1, passedMs: tick.atMs }
      store.record(owner, { trigger: trigger.key, state: JSON.stringify(passed) })
      tell({ kind: 'passed-over', ...shown, tickMs: tick.atMs, runId: goesOn })
      return passed
    }
    const runId = newRunId(host)
    const firing = tick === null ? {} : { firing: { runId, delivery: String(tick.atMs), atMs: host.now(), args: {} } } // C1
    const before = store.record(owner, { trigger: trigger.key, state: JSON.stringify(state), ...firing })
    if (before !== null) store.record(owner, { trigger: trigger.key, state: JSON.stringify(state) })
    else if (tick !== null) tell({ kind: 'fired', runId, ...shown, tickMs: tick.atMs, ...(tick.isMissed ? { isMissed: true } : {}) })
    return state
  }
}
