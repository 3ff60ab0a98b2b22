// docs/agents.md is true: its program checks and passes its tests, without a key and without a network; with a server of the protocol it runs.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { nodeHost } from '#host/node-host.ts'
import { MAX_TRIES } from '#interpreter/gateway/gateway.ts'
import type { Outcome } from '#model/event.ts'
import { check, plan, run, type RunOptions } from '#tek.ts'
import { expectationsOf, planOfTest } from '../../src/cli/test-plan.ts'
import { anthropicProtocol } from '../models/anthropic-protocol.ts'
import { serveProtocol } from '../models/protocol-server.ts'
import { read } from '../tidy/source-tree.ts'

const folder = mkdtempSync(join(tmpdir(), 'tek-agents-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
mkdirSync(join(folder, 'reports'))
writeFileSync(join(folder, 'reports', 'login.md'), 'Nobody can log in.\n')
const host = nodeHost({ cwd: folder })
const page = read('docs/agents.md')
const program = /^```tek\n([\s\S]*?)^```/m.exec(page)![1]!
const checked = (text: string) => check(host, 'page.tek', { readText: path => (path === 'page.tek' ? text : undefined) })

async function outcomeOf(options: Pick<RunOptions, 'plan' | 'args'> & Partial<RunOptions>): Promise<Outcome | null> {
  const answer = await run({ ...host, env: name => (name === 'ANTHROPIC_API_KEY' ? 'sk-of-the-page-1234' : host.env(name)) }, { program: 'page.tek', database: null, tekVersion: '0.0.0', onNotice: () => {}, ...options })
  return answer.kind === 'answer' ? answer.value.outcome : { kind: 'failure', failure: { code: answer.diagnostics[0]!.code, message: '', task: '', retryable: false } }
}

test('its program is clean', async () => {
  expect((await checked(program)).diagnostics).toEqual([])
})

test('its tests pass, without a key', async () => {
  const whole = plan(await checked(program))
  expect(whole.tests).toHaveLength(3)
  for (const each of whole.tests) {
    const made = planOfTest(whole, each)
    const answer = await run({ ...host, env: () => undefined }, { plan: made.plan, program: 'page.tek', workflow: made.workflow, args: {}, given: each.given, database: null, tekVersion: '0.0.0', onNotice: () => {} })
    const outcome = answer.kind === 'answer' ? answer.value.outcome : answer.diagnostics
    expect(outcome !== null && 'kind' in outcome && outcome.kind === 'value' ? expectationsOf(each, outcome.value).map(({ holds }) => holds) : outcome, each.name).toEqual([true])
  }
})

test('a list of calls is several at once, and one question too many says so', async () => {
  const whole = plan(await checked(program.replace('on failure continue', '')))
  const replies = [[{ tool: 'fs.read', args: { path: 'reports/login.md' } }, { tool: 'fs.read', args: { path: 'reports/none.md' } }]]
  const outcome = await outcomeOf({ plan: whole, args: { names: ['login'] }, given: [{ agent: 'triage', replies: { op: 'value', value: replies } }] })
  expect(outcome).toMatchObject({ kind: 'failure', failure: { code: 'model/no-reply', message: expect.stringContaining('one reply') } })
})

test('it runs with a real server', async () => {
  const server = await serveProtocol(anthropicProtocol)
  server.next(
    { kind: 'reply', content: [{ kind: 'tool-use', id: 'a', name: 'fs_read', input: { path: 'reports/login.md' } }], stop: 'tool-use' },
    { kind: 'reply', content: [{ kind: 'text', text: '{"summary":"Nobody can log in.","severity":"high"}' }], stop: 'done' },
  )
  try {
    const whole = plan(await checked(program.replace('key: account,', `key: account, baseUrl: "${server.url}",`)))
    expect(await outcomeOf({ plan: whole, args: { names: ['login'] } })).toEqual({ kind: 'value', value: [{ summary: 'Nobody can log in.', severity: 'high' }] })
    expect(JSON.stringify(server.seen[1]!.body)).toContain('Nobody can log in.')
  } finally {
    await server.close()
  }
})

test('the number of attempts it names', () => {
  expect(MAX_TRIES).toBe(5)
  expect(page).toContain('five times at most')
})

test('its team leads, votes and answers, with what stands in the place of the file', async () => {
  const text = [...page.matchAll(/^```tek\n([\s\S]*?)^```/gm)].map(match => match[1]!).find(each => each.includes('leads finder'))!
  const found = await checked(text)
  expect(found.diagnostics).toEqual([])
  const whole = plan(found)
  const made = planOfTest(whole, whole.tests[0]!)
  const answer = await run(host, { plan: made.plan, program: 'page.tek', workflow: made.workflow, args: {}, given: whole.tests[0]!.given, database: null, tekVersion: '0.0.0', onNotice: () => {} })
  expect(answer.kind === 'answer' && answer.value.outcome?.kind === 'value' ? expectationsOf(whole.tests[0]!, answer.value.outcome.value).map(({ holds }) => holds) : answer).toEqual([true])
})
