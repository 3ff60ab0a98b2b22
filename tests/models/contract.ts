// Contract: what every provider of models must do, whatever it speaks. Each provider's test runs these against a server of its own protocol.
import { afterAll, beforeAll, describe, expect, test as testAlways } from 'vitest'
import type { ChatBlock, ChatDelta, ChatRequest } from '#model/chat.ts'
import { nodeHost } from '#host/node-host.ts'
import { modelFetch } from '#interpreter/gateway/model-fetch.ts'
import { ModelFailure, type Model, type ModelContext } from '#plugin-api/model-provider.ts'
import { serveProtocol, type Protocol, type ProtocolServer } from './protocol-server.ts'

/** What a provider is tested against: something that answers as it is told, and remembers what it was asked. */
export interface Backend extends Pick<ProtocolServer, 'seen' | 'left' | 'next' | 'close'> {
  model(): Model | Promise<Model>
}

export interface Contract {
  readonly name: string
  backend(): Promise<Backend>
  /** Titles of the tests that mean nothing here, and why. */
  readonly notHere?: Readonly<Record<string, string>>
  /** Kinds of content it hands over whole, thinking with its seal included. */
  readonly keeps: readonly ChatBlock['kind'][]
  /** How the protocol names these. */
  readonly errors?: { readonly rateLimited: string; readonly overloaded: string; readonly badKey: string; readonly unknownModel: string; readonly tooLong: { readonly type: string; readonly message: string } }
}

export const asked = (more: Partial<ChatRequest> = {}): ChatRequest => ({
  model: 'model-of-here', system: 'Be terse.', messages: [{ role: 'user', content: [{ kind: 'text', text: 'What is 2 + 2?' }] }], tools: [], maxTokens: 1_000, ...more,
})

/** With the `fetch` that providers are really given. */
export function contextOf(more: Partial<ModelContext> = {}): ModelContext {
  const { firstByteMs = 60_000, idleMs = 60_000 } = more
  const stream = nodeHost({ cwd: '.' }).stream!
  return { signal: new AbortController().signal, fetch: modelFetch({ stream, mayReach: () => {}, firstByteMs, idleMs }), key: 'key-of-here', firstByteMs, idleMs, onDelta: () => {}, ...more }
}

const four: readonly ChatBlock[] = [{ kind: 'text', text: 'It is four, and 四 in another script.' }]

/** A server of a protocol, and a provider that speaks it. */
export async function overHttp(protocol: Protocol, open: (url: string) => Model | Promise<Model>): Promise<Backend> {
  const server = await serveProtocol(protocol)
  return { ...server, model: () => open(server.url) }
}

const noErrors = { rateLimited: '', overloaded: '', badKey: '', unknownModel: '', tooLong: { type: '', message: '' } }

export function contractOf({ name, backend, notHere = {}, keeps, errors = noErrors }: Contract): void {
  describe(`${name}: the contract of a provider`, () => {
    let server: Backend
    beforeAll(async () => { server = await backend() })
    afterAll(() => server.close())
    const ask = async (request: Partial<ChatRequest> = {}, context: Partial<ModelContext> = {}) => (await server.model()).ask(asked(request), contextOf(context))
    const leftOut: string[] = []
    /** As vitest's `test`, but for what means nothing here. */
    const unless = (title: string, apply: () => void): void => void (Object.hasOwn(notHere, title) ? leftOut.push(title) : apply())
    const each = (rows: never) => (title: string, run: never): void => unless(title, () => testAlways.each(rows)(title, run))
    const test = Object.assign((title: string, run: () => Promise<void>): void => unless(title, () => void testAlways(title, run)), { each: each as unknown as typeof testAlways.each })
    testAlways('what means nothing here is named as it is', () => expect(leftOut.sort()).toEqual(Object.keys(notHere).sort()))

    test('an answer is put together, counted, and told piece by piece', async () => {
      server.next({ kind: 'reply', content: four, stop: 'done', usage: { input: 17, output: 9 } })
      const deltas: ChatDelta[] = []
      const reply = await ask({}, { onDelta: delta => void deltas.push(delta) })
      expect(reply.content).toEqual(four)
      expect(reply).toMatchObject({ stop: 'done', usage: { input: 17, output: 9 } })
      expect(reply.model).not.toBe('')
      expect(deltas.length).toBeGreaterThan(2)
      expect(deltas.map(each => (each.kind === 'text' ? each.text : '')).join('')).toBe('It is four, and 四 in another script.')
    })

    test('its key goes with each request, and the question is in it', async () => {
      server.next({ kind: 'reply', content: four, stop: 'done' })
      await ask()
      const last = server.seen.at(-1)!
      expect(JSON.stringify(last.headers)).toContain('key-of-here')
      expect(JSON.stringify(last.body)).toContain('What is 2 + 2?')
      expect(JSON.stringify(last.body)).toContain('Be terse.')
    })

    test('tools are offered, called with arguments, and their results go back', async () => {
      const use: ChatBlock = { kind: 'tool-use', id: 'call_1', name: 'look', input: { at: 'src/ä.ts', deep: [1, { x: null }] } }
      const other: ChatBlock = { kind: 'tool-use', id: 'call_2', name: 'look', input: {} }
      const look = { name: 'look', description: 'Looks.', input: { type: 'object', properties: { at: { type: 'string' } }, additionalProperties: false } }
      server.next({ kind: 'reply', content: [...four, use, other], stop: 'tool-use' }, { kind: 'reply', content: four, stop: 'done' })
      const reply = await ask({ tools: [look] })
      expect(reply).toMatchObject({ stop: 'tool-use', content: [...four, use, other] })
      expect(JSON.stringify(server.seen.at(-1)!.body)).toContain('"Looks."')
      const results: ChatBlock[] = [
        { kind: 'tool-result', id: 'call_1', isError: false, content: [{ kind: 'text', text: 'found it' }] },
        { kind: 'tool-result', id: 'call_2', isError: true, content: [{ kind: 'text', text: 'no such place' }] },
      ]
      await ask({ tools: [look], messages: [...asked().messages, { role: 'assistant', content: reply.content }, { role: 'user', content: results }] })
      const body = JSON.stringify(server.seen.at(-1)!.body)
      for (const part of ['call_1', 'call_2', 'found it', 'no such place', 'src/ä.ts']) expect(body).toContain(part)
    })

    test('arguments that are no JSON are a block with a problem, not the end of the answer', async () => {
      server.next({ kind: 'broken-arguments', name: 'look', text: '{"at": "src' })
      const reply = await ask({ tools: [{ name: 'look', description: '', input: { type: 'object' } }] })
      expect(reply).toMatchObject({ stop: 'tool-use', content: [{ kind: 'tool-use', name: 'look', input: null, problem: expect.stringContaining('JSON') }] })
    })

    test('an answer of a given shape is asked for by its schema', async () => {
      server.next({ kind: 'reply', content: [{ kind: 'text', text: '{"sum":4}' }], stop: 'done' })
      await ask({ answer: { name: 'sum', schema: { type: 'object', properties: { sum: { type: 'integer' } }, required: ['sum'], additionalProperties: false } } })
      expect(JSON.stringify(server.seen.at(-1)!.body)).toContain('"sum":{"type":"integer"}')
    })

    test.each(['max-tokens', 'refusal', 'tool-use', 'other'] as const)('stopped for %s is said so', async stop => {
      const content: readonly ChatBlock[] = stop === 'tool-use' ? [{ kind: 'tool-use', id: 'c', name: 'look', input: {} }] : four
      server.next({ kind: 'reply', content, stop })
      expect((await ask()).stop).toBe(stop)
    })

    test.each([
      ['rate-limited', { status: 429, type: errors.rateLimited }], ['overloaded', { status: 529, type: errors.overloaded }], ['overloaded', { status: 503 }], ['server', { status: 500 }],
      ['no-key', { status: 401, type: errors.badKey }], ['unknown-model', { status: 404, type: errors.unknownModel }], ['bad-request', { status: 400 }], ['context-full', { status: 400, ...errors.tooLong }],
    ] as const)('%s: %j', async (code, refusal) => {
      const before = server.seen.length
      server.next({ kind: 'refuse', ...refusal })
      await expect(ask()).rejects.toMatchObject({ name: 'ModelFailure', code })
      expect(server.seen.length).toBe(before + 1) // one attempt
    })

    test('how long the server asks to wait is handed on', async () => {
      server.next({ kind: 'refuse', status: 429, type: errors.rateLimited, headers: { 'retry-after': '7' } }, { kind: 'refuse', status: 429, type: errors.rateLimited, headers: { 'retry-after-ms': '1500', 'retry-after': '7' } })
      await expect(ask()).rejects.toMatchObject({ retryAfterMs: 7_000 })
      await expect(ask()).rejects.toMatchObject({ retryAfterMs: 1_500 })
    })

    test.each(['end', 'socket'] as const)('a stream that ends in the middle (%s) is no answer', async how => {
      server.next({ kind: 'cut', content: four, pieces: 4, how })
      await expect(ask()).rejects.toMatchObject({ name: 'ModelFailure', code: expect.stringMatching(/^(cut-off|network)$/) })
    })

    test('an error in the middle of a stream is that error', async () => {
      server.next({ kind: 'error-in-stream', content: four, pieces: 4, type: errors.overloaded, message: 'too much to do' })
      await expect(ask()).rejects.toMatchObject({ name: 'ModelFailure', code: expect.stringMatching(/^(overloaded|server|cut-off)$/) })
    })

    test.each([['text/html', '<html>a login page</html>'], ['text/event-stream', 'data: {not json\n\n'], ['text/event-stream', ''], ['application/json', '{}']])('an answer of %s with %j is no answer', async (contentType, body) => {
      server.next({ kind: 'raw', status: 200, contentType, body })
      await expect(ask()).rejects.toMatchObject({ name: 'ModelFailure' })
    })

    test('giving up closes the socket, before the first byte and in the middle', async () => {
      for (const pieces of [0, 4]) {
        const before = server.left()
        const abort = new AbortController()
        const began = server.seen.length
        server.next({ kind: 'hang', content: four, pieces })
        const answer = ask({}, { signal: abort.signal })
        answer.catch(() => {})
        await until(() => server.seen.length > began)
        abort.abort()
        await expect(answer).rejects.toMatchObject({ name: 'ModelFailure', code: 'cancelled' })
        await until(() => server.left() > before)
      }
    })

    test('no first byte in time, and no next piece in time', async () => {
      server.next({ kind: 'hang', content: four, pieces: 0 }, { kind: 'hang', content: four, pieces: 4 })
      await expect(ask({}, { firstByteMs: 100 })).rejects.toMatchObject({ name: 'ModelFailure', code: 'timed-out' })
      await expect(ask({}, { idleMs: 100 })).rejects.toMatchObject({ name: 'ModelFailure', code: 'timed-out' })
    })

    test('an answer without an end is cut off by its size', async () => {
      server.next({ kind: 'reply', content: [{ kind: 'text', text: 'x'.repeat(5_000_000) }], stop: 'done', pieceLength: 100_000 })
      await expect(ask()).rejects.toMatchObject({ name: 'ModelFailure', code: 'bad-answer' })
    })

    test('a host that is not granted is not reached', async () => {
      const before = server.seen.length
      const refuse = (): void => { throw new ModelFailure('bad-request', 'not granted') }
      const fetch = modelFetch({ stream: nodeHost({ cwd: '.' }).stream!, mayReach: refuse, firstByteMs: 1_000, idleMs: 1_000 })
      await expect(ask({}, { fetch })).rejects.toMatchObject({ name: 'ModelFailure', code: 'bad-request' })
      expect(server.seen.length).toBe(before)
    })

    test('nobody there is a failure of the network', async () => {
      server.next({ kind: 'nobody' })
      await expect(ask()).rejects.toMatchObject({ name: 'ModelFailure', code: 'network' })
    })

    test('what it gave is given back as it was', async () => {
      const all: readonly ChatBlock[] = ([{ kind: 'thinking', text: 'two and two', sealed: 'seal-1' }, { kind: 'text', text: 'four' }] as const).filter(each => keeps.includes(each.kind))
      server.next({ kind: 'reply', content: all, stop: 'done' }, { kind: 'reply', content: four, stop: 'done' })
      const { content } = await ask()
      expect(content).toEqual(all)
      await ask({ messages: [...asked().messages, { role: 'assistant', content }, { role: 'user', content: [{ kind: 'text', text: 'sure?' }] }] })
      if (keeps.includes('thinking')) expect(JSON.stringify(server.seen.at(-1)!.body)).toContain('seal-1')
    })
  })
}

/** Waits for a condition, up to 20 s. */
export async function until(holds: () => boolean): Promise<void> {
  for (let look = 0; look < 2_000 && !holds(); look++) await new Promise(resolve => setTimeout(resolve, 10))
  if (!holds()) throw new Error('it did not come about within 20 s')
}
