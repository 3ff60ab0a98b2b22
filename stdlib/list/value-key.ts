// Value key: one text for equal values, so that lists of any values can be compared in near-linear time.
// Owns: equality as the language's `==` has it: by content, order of record fields does not matter.
import { ToolFailure } from 'tek-lang/plugin'

const MAX_DEPTH = 128

export function valueKey(value: unknown, depth = 0): string {
  if (depth > MAX_DEPTH) throw new ToolFailure('too-deep', `A value is nested more than ${MAX_DEPTH} deep.`)
  if (value === null || value === undefined) return 'null'
  if (typeof value !== 'object') return JSON.stringify(value === 0 ? 0 : value)
  if (Array.isArray(value)) return `[${value.map(item => valueKey(item, depth + 1)).join(',')}]`
  const record = value as Readonly<Record<string, unknown>>
  return `{${Object.keys(record).sort().filter(key => record[key] !== undefined).map(key => `${JSON.stringify(key)}:${valueKey(record[key], depth + 1)}`).join(',')}}`
}
