// table: lists of records taken as tables.
// Owns: choosing, renaming, typing, ordering, joining; the tools. Does not own: grouping (aggregate), printing (render), comparing (row).
import { definePlugin, pure, t, ToolFailure, z } from 'tek-lang/plugin'
import { aggregate, describeColumns, pivot } from './aggregate.ts'
import { toCsv, toMarkdown, toText } from './render.ts'
import { boundedRows, columnsOf, compareValues, groupKey, MAX_ROWS, record, requireColumns, shown, value, type Row } from './row.ts'

const anyRow = t.map(t.any)
const rows = z.array(anyRow).describe('The rows, each a record.')
const columns = z.array(z.string()).default([]).describe('The columns, in order; all unless given.')
const column = z.string().describe('The name of the column.')

const CONVERSIONS: Readonly<Record<string, (text: string) => unknown>> = {
  string: text => text,
  int: text => (/^[+-]?\d+$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : undefined),
  float: text => (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text) && Number.isFinite(Number(text)) ? Number(text) : undefined),
  bool: text => ({ true: true, yes: true, '1': true, false: false, no: false, '0': false } as Record<string, boolean>)[text.toLowerCase()],
}

function typed(content: unknown, type: string, name: string, row: number): unknown {
  const convert = Object.hasOwn(CONVERSIONS, type) ? CONVERSIONS[type] : undefined
  if (convert === undefined) throw new ToolFailure('bad-type', `\`${type}\` is not a type of a column.`, { help: 'Use "string", "int", "float" or "bool".' })
  if (content === null || (typeof content === 'string' && content.trim() === '' && type !== 'string')) return null
  const result = convert(shown(content).trim())
  if (result === undefined) throw new ToolFailure('bad-value', `Row ${row + 1}, column \`${name}\`: ${JSON.stringify(content).slice(0, 80)} is not ${type === 'int' ? 'an int' : `a ${type}`}.`)
  return type === 'string' ? shown(content) : result
}

function orderedBy(list: readonly Row[], by: readonly string[], descending: boolean): Row[] {
  const direction = descending ? -1 : 1
  return [...list].sort((a, b) => {
    for (const name of by) {
      const [left, right] = [value(a, name), value(b, name)]
      if ((left === null) !== (right === null)) return left === null ? 1 : -1
      const order = compareValues(left, right)
      if (order !== 0) return order * direction
    }
    return 0
  })
}

const TESTS: Readonly<Record<string, (content: unknown, wanted: unknown) => boolean>> = {
  '==': (content, wanted) => groupKey(content) === groupKey(wanted),
  '!=': (content, wanted) => groupKey(content) !== groupKey(wanted),
  '<': (content, wanted) => content !== null && compareValues(content, wanted) < 0,
  '<=': (content, wanted) => content !== null && compareValues(content, wanted) <= 0,
  '>': (content, wanted) => content !== null && compareValues(content, wanted) > 0,
  '>=': (content, wanted) => content !== null && compareValues(content, wanted) >= 0,
  contains: (content, wanted) => (Array.isArray(content) ? content.some(item => groupKey(item) === groupKey(wanted)) : shown(content).includes(shown(wanted))),
  startsWith: (content, wanted) => shown(content).startsWith(shown(wanted)),
  endsWith: (content, wanted) => shown(content).endsWith(shown(wanted)),
}

function joined(left: readonly Row[], right: readonly Row[], on: string, kind: 'inner' | 'left' | 'full'): Row[] {
  requireColumns(left, [on])
  requireColumns(right, [on])
  const index = new Map<string, Row[]>()
  for (const row of right) {
    const key = groupKey(value(row, on))
    const same = index.get(key)
    if (same === undefined) index.set(key, [row])
    else same.push(row)
  }
  const [leftNames, rightNames] = [columnsOf(left), columnsOf(right).filter(name => name !== on)]
  const taken = new Set(leftNames)
  const nameOf = new Map(rightNames.map(name => [name, taken.has(name) ? `${name}_2` : name]))
  const both = (one: Row | null, other: Row | null): Row => record([
    ...leftNames.map((name): [string, unknown] => [name, one !== null ? value(one, name) : name === on && other !== null ? value(other, on) : null]),
    ...rightNames.map((name): [string, unknown] => [nameOf.get(name) ?? name, other === null ? null : value(other, name)]),
  ])
  const result: Row[] = []
  const used = new Set<string>()
  for (const one of left) {
    const key = groupKey(value(one, on))
    const matches = index.get(key)
    if (matches !== undefined) used.add(key)
    for (const other of matches ?? []) result.push(both(one, other))
    if (matches === undefined && kind !== 'inner') result.push(both(one, null))
    boundedRows(result)
  }
  if (kind === 'full') for (const [key, others] of index) if (!used.has(key)) for (const other of others) result.push(both(null, other))
  return [...boundedRows(result)]
}

const shaping = {
  select: pure({
    doc: 'Only these columns, in this order.',
    input: { rows, columns: z.array(z.string()).describe('The columns to keep.') }, output: z.array(anyRow),
    example: 'table.select([{ a: 1, b: 2 }], ["b"]) == [{ b: 2 }]',
    run: ({ rows, columns }) => {
      requireColumns(rows, columns)
      return rows.map(row => record(columns.map(name => [name, value(row, name)])))
    },
  }),
  omit: pure({
    doc: 'All columns but these.',
    input: { rows, columns: z.array(z.string()).describe('The columns to leave out.') }, output: z.array(anyRow),
    example: 'table.omit([{ a: 1, b: 2 }], ["b"]) == [{ a: 1 }]',
    run: ({ rows, columns }) => {
      const out = new Set(columns)
      return rows.map(row => record(Object.entries(row).filter(([name]) => !out.has(name))))
    },
  }),
  rename: pure({
    doc: 'Columns under other names.',
    input: { rows, names: t.map(z.string()).describe('Old name to new name.') }, output: z.array(anyRow),
    example: 'table.rename([{ a: 1, b: 2 }], { a: "x" }) == [{ x: 1, b: 2 }]',
    run: ({ rows, names }) => {
      requireColumns(rows, Object.keys(names))
      return rows.map(row => {
        const entries = Object.entries(row).map(([name, content]): [string, unknown] => [Object.hasOwn(names, name) ? (names[name] ?? name) : name, content])
        if (new Set(entries.map(([name]) => name)).size < entries.length) throw new ToolFailure('duplicate-column', 'Two columns would have the same name.')
        return record(entries)
      })
    },
  }),
  fill: pure({
    doc: 'Puts a value where a column has none.',
    input: { rows, column, value: t.any.describe('What to put there.') }, output: z.array(anyRow),
    example: 'table.fill([{ a: null }, { a: 1 }], "a", 0) == [{ a: 0 }, { a: 1 }]',
    run: ({ rows, column, value: content }) => rows.map(row => (value(row, column) === null ? record([...Object.entries(row), [column, content]]) : row)),
  }),
  typed: pure({
    doc: 'Makes values of text, column by column; blank text becomes null. Fails with row and column when a value does not fit.',
    input: { rows, types: t.map(z.string()).describe('Column to "int", "float", "bool" or "string".') }, output: z.array(anyRow), runs: 'thread',
    example: 'table.typed([{ n: "3", ok: "yes" }], { n: "int", ok: "bool" }) == [{ n: 3, ok: true }]',
    run: ({ rows, types }) => {
      requireColumns(rows, Object.keys(types))
      return rows.map((row, index) => record(Object.entries(row).map(([name, content]) => [name, Object.hasOwn(types, name) ? typed(content, types[name] ?? '', name, index) : content])))
    },
  }),
  column: pure({
    doc: 'The values of one column; null where a row has none.',
    input: { rows, column }, output: z.array(t.any),
    example: 'table.column([{ a: 1 }, { a: 2 }], "a") == [1, 2]',
    run: ({ rows, column }) => {
      requireColumns(rows, [column])
      return rows.map(row => value(row, column))
    },
  }),
  where: pure({
    doc: 'The rows whose column passes a test. For anything more use the prelude\'s filter.',
    input: {
      rows, column,
      test: z.enum(['==', '!=', '<', '<=', '>', '>=', 'contains', 'startsWith', 'endsWith']).describe('How to compare.'),
      value: t.any.describe('What to compare with.'),
    },
    output: z.array(anyRow),
    example: 'table.where([{ n: 1 }, { n: 5 }], "n", ">=", 2) == [{ n: 5 }]',
    run: ({ rows, column, test, value: wanted }) => {
      requireColumns(rows, [column])
      const passes = TESTS[test]
      return rows.filter(row => passes?.(value(row, column), wanted))
    },
  }),
  sort: pure({
    doc: 'The rows in order of some columns; rows without a value come last either way. Equal rows keep their order.',
    input: { rows, by: z.array(z.string()).describe('The columns, the most important first.'), descending: z.boolean().default(false).describe('The largest first.') },
    output: z.array(anyRow), runs: 'thread',
    example: 'table.sort([{ n: 1 }, { n: 3 }, { n: 2 }], ["n"], true) == [{ n: 3 }, { n: 2 }, { n: 1 }]',
    run: ({ rows, by, descending }) => {
      requireColumns(rows, by)
      return orderedBy(rows, by, descending)
    },
  }),
  distinct: pure({
    doc: 'The first row for each combination of some columns; of all columns unless given.',
    input: { rows, columns }, output: z.array(anyRow), runs: 'thread',
    example: 'table.distinct([{ a: 1, b: 1 }, { a: 1, b: 2 }], ["a"]) == [{ a: 1, b: 1 }]',
    run: ({ rows, columns }) => {
      requireColumns(rows, columns)
      const seen = new Set<string>()
      return rows.filter(row => {
        const key = groupKey(columns.length > 0 ? columns.map(name => value(row, name)) : row)
        if (seen.has(key)) return false
        seen.add(key)
        return true
      })
    },
  }),
  unpivot: pure({
    doc: 'One row for each cell of some columns, as `name` and `value`, beside the columns to keep.',
    input: { rows, keep: z.array(z.string()).describe('The columns to keep as they are.'), columns: z.array(z.string()).describe('The columns to make rows of.') },
    output: z.array(anyRow),
    example: 'table.unpivot([{ id: 1, a: 2, b: 3 }], ["id"], ["a", "b"]) == [{ id: 1, name: "a", value: 2 }, { id: 1, name: "b", value: 3 }]',
    run: ({ rows, keep, columns }) => {
      requireColumns(rows, [...keep, ...columns])
      if (rows.length * columns.length > MAX_ROWS) throw new ToolFailure('too-many', `A table has at most ${MAX_ROWS} rows.`)
      return rows.flatMap(row => columns.map(name => record([...keep.map((kept): [string, unknown] => [kept, value(row, kept)]), ['name', name], ['value', value(row, name)]])))
    },
  }),
}

const combining = {
  join: pure({
    doc: 'Two tables put side by side where a column has the same value. `inner` keeps matching rows, `left` all of the first table, `full` all of both. A column of the second that the first has too gets `_2` at its end.',
    input: {
      left: z.array(anyRow).describe('The first table.'), right: z.array(anyRow).describe('The second table.'), on: z.string().describe('The column they share.'),
      kind: z.enum(['inner', 'left', 'full']).default('inner').describe('Which rows stay.'),
    },
    output: z.array(anyRow), runs: 'thread',
    example: 'table.join([{ id: 1, a: "x" }], [{ id: 1, b: "y" }], "id") == [{ id: 1, a: "x", b: "y" }]',
    run: ({ left, right, on, kind }) => joined(left, right, on, kind),
  }),
  aggregate: pure({
    doc: 'One row for each combination of the `by` columns: those columns, `count`, and `sum_x`, `avg_x`, `min_x`, `max_x` for the columns asked for. Without `by` it is one row for all.',
    input: {
      rows,
      by: z.array(z.string()).default([]).describe('The columns that make a group.'),
      sum: z.array(z.string()).default([]).describe('Columns to add up.'),
      avg: z.array(z.string()).default([]).describe('Columns to average.'),
      min: z.array(z.string()).default([]).describe('Columns of which the least.'),
      max: z.array(z.string()).default([]).describe('Columns of which the greatest.'),
    },
    output: z.array(anyRow), runs: 'thread',
    example: 'table.aggregate([{ k: "a", n: 1 }, { k: "a", n: 2 }], ["k"], ["n"]) == [{ k: "a", count: 2, sum_n: 3 }]',
    run: ({ rows, by, sum, avg, min, max }) => aggregate(rows, by, { sum, avg, min, max }),
  }),
  pivot: pure({
    doc: 'A cross table: one row for each value of one column, one column for each value of another, and a measure of a third in the cells; null where there is nothing.',
    input: {
      rows, row: z.string().describe('Its values make the rows.'), column: z.string().describe('Its values make the columns.'), value: z.string().describe('What is measured.'),
      measure: z.enum(['sum', 'avg', 'min', 'max', 'count']).default('sum').describe('How it is measured.'),
    },
    output: z.array(anyRow), runs: 'thread',
    example: 'table.pivot([{ d: "mon", k: "a", n: 1 }, { d: "mon", k: "b", n: 2 }], "d", "k", "n") == [{ d: "mon", a: 1, b: 2 }]',
    run: ({ rows, row, column, value: cell, measure }) => pivot(rows, row, column, cell, measure),
  }),
  describe: pure({
    doc: 'What each column holds: kinds, how many values, how many are missing or different, least, greatest, mean of the numbers.',
    input: { rows },
    output: z.array(z.object({
      column: z.string(), kinds: z.array(z.string()), count: t.int, missing: t.int, distinct: t.int, min: t.any, max: t.any, mean: z.number().nullable(),
    })),
    runs: 'thread',
    example: 'map(table.describe([{ n: 1 }, { n: 3 }]), c => c.mean) == [2.0]',
    run: ({ rows }) => describeColumns(rows),
  }),
}

const printing = {
  toMarkdown: pure({
    doc: 'A table in Markdown; numbers stand to the right.',
    input: { rows, columns }, output: z.string(),
    example: 'table.toMarkdown([{ name: "a", n: 1 }]) == "| name | n |\\n| --- | ---: |\\n| a | 1 |\\n"',
    run: ({ rows, columns }) => toMarkdown(rows, columns),
  }),
  toText: pure({
    doc: 'A table for a terminal, in columns of fixed width; cells over 60 characters are cut.',
    input: { rows, columns }, output: z.string(),
    example: 'table.toText([{ name: "a", n: 1 }, { name: "bcd", n: 20 }]) == "name   n\\na      1\\nbcd   20\\n"',
    run: ({ rows, columns }) => toText(rows, columns),
  }),
  toCsv: pure({
    doc: 'A table as CSV with a heading line (RFC 4180, but with LF).',
    input: { rows, columns }, output: z.string(),
    example: 'table.toCsv([{ name: "a, b", n: 1 }]) == "name,n\\n\\"a, b\\",1\\n"',
    run: ({ rows, columns }) => toCsv(rows, columns),
  }),
}

export default definePlugin({
  name: 'table',
  version: '1.0.0',
  doc: 'Lists of records as tables: choosing, typing, ordering, joining, grouping, printing. At most 1,000,000 rows.',
  tools: { ...shaping, ...combining, ...printing },
})
