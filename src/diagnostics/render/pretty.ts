// Pretty: a diagnostic as people read it: what, where, the source with the exact span underlined, and what to do next.
// Owns: the code frame. Does not own: colour on or off, the words.
//   P1. Carets stand under the characters of the span, whatever tabs, wide or combining characters stand before them.
//   P2. A line longer than the terminal is cut around the span; nothing is ever wrapped.
//   P3. Source text is neutralised: it cannot move the cursor or colour anything.
import { characterWidth, displayWidth, neutralise, type Paint } from '#base/terminal-text.ts'
import type { Place } from '#model/source.ts'
import type { Diagnostic, Severity } from '../diagnostic.ts'
import type { SourceTexts } from './source-lines.ts'

const TAB_COLUMNS = 4
const MAX_SPAN_LINES = 6
const MAX_RELATED = 5
const MIN_SOURCE_COLUMNS = 20

export interface PrettyOptions {
  readonly paint: Paint
  /** Columns of the terminal. */
  readonly columns: number
}

const colourOf: Readonly<Record<Severity, 'red' | 'yellow' | 'cyan'>> = { error: 'red', warning: 'yellow', info: 'cyan' }

/** One diagnostic as a block of lines, without an empty line at its end. */
export function renderPretty(diagnostic: Diagnostic, sources: SourceTexts, options: PrettyOptions): string {
  const { paint } = options
  const colour = colourOf[diagnostic.severity]
  const lines = [`${paint(colour, paint('bold', `${diagnostic.severity} ${diagnostic.code}`))}${paint('bold', `: ${neutralise(diagnostic.message)}`)}`]
  const related = diagnostic.related.slice(0, MAX_RELATED)
  const gutter = gutterWidth([diagnostic.at, ...related.map(each => each.at)], sources)
  if (diagnostic.at) lines.push(...snippet(diagnostic.at, '-->', '^', colour, '', gutter, sources, options))
  for (const each of related) lines.push(...snippet(each.at, ':::', '-', 'blue', each.message, gutter, sources, options))
  const margin = ' '.repeat(gutter + 1)
  for (const help of diagnostic.help) lines.push(`${margin}${paint('blue', '=')} ${paint('bold', 'help:')} ${neutralise(help)}`)
  for (const fix of diagnostic.fixes) {
    const note = fix.safe ? paint('dim', ' (tek check --fix does it)') : ''
    lines.push(`${margin}${paint('blue', '=')} ${paint('bold', 'fix:')} ${neutralise(fix.title)}${note}`)
  }
  return lines.join('\n')
}

/** Digits of the largest line number shown. */
function gutterWidth(places: readonly (Place | undefined)[], sources: SourceTexts): number {
  let largest = 1
  for (const place of places) {
    const lines = place && sources.lines(place.path)
    if (lines) largest = Math.max(largest, lines.position(place.end).line)
  }
  return String(largest).length
}

function snippet(
  place: Place, arrow: string, mark: string, colour: 'red' | 'yellow' | 'cyan' | 'blue', note: string,
  gutter: number, sources: SourceTexts, options: PrettyOptions,
): string[] {
  const { paint } = options
  const source = sources.lines(place.path)
  const margin = ' '.repeat(gutter)
  const said = note === '' ? '' : ` ${neutralise(note)}`
  if (!source) return [`${margin}${paint('blue', arrow)} ${neutralise(place.path)}${said}`]
  const from = source.position(place.start)
  const to = source.position(Math.max(place.end, place.start))
  const lines = [`${margin}${paint('blue', arrow)} ${neutralise(place.path)}:${from.line}:${from.column}`, `${margin} ${paint('blue', '|')}`]
  // A span that ends at the very start of a line ends on the line before.
  const last = to.line > from.line && to.column === 1 ? to.line - 1 : to.line
  const room = Math.max(MIN_SOURCE_COLUMNS, options.columns - gutter - 3)
  for (let line = from.line; line <= last; line++) {
    if (line === from.line + MAX_SPAN_LINES - 1 && line < last - 1) {
      lines.push(paint('blue', `${'.'.repeat(gutter)}`))
      line = last
    }
    const text = source.line(line)
    const startColumn = line === from.line ? from.column - 1 : text.length - text.trimStart().length
    const endColumn = line === to.line ? to.column - 1 : text.length
    const cut = frameLine(text, Math.min(startColumn, text.length), Math.min(endColumn, text.length), room)
    const tail = line === last ? said : ''
    lines.push(`${paint('blue', `${String(line).padStart(gutter)} |`)} ${cut.text}`.trimEnd())
    lines.push(`${margin} ${paint('blue', '|')} ${' '.repeat(cut.before)}${paint(colour, mark.repeat(Math.max(1, cut.width)) + tail)}`)
  }
  return lines
}

/** Columns from `start` to `end` of a line, and the part of the line that fits in `room` columns around them (P1 P2). */
function frameLine(raw: string, start: number, end: number, room: number): { text: string; before: number; width: number } {
  const expanded = expand(raw, start, end)
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

export interface Tally {
  readonly errors: number
  readonly warnings: number
  readonly files: number
}

/** The last line: `2 errors and 1 warning in 3 files`. */
export function renderSummary(tally: Tally, paint: Paint): string {
  const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`
  const where = `in ${plural(tally.files, 'file')}`
  if (tally.errors === 0 && tally.warnings === 0) return `${paint('green', 'fine')}: nothing wrong ${where}`
  const parts: string[] = []
  if (tally.errors > 0) parts.push(paint('red', plural(tally.errors, 'error')))
  if (tally.warnings > 0) parts.push(paint('yellow', plural(tally.warnings, 'warning')))
  return `${parts.join(' and ')} ${where}`
}

/** Errors and warnings among diagnostics. */
export function tally(diagnostics: readonly Diagnostic[], files: number): Tally {
  return {
    errors: diagnostics.filter(each => each.severity === 'error').length,
    warnings: diagnostics.filter(each => each.severity === 'warning').length,
    files,
  }
}
