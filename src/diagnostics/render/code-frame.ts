// Code frame: the part of a source line that fits a terminal, and the columns of a span in it.
// Owns: tabs, wide characters, cutting. Does not own: what stands around it (pretty.ts, flow.ts).
//   F1. Columns are those of the terminal, whatever tabs, wide or combining characters stand before them.
//   F2. A line that is too long is cut around the span; control characters are shown as pictures.
import { characterWidth, displayWidth, neutralise } from '#base/terminal-text.ts'

const TAB_COLUMNS = 4
/** UTF-16 code units that are looked at before the span, and after its beginning or end: no terminal shows more, and a line may be megabytes long. */
const MAX_BESIDE = 2_000
export const MIN_SOURCE_COLUMNS = 20

/** Columns from `start` to `end` of a line, and the part of the line that fits in `room` columns around them (F1 F2). */
export function frameLine(raw: string, start: number, end: number, room: number): { text: string; before: number; width: number } {
  const from = Math.max(0, start - MAX_BESIDE)
  const expanded = expand(raw.slice(from, Math.min(end, start + MAX_BESIDE) + MAX_BESIDE), start - from, end - from)
  const total = displayWidth(expanded.text)
  if (total <= room) return expanded
  const width = Math.min(expanded.width, room - 2)
  // The span a third from the left: what follows usually says more than what came before.
  const first = Math.max(0, Math.min(expanded.before - Math.floor((room - width) / 3), total - room + 1))
  const left = first > 0 ? '…' : ''
  const kept = columnsOf(expanded.text, first + left.length, first + room - 1)
  const right = first + room - 1 < total ? '…' : ''
  return { text: `${left}${kept.text}${right}`, before: expanded.before - kept.from + left.length, width: Math.max(1, Math.min(width, room - 1 - (expanded.before - first))) }
}

/** Tabs become spaces and control characters pictures; where the span begins and how wide it is, in columns. */
function expand(raw: string, start: number, end: number): { text: string; before: number; width: number } {
  let text = ''
  let column = 0
  let before = 0
  let after = 0
  let offset = 0
  for (const character of raw) {
    if (offset <= start) before = column
    if (offset <= end) after = column
    const shown = character === '\t' ? ' '.repeat(TAB_COLUMNS - (column % TAB_COLUMNS)) : neutralise(character)
    text += shown
    column += displayWidth(shown)
    offset += character.length
  }
  if (offset <= start) before = column
  if (offset <= end) after = column
  return { text, before, width: Math.max(after - before, 0) }
}

/** The characters that lie wholly between two columns, and the column where the first of them stands. */
function columnsOf(text: string, from: number, to: number): { text: string; from: number } {
  let column = 0
  let kept = ''
  let first = from
  for (const character of text) {
    const width = characterWidth(character)
    if (column >= from && column + width <= to) {
      if (kept === '') first = column
      kept += character
    }
    column += width
  }
  return { text: kept, from: first }
}
