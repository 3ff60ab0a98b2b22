// Columns: two columns of text, as help and lists show them.
import { padToWidth, type Paint } from '#base/terminal-text.ts'

const MAX_LEFT_COLUMNS = 34

/** Two columns, the first as wide as its widest cell up to a limit; a wider cell gets a line of its own. */
export function table(rows: readonly (readonly [string, string])[], paint: Paint): string[] {
  const width = Math.min(MAX_LEFT_COLUMNS, Math.max(...rows.map(([left]) => left.length), 0)) + 2
  return rows.flatMap(([left, right]) =>
    left.length + 2 > width ? [`  ${paint('cyan', left)}`, `  ${' '.repeat(width)}${right}`] : [`  ${paint('cyan', padToWidth(left, width))}${right}`.trimEnd()],
  )
}
