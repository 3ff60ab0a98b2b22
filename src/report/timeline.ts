// Timeline: when each task worked, as bars over one scale.
// Owns: which tasks get a row, the scale, the drawing. Does not own: colours (markup.ts styles them by status).
//   L1. Failed tasks always get a row, then the longest; rows are in the order of their beginnings. What is left out is counted.
//   L2. The same report gives the same bytes.
//   L3. Attempts are bars of their own; a wait is an outline, so that work and waiting cannot be taken for each other, also in black and white.
import { cutToWidth, elapsed, neutralise } from '#base/terminal-text.ts'
import type { RunReport, RunSession, TaskReport, TaskSpan } from '#model/report.ts'
import { escapeXml } from '#graph/svg.ts'
import { element, type Html, join, raw } from './markup.ts'

const MAX_ROWS = 80
const MAX_LABEL_COLUMNS = 34
const MAX_SESSIONS = 200
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
    ...gaps(report.sessions ?? [], fromMs, spanMs, scale, height),
    ...rows.map((row, index) => bar(row, SCALE_HEIGHT + index * ROW_HEIGHT, fromMs, scale)),
    '</svg>',
  ].join('\n'))
  const left = timed.length - rows.length
  const captions = [
    rows.some(row => waitedMs(row.task) > 0) ? 'Dashed: it waited.' : '', (report.sessions ?? []).length > 1 ? 'Grey: no process was at work on the run.' : '',
    left > 0 ? `The ${rows.length} longest; ${left.toLocaleString('en')} shorter ones are left out.` : '',
  ].filter(each => each !== '')
  return element('figure', {}, drawing, ...(captions.length > 0 ? [element('figcaption', {}, captions.join(' '))] : []))
}

/** Milliseconds in which a task waited, for a person, a time or its next attempt. */
export function waitedMs({ spans = [] }: TaskReport): number {
  return spans.reduce((sum, { kind, fromMs, toMs }) => sum + (kind === 'work' || toMs === null ? 0 : toMs - fromMs), 0)
}

function bar({ task, startedAtMs }: Row, y: number, fromMs: number, scale: number): string {
  const label = escapeXml(cutToWidth(neutralise(task.path), MAX_LABEL_COLUMNS))
  const waited = waitedMs(task)
  const facts = [task.status, elapsed(task.elapsedMs), task.attempts > 1 ? `${task.attempts} attempts` : '', waited > 0 ? `waited ${elapsed(waited)}` : '', task.cached ? 'from cache' : ''].filter(each => each !== '').join(', ')
  const endMs = startedAtMs + task.elapsedMs
  const place = (start: number, end: number): readonly [number, number] => [LABEL_WIDTH + (start - fromMs) * scale, Math.max(MIN_BAR_WIDTH, (end - start) * scale)]
  const rect = (name: string, start: number, end: number, title: string): string => {
    const [x, width] = place(start, end)
    return `<rect class="${name}" x="${round(x)}" y="${y + 4}" width="${round(width)}" height="${ROW_HEIGHT - 8}" rx="2">${title === '' ? '' : `<title>${escapeXml(neutralise(title))}</title>`}</rect>`
  }
  const [left, drawn] = place(startedAtMs, endMs)
  const bars = task.spans === undefined
    ? [rect(task.cached ? 'cached' : task.status, startedAtMs, endMs, '')]
    : task.spans.map(span => rect(spanClass(span, task), span.fromMs, span.toMs ?? Math.max(endMs, span.fromMs), spanTitle(span))) // L3
  return join([
    raw(`<g><title>${escapeXml(`${neutralise(task.path)}: ${facts}`)}</title><text x="0" y="${y + 14}">${label}</text>`),
    raw(bars.join('')),
    raw(`<text class="scale" x="${round(left + drawn + 5)}" y="${y + 14}">${escapeXml(elapsed(task.elapsedMs))}</text></g>`),
  ]).html
}

function spanClass({ kind, code, toMs }: TaskSpan, task: TaskReport): string {
  if (kind !== 'work') return 'wait'
  return code !== undefined ? 'failed' : toMs === null ? 'running' : task.cached ? 'cached' : 'done'
}

const waitWords: Readonly<Record<Exclude<TaskSpan['kind'], 'work'>, string>> = { approval: 'waited for an answer', time: 'waited for a time', retry: 'waited for the next attempt' }

function spanTitle({ kind, attempt, fromMs, toMs, code }: TaskSpan): string {
  const took = toMs === null ? 'has not ended' : elapsed(toMs - fromMs)
  return kind === 'work' ? `attempt ${attempt}: ${code ?? 'fine'}, ${took}` : `${waitWords[kind]}: ${took}`
}

/** Times between the processes that drove the run. */
function gaps(sessions: readonly RunSession[], fromMs: number, spanMs: number, scale: number, height: number): string[] {
  const drawn: string[] = []
  for (const [index, { fromMs: nextMs }] of sessions.slice(0, MAX_SESSIONS).entries()) {
    const before = sessions[index - 1]
    if (before === undefined) continue
    const [start, end] = [Math.max(0, before.toMs - fromMs), Math.min(spanMs, nextMs - fromMs)]
    if (end > start) drawn.push(`<rect class="gap" x="${round(LABEL_WIDTH + start * scale)}" y="${SCALE_HEIGHT - 6}" width="${round((end - start) * scale)}" height="${height - SCALE_HEIGHT + 6}"/>`)
  }
  return drawn
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
