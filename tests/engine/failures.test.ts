// Failures: retry, back-off, timeouts, `on failure`, verify, cancel, limits: events in, commands out.
import { describe, expect, test } from 'vitest'
import type { Outcome } from '#model/event.ts'
import type { PlanNode } from '#model/plan.ts'
import { local, node, param, plan, sub, task, value, workflow } from './plan-builder.ts'
import { failed, given, simulate, type Simulation } from './simulator.ts'
import { agent } from './talk-world.ts'

const one = (more: Partial<PlanNode>) => plan({ main: workflow([task('a', value(1), more)], node(0)) })
const answering = (answers: (path: string, attempt: number) => Outcome | undefined): Simulation => ({ answer: (part, path, attempt) => (part === 'body' ? answers(path, attempt) : undefined) })

describe('retry', () => {
  const retry = { count: 3, fromMs: 1_000, toMs: 5_000 }

  test('waits grow, spread between half and whole, and are the same every time', () => {
    const starts: number[] = []
    const run = () => simulate(one({ retry }), { ...answering(() => failed('test/busy', true)), onStart: (_, nowMs) => void starts.push(nowMs) })
    const { outcome } = run()
    const waits = starts.slice(1).map((at, i) => at - starts[i]!)
    expect(waits).toHaveLength(3)
    for (const [i, full] of [1_000, 2_000, 4_000].entries()) {
      expect(waits[i]).toBeGreaterThanOrEqual(full / 2)
      expect(waits[i]).toBeLessThanOrEqual(full)
    }
    expect(outcome).toMatchObject({ failure: { code: 'test/busy', task: 'a' } })
    const first = [...starts]
    starts.length = 0
    run()
    expect(starts).toEqual(first)
  })

  test('a failure that is not retryable is never tried again', () => {
    let attempts = 0
    simulate(one({ retry }), answering(() => (attempts++, failed('test/bad'))))
    expect(attempts).toBe(1)
  })

  test('an attempt that succeeds ends it', () => {
    const { outcome } = simulate(one({ retry }), answering((_, attempt) => (attempt < 3 ? failed('test/busy', true) : given(7))))
    expect(outcome?.kind).toBe('value')
  })

  test('a sub-workflow is tried again as a whole, with paths of its own', () => {
    const paths: string[] = []
    const two = plan({ main: workflow([task('outer', sub('inner'), { retry: { count: 1, fromMs: 0, toMs: 0 } })], node(0)), inner: workflow([task('x', value(1))], node(0)) })
    const { outcome } = simulate(two, { ...answering(path => (path === 'outer/x' ? failed('test/busy', true) : given(1))), onStart: path => void paths.push(path) })
    expect(paths).toEqual(['outer/x', 'outer#2/x'])
    expect(outcome?.kind).toBe('value')
  })
})

describe('timeout', () => {
  test('cuts each attempt off and may be retried', () => {
    const ends: string[] = []
    const { outcome, endMs, commands } = simulate(one({ timeoutMs: 100, retry: { count: 1, fromMs: 10, toMs: 10 } }), {
      durationMs: (_, attempt) => (attempt === 1 ? 1_000 : 50), onEnd: path => void ends.push(path),
    })
    expect(outcome?.kind).toBe('value')
    expect(commands.filter(each => each.kind === 'cancel')).toEqual([{ kind: 'cancel', task: 1, attempt: 1 }])
    expect(endMs).toBeLessThan(1_000)
    expect(ends).toHaveLength(1)
  })

  test('without a retry the task fails with a code', () => {
    expect(simulate(one({ timeoutMs: 100 }), { durationMs: () => 101 }).outcome).toMatchObject({ failure: { code: 'run/timed-out', retryable: true } })
    expect(simulate(one({ timeoutMs: 100 }), { durationMs: () => 99 }).outcome?.kind).toBe('value')
  })

  test('a sub-workflow that takes too long is cancelled with all it holds', () => {
    const two = plan({ main: workflow([task('outer', sub('inner'), { timeoutMs: 100 })], node(0)), inner: workflow([task('x', value(1)), task('y', value(2), { dependsOn: [0] })], node(1)) })
    const { outcome, changes } = simulate(two, { durationMs: () => 80 })
    expect(outcome).toMatchObject({ failure: { code: 'run/timed-out', task: 'outer' } })
    expect(changes).toContainEqual({ path: 'outer/y', status: 'cancelled' })
  })
})

describe('on failure', () => {
  const three = (more: Partial<PlanNode>, wide = {}) => plan({
    main: workflow([task('a', value(1), more), task('b', value(2)), task('c', value(3), { dependsOn: [0] })], node(2), wide),
  })
  const aFails: Simulation = { ...answering(path => (path === 'a' ? failed('test/bad') : given(path))), durationMs: path => (path === 'a' ? 1 : 10) }

  test('stop cancels what is under way and what has not begun', () => {
    const { outcome, changes } = simulate(three({}), aFails)
    expect(outcome).toMatchObject({ failure: { code: 'test/bad', task: 'a' } })
    expect(changes).toEqual([{ path: 'a', status: 'failed' }, { path: 'b', status: 'cancelled' }, { path: 'c', status: 'cancelled' }])
  })

  test('continue gives null and dependents run', () => {
    const { outcome, state } = simulate(three({ onFailure: { kind: 'continue' } }), aFails)
    expect(outcome?.kind).toBe('value')
    expect(state.tasks.values.slice(1, 4)).toEqual([null, 'b', 'c'])
    expect(state.counts).toMatchObject({ done: 2, failed: 1 })
  })

  test('use gives the value of its expression', () => {
    const { state } = simulate(three({ onFailure: { kind: 'use', value: local('error') } }), {
      ...aFails, answer: (part, path) => (part === 'fallback' ? given('instead') : part === 'body' ? (path === 'a' ? failed('test/bad') : given(path)) : undefined),
    })
    expect(state.tasks.values[1]).toBe('instead')
  })

  test("the workflow's own holds where a task says nothing", () => {
    expect(simulate(three({}, { onFailure: { kind: 'continue' } }), aFails).outcome?.kind).toBe('value')
    expect(simulate(three({ onFailure: { kind: 'stop' } }, { onFailure: { kind: 'continue' } }), aFails).outcome?.kind).toBe('failure')
  })

  test('holes of a for stay in place', () => {
    const fan = (more: Partial<PlanNode>) => plan({ main: workflow([task('f', local('x'), { forEach: { item: 'x', list: value(null), width: null }, ...more })], node(0)) })
    const answers: Simulation = { answer: (part, path) => (part === 'list' ? given([1, 2, 3]) : part === 'body' ? (path === 'f[1]' ? failed('test/bad') : given(path)) : undefined) }
    expect(simulate(fan({ onFailure: { kind: 'continue' } }), answers).state.tasks.values[1]).toEqual(['f[0]', null, 'f[2]'])
    const stopped = simulate(fan({}), answers)
    expect(stopped.outcome).toMatchObject({ failure: { task: 'f[1]' } })
  })
})

describe('for, when, cache', () => {
  const fan = (more: Partial<PlanNode> = {}, forEach = {}) => plan({ main: workflow([task('f', local('x'), { forEach: { item: 'x', list: value(null), width: null, ...forEach }, ...more })], node(0)) })

  test('no more items at once than its width', () => {
    let most = 0
    let at = 0
    const { state } = simulate(fan({}, { width: value(3) }), {
      answer: part => (part === 'list' ? given([...Array(50).keys()]) : part === 'width' ? given(3) : undefined), durationMs: () => 5,
      onStart: () => void (most = Math.max(most, ++at)), onEnd: () => void at--,
    })
    expect(most).toBe(3)
    expect(state.tasks.values[1]).toHaveLength(50)
  })

  test.each([[{ a: 1 }, 'run/not-a-list'], ['text', 'run/not-a-list'], [null, 'run/not-a-list']])('a list that is %j fails', (list, code) => {
    expect(simulate(fan(), { answer: part => (part === 'list' ? given(list) : undefined) }).outcome).toMatchObject({ failure: { code } })
  })

  test('a width of 0 fails', () => {
    expect(simulate(fan({}, { width: value(0) }), { answer: part => (part === 'list' ? given([1]) : part === 'width' ? given(0) : undefined) }).outcome).toMatchObject({ failure: { code: 'run/bad-width' } })
  })

  test('more tasks than a run may have', () => {
    const items = Array.from({ length: 100_001 }, () => null)
    expect(simulate(fan(), { answer: part => (part === 'list' ? given(items) : undefined) }).outcome).toMatchObject({ failure: { code: 'run/too-many-tasks' } })
  })

  test('an empty list gives an empty list', () => {
    expect(simulate(fan()).state.tasks.values[1]).toEqual([])
  })

  test('when false skips: the value is null and dependents run', () => {
    const two = plan({ main: workflow([task('a', value(1), { when: value(false) }), task('b', value(2), { dependsOn: [0] })], node(1)) })
    const { state, changes } = simulate(two, { answer: part => (part === 'when' ? given(false) : undefined) })
    expect(changes).toEqual([{ path: 'a', status: 'skipped' }, { path: 'b', status: 'done' }])
    expect(state.tasks.values[1]).toBe(null)
  })

  test('when that looks at the item is asked for each item', () => {
    const { state } = simulate(fan({ when: local('x') }), {
      answer: (part, path) => (part === 'list' ? given([1, 2, 3]) : part === 'when' ? given(path !== 'f[1]') : part === 'body' ? given(path) : undefined),
    })
    expect(state.tasks.values[1]).toEqual(['f[0]', null, 'f[2]'])
  })

  test('a cached result is taken and nothing starts', () => {
    let started = 0
    const { state } = simulate(one({ cache: { ageMs: null, by: null } }), { cached: () => 42, onStart: () => void started++ })
    expect(started).toBe(0)
    expect(state.tasks.values[1]).toBe(42)
    expect(state.counts).toMatchObject({ done: 1, cached: 1 })
  })

  test('a result that was not cached is remembered', () => {
    const { commands } = simulate(one({ cache: { ageMs: null, by: null } }), answering(() => given(5)))
    expect(commands).toContainEqual({ kind: 'remember', task: 1, key: 'k', value: 5 })
  })
})

describe('verify', () => {
  const verify = (runs: number, agree: number | null, upTo: number | null = null) => one({ verify: { runs, agree, upTo, key: null }, retry: { count: 1, fromMs: 0, toMs: 0 } })
  const inOrder = (...values: unknown[]): Simulation => answering((_, attempt) => (values[attempt - 1] instanceof Error ? failed('test/bad') : given(values[attempt - 1] as never)))

  test.each([
    ['all agree', verify(3, 3), ['x', 'x', 'x'], 'x', 3],
    ['two of three', verify(3, 2), ['x', 'y', 'x'], 'x', 3],
    ['order of fields does not matter', verify(2, 2), [{ a: 1, b: 2 }, { b: 2, a: 1 }], { a: 1, b: 2 }, 2],
    ['a range goes on until it is sure', verify(3, 3, 10), ['x', 'y', 'x', 'y', 'x'], 'x', 5],
    ['a run that failed agrees with nothing', verify(3, 2), ['x', new Error(), 'x'], 'x', 3],
  ] as const)('%s', (_, program, values, expected, runs) => {
    const { state, commands } = simulate(program, inOrder(...values))
    expect(state.tasks.values[1]).toEqual(expected)
    expect(commands.filter(each => each.kind === 'evaluate' && each.part === 'body')).toHaveLength(runs)
  })

  test('disagreement fails with the values', () => {
    const { outcome } = simulate(verify(3, 2), inOrder('x', 'y', 'z'))
    expect(outcome).toMatchObject({ failure: { code: 'run/verify-disagreed', details: 'run 1: "x"\nrun 2: "y"\nrun 3: "z"' } })
  })

  test('stops as soon as agreement is out of reach', () => {
    const { commands } = simulate(verify(5, 5), inOrder('x', 'y'))
    expect(commands.filter(each => each.kind === 'evaluate' && each.part === 'body')).toHaveLength(2)
  })

  test('runs follow one another', () => {
    let at = 0
    simulate(verify(5, 5), { durationMs: () => 5, onStart: () => expect(++at).toBe(1), onEnd: () => void at-- })
  })
})

describe('limits', () => {
  const many = (count: number, limits: Record<string, number>, file: Record<string, number> = {}) =>
    plan({ main: workflow(Array.from({ length: count }, (_, i) => task(`t${i}`, value(i))), value(null), { limits }) }, { limits: file })

  test('tasks: the one too many stops the run before it starts', () => {
    let started = 0
    const { state, commands } = simulate(many(10, { tasks: 4 }), { onStart: () => void started++ })
    expect(started).toBe(4)
    expect(state.isStopping).toBe(true)
    expect(commands.filter(each => each.kind === 'stop')).toHaveLength(1)
  })

  test('exactly as many as allowed is fine', () => {
    expect(simulate(many(10, { tasks: 10 })).outcome?.kind).toBe('value')
  })

  test('the stricter of file and workflow holds', () => {
    let started = 0
    simulate(many(10, { tasks: 8 }, { tasks: 3 }), { onStart: () => void started++ })
    expect(started).toBe(3)
  })

  test('time stops the run', () => {
    const { state, endMs } = simulate(many(10, { timeMs: 25, parallel: 1 }), { durationMs: () => 10 })
    expect(state.stop).toMatchObject({ reason: 'limit' })
    expect(endMs).toBe(25)
  })

  test.each([[{ parallel: 2 }, {}], [{}, { parallel: 2 }], [{ parallel: 2 }, { parallel: 5 }]])('parallel %j in a file with %j', (limits, file) => {
    let at = 0
    let most = 0
    const { outcome } = simulate(many(40, limits, file), { durationMs: path => 1 + (path.length % 4), onStart: () => void (most = Math.max(most, ++at)), onEnd: () => void at-- })
    expect(most).toBe(2)
    expect(outcome?.kind).toBe('value')
  })

  test('parallel of an inner and an outer workflow both hold', () => {
    const inner = workflow(Array.from({ length: 20 }, (_, i) => task(`x${i}`, value(i))), value(null), { limits: { parallel: 3 }, params: [] })
    const outer = workflow([...Array(4).keys()].map(i => task(`s${i}`, sub('inner'))), value(null), { limits: { parallel: 5 } })
    const running = new Map<string, number>()
    let most = 0
    const { outcome } = simulate(plan({ main: outer, inner }), {
      durationMs: path => 1 + (path.length % 3),
      onStart: path => {
        const scope = path.split('/')[0]!
        running.set(scope, (running.get(scope) ?? 0) + 1)
        expect(running.get(scope)).toBeLessThanOrEqual(3)
        most = Math.max(most, [...running.values()].reduce((a, b) => a + b))
        expect(most).toBeLessThanOrEqual(5)
      },
      onEnd: path => void running.set(path.split('/')[0]!, running.get(path.split('/')[0]!)! - 1),
    })
    expect(outcome?.kind).toBe('value')
    expect(most).toBe(5)
  })
})

describe('not yet', () => {
  test('an agent without a model fails with a code that names it', () => {
    const { outcome } = simulate({ ...one({ body: { kind: 'agent', agent: 'a', prompt: value('p') } }), agentBodies: { a: agent({ model: null }) } })
    expect(outcome).toMatchObject({ failure: { code: 'run/not-available-yet', message: expect.stringContaining('without a model') } })
  })

  test('workflows inside each other too deep', () => {
    const loop = plan({ main: workflow([task('again', sub('main', { n: param('n') }))], node(0)) })
    expect(simulate(loop).outcome).toMatchObject({ failure: { code: 'run/too-deep' } })
  })
})
