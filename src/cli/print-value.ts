// Print value: a result as people read it.
// Owns: text as it is, lists of flat records as a table, all else as JSON. Does not own: `--json`.
//   V1. On a terminal everything is neutralised; into a pipe text goes unchanged.
import { cutToWidth, displayWidth, neutralise, padToWidth } from '#base/terminal-text.ts'
import type { Value } from '#model/type.ts'
import type { Output } from './terminal.ts'

const MAX_ROWS = 200
const MAX_CELL_COLUMNS = 60

/** Prints a result; null prints nothing. */
export function printValue(out: Output, value: Value): void {
  if (value === null) return
  if (typeof value === 'string') {
    out.write(`${out.isTerminal ? neutralise(value) : value}${value.endsWith('\n') ? '' : '\n'}`) // V1
    return
  }
  const rows = out.isTerminal ? asTable(value) : null
  out.write(rows === null ? `${safe(out, JSON.stringify(value, null, 2))}\n` : table(rows, out))
}

const safe = (out: Output, text: string): string => (out.isTerminal ? neutralise(text) : text)

type Row = Readonly<Record<string, Value>>

/** A list of records whose fields are all simple, or null. */
function asTable(value: Value): readonly Row[] | null {
  if (!Array.isArray(value) || value.length === 0) return null
  const rows = value as readonly Value[]
  const flat = (row: Value): boolean => typeof row === 'object' && row !== null && !Array.isArray(row) && Object.values(row).every(field => typeof field !== 'object' || field === null)
  return rows.every(flat) ? (rows as readonly Row[]) : null
}

function table(rows: readonly Row[], out: Output): string {
  const names = [...new Set(rows.flatMap(row => Object.keys(row)))]
  const shown = rows.slice(0, MAX_ROWS)
  const cell = (row: Row, name: string): string => cutToWidth(neutralise(row[name] === undefined || row[name] === null ? '' : String(row[name])).replace(/[\n\t]/g, ' '), MAX_CELL_COLUMNS)
  const numeric = new Set(names.filter(name => rows.every(row => typeof row[name] === 'number' || row[name] == null)))
  const widths = names.map(name => Math.max(displayWidth(name), ...shown.map(row => displayWidth(cell(row, name)))))
  const line = (texts: readonly string[]): string =>
    cutToWidth(texts.map((text, index) => (numeric.has(names[index]!) ? ' '.repeat(widths[index]! - displayWidth(text)) + text : padToWidth(text, widths[index]!))).join('  ').trimEnd(), out.columns())
  const lines = [out.paint('bold', line(names)), ...shown.map(row => line(names.map(name => cell(row, name))))]
  if (rows.length > MAX_ROWS) lines.push(out.paint('dim', `and ${rows.length - MAX_ROWS} more rows`))
  return `${lines.join('\n')}\n`
}
