// Why: each reason for which a task with `cache` runs again or does not, from two real runs of two plans; and the lines of a run's log.
import { describe, expect, test } from 'vitest'
import { memoryJournal } from '#interpreter/journal/memory.ts'
import { runLog } from '#interpreter/run-log.ts'
import { whyTask, type Why } from '#interpreter/why.ts'
import type { Plan, PlanExpr, PlanNode } from '#model/plan.ts'
import { memoryHost } from '#testing/memory-host.ts'
import { binary, call, list, local, node, param, plan, sub, task, value, workflow } from '../engine/plan-builder.ts'
import { runPlan, type RunPlan } from '../engine/run-plan.ts'

const cached = { cache: { ageMs: null, by: null } }
const tools = { read: ({ x }: Readonly<Record<string, unknown>>) => `text of ${String(x)}`, list: () => [1, 2, 3] }

interface Made {
  body?: PlanExpr
  more?: Partial<PlanNode>
  plan?: Partial<Plan>
  before?: PlanNode[]
}

/** A program whose task `a` asks the cache; it mentions the task `files` and the parameter `root`. */
function program({ body = list(node(0), param('root'), call('read', { x: value(1) })), more = {}, plan: rest = {}, before = [] }: Made = {}): Plan {
  const shift = (index: number): number => index + before.length
  const moved = JSON.parse(JSON.stringify(body), (_, at: { op?: string; index?: number } | null) => (at?.op === 'node' ? { ...at, index: shift(at.index!) } : at)) as PlanExpr
  return plan({
    main: workflow([...before, task('files', call('list')), task('a', moved, { ...cached, dependsOn: [shift(0)], ...more })], node(shift(1)), { params: [{ name: 'root', type: { kind: 'string' }, default: value('src') }] }),
  }, { hash: JSON.stringify([body, rest]).length + JSON.stringify(more) + String(before.length), modules: [{ name: 'test', origin: 'std', source: '', release: '1.0.0', hash: 'h1' }], ...rest })
}

/** Runs programs one after the other in one journal, a second apart, and asks why of the last. */
async function why(path: string, ...runs: (RunPlan & { plan: Plan })[]): Promise<Why> {
  const journal = memoryJournal()
  const host = memoryHost()
  let last = ''
  for (const each of runs) {
    await host.advance(1_000)
    const { result } = await runPlan(each.plan, { journal, host, tools, ...each })
    if (result.kind === 'refused') throw new Error('refused')
    last = result.summary.runId
  }
  const found = whyTask(journal, last, path)
  if (found === null || 'severity' in found) throw new Error(found?.code)
  return found
}

const words = (found: Why): string => found.answers.map(each => `${each.reason}: ${each.words.join(' ')}`).join('\n')
const same = { plan: program() }

describe('a task that runs again', () => {
  test('is not cached; never ran before', async () => {
    expect(words(await why('files', same))).toBe('no-cache: It is not cached: it has no `cache`, so it runs every time.')
    expect(words(await why('a', same))).toContain('never-ran: It never ran before')
  })

  test('a value that it mentions changed', async () => {
    expect(words(await why('a', same, { plan: program(), tools: { ...tools, list: () => [1, 2, 3, 4] } }))).toBe('changed: `files` changed: 4 items, was 3.')
    expect(words(await why('a', same, { plan: program(), tools: { ...tools, list: () => [1, { x: 'new' }, 3] } }))).toBe('changed: `files` changed: [1] a record, was 2.')
    expect(words(await why('a', same, { plan: program(), args: { root: 'lib' } }))).toBe('changed: `root` changed: "lib", was "src".')
    const long = (line: string): string => ['x'.repeat(40), line, 'y'.repeat(40)].join('\n')
    expect(words(await why('a', { plan: program(), args: { root: long('one') } }, { plan: program(), args: { root: long('two') } }))).toBe('changed: `root` changed: line 2 is "two", was "one" (3 lines, was 3).')
  })

  test('its body, a module, a constant, a workflow changed', async () => {
    const body = (number: number): PlanExpr => list(node(0), value(number))
    expect(words(await why('a', { plan: program({ body: body(1) }) }, { plan: program({ body: body(2) }) }))).toBe('changed: The body of the task changed.')
    const module = (hash: string, release: string): Partial<Plan> => ({ modules: [{ name: 'test', origin: 'std', source: '', release, hash }] })
    expect(words(await why('a', same, { plan: program({ plan: module('h2', '1.0.0') }) }))).toBe('changed: `std.test` changed.')
    expect(words(await why('a', same, { plan: program({ plan: module('h2', '1.1.0') }) }))).toBe('changed: `std.test` changed: 1.1.0, was 1.0.0.')
    const constant = (number: number): Plan => program({ body: binary('+', { op: 'constant', name: 'k' }, value(1)), plan: { constants: [{ name: 'k', value: value(number) }] } })
    expect(words(await why('a', { plan: constant(1) }, { plan: constant(2) }))).toBe('changed: The constant `k` changed.')
    const calling = (number: number): Plan => plan({ main: workflow([task('a', sub('inner'), cached)], node(0)), inner: workflow([task('b', value(number))], node(0)) }, { hash: `inner ${number}` })
    expect(words(await why('a', { plan: calling(1) }, { plan: calling(2) }))).toBe('changed: The workflow `inner` changed.')
  })

  test('what `cache by` gives changed; it is too old; it failed; the cache was emptied', async () => {
    const by = { more: { cache: { ageMs: null, by: param('root') } } }
    expect(words(await why('a', { plan: program(by) }, { plan: program(by), args: { root: 'lib' } }))).toBe('changed: The value of `cache by` changed: "lib", was "src".')
    const short = { plan: program({ more: { cache: { ageMs: 500, by: null } } }) }
    expect(words(await why('a', short, short))).toMatch(/^too-old: What the cache holds is older than 500ms: it was made at 2026-01-01 00:00:01 UTC\.$/)
    expect(words(await why('a', { ...same, tools: { ...tools, read: () => { throw new Error('no') } } }, same))).toContain('failed-before: Nothing changed since run')
    const journal = memoryJournal()
    const host = memoryHost()
    await runPlan(program(), { journal, host, tools })
    journal.retention.dropResults()
    await host.advance(1_000)
    const { result } = await runPlan(program(), { journal, host, tools })
    expect(words(whyTask(journal, result.kind === 'ran' ? result.summary.runId : '', 'a') as Why)).toContain('not-kept: Nothing changed since run')
  })

  test('it was skipped', async () => {
    expect(words(await why('a', { plan: program({ more: { when: value(false) } }) }))).toBe('not-reached: It did not ask the cache: it was skipped by its `when`.')
  })
})

test('a task that did not run says since when its result is there; a task put in before it changes nothing', async () => {
  expect(words(await why('a', same, { plan: program({ before: [task('other', value(1))] }) }))).toBe('cached: It did not run: its result was in the cache, made at 2026-01-01 00:00:01 UTC.')
})

test('items of a `for` are compared by their values; those that ran come first', async () => {
  const each = plan({ main: workflow([task('files', call('list')), task('a', call('read', { x: local('f') }), { ...cached, dependsOn: [0], forEach: { item: 'f', list: node(0), width: null } })], node(1)) })
  const found = await why('a', { plan: each }, { plan: each, tools: { ...tools, list: () => [0, 1, 2, 3] } })
  expect(found).toMatchObject({ fromCache: 3, ran: 1, answers: [{ task: 'a[0]', reason: 'changed', changed: ['item f'] }, { task: 'a[1]', reason: 'cached' }, {}, {}] })
  expect(words(await why('a[2]', { plan: each }, { plan: each, tools: { ...tools, read: () => 'other' } }))).toContain('cached')
})

test('no such task, no such run', async () => {
  const journal = memoryJournal()
  const { result } = await runPlan(program(), { journal, tools })
  const runId = result.kind === 'ran' ? result.summary.runId : ''
  expect(whyTask(journal, runId, 'file')).toMatchObject({ code: 'run/unknown-task', help: ['Did you mean `files`?'] })
  expect(whyTask(journal, 'none', 'a')).toBe(null)
})

test('the log of a run: what tools said, what failed and was tried again, what failed for good; in order, by task', async () => {
  let tries = 0
  const program = plan({
    main: workflow([
      task('flaky', call('flaky'), { retry: { count: 2, fromMs: 10, toMs: 10 } }),
      task('each', call('bad', { x: local('n') }), { dependsOn: [0], forEach: { item: 'n', list: list(value(1), value(2)), width: value(1) }, onFailure: { kind: 'continue' } }),
      task('last', call('bad', { x: value(1) }), { dependsOn: [1] }),
    ], value(null)),
  })
  const journal = memoryJournal()
  const { result } = await runPlan(program, {
    journal, advancing: true,
    tools: {
      flaky: (_, context) => {
        context.log(`try ${++tries}`)
        if (tries < 3) throw Object.assign(new Error('busy'), { code: 'test/busy', retryable: true })
        return 1
      },
      bad: ({ x }) => {
        if (x === 1) throw Object.assign(new Error('bad'), { code: 'test/bad' })
        return x!
      },
    },
  })
  const { log } = journal.openRun(result.kind === 'ran' ? result.summary.runId : '')!
  const linesOf = (options: { task?: string; limit: number }) => runLog(program, log.events(), log.lines(), options)
  const { lines, total } = linesOf({ limit: 100 })
  expect(lines.map(each => `${each.level} ${each.task} ${each.message}`)).toEqual([
    'info flaky try 1', 'warn flaky attempt 1 failed, and is made again: test/busy: busy', 'info flaky try 2', 'warn flaky attempt 2 failed, and is made again: test/busy: busy',
    'info flaky try 3', 'warn each[0] test/bad: bad', 'error last test/bad: bad',
  ])
  expect(total).toBe(7)
  expect(linesOf({ limit: 100, task: 'each' }).lines).toHaveLength(1)
  expect(linesOf({ limit: 100, task: 'eac' }).lines).toHaveLength(0)
  expect(linesOf({ limit: 1 })).toMatchObject({ total: 7, lines: [{ task: 'last' }] })
})
