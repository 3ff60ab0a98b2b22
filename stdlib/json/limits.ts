// Limits: how large and how deep JSON may be here, checked before anything recursive touches it.
import { ToolFailure } from 'tek-lang/plugin'

export const MAX_TEXT_LENGTH = 10_000_000
export const MAX_DEPTH = 128

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** Deepest nesting of brackets outside strings; a scan without recursion. */
function textDepth(text: string): number {
  let [depth, deepest, inString] = [0, 0, false]
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (inString) {
      if (unit === 92) i++
      else if (unit === 34) inString = false
    } else if (unit === 34) inString = true
    else if (unit === 91 || unit === 123) deepest = Math.max(deepest, ++depth)
    else if (unit === 93 || unit === 125) depth--
  }
  return deepest
}

export const tooDeep = (): ToolFailure => new ToolFailure('too-deep', `The value is nested more than ${MAX_DEPTH} deep.`)

/** Refuses a value that is nested too deep. */
export function withinDepth(value: unknown, depth = 0): void {
  if (depth > MAX_DEPTH) throw tooDeep()
  if (value !== null && typeof value === 'object') for (const child of Object.values(value)) withinDepth(child, depth + 1)
}

export const isRecord = (value: unknown): value is { [key: string]: Json } => value !== null && typeof value === 'object' && !Array.isArray(value)

/** Whether a record has this field itself: `__proto__` and `constructor` are ordinary names. */
export const field = (record: { [key: string]: Json }, name: string): Json | undefined => (Object.hasOwn(record, name) ? record[name] : undefined)

export function parseJson(text: string): Json {
  if (text.length > MAX_TEXT_LENGTH) throw new ToolFailure('too-long', `JSON text is at most ${MAX_TEXT_LENGTH} characters here.`)
  if (textDepth(text) > MAX_DEPTH) throw tooDeep()
  try {
    return JSON.parse(text.startsWith('\ufeff') ? text.slice(1) : text) as Json
  } catch (problem) {
    const message = (problem as Error).message
    const offset = Number(/position (\d+)/.exec(message)?.[1] ?? NaN)
    const before = Number.isNaN(offset) ? null : text.slice(0, offset).split('\n')
    const place = before === null ? '' : ` (line ${before.length}, column ${(before[before.length - 1]?.length ?? 0) + 1})`
    throw new ToolFailure('not-json', `The text is not JSON${place}: ${message.replace(/ in JSON at position.*$/, '').slice(0, 200)}.`)
  }
}
