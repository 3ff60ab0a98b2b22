// The model server of `tek-lang/testing`: real providers, asked by real programs, cannot tell it from a server of a model.
import { afterEach, expect, test } from 'vitest'
import { type ModelServer, serveModels } from '../../src/testing/model-server.ts'
import { project, tek } from './binary.ts'

let server: ModelServer | null = null
let folder: ReturnType<typeof project> | null = null
afterEach(async () => {
  await server?.close()
  folder?.remove()
})

const dialects = ['anthropic', 'openai'] as const
const program = (dialect: (typeof dialects)[number], url: string): string => `secret account = env("ACCOUNT")
model m = ${dialect}("some-model", baseUrl: "${url}${dialect === 'openai' ? '/v1' : ''}", key: account)
agent reader {
  model m
  role "You count lines."
  can fs.read("src/**")
  tools fs.read
}
workflow count() -> { file: string, lines: int } {
  can fs.read("src/**"), env("ACCOUNT")
  task said by reader -> { file: string, lines: int } = prompt """How many lines has src/a?"""
  return said
}
`
function begin(dialect: (typeof dialects)[number]): (...words: string[]) => ReturnType<typeof tek> {
  const { path } = (folder = project({ 'src/a': 'one\ntwo', 'p.tek': program(dialect, server!.url) }))
  return (...words) => tek(['run', 'p.tek', ...words], { cwd: path, env: { ACCOUNT: 'sk-of-the-test-1234' } })
}

test.each(dialects)('%s: a conversation with a tool, streamed, typed, counted', async dialect => {
  server = await serveModels({ answer: ({ messages, system, tools }, number) => (number === 0 ? { text: `I look. ${system} ${tools.join()}`, calls: [{ name: 'fs_read', args: { path: 'src/a' } }] } : { text: JSON.stringify({ file: 'src/a', lines: messages.at(-1)!.text.includes('two') ? 2 : 0 }), tokens: { input: 70, output: 9 } }) })
  const { code, out } = await begin(dialect)()
  expect([code, JSON.parse(out)]).toEqual([0, { file: 'src/a', lines: 2 }])
  expect(server.seen).toMatchObject([{ dialect, model: 'some-model', system: 'You count lines.', tools: ['fs_read'], messages: [{ role: 'user', text: expect.stringContaining('How many lines') }] }, {}])
})

test.each(dialects)('%s: more questions than it takes are told when to come again, and a server that fails is asked again', async dialect => {
  server = await serveModels({ rateLimit: { questions: 1, perMs: 300 }, answer: (_, number) => (number === 0 ? { status: 503, message: 'not now' } : '{"file":"src/a","lines":2}') })
  const { code } = await begin(dialect)()
  expect(code).toBe(0)
  expect(server.seen.length).toBeGreaterThanOrEqual(2)
})

test.each(dialects)('%s: an answer that ends in the middle is asked for again', async dialect => {
  server = await serveModels({ latencyMs: 20, pieceMs: 1, answer: (_, number) => (number === 0 ? { text: '{"file":"src/a","li', cutAfterPieces: 2 } : '{"file":"src/a","lines":2}') })
  const { code } = await begin(dialect)()
  expect([code, server.seen.length]).toEqual([0, 2])
})

test('refusals and keys that are not taken fail with their codes; routes answer beside the models', async () => {
  server = await serveModels({
    answer: ({ headers }) => (Object.values(headers).some(each => each.includes('sk-of-the-test-1234')) ? { text: 'no', stop: 'refusal' } : { status: 401 }),
    routes: { 'GET /status': () => ({ body: { up: true } }), 'POST /echo': ({ body }) => ({ status: 201, body }) },
  })
  expect((await begin('anthropic')()).err).toContain('agent/refused')
  expect(await (await fetch(`${server.url}/status`)).json()).toEqual({ up: true })
  const echo = await fetch(`${server.url}/echo`, { method: 'POST', body: 'x' })
  expect([echo.status, await echo.text()]).toEqual([201, 'x'])
  expect((await fetch(`${server.url}/nothing`)).status).toBe(404)
  const whole = await fetch(`${server.url}/v1/chat/completions`, { method: 'POST', headers: { 'x-api-key': 'sk-of-the-test-1234' }, body: JSON.stringify({ model: 'm', messages: [{ role: 'system', content: 's' }] }) })
  expect(await whole.json()).toMatchObject({ choices: [{ message: { content: 'no' }, finish_reason: 'content_filter' }] })
})
