// Lives: agents that remember, mend what does not hold, and are steered, in programs drawn from a seed: killed at random they come to the same, threads included; two
// runs of one thread lose and double nothing.
import { describe, expect, test } from 'vitest'
import { sha256 } from '#base/hash.ts'
import type { Plan, PlanAgent, PlanExpr, PlanNode } from '#model/plan.ts'
import { tokensToKeep } from '#interpreter/engine/memory.ts'
import { pathOf } from '#interpreter/engine/path.ts'
import { initialState, type State } from '#interpreter/engine/state.ts'
import { phase } from '#interpreter/engine/tasks.ts'
import { transition } from '#interpreter/engine/transition.ts'
import { MemoryThreads } from '#interpreter/journal/memory-threads.ts'
import { recordOf, stringType } from '#types/construct.ts'
import { list, local, node, plan, task, value, workflow } from '../engine/plan-builder.ts'
import { agent, byAgent, model, modelFails, reply, says, TalkWorld, type TalkWorldOptions, tool, uses } from '../engine/talk-world.ts'
import { random } from '../compiler/random-programs.ts'

const SEEDS = 60
const agents = ['a', 'b'] as const
/** Holds for an answer that does not end in `?`. */
const isSure: PlanExpr = { op: 'not', value: { op: 'prelude', fn: 'contains', args: [local('answer'), value('?')] } }

function draw(seed: number): Plan {
  const next = random(seed)
  const maybe = <What extends object>(share: number, what: What): Partial<What> => (next() < share ? what : {})
  const memoryOf = (name: string): PlanAgent['memory'] => {
    const bounds = { ...maybe(0.9, { keepTokens: 60 + Math.floor(next() * 200) }), ...maybe(0.7, { summarises: true as const }) }
    return next() < 0.6 ? { kind: 'thread', name: value(next() < 0.5 ? 'shared' : name), ...bounds } : { kind: 'run', ...bounds }
  }
  const nodes = Array.from({ length: 2 + Math.floor(next() * 5) }, (_, at): PlanNode => task(`t${at}`, byAgent(value(`Question ${at}.`), agents[next() < 0.6 ? 0 : 1]), {
    type: stringType, dependsOn: at === 0 ? [] : [at - 1], retry: next() < 0.5 ? { count: 2, fromMs: 0, toMs: 0 } : null,
    onFailure: { kind: 'use', value: value('none') }, verify: next() < 0.2 ? { runs: 2, agree: 1, upTo: null, key: null } : null, ...maybe(0.5, { ensure: [{ condition: isSure, says: value('it is sure') }] }),
  }))
  return plan({ main: workflow(nodes, list(...nodes.map((_, at) => node(at)))) }, {
    agents, models: { m: model({ contextTokens: next() < 0.3 ? 12_000 : null }) },
    agentBodies: Object.fromEntries(agents.map(name => [name, agent({ name, memory: memoryOf(name), tools: [tool('look', recordOf({ at: stringType }), { isUntrusted: next() < 0.5 })], ...maybe(0.3, { limits: { failures: 1 } }) })])),
  })
}

/** Whatever a model is shown decides what it answers. */
function answering(seed: number): Pick<TalkWorldOptions, 'model' | 'tool'> {
  return {
    model({ request }, { turn, attempt, path }) {
      const drawn = parseInt(sha256(`${seed} ${path} ${attempt} ${turn} ${JSON.stringify(request.messages)}`).slice(0, 4), 16) / 0xffff
      if (turn === 0) return drawn < 0.2 ? reply([], 'refusal') : says(`In short, ${request.messages.length}: ${sha256(JSON.stringify(request.messages)).slice(0, 6)}`)
      if (drawn < 0.08) return modelFails(drawn < 0.04 ? 'no-key' : 'overloaded', drawn >= 0.04)
      if (drawn < 0.3) return uses(['look', { at: `${turn}` }])
      return says(`${'word '.repeat(Math.floor(drawn * 40))}${request.messages.length}${drawn < 0.8 ? '?' : '.'}`)
    },
    tool: (_, input) => ({ kind: 'value', value: `seen ${String(input['at'])} ${'x'.repeat(200)}` }),
  }
}

const threadsOf = (threads: MemoryThreads): unknown => threads.list().map(({ name }) => name).sort().map(name => [name, threads.entries(name).map(({ prompt, between, answer, isUntrusted }) => [prompt, between, answer, isUntrusted])])

/** Tasks that agents with a thread brought to a value. */
function doneByThreads(state: State): string[] {
  const found: string[] = []
  for (let task = 1; task < state.tasks.size; task++) {
    const { body } = state.nodeOf(task)
    if (body.kind === 'agent' && state.plan.agentBodies![body.agent]!.memory.kind === 'thread' && state.tasks.phase[task] === phase.done) found.push(pathOf(state, task))
  }
  return found
}

describe.each(Array.from({ length: SEEDS }, (_, at) => at + 1))('seed %i', seed => {
  const options = { plan: draw(seed), ...answering(seed) }

  test('killed at random, it comes to the same, and so do its threads; its record is folded the same each time', () => {
    const whole = new TalkWorld(options).run()
    expect(whole.outcome?.kind).toBe('value')
    const next = random(seed * 7)
    for (let round = 0; round < 4; round++) {
      const killed = new TalkWorld({ ...options, killAfter: () => 3 + Math.floor(next() * 9) }).run()
      expect([killed.value, threadsOf(killed.threads)]).toEqual([whole.value, threadsOf(whole.threads)])
      expect([...killed.state.memories]).toEqual([...whole.state.memories])
      const again = initialState(options.plan, { parallel: 1, cpu: 1, memoryBytes: 1e9 })
      for (const event of killed.events) transition(again, event)
      expect([again.outcome, [...again.memories]]).toEqual([killed.outcome, [...killed.state.memories]])
    }
  })

  test('no conversation is reminded of more than its agent keeps', () => {
    new TalkWorld({ ...options, model(question, at) {
      const { memory } = options.plan.agentBodies![question.agent]!
      const before = question.request.messages.slice(0, question.request.messages.findIndex(each => JSON.stringify(each).includes('Question') && !JSON.stringify(each).includes('What tools gave')))
      if (at.turn === 1 && memory.kind !== 'none') expect(JSON.stringify(before.map(each => each.content[0])).length / 4).toBeLessThan(tokensToKeep(memory) + 200)
      return options.model(question, at)
    } }).run()
  })

  test('two runs of the same threads, one cut off while the other lives: every conversation is there once, or in a summary', () => {
    const threads = new MemoryThreads()
    const first = new TalkWorld({ ...options, threads, runId: 'one', killAfter: process => (process === 0 ? 8 : Infinity) })
    const added = new Set<string>()
    const add = threads.add.bind(threads)
    threads.add = kept => (added.add(kept.key), add(kept))
    const second = new TalkWorld({ ...options, threads, runId: 'two', onEvent: event => event.kind === 'recalled' && first.processes === 0 && void first.run() })
    second.run()
    if (first.processes === 0) first.run()
    const wanted = [first, second].flatMap(({ state }) => doneByThreads(state).map(each => `${state.runId}/${each}/`))
    expect([...added].filter(each => !each.endsWith('/summary')).map(each => each.replace(/\d+$/, '')).sort()).toEqual(wanted.sort())
    expect([first.outcome?.kind, second.outcome?.kind]).toEqual(['value', 'value'])
    for (const { name } of threads.list()) {
      const from = threads.read(name)!.entries.map(each => each.from)
      expect(new Set(from).size).toBe(from.length)
      const seqs = threads.entries(name).map(each => each.seq)
      expect(seqs).toEqual([...seqs].sort((a, b) => a - b))
      expect(threads.entries(name).slice(1).every(each => each.prompt !== null), 'one summary at most, in the first place').toBe(true)
    }
  })
})

test('the seeds show what they are for', () => {
  const seen = { summaries: 0, recalled: 0, repairs: 0, missed: 0, givenUp: 0 }
  for (let seed = 1; seed <= SEEDS; seed++) {
    const world = new TalkWorld({ plan: draw(seed), ...answering(seed) }).run()
    for (const event of world.events) {
      if (event.kind === 'model-answered' && event.turn === 0) seen.summaries++
      if (event.kind === 'recalled' && event.entries.length > 0) seen.recalled++
      if (event.kind === 'evaluated' && event.part === 'ensure' && event.outcome.kind === 'value' && event.outcome.value !== null) seen.repairs++
    }
    for (const { code } of world.state.failures.values()) {
      if (code === 'agent/objective-missed') seen.missed++
      if (code === 'agent/given-up') seen.givenUp++
    }
  }
  expect(Object.entries(seen).filter(([, count]) => count < 3)).toEqual([])
})
