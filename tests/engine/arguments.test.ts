// Arguments: what is refused before a run begins, and plans that do not fit together.
import { expect, test } from 'vitest'
import { memoryJournal } from '#interpreter/journal/memory.ts'
import { MAX_ATTEMPTS } from '#interpreter/engine/protocol.ts'
import { call, node, param, plan, sub, task, value, workflow } from './plan-builder.ts'
import { runPlan } from './run-plan.ts'

const greeting = plan({
  main: workflow([task('a', param('name'))], node(0), {
    params: [{ name: 'name', type: { kind: 'string' }, default: null }, { name: 'times', type: { kind: 'int', min: 1 }, default: value(1) }],
  }),
})

test.each([
  [{}, 'run/missing-argument'],
  [{ name: 'x', tims: 2 }, 'run/unknown-argument'],
  [{ name: 5 }, 'run/bad-argument'],
  [{ name: 'x', times: 0 }, 'run/bad-argument'],
])('%j is refused with %s, and nothing is recorded', async (args, code) => {
  const journal = memoryJournal()
  const { result, code: found } = await runPlan(greeting, { args, journal })
  expect(found).toBe(code)
  expect(result.kind).toBe('refused')
  expect(journal.listRuns()).toEqual([])
})

test('a default is used where nothing is given', async () => {
  expect((await runPlan(greeting, { args: { name: 'Ada' } })).value).toBe('Ada')
})

test('a workflow is chosen by name, and the nearest is suggested', async () => {
  const two = plan({ main: workflow([], value(1)), review: workflow([], value(2)) }, { entries: ['main', 'review'] })
  expect((await runPlan(two)).code).toBe('run/which-workflow')
  expect((await runPlan(two, { settings: { workflow: 'review' } as never })).value).toBe(2)
  const { result, code } = await runPlan(two, { settings: { workflow: 'reviw' } as never })
  expect(code).toBe('run/unknown-workflow')
  expect(result.kind === 'refused' && result.diagnostics[0]!.help[0]).toContain('review')
})

test('a plan that mentions a workflow it does not hold fails with run/damaged-plan', async () => {
  expect((await runPlan(plan({ main: workflow([task('a', sub('gone'))], node(0)) }))).code).toBe('run/damaged-plan')
})

test('a task is tried at most so often over all retries and runs: run/too-many-attempts', async () => {
  let calls = 0
  const program = plan({ main: workflow([task('a', call('busy'), { retry: { count: 5_000, fromMs: 0, toMs: 0 } })], node(0)) })
  const busy = () => {
    calls++
    throw Object.assign(new Error('busy'), { code: 'test/busy', retryable: true })
  }
  expect((await runPlan(program, { tools: { busy } })).code).toBe('run/too-many-attempts')
  expect(calls).toBe(MAX_ATTEMPTS)
})

test('a request to end from outside stops the run: run/stopped', async () => {
  const stop = new AbortController()
  const program = plan({ main: workflow([task('a', call('one')), task('b', call('one'), { dependsOn: [0] })], node(1)) })
  const { code } = await runPlan(program, { tools: { one: () => (stop.abort('terminate'), 1) }, settings: { signal: stop.signal } })
  expect(code).toBe('run/stopped')
})

test('a constant that fails fails the run', async () => {
  const program = plan({ main: workflow([], value(1)) }, { constants: [{ name: 'half', value: { op: '/', left: value(1), right: value(0) } }] })
  expect((await runPlan(program)).code).toBe('run/division-by-zero')
})

test('a call without its grant is refused by the guard and counted', async () => {
  const read = call('read', {}, { effect: 'read', needs: [{ grant: 'fs.read', args: [{ literal: 'secrets/key' }] }] })
  const grant = (pattern: string) => ({ authority: [{ name: 'fs.read', args: [value(pattern)], implies: [] }] })
  const tools = { read: () => 'text' }
  const refused = await runPlan(plan({ main: workflow([task('a', read)], node(0), grant('src/**')) }), { tools })
  expect(refused.code).toBe('permit/denied')
  expect(refused.result.kind === 'ran' && refused.result.summary.calls.refused).toBe(1)
  expect((await runPlan(plan({ main: workflow([task('a', read)], node(0), grant('secrets/*')) }), { tools })).value).toBe('text')
  // A sub-workflow has its own authority and its caller's: the narrower holds.
  const nested = (outer: string, inner: string) => plan({ main: workflow([task('s', sub('inner'))], node(0), grant(outer)), inner: workflow([task('a', read)], node(0), grant(inner)) })
  expect((await runPlan(nested('src/**', '**'), { tools })).code).toBe('permit/denied')
  expect((await runPlan(nested('**', 'secrets/**'), { tools })).value).toBe('text')
})
