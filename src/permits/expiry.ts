// Expiry: until when a permit holds.
// Owns: dates and lengths of time as people write them. Does not own: the clock.
//   E1. A date is a day of UTC; what expires on a day holds until that day is over.

const DAY_MS = 86_400_000
const MAX_DAYS = 3_650
const lengths: Readonly<Record<string, number>> = { h: 3_600_000, d: DAY_MS, w: 7 * DAY_MS }

/**
 * The first millisecond since 1970 at which a date or moment is over; null for what is neither.
 *
 * @example
 * endOf('2026-11-21') === Date.UTC(2026, 10, 22) // true
 */
export function endOf(text: string): number | null {
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(text)
  if (!isDay && !/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2})?Z$/.test(text)) return null
  const ms = Date.parse(text)
  if (Number.isNaN(ms) || dayOf(ms) !== text.slice(0, 10)) return null // 2026-02-31
  return isDay ? ms + DAY_MS : ms // E1
}

/** The day of UTC that a moment lies in. */
export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}

/**
 * The value of `--expires` as it is recorded: a date as it is, a length of time (`8h`, `30d`, `4w`, at most 3,650 days) from now.
 *
 * @returns null for what is neither, or is over already.
 * @example
 * expiryOf('30d', Date.UTC(2026, 10, 21)) // '2026-12-21'
 */
export function expiryOf(text: string, nowMs: number): string | null {
  const length = /^([1-9]\d{0,5})([hdw])$/.exec(text)
  if (length === null) {
    const end = endOf(text)
    return end !== null && end > nowMs ? text : null
  }
  const ms = Number(length[1]) * lengths[length[2]!]!
  if (ms > MAX_DAYS * DAY_MS) return null
  return length[2] === 'h' ? `${new Date(nowMs + ms).toISOString().slice(0, 19)}Z` : dayOf(nowMs + ms)
}
