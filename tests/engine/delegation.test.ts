// Delegation: agents and workflows as tools of agents: paths, limits, failures, crashes, places, trust, questions to the lead, votes.
import { describe, expect, test } from 'vitest'
import type { ChatMessage } from '#model/chat.ts'
import type { Outcome } from '#model/event.ts'
import { openCommands } from '#interpreter/engine/open-commands.ts'
import { MAX_TASKS, MAX_WORKFLOW_DEPTH, timerOf } from '#interpreter/engine/protocol.ts'
import { initialState } from '#interpreter/engine/state.ts'
import { transition } from '#interpreter/engine/transition.ts'
import { levelsOf } from '#interpreter/engine/view.ts'
import { MAX_LEAD_QUESTIONS, MAX_OPEN_DESKS } from '#interpreter/engine/delegation.ts'
import { pathOf } from '#interpreter/engine/path.ts'
import { listOf, recordOf, stringType } from '#types/construct.ts'
import { node, param, task, value, workflow } from './plan-builder.ts'
import { model, modelFails, says, TalkWorld, type TalkWorldOptions, tool, uses } from './talk-world.ts'
import { standIn, teamPlan, votePlan, workflowTool } from './team-plan.ts'

const run = (options: TalkWorldOptions): TalkWorld => new TalkWorld(options).run()
const wordsOf = (messages: readonly ChatMessage[]): string => JSON.stringify(messages.at(-1)!.content)
const promptOf = (messages: readonly ChatMessage[]): string => (messages[0]!.content[0] as { text: string }).text
const gives = (of: unknown): Outcome => ({ kind: 'value', value: of as never })
const nothingLeft = ({ state }: TalkWorld): unknown => [state.talks.size, state.toAsk.size, state.schedule.running, state.teams.size + state.receiving.size]
/** The lead calls this in its first turn, and answers with what it was told. */
const leading = (others: NonNullable<TalkWorldOptions['model']>, ...calls: readonly (readonly [string, never])[]): NonNullable<TalkWorldOptions['model']> => (question, place) =>
  question.agent !== 'lead' ? others(question, place) : place.turn === 1 ? uses(...calls) : says(wordsOf(question.request.messages))
const asks = (name: string, words = 'do it'): readonly [string, never] => [name, { task: words } as never]

const pair = teamPlan({ lead: { leads: ['reader', 'writer'] }, reader: {}, writer: {} })
/** The lead asks both at once, then says what they said. */
const both: NonNullable<TalkWorldOptions['model']> = ({ agent, request }, { turn }) => {
  if (agent !== 'lead') return says(`${agent} did: ${promptOf(request.messages)}`)
  return turn === 1 ? uses(['reader', { task: 'read' }], ['writer', { task: 'write' }]) : says(wordsOf(request.messages).replace(/.*(reader did: read).*(writer did: write).*/, '$1, $2'))
}

describe('to a result', () => {
  test('agents that are led work side by side, and what they say goes back together', () => {
    const world = run({ plan: pair, model: both, draw: count => count - 1 })
    expect(world.value).toBe('reader did: read, writer did: write')
    expect([...world.asked].sort()).toEqual(['t 1 1', 't 1 2', 't/0.reader/reader 1 1', 't/1.writer/writer 1 1'])
    expect(world.state.counts).toMatchObject({ total: 3, done: 3 })
    expect(nothingLeft(world)).toEqual([0, 0, 0, 0])
    expect(world.state.usage).toEqual({ tokens: 60, costMicros: 0 })
  })

  test('a workflow is a tool: its arguments are those of the model, its result goes back as JSON', () => {
    const build = workflow([task('lines', { op: 'prelude', fn: 'range', args: [param('from'), { op: 'value', value: 3 }] })], node(0), {
      params: [{ name: 'task', type: stringType, default: null }, { name: 'from', type: { kind: 'int' }, default: value(1) }],
    })
    const world = run({ plan: teamPlan({ lead: { tools: [workflowTool('build', 'build')] } }, { workflows: { build } }), model: leading(() => says(''), asks('build')) })
    expect(world.value).toContain('"isError":false,"content":[{"kind":"text","text":"[1,2]"}]')
    expect(world.events.flatMap(each => (each.kind === 'call-started' ? [each.name] : []))).toEqual(['build'])
  })

  test('an argument that is not of its type fails the call, not the conversation', () => {
    const narrow = workflow([], param('task'), { params: [{ name: 'task', type: { kind: 'int' }, default: null }] })
    const world = run({ plan: teamPlan({ lead: { tools: [workflowTool('narrow', 'narrow'), workflowTool('gone', 'gone')] } }, { workflows: { narrow } }), model: leading(() => says(''), asks('narrow'), asks('gone')) })
    expect(world.value).toMatch(/run\/wrong-type.*run\/damaged-plan/)
    expect(world.state.counts).toMatchObject({ total: 2, done: 1, failed: 1 })
  })

  test('an agent that fails is told to its lead, which goes on', () => {
    const world = run({ plan: pair, model: leading(({ agent }) => (agent === 'reader' ? modelFails('overloaded', true) : says('fine')), asks('reader'), asks('writer')) })
    expect(world.value).toMatch(/"isError":true.*model\/overloaded.*"isError":false.*fine/)
    expect(nothingLeft(world)).toEqual([0, 0, 0, 0])
  })

  test('leads lead leads', () => {
    const world = run({
      plan: teamPlan({ lead: { leads: ['middle'] }, middle: { leads: ['reader'] }, reader: {} }),
      model: ({ agent, request }, { turn }) => (agent === 'reader' ? says('deep') : turn === 1 ? uses([agent === 'lead' ? 'middle' : 'reader', { task: 'x' }]) : says(`${agent}: ${/deep|middle: deep/.exec(wordsOf(request.messages))?.[0] ?? ''}`)),
    })
    expect(world.asked).toContain('t/0.middle/middle/0.reader/reader 1 1')
    expect(world.value).toMatch(/^lead: .*deep/)
  })

  test('a vote is a workflow: each is asked, one that fails has no vote', () => {
    const vote = votePlan('lead', ['reader', 'writer', 'third'])
    const world = run({
      plan: teamPlan({ lead: { tools: [{ kind: 'workflow', name: 'vote', doc: '', workflow: '@vote:lead', isUntrusted: false, isSink: false, input: recordOf({ question: stringType, options: listOf(stringType) }) }] }, reader: {}, writer: {}, third: {} }, { workflows: { '@vote:lead': vote } }),
      model: leading(({ agent }) => (agent === 'reader' ? says('a') : agent === 'writer' ? says('c') : modelFails('no-key', false)), ['vote', { question: 'which?', options: ['a', 'b'] } as never]),
    })
    expect(world.value).toContain(String.raw`{\"votes\":[{\"agent\":\"reader\",\"choice\":\"a\"},{\"agent\":\"writer\",\"choice\":null},{\"agent\":\"third\",\"choice\":null}]}`)
  })
})

describe('what holds inside', () => {
  test('levels, budgets and limits of the conversation hold for what it delegates', () => {
    const grant = (name: string, ...args: string[]) => ({ name, args: args.map(each => value(each)), implies: [] })
    let levels: unknown = null
    const world = run({
      plan: teamPlan({ lead: { leads: ['reader'], authority: [grant('fs.read', 'src/**')], limits: { tokens: 9_000, cpu: 0.5 } }, reader: {} }, { plan: { limits: { tokens: 50_000 } } }),
      model: leading(() => says('x'), asks('reader')),
      onEvent(event, state) {
        if (event.kind !== 'model-asked' || !pathOf(state, event.task).endsWith('/reader')) return
        levels = levelsOf(state, event.task).map(each => each.allows.map(({ name, args }) => [name, ...args].join(' ')))
        const { tokens } = state.talks.get(event.task)!.budgets
        expect([tokens?.limit, tokens?.parent?.limit]).toEqual([9_000, 50_000])
        expect(state.scopeOf(event.task).bounds.cpu).toBe(0.5)
      },
    })
    expect(world.state.isFinished).toBe(true)
    expect(levels).toEqual([['llm m'], ['fs.read src/**'], ['llm m'], ['llm m']])
  })

  test('what those inside spend is spent by the lead: near its limit it is told to answer', () => {
    const world = run({
      plan: teamPlan({ lead: { leads: ['reader'], limits: { tokens: 20_000 } }, reader: {} }),
      model: ({ agent, request }, { turn }) => (agent === 'reader' ? says('read', { input: 17_000 }) : turn === 1 ? uses(['reader', { task: 'x' }]) : says(request.toolChoice ?? 'free')),
    })
    expect(world.value).toBe('none')
  })

  test('a sub-agent without room in the budget of its lead fails, and says whose it was', () => {
    const world = run({
      plan: teamPlan({ lead: { leads: ['reader'], limits: { tokens: 3_000 } }, reader: { role: value('x'.repeat(6_000)) } }),
      model: leading(() => says('x'), asks('reader')),
    })
    expect(world.value ?? JSON.stringify(world.outcome)).toMatch(/An agent that delegated this used up its limit of 3,000 tokens|agent\/tokens-used-up/)
  })

  test('`limits { calls }` of a lead counts the calls of those it leads; that of a workflow stops the run', () => {
    const look = tool('look', recordOf({ at: stringType }))
    const member = { tools: [look] }
    const others: TalkWorldOptions['model'] = ({ request }, { turn }) => (turn < 4 ? uses(['look', { at: `${turn}` }]) : says(wordsOf(request.messages)))
    const world = run({ plan: teamPlan({ lead: { leads: ['reader'], limits: { calls: 3 } }, reader: member }), model: leading(others, asks('reader')), tool: () => gives(1) })
    expect(world.called.filter(each => each.includes('/reader'))).toHaveLength(2)
    expect(world.value).toContain('the limit of 3 calls of `lead` is used up')
    const stopped = run({ plan: teamPlan({ lead: { leads: ['reader'] }, reader: member }, { plan: { limits: { calls: 2 } } }), model: leading(others, asks('reader')), tool: () => gives(1) })
    expect(stopped.state.stop).toMatchObject({ reason: 'limit', detail: '`t/0.reader/reader` goes beyond the limit of 2 calls in `main`.' })
  })

  test('`limits { tasks }` counts what is inside', () => {
    const world = run({ plan: teamPlan({ lead: { leads: ['reader', 'writer'] }, reader: {}, writer: {} }, { plan: { limits: { tasks: 2 } } }), model: both })
    expect(world.state.stop).toMatchObject({ reason: 'limit', isFinal: true, detail: '`t/1.writer/writer` goes beyond the limit of 2 tasks in `main`.' })
  })

  test('one inside the other has an end, and so has side by side', () => {
    const self = teamPlan({ lead: { leads: ['lead'] } })
    const world = run({ plan: self, model: ({ request }, { turn }) => (turn === 1 ? uses(['lead', { task: 'x' }]) : says(/run\/too-deep/.test(wordsOf(request.messages)) ? 'too deep' : 'above')) })
    expect(world.value).toBe('above')
    expect(world.asked.length).toBe(2 * MAX_WORKFLOW_DEPTH + 2)
    const wide = run({ plan: pair, model: leading(() => says('x'), ...Array.from({ length: MAX_OPEN_DESKS + 2 }, () => asks('reader'))) })
    expect(wide.value!.toString().match(/at most 16 of these at once/g)).toHaveLength(2)
  })

  test('tasks of a run are counted with those inside', () => {
    const many = workflow([task('all', value(1), { forEach: { item: 'i', list: { op: 'prelude', fn: 'range', args: [value(0), value(MAX_TASKS)] }, width: null } })], value('x'), { params: [{ name: 'task', type: stringType, default: null }] })
    const world = run({ plan: teamPlan({ lead: { tools: [workflowTool('many', 'many')] } }, { workflows: { many } }), model: leading(() => says(''), asks('many')) })
    expect(world.value).toContain('run/too-many-tasks')
  })

  test.each([1, 2])('`parallel %i` lets a lead lead: one that waits for others holds no place', parallel => {
    let most = 0
    const world = run({
      plan: teamPlan({ lead: { leads: ['reader', 'writer'] }, reader: {}, writer: {} }, { plan: { limits: { parallel } } }), model: both,
      onEvent: (_, state) => void (most = Math.max(most, state.schedule.running)),
    })
    expect(world.value).toBe('reader did: read, writer did: write')
    expect(most).toBe(parallel)
    expect(run({ plan: pair, model: both, parallel }).value).toBe('reader did: read, writer did: write')
  })
})

describe('given up', () => {
  const never: TalkWorldOptions['model'] = leading(() => null, asks('reader'), asks('writer'))

  test('a timeout of the lead gives up everything inside, and the next attempt begins anew', () => {
    const world = run({
      plan: teamPlan({ lead: { leads: ['reader', 'writer'] }, reader: {}, writer: {} }, { node: { timeoutMs: 1_000, retry: { count: 1, fromMs: 0, toMs: 0 } } }),
      model: (question, place) => (place.path.startsWith('t#2') || place.attempt === 2 ? both(question, place) : never!(question, place)),
      onEvent(event, state, each) {
        if (event.kind === 'model-asked' && pathOf(state, event.task) === 't/1.writer/writer') each.later({ kind: 'timer-fired', atMs: 2_000, timer: timerOf(1, 1, 'timeout') })
      },
    })
    expect(world.value).toBe('reader did: read, writer did: write')
    expect(world.asked).toContain('t#2/0.reader/reader 1 1')
    expect(world.state.counts).toMatchObject({ total: 5, done: 3, cancelled: 2 })
    expect(nothingLeft(world)).toEqual([0, 0, 0, 0])
  })

  test('a timeout goes on while it waits for others, also after a crash', () => {
    const { events } = run({ plan: teamPlan({ lead: { leads: ['reader', 'writer'] }, reader: {}, writer: {} }, { node: { timeoutMs: 1_000 } }), model: never })
    const state = initialState(teamPlan({ lead: { leads: ['reader', 'writer'] }, reader: {}, writer: {} }, { node: { timeoutMs: 1_000 } }), { parallel: 9, cpu: 9, memoryBytes: 1e9 })
    for (const event of events) transition(state, event)
    transition(state, { kind: 'run-resumed', atMs: 2_000 })
    expect(openCommands(state, 2_000)).toContainEqual({ kind: 'set-timer', timer: timerOf(1, 1, 'timeout'), ms: 1_000 })
  })

  test('a person gives up one inside: its lead is told; the lead: everything inside is over', () => {
    const cancel = (path: string): TalkWorld => run({
      plan: pair, model: leading(({ agent }) => (agent === 'reader' ? null : says('fine')), asks('reader'), asks('writer')),
      onEvent(event, state, each) {
        if (event.kind === 'model-asked' && pathOf(state, event.task) === 't/0.reader/reader') each.later({ kind: 'task-cancelled', atMs: 2, by: 'ann', task: [...Array(state.tasks.size).keys()].find(at => at > 0 && pathOf(state, at) === path)! })
      },
    })
    for (const path of ['t/0.reader/reader', 't/0.reader']) expect(cancel(path).value).toMatch(/run\/cancelled-by-person.*fine/)
    expect(cancel('t').code).toBe('run/cancelled-by-person')
    expect(nothingLeft(cancel('t'))).toEqual([0, 0, 0, 0])
  })

  test('a limit that is reached inside stops the run; it goes on from there', () => {
    const world = run({ plan: teamPlan({ lead: { leads: ['reader', 'writer'] }, reader: {}, writer: {} }, { plan: { limits: { tokens: 4_000 } } }), model: leading(() => says('x', { input: 3_500 }), asks('reader'), asks('writer')) })
    expect(world.state.stop).toMatchObject({ reason: 'limit', isFinal: true })
    expect(world.state.stop!.detail).toMatch(/goes beyond the limit of 4,000 tokens in `main`/)
  })

  test('a pause ends what is under way, begins nothing inside, and goes on from there', () => {
    const world = new TalkWorld({
      plan: pair, model: both,
      onEvent: (event, state, each) => void (event.kind === 'model-asked' && each.processes === 1 && pathOf(state, event.task) === 't/0.reader/reader' && each.stop('pause')),
    }).run()
    expect(world.state.stop?.reason).toBe('pause')
    expect(world.run().value).toBe('reader did: read, writer did: write')
    expect(new Set(world.asked).size).toBe(world.asked.length)
  })
})

describe('trust', () => {
  const web = tool('web', recordOf({}), { isUntrusted: true })
  const push = tool('push', recordOf({ branch: stringType }), { isSink: true, effect: 'write' })
  const pushes: NonNullable<TalkWorldOptions['model']> = ({ agent, request }, { turn }) => {
    if (agent === 'reader') return turn === 1 && request.tools.length > 0 ? uses([request.tools[0]!.name, request.tools[0]!.name === 'push' ? { branch: 'x' } : {}]) : says(wordsOf(request.messages))
    return turn === 1 ? uses(request.tools.some(each => each.name === 'web') ? ['web', {}] : ['reader', { task: 'x' }]) : turn === 2 ? uses(request.tools.some(each => each.name === 'push') ? ['push', { branch: 'x' }] : ['reader', { task: 'x' }]) : says(wordsOf(request.messages))
  }
  const refusals = (world: TalkWorld): boolean => JSON.stringify(world.outcome).includes('text from outside')

  test('what a sub-agent read from outside taints its lead', () => {
    expect(refusals(run({ plan: teamPlan({ lead: { leads: ['reader'], tools: [push] }, reader: { tools: [web] } }), model: pushes }))).toBe(true)
    expect(refusals(run({ plan: teamPlan({ lead: { leads: ['reader'], tools: [push] }, reader: {} }), model: pushes }))).toBe(false)
  })

  test('also where it failed after that, and through a workflow in between', () => {
    const fails: TalkWorldOptions['model'] = (question, place) => (question.agent === 'reader' && place.turn === 2 ? modelFails('no-key', false) : pushes(question, place))
    expect(refusals(run({ plan: teamPlan({ lead: { leads: ['reader'], tools: [push] }, reader: { tools: [web] } }), model: fails }))).toBe(true)
    const between = workflow([task('inner', { kind: 'workflow', workflow: 'asks', args: { task: param('task') } })], value('nothing'), { params: [{ name: 'task', type: stringType, default: null }], authority: null })
    const world = run({
      plan: teamPlan({ lead: { tools: [push, workflowTool('reader', 'between')] }, reader: { tools: [web] } }, { workflows: { between, asks: { ...standIn('lead', 'reader'), standsFor: undefined! } } }), model: pushes,
    })
    expect(refusals(world)).toBe(true)
  })

  test('what a lead read from outside is text from outside to those it leads; before that it is not', () => {
    expect(refusals(run({ plan: teamPlan({ lead: { leads: ['reader'], tools: [web] }, reader: { tools: [push] } }), model: pushes }))).toBe(true)
    expect(refusals(run({ plan: teamPlan({ lead: { leads: ['reader'] }, reader: { tools: [push] } }), model: pushes, tool: () => gives('done') }))).toBe(false)
  })
})

describe('a question to the lead', () => {
  const team = teamPlan({ lead: { leads: ['reader'] }, reader: { asksLead: true } })
  const curious: NonNullable<TalkWorldOptions['model']> = ({ agent, request }, { path, turn }) => {
    if (path.includes('ask_lead')) return says(`as ${agent}, knowing ${JSON.stringify(request.messages).includes('find it') ? 'the task' : 'nothing'}, ${request.toolChoice}: blue`)
    if (agent === 'reader') return turn === 1 ? uses(['ask_lead', { question: 'which colour?' }]) : says(`answered: ${wordsOf(request.messages)}`)
    return turn === 1 ? uses(['reader', { task: 'find it' }]) : says(wordsOf(request.messages))
  }

  test('is answered by its agent, who knows what was said, beside the conversation; the lead is told of it', () => {
    const world = run({ plan: team, model: curious })
    expect(world.asked).toEqual(['t 1 1', 't/0.reader/reader 1 1', 't/0.reader/reader/0.ask_lead/lead 1 1', 't/0.reader/reader 1 2', 't 1 2'])
    expect(world.value).toContain('as lead, knowing the task, none: blue')
    expect(world.value).toMatch(/Meanwhile you were asked: which colour\?.*You answered: as lead/)
    expect(nothingLeft(world)).toEqual([0, 0, 0, 0])
  })

  test('costs the lead, and has its levels', () => {
    run({
      plan: teamPlan({ lead: { leads: ['reader'], limits: { tokens: 90_000 } }, reader: { asksLead: true, limits: { tokens: 40_000 } } }), model: curious,
      onEvent(event, state) {
        if (event.kind === 'model-asked' && pathOf(state, event.task).includes('ask_lead')) expect([state.talks.get(event.task)!.budgets.tokens!.limit, state.talks.get(event.task)!.budgets.tokens!.parent!.limit, levelsOf(state, event.task).length]).toEqual([90_000, 90_000, 4])
      },
    })
  })

  test('without a lead, one too many, or unanswered: the agent is told', () => {
    const alone = teamPlan({ lead: { asksLead: true } })
    expect(run({ plan: alone, model: leading(() => says(''), ['ask_lead', { question: 'why?' } as never]) }).value).toContain('nobody delegated this to you')
    const often = run({ plan: team, model: (question, place) => (question.agent === 'reader' && place.turn <= MAX_LEAD_QUESTIONS + 1 ? uses(['ask_lead', { question: `${place.turn}?` }]) : curious(question, { ...place, turn: place.turn === 1 ? 1 : 2 })) })
    expect(often.value).toContain('8 questions were asked')
    const silent = run({ plan: team, model: (question, place) => (place.path.includes('ask_lead') ? modelFails('overloaded', true) : curious(question, place)) })
    expect(silent.value).toMatch(/model\/overloaded/)
  })
})

describe('read back from its record', () => {
  const team = teamPlan({ lead: { leads: ['reader', 'writer'] }, reader: { asksLead: true }, writer: {} })
  const talking: NonNullable<TalkWorldOptions['model']> = ({ agent, request }, { path, turn }) => {
    if (path.includes('ask_lead')) return says('blue')
    if (agent === 'writer') return says('written')
    if (agent === 'reader') return turn === 1 ? uses(['ask_lead', { question: 'which?' }]) : says(`read ${/blue/.exec(wordsOf(request.messages))?.[0]}`)
    return turn === 1 ? uses(['reader', { task: 'a' }], ['writer', { task: 'b' }]) : turn === 2 ? uses(['writer', { task: 'c' }]) : says('all')
  }

  test('killed after each number of events, again and again: the same result, and no recorded turn is asked again', () => {
    const whole = run({ plan: team, model: talking })
    expect(whole.value).toBe('all')
    for (let every = 1; every <= whole.events.length; every++) {
      const world = run({ plan: team, model: talking, killAfter: process => (process === 0 ? every : 6) })
      expect(world.value).toBe('all')
      const answers = world.events.flatMap(each => (each.kind === 'model-answered' ? [`${each.task} ${each.turn}`] : []))
      expect([answers.length, new Set(answers).size]).toEqual([8, 8])
      expect(nothingLeft(world)).toEqual([0, 0, 0, 0])
    }
  })

  test('folded again it is the same, event by event', () => {
    const seen: string[] = []
    const about = (state: ReturnType<typeof initialState>): string => JSON.stringify([[...state.talks].map(([at, talk]) => [at, talk.step, talk.open, [...talk.desks.keys()]]), [...state.toAsk], state.usage, state.counts, openCommands(state, 5)])
    const { events } = run({ plan: team, model: talking, draw: count => count - 1, onEvent: (_, state) => void seen.push(about(state)) })
    const state = initialState(team, { parallel: 1_000, cpu: 8, memoryBytes: 1e12 })
    for (const [at, event] of events.entries()) {
      expect(about(state)).toBe(seen[at])
      transition(state, event)
    }
    expect(state.outcome).toEqual({ kind: 'value', value: 'all' })
  })

  test('each number of tasks that is over never falls, nor is it more than all', () => {
    let over = 0
    run({
      plan: team, model: talking,
      onEvent(_, { counts }) {
        const now = counts.done + counts.failed + counts.skipped + counts.cancelled
        expect(now).toBeGreaterThanOrEqual(over)
        expect(now).toBeLessThanOrEqual(counts.total)
        over = now
      },
    })
  })

  test.each(Array.from({ length: 60 }, (_, n) => n + 1))('agents that delegate at random, killed at random, answered in any order: the same values as without (seed %i)', seed => {
    const drawn = (text: string): number => [...`${seed} ${text}`].reduce((at, each) => (Math.imul(at, 31) + each.charCodeAt(0)) >>> 0, 7) % 97
    const look = tool('look', recordOf({ at: stringType }))
    const program = teamPlan(
      { lead: { leads: ['middle', 'leaf'], tools: [look] }, middle: { leads: ['leaf'], asksLead: true, tools: [look] }, leaf: { tools: [look], asksLead: true } },
      { node: { retry: { count: 4, fromMs: 0, toMs: 0 }, onFailure: { kind: 'use', value: value('given up') } }, plan: { limits: { parallel: 1 + (seed % 4) }, models: { m: model() } } },
    )
    const answers: NonNullable<TalkWorldOptions['model']> = ({ agent, request }, { path, attempt, turn }) => {
      const at = drawn(`${path} ${attempt} ${turn}`)
      const names = request.toolChoice === 'none' ? [] : request.tools.map(each => each.name)
      if (at < 6) return modelFails('overloaded', true)
      if (at > 55 || turn > 4 || names.length === 0) return says(`${agent} ${wordsOf(request.messages).length}`)
      return uses(...Array.from({ length: (at % 3) + 1 }, (_, n): readonly [string, never] => {
        const name = names[(at + n) % names.length]!
        return [name, (name === 'look' ? { at: `${n}` } : name === 'ask_lead' ? { question: `${n}?` } : { task: `${n}!` }) as never]
      }))
    }
    const options = { plan: program, model: answers, tool: (_: string, __: unknown, { path, call }: { path: string; call: number }) => gives('x'.repeat(drawn(`${path} ${call}`))) }
    let at = seed
    const draw = (count: number): number => (at = (at * 1_103_515_245 + 12_345) % 2 ** 31) % count
    const plainly = run(options)
    const killed = run({ ...options, draw, killAfter: process => (process < 12 ? 8 + draw(30) : Infinity) })
    expect(plainly.state.isFinished).toBe(true)
    expect(killed.outcome).toEqual(plainly.outcome)
    const recorded = killed.events.flatMap(each => (each.kind === 'model-answered' ? [`${each.task} ${each.attempt} ${each.turn}`] : []))
    expect(new Set(recorded).size).toBe(recorded.length)
    expect(nothingLeft(killed)).toEqual([0, 0, 0, 0])
    const { counts } = killed.state
    expect(counts.done + counts.failed + counts.skipped + counts.cancelled).toBe(counts.total)
  })
})
