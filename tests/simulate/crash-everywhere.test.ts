// Crash everywhere: a program that uses everything is cut off after every single event and taken up again. Each time the result is the same,
// no call whose outcome was recorded is made again, and every call carries the key it had the first time.
import { describe, expect, test } from 'vitest'
import { memoryJournal } from '#interpreter/journal/memory.ts'
import type { Journal } from '#interpreter/journal/journal.ts'
import type { RunEvent } from '#model/event.ts'
import type { RunSummary } from '#model/report.ts'
import type { Value } from '#model/type.ts'
import { binary, call, list, local, node, param, plan, prelude, sub, task, value, workflow } from '../engine/plan-builder.ts'
import { resumePlan, runPlan, type Tool } from '../engine/run-plan.ts'

const program = plan(
  {
    main: workflow(
      [
        task('files', call('list', {}, { effect: 'read' })),
        task('scan', binary('+', call('read', { x: local('f') }, { effect: 'read' }), call('write', { x: local('f') })), {
          dependsOn: [0], forEach: { item: 'f', list: node(0), width: value(2) }, when: binary('<', local('f'), value(5)), onFailure: { kind: 'continue' },
        }),
        task('flaky', call('flaky'), { retry: { count: 4, fromMs: 100, toMs: 500 } }),
        task('sure', call('coin', { x: value(1) }), { verify: { runs: 3, agree: 2, upTo: 5, key: null }, dependsOn: [2] }),
        task('inner', sub('inner', { n: prelude('len', node(0)) }), { dependsOn: [0, 3], retry: { count: 1, fromMs: 10, toMs: 10 } }),
        task('broken', call('bad'), { onFailure: { kind: 'use', value: { op: 'member', object: local('error'), name: 'code', optional: false } } }),
        task('kept', call('once'), { cache: { ageMs: null, by: null }, timeoutMs: 10_000 }),
        { ...task('both', list(node(1), node(2), node(3), node(4), node(5), node(6)), { dependsOn: [1, 2, 3, 4, 5, 6] }), kind: 'let' },
      ],
      node(7),
    ),
    inner: workflow(
      [task('one', binary('+', param('n'), { op: 'constant', name: 'base' })), task('two', call('inner', { n: node(0) }), { dependsOn: [0], priority: 1 })],
      list(node(0), node(1)),
      { params: [{ name: 'n', type: { kind: 'int' }, default: null }, { name: 'm', type: { kind: 'int' }, default: value(3) }] },
    ),
  },
  { constants: [{ name: 'base', value: binary('*', value(10), value(10)) }] },
)

/** What each key was answered: a tool that is asked again with a key answers the same. */
type Answers = Map<string, { value: Value } | { code: string; retryable: boolean }>

function tools(answers: Answers, asked: string[], seed: number): Record<string, Tool> {
  let draws = seed
  let flakes = 0
  let coins = 0
  const answering = (answer: (args: Readonly<Record<string, Value>>) => { value: Value } | { code: string; retryable: boolean }): Tool => async (args, context) => {
    asked.push(context.idempotencyKey)
    const known = answers.get(context.idempotencyKey) ?? answer(args)
    answers.set(context.idempotencyKey, known)
    draws = (draws * 1103515245 + 12345) & 0x7fffffff
    for (let i = draws % 4; i > 0; i--) await new Promise(setImmediate)
    if ('code' in known) throw Object.assign(new Error(known.code), known)
    return known.value
  }
  return {
    list: answering(() => ({ value: [1, 2, 3, 4, 5, 6] })),
    read: answering(({ x }) => ({ value: Number(x) * 2 })),
    write: answering(({ x }) => (x === 3 ? { code: 'test/refused', retryable: false } : { value: 100 })),
    flaky: answering(() => (flakes++ < 2 ? { code: 'test/busy', retryable: true } : { value: 'steady' })),
    coin: answering(() => ({ value: coins++ === 1 ? 'tails' : 'heads' })),
    inner: answering(({ n }) => ({ value: Number(n) + 1 })),
    bad: answering(() => ({ code: 'test/bad', retryable: false })),
    once: answering(() => ({ value: 'kept' })),
  }
}

const expected = [[102, 104, null, 108, null, null], 'steady', 'heads', [106, 107], 'test/bad', 'kept']

function cutJournal(summary: RunSummary, events: readonly RunEvent[]): Journal {
  const journal = memoryJournal()
  const log = journal.startRun({ ...summary, status: 'running', outcome: null }, program)
  for (const event of events) log.append(event)
  log.commit()
  return journal
}

async function fullRun(seed: number): Promise<{ summary: RunSummary; events: RunEvent[]; answers: Answers }> {
  const answers: Answers = new Map()
  const journal = memoryJournal()
  const asked: string[] = []
  const { result, value: got } = await runPlan(program, { journal, tools: tools(answers, asked, seed), advancing: true })
  expect(got).toEqual(expected)
  expect(new Set(asked).size).toBe(asked.length)
  if (result.kind !== 'ran') throw new Error('refused')
  return { summary: result.summary, events: [...journal.openRun(result.summary.runId)!.log.events()], answers }
}

/** Keys are made of task and number: which of them were finished is told by the journal's own resumed state, so calls are told apart by name and count. */
const finishedCalls = (events: readonly RunEvent[]) => events.filter(each => each.kind === 'call-finished').length

describe.each([1, 2, 3])('seed %i', seed => {
  test('cut after every event', async () => {
    const { summary, events, answers } = await fullRun(seed)
    const calls = finishedCalls(events)
    expect(events.length).toBeGreaterThan(60)
    for (let cut = 1; cut <= events.length; cut++) {
      const journal = cutJournal(summary, events.slice(0, cut))
      const asked: string[] = []
      const before = answers.size
      const { value: got, result } = await resumePlan(program, summary.runId, { journal, tools: tools(answers, asked, seed + cut), advancing: true })
      expect(got, `cut after ${cut}`).toEqual(expected)
      expect(answers.size, `a call had another key, cut after ${cut}`).toBe(before)
      expect(asked.length, `cut after ${cut}`).toBe(calls - finishedCalls(events.slice(0, cut)))
      if (result.kind === 'ran' && cut < events.length) {
        const again = [...journal.openRun(summary.runId)!.log.events()]
        expect(again.slice(0, cut)).toEqual(events.slice(0, cut))
        expect(again.filter(each => each.kind === 'run-finished')).toHaveLength(1)
      }
    }
  })

  test('cut, taken up, and cut again', async () => {
    const { summary, events, answers } = await fullRun(seed)
    for (let cut = 3; cut < events.length - 3; cut += 7) {
      const first = cutJournal(summary, events.slice(0, cut))
      await resumePlan(program, summary.runId, { journal: first, tools: tools(answers, [], seed), advancing: true })
      const longer = [...first.openRun(summary.runId)!.log.events()]
      const second = cutJournal(summary, longer.slice(0, cut + Math.floor((longer.length - cut) / 2)))
      const { value: got } = await resumePlan(program, summary.runId, { journal: second, tools: tools(answers, [], seed), advancing: true })
      expect(got).toEqual(expected)
    }
  })
})

test('a machine with less room takes up what a larger one began', async () => {
  const { summary, events, answers } = await fullRun(9)
  const small = { ...program, limits: { parallel: 1 } }
  for (let cut = 1; cut < events.length; cut += 3) {
    const journal = cutJournal(summary, events.slice(0, cut))
    const { value: got } = await resumePlan(small, summary.runId, { journal, tools: tools(answers, [], 9), advancing: true })
    expect(got).toEqual(expected)
  }
})

test('another program is refused', async () => {
  const { summary, events } = await fullRun(1)
  const journal = cutJournal(summary, events.slice(0, 5))
  expect((await resumePlan({ ...program, hash: 'other' }, summary.runId, { journal, tools: {} })).code).toBe('run/other-plan')
  expect((await resumePlan(program, 'nothing', { journal, tools: {} })).code).toBe('run/unknown-run')
})
