// The guard before a question to a model and a call of a server, with nothing before it: the run is begun with a permit that nobody compared with the program.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Authority, Grant } from '#model/capability.ts'
import type { ChatBlock } from '#model/chat.ts'
import type { Plan } from '#model/plan.ts'
import { check, plan, run, type RunOptions } from '#tek.ts'
import * as engine from '../engine/plan-builder.ts'
import { runPlan } from '../engine/run-plan.ts'
import { anthropicProtocol } from '../models/anthropic-protocol.ts'
import { type ProtocolServer, type Script, serveProtocol } from '../models/protocol-server.ts'
import { World } from '../security/attacks/world.ts'

const KEY = 'sk-canary-0b5e7d11a2c94f38'
let first: ProtocolServer
let second: ProtocolServer
let world: World
beforeAll(async () => {
  first = await serveProtocol(anthropicProtocol, () => {
    world.put('.tek/STOP', '')
    return { kind: 'refuse', status: 401, type: 'authentication_error' }
  })
  second = await serveProtocol(anthropicProtocol)
})
afterAll(() => Promise.all([first.close(), second.close()]))
beforeEach(() => {
  world = new World()
  for (const each of [first, second]) {
    each.clear()
    each.seen.length = 0
  }
})
afterEach(() => world.close())

const program = (): string => `secret key = env("MODEL_KEY")
model second = anthropic("b", baseUrl: "${second.url}", key: key)
model smart = anthropic("a", baseUrl: "${first.url}", key: key, fallback: second)
agent reader {
  model smart
  can fs.read("**")
  tools fs.read
}
workflow w(text: string = "Read.") -> untrusted string {
  can fs.read("**"), env("MODEL_KEY")
  task said by reader -> untrusted string = prompt "\${text}"
  return said
}
`

const grant = (name: string, ...args: string[]): Grant => ({ name, args })
const reading = [grant('fs.read', '**')]
const says = (text: string): Script => ({ kind: 'reply', content: [{ kind: 'text', text }] satisfies ChatBlock[], stop: 'done' })
const reads = (path: string): Script => ({ kind: 'reply', content: [{ kind: 'tool-use', id: 'c1', name: 'fs_read', input: { path } }] satisfies ChatBlock[], stop: 'tool-use' })

async function planOf(text: string): Promise<Plan> {
  const checked = await check(world.host, 'main.tek', { readText: path => (path === 'main.tek' ? text : undefined) })
  expect(checked.diagnostics.filter(each => each.severity === 'error')).toEqual([])
  return plan(checked)
}

/** What a run comes to: its value, or the code it fails with. */
async function outcomeOf(made: Plan, grants: Authority, more: Partial<RunOptions> = {}): Promise<unknown> {
  const host = { ...world.host, env: (name: string) => (name === 'MODEL_KEY' ? KEY : world.host.env(name)) }
  const answer = await run(host, { plan: made, program: 'main.tek', args: {}, database: null, tekVersion: '0.0.0', permit: { grants, by: 'flag' }, onNotice: () => {}, ...more })
  if (answer.kind === 'refused') return answer.diagnostics[0]!.code
  const { outcome } = answer.value
  return outcome?.kind === 'failure' ? outcome.failure.code : outcome?.kind === 'value' ? outcome.value : null
}

test('a model that the person has not allowed is not asked', async () => {
  first.next(says('hello'))
  expect(await outcomeOf(await planOf(program()), [...reading, grant('env', 'MODEL_KEY'), grant('llm', 'second')])).toBe('permit/denied')
  expect([first.seen.length, second.seen.length]).toEqual([0, 0])
})

test('nor one that would answer in its place', async () => {
  const permit = [...reading, grant('env', 'MODEL_KEY'), grant('llm', 'smart')]
  first.next({ kind: 'refuse', status: 401, type: 'authentication_error' })
  second.next(says('hello'))
  expect(await outcomeOf(await planOf(program()), permit)).toBe('model/no-key')
  expect([first.seen.length, second.seen.length]).toEqual([1, 0])
  first.next({ kind: 'refuse', status: 401, type: 'authentication_error' })
  expect(await outcomeOf(await planOf(program()), [...permit, grant('llm', 'second')])).toBe('hello')
})

test('its key is read only where the person lets it be read', async () => {
  first.next(says('hello'))
  expect(await outcomeOf(await planOf(program()), [...reading, grant('llm', '*')])).toBe('model/no-key')
  expect(first.seen.length + second.seen.length).toBe(0)
  expect(await outcomeOf(await planOf(program()), [...reading, grant('llm', '*'), grant('env', 'MODEL_KEY')])).toBe('hello')
})

test('nothing is sent once the file that stops every run is there, also in the middle of a question', async () => {
  second.next(says('hello'))
  // The first model makes the file while it is asked, and refuses: the second would be asked next.
  expect(await outcomeOf(await planOf(program()), [...reading, grant('llm', '*'), grant('env', 'MODEL_KEY')])).not.toBe('hello')
  expect([world.has('.tek/STOP'), first.seen.length, second.seen.length]).toEqual([true, 1, 0])
})

test('no secret goes out with a question, and none that comes back is kept', async () => {
  const made = await planOf(program())
  world.put('a.txt', `the key is ${KEY}`)
  first.next(reads('a.txt'), says(`it is ${KEY}`))
  expect(await outcomeOf(made, [...reading, grant('llm', '*'), grant('env', 'MODEL_KEY')], { args: { text: `Is it ${KEY}?` } })).toBe('it is [secret key]')
  const bodies = JSON.stringify(first.seen.map(each => each.body))
  for (const words of ['Is it [secret key]?', 'the key is [secret key]']) expect(bodies).toContain(words)
  expect(bodies).not.toContain(KEY)
})

test('what a plan says that a call of a server needs is not believed', async () => {
  const server = { name: 'files', definition: 'a'.repeat(64), shows: 'node x', variables: [], reads: [] }
  const made = engine.plan({ main: engine.workflow([engine.task('it', engine.call('read', {}, { module: 'files' }))], engine.node(0), { authority: [{ name: 'mcp', args: [engine.value('files')], implies: [] }] }) })
  const reached: string[] = []
  const settings = {
    servers: { call: async ({ fn }: { readonly fn: string }) => (reached.push(fn), { kind: 'value' as const, value: 'reached' }) },
  }
  const withServer = (permit: Authority) => runPlan({ ...made, modules: [...made.modules, { name: 'files', version: '0', hash: 'b'.repeat(64), origin: 'mcp', source: 'files', server }] } as Plan, { settings: { ...settings, permit: { grants: permit, by: 'flag' } } })
  expect((await withServer(reading)).code).toBe('permit/denied')
  expect(reached).toEqual([])
  expect(await withServer([grant('mcp', 'files')])).toMatchObject({ value: 'reached', code: null })
})
