// Duplicates: runs of lines that stand in more than one place.
// Owns: finding them. Lines are compared without white space at both ends; blank lines and lines of brackets alone do not count.
//   D1. Each line is visited a bounded number of times: a window is looked up by its text, a match is extended once and then skipped over.
//   D2. A place never overlaps another place of the same duplicate.
import { ToolFailure } from 'tek-lang/plugin'

const MAX_TOTAL_LINES = 2_000_000
const MAX_DUPLICATES = 1_000

export interface Place {
  file: string
  line: number
  endLine: number
}

export interface Duplicate {
  lines: number
  places: Place[]
  sample: string
}

interface Rows {
  readonly texts: string[]
  readonly files: number[]
  readonly numbers: number[]
}

function significantRows(files: readonly { file: string; text: string }[]): Rows {
  const rows: Rows = { texts: [], files: [], numbers: [] }
  files.forEach(({ text }, file) => {
    text.split('\n').forEach((line, index) => {
      const plain = line.trim()
      if (!/[\p{L}\p{N}]/u.test(plain)) return
      rows.texts.push(plain)
      rows.files.push(file)
      rows.numbers.push(index + 1)
    })
  })
  if (rows.texts.length > MAX_TOTAL_LINES) throw new ToolFailure('too-large', `More than ${MAX_TOTAL_LINES} lines to compare.`)
  return rows
}

/** Small numbers for lines, so that a window's key is short. */
function numbered(texts: readonly string[]): Int32Array {
  const known = new Map<string, number>()
  return Int32Array.from(texts, text => {
    const number = known.get(text) ?? known.size
    known.set(text, number)
    return number
  })
}

export function findDuplicates(files: readonly { file: string; text: string }[], minLines: number): Duplicate[] {
  const rows = significantRows(files)
  const ids = numbered(rows.texts)
  const fileOf = (row: number) => rows.files[row] ?? -1
  const firstSeen = new Map<string, number>()
  const groups = new Map<string, { start: number; length: number; others: number[] }>()
  const windowAt = (row: number): string | null =>
    row + minLines <= ids.length && fileOf(row) === fileOf(row + minLines - 1) ? ids.subarray(row, row + minLines).join(',') : null

  for (let row = 0; row < ids.length; ) {
    const key = windowAt(row)
    const earlier = key === null ? undefined : firstSeen.get(key)
    if (key !== null && earlier === undefined) firstSeen.set(key, row)
    if (earlier === undefined || (fileOf(earlier) === fileOf(row) && earlier + minLines > row)) {
      row++
      continue
    }
    let length = minLines
    while (
      row + length < ids.length && ids[row + length] === ids[earlier + length] && fileOf(row + length) === fileOf(row) &&
      fileOf(earlier + length) === fileOf(earlier) && earlier + length < row // D2
    ) length++
    const group = groups.get(`${earlier}:${length}`) ?? { start: earlier, length, others: [] }
    group.others.push(row)
    groups.set(`${earlier}:${length}`, group)
    row += length // D1
  }
  return [...groups.values()]
    .map(({ start, length, others }) => ({
      lines: length,
      places: [start, ...others].map(first => ({
        file: files[fileOf(first)]?.file ?? '',
        line: rows.numbers[first] ?? 0,
        endLine: rows.numbers[first + length - 1] ?? 0,
      })),
      sample: rows.texts.slice(start, start + Math.min(length, 5)).join('\n'),
    }))
    .sort((a, b) => b.lines * (b.places.length - 1) - a.lines * (a.places.length - 1))
    .slice(0, MAX_DUPLICATES)
}
