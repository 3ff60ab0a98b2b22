// Render: a table as text for a terminal, as Markdown, as CSV.
// Owns: widths, alignment (numbers to the right), escaping for each form.
import { columnsOf, shown, value, type Row } from './row.ts'

const MAX_CELL_WIDTH = 60

const oneLine = (text: string): string => text.replace(/[\r\n\t]+/g, ' ').replace(/[\u0000-\u001f\u007f-\u009f]/g, '')

const isNumeric = (rows: readonly Row[], column: string): boolean =>
  rows.some(row => typeof value(row, column) === 'number') && rows.every(row => ['number', 'object'].includes(typeof value(row, column)))

export function toMarkdown(rows: readonly Row[], columns: readonly string[]): string {
  const names = columns.length > 0 ? columns : columnsOf(rows)
  if (names.length === 0) return ''
  const escaped = (text: string) => oneLine(text).replace(/[\\|`*_<>[\]#~]/g, '\\$&')
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`
  return line(names.map(escaped)) + line(names.map(name => (isNumeric(rows, name) ? '---:' : '---'))) + rows.map(row => line(names.map(name => escaped(shown(value(row, name)))))).join('')
}

/** Columns in fixed width, for a terminal; control characters are taken out, long cells are cut. */
export function toText(rows: readonly Row[], columns: readonly string[]): string {
  const names = columns.length > 0 ? columns : columnsOf(rows)
  if (names.length === 0) return ''
  const cut = (text: string) => {
    const points = [...oneLine(text)]
    return points.length > MAX_CELL_WIDTH ? `${points.slice(0, MAX_CELL_WIDTH - 1).join('')}…` : points.join('')
  }
  const cells = rows.map(row => names.map(name => cut(shown(value(row, name)))))
  const heads = names.map(cut)
  const width = heads.map((head, index) => cells.reduce((widest, row) => Math.max(widest, [...(row[index] ?? '')].length), [...head].length))
  const right = names.map(name => isNumeric(rows, name))
  const line = (row: readonly string[]) =>
    `${row.map((text, index) => {
      const gap = ' '.repeat(Math.max(0, (width[index] ?? 0) - [...text].length))
      return right[index] ? gap + text : text + gap
    }).join('  ').trimEnd()}\n`
  return line(heads) + cells.map(line).join('')
}

export function toCsv(rows: readonly Row[], columns: readonly string[]): string {
  const names = columns.length > 0 ? columns : columnsOf(rows)
  if (names.length === 0) return ''
  const cell = (text: string) => (/[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
  return [names.map(cell).join(','), ...rows.map(row => names.map(name => cell(shown(value(row, name)))).join(','))].join('\n') + '\n'
}
