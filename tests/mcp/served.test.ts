// tek as a server of tools: a client of the protocol's own library against `tek mcp FILE`, over standard input and output and over HTTP.
import { spawn, type ChildProcess } from 'node:child_process'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { binary, project, tek } from '../e2e/binary.ts'
import { ServerProject } from './server-project.ts'

const program = `type Sum = { total: int, words: string[] }

/// Adds up.
workflow add(numbers: int[], label: string = "sum", cost: money = $1) -> Sum {
  task total = sum(numbers)
  return { total: total, words: [label] }
}

workflow read(file: path) -> string {
  can fs.read(file)
  task text = fs.read(file)
  return trust(text, "ours")
}

workflow ask() -> string {
  task it approve "Shall it be?" = "yes"
  return it
}

workflow slow(ms: int = 50000) -> string {
  can exec("sleep", "*")
  task first = "begun"
  task it after first = shell.run("sleep", "\${ms / 1000}")
  return trust(it.stdout, "ours")
}

workflow broken() -> int {
  return fail("it does not work")
}

workflow many(count: int) -> int[] {
  task each for item in range(0, count) = item
  return each
}

workflow large() -> string {
  return text.repeat("x", 5000000)
}
`

let folder: ReturnType<typeof project>
beforeAll(() => {
  folder = project({ 'flow.tek': program, 'notes/a.txt': 'a note', 'secret.txt': 'not for you' })
})
afterAll(() => folder.remove())

const clients: Client[] = []
const children: ChildProcess[] = []
afterEach(async () => {
  await Promise.all(clients.splice(0).map(each => each.close()))
  for (const each of children.splice(0)) each.kill('SIGKILL')
})

const words = ['mcp', 'flow.tek', '--allow', 'fs.read("notes/**")', '--allow', 'exec("sleep", "*")']
const env = { PATH: process.env['PATH'] ?? '', HOME: tmpdir() }

async function connected(mode: 'auto' | 'legacy', url?: string): Promise<Client> {
  const client = new Client({ name: 'test', version: '1.0.0' }, { versionNegotiation: { mode } })
  clients.push(client)
  const transport = url === undefined ? new StdioClientTransport({ command: process.execPath, args: [binary, ...words], env, cwd: folder.path, stderr: 'ignore' }) : new StreamableHTTPClientTransport(new URL(url))
  await client.connect(transport)
  return client
}

interface Answer {
  readonly content: readonly { readonly text: string }[]
  readonly structuredContent?: unknown
  readonly isError?: boolean
  readonly _meta?: Readonly<Record<string, unknown>>
}

const call = async (client: Client, name: string, args: Record<string, unknown>, options?: Parameters<Client['callTool']>[1]): Promise<Answer> => (await client.callTool({ name, arguments: args }, { timeout: 50_000, ...options })) as unknown as Answer

test.each(['auto', 'legacy'] as const)('%s: each workflow is a tool, with schemas; a call is a run in the journal', async mode => {
  const client = await connected(mode)
  const { tools } = await client.listTools()
  expect(tools.map(each => each.name)).toEqual(['add', 'read', 'ask', 'slow', 'broken', 'many', 'large'])
  expect(tools[0]).toMatchObject({
    description: 'Adds up.',
    inputSchema: { type: 'object', required: ['numbers'], properties: { numbers: { type: 'array', items: { type: 'integer' } }, cost: { type: 'string', description: expect.stringContaining('Dollars') } } },
    outputSchema: { type: 'object', required: ['total', 'words'] },
  })
  const progress: number[] = []
  const answer = await call(client, 'add', { numbers: [1, 2], label: 'so' }, { onprogress: each => progress.push(each.progress) })
  expect(answer.structuredContent).toEqual({ total: 3, words: ['so'] })
  expect(progress.length).toBeGreaterThan(0)
  const run = answer._meta!['tek/run'] as string
  expect((await tek(['show', run], { cwd: folder.path })).out).toContain('add')
})

test('bad arguments, unknown tools and failures say what they are, with codes', async () => {
  const client = await connected('auto')
  const bad = await call(client, 'add', { numbers: ['x'], lable: 'y' })
  expect(bad.isError).toBe(true)
  expect(bad.content[0]!.text).toContain('run/unknown-argument')
  expect(bad.content[0]!.text).toContain('Did you mean `label`?')
  expect(bad.content[0]!.text).toContain('run/bad-argument')
  expect((await call(client, 'add', {})).content[0]!.text).toContain('run/missing-argument')
  const broken = await call(client, 'broken', {})
  expect(broken).toMatchObject({ isError: true, _meta: { 'tek/run': expect.any(String), 'tek/status': 'failed' } })
  await expect(call(client, 'nothing', {})).rejects.toThrow('There is no tool `nothing`')
  const large = await call(client, 'large', {})
  expect(large).toMatchObject({ isError: true, _meta: { 'tek/code': 'mcp/bad-answer' } })
})

test('a caller sets nothing outside of the permit, and nobody is asked', async () => {
  const client = await connected('auto')
  expect((await call(client, 'read', { file: 'notes/a.txt' })).structuredContent).toEqual({ result: 'a note' })
  for (const file of ['secret.txt', 'notes/../secret.txt', '/etc/hostname']) {
    const refused = await call(client, 'read', { file })
    expect(refused.isError).toBe(true)
    expect(refused.content[0]!.text).toContain('permit/')
    expect(JSON.stringify(refused)).not.toContain('not for you')
  }
})

test('a run that waits for a person says so, and how it is answered', async () => {
  const client = await connected('auto')
  const waiting = await call(client, 'ask', {})
  expect(waiting).toMatchObject({ isError: true, _meta: { 'tek/status': 'waiting' } })
  const run = waiting._meta!['tek/run'] as string
  expect(waiting.content[0]!.text).toContain('Shall it be?')
  expect(waiting.content[0]!.text).toContain(`tek resume ${run}`)
  expect((await tek(['approve', 'it', run], { cwd: folder.path })).code).toBe(0)
  expect((await tek(['resume', run], { cwd: folder.path })).out.trim()).toBe('yes')
})

test('a call that is cancelled stops its run and what it started; so does a client that goes away', async () => {
  const client = await connected('auto')
  const before = await statuses()
  const abort = new AbortController()
  const waiting = call(client, 'slow', {}, { signal: abort.signal, onprogress: () => abort.abort() })
  await expect(waiting).rejects.toThrow()
  await until(async () => (await statuses()).filter(each => each === 'stopped').length > before.filter(each => each === 'stopped').length)

  const second = await connected('auto')
  const stopped = (await statuses()).filter(each => each === 'stopped').length
  const gone = call(second, 'slow', {}, { onprogress: () => void second.close() })
  await expect(gone).rejects.toThrow()
  await until(async () => (await statuses()).filter(each => each === 'stopped').length > stopped)
})

test('no more calls at once than are taken', async () => {
  const client = await connected('auto')
  const abort = new AbortController()
  const slow = Array.from({ length: 8 }, () => call(client, 'slow', {}, { signal: abort.signal }).catch(() => null))
  let busy: Answer | null = null
  await until(async () => {
    busy = await call(client, 'add', { numbers: [] })
    return busy.isError === true
  })
  expect(busy).toMatchObject({ isError: true, _meta: { 'tek/code': 'mcp/busy' } })
  abort.abort()
  await Promise.all(slow)
})

test('standard output carries the protocol and nothing else', async () => {
  folder.write('warned.tek', 'workflow old(unused: int = 1) -> int {\n  let nothing = 2\n  return 1\n}\n')
  const asked = '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}\n'
  const { out, code } = await tek(['mcp', 'warned.tek'], { cwd: folder.path, stdin: `${asked}no json\n` })
  for (const line of out.trimEnd().split('\n').filter(each => each !== '')) expect(JSON.parse(line)).toMatchObject({ jsonrpc: '2.0' })
  expect(code).toBe(0)
})

test('over HTTP on this machine: both ages of the protocol; a page elsewhere is refused', async () => {
  const server = spawn(process.execPath, [binary, ...words, '--http', '0'], { cwd: folder.path, env, stdio: ['ignore', 'ignore', 'pipe'] })
  children.push(server)
  const url = await new Promise<string>(resolve => {
    let said = ''
    server.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      const found = /at (http:\S+)/.exec(said)?.[1]
      if (found !== undefined) resolve(found)
    })
  })
  for (const mode of ['auto', 'legacy'] as const) {
    const client = await connected(mode, url)
    const progress: number[] = []
    expect((await call(client, 'add', { numbers: [2, 3] }, { onprogress: each => progress.push(each.progress) })).structuredContent).toEqual({ total: 5, words: ['sum'] })
    expect((await call(client, 'read', { file: 'secret.txt' })).content[0]!.text).toContain('permit/')
  }
  expect(await statusOf(url, { origin: 'http://evil.example' })).toBe(403)
  expect(await statusOf(url, { host: 'evil.example' })).toBe(403)
  expect(await statusOf(url.replace('/mcp', '/other'), {})).toBe(404)
  expect([413, 'cut off']).toContain(await statusOf(url, {}, 'x'.repeat(5_000_000)).catch(() => 'cut off'))

  const caller = await new ServerProject({ flow: { url } }).locked()
  expect(JSON.parse(caller.lock).servers.flow.protocol).toBe('2026-07-28')
  const called = await caller.run(`use mcp "flow" as flow

workflow main() -> int {
  can mcp("flow", "add")
  task sum timeout 50s = flow.add(numbers: [20, 22])
  return sum.total
}
`)
  caller.remove()
  expect(called.value).toBe(42)

  const client = await connected('auto', url)
  const stopped = (await statuses()).filter(each => each === 'stopped').length
  const abort = new AbortController()
  await expect(call(client, 'slow', {}, { signal: abort.signal, onprogress: () => abort.abort() })).rejects.toThrow()
  await until(async () => (await statuses()).filter(each => each === 'stopped').length > stopped)
  const ended = new Promise(resolve => server.once('exit', resolve))
  server.kill('SIGTERM')
  expect(await ended).toBe(0)
})

test('what cannot be served is said', async () => {
  folder.write('empty.tek', 'const a = 1\n')
  expect((await tek(['mcp', 'empty.tek'], { cwd: folder.path })).err).toContain('mcp/nothing-to-serve')
  expect((await tek(['mcp', 'lokc'], { cwd: folder.path })).err).toContain('Did you mean `tek mcp lock`?')
  expect((await tek(['mcp', 'flow.tek', '--http', 'x'], { cwd: folder.path })).code).toBe(2)
})

async function statuses(): Promise<string[]> {
  const { out } = await tek(['runs', '--json'], { cwd: folder.path })
  return (JSON.parse(out) as { runs: { status: string }[] }).runs.map(each => each.status)
}

function statusOf(url: string, headers: Readonly<Record<string, string>>, body = '{}'): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { method: 'POST', headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers } }, answer => {
      answer.resume()
      resolve(answer.statusCode ?? 0)
    })
    asked.on('error', reject)
    asked.end(body)
  })
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let left = 200; left > 0; left--) {
    if (await holds()) return
    await new Promise(done => setTimeout(done, 100))
  }
  throw new Error('it never came to be')
}
