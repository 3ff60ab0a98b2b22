// The models of a plan: opened once by their provider, with the real libraries, against servers on this machine; and what a test says in their place.
import { setMaxListeners } from 'node:events'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { nodeHost } from '#host/node-host.ts'
import type { ModelOutcome } from '#model/event.ts'
import type { Plan, PlanModel } from '#model/plan.ts'
import { ModelFailure } from '#plugin-api/model-provider.ts'
import { OpenModels, type Question } from '#interpreter/gateway/models.ts'
import { modelsOf } from '#interpreter/run-models.ts'
import { ScriptedModels } from '#interpreter/gateway/scripted.ts'
import { providers } from '../../stdlib/models/providers.ts'
import { anthropicProtocol } from './anthropic-protocol.ts'
import { until } from './contract.ts'
import { openaiProtocol } from './openai-protocol.ts'
import { serveProtocol, type ProtocolServer } from './protocol-server.ts'

let claude: ProtocolServer
let local: ProtocolServer
beforeAll(async () => {
  claude = await serveProtocol(anthropicProtocol)
  local = await serveProtocol(openaiProtocol)
})
afterAll(() => Promise.all([claude.close(), local.close()]))

const declared = (provider: string, baseUrl: string, more: Partial<PlanModel> = {}): PlanModel => ({
  provider, model: 'model-of-here', options: { baseUrl: { op: 'value', value: baseUrl } }, key: null, fallback: null, price: null, contextTokens: null, answerTokens: null, timeoutMs: null, ...more,
})
const planWith = (models: Record<string, PlanModel>): Plan => ({ models, constants: [], prompts: {} }) as unknown as Plan
const host = nodeHost({ cwd: '.' })
const timers = { set: (ms: number, fire: () => void) => { const timer = setTimeout(fire, ms); return () => clearTimeout(timer) } }

function opened(models: Record<string, PlanModel>): OpenModels {
  const toolRunner = { pure: () => null, call: () => Promise.reject(new Error('no tool')), threadModule: () => null, close: async () => {} }
  const made = modelsOf({ plan: planWith(models), host, timers, toolRunner, constants: new Map(), modelProvider: async name => providers[name] ?? null, given: undefined })
  return made as OpenModels
}

const question = (chain: readonly string[], more: Partial<Question> = {}): Question => ({
  chain, agent: 'reviewer', request: { system: 'Be terse.', messages: [{ role: 'user', content: [{ kind: 'text', text: 'What is 2 + 2?' }] }], tools: [], maxTokens: 100 },
  signal: new AbortController().signal, sending: () => {}, keyOf: async () => 'key-of-here', onDelta: () => {}, onRestart: () => {}, onNote: () => {}, ...more,
})
const four = [{ kind: 'text', text: 'four' }] as const
const codeOf = (outcome: ModelOutcome): string => (outcome.kind === 'failure' ? outcome.failure.code : outcome.kind)

describe('the models of a plan', () => {
  test('one is asked with its options and its key, which is read for the request', async () => {
    claude.next({ kind: 'reply', content: four, stop: 'done' })
    const sent: unknown[] = []
    const models = opened({ smart: declared('anthropic', claude.url, { key: 'anthropicKey' }) })
    const outcome = await models.ask(question(['smart'], { sending: (model, hosts) => void sent.push([model, hosts]), keyOf: async (model, secret) => `${model} ${secret}` }))
    expect(outcome).toMatchObject({ kind: 'reply', model: 'smart', reply: { content: four } })
    expect(sent).toEqual([['smart', [new URL(claude.url).host]]])
    expect(JSON.stringify(claude.seen.at(-1)!.headers)).toContain('smart anthropicKey')
    expect(claude.seen.at(-1)!.body).toMatchObject({ model: 'model-of-here' })
  })

  test('the next of the chain answers where one cannot, in its own words', async () => {
    claude.next({ kind: 'refuse', status: 401, type: 'authentication_error' })
    local.next({ kind: 'reply', content: four, stop: 'done' })
    const models = opened({ smart: declared('anthropic', claude.url, { key: 'k', fallback: 'near' }), near: declared('openai', `${local.url}/v1`, { options: { baseUrl: { op: 'value', value: `${local.url}/v1` }, temperature: { op: 'value', value: 0.5 } } }) })
    expect(await models.ask(question(['smart', 'near']))).toMatchObject({ kind: 'reply', model: 'near', lost: [{ model: 'smart', code: 'no-key' }] })
    expect(local.seen.at(-1)!.body).toMatchObject({ temperature: 0.5 })
  })

  test('what may not be sent is not sent', async () => {
    const before = claude.seen.length
    const refuse = (): void => { throw new ModelFailure('cancelled', 'no') }
    expect(codeOf(await opened({ smart: declared('anthropic', claude.url, { key: 'k' }) }).ask(question(['smart'], { sending: refuse })))).toBe('model/cancelled')
    const noKey = async (): Promise<string> => { throw new ModelFailure('no-key', 'no') }
    expect(codeOf(await opened({ smart: declared('anthropic', claude.url, { key: 'k' }) }).ask(question(['smart'], { keyOf: noKey })))).toBe('model/no-key')
    expect(claude.seen.length).toBe(before)
  })

  test('giving up closes the socket', async () => {
    const [left, began] = [claude.left(), claude.seen.length]
    claude.next({ kind: 'hang', content: four, pieces: 3 })
    const abort = new AbortController()
    const asked = opened({ smart: declared('anthropic', claude.url, { key: 'k' }) }).ask(question(['smart'], { signal: abort.signal }))
    await until(() => claude.seen.length > began)
    abort.abort()
    expect(codeOf(await asked)).toBe('model/cancelled')
    await until(() => claude.left() > left)
  })

  test('no more are asked at once than a program says', async () => {
    const options = { baseUrl: { op: 'value', value: `${local.url}/v1` }, parallel: { op: 'value', value: 2 } } as const
    const models = opened({ near: declared('openai', '', { options }) })
    const began = local.seen.length
    const abort = new AbortController()
    setMaxListeners(0, abort.signal)
    local.next(...Array.from({ length: 5 }, () => ({ kind: 'hang', content: four, pieces: 3 }) as const))
    const asked = Promise.all(Array.from({ length: 5 }, () => models.ask(question(['near'], { signal: abort.signal }))))
    await until(() => local.seen.length - began === 2)
    await new Promise(resolve => setTimeout(resolve, 50))
    expect(local.seen.length - began).toBe(2)
    abort.abort()
    await asked
    local.clear()
  })

  test('an agent asks no more often than its limit says', async () => {
    const slept: number[] = []
    const clock = { monotonic: () => 0, random: () => 0, sleep: (ms: number) => (slept.push(ms), ms === 60_000 ? Promise.reject(new Error('too long to wait here')) : new Promise<void>(() => {})) }
    const models = new OpenModels({ plan: planWith({ near: declared('openai', `${local.url}/v1`) }), host, clock, provider: async name => providers[name] ?? null, evaluate: (_, option) => (option.op === 'value' ? option.value : null) })
    local.next({ kind: 'reply', content: four, stop: 'done' }, { kind: 'reply', content: four, stop: 'done' })
    const abort = new AbortController()
    expect((await models.ask(question(['near'], { agent: 'slow', perMinute: 1 }))).kind).toBe('reply')
    const second = models.ask(question(['near'], { agent: 'slow', perMinute: 1, signal: abort.signal }))
    expect((await models.ask(question(['near'], { agent: 'quick' }))).kind).toBe('reply')
    await until(() => slept.includes(60_000))
    abort.abort()
    expect(codeOf(await second)).toBe('model/cancelled')
  })

  test('its `timeout` bounds all of a question', async () => {
    claude.next({ kind: 'hang', content: four, pieces: 3 }, { kind: 'hang', content: four, pieces: 3 }, { kind: 'hang', content: four, pieces: 3 })
    expect(codeOf(await opened({ smart: declared('anthropic', claude.url, { key: 'k', timeoutMs: 300 }) }).ask(question(['smart'])))).toBe('model/timed-out')
    claude.clear()
  })

  test('it reaches its own hosts alone, also by a redirect', async () => {
    const before = local.seen.length
    claude.next({ kind: 'refuse', status: 307, headers: { location: `${local.url}/v1/messages` } })
    const outcome = await opened({ smart: declared('anthropic', claude.url, { key: 'k' }) }).ask(question(['smart']))
    expect(outcome.kind).toBe('failure')
    expect(local.seen.length).toBe(before)
  })

  test('addresses of credentials are never reached, nor a public name that stands for this machine', async () => {
    const reached: string[] = []
    const asked = async (baseUrl: string, address: string): Promise<string> => {
      const stream: NonNullable<typeof host.stream> = async ({ url, mayConnect }) => {
        mayConnect?.(new URL(url).hostname, address)
        reached.push(url)
        throw new ModelFailure('unknown-model', 'reached')
      }
      const models = new OpenModels({
        plan: planWith({ near: declared('openai', baseUrl) }), host: { ...host, stream }, clock: { monotonic: () => host.monotonic(), sleep: () => new Promise(() => {}), random: () => 0 },
        provider: async name => providers[name] ?? null, evaluate: (_, option) => (option.op === 'value' ? option.value : null),
      })
      return codeOf(await models.ask(question(['near'])))
    }
    expect(await asked('http://169.254.169.254/v1', '169.254.169.254')).not.toBe('model/unknown-model')
    expect(await asked('https://models.example.com/v1', '127.0.0.1')).not.toBe('model/unknown-model')
    expect(await asked('https://models.example.com/v1', '10.0.0.7')).not.toBe('model/unknown-model')
    expect(reached).toEqual([])
    for (const [url, address] of [['http://127.0.0.1:9/v1', '127.0.0.1'], ['http://localhost:9/v1', '127.0.0.1'], ['http://10.0.0.7/v1', '10.0.0.7'], ['http://gpu.lan/v1', '10.0.0.7'], ['https://models.example.com/v1', '93.184.215.14']] as const) {
      expect(await asked(url, address), url).toBe('model/unknown-model')
    }
  })

  test('connections are kept for one server and key, and closed in the end', async () => {
    const server = await serveProtocol(openaiProtocol, () => ({ kind: 'reply', content: four, stop: 'done' }))
    const sockets: unknown[] = []
    const counting = { ...host, stream: (...[request, signal]: Parameters<NonNullable<typeof host.stream>>) => {
      if (!sockets.includes(request.connections)) sockets.push(request.connections)
      return host.stream!(request, signal)
    } }
    const declaredHere = (key: string | null): PlanModel => declared('openai', `${server.url}/v1`, { key })
    const models = new OpenModels({
      plan: planWith({ near: declaredHere('one'), twin: declaredHere('one'), other: declaredHere('another') }), host: counting,
      clock: { monotonic: () => host.monotonic(), sleep: () => new Promise(() => {}), random: () => 0 }, provider: async name => providers[name] ?? null, evaluate: (_, option) => (option.op === 'value' ? option.value : null),
    })
    for (const key of ['near', 'near', 'twin', 'other', 'other', 'near']) expect((await models.ask(question([key]))).kind, key).toBe('reply')
    expect(sockets.length).toBe(2)
    expect(sockets).not.toContain(undefined)
    await models.close()
    for (const each of sockets) expect(each).toMatchObject({ isClosed: true })
    await server.close()
  })

  test('hundreds of questions at once begin a few in a turn of the event loop', async () => {
    let inTurn = 0
    let most = 0
    const models = opened({ near: declared('openai', `${local.url}/v1`, { options: { baseUrl: { op: 'value', value: `${local.url}/v1` }, parallel: { op: 'value', value: 300 } } }) })
    const refused = () => {
      if (inTurn++ === 0) setImmediate(() => { inTurn = 0 })
      most = Math.max(most, inTurn)
      throw new ModelFailure('bad-request', 'not sent')
    }
    const outcomes = await Promise.all(Array.from({ length: 300 }, () => models.ask(question(['near'], { sending: refused }))))
    expect(outcomes.map(codeOf)).toEqual(Array(300).fill('model/bad-request'))
    expect(most).toBeLessThanOrEqual(8)
  })

  test('a provider that is not there, and options that do not fit, are said', async () => {
    expect(await opened({ tiny: declared('nobody', 'x') }).ask(question(['tiny']))).toMatchObject({ kind: 'failure', failure: { code: 'model/unknown-model', retryable: false, message: expect.stringContaining('`nobody`') } })
    expect(codeOf(await opened({ near: declared('openai', 'no address') }).ask(question(['near'])))).toBe('model/bad-request')
    for (const bound of [0, -1, 1.5, 1_001, 'many']) {
      const options = { baseUrl: { op: 'value', value: `${local.url}/v1` }, parallel: { op: 'value', value: bound } } as const
      expect(await opened({ near: declared('openai', '', { options }) }).ask(question(['near']))).toMatchObject({ failure: { code: 'model/bad-request', message: expect.stringContaining('`parallel`') } })
    }
  })
})

describe('what a test says in the place of models', () => {
  const scripted = (...replies: unknown[]) => new ScriptedModels([{ agent: 'reviewer', replies: () => replies as never }])
  const typed = { ...question(['smart']).request, answer: { name: 'answer', schema: {} } }

  test('answers, calls of tools and failures, in order', async () => {
    const models = scripted('yes', 'yes', { sum: 4 }, { tool: 'fs.read', args: { path: 'a' } }, [{ tool: 'fs.read' }, { tool: 'look' }], { fails: 'overloaded' }, { fails: 'what else' })
    const ask = async (request = question(['smart']).request) => models.ask(question(['smart'], { request }))
    expect(await ask()).toMatchObject({ kind: 'reply', model: 'smart', reply: { content: [{ kind: 'text', text: 'yes' }], stop: 'done' } })
    expect(await ask(typed)).toMatchObject({ reply: { content: [{ kind: 'text', text: '"yes"' }] } })
    expect(await ask(typed)).toMatchObject({ reply: { content: [{ kind: 'text', text: '{"sum":4}' }] } })
    expect(await ask()).toMatchObject({ reply: { content: [{ kind: 'tool-use', name: 'fs_read', input: { path: 'a' } }], stop: 'tool-use' } })
    expect(await ask()).toMatchObject({ reply: { content: [{ name: 'fs_read', input: {} }, { name: 'look', input: {} }] } })
    expect(await ask()).toMatchObject({ kind: 'failure', failure: { code: 'model/overloaded', retryable: true } })
    expect(await ask(typed)).toMatchObject({ reply: { content: [{ kind: 'text', text: '{"fails":"what else"}' }] } })
    expect(await ask()).toMatchObject({ kind: 'failure', failure: { code: 'model/no-reply', retryable: false, message: expect.stringContaining('7 replies') } })
  })

  test('an agent without replies is told apart', async () => {
    expect(await scripted('x').ask(question(['smart'], { agent: 'lead' }))).toMatchObject({ failure: { code: 'model/no-reply', help: expect.stringContaining('given lead replies') } })
  })

  test.each([
    'model/rate-limited', 'model/overloaded', 'model/network', 'model/timed-out', 'model/cut-off', 'model/server', 'model/quota', 'model/no-key', 'model/unknown-model', 'model/bad-request',
    'model/context-full', 'model/bad-answer', 'model/library-missing', 'model/cancelled',
  ])('%s can be played', async code => {
    const outcome = await scripted({ fails: code.slice('model/'.length) }).ask(question(['smart']))
    expect(outcome).toMatchObject({ kind: 'failure', failure: { code, message: expect.stringMatching(/^[A-Z].*\. \(Reply 1 of the test\.\)$/) } })
  })
})
