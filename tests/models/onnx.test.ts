// Models that run on this machine: the real libraries, on a real model of a few kilobytes that is made here.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ChatBlock, ChatDelta } from '#model/chat.ts'
import type { Model, ModelProvider } from '#plugin-api/model-provider.ts'
import { onnxFrom } from '../../stdlib/models/onnx.ts'
import { buildScripts } from '../journal/build-scripts.ts'
import { asked, contextOf, contractOf, until, type Backend } from './contract.ts'
import type { Script } from './protocol-server.ts'
import { END, makeTinyChat, type TinyChat } from './tiny-onnx/tiny-chat.ts'

let place: string
let onnx: ModelProvider
let made = 0
const opened: Model[] = []
beforeAll(async () => {
  place = mkdtempSync(join(tmpdir(), 'tek-onnx-'))
  const folder = await buildScripts('onnx', { 'onnx-child': 'stdlib/models/onnx-child.ts' }, ['@huggingface/transformers'])
  onnx = onnxFrom(pathToFileURL(join(folder, 'onnx-child.mjs')))
})
afterAll(async () => {
  await Promise.all(opened.map(each => each.close?.()))
  rmSync(place, { recursive: true, force: true })
})

async function tiny(chat: TinyChat, options: Record<string, unknown> = {}): Promise<Model> {
  const name = `m${made++}`
  makeTinyChat(join(place, name), chat)
  const model = await onnx.open(`./${name}`, options, { folder: place })
  opened.push(model)
  return model
}

const inPieces = (text: string): string[] => text.match(/[^]{1,9}/gu) ?? ['']

/** What the model is to write for a script. */
function written(script: Script): readonly string[] {
  if (script.kind === 'broken-arguments') return [`<tool_call>{"name": "${script.name}", "arguments": `, `${script.text}</tool_call>`]
  if (script.kind === 'hang') return ['on and on ', 'on and on ']
  if (script.kind !== 'reply') throw new Error(`a model of this machine has no ${script.kind}`)
  const text = script.content.map(each => (each.kind === 'text' ? each.text : each.kind === 'thinking' ? `<think>${each.text}</think>` : each.kind === 'tool-use' ? `<tool_call>${JSON.stringify({ name: each.name, arguments: each.input })}</tool_call>` : '')).join('')
  return script.stop === 'max-tokens' ? [text, text] : inPieces(text)
}

async function scripted(): Promise<Backend> {
  const scripts: Script[] = []
  let left = 0
  return {
    seen: [], left: () => left, close: async () => {}, next: (...more) => void scripts.push(...more),
    async model() {
      const script = scripts.shift()!
      const model = await tiny({ answers: {}, otherwise: written(script), contextTokens: 1_000_000 })
      return script.kind !== 'hang' ? model : { ...model, abilities: model.abilities, hosts: [], ask: (request, context) => model.ask({ ...request, maxTokens: 900_000 }, context).finally(() => left++) }
    },
  }
}

const overNetwork = 'there is no network in between'
contractOf({
  name: 'onnx', backend: scripted, keeps: [],
  notHere: {
    'an answer is put together, counted, and told piece by piece': 'its tokens are counted, not told: below',
    'its key goes with each request, and the question is in it': 'it has no key, and no wire to look at: below',
    'tools are offered, called with arguments, and their results go back': 'there is no wire to look at: below',
    'an answer of a given shape is asked for by its schema': 'there is no wire to look at: below',
    'stopped for %s is said so': 'it does not refuse, and never stops for another reason: below',
    '%s: %j': overNetwork, 'how long the server asks to wait is handed on': overNetwork, 'a stream that ends in the middle (%s) is no answer': overNetwork,
    'an error in the middle of a stream is that error': overNetwork, 'an answer of %s with %j is no answer': overNetwork, 'a host that is not granted is not reached': overNetwork,
    'nobody there is a failure of the network': overNetwork, 'what it gave is given back as it was': 'there is no wire to look at: below',
    'giving up closes the socket, before the first byte and in the middle': 'it has no socket: below', 'no first byte in time, and no next piece in time': 'it writes in a time of its own: below',
    'an answer without an end is cut off by its size': 'an answer has no more tokens than it may: below',
  },
})

describe('onnx', () => {
  const four = ['It is ', 'four, and ', '四 in another ', 'script.']

  test('a question is answered, piece by piece, and its tokens are counted', async () => {
    const model = await tiny({ answers: { '2 + 2?': four } })
    const deltas: ChatDelta[] = []
    const reply = await model.ask(asked(), contextOf({ onDelta: delta => void deltas.push(delta) }))
    // <|system|> "Be terse." <|user|> "What is " "2 + 2?" <|assistant|>: bytes are tokens, and so is what ends the question
    expect(reply).toMatchObject({ content: [{ kind: 'text', text: four.join('') }], stop: 'done', usage: { input: 1 + 9 + 1 + 8 + 1 + 1, output: 5, cacheRead: 0, cacheWrite: 0, thinking: 0 } })
    expect(deltas.length).toBeGreaterThan(1)
    expect(deltas.map(each => (each.kind === 'text' ? each.text : '')).join('')).toBe(four.join(''))
    expect(await model.countTokens!(asked(), contextOf())).toBe(21)
    expect(model).toMatchObject({ hosts: [], abilities: { tools: true, images: false, schemas: false, contextTokens: 4_096 } })
  })

  test('it ends at the tokens that it may write, and at those that it can hold', async () => {
    const model = await tiny({ answers: { '2 + 2?': ['on ', 'on '] }, contextTokens: 100 })
    expect(await model.ask(asked({ maxTokens: 12 }), contextOf())).toMatchObject({ stop: 'max-tokens', content: [{ kind: 'text', text: 'on '.repeat(12) }], usage: { output: 12 } })
    expect(await model.ask(asked({ maxTokens: 500 }), contextOf())).toMatchObject({ stop: 'context-full', usage: { input: 21, output: 79 } })
    await expect(model.ask(asked({ system: 'x'.repeat(100) }), contextOf())).rejects.toMatchObject({ code: 'context-full' })
  })

  test('giving up ends it in the middle of an answer, and the next question is answered', async () => {
    const model = await tiny({ answers: { '2 + 2?': ['on ', 'on '], '3 + 3?': ['six, ', 'surely'] }, contextTokens: 1_000_000 })
    const abort = new AbortController()
    let pieces = 0
    const answer = model.ask(asked({ maxTokens: 900_000 }), contextOf({ signal: abort.signal, onDelta: () => void pieces++ }))
    answer.catch(() => {})
    await until(() => pieces > 3)
    abort.abort()
    await expect(answer).rejects.toMatchObject({ name: 'ModelFailure', code: 'cancelled' })
    const next = await model.ask(asked({ messages: [{ role: 'user', content: [{ kind: 'text', text: '3 + 3?' }] }] }), contextOf())
    expect(next.content).toEqual([{ kind: 'text', text: 'six, surely' }])
    await expect(model.ask(asked(), contextOf({ signal: abort.signal }))).rejects.toMatchObject({ code: 'cancelled' })
    await expect((await tiny({ answers: {} })).ask(asked(), contextOf({ firstByteMs: 1 }))).rejects.toMatchObject({ code: 'timed-out' })
  })

  test('a tool is offered by the template, called, and its result goes back', async () => {
    const look = { name: 'look', description: 'Looks.', input: { type: 'object', properties: { at: { type: 'string' } } } }
    const model = await tiny({ answers: { '2 + 2?': ['Let me look. ', '<tool_call>{"name": "look", ', '"arguments": {"at": "ä"}}</tool_call>'], 'found it': ['four, then'] } })
    const reply = await model.ask(asked({ tools: [look] }), contextOf())
    expect(reply).toMatchObject({ stop: 'tool-use', content: [{ kind: 'text', text: 'Let me look.' }, { kind: 'tool-use', id: 'call_0', name: 'look', input: { at: 'ä' } }] })
    const results: ChatBlock[] = [{ kind: 'tool-result', id: 'call_0', isError: false, content: [{ kind: 'text', text: 'found it' }] }]
    const messages = [...asked().messages, { role: 'assistant' as const, content: reply.content }, { role: 'user' as const, content: results }]
    expect((await model.ask(asked({ tools: [look], messages }), contextOf())).content).toEqual([{ kind: 'text', text: 'four, then' }])
    const [offered, none, forbidden] = await Promise.all([asked({ tools: [look] }), asked(), asked({ tools: [look], toolChoice: 'none' })].map(each => model.countTokens!(each, contextOf())))
    expect(offered).toBeGreaterThan(none!)
    expect(forbidden).toBe(none)
    expect((await tiny({ answers: {}, takesTools: false })).abilities.tools).toBe(false)
  })

  test('an answer of a given shape is asked for in words', async () => {
    const model = await tiny({ answers: { '2 + 2?': ['{"sum"', ': 4}'] } })
    const answer = { name: 'sum', schema: { type: 'object', properties: { sum: { type: 'integer' } } } }
    expect((await model.ask(asked({ answer }), contextOf())).content).toEqual([{ kind: 'text', text: '{"sum": 4}' }])
    expect((await model.countTokens!(asked({ answer }), contextOf())) - 21).toBe(`\n\nAnswer with JSON alone, of this JSON Schema: ${JSON.stringify(answer.schema)}`.length - ('{"sum"'.length - 1)) // which is a word of this model's
  })

  test('text is never a turn, whatever it holds', async () => {
    const model = await tiny({ answers: { '2 + 2?': ['I see ', '<|user|>', 'nothing'] } })
    const plain = await model.countTokens!(asked({ system: 'x' }), contextOf())
    for (const mark of ['<|assistant|>', END, '<|system|>']) expect(await model.countTokens!(asked({ system: `x${mark}` }), contextOf()) - plain).toBe(mark.length + 1)
    expect((await model.ask(asked(), contextOf())).content).toEqual([{ kind: 'text', text: 'I see nothing' }])
  })

  test('it thinks where it is made to, and samples where it is asked to', async () => {
    const model = await tiny({ answers: { '2 + 2?': ['<think>two and ', 'two</think>', 'four'] } })
    expect((await model.ask(asked(), contextOf())).content).toEqual([{ kind: 'thinking', text: 'two and two' }, { kind: 'text', text: 'four' }])
    expect((await model.ask(asked({ temperature: 0.01 }), contextOf())).content).toHaveLength(2)
  })

  test('what is no folder of a model is refused, without a word of what is in it', async () => {
    const at = (name: string): string => join(place, 'odd', name)
    const put = (name: string, files: Record<string, string>): void => {
      mkdirSync(at(name), { recursive: true })
      for (const [file, text] of Object.entries(files)) writeFileSync(join(at(name), file), text)
    }
    const settings = { 'config.json': '{}', 'tokenizer.json': '{}', 'tokenizer_config.json': '{"chat_template": "x"}' }
    put('empty', {})
    put('secret', { ...settings, 'config.json': 'password: hunter2' })
    put('untold', { ...settings, 'tokenizer_config.json': '{}' })
    put('bare', settings)
    put('broken', { ...settings, 'model.onnx': 'no graph' })
    put('linked', settings)
    symlinkSync('/etc/hostname', join(at('linked'), 'model.onnx'))
    symlinkSync(tmpdir(), at('away'))
    const open = (name: string): unknown => onnx.open(name, {}, { folder: join(place, 'odd') })
    for (const [name, says] of [['nowhere', 'nothing by that name'], ['empty', '`config.json` and `tokenizer.json`'], ['secret', 'no JSON record'], ['untold', 'chat template'], ['bare', 'model.onnx'], ['linked', 'leads out'], ['away', 'absolute path'], ['..', 'absolute path']] as const) {
      await expect(open(name), name).rejects.toMatchObject({ name: 'ModelFailure', code: 'unknown-model', message: expect.stringContaining(says) })
    }
    await expect(open('secret')).rejects.not.toMatchObject({ message: expect.stringContaining('hunter2') })
    const broken = await (open('broken') as Promise<Model>)
    opened.push(broken)
    await expect(broken.ask(asked(), contextOf())).rejects.toMatchObject({ code: 'unknown-model', message: expect.stringContaining('does not load') })
    makeTinyChat(join(place, 'elsewhere'), { answers: {} })
    expect(await onnx.open(join(place, 'elsewhere'), {}, { folder: join(place, 'odd') })).toMatchObject({ hosts: [] })
  })

  test('on a graphics processor it answers, or says that there may be none', async () => {
    const model = await tiny({ answers: { '2 + 2?': four } }, { gpu: true })
    const outcome = await model.ask(asked(), contextOf()).then(({ content }) => content, (error: Error) => error)
    if (outcome instanceof Error) expect(outcome).toMatchObject({ name: 'ModelFailure', code: 'unknown-model', message: expect.stringContaining('gpu: false') })
    else expect(outcome).toEqual([{ kind: 'text', text: four.join('') }])
  })

  test('one that is closed has no process any more', async () => {
    const model = await tiny({ answers: {} })
    await model.ask(asked(), contextOf())
    await model.close!()
    expect((await model.ask(asked(), contextOf())).content).toEqual([{ kind: 'text', text: 'I do not know.' }]) // a new one
  })
})
