// Row: one record of a table, and how its values are compared, grouped and shown.
// Owns: the order of values of any kind (null last; numbers, then bools, then texts by code point), the key under which equal values meet.
//   R1. A field is read only when the record has it itself; records are built from entries, so that `__proto__` is a name like others.
import { ToolFailure } from 'tek-lang/plugin'

export type Row = Readonly<Record<string, unknown>>

export const MAX_ROWS = 1_000_000

export const value = (row: Row, column: string): unknown => (Object.hasOwn(row, column) ? (row[column] ?? null) : null)

export const record = (entries: Iterable<readonly [string, unknown]>): Row => Object.fromEntries(entries)

export function boundedRows<T>(rows: readonly T[]): readonly T[] {
  if (rows.length > MAX_ROWS) throw new ToolFailure('too-many', `A table has at most ${MAX_ROWS} rows.`)
  return rows
}

/** All columns, in order of first appearance. */
export function columnsOf(rows: readonly Row[]): string[] {
  const names = new Set<string>()
  for (const row of rows) for (const name of Object.keys(row)) names.add(name)
  return [...names]
}

/** Fails with the known columns when no row has this one; an empty table has every column. */
export function requireColumns(rows: readonly Row[], wanted: readonly string[]): void {
  if (rows.length === 0) return
  const known = new Set(columnsOf(rows))
  for (const name of wanted) {
    if (!known.has(name)) throw new ToolFailure('no-such-column', `There is no column \`${name}\`.`, { help: `The columns are ${[...known].slice(0, 20).join(', ')}.` })
  }
}

const rank = (content: unknown): number => (content === null ? 4 : typeof content === 'number' ? 0 : typeof content === 'boolean' ? 1 : typeof content === 'string' ? 2 : 3)

function compareText(a: string, b: string): number {
  if (a === b) return 0
  if (!/[\ud800-\udfff]/.test(a) && !/[\ud800-\udfff]/.test(b)) return a < b ? -1 : 1
  const [left, right] = [[...a], [...b]]
  for (let i = 0; i < left.length && i < right.length; i++) {
    const difference = (left[i]?.codePointAt(0) ?? 0) - (right[i]?.codePointAt(0) ?? 0)
    if (difference !== 0) return difference
  }
  return left.length - right.length
}

export function compareValues(a: unknown, b: unknown): number {
  const difference = rank(a) - rank(b)
  if (difference !== 0) return difference
  if (typeof a === 'number' && typeof b === 'number') return a - b
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b)
  return compareText(groupKey(a), groupKey(b))
}

export function groupKey(content: unknown): string {
  if (content === null || typeof content !== 'object') return JSON.stringify(content ?? null)
  if (Array.isArray(content)) return `[${content.map(groupKey).join(',')}]`
  return `{${Object.entries(content).sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, child]) => `${JSON.stringify(name)}:${groupKey(child)}`).join(',')}}`
}

export const shown = (content: unknown): string =>
  content === null || content === undefined ? '' : typeof content === 'object' ? JSON.stringify(content) : String(content)
