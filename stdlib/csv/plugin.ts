// csv: comma-separated values (RFC 4180) and their relatives.
// Owns: what a program sees of the npm package `csv-parse`; printing. A BOM is dropped, quotes are understood, blank lines are passed over.
//   C1. A row of the wrong length is an error that names the line, not a guess. C2. A heading that stands twice is an error.
//   C3. Records are built from entries, so that a heading `__proto__` is data.
import { CsvError, parse } from 'csv-parse/sync'
import { definePlugin, pure, t, ToolFailure, z } from 'tek-lang/plugin'

const MAX_TEXT_LENGTH = 10_000_000
const MAX_ROWS = 1_000_000

const text = z.string().describe('CSV text.')
const delimiter = z.string().default(',').describe('What stands between values, one character: "," ";" or "\\t".')
const anyRow = t.map(t.any)

function checkedDelimiter(value: string): string {
  if (value.length !== 1 || value === '"' || /[\r\n]/.test(value)) throw new ToolFailure('bad-delimiter', 'The delimiter must be one character, not a quote or a line end.')
  return value
}

function parsed(content: string, separator: string, sameLength: boolean): string[][] {
  if (content.length > MAX_TEXT_LENGTH) throw new ToolFailure('too-long', `CSV text is at most ${MAX_TEXT_LENGTH} characters here.`)
  try {
    const rows = parse(content, {
      bom: true, delimiter: checkedDelimiter(separator), skip_empty_lines: true, relax_column_count: !sameLength, to: MAX_ROWS + 1, max_record_size: MAX_TEXT_LENGTH,
    }) as string[][]
    if (rows.length > MAX_ROWS) throw new ToolFailure('too-many', `There are more than ${MAX_ROWS} rows.`)
    return rows
  } catch (problem) {
    if (!(problem instanceof CsvError)) throw problem
    const found = problem as CsvError & { lines?: number; record?: unknown[] }
    const width = found.record?.length
    const message = problem.code === 'CSV_RECORD_INCONSISTENT_FIELDS_LENGTH'
      ? `it has ${width === undefined ? 'another number of values' : width === 1 ? '1 value' : `${width} values`}, the rows before have another number` // C1
      : problem.code === 'CSV_QUOTE_NOT_CLOSED' ? 'a quote that is opened is never closed' : problem.message
    throw new ToolFailure('not-csv', `Line ${found.lines ?? '?'}: ${message}.`)
  }
}

function headings(first: readonly string[]): readonly string[] {
  const seen = new Set<string>()
  for (const name of first) {
    if (seen.has(name)) throw new ToolFailure('duplicate-heading', `The heading \`${name}\` stands twice.`) // C2
    seen.add(name)
  }
  return first
}

function cell(value: unknown, separator: string): string {
  const plain = value === null || value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value)
  return plain.includes(separator) || /["\r\n]|^\s|\s$/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain
}

/** A spreadsheet would run a cell that begins like this as a formula. */
const defused = (value: unknown): unknown => (typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : value)

function line(values: readonly unknown[], separator: string): string {
  const joined = values.map(value => cell(value, separator)).join(separator)
  return `${values.length === 1 && joined === '' ? '""' : joined}\n`
}

export default definePlugin({
  name: 'csv',
  version: '1.0.0',
  doc: 'Comma-separated values (RFC 4180): reading rows and records, writing them. At most 10,000,000 characters and 1,000,000 rows.',
  tools: {
    parse: pure({
      doc: 'The rows of a CSV text, each a list of texts. Fails when a row has another length than the first.',
      input: { text, delimiter, ragged: z.boolean().default(false).describe('Allow rows of different lengths.') },
      output: z.array(z.array(z.string())), runs: 'thread',
      example: 'csv.parse("a,\\"b, c\\"\\n1,2\\n") == [["a", "b, c"], ["1", "2"]]',
      run: ({ text, delimiter, ragged }) => parsed(text, delimiter, !ragged),
    }),
    rows: pure({
      doc: 'The rows under a heading line, each a map from heading to text. Use table.typed to make numbers of them.',
      input: { text, delimiter }, output: z.array(t.map(z.string())), runs: 'thread',
      example: 'csv.rows("name,age\\nAda,36\\n") == [{ name: "Ada", age: "36" }]',
      run: ({ text, delimiter }) => {
        const [first, ...rest] = parsed(text, delimiter, true)
        const names = headings(first ?? [])
        return rest.map(row => Object.fromEntries(names.map((name, index) => [name, row[index] ?? '']))) // C3
      },
    }),
    print: pure({
      doc: 'Lists of values as CSV text; null is empty, records and lists are JSON.',
      input: { rows: z.array(z.array(t.any)).describe('The rows.'), delimiter }, output: z.string(), runs: 'thread',
      example: 'csv.print([["a", 1], ["b, c", null]]) == "a,1\\n\\"b, c\\",\\n"',
      run: ({ rows, delimiter }) => {
        const separator = checkedDelimiter(delimiter)
        return rows.map(row => line(row, separator)).join('')
      },
    }),
    printRows: pure({
      doc: 'Records as CSV text with a heading line. Headings are the fields of all records in order of first appearance unless given.',
      input: {
        rows: z.array(anyRow).describe('The records.'),
        columns: z.array(z.string()).default([]).describe('The fields to write, in order; all unless given.'),
        delimiter,
        safe: z.boolean().default(false).describe('Put an apostrophe before text that a spreadsheet would take for a formula.'),
      },
      output: z.string(), runs: 'thread',
      example: 'csv.printRows([{ name: "Ada", age: 36 }]) == "name,age\\nAda,36\\n"',
      run: ({ rows, columns, delimiter, safe }) => {
        const separator = checkedDelimiter(delimiter)
        const names = columns.length > 0 ? headings(columns) : [...new Set(rows.flatMap(row => Object.keys(row)))]
        if (names.length === 0) return ''
        const value = (row: Readonly<Record<string, unknown>>, name: string) => (Object.hasOwn(row, name) ? (safe ? defused(row[name]) : row[name]) : null)
        return line(names, separator) + rows.map(row => line(names.map(name => value(row, name)), separator)).join('')
      },
    }),
  },
})
