// Next cycle: when the next cycle of a loop is due.
// Owns: its clocks, its rests. Does not own: whether one may begin at all (limits-left.ts).
//   N1. Without a clock a cycle follows the last one at once. With clocks the first begins at once, each further one at the next tick; of ticks that pass
//       while a cycle goes on only the last counts, and one that passed while nobody drove the loop is made up for or not, as `missed` says.
//   N2. A loop that rests begins nothing until its time has come, and, where a resource was scarce, until that is back. It looks again every LOOK_EVERY_MS.
//   N3. Every wait ends within LOOK_STOP_MS of somebody stopping the loop.
import type { Host } from '#host/host.ts'
import type { LoopSeries } from '#interpreter/journal/loops.ts'
import { scarcity } from '#interpreter/loop/health.ts'
import type { PlanLoop, PlanTrigger } from '#model/plan.ts'
import { cronTicks, dueTick, everyTicks, type Ticking } from '#schedule/ticks.ts'

/** Milliseconds of a rest that says no length itself, in a loop without a clock. */
export const REST_MS = 60_000
const LOOK_EVERY_MS = 5_000
const LOOK_STOP_MS = 200

export interface Around {
  /** Whether somebody stopped the loop. */
  isStopped(): boolean
  /** Time has passed. */
  spend(): void
  rested(): void
}

interface Clock {
  readonly ticking: Ticking
  readonly missed: 'run' | 'skip'
}

export class NextCycle {
  private readonly host: Host
  private readonly loop: PlanLoop
  private readonly around: Around
  private readonly clocks: readonly Clock[]
  private readonly sinceMs: number

  constructor(host: Host, loop: PlanLoop, around: Around) {
    this.host = host
    this.loop = loop
    this.around = around
    this.clocks = loop.triggers.flatMap(clockOf)
    this.sinceMs = host.now()
  }

  /** Up to when a rest lasts that begins now. `ms`: as the program says. */
  restUntil(ms: number | null): number {
    const nowMs = this.host.now()
    if (ms !== null) return nowMs + Math.max(0, ms)
    return this.clocks.length > 0 ? nowMs : nowMs + REST_MS
  }

  /** Waits until a cycle is due: the time up to which ticks are handled then; null when somebody stopped the loop first. */
  async due(series: LoopSeries, tell: (untilMs: number | null, reason: string) => void): Promise<number | null> {
    const { host } = this
    if (series.rest !== null && !(await this.rest(series.rest, tell))) return null
    if (this.clocks.length === 0 || series.handledMs === null) return this.around.isStopped() ? null : host.now() // N1
    let handled = series.handledMs
    for (let told = false; ; told = true) {
      if (this.around.isStopped()) return null
      const nowMs = host.now()
      const found = this.clocks.map(({ ticking, missed }) => dueTick(ticking, missed, handled, this.sinceMs, nowMs))
      if (found.some(each => each.tick !== null)) return nowMs
      handled = Math.max(handled, ...found.map(each => each.handledMs))
      const nextMs = Math.min(...this.clocks.map(({ ticking }) => ticking.next(handled) ?? Infinity))
      if (!told) tell(Number.isFinite(nextMs) ? nextMs : null, '')
      await this.wait(Math.min(LOOK_STOP_MS, Math.max(1, nextMs - nowMs)))
    }
  }

  /** False when somebody stopped the loop. // N2 */
  private async rest({ untilMs, scarce, reason }: NonNullable<LoopSeries['rest']>, tell: (untilMs: number | null, reason: string) => void): Promise<boolean> {
    const { host, loop } = this
    tell(untilMs <= host.now() ? null : untilMs, reason)
    for (let lookedMs = -Infinity; ; ) {
      if (this.around.isStopped()) return false
      const isOver = host.now() >= untilMs
      if (isOver && !scarce) break
      if (scarce && host.monotonic() - lookedMs >= LOOK_EVERY_MS) {
        lookedMs = host.monotonic()
        const usage = await host.usage?.(host.cwd)
        if (usage === undefined || scarcity(usage, loop.limits) === null) break
      }
      await this.wait(LOOK_STOP_MS)
    }
    this.around.rested()
    return true
  }

  private async wait(ms: number): Promise<void> {
    const { host } = this
    if (host.sleep !== undefined) await host.sleep(ms, new AbortController().signal)
    else await new Promise(resolve => void setTimeout(resolve, ms))
    this.around.spend()
  }
}

function clockOf(on: PlanTrigger): Clock[] {
  if (on.kind === 'every') return [{ ticking: everyTicks(on.intervalMs), missed: on.missed }]
  return on.kind === 'cron' ? [{ ticking: cronTicks(on.pattern, on.zone), missed: on.missed }] : []
}
