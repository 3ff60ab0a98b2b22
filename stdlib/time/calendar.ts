// Calendar: points in time taken apart and put together, in UTC or in a named zone.
// Owns: ISO 8601 text, patterns, calendar arithmetic. A point in time is milliseconds since 1970-01-01T00:00Z; a duration is milliseconds.
//   C1. Nothing here looks at the clock or at the zone of the machine. Zones come from the IANA database inside Node; UTC needs none.
import { ToolFailure } from 'tek-lang/plugin'

const MAX_TIME_MS = 8_640_000_000_000_000

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const
const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'] as const
export type Unit = 'millisecond' | 'second' | 'minute' | 'hour' | 'day' | 'week' | 'month' | 'year'

const WEEK_MS = 604_800_000
const FIXED_MS: Readonly<Record<string, number>> = { millisecond: 1, second: 1_000, minute: 60_000, hour: 3_600_000, day: 86_400_000, week: WEEK_MS }

export function checkedTime(at: number): number {
  if (!Number.isFinite(at) || Math.abs(at) > MAX_TIME_MS) throw new ToolFailure('out-of-range', 'The time is outside of what a calendar can hold (about ±270,000 years).')
  return Math.trunc(at)
}

const zones = new Map<string, Intl.DateTimeFormat>()

function zoneFormat(zone: string): Intl.DateTimeFormat {
  const known = zones.get(zone)
  if (known !== undefined) return known
  try {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone, hourCycle: 'h23', era: 'short', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric',
    })
    if (zones.size < 1_000) zones.set(zone, format)
    return format
  } catch {
    throw new ToolFailure('no-such-zone', `\`${zone.slice(0, 100)}\` is not a time zone.`, { help: 'Use a name such as "UTC", "Europe/Berlin" or "America/New_York".' })
  }
}

/** Milliseconds that clocks in the zone are ahead of UTC at this time. */
export function zoneOffset(at: number, zone: string): number {
  if (zone === 'UTC') return 0
  const parts = new Map(zoneFormat(zone).formatToParts(at).map(part => [part.type, part.value]))
  const number = (name: Intl.DateTimeFormatPartTypes) => Number(parts.get(name) ?? 0)
  const year = parts.get('era') === 'BC' ? 1 - number('year') : number('year')
  const local = new Date(0)
  local.setUTCFullYear(year, number('month') - 1, number('day'))
  local.setUTCHours(number('hour'), number('minute'), number('second'))
  return local.getTime() - Math.floor(at / 1_000) * 1_000
}

/** A date whose UTC fields read as the clock in the zone does. */
export const localDate = (at: number, zone: string): Date => new Date(checkedTime(at) + zoneOffset(at, zone))

/** The time at which the clock in a zone shows the UTC fields of `local`; in the hour that is skipped it is the time after the gap, in the doubled one the first. */
function fromLocal(local: number, zone: string): number {
  if (zone === 'UTC') return local
  const guesses = [local - zoneOffset(local - 86_400_000, zone), local - zoneOffset(local + 86_400_000, zone)]
  const exact = guesses.filter(guess => guess + zoneOffset(guess, zone) === local)
  return exact.length > 0 ? Math.min(...exact) : Math.max(...guesses)
}

const ISO = /^([+-]\d{6}|\d{4})-(\d{2})(?:-(\d{2}))?(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*(Z|[+-]\d{2}:?\d{2})?)?$/i

/** ISO 8601 / RFC 3339 text to a time, or null. Without an offset it is read in the zone. */
export function parseIso(text: string, zone: string): number | null {
  const found = ISO.exec(text.trim())
  if (found === null) return null
  const [, year = '', month = '', day = '01', hour = '00', minute = '00', second = '00', fraction = '', offset] = found
  const fields = [Number(year), Number(month), Number(day), Number(hour), Number(minute), Number(second)] as const
  const date = new Date(0)
  date.setUTCFullYear(fields[0], fields[1] - 1, fields[2])
  if (date.getUTCMonth() !== fields[1] - 1 || date.getUTCDate() !== fields[2]) return null
  if (fields[3] > 24 || fields[4] > 59 || fields[5] > 60 || (fields[3] === 24 && (fields[4] > 0 || fields[5] > 0))) return null
  date.setUTCHours(fields[3], fields[4], fields[5], Number(fraction.padEnd(3, '0').slice(0, 3)))
  const local = date.getTime()
  if (offset === undefined) return fromLocal(local, zone)
  if (offset.toUpperCase() === 'Z') return local
  const [hours, minutes] = [Number(offset.slice(1, 3)), Number(offset.slice(-2))]
  if (hours > 23 || minutes > 59) return null
  return local - (offset.startsWith('-') ? -1 : 1) * (hours * 3_600_000 + minutes * 60_000)
}

const padded = (value: number, width: number): string => String(Math.abs(value)).padStart(width, '0')

export function offsetText(offsetMs: number): string {
  const minutes = Math.round(offsetMs / 60_000)
  return `${minutes < 0 ? '-' : '+'}${padded(Math.trunc(Math.abs(minutes) / 60), 2)}:${padded(Math.abs(minutes) % 60, 2)}`
}

const FIELD = /'([^']*)'|yyyy|yy|MMMM|MMM|MM|M|dd|d|EEEE|EEE|HH|H|hh|h|mm|m|ss|s|SSS|a|XXX|X/g

/** A time by a pattern of fields (a subset of Unicode TR 35). Text between single quotes stays as it is. */
export function formatTime(at: number, pattern: string, zone: string): string {
  const date = localDate(at, zone)
  const [year, month, day, hour] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate(), date.getUTCHours()]
  const offset = zoneOffset(at, zone)
  const fields: Readonly<Record<string, string>> = {
    yyyy: `${year < 0 ? '-' : ''}${padded(year, 4)}`, yy: padded(year % 100, 2),
    MMMM: MONTHS[month] ?? '', MMM: (MONTHS[month] ?? '').slice(0, 3), MM: padded(month + 1, 2), M: String(month + 1),
    dd: padded(day, 2), d: String(day), EEEE: DAYS[date.getUTCDay()] ?? '', EEE: (DAYS[date.getUTCDay()] ?? '').slice(0, 3),
    HH: padded(hour, 2), H: String(hour), hh: padded(hour % 12 || 12, 2), h: String(hour % 12 || 12), a: hour < 12 ? 'AM' : 'PM',
    mm: padded(date.getUTCMinutes(), 2), m: String(date.getUTCMinutes()), ss: padded(date.getUTCSeconds(), 2), s: String(date.getUTCSeconds()),
    SSS: padded(date.getUTCMilliseconds(), 3), XXX: offset === 0 ? 'Z' : offsetText(offset), X: offset === 0 ? 'Z' : offsetText(offset).replace(':', ''),
  }
  return pattern.replace(FIELD, (token, quoted: string | undefined) => (quoted === undefined ? (fields[token] ?? token) : quoted === '' ? "'" : quoted))
}

/** Moves by calendar units; from the 31st to a shorter month it is that month's last day. Days and more keep the time on the zone's clock. */
export function addTime(at: number, amount: number, unit: Unit, zone: string): number {
  if (unit === 'millisecond' || unit === 'second' || unit === 'minute' || unit === 'hour') return checkedTime(at + amount * (FIXED_MS[unit] ?? 0))
  const date = localDate(at, zone)
  if (unit === 'day' || unit === 'week') date.setUTCDate(date.getUTCDate() + amount * (unit === 'week' ? 7 : 1))
  else {
    const day = date.getUTCDate()
    date.setUTCDate(1)
    date.setUTCMonth(date.getUTCMonth() + amount * (unit === 'year' ? 12 : 1))
    const last = new Date(date)
    last.setUTCMonth(last.getUTCMonth() + 1, 0)
    date.setUTCDate(Math.min(day, last.getUTCDate()))
  }
  return checkedTime(fromLocal(checkedTime(date.getTime()), zone))
}

/** Whole units from one time to another, towards zero. */
export function differenceIn(from: number, to: number, unit: Unit): number {
  const fixed = FIXED_MS[unit]
  if (fixed !== undefined) return Math.trunc((to - from) / fixed) || 0
  const [start, end] = [new Date(checkedTime(from)), new Date(checkedTime(to))]
  let months = (end.getUTCFullYear() - start.getUTCFullYear()) * 12 + end.getUTCMonth() - start.getUTCMonth()
  if (months > 0 && addTime(from, months, 'month', 'UTC') > to) months--
  if (months < 0 && addTime(from, months, 'month', 'UTC') < to) months++
  return unit === 'month' ? months : Math.trunc(months / 12) || 0
}

export function startOfUnit(at: number, unit: Unit, zone: string): number {
  const date = localDate(at, zone)
  const order: readonly Unit[] = ['millisecond', 'second', 'minute', 'hour', 'day', 'month', 'year']
  const level = unit === 'week' ? order.indexOf('day') : order.indexOf(unit)
  if (level >= 1) date.setUTCMilliseconds(0)
  if (level >= 2) date.setUTCSeconds(0)
  if (level >= 3) date.setUTCMinutes(0)
  if (level >= 4) date.setUTCHours(0)
  if (unit === 'week') date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7))
  if (level >= 5) date.setUTCDate(1)
  if (level >= 6) date.setUTCMonth(0)
  return fromLocal(date.getTime(), zone)
}

/** ISO 8601 week: weeks begin on Monday, the first one holds the year's first Thursday. */
export function isoWeek(local: Date): { weekYear: number; week: number } {
  const thursday = new Date(local)
  thursday.setUTCDate(thursday.getUTCDate() + 4 - (thursday.getUTCDay() || 7))
  const first = new Date(0)
  first.setUTCFullYear(thursday.getUTCFullYear(), 0, 1)
  return { weekYear: thursday.getUTCFullYear(), week: Math.floor((thursday.getTime() - first.getTime()) / WEEK_MS) + 1 }
}

/** A duration in words of at most two units: `1h 5m`, `250ms`. */
export function durationText(ms: number): string {
  const rest = Math.abs(Math.round(ms))
  const sign = ms < 0 && rest > 0 ? '-' : ''
  if (rest < 1_000) return `${sign}${rest}ms`
  const units: readonly [string, number][] = [['d', 86_400_000], ['h', 3_600_000], ['m', 60_000], ['s', 1_000]]
  const first = units.findIndex(([, size]) => rest >= size)
  const parts = units.slice(first, first + 2).map(([name, size], index) => {
    const larger = index === 0 ? Number.POSITIVE_INFINITY : (units[first]?.[1] ?? 1)
    return { name, count: Math.floor((rest % larger) / size) }
  })
  return sign + parts.filter(part => part.count > 0).map(part => `${part.count}${part.name}`).join(' ')
}
