// Operations: the run-time rules of language.md, one line each.
import { describe, expect, test } from 'vitest'
import type { PlanExpr } from '#model/plan.ts'
import type { Value } from '#model/type.ts'
import { prelude } from '#compiler/3-check/prelude.ts'
import { preludeFunctions } from '#interpreter/engine/evaluation.ts'
import { preludeParams } from '#interpreter/engine/evaluate/prelude.ts'
import { bin, call, each, fn, iff, index, list, local, member, p, pre, record, result, run, template, v } from './harness.ts'

const MAX = Number.MAX_SAFE_INTEGER

describe('operators', () => {
  test.each<[string, PlanExpr, Value]>([
    ['1 + 2', bin(v(1), '+', v(2)), 3],
    ['int / int', bin(v(1), '/', v(2)), 0.5],
    ['division by zero', bin(v(1), '/', v(0)), '!run/division-by-zero'],
    ['the largest int', bin(v(MAX - 1), '+', v(1)), MAX],
    ['beyond it', bin(v(MAX), '+', v(1)), '!run/integer-overflow'],
    ['below', bin(v(-MAX), '-', v(1)), '!run/integer-overflow'],
    ['product', bin(v(2 ** 30), '*', v(2 ** 30)), '!run/integer-overflow'],
    ['large floats', bin(v(1.5e300), '+', v(1)), 1.5e300],
    ['too large a float', bin(v(1.5e308), '*', v(10.5)), '!run/not-a-number'],
    ['no -0', bin(v(0), '*', v(-1)), 0],
    ['texts are not added', bin(v('a'), '+', v('b')), '!run/wrong-kind'],
    ['-x', { op: 'negate', value: v(3) }, -3],
    ['not', { op: 'not', value: v(true) }, false],
    ['not of a number', { op: 'not', value: v(1) }, '!run/wrong-kind'],
    ['and stops', bin(v(false), 'and', pre('fail', v('x'))), false],
    ['or stops', bin(v(true), 'or', pre('fail', v('x'))), true],
    ['?? stops', bin(v(0), 'coalesce', pre('fail', v('x'))), 0],
    ['?? of null', bin(v(null), 'coalesce', v(2)), 2],
    ['deep equality', bin(v({ a: [1, { b: null }], c: 2 }), '==', v({ c: 2, a: [1, { b: null }] })), true],
    ['inequality of kinds', bin(v(1), '!=', v('1')), true],
    ['a list is no record', bin(v([]), '==', v({})), false],
    ['order by code point', bin(v('\uffff'), '<', v('😀')), true],
    ['order of kinds', bin(v(1), '<', v('2')), '!run/wrong-kind'],
    ['in a list', bin(v([1]), 'in', v([[2], [1]])), true],
    ['in a map', bin(v('a'), 'in', v({ a: null })), true],
    ['not a prototype', bin(v('toString'), 'in', v({ a: 1 })), false],
    ['in a text', bin(v('b'), 'in', v('abc')), true],
    ['if', iff(v(true), v(1), pre('fail', v(''))), 1],
    ['if of null', iff(v(null), v(1), v(2)), '!run/wrong-kind'],
  ])('%s', (_, expr, value) => expect(result(expr)).toEqual(value))
})

describe('members and indexes', () => {
  test.each<[string, PlanExpr, Value]>([
    ['a field', member(v({ a: 1 }), 'a'), 1],
    ['no such field', member(v({ a: 1 }), 'b'), null],
    ['no prototype', member(v({ a: 1 }), 'constructor'), null],
    ['null?.a', member(v(null), 'a', true), null],
    ['null.a', member(v(null), 'a'), '!run/wrong-kind'],
    ['a field of a list', member(v([1]), 'length'), '!run/wrong-kind'],
    ['xs[1]', index(v([1, 2]), v(1)), 2],
    ['out of range', index(v([1, 2]), v(2)), null],
    ['negative', index(v([1, 2]), v(-1)), null],
    ['a text by code point', index(v('a😀b'), v(2)), 'b'],
    ['an emoji is one character', index(v('a😀b'), v(1)), '😀'],
    ['m[k]', index(v({ a: 1 }), v('a')), 1],
    ['m[__proto__]', index(v({ a: 1 }), v('__proto__')), null],
    ['wrong key', index(v({ a: 1 }), v(0)), '!run/wrong-kind'],
  ])('%s', (_, expr, value) => expect(result(expr)).toEqual(value))

  test('__proto__ is a field like any other', () => {
    const made = result(record(['__proto__', v(1)], ['a', v(2)]))
    expect(Object.keys(made as object)).toEqual(['__proto__', 'a'])
    expect(Object.getPrototypeOf(made)).toBe(Object.prototype)
    expect(result(member(record(['__proto__', v(1)]), '__proto__'))).toBe(1)
    const spread = result(record([null, v(JSON.parse('{"__proto__": {"polluted": true}}'))]))
    expect(JSON.stringify(spread)).toBe('{"__proto__":{"polluted":true}}')
  })
  test('later fields win, spreads of null add nothing', () => {
    expect(result(record(['a', v(1)], [null, v({ a: 2, b: 3 })], [null, v(null)], ['b', v(4)]))).toEqual({ a: 2, b: 4 })
  })
})

describe('texts', () => {
  test.each<[PlanExpr, string]>([
    [template('n: ', v(1.5), ' ', v(true), ' ', v(null), ' ', v('x')), 'n: 1.5 true null x'],
    [template(v([1, 'a', null])), '[1,"a",null]'],
    [template(v({ a: { b: 1 } })), '{"a":{"b":1}}'],
  ])('%j', (expr, text) => expect(result(expr)).toBe(text))
})

describe('match', () => {
  const match = (value: PlanExpr): PlanExpr => ({
    op: 'match', subject: value, arms: [{ patterns: ['a', 'b'], value: v(1) }, { patterns: [null], value: v(2) }, { patterns: [-1], value: v(3) }],
  })
  test.each<[Value, Value]>([['a', 1], ['b', 1], [null, 2], [-1, 3], ['c', '!run/wrong-kind'], [[], '!run/wrong-kind']])('%j gives %j', (value, given) => {
    expect(result(match(v(value)))).toEqual(given)
  })
  test('_ takes the rest', () => {
    expect(result({ op: 'match', subject: v(9), arms: [{ patterns: [1], value: v('one') }, { patterns: [{ any: true }], value: v('other') }] })).toBe('other')
  })
})

describe('prelude', () => {
  test('has the names and the parameters the checker knows', () => {
    expect([...preludeFunctions].sort()).toEqual([...prelude.keys()].sort())
    for (const [name, signature] of prelude) expect([name, preludeParams[name]]).toEqual([name, signature.params.map(param => param.name)])
  })

  const xs = v([3, 1, 2])
  const people = v([{ n: 'b', a: 2 }, { n: 'a', a: 2 }, { n: 'c', a: 1 }])
  const age = fn('x', member(local('x'), 'a'))
  test.each<[string, PlanExpr, Value]>([
    ['len of a list', pre('len', xs), 3],
    ['len of a text', pre('len', v('a😀')), 2],
    ['len of a map', pre('len', v({ a: 1, b: 2 })), 2],
    ['range(3)', pre('range', v(3)), [0, 1, 2]],
    ['range(2, 5)', pre('range', v(2), v(5)), [2, 3, 4]],
    ['range(5, 0, -2)', pre('range', v(5), v(0), v(-2)), [5, 3, 1]],
    ['range by 0', pre('range', v(5), v(0), v(0)), '!run/wrong-kind'],
    ['range(1e12)', pre('range', v(1e12)), '!run/value-too-large'],
    ['sum', pre('sum', xs), 6],
    ['sum of none', pre('sum', v([])), 0],
    ['sum too large', pre('sum', v([MAX, 1])), '!run/integer-overflow'],
    ['sum of texts', pre('sum', v(['a'])), '!run/wrong-kind'],
    ['min', pre('min', xs), 1],
    ['max of texts', pre('max', v(['a', '😀', '\uffff'])), '😀'],
    ['max of none', pre('max', v([])), null],
    ['max passes over null', pre('max', v([null, 1])), 1],
    ['avg', pre('avg', xs), 2],
    ['avg of none', pre('avg', v([])), null],
    ['count', pre('count', xs), 3],
    ['count where', pre('count', xs, fn('x', bin(local('x'), '>', v(1)))), 2],
    ['all', pre('all', xs, fn('x', bin(local('x'), '>', v(1)))), false],
    ['all of none', pre('all', v([]), fn('x', v(false))), true],
    ['any', pre('any', xs, fn('x', bin(local('x'), '>', v(2)))), true],
    ['any of none', pre('any', v([]), fn('x', v(true))), false],
    ['any stops', pre('any', v([1, 0]), fn('x', bin(bin(v(1), '/', local('x')), '>', v(0)))), true],
    ['a condition that is no bool', pre('filter', xs, fn('x', local('x'))), '!run/wrong-kind'],
    ['first', pre('first', xs), 3],
    ['last of none', pre('last', v([])), null],
    ['take', pre('take', xs, v(2)), [3, 1]],
    ['take too many', pre('take', xs, v(9)), [3, 1, 2]],
    ['take -1', pre('take', xs, v(-1)), []],
    ['drop', pre('drop', xs, v(1)), [1, 2]],
    ['sort', pre('sort', xs), [1, 2, 3]],
    ['sort texts', pre('sort', v(['b', '😀', '\uffff', 'a'])), ['a', 'b', '\uffff', '😀']],
    ['sort mixed', pre('sort', v([1, 'a'])), '!run/wrong-kind'],
    ['sort records', pre('sort', v([{}, {}])), '!run/wrong-kind'],
    ['sortBy is stable', pre('map', pre('sortBy', people, age), fn('x', member(local('x'), 'n'))), ['c', 'b', 'a']],
    ['sortBy lists', pre('sortBy', v([2, 1]), fn('x', list(v(0), local('x')))), [1, 2]],
    ['sortBy null last', pre('sortBy', v([1, 2]), fn('x', iff(bin(local('x'), '==', v(1)), v(null), local('x')))), [2, 1]],
    ['filter', pre('filter', xs, fn('x', bin(local('x'), '!=', v(1)))), [3, 2]],
    ['map', pre('map', xs, fn('x', bin(local('x'), '*', v(2)))), [6, 2, 4]],
    ['map of null', pre('map', v(null), fn('x', local('x'))), '!run/wrong-kind'],
    ['flatMap', pre('flatMap', xs, fn('x', list(local('x'), local('x')))), [3, 3, 1, 1, 2, 2]],
    ['flatten', pre('flatten', v([[1], null, [2, [3]]])), [1, 2, [3]]],
    ['unique', pre('unique', v([1, '1', 1, { a: 1, b: 2 }, { b: 2, a: 1 }, null, null])), [1, '1', { a: 1, b: 2 }, null]],
    ['groupBy', pre('groupBy', people, fn('x', template('age ', member(local('x'), 'a')))), { 'age 2': [{ n: 'b', a: 2 }, { n: 'a', a: 2 }], 'age 1': [{ n: 'c', a: 1 }] }],
    ['zip', pre('zip', v([1, 2]), v(['a'])), [[1, 'a']]],
    ['keys', pre('keys', v({ b: 1, a: 2 })), ['b', 'a']],
    ['values', pre('values', v({ b: 1, a: 2 })), [1, 2]],
    ['contains', pre('contains', v([[1]]), v([1])), true],
    ['contains text', pre('contains', v('abc'), v('bc')), true],
    ['join', pre('join', v(['a', 1, null]), v(', ')), 'a, 1, null'],
    ['join plainly', pre('join', v(['a', 'b'])), 'ab'],
    ['split', pre('split', v('a,b,'), v(',')), ['a', 'b', '']],
    ['split into characters', pre('split', v('a😀'), v('')), ['a', '😀']],
    ['trim', pre('trim', v(' a\n')), 'a'],
    ['lower and upper', list(pre('lower', v('ÀB')), pre('upper', v('ß'))), ['àb', 'SS']],
    ['replace all, literally', pre('replace', v('a.b.c'), v('.'), v('$&')), 'a$&b$&c'],
    ['replace nothing', pre('replace', v('😀'), v(''), v('x')), '😀'],
    ['round', list(pre('round', v(2.5)), pre('round', v(-2.5)), pre('round', v(1.005), v(2)), pre('round', v(1234), v(-2))), [3, -3, 1.01, 1200]],
    ['round beyond', pre('round', v(1.5e300)), '!run/integer-overflow'],
    ['floor and ceil', list(pre('floor', v(-1.5)), pre('ceil', v(1.2)), pre('ceil', v(-0.5))), [-2, 2, 0]],
    ['mod', list(pre('mod', v(7), v(3)), pre('mod', v(-7), v(3)), pre('mod', v(7), v(-3)), pre('mod', v(-6), v(3))), [1, 2, -2, 0]],
    ['mod 0', pre('mod', v(7), v(0)), '!run/division-by-zero'],
    ['abs', pre('abs', v(-2)), 2],
    ['maxBy', pre('maxBy', people, age), { n: 'b', a: 2 }],
    ['minBy', pre('minBy', people, age), { n: 'c', a: 1 }],
    ['minBy of none', pre('minBy', v([]), age), null],
    ['empty', list(pre('empty', v([])), pre('empty', v('')), pre('empty', v(null)), pre('empty', v({ a: 1 }))), [true, true, true, false]],
    ['default', list(pre('default', v(null), v(1)), pre('default', v(2), pre('fail', v('')))), [1, 2]],
    ['string', pre('string', v([1])), '[1]'],
    ['int', list(...['12', ' -3 ', '1.5', 'x', '9007199254740993'].map(each => pre('int', v(each))), pre('int', v(-1.9)), pre('int', v(true)), pre('int', v(null))), [12, -3, null, null, null, -1, 1, null]],
    ['float', list(...['1.5', '1e3', '.5', 'x', '1e999'].map(each => pre('float', v(each)))), [1.5, 1000, 0.5, null, null]],
    ['fail', pre('fail', v('no')), '!run/failed'],
    ['trust', { op: 'prelude', fn: 'trust', args: [v('x')], named: { because: v('checked') } }, 'x'],
    ['arguments by name', { op: 'prelude', fn: 'range', args: [], named: { to: v(3), from: v(1) } }, [1, 2]],
    ['comprehension', each('x', xs, bin(local('x'), '*', local('x')), bin(local('x'), '>', v(1))), [9, 4]],
    ['nested names', each('x', v([[1], [2]]), each('x', local('x'), bin(local('x'), '+', v(1)))), [[2], [3]]],
    ['names around', each('x', v([1, 2]), pre('map', v([10]), fn('y', bin(local('x'), '+', local('y'))))), [[11], [12]]],
  ])('%s', (_, expr, value) => expect(result(expr)).toEqual(value))

  test('fail may be tried again and says what the program says', () => {
    expect(run(pre('fail', v('out of paper'))).end).toEqual({ kind: 'failed', failure: { code: 'run/failed', message: 'out of paper', retryable: true } })
  })
  test('a wrong kind is named', () => {
    const { end } = run(pre('sort', v('abc')))
    expect(end.kind === 'failed' && end.failure.message).toBe('`sort` needs a list, and was given a text.')
  })
})

describe('bounds', () => {
  const grow = (times: number): PlanExpr => (times === 0 ? v('x'.repeat(1024)) : iff(v(true), pre('replace', grow(times - 1), v('x'), v('xxxx')), v('')))
  const nest = (depth: number): Value => (depth === 0 ? 1 : [nest(depth - 1)])
  test.each<[string, PlanExpr, string]>([
    ['texts', grow(8), '!run/value-too-large'],
    ['templates', template(...Array.from({ length: 40 }, () => p('big'))), '!run/value-too-large'],
    ['joins', pre('join', list(...Array.from({ length: 40 }, () => p('big')))), '!run/value-too-large'],
    ['lists', pre('flatten', pre('map', pre('range', v(6)), fn('x', p('long')))), '!run/value-too-large'],
    ['steps', each('a', pre('range', v(100_000)), pre('len', each('b', pre('range', v(100_000)), v(1)))), '!run/expression-too-long'],
    ['nested loops', each('a', pre('range', v(100_000)), pre('sum', pre('range', v(100_000)))), '!run/expression-too-long'],
    ['comparing deep values', bin(v(nest(200)), '==', v(nest(200))), '!run/value-too-large'],
    ['printing deep values', template(v(nest(200))), '!run/value-too-large'],
    ['sorting by deep values', pre('sort', v([nest(200), nest(200)])), '!run/value-too-large'],
  ])('%s', (_, expr, code) => {
    expect(result(expr, { params: { big: 'x'.repeat(1_000_000), long: Array.from({ length: 1_000_000 }, () => 0) } })).toBe(code)
  })
  test.each<[string, (expr: PlanExpr) => PlanExpr, string]>([
    ['returned', expr => expr, '!run/value-too-large'],
    ['printed', expr => template(expr), '!run/value-too-large'],
    ['compared', expr => bin(expr, '==', expr), '!run/expression-too-long'],
    ['made unique', expr => pre('unique', list(expr)), '!run/value-too-large'],
    ['given to a tool', expr => call('f', expr), '!run/value-too-large'],
    ['given to a module', expr => call('f', expr, 'pure'), '!run/value-too-large'],
  ])('a value that is huge because it mentions its parts twice, %s', (_, use, code) => {
    let expr: PlanExpr = v(1)
    for (let level = 0; level < 60; level++) expr = pre('map', list(expr), fn('x', list(local('x'), local('x'))))
    expect(result(use(expr), {}, { pure: () => () => 1 })).toBe(code)
  })
  test('a search that would take the product of two lengths costs as much', () => {
    const params = { text: 'a'.repeat(8_000_000), part: `b${'a'.repeat(4_000_000)}` }
    for (const expr of [pre('contains', p('text'), p('part')), pre('split', p('text'), p('part')), pre('replace', p('text'), p('part'), v(''))]) {
      expect(result(expr, { params })).toBe('!run/expression-too-long')
    }
  })
  test('a text that is almost a number is read in linear time', () => {
    expect(result(pre('float', p('digits')), { params: { digits: `${'1'.repeat(1_000_000)}x` } })).toBeNull()
  })
  test('a comparison of great texts costs steps', () => {
    const great = 'x'.repeat(1_000_000)
    expect(result(pre('count', pre('range', v(1000)), fn('i', bin(p('a'), '<', p('b')))), { params: { a: `${great}a`, b: `${great}b` } }, { maxSteps: 2_000_000 })).toBe('!run/expression-too-long')
  })
})
