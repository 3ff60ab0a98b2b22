// What the record of a run with agents tells afterwards: its report, the evidence, a replay, a fork, a migrated run, the cache.
import { describe, expect, test } from 'vitest'
import { gatherEvidence, reportedTasks, withEvidence } from '#interpreter/evidence.ts'
import { forkRun } from '#interpreter/fork.ts'
import { memoryJournal } from '#interpreter/journal/memory.ts'
import type { Journal } from '#interpreter/journal/journal.ts'
import { migrateRun } from '#interpreter/migrate.ts'
import { replayRun } from '#interpreter/replay.ts'
import { reportOf } from '#interpreter/report.ts'
import { runLog } from '#interpreter/run-log.ts'
import type { RunEvent } from '#model/event.ts'
import type { Plan, PlanAgent, PlanModel, PlanNode, PlanValue } from '#model/plan.ts'
import type { RunSummary } from '#model/report.ts'
import type { Value } from '#model/type.ts'
import { memoryHost } from '#testing/memory-host.ts'
import { recordOf, stringType } from '#types/construct.ts'
import { whyTask } from '#interpreter/why.ts'
import { call, list, node, plan, task, value, workflow } from './plan-builder.ts'
import { resumePlan, runnerOf, runPlan, type Tool } from './run-plan.ts'
import { agent, byAgent, model, tool } from './talk-world.ts'

const look = tool('look', recordOf({ at: stringType }))
const planOf = (of: Partial<PlanAgent> = {}, more: Partial<PlanNode> = {}, of2: Partial<PlanModel> = {}): Plan =>
  plan(
    { main: workflow([task('t', byAgent(value('Look.')), { type: stringType, ...more }), task('after', node(0), { dependsOn: [0] })], list(node(0), node(1))) },
    { agents: ['a'], agentBodies: { a: agent({ tools: [look], ...of }) }, models: { m: model({ price: { inputMicros: 1_000_000, outputMicros: 1_000_000 }, ...of2 }) } },
  )
const looks = { tool: 'look', args: { at: 'x' } }
const given = (...replies: PlanValue[]) => [{ agent: 'a', replies: value(replies) }]

let drawn = 0
/** Hosts of their own, so that runs in one journal have ids of their own. */
const newHost = (): ReturnType<typeof memoryHost> => Object.assign(memoryHost(), { randomHex: () => `run${drawn++}` })

interface Ran {
  readonly journal: Journal
  readonly summary: RunSummary
  readonly events: readonly RunEvent[]
  readonly calls: string[]
}

async function ran(of: Plan, replies: readonly PlanValue[], more: { journal?: Journal; tool?: Tool; more?: Record<string, Tool> } = {}): Promise<Ran> {
  const journal = more.journal ?? memoryJournal()
  const calls: string[] = []
  const tools = { look: (args: Readonly<Record<string, Value>>, context: Parameters<Tool>[1]) => {
    calls.push(context.idempotencyKey)
    return (more.tool ?? (() => 'seen'))(args, context)
  }, ...more.more }
  const { result } = await runPlan(of, { journal, tools, host: newHost(), settings: { given: given(...replies) } })
  if (result.kind === 'refused') throw new Error(result.diagnostics[0]!.message)
  return { journal, summary: result.summary, events: [...journal.openRun(result.summary.runId)!.log.events()], calls }
}

const capacity = { parallel: Infinity, cpu: 2, memoryBytes: 4_000_000_000 }
const replayed = async ({ journal, summary }: Ran, events?: readonly RunEvent[]): Promise<Awaited<ReturnType<typeof replayRun>>> => {
  const opened = journal.openRun(summary.runId)!
  const from = events === undefined ? opened : { ...opened, log: { ...opened.log, events: () => events } }
  return replayRun(from, { toolRunner: runnerOf({}), capacity, pool: () => { throw new Error('nothing here is heavy') } })
}

describe('told afterwards', () => {
  test('turns, tokens and cost, of the task and of the run', async () => {
    const { summary, journal, events } = await ran(planOf(), [looks, 'done'])
    expect(summary.outcome).toEqual({ kind: 'value', value: ['done', 'done'] })
    const { usage } = summary
    expect(usage!.tokens).toBeGreaterThan(10)
    expect(usage!.costMicros).toBe(usage!.tokens) // a dollar for a million of either kind
    const opened = journal.openRun(summary.runId)!
    const report = reportOf(opened.plan, opened.summary, events)
    expect(report.tasks.map(each => [each.path, each.usage])).toEqual([['t', { turns: 2, ...usage }], ['after', undefined]])
    expect(report.summary.usage).toEqual(usage)
  })

  test('each attempt with its time and outcome, each call with the key that its tool saw', async () => {
    const { events, journal, summary, calls } = await ran(planOf({}, { retry: { count: 2, fromMs: 0, toMs: 0 } }), [looks, { fails: 'overloaded' }, looks, 'done'])
    const { plan: of } = journal.openRun(summary.runId)!
    const evidence = gatherEvidence(of, events, () => true)
    expect(evidence.spans.get(1)?.map(({ kind, attempt, code }) => [kind, attempt, code])).toEqual([['work', 1, 'model/overloaded'], ['work', 2, undefined]])
    const details = evidence.details.get(1)!
    expect(details.outcomes).toMatchObject([{ attempt: 1, outcome: { failure: { code: 'model/overloaded' } } }, { attempt: 2, outcome: { kind: 'value', value: 'done' } }])
    expect(details.calls.map(({ attempt, call, idempotencyKey }) => [attempt, call, idempotencyKey])).toEqual([[1, 0, calls[0]], [2, 0, calls[1]]])
    expect(reportedTasks(evidence.state)).toEqual([1, 2])
    expect(runLog(of, events, [], { limit: 9 }).lines).toMatchObject([{ level: 'warn', task: 't', attempt: 1, code: 'model/overloaded', message: expect.stringMatching(/^attempt 1 failed, and is made again: model\/overloaded/) }])
    expect(withEvidence(reportOf(of, summary, events), evidence).tasks[0]).toMatchObject({ attempts: 2, usage: { turns: 3 }, spans: [{ attempt: 1 }, { attempt: 2 }] })
  })
})

describe('a prompt that calls a function', () => {
  test('its calls are the part\'s own, apart from those of the conversation, in evidence and replay', async () => {
    const run = await ran(planOf({}, { body: byAgent(call('shout', { text: value('look') }, { effect: 'pure' })) }), [looks, 'done'], { more: { shout: args => String(args['text']).toUpperCase() } })
    expect(run.summary.outcome).toEqual({ kind: 'value', value: ['done', 'done'] })
    expect(run.events.filter(each => each.kind === 'call-started').map(each => [each.name, each.call])).toEqual([['test.shout', 0], ['test.look', 0]])
    const { calls } = gatherEvidence(run.journal.openRun(run.summary.runId)!.plan, run.events, () => true).details.get(1)!
    expect(calls.map(each => [each.part, each.name])).toEqual([['prompt', 'test.shout'], ['body', 'test.look']])
    expect(await replayed(run)).toMatchObject({ difference: null })
  })
})

describe('replayed', () => {
  test('the same values without a model and without a tool', async () => {
    const run = await ran(planOf(), [looks, looks, 'done'], { tool: (() => { let count = 0; return () => ++count })() })
    const found = await replayed(run)
    expect(found).toMatchObject({ difference: null, calls: 5 }) // three answers, two calls
  })

  test('a changed reply is found: another value, a turn or a call that is not there', async () => {
    const run = await ran(planOf(), [looks, 'done'])
    const { events } = run
    const answers = events.flatMap((event, at) => (event.kind === 'model-answered' ? [at] : []))
    const withReply = (at: number, text: string): RunEvent[] => {
      const event = events[at] as Extract<RunEvent, { kind: 'model-answered' }>
      if (event.outcome.kind !== 'reply') throw new Error('no reply')
      return events.with(at, { ...event, outcome: { ...event.outcome, reply: { ...event.outcome.reply, stop: 'done', content: [{ kind: 'text', text }] } } })
    }
    expect(await replayed(run, withReply(answers[1]!, 'other'))).toMatchObject({ difference: { task: 'after', replayed: { value: 'other' } } })
    expect(await replayed(run, withReply(answers[0]!, 'sooner'))).toMatchObject({ difference: { replayed: { value: 'sooner' } } })
    expect(await replayed(run, events.filter((_, at) => at !== answers[0]))).toMatchObject({ difference: { task: 't', words: expect.stringContaining('Call 0') } })
    expect(await replayed(run, events.map(each => (each.kind === 'call-started' ? { ...each, name: 'test.other' } : each)))).toMatchObject({ difference: { words: 'The agent calls `test.look` where `test.other` was recorded.' } })
    expect(await replayed(run, events.map(each => (each.kind === 'model-asked' && each.turn === 2 ? { ...each, turn: 3 } : each)))).toMatchObject({ difference: { words: expect.stringContaining('Turn 3') } })
  })
})

describe('taken over', () => {
  test('a fork from a later task keeps what the agent came to, and pays nothing', async () => {
    const { journal, summary } = await ran(planOf(), [looks, 'done'])
    const forked = forkRun(journal, newHost(), summary.runId, 'after')
    if (forked === null || 'severity' in forked) throw new Error('not forked')
    const { result, value: came } = await resumePlan(planOf(), forked.runId, { journal, settings: { given: given() } })
    expect(came).toEqual(['done', 'done'])
    expect(result.kind === 'ran' && result.summary.usage).toBeUndefined()
  })

  test('a fork from the task itself asks again, with keys of its own', async () => {
    const first = await ran(planOf(), [looks, 'done'])
    const forked = forkRun(first.journal, newHost(), first.summary.runId, 't')
    if (forked === null || 'severity' in forked) throw new Error('not forked')
    const keys: string[] = []
    const { value: came } = await resumePlan(planOf(), forked.runId, { journal: first.journal, tools: { look: (_, context) => { keys.push(context.idempotencyKey); return 1 } }, settings: { given: given(looks, 'other') } })
    expect(came).toEqual(['other', 'other'])
    expect(keys[0]).not.toBe(first.calls[0])
  })

  test.each([
    ['role', planOf({ role: value('Be kind.') }), 'again'], ['model', planOf({}, {}, { model: 'test-2' }), 'again'], ['a tool', planOf({ tools: [{ ...look, doc: 'Looks well.' }] }), 'again'],
    ['a fallback', { ...planOf(), models: { m: { ...planOf().models!['m']!, fallback: 'n' }, n: model() } }, 'again'], ['nothing', planOf(), 'kept'],
  ])('a run that goes on with a program in which %s changed', async (_, later, outcome) => {
    const { events, summary } = await ran(planOf(), [looks, 'done'])
    const journal = memoryJournal()
    journal.startRun({ ...summary, status: 'running', outcome: null }, planOf(), { events: events.slice(0, events.findLastIndex(each => each.kind === 'model-answered') + 1) })
    const made = migrateRun(journal, newHost(), summary.runId, { plan: { ...later, hash: 'later' }, constants: new Map(), pure: () => null, isDry: true, mayWriteAgain: [] })
    expect(made).toMatchObject(outcome === 'kept' ? { kept: 1, again: 0 } : { kept: 0, again: 1 })
  })

  test('a conversation under way is taken over with its turns; a call under way keeps its key', async () => {
    const { events, summary, calls } = await ran(planOf(), [looks, 'done'])
    const journal = memoryJournal()
    journal.startRun({ ...summary, status: 'running', outcome: null }, planOf(), { events: events.slice(0, events.findIndex(each => each.kind === 'call-started') + 1) })
    const later = { ...planOf({}, {}), hash: 'later' }
    const made = migrateRun(journal, newHost(), summary.runId, { plan: later, constants: new Map(), pure: () => null, isDry: false, mayWriteAgain: [] })
    if (made === null || 'severity' in made || made.runId === null) throw new Error('not migrated')
    const keys: string[] = []
    const { value: came } = await resumePlan(later, made.runId, { journal, tools: { look: (_, context) => { keys.push(context.idempotencyKey); return 'seen' } }, settings: { given: given('only this turn') } })
    expect(came).toEqual(['only this turn', 'only this turn'])
    expect(keys).toEqual(calls)
  })
})

test('a kept answer is not asked for again, until the agent, its model or its tools change; and why is told', async () => {
  const journal = memoryJournal()
  const cached = { cache: { ageMs: null, by: null } }
  await ran(planOf({}, cached), ['first'], { journal })
  expect((await ran(planOf({}, cached), [], { journal })).summary.outcome).toEqual({ kind: 'value', value: ['first', 'first'] })
  for (const [later, words] of [
    [planOf({ role: value('Be kind.') }, cached), 'The agent `a` changed.'], [planOf({}, cached, { model: 'test-2' }), 'The model `m` changed.'], [planOf({ tools: [] }, cached), 'The agent `a` changed.'],
  ] as const) {
    const { summary } = await ran(later, ['second'], { journal })
    expect(summary.outcome).toEqual({ kind: 'value', value: ['second', 'second'] })
    const why = whyTask(journal, summary.runId, 't')
    expect(why !== null && 'answers' in why ? why.answers[0]!.words : []).toContain(words)
    await ran(planOf({}, cached), [], { journal })
  }
})
