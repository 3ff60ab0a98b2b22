// Svg: the pieces that all charts are made of.
// Owns: escaping, number text, axes, the palette, the frame with its title for screen readers.
//   S1. Everything that comes from data is escaped and cut to MAX_LABEL code points. No script, no style element, no address: a chart can be put inline anywhere.
//   S2. Text has the colour of its surroundings (currentColor) and series colours can be set by CSS variables (--tek-1 …), so light and dark both work.
//   S3. Colour is never the only sign: marks carry labels or a tooltip.
import { ToolFailure } from 'tek-lang/plugin'

const MAX_POINTS = 20_000
const MAX_LABEL = 60

const PALETTE = ['#3b82f6', '#f59e0b', '#10b981', '#ef4444', '#8b5cf6', '#14b8a6', '#ec4899', '#84cc16', '#64748b', '#f97316'] as const

export const colour = (series: number): string => {
  const place = series % PALETTE.length
  return `var(--tek-${place + 1},${PALETTE[place]})`
}

export const escapeXml = (text: string): string =>
  text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '').replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;').replaceAll("'", '&#39;')

export const cut = (text: string, max = MAX_LABEL): string => {
  const points = [...text]
  return points.length > max ? `${points.slice(0, Math.max(1, max - 1)).join('')}…` : text
}

/** A coordinate with at most two decimals. */
export const at = (value: number): string => String(Math.round(value * 100) / 100)

/** A number for people: 1,234.5 · 1.2M. */
export function numberText(value: number): string {
  const size = Math.abs(value)
  if (size >= 1e15 || (size > 0 && size < 1e-4)) return value.toExponential(1)
  if (size >= 1e9) return `${Number((value / 1e9).toPrecision(3))}G`
  if (size >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`
  const [whole = '0', fraction] = String(Number(value.toPrecision(size >= 1000 ? 7 : 4))).split('.')
  return `${whole.replace(/\B(?=(\d{3})+$)/g, ',')}${fraction === undefined ? '' : `.${fraction}`}`
}

export function requirePoints(count: number, max = MAX_POINTS): void {
  if (count > max) throw new ToolFailure('too-many', `A chart of this kind shows at most ${max} values; there are ${count}.`, { help: 'Group the data first, for example with table.aggregate.' })
}

/** Round steps (1, 2, 5 · 10^k) over a range, about `wanted` of them. */
export function ticks(least: number, greatest: number, wanted = 5): number[] {
  const range = greatest - least
  if (!(range > 0) || !Number.isFinite(range)) return [least]
  const rough = range / Math.max(1, wanted)
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = power * ([1, 2, 5, 10].find(factor => factor * power >= rough) ?? 10)
  const result: number[] = []
  for (let index = Math.ceil(least / step - 1e-9); index * step <= greatest + step * 1e-9 && result.length < 100; index++) result.push(Number((index * step).toPrecision(12)))
  return result
}

export interface Scale {
  readonly least: number
  readonly greatest: number
  readonly ticks: readonly number[]
  place(value: number): number
}

/** A straight scale from values to pixels; a range of no width is widened. */
export function scale(values: readonly number[], from: number, to: number, options: { zero?: boolean; wanted?: number } = {}): Scale {
  let [least, greatest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const value of values) {
    least = Math.min(least, value)
    greatest = Math.max(greatest, value)
  }
  if (least > greatest) [least, greatest] = [0, 1]
  if (options.zero === true) [least, greatest] = [Math.min(0, least), Math.max(0, greatest)]
  if (least === greatest) [least, greatest] = least === 0 ? [0, 1] : [Math.min(least, 0, 2 * least), Math.max(greatest, 0)]
  if (least === greatest) greatest = least + 1
  return { least, greatest, ticks: ticks(least, greatest, options.wanted), place: value => from + ((value - least) / (greatest - least)) * (to - from) }
}

export interface TextOptions {
  anchor?: 'start' | 'middle' | 'end'
  size?: number
  weight?: 'bold'
  faint?: boolean
  fill?: string
  max?: number
}

export function text(x: number, y: number, content: string, options: TextOptions = {}): string {
  const style = `font-size:${options.size ?? 11}px${options.weight === undefined ? '' : ';font-weight:bold'}${options.faint ? ';opacity:.7' : ''};fill:${options.fill ?? 'currentColor'}`
  return `<text x="${at(x)}" y="${at(y)}" text-anchor="${options.anchor ?? 'start'}" style="${style}">${escapeXml(cut(content, options.max))}</text>`
}

export const line = (x1: number, y1: number, x2: number, y2: number, opacity = 0.2): string =>
  `<line x1="${at(x1)}" y1="${at(y1)}" x2="${at(x2)}" y2="${at(y2)}" style="stroke:currentColor;stroke-width:1;opacity:${opacity}"/>`

export const rect = (x: number, y: number, width: number, height: number, style: string, tooltip: string): string =>
  `<rect x="${at(x)}" y="${at(y)}" width="${at(Math.max(0, width))}" height="${at(Math.max(0, height))}" style="${style}"><title>${escapeXml(cut(tooltip, 200))}</title></rect>`

/** The whole drawing. The title and the description are read out; a heading shows the title when it is not empty. */
export function frame(width: number, height: number, title: string, description: string, body: string): string {
  const top = title === '' ? 0 : 28
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${at(width)} ${at(height + top)}" width="${at(width)}" height="${at(height + top)}" role="img" ` +
    `style="max-width:100%;height:auto;font-family:system-ui,sans-serif"><title>${escapeXml(title === '' ? 'Chart' : cut(title, 200))}</title><desc>${escapeXml(cut(description, 500))}</desc>` +
    `${title === '' ? body : `${text(0, 16, title, { size: 14, weight: 'bold', max: 100 })}<g transform="translate(0,${top})">${body}</g>`}</svg>`
}

/** Rows of a legend under or beside a drawing: a square of the colour and the name. */
export const legend = (names: readonly string[], x: number, y: number): string =>
  names.map((name, index) => `<rect x="${at(x)}" y="${at(y + index * 18)}" width="10" height="10" style="fill:${colour(index)}"/>${text(x + 16, y + 9 + index * 18, name, { max: 24 })}`).join('')
