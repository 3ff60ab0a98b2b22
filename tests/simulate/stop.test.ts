// Stop: an interrupted or limited run ends resumably, begins nothing new, and goes on where it was.
import { expect, test } from 'vitest'
import { memoryJournal } from '#interpreter/journal/memory.ts'
import { call, local, node, plan, task, value, workflow } from '../engine/plan-builder.ts'
import { resumePlan, runPlan } from '../engine/run-plan.ts'

const program = plan({
  main: workflow([task('t', call('work', { x: local('x') }), { forEach: { item: 'x', list: value([...Array(20).keys()]), width: value(3) } })], node(0)),
})

test('an interrupt lets calls under way end, begins no other, and a resumed run does only the rest', async () => {
  const journal = memoryJournal()
  const stop = new AbortController()
  const done: number[] = []
  const work = async ({ x }: Readonly<Record<string, unknown>>) => {
    if (done.length === 7) stop.abort()
    await new Promise(resolve => setTimeout(resolve, 5))
    done.push(Number(x))
    return Number(x) * 2
  }
  const { result, code, notices } = await runPlan(program, { journal, tools: { work: work as never }, settings: { signal: stop.signal } })
  expect(code).toBe('run/interrupted')
  if (result.kind !== 'ran') throw new Error('refused')
  expect(result.summary.status).toBe('stopped')
  expect(done.length).toBeGreaterThanOrEqual(8)
  expect(done.length).toBeLessThan(14)
  const fractions = notices.flatMap(each => (each.kind === 'progress' ? [each.fraction] : []))
  expect(fractions.at(-1)).toBeLessThan(1)
  const again = await resumePlan(program, result.summary.runId, { journal, tools: { work: work as never } })
  expect(again.value).toEqual([...Array(20).keys()].map(x => x * 2))
  expect(done.toSorted((a, b) => a - b)).toEqual([...Array(20).keys()])
})

test('a call that does not end is given up after a moment, and made again when the run goes on', async () => {
  const journal = memoryJournal()
  const stop = new AbortController()
  let aborted = 0
  const keys: string[] = []
  const stuck = plan({ main: workflow([task('t', call('wait'))], node(0)) })
  const wait = (_: unknown, context: { signal: AbortSignal; idempotencyKey: string }) => {
    keys.push(context.idempotencyKey)
    if (keys.length > 1) return 'done'
    setTimeout(() => stop.abort(), 20)
    return new Promise<never>((_, reject) => context.signal.addEventListener('abort', () => (aborted++, reject(new Error('given up')))))
  }
  const { result } = await runPlan(stuck, { journal, tools: { wait: wait as never }, settings: { signal: stop.signal } })
  expect(aborted).toBe(1)
  if (result.kind !== 'ran') throw new Error('refused')
  expect(result.summary.status).toBe('stopped')
  const again = await resumePlan(stuck, result.summary.runId, { journal, tools: { wait: wait as never } })
  expect(again.value).toBe('done')
  expect(keys[0]).toBe(keys[1])
})

test('a limit on tasks ends the run resumably with its code', async () => {
  const limited = { ...program, limits: { tasks: 5 } }
  let calls = 0
  const { code, result } = await runPlan(limited, { tools: { work: () => ++calls } })
  expect(code).toBe('run/limit-reached')
  expect(calls).toBe(5)
  expect(result.kind === 'ran' && result.summary.status).toBe('stopped')
})

test('a run that is finished gives its end again and does nothing', async () => {
  const journal = memoryJournal()
  let calls = 0
  const { result } = await runPlan(program, { journal, tools: { work: () => ++calls } })
  const again = await resumePlan(program, result.kind === 'ran' ? result.summary.runId : '', { journal, tools: { work: () => ++calls } })
  expect(calls).toBe(20)
  expect(again.value).toHaveLength(20)
})
