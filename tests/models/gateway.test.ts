// The gateway on a virtual clock: attempts and waits, fallbacks, turns, pauses and the circuit breaker.
import { describe, expect, test } from 'vitest'
import { Endpoint, MAX_WAITING } from '#interpreter/gateway/endpoint.ts'
import { askModels, MAX_TRIES, type GatewayAsk, type GatewayModel } from '#interpreter/gateway/gateway.ts'
import type { ChatFailureCode, ChatReply, ChatRequest } from '#model/chat.ts'
import { noUsage } from '#model/chat.ts'
import { ModelFailure, type ModelContext } from '#plugin-api/model-provider.ts'
import { virtualClock, type VirtualClock } from './virtual-clock.ts'

type Step = 'ok' | 'hang' | ChatFailureCode | { readonly code: ChatFailureCode; readonly retryAfterMs: number } | { readonly takesMs: number }

const four = (model: string): ChatReply => ({ content: [{ kind: 'text', text: 'four' }], stop: 'done', usage: noUsage, model })

/** A model that behaves as told, step by step, and then answers. */
function scripted(key: string, clock: VirtualClock, steps: readonly Step[] = [], places?: number, endpoint = new Endpoint(key, clock, places)) {
  const left = [...steps]
  const seen: { readonly atMs: number; readonly request: ChatRequest }[] = []
  let atOnce = 0
  let most = 0
  const gatewayModel: GatewayModel = {
    key, name: `${key}-of-there`, endpoint,
    model: {
      abilities: { images: false, tools: true, schemas: false, contextTokens: null }, hosts: [],
      async ask(request: ChatRequest, { signal, onDelta }: ModelContext) {
        seen.push({ atMs: clock.monotonic(), request })
        most = Math.max(most, ++atOnce)
        try {
          const step = left.shift() ?? 'ok'
          if (step === 'hang') await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new ModelFailure('cancelled', 'given up'))))
          if (typeof step === 'object' && 'takesMs' in step) await clock.sleep(step.takesMs, signal)
          else if (typeof step === 'object') throw new ModelFailure(step.code, step.code, { retryAfterMs: step.retryAfterMs })
          else if (step !== 'ok' && step !== 'hang') throw new ModelFailure(step, step)
          onDelta({ kind: 'text', text: 'four' })
          return four(key)
        } finally {
          atOnce--
        }
      },
    },
  }
  return { ...gatewayModel, seen, most: () => most }
}

const asking = (chain: readonly GatewayModel[], more: Partial<GatewayAsk> = {}): GatewayAsk => ({
  chain, request: { system: '', messages: [], tools: [], maxTokens: 10 }, agent: 'reviewer', deadlineMs: 3_600_000, signal: new AbortController().signal,
  contextFor: async () => ({ fetch, key: null, firstByteMs: 1_000, idleMs: 1_000 }), onDelta: () => {}, onRestart: () => {}, ...more,
})

describe('one model', () => {
  test('what may pass is tried again after waits that double, and told', async () => {
    const clock = virtualClock()
    const model = scripted('smart', clock, ['overloaded', 'cut-off', 'server'])
    let restarts = 0
    const answer = await clock.during(askModels(asking([model], { onRestart: () => void restarts++ }), clock))
    expect(answer).toMatchObject({ kind: 'reply', model: 'smart', lost: [{ code: 'overloaded' }, { code: 'cut-off' }, { code: 'server' }] })
    expect(model.seen.map(each => each.atMs)).toEqual([0, 250, 750, 1_750])
    expect(restarts).toBe(3)
  })

  test('it is not tried for ever, and not at all for what will not pass', async () => {
    const clock = virtualClock()
    const tired = scripted('tired', clock, Array.from({ length: 20 }, () => 'cut-off' as const))
    expect(await clock.during(askModels(asking([tired]), clock))).toMatchObject({ kind: 'failure', code: 'cut-off' })
    expect(tired.seen.length).toBe(MAX_TRIES)
    for (const code of ['quota', 'no-key', 'unknown-model', 'bad-request', 'context-full', 'bad-answer'] as const) {
      const model = scripted('m', clock, [code])
      expect(await clock.during(askModels(asking([model]), clock))).toMatchObject({ kind: 'failure', code })
      expect(model.seen.length).toBe(1)
    }
  })

  test('a server that asks to wait is left alone by everybody until then', async () => {
    const clock = virtualClock()
    const model = scripted('smart', clock, [{ code: 'rate-limited', retryAfterMs: 7_000 }])
    const first = askModels(asking([model]), clock)
    await new Promise(resolve => setImmediate(resolve))
    const others = Array.from({ length: 3 }, (_, n) => askModels(asking([model], { agent: `agent ${n}` }), clock))
    await clock.during(Promise.all([first, ...others]))
    const [before, ...after] = model.seen.map(each => each.atMs)
    expect(before).toBe(0)
    expect(Math.min(...after)).toBeGreaterThanOrEqual(7_000)
    expect(after.length).toBe(4)
  })

  test('never more at once than it has places for; fewer after being told too often, and more again later', async () => {
    const clock = virtualClock()
    const model = scripted('smart', clock, Array.from({ length: 40 }, () => ({ takesMs: 100 })), 4)
    await clock.during(Promise.all(Array.from({ length: 40 }, () => askModels(asking([model]), clock))))
    expect(model.most()).toBe(4)
    const narrow = scripted('narrow', clock, [{ code: 'rate-limited', retryAfterMs: 10 }, ...Array.from({ length: 60 }, () => ({ takesMs: 100 }))], 4)
    await clock.during(askModels(asking([narrow]), clock))
    const began = narrow.seen.length
    await clock.during(Promise.all(Array.from({ length: 8 }, () => askModels(asking([narrow]), clock))))
    const starts = narrow.seen.slice(began).map(each => each.atMs)
    expect(starts.filter(at => at === starts[0]).length).toBe(2)
    await clock.during(Promise.all(Array.from({ length: 40 }, () => askModels(asking([narrow]), clock))))
    expect(narrow.most()).toBe(4)
  })

  test('a program bounds how many are asked at once, and in a minute; of several who share a server, the narrower bound holds', async () => {
    const clock = virtualClock()
    const model = scripted('smart', clock, Array.from({ length: 12 }, () => ({ takesMs: 10 })))
    model.endpoint.bound({ places: 20 })
    model.endpoint.bound({ places: 3, perMinute: 4 })
    model.endpoint.bound({ places: 5, perMinute: 100 })
    await clock.during(Promise.all(Array.from({ length: 12 }, () => askModels(asking([model]), clock))))
    const at = model.seen.map(each => each.atMs)
    expect(model.most()).toBe(3)
    at.forEach((begun, index) => expect(begun - (at[index - 4] ?? -Infinity)).toBeGreaterThanOrEqual(60_000))
    expect(at.at(-1)).toBeLessThan(130_000) // and no slower than that
    const wide = scripted('wide', clock, Array.from({ length: 30 }, () => ({ takesMs: 10 })))
    wide.endpoint.bound({ places: 20 })
    await clock.during(Promise.all(Array.from({ length: 30 }, () => askModels(asking([wide]), clock))))
    expect(wide.most()).toBe(20)
  })

  test('an agent that may ask only so often waits, whatever it asks, and holds no place meanwhile', async () => {
    const clock = virtualClock()
    const [smart, local] = [scripted('smart', clock, [], 1), scripted('local', clock, [], 1)]
    const pace = new Endpoint('slow', clock, Infinity)
    pace.bound({ perMinute: 2 })
    const slow = Array.from({ length: 5 }, (_, n) => askModels(asking([n % 2 === 0 ? smart : local], { agent: 'slow', pace }), clock))
    const quick = Array.from({ length: 5 }, () => askModels(asking([smart], { agent: 'quick' }), clock))
    await clock.during(Promise.all([...slow, ...quick]))
    expect([...smart.seen, ...local.seen].map(each => each.atMs).sort((a, b) => a - b)).toEqual([0, 0, 0, 0, 0, 0, 0, 60_000, 60_000, 120_000])
    const abort = new AbortController()
    await askModels(asking([smart], { agent: 'slow', pace }), clock)
    const given = askModels(asking([smart], { agent: 'slow', pace, signal: abort.signal }), clock)
    await new Promise(resolve => setImmediate(resolve))
    abort.abort()
    expect(await given).toMatchObject({ kind: 'failure', code: 'cancelled' })
  })

  test('an attempt that is made again counts too', async () => {
    const clock = virtualClock()
    const model = scripted('smart', clock, ['overloaded', 'overloaded'])
    model.endpoint.bound({ perMinute: 2 })
    await clock.during(askModels(asking([model]), clock))
    expect(model.seen.map(each => each.atMs)).toEqual([0, 250, 60_000])
  })

  test('agents take turns', async () => {
    const clock = virtualClock()
    const model = scripted('smart', clock, Array.from({ length: 9 }, () => ({ takesMs: 10 })), 1)
    const order: string[] = []
    const one = (agent: string) => askModels(asking([model], { agent, contextFor: async () => (order.push(agent), { fetch, key: null, firstByteMs: 1, idleMs: 1 }) }), clock)
    await clock.during(Promise.all([one('a'), one('a'), one('a'), one('a'), one('b'), one('c'), one('b')]))
    expect(order).toEqual(['a', 'b', 'c', 'a', 'b', 'a', 'a'])
  })

  test('the deadline ends it, in the middle of an answer as in a queue; giving up as well', async () => {
    const clock = virtualClock()
    const stuck = scripted('stuck', clock, ['hang', 'hang'], 1)
    const [first, second] = [askModels(asking([stuck], { deadlineMs: 5_000 }), clock), askModels(asking([stuck], { deadlineMs: 2_000 }), clock)]
    expect(await clock.during(second)).toMatchObject({ kind: 'failure', code: 'timed-out' })
    expect(clock.monotonic()).toBe(2_000)
    expect(await clock.during(first)).toMatchObject({ kind: 'failure', code: 'timed-out' })
    expect(clock.monotonic()).toBe(5_000)
    const abort = new AbortController()
    const given = askModels(asking([scripted('other', clock, ['hang'])], { signal: abort.signal }), clock)
    await new Promise(resolve => setImmediate(resolve))
    abort.abort()
    expect(await given).toMatchObject({ kind: 'failure', code: 'cancelled' })
  })

  test('the one too many in the queue is told at once', async () => {
    const clock = virtualClock()
    const endpoint = new Endpoint('full', clock, 1)
    const never = new AbortController().signal
    await endpoint.begin('a', never)
    for (let n = 0; n < MAX_WAITING; n++) void endpoint.begin('a', never)
    expect(await endpoint.begin('a', never)).toBe('full')
  })
})

test('a server that stays away holds nobody up: who waits and who comes is told at once', async () => {
  const clock = virtualClock()
  const gone = scripted('gone', clock, Array.from({ length: 1_000 }, () => 'network' as const), 4)
  const answers = await clock.during(Promise.all(Array.from({ length: 20 }, () => askModels(asking([gone]), clock))))
  for (const each of answers) expect(each).toMatchObject({ kind: 'failure', code: 'network' })
  expect(clock.monotonic()).toBeLessThan(30_000)
  const before = gone.seen.length
  expect(await clock.during(askModels(asking([gone]), clock))).toMatchObject({ message: expect.stringContaining('left alone') })
  expect(gone.seen.length).toBe(before)
})

describe('a chain', () => {
  test('the next is asked when one cannot answer, and it is said which did', async () => {
    const clock = virtualClock()
    const [smart, local] = [scripted('smart', clock, ['quota']), scripted('local', clock)]
    expect(await clock.during(askModels(asking([smart, local]), clock))).toMatchObject({ kind: 'reply', model: 'local', lost: [{ model: 'smart', code: 'quota' }] })
    expect(local.seen[0]!.request.model).toBe('local-of-there')
  })

  test('a model that has no place for tools or images is not asked; where there is no other, it is said', async () => {
    const clock = virtualClock()
    const [plain, smart] = [scripted('plain', clock), scripted('smart', clock)]
    const without = { ...plain, model: { ...plain.model, abilities: { ...plain.model.abilities, tools: false } } }
    const request = { system: '', messages: [], tools: [{ name: 'look', description: '', input: {} }], maxTokens: 10 }
    expect(await clock.during(askModels(asking([without, smart], { request }), clock))).toMatchObject({ kind: 'reply', model: 'smart', lost: [{ model: 'plain', code: 'bad-request' }] })
    expect(await clock.during(askModels(asking([without], { request }), clock))).toMatchObject({ kind: 'failure', code: 'bad-request', message: expect.stringContaining('`plain` takes no tools') })
    expect(await clock.during(askModels(asking([without]), clock))).toMatchObject({ kind: 'reply', model: 'plain' })
    const image = [{ kind: 'image', mediaType: 'image/png', data: '' }] as const
    const shown = { ...request, tools: [], messages: [{ role: 'user', content: [{ kind: 'tool-result', id: 'c', isError: false, content: image }] }] } as const
    expect(await clock.during(askModels(asking([smart], { request: shown }), clock))).toMatchObject({ kind: 'failure', message: expect.stringContaining('takes no images') })
    expect(plain.seen.length).toBe(1)
  })

  test('what no model would take is asked of no other', async () => {
    const clock = virtualClock()
    const [smart, local] = [scripted('smart', clock, ['bad-request']), scripted('local', clock)]
    expect(await clock.during(askModels(asking([smart, local]), clock))).toMatchObject({ kind: 'failure', code: 'bad-request' })
    expect(local.seen.length).toBe(0)
  })

  test('a long pause sends to the next at once; the last of the chain waits it out', async () => {
    const clock = virtualClock()
    const [smart, local] = [scripted('smart', clock, [{ code: 'rate-limited', retryAfterMs: 60_000 }]), scripted('local', clock)]
    expect(await clock.during(askModels(asking([smart, local]), clock))).toMatchObject({ model: 'local' })
    expect(clock.monotonic()).toBe(0)
    expect(await clock.during(askModels(asking([smart, local]), clock))).toMatchObject({ model: 'local', lost: [] })
    const alone = scripted('alone', clock, [{ code: 'rate-limited', retryAfterMs: 60_000 }])
    expect(await clock.during(askModels(asking([alone]), clock))).toMatchObject({ model: 'alone' })
    expect(clock.monotonic()).toBe(60_000)
  })

  test('a broken model is passed over, probed by one after a while, and asked by all again when it answers', async () => {
    const clock = virtualClock()
    const broken = scripted('broken', clock, Array.from({ length: 5 }, () => 'network' as const))
    const local = scripted('local', clock)
    await clock.during(askModels(asking([broken, local]), clock))
    expect(broken.endpoint.isBroken).toBe(true)
    const before = broken.seen.length
    await clock.during(Promise.all(Array.from({ length: 5 }, () => askModels(asking([broken, local]), clock))))
    expect(broken.seen.length).toBe(before)
    await clock.during(clock.sleep(6_000, new AbortController().signal))
    await clock.during(Promise.all(Array.from({ length: 5 }, () => askModels(asking([broken]), clock))))
    expect(broken.endpoint.isBroken).toBe(false)
    expect(broken.seen.length).toBe(before + 5)
  })

  test('after a break one asks alone, and a failure of that one lengthens the break', async () => {
    const clock = virtualClock()
    const model = scripted('m', clock, [...Array.from({ length: 5 }, () => 'network' as const), 'network', { takesMs: 50 }])
    await clock.during(askModels(asking([model]), clock))
    const began = model.seen.length
    await clock.during(Promise.all(Array.from({ length: 3 }, () => askModels(asking([model]), clock))))
    const at = model.seen.slice(began).map(each => each.atMs)
    expect(at[1]! - at[0]!).toBeGreaterThanOrEqual(10_000) // twice the first break
    expect(at[2]! - at[1]!).toBeGreaterThanOrEqual(50) // the others waited for what came of it
  })
})
