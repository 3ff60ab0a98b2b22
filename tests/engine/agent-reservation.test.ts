// What is set aside for a conversation's next question: what its model counted before, and a bound for what is new; never less than the model then counts.
import { describe, expect, test } from 'vitest'
import type { ChatMessage, ChatRequest } from '#model/chat.ts'
import type { Plan, PlanModel } from '#model/plan.ts'
import { type Counted, countedBy, inputTokensAtMost } from '#interpreter/engine/talk/size.ts'
import { recordOf } from '#types/construct.ts'
import { local, node, plan, task, value, workflow } from './plan-builder.ts'
import { agent, byAgent, model, reply, TalkWorld, type TalkWorldOptions, tool } from './talk-world.ts'

type Request = Omit<ChatRequest, 'model'>

const draws = (seed: number): ((count: number) => number) => {
  let at = seed
  return count => (at = (at * 1_103_515_245 + 12_345) % 2 ** 31) % count
}
const scripts = ['plain words ', 'größer und größer ', '数据和更多的数据', '😀😀😀', '1234567890', 'dGhpcyBpcyBub3Qg', 'नमस्ते दुनिया ', 'function f() { return [1, 2] }\n', '{"a":"\\u0000"}']

/** A tokenizer in its own way, as a model's is: for each message always the same, within what no tokenizer needs more of. */
function tokenizer(draw: (count: number) => number): (request: Request) => number {
  const none: Request = { system: '', messages: [], tools: [], maxTokens: 1 }
  const base = inputTokensAtMost(none)
  const known = new Map<string, number>()
  const once = (what: string, most: number): number => {
    let tokens = known.get(what)
    if (tokens === undefined) known.set(what, (tokens = draw(4) === 0 ? most : Math.ceil(most / 3 + draw(Math.max(1, Math.floor((2 * most) / 3)))))) // a quarter at the bound itself
    return tokens
  }
  return ({ system, tools, messages }) =>
    once(`${system} ${JSON.stringify(tools)}`, inputTokensAtMost({ ...none, system, tools }) - 1) + messages.reduce((sum, each) => sum + once(JSON.stringify(each), Math.max(0, inputTokensAtMost({ ...none, messages: [each] }) - base - 1)), 0)
}

const text = recordOf({ text: { kind: 'string' } })
const conversations = (count: number, tokens: number, models: Record<string, PlanModel>): Plan => plan(
  { main: workflow([task('t', byAgent({ op: 'template', parts: ['About ', local('i')] }), { forEach: { item: 'i', list: value(Array.from({ length: count }, (_, at) => at)), width: null }, onFailure: { kind: 'continue' } })], node(0), { limits: { tokens } }) },
  { agents: ['a'], agentBodies: { a: agent({ tools: [tool('look', text)] }) }, models },
)

/** Many conversations of some turns each, with results of any script; what was spent, and where more was used and set aside than the limit. */
function spending(seed: number, models: Record<string, PlanModel>, more: Partial<TalkWorldOptions> = {}): { readonly world: TalkWorld; readonly problems: string[] } {
  const draw = draws(seed + 1)
  const problems: string[] = []
  const counts = new Map(Object.keys(models).map(key => [key, tokenizer(draw)]))
  const world = new TalkWorld({
    plan: conversations(8, 60_000, models), draw,
    onEvent(_, state) {
      for (const { budgets } of [...state.scopes, ...state.talks.values()]) for (let at = budgets.tokens; at !== null; at = at.parent) if (at.used + at.reserved > at.limit) problems.push(`${at.used} + ${at.reserved} > ${at.limit}`)
    },
    model({ request }, { turn }) {
      const key = [...counts.keys()][draw(counts.size)]!
      const all = counts.get(key)!(request)
      const cacheRead = draw(all + 1)
      const usage = { input: all - cacheRead, cacheRead, output: draw(request.maxTokens + 1) }
      const isOver = turn > draw(8)
      return isOver || request.toolChoice === 'none' ? reply([{ kind: 'text', text: 'It is done.' }], 'done', usage, key) : reply([{ kind: 'tool-use', id: `u${turn}`, name: 'look', input: { text: `${turn} ${scripts[draw(scripts.length)]!}` } }], 'tool-use', usage, key)
    },
    tool: () => ({ kind: 'value', value: scripts[draw(scripts.length)]!.repeat(1 + draw(60)) }),
    ...more,
  }).run()
  return { world, problems }
}

describe('what is set aside', () => {
  test.each(Array.from({ length: 40 }, (_, seed) => seed))('is never less than what a model counts, in any script: the limit holds (seed %i)', seed => {
    const { world, problems } = spending(seed, { m: model({ answerTokens: 400 }) })
    expect(problems).toEqual([])
    expect(world.state.usage.tokens).toBeGreaterThan(0)
    expect(world.state.usage.tokens).toBeLessThanOrEqual(60_000)
  })

  test.each(Array.from({ length: 20 }, (_, seed) => seed))('nor where another model answers, that counts otherwise (seed %i)', seed => {
    const { world, problems } = spending(seed, { m: model({ answerTokens: 400, fallback: 'n' }), n: model({ answerTokens: 400 }) })
    expect(problems).toEqual([])
    expect(world.state.usage.tokens).toBeLessThanOrEqual(60_000)
  })

  test('is the same when the run is folded again, wherever it was killed', () => {
    for (let seed = 1; seed <= 10; seed++) {
      const { world, problems } = spending(seed, { m: model({ answerTokens: 400 }) }, { killAfter: process => (process < 5 ? 15 + (seed * 7) % 20 : Infinity) })
      expect(problems).toEqual([])
      expect(world.processes).toBeGreaterThan(1)
      const again = new TalkWorld({ plan: conversations(8, 60_000, { m: model({ answerTokens: 400 }) }), model: () => null })
      again.events.push(...world.events)
      again.run()
      expect(again.state.scopes[0]!.budgets.tokens).toEqual(world.state.scopes[0]!.budgets.tokens)
    }
  })
})

describe('what a model counted', () => {
  const said = (role: ChatMessage['role'], words: string): ChatMessage => ({ role, content: [{ kind: 'text', text: words }] })
  const first: Request = { system: 'You work.', messages: [said('user', '1234567890'.repeat(2_000))], tools: [], maxTokens: 100 }
  const next: Request = { ...first, messages: [...first.messages, said('assistant', 'I see.'), said('user', 'Go on.')] }
  const usage = (input: number, more: object = {}) => ({ input, output: 10, cacheRead: 0, cacheWrite: 0, thinking: 0, ...more })
  const whole = inputTokensAtMost(next)
  const after = (counted: Counted): number => inputTokensAtMost(next, counted)

  test('is the measure of all that was said: only what is new is bounded by its bytes', () => {
    expect(whole).toBeGreaterThan(20_000)
    expect(after(countedBy('m', usage(7_000), first, null))).toBeLessThan(7_200)
    expect(after(countedBy('m', usage(1_000, { cacheRead: 5_000, cacheWrite: 1_000 }), first, null))).toBeLessThan(7_200)
    expect(after(countedBy('m', usage(7_000, { output: 3_000 }), first, null))).toBeGreaterThan(10_000) // thinking that is not shown is sent back as well
    expect(after(countedBy('m', usage(90_000), first, null))).toBe(whole)
  })

  test('of an image is the model\'s own measure', () => {
    const pictured: Request = { ...first, messages: [{ role: 'user', content: [{ kind: 'image', mediaType: 'image/png', data: 'A1b2'.repeat(50_000) }, { kind: 'text', text: 'What is it?' }] }] }
    const then: Request = { ...pictured, messages: [...pictured.messages, said('assistant', 'A cat.'), said('user', 'Sure?')] }
    expect(inputTokensAtMost(then)).toBeGreaterThan(200_000)
    expect(inputTokensAtMost(then, countedBy('m', usage(1_600), pictured, null))).toBeLessThan(1_800)
  })

  test('is not believed where it can not be of all that was sent, nor ever again', () => {
    expect(after(countedBy('m', usage(0), first, null))).toBe(whole)
    expect(after(countedBy('m', usage(300), first, null))).toBe(whole)
    const fewer = countedBy('m', usage(6_999), first, countedBy('m', usage(7_000), first, null))
    expect(after(fewer)).toBe(whole)
    expect(after(countedBy('m', usage(9_000), first, fewer))).toBe(whole)
  })

  test('holds for the very same beginning alone', () => {
    const counted = countedBy('m', usage(7_000), first, null)
    for (const other of [{ messages: [said('user', '1234567890'.repeat(2_000)), ...next.messages.slice(1)] }, { system: 'You rest.' }, { tools: [] }, { answer: { name: 'answer', schema: {} } }, { messages: [] }]) {
      expect(inputTokensAtMost({ ...next, ...other }, counted)).toBe(inputTokensAtMost({ ...next, ...other }))
    }
  })
})
