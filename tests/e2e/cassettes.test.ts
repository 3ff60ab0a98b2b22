// Cassettes from the command line: a run is recorded from a server of this machine, and answered without it, without a key and without a permit for a model.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { Cassette } from '#model/cassette.ts'
import type { ChatBlock } from '#model/chat.ts'
import { serveModels } from '../../src/testing/model-server.ts'
import { problemsOf, validator } from '../history/schemas.ts'
import { anthropicProtocol } from '../models/anthropic-protocol.ts'
import { type ProtocolServer, type Script, serveProtocol } from '../models/protocol-server.ts'
import { type Ended, project, startTek, tek } from './binary.ts'

const key = 'sk-canary-91b2d0aa41f7c35e'
let server: ProtocolServer
let folder: ReturnType<typeof project>
beforeAll(async () => {
  server = await serveProtocol(anthropicProtocol)
})
afterAll(() => server.close())
afterEach(() => {
  folder.remove()
  server.clear()
  server.seen.length = 0
})

function begin(files: Readonly<Record<string, string>> = {}, role = 'You review code.', more = ''): void {
  folder = project({
    'src/a.ts': 'let a = 1\n', 'src/b.ts': 'let b = 2\n', ...files,
    'review.tek': `secret modelKey = env("MODEL_KEY")
model smart = anthropic("claude-of-here", baseUrl: "${server.url}", key: modelKey, price: { input: $3, output: $15 }, maxTokens: 1k)
type Finding = { file: string, line: int(1..100000) }
/// Reads with care.
agent reviewer {
  model smart
  role "${role}"
  can fs.read("src/**")
  tools fs.read
}
workflow review(files: string[] = ["a", "b"]) -> Finding[] {
  can fs.read("**"), env("MODEL_KEY")
  task found for file in take(files, 20) by reviewer -> Finding${more} = prompt "Look for mistakes in src/\${file}.ts."
  return found
}
`,
  })
}

const run = (words: readonly string[], env: Readonly<Record<string, string>> = { MODEL_KEY: key }): Promise<Ended> => tek(words, { cwd: folder.path, env })
const permitted = ['--allow', 'fs.read("**")']
const bare = (...words: string[]): Promise<Ended> => tek(['run', 'review.tek', ...permitted, ...words], { cwd: folder.path, asWritten: true })
const answers = (value: unknown): Script => ({ kind: 'reply', content: [{ kind: 'text', text: typeof value === 'string' ? value : JSON.stringify(value) }], stop: 'done', usage: { input: 100, output: 20 } })
const calls = (path: string, ...before: ChatBlock[]): Script => ({ kind: 'reply', content: [...before, { kind: 'tool-use', id: 'call_1', name: 'fs_read', input: { path } }], stop: 'tool-use', usage: { input: 100, output: 20 } })
const cassette = (): Cassette => JSON.parse(readFileSync(join(folder.path, 'review.cassette.json'), 'utf8')) as Cassette
const one = ['--files', 'a']
const findingA = { file: 'src/a.ts', line: 1 }

test('a run is recorded, and answered again with no server, no key, and no permit for a model', async () => {
  begin()
  server.next(calls('src/a.ts', { kind: 'text', text: 'I read it.\nFirst.' }), answers(findingA))
  const recorded = await run(['run', 'review.tek', ...one, '--record', 'review.cassette.json'])
  expect([recorded.code, recorded.err]).toEqual([0, expect.stringContaining('Recorded 2 answers in review.cassette.json.')])
  const made = cassette()
  expect(problemsOf(validator('cassette'), made)).toEqual([])
  expect(made).toMatchObject({
    cassette: 1, program: 'review.tek', workflow: 'review',
    conversations: [{
      agent: 'reviewer', task: 'found[0]', role: 'You review code.', tools: ['fs_read'],
      turns: [
        { asked: [{ role: 'user' }], answered: { asked: 'smart', stop: 'tool-use', content: [{ kind: 'text', text: ['I read it.', 'First.'] }, { kind: 'tool-use', input: { path: 'src/a.ts' } }], usage: { input: 100 } } },
        { asked: [{ role: 'user', content: [{ kind: 'tool-result', content: [{ text: expect.arrayContaining(['let a = 1', '']) }] }] }] },
      ],
    }],
  })
  expect(made.conversations[0]!.turns).toHaveLength(2)
  server.seen.length = 0
  const again = await bare(...one, '--replay', 'review.cassette.json')
  expect([again.code, JSON.parse(again.out)]).toEqual([0, [findingA]])
  expect(server.seen).toHaveLength(0)
  expect((await tek(['replay', 'last'], { cwd: folder.path })).code).toBe(0)
})

test('items side by side get their own answers, and the file is the same whoever was quicker', async () => {
  begin()
  server.next(answers(findingA), answers({ file: 'src/a.ts', line: 2 }))
  const texts: string[] = []
  for (let round = 0; round < 2; round++) {
    if (round > 0) server.next(answers(findingA), answers({ file: 'src/a.ts', line: 2 }))
    expect((await run(['run', 'review.tek', '--record', 'review.cassette.json', '--workers', '1'])).code).toBe(0)
    texts.push(readFileSync(join(folder.path, 'review.cassette.json'), 'utf8'))
  }
  expect(cassette().conversations.map(each => each.task)).toEqual(['found[0]', 'found[1]'])
  const outOf = (text: string) => (JSON.parse(text) as Cassette).conversations.map(each => each.turns.map(turn => turn.request))
  expect(outOf(texts[0]!)).toEqual(outOf(texts[1]!))
  const again = await bare('--replay', 'review.cassette.json')
  expect(again.code).toBe(0)
  expect(JSON.parse(again.out)).toHaveLength(2)
})

test('a question that was not recorded fails, and what differs is said', async () => {
  begin()
  server.next(calls('src/a.ts'), answers(findingA))
  await run(['run', 'review.tek', ...one, '--record', 'review.cassette.json'])
  writeFileSync(join(folder.path, 'src/a.ts'), 'let a = 7\n')
  const changed = await bare(...one, '--replay', 'review.cassette.json')
  expect(changed.code).toBe(1)
  expect(changed.err).toContain('model/no-recording')
  expect(changed.err).toContain('let a = 7')
  expect(changed.err).toContain('let a = 1')
  expect(changed.err).toMatch(/nearest recorded question: turn 2 of found\[0\]/)
})

test('docs of tools, the model and its options may change; what is asked, and the type of the answer, may not', async () => {
  begin()
  server.next(answers(findingA))
  await run(['run', 'review.tek', ...one, '--record', 'review.cassette.json'])
  const text = readFileSync(join(folder.path, 'review.tek'), 'utf8')
  folder.write('review.tek', text.replace('"claude-of-here"', '"claude-of-tomorrow"').replace('maxTokens: 1k', 'maxTokens: 2k').replace('{ file: string,', '{\n  /// Its path.\n  file: string,'))
  expect((await bare(...one, '--replay', 'review.cassette.json')).code).toBe(0)
  folder.write('review.tek', text.replace('file: string,', 'file: string, why: string?,'))
  expect((await bare(...one, '--replay', 'review.cassette.json')).err).toContain('model/no-recording')
  folder.write('review.tek', text.replace('You review code.', 'You review code well.'))
  const other = await bare(...one, '--replay', 'review.cassette.json')
  expect(other.err).toMatch(/role[\s\S]*You review code\.[\s\S]*You review code well\./)
})

test('no secret is in a cassette, wherever it comes from', async () => {
  begin({ 'src/a.ts': `let password = '${key}'\n` })
  server.next(calls('src/a.ts', { kind: 'text', text: `I was told ${key}.` }), answers(findingA))
  expect((await run(['run', 'review.tek', ...one, '--record', 'review.cassette.json'])).code).toBe(0)
  const text = readFileSync(join(folder.path, 'review.cassette.json'), 'utf8')
  expect(text).not.toContain(key)
  expect(text).toContain('[secret modelKey]')
  const again = await run(['run', 'review.tek', ...one, '--replay', 'review.cassette.json'])
  expect([again.code, JSON.parse(again.out)]).toEqual([0, [findingA]])
})

test('a run that fails is recorded, with why a model gave no answer, and fails again so', async () => {
  begin()
  server.next({ kind: 'refuse', status: 400, type: 'invalid_request_error', message: 'no such thing' })
  const failed = await run(['run', 'review.tek', ...one, '--record', 'review.cassette.json'])
  expect(failed.code).toBe(1)
  expect(cassette().conversations[0]!.turns).toMatchObject([{ failed: { code: 'model/bad-request' } }])
  const again = await bare(...one, '--replay', 'review.cassette.json')
  expect([again.code, again.err]).toEqual([1, expect.stringContaining('model/bad-request')])
})

test('a run that is stopped is recorded as far as it came; gone on with, from its beginning', async () => {
  begin()
  server.next(calls('src/a.ts'), { kind: 'hang', content: [], pieces: 0 })
  const { child, ended } = startTek(['run', 'review.tek', ...one, '--record', 'review.cassette.json'], { cwd: folder.path, env: { MODEL_KEY: key } })
  for (let look = 0; look < 3_000 && server.seen.length < 2; look++) await new Promise(resolve => setTimeout(resolve, 20))
  child.kill('SIGINT')
  expect((await ended).code).toBe(130)
  expect(cassette().conversations[0]!.turns).toHaveLength(1)
  server.next(answers(findingA))
  const resumed = await run(['resume', '--record', 'review.cassette.json'])
  expect([resumed.code, JSON.parse(resumed.out)]).toEqual([0, [findingA]])
  expect(cassette().conversations[0]!.turns).toHaveLength(2)
  expect((await bare(...one, '--replay', 'review.cassette.json')).code).toBe(0)
  const finished = await run(['resume', 'last', '--record', 'again.json']) // of a run that is over, too
  expect(finished.code).toBe(0)
  expect(existsSync(join(folder.path, 'again.json'))).toBe(true)
})

test('agents that lead others and remember are recorded with all their conversations, and tools that a test gives stand in for theirs', async () => {
  const models = await serveModels({
    answer({ system, messages }) {
      const last = messages.at(-1)!.text
      if (system.includes('You look')) return last.includes('one') ? 'It says one.' : { calls: [{ name: 'fs_read', args: { path: 'src/a' } }] }
      return last.includes('Ask the looker') ? { calls: [{ name: 'looker', args: { task: 'look at src/a' } }] } : `after ${messages.length} messages`
    },
  })
  folder = project({
    'src/a': 'one',
    'lead.tek': `model m = openai("x", baseUrl: "${models.url}/v1")
/// Looks at one file.
agent looker {
  model m
  role "You look."
  can fs.read("src/**")
  tools fs.read
}
/// Leads.
agent boss leads looker {
  model m
  role "You lead."
  can fs.read("src/**")
  memory run
}
workflow go() -> string {
  can fs.read("src/**")
  task a by boss -> string = prompt """Ask the looker about src/a."""
  task b by boss -> string after a = prompt """And again."""
  return "\${a}, \${b}"
}
test "as recorded, with a file that is not there" {
  given boss replays "lead.cassette.json"
  given looker replays "lead.cassette.json"
  given fs.read returns "one"
  let said = go()
  expect said == "after 3 messages, after 4 messages"
}
`,
  })
  try {
    const { code, out, err } = await tek(['run', 'lead.tek', '--record', 'lead.cassette.json'], { cwd: folder.path })
    expect([code, out.trim()], err).toEqual([0, expect.stringMatching(/^after 3 messages, after \d messages$/)])
    const made = JSON.parse(readFileSync(join(folder.path, 'lead.cassette.json'), 'utf8')) as Cassette
    expect(made.conversations.map(each => each.agent).sort()).toEqual(['boss', 'boss', 'looker'])
    await models.close()
    const again = await tek(['run', 'lead.tek', '--replay', 'lead.cassette.json'], { cwd: folder.path })
    expect([again.code, again.out]).toEqual([0, out])
    rmSync(join(folder.path, 'src'), { recursive: true })
    folder.write('lead.tek', readFileSync(join(folder.path, 'lead.tek'), 'utf8').replace('"after 3 messages, after 4 messages"', JSON.stringify(out.trim())))
    const tested = await tek(['test', 'lead.tek', '--coverage'], { cwd: folder.path })
    expect([tested.code, tested.out]).toEqual([0, expect.stringMatching(/boss +100% {2}1 of 1 tool/)])
  } finally {
    await models.close()
  }
})

test('a run that waits goes on with its cassette, when it is said again', async () => {
  begin()
  server.next(answers(findingA))
  await run(['run', 'review.tek', ...one, '--record', 'review.cassette.json'])
  const text = readFileSync(join(folder.path, 'review.tek'), 'utf8')
  folder.write('review.tek', text.replace('-> Finding =', '-> Finding approve "Ask about ${file}?" ='))
  expect((await bare(...one, '--replay', 'review.cassette.json')).code).toBe(6)
  const resumed = await tek(['resume', 'last', ...permitted, '--replay', 'review.cassette.json', '--yes'], { cwd: folder.path, asWritten: true })
  expect([resumed.code, JSON.parse(resumed.out)]).toEqual([0, [findingA]])
})

test('the same question is answered as often as it was recorded', async () => {
  begin({}, 'You review code.', ' retry 2')
  server.next(answers('no'), answers('no'), answers('no'), answers(findingA))
  expect((await run(['run', 'review.tek', ...one, '--record', 'review.cassette.json'])).code).toBe(0)
  const again = await bare(...one, '--replay', 'review.cassette.json')
  expect([again.code, JSON.parse(again.out)]).toEqual([0, [findingA]])
  const twice = await bare('--files', 'a', '--files', 'a', '--replay', 'review.cassette.json')
  expect(twice.err).toContain('model/no-recording')
})

test('what is no cassette, newer, damaged or misplaced is told with a code, and nothing is written over', async () => {
  begin({ 'notes.json': '{"mine":true}', 'new.json': '{"cassette":99}', 'torn.json': '{"cassette":1,"program":"x","workfl', 'bad.json': '{"cassette":1,"program":"x","workflow":"y","recorded":"z","conversations":[{}]}', 'own.txt': 'not JSON' })
  const codes = ['notes.json', 'new.json', 'torn.json', 'bad.json', 'own.txt', 'none.json', 'src'].map(name => bare(...one, '--replay', name))
  const ends = await Promise.all(codes)
  expect(ends.map(each => [each.code, /(cassette|cli)\/[\w-]+/.exec(each.err)?.[0]])).toEqual([
    [2, 'cassette/not-a-cassette'], [2, 'cassette/newer'], [2, 'cassette/damaged'], [2, 'cassette/damaged'], [2, 'cassette/not-a-cassette'], [2, 'cli/file-not-found'], [2, 'cli/is-a-folder'],
  ])
  const over = await run(['run', 'review.tek', '--record', 'notes.json'])
  expect([over.code, over.err]).toEqual([2, expect.stringContaining('cassette/not-a-cassette')])
  expect(readFileSync(join(folder.path, 'notes.json'), 'utf8')).toBe('{"mine":true}')
  expect((await run(['run', 'review.tek', '--record', 'no/such/x.json'])).err).toContain('cli/cannot-write')
  expect((await run(['run', 'review.tek', '--record', 'x.json', '--replay', 'new.json'])).err).toContain('cli/unfit-option')
  expect(server.seen).toHaveLength(0)
})
