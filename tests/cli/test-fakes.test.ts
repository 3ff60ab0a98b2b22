// Fakes: what a test gives in the place of tools, whoever calls them; the guard decides first, and nothing is touched.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { hashOf } from '#interpreter/gateway/cassette-question.ts'
import { noUsage } from '#model/chat.ts'
import type { TestResult } from '../../src/cli/run-test.ts'
import { Fakes } from '#interpreter/effects/fakes.ts'
import type { FunctionSignature, ModuleSignature } from '#model/signature.ts'
import type { Value } from '#model/type.ts'
import { nodeHost } from '#host/node-host.ts'
import { check, plan, run as runPlan } from '#tek.ts'
import { planOfTest } from '../../src/cli/test-plan.ts'
import { type Answer, tek } from './command-line.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tek-fakes-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const program = `workflow inner(path: path) -> string {
  can fs.read("src/**")
  task text = fs.read(path)
  return text
}
workflow outer(paths: path[]) -> string[] {
  can fs.read("**"), fs.write("out/**"), net("api.example.com:443")
  task texts for path in take(paths, 9) on failure use error.message = inner(path: path)
  task wrote after texts on failure continue = fs.write("out/all.txt", join(texts, ","))
  task status when "net" in paths on failure use "none" = http.get("https://api.example.com/status").body
  return flatten([texts, [status ?? "skipped"]])
}
model m = openai("x", baseUrl: "http://127.0.0.1:9/v1")
agent reader {
  model m
  role "You read."
  can fs.read("src/**")
  tools fs.read
}
workflow ask() -> string {
  can fs.read("src/**")
  task said by reader -> string = prompt """Read."""
  return said
}
`

/** Runs tests with no flag that allows anything. */
function run(tests: string, ...words: string[]): Promise<Answer> {
  writeFileSync(join(folder, 'p.tek'), program + tests)
  return tek(['test', 'p.tek', ...words], { cwd: folder })
}

test('a fake stands in for a tool in sub-workflows; it needs no permit, and the world is not touched', async () => {
  const { code, out, err } = await run(`test "t" {
  given fs.read returns args => "text of \${args.path}"
  given fs.write returns args => args.path
  let all = outer(paths: ["src/a", "src/b"])
  expect all == ["text of src/a", "text of src/b", "skipped"]
}
`)
  expect([code, out]).toEqual([0, expect.stringContaining('ok')])
  expect(err).toContain('1 of 1 test passed')
  expect(existsSync(join(folder, 'out'))).toBe(false)
})

test('several of one tool are given in order, the last for every further call; one that fails is a failure of the call', async () => {
  const { code, out } = await run(`test "t" {
  given fs.read returns "first"
  given fs.read fails "the disk is gone"
  given fs.write returns args => args.path
  let a = outer(paths: ["src/a"])
  let b = outer(paths: ["src/b"])
  let c = outer(paths: ["src/c"])
  expect a[0] == "first"
  expect b[0] == "the disk is gone"
  expect c[0] == "the disk is gone"
}
`)
  expect([code, out]).toEqual([0, expect.stringContaining('ok')])
})

test('the guard decides first: what the program may not do is denied though something is given for it', async () => {
  const { code, out } = await run(`test "t" {
  given fs.read returns "never seen"
  given fs.write returns args => args.path
  let all = outer(paths: ["/etc/hostname"])
  expect not ("never seen" in all)
  expect denied(fs.read("/etc/hostname"))
}
`)
  expect([code, out]).toEqual([0, expect.stringContaining('ok')])
})

test('what reaches out of the machine works with a fake, and without one it is refused', async () => {
  const faked = await run(`test "t" {
  given fs.read returns "x"
  given fs.write returns args => args.path
  given http.get returns { status: 200, ok: true, headers: {}, body: "up", url: "https://api.example.com/status" }
  let all = outer(paths: ["net"])
  expect all[1] == "up"
}
`)
  expect([faked.code, faked.out]).toEqual([0, expect.stringContaining('ok')])
  const real = await run(`test "t" {
  given fs.read returns "x"
  given fs.write returns args => args.path
  let all = outer(paths: ["net"])
  expect all[1] == "none"
}
`, '--allow-all')
  expect([real.code, real.out]).toEqual([0, expect.stringContaining('ok')])
})

test('an agent gets what is given, within what the agent may do', async () => {
  const { code, out } = await run(`test "t" {
  given reader replies [{ tool: "fs.read", args: { path: "src/a" } }, { tool: "fs.read", args: { path: "private" } }, "done"]
  given fs.read returns args => if args.path == "src/a" then "A" else fail("asked for \${args.path}")
  let said = ask()
  expect said == "done"
}
`)
  expect([code, out]).toEqual([0, expect.stringContaining('ok')])
})

test('arguments are checked as the tool checks them, what is given is of its result type, and what is wrong is said with its place', () => {
  const signature = {
    name: 'load', doc: '', effect: 'read', runs: 'host', needs: [], untrusted: false,
    params: [{ name: 'count', doc: '', type: { kind: 'int' }, optional: false }, { name: 'unit', doc: '', type: { kind: 'string' }, optional: true, default: 'day' }],
    result: { kind: 'record', fields: { sizes: { type: { kind: 'list', item: { kind: 'int' } }, optional: false } } },
  } as unknown as FunctionSignature
  const fakesFor = (value: Value) => new Fakes({
    given: [{ kind: 'returns', module: 'm', fn: 'load', value: { op: 'lambda', param: 'args', body: { op: 'local', name: 'args' } } }],
    signatures: new Map([['m', { functions: { load: signature } } as unknown as ModuleSignature]]),
    evaluate: (_, local) => ({ kind: 'value', value: value ?? local!.value }),
  })
  const call = (args: Record<string, Value>) => ({ module: 'm', fn: 'load', effect: 'read', runs: 'host', needs: [], secretArgs: [], args }) as const
  expect(fakesFor({ sizes: [1, 'x'] }).outcomeOf(call({ count: 1 }))).toMatchObject({ kind: 'failure', failure: { code: 'run/wrong-type', message: expect.stringMatching(/`m\.load`.*`sizes\[1\]`/) } })
  expect(fakesFor({ sizes: [] }).outcomeOf(call({ count: 'many' }))).toMatchObject({ kind: 'failure', failure: { code: 'plugin/bad-input', message: expect.stringContaining('`count` of `m.load`') } })
  expect(fakesFor({ sizes: [2] }).outcomeOf(call({ count: 1 }))).toEqual({ kind: 'value', value: { sizes: [2] } })
  let seen: Value = null
  new Fakes({ given: [{ kind: 'returns', module: 'm', fn: 'load', value: { op: 'lambda', param: 'args', body: { op: 'value', value: 1 } } }], signatures: new Map([['m', { functions: { load: signature } } as unknown as ModuleSignature]]), evaluate: (_, local) => ({ kind: 'value', value: (seen = local!.value) }) }).outcomeOf(call({ count: 3 }))
  expect(seen).toEqual({ count: 3, unit: 'day' }) // a lambda sees what the tool would see
})

test('something given that nothing calls is a warning, and a pure function is no tool of the world', async () => {
  const unused = await run(`test "t" {
  given fs.write returns args => args.path
  expect 1 == 1
}
`)
  expect([unused.code, unused.out]).toEqual([0, expect.stringContaining('warning: Nothing called `fs.write`')])
  const pure = await run(`test "t" {
  given path.join returns "x"
  expect 1 == 1
}
`)
  expect([pure.code, pure.err]).toEqual([3, expect.stringContaining('task/bad-given')])
})

test('a cassette is found beside the file of the test, wherever the test is run; one that cannot be read fails that test alone', async () => {
  const question = (text: string) => hashOf({ system: 'You read.', messages: [{ role: 'user', content: [{ kind: 'text', text }] }], tools: [{ name: 'fs_read', description: '', input: {} }], maxTokens: 1 })
  const made = (text: string, answer: string) => JSON.stringify({
    cassette: 1, program: 'p.tek', workflow: 'ask', recorded: '2026-11-21',
    conversations: [{ agent: 'reader', task: 'said', role: 'You read.', tools: ['fs_read'], answer: null, turns: [{ request: question(text), asked: [], answered: { asked: 'm', stop: 'done', usage: noUsage, model: 'x', content: [{ kind: 'text', text: answer }] } }] }],
  })
  mkdirSync(join(folder, 'sub'))
  writeFileSync(join(folder, 'sub/good.json'), made('Read.', 'recorded'))
  writeFileSync(join(folder, 'sub/old.json'), made('Read it.', 'recorded'))
  writeFileSync(join(folder, 'sub/p.tek'), `${program}${['good', 'old', 'gone'].map(name => `test "${name}" {
  given reader replays "${name}.json"
  given fs.read returns "text"
  let said = ask()
  expect said == "recorded"
}
`).join('')}test "both" {
  given reader replays "good.json"
  given reader replies ["x"]
  given fs.read returns "text"
  let said = ask()
  expect said == "recorded"
}
`)
  const { code, out } = await tek(['test', 'sub/p.tek', '--json'], { cwd: folder })
  const { tests } = JSON.parse(out) as { tests: TestResult[] }
  expect(code).toBe(1)
  expect(tests.map(each => [each.name, each.status, each.failure?.code])).toEqual([['good', 'passed', undefined], ['old', 'failed', 'model/no-recording'], ['gone', 'failed', 'cli/file-not-found'], ['both', 'failed', 'model/bad-request']])
  expect(tests[1]!.failure!.details).toContain('nearest recorded question: turn 1 of said')
  expect(tests[2]!.failure!.help).toMatch(/^The path begins at the file of the test\./)
})

test('nothing outside the machine is reached in a test, also where nobody restricts it by a permit', async () => {
  let reached = 0
  const server = createServer((_, response) => void response.end(`${++reached}`))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  try {
    const text = `workflow w() -> string {\n  can net("127.0.0.1:${port}")\n  task got = http.get("http://127.0.0.1:${port}/").body\n  return got\n}\ntest "t" {\n  let got = w()\n  expect got == "1"\n}\n`
    const host = nodeHost({ cwd: folder })
    const whole = plan(await check(host, 'p.tek', { readText: path => (path === 'p.tek' ? text : undefined) }))
    const made = planOfTest(whole, whole.tests[0]!)
    const answer = await runPlan(host, { plan: made.plan, program: 'p.tek', workflow: made.workflow, args: {}, given: [], database: null, tekVersion: '0.0.0', onNotice: () => {} })
    expect(answer).toMatchObject({ kind: 'answer', value: { outcome: { kind: 'failure', failure: { code: 'permit/denied' } } } })
    expect(reached).toBe(0)
    const real = await runPlan(host, { plan: whole, program: 'p.tek', workflow: 'w', args: {}, database: null, tekVersion: '0.0.0', onNotice: () => {} })
    expect([real, reached]).toMatchObject([{ value: { outcome: { kind: 'value', value: '1' } } }, 1]) // it is there to be reached
  } finally {
    server.close()
  }
})

test('replies that nobody asked for, and calls of tools that an agent does not have, are warned of', async () => {
  const { code, out, err } = await run(`test "odd" {
  given reader replies [{ tool: "fs.raed", args: { path: "x" } }, "done", "never", "asked"]
  let said = ask()
  expect said == "done"
}
test "unasked" {
  given reader replies ["never"]
  expect 1 == 1
}
`, '--allow-all')
  expect(code, out + err).toBe(0)
  expect(out).toContain('warning: The test gives 2 replies of `reader` more than its model was asked for.')
  expect(out).toContain('warning: A reply of `reader` calls `fs_raed`, which it does not have.')
  expect(out).toContain('warning: The model of `reader` was never asked, and the test gives replies.')
})
