// Ticks: which tick of a clock is due, by what was handled last and since when somebody has been watching.
// Owns: late and missed ticks, clocks that are set back. Does not own: what a tick does (serve/clock-triggers.ts, loops/), calendars (cron.ts).
//   K1. Of several ticks that are due at once, only the latest begins a run.
//   K2. A tick is missed when nobody watched at its time: the process was not there, or the machine slept. `missed skip` drops it.
//   K3. A clock set back by more than SET_BACK_MS begins anew from now; ticks that fired already do not fire again (their name is known).

import { nextAfter, previousBefore } from './cron.ts'

/** A clock that is ahead of what it was by less is waited for: time servers move clocks by moments. */
export const SET_BACK_MS = 3_600_000

/** The ticks of one trigger. */
export interface Ticking {
  /** The latest at or before a time; null when there is none. Milliseconds since 1970. */
  latest(atMs: number): number | null
  /** The first after a time; null when there is none. */
  next(afterMs: number): number | null
}

/**
 * Ticks at each multiple of an interval, counted from 1970: at the same times whoever serves, and whenever it began.
 *
 * @example
 * everyTicks(600_000).next(0) // 600000
 */
export function everyTicks(intervalMs: number): Ticking {
  return { latest: atMs => Math.floor(atMs / intervalMs) * intervalMs, next: afterMs => (Math.floor(afterMs / intervalMs) + 1) * intervalMs }
}

/** Ticks of a pattern of times, by the clock of a zone. */
export function cronTicks(pattern: string, zone: string): Ticking {
  return { latest: atMs => previousBefore(pattern, zone, atMs + 1_000 - (atMs % 1_000)), next: afterMs => nextAfter(pattern, zone, afterMs) } // it counts in seconds
}

export interface DueTick {
  /** The time up to which ticks are handled then. */
  readonly handledMs: number
  /** The tick that begins a run; null: none does. */
  readonly tick: { readonly atMs: number; readonly isMissed: boolean } | null
}

/**
 * What is due.
 *
 * @param handledMs as it was recorded; null before the first look, which only begins to count.
 * @param watchingSinceMs ticks up to this time were not watched.
 */
export function dueTick(ticking: Ticking, missed: 'run' | 'skip', handledMs: number | null, watchingSinceMs: number, nowMs: number): DueTick {
  if (handledMs === null || handledMs - nowMs > SET_BACK_MS) return { handledMs: nowMs, tick: null } // K3
  const latest = ticking.latest(nowMs)
  if (latest === null || latest <= handledMs) return { handledMs, tick: null }
  const isMissed = latest <= watchingSinceMs
  return { handledMs: latest, tick: isMissed && missed === 'skip' ? null : { atMs: latest, isMissed } } // K1 K2
}
