// Canaries: programs use planted secrets in every way that is allowed, and fail, crash and are killed while they do; then every byte that is left,
// on disk and on the terminal, is searched for them, plain and encoded. What they reached on purpose (the server, the helper) is shown to have them.
import { createServer, type Server } from 'node:http'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { portOf } from '../host/network.ts'
import { project, startTek, tek, type Ended } from '../e2e/binary.ts'
import { bytesBeneath, canariesIn } from './forms.ts'

const variable = 'canary"env&7/k+Qz9<ä%wr\\x'
const file = 'canary-file-5f8d2c77a1e04b39'
const helper = 'canary-helper?b64+/==_Zx81'
const canaries = [variable, file, helper]

let server: Server
let base: string
/** What the server was sent. */
const received: string[] = []
/** Called when a request hangs. */
let onHang: () => void = () => {}
let home: string
let here: ReturnType<typeof project>
/** Everything that any process wrote to a terminal. */
const streams = new Map<string, Buffer>()

const head = (): string => `secret fromVariable = env("CANARY")
secret fromFile = file("~/token")
secret fromHelper = command("${home}/helper", "show")

capability keys = env("CANARY"), fs.read("~/token"), exec("${home}/helper", "show"), net("127.0.0.1:${portOf(server)}")
`

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString())).on('end', () => {
      const said = JSON.stringify(request.headers)
      received.push(said + body)
      if (request.url === '/hang') return onHang()
      if (request.url === '/elsewhere') return void response.writeHead(302, { location: `http://localhost:${portOf(server)}/there` }).end()
      const all = [said, encodeURIComponent(said), Buffer.from(said).toString('base64'), Buffer.from(`x${said}`).toString('base64'), Buffer.from(said).toString('hex'), ...Object.values(request.headers).map(String)]
      const headers = { 'x-echo': Buffer.from(said).toString('base64'), 'x-key': encodeURIComponent(String(request.headers['authorization'] ?? '')) }
      response.writeHead(request.url === '/broken' ? 500 : 200, headers).end(request.url === '/json' ? JSON.stringify({ all }) : all.join('\n'))
    })
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  base = `http://127.0.0.1:${portOf(server)}`
  home = mkdtempSync(join(tmpdir(), 'tek-home-'))
  writeFileSync(join(home, 'token'), `${file}\n`)
  writeFileSync(join(home, 'helper'), `#!/bin/sh\necho x >> ${home}/asked\nprintf '%s\\n' '${helper}'\necho 'asked for ${helper}' >&2\n`, { mode: 0o755 })
  here = project({ 'leak/all': canaries.join('\n') })
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
  here.remove()
  rmSync(home, { recursive: true, force: true })
})

const environment = (): Record<string, string> => ({ CANARY: variable, HOME: home })

async function keep(name: string, ended: Promise<Ended>): Promise<Ended> {
  const all = await ended
  streams.set(`${name} stdout`, Buffer.from(all.out))
  streams.set(`${name} stderr`, Buffer.from(all.err))
  return all
}

function program(name: string, text: string): string {
  here.write(`${name}.tek`, `${head()}\n${text}`)
  return `${name}.tek`
}

const runTek = (name: string, words: readonly string[], env: Record<string, string> = {}): Promise<Ended> => keep(name, tek(words, { cwd: here.path, env: { ...environment(), ...env } }))

describe('programs that use secrets', () => {
  test('a server gets them and echoes them in every form; result, log and a file that the program writes', async () => {
    const text = `workflow main() -> untrusted any {
  can keys, fs.write("report/**")
  task one = http.get("${base}/", bearer: fromVariable)
  task two = http.get("${base}/", headers: { "x-a": "a \${fromFile} b", "x-b": fromHelper })
  task three = http.getJson("${base}/json", bearer: "\${fromFile}:\${fromHelper}", headers: { "x-c": fromVariable })
  task moved on failure continue = http.get("${base}/elsewhere", bearer: fromFile)
  task written label "writes" = fs.write("report/all.json", json.print({ one: one, two: two, three: three }))
  return { one: one, two: two, three: three, moved: moved }
}
`
    for (const extra of [[], ['--json'], ['--quiet', '--no-journal']]) {
      const { code, err } = await runTek(`echo ${extra.join(' ')}`, ['run', program('echo', text), '--allow-all', ...extra])
      expect(err, err).not.toContain('error')
      expect(code).toBe(0)
    }
    const all = received.join('\n')
    for (const canary of canaries) expect(all.includes(JSON.stringify(canary).slice(1, -1)) || all.includes(canary) || all.includes('canary'), canary).toBe(true)
    expect(readFileSync(join(here.path, 'report/all.json'), 'utf8')).toContain('[secret from')
  })
})

describe('programs that fail', () => {
  const failing: Readonly<Record<string, string>> = {
    'a server that answers 500 with everything it was sent': `task x = http.getJson("BASE/broken", bearer: fromVariable, headers: { "x-b": fromFile })`,
    'a failure in the program\'s own words': `task got = http.get("BASE/", bearer: fromHelper)\n  task x = fail("it said: \${got.body}")`,
    'a program that prints what it should not have, and fails': `task x = shell.must("sh", "-c", "cat leak/all; base64 -w 17 leak/all; od -An -tx1 leak/all; cat leak/all >&2; exit 3")`,
    'the same in its result': `task x = shell.run("sh", "-c", "cat leak/all; base64 -w 17 leak/all; od -An -v -tx1 leak/all; xxd -p leak/all; cat leak/all >&2")`,
    'output cut off within a secret': `task x = shell.runWith("sh", ["-c", "cat leak/all; cat leak/all >&2"], maxOutput: 20B)`,
    'a host that is not there': `task x = http.get("http://127.0.0.1:1/", bearer: fromVariable)`,
    'a header that cannot be sent': `task x = http.get("BASE/", headers: { "x-b": "\${fromVariable}\\r\\nx: y" })`,
    'a header too large': `task x = http.get("BASE/", headers: { "x-b": "${"\${fromVariable}".repeat(900)}" })`,
  }
  for (const [name, task] of Object.entries(failing)) {
    test(name, async () => {
      const text = `workflow main() -> any {\n  can keys, net("127.0.0.1:1"), exec("sh", "**"), fs.read("leak/**")\n  task used = http.get("${base}/", headers: { "x-k": "\${fromFile}\${fromHelper}" })\n  ${task.replace('task x', 'task x after used').replaceAll('BASE', base)}\n  return x\n}\n`
      const { err } = await runTek(name, ['run', program(`failing-${Object.keys(failing).indexOf(name)}`, text), '--allow-all'])
      expect(err).not.toContain('syntax/')
      expect(err).not.toContain('type/')
      expect(err).not.toContain('secret/')
    })
  }

  test('a plugin that is given a secret, says it in its log and throws it', async () => {
    here.write('plugins/leaky.ts', `import { definePlugin, reads, pure, t, z, ToolFailure } from 'tek-lang/plugin'
const key = t.secret(z.string())
export default definePlugin({ name: 'leaky', version: '1.0.0', doc: '', tools: {
  crash: reads({ doc: '', input: { key }, output: z.string(), needs: { 'fs.read': ['leaky'] }, run: async ({ key }, context) => { context.log('the key is ' + key); console.error(key); console.log(key); throw new Error('cannot use ' + key) } }),
  fail: reads({ doc: '', input: { key }, output: z.string(), needs: { 'fs.read': ['leaky'] }, run: async ({ key }) => { throw new ToolFailure('no', 'cannot use ' + btoa(key), { help: 'Try ' + encodeURIComponent(key) }) } }),
  give: reads({ doc: '', input: { key }, output: z.any(), needs: { 'fs.read': ['leaky'] }, run: async ({ key }) => ({ [key]: [key, { deep: '<' + key + '>' }], n: key.length }) }),
} })
`)
    const text = `workflow main() -> any {
  can keys, fs.read("leaky")
  task crashed on failure use error = leaky.crash(fromFile)
  task failed on failure use error = leaky.fail(fromFile)
  task given = leaky.give("x\${fromFile}y\${fromHelper}")
  return [crashed, failed, given]
}
`
    here.write('plugin.tek', `use plugin "./plugins/leaky.ts" as leaky\n\n${head()}\n${text}`)
    const { out, err } = await runTek('plugin', ['run', 'plugin.tek', '--allow-all'])
    expect(err).not.toContain('syntax/')
    expect(out + err).toContain('[secret fromFile]')
  })
})

test('a program that is started has none of tek\'s own environment', async () => {
  const text = `workflow main() -> any {\n  can exec("printenv")\n  task environment = shell.must("printenv")\n  return environment\n}\n`
  const { out } = await runTek('environment', ['run', program('environment', text), '--allow-all'], { ANOTHER_KEY: 'anything' })
  expect(out).toContain('PATH=')
  expect(out).not.toMatch(/CANARY|ANOTHER_KEY|secret/)
})

test('one that is given a secret in its environment has that one', async () => {
  const text = `workflow main() -> any {\n  can keys, exec("printenv")\n  task environment = shell.runWith("printenv", [], env: { GIVEN: "key=\${fromFile}" })\n  return environment.stdout\n}\n`
  const { out } = await runTek('given', ['run', program('given', text), '--allow-all'])
  expect(out).toContain('GIVEN=key=[secret fromFile]')
  expect(out).not.toContain('fromVariable')
})

describe('processes that end before their time', () => {
  const hanging = (): string => program('hanging', `workflow main() -> untrusted string {
  can keys, exec("sleep", "**"), exec("printenv")
  task first = http.get("${base}/", bearer: fromVariable, headers: { "x-b": "\${fromFile} \${fromHelper}" })
  task environment = shell.run("printenv")
  task second after environment = http.get("${base}/hang", headers: { "x-b": "\${fromFile} \${first.status}" })
  return "\${first.body} \${second.body} \${environment.stdout}"
}
`)

  test('kill -9 while a call is under way; then resume', async () => {
    const { child, ended } = startTek(['run', hanging(), '--allow-all'], { cwd: here.path, env: environment() })
    await new Promise<void>(done => { onHang = done })
    child.kill('SIGKILL')
    await keep('killed', ended)
    const before = received.length
    const going = startTek(['resume', '--allow-all'], { cwd: here.path, env: environment() })
    await new Promise<void>(done => { onHang = done })
    expect(received.slice(before).join('')).toContain(file) // by the stand-ins of the first process
    going.child.kill('SIGTERM')
    await keep('resumed', going.ended)
  })

  test('a bug in tek while it holds secrets: what it prints and the file it writes', async () => {
    const preload = join(home, 'boom.cjs')
    writeFileSync(preload, `setInterval(() => { try { require('fs').statSync('${home}/boom') } catch { return } const error = new Error('boom ' + process.env.CANARY); error.stack += '${file} ' + Buffer.from('${helper}').toString('base64'); throw error }, 20).unref()\n`)
    const crashing = (name: string, more: Record<string, string>): Promise<Ended> => {
      onHang = () => writeFileSync(join(home, 'boom'), '')
      return keep(name, tek(['run', hanging(), '--allow-all', '--quiet'], { cwd: here.path, env: { ...environment(), NODE_OPTIONS: `--require=${preload}`, ...more } }))
    }
    const { err } = await crashing('crash', {})
    expect(err).toContain('This is a bug in tek: Error: boom [secret fromVariable]')
    rmSync(join(home, 'boom'))
    expect((await crashing('crash shown', { TEK_DEBUG: '1' })).err).toContain('[secret fromFile]')
  })
})

describe('what is asked of a run later', () => {
  test('every way to look at it', async () => {
    const { runs } = JSON.parse((await runTek('runs', ['runs', '--json'])).out) as { runs: { runId: string }[] }
    expect(runs.length).toBeGreaterThan(3)
    for (const [index, { runId }] of runs.entries()) {
      if (index > 7) break
      if (index < 2) await runTek(`show ${runId}`, ['show', runId])
      await runTek(`show json ${runId}`, ['show', runId, '--json'])
    }
    await runTek('plan', ['plan', 'echo.tek'])
    await runTek('compile', ['compile', 'echo.tek', '-o', 'echo.json'])
  }, 120_000)
})

describe('afterwards', () => {
  test('no byte of a canary is left anywhere', () => {
    const places = new Map([...bytesBeneath(here.path), ...streams])
    places.delete(join(here.path, 'leak/all'))
    expect(places.size).toBeGreaterThan(6)
    expect(canariesIn(places, canaries)).toEqual([])
  })

  test('the search finds what there is to find', () => {
    const planted = new Map([['a', Buffer.from(`x ${Buffer.from(`ab${variable}`).toString('base64')}`)], ['b', Buffer.from(JSON.stringify({ variable }))], ['c', readFileSync(join(home, 'token'))]])
    expect(canariesIn(planted, canaries).map(each => each[0])).toEqual(expect.arrayContaining(['a', 'b', 'c']))
  })
})
