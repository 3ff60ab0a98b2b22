// Pool: the loop stays free while threads work, threads come and go with the work, and the end of a thread is the failure of one task.
import { getEventListeners } from 'node:events'
import { pathToFileURL } from 'node:url'
import { MessagePort } from 'node:worker_threads'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { memoryHost } from '#testing/memory-host.ts'
import { makePool, type Pool } from '#interpreter/pool/pool.ts'
import type { Host } from '#host/host.ts'
import type { PlanExpr } from '#model/plan.ts'
import type { ToolContext } from '#plugin-api/context.ts'
import type { ToolRunner } from '#plugin-api/tool-runner.ts'
import { buildScripts } from '../journal/build-scripts.ts'
import { binary, call, list, local, node, plan, prelude, task, value, workflow } from '../engine/plan-builder.ts'
import { isHeld, type LoopGap, loopGap } from '../engine/loop-gap.ts'
import { runnerOf, runPlan } from '../engine/run-plan.ts'

let workerUrl: URL
let moduleUrl = ''
const pools: Pool[] = []
beforeAll(async () => {
  const folder = await buildScripts('pool', { 'pool-worker': 'src/interpreter/pool/worker.ts', 'thread-tools': 'tests/pool/thread-tools.ts' })
  workerUrl = pathToFileURL(join(folder, 'pool-worker.mjs'))
  moduleUrl = pathToFileURL(join(folder, 'thread-tools.mjs')).href
})
afterAll(async () => {
  for (const each of pools) await each.close()
})

function poolOf(more: Partial<Parameters<typeof makePool>[0]> = {}): Pool {
  const pool = makePool({ maxThreads: 2, workerUrl, ...more })
  pools.push(pool)
  return pool
}

const context = (files: Record<string, string> = {}): ToolContext => ({
  cwd: '/work', signal: new AbortController().signal, idempotencyKey: 'key',
  files: { readText: async (path: string) => files[path] ?? Promise.reject(Object.assign(new Error('none'))) },
  log: () => {}, progress: () => {},
}) as unknown as ToolContext
const job = (expr: PlanExpr, more = {}) => ({ expr, locals: {}, params: {}, nodes: {}, constants: {}, prompts: {}, modules: {}, rank: 0, ...more })
const callOf = (fn: string, args: Record<string, number | string> = {}, more = {}) => ({ url: moduleUrl, call: { module: 'test', fn, args }, isPure: fn === 'burn' || fn === 'half', context: context(), rank: 0, ...more })
const signal = () => new AbortController().signal

describe('jobs', () => {
  test('expressions with the values they mention', async () => {
    const pool = poolOf()
    const sum = binary('+', binary('+', { op: 'param', name: 'p' }, node(3)), local('x'))
    expect(await pool.evaluate(job(sum, { params: { p: 1 }, nodes: { 3: 10 }, locals: { x: 100 } }), null)).toEqual({ kind: 'value', value: 111 })
    expect(await pool.evaluate(job(binary('/', value(1), value(0))), null)).toMatchObject({ kind: 'failure', failure: { code: 'run/division-by-zero' } })
  })

  test('pure functions of modules inside expressions', async () => {
    const half: PlanExpr = { op: 'call', module: 'test', fn: 'half', effect: 'pure', runs: 'thread', args: { x: local('x') }, needs: [] }
    const all: PlanExpr = { op: 'comprehension', item: 'x', list: value([2, 4]), condition: null, value: half }
    expect(await poolOf().evaluate(job(all, { modules: { test: moduleUrl } }), null)).toEqual({ kind: 'value', value: [1, 2] })
  })

  test('tools reach their context through the port, and their failures come back', async () => {
    const pool = poolOf()
    expect(await pool.call(callOf('read', { path: 'a' }, { context: context({ a: 'text' }) }), signal())).toEqual({ kind: 'value', value: 'text' })
    expect(await pool.call(callOf('read', { path: 'b' }), signal())).toMatchObject({ kind: 'failure', failure: { code: 'plugin/crashed' } })
    expect(await pool.call(callOf('half', { x: 'text' }), signal())).toMatchObject({ kind: 'failure', failure: { code: 'plugin/bad-input' } })
  })

  test('a call that asks for nothing is one message, opens no port and leaves nothing on its signal', async () => {
    const pool = poolOf({ maxThreads: 1 })
    const { signal: shared } = new AbortController()
    const one = () => pool.call({ ...callOf('half', { x: 4 }), isPure: false }, shared)
    await one()
    const sent = vi.spyOn(MessagePort.prototype, 'postMessage')
    try {
      for (let i = 0; i < 20; i++) expect(await one()).toEqual({ kind: 'value', value: 2 })
      const jobs = sent.mock.calls.filter(([message]) => (message as { kind?: string } | null)?.kind === 'jobs')
      expect(jobs).toHaveLength(20)
      expect(jobs.every(([, transferred]) => transferred === undefined)).toBe(true)
      expect(sent.mock.calls.filter(([message]) => (message as { kind?: string } | null)?.kind === 'context')).toEqual([])
    } finally {
      sent.mockRestore()
    }
    expect(getEventListeners(shared, 'abort')).toEqual([])
  })

  test('a context answers only the call that is under way', async () => {
    const pool = poolOf({ maxThreads: 1 })
    const read = (text: string) => pool.call(callOf('read', { path: 'a' }, { context: context({ a: text }) }), signal())
    expect(await Promise.all(['one', 'two', 'three'].map(read))).toEqual(['one', 'two', 'three'].map(value => ({ kind: 'value', value })))
    const late = pool.call(callOf('late', { path: 'a' }, { context: context({ a: 'secret' }) }), signal())
    expect(await late).toEqual({ kind: 'value', value: 'gone' })
    // What the last call still asks for is asked while this one is under way, and is not answered to it.
    expect(await pool.call(callOf('overheard', {}, { context: context({ a: 'other' }) }), signal())).toEqual({ kind: 'value', value: 'nothing' })
  })

  test('thousands of small ones share messages and each gets its own answer', async () => {
    const pool = poolOf()
    const outcomes = await Promise.all(Array.from({ length: 3_000 }, (_, i) => pool.evaluate(job(binary('+', value(i), value(1))), null)))
    expect(outcomes).toEqual(Array.from({ length: 3_000 }, (_, i) => ({ kind: 'value', value: i + 1 })))
  })

  test('higher ranks go first', async () => {
    const pool = poolOf({ maxThreads: 1 })
    await pool.call(callOf('burn', { ms: 1 }), signal())
    const order: number[] = []
    const burning = Array.from({ length: 6 }, (_, rank) => pool.call(callOf('burn', { ms: 30 }, { rank }), signal()).then(() => order.push(rank)))
    await Promise.all(burning)
    expect(order).toEqual([5, 4, 3, 2, 1, 0])
  })
})

describe('the end of a thread', () => {
  test('fails its task with a code and the pool goes on', async () => {
    const pool = poolOf()
    expect(await pool.call(callOf('exit'), signal())).toMatchObject({ kind: 'failure', failure: { code: 'run/worker-crashed', retryable: false } })
    expect(await pool.call(callOf('half', { x: 4 }), signal())).toEqual({ kind: 'value', value: 2 })
  })

  test('out of memory is told as such', { timeout: 60_000 }, async () => {
    const pool = poolOf({ maxHeapMb: 48 })
    const outcome = await pool.call(callOf('grow'), signal())
    expect(outcome).toMatchObject({ kind: 'failure', failure: { code: 'run/worker-crashed' } })
    expect(outcome.kind === 'failure' && outcome.failure.message).toContain('memory')
  })

  test('a thread that cannot begin fails the jobs that wait for it, and says why', async () => {
    const pool = poolOf({ workerUrl: new URL('file:///nowhere/pool-worker.mjs') })
    const outcomes = await Promise.all([1, 2, 3].map(x => pool.evaluate(job(value(x)), null)))
    for (const each of outcomes) expect(each).toMatchObject({ kind: 'failure', failure: { code: 'run/worker-crashed', message: expect.stringContaining('nowhere') } })
  })

  test('a job that was given up ends its thread if it does not end by itself', async () => {
    const pool = poolOf({ maxThreads: 1 })
    const abort = new AbortController()
    const late = pool.call(callOf('burn', { ms: 60_000 }), abort.signal)
    setTimeout(() => abort.abort(), 100)
    expect(await late).toMatchObject({ kind: 'failure', failure: { code: 'run/cancelled' } })
    expect(await pool.call(callOf('half', { x: 4 }), signal())).toEqual({ kind: 'value', value: 2 })
  })
})

test('threads come with the work and go without it; none before the first job', { timeout: 60_000 }, async () => {
  const sizes: number[] = []
  const pool = poolOf({ maxThreads: 3, onResize: threads => void sizes.push(threads) })
  expect(pool.threads).toBe(0)
  await Promise.all(Array.from({ length: 12 }, () => pool.call(callOf('burn', { ms: 60 }), signal())))
  expect(Math.max(...sizes)).toBe(3)
  for (let i = 0; i < 100 && pool.threads > 0; i++) await new Promise(resolve => setTimeout(resolve, 100))
  expect(pool.threads).toBe(0)
  expect(await pool.call(callOf('half', { x: 4 }), signal())).toEqual({ kind: 'value', value: 2 })
})

test('the loop is never blocked while CPU-heavy tasks run', { timeout: 60_000 }, async () => {
  const host: Host = { ...memoryHost(), monotonic: () => performance.now(), now: () => Date.now() }
  delete (host as { sleep?: unknown }).sleep
  const toolRunner: ToolRunner = { ...runnerOf({}), threadModule: () => moduleUrl }
  const burn = call('burn', { ms: value(150) }, { effect: 'pure', runs: 'thread' })
  // Half are calls of a thread tool, half are expressions that turn out to be long.
  const long = prelude('sum', { op: 'comprehension', item: 'y', list: prelude('range', value(300_000)), condition: null, value: binary('+', local('y'), local('x')) })
  const program = plan({
    main: workflow(
      [
        task('burn', burn, { forEach: { item: 'x', list: value([1, 2, 3, 4]), width: null } }),
        task('long', long, { forEach: { item: 'x', list: value([1, 2, 3, 4]), width: null } }),
      ],
      list(node(0), node(1)),
    ),
  })
  const gaps: LoopGap[] = []
  for (let round = 0; round < 4; round++) { // the first one loads the pool's code
    gaps.push(await loopGap(async () => {
      const { value: got } = await runPlan(program, { settings: { toolRunner, workerUrl, host, workers: 1 } })
      expect(got).toEqual([[150, 150, 150, 150], [1, 2, 3, 4].map(x => (299_999 * 300_000) / 2 + x * 300_000)])
    }))
  }
  expect(gaps.every(isHeld), JSON.stringify(gaps)).toBe(false) // a loop that is held is held every time
})

test('an expression that turned out to be long is not tried here for each item', { timeout: 60_000 }, async () => {
  let here = 0
  const toolRunner: ToolRunner = { ...runnerOf({}, { half: ({ x }) => (here++, Number(x) / 2) }), threadModule: () => moduleUrl }
  const half = call('half', { x: local('y') }, { effect: 'pure', runs: 'thread' })
  const long = prelude('sum', { op: 'comprehension', item: 'y', list: prelude('range', value(12_000)), condition: null, value: half })
  const over = (items: number[]) => plan({ main: workflow([task('long', long, { forEach: { item: 'x', list: value(items), width: null } })], prelude('len', node(0))) })
  expect((await runPlan(over([1]), { settings: { toolRunner, workerUrl } })).value).toBe(1)
  const once = here
  expect(once).toBeGreaterThan(0)
  here = 0
  expect((await runPlan(over(Array.from({ length: 32 }, (_, i) => i)), { settings: { toolRunner, workerUrl } })).value).toBe(32)
  expect(here / once).toBeLessThanOrEqual(3) // the first, and one in sixteen
})

test('a crash in a thread fails the task and the run goes on', async () => {
  const toolRunner: ToolRunner = { ...runnerOf({}), threadModule: () => moduleUrl }
  const program = plan({
    main: workflow(
      [task('bad', call('exit', {}, { runs: 'thread', effect: 'read' }), { onFailure: { kind: 'use', value: { op: 'member', object: local('error'), name: 'code', optional: false } } }), task('good', value(1))],
      list(node(0), node(1)),
    ),
  })
  const outcome: { value: unknown } = await runPlan(program, { settings: { toolRunner, workerUrl } })
  expect(outcome.value).toEqual(['run/worker-crashed', 1] satisfies unknown[])
})

test('a plan without heavy work starts no thread', async () => {
  const sizes: number[] = []
  await runPlan(plan({ main: workflow([task('a', value(1))], node(0)) }), { settings: { workerUrl, onThreads: threads => void sizes.push(threads) } })
  expect(sizes).toEqual([])
})

