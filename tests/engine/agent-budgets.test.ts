// Tokens and money of conversations: what is set aside before a question, what counts after it, and what happens at the limits.
import { describe, expect, test } from 'vitest'
import type { LostAttempt } from '#model/chat.ts'
import type { RunEvent } from '#model/event.ts'
import type { Plan, PlanAgent, PlanLimits, PlanModel } from '#model/plan.ts'
import type { Budget } from '#interpreter/engine/budget.ts'
import type { State } from '#interpreter/engine/state.ts'
import { inputTokensAtMost } from '#interpreter/engine/talk/size.ts'
import { local, node, plan, task, value, workflow, sub } from './plan-builder.ts'
import { agent, byAgent, model, modelFails, reply, says, TalkWorld, type TalkWorldOptions } from './talk-world.ts'

const items = (count: number): number[] => Array.from({ length: count }, (_, n) => n)
const fanOut = (count: number, limits: PlanLimits, of: Partial<PlanAgent> = {}, of2: Partial<PlanModel> = {}, more: Partial<Plan> = {}): Plan =>
  plan(
    { main: workflow([task('t', byAgent({ op: 'template', parts: ['About ', local('i')] }), { forEach: { item: 'i', list: value(items(count)), width: null }, onFailure: { kind: 'continue' } })], node(0), { limits }) },
    { agents: ['a'], agentBodies: { a: agent(of) }, models: { m: model({ answerTokens: 1_000, ...of2 }) }, ...more },
  )
const run = (options: TalkWorldOptions): TalkWorld => new TalkWorld(options).run()
const answer = (input: number, output: number): ReturnType<typeof says> => reply([{ kind: 'text', text: 'x' }], 'done', { input, output })
const draws = (seed: number): ((count: number) => number) => {
  let at = seed
  return count => (at = (at * 1_103_515_245 + 12_345) % 2 ** 31) % count
}
const budgetsOf = (state: State): { tokens: Budget | null; cost: Budget | null } => state.scopes[0]?.budgets ?? { tokens: null, cost: null }

/** Never more used and set aside than the limit, for all that a model can answer within its bounds. */
function watch(problems: string[]): NonNullable<TalkWorldOptions['onEvent']> {
  return (_: RunEvent, state) => {
    for (const { budgets } of [...state.scopes, ...state.talks.values()]) {
      for (const first of [budgets.tokens, budgets.cost]) {
        for (let at = first; at !== null; at = at.parent) if (at.used + at.reserved > at.limit || at.reserved < 0) problems.push(`${at.used} + ${at.reserved} > ${at.limit}`)
      }
    }
  }
}

describe('under fan-out', () => {
  test.each(items(40))('what is spent and set aside together is never more than the limit of tokens, whatever is answered when (seed %i)', seed => {
    const problems: string[] = []
    const draw = draws(seed + 1)
    const options: TalkWorldOptions = {
      plan: fanOut(30, { tokens: 12_000 }), draw, onEvent: watch(problems),
      model: ({ request }) => (draw(10) === 0 ? modelFails('overloaded', false) : answer(draw(inputTokensAtMost(request) + 1), draw(request.maxTokens + 1))),
    }
    const world = run(options)
    expect(problems).toEqual([])
    expect(world.state.usage.tokens).toBeLessThanOrEqual(12_000)
    expect(world.state.isFinished || world.state.stop?.reason === 'limit').toBe(true)
    expect(budgetsOf(world.state).tokens).toMatchObject({ reserved: 0 })
  })

  test.each(items(20))('and of money, at the dearest price of the chain (seed %i)', seed => {
    const problems: string[] = []
    const draw = draws(seed + 1)
    const models = { m: model({ answerTokens: 1_000, fallback: 'dear', price: { inputMicros: 1_000_000, outputMicros: 5_000_000 } }), dear: model({ price: { inputMicros: 3_000_000, outputMicros: 15_000_000 } }) }
    const world = run({
      plan: fanOut(30, { costMicros: 90_000 }, {}, {}, { models }), draw, onEvent: watch(problems),
      model: ({ request }) => reply([{ kind: 'text', text: 'x' }], 'done', { input: 0, cacheWrite: draw(inputTokensAtMost(request) + 1), output: draw(request.maxTokens + 1) }, draw(2) === 0 ? 'm' : 'dear'),
    })
    expect(problems).toEqual([])
    expect(world.state.usage.costMicros).toBeLessThanOrEqual(90_000)
    expect(world.state.usage.costMicros).toBeGreaterThan(0)
  })

  test('all of them are asked where their answers turn out short: they wait for each other, no more', () => {
    const world = run({ plan: fanOut(20, { tokens: 5_000 }), model: () => answer(50, 50) })
    expect(world.state.isFinished).toBe(true)
    expect(world.state.usage.tokens).toBe(2_000)
  })

  test('killed at random, the limit holds as well: what was asked and never answered counts as if it had cost all it might', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const problems: string[] = []
      const draw = draws(seed)
      let spent = 0
      const world = run({
        plan: fanOut(12, { tokens: 20_000 }), draw, onEvent: watch(problems), killAfter: process => (process < 6 ? 12 + draw(20) : Infinity),
        model: ({ request }) => {
          const [input, output] = [draw(inputTokensAtMost(request) + 1), draw(request.maxTokens + 1)]
          spent += input + output
          return answer(input, output)
        },
      })
      expect(problems).toEqual([])
      expect(spent).toBeLessThanOrEqual(20_000)
      expect(world.processes).toBeGreaterThan(1)
    }
  })
})

describe('at a limit', () => {
  test('of a workflow, the run stops once what is under way has ended, and says where', () => {
    const world = run({ plan: fanOut(8, { tokens: 6_000 }), model: ({ request }) => answer(100, request.maxTokens) })
    expect(world.state.stop).toEqual({ reason: 'limit', detail: expect.stringMatching(/^`t\[\d\]` goes beyond the limit of 6,000 tokens in `main`\.$/), isFinal: true })
    expect(world.state.talks.size).toBeGreaterThan(0)
    for (const talk of world.state.talks.values()) expect(talk.open).toBeNull()
    const before = world.asked.length
    expect(world.run().state.stop).toMatchObject({ reason: 'limit' }) // going on stops again at once
    expect(world.asked.length).toBe(before)
  })

  test('the last answer is as long as what is left allows', () => {
    const seen: number[] = []
    const world = run({
      plan: fanOut(2, { tokens: 2_600, parallel: 1 }),
      model({ request }) {
        seen.push(request.maxTokens)
        return answer(600, 500)
      },
    })
    expect(world.state.isFinished).toBe(true)
    expect(seen[0]).toBe(1_000)
    expect(seen[1]).toBeLessThan(1_000)
    expect(seen[1]).toBeGreaterThanOrEqual(256)
  })

  test('of the agent itself, its task fails; the others go on', () => {
    const world = run({ plan: fanOut(3, {}, { limits: { tokens: 700 } }), model: () => answer(1, 1) })
    expect(world.value).toEqual([null, null, null])
    expect(world.state.failures.get(2)).toMatchObject({ code: 'agent/tokens-used-up', message: 'The agent used up its limit of 700 tokens: what is left is too little for another question.', task: 't[0]' })
    expect(world.asked).toEqual([])
    expect(run({ plan: fanOut(1, {}, { limits: { costMicros: 10 } }, { price: { inputMicros: 3_000_000, outputMicros: 15_000_000 } }), model: () => answer(1, 1) }).state.failures.get(2)).toMatchObject({ code: 'agent/cost-used-up', message: expect.stringContaining('$0.00001') })
  })

  test('of a workflow inside another both hold', () => {
    const inner = workflow([task('t', byAgent(value('x')))], node(0), { limits: { tokens: 50_000 } })
    const outer = (tokens: number): Plan => plan({ main: workflow([task('s', sub('inner'))], node(0), { limits: { tokens } }), inner }, { agents: ['a'], agentBodies: { a: agent() }, models: { m: model() } })
    expect(run({ plan: outer(100_000), model: () => answer(10, 10) }).state.scopes.map(each => each.budgets.tokens!.used)).toEqual([20, 20])
    expect(run({ plan: outer(500), model: () => answer(10, 10) }).state.stop?.detail).toBe('`s/t` goes beyond the limit of 500 tokens in `main`.')
  })

  test('of money, a model without a price is not asked', () => {
    const world = run({ plan: fanOut(1, { costMicros: 1_000_000 }), model: () => answer(1, 1) })
    expect(world.state.failures.get(2)).toMatchObject({ code: 'agent/no-price', message: expect.stringContaining('`main`') })
    const chained = { m: model({ fallback: 'n', price: { inputMicros: 1, outputMicros: 1 } }), n: model() }
    expect(run({ plan: fanOut(1, { costMicros: 1_000_000 }, {}, {}, { models: chained }), model: () => answer(1, 1) }).state.failures.get(2)?.message).toContain('What `n` costs')
  })
})

describe('what counts', () => {
  const lost = (...codes: LostAttempt['code'][]): LostAttempt[] => codes.map(code => ({ model: 'm', code, message: code }))
  const usedWith = (attempts: readonly LostAttempt[], fails: boolean): number => {
    const world = run({ plan: fanOut(1, { tokens: 1_000_000 }), model: () => ({ ...(fails ? modelFails('overloaded', true) : answer(10, 10)), lost: attempts }) })
    return budgetsOf(world.state).tokens!.used
  }

  test('an answer counts as what it cost; attempts that nobody is billed for do not count, those that may be paid for do', () => {
    expect(usedWith([], false)).toBe(20)
    expect(usedWith(lost('rate-limited', 'overloaded', 'server'), false)).toBe(20)
    expect(usedWith(lost('overloaded'), true)).toBe(0)
    const one = usedWith(lost('cut-off'), true)
    expect(one).toBeGreaterThan(1_000)
    expect(usedWith(lost('cut-off', 'overloaded', 'timed-out'), false)).toBe(20 + 2 * one)
  })

  test('a question is never larger than what is reckoned for it: two bytes a token, in any script', () => {
    const request = (system: string): Parameters<typeof inputTokensAtMost>[0] => ({ system, messages: [], tools: [], maxTokens: 1 })
    const base = inputTokensAtMost(request(''))
    for (const text of ['plain words', 'größer', '数据', '😀😀']) expect(inputTokensAtMost(request(text.repeat(100))) - base).toBe(Math.ceil(Buffer.byteLength(text) * 100 / 2))
    for (const [text, tokens] of [['1234567890', 10], ['3.14159, ', 3 + 6], ['dGhpcyBpcyBub3QgYSB3b3JkIGF0IGFsbA== ', 36]] as const) expect(inputTokensAtMost(request(text.repeat(100))) - base, text).toBeGreaterThanOrEqual(100 * (tokens - 2))
  })
})
