// Notices: what a listener is told, when, and how a report tells it afterwards.
import { describe, expect, test } from 'vitest'
import type { Host } from '#host/host.ts'
import { memoryHost } from '#testing/memory-host.ts'
import { memoryJournal } from '#interpreter/journal/memory.ts'
import type { Journal } from '#interpreter/journal/journal.ts'
import { reportOf } from '#interpreter/report.ts'
import { binary, call, list, local, node, plan, prelude, sub, task, value, workflow } from './plan-builder.ts'
import { isHeld, type LoopGap, loopGap } from './loop-gap.ts'
import { runPlan } from './run-plan.ts'

const realHost = (): Host => {
  const host: Host = { ...memoryHost(), monotonic: () => performance.now(), now: () => Date.now() }
  delete (host as { sleep?: unknown }).sleep
  return host
}

describe('progress', () => {
  test('never falls, and is 1 only at the end', async () => {
    const program = plan({
      main: workflow([task('a', call('wait', { x: local('x') }), { forEach: { item: 'x', list: value([1, 2, 3, 4, 5, 6]), width: value(1) } }), task('b', sub('more'), { dependsOn: [0] })], node(1)),
      more: workflow([task('c', call('wait', { x: local('x') }), { forEach: { item: 'x', list: value([1, 2, 3, 4]), width: value(1) } })], node(0)),
    })
    const { notices } = await runPlan(program, { tools: { wait: () => new Promise(resolve => setTimeout(resolve, 60, 1)) }, settings: { host: realHost() } })
    const seen = notices.flatMap(each => (each.kind === 'progress' ? [each] : []))
    const fractions = seen.map(each => each.fraction)
    expect(seen.length).toBeGreaterThan(4)
    expect(fractions).toEqual(fractions.toSorted((a, b) => a - b))
    expect(fractions.slice(0, -1).every(each => each < 1)).toBe(true)
    expect(fractions.at(-1)).toBe(1)
    expect(seen.some(each => each.running.includes('a[2]'))).toBe(true)
    expect(seen.at(-1)).toMatchObject({ etaMs: 0, tasks: { total: 10, done: 10 } })
  })
})

test('nothing is told before it is durable', async () => {
  const inner = memoryJournal()
  let uncommitted = 0
  const journal: Journal = {
    ...inner,
    startRun(summary, program, beginning) {
      const log = inner.startRun(summary, program, beginning)
      return {
        append: event => (uncommitted++, log.append(event)), say: line => log.say(line), took: request => log.took(request), keep: entry => log.keep(entry), lines: () => log.lines(), commit: () => (log.commit(), void (uncommitted = 0)),
        get uncommitted() {
          return uncommitted
        },
        events: () => log.events(), describe: each => log.describe(each),
      }
    },
  }
  let told = 0
  const program = plan({ main: workflow([task('a', call('one')), task('b', call('one'), { dependsOn: [0] })], node(1)) })
  await runPlan(program, {
    journal,
    // A call that writes begins only when everything before it is durable.
    tools: { one: () => (expect(uncommitted).toBe(0), 1) },
    settings: { onNotice: notice => {
      if (notice.kind !== 'task') return
      told++
      expect(uncommitted).toBe(0)
    } },
  })
  expect(told).toBe(4) // running and done, twice
})

test('labels and logs', async () => {
  const label = { op: 'template', parts: ['item ', local('x')] } as const
  const { notices } = await runPlan(plan({ main: workflow([task('a', call('log', { x: local('x') }), { label, forEach: { item: 'x', list: value([7]), width: null } })], node(0)) }), {
    tools: { log: (_, context) => (context.log('said'), 1) },
  })
  expect(notices).toContainEqual(expect.objectContaining({ kind: 'task', path: 'a[0]', label: 'item 7', status: 'done' }))
  expect(notices).toContainEqual(expect.objectContaining({ kind: 'log', task: 'a[0]', message: 'said' }))
})

test('a report is made from plan and events alone', async () => {
  const journal = memoryJournal()
  const program = plan({
    main: workflow(
      [task('a', call('one'), { retry: { count: 1, fromMs: 0, toMs: 0 } }), task('b', binary('/', node(0), value(0)), { dependsOn: [0], onFailure: { kind: 'continue' } }), task('c', value(1), { when: value(false) })],
      list(node(0), node(1), node(2)),
    ),
  })
  let calls = 0
  const one = () => {
    if (calls++ === 0) throw Object.assign(new Error('busy'), { code: 'test/busy', retryable: true })
    return 5
  }
  const { result, value: got } = await runPlan(program, { journal, tools: { one } })
  expect(got).toEqual([5, null, null])
  if (result.kind !== 'ran') throw new Error('refused')
  const stored = journal.openRun(result.summary.runId)!
  for (const report of [result.report(), reportOf(program, stored.summary, stored.log.events())]) {
    expect(report.tasks).toMatchObject([
      { path: 'a', status: 'done', attempts: 2, outcome: { kind: 'value', value: 5 }, dependsOn: [] },
      { path: 'b', status: 'failed', attempts: 1, outcome: { kind: 'failure', failure: { code: 'run/division-by-zero', task: 'b' } }, dependsOn: ['a'] },
      { path: 'c', status: 'skipped', outcome: { kind: 'value', value: null } },
    ])
  }
})

test('a run of 50,000 tasks does not hold the loop', { timeout: 60_000 }, async () => {
  const program = plan({ main: workflow([task('a', binary('+', local('x'), value(1)), { forEach: { item: 'x', list: value([...Array(50_000).keys()]), width: null } })], prelude('len', node(0))) })
  const gaps: LoopGap[] = []
  for (let round = 0; round < 4; round++) {
    gaps.push(await loopGap(async () => {
      const { value: got } = await runPlan(program, { settings: { host: realHost(), onNotice: () => {} } })
      expect(got).toBe(50_000)
    }))
  }
  expect(gaps.every(isHeld), JSON.stringify(gaps)).toBe(false) // a loop that is held is held every time
})
