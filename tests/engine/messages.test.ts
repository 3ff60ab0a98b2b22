// Messages among agents: who gets them and when, topics, full mailboxes, waiting that ends, the same after crashes.
import { describe, expect, test } from 'vitest'
import type { ChatMessage } from '#model/chat.ts'
import { MAX_LETTERS, MAX_MAILBOX_LENGTH, MAX_TOPICS, NO_MESSAGE } from '#interpreter/engine/messages.ts'
import { openCommands } from '#interpreter/engine/open-commands.ts'
import { pathOf } from '#interpreter/engine/path.ts'
import { initialState } from '#interpreter/engine/state.ts'
import { transition } from '#interpreter/engine/transition.ts'
import type { Value } from '#model/type.ts'
import { recordOf } from '#types/construct.ts'
import { modelFails, says, TalkWorld, type TalkWorldOptions, tool, uses } from './talk-world.ts'
import { teamPlan } from './team-plan.ts'

const run = (options: TalkWorldOptions): TalkWorld => new TalkWorld(options).run()
const textIn = (messages: readonly ChatMessage[]): string => JSON.stringify(messages)
const last = (messages: readonly ChatMessage[]): string => JSON.stringify(messages.at(-1)!.content)
type Turn = readonly [name: string, input: Value]
const send = (to: string, text: string): Turn => ['send', { to, text }]
const receive: Turn = ['receive', {}]
const hand = (name: string): Turn => [name, { task: 'go' }]

/** What each agent does in its turns; past the last it answers with what it was told last. */
function acting(script: Readonly<Record<string, readonly (readonly Turn[])[]>>): NonNullable<TalkWorldOptions['model']> {
  return ({ agent, request }, { turn }) => {
    const calls = script[agent]?.[turn - 1]
    return calls === undefined || calls.length === 0 ? says(`${agent} heard ${last(request.messages)}`) : uses(...calls)
  }
}

const team = teamPlan({ lead: { leads: ['scout', 'fixer'], talks: true }, scout: { talks: true }, fixer: { talks: true } })
const nothingLeft = ({ state }: TalkWorld): unknown => [state.talks.size, state.toAsk.size, state.schedule.running, state.teams.size + state.receiving.size]

describe('a message', () => {
  test('is read at the next turn of who it is for, with the words that say from whom', () => {
    const world = run({ plan: team, model: acting({ lead: [[hand('scout'), hand('fixer')]], scout: [[send('fixer', 'look at a.ts')]], fixer: [[receive]] }) })
    expect(world.value).toContain('Message from scout:')
    expect(world.value).toContain('look at a.ts')
    expect(world.events.flatMap(each => (each.kind === 'call-finished' ? [each] : []))).toEqual([])
    expect(nothingLeft(world)).toEqual([0, 0, 0, 0])
  })

  test('waits as words of its own where nobody asked for it', () => {
    const seen: string[] = []
    const pause = tool('look', recordOf({}))
    run({
      plan: teamPlan({ lead: { leads: ['scout', 'fixer'] }, scout: { talks: true }, fixer: { talks: true, tools: [pause] } }),
      model: (question, place) => {
        if (question.agent === 'fixer' && place.turn > 1) seen.push(last(question.request.messages))
        return acting({ lead: [[hand('fixer'), hand('scout')]], scout: [[send('fixer', 'hello')]], fixer: [[['look', {}]], [['look', {}]], [['look', {}]]] })(question, place)
      },
      tool: (_, __, { call }) => ({ kind: 'value', value: call }),
    })
    const heard = seen.filter(each => each.includes('hello'))
    expect(heard).toHaveLength(1)
    expect(heard[0]).toMatch(/"tool-result".*"kind":"text","text":"Message from scout:\\nhello"/)
  })

  test('to who is not at work is kept for its next conversation; also what one did not get to read', () => {
    const world = run({
      plan: team,
      model: acting({ lead: [[send('fixer', 'first')], [hand('fixer')]], fixer: [] }),
    })
    expect(world.value).toContain('Message from lead')
    expect(world.events.filter(each => each.kind === 'model-asked')).toHaveLength(4)
    let fixers = 0
    const unread = run({
      plan: team,
      model(question, place) {
        if (question.agent === 'fixer') return ++fixers === 1 ? modelFails('no-key', false) : says(`read ${textIn(question.request.messages).includes('in vain') ? 'it' : 'nothing'}`)
        return acting({ lead: [[hand('scout'), hand('fixer')], [hand('fixer')]], scout: [[send('fixer', 'in vain')]] })(question, place)
      },
      draw: count => count - 1,
    })
    expect(unread.value).toContain('read it')
  })

  test('to nobody is not sent: an agent that there is not, a topic that nobody listens to', () => {
    const world = run({ plan: team, model: acting({ lead: [[send('mayor', 'x'), send('#races', 'x')]] }) })
    expect(world.value).toMatch(/not sent: there is no agent `mayor` here; there are: lead, scout, fixer/)
    expect(world.value).toMatch(/not sent: nobody else listens to `#races` now/)
  })

  test('to a topic goes to those who listen, not to who sends it', () => {
    const world = run({
      plan: team,
      model: acting({ lead: [[['listen', { topic: 'races' }]], [hand('scout'), hand('fixer')], []], fixer: [[['listen', { topic: '#races' }]], [receive]], scout: [[receive], [send('#races', 'found one')]] }),
    })
    expect(world.value).toContain('found one')
    const topics = run({ plan: team, model: acting({ lead: [Array.from({ length: MAX_TOPICS }, (_, n): Turn => ['listen', { topic: `t${n}` }]), [['listen', { topic: 'more' }], ['listen', { topic: '' }]]] }) })
    expect(topics.value).toMatch(/there are 64 topics already.*a topic has 1 to 100 letters/)
  })

  test('beyond what a mailbox holds is not sent, and who sends it is told so', () => {
    const many = run({ plan: team, model: acting({ lead: [Array.from({ length: MAX_LETTERS + 1 }, (_, n) => send('fixer', `${n}`))] }) })
    expect(many.value!.toString().match(/kept for fixer/g)).toHaveLength(MAX_LETTERS)
    expect(many.value).toContain('not sent: fixer is not at work now, and holds as many messages as it may')
    const long = run({ plan: team, model: acting({ lead: [[send('fixer', 'x'.repeat(MAX_MAILBOX_LENGTH)), send('fixer', 'y')]] }) })
    expect(long.value).toMatch(/kept for fixer.*not sent/)
    const open = run({
      plan: team, draw: count => count - 1,
      model: acting({ lead: [[hand('fixer'), hand('scout')]], fixer: [Array.from({ length: MAX_LETTERS + 1 }, (_, n) => send('lead', `${n}`))] }),
    })
    expect(open.value).toContain('there are as many unread messages as there may be')
  })

  test('stays in its tree', () => {
    const world = run({
      plan: teamPlan({ lead: { leads: ['scout'], talks: true }, scout: { talks: true } }, { node: { forEach: { item: 'i', list: { op: 'value', value: [1, 2] }, width: null } } }),
      model: ({ agent, request }, { path, turn }) => (path === 't[0]' && turn === 1 ? uses(send('scout', 'for me')) : agent === 'lead' && turn === (path === 't[0]' ? 2 : 1) ? uses(hand('scout')) : says(`${textIn(request.messages).includes('Message from lead')}`)),
    })
    expect((world.value as unknown as string[]).length).toBe(2)
    expect(world.asked.length).toBe(7)
    const heard = world.events.flatMap(each => (each.kind === 'model-answered' && each.outcome.kind === 'reply' ? [[pathOf(world.state, each.task), JSON.stringify(each.outcome.reply.content)]] : [])).filter(([path]) => path!.endsWith('/scout'))
    expect(Object.fromEntries(heard)).toEqual({ 't[0]/1.scout/scout': expect.stringContaining('true'), 't[1]/0.scout/scout': expect.stringContaining('false') })
  })

  test('from a conversation that holds text from outside makes who reads it hold such text', () => {
    const web = tool('web', recordOf({}), { isUntrusted: true })
    const push = tool('push', recordOf({}), { isSink: true, effect: 'write' })
    const plan = teamPlan({ lead: { leads: ['scout', 'fixer'] }, scout: { talks: true, tools: [web] }, fixer: { talks: true, tools: [push] } })
    const tainted = run({ plan, model: acting({ lead: [[hand('scout'), hand('fixer')]], scout: [[['web', {}]], [send('fixer', 'push!')]], fixer: [[receive], [['push', {}]]] }) })
    expect(tainted.value).toContain('text from outside')
    const clean = run({ plan, model: acting({ lead: [[hand('scout'), hand('fixer')]], scout: [[send('fixer', 'push!')]], fixer: [[receive], [['push', {}]]] }) })
    expect(clean.value).not.toContain('text from outside')
  })
})

describe('nobody waits for ever', () => {
  test('who waits alone is told that nothing will come; so is everybody, the one that waited longest first', () => {
    expect(run({ plan: team, model: acting({ lead: [[receive]] }) }).value).toContain(NO_MESSAGE)
    const told: string[] = []
    const world = run({
      plan: team,
      model(question, place) {
        if (last(question.request.messages).includes('No message will come')) told.push(question.agent)
        return acting({ lead: [[hand('scout'), hand('fixer')]], scout: [[receive]], fixer: [[receive]] })(question, place)
      },
    })
    expect(world.state.isFinished).toBe(true)
    expect(told.slice(0, 2)).toEqual(['scout', 'fixer'])
  })

  test('who may still send is waited for: a sub-agent of another, a tool, a task that lines up', () => {
    const world = run({
      plan: teamPlan({ lead: { leads: ['middle', 'fixer'] }, middle: { leads: ['scout'] }, scout: { talks: true, tools: [tool('look', recordOf({}))] }, fixer: { talks: true } }, { plan: { limits: { parallel: 1 } } }),
      model: acting({ lead: [[hand('fixer'), hand('middle')]], middle: [[hand('scout')]], scout: [[['look', {}]], [send('fixer', 'at last')]], fixer: [[receive]] }),
    })
    expect(world.value).toContain('at last')
  })

  test('two at once in one answer: the second is told to wait for the first', () => {
    expect(run({ plan: team, model: acting({ lead: [[receive, receive]] }) }).value).toContain('one at a time')
  })

  test.each(Array.from({ length: 80 }, (_, n) => n + 1))('teams at random, answered in any order, killed at random: never stuck, and folded again the same (seed %i)', seed => {
    const names = ['lead', 'one', 'two', 'three'].slice(0, 2 + (seed % 3))
    const program = teamPlan(
      Object.fromEntries(names.map((name, at) => [name, { talks: true as const, asksLead: true as const, leads: names.slice(at + 1) }])),
      { plan: { limits: { parallel: 1 + (seed % 5) } } },
    )
    let at = seed
    const draw = (count: number): number => (at = (at * 1_103_515_245 + 12_345) % 2 ** 31) % count
    const drawn = (text: string): number => [...`${seed} ${text}`].reduce((sum, each) => (Math.imul(sum, 31) + each.charCodeAt(0)) >>> 0, 7) % 97
    const options: TalkWorldOptions = {
      plan: program, draw,
      model({ agent, request }, { path, attempt, turn }) {
        const pick = drawn(`${path} ${attempt} ${turn}`)
        if (pick < 4) return modelFails('overloaded', false)
        if (pick > 85 || turn > 4 || request.toolChoice === 'none') return says(`${agent} is done`)
        return uses(...Array.from({ length: 1 + (pick % 3) }, (_, n): Turn => {
          const kind = (pick + n) % 6
          const led = request.tools.map(each => each.name).filter(each => names.includes(each))
          if (kind === 0 && led.length > 0) return hand(led[pick % led.length]!)
          if (kind === 1) return send(names[pick % names.length]!, `from ${path}`)
          if (kind === 2) return send('#all', `to all from ${path}`)
          if (kind === 3) return ['listen', { topic: 'all' }]
          return kind === 4 && pick % 4 === 0 ? ['ask_lead', { question: 'why?' }] : receive
        }))
      },
    }
    const about = (state: ReturnType<typeof initialState>): string => JSON.stringify([
      [...state.talks].map(([task, talk]) => [task, talk.step, talk.open, [...talk.desks.keys()], talk.receiving, talk.talk?.letters]), [...state.toAsk], state.counts, openCommands(state, 5), [...state.teams].map(([task, { kept, listening }]) => [task, [...kept], [...listening].map(([topic, who]) => [topic, [...who]])]),
    ])
    const world = run({ ...options, killAfter: process => (process < 15 ? 5 + draw(25) : Infinity) })
    expect(world.state.isFinished).toBe(true)
    expect(nothingLeft(world)).toEqual([0, 0, 0, 0])
    const answers = world.events.flatMap(each => (each.kind === 'model-answered' ? [`${each.task} ${each.attempt} ${each.turn}`] : []))
    expect(new Set(answers).size).toBe(answers.length)
    const seen: string[] = []
    const whole = run({ ...options, onEvent: (_, state) => void seen.push(about(state)) })
    const state = initialState(program, { parallel: 1_000, cpu: 8, memoryBytes: 1e12 })
    for (const [index, event] of whole.events.entries()) {
      expect(about(state)).toBe(seen[index])
      transition(state, event)
    }
    expect(state.outcome).toEqual(whole.outcome)
  })
})
