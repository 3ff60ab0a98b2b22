// Effects: calls within expressions: order, short-circuit, failures, heavy parts, and what a call asks for.
import { describe, expect, test } from 'vitest'
import type { PlanExpr } from '#model/plan.ts'
import { Evaluation, evaluatePure, freeReferences } from '#interpreter/engine/evaluation.ts'
import { bad, bin, call, each, fn, iff, index, list, local, member, ok, p, pre, record, result, run, scopeOf, template, usual, v } from './harness.ts'

const names = (expr: PlanExpr, answer?: Parameters<typeof run>[3]): string[] => run(expr, {}, {}, answer).calls.map(each => `${each.fn}(${JSON.stringify(each.args['x'])})`)

describe('calls', () => {
  test('happen left to right, and their values are used', () => {
    const ran = run(record(['a', call('one', v(1))], ['b', list(call('two', v(2)), v(0), call('three', v(3)))], ['c', template('<', call('four', v('4')), '>')]))
    expect(ran.calls.map(each => each.fn)).toEqual(['one', 'two', 'three', 'four'])
    expect(ran.end).toEqual({ kind: 'done', value: { a: 1, b: [2, 0, 3], c: '<4>' } })
  })
  test('inner before outer, arguments in order', () => {
    expect(names(call('outer', list(call('left', v(1)), call('right', v(2)))))).toEqual(['left(1)', 'right(2)', 'outer([1,2])'])
  })
  test('carry what they need', () => {
    const expr: PlanExpr = {
      op: 'call', module: 'shell', fn: 'run', effect: 'write', runs: 'host', args: { program: v('npm'), args: list(v('ci'), v(3)), cwd: v(null) },
      needs: [{ grant: 'exec', args: [{ param: 'program' }, { param: 'args' }] }, { grant: 'fs.read', args: [{ param: 'cwd' }, { literal: '**' }] }],
    }
    expect(run(expr).calls).toEqual([{
      module: 'shell', fn: 'run', effect: 'write', runs: 'host', args: { program: 'npm', args: ['ci', 3], cwd: null },
      needs: [{ name: 'exec', args: ['npm', 'ci', '3'] }, { name: 'fs.read', args: ['**'] }],
      secretArgs: [],
    }])
  })
  test.each<[string, PlanExpr, string[]]>([
    ['and', bin(call('a', v(false)), 'and', call('b', v(true))), ['a(false)']],
    ['or', bin(call('a', v(false)), 'or', call('b', v(true))), ['a(false)', 'b(true)']],
    ['??', bin(call('a', v(1)), 'coalesce', call('b', v(2))), ['a(1)']],
    ['default', pre('default', call('a', v(null)), call('b', v(2))), ['a(null)', 'b(2)']],
    ['if', iff(call('c', v(true)), call('a', v(1)), call('b', v(2))), ['c(true)', 'a(1)']],
    ['match', { op: 'match', subject: call('s', v('x')), arms: [{ patterns: ['y'], value: call('a', v(1)) }, { patterns: [{ any: true }], value: call('b', v(2)) }] }, ['s("x")', 'b(2)']],
    ['comprehension', each('x', v([1, 2, 3]), call('f', local('x')), bin(local('x'), '!=', v(2))), ['f(1)', 'f(3)']],
    ['condition with a call', each('x', v([1, 2]), local('x'), call('f', bin(local('x'), '==', v(2)))), ['f(false)', 'f(true)']],
    ['any stops', pre('any', v([1, 2, 3]), fn('x', call('f', bin(local('x'), '==', v(2))))), ['f(false)', 'f(true)']],
    ['nothing before a failure', list(pre('fail', v('no')), call('a', v(1))), []],
    ['a failure after', list(call('a', v(1)), pre('fail', v('no'))), ['a(1)']],
  ])('%s', (_, expr, called) => expect(names(expr)).toEqual(called))

  test.each<[string, PlanExpr, unknown]>([
    ['map', pre('map', v([1, 2]), fn('x', call('f', local('x')))), [1, 2]],
    ['filter', pre('filter', v([1, 2]), fn('x', call('f', bin(local('x'), '>', v(1))))), [2]],
    ['sortBy', pre('sortBy', v([1, 2, 3]), fn('x', call('f', { op: 'negate', value: local('x') }))), [3, 2, 1]],
    ['groupBy', pre('groupBy', v(['a', 'b', 'a']), fn('x', call('f', local('x')))), { a: ['a', 'a'], b: ['b'] }],
    ['all', pre('all', v([1]), fn('x', call('f', v(true)))), true],
    ['maxBy', pre('maxBy', v([1, 2]), fn('x', call('f', local('x')))), 2],
    ['a plain lambda over a called list', pre('map', call('f', v([1, 2])), fn('x', bin(local('x'), '+', v(1)))), [2, 3]],
    ['a plain comprehension over a called list', each('x', call('f', v([1, 2])), bin(local('x'), '+', v(1))), [2, 3]],
    ['member and index', member(index(call('f', v([{ a: 5 }])), v(0)), 'a'), 5],
    ['lambda within lambda', pre('map', v([1, 2]), fn('x', pre('map', v([10]), fn('y', call('f', bin(local('x'), '+', local('y'))))))), [[11], [12]]],
  ])('in %s', (_, expr, value) => expect(run(expr).end).toEqual({ kind: 'done', value }))

  test('a failed call fails the evaluation with its failure', () => {
    const ran = run(list(call('a', v(1)), call('b', v(2))), {}, {}, one => (one.fn === 'a' ? bad('fs/not-found') : ok(1)))
    expect(ran.calls.length).toBe(1)
    expect(ran.end).toMatchObject({ kind: 'failed', failure: { code: 'fs/not-found', message: 'refused' } })
  })
  test('denied', () => {
    const expr: PlanExpr = { op: 'denied', call: call('a', call('b', v(1))) }
    const ran = run(expr, {}, {}, request => (request.isTrial === true ? ok(true) : ok(7)))
    expect(ran.end).toEqual({ kind: 'done', value: true })
    expect(ran.calls).toMatchObject([{ fn: 'b' }, { fn: 'a', args: { x: 7 }, isTrial: true }]) // what it is asked with is worked out; it is not made
    expect(ran.calls[0]!.isTrial).toBeUndefined()
    expect(run(expr, {}, {}, () => bad('fs/not-found')).end).toMatchObject({ kind: 'failed', failure: { code: 'fs/not-found' } })
  })
  test('denied, of more than one call', () => {
    const expr: PlanExpr = { op: 'denied', call: { op: 'member', object: call('a', v(1)), name: 'x', optional: true } }
    expect(run(expr, {}, {}, () => bad('permit/denied')).end).toEqual({ kind: 'done', value: true })
    expect(run(expr, {}, {}, () => ok({ x: 1 })).end).toEqual({ kind: 'done', value: false })
    expect(run(expr, {}, {}, () => bad('fs/not-found')).end).toMatchObject({ kind: 'failed', failure: { code: 'fs/not-found' } })
  })
})

describe('pure module functions', () => {
  const double = call('double', p('n'), 'pure')
  const pure = (module: string, name: string) => (module === 't' && name === 'double' ? (args: Readonly<Record<string, unknown>>) => Number(args['x']) * 2 : null)
  test('are called in place when loaded, asked for otherwise', () => {
    const expr = bin(double, '+', v(1))
    expect(run(expr, { params: { n: 4 } }, { pure })).toEqual({ end: { kind: 'done', value: 9 }, calls: [], heavies: 0 })
    const asked = run(expr, { params: { n: 4 } }, {}, () => ok(8))
    expect(asked.calls).toMatchObject([{ module: 't', fn: 'double', effect: 'pure', args: { x: 4 }, needs: [] }])
    expect(asked.end).toEqual({ kind: 'done', value: 9 })
  })
  test('fail in their own words, or are said to have crashed', () => {
    const throwing = (error: unknown) => ({ pure: () => () => { throw error } })
    expect(run(double, {}, throwing(Object.assign(new Error('no such key'), { name: 'ToolFailure', code: 'bad-key', retryable: false, help: 'Look again.' }))).end)
      .toEqual({ kind: 'failed', failure: { code: 't/bad-key', message: 'no such key', retryable: false, help: 'Look again.' } })
    expect(run(double, {}, throwing(new TypeError('x is not a function'))).end).toMatchObject({ kind: 'failed', failure: { code: 'plugin/crashed' } })
  })
})

describe('prompts', () => {
  const prompts = {
    house: { params: ['style'], text: template('Answer in ', p('style'), ' style. ', { op: 'constant', name: 'motto' }) },
    both: { params: ['a'], text: template({ op: 'prompt', prompt: 'house', args: { style: local('a') } }, '!') },
    endless: { params: [], text: { op: 'prompt', prompt: 'endless', args: {} } },
    asks: { params: ['a'], text: template(call('double', p('a'), 'pure')) },
  } as const
  const world = { params: { style: 'mine', a: 'outer' }, constants: { motto: 'Cite.' } }
  const ask = (name: string, args: Record<string, PlanExpr>): PlanExpr => ({ op: 'prompt', prompt: name, args })
  test('see their own parameters, and constants', () => {
    expect(result(ask('both', { a: v('terse') }), world, { prompts })).toBe('Answer in terse style. Cite.!')
  })
  test('with calls in their arguments or texts', () => {
    expect(run(ask('house', { style: call('f', v('x')) }), world, { prompts }).end).toEqual({ kind: 'done', value: 'Answer in x style. Cite.' })
    expect(run(ask('asks', { a: v(2) }), world, { prompts }, () => ok(4)).end).toEqual({ kind: 'done', value: '4' })
    expect(run(ask('asks', { a: v(2) }), world, { prompts, pure: () => () => 5 }).end).toEqual({ kind: 'done', value: '5' })
  })
  test('cannot use each other for ever', () => expect(result(ask('endless', {}), world, { prompts })).toBe('!run/value-too-large'))
})

describe('heavy parts', () => {
  const sum = pre('sum', pre('map', pre('range', p('n')), fn('x', bin(local('x'), '*', { op: 'constant', name: 'k' }))))
  const world = { params: { n: 1000, unused: 1 }, constants: { k: 2 } }
  test('come with what they need and nothing else', () => {
    const step = new Evaluation(sum, scopeOf(world), { ...usual, inlineSteps: 100 }).start()
    expect(step).toEqual({ kind: 'heavy', expr: sum, locals: {}, uses: { params: ['n'], nodes: [], constants: ['k'], prompts: [], functions: [] } })
    expect(evaluatePure(sum, scopeOf(world), usual)).toEqual({ kind: 'done', value: 999_000 })
  })
  test('after a call: what remains is one plain part over its value', () => {
    const expr = pre('sum', pre('map', call('f', v([1, 2, 3])), fn('x', bin(local('x'), '*', v(2)))))
    const ran = run(expr, {}, { inlineSteps: 10 })
    expect(ran.end).toEqual({ kind: 'done', value: 12 })
    expect(ran.heavies).toBeGreaterThan(0)
  })
  test('see the names around them', () => {
    const expr = each('x', v([1, 2]), call('f', pre('sum', pre('map', pre('range', v(50)), fn('y', bin(local('x'), '*', local('y')))))))
    const ran = run(expr, {}, { inlineSteps: 20 })
    expect(ran.end).toEqual({ kind: 'done', value: [1225, 2450] })
    expect(ran.heavies).toBe(2)
  })
  test('fail where they are evaluated', () => {
    expect(result(pre('map', pre('range', v(50)), fn('y', pre('fail', v('no')))), {}, { inlineSteps: 20 })).toBe('!run/failed')
    expect(result(pre('range', v(5000)), {}, { inlineSteps: 20, maxSteps: 1000 })).toBe('!run/expression-too-long')
  })
})

test('free references', () => {
  const expr = each('x', { op: 'node', index: 3 }, list(local('x'), local('error'), p('a'), { op: 'constant', name: 'c' }, call('double', v(1), 'pure'), fn('z', local('z'))), bin(local('x'), '==', local('it')))
  expect(freeReferences(expr)).toEqual({ params: ['a'], nodes: [3], constants: ['c'], locals: ['it', 'error'], prompts: [], functions: [{ module: 't', fn: 'double' }] })
  expect(freeReferences(expr)).toBe(freeReferences(expr))
})
