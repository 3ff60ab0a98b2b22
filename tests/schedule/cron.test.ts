// Cron: patterns, what is said of wrong ones, and the days on which clocks are put forward and back.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isZone, nextAfter, parseCron, previousBefore, zoneNames } from '../../src/schedule/cron.ts'

const at = (text: string): number => Date.parse(text)
const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString().replace('.000Z', 'Z'))

/** The times after one, each by the one before; and the same walked back. */
function walk(pattern: string, zone: string, from: string, count: number): { forth: string[]; back: string[] } {
  const forth: string[] = []
  let ms: number = at(from)
  for (let step = 0; step < count; step++) forth.push(iso((ms = nextAfter(pattern, zone, ms)!))!)
  const back: string[] = []
  ms += 1_000
  for (let step = 0; step < count; step++) back.unshift(iso((ms = previousBefore(pattern, zone, ms)!))!)
  return { forth, back }
}

describe('patterns', () => {
  it.each([
    ['0 3 * * *', '0 3 * * *'],
    ['  0   3 * * mon-fri ', '0 3 * * MON-FRI'],
    ['*/15 8-18/2 1,15 jan *', '*/15 8-18/2 1,15 JAN *'],
    ['30 0 3 * * *', '30 0 3 * * *'],
    ['0 0 * * FRI-SUN', '0 0 * * FRI-SUN'],
    ['0 0 L * *', '0 0 L * *'],
    ['0 9 * * MON#2', '0 9 * * MON#2'],
    ['0 0 * * 7', '0 0 * * 7'],
    ['0 0 29 2 *', '0 0 29 2 *'],
  ])('%s', (text, value) => expect(parseCron(text, 'Europe/Berlin')).toEqual({ value, problem: null }))

  it.each([
    ['', 'needs five fields: minute, hour, day of the month, month, weekday'],
    ['* * * *', 'needs five fields: minute, hour, day of the month, month, weekday'],
    ['@daily', 'needs five fields: minute, hour, day of the month, month, weekday'],
    ['2026-01-01T00:00:00', 'needs five fields: minute, hour, day of the month, month, weekday'],
    ['* * * * * * *', 'needs five fields: minute, hour, day of the month, month, weekday'],
    ['0 24 * * *', 'has no hour `24`: hours go from 0 to 23'],
    ['61 * * * *', 'has no minute `61`: minutes go from 0 to 59'],
    ['0 0 0 * *', 'has no day of the month `0`: days of the month go from 1 to 31'],
    ['0 0 * FOO *', 'has no month `FOO`: months go from 1 to 12, or from JAN to DEC'],
    ['0 0 * * MON#6', 'has no weekday `MON#6`: weekdays go from 0 to 7, or from SUN to SAT'],
    ['0 0 * * MON-BUN', 'has no weekday `BUN`: weekdays go from 0 to 7, or from SUN to SAT'],
    ['0 18-8 * * *', 'has a range that goes backwards: `18-8`'],
    ['*/0 * * * *', 'has no step `0` in its minutes'],
    ['5/10 * * * *', 'takes a step after `*` or after a range: `*/10`'],
    ['1,,2 * * * *', 'has no minute ``: minutes go from 0 to 59'],
    ['? * * * *', 'has no minute `?`: minutes go from 0 to 59'],
    ['0 0 15W * *', 'has no day of the month `15W`: days of the month go from 1 to 31'],
    ['0 0 30 2 *', 'never comes round'],
    ['0 0 31 4,6,9,11 *', 'never comes round'],
    [`0 ${'1,'.repeat(120)}1 * * *`, 'is longer than 200 characters'],
  ])('%s is refused', (text, problem) => expect(parseCron(text, 'UTC')).toEqual({ value: null, problem }))

  it('of any text are taken or refused, and never throw', () => {
    const item = fc.constantFrom('*', '0', '5', '31', '1-5', '*/2', '10-20/3', 'MON', 'L', 'FRI#5', '60', '-', '/', '#', 'W', '+', '?', 'JAN-MAR')
    const field = fc.array(item, { minLength: 1, maxLength: 3 }).map(items => items.join(','))
    fc.assert(fc.property(fc.oneof(fc.string(), fc.array(field, { minLength: 4, maxLength: 7 }).map(fields => fields.join(' '))), text => {
      const { value, problem } = parseCron(text, 'UTC')
      expect(value === null).toBe(problem !== null)
      if (value === null) return
      expect(parseCron(value, 'UTC').value).toBe(value)
      const next = nextAfter(value, 'UTC', at('2026-01-01T00:00:00Z'))!
      expect(next).toBeGreaterThan(at('2026-01-01T00:00:00Z'))
      expect(previousBefore(value, 'UTC', next + 1_000)).toBe(next)
    }), { numRuns: 1_000, seed: 5 })
  })
})

describe('times', () => {
  it('come strictly after and strictly before', () => {
    expect(iso(nextAfter('0 3 * * *', 'UTC', at('2026-01-01T03:00:00Z')))).toBe('2026-01-02T03:00:00Z')
    expect(iso(previousBefore('0 3 * * *', 'UTC', at('2026-01-02T03:00:00Z')))).toBe('2026-01-01T03:00:00Z')
    expect(iso(nextAfter('* * * * * *', 'UTC', at('2026-01-01T00:00:00.999Z')))).toBe('2026-01-01T00:00:01Z')
    expect(iso(previousBefore('* * * * * *', 'UTC', at('2026-01-01T00:00:00.500Z')))).toBe('2026-01-01T00:00:00Z')
  })

  it('come on either day where both are restricted', () => {
    expect(walk('0 0 13 * FRI', 'UTC', '2026-02-01T00:00:00Z', 4).forth).toEqual(['2026-02-06T00:00:00Z', '2026-02-13T00:00:00Z', '2026-02-20T00:00:00Z', '2026-02-27T00:00:00Z'])
  })

  it('of the 29th of February come in leap years', () => {
    expect(walk('0 0 29 2 *', 'UTC', '2026-01-01T00:00:00Z', 2)).toEqual({ forth: ['2028-02-29T00:00:00Z', '2032-02-29T00:00:00Z'], back: ['2028-02-29T00:00:00Z', '2032-02-29T00:00:00Z'] })
  })
})

// In Berlin clocks go from 02:00 to 03:00 on 2026-03-29, and from 03:00 back to 02:00 on 2026-10-25; in New York on 2026-03-08 and 2026-11-01.
describe.each([
  ['a clock put forward: a named time in the gap comes right after it', '30 2 * * *', 'Europe/Berlin', '2026-03-28T00:00:00Z', ['2026-03-28T01:30:00Z', '2026-03-29T01:00:00Z', '2026-03-30T00:30:00Z']],
  ['a clock put forward: of several named times too', '30 2,14 * * *', 'Europe/Berlin', '2026-03-28T20:00:00Z', ['2026-03-29T01:00:00Z', '2026-03-29T12:30:00Z', '2026-03-30T00:30:00Z']],
  ['a clock put forward: what repeats leaves the gap out', '*/30 * * * *', 'Europe/Berlin', '2026-03-29T00:00:00Z', ['2026-03-29T00:30:00Z', '2026-03-29T01:00:00Z', '2026-03-29T01:30:00Z']],
  ['a clock put forward: in another zone', '30 2 * * *', 'America/New_York', '2026-03-07T12:00:00Z', ['2026-03-08T07:00:00Z', '2026-03-09T06:30:00Z']],
  ['a clock put back: a named time comes once', '30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', ['2026-10-25T00:30:00Z', '2026-10-26T01:30:00Z', '2026-10-27T01:30:00Z']],
  ['a clock put back: what repeats goes on through the doubled hour', '*/30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', ['2026-10-25T00:00:00Z', '2026-10-25T00:30:00Z', '2026-10-25T01:00:00Z', '2026-10-25T01:30:00Z', '2026-10-26T01:00:00Z']],
  ['a clock put back: in another zone', '30 1 * * *', 'America/New_York', '2026-10-31T12:00:00Z', ['2026-11-01T05:30:00Z', '2026-11-02T06:30:00Z']],
  ['a zone without such days', '30 2 * * *', 'Asia/Kolkata', '2026-03-28T00:00:00Z', ['2026-03-28T21:00:00Z', '2026-03-29T21:00:00Z']],
])('%s', (_, pattern, zone, from, times) => {
  it('forth and back', () => expect(walk(pattern, zone, from, times.length)).toEqual({ forth: times, back: times }))
})

describe('zones', () => {
  it('are those of the IANA database', () => {
    for (const name of ['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5']) expect(isZone(name), name).toBe(true)
    for (const name of ['', 'Mars/Base', '+01:00', 'Europe', 'Europe/', '../etc', 'x'.repeat(1_000), 'UTC\0']) expect(isZone(name), name).toBe(false)
    expect(zoneNames()).toContain('Europe/Berlin')
    for (const name of zoneNames()) expect(isZone(name), name).toBe(true)
  })
})
