// docs/mcp.md is true: its files are saved under the names it gives them, its commands run in order beside a small server, and what it shows is in what they print.
import { afterAll, expect, test } from 'vitest'
import { MAX_ANSWER_BYTES } from '#mcp/answer-value.ts'
import { MAX_RESTARTS } from '#mcp/call-servers.ts'
import { MAX_MESSAGE_NESTING } from '#mcp/nesting.ts'
import { MAX_FRAME_BYTES } from '#mcp/pipe-link.ts'
import { MAX_REQUEST_BYTES } from '#mcp/protocol-server.ts'
import { MAX_CALLS, MAX_RESULT_BYTES } from '#mcp/served-calls.ts'
import { project } from '../e2e/binary.ts'
import { read } from '../tidy/source-tree.ts'
import { blocksOf, walkPage } from './walk-page.ts'

const page = read('docs/mcp.md')
const blocks = blocksOf(page)

/** A server of two tools, without any library. */
const server = `import { createInterface } from 'node:readline'
import { appendFileSync, readFileSync } from 'node:fs'
const say = message => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', ...message }) + '\\n')
const schema = name => ({ type: 'object', properties: { [name]: { type: 'string' } }, required: [name] })
const tools = [{ name: 'search', inputSchema: schema('word'), annotations: { readOnlyHint: true } }, { name: 'add', inputSchema: schema('note') }]
const answers = { search: ({ word }) => readFileSync('notes.txt', 'utf8').split('\\n').filter(line => line.includes(word)).join('\\n'), add: ({ note }) => (appendFileSync('notes.txt', note), 'added') }
createInterface({ input: process.stdin }).on('line', line => {
  const { id, method, params } = JSON.parse(line)
  if (method === 'initialize') say({ id, result: { protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'notes', version: '1.0.0' } } })
  else if (method === 'tools/list') say({ id, result: { tools } })
  else if (method === 'tools/call') say({ id, result: { content: [{ type: 'text', text: answers[params.name](params.arguments) }] } })
  else if (id !== undefined) say({ id, error: { code: -32601, message: 'unknown' } })
})
`

const folder = project({ 'notes-server.mjs': server, '.mcp.json': blocks.find(each => each.language === 'json')!.text, 'main.tek': blocks.find(each => each.language === 'tek')!.text })
afterAll(() => folder.remove())

test('each section does what it says', { timeout: 120_000 }, async () => {
  expect(await walkPage('mcp', blocks, folder.path)).toBe(3)
})

test('the numbers it gives are those in the program', () => {
  expect([MAX_ANSWER_BYTES, MAX_RESULT_BYTES, MAX_REQUEST_BYTES, MAX_FRAME_BYTES]).toEqual([4, 4, 4, 8].map(each => each * 1_024 ** 2))
  expect([MAX_MESSAGE_NESTING, MAX_RESTARTS, MAX_CALLS]).toEqual([100, 3, 8])
})
