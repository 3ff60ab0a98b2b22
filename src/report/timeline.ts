// Timeline: when each task worked, as bars over one scale.
// Owns: which tasks get a row, the scale, the drawing. Does not own: colours (markup.ts styles them by status).
//   L1. Failed tasks always get a row, then the longest; rows are in the order of their beginnings. What is left out is counted.
//   L2. The same report gives the same bytes.
import { cutToWidth, elapsed, neutralise } from '#base/terminal-text.ts'
import type { RunReport, TaskReport } from '#model/report.ts'
import { escapeXml } from '#graph/svg.ts'
import { element, type Html, join, raw } from './markup.ts'

const MAX_ROWS = 80
const MAX_LABEL_COLUMNS = 34
const WIDTH = 960
const LABEL_WIDTH = 250
const ROW_HEIGHT = 20
const SCALE_HEIGHT = 24
const MIN_BAR_WIDTH = 2
/** Marks on the scale, at most. */
const MARKS = 6

interface Row {
  readonly task: TaskReport
  readonly startedAtMs: number
}

/** Null where nothing was timed. */
export function timeline(report: RunReport): Html | null {
  const timed = report.tasks.flatMap((task): Row[] => (task.startedAtMs === null ? [] : [{ task, startedAtMs: task.startedAtMs }]))
  if (timed.length === 0) return null
  const chosen = [...timed].sort((a, b) => Number(b.task.status === 'failed') - Number(a.task.status === 'failed') || b.task.elapsedMs - a.task.elapsedMs).slice(0, MAX_ROWS) // L1
  const rows = chosen.sort((a, b) => a.startedAtMs - b.startedAtMs || (a.task.path < b.task.path ? -1 : 1))
  const fromMs = Math.min(...rows.map(row => row.startedAtMs))
  const spanMs = Math.max(1, ...rows.map(row => row.startedAtMs + row.task.elapsedMs - fromMs))
  const scale = (WIDTH - LABEL_WIDTH - 60) / spanMs
  const height = SCALE_HEIGHT + rows.length * ROW_HEIGHT + 4
  const drawing = raw([
    `<svg xmlns="http://www.w3.org/2000/svg" class="timeline" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="when each task worked">`,
    ...marks(spanMs, scale, height),
    ...rows.map((row, index) => bar(row, SCALE_HEIGHT + index * ROW_HEIGHT, (row.startedAtMs - fromMs) * scale, row.task.elapsedMs * scale)),
    '</svg>',
  ].join('\n'))
  const left = timed.length - rows.length
  return element('figure', {}, drawing, ...(left > 0 ? [element('figcaption', {}, `The ${rows.length} longest; ${left.toLocaleString('en')} shorter ones are left out.`)] : []))
}

function bar({ task }: Row, y: number, x: number, width: number): string {
  const label = escapeXml(cutToWidth(neutralise(task.path), MAX_LABEL_COLUMNS))
  const facts = [task.status, elapsed(task.elapsedMs), task.attempts > 1 ? `${task.attempts} attempts` : '', task.cached ? 'from cache' : ''].filter(each => each !== '').join(', ')
  const left = LABEL_WIDTH + x
  const drawn = Math.max(MIN_BAR_WIDTH, width)
  return join([
    raw(`<g><title>${escapeXml(`${neutralise(task.path)}: ${facts}`)}</title><text x="0" y="${y + 14}">${label}</text>`),
    raw(`<rect class="${task.cached ? 'cached' : task.status}" x="${round(left)}" y="${y + 4}" width="${round(drawn)}" height="${ROW_HEIGHT - 8}" rx="2"/>`),
    raw(`<text class="scale" x="${round(left + drawn + 5)}" y="${y + 14}">${escapeXml(elapsed(task.elapsedMs))}</text></g>`),
  ]).html
}

/** Lines at round numbers of time. */
function marks(spanMs: number, scale: number, height: number): string[] {
  const rough = spanMs / MARKS
  const power = 10 ** Math.floor(Math.log10(rough))
  const stepMs = [1, 2, 5, 10].map(each => each * power).find(each => each >= rough)!
  const lines: string[] = []
  for (let index = 0; index <= MARKS && index * stepMs <= spanMs; index++) {
    const x = round(LABEL_WIDTH + index * stepMs * scale)
    lines.push(`<line x1="${x}" x2="${x}" y1="${SCALE_HEIGHT - 6}" y2="${height}"/><text class="scale" x="${x}" y="12">${escapeXml(elapsed(index * stepMs))}</text>`)
  }
  return lines
}

const round = (value: number): number => Math.round(value * 10) / 10
