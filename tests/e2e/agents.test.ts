// Agents through the command line: the real program, the real libraries of providers, servers of their protocols on this machine.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { ChatBlock } from '#model/chat.ts'
import type { AuditEntryShown, RunNotice } from '#model/report.ts'
import { anthropicProtocol } from '../models/anthropic-protocol.ts'
import { openaiProtocol } from '../models/openai-protocol.ts'
import { type ProtocolServer, type Script, serveProtocol } from '../models/protocol-server.ts'
import { type Ended, project, startTek, tek } from './binary.ts'

const key = 'sk-canary-7f3a9c51d2e84b60'
let claude: ProtocolServer
let local: ProtocolServer
let folder: ReturnType<typeof project>
beforeAll(async () => {
  claude = await serveProtocol(anthropicProtocol)
  local = await serveProtocol(openaiProtocol)
  folder = project({ 'src/a.ts': 'let a = 1\n', 'private/b.ts': 'let b = 2\n' })
})
afterEach(async () => {
  await tek(['stop', '--all'], { cwd: folder.path })
  rmSync(join(folder.path, '.tek'), { recursive: true, force: true })
  claude.clear()
  local.clear()
  claude.seen.length = 0
})
afterAll(async () => {
  await Promise.all([claude.close(), local.close()])
  folder.remove()
})

interface Parts {
  readonly model?: string
  readonly agent?: string
  readonly can?: string
  readonly clauses?: string
  readonly limits?: string
}

/** A program of one agent; its parts may differ. */
function program({ model = '', agent = '', can = '', clauses = '', limits = '' }: Parts = {}): string {
  folder.write('review.tek', `secret modelKey = env("MODEL_KEY")

model smart = anthropic("claude-of-here", baseUrl: "${claude.url}", key: modelKey, price: { input: $3, output: $15 }, maxTokens: 1k${model})
model near = openai("near-of-here", baseUrl: "${local.url}/v1", price: { input: $0, output: $0 })

/// Something that may be wrong.
type Finding = {
  file: string,
  /// Counted from 1.
  line: int(1..100000),
}

/// Reads with care.
agent reviewer {
  model smart
  role "You review code."
  can fs.read("src/**")${can}
  tools fs.read${agent}
}

workflow review() -> Finding {
  can fs.read("**"), env("MODEL_KEY")${can}${limits}

  task found by reviewer -> Finding${clauses} = prompt """Look for mistakes in src/a.ts."""

  return found
}
`)
  return 'review.tek'
}

const env = { MODEL_KEY: key }
const run = (words: readonly string[]): Promise<Ended> => tek(words, { cwd: folder.path, env })
const text = (...words: readonly string[]): readonly ChatBlock[] => words.map(each => ({ kind: 'text', text: each }))
const answers = (value: unknown): Script => ({ kind: 'reply', content: text(typeof value === 'string' ? value : JSON.stringify(value)), stop: 'done', usage: { input: 100, output: 20 } })
const calls = (path: string, id = 'call_1'): Script => ({ kind: 'reply', content: [{ kind: 'tool-use', id, name: 'fs_read', input: { path } }], stop: 'tool-use', usage: { input: 100, output: 20 } })
const body = (index: number): string => JSON.stringify(claude.seen.at(index)?.body)
const finding = { file: 'src/a.ts', line: 3 }
const notices = (out: string): RunNotice[] => out.split('\n').flatMap(line => (line.startsWith('{') ? [JSON.parse(line) as RunNotice] : []))

async function see(isSo: () => boolean): Promise<void> {
  for (let look = 0; look < 3_000 && !isSo(); look++) await new Promise(resolve => setTimeout(resolve, 20))
  expect(isSo()).toBe(true)
}

test('a typed answer: asked for by its schema, with the role and the key, and given back as a value', async () => {
  claude.next(answers(finding))
  const { code, out, err } = await run(['run', program()])
  expect([code, err]).toEqual([0, expect.not.stringContaining('error')])
  expect(JSON.parse(out)).toEqual(finding)
  expect(claude.seen.length).toBe(1)
  expect(JSON.stringify(claude.seen[0]!.headers)).toContain(key)
  expect(body(0)).toContain('You review code.')
  expect(body(0)).toContain('Look for mistakes in src/a.ts.')
  expect(body(0)).toContain('Counted from 1.') // the doc of a field reaches the model
  expect(claude.seen[0]!.body).toMatchObject({ model: 'claude-of-here', max_tokens: 1_000, tools: [{ name: 'fs_read' }] })
})

test('tools are called within what the agent may do: what is refused is told to the model', async () => {
  claude.next(calls('src/a.ts'), calls('private/b.ts', 'call_2'), answers(finding))
  const { code, out } = await run(['run', program()])
  expect([code, JSON.parse(out)]).toEqual([0, finding])
  expect(body(1)).toContain('let a = 1')
  expect(body(2)).toContain('permit/denied')
  expect(body(2)).not.toContain('let b = 2')
  expect(claude.seen[2]!.body['messages']).toMatchObject([{}, {}, {}, {}, { content: [{ type: 'tool_result', tool_use_id: 'call_2', is_error: true }] }])
  const { out: audit } = await run(['audit', 'show', '--json'])
  expect(audit).toContain('llm(\\"smart\\")')
  expect(audit).toContain(`net(\\"${new URL(claude.url).host}\\")`)
  expect(audit).toMatch(/"verdict": ?"refused"/)
  const entries = (JSON.parse(audit) as { entries: AuditEntryShown[] }).entries
  expect(entries.filter(each => each.kind === 'model-answered')).toHaveLength(3)
  expect(entries.find(each => each.kind === 'model-answered')).toMatchObject({ task: 'found', call: 'agent reviewer', what: 'smart (claude-of-here)', verdict: '120 tokens, $0.000600' })
  const { out: shown } = await run(['show', 'last'])
  expect(shown).toMatch(/found .* 3 turns, 360 tokens, \$0\.0018/)
  expect(shown).toMatch(/done review · 1 of 1 task · .* · 360 tokens, \$0\.0018/)
})

test('an answer that does not fit is mended, twice at most', async () => {
  claude.next(answers('There is one in line 3.'), answers({ file: 'src/a.ts', line: 0 }), answers(finding))
  const { code, out } = await run(['run', program()])
  expect([code, JSON.parse(out)]).toEqual([0, finding])
  expect(body(1)).toContain('no JSON')
  claude.next(answers('no'), answers('no'), answers('no'), answers(finding))
  const refused = await run(['run', program()])
  expect(refused.code).toBe(1)
  expect(refused.err).toContain('agent/wrong-answer')
})

test('a server that says "too often" is left alone for as long as it says, then asked again', async () => {
  claude.next({ kind: 'refuse', status: 429, type: 'rate_limit_error', headers: { 'retry-after-ms': '700' } }, answers(finding))
  const startedMs = performance.now()
  const { code, out } = await run(['run', program()])
  expect([code, JSON.parse(out)]).toEqual([0, finding])
  expect(performance.now() - startedMs).toBeGreaterThan(700)
  expect(claude.seen.length).toBe(2)
})

test('where a model cannot answer, its fallback does', async () => {
  claude.next({ kind: 'refuse', status: 401, type: 'authentication_error', message: 'revoked' })
  local.next(answers(finding))
  const { code, out } = await run(['run', program({ model: ', fallback: near' })])
  expect([code, JSON.parse(out)]).toEqual([0, finding])
  expect(JSON.stringify(local.seen.at(-1)!.headers)).not.toContain(key)
  claude.next({ kind: 'refuse', status: 401, type: 'authentication_error', message: 'revoked' })
  const alone = await run(['run', program()])
  expect([alone.code, alone.err]).toEqual([1, expect.stringContaining('model/no-key')])
})

test('what becomes of a task whose model cannot be asked is what it says', async () => {
  claude.next({ kind: 'refuse', status: 404, type: 'not_found_error' }, answers(finding))
  expect((await run(['run', program({ clauses: ' on failure use { file: "none", line: 1 }' })])).out).toContain('none')
})

describe('kill -9', () => {
  test('in each turn of a conversation: no recorded turn is asked again', async () => {
    const turns = [calls('src/a.ts'), calls('src/a.ts', 'call_2'), calls('src/none.ts', 'call_3'), answers(finding)]
    program()
    for (const [turn, answer] of turns.entries()) {
      claude.next({ kind: 'hang', content: text('x'), pieces: turn % 3 }) // not even a head, a head, a piece
      const { child, ended } = startTek(turn === 0 ? ['run', 'review.tek'] : ['resume'], { cwd: folder.path, env })
      await see(() => claude.seen.length === 2 * turn + 1)
      child.kill('SIGKILL')
      await ended
      claude.next(answer)
      if (turn === turns.length - 1) break
      claude.next({ kind: 'hang', content: text('x'), pieces: 0 }) // killed again at once in the next turn
      const next = startTek(['resume'], { cwd: folder.path, env })
      await see(() => claude.seen.length === 2 * turn + 3)
      next.child.kill('SIGKILL')
      await next.ended
      claude.seen.pop() // that of the next turn is asked again by the next process
    }
    const resumed = await run(['resume'])
    expect([resumed.code, JSON.parse(resumed.out)]).toEqual([0, finding])
    const lengths = claude.seen.map(each => (each.body['messages'] as unknown[]).length)
    expect(lengths).toEqual([1, 1, 3, 3, 5, 5, 7, 7]) // each turn once when it was broken off, once when it was recorded
    expect(body(7)).toContain('let a = 1')
  })
})

describe('limits', () => {
  test('of turns: the last is without tools', async () => {
    claude.next(calls('src/a.ts'), answers(finding))
    const { code } = await run(['run', program({ agent: '\n  limits { turns: 2 }' })])
    expect(code).toBe(0)
    expect(claude.seen[1]!.body).toMatchObject({ tool_choice: { type: 'none' } })
    claude.next(calls('src/a.ts'), calls('src/a.ts', 'call_2'))
    const over = await run(['run', program({ agent: '\n  limits { turns: 2 }' })])
    expect([over.code, over.err]).toEqual([1, expect.stringContaining('agent/turns-used-up')])
  })

  test('of cost, in a workflow: the run stops before the question that might go beyond it', async () => {
    claude.next({ kind: 'reply', content: [{ kind: 'tool-use', id: 'call_1', name: 'fs_read', input: { path: 'src/a.ts' } }], stop: 'tool-use', usage: { input: 10_000, output: 1_000 } }, answers(finding))
    const { err } = await run(['run', program({ limits: '\n  limits { cost: $0.05 }' })])
    expect(err).toContain('run/limit-reached')
    expect(err).toContain('$0.05')
    expect(claude.seen.length).toBe(1)
  })

  test('of calls: an agent beyond its own is told so, a run beyond its own stops', async () => {
    const many: ChatBlock[] = Array.from({ length: 30 }, (_, index) => ({ kind: 'tool-use', id: `call_${index}`, name: 'fs_read', input: { path: index % 2 === 0 ? 'src/a.ts' : `src/${index}.ts` } }))
    claude.next({ kind: 'reply', content: many, stop: 'tool-use' }, answers(finding))
    const { code, err } = await run(['run', program({ agent: '\n  limits { calls: 20 }' })])
    expect([code, err]).toEqual([0, expect.not.stringContaining('Warning')])
    expect(body(1).match(/let a = 1/g)).toHaveLength(10)
    expect(body(1).match(/limit of 20 calls of this agent is used up/g)).toHaveLength(10)
    claude.next({ kind: 'reply', content: many, stop: 'tool-use' }, answers(finding))
    const stopped = await run(['run', program({ limits: '\n  limits { calls: 20 }' })])
    expect(stopped.err).toContain('run/limit-reached')
    expect(claude.seen.length).toBe(3)
  })
})

test('the key is in no file, no output and no answer that is kept, also when the server says it', async () => {
  folder.write('src/a.ts', `const key = '${key}'\n`)
  claude.next(calls('src/a.ts'), answers({ file: `it is ${key}`, line: 1 }))
  const { out, err } = await run(['run', program()])
  folder.write('src/a.ts', 'let a = 1\n')
  expect(claude.seen.length).toBe(2)
  expect(body(1)).not.toContain(key)
  expect(JSON.parse(out)).toEqual({ file: 'it is [secret modelKey]', line: 1 })
  const shown = await run(['show', '--json'])
  expect(out + err + shown.out + (await run(['logs'])).out).not.toContain(key)
  expect(filesOf(join(folder.path, '.tek')).filter(path => readFileSync(path).includes(key))).toEqual([])
  expect(JSON.stringify(claude.seen[0]!.headers)).toContain(key)
})

function filesOf(path: string): string[] {
  return statSync(path).isDirectory() ? readdirSync(path).flatMap(name => filesOf(join(path, name))) : [path]
}

test('without the key, and without the grant of its source, nothing is asked', async () => {
  const missing = await tek(['run', program()], { cwd: folder.path })
  expect(missing.err).toContain('secret/not-set')
  const text = readFileSync(join(folder.path, program()), 'utf8').replace(', env("MODEL_KEY")', '')
  folder.write('review.tek', text)
  // The person is asked for the key together with the model, though no `can` names it.
  const denied = await tek(['run', 'review.tek', '--allow', 'fs.read("**")', '--allow', 'llm("smart")'], { cwd: folder.path, env, asWritten: true })
  expect([denied.code, denied.err]).toEqual([4, expect.stringContaining('env("MODEL_KEY")')])
  expect(claude.seen.length).toBe(0)
})

test('a permit without the model is no permit', async () => {
  const { code, err } = await tek(['run', program(), '--allow', 'fs.read("**")', '--allow', 'env("MODEL_KEY")'], { cwd: folder.path, env, asWritten: true })
  expect(code).not.toBe(0)
  expect(err).toContain('llm("smart")')
  expect(claude.seen.length).toBe(0)
})

describe('giving up', () => {
  test.each(['tek cancel', 'a timeout', 'SIGTERM'] as const)('%s closes the socket', async how => {
    const before = claude.left()
    claude.next({ kind: 'hang', content: text('x'), pieces: 2 })
    const { child, ended } = startTek(['run', program({ clauses: how === 'a timeout' ? ' timeout 2s' : '' })], { cwd: folder.path, env })
    await see(() => claude.seen.length === 1)
    if (how === 'tek cancel') await run(['cancel', 'found'])
    else if (how === 'SIGTERM') child.kill('SIGTERM')
    await see(() => claude.left() > before)
    const { code, err } = await ended
    expect([code, err]).toEqual(how === 'SIGTERM' ? [5, expect.any(String)] : [1, expect.stringContaining(how === 'tek cancel' ? 'run/cancelled-by-person' : 'run/timed-out')])
  })
})

test('what is spent is told while it goes on', async () => {
  claude.next(calls('src/a.ts'), answers(finding))
  const { out } = await run(['run', program(), '--json'])
  const told = notices(out).flatMap(each => (each.kind === 'model' ? [[each.task, each.agent, each.model, each.turn, each.isAsking, each.tokens, each.costMicros]] : []))
  expect(told).toEqual([['found', 'reviewer', 'smart', 1, true, 0, 0], ['found', 'reviewer', 'smart', 1, false, 120, 600], ['found', 'reviewer', 'smart', 2, true, 120, 600], ['found', 'reviewer', 'smart', 2, false, 240, 1_200]])
})

test('where the library of a provider is not installed, that is said', () => {
  // Resolved from tek's own folder: hidden by a loader that refuses it.
  const loader = `data:text/javascript,${encodeURIComponent("export const resolve = (name, context, next) => { if (name === '@anthropic-ai/sdk') throw new Error('not there'); return next(name, context) }")}`
  const register = `data:text/javascript,${encodeURIComponent(`import { register } from 'node:module'; register(${JSON.stringify(loader)})`)}`
  const { stderr, status } = spawnSync(process.execPath, ['--import', register, join(import.meta.dirname, '../../dist/tek.mjs'), 'run', program(), '--allow-all'], { cwd: folder.path, env: { ...env, PATH: process.env['PATH'] ?? '', HOME: folder.path }, encoding: 'utf8' })
  expect([status, stderr]).toEqual([1, expect.stringContaining('model/library-missing')])
  expect(stderr).toContain('npm install @anthropic-ai/sdk')
})
