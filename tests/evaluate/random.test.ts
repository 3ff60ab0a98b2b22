// Random: laws that hold for every expression, however senseless.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { PlanExpr } from '#model/plan.ts'
import type { Value } from '#model/type.ts'
import { preludeFunctions } from '#interpreter/engine/evaluation.ts'
import { bad, bin, call, each, fn, iff, index, list, local, member, ok, pre, record, run, template, v, type World } from './harness.ts'

const world: World = {
  params: { n: 7, s: 'a😀,b', xs: [3, 1, 2, null], rec: { a: 1, b: [true, 'x'], __proto__: null } as unknown as Value },
  nodes: [[{ a: 1 }, { a: 'z' }], null],
  constants: { k: 4 },
  locals: { item: { a: [1, 2], b: 'x' }, error: { code: 'x/y', message: 'm', task: '', retryable: false } },
}
const simple = fc.constantFrom<PlanExpr>(
  v(0), v(1), v(-2), v(1.5), v(9007199254740991), v(''), v('a'), v('😀'), v(true), v(false), v(null), v([1, 2, 3]), v(['b', 'a']), v([]), v({ a: 1 }), v([[1], [2]]),
  { op: 'param', name: 'n' }, { op: 'param', name: 's' }, { op: 'param', name: 'xs' }, { op: 'param', name: 'rec' }, { op: 'node', index: 0 }, { op: 'node', index: 1 },
  { op: 'constant', name: 'k' }, local('item'), local('error'),
)
const operators = fc.constantFrom('and', 'or', 'coalesce', '+', '-', '*', '/', '==', '!=', '<', '<=', '>', '>=', 'in' as const)
const functions = fc.constantFrom(...preludeFunctions)
const lambdaTakers = fc.constantFrom('map', 'filter', 'flatMap', 'sortBy', 'groupBy', 'maxBy', 'minBy', 'any', 'all', 'count')
const names = fc.constantFrom('x', 'y', 'item')

const expressions = (effects: boolean): fc.Arbitrary<PlanExpr> =>
  fc.letrec<{ e: PlanExpr; bound: PlanExpr }>(tie => ({
    /** May mention x and y, which are bound wherever it is used. */
    bound: fc.oneof({ weight: 2, arbitrary: fc.constantFrom(local('x'), local('y')) }, { weight: 3, arbitrary: tie('e') }, { weight: 1, arbitrary: fc.tuple(tie('bound'), operators, tie('bound')).map(([a, op, b]) => bin(a, op, b)) }),
    e: fc.oneof(
      { maxDepth: 5, depthSize: 'small' },
      { weight: 5, arbitrary: simple },
      { weight: 3, arbitrary: fc.tuple(tie('e'), operators, tie('e')).map(([a, op, b]) => bin(a, op, b)) },
      { weight: 1, arbitrary: fc.array(tie('e'), { maxLength: 3 }).map(items => list(...items)) },
      { weight: 1, arbitrary: fc.array(fc.tuple(fc.constantFrom('a', 'b', '__proto__', null), tie('e')), { maxLength: 3 }).map(entries => record(...entries)) },
      { weight: 1, arbitrary: fc.tuple(tie('e'), tie('e')).map(([a, b]) => template('<', a, '|', b)) },
      { weight: 1, arbitrary: fc.tuple(tie('e'), fc.constantFrom('a', 'b', 'length', '__proto__'), fc.boolean()).map(([object, name, optional]) => member(object, name, optional)) },
      { weight: 1, arbitrary: fc.tuple(tie('e'), tie('e')).map(([object, at]) => index(object, at)) },
      { weight: 1, arbitrary: fc.tuple(tie('e'), tie('e'), tie('e')).map(([a, b, c]) => iff(a, b, c)) },
      { weight: 1, arbitrary: fc.tuple(tie('e'), tie('e'), tie('e')).map(([subject, a, b]): PlanExpr => ({ op: 'match', subject, arms: [{ patterns: [1, 'a', null], value: a }, { patterns: [{ any: true }], value: b }] })) },
      { weight: 3, arbitrary: fc.tuple(functions, fc.array(tie('e'), { minLength: 1, maxLength: 3 })).map(([name, args]) => pre(name, ...args)) },
      { weight: 3, arbitrary: fc.tuple(lambdaTakers, tie('e'), tie('bound')).map(([name, source, body]) => pre(name, source, fn('x', iff(v(true), pre('first', list(pre('map', list(local('x')), fn('y', body)))), v(null))))) },
      { weight: 2, arbitrary: fc.tuple(names, tie('e'), tie('e')).map(([name, source, value]) => each(name, source, list(local(name), value))) },
      { weight: 1, arbitrary: tie('e').map((value): PlanExpr => ({ op: 'not', value })) },
      ...(effects ? [{ weight: 3, arbitrary: fc.tuple(fc.constantFrom('f', 'g', 'h'), tie('e')).map(([name, arg]) => call(name, arg, name === 'h' ? 'write' : name === 'g' ? 'pure' : 'read')) }] : []),
    ),
  })).e

const maxSteps = 20_000
/** Answers as a recorded run would: by the number of the call. */
const answers = (seed: number) => (_: unknown, at: number) => ((at + seed) % 7 === 6 ? bad('t/no') : ok(([[1, 2], 'text', 3, true, null, { a: 1 }] as Value[])[(at * 5 + seed) % 6]!))

test('an expression ends in a value or a coded failure, and never throws', () => {
  fc.assert(fc.property(expressions(true), fc.nat(20), (expr, seed) => {
    const { end } = run(expr, world, { maxSteps }, answers(seed))
    if (end.kind === 'failed') expect(end.failure.code).toMatch(/^(run|t|plugin)\/[a-z-]+$/)
    else expect(() => JSON.stringify(end.value)).not.toThrow()
  }), { numRuns: 2000 })
})

test('a value is plain data with whole characters and finite numbers', () => {
  fc.assert(fc.property(expressions(false), expr => {
    const { end } = run(expr, world, { maxSteps })
    if (end.kind !== 'done') return
    expect(structuredClone(end.value)).toEqual(end.value)
    const text = JSON.stringify(end.value)
    expect(JSON.parse(text)).toEqual(end.value)
    expect(text).not.toMatch(/\\ud[89a-f]/)
  }), { numRuns: 1500 })
})

test('heavy parts elsewhere change nothing', () => {
  fc.assert(fc.property(expressions(true), fc.nat(20), fc.integer({ min: 1, max: 40 }), (expr, seed, inlineSteps) => {
    const whole = run(expr, world, { maxSteps }, answers(seed))
    const sliced = run(expr, world, { maxSteps, inlineSteps }, answers(seed))
    expect(sliced.calls).toEqual(whole.calls)
    expect(sliced.end).toEqual(whole.end.kind === 'failed' ? { kind: 'failed', failure: expect.objectContaining(whole.end.failure) } : whole.end)
  }), { numRuns: 2000 })
})

test('recorded outcomes give the same calls again', () => {
  fc.assert(fc.property(expressions(true), fc.nat(20), (expr, seed) => {
    const first = run(expr, world, { maxSteps }, answers(seed))
    const again = run(structuredClone(expr), structuredClone(world), { maxSteps }, answers(seed))
    expect(again).toEqual(first)
  }), { numRuns: 1000 })
})

test('pure functions called in place or asked for give the same', () => {
  const g = (args: Readonly<Record<string, Value>>): Value => (typeof args['x'] === 'number' ? -args['x'] : 'other')
  fc.assert(fc.property(expressions(true), expr => {
    const inPlace = run(expr, world, { maxSteps, pure: () => g })
    const asked = run(expr, world, { maxSteps }, one => ok(one.fn === 'g' ? g(one.args) : (one.args['x'] ?? null)))
    // Steps are counted by part, and the parts differ: only a run that stays within them all is comparable.
    if ([inPlace, asked].some(({ end }) => end.kind === 'failed' && end.failure.code === 'run/expression-too-long')) return
    // Which of two mistakes in one expression is met first may differ; that there is one may not.
    if (inPlace.end.kind === 'failed') expect(asked.end.kind).toBe('failed')
    else expect(asked.end).toEqual(inPlace.end)
  }), { numRuns: 2000 })
})
