// Canonical: one text for equal JSON values, so that values can be compared and hashed (RFC 8785 ordering).
// Owns: sorted keys, left-out undefined fields, -0 as 0. Does not own: hashing.
import { ToolFailure } from 'tek-lang/plugin'

const MAX_DEPTH = 128

export function canonical(value: unknown, depth = 0): string {
  if (depth > MAX_DEPTH) throw new ToolFailure('too-deep', `The value is nested more than ${MAX_DEPTH} deep.`)
  if (value === null || value === undefined) return 'null'
  if (typeof value !== 'object') return JSON.stringify(value === 0 ? 0 : value)
  if (Array.isArray(value)) return `[${value.map(item => canonical(item, depth + 1)).join(',')}]`
  const record = value as Readonly<Record<string, unknown>>
  return `{${Object.keys(record).sort().filter(key => record[key] !== undefined).map(key => `${JSON.stringify(key)}:${canonical(record[key], depth + 1)}`).join(',')}}`
}
