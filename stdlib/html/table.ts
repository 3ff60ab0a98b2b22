// Table: records as an HTML table that can be sorted by its headings where there is a script, and read without.
// Owns: cells by kind (numbers to the right), the order marks for the page's script (data-sort).
import { ToolFailure } from 'tek-lang/plugin'
import { bounded, escapeHtml, type Html } from './markup.ts'

export type Row = Readonly<Record<string, unknown>>

const MAX_ROWS = 20_000
const MAX_CELL = 2_000

const cell = (row: Row, name: string): unknown => (Object.hasOwn(row, name) ? (row[name] ?? null) : null)

function shown(value: unknown): string {
  if (value === null) return ''
  if (typeof value === 'number') return Number.isInteger(value) ? value.toLocaleString('en-US') : String(Number(value.toPrecision(6)))
  const text = typeof value === 'string' ? value : typeof value === 'boolean' ? (value ? 'yes' : 'no') : JSON.stringify(value)
  return text.length > MAX_CELL ? `${text.slice(0, MAX_CELL)}…` : text
}

export function tableHtml(rows: readonly Row[], columns: readonly string[], caption: string): Html {
  if (rows.length > MAX_ROWS) throw new ToolFailure('too-many', `A table in a page has at most ${MAX_ROWS} rows; there are ${rows.length}.`, { help: 'Show the first ones: take(rows, 100).' })
  const names = columns.length > 0 ? columns : [...new Set(rows.flatMap(row => Object.keys(row)))]
  const numeric = names.map(name => rows.some(row => typeof cell(row, name) === 'number') && rows.every(row => cell(row, name) === null || typeof cell(row, name) === 'number'))
  const heads = names.map((name, index) => `<th scope="col"${numeric[index] ? ' class="number"' : ''}>${escapeHtml(name)}</th>`).join('')
  const body = rows.map(row => `<tr>${names.map((name, index) => {
    const value = cell(row, name)
    return numeric[index] ? `<td class="number" data-sort="${typeof value === 'number' ? value : ''}">${escapeHtml(shown(value))}</td>` : `<td>${escapeHtml(shown(value))}</td>`
  }).join('')}</tr>`).join('\n')
  return bounded(
    `<div class="scroll"><table class="sortable">${caption === '' ? '' : `<caption>${escapeHtml(caption)}</caption>`}<thead><tr>${heads}</tr></thead>\n<tbody>\n${body}\n</tbody></table></div>`)
}
