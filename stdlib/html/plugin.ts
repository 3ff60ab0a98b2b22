// html: pages, safe by construction.
// Owns: the tools. Programs hold nodes, plain data; they are checked and escaped when they are printed.
import { definePlugin, pure, t, z } from 'tek-lang/plugin'
import { checkedSvg } from './drawing.ts'
import { bounded, escapeHtml } from './markup.ts'
import { nodeHtml } from './node.ts'
import { pageHtml } from './page.ts'
import { reportHtml } from './report.ts'

const nodes = z.array(t.any).default([]).describe('What stands there: texts (escaped), elements, tables, drawings.')
const lang = z.string().default('en').describe('The language of the page (BCP 47).')
const anyRow = t.map(t.any)

const sectionType = z.object({
  title: z.string(),
  text: z.string().optional().describe('Paragraphs, parted by blank lines.'),
  rows: z.array(anyRow).optional().describe('A table.'),
  columns: z.array(z.string()).optional().describe('The columns of the table, in order.'),
  chart: z.string().optional().describe('A drawing from the module chart.'),
  code: z.string().optional().describe('Output or code, shown as it is.'),
  folded: z.boolean().optional().describe('Folded away until opened.'),
})

const reportType = z.object({
  title: z.string().describe('What this is a report of.'),
  verdict: z.string().describe('One sentence: what was found.'),
  tone: z.enum(['good', 'warn', 'bad']).optional().describe('Its colour.'),
  actions: z.array(z.object({ title: z.string(), why: z.string().optional(), command: z.string().optional() })).optional().describe('What to do, the most important first.'),
  sections: z.array(sectionType).optional().describe('The evidence.'),
  timeline: z.array(z.object({ time: z.string(), event: z.string() })).optional().describe('What happened when; folded.'),
  proof: z.array(z.object({ label: z.string(), value: z.string() })).optional().describe('What could be touched, what was touched, how to repeat it.'),
}).describe('The content of the report.')

export default definePlugin({
  name: 'html',
  version: '1.0.0',
  doc: 'Pages that are safe by construction: text is escaped, scripts and handlers cannot be written, a page is one file that loads nothing.',
  types: { Section: sectionType, Report: reportType },
  tools: {
    escape: pure({
      doc: 'Text so that HTML shows it as it is, in content and in attributes between quotes.',
      input: { text: z.string().describe('The text.') }, output: z.string(),
      example: 'html.escape("<a href=\'x\'>") == "&lt;a href=&#39;x&#39;&gt;"',
      run: ({ text }) => escapeHtml(text),
    }),
    element: pure({
      doc: 'An element, to be put into others and into pages. Tags and attributes come from a list without scripts, handlers and styles; text is escaped.',
      input: {
        tag: z.string().describe('The name of the element: "p", "h2", "li" …'),
        attributes: t.map(z.string()).default({}).describe('Its attributes.'),
        children: nodes,
      },
      rest: 'children',
      output: z.object({ tag: z.string(), attributes: t.map(z.string()), children: z.array(t.any) }),
      example: 'html.print(html.element("p", { class: "x" }, "1 < 2")) == "<p class=\\"x\\">1 &lt; 2</p>"',
      run: ({ tag, attributes, children }) => {
        const node = { tag, attributes, children }
        nodeHtml(node)
        return node
      },
    }),
    table: pure({
      doc: 'Records as a table that can be sorted by its headings in a page; at most 20,000 rows.',
      input: {
        rows: z.array(anyRow).describe('The rows, each a record.'), columns: z.array(z.string()).default([]).describe('The columns in order; all unless given.'),
        caption: z.string().default('').describe('A line above the table.'),
      },
      output: z.object({ rows: z.array(anyRow), columns: z.array(z.string()), caption: z.string() }),
      example: 'text.contains(html.print(html.table([{ name: "<b>", n: 1 }])), "&lt;b&gt;") == true',
      run: ({ rows, columns, caption }) => ({ rows, columns, caption }),
    }),
    drawing: pure({
      doc: 'A drawing (SVG) to be put into a page. Refused when it holds anything but shapes, text and plain styles.',
      input: { svg: z.string().describe('SVG, for example from the module chart.') }, output: z.object({ svg: z.string() }), runs: 'thread',
      example: 'text.startsWith(html.print(html.drawing(chart.pie([{ label: "a", value: 1.0 }]))), "<svg") == true',
      run: ({ svg }) => ({ svg: checkedSvg(svg).html }),
    }),
    print: pure({
      doc: 'Nodes as HTML text, without a page around them.',
      input: { nodes }, rest: 'nodes', output: z.string(), runs: 'thread',
      example: 'html.print("a & b", html.element("br")) == "a &amp; b<br>"',
      run: ({ nodes }) => bounded(nodes.map(node => nodeHtml(node).html).join('')).html,
    }),
    page: pure({
      doc: 'A whole page: one file that loads nothing, readable in light and dark and on paper.',
      input: { title: z.string().describe('The title.'), body: nodes }, rest: 'body', output: z.string(), runs: 'thread',
      example: 'text.startsWith(html.page("A & B", html.element("h2", {}, "hello")), "<!doctype html>") == true',
      run: ({ title, body }) => pageHtml(title, body.map(node => nodeHtml(node)), 'en'),
    }),
    report: pure({
      doc: 'A report as a page: verdict, actions, evidence (tables, drawings, output), a folded timeline, a box of proof. Everything is escaped.',
      input: { report: reportType, lang }, output: z.string(), runs: 'thread',
      example: 'text.contains(html.report({ title: "Check", verdict: "All <fine>." }), "All &lt;fine&gt;.") == true',
      run: ({ report, lang }) => reportHtml(report, lang),
    }),
  },
})
