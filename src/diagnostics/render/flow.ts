// Flow: the way of a value as one numbered picture, from where it came in to where it may not be.
// Owns: the picture. Does not own: the steps, the part of a line that fits (code-frame.ts).
//   W1. Steps are in the order of the way, so line numbers may go back; a line is drawn once for all steps that follow each other on it.
//   W2. A note that does not fit beside its mark stands below it; one that fits nowhere is cut by nothing and may be long.
//   W3. Of a way with more than MAX_STEPS steps the first and the last are drawn, and how many are left out.
import { displayWidth, neutralise, type Paint } from '#base/terminal-text.ts'
import type { RelatedPlace } from '../diagnostic.ts'
import { frameLine, MIN_SOURCE_COLUMNS } from './code-frame.ts'
import type { SourceTexts } from './source-lines.ts'

const MAX_STEPS = 24

interface Options {
  readonly paint: Paint
  /** Columns of the terminal. */
  readonly columns: number
}

/** The lines of the picture; the last step is where the way ends. */
export function renderFlow(steps: readonly RelatedPlace[], colour: 'red' | 'yellow' | 'cyan', gutter: number, sources: SourceTexts, options: Options): string[] {
  const { paint } = options
  const margin = ' '.repeat(gutter)
  const bar = `${margin} ${paint('blue', '|')}`
  const end = steps.at(-1)!
  const lines: string[] = [heading('-->', end, margin, sources, paint)]
  const left = steps.length > MAX_STEPS ? MAX_STEPS / 2 : steps.length
  let path = end.at.path
  let drawn = 0
  for (const [index, step] of steps.entries()) {
    if (index >= left && index < steps.length - MAX_STEPS / 2) {
      if (index === left) lines.push(`${margin} ${paint('blue', '.')} ${steps.length - MAX_STEPS} more steps`) // W3
      continue
    }
    if (step.at.path !== path) {
      lines.push(heading(':::', step, margin, sources, paint))
      path = step.at.path
      drawn = 0
    }
    const source = sources.lines(step.at.path)
    if (source === null || source === undefined) continue
    const from = source.position(step.at.start)
    const to = source.position(Math.max(step.at.end, step.at.start))
    const text = source.line(from.line)
    const room = Math.max(MIN_SOURCE_COLUMNS, options.columns - gutter - 3)
    const cut = frameLine(text, Math.min(from.column - 1, text.length), to.line === from.line ? Math.min(to.column - 1, text.length) : text.trimEnd().length, room)
    if (drawn !== from.line) lines.push(bar, `${paint('blue', `${String(from.line).padStart(gutter)} |`)} ${cut.text}`.trimEnd()) // W1
    drawn = from.line
    const isEnd = index === steps.length - 1
    const tone = isEnd ? colour : 'blue'
    const mark = (isEnd ? '^' : '-').repeat(Math.max(1, cut.width))
    const note = `${index + 1}. ${neutralise(step.message)}`
    const beside = cut.before + mark.length + 1 + displayWidth(note) <= room
    lines.push(`${bar} ${' '.repeat(cut.before)}${paint(tone, beside ? `${mark} ${note}` : mark)}`)
    if (!beside) lines.push(`${bar} ${' '.repeat(Math.max(0, Math.min(cut.before, room - displayWidth(note))))}${paint(tone, note)}`) // W2
  }
  return [...lines, bar]
}

function heading(arrow: string, step: RelatedPlace, margin: string, sources: SourceTexts, paint: Paint): string {
  const position = sources.lines(step.at.path)?.position(step.at.start)
  return `${margin}${paint('blue', arrow)} ${neutralise(step.at.path)}${position ? `:${position.line}:${position.column}` : ''}`
}
