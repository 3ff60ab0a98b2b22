// chart: pictures of data: SVG for pages, text for the terminal.
// Owns: the tools and their sizes. Does not own: the drawing (bars, points, svg).
import { definePlugin, pure, t, ToolFailure, z } from 'tek-lang/plugin'
import { barChart, heatMap, pieChart, treemap } from './bars.ts'
import { lineChart, scatterChart, timeline } from './points.ts'
import { cut, numberText, requirePoints } from './svg.ts'

const title = z.string().default('').describe('A heading, also read out by screen readers.')
const width = t.int.default(640).describe('Width in pixels, 100 to 4,000.')
const height = t.int.default(280).describe('Height in pixels, 100 to 4,000.')
const amounts = z.array(z.object({ label: z.string(), value: z.number() })).describe('Names with their values.')
const axis = z.enum(['number', 'time']).default('number').describe('What the values on the x axis are; times are milliseconds since 1970.')

function size(pixels: number): number {
  if (pixels < 100 || pixels > 4_000) throw new ToolFailure('bad-size', 'Width and height must be from 100 to 4,000 pixels.')
  return pixels
}

const LEVELS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const

function sparkline(values: readonly number[]): string {
  let [least, greatest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const value of values) [least, greatest] = [Math.min(least, value), Math.max(greatest, value)]
  return values.map(value => LEVELS[greatest === least ? 3 : Math.min(7, Math.floor(((value - least) / (greatest - least)) * 8))]).join('')
}

function textBars(data: readonly { label: string; value: number }[], cells: number): string {
  const names = data.map(bar => cut(bar.label.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' '), 40))
  const labelWidth = names.reduce((longest, name) => Math.max(longest, [...name].length), 0)
  const greatest = data.reduce((most, bar) => Math.max(most, Math.abs(bar.value)), 0)
  return data.map((bar, index) => {
    const eighths = greatest === 0 ? 0 : Math.round((Math.abs(bar.value) / greatest) * cells * 8)
    const drawn = '█'.repeat(Math.floor(eighths / 8)) + (['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'][eighths % 8] ?? '')
    const name = names[index] ?? ''
    return `${name}${' '.repeat(labelWidth - [...name].length)}  ${drawn}${drawn === '' ? '' : ' '}${numberText(bar.value)}\n`
  }).join('')
}

export default definePlugin({
  name: 'chart',
  version: '1.0.0',
  doc: 'Pictures of data as SVG (escaped, without script, in the colours of the page, with a title for screen readers) and as text for the terminal.',
  tools: {
    bar: pure({
      doc: 'A bar chart, bars lying, in the order given; at most 1,000.',
      input: { data: amounts, title, unit: z.string().default('').describe('Put after each number.'), width }, output: z.string(), runs: 'thread',
      example: 'text.startsWith(chart.bar([{ label: "a", value: 1.0 }]), "<svg ") == true',
      run: ({ data, title, unit, width }) => barChart(data, title, unit, size(width)),
    }),
    line: pure({
      doc: 'A line chart of at most 20 series and 20,000 points; the y axis includes 0.',
      input: {
        series: z.array(z.object({ name: z.string(), points: z.array(z.object({ x: z.number(), y: z.number() })) })).describe('The lines.'), title, axis, width, height,
      },
      output: z.string(), runs: 'thread',
      example: 'text.contains(chart.line([{ name: "a", points: [{ x: 0.0, y: 1.0 }, { x: 1.0, y: 2.0 }] }]), "<path ") == true',
      run: ({ series, title, axis, width, height }) => lineChart(series, title, axis, size(width), size(height)),
    }),
    scatter: pure({
      doc: 'A scatter chart of at most 20,000 points.',
      input: {
        points: z.array(z.object({ x: z.number(), y: z.number(), label: z.string().optional() })).describe('The points.'), title,
        xName: z.string().default('').describe('What x is.'), yName: z.string().default('').describe('What y is.'), width, height,
      },
      output: z.string(), runs: 'thread',
      example: 'text.count(chart.scatter([{ x: 1.0, y: 2.0 }, { x: 2.0, y: 3.0 }]), "<circle ") == 2',
      run: ({ points, title, xName, yName, width, height }) => scatterChart(points, title, xName, yName, size(width), size(height)),
    }),
    pie: pure({
      doc: 'A pie chart with a legend; from more than 10 parts the smallest become "other".',
      input: { data: amounts, title, size: t.int.default(240).describe('Width of the pie in pixels, 100 to 4,000.') }, output: z.string(), runs: 'thread',
      example: 'text.count(chart.pie([{ label: "a", value: 1.0 }, { label: "b", value: 1.0 }]), "<path ") == 2',
      run: ({ data, title, size: pixels }) => pieChart(data, title, size(pixels)),
    }),
    heatmap: pure({
      doc: 'A grid of rows and columns, stronger where there is more; at most 20,000 cells.',
      input: { cells: z.array(z.object({ row: z.string(), column: z.string(), value: z.number() })).describe('The cells.'), title, width }, output: z.string(), runs: 'thread',
      example: 'text.contains(chart.heatmap([{ row: "a", column: "b", value: 1.0 }]), "Heat map") == true',
      run: ({ cells, title, width }) => heatMap(cells, title, size(width)),
    }),
    treemap: pure({
      doc: 'Areas as large as their values, and as strong as their heat: a map of hot spots. At most 2,000 areas.',
      input: { data: z.array(z.object({ label: z.string(), value: z.number(), heat: z.number().optional() })).describe('The areas.'), title, width, height }, output: z.string(), runs: 'thread',
      example: 'text.count(chart.treemap([{ label: "a", value: 3.0 }, { label: "b", value: 1.0 }]), "<rect ") == 2',
      run: ({ data, title, width, height }) => treemap(data, title, size(width), size(height)),
    }),
    timeline: pure({
      doc: 'Spans of time under each other; groups have colours. At most 2,000 spans.',
      input: {
        spans: z.array(z.object({ label: z.string(), start: z.number(), end: z.number(), group: z.string().optional() })).describe('The spans.'), title, axis, width,
      },
      output: z.string(), runs: 'thread',
      example: 'text.contains(chart.timeline([{ label: "a", start: 0.0, end: 5.0 }]), "Timeline of 1 spans") == true',
      run: ({ spans, title, axis, width }) => timeline(spans, title, axis, size(width)),
    }),
    sparkline: pure({
      doc: 'Numbers as a line of small bars, for the terminal; at most 1,000.',
      input: { values: z.array(z.number()).describe('The numbers.') }, output: z.string(),
      example: 'chart.sparkline([1.0, 5.0, 3.0]) == "▁█▅"',
      run: ({ values }) => {
        requirePoints(values.length, 1_000)
        return sparkline(values)
      },
    }),
    textBar: pure({
      doc: 'A bar chart for the terminal, by the size of the values; at most 1,000 bars.',
      input: { data: amounts, cells: t.int.default(40).describe('Length of the longest bar in characters, 1 to 200.') }, output: z.string(),
      example: 'chart.textBar([{ label: "a", value: 4.0 }, { label: "bc", value: 2.0 }], 4) == "a   ████ 4\\nbc  ██ 2\\n"',
      run: ({ data, cells }) => {
        if (cells < 1 || cells > 200) throw new ToolFailure('bad-size', 'cells must be from 1 to 200.')
        requirePoints(data.length, 1_000)
        return textBars(data, cells)
      },
    }),
  },
})
