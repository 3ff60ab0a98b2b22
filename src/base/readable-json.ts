// Readable json: JSON text for people and for reviews: what fits a line stays on one, the rest is spread.
// Owns: the layout. Does not own: the order of keys, which is the caller's.
//   R1. The same value gives the same text, so that a difference between two files is a difference of what they say.
import type { Json } from './json.ts'

const WIDTH = 120
const INDENT = '  '
/** Levels that are spread; what is deeper stays on one line. */
const MAX_LEVELS = 32

/**
 * JSON text that a person can read and compare.
 *
 * @example
 * readableJson({ usage: { input: 1, output: 2 } }) // '{ "usage": { "input": 1, "output": 2 } }'
 */
export function readableJson(value: Json): string {
  return textOf(value, 0, 0)
}

function textOf(value: Json | undefined, level: number, before: number): string {
  const short = onOneLine(value, WIDTH - level * INDENT.length - before)
  if (short !== null) return short
  if (typeof value !== 'object' || value === null || level >= MAX_LEVELS) return JSON.stringify(value ?? null)
  const [inner, outer] = [INDENT.repeat(level + 1), INDENT.repeat(level)]
  if (Array.isArray(value)) return `[\n${(value as readonly Json[]).map(item => `${inner}${textOf(item, level + 1, 1)}`).join(',\n')}\n${outer}]`
  const fields = Object.entries(value as Readonly<Record<string, Json | undefined>>).filter(([, field]) => field !== undefined)
  return `{\n${fields.map(([name, field]) => `${inner}${JSON.stringify(name)}: ${textOf(field, level + 1, JSON.stringify(name).length + 3)}`).join(',\n')}\n${outer}}`
}

/** Null where it does not fit. */
function onOneLine(value: Json | undefined, width: number): string | null {
  if (width < 2) return null
  if (value === undefined || value === null) return 'null'
  if (typeof value !== 'object') {
    if (typeof value === 'string' && value.length > width) return null
    const text = JSON.stringify(value)
    return text.length <= width ? text : null
  }
  const isList = Array.isArray(value)
  const parts: string[] = []
  let left = width - 4
  for (const [name, field] of Object.entries(value as Readonly<Record<string, Json | undefined>>)) {
    if (field === undefined) continue
    const key = isList ? '' : `${JSON.stringify(name)}: `
    const text = onOneLine(field, left - key.length)
    if (text === null) return null
    parts.push(`${key}${text}`)
    left -= key.length + text.length + 2
    if (left < -2) return null
  }
  if (parts.length === 0) return isList ? '[]' : '{}'
  return isList ? `[${parts.join(', ')}]` : `{ ${parts.join(', ')} }`
}
