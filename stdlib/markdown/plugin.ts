// markdown: writing Markdown, and showing it safely as HTML.
// Owns: the tools and the escaping of text put into Markdown. Does not own: the conversion (to-html).
//   M1. Text given as a value is escaped: it shows as it is and cannot start a heading, a link or a table cell of its own.
import { definePlugin, pure, t, ToolFailure, z } from 'tek-lang/plugin'
import { blocksHtml } from './to-html.ts'

const MAX_TEXT_LENGTH = 1_000_000
const text = z.string().describe('The text, shown as it is.')
const anyRow = t.map(t.any)

function escaped(value: string): string {
  return value
    .replace(/[\\`*_{}[\]<>|~]/g, '\\$&')
    .replace(/^(\s*)([#+-]|\d+[.)])/gm, (_, space: string, mark: string) => `${space}${mark.length > 1 ? mark.replace(/[.)]$/, '\\$&') : `\\${mark}`}`)
    .replace(/^(\s*)(=+\s*)$/gm, '$1\\$2')
}

const oneLine = (value: string): string => escaped(value.replace(/\s*[\r\n]+\s*/g, ' ').trim())
const shown = (value: unknown): string => (value === null || value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value))

function fenced(code: string, language: string): string {
  const longest = (code.match(/`+/g) ?? []).reduce((length, run) => Math.max(length, run.length), 0)
  const fence = '`'.repeat(Math.max(3, longest + 1))
  return `${fence}${language.replace(/[^\w+#.-]/g, '')}\n${code.endsWith('\n') || code === '' ? code : `${code}\n`}${fence}\n`
}

function tableText(rows: readonly Readonly<Record<string, unknown>>[], columns: readonly string[]): string {
  const names = columns.length > 0 ? columns : [...new Set(rows.flatMap(row => Object.keys(row)))]
  if (names.length === 0) return ''
  const cell = (row: Readonly<Record<string, unknown>>, name: string) => (Object.hasOwn(row, name) ? row[name] : null)
  const isNumeric = (name: string) => rows.some(row => typeof cell(row, name) === 'number') && rows.every(row => cell(row, name) === null || typeof cell(row, name) === 'number')
  const line = (list: readonly string[]) => `| ${list.join(' | ')} |\n`
  return line(names.map(oneLine)) + line(names.map(name => (isNumeric(name) ? '---:' : '---'))) + rows.map(row => line(names.map(name => oneLine(shown(cell(row, name)))))).join('')
}

export default definePlugin({
  name: 'markdown',
  version: '1.0.0',
  doc: 'Markdown: escaping, headings, lists, tables, code, and a safe subset as HTML. Values are escaped.',
  tools: {
    escape: pure({
      doc: 'Text so that Markdown shows it as it is.',
      input: { text }, output: z.string(),
      example: 'markdown.escape("*a* [b](c)") == r"\\*a\\* \\[b\\](c)"',
      run: ({ text }) => escaped(text),
    }),
    heading: pure({
      doc: 'A heading.',
      input: { text, level: t.int.default(1).describe('1 to 6.') }, output: z.string(),
      example: 'markdown.heading("Results", 2) == "## Results\\n\\n"',
      run: ({ text, level }) => {
        if (level < 1 || level > 6) throw new ToolFailure('bad-level', 'level must be from 1 to 6.')
        return `${'#'.repeat(level)} ${oneLine(text)}\n\n`
      },
    }),
    paragraph: pure({
      doc: 'A paragraph of escaped text.',
      input: { text }, output: z.string(),
      example: 'markdown.paragraph("1 < 2") == "1 \\\\< 2\\n\\n"',
      run: ({ text }) => `${oneLine(text)}\n\n`,
    }),
    list: pure({
      doc: 'A list with one point for each text.',
      input: { items: z.array(z.string()).describe('The points.'), numbered: z.boolean().default(false).describe('Number them.') }, output: z.string(),
      example: 'markdown.list(["a", "b"], true) == "1. a\\n2. b\\n"',
      run: ({ items, numbered }) => items.map((item, index) => `${numbered ? `${index + 1}.` : '-'} ${oneLine(item)}\n`).join(''),
    }),
    quote: pure({
      doc: 'A quoted block of escaped text.',
      input: { text }, output: z.string(),
      example: 'markdown.quote("a\\nb") == "> a\\n> b\\n"',
      run: ({ text }) => escaped(text).split('\n').map(line => `> ${line}\n`).join(''),
    }),
    code: pure({
      doc: 'A fenced block of code; the fence is longer than any run of back quotes in it.',
      input: { code: z.string().describe('The code.'), language: z.string().default('').describe('The language, for highlighting.') }, output: z.string(),
      example: 'markdown.code("let x", "js") == "```js\\nlet x\\n```\\n"',
      run: ({ code, language }) => fenced(code, language),
    }),
    link: pure({
      doc: 'A link. The address may be http, https, mailto or relative.',
      input: { text, address: z.string().describe('Where it leads.') }, output: z.string(),
      example: 'markdown.link("docs", "https://example.com/a") == "[docs](https://example.com/a)"',
      run: ({ text, address }) => {
        if (/^\s*(?!https?:|mailto:)[a-z][a-z0-9+.-]*:/i.test(address)) throw new ToolFailure('bad-address', 'A link leads to http, https, mailto or a relative address.')
        return `[${oneLine(text)}](${encodeURI(address).replaceAll('(', '%28').replaceAll(')', '%29').replaceAll('%25', '%')})`
      },
    }),
    table: pure({
      doc: 'Records as a table; numbers stand to the right.',
      input: { rows: z.array(anyRow).describe('The rows, each a record.'), columns: z.array(z.string()).default([]).describe('The columns in order; all unless given.') },
      output: z.string(),
      example: 'markdown.table([{ name: "a|b", n: 1 }]) == "| name | n |\\n| --- | ---: |\\n| a\\\\|b | 1 |\\n"',
      run: ({ rows, columns }) => tableText(rows, columns),
    }),
    toHtml: pure({
      doc: 'A safe subset of Markdown as HTML: headings, paragraphs, lists, quotes, code, emphasis, links, rules, tables. Raw HTML is shown as text, images become links, other link schemes than http, https and mailto stay text.',
      input: { markdown: z.string().describe('Markdown, at most 1,000,000 characters.') }, output: z.string(), runs: 'thread',
      example: 'markdown.toHtml("# A *b* <c>") == "<h1>A <em>b</em> &lt;c&gt;</h1>\\n"',
      run: ({ markdown }) => {
        if (markdown.length > MAX_TEXT_LENGTH) throw new ToolFailure('too-long', `The text is longer than ${MAX_TEXT_LENGTH} characters.`)
        return blocksHtml(markdown.split(/\r\n|\n|\r/))
      },
    }),
  },
})
