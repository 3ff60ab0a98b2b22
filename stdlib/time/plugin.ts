// time: the clock, dates and durations.
// Owns: the tools. A point in time is an int, milliseconds since 1970 in UTC; a duration is milliseconds. Does not own: the calendar (calendar).
import { definePlugin, pure, reads, t, ToolFailure, z } from 'tek-lang/plugin'
import { addTime, checkedTime, differenceIn, durationText, formatTime, isoWeek, localDate, offsetText, parseIso, startOfUnit, zoneOffset } from './calendar.ts'

const MAX_SLEEP_MS = 86_400_000
const MAX_PATTERN_LENGTH = 1_000

const at = t.int.describe('A point in time, milliseconds since 1970.')
const zone = z.string().default('UTC').describe('Time zone: "UTC" or an IANA name such as "Europe/Berlin".')
const unit = z.enum(['millisecond', 'second', 'minute', 'hour', 'day', 'week', 'month', 'year']).describe('The unit.')

function limitedPattern(pattern: string): string {
  if (pattern.length > MAX_PATTERN_LENGTH) throw new ToolFailure('too-long', `A pattern has at most ${MAX_PATTERN_LENGTH} characters.`)
  return pattern
}

function parsed(text: string, zone: string): number {
  const time = parseIso(text, zone)
  if (time === null) {
    throw new ToolFailure('not-a-time', `\`${text.slice(0, 100)}\` is not a date or time.`, { help: 'Write 2026-11-20, 2026-11-20T09:30 or 2026-11-20T09:30:00+01:00.' })
  }
  return checkedTime(time)
}

export default definePlugin({
  name: 'time',
  version: '1.0.0',
  doc: 'The clock, dates and durations. A point in time is an int of milliseconds since 1970; dates are in UTC unless a zone is given.',
  tools: {
    now: reads({
      doc: 'The time now. Journalled: a resumed run sees the same time.',
      input: {}, output: t.int,
      run: async (_, context) => Math.trunc(await context.now()),
    }),
    sleep: reads({
      doc: 'Waits; at most a day. Gives the time afterwards.',
      input: { duration: t.duration.describe('How long.') }, output: t.int,
      run: async ({ duration }, context) => {
        if (!(duration >= 0 && duration <= MAX_SLEEP_MS)) throw new ToolFailure('bad-duration', 'The wait must be from 0 to 1 day.')
        await context.sleep(duration)
        return Math.trunc(await context.now())
      },
    }),
    parse: pure({
      doc: 'The time that an ISO 8601 text names; without an offset it is in the zone. Fails for anything else.',
      input: { text: z.string().describe('2026-11-20, 2026-11-20T09:30, 2026-11-20T09:30:00.5+01:00.'), zone }, output: t.int,
      example: 'time.parse("1970-01-02") == 86400000',
      run: ({ text, zone }) => parsed(text, zone),
    }),
    tryParse: pure({
      doc: 'The time that an ISO 8601 text names, or null.',
      input: { text: z.string().describe('Perhaps a time.'), zone }, output: t.int.nullable(),
      example: 'time.tryParse("2026-02-30") == null',
      run: ({ text, zone }) => {
        const time = parseIso(text, zone)
        return time === null ? null : checkedTime(time)
      },
    }),
    iso: pure({
      doc: 'A time as ISO 8601 text in UTC with milliseconds (RFC 3339).',
      input: { at }, output: z.string(),
      example: 'time.iso(0) == "1970-01-01T00:00:00.000Z"',
      run: ({ at }) => new Date(checkedTime(at)).toISOString(),
    }),
    date: pure({
      doc: 'The date of a time as yyyy-MM-dd.',
      input: { at, zone }, output: z.string(),
      example: 'time.date(86400000) == "1970-01-02"',
      run: ({ at, zone }) => formatTime(at, 'yyyy-MM-dd', zone),
    }),
    format: pure({
      doc: 'A time by a pattern: yyyy yy, MMMM MMM MM M, dd d, EEEE EEE (weekday), HH H, hh h a, mm m, ss s, SSS, XXX X (offset); text between single quotes stays as it is. Names are English.',
      input: { at, pattern: z.string().describe('The pattern.'), zone }, output: z.string(),
      example: 'time.format(0, "EEE d MMM yyyy, HH:mm XXX", "Europe/Paris") == "Thu 1 Jan 1970, 01:00 +01:00"',
      run: ({ at, pattern, zone }) => formatTime(at, limitedPattern(pattern), zone),
    }),
    parts: pure({
      doc: 'The fields of a time: weekday is 1 for Monday to 7 for Sunday, week by ISO 8601, offset the duration that the zone is ahead of UTC.',
      input: { at, zone },
      output: z.object({
        year: t.int, month: t.int, day: t.int, hour: t.int, minute: t.int, second: t.int, millisecond: t.int,
        weekday: t.int, week: t.int, weekYear: t.int, dayOfYear: t.int, offset: t.duration, offsetText: z.string(),
      }),
      example: 'time.parts(time.parse("2026-11-20T09:30")).weekday == 5',
      run: ({ at, zone }) => {
        const date = localDate(at, zone)
        const offset = zoneOffset(at, zone)
        const newYear = new Date(date)
        newYear.setUTCMonth(0, 1)
        return {
          year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate(),
          hour: date.getUTCHours(), minute: date.getUTCMinutes(), second: date.getUTCSeconds(), millisecond: date.getUTCMilliseconds(),
          weekday: date.getUTCDay() || 7, ...isoWeek(date), dayOfYear: Math.round((date.getTime() - newYear.getTime()) / 86_400_000) + 1, offset, offsetText: offsetText(offset),
        }
      },
    }),
    add: pure({
      doc: 'A time moved by calendar units. A month after 31 January is the last of February; days keep the time on the zone\'s clock.',
      input: { at, amount: t.int.describe('How many; negative goes back.'), unit, zone }, output: t.int,
      example: 'time.date(time.add(time.parse("2026-01-31"), 1, "month")) == "2026-02-28"',
      run: ({ at, amount, unit, zone }) => addTime(at, amount, unit, zone),
    }),
    diff: pure({
      doc: 'Whole units from one time to another, towards zero; negative when it goes back.',
      input: { from: t.int.describe('The first time.'), to: t.int.describe('The second time.'), unit }, output: t.int,
      example: 'time.diff(time.parse("2026-01-31"), time.parse("2026-03-01"), "month") == 1',
      run: ({ from, to, unit }) => differenceIn(from, to, unit),
    }),
    startOf: pure({
      doc: 'The first moment of the unit that a time is in; weeks begin on Monday.',
      input: { at, unit, zone }, output: t.int,
      example: 'time.date(time.startOf(time.parse("2026-11-20"), "month")) == "2026-11-01"',
      run: ({ at, unit, zone }) => startOfUnit(at, unit, zone),
    }),
    durationText: pure({
      doc: 'A duration for people, in at most two units.',
      input: { duration: t.duration.describe('The duration.') }, output: z.string(),
      example: 'time.durationText(65m) == "1h 5m"',
      run: ({ duration }) => durationText(duration),
    }),
  },
})
