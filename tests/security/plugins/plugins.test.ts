// What a third-party plugin tries: from its engine, from its process, by its files, by what it says of itself.
import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { nodeHost } from '#host/node-host.ts'
import type { Host } from '#host/host.ts'
import { openProject, openWorkshop, watchedContext, type Workshop } from '../../plugins/workshop.ts'
import { failure, moduleOf, prepare, source, value, type Escape, type Tried } from './escape.ts'
import { bounds, messages, powers, values } from './from-the-engine.ts'
import { fromTheProcess } from './from-the-process.ts'

const PATIENCE_MS = 30_000
let workshop: Workshop
let tried: Tried | null = null

beforeAll(async () => { workshop = await openWorkshop() })
afterEach(async () => {
  await tried?.project.close()
  tried = null
})
afterAll(() => workshop.remove())

/** As much as a program could grant: what stops a row is not that nobody granted it, unless the guard is meant. */
const all = [{ name: 'fs.read', args: ['**'] }, { name: 'fs.write', args: ['**'] }]

async function attempt({ body, before = '', args = {}, callCpuMs = 500, gives, also, by }: Escape, needsNode: boolean): Promise<void> {
  tried = await prepare(workshop, { 'p.ts': source(body, { before, needsNode }), 'secret.txt': 'secret' }, { callCpuMs })
  const watched = watchedContext(tried.project.folder, by === 'guard' ? [] : all)
  const outcome = await tried.call('try', args, watched)
  expect(outcome).toMatchObject(gives)
  await also?.(tried.project, watched, outcome)
}

for (const [about, rows] of Object.entries({ 'powers it has not got': powers, 'values it hands over': values, 'more than its share': bounds, 'messages out of turn': messages })) {
  describe(`in an engine: ${about}`, () => {
    test.each(rows.map(row => [row.tries, row.by, row] as const))('a plugin tries to %s; stopped by the %s', async (_tries, _by, row) => {
      await attempt(row, false)
      if (about === 'more than its share') expect(await tried!.call('fine')).toEqual(value('fine')) // whoever had to be ended is started again
    }, PATIENCE_MS)
  })
}

const level = await nodeHost({ cwd: process.cwd() }).isolation?.() ?? 0

describe.skipIf(level < 2)(`in a process (needs a sandbox; here level ${level})`, () => {
  let port = 0
  const server = createServer(socket => socket.end())
  beforeAll(() => new Promise<void>(done => {
    server.listen(0, '127.0.0.1', () => {
      port = (server.address() as { port: number }).port
      done()
    })
  }))
  afterAll(() => void server.close())
  test.each(fromTheProcess.map(row => [row.tries, row.by, row] as const))('a plugin tries to %s; stopped by the %s', (_tries, _by, row) => attempt({ ...row, args: { given: port } }, true), PATIENCE_MS)
})

test('a plugin that needs Node is refused where nothing can confine it and the person has not accepted that', async () => {
  const { confine: _, ...host } = nodeHost({ cwd: '/' })
  const project = openProject(workshop, { 'p.ts': source('return 1', { needsNode: true }) }, { host: host as Host, mayBeUnconfined: () => false })
  expect(await project.plugins.signature({ kind: 'plugin', from: project.path('main.tek'), source: './p.ts' })).toMatchObject({ code: 'plugin/no-sandbox', message: expect.stringContaining('(a test)') as string })
  await project.close()
})

describe('two plugins, two tools', () => {
  test('one cannot leave anything for another', async () => {
    tried = await prepare(workshop, { 'p.ts': source('globalThis.left = 1; Array.prototype.left = 1; return 1') })
    const other = await prepare(workshop, { 'p.ts': source('return [typeof globalThis.left, typeof [].left]') })
    await tried.call('try')
    expect(await other.call('try')).toEqual(value(['undefined', 'undefined']))
    await other.project.close()
  })
  test('a pure function remembers nothing: neither its own calls nor what another tool has read', async () => {
    const code = `import { definePlugin, pure, reads, t, z } from 'tek-lang/plugin'
let calls = 0
export default definePlugin({ name: 'p', version: '1.0.0', doc: '', tools: {
  count: pure({ doc: '', input: {}, output: t.any, run: () => [++calls, typeof (globalThis as any).kept, typeof ({} as any).kept] }),
  taint: pure({ doc: '', input: {}, output: t.any, run: () => { (Object.prototype as any).kept = 1; (globalThis as any).kept = 1; return 1 } }),
  read: reads({ doc: '', input: {}, output: t.any, run: async () => { (globalThis as any).kept = 'read from outside'; return ++calls } }),
} })\n`
    tried = await prepare(workshop, { 'p.ts': code })
    for (const fn of ['read', 'taint', 'count', 'read', 'count'] as const) await tried.call(fn)
    expect(await tried.call('count')).toEqual(value([1, 'undefined', 'undefined']))
    expect(await tried.call('read')).toEqual(value(3)) // one that looks at the world may remember
  })
})

describe('what it says of itself', () => {
  const signed = async (tools: string) => {
    const project = openProject(workshop, { 'p.ts': `import { definePlugin, pure, reads, writes, t, z } from 'tek-lang/plugin'\nexport default definePlugin({ name: 'p', version: '1.0.0', doc: '', tools: {${tools}} })\n` })
    const found = await project.plugins.signature({ kind: 'plugin', from: project.path('main.tek'), source: './p.ts' })
    await project.close()
    return found
  }
  test('what it has read is untrusted, whatever it claims', async () => {
    const found = await signed(`look: reads({ doc: '', input: {}, output: z.string(), untrusted: false, run: async () => '' }), same: pure({ doc: '', input: { a: z.string() }, output: z.string(), run: ({ a }) => a })`)
    expect(found).toMatchObject({ functions: { look: { untrusted: true }, same: { untrusted: false } } })
  })
  test('a type nested 100 deep', async () => {
    expect(await signed(`f: pure({ doc: '', input: {}, output: Array.from({ length: 100 }).reduce(x => z.array(x as any), z.int() as any) as any, run: () => [] })`)).toMatchObject({ severity: 'error' })
  })
  test('5,000 tools', async () => {
    expect(await signed(`...Object.fromEntries(Array.from({ length: 5000 }, (_, i) => ['f' + i, pure({ doc: '', input: {}, output: z.int(), run: () => 1 })]))`)).toMatchObject({ code: 'plugin/bad-definition' })
  })
  test('a description of 5 MB', async () => {
    expect(await signed(`f: pure({ doc: 'x'.repeat(5_000_000), input: {}, output: z.int(), run: () => 1 })`)).toMatchObject({ severity: 'error' })
  })
})

describe('files', () => {
  const found = async (files: Record<string, string>, entry = './plugins/p.ts', prepareFiles: (path: (name: string) => string) => void = () => {}) => {
    const project = openProject(workshop, files)
    prepareFiles(project.path)
    return { project, found: await project.plugins.signature({ kind: 'plugin', from: project.path('main.tek'), source: entry }) }
  }
  test('a link out of its folder', async () => {
    const { project, found: answer } = await found({ 'plugins/p.ts': "import x from './near.json'\nexport default x", 'keys.json': '{"key":"secret"}' }, './plugins/p.ts', path => symlinkSync(path('keys.json'), path('plugins/near.json')))
    expect(answer).toMatchObject({ code: 'plugin/imports-outside' })
    await project.close()
  })
  test('native code', async () => {
    const { project, found: answer } = await found({ 'plugins/p.ts': "import x from './x.node'\nexport default { x, needsNode: 'a test' }", 'plugins/x.node': 'binary' })
    expect(answer).toMatchObject({ code: 'plugin/native-code' })
    await project.close()
  })
  test('a comment that leads the builder to a map elsewhere', async () => {
    const map = { version: 3, sources: ['LEAKED.ts'], names: ['leaked'], mappings: 'AAAA' }
    const { project, found: answer } = await found({ 'plugins/p.ts': `${source('return 1')}//# sourceMappingURL=../secret.map\n`, 'secret.map': JSON.stringify(map) })
    expect(answer).toMatchObject({ name: 'p' })
    const cache = project.path('.tek/cache/plugins')
    for (const name of readdirSync(cache)) expect(readFileSync(`${cache}/${name}`, 'utf8')).not.toContain('LEAKED')
    await project.close()
  })
  test('a package with scripts: none is run', async () => {
    const { project, found: answer } = await found({
      'node_modules/evil/package.json': '{"name":"evil","tek":"./p.ts","scripts":{"preinstall":"touch ran","install":"touch ran","postinstall":"touch ran","prepare":"touch ran"}}', 'node_modules/evil/p.ts': source('return 1'),
    }, 'evil')
    expect(answer).toMatchObject({ name: 'p' })
    expect([existsSync(project.path('ran')), existsSync(project.path('node_modules/evil/ran'))]).toEqual([false, false])
    await project.close()
  })
  test('a bundle that was changed in the cache is built again', async () => {
    tried = await prepare(workshop, { 'p.ts': source("return 'built'") })
    const cache = tried.project.path('.tek/cache/plugins')
    const file = `${cache}/${readdirSync(cache).find(name => name.endsWith('.js'))!}`
    writeFileSync(file, readFileSync(file, 'utf8').replace('built', 'swapped'))
    expect(await tried.call('try')).toEqual(value('built'))
  })
  test('a description that was changed in the cache is noticed when the plugin runs', async () => {
    tried = await prepare(workshop, { 'p.ts': source('return 1') })
    const cache = tried.project.path('.tek/cache/plugins')
    const file = `${cache}/${readdirSync(cache).find(name => name.endsWith('.signature.json'))!}`
    writeFileSync(file, readFileSync(file, 'utf8').replace('"effect":"read"', '"effect":"pure"'))
    expect(await tried.call('try')).toMatchObject(failure('plugin/changed'))
  })
  test('a file that was changed after the check', async () => {
    tried = await prepare(workshop, { 'p.ts': source('return 1') })
    tried.project.put({ 'p.ts': source('return 2') })
    expect(await tried.call('try')).toMatchObject(failure('plugin/changed'))
  })
  test('a plan that names another bundle', async () => {
    const { project, found: answer } = await found({ 'plugins/p.ts': source('return 1') })
    const tools = await project.plugins.toolRunner([{ ...moduleOf(answer as never, './plugins/p.ts'), hash: 'f'.repeat(64) }], project.folder)
    expect(await tools.call({ module: 'p', fn: 'try', args: {} }, watchedContext(project.folder).context)).toMatchObject(failure('plugin/changed'))
    await project.close()
  })
})
