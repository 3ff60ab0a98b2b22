// The provider for OpenAI-compatible servers, through the real SDK against a server of the protocol and its dialects.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openai } from '../../stdlib/models/openai.ts'
import { asked, contextOf, contractOf, overHttp } from './contract.ts'
import { chunk, done, openaiProtocol, usageChunk } from './openai-protocol.ts'
import { serveProtocol, type ProtocolServer, type Script } from './protocol-server.ts'

const open = (url: string) => openai.open('model-of-here', { baseUrl: `${url}/v1` })

contractOf({
  name: 'openai', backend: () => overHttp(openaiProtocol, open), keeps: ['text', 'tool-use'],
  errors: {
    rateLimited: 'rate_limit_exceeded', overloaded: 'overloaded', badKey: 'invalid_api_key', unknownModel: 'model_not_found',
    tooLong: { type: 'context_length_exceeded', message: 'This model\'s maximum context length is 8192 tokens.' },
  },
})

describe('openai and its relatives', () => {
  let server: ProtocolServer
  beforeAll(async () => { server = await serveProtocol(openaiProtocol) })
  afterAll(() => server.close())
  const stream = (...chunks: string[]): Script => ({ kind: 'raw', status: 200, contentType: 'text/event-stream', body: chunks.join('') })
  const ask = (more = {}, context = {}) => open(server.url).ask(asked(more), contextOf(context))

  test('an account that is used up is not asked again', async () => {
    server.next({ kind: 'refuse', status: 429, type: 'insufficient_quota', message: 'You exceeded your current quota' })
    await expect(ask()).rejects.toMatchObject({ code: 'quota' })
  })

  test('a server on this machine needs no key, and gets none', async () => {
    server.next({ kind: 'reply', content: [{ kind: 'text', text: 'x' }], stop: 'done' })
    await ask({}, { key: null })
    expect(server.seen.at(-1)!.headers.authorization).toBeUndefined()
  })

  test('calls without ids, without numbers, in one piece, and as an object are all read', async () => {
    const call = (more: Record<string, unknown>) => chunk({ tool_calls: [more] })
    const wholes = [{ function: { name: 'look', arguments: '{"at":1}' } }, { index: 0, function: { name: 'look', arguments: { at: 1 } } }, { index: 0, id: '', function: { name: 'look', arguments: '{"at":1}' } }]
    for (const whole of wholes) {
      server.next(stream(call(whole), chunk({}, { finish_reason: 'stop' }), done))
      expect(await ask()).toMatchObject({ stop: 'tool-use', content: [{ kind: 'tool-use', id: 'call_0', name: 'look', input: { at: 1 } }] })
    }
    server.next(stream(call({ function: { name: 'a', arguments: '{}' } }), call({ function: { name: 'b', arguments: '{}' } }), chunk({}, { finish_reason: 'tool_calls' }), done))
    expect((await ask()).content).toMatchObject([{ id: 'call_0', name: 'a' }, { id: 'call_1', name: 'b' }])
  })

  test('thinking is read under both of its names, counted, and not sent back', async () => {
    for (const name of ['reasoning_content', 'reasoning']) {
      server.next(stream(chunk({ [name]: 'let me see' }), chunk({ content: 'four' }), chunk({}, { finish_reason: 'stop' }), usageChunk({ prompt_tokens: 10, completion_tokens: 20, completion_tokens_details: { reasoning_tokens: 15 } }), done))
      const reply = await ask()
      expect(reply).toMatchObject({ content: [{ kind: 'thinking', text: 'let me see' }, { kind: 'text', text: 'four' }], usage: { output: 20, thinking: 15 } })
      server.next({ kind: 'reply', content: [{ kind: 'text', text: 'x' }], stop: 'done' })
      await ask({ messages: [...asked().messages, { role: 'assistant', content: reply.content }] })
      expect(JSON.stringify(server.seen.at(-1)!.body)).not.toContain('let me see')
    }
  })

  test('a stream without usage counts nothing, and what came from a cache is told apart', async () => {
    server.next(stream(chunk({ content: 'x' }), chunk({}, { finish_reason: 'stop' }), done))
    expect((await ask()).usage).toEqual({ input: 0, output: 0, cacheRead: 0, cacheWrite: 0, thinking: 0 })
    server.next({ kind: 'reply', content: [{ kind: 'text', text: 'x' }], stop: 'done', usage: { input: 4, cacheRead: 6 } })
    expect((await ask()).usage).toMatchObject({ input: 4, cacheRead: 6 })
  })

  test('a server that knows no schemas is asked for JSON, then in words; and from then on', async () => {
    const answer = { name: 'sum', schema: { type: 'object', properties: { sum: { type: 'integer' } } } }
    const model = open(server.url)
    const reply: Script = { kind: 'reply', content: [{ kind: 'text', text: '{"sum":4}' }], stop: 'done' }
    server.next({ kind: 'refuse', status: 400, message: 'response_format json_schema is not supported' }, { kind: 'refuse', status: 422, message: "unknown field 'response_format'" }, reply, reply)
    await model.ask(asked({ answer }), contextOf())
    const formats = server.seen.slice(-3).map(each => (each.body['response_format'] as { type: string } | undefined)?.type)
    expect(formats).toEqual(['json_schema', 'json_object', undefined])
    expect(JSON.stringify(server.seen.at(-1)!.body)).toContain('Answer with JSON alone')
    const before = server.seen.length
    await model.ask(asked({ answer }), contextOf())
    expect(server.seen.length).toBe(before + 1)
  })

  test('a server that takes only the other name of a limit, or no stream options, is understood', async () => {
    const model = open(server.url)
    server.next(
      { kind: 'refuse', status: 400, message: "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead." },
      { kind: 'refuse', status: 400, message: 'stream_options is not permitted' }, { kind: 'reply', content: [{ kind: 'text', text: 'x' }], stop: 'done' },
    )
    await model.ask(asked(), contextOf())
    const { body } = server.seen.at(-1)!
    expect(body).toMatchObject({ max_completion_tokens: 1_000 })
    expect(body).not.toHaveProperty('max_tokens')
    expect(body).not.toHaveProperty('stream_options')
  })

  test('a server that never understands is not asked for ever', async () => {
    const before = server.seen.length
    server.next(...Array.from({ length: 12 }, (): Script => ({ kind: 'refuse', status: 400, message: 'response_format is not supported' })))
    await expect(ask({ answer: { name: 'x', schema: {} } })).rejects.toMatchObject({ code: 'bad-request' })
    expect(server.seen.length - before).toBeLessThanOrEqual(5)
    server.clear()
  })

  test('an image in a tool\'s result goes with the next message', async () => {
    server.next({ kind: 'reply', content: [{ kind: 'text', text: 'a cat' }], stop: 'done' })
    const image = { kind: 'image', mediaType: 'image/png', data: 'iVBORw0KGgo=' } as const
    await ask({ messages: [...asked().messages, { role: 'assistant', content: [{ kind: 'tool-use', id: 'c', name: 'look', input: {} }] }, { role: 'user', content: [{ kind: 'tool-result', id: 'c', isError: false, content: [{ kind: 'text', text: 'here' }, image] }] }] })
    const sent = server.seen.at(-1)!.body['messages'] as { role: string; content: unknown }[]
    expect(sent.map(each => each.role)).toEqual(['system', 'user', 'assistant', 'tool', 'user'])
    expect(JSON.stringify(sent.at(-1))).toContain('data:image/png;base64,iVBORw0KGgo=')
  })

  test('nothing of the machine is read', async () => {
    const names = ['OPENAI_API_KEY', 'OPENAI_BASE_URL', 'OPENAI_ORG_ID', 'OPENAI_PROJECT_ID'] as const
    const before = names.map(name => process.env[name])
    for (const name of names) process.env[name] = name === 'OPENAI_BASE_URL' ? 'http://127.0.0.1:9' : 'of-the-machine'
    try {
      server.next({ kind: 'reply', content: [{ kind: 'text', text: 'x' }], stop: 'done' })
      await ask()
      expect(JSON.stringify(server.seen.at(-1)!.headers)).not.toContain('of-the-machine')
    } finally {
      names.forEach((name, index) => (before[index] === undefined ? delete process.env[name] : (process.env[name] = before[index])))
    }
  })
})
