// Points: values over a line of numbers or time: line chart, scatter chart, timeline.
// Owns: where each mark stands. Does not own: the pieces (svg).
import { at, colour, cut, escapeXml, frame, legend, line, numberText, rect, requirePoints, scale, text, type Scale } from './svg.ts'

export interface Point {
  x: number
  y: number
  label?: string | undefined
}

export interface Series {
  name: string
  points: readonly Point[]
}

export interface Span {
  label: string
  start: number
  end: number
  group?: string | undefined
}

const MAX_SPANS = 2_000
const MAX_SERIES = 20
const DAY_MS = 86_400_000

/** Text of a time on an axis, as exact as the range needs. */
function timeText(value: number, rangeMs: number): string {
  if (Math.abs(value) > 8.64e15) return numberText(value)
  const iso = new Date(value).toISOString()
  if (rangeMs > 700 * DAY_MS) return iso.slice(0, 7)
  if (rangeMs > 2 * DAY_MS) return iso.slice(5, 10)
  if (rangeMs > 120_000) return iso.slice(11, 16)
  return rangeMs > 4_000 ? iso.slice(11, 19) : iso.slice(14, 23)
}

const axisText = (value: number, axis: Scale, kind: 'number' | 'time'): string => (kind === 'time' ? timeText(value, axis.greatest - axis.least) : numberText(value))

/** A tick's text under the axis; at the right edge it ends there instead of being cut. */
function tickText(x: Scale, tick: number, kind: 'number' | 'time', width: number, height: number): string {
  const isAtEdge = kind === 'time' && x.place(tick) > width - EDGE
  return text(isAtEdge ? width : x.place(tick), height - 6, axisText(tick, x, kind), { anchor: isAtEdge ? 'end' : 'middle', faint: true })
}

interface Plot {
  readonly x: Scale
  readonly y: Scale
  readonly grid: string
}

const [LEFT, TOP, BOTTOM] = [56, 8, 24]
/** Half the width of the longest time, in units of the drawing. */
const EDGE = 32

function plotArea(points: readonly Point[], width: number, height: number, xKind: 'number' | 'time', zero: boolean): Plot {
  const x = scale(points.map(point => point.x), LEFT, width - 12)
  const y = scale(points.map(point => point.y), height - BOTTOM, TOP, { zero })
  const grid = y.ticks.map(tick => line(LEFT, y.place(tick), width - 12, y.place(tick)) + text(LEFT - 6, y.place(tick) + 4, numberText(tick), { anchor: 'end', faint: true })).join('') +
    x.ticks.map(tick => line(x.place(tick), height - BOTTOM, x.place(tick), height - BOTTOM + 4, 0.5) + tickText(x, tick, xKind, width, height)).join('')
  return { x, y, grid }
}

export function lineChart(series: readonly Series[], title: string, xKind: 'number' | 'time', width: number, height: number): string {
  requirePoints(series.length, MAX_SERIES)
  const all = series.flatMap(one => one.points)
  requirePoints(all.length)
  const { x, y, grid } = plotArea(all, width, height, xKind, true)
  const lines = series.map((one, index) => {
    const ordered = [...one.points].sort((a, b) => a.x - b.x)
    const path = ordered.map((point, place) => `${place === 0 ? 'M' : 'L'} ${at(x.place(point.x))} ${at(y.place(point.y))}`).join(' ')
    const dash = index === 0 ? '' : `;stroke-dasharray:${['6 3', '2 2', '8 3 2 3'][(index - 1) % 3]}`
    const marks = ordered.length > 200 ? '' : ordered.map(point =>
      `<circle cx="${at(x.place(point.x))}" cy="${at(y.place(point.y))}" r="2.5" style="fill:${colour(index)}"><title>${escapeXml(cut(`${one.name} ${axisText(point.x, x, xKind)}: ${numberText(point.y)}`, 200))}</title></circle>`).join('')
    return path === '' ? '' : `<path d="${path}" style="fill:none;stroke:${colour(index)};stroke-width:2${dash}"/>${marks}`
  }).join('')
  const names = series.length > 1 ? legend(series.map(one => one.name), LEFT, height + 4) : ''
  const description = `Line chart of ${series.length} series: ${series.slice(0, 5).map(one => `${one.name} (${one.points.length} points)`).join(', ')}.`
  return frame(width, height + (names === '' ? 0 : series.length * 18 + 4), title, description, grid + lines + names)
}

export function scatterChart(points: readonly Point[], title: string, xName: string, yName: string, width: number, height: number): string {
  requirePoints(points.length)
  const { x, y, grid } = plotArea(points, width, height, 'number', false)
  const marks = points.map(point => {
    const tooltip = escapeXml(cut(`${point.label ?? ''} (${numberText(point.x)}, ${numberText(point.y)})`.trim(), 200))
    return `<circle cx="${at(x.place(point.x))}" cy="${at(y.place(point.y))}" r="4" style="fill:${colour(0)};fill-opacity:.6"><title>${tooltip}</title></circle>`
  }).join('')
  const names = text(width - 12, height + 12, xName, { anchor: 'end', faint: true }) + text(LEFT, height + 12, yName === '' ? '' : `↑ ${yName}`, { faint: true })
  const ranges = `x from ${numberText(x.least)} to ${numberText(x.greatest)}, y from ${numberText(y.least)} to ${numberText(y.greatest)}`
  const hasNames = xName + yName !== ''
  return frame(width, height + (hasNames ? 18 : 0), title, `Scatter chart of ${points.length} points, ${ranges}.`, grid + marks + (hasNames ? names : ''))
}

export function timeline(spans: readonly Span[], title: string, xKind: 'number' | 'time', width: number): string {
  requirePoints(spans.length, MAX_SPANS)
  const labelWidth = Math.min(width * 0.35, 20 + 6.2 * spans.reduce((longest, span) => Math.max(longest, [...cut(span.label, 32)].length), 4))
  const groups = [...new Set(spans.map(span => span.group ?? ''))]
  const height = spans.length * 18 + 26
  const x = scale(spans.flatMap(span => [span.start, span.end]), labelWidth + 8, width - 12)
  const grid = x.ticks.map(tick => line(x.place(tick), 0, x.place(tick), height - 20) + tickText(x, tick, xKind, width, height)).join('')
  const marks = spans.map((span, index) => {
    const [from, to] = [Math.min(span.start, span.end), Math.max(span.start, span.end)]
    const length = xKind === 'time' ? `${numberText((to - from) / 1_000)} s` : numberText(to - from)
    return text(labelWidth, index * 18 + 13, span.label, { anchor: 'end', max: 32 }) +
      rect(x.place(from), index * 18 + 3, Math.max(2, x.place(to) - x.place(from)), 12, `fill:${colour(Math.max(0, groups.indexOf(span.group ?? '')))}`, `${span.label}: ${length}`)
  }).join('')
  const names = groups.length > 1 ? legend(groups.map(group => (group === '' ? 'other' : group)), 0, height + 4) : ''
  return frame(width, height + (names === '' ? 0 : groups.length * 18 + 4), title, `Timeline of ${spans.length} spans.`, grid + marks + names)
}
