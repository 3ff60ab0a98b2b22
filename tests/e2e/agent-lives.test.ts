// Agents over time, with the real binary and a server of a real protocol: a thread across runs and kills, what must hold of an answer, one agent watched and steered
// from other processes.
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { ThreadRead } from '#model/memory.ts'
import type { AgentShown } from '#model/report.ts'
import { anthropicProtocol } from '../models/anthropic-protocol.ts'
import { serveProtocol, type ProtocolServer, type Script } from '../models/protocol-server.ts'
import { problemsOf, validator } from '../history/schemas.ts'
import { type Ended, project, startTek, tek } from './binary.ts'

let server: ProtocolServer
let folder: ReturnType<typeof project>
beforeAll(async () => {
  server = await serveProtocol(anthropicProtocol)
  folder = project({ 'notes/a.md': 'A cat.\n' })
})
afterEach(async () => {
  await tek(['stop', '--all'], { cwd: folder.path })
  for (const name of ['.tek', 'evidence']) rmSync(join(folder.path, name), { recursive: true, force: true })
  server.clear()
  server.seen.length = 0
})
afterAll(async () => {
  await server.close()
  folder.remove()
})

const env = { MODEL_KEY: 'sk-of-the-test-1' }
const run = (words: readonly string[]): Promise<Ended> => tek(words, { cwd: folder.path, env })
const answers = (text: string): Script => ({ kind: 'reply', content: [{ kind: 'text', text }], stop: 'done', usage: { input: 100, output: 20 } })
const reads = (path: string): Script => ({ kind: 'reply', content: [{ kind: 'tool-use', id: 'call_1', name: 'fs_read', input: { path } }], stop: 'tool-use', usage: { input: 100, output: 20 } })
const hangs: Script = { kind: 'hang', content: [{ kind: 'text', text: 'x' }], pieces: 1 }
const messages = (index: number): string => JSON.stringify(server.seen.at(index)?.body['messages'])
const threadOf = async (name: string): Promise<ThreadRead['entries']> => (JSON.parse((await run(['agents', '--thread', name, '--json'])).out) as ThreadRead).entries
const agents = async (): Promise<readonly AgentShown[]> => (JSON.parse((await run(['agents', 'last', '--json'])).out) as { agents: readonly AgentShown[] }).agents

async function see(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let look = 0; look < 1_500 && !(await isSo()); look++) await new Promise(resolve => setTimeout(resolve, 40))
  expect(await isSo()).toBe(true)
}

function program(agent: string, workflow: string, limits = 'turns: 5'): void {
  folder.write('talk.tek', `secret modelKey = env("MODEL_KEY")
model smart = anthropic("claude-of-here", baseUrl: "${server.url}", key: modelKey, maxTokens: 1k)

agent support {
  model smart
  can fs.read("notes/**")
  tools fs.read
  limits { ${limits} }
  ${agent}
}

workflow ask(what: string) -> string {
  can fs.read("**"), env("MODEL_KEY")
${workflow}
}
`)
}
const asking = '  task answer by support -> string = prompt "${what}"\n  return answer'

describe('a thread', () => {
  test('is there in the next run, in a process of its own; listed, shown and forgotten', async () => {
    program('memory thread "support"', asking)
    server.next(reads('notes/a.md'), answers('There is a cat.'), answers('As I said: a cat.'))
    expect((await run(['run', 'talk.tek', '--what', 'What is there?'])).out.trim()).toContain('There is a cat.')
    expect((await run(['run', 'talk.tek', '--what', 'Again?'])).out).toContain('As I said')
    expect(messages(2)).toMatch(/What is there\?.*What tools gave then.*A cat\..*There is a cat\..*Again\?/)
    expect((await threadOf('support')).map(each => [each.prompt, each.answer])).toEqual([['What is there?', 'There is a cat.'], ['Again?', 'As I said: a cat.']])
    await run(['show', 'last', '--out', 'evidence'])
    const events = readFileSync(join(folder.path, 'evidence', 'events.ndjson'), 'utf8').trim().split('\n').map(each => JSON.parse(each) as { kind: string })
    expect(events.flatMap(each => problemsOf(validator('event'), each))).toEqual([])
    expect(events.map(each => each.kind)).toContain('recalled')
    expect((await run(['agents', '--threads'])).out).toMatch(/^support · 2 entries · last /)
    expect((await run(['agents', '--thread', 'support'])).out).toMatch(/asked:\n {2}What is there\?\ntools:\n {2}fs_read .*\nanswered:\n {2}There is a cat\./s)
    expect(await run(['agents', '--forget', 'support'])).toMatchObject({ code: 0 })
    const gone = await run(['agents', '--thread', 'support'])
    expect([gone.code, gone.err]).toEqual([2, expect.stringContaining('cli/unknown-thread')])
  })

  test('kill -9 in every turn: each conversation is in it once, and what it held when a conversation began does not change under it', async () => {
    program('memory thread "support"', asking)
    server.next(answers('one'))
    await run(['run', 'talk.tek', '--what', 'first'])
    const killedIn = async (words: readonly string[], questions: number, ...script: readonly Script[]): Promise<void> => {
      const before = server.seen.length
      server.next(...script)
      const { child, ended } = startTek(words, { cwd: folder.path, env })
      await see(() => server.seen.length === before + questions)
      child.kill('SIGKILL')
      await ended
    }
    await killedIn(['run', 'talk.tek', '--what', 'second'], 1, hangs)
    const id = (await runIds())[0]!
    server.next(answers('between')) // another run adds to the thread meanwhile
    await run(['run', 'talk.tek', '--what', 'meanwhile'])
    await killedIn(['resume', id], 1, hangs)
    await killedIn(['resume', id], 2, reads('notes/a.md'), hangs)
    server.next(answers('two'))
    const resumed = await run(['resume', id])
    expect([resumed.code, resumed.out]).toEqual([0, expect.stringContaining('two')])
    expect(messages(-1)).toMatch(/first.*one.*second/)
    expect(messages(-1)).not.toContain('meanwhile')
    expect((await threadOf('support')).map(each => each.answer)).toEqual(['one', 'between', 'two'])
    const again = await run(['resume', id])
    expect([again.code, (await threadOf('support')).length]).toEqual([0, 3])
    expect((await run(['replay', id])).code).toBe(0)
  })

  test('two runs at once lose nothing; `tek clean --threads` forgets all of it', async () => {
    program('memory thread "support"', asking)
    server.next(...Array.from({ length: 4 }, (_, at) => answers(`answer ${at}`)))
    await Promise.all([1, 2, 3, 4].map(each => run(['run', 'talk.tek', '--what', `question ${each}`])))
    const entries = await threadOf('support')
    expect(entries.map(each => each.answer).sort()).toEqual(['answer 0', 'answer 1', 'answer 2', 'answer 3'])
    expect(new Set(entries.map(each => each.from)).size).toBe(4)
    expect((await run(['clean', '--dry-run', '--threads'])).out).toContain('1 thread would go')
    expect((await threadOf('support')).length).toBe(4)
    expect((await run(['clean', '--threads'])).out).toContain('1 thread goes')
    expect((await run(['agents', '--threads'])).out).toBe('')
  })

  test('no secret is in it, though it was in what was asked and in what was answered', async () => {
    program('memory thread "support"', '  task answer by support -> string = prompt "the key is ${what}"\n  return answer')
    server.next(answers(`so it is ${env.MODEL_KEY}`), answers('hm'))
    await run(['run', 'talk.tek', '--what', env.MODEL_KEY])
    await run(['run', 'talk.tek', '--what', 'gone'])
    expect(JSON.stringify(await threadOf('support'))).not.toContain(env.MODEL_KEY)
    expect(messages(1)).not.toContain(env.MODEL_KEY)
    expect(messages(1)).toContain('[secret modelKey]')
  })
})

async function runIds(): Promise<readonly string[]> {
  return (JSON.parse((await run(['runs', '--json'])).out) as { runs: readonly { runId: string }[] }).runs.map(each => each.runId)
}

test('what must hold of an answer is told to the model; what never holds is a failure that says so', async () => {
  program('', '  task answer by support -> string ensure len(answer) > 5 else "it is a sentence" = prompt "${what}"\n  return answer')
  server.next(answers('no'), answers('A whole one.'))
  expect((await run(['run', 'talk.tek', '--what', 'Well?'])).out).toContain('A whole one.')
  expect(messages(1)).toContain('it is a sentence')
  server.next(answers('no'), answers('nope'), answers('never'))
  const { code, err } = await run(['run', 'talk.tek', '--what', 'Well?'])
  expect([code, err]).toEqual([1, expect.stringMatching(/agent\/objective-missed.*it is a sentence/s)])
  const { out } = await run(['show', 'last'])
  expect(out).toContain('agent/objective-missed')
})

describe('one agent of a run', () => {
  const several = '  task answer for n in [1, 2, 3] by support -> string parallel 1 on failure use "none" = prompt "${what} ${n}"\n  return "${answer}"'

  test('is watched from another process', async () => {
    program('', several)
    server.next(answers('one'), hangs)
    const { child, ended } = startTek(['run', 'talk.tek', '--what', 'Say'], { cwd: folder.path, env })
    await see(() => server.seen.length === 2)
    await see(async () => (await agents())[0]?.conversations[0]?.state === 'asks')
    expect(await agents()).toMatchObject([{ agent: 'support', state: 'at-work', health: 'good', open: 1, done: 1, failed: 0, turns: 1, tokens: 120, lastAnswer: 'one', conversations: [{ task: 'answer[1]', state: 'asks', turns: 0 }] }])
    expect((await run(['agents'])).out).toMatch(/support: at work · conversations: 1 open, 1 done · 1 turn, 120 tokens\n {4}answer\[1\] asks its model\n {4}last answer: one/)
    child.kill('SIGKILL')
    await ended
  })

  test('is paused, also across a kill, and goes on', async () => {
    program('', several)
    server.next(answers('one'), hangs)
    const first = startTek(['run', 'talk.tek', '--what', 'Say'], { cwd: folder.path, env })
    await see(() => server.seen.length === 2)
    expect((await run(['pause', '--agent', 'support'])).out).toContain('`support` is asked nothing new')
    first.child.kill('SIGKILL')
    await first.ended
    const second = startTek(['resume'], { cwd: folder.path, env })
    await see(async () => (await agents())[0]?.state === 'paused' && (await agents())[0]?.conversations[0]?.state === 'paused')
    expect(server.seen.length).toBe(2)
    server.next(answers('two'), answers('three'))
    expect((await run(['resume', '--agent', 'support'])).out).toContain('`support` goes on')
    const { code, out } = await second.ended
    expect([code, out]).toEqual([0, expect.stringMatching(/one.*two.*three/s)])
  })

  test('is stopped: its socket is closed, and what `on failure` says follows', async () => {
    program('', several)
    server.next(answers('one'), hangs)
    const { ended } = startTek(['run', 'talk.tek', '--what', 'Say'], { cwd: folder.path, env })
    await see(() => server.seen.length === 2)
    const left = server.left()
    expect((await run(['stop', '--agent', 'support'])).out).toContain('`support` is stopped')
    await see(() => server.left() > left)
    const { code, out } = await ended
    expect([code, out]).toEqual([0, expect.stringMatching(/one.*none.*none/s)])
    expect(server.seen.length).toBe(2)
    expect((await run(['show', 'last'])).out).toContain('agent/stopped')
    const over = await run(['resume', '--agent', 'support', 'last'])
    expect([over.code, over.err]).toEqual([expect.any(Number), expect.stringContaining('run/finished-already')])
    const unknown = await run(['pause', '--agent', 'suport'])
    expect(unknown.code).not.toBe(0)
  })

  test('is given up when its model fails again and again, and is told so', async () => {
    program('', several, 'turns: 5, failures: 2')
    server.next(...Array.from({ length: 3 }, () => ({ kind: 'refuse', status: 404, type: 'not_found_error' }) as const))
    const { code, out, err } = await run(['run', 'talk.tek', '--what', 'Say'])
    expect([code, out]).toEqual([0, expect.stringMatching(/none.*none.*none/s)])
    expect(err).toContain('`support` is given up for this run')
    server.next(...Array.from({ length: 2 }, () => ({ kind: 'refuse', status: 404, type: 'not_found_error' }) as const))
    const told = (await run(['run', 'talk.tek', '--what', 'Say', '--json'])).out.trim().split('\n').map(each => JSON.parse(each) as { kind: string })
    expect(told.flatMap(each => problemsOf(validator('notice'), each))).toEqual([])
    expect(told.filter(each => each.kind === 'agent')).toMatchObject([{ agent: 'support', change: 'given-up', failure: { code: 'model/unknown-model' } }])
    expect(server.seen.length).toBe(4)
    expect(await agents()).toMatchObject([{ state: 'given-up', health: 'given-up', failuresInRow: 2, lastFailure: { code: 'model/unknown-model' } }])
    expect((await run(['show', 'last'])).out).toContain('agent/given-up')
  })
})
