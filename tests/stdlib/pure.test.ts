// The pure modules: ordinary, edge and hostile input, as data. One row: module.function, arguments, result; a failure is written as its code.
import { describe, expect, test } from 'vitest'
import { callPure, failureOf } from './call.ts'
import { plugins } from './modules.ts'

type Row = readonly [call: string, args: readonly unknown[], result: unknown]
class Fails {
  readonly code: string
  constructor(code: string) {
    this.code = code
  }
}
const fails = (code: string) => new Fails(code)

function table(rows: readonly Row[]): void {
  test.each(rows.map(row => [`${row[0]}(${JSON.stringify(row[1]).slice(1, -1).slice(0, 80)})`, ...row] as const))('%s', (_, call, args, result) => {
    const [module = '', fn = ''] = call.split('.')
    const run = () => callPure(plugins.get(module)!, fn, ...args)
    if (result instanceof Fails) expect(failureOf(run)).toBe(result.code)
    else expect(run()).toEqual(result)
  })
}

const deep = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels))
const proto = JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1}') as Record<string, unknown>

describe('path', () => table([
  ['path.of', ['a\0b'], fails('bad-path')],
  ['path.of', [''], fails('empty')],
  ['path.of', ['x'.repeat(5_000)], fails('too-long')],
  ['path.join', ['a', '..', '..', 'b'], '../b'],
  ['path.join', ['a', '/b'], 'a/b'],
  ['path.dir', ['a'], '.'],
  ['path.ext', ['.gitignore'], ''],
  ['path.relative', ['/a', 'b'], fails('mixed')],
  ['path.relative', ['a', 'a'], '.'],
  ['path.isInside', ['src/a', 'src'], true],
  ['path.isInside', ['srcs/a', 'src'], false],
  ['path.isInside', ['src/../../etc', 'src'], false],
  ['path.isInside', ['/etc', 'src'], false],
  ['path.matches', ['a/b/c.ts', '**/*.ts'], true],
  ['path.matches', ['c.ts', '**/*.ts'], true],
  ['path.matches', ['a/b.ts', '*.ts'], false],
  ['path.matches', ['a.tsx', '*.ts'], false],
  ['path.matches', ['./a.ts', 'a.ts'], true],
  ['path.matches', ['/a/b', 'a/b'], false],
  ['path.matches', ['a1.ts', 'a?.ts'], true],
  ['path.matches', ['x.d.ts', '*.{ts,d.{ts,mts}}'], true],
  ['path.matches', ['a'.repeat(200), `${'*a'.repeat(100)}b`], false],
  ['path.matches', ['a', '{a,b}'.repeat(20)], fails('bad-pattern')],
  ['path.matches', ['a+b', 'a+b'], true],
]))

describe('text', () => table([
  ['text.count', ['aaaa', 'aa'], 2],
  ['text.count', ['a', ''], fails('empty')],
  ['text.indexOf', ['abc', 'x'], null],
  ['text.slice', ['a👍b', 1, 2], '👍'],
  ['text.padStart', ['👍', 3, 'ab'], 'ab👍'],
  ['text.padStart', ['x', 1_000_000_000], fails('bad-width')],
  ['text.padEnd', ['x', 3, ''], fails('empty')],
  ['text.repeat', ['x', 1e12], fails('too-long')],
  ['text.repeat', ['x', -1], fails('bad-count')],
  ['text.truncate', ['ab', 2], 'ab'],
  ['text.truncate', ['abc', 0], ''],
  ['text.truncate', ['👍👍👍', 2], '👍…'],
  ['text.wrap', ['a verylongword b', 4], 'a\nverylongword\nb'],
  ['text.dedent', ['\n  a\n\n    b\n'], '\na\n\n  b\n'],
  ['text.dedent', ['\ta\n  b'], '\ta\n  b'],
  ['text.lines', [''], []],
  ['text.lines', ['a\rb\r\n\nc'], ['a', 'b', '', 'c']],
  ['text.camel', ['XMLHttpRequest 2go'], 'xmlHttpRequest2go'],
  ['text.snake', [''], ''],
  ['text.title', ['élan vital'], 'Élan Vital'],
  ['text.matches', ['abc', '^b'], false],
  ['text.matches', ['ABC', 'b', true], true],
  ['text.matches', ['a', '(a'], fails('bad-pattern')],
  ['text.matches', ['a', '(?=a)'], fails('bad-pattern')],
  ['text.matches', ['a', '(a)\\1'], fails('bad-pattern')],
  ['text.matches', [`${'a'.repeat(50_000)}!`, '^(a+)+$'], false],
  ['text.find', ['👍 12', '\\d+'], { text: '12', start: 2, end: 4, groups: [], named: {} }],
  ['text.find', ['b', '(a)?b'], { text: 'b', start: 0, end: 1, groups: [null], named: {} }],
  ['text.find', ['b', 'x'], null],
  ['text.findAll', ['ab', ''], [0, 1, 2].map(at => ({ text: '', start: at, end: at, groups: [], named: {} }))],
  ['text.splitRegex', ['abc', ''], ['abc']],
  ['text.replaceRegex', ['a.b', '\\.', '$$'], 'a$b'],
  ['text.replaceRegex', ['ab', '(?P<first>a)(x)?', '[$<first>$2$0]'], '[aa]b'],
  ['text.replaceRegex', ['a'.repeat(10_000), 'a', 'x'.repeat(10_000)], fails('too-long')],
  ['text.replaceRegex', ['ab', 'a', '$<__proto__>'], fails('bad-replacement')],
  ['text.replaceRegex', ['ab', '(a)', '$9'], fails('bad-replacement')],
  ['text.fromBytes', ['/w=='], fails('not-utf8')],
  ['text.diff', ['', ''], { added: 0, removed: 0, lines: [] }],
  ['text.unified', ['a\n', 'a\n'], ''],
  ['text.similarity', ['', ''], 1],
  ['text.similarity', ['Hello  World', 'hello world'], 1],
  ['text.similarity', ['ab', 'cd'], 0],
  ['text.distance', ['', 'abc'], 3],
  ['text.distance', ['x'.repeat(6_000), ''], fails('too-long')],
  ['text.complexity', [''], 1],
  ['text.complexity', ['// if while\n"if && for" /* if\nif */ x'], 1],
  ['text.complexity', ['a ? b : c ?? d; e?.f; g(h?: i)'], 3],
  ['text.complexity', ['# if\nif a and b:\n  pass\nelif c: x', 'py'], 4],
  ['text.metrics', ['/* a\nb */\n\nif (x) {\n  y() // z\n}\n'], { lines: 6, code: 3, comment: 2, blank: 1, longestLine: 10, nesting: 1, complexity: 2 }],
  ['text.duplicates', [[{ file: 'a', text: 'x\n' }], 1], fails('bad-count')],
]))

describe('text.duplicates', () => {
  const body = (name: string) => `function ${name}() {\n  one()\n  two()\n  three()\n  four()\n  five()\n  six()\n}\n`
  test('finds runs across and inside files, whatever the indentation', () => {
    const found = callPure(plugins.get('text')!, 'duplicates', [{ file: 'a', text: `${body('a')}\n${body('b')}` }, { file: 'c', text: body('c').replace(/^ {2}/gm, '\t\t') }])
    expect(found).toHaveLength(1)
    expect(found[0]).toMatchObject({ lines: 6, places: [{ file: 'a', line: 2, endLine: 7 }, { file: 'a', line: 11, endLine: 16 }, { file: 'c', line: 2, endLine: 7 }] })
  })
  test('one line over and over is work that stays in proportion', () => {
    const started = performance.now()
    const found = callPure(plugins.get('text')!, 'duplicates', [{ file: 'a', text: 'same()\n'.repeat(100_000) }])
    expect(found.length).toBeGreaterThan(0)
    for (const { places } of found) for (const [index, place] of places.entries()) expect(place.line).toBeGreaterThan(places[index - 1]?.endLine ?? 0)
    expect(performance.now() - started).toBeLessThan(20_000)
  })
})

describe('text.diff', () => {
  test('two large texts with nothing in common end with everything out and in', () => {
    const [before, after] = [Array.from({ length: 30_000 }, (_, i) => `a${i}`).join('\n'), Array.from({ length: 30_000 }, (_, i) => `b${i}`).join('\n')]
    expect(callPure(plugins.get('text')!, 'diff', before, after)).toMatchObject({ added: 30_000, removed: 30_000 })
    expect(callPure(plugins.get('text')!, 'unified', before, after)).toContain('@@ -1,30000 +1,30000 @@')
  }, 60_000)
})

describe('json', () => table([
  ['json.parse', ['{"a":'], fails('not-json')],
  ['json.parse', ['\ufeff[1]'], [1]],
  ['json.parse', ['['.repeat(200) + ']'.repeat(200)], fails('too-deep')],
  ['json.parse', ['["[[[[[\\"["]'], ['[[[[["[']],
  ['json.tryParse', ['nope'], null],
  ['json.print', [deep(200)], fails('too-deep')],
  ['json.print', [{ a: 1 }, 2], '{\n  "a": 1\n}'],
  ['json.lines', ['1\n{oops'], fails('not-json')],
  ['json.get', [{ 'a/b': { '~': 1 } }, '/a~1b/~0'], 1],
  ['json.get', [[1], '/01'], null],
  ['json.get', [{}, '/__proto__/x', 'no'], 'no'],
  ['json.get', [{}, '/constructor'], null],
  ['json.get', [{}, 'a'], fails('bad-pointer')],
  ['json.get', [{}, '/~2'], fails('bad-pointer')],
  ['json.set', [{}, '/a/b', 1], { a: { b: 1 } }],
  ['json.set', [[1], '/5', 1], fails('no-such-place')],
  ['json.set', [{ a: 1 }, '/a/b', 1], fails('no-such-place')],
  ['json.merge', [{ a: { b: 1 } }, { a: { b: null, c: 2 } }], { a: { c: 2 } }],
  ['json.merge', [[1], { a: 1 }], { a: 1 }],
  ['json.diff', [[1, 2], [1, 3, 4]], [
    { pointer: '/1', kind: 'changed', before: 2, after: 3 }, { pointer: '/2', kind: 'added', before: null, after: 4 },
  ]],
  ['json.diff', [{ a: 1, b: 2 }, { b: 2, a: 1 }], []],
  ['json.validate', [{ a: 1 }, { required: ['b'], additionalProperties: false, properties: { b: true } }], {
    ok: false, problems: [{ pointer: '', message: 'must have the field `b`' }, { pointer: '/a', message: 'is not a field that is allowed here' }],
  }],
  ['json.validate', [3, { $ref: '#/$defs/n', $defs: { n: { type: 'integer', minimum: 3 } } }], { ok: true, problems: [] }],
  ['json.validate', [3, { $ref: '#' }], fails('too-deep')],
  ['json.validate', [3, { $ref: 'https://example.com/x' }], fails('bad-schema')],
  ['json.validate', ['x', { unevaluatedProperties: false }], fails('bad-schema')],
  ['json.validate', [2, { oneOf: [{ type: 'integer' }, { minimum: 1 }] }], { ok: false, problems: [{ pointer: '', message: 'must fit exactly one of the allowed forms, fits 2' }] }],
  ['json.validate', ['a'.repeat(30), { pattern: '^(a+)+b$' }], { ok: false, problems: [{ pointer: '', message: 'must match ^(a+)+b$' }] }],
  ['json.validate', [[1, 1], { uniqueItems: true, contains: { const: 2 } }], {
    ok: false, problems: [{ pointer: '', message: 'must not hold the same value twice' }, { pointer: '', message: 'must hold a matching item' }],
  }],
]))

test('a field named __proto__ is data in json, csv and table', () => {
  const merged = callPure(plugins.get('json')!, 'merge', {}, proto) as object
  expect(Object.keys(merged)).toEqual(['__proto__', 'constructor'])
  const set = callPure(plugins.get('json')!, 'set', {}, '/__proto__/polluted', true) as object
  expect(Object.hasOwn(set, '__proto__')).toBe(true)
  const [row] = callPure(plugins.get('csv')!, 'rows', '__proto__,b\n1,2\n') as object[]
  expect(Object.keys(row!)).toContain('b')
  callPure(plugins.get('table')!, 'rename', [{ a: 1 }], { a: '__proto__' })
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
})

describe('yaml', () => table([
  ['yaml.parse', [''], null],
  ['yaml.parse', ['a: 1\na: 2'], fails('duplicate-key')],
  ['yaml.parse', ['a: [1'], fails('not-yaml')],
  ['yaml.parse', ['a: &x [*x]'], fails('circular')],
  ['yaml.parse', ['a: &x [1]\nb: [*x, *x]'], { a: [1], b: [[1], [1]] }],
  ['yaml.parse', ['1\n---\n2'], fails('many-documents')],
  ['yaml.parse', ['a: .nan'], fails('not-a-number')],
  ['yaml.parse', ['[a]: 1'], fails('bad-key')],
  ['yaml.parse', ['? {a: 1}\n: 2'], fails('bad-key')],
  ['yaml.parse', ['no: yes\nd: 2026-11-20'], { no: 'yes', d: '2026-11-20' }],
  ['yaml.parse', ['a: "[[[[" # [[['], { a: '[[[[' }],
  ['yaml.parse', ["it's: [don't, 'a [ b']"], { "it's": ["don't", 'a [ b'] }],
  ['yaml.parse', ['['.repeat(100_000)], fails('too-deep')],
  ['yaml.parse', ['{a: '.repeat(1_000)], fails('too-deep')],
  ['yaml.parse', ['- '.repeat(5_000)], fails('too-deep')],
  ['yaml.parse', [Array.from({ length: 200 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')], fails('too-deep')],
  ['yaml.parse', ['? '.repeat(5_000)], fails('too-deep')],
  ['yaml.parse', ['!x '.repeat(3) + '['.repeat(70)], fails('too-deep')],
  ['yaml.parse', ['x'.repeat(1_000_001)], fails('too-long')],
  ['yaml.parse', [`a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'.split('').map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(',')}]`).join('\n')}`], fails('not-yaml')],
  ['yaml.print', [deep(100)], fails('too-deep')],
  ['yaml.print', [{ a: 'true', b: '1' }], 'a: "true"\nb: "1"\n'],
]))

describe('csv', () => table([
  ['csv.parse', [''], []],
  ['csv.parse', ['\ufeffa;"b;\n""c"""\r\n', ';'], [['a', 'b;\n"c"']]],
  ['csv.parse', ['a,b\n1\n'], fails('not-csv')],
  ['csv.parse', ['a,b\n1\n', ',', true], [['a', 'b'], ['1']]],
  ['csv.parse', ['a,"b'], fails('not-csv')],
  ['csv.parse', ['a', ',,'], fails('bad-delimiter')],
  ['csv.rows', ['a,a\n1,2'], fails('duplicate-heading')],
  ['csv.rows', ['a,b\n1,2\n3'], fails('not-csv')],
  ['csv.rows', ['a,b\n'], []],
  ['csv.print', [[[' a ', '"', null, true, [1]]]], '" a ","""",,true,[1]\n'],
  ['csv.print', [[['']]], '""\n'],
  ['csv.printRows', [[{ a: '=1+1' }], [], ',', true], "a\n'=1+1\n"],
  ['csv.printRows', [[{ a: 1 }, { b: 2 }]], 'a,b\n1,\n,2\n'],
  ['csv.printRows', [[]], ''],
]))

describe('list', () => table([
  ['list.chunk', [[], 3], []],
  ['list.chunk', [[1], 0], fails('bad-count')],
  ['list.window', [[1], 2], []],
  ['list.window', [Array(20_000).fill(1), 10_000], fails('too-many')],
  ['list.transpose', [[[1], [1, 2]]], fails('ragged')],
  ['list.rotate', [[1, 2, 3], -1], [3, 1, 2]],
  ['list.rotate', [[], 5], []],
  ['list.difference', [[{ a: 1, b: 2 }], [{ b: 2, a: 1 }]], []],
  ['list.frequencies', [[]], []],
  ['list.indexOf', [[[1]], [1]], 0],
  ['list.combinations', [[1, 2], 0], [[]]],
  ['list.combinations', [[1], 2], []],
  ['list.combinations', [Array(100).fill(0), 50], fails('too-many')],
  ['list.product', [Array(2_000).fill(0), Array(2_000).fill(0)], fails('too-many')],
  ['list.repeat', ['x', 1e9], fails('bad-count')],
  ['list.sample', [[1, 2], -1, 1], fails('bad-count')],
]))

test('seeded order is the same everywhere and depends on the seed', () => {
  const shuffle = (seed: unknown) => callPure(plugins.get('list')!, 'shuffle', Array.from({ length: 50 }, (_, i) => i), seed) as number[]
  expect(shuffle(7)).toEqual(shuffle('7'))
  expect(shuffle(7)).not.toEqual(shuffle(8))
  expect([...shuffle(7)].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i))
  expect(shuffle(7).slice(0, 5)).toMatchInlineSnapshot(`
    [
      24,
      19,
      49,
      21,
      7,
    ]
  `)
})

describe('table', () => table([
  ['table.select', [[{ a: 1 }], ['b']], fails('no-such-column')],
  ['table.select', [[], ['b']], []],
  ['table.typed', [[{ n: '1.5' }], { n: 'int' }], fails('bad-value')],
  ['table.typed', [[{ n: ' 12 ', f: '' }], { n: 'int', f: 'float' }], [{ n: 12, f: null }]],
  ['table.typed', [[{ n: '1' }], { n: 'constructor' }], fails('bad-type')],
  ['table.typed', [[{ n: '9007199254740993' }], { n: 'int' }], fails('bad-value')],
  ['table.rename', [[{ a: 1, b: 2 }], { a: 'b' }], fails('duplicate-column')],
  ['table.sort', [[{ n: null }, { n: 2 }, { n: 1 }], ['n'], true], [{ n: 2 }, { n: 1 }, { n: null }]],
  ['table.join', [[{ id: 1, n: 'a' }, { id: 2, n: 'b' }], [{ id: 1, n: 'x' }, { id: 3, n: 'z' }], 'id', 'full'], [
    { id: 1, n: 'a', n_2: 'x' }, { id: 2, n: 'b', n_2: null }, { id: 3, n: null, n_2: 'z' },
  ]],
  ['table.join', [Array(2_000).fill({ id: 1 }), Array(2_000).fill({ id: 1 }), 'id'], fails('too-many')],
  ['table.aggregate', [[]], [{ count: 0 }]],
  ['table.aggregate', [[{ k: 'a', n: 1 }, { k: 'b', n: null }, { k: 'a', n: 3 }], ['k'], ['n'], ['n'], ['n'], ['n']], [
    { k: 'a', count: 2, sum_n: 4, avg_n: 2, min_n: 1, max_n: 3 }, { k: 'b', count: 1, sum_n: 0, avg_n: null, min_n: null, max_n: null },
  ]],
  ['table.aggregate', [[{ n: 'x' }], [], ['n']], fails('not-a-number')],
  ['table.pivot', [[{ d: 1, k: 'd', n: 1 }], 'd', 'k', 'n'], fails('duplicate-column')],
  ['table.toMarkdown', [[{ 'a|b': '<x>\n*y*' }]], '| a\\|b |\n| --- |\n| \\<x\\> \\*y\\* |\n'],
  ['table.toText', [[{ a: '\u001b[31mred\u0007' }]], 'a\n[31mred\n'],
  ['table.toText', [[]], ''],
]))

describe('math', () => table([
  ['math.sqrt', [-1], fails('outside-domain')],
  ['math.log', [0], fails('outside-domain')],
  ['math.exp', [1_000], fails('outside-domain')],
  ['math.pow', [-1, 0.5], fails('outside-domain')],
  ['math.clamp', [1, 3, 2], fails('outside-domain')],
  ['math.trunc', [1e300], fails('too-large')],
  ['math.roundTo', [-2.345, 2], -2.35],
  ['math.roundTo', [1e21, 2], 1e21],
  ['math.roundTo', [1, 99], fails('outside-domain')],
  ['math.intDiv', [7, 0], fails('outside-domain')],
  ['math.intDiv', [9007199254740991, 2], 4503599627370495],
  ['math.gcd', [0, 0], 0],
  ['math.lcm', [9007199254740991, 2], fails('too-large')],
  ['math.factorial', [19], fails('too-large')],
  ['math.isPrime', [9007199254740881], true],
  ['math.isPrime', [3215031751], false],
  ['math.isPrime', [-7], false],
  ['math.hypot', [], 0],
]))

describe('stats', () => table([
  ['stats.mean', [[]], null],
  ['stats.mean', [[1e16, 1, -1e16]], 1 / 3],
  ['stats.median', [[3, 1, 2]], 2],
  ['stats.variance', [[5]], null],
  ['stats.variance', [[5], false], 0],
  ['stats.percentile', [[1], 101], fails('bad-percentile')],
  ['stats.histogram', [[2, 2]], [{ from: 2, to: 2, count: 2 }]],
  ['stats.histogram', [[1], 0], fails('bad-count')],
  ['stats.correlation', [[1, 2], [1]], fails('different-lengths')],
  ['stats.correlation', [[1, 1], [1, 2]], null],
  ['stats.correlation', [[1, 2, 3], [1, 8, 27], 'spearman'], 1],
  ['stats.linearRegression', [[1, 1], [1, 2]], null],
  ['stats.geometricMean', [[0]], fails('not-positive')],
  ['stats.proportion', [4, 3], fails('bad-count')],
  ['stats.proportion', [0, 0], null],
  ['stats.movingAverage', [[], 3], []],
]))

describe('time', () => table([
  ['time.parse', ['2026-13-01'], fails('not-a-time')],
  ['time.parse', ['2026-02-29'], fails('not-a-time')],
  ['time.parse', ['2024-02-29T23:59:60Z'], Date.UTC(2024, 2, 1)],
  ['time.parse', ['2026-11-20T09:30:00.123456789+01:00'], Date.UTC(2026, 10, 20, 8, 30, 0, 123)],
  ['time.parse', ['2026-07-01T12:00', 'Europe/Berlin'], Date.UTC(2026, 6, 1, 10)],
  ['time.parse', ['2026-03-29T02:30', 'Europe/Berlin'], Date.UTC(2026, 2, 29, 1, 30)],
  ['time.parse', ['2026-10-25T02:30', 'Europe/Berlin'], Date.UTC(2026, 9, 25, 0, 30)],
  ['time.parse', ['2026-01-01', 'Mars/Base'], fails('no-such-zone')],
  ['time.parse', ['yesterday'], fails('not-a-time')],
  ['time.iso', [9e15], fails('out-of-range')],
  ['time.format', [0, "yyyy-MM-dd'T'HH:mm:ss.SSSXXX ''"], "1970-01-01T00:00:00.000Z '"],
  ['time.format', [0, 'h:mm a EEEE', 'America/New_York'], '7:00 PM Wednesday'],
  ['time.add', [Date.UTC(2024, 1, 29), 1, 'year'], Date.UTC(2025, 1, 28)],
  ['time.add', [Date.UTC(2026, 2, 28, 11), 1, 'day', 'Europe/Berlin'], Date.UTC(2026, 2, 29, 10)],
  ['time.add', [0, 1e15, 'year'], fails('out-of-range')],
  ['time.diff', [Date.UTC(2026, 0, 31), Date.UTC(2026, 1, 28), 'month'], 1],
  ['time.diff', [Date.UTC(2026, 2, 1), Date.UTC(2026, 0, 31), 'month'], -1],
  ['time.diff', [0, -1, 'day'], 0],
  ['time.startOf', [Date.UTC(2026, 10, 20, 5), 'week'], Date.UTC(2026, 10, 16)],
  ['time.startOf', [Date.UTC(2026, 6, 1, 23), 'day', 'Europe/Berlin'], Date.UTC(2026, 6, 1, 22)],
  ['time.durationText', [0], '0ms'],
  ['time.durationText', [90_061_000], '1d 1h'],
  ['time.durationText', [-61_000], '-1m 1s'],
]))

test('time.parts knows ISO weeks at the turn of the year', () => {
  const parts = (text: string) => callPure(plugins.get('time')!, 'parts', callPure(plugins.get('time')!, 'parse', text))
  expect(parts('2027-01-01')).toMatchObject({ week: 53, weekYear: 2026, weekday: 5, dayOfYear: 1 })
  expect(parts('2024-12-30')).toMatchObject({ week: 1, weekYear: 2025, dayOfYear: 365 })
})

describe('npm', () => table([
  ['npm.compare', ['1.0.0-alpha.2', '1.0.0-alpha.10'], -1],
  ['npm.compare', ['1.0.0', '1.0.0-rc.1'], 1],
  ['npm.compare', ['1.0.0+a', '1.0.0+b'], 0],
  ['npm.compare', ['x', '1.0.0'], -1],
  ['npm.step', ['1.2.3', '1.3.0'], 'minor'],
  ['npm.step', ['0.2.3', '0.2.4'], 'patch'],
  ['npm.step', ['0.0.3', '0.0.4'], 'major'],
  ['npm.step', ['2.0.0', '1.0.0'], 'none'],
  ['npm.step', ['latest', '1.0.0'], fails('bad-version')],
  ['npm.noStricter', ['GPL-3.0-only', 'MIT'], false],
  ['npm.noStricter', ['(MIT OR GPL-3.0-only)', 'MIT'], true],
  ['npm.noStricter', ['MIT AND GPL-3.0-only', 'MIT'], false],
  ['npm.noStricter', ['GPL-2.0-only WITH Classpath-exception-2.0', 'LGPL-3.0'], true],
  ['npm.noStricter', ['SEE LICENSE IN x', 'MIT'], false],
  ['npm.noStricter', ['Custom', 'Custom'], true],
  ['npm.noStricter', ['', ''], false],
  ['npm.noStricter', ['('.repeat(500), 'MIT'], false],
  ['npm.parseLock', ['[]'], fails('not-json')],
  ['npm.parseLock', ['{}'], fails('not-a-lock')],
]))

test('npm.parseLock reads versions 1 and 3 alike and leaves out links and forged names', () => {
  const v3 = JSON.stringify({ lockfileVersion: 3, packages: {
    '': { name: 'root' }, 'node_modules/a': { version: '1.0.0', license: 'MIT', hasInstallScript: true, integrity: 'sha512-x' }, 'node_modules/a/node_modules/@s/b': { version: '2.0.0', dev: true },
    'node_modules/l': { link: true, resolved: 'packages/l' }, 'packages/l': { version: '1.0.0' }, 'node_modules/../../etc': { version: '1.0.0' },
  } })
  const v1 = JSON.stringify({ lockfileVersion: 1, dependencies: { a: { version: '1.0.0', dependencies: { '@s/b': { version: '2.0.0', dev: true } } }, '../evil': { version: '1.0.0' } } })
  const brief = (text: string) => (callPure(plugins.get('npm')!, 'parseLock', text) as any[]).map(one => [one.path, one.version, one.dev])
  expect(brief(v3)).toEqual([['node_modules/a', '1.0.0', false], ['node_modules/a/node_modules/@s/b', '2.0.0', true]])
  expect(brief(v1)).toEqual(brief(v3))
  expect(callPure(plugins.get('npm')!, 'parseLock', v3)[0]).toMatchObject({ licence: 'MIT', installScript: true, integrity: true })
})
