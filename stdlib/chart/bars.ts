// Bars: parts and amounts by name: bar chart, pie chart, treemap, heat map.
// Owns: where each mark stands. Does not own: the pieces (svg).
import { at, colour, cut, escapeXml, frame, legend, line, numberText, rect, requirePoints, scale, text } from './svg.ts'
import { ToolFailure } from 'tek-lang/plugin'

export interface Amount {
  label: string
  value: number
}

const MAX_BARS = 1_000
const MAX_SLICES = 10
const MAX_TILES = 2_000
const MAX_CELLS = 20_000

export function barChart(data: readonly Amount[], title: string, unit: string, width: number): string {
  requirePoints(data.length, MAX_BARS)
  const labelWidth = Math.min(width * 0.4, 20 + 6.2 * data.reduce((longest, bar) => Math.max(longest, [...cut(bar.label, 36)].length), 4))
  const height = data.length * 22 + 24
  const x = scale(data.map(bar => bar.value), labelWidth + 8, width - 64, { zero: true })
  const zero = x.place(0)
  const grid = x.ticks.map(tick => line(x.place(tick), 0, x.place(tick), height - 20) + text(x.place(tick), height - 6, numberText(tick), { anchor: 'middle', faint: true })).join('')
  const bars = data.map((bar, index) => {
    const [left, right] = [Math.min(zero, x.place(bar.value)), Math.max(zero, x.place(bar.value))]
    return text(labelWidth, index * 22 + 15, bar.label, { anchor: 'end', max: 36 }) +
      rect(left, index * 22 + 3, Math.max(1, right - left), 16, `fill:${colour(bar.value < 0 ? 3 : 0)}`, `${bar.label}: ${numberText(bar.value)}${unit}`) +
      text(right + 4, index * 22 + 15, `${numberText(bar.value)}${unit}`, { faint: true, max: 16 })
  }).join('')
  return frame(width, height, title, `Bar chart of ${data.length} values. ${data.slice(0, 8).map(bar => `${bar.label} ${numberText(bar.value)}${unit}`).join(', ')}.`, grid + bars)
}

/** Slices in the order given; beyond MAX_SLICES the smallest are put together as "other". */
export function pieChart(data: readonly Amount[], title: string, size: number): string {
  requirePoints(data.length)
  if (data.some(slice => slice.value < 0)) throw new ToolFailure('negative', 'A pie has no negative parts.')
  const kept = data.length <= MAX_SLICES ? [...data] : [...data].sort((a, b) => b.value - a.value).slice(0, MAX_SLICES - 1)
  const total = data.reduce((sum, slice) => sum + slice.value, 0)
  if (data.length > MAX_SLICES) kept.push({ label: 'other', value: Math.max(0, total - kept.reduce((sum, slice) => sum + slice.value, 0)) })
  const [radius, centre] = [size / 2 - 4, size / 2]
  const shares = kept.map(slice => (total === 0 ? 0 : slice.value / total))
  let turned = 0
  const slices = kept.map((slice, index) => {
    const share = shares[index] ?? 0
    const [start, end] = [turned, (turned += share)]
    const tooltip = `<title>${escapeXml(cut(`${slice.label}: ${numberText(slice.value)} (${Math.round(share * 100)} %)`, 200))}</title>`
    if (share === 0) return ''
    const style = `fill:${colour(index)};stroke:none`
    if (share > 0.9999) return `<circle cx="${at(centre)}" cy="${at(centre)}" r="${at(radius)}" style="${style}">${tooltip}</circle>`
    const point = (turn: number) => `${at(centre + radius * Math.sin(turn * 2 * Math.PI))} ${at(centre - radius * Math.cos(turn * 2 * Math.PI))}`
    return `<path d="M ${at(centre)} ${at(centre)} L ${point(start)} A ${at(radius)} ${at(radius)} 0 ${share > 0.5 ? 1 : 0} 1 ${point(end)} Z" style="${style}">${tooltip}</path>`
  }).join('')
  const names = kept.map((slice, index) => `${cut(slice.label, 16)} ${Math.round((shares[index] ?? 0) * 100)} %`)
  return frame(size + 190, Math.max(size, kept.length * 18 + 8), title, `Pie chart. ${names.join(', ')}.`, slices + legend(names, size + 12, 8))
}

export interface Cell {
  row: string
  column: string
  value: number
}

/** The colour of heat: one hue, stronger for more, so that it reads in light and dark and without colour vision. */
const heat = (share: number): string => `fill:${colour(3)};fill-opacity:${at(0.08 + 0.92 * Math.max(0, Math.min(1, share)))}`

export function heatMap(cells: readonly Cell[], title: string, width: number): string {
  requirePoints(cells.length, MAX_CELLS)
  const rows = [...new Set(cells.map(cell => cell.row))]
  const columns = [...new Set(cells.map(cell => cell.column))]
  const labelWidth = Math.min(width * 0.3, 16 + 6.2 * rows.reduce((longest, row) => Math.max(longest, [...cut(row, 24)].length), 3))
  const cellWidth = (width - labelWidth - 4) / Math.max(1, columns.length)
  const cellHeight = Math.max(12, Math.min(26, cellWidth))
  const [rowPlace, columnPlace] = [new Map(rows.map((row, index) => [row, index])), new Map(columns.map((column, index) => [column, index]))]
  const values = cells.map(cell => cell.value)
  const range = scale(values, 0, 1)
  const every = Math.max(1, Math.ceil(46 / cellWidth))
  const heads = columns.map((column, index) => (index % every === 0 ? text(labelWidth + 4 + (index + 0.5) * cellWidth, 12, column, { anchor: 'middle', faint: true, max: Math.max(3, Math.floor((cellWidth * every) / 6.5)) }) : '')).join('')
  const names = rows.map((row, index) => text(labelWidth, 18 + (index + 0.5) * cellHeight + 4, row, { anchor: 'end', max: 24 })).join('')
  const marks = cells.map(cell => {
    const [x, y] = [labelWidth + 4 + (columnPlace.get(cell.column) ?? 0) * cellWidth, 18 + (rowPlace.get(cell.row) ?? 0) * cellHeight]
    return rect(x, y, cellWidth - 1, cellHeight - 1, heat(range.place(cell.value)), `${cell.row}, ${cell.column}: ${numberText(cell.value)}`)
  }).join('')
  return frame(width, 22 + rows.length * cellHeight, title, `Heat map of ${rows.length} rows and ${columns.length} columns, from ${numberText(range.least)} to ${numberText(range.greatest)}.`, heads + names + marks)
}

export interface Tile extends Amount {
  heat?: number | undefined
}

interface Area {
  x: number
  y: number
  width: number
  height: number
}

/** Squarified layout (Bruls, Huizing, van Wijk 2000): tiles as near to squares as a row-by-row fill allows. Values must be in falling order. */
function squarified(values: readonly number[], area: Area): Area[] {
  const result: Area[] = []
  let rest = { ...area }
  let left = values.reduce((sum, value) => sum + value, 0)
  for (let start = 0; start < values.length; ) {
    const side = Math.min(rest.width, rest.height)
    const perValue = left > 0 ? (rest.width * rest.height) / left : 0
    let [end, sum, worst] = [start, 0, Number.POSITIVE_INFINITY]
    while (end < values.length) {
      const next = sum + (values[end] ?? 0)
      const thickness = side > 0 ? (next * perValue) / side : 0
      const lengths = [values[start] ?? 0, values[end] ?? 0].map(value => (next > 0 ? (value / next) * side : 0))
      const ratio = Math.max(...lengths.map(length => (thickness > 0 && length > 0 ? Math.max(thickness / length, length / thickness) : Number.POSITIVE_INFINITY)))
      if (end > start && ratio > worst) break
      ;[end, sum, worst] = [end + 1, next, ratio]
    }
    const thickness = side > 0 ? (sum * perValue) / side : 0
    const across = rest.width >= rest.height
    let offset = 0
    for (const value of values.slice(start, end)) {
      const length = sum > 0 ? (value / sum) * side : 0
      result.push(across ? { x: rest.x, y: rest.y + offset, width: thickness, height: length } : { x: rest.x + offset, y: rest.y, width: length, height: thickness })
      offset += length
    }
    rest = across ? { ...rest, x: rest.x + thickness, width: Math.max(0, rest.width - thickness) } : { ...rest, y: rest.y + thickness, height: Math.max(0, rest.height - thickness) }
    left -= sum
    start = end
  }
  return result
}

export function treemap(data: readonly Tile[], title: string, width: number, height: number): string {
  requirePoints(data.length, MAX_TILES)
  if (data.some(tile => tile.value < 0)) throw new ToolFailure('negative', 'A treemap has no negative areas.')
  const tiles = data.filter(tile => tile.value > 0).sort((a, b) => b.value - a.value)
  const hottest = tiles.reduce((most, tile) => Math.max(most, tile.heat ?? 0), 0)
  const body = squarified(tiles.map(tile => tile.value), { x: 0, y: 0, width, height }).map((area, index) => {
    const tile = tiles[index] ?? { label: '', value: 0 }
    const style = hottest > 0 ? heat((tile.heat ?? 0) / hottest) : `fill:${colour(0)};fill-opacity:.35`
    const room = Math.floor((area.width - 8) / 6.5)
    const tooltip = `${tile.label}: ${numberText(tile.value)}${tile.heat === undefined ? '' : `, heat ${numberText(tile.heat)}`}`
    return rect(area.x, area.y, area.width - 1, area.height - 1, `${style};stroke:currentColor;stroke-opacity:.25`, tooltip) +
      (room >= 3 && area.height >= 16 ? text(area.x + 4, area.y + 13, tile.label, { max: room }) : '')
  }).join('')
  return frame(width, height, title, `Treemap of ${tiles.length} areas. The largest: ${tiles.slice(0, 5).map(tile => `${tile.label} ${numberText(tile.value)}`).join(', ')}.`, body)
}
