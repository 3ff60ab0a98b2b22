// Aggregate: many rows to few: grouping, pivoting, describing.
// Owns: sums, averages and the like over the numbers of a column; null and absent values are left out, text in a column of numbers is an error.
import { ToolFailure } from 'tek-lang/plugin'
import { columnsOf, compareValues, groupKey, record, requireColumns, value, type Row } from './row.ts'

export type Measure = 'sum' | 'avg' | 'min' | 'max' | 'count'

const MAX_PIVOT_COLUMNS = 1_000

function numbers(rows: readonly Row[], column: string): number[] {
  return rows.flatMap(row => {
    const content = value(row, column)
    if (content === null) return []
    if (typeof content !== 'number') throw new ToolFailure('not-a-number', `The column \`${column}\` holds ${JSON.stringify(content)?.slice(0, 80)}, which is no number.`, { help: 'Make numbers of text with table.typed.' })
    return [content]
  })
}

function measured(rows: readonly Row[], column: string, measure: Measure): unknown {
  if (measure === 'count') return rows.filter(row => value(row, column) !== null).length
  if (measure === 'min' || measure === 'max') {
    let best: unknown = null
    for (const row of rows) {
      const content = value(row, column)
      if (content === null) continue
      if (best === null || (measure === 'min' ? compareValues(content, best) < 0 : compareValues(content, best) > 0)) best = content
    }
    return best
  }
  const list = numbers(rows, column)
  const sum = list.reduce((total, number) => total + number, 0)
  return measure === 'sum' ? sum : list.length === 0 ? null : sum / list.length
}

function grouped(rows: readonly Row[], by: readonly string[]): Row[][] {
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    const key = groupKey(by.map(column => value(row, column)))
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [row])
    else group.push(row)
  }
  return [...groups.values()]
}

/** One row for each group: the columns of `by`, `count`, and `sum_x`, `avg_x`, `min_x`, `max_x` as asked for. */
export function aggregate(rows: readonly Row[], by: readonly string[], measures: Readonly<Record<Exclude<Measure, 'count'>, readonly string[]>>): Row[] {
  requireColumns(rows, [...by, ...Object.values(measures).flat()])
  const groups = by.length === 0 ? [[...rows]] : grouped(rows, by)
  return groups.map(group => {
    const first = group[0]
    const entries: [string, unknown][] = by.map(column => [column, first === undefined ? null : value(first, column)])
    entries.push(['count', group.length])
    for (const measure of ['sum', 'avg', 'min', 'max'] as const) {
      for (const column of measures[measure]) entries.push([`${measure}_${column}`, measured(group, column, measure)])
    }
    return record(entries)
  })
}

/** One row for each value of `rowColumn`, one column for each value of `headColumn`, cells measured over `cellColumn`. */
export function pivot(rows: readonly Row[], rowColumn: string, headColumn: string, cellColumn: string, measure: Measure): Row[] {
  requireColumns(rows, [rowColumn, headColumn, cellColumn])
  const heads = [...new Set(rows.map(row => headOf(row, headColumn)))]
  if (heads.length > MAX_PIVOT_COLUMNS) throw new ToolFailure('too-many', `The pivot would have more than ${MAX_PIVOT_COLUMNS} columns.`)
  if (heads.includes(rowColumn)) throw new ToolFailure('duplicate-column', `\`${rowColumn}\` is both the first column and a value of \`${headColumn}\`.`)
  return grouped(rows, [rowColumn]).map(group => {
    const cells = new Map<string, Row[]>()
    for (const row of group) {
      const head = headOf(row, headColumn)
      const inCell = cells.get(head)
      if (inCell === undefined) cells.set(head, [row])
      else inCell.push(row)
    }
    const first = group[0]
    return record([
      [rowColumn, first === undefined ? null : value(first, rowColumn)],
      ...heads.map((head): [string, unknown] => {
        const inCell = cells.get(head)
        return [head, inCell === undefined ? (measure === 'count' ? 0 : null) : measured(inCell, cellColumn, measure)]
      }),
    ])
  })
}

const headOf = (row: Row, column: string): string => {
  const content = value(row, column)
  return typeof content === 'string' ? content : JSON.stringify(content)
}

export interface ColumnDescription {
  column: string
  kinds: string[]
  count: number
  missing: number
  distinct: number
  min: unknown
  max: unknown
  mean: number | null
}

/** What each column holds. */
export function describeColumns(rows: readonly Row[]): ColumnDescription[] {
  return columnsOf(rows).map(column => {
    const present = rows.map(row => value(row, column)).filter(content => content !== null)
    const list = present.filter((content): content is number => typeof content === 'number')
    return {
      column,
      kinds: [...new Set(present.map(content => (Array.isArray(content) ? 'list' : typeof content === 'object' ? 'record' : typeof content === 'boolean' ? 'bool' : typeof content)))],
      count: present.length,
      missing: rows.length - present.length,
      distinct: new Set(present.map(groupKey)).size,
      min: measured(rows, column, 'min'),
      max: measured(rows, column, 'max'),
      mean: list.length === 0 ? null : list.reduce((total, number) => total + number, 0) / list.length,
    }
  })
}
