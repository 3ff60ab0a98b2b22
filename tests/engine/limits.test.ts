// Limits while a run goes on: calls and tasks that may not be passed, what a task may take of the machine, whose fault it was, what can go on.
import { expect, test } from 'vitest'
import { initialState, type State } from '#interpreter/engine/state.ts'
import { transition } from '#interpreter/engine/transition.ts'
import { limitsOf } from '#interpreter/engine/view.ts'
import { memoryJournal } from '#interpreter/journal/memory.ts'
import { recordedRuns } from '#interpreter/stop-run.ts'
import type { Plan } from '#model/plan.ts'
import { memoryHost } from '#testing/memory-host.ts'
import { call, list, plan, sub, task, value, workflow } from './plan-builder.ts'
import { resumePlan, runPlan } from './run-plan.ts'

const summaryOf = (result: Awaited<ReturnType<typeof runPlan>>['result']) => {
  if (result.kind === 'refused') throw new Error(result.diagnostics[0]!.message)
  return result.summary
}
const fanOut = (items: number, limits: Record<string, number>, more: Partial<Plan> = {}) =>
  plan({ main: workflow([task('ask', call('work'), { forEach: { item: 'x', list: value(Array.from({ length: items }, (_, index) => index)), width: null } })], value(null), { limits }) }, more)

test.each([[{ calls: 5 }, {}], [{}, { calls: 5 }], [{ calls: 9 }, { calls: 5 }]])('calls side by side never pass the limit together: %j in a file with %j', async (limits, file) => {
  let calls = 0
  const { code, result } = await runPlan(fanOut(20, limits, { limits: file }), { tools: { work: async () => (await Promise.resolve(), ++calls) } })
  expect([code, calls]).toEqual(['run/limit-reached', 5])
  expect(summaryOf(result).status).toBe('stopped')
})

test('a call that is answered from the record counts once, one of a further attempt again', async () => {
  let calls = 0
  const flaky = plan({ main: workflow([task('ask', call('work'), { retry: { count: 9, fromMs: 1, toMs: 1 } })], value(null), { limits: { calls: 4 } }) })
  const failing = () => {
    calls++
    throw Object.assign(new Error('no'), { retryable: true })
  }
  expect((await runPlan(flaky, { advancing: true, tools: { work: failing } })).code).toBe('run/limit-reached')
  expect(calls).toBe(4)
  const two = plan({ main: workflow([task('both', list(call('work'), call('work')))], value(null), { limits: { calls: 2 } }) })
  expect((await runPlan(two, { tools: { work: () => 1 } })).code).toBe(null)
})

test('a sub-workflow has its own count within that of its caller', async () => {
  const inner = workflow([task('ask', list(call('work'), call('work')))], value(1), { limits: { calls: 2 } })
  const outer = (calls: number) => plan({ main: workflow([task('a', sub('inner')), task('b', sub('inner'), { dependsOn: [0] })], value(1), { limits: { calls } }), inner })
  expect((await runPlan(outer(4), { tools: { work: () => 1 } })).code).toBe(null)
  const { code, result } = await runPlan(outer(3), { tools: { work: () => 1 } })
  expect(code).toBe('run/limit-reached')
  expect(summaryOf(result).outcome).toMatchObject({ failure: { message: '`b/ask` goes beyond the limit of 3 calls in `main`.' } })
})

test('who goes beyond a limit is named', async () => {
  const message = async (program: Plan, tools = {}) => {
    const { outcome } = summaryOf((await runPlan(program, { advancing: true, tools: { work: () => 1, ...tools } })).result)
    return outcome?.kind === 'failure' ? outcome.failure.message : ''
  }
  expect(await message(fanOut(3, { tasks: 2 }))).toBe('`ask[2]` goes beyond the limit of 2 tasks in `main`.')
  expect(await message(fanOut(2, { calls: 1 }))).toBe('`ask[1]` goes beyond the limit of 1 call in `main`.')
  const slow = (_: unknown, { signal }: { signal: AbortSignal }) => new Promise((_done, fail) => signal.addEventListener('abort', () => fail(new Error('given up'))))
  expect(await message(fanOut(5, { timeMs: 100 }), { work: slow })).toBe('The time limit of `main` is reached; under way: `ask[0]`, `ask[1]`, `ask[2]` and others.')
})

test('a run that would stop at the same limit again is said to be limited', async () => {
  const host = memoryHost()
  const journal = memoryJournal()
  const stateOf = async (program: Plan, tools: Record<string, never>) => {
    const { runId } = summaryOf((await runPlan(program, { journal, host, advancing: true, tools })).result)
    return { runId, state: recordedRuns(journal, host).find(each => each.runId === runId)!.state }
  }
  const quick = { work: () => 1 } as never
  const slow = { work: (_: unknown, { signal }: { signal: AbortSignal }) => new Promise((_done, fail) => signal.addEventListener('abort', () => fail(new Error('no')))) } as never
  const calls = await stateOf(fanOut(3, { calls: 2 }), quick)
  expect(calls.state).toBe('limited')
  expect((await stateOf(fanOut(3, { tasks: 2 }), quick)).state).toBe('limited')
  expect((await stateOf(fanOut(1, { timeMs: 50 }), slow)).state).toBe('limited')
  let more = 0
  expect((await resumePlan(fanOut(3, { calls: 2 }), calls.runId, { journal, host, tools: { work: () => ++more } })).code).toBe('run/limit-reached')
  expect(more).toBe(0)
})

test('a run that another version of tek began is left alone', async () => {
  const journal = memoryJournal()
  const stopped = summaryOf((await runPlan(fanOut(3, { calls: 2 }), { journal, tools: { work: () => 1 } })).result)
  const old: typeof journal = { ...journal, openRun: (...args) => ((found => found && { ...found, plan: { ...found.plan, version: 1 as never } })(journal.openRun(...args))) }
  expect((await resumePlan(fanOut(3, { calls: 2 }), stopped.runId, { journal: old, tools: {} })).code).toBe('run/other-format')
})

/** The state once a plan's first tasks wait for their bodies. */
function begun(program: Plan): State {
  const state = initialState(program, { parallel: 8, cpu: 4, memoryBytes: 1_000 })
  const fold = (event: Parameters<typeof transition>[1]): void => {
    for (const command of transition(state, event)) {
      if (command.kind === 'evaluate' && command.part === 'setup') fold({ kind: 'evaluated', atMs: 0, task: command.task, attempt: command.attempt, part: 'setup', outcome: { kind: 'value', value: { args: {}, authority: [] } }, elapsedMs: 0 })
    }
  }
  fold({ kind: 'run-started', atMs: 0, runId: 'r', planHash: program.hash, workflow: 'main', args: {}, tekVersion: 'test' })
  return state
}

test('what a task may take: the least of its needs, its timeout and every limit around it', () => {
  const inner = workflow([task('leaf', value(1), { needs: { cpu: 1.5, memoryBytes: 300 }, timeoutMs: 70 })], value(1), { limits: { memoryBytes: 400, timeMs: 90 } })
  const nested = (more: Partial<Plan>) => begun(plan({ main: workflow([task('call', sub('inner'), { timeoutMs: 80 })], value(1), { limits: { cpu: 0.5 } }), inner }, more))
  expect(limitsOf(nested({}), 2)).toEqual({ memoryBytes: 300, cpu: 1.5, timeMs: 70 })
  expect(limitsOf(nested({ limits: { memoryBytes: 200, timeMs: 60, cpu: 0.25 } }), 2)).toEqual({ memoryBytes: 200, cpu: 1, timeMs: 60 })
  expect(limitsOf(begun(plan({ main: workflow([task('leaf', value(1))], value(1)) })), 1)).toEqual({})
})

test('needs beyond a limit of memory or processors are refused, whatever the machine has', async () => {
  const needing = (needs: { cpu: number; memoryBytes: number }, limits: Record<string, number>) => plan({ main: workflow([task('big', value(1), { needs })], value(1), { limits }) })
  const codeOf = async (program: Plan) => (await runPlan(program)).code
  expect(await codeOf(needing({ cpu: 0, memoryBytes: 2_000 }, { memoryBytes: 1_000 }))).toBe('run/needs-too-much')
  expect(await codeOf(needing({ cpu: 0, memoryBytes: 1_000 }, { memoryBytes: 1_000 }))).toBe(null)
  expect(await codeOf(needing({ cpu: 1, memoryBytes: 0 }, { cpu: 0.001 }))).toBe('run/needs-too-much')
  const nested = plan({ main: workflow([task('call', sub('inner'))], value(1)), inner: workflow([task('big', value(1), { needs: { cpu: 0, memoryBytes: 2_000 } })], value(1), { limits: { memoryBytes: 1_000 } }) })
  expect(await codeOf(nested)).toBe('run/needs-too-much')
})
