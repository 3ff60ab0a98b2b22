// The life of an agent within a run: paused, let go on, stopped, given up by its health; and what each end of a conversation is called.
import { describe, expect, test } from 'vitest'
import type { RunEvent } from '#model/event.ts'
import type { Plan, PlanAgent, PlanNode } from '#model/plan.ts'
import type { RunNotice } from '#model/report.ts'
import { MAX_FAILURES_IN_ROW } from '#interpreter/engine/agent-life.ts'
import { agentsShown } from '#interpreter/engine/agents-view.ts'
import type { State } from '#interpreter/engine/state.ts'
import { fits } from '#interpreter/fits.ts'
import { memoryJournal } from '#interpreter/journal/memory.ts'
import { reportOf } from '#interpreter/report.ts'
import { recordOf, stringType } from '#types/construct.ts'
import { list, local, node, plan, task, value, workflow } from './plan-builder.ts'
import { resumePlan, runPlan } from './run-plan.ts'
import { agent, byAgent, model, modelFails, reply, says, TalkWorld, type TalkWorldOptions, tool, uses } from './talk-world.ts'

const look = tool('look', recordOf({ at: stringType }))
const bodies = (a: Partial<PlanAgent> = {}): Partial<Plan> => ({ agents: ['a', 'b'], agentBodies: { a: agent(a), b: agent({ name: 'b' }) }, models: { m: model() } })
/** One after the other: two of `a`, one of `b`. */
const line = (more: Partial<PlanNode> = {}, a: Partial<PlanAgent> = {}): Plan => plan({
  main: workflow([task('t', byAgent(value('one')), more), task('u', byAgent(value('two')), { dependsOn: [0], ...more }), task('v', byAgent(value('three'), 'b'), { dependsOn: [1] })], list(node(0), node(1), node(2))),
}, bodies(a))
const run = (options: TalkWorldOptions): TalkWorld => new TalkWorld(options).run()
const steers = (does: 'pause' | 'resume' | 'stop', of = 'a'): RunEvent => ({ kind: 'agent-steered', atMs: 2, agent: of, does, by: 'ann' })
const shownOf = (state: State, of = 'a') => agentsShown(state).find(each => each.agent === of)!
const goOn = { onFailure: { kind: 'continue' } } as const

describe('paused', () => {
  test('nothing new is asked of it, and what is under way comes to its end; then it goes on', () => {
    const seen: unknown[] = []
    const world = run({
      plan: line({}, { tools: [look] }), model: (_, { path, turn }) => (path === 't' && turn === 1 ? uses(['look', { at: 'x' }]) : says(`${path} ${turn}`)),
      onEvent(event, state, each) {
        if (event.kind === 'model-asked' && event.task === 1 && event.turn === 1) each.later(steers('pause'))
        if (event.kind === 'call-finished') {
          seen.push(shownOf(state).state)
          each.later(steers('resume'))
        }
        if (event.kind === 'agent-steered' && event.does === 'resume') seen.push(shownOf(state).conversations.map(({ task: path, state: at, turns }) => [path, at, turns]), each.asked.slice())
      },
    })
    expect(seen).toEqual(['paused', [['t', 'paused', 1]], ['t 1 1']])
    expect(world.value).toEqual(['t 2', 'u 1', 'v 1'])
    expect(shownOf(world.state)).toMatchObject({ state: 'idle', health: 'good', open: 0, done: 2, failed: 0, turns: 3, tokens: 45, lastAnswer: 'u 1', conversations: [] })
  })

  test('it stays so when the process dies; others go on', () => {
    const both = plan({ main: workflow([task('t', byAgent(value('one'))), task('v', byAgent(value('two'), 'b'))], list(node(0), node(1))) }, bodies())
    const paused = run({ plan: both, model: (_, { path }) => says(path), onEvent: (event, _, each) => event.kind === 'run-started' && each.later(steers('pause')), killAfter: process => (process < 3 ? 3 : Infinity) })
    expect([paused.processes, paused.asked, shownOf(paused.state).state]).toEqual([4, ['v 1 1'], 'paused'])
    expect(paused.state.isFinished).toBe(false)
  })
})

describe('stopped', () => {
  test('its conversation is given up and its further tasks fail at once, with what their `on failure` says; others go on', () => {
    const world = run({ plan: line(goOn), model: (_, { path }) => (path === 't' ? null : says(path)), onEvent: (event, _, each) => event.kind === 'model-asked' && event.task === 1 && each.later(steers('stop')) })
    expect([world.value, world.asked]).toEqual([[null, null, 'v'], ['t 1 1', 'v 1 1']])
    expect(world.state.failures.get(1)).toMatchObject({ code: 'agent/stopped', task: 't', message: expect.stringContaining('ann'), retryable: false })
    expect(world.state.failures.get(2)?.code).toBe('agent/stopped')
    expect(shownOf(world.state)).toMatchObject({ state: 'stopped', done: 0 })
    expect(run({ plan: line(), model: () => null, onEvent: (event, _, each) => event.kind === 'model-asked' && each.later(steers('stop')) }).code).toBe('agent/stopped')
  })

  test.each([['in line', 1], ['at work', 100]])('it does not depend on the machine: %s', (_, parallel) => {
    const many = plan({ main: workflow([task('t', byAgent(value('one')), { forEach: { item: 'n', list: value([1, 2, 3, 4]), width: null }, ...goOn }), task('v', local('never'), { when: value(false), dependsOn: [0] })], node(0)) }, bodies())
    const world = run({ plan: many, parallel, model: () => null, onEvent: (event, __, each) => event.kind === 'model-asked' && each.later(steers('stop')) })
    expect([world.value, world.state.schedule.running, world.state.talks.size]).toEqual([[null, null, null, null], 0, 0])
    expect(world.state.counts.failed).toBe(4)
  })

  test('a task that waits before another attempt fails when its time comes', () => {
    const world = run({ plan: line({ retry: { count: 3, fromMs: 10, toMs: 10 }, ...goOn }), model: (_, { path }) => (path === 'v' ? says('v') : modelFails('overloaded', true)), onEvent: (event, _, each) => event.kind === 'model-answered' && event.task === 1 && each.later(steers('stop')) })
    expect([world.value, world.asked]).toEqual([[null, null, 'v'], ['t 1 1', 'v 1 1']])
  })

  test('for good, in this run: nothing fits it any more', () => {
    const world = run({ plan: line(goOn), model: (_, { path }) => says(path), onEvent: (event, _, each) => event.kind === 'model-asked' && event.task === 1 && each.later(steers('stop')) })
    const { state } = world
    state.isFinished = false
    expect(fits(state, { kind: 'steer', agent: 'a', does: 'resume', by: 'ann' })).toMatchObject({ code: 'run/agent-over' })
    expect(fits(state, { kind: 'steer', agent: 'b', does: 'pause', by: 'ann' })).toEqual({ task: 0 })
    expect(fits(state, { kind: 'steer', agent: 'c', does: 'pause', by: 'ann' })).toMatchObject({ code: 'run/unknown-agent' })
  })

  test('killed after any event, it comes to the same', () => {
    const options: TalkWorldOptions = { plan: line(goOn), model: (_, { path }) => (path === 't' ? null : says(path)) }
    const events = run({ ...options, onEvent: (event, _, each) => event.kind === 'model-asked' && event.task === 1 && each.later(steers('stop')) }).events
    for (let at = 1; at < events.length; at++) {
      const world = new TalkWorld({ ...options, onEvent: (event, _, each) => event.kind === 'model-asked' && event.task === 1 && each.later(steers('stop')), killAfter: process => (process === 0 ? at : Infinity) }).run()
      expect(world.value).toEqual([null, null, 'v'])
    }
  })
})

describe('health', () => {
  const many = (count: number, a: Partial<PlanAgent> = {}): Plan => plan({ main: workflow([task('t', byAgent(value('one')), { forEach: { item: 'n', list: value(Array.from({ length: count }, (_, at) => at)), width: value(1) }, ...goOn })], node(0)) }, bodies(a))

  test('an agent whose model fails conversation after conversation is given up; its further tasks fail at once and say why', () => {
    const world = run({ plan: many(MAX_FAILURES_IN_ROW + 5), model: () => modelFails('no-key', false) })
    expect(world.asked).toHaveLength(MAX_FAILURES_IN_ROW)
    const codes = [...world.state.failures.values()].map(each => each.code)
    expect(codes.filter(each => each === 'model/no-key')).toHaveLength(MAX_FAILURES_IN_ROW)
    expect([...world.state.failures.values()].find(each => each.code === 'agent/given-up')?.message).toMatch(/10 conversations in a row.*model\/no-key/)
    expect(shownOf(world.state)).toMatchObject({ state: 'given-up', health: 'given-up', failuresInRow: MAX_FAILURES_IN_ROW, lastFailure: { code: 'model/no-key' } })
  })

  test('`limits { failures }` of an agent says how often is too often; those under way are given up with it', () => {
    expect(run({ plan: many(9, { limits: { failures: 2 } }), model: () => modelFails('no-key', false) }).asked).toHaveLength(2)
    const side = plan({ main: workflow([task('t', byAgent(value('one')), goOn), task('u', byAgent(value('two')), goOn)], list(node(0), node(1))) }, bodies({ limits: { failures: 1 } }))
    const world = run({ plan: side, model: (_, { path }) => (path === 't' ? null : modelFails('no-key', false)) })
    expect([...world.state.failures].map(([id, { code }]) => [id, code]).sort()).toEqual([[1, 'agent/given-up'], [2, 'model/no-key']])
  })

  test('a conversation that ends in any other way says that the model is well; wrong answers do not count', () => {
    const world = run({ plan: many(30, { limits: { failures: 2, turns: 1 } }), model: (_, { path }) => (/[02468]\]$/.test(path) ? modelFails('overloaded', true) : /[15]\]$/.test(path) ? reply([], 'refusal') : says('x')) })
    expect([world.asked.length, shownOf(world.state).health]).toEqual([30, 'good'])
  })

  test('`retry` backs off between attempts, and ends when the agent is given up', () => {
    const world = run({ plan: line({ retry: { count: 9, fromMs: 10, toMs: 10 }, ...goOn }, { limits: { failures: 3 } }), model: (_, { path }) => (path === 'v' ? says('v') : modelFails('overloaded', true)) })
    expect([world.value, world.asked]).toEqual([[null, null, 'v'], ['t 1 1', 't 2 1', 't 3 1', 'v 1 1']])
    expect(world.state.failures.get(1)).toMatchObject({ code: 'agent/given-up' })
  })
})

describe('the world around it', () => {
  const given = (...replies: string[]) => [{ agent: 'a', replies: value(replies) }, { agent: 'b', replies: value(['b']) }]

  test('a request reaches the run by the mailbox, is recorded, audited and told', async () => {
    const journal = memoryJournal()
    const notices: RunNotice[] = []
    const put = { ...journal, startRun: (...all: Parameters<typeof journal.startRun>) => {
      const log = journal.startRun(...all)
      journal.mailbox.put(all[0].runId, { kind: 'steer', agent: 'a', does: 'stop', by: 'ann' }, 1)
      return log
    } }
    const { value: got, result } = await runPlan(line(goOn), { journal: put, settings: { given: given('one', 'two'), onNotice: notice => void notices.push(notice), waitsLive: false } })
    const runId = result.kind === 'ran' ? result.summary.runId : ''
    expect(got).toEqual([null, null, 'b'])
    const events = [...journal.openRun(runId)!.log.events()]
    expect(events.filter(each => each.kind === 'agent-steered')).toMatchObject([{ agent: 'a', does: 'stop', by: 'ann' }])
    expect(notices.filter(each => each.kind === 'agent')).toEqual([{ kind: 'agent', agent: 'a', change: 'stopped', failure: null }])
    expect(journal.mailbox.pending(runId)).toEqual([])
    expect(journal.audit.rows(0, 100).map(each => each.body).join()).toContain('"steered","","agent a","ann","stopped"')
  })

  test('a given-up agent is told with why', async () => {
    const notices: RunNotice[] = []
    const failing = [{ agent: 'a', replies: value([{ fails: 'quota' }]) }, { agent: 'b', replies: value(['b']) }]
    await runPlan(line(goOn, { limits: { failures: 1 } }), { settings: { given: failing, onNotice: notice => void notices.push(notice) } })
    expect(notices.filter(each => each.kind === 'agent')).toMatchObject([{ agent: 'a', change: 'given-up', failure: { code: 'model/quota' } }])
  })

  test('a paused agent of a run that nobody drives is paused when somebody goes on with it', async () => {
    const journal = memoryJournal()
    const asking = plan({ main: workflow([task('ask', value(1), { approve: value('Go?') }), task('t', byAgent(value('one')), { dependsOn: [0], ...goOn })], node(1)) }, bodies())
    const { result } = await runPlan(asking, { journal, settings: { given: given('one') } })
    const runId = result.kind === 'ran' ? result.summary.runId : ''
    journal.mailbox.put(runId, { kind: 'steer', agent: 'a', does: 'stop', by: 'ann' }, 5)
    journal.mailbox.put(runId, { kind: 'answer', task: 'ask', verdict: 'approved', by: 'ann' }, 6)
    expect((await resumePlan(asking, runId, { journal, settings: { given: given('one') } })).value).toBe(null)
    expect(reportOf(asking, journal.openRun(runId)!.summary, journal.openRun(runId)!.log.events()).tasks.find(each => each.path === 't')?.outcome).toMatchObject({ failure: { code: 'agent/stopped' } })
  })
})

test('each end of a conversation has a code of its own', () => {
  const ends = (of: Partial<PlanAgent>, answers: TalkWorldOptions['model'], more: Partial<PlanNode> = {}): string | null => run({ plan: line(more, { tools: [look], ...of }), model: answers, tool: (_, __, { call }) => ({ kind: 'value', value: of.limits?.['turns'] === undefined ? 1 : call }) }).code
  const looking: TalkWorldOptions['model'] = (_, { turn }) => reply([{ kind: 'tool-use', id: `u${turn}`, name: 'look', input: { at: 'x' } }], 'tool-use', { input: 4_000 })
  expect(ends({}, (_, { path }) => says(path))).toBe(null)
  expect(ends({ limits: { turns: 2 } }, looking)).toBe('agent/turns-used-up')
  expect(ends({ limits: { tokens: 20_000, turns: 50 } }, looking)).toBe('agent/tokens-used-up')
  expect(ends({}, looking)).toBe('agent/repeats-itself')
  expect(ends({}, () => reply([], 'refusal'))).toBe('agent/refused')
  expect(ends({}, () => reply([], 'max-tokens'))).toBe('agent/answer-cut-off')
  expect(ends({}, () => reply([], 'context-full'))).toBe('agent/context-full')
  expect(ends({}, () => says('x'), { ensure: [{ condition: value(false), says: value('never') }] })).toBe('agent/objective-missed')
  const priced = plan({ main: workflow([task('t', byAgent(value('one')))], node(0)) }, { agents: ['a'], agentBodies: { a: agent({ tools: [look], limits: { costMicros: 200_000, turns: 50 } }) }, models: { m: model({ price: { inputMicros: 3_000_000, outputMicros: 15_000_000 }, answerTokens: 1_000 }) } })
  expect(run({ plan: priced, model: looking, tool: (_, __, { call }) => ({ kind: 'value', value: call }) }).code).toBe('agent/cost-used-up')
})
