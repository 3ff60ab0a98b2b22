// Cron: patterns of times as `cron "…"` takes them, and when they come round.
// Owns: which patterns there are, what is wrong with others in the user's words, the rules for clocks that are put forward and back.
// Does not own: what begins then (tek serve), `every`. Croner is used for the calendar alone: its timers are never started.
//   C1. A pattern has five fields (POSIX crontab: minute, hour, day of the month, month, weekday), or six with seconds first. A field holds `*`,
//       numbers, names (`JAN`, `MON`), ranges, lists and steps (`*/5`, `8-18/2`); a day of the month may be `L`, the last; a weekday may say
//       which of the month: `MON#2`. Where both days are restricted, either of them is enough.
//   C2. A clock put forward: what names its times without `*` and steps (`30 2 * * *`) comes right after the gap; the rest leaves the gap out.
//   C3. A clock put back: what names its times comes once, the first time; what repeats (`*/15 * * * *`) goes on through the doubled hour.
//   C4. Pure: nothing here looks at the clock or the zone of the machine. Both ways give whole seconds, strictly after and strictly before.
import { Cron } from 'croner'

/** Characters of a pattern. */
export const MAX_CRON_LENGTH = 200
/** Characters of a zone's name. */
const MAX_ZONE_LENGTH = 64
/** Patterns kept in their taken-apart form. */
const MAX_KEPT = 256

interface Field {
  readonly name: string
  readonly plural: string
  readonly from: number
  readonly to: number
  /** Names that stand for `from`, `from + 1`, … */
  readonly names?: readonly string[]
}

const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT']
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC']
const FIELDS: readonly Field[] = [
  { name: 'second', plural: 'seconds', from: 0, to: 59 },
  { name: 'minute', plural: 'minutes', from: 0, to: 59 },
  { name: 'hour', plural: 'hours', from: 0, to: 23 },
  { name: 'day of the month', plural: 'days of the month', from: 1, to: 31 },
  { name: 'month', plural: 'months', from: 1, to: 12, names: MONTHS },
  { name: 'weekday', plural: 'weekdays', from: 0, to: 7, names: DAYS },
]

export type CronResult =
  /** The pattern with one blank between fields and names in capitals: equal patterns are equal texts. */
  | { readonly value: string; readonly problem: null }
  /** What is wrong, as the end of a sentence: `has no hour `24`: hours go from 0 to 23`. */
  | { readonly value: null; readonly problem: string }

/**
 * A pattern that comes round in a zone, or what is wrong with it.
 *
 * @param text five fields as in POSIX crontab, or six with seconds first (C1).
 * @param zone a name of the IANA database that `isZone` knows.
 * @example
 * parseCron('0 3 * * mon', 'Europe/Berlin') // { value: '0 3 * * MON', problem: null }
 * parseCron('0 24 * * *', 'UTC') // { value: null, problem: 'has no hour `24`: hours go from 0 to 23' }
 */
export function parseCron(text: string, zone: string): CronResult {
  const problem = (words: string): CronResult => ({ value: null, problem: words })
  if (text.length > MAX_CRON_LENGTH) return problem(`is longer than ${MAX_CRON_LENGTH} characters`)
  const fields = text.trim().toUpperCase().split(/\s+/)
  if (fields.length !== 5 && fields.length !== 6) return problem('needs five fields: minute, hour, day of the month, month, weekday')
  const kinds = FIELDS.slice(6 - fields.length)
  for (const [index, field] of fields.entries()) {
    const wrong = fieldProblem(field, kinds[index]!)
    if (wrong !== null) return problem(wrong)
  }
  const value = fields.join(' ')
  try {
    if (calendar(value, zone).nextRun(new Date(0)) === null) return problem('never comes round')
  } catch {
    return problem('is no pattern of times')
  }
  return { value, problem: null }
}

function fieldProblem(field: string, kind: Field): string | null {
  for (const item of field.split(',')) {
    const wrong = itemProblem(item, kind)
    if (wrong !== null) return wrong
  }
  return null
}

/** One of the items of a field: `*`, `7`, `MON`, `8-18`, with `/2` behind a range; `L`, `MON#2`. */
function itemProblem(item: string, kind: Field): string | null {
  const none = `has no ${kind.name} \`${item}\`: ${kind.plural} go from ${kind.from} to ${kind.to}${kind.names === undefined ? '' : `, or from ${kind.names[0]} to ${kind.names.at(-1)}`}`
  if (item === 'L' && kind.name === 'day of the month') return null
  const [range = '', step, tooMuch] = item.split('/')
  const [first = '', last, more] = range.split('-')
  if (tooMuch !== undefined || more !== undefined) return none
  if (step !== undefined) {
    if (range !== '*' && last === undefined) return `takes a step after \`*\` or after a range: \`*/${step}\``
    if (!/^\d{1,2}$/.test(step) || Number(step) < 1 || Number(step) > kind.to - kind.from + 1) return `has no step \`${step}\` in its ${kind.plural}`
  }
  if (range === '*') return null
  if (kind.name === 'weekday' && last === undefined && step === undefined && first.includes('#')) {
    const [day = '', which = ''] = first.split('#')
    return numberOf(day, kind) !== null && /^[1-5]$/.test(which) ? null : none
  }
  // A week that ends on Sunday: `FRI-SUN` is `5-7`.
  const [low, high] = [numberOf(first, kind), last === undefined ? null : last === 'SUN' ? 7 : numberOf(last, kind)]
  if (low === null || (last !== undefined && high === null)) return none.replace(`\`${item}\``, `\`${low === null ? first : last}\``)
  return high !== null && high < low ? `has a range that goes backwards: \`${range}\`` : null
}

function numberOf(text: string, { from, to, names }: Field): number | null {
  const named = names?.indexOf(text) ?? -1
  if (named >= 0) return from + named
  const number = /^\d{1,2}$/.test(text) ? Number(text) : NaN
  return number >= from && number <= to ? number : null
}

const kept = new Map<string, Cron>()

/** A pattern taken apart; throws for what is none. */
function calendar(pattern: string, zone: string): Cron {
  const key = `${zone}\0${pattern}`
  let made = kept.get(key)
  if (made !== undefined) return made
  made = new Cron(pattern, { timezone: zone, mode: '5-or-6-parts', fixedTimeRule: 'no-wildcard', paused: true }) // C2, C3
  if (kept.size >= MAX_KEPT) kept.clear()
  kept.set(key, made)
  return made
}

/**
 * The first time after `atMs`, or null after the last one of the calendar.
 *
 * @param pattern a `value` of `parseCron`; throws for anything else.
 * @param zone a name of the IANA database.
 * @param atMs milliseconds since 1970, as the result.
 * @example
 * nextAfter('0 3 * * *', 'UTC', Date.UTC(2026, 0, 1, 3)) // Date.UTC(2026, 0, 2, 3)
 */
export function nextAfter(pattern: string, zone: string, atMs: number): number | null {
  return calendar(pattern, zone).nextRun(new Date(atMs))?.getTime() ?? null
}

/**
 * The last time before `atMs`, or null before the first one of the calendar.
 *
 * @param pattern a `value` of `parseCron`; throws for anything else.
 * @param zone a name of the IANA database.
 * @param atMs milliseconds since 1970, as the result.
 * @example
 * previousBefore('0 3 * * *', 'UTC', Date.UTC(2026, 0, 2, 3)) // Date.UTC(2026, 0, 1, 3)
 */
export function previousBefore(pattern: string, zone: string, atMs: number): number | null {
  return calendar(pattern, zone).previousRuns(1, new Date(atMs))[0]?.getTime() ?? null
}

/** Whether a zone of this name is known: one of the IANA database, as Node has it. Offsets such as `+01:00` are none. */
export function isZone(name: string): boolean {
  if (name.length > MAX_ZONE_LENGTH || !/^[A-Za-z][\w+-]*(\/[\w+-]+)*$/.test(name)) return false
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

/** The names of all zones, for suggestions. */
export function zoneNames(): readonly string[] {
  return ['UTC', ...Intl.supportedValuesOf('timeZone')]
}
