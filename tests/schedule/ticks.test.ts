// Ticks: which one is due, missed ones, zones that put their clocks forward and back, clocks that are set back.
import { expect, test } from 'vitest'
import { cronTicks, dueTick, everyTicks, type Ticking } from '#schedule/ticks.ts'

const at = (text: string): number => Date.parse(text)
const shown = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString().slice(0, 19))

/** Every tick that begins a run when somebody looks every `stepMs`, from one time to another. */
function watched(ticking: Ticking, from: string, to: string, stepMs: number): (string | null)[] {
  let handledMs: number | null = null
  const ticks: (string | null)[] = []
  for (let nowMs = at(from); nowMs <= at(to); nowMs += stepMs) {
    const due = dueTick(ticking, 'run', handledMs, at(from), nowMs)
    handledMs = due.handledMs
    if (due.tick !== null) ticks.push(shown(due.tick.atMs))
  }
  return ticks
}

test('`every` comes at each multiple of its interval, and at none before the first look', () => {
  expect(watched(everyTicks(600_000), '2026-01-01T00:04:00Z', '2026-01-01T00:35:00Z', 7_000)).toEqual(['2026-01-01T00:10:00', '2026-01-01T00:20:00', '2026-01-01T00:30:00'])
})

test('a look at the very time of a tick handles it once', () => {
  expect(watched(everyTicks(1_000), '2026-01-01T00:00:00Z', '2026-01-01T00:00:03Z', 500)).toEqual(['2026-01-01T00:00:01', '2026-01-01T00:00:02', '2026-01-01T00:00:03'])
  expect(watched(cronTicks('* * * * * *', 'UTC'), '2026-01-01T00:00:00Z', '2026-01-01T00:00:02Z', 250)).toEqual(['2026-01-01T00:00:01', '2026-01-01T00:00:02'])
})

test('a clock that is put forward: what would come within the gap comes after it', () => {
  expect(watched(cronTicks('30 2 * * *', 'Europe/Berlin'), '2026-03-28T00:00:00Z', '2026-03-30T12:00:00Z', 60_000)).toEqual(['2026-03-28T01:30:00', '2026-03-29T01:00:00', '2026-03-30T00:30:00'])
})

test('a clock that is put back: what names its time comes once, what repeats comes in both hours', () => {
  expect(watched(cronTicks('30 2 * * *', 'Europe/Berlin'), '2026-10-24T00:00:00Z', '2026-10-26T12:00:00Z', 60_000)).toEqual(['2026-10-24T00:30:00', '2026-10-25T00:30:00', '2026-10-26T01:30:00'])
  expect(watched(cronTicks('0 * * * *', 'Europe/Berlin'), '2026-10-24T23:30:00Z', '2026-10-25T02:30:00Z', 60_000)).toEqual(['2026-10-25T00:00:00', '2026-10-25T01:00:00', '2026-10-25T02:00:00'])
})

const hourly = everyTicks(3_600_000)
const nine = at('2026-01-01T09:00:00Z')

test('missed ticks: one run for all of them, or none', () => {
  const nowMs = nine + 5 * 60_000
  const before = at('2026-01-01T03:00:00Z')
  expect(dueTick(hourly, 'run', before, nowMs, nowMs)).toEqual({ handledMs: nine, tick: { atMs: nine, isMissed: true } })
  expect(dueTick(hourly, 'skip', before, nowMs, nowMs)).toEqual({ handledMs: nine, tick: null })
  expect(dueTick(hourly, 'run', nine, nowMs, nowMs)).toEqual({ handledMs: nine, tick: null })
})

test('a tick that came while somebody watched is not missed, however late the look', () => {
  expect(dueTick(hourly, 'skip', nine - 3_600_000, nine - 1, nine + 40_000)).toEqual({ handledMs: nine, tick: { atMs: nine, isMissed: false } })
})

test('a clock set back a little is waited for; far back, ticks are counted anew from there', () => {
  expect(dueTick(hourly, 'run', nine, nine - 1_000, nine - 60_000)).toEqual({ handledMs: nine, tick: null })
  const dayBefore = nine - 24 * 3_600_000
  expect(dueTick(hourly, 'run', nine, dayBefore, dayBefore)).toEqual({ handledMs: dayBefore, tick: null })
})

test('a pattern without a time to come is never due', () => {
  const over: Ticking = { latest: () => null, next: () => null }
  expect(dueTick(over, 'run', 1, 1, nine)).toEqual({ handledMs: 1, tick: null })
})
