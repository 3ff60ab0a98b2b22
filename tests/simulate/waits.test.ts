// Waits in records: a run with answers, waits and tasks that were given up is replayed, forked and told as any other.
import { expect, test } from 'vitest'
import { forkRun } from '#interpreter/fork.ts'
import { memoryJournal } from '#interpreter/journal/memory.ts'
import type { Journal, RunRequest } from '#interpreter/journal/journal.ts'
import { replayRun } from '#interpreter/replay.ts'
import { reportOf } from '#interpreter/report.ts'
import { whyTask } from '#interpreter/why.ts'
import type { RunSummary } from '#model/report.ts'
import type { Value } from '#model/type.ts'
import { memoryHost } from '#testing/memory-host.ts'
import { call, list, local, node, plan, sub, task, value, workflow } from '../engine/plan-builder.ts'
import { resumePlan, runnerOf, runPlan } from '../engine/run-plan.ts'

const question = value('sure?')
const program = plan({
  main: workflow([
    task('first', call('work', { x: value('first') })),
    task('asks', call('work', { x: value('asks') }), { dependsOn: [0], approve: { op: 'template', parts: ['after ', node(0), '?'] }, approval: { withinMs: 3_600_000, escalate: [{ to: 'lead', withinMs: 3_600_000 }] } }),
    task('rests', call('work', { x: value('rests') }), { dependsOn: [1], wait: { kind: 'until', value: call('soon', {}, { effect: 'read' }) } }),
    task('each', call('work', { x: local('x') }), { forEach: { item: 'x', list: value([1, 2, 3]), width: null }, approve: question, onFailure: { kind: 'use', value: local('x') } }),
    task('inner', sub('inner'), { onFailure: { kind: 'continue' } }),
    task('last', list(node(1), node(2), node(3), node(4)), { dependsOn: [1, 2, 3, 4] }),
  ], node(5)),
  inner: workflow([task('deep', call('work', { x: value('deep') })), task('never', value(0), { approve: question, dependsOn: [0] })], node(1)),
})
const whole = ['asks', 'rests', [1, 2, 3], null]

interface Told {
  readonly journal: Journal
  readonly calls: string[]
  readonly runId: string
  go(runId?: string): Promise<RunSummary>
  ask(...requests: RunRequest[]): void
}

const by = 'x'
const yes = (name: string): RunRequest => ({ kind: 'answer', task: name, verdict: 'approved', by })

/** A run that is told everything it asks, by several processes. */
async function told(): Promise<Told> {
  const journal = memoryJournal()
  const host = memoryHost()
  const calls: string[] = []
  const tools = { work: ({ x }: Readonly<Record<string, Value>>) => (calls.push(String(x)), x ?? null), soon: () => host.now() + 7_200_000 }
  let runId = ''
  const go = async (of = runId): Promise<RunSummary> => {
    const { result } = of === '' ? await runPlan(program, { journal, host, tools, advancing: true }) : await resumePlan(program, of, { journal, host, tools, advancing: true })
    if (result.kind === 'refused') throw new Error(result.diagnostics[0]!.message)
    return result.summary
  }
  const ask = (...requests: RunRequest[]): void => requests.forEach(each => void journal.mailbox.put(runId, each, host.now()))
  runId = (await go()).runId
  await host.advance(5_000_000)
  expect((await go()).waits).toContainEqual(expect.objectContaining({ task: 'asks', question: 'after first?', askedOf: 'lead' }))
  ask(yes('asks'), yes('each[0]'), { kind: 'answer', task: 'each[1]', verdict: 'refused', by }, { kind: 'cancel', task: 'each[2]', by })
  await go()
  ask({ kind: 'cancel', task: 'inner', by })
  expect((await go()).waits?.map(each => each.task)).toEqual(['rests'])
  await host.advance(7_200_000)
  expect((await go()).outcome).toEqual({ kind: 'value', value: whole })
  return { journal, calls, runId, go, ask }
}

const replay = (journal: Journal, runId: string) => replayRun(journal.openRun(runId)!, { toolRunner: runnerOf({}), capacity: { parallel: Infinity, cpu: 2, memoryBytes: 4e9 }, pool: () => { throw new Error('nothing is heavy') } })

test('a replay comes to the same, questions and times included', async () => {
  const { journal, runId, calls } = await told()
  expect(calls.toSorted()).toEqual(['1', 'asks', 'deep', 'first', 'rests'])
  expect(await replay(journal, runId)).toMatchObject({ difference: null, calls: 6 })
})

test('a fork from before a question asks again; from after it, the answer holds', async () => {
  const { journal, runId, go } = await told()
  const forked = (from: string): string => {
    const made = forkRun(journal, { randomHex: () => `from-${from}`, now: () => 0 }, runId, from)
    if (made === null || 'severity' in made) throw new Error(made?.message)
    return made.runId
  }
  const before = forked('first')
  expect((await go(before)).waits?.map(each => each.task)).toEqual(['asks'])
  journal.mailbox.put(before, yes('asks'), 0)
  expect((await go(before)).waits?.map(each => each.task)).toEqual(['rests'])
  const after = forked('last')
  expect((await go(after)).outcome).toEqual({ kind: 'value', value: whole })
  expect(await replay(journal, after)).toMatchObject({ difference: null })
  const item = forked('each[1]')
  expect((await go(item)).waits?.map(each => each.task)).toEqual(['each[1]'])
  const inside = forked('inner/never')
  expect((await go(inside)).waits?.map(each => each.task)).toEqual(['inner/never'])
})

test('the report says who waits and what became of whom; `why` does not say of who waits that it ran', async () => {
  const { journal, runId } = await told()
  const { plan: recorded, summary, log } = journal.openRun(runId)!
  const statuses = (count: number) => Object.fromEntries(reportOf(recorded, summary, [...log.events()].slice(0, count)).tasks.map(each => [each.path, each.status]))
  const events = [...log.events()]
  expect(statuses(events.length)).toEqual({ first: 'done', asks: 'done', rests: 'done', each: 'done', 'each[0]': 'done', 'each[1]': 'failed', 'each[2]': 'failed', inner: 'failed', 'inner/deep': 'done', 'inner/never': 'cancelled', last: 'done' })
  const answeredAt = events.findIndex(each => each.kind === 'answered')
  expect(statuses(answeredAt)).toMatchObject({ asks: 'waiting', rests: 'waiting', 'each[1]': 'waiting', 'inner/never': 'waiting' })
  const cut = memoryJournal()
  cut.startRun({ ...summary, status: 'waiting', outcome: null }, recorded, { events: events.slice(0, answeredAt) })
  expect(whyTask(cut, runId, 'asks')).toMatchObject({ ran: 0 })
  expect(whyTask(journal, runId, 'asks')).toMatchObject({ ran: 1 })
})
