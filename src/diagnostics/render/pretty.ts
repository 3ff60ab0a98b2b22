// Pretty: a diagnostic as people read it: what, where, the source with the exact span underlined, and what to do next.
// Owns: the order of its parts. Does not own: colour on or off, the words, the part of a line that fits (code-frame.ts), ways of a value (flow.ts).
//   P1. Carets stand under the characters of the span, whatever tabs, wide or combining characters stand before them.
//   P2. A line longer than the terminal is cut around the span; nothing is ever wrapped.
//   P3. Source text is neutralised: it cannot move the cursor or colour anything.
import { neutralise, type Paint } from '#base/terminal-text.ts'
import type { Place } from '#model/source.ts'
import type { Diagnostic, Severity } from '../diagnostic.ts'
import { frameLine, MIN_SOURCE_COLUMNS } from './code-frame.ts'
import { renderFlow } from './flow.ts'
import type { SourceTexts } from './source-lines.ts'

const MAX_SPAN_LINES = 6
const MAX_RELATED = 5

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
  const isFlow = diagnostic.flow !== undefined && diagnostic.at !== undefined
  const related = isFlow ? diagnostic.related : diagnostic.related.slice(0, MAX_RELATED)
  const gutter = gutterWidth([diagnostic.at, ...related.map(each => each.at)], sources)
  if (isFlow) lines.push(...renderFlow([...related, { at: diagnostic.at, message: diagnostic.flow }], colour, gutter, sources, options))
  else if (diagnostic.at) lines.push(...snippet(diagnostic.at, '-->', '^', colour, '', gutter, sources, options))
  if (!isFlow) for (const each of related) lines.push(...snippet(each.at, ':::', '-', 'blue', each.message, gutter, sources, options))
  lines.push(...nextSteps(diagnostic, options, gutter))
  return lines.join('\n')
}

function nextSteps(diagnostic: Diagnostic, { paint }: PrettyOptions, gutter: number): string[] {
  const margin = ' '.repeat(gutter + 1)
  const lines: string[] = []
  for (const help of diagnostic.help) lines.push(`${margin}${paint('blue', '=')} ${paint('bold', 'help:')} ${neutralise(help)}`)
  for (const fix of diagnostic.fixes) {
    const note = fix.safe ? paint('dim', ' (tek check --fix does it)') : ''
    lines.push(`${margin}${paint('blue', '=')} ${paint('bold', 'fix:')} ${neutralise(fix.title)}${note}`)
  }
  return lines
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
