// What must hold of a value: the agent mends it, other tasks fail; its place among the clauses, its calls, its record.
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { noUsage, type ChatRequest } from '#model/chat.ts'
import type { RunEvent } from '#model/event.ts'
import type { Plan, PlanAgent, PlanExpr, PlanGrant, PlanNode, PlanWorkflow } from '#model/plan.ts'
import type { Value } from '#model/type.ts'
import type { ModelProvider } from '#plugin-api/model-provider.ts'
import { forkRun } from '#interpreter/fork.ts'
import { memoryJournal } from '#interpreter/journal/memory.ts'
import type { Journal } from '#interpreter/journal/journal.ts'
import { replayRun } from '#interpreter/replay.ts'
import { memoryHost } from '#testing/memory-host.ts'
import { intType, recordOf, stringType } from '#types/construct.ts'
import { binary, call, list, local, node, plan, prelude, sub, task, value, workflow } from './plan-builder.ts'
import { resumePlan, runnerOf, runPlan, type Tool } from './run-plan.ts'
import { agent, byAgent, model, says, TalkWorld, type TalkWorldOptions, tool, uses } from './talk-world.ts'

const answer = local('answer')
const is = (wanted: string, text = `it is ${wanted}`): NonNullable<PlanNode['ensure']>[number] => ({ condition: binary('==', answer, value(wanted)), says: value(text) })
const longer = (than: number): NonNullable<PlanNode['ensure']>[number] => ({ condition: binary('>', prelude('len', answer), value(than)), says: value(`it has more than ${than} letters`) })
const planOf = (more: Partial<PlanNode>, of: Partial<PlanAgent> = {}): Plan =>
  plan({ main: workflow([task('t', byAgent(value('Say it.')), { type: stringType, ...more })], node(0)) }, { agents: ['a'], agentBodies: { a: agent(of) }, models: { m: model() } })
const run = (options: TalkWorldOptions): TalkWorld => new TalkWorld(options).run()
const kinds = (events: readonly RunEvent[]): string[] => events.map(each => (each.kind === 'evaluated' ? `evaluated ${each.part}` : each.kind))

describe('an agent', () => {
  test('is told what does not hold, and mends it', () => {
    const told: string[] = []
    const world = run({
      plan: planOf({ ensure: [is('four')] }),
      model: ({ request }, { turn }) => (told.push(JSON.stringify(request.messages.at(-1)!.content)), says(turn === 1 ? 'five' : 'four')),
    })
    expect(world.value).toBe('four')
    expect(told[1]).toContain('This does not hold: it is four')
    expect(kinds(world.events).slice(4)).toEqual(['model-asked', 'model-answered', 'evaluated ensure', 'model-asked', 'model-answered', 'evaluated ensure', 'evaluated returns', 'run-finished'])
    expect([world.state.ensuring.size, world.state.talks.size, world.state.schedule.running]).toEqual([0, 0, 0])
  })

  test('fails with what does not hold and its answer, once it has mended as often as it may; answers of the wrong type count too', () => {
    const world = run({ plan: planOf({ ensure: [is('four')] }), model: (_, { turn }) => says(`no ${turn}`) })
    expect(world.outcome).toMatchObject({ failure: { code: 'agent/objective-missed', task: 't', retryable: true, message: expect.stringMatching(/after 2 repairs: it is four/), details: 'no 3' } })
    expect(world.asked).toHaveLength(3)
    const typed = run({ plan: planOf({ type: intType, ensure: [{ condition: binary('>', answer, value(3)), says: value('it is more than 3') }] }), model: (_, { turn }) => says(turn === 1 ? 'dunno' : `{"value":${turn}}`) })
    expect([typed.value, typed.code, typed.asked.length]).toEqual([undefined, 'agent/objective-missed', 3])
  })

  test('conditions are looked at in order, up to the first that does not hold', () => {
    const told: string[] = []
    run({ plan: planOf({ ensure: [longer(2), is('four')] }), model: ({ request }, { turn }) => (told.push(JSON.stringify(request.messages.at(-1)!.content)), says(['no', 'five', 'four'][turn - 1]!)) })
    expect(told.slice(1).map(each => /hold: ([^\\]*)/.exec(each)?.[1])).toEqual(['it has more than 2 letters', 'it is four'])
  })

  test('with no turn left it is not asked again', () => {
    const world = run({ plan: planOf({ ensure: [is('four')] }, { limits: { turns: 1 } }), model: () => says('five') })
    expect(world.outcome).toMatchObject({ failure: { code: 'agent/objective-missed', message: expect.stringContaining('no turn left') } })
    expect(world.asked).toHaveLength(1)
  })

  test('`retry` begins a new conversation; `verify` compares only what holds; `on failure` applies', () => {
    const again = run({ plan: planOf({ ensure: [is('four')], retry: { count: 1, fromMs: 0, toMs: 0 } }), model: (_, { attempt }) => says(attempt === 2 ? 'four' : 'five') })
    expect([again.value, again.asked.length]).toEqual(['four', 4])
    const voted = run({ plan: planOf({ ensure: [longer(3)], verify: { runs: 2, agree: 2, upTo: null, key: null } }), model: (_, { turn }) => says(turn === 1 ? 'no' : 'yes, it is') })
    expect([voted.value, voted.asked.length]).toEqual(['yes, it is', 4])
    expect(run({ plan: planOf({ ensure: [is('four')], onFailure: { kind: 'use', value: value('none') } }), model: () => says('five') }).value).toBe('none')
  })

  test('only what was wanted is remembered', () => {
    const two = plan(
      { main: workflow([task('t', byAgent(value('one')), { ensure: [is('four')] }), task('u', byAgent(value('two')), { dependsOn: [0] })], node(1)) },
      { agents: ['a'], agentBodies: { a: agent({ memory: { kind: 'run' } }) }, models: { m: model() } },
    )
    expect(run({ plan: two, model: ({ request }, { path, turn }) => says(path === 't' ? (turn === 1 ? 'five' : 'four') : request.messages.map(each => JSON.stringify(each.content[0])).join()) }).value).toMatch(/one.*four.*two/)
  })

  test('killed after any event it comes to the same, and no recorded turn is asked again', () => {
    const options: TalkWorldOptions = {
      plan: planOf({ ensure: [is('four')] }, { tools: [tool('look', recordOf({ at: stringType }))] }),
      model: (_, { turn }) => (turn === 2 ? uses(['look', { at: 'x' }]) : says(turn === 1 ? 'five' : 'four')), tool: () => ({ kind: 'value', value: 1 }),
    }
    const whole = run(options)
    for (let at = 1; at < whole.events.length; at++) {
      const killed = run({ ...options, killAfter: process => (process === 0 ? at : Infinity) })
      expect([killed.value, killed.state.spent.get(1)]).toEqual([whole.value, whole.state.spent.get(1)])
    }
  })
})

describe('any task', () => {
  const grant = (name: string, ...args: string[]): PlanGrant => ({ name, args: args.map(value), implies: [] })
  const calls = (fn: string): PlanExpr => call(fn, {}, { effect: 'read' })
  const main = (nodes: PlanNode[], more: Partial<PlanWorkflow> = {}): Plan => plan({ main: workflow(nodes, node(nodes.length - 1), more) })

  test('that does not come to what was wanted fails, with its value; `retry` may mend it', async () => {
    const of = (more: Partial<PlanNode> = {}): Plan => main([task('t', calls('next'), { ensure: [{ condition: binary('>', answer, value(2)), says: { op: 'template', parts: ['more than 2, not ', answer] } }], ...more })])
    let count = 0
    const { code, result } = await runPlan(of(), { tools: { next: () => ++count } })
    expect(code).toBe('run/not-ensured')
    expect(result).toMatchObject({ summary: { outcome: { failure: { task: 't', message: expect.stringContaining('more than 2, not 1'), details: '1', retryable: true } } } })
    expect((await runPlan(of({ retry: { count: 5, fromMs: 0, toMs: 0 } }), { tools: { next: () => ++count } })).value).toBe(3)
  })

  test('each item of a `for` is looked at; a workflow by its result; `mustCheck` comes before', async () => {
    const items = main([task('t', local('n'), { forEach: { item: 'n', list: value([1, 2, 3]), width: null }, ensure: [{ condition: binary('<', answer, binary('+', local('n'), value(1))), says: value('below the next') }, { condition: binary('>', local('n'), value(1)), says: value('beyond 1') }], onFailure: { kind: 'continue' } })])
    expect((await runPlan(items)).value).toEqual([null, 2, 3])
    const inner = (given: number): Plan => plan({ main: workflow([task('t', sub('inner'), { ensure: [{ condition: binary('==', answer, value(2)), says: value('it is 2') }] })], node(0)), inner: workflow([], value(given)) })
    expect([(await runPlan(inner(2))).value, (await runPlan(inner(3))).code]).toEqual([2, 'run/not-ensured'])
    const typed = main([task('t', value('x'), { type: intType, mustCheck: true, ensure: [{ condition: binary('>', answer, value(2)), says: value('no') }] })])
    expect((await runPlan(typed)).code).toBe('run/wrong-type')
  })

  test('a condition that fails, fails the attempt with its own code', async () => {
    expect((await runPlan(main([task('t', value(1), { ensure: [{ condition: value(3), says: value('no') }] })]))).code).toBe('run/wrong-kind')
    expect((await runPlan(main([task('t', value(1), { ensure: [{ condition: calls('fails'), says: value('no') }] })]), { tools: { fails: () => { throw Object.assign(new Error('no'), { code: 'test/broken' }) } } })).code).toBe('test/broken')
  })

  test('it is looked at before a result is kept, and not again when it is found', async () => {
    const journal = memoryJournal()
    const of = (): Plan => main([task('t', calls('next'), { cache: { ageMs: null, by: value('k') }, ensure: [{ condition: binary('==', answer, calls('wanted')), says: value('as wanted') }] })])
    let next = 0
    let looked = 0
    const tools = { next: () => ++next, wanted: () => (looked++, 2) }
    const settings = (): { journal: Journal; tools: typeof tools; host: ReturnType<typeof memoryHost> } => ({ journal, tools, host: Object.assign(memoryHost(), { randomHex: () => `r${next}${looked}` }) })
    expect((await runPlan(of(), settings())).code).toBe('run/not-ensured')
    expect((await runPlan(of(), settings())).value).toBe(2)
    expect([(await runPlan(of(), settings())).value, next, looked]).toEqual([2, 2, 2])
  })

  /** An agent that answers with how many messages it was shown; looking at its answer calls a tool. */
  describe('with calls', () => {
    const provider: ModelProvider = {
      doc: '', options: z.object({}),
      open: () => ({ abilities: { images: false, tools: true, schemas: false, contextTokens: null }, hosts: [], ask: async (request: ChatRequest) => replyTo(request) }),
    }
    const replyTo = ({ messages }: ChatRequest) => {
      const looks = messages.length === 3
      return {
        content: looks ? [{ kind: 'tool-use' as const, id: 'c', name: 'look', input: {} }] : [{ kind: 'text' as const, text: String(messages.length) }],
        stop: looks ? ('tool-use' as const) : ('done' as const), usage: { ...noUsage, input: 10, output: 5 }, model: 'test',
      }
    }
    const of = (): Plan => plan(
      { main: workflow([
        task('t', byAgent(value('Say it.')), { type: stringType, ensure: [{ condition: call('judge', { it: answer }), says: value('the judge says yes') }] }),
        task('u', call('write', { it: node(0) }), { dependsOn: [0], ensure: [{ condition: call('judge', { it: value('9') }), says: value('never') }] }),
      ], list(node(0), node(1)), { authority: [grant('llm', 'm'), grant('x')] }) },
      { agents: ['a'], agentBodies: { a: agent({ authority: [grant('llm', 'm')], tools: [tool('look', recordOf({}), { fn: 'look' })] }) }, models: { m: model({ provider: 'test' }) } },
    )
    interface World { readonly judged: string[]; readonly tools: Record<string, Tool>; readonly levels: Set<string> }
    const world = (): World => {
      const judged: string[] = []
      const note = (name: string, context: Parameters<Tool>[1]): void => void judged.push(`${name} ${context.idempotencyKey}`)
      return {
        judged, levels: new Set(),
        tools: {
          judge: ({ it }, context) => (note(`judge ${String(it)}`, context), Number(it) > 4),
          look: (_, context) => (note('look', context), 'seen'), write: (_, context) => (note('write', context), 'written'),
        },
      }
    }
    const settings = { modelProvider: async () => provider }

    test('they are recorded as those of a body, with keys of their own', async () => {
      const { judged, tools } = world()
      const journal = memoryJournal()
      const { value: got, result } = await runPlan(of(), { tools, journal, settings })
      expect(got).toEqual(['5', 'written'])
      expect(judged.map(each => each.split(' ').slice(0, -1).join(' '))).toEqual(['judge 1', 'look', 'judge 5', 'write', 'judge 9'])
      expect(new Set(judged.map(each => each.split(' ').at(-1))).size).toBe(5)
      const runId = result.kind === 'ran' ? result.summary.runId : ''
      const opened = journal.openRun(runId)!
      const numbers = [...opened.log.events()].flatMap(each => (each.kind === 'call-started' ? [`${each.task} ${each.call} ${each.name}`] : []))
      expect(numbers).toEqual(['1 0 test.judge', '1 0 test.look', '1 1 test.judge', '2 0 test.write', '2 0 test.judge'])
      expect(await replayRun(opened, { toolRunner: runnerOf({}), capacity: { parallel: Infinity, cpu: 2, memoryBytes: 4e9 }, pool: () => { throw new Error('heavy') } })).toMatchObject({ difference: null })
    })

    test('killed after any event it comes to the same, and what was recorded is not called again', async () => {
      const whole = world()
      const first = memoryJournal()
      const { result } = await runPlan(of(), { tools: whole.tools, journal: first, settings })
      if (result.kind === 'refused') throw new Error('refused')
      const { summary } = result
      const events = [...first.openRun(summary.runId)!.log.events()]
      for (let at = 1; at < events.length; at++) {
        const again = world()
        const journal = memoryJournal()
        journal.startRun({ ...summary, status: 'stopped', outcome: null }, of(), { events: events.slice(0, at) })
        const { value: got } = await resumePlan(of(), summary.runId, { tools: again.tools, journal, settings })
        expect(got, `killed after ${at}`).toEqual(['5', 'written'])
        expect(whole.judged.slice(-again.judged.length || whole.judged.length), `killed after ${at}`).toEqual(again.judged)
      }
    })

    test('a fork takes over what was looked at, and looks again at what begins again', async () => {
      const journal = memoryJournal()
      const { result } = await runPlan(of(), { tools: world().tools, journal, settings })
      const runId = result.kind === 'ran' ? result.summary.runId : ''
      const forked = forkRun(journal, { now: () => 5, randomHex: () => 'forked' }, runId, 'u')
      if (forked === null || !('runId' in forked)) throw new Error('no fork')
      const again = world()
      expect((await resumePlan(of(), 'forked', { tools: again.tools, journal, settings })).value).toEqual(['5', 'written'])
      expect(again.judged.map(each => each.split(' ').slice(0, -1).join(' '))).toEqual(['write', 'judge 9'])
    })

    test('the levels of the agent do not hold for them: it is the workflow that asks', async () => {
      const needy = call('judge', { it: answer }, { needs: [{ grant: 'x', args: [] }] })
      const guarded = plan(
        { main: workflow([task('t', byAgent(value('Say it.')), { type: stringType, ensure: [{ condition: needy, says: value('yes') }] })], node(0), { authority: [grant('llm', 'm'), grant('x')] }) },
        { agents: ['a'], agentBodies: { a: agent({ authority: [grant('llm', 'm')], tools: [tool('look', recordOf({}), { fn: 'look' })] }) }, models: { m: model({ provider: 'test' }) } },
      )
      expect((await runPlan(guarded, { tools: world().tools, settings })).value).toBe('5')
    })

    test('they count against `limits { calls }` of the workflow', async () => {
      const limited = { ...of(), limits: { calls: 2 } }
      const { tools, judged } = world()
      const { code } = await runPlan(limited, { tools, settings })
      expect([code, judged.length]).toEqual(['run/limit-reached', 2])
    })
  })
})

test('a timeout counts while it is looked at, and takes it back', async () => {
  const of = plan({ main: workflow([task('t', value(1), { timeoutMs: 1_000, ensure: [{ condition: call('slow', {}, { effect: 'read' }), says: value('x') }] })], node(0)) })
  const slow: Tool = (_, { signal }) => new Promise<Value>(resolve => signal.addEventListener('abort', () => resolve(true)))
  expect((await runPlan(of, { tools: { slow }, advancing: true })).code).toBe('run/timed-out')
})

test('a result that was kept under other conditions is made again', async () => {
  const journal = memoryJournal()
  let calls = 0
  const of = (least: number): Plan => plan({ main: workflow([task('t', call('next', {}, { effect: 'read' }), { cache: { ageMs: null, by: null }, ensure: [{ condition: binary('>', answer, value(least)), says: value('more') }] })], node(0)) })
  const got = async (least: number): Promise<Value> => (await runPlan(of(least), { journal, tools: { next: () => ++calls * 10 }, host: Object.assign(memoryHost(), { randomHex: () => `r${calls}${least}` }) })).value
  expect([await got(1), await got(1), await got(2), await got(2)]).toEqual([10, 10, 20, 20])
})
