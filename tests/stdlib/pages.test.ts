// Pages: html, markdown and chart: what they write is escaped, well formed, and stands on its own.
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import chart from '../../stdlib/chart/plugin.ts'
import html from '../../stdlib/html/plugin.ts'
import markdown from '../../stdlib/markdown/plugin.ts'
import { callPure, failureOf } from './call.ts'

const evil = `"><script>alert(1)</script><img src=x onerror=alert(1)>' & \0\u0007 </title></svg>]]>`
const draw = (fn: string, ...args: unknown[]): string => callPure(chart, fn, ...args)
const page = (fn: string, ...args: unknown[]) => callPure(html, fn, ...args)

const drawings: readonly (readonly [string, ...unknown[]])[] = [
  ['bar', [{ label: evil, value: 3 }, { label: 'b', value: -2 }], evil, evil],
  ['bar', []],
  ['line', [{ name: evil, points: [{ x: 1, y: 2 }, { x: 0, y: 1 }] }, { name: 'b', points: [] }], evil],
  ['line', [], '', 'time'],
  ['line', [{ name: 'a', points: [{ x: 1e12, y: 5 }, { x: 1.1e12, y: 5 }] }], 'times', 'time'],
  ['scatter', [{ x: 1, y: 1, label: evil }], evil, evil, evil],
  ['pie', [{ label: evil, value: 1 }, { label: 'zero', value: 0 }], evil],
  ['pie', Array.from({ length: 30 }, (_, i) => ({ label: `p${i}`, value: i }))],
  ['heatmap', [{ row: evil, column: evil, value: 1 }, { row: 'b', column: 'c', value: 2 }], evil],
  ['treemap', [{ label: evil, value: 5, heat: 2 }, { label: 'b', value: 1 }, { label: 'none', value: 0 }], evil],
  ['timeline', [{ label: evil, start: 0, end: 1_000, group: evil }, { label: 'b', start: 500, end: 400 }], evil, 'time'],
]

/** Tags in order, or where the text is not well formed. */
function tagProblem(xml: string): string | null {
  const open: string[] = []
  for (const [, close, name = '', self] of xml.matchAll(/<(\/?)([A-Za-z][\w-]*)(?:\s+[\w:-]+="[^"<]*")*\s*(\/?)>|</g)) {
    if (name === '') return 'a bare <'
    if (close === '/') {
      if (open.pop() !== name) return `</${name}>`
    } else if (self !== '/') open.push(name)
  }
  return open.length === 0 ? null : `<${open.join('<')}`
}

describe('drawings', () => {
  test.each(drawings.map(([fn, ...args]) => ({ fn, args })))('$fn is well formed, escaped, titled and may be put into a page', ({ fn, args }) => {
    const svg = draw(fn, ...args)
    expect(tagProblem(svg)).toBe(null)
    expect(svg).not.toMatch(/<script|<img|<[^<>]*\son\w+=|[\0\u0007]|NaN|Infinity|undefined/)
    expect(svg).toMatch(/^<svg [^>]*role="img"[^>]*><title>[^<]+<\/title><desc>[^<]+<\/desc>/)
    expect(page('print', page('drawing', svg))).toBe(svg)
  })

  test('tiles of a treemap fill the area and do not overlap', () => {
    const data = Array.from({ length: 40 }, (_, i) => ({ label: `t${i}`, value: 1 + ((i * 7) % 13) }))
    const tiles = [...draw('treemap', data, '', 600, 400).matchAll(/<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"/g)].map(found => found.slice(1).map(Number) as [number, number, number, number])
    expect(tiles).toHaveLength(40)
    const area = tiles.reduce((sum, [, , width, height]) => sum + (width + 1) * (height + 1), 0)
    expect(Math.abs(area - 240_000)).toBeLessThan(500)
    for (const [i, [x, y, width, height]] of tiles.entries()) {
      expect(x + width).toBeLessThan(600.5)
      for (const [x2, y2, width2, height2] of tiles.slice(i + 1)) {
        expect(x + width <= x2 + 0.1 || x2 + width2 <= x + 0.1 || y + height <= y2 + 0.1 || y2 + height2 <= y + 0.1).toBe(true)
      }
    }
  })

  test('limits are named', () => {
    expect(failureOf(() => draw('bar', Array(1_001).fill({ label: 'a', value: 1 })))).toBe('too-many')
    expect(failureOf(() => draw('scatter', Array(20_001).fill({ x: 1, y: 1 })))).toBe('too-many')
    expect(failureOf(() => draw('pie', [{ label: 'a', value: -1 }]))).toBe('negative')
    expect(failureOf(() => draw('bar', [], '', '', 1e9))).toBe('bad-size')
    expect(failureOf(() => draw('textBar', [], 0))).toBe('bad-size')
  })

  test('text for the terminal holds no control characters', () => {
    expect(draw('sparkline', [])).toBe('')
    expect(draw('sparkline', [2, 2])).toBe('▄▄')
    expect(draw('textBar', [{ label: '\u001b[31mx', value: 0 }])).toBe(' [31mx  0\n')
  })
})

describe('which drawings may not be put into a page', () => {
  const wrap = (inside: string, attributes = '') => `<svg xmlns="http://www.w3.org/2000/svg"${attributes}>${inside}</svg>`
  test.each([
    ['', 'text'], ['<p>', 'another element'], [wrap('<script>1</script>'), 'script'], [wrap('<style>*{}</style>'), 'style'], [wrap('', ' onload="x()"'), 'handler'],
    [wrap('<a href="x"/>'), 'link'], [wrap('<use href="#a"/>'), 'use'], [wrap('<image href="x"/>'), 'image'], [wrap('<foreignObject/>'), 'foreign'], [wrap('<animate attributeName="x"/>'), 'animation'],
    [wrap('<rect style="fill:url(http://x/y)"/>'), 'address'], [wrap('<rect fill="url(//x/y#a)"/>'), 'address'], [wrap('<rect style="background:image-set(x)"/>'), 'property'],
    [wrap('<rect style="position:fixed"/>'), 'property'], [wrap('<rect style="fill:u\\72l(x)"/>'), 'escape'], [wrap('<rect fill="&#117;rl(x)"/>'), 'reference'],
    [wrap('<!-- x -->'), 'comment'], [wrap('<![CDATA[x]]>'), 'cdata'], ['<!DOCTYPE svg><svg/>', 'doctype'], [`${wrap('')}${wrap('')}`, 'two'], [`${wrap('')}<b/>`, 'tail'],
    [wrap('<g>'), 'open'], [wrap('</g>'), 'close'], [wrap('<G/>'), 'case'], ['<svg xmlns="http://evil">x</svg>', 'namespace'], [wrap('<g>'.repeat(100) + '</g>'.repeat(100)), 'deep'],
    [wrap('<rect x=1/>'), 'bare value'], [wrap('<rect x="1" x"/>'), 'broken'], [wrap('<text>&bogus;</text>'), 'entity'],
  ])('%s (%s)', svg => {
    expect(failureOf(() => page('drawing', svg))).toBe('unsafe-svg')
    expect(failureOf(() => page('print', { svg }))).toBe('unsafe-svg')
  })
  test('an address inside of the drawing is fine', () => {
    expect(page('drawing', wrap('<rect fill="url(#g)" style="stroke:var(--x,#fff)"/>')).svg).toContain('url(#g)')
  })
})

describe('html', () => {
  test('everything that is text is escaped, wherever it stands', () => {
    const out = page('print', evil, page('element', 'p', { title: evil, 'data-x': evil }, evil), page('table', [{ [evil]: evil }], [], evil))
    expect(out).not.toMatch(/<script|<img/)
    expect(tagProblem(out.replace(/\0/g, ''))).toBe(null)
  })
  test.each([
    ['script', {}, 'no-such-element'], ['style', {}, 'no-such-element'], ['iframe', {}, 'no-such-element'], ['P', {}, 'no-such-element'], ['p onclick=x', {}, 'no-such-element'],
    ['p', { onclick: 'x' }, 'no-such-attribute'], ['p', { style: 'x' }, 'no-such-attribute'], ['p', { 'a b': 'x' }, 'no-such-attribute'], ['a', { href: 'javascript:alert(1)' }, 'bad-address'],
    ['a', { href: ' javascript:x' }, 'bad-address'], ['a', { href: 'JAVA\tSCRIPT:x' }, 'bad-address'], ['a', { href: 'data:text/html,x' }, 'bad-address'], ['a', { href: 'vbscript:x' }, 'bad-address'],
  ])('%s %j is refused', (tag, attributes, code) => {
    expect(failureOf(() => page('element', tag, attributes))).toBe(code)
    expect(failureOf(() => page('print', { tag, attributes, children: [] }))).toBe(code)
  })
  test('links that lead somewhere are fine', () => {
    for (const href of ['https://example.com/?a=b:c', 'mailto:a@b', '#x', 'docs/a.html', '../a:b', '/x']) expect(page('print', page('element', 'a', { href }, 'x'))).toContain(`href="${href}"`)
  })
  test('forged nodes gain nothing', () => {
    expect(page('print', { tag: 'p', attributes: {}, children: [{ tag: 'b', children: ['<x>'] }] })).toBe('<p><b>&lt;x&gt;</b></p>')
    for (const node of [[], {}, { html: '<b>' }, { tag: 3 }, { rows: [1] }]) expect(failureOf(() => page('print', node))).toBe('not-a-node')
    let nested: unknown = 'x'
    for (let i = 0; i < 100; i++) nested = { tag: 'div', children: [nested] }
    expect(failureOf(() => page('print', nested))).toBe('too-deep')
    expect(failureOf(() => page('element', 'br', {}, 'x'))).toBe('no-children')
  })
  test('tables sort by number where they hold numbers', () => {
    const out = page('print', page('table', [{ n: 1_234.5, s: 'x' }, { n: null, s: true }]))
    expect(out).toContain('<td class="number" data-sort="1234.5">1234.5</td>')
    expect(out).toContain('<td class="number" data-sort=""></td>')
    expect(out).toContain('<td>yes</td>')
    expect(failureOf(() => page('print', page('table', Array(20_001).fill({ a: 1 }))))).toBe('too-many')
  })
})

describe('html.report', () => {
  const report = page('report', {
    title: evil, verdict: 'Three files explain half of the fixes.', tone: 'warn',
    actions: [{ title: 'Split src/sync.ts', why: evil, command: `git log <x>` }],
    sections: [
      { title: 'Hot spots', text: 'One.\n\nTwo.', rows: [{ file: evil, churn: 3 }], chart: draw('treemap', [{ label: 'a', value: 1 }]) }, { title: 'Output', code: evil, folded: true }, { title: 'Empty', rows: [] },
    ],
    timeline: [{ time: '00:01', event: 'started' }], proof: [{ label: 'touched', value: evil }],
  }) as string

  test('stands in the order verdict, actions, evidence, timeline, proof', () => {
    const order = ['class="verdict warn"', 'What to do', 'Hot spots', '<svg', 'Nothing found.', 'Timeline: 1 events', 'class="proof"'].map(part => report.indexOf(part))
    expect(order).toEqual([...order].sort((a, b) => a - b))
    expect(order).not.toContain(-1)
  })
  test('holds one script, allowed by its hash, and nothing that loads', () => {
    const scripts = [...report.matchAll(/<script>([^]*?)<\/script>/g)].map(found => found[1] ?? '')
    expect(scripts).toHaveLength(1)
    expect(report).toContain(`script-src 'sha256-${createHash('sha256').update(scripts[0]!).digest('base64')}'`)
    expect(() => new Function('document', scripts[0]!)).not.toThrow()
    expect(report).toContain("default-src 'none'")
    expect(report.replace(scripts[0]!, '')).not.toMatch(/<img|<link|<iframe|<[^<>]*\ssrc=|@import|url\(/)
    expect(report).toContain('prefers-color-scheme:dark')
    expect(report).toContain('@media print')
  })
  test('without tables there is no script at all', () => {
    expect(page('report', { title: 'a', verdict: 'b' })).not.toContain('<script')
  })
})

describe('markdown', () => {
  const write = (fn: string, ...args: unknown[]): string => callPure(markdown, fn, ...args)
  test.each([
    ['<script>alert(1)</script>', '<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n'],
    ['[x](javascript:alert(1))', '<p>[x](javascript:alert(1))</p>\n'],
    ['[x](JaVaScRiPt:alert`1`)', '<p>[x](JaVaScRiPt:alert`1`)</p>\n'],
    ['![a](https://x/y.png)', '<p><a href="https://x/y.png" rel="noreferrer">a</a></p>\n'],
    ['[a](https://x/"onclick=1)', '<p><a href="https://x/&quot;onclick=1" rel="noreferrer">a</a></p>\n'],
    ['[a](docs/x.md) and [b](#c)', '<p><a href="docs/x.md" rel="noreferrer">a</a> and <a href="#c" rel="noreferrer">b</a></p>\n'],
    ['**a *b* c** `<d>` ~~e~~ \\*f\\*', '<p><strong>a <em>b</em> c</strong> <code>&lt;d&gt;</code> <del>e</del> *f*</p>\n'],
    ['snake_case_name', '<p>snake_case_name</p>\n'],
    ['```js\na < b\n```', '<pre><code class="language-js">a &lt; b\n</code></pre>\n'],
    ['- a\n- b\n  - c\n\n1. x', '<ul>\n<li>a</li>\n<li>b\n<ul>\n<li>c</li>\n</ul>\n</li>\n</ul>\n<ol>\n<li>x</li>\n</ol>\n'],
    ['> a\n> > b', '<blockquote>\n<p>a</p>\n<blockquote>\n<p>b</p>\n</blockquote>\n</blockquote>\n'],
    ['| a | b |\n|---|--:|\n| `x` | 1 |', '<table>\n<thead><tr><th>a</th><th style="text-align:right">b</th></tr></thead>\n<tbody>\n<tr><td><code>x</code></td><td style="text-align:right">1</td></tr>\n</tbody>\n</table>\n'],
    ['---', '<hr>\n'], ['', ''],
  ])('%j', (source, expected) => {
    expect(write('toHtml', source)).toBe(expected)
  })
  test('hostile nesting ends', () => {
    const started = performance.now()
    for (const source of ['> '.repeat(20_000), '['.repeat(50_000), '*'.repeat(50_000), '`'.repeat(50_000), '**a'.repeat(10_000), `${'- '.repeat(5_000)}x`, '[a]('.repeat(10_000)]) {
      expect(typeof write('toHtml', source)).toBe('string')
    }
    expect(performance.now() - started).toBeLessThan(20_000)
  })
  test('what is escaped shows as it is', () => {
    for (const source of ['# a', '- a', '1. a', '*a*', '_a_', '`a`', '[a](b)', '<b>', 'a|b', '> q', '+ x', '~~x~~', '===']) {
      const shown = write('toHtml', write('escape', source)).replace(/<\/?p>|\n$/g, '').replaceAll('&lt;', '<').replaceAll('&gt;', '>')
      expect(shown).toBe(source)
    }
  })
  test('writing', () => {
    expect(write('heading', 'a\nb # c', 2)).toBe('## a b # c\n\n')
    expect(write('code', 'a ``` b')).toBe('````\na ``` b\n````\n')
    expect(failureOf(() => write('link', 'x', 'javascript:1'))).toBe('bad-address')
    expect(write('link', 'a]b', 'x (1).md')).toBe('[a\\]b](x%20%281%29.md)')
    expect(failureOf(() => write('heading', 'x', 7))).toBe('bad-level')
  })
})
