// The code frame: carets under the right characters whatever the text holds.
import { expect, test } from 'vitest'
import { ansiPaint, displayWidth, plainPaint } from '#base/terminal-text.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import { renderPretty, renderSummary, tally } from '#diagnostics/render/pretty.ts'
import { SourceLines, SourceTexts } from '#diagnostics/render/source-lines.ts'

const base: Diagnostic = { code: 'type/mismatch', severity: 'error', message: 'Expected int, found string.', related: [], help: [], fixes: [] }

/** Renders an error at the text between `«` and `»`. */
function frame(marked: string, columns = 80, more: Partial<Diagnostic> = {}): string {
  const start = marked.indexOf('«')
  const end = marked.indexOf('»') - 1
  const text = marked.replace(/[«»]/g, '')
  return renderPretty({ ...base, at: { path: 'a.tek', start, end }, ...more }, new SourceTexts(new Map([['a.tek', text]])), { paint: plainPaint, columns })
}

test('a span in one line', () => {
  expect(frame('workflow w() {\n  task a = 1 + «"x"»\n}\n')).toMatchInlineSnapshot(`
    "error type/mismatch: Expected int, found string.
     --> a.tek:2:16
      |
    2 |   task a = 1 + "x"
      |                ^^^"
  `)
})

test('help, fixes and a related place in the same and another file', () => {
  const text = 'type A = int\nconst a: A = "x"\n'
  const sources = new SourceTexts(new Map([['src/a.tek', text]]))
  const out = renderPretty(
    {
      ...base, at: { path: 'src/a.tek', start: 26, end: 29 }, related: [{ at: { path: 'src/a.tek', start: 5, end: 6 }, message: 'declared here' }, { at: { path: 'gone.tek', start: 0, end: 1 }, message: 'used here' }],
      help: ['Write a number.'], fixes: [{ title: 'write `0`', safe: true, edits: [] }, { title: 'make `A` a string', safe: false, edits: [] }],
    },
    sources, { paint: plainPaint, columns: 80 },
  )
  expect(out).toMatchInlineSnapshot(`
    "error type/mismatch: Expected int, found string.
     --> src/a.tek:2:14
      |
    2 | const a: A = "x"
      |              ^^^
     ::: src/a.tek:1:6
      |
    1 | type A = int
      |      - declared here
     ::: gone.tek used here
      = help: Write a number.
      = fix: write \`0\` (tek check --fix does it)
      = fix: make \`A\` a string"
  `)
})

test('a span of several lines, and a long one shortened', () => {
  expect(frame('a = «{\n    b: 1,\n  }»\n')).toMatchInlineSnapshot(`
    "error type/mismatch: Expected int, found string.
     --> a.tek:1:5
      |
    1 | a = {
      |     ^
    2 |     b: 1,
      |     ^^^^^
    3 |   }
      |   ^"
  `)
  const long = frame(`«{\n${'  x\n'.repeat(30)}}»\n`)
  expect(long.split('\n').length).toBeLessThan(18)
  expect(long).toContain('32 | }')
})

const widths: [string, string][] = [
  ['a tab before', '\tx = «yy»'],
  ['tabs between', 'a\tb\tx = «yy»'],
  ['wide characters before', 'task 日本語 = «yy»'],
  ['wide characters inside', 'x = «日本»'],
  ['combining marks before', 'e\u0301e\u0301 = «yy»'],
  ['an emoji before', '"🎉" «yy»'],
  ['a control character before', '"\u001b[31m" «yy»'],
]
for (const [name, marked] of widths) {
  test(`carets stand under the span: ${name}`, () => {
    const [source, carets] = frame(marked).split('\n').slice(-2) as [string, string]
    const inside = marked.slice(marked.indexOf('«') + 1, marked.indexOf('»'))
    expect(displayWidth(source.slice(0, source.lastIndexOf(inside)))).toBe(carets.indexOf('^'))
    expect(carets.split('^').length - 1).toBe(displayWidth(inside))
  })
}

test('an empty span, at the end of the file and beyond it, still shows one caret', () => {
  for (const marked of ['x = «»', 'x = 1\n«»', '«»']) expect(frame(marked).split('\n').at(-1)).toMatch(/\^$/)
  const beyond = renderPretty({ ...base, at: { path: 'a.tek', start: 90, end: 99 } }, new SourceTexts(new Map([['a.tek', 'x']])), { paint: plainPaint, columns: 80 })
  expect(beyond).toContain('a.tek:1:2')
})

test('a very long line is cut around the span and never wraps', () => {
  for (const [before, after] of [[0, 5_000], [5_000, 0], [2_500, 2_500], [75, 2]] as const) {
    const lines = frame(`${'a'.repeat(before)}«bad»${'z'.repeat(after)}`, 80).split('\n').slice(3)
    for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(80)
    expect(lines[0]!.slice(lines[1]!.indexOf('^'), lines[1]!.lastIndexOf('^') + 1)).toBe('bad')
  }
  const wide = frame(`${'日'.repeat(900)}«悪»${'日'.repeat(900)}`, 60).split('\n').slice(3)
  expect(displayWidth(wide[0]!)).toBeLessThanOrEqual(60)
  expect(displayWidth(wide[0]!.slice(0, wide[0]!.indexOf('悪')))).toBe(wide[1]!.indexOf('^'))
  const whole = frame(`«${'b'.repeat(1_000)}»`, 60).split('\n').slice(3)
  for (const line of whole) expect(displayWidth(line)).toBeLessThanOrEqual(60)
})

test('of a line of megabytes only the neighbourhood of the span is looked at', () => {
  const long = frame(`${'a'.repeat(3_000_000)}«here»${'b'.repeat(3_000_000)}`)
  expect(long).toBe(frame(`${'a'.repeat(3_000)}«here»${'b'.repeat(3_000)}`).replace(/(a.tek:1:)\d+/, '$13000001'))
  expect(long).toMatch(/…a+hereb+…\n +\| +\^{4}$/)
  expect(frame(`${'a'.repeat(9)}«${'b'.repeat(3_000_000)}»`)).toMatch(/…b+…\n +\| +\^+$/)
})

test('nothing in a source or a message reaches the terminal as a command', () => {
  const out = frame('x = «"\u001b[2J\u0007\u202e"»', 80, { message: 'bad \u001b]0;title\u0007', help: ['\u001b[31m'] })
  expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
})

test('line ends: LF, CRLF, CR and a last line without one', () => {
  const lines = new SourceLines('a\r\nbb\rc\nd')
  expect([0, 3, 6, 8].map(offset => lines.position(offset))).toEqual([
    { offset: 0, line: 1, column: 1 }, { offset: 3, line: 2, column: 1 }, { offset: 6, line: 3, column: 1 }, { offset: 8, line: 4, column: 1 },
  ])
  expect([1, 2, 3, 4].map(line => lines.line(line))).toEqual(['a', 'bb', 'c', 'd'])
})

test('colour marks the severity and leaves the text as it is', () => {
  const sources = new SourceTexts(new Map([['a.tek', 'x']]))
  const coloured = renderPretty({ ...base, at: { path: 'a.tek', start: 0, end: 1 } }, sources, { paint: ansiPaint, columns: 80 })
  const plain = renderPretty({ ...base, at: { path: 'a.tek', start: 0, end: 1 } }, sources, { paint: plainPaint, columns: 80 })
  expect(coloured).toContain('\u001b[31m')
  expect(coloured.replace(/\u001b\[\d+m/g, '')).toBe(plain)
})

test('the summary counts', () => {
  const warning: Diagnostic = { ...base, severity: 'warning' }
  expect(renderSummary(tally([base, base, warning], 3), plainPaint)).toBe('2 errors and 1 warning in 3 files')
  expect(renderSummary(tally([], 1), plainPaint)).toBe('fine: nothing wrong in 1 file')
})
