// The Anthropic provider, through the real SDK against a server of its protocol.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Talk } from '#interpreter/engine/talk/talk.ts'
import type { ChatBlock } from '#model/chat.ts'
import type { Type } from '#model/type.ts'
import { anthropic } from '../../stdlib/models/anthropic.ts'
import { anthropicProtocol } from './anthropic-protocol.ts'
import { asked, contextOf, contractOf, overHttp } from './contract.ts'
import { serveProtocol, type ProtocolServer } from './protocol-server.ts'

const open = (baseUrl: string) => anthropic.open('claude-of-here', { baseUrl })

contractOf({
  name: 'anthropic', backend: () => overHttp(anthropicProtocol, open), keeps: ['text', 'thinking', 'tool-use'],
  errors: {
    rateLimited: 'rate_limit_error', overloaded: 'overloaded_error', badKey: 'authentication_error', unknownModel: 'not_found_error',
    tooLong: { type: 'invalid_request_error', message: 'prompt is too long: 210000 tokens > 200000 maximum' },
  },
})

describe('anthropic', () => {
  let server: ProtocolServer
  beforeAll(async () => { server = await serveProtocol(anthropicProtocol) })
  afterAll(() => server.close())

  test('tokens are counted apart by what they cost', async () => {
    server.next({ kind: 'reply', content: [{ kind: 'text', text: 'x' }], stop: 'done', usage: { input: 3, output: 40, cacheRead: 5_000, cacheWrite: 200, thinking: 30 } })
    expect((await open(server.url).ask(asked(), contextOf())).usage).toEqual({ input: 3, output: 40, cacheRead: 5_000, cacheWrite: 200, thinking: 30 })
  })

  test('redacted thinking comes back as it was, and what repeats is marked for the cache', async () => {
    const sealed = { kind: 'thinking', text: '', sealed: 'redacted:abc' } as const
    server.next({ kind: 'reply', content: [sealed, { kind: 'text', text: 'x' }], stop: 'done' }, { kind: 'reply', content: [{ kind: 'text', text: 'x' }], stop: 'done' })
    const { content } = await open(server.url).ask(asked({ thinkingTokens: 2_000 }), contextOf())
    expect(content[0]).toEqual(sealed)
    await open(server.url).ask(asked({ messages: [...asked().messages, { role: 'assistant', content }] }), contextOf())
    const { body } = server.seen.at(-1)!
    expect(JSON.stringify(body)).toContain('{"type":"redacted_thinking","data":"abc"}')
    expect(JSON.stringify(body)).toContain('"cache_control":{"type":"ephemeral"}')
    expect(body).not.toHaveProperty('temperature') // refused by the API
  })

  test('a model up to 4.5 is given a number of tokens to think, a later one decides', async () => {
    for (const [model, thinking] of [['claude-sonnet-4-5', { type: 'enabled', budget_tokens: 2_000 }], ['claude-opus-5-5', { type: 'adaptive', display: 'summarized' }]] as const) {
      server.next({ kind: 'reply', content: [{ kind: 'text', text: 'x' }], stop: 'done' })
      await anthropic.open(model, { baseUrl: server.url }).ask(asked({ thinkingTokens: 2_000, maxTokens: 4_000 }), contextOf())
      expect(server.seen.at(-1)!.body['thinking']).toEqual(thinking)
    }
  })

  test('what the library says of a model is a note, and is not printed', async () => {
    server.next({ kind: 'reply', content: [{ kind: 'text', text: 'x' }], stop: 'done' }, { kind: 'reply', content: [{ kind: 'text', text: 'x' }], stop: 'done' })
    const [notes, printed, { warn }] = [[] as string[], [] as unknown[], console]
    console.warn = (...words) => void printed.push(words)
    try {
      await anthropic.open('claude-sonnet-4-5', { baseUrl: server.url }).ask(asked(), contextOf({ onNote: text => void notes.push(text) }))
      await open(server.url).ask(asked(), contextOf({ onNote: text => void notes.push(text) }))
    } finally {
      console.warn = warn
    }
    expect(notes).toEqual([expect.stringContaining('deprecated')])
    expect(printed).toEqual([])
  })

  test('thoughts and their seals go back unchanged with the results of the tools that they led to', async () => {
    const thought: ChatBlock = { kind: 'thinking', text: 'I should look first.', sealed: 'seal-of-1' }
    const use: ChatBlock = { kind: 'tool-use', id: 'toolu_1', name: 'look', input: { at: 'a.ts' } }
    const look = { name: 'look', description: 'Looks.', input: { kind: 'record', fields: { at: { type: { kind: 'string' }, optional: false } } } as Type, isUntrusted: false, isSink: false }
    const talk = new Talk({
      agent: 'reader', role: 'You read.', prompt: 'Read a.ts.', isPromptUntrusted: false, before: [], answer: null, maxTurns: 5, maxTokens: null, maxCostMicros: null, answerTokens: 4_000, price: null, afterUntrusted: 'refuse', tools: [look],
    })
    server.next({ kind: 'reply', content: [thought, use], stop: 'tool-use' }, { kind: 'reply', content: [{ kind: 'text', text: 'done' }], stop: 'done' })
    const ask = (step: ReturnType<Talk['begin']>) => (step.kind === 'ask' ? open(server.url).ask({ ...step.request, model: 'm', thinkingTokens: 2_000 }, contextOf()) : Promise.reject(new Error(step.kind)))
    const called = talk.replied(await ask(talk.begin()))
    expect(called).toMatchObject({ kind: 'call', calls: [{ call: 0, tool: 'look', input: { at: 'a.ts' } }] })
    await ask(talk.finished(0, { kind: 'value', value: 'nothing' }))
    expect(server.seen.at(-1)!.body['messages']).toMatchObject([
      { role: 'user' },
      { role: 'assistant', content: [{ type: 'thinking', thinking: 'I should look first.', signature: 'seal-of-1' }, { type: 'tool_use', id: 'toolu_1', name: 'look', input: { at: 'a.ts' } }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1' }] },
    ])
  })

  test('what stays the same from turn to turn stands first, and its end is marked for the cache', async () => {
    const tools = [{ name: 'look', description: 'Looks.', input: { type: 'object' } }]
    const first = asked({ tools })
    const second = asked({ tools, messages: [...first.messages, { role: 'assistant', content: [{ kind: 'text', text: 'x' }] }, { role: 'user', content: [{ kind: 'text', text: 'and?' }] }] })
    const bodies: Record<string, unknown>[] = []
    for (const request of [first, second]) {
      server.next({ kind: 'reply', content: [{ kind: 'text', text: 'x' }], stop: 'done' })
      await open(server.url).ask(request, contextOf())
      bodies.push(server.seen.at(-1)!.body)
    }
    const stable = ({ tools, system }: Record<string, unknown>): string => JSON.stringify({ tools, system })
    expect(stable(bodies[0]!)).toBe(stable(bodies[1]!))
    expect(bodies[1]!['system']).toMatchObject([{ text: 'Be terse.', cache_control: { type: 'ephemeral' } }]) // tools come before it
    expect(bodies[1]).toMatchObject({ cache_control: { type: 'ephemeral' } }) // and the last message, of itself
    expect((bodies[1]!['messages'] as unknown[]).slice(0, 1)).toEqual(bodies[0]!['messages'])
  })

  test('nothing of the machine is read: no variable gives a key or another server', async () => {
    const names = ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'ANTHROPIC_BASE_URL'] as const
    const before = names.map(name => process.env[name])
    for (const name of names) process.env[name] = name === 'ANTHROPIC_BASE_URL' ? 'http://127.0.0.1:9' : 'of-the-machine'
    try {
      await expect(open(server.url).ask(asked(), contextOf({ key: null }))).rejects.toMatchObject({ code: 'no-key' })
      server.next({ kind: 'reply', content: [{ kind: 'text', text: 'x' }], stop: 'done' })
      await open(server.url).ask(asked(), contextOf())
      expect(JSON.stringify(server.seen.at(-1)!.headers)).not.toContain('of-the-machine')
    } finally {
      names.forEach((name, index) => (before[index] === undefined ? delete process.env[name] : (process.env[name] = before[index])))
    }
  })

  test('an image is sent, and tokens are counted by the server', async () => {
    server.next({ kind: 'raw', status: 200, contentType: 'application/json', body: '{"input_tokens":321}' })
    const image = { kind: 'image', mediaType: 'image/png', data: 'iVBORw0KGgo=' } as const
    const request = asked({ messages: [{ role: 'user', content: [image, { kind: 'text', text: 'what is it?' }] }] })
    expect(await open(server.url).countTokens!(request, contextOf())).toBe(321)
    expect(server.seen.at(-1)!.path).toContain('count_tokens')
    expect(JSON.stringify(server.seen.at(-1)!.body)).toContain('iVBORw0KGgo=')
  })
})
