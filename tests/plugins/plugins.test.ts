// Third-party plugins end to end: found, built, described, run in a process of their own, and everything they can do wrong.
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import type { PlanModule } from '#model/plan.ts'
import type { ModuleSignature } from '#model/signature.ts'
import type { Value } from '#model/type.ts'
import { openProject, openWorkshop, watchedContext, type Project, type ProjectOptions, type Workshop } from './workshop.ts'

let workshop: Workshop
const projects: Project[] = []

beforeAll(async () => { workshop = await openWorkshop() })
afterEach(async () => {
  for (const project of projects.splice(0)) await project.close()
  await vi.waitFor(() => expect(workshop.processes()).toBe(0), { timeout: 5_000, interval: 50 })
})
afterAll(() => workshop.remove())

function project(files: Record<string, string>, options: ProjectOptions = {}): Project {
  const opened = openProject(workshop, files, options)
  projects.push(opened)
  return opened
}

const head = "import { definePlugin, pure, reads, writes, t, z, ToolFailure } from 'tek-lang/plugin'\n"
/** Before code without a definition that is to be run in a process. */
const node = "export const described = { needsNode: 'a test' }\n"
/** Its code runs in a process: it says that it needs Node. */
const nodePlugin = (tools: string): string => `${head}export default definePlugin({ name: 'p', version: '1.2.3', doc: 'Test.', needsNode: 'a test', tools: {\n${tools}\n} })\n`
const plugin = (tools: string, name = 'p'): string => `${head}export default definePlugin({ name: '${name}', version: '1.2.3', doc: 'Test.', tools: {\n${tools}\n} })\n`

async function signature(of: Project, source = './p.ts'): Promise<ModuleSignature | Diagnostic> {
  const found = await of.plugins.signature({ kind: 'plugin', from: of.path('main.tek'), source })
  if (found === null) throw new Error('no signature')
  return found
}

async function problem(of: Project, source = './p.ts'): Promise<Diagnostic> {
  const found = await signature(of, source)
  if (!('severity' in found)) throw new Error('it has a signature')
  return found
}

async function runner(of: Project, source = './p.ts') {
  const found = await signature(of, source)
  if ('severity' in found) throw new Error(found.message)
  const module: PlanModule = { name: 'p', origin: 'plugin', source, release: found.release, hash: found.hash, ...(found.needsNode === undefined ? {} : { needsNode: found.needsNode }) }
  const tools = await of.plugins.toolRunner([module], of.folder)
  return (fn: string, args: Record<string, Value> = {}, watched = watchedContext(of.folder)) => tools.call({ module: 'p', fn, args }, watched.context)
}

describe('finding', () => {
  test('a missing file suggests its neighbours', async () => {
    const found = await problem(project({ 'plugins/jira.ts': plugin('') }), './plugins/jirra.ts')
    expect(found).toMatchObject({ code: 'plugin/not-found', message: 'There is no plugin `./plugins/jirra.ts`: no such file exists.' })
    expect(found.help[0]).toBe('Did you mean `./plugins/jira.ts`?')
  })
  test('a missing package, a strange specifier', async () => {
    const here = project({ 'node_modules/tek-plugin-slack/package.json': '{"tek":"./gone.ts"}' })
    expect((await problem(here, 'tek-plugin-slak')).help[0]).toBe('Did you mean `tek-plugin-slack`?')
    expect((await problem(here, 'tek-plugin-slack')).message).toContain('its package.json names `./gone.ts`, which does not exist')
    expect((await problem(here, 'data:text/javascript,1')).code).toBe('plugin/not-found')
  })
  test('packages by `tek`, by exports, by index', async () => {
    const here = project({
      'node_modules/a/package.json': '{"tek":"./src/plugin.ts","main":"x.js"}', 'node_modules/a/src/plugin.ts': plugin('', 'a'),
      'node_modules/@s/b/package.json': '{"exports":{".":{"import":"./b.mjs"}}}', 'node_modules/@s/b/b.mjs': plugin('', 'b'),
      'local/index.ts': plugin('', 'c'),
    })
    for (const [source, name] of [['a', 'a'], ['@s/b', 'b'], ['./local', 'c']] as const) expect(await signature(here, source)).toMatchObject({ name })
  })
  test('a package whose entry leads out of it is refused', async () => {
    const here = project({ 'node_modules/a/package.json': '{"tek":"../../main.ts"}', 'main.ts': plugin('') })
    expect((await problem(here, 'a')).code).toBe('plugin/imports-outside')
  })
})

describe('building', () => {
  test('a syntax error has file, line and column', async () => {
    const found = await problem(project({ 'p.ts': 'const a = 1\nconst b = = 2\n' }))
    expect(found.code).toBe('plugin/does-not-build')
    expect(found.message).toContain('p.ts:2:11')
  })
  test.each([
    ['a path out of the folder', { 'plugins/p.ts': "import '../../outside.ts'\n" }],
    ['a path to a neighbour folder', { 'plugins/p.ts': "import { x } from '../secret.ts'\nconsole.log(x)", 'secret.ts': 'export const x = 1' }],
    ['text of another folder', { 'plugins/p.ts': "import x from '../notes.txt'\nconsole.log(x)", 'notes.txt': 'secret' }],
    ['a URL', { 'plugins/p.ts': "import 'https://example.com/x.js'" }],
  ])('%s is not imported', async (_, files) => {
    const found = await problem(project(files as unknown as Record<string, string>), './plugins/p.ts')
    expect(['plugin/imports-outside', 'plugin/does-not-build']).toContain(found.code)
  })
  test('a link out of the folder is followed before it is judged', async () => {
    const here = project({ 'secret.ts': 'export const x = 1', 'plugins/p.ts': "import { x } from './near.ts'\nconsole.log(x)" })
    symlinkSync(here.path('secret.ts'), here.path('plugins/near.ts'))
    expect(await problem(here, './plugins/p.ts')).toMatchObject({ code: 'plugin/imports-outside', message: `The plugin \`./plugins/p.ts\` imports ${here.path('secret.ts')}, which lies outside its folder.` })
  })
  test('native code and too much code are refused', async () => {
    const native = project({ 'p.ts': "import x from './x.node'\nconsole.log(x)", 'x.node': 'binary' })
    expect((await problem(native)).code).toBe('plugin/native-code')
    const large = project({ 'p.ts': `export default ${JSON.stringify('x'.repeat(5_100_000))}` })
    expect((await problem(large)).code).toBe('plugin/too-large')
  })
  test('packages of the project may be imported, node built-ins too', async () => {
    const here = project({
      'node_modules/dep/package.json': '{"main":"i.js"}', 'node_modules/dep/i.js': "exports.x = require('node:path').sep",
      'p.ts': `import { x } from 'dep'\nimport { basename } from 'node:path'\n${plugin("f: pure({ doc: '', input: {}, output: z.string(), run: () => x + basename('/a/b') })")}`.replace("doc: 'Test.'", "doc: 'Test.', needsNode: 'paths'"),
    })
    expect(await (await runner(here))('f')).toEqual({ kind: 'value', value: '/b' })
  })
  test('CommonJS is a plugin too', async () => {
    const here = project({ 'p.cjs': `const { definePlugin, pure, z } = require('tek-lang/plugin')\nmodule.exports = definePlugin({ name: 'p', version: '1.0.0', doc: '', tools: { f: pure({ doc: '', input: {}, output: z.int(), run: () => 1 }) } })` })
    expect(await (await runner(here, './p.cjs'))('f')).toEqual({ kind: 'value', value: 1 })
  })
  test.each([['zod', "Take `z` from 'tek-lang/plugin'."], ['left-pad', 'Install the package: `npm install left-pad`.']])('what to do about a missing %s', async (name, help) => {
    expect((await problem(project({ 'p.ts': `import * as x from '${name}'\nconsole.log(x)` }))).help).toContain(help)
  })
  test('a cache hit builds nothing; a changed file builds again; a damaged cache is a miss', async () => {
    const here = project({ 'p.ts': `import { n } from './n.ts'\n${plugin("f: pure({ doc: '', input: {}, output: z.int(), run: () => n })")}`, 'n.ts': 'export const n = 1' })
    const first = (await signature(here)) as ModuleSignature
    const file = here.path(`.tek/cache/plugins/${first.hash}.js`)
    expect(existsSync(`${file}.map`) && existsSync(here.path(`.tek/cache/plugins/${first.hash}.signature.json`))).toBe(true)
    const before = statSync(file).mtimeMs
    expect(await signature(here)).toEqual(first)
    expect(statSync(file).mtimeMs).toBe(before)
    writeFileSync(file, `${readFileSync(file, 'utf8')}// not what was built`)
    expect(await signature(here)).toEqual(first)
    expect(readFileSync(file, 'utf8')).not.toContain('not what was built')
    here.put({ 'n.ts': 'export const n = 2' })
    const second = (await signature(here)) as ModuleSignature
    expect(second.hash).not.toBe(first.hash)
    const cache = here.path('.tek/cache/plugins')
    for (const each of readdirSync(cache)) if (each.endsWith('.json')) writeFileSync(`${cache}/${each}`, '{"recipe":')
    expect(await signature(here)).toEqual(second)
  })
  test('the hash is the same in another folder', async () => {
    const files = { 'plugins/p.ts': plugin('') }
    const [a, b] = [await signature(project(files), './plugins/p.ts'), await signature(project(files), './plugins/p.ts')]
    expect((a as ModuleSignature).hash).toBe((b as ModuleSignature).hash)
  })
  test('a folder that cannot be written says so', async () => {
    const here = project({ 'p.ts': plugin(''), '.tek': 'a file where the folder should be' })
    expect((await problem(here)).code).toBe('plugin/cannot-be-kept')
  })
})

describe('loading', () => {
  test.each([
    ['throws', "const a: number = 1\nthrow new Error(`no ${a}`)", 'plugin/failed-to-load', 'no 1 (p.ts:2:'],
    ['asks for the process', 'process.exit(3)', 'plugin/failed-to-load', "'process' is not defined (p.ts:1:1)"],
    ['throws a text', "throw 'no'", 'plugin/failed-to-load', 'cannot be loaded: no.'],
    ['waits at the top', 'await new Promise(() => {})', 'plugin/does-not-build', 'p.ts:1:1: Top-level await'],
    ['loops for ever', 'for (;;) {}', 'plugin/failed-to-load', 'it was not loaded within 3 s'],
    ['needs all memory', 'const kept: unknown[] = []; for (;;) kept.push(new Array(100_000).fill(1.5))', 'plugin/failed-to-load', 'it needed more than 128 MB of memory'],
    ['prints and loops', "console.log('I begin'); for (;;) {}", 'plugin/failed-to-load', 'It last printed: I begin'],
    ['imports Node', "import { readFileSync } from 'node:fs'\nexport default readFileSync", 'plugin/needs-node', 'imports `node:fs` of Node (p.ts:1:30) without saying that it needs Node'],
    ['requires Node by its old name', "const fs = require('fs')\nmodule.exports = fs", 'plugin/needs-node', 'imports `fs` of Node (p.ts:1:20)'],
    ['says that it needs Node in words that must be run first', `${head}export default definePlugin({ name: 'p', version: '1.0.0', doc: '', needsNode: ['a', 'test'].join(' ') })`, 'plugin/bad-definition', 'needsNode: it must be a plain text'],
    ['exits', `${node}process.exit(3)`, 'plugin/failed-to-load', 'it ended its process (exit code 3)'],
    ['prints and exits', `${node}console.error('cannot go on'); process.exit(1)`, 'plugin/failed-to-load', 'It last printed: cannot go on'],
    ['floods', `${node}const x = 'x'.repeat(1e6); for (;;) process.stderr.write(x)`, 'plugin/failed-to-load', 'was not loaded within|more than 16 MB'],
    ['waits for ever', `${node}await new Promise(() => setInterval(() => {}, 1000))`, 'plugin/failed-to-load', 'it was not loaded within 3 s'],
    ['loops for ever in its process', `${node}for (;;) {}`, 'plugin/failed-to-load', 'it was not loaded within 3 s'],
    ['prints garbage where messages go', `${node}import { writeSync } from 'node:fs'\nwriteSync(1, 'garbage garbage'); await new Promise(() => setInterval(() => {}, 1000))`, 'plugin/failed-to-load', 'it sent a message of'],
    ['sends a wrong message', `${node}import { writeSync } from 'node:fs'\nconst b = Buffer.from('{"kind":"loaded","signature":7}'); const h = Buffer.alloc(4); h.writeUInt32BE(b.length); writeSync(1, Buffer.concat([h, b])); await new Promise(() => setInterval(() => {}, 1000))`, 'plugin/failed-to-load', 'unknown form'],
    ['sends a deep message', `${node}import { writeSync } from 'node:fs'\nconst b = Buffer.from('['.repeat(200) + ']'.repeat(200)); const h = Buffer.alloc(4); h.writeUInt32BE(b.length); writeSync(1, Buffer.concat([h, b])); await new Promise(() => setInterval(() => {}, 1000))`, 'plugin/failed-to-load', 'nested more than 128'],
    ['lies about its signature', `${node}import { writeSync } from 'node:fs'\nconst b = Buffer.from('{"kind":"loaded","signature":{"version":1}}'); const h = Buffer.alloc(4); h.writeUInt32BE(b.length); writeSync(1, Buffer.concat([h, b])); await new Promise(() => setInterval(() => {}, 1000))`, 'plugin/failed-to-load', 'unknown form'],
    ['has no export', 'export const x = 1', 'plugin/not-a-plugin', 'it has no default export'],
    ['exports something else', 'export default { tools: {} }', 'plugin/not-a-plugin', 'not made by `definePlugin`'],
    ['is for another version', `${head}export default definePlugin({ name: 'p', version: '1.0.0', doc: '', api: '2.0' })`, 'plugin/api-mismatch', 'version 2.0'],
    ['needs what no one grants', plugin("f: reads({ doc: '', input: { n: z.string() }, output: z.int(), needs: { 'fs.reed': ['$n'] }, run: async () => 1 })"), 'plugin/bad-definition', 'mentions the grant `fs.reed`, which is neither'],
    ['needs a grant with too many arguments', plugin("f: reads({ doc: '', input: { n: z.string() }, output: z.int(), needs: { env: ['$n', 'x'] }, run: async () => 1 })"), 'plugin/bad-definition', 'gives 2 arguments to `env`, which takes 1'],
    ['has a grant that implies nonsense', `${head}export default definePlugin({ name: 'p', version: '1.0.0', doc: '', grants: { go: { doc: '', params: {}, access: 'read', implies: [['exce', 'git']] } } })`, 'plugin/bad-definition', 'grant go: `implies` mentions the grant `exce`, which is neither tek\'s nor this plugin\'s; did you mean `exec`'],
    ['is wrong in three places', `${head}export default definePlugin({ name: 'a b', version: '1', doc: '', tools: { f: null as any } })`, 'plugin/bad-definition', 'is no name a program can write; version: it must be a version such as 1.0.0; tool f: make it with'],
    ['takes a date', plugin("f: pure({ doc: '', input: { when: z.date() }, output: z.int(), run: () => 1 })"), 'plugin/bad-definition', 'tool f, parameter when: Date cannot be represented'],
    ['gives a recursive type', `${head}const tree: z.ZodType = z.object({ get kids() { return z.array(tree) } })\nexport default definePlugin({ name: 'p', version: '1.0.0', doc: '', tools: { f: pure({ doc: '', input: {}, output: tree, run: () => ({}) }) } })`, 'plugin/bad-definition', 'tool f, result'],
    ['needs a parameter it has not', plugin("f: reads({ doc: '', input: {}, output: z.int(), needs: { 'fs.read': ['$file'] }, run: async () => 1 })"), 'plugin/bad-definition', 'mentions `$file`'],
    ['takes a name of tek', plugin('', 'permit'), 'plugin/reserved-name', '`permit`'],
    ['takes the name of a std module', plugin('', 'tiny'), 'plugin/reserved-name', '`tiny`'],
  ])('a plugin that %s', async (_, text, code, message) => {
    const found = await problem(project({ 'p.ts': text }, { loadMs: 3_000 }))
    expect(found.code).toBe(code)
    expect(found.message).toMatch(message.includes('|') ? new RegExp(message) : new RegExp(message.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')))
  }, 20_000)

  test('the signature of the example plugin', async () => {
    const here = project({ 'todo.ts': readFileSync(new URL('../../examples/plugins/todo.ts', import.meta.url), 'utf8') })
    const { hash, ...rest } = (await signature(here, './todo.ts')) as ModuleSignature
    expect(hash).toMatch(/^[0-9a-f]{64}$/)
    expect(rest).toMatchSnapshot()
  })
})

describe('running', () => {
  test('effects go through the guard', async () => {
    const here = project({ 'p.ts': readFileSync(new URL('../../examples/plugins/todo.ts', import.meta.url), 'utf8'), 'src/a.ts': 'x\n// TODO y\n', 'secret.txt': 'TODO' })
    const call = await runner(here)
    const watched = watchedContext(here.folder, [{ name: 'fs.read', args: ['src/**'] }])
    expect(await call('find', { file: 'src/a.ts' }, watched)).toEqual({ kind: 'value', value: [{ line: 2, text: '// TODO y' }] })
    expect(await call('find', { file: 'secret.txt' }, watched)).toMatchObject({ kind: 'failure', failure: { code: 'permit/denied', help: expect.stringContaining('can fs.read("secret.txt")') as string } })
    expect(await call('find', { file: 'src/gone.ts' }, watched)).toMatchObject({ failure: { code: 'todo/not-found' } })
    expect(await call('find', { file: 'src/a.ts', word: '' }, watched)).toMatchObject({ failure: { code: 'todo/no-word', help: 'Leave `word` out to look for TODO.' } })
    expect(await call('find', { file: 7 }, watched)).toMatchObject({ failure: { code: 'plugin/bad-input' } })
    expect(watched.counts).toEqual(['read', 'refused', 'read'])
  })

  test('every method of the context arrives', async () => {
    const here = project({ 'in.txt': 'hello', 'p.ts': plugin(`f: writes({ doc: '', input: {}, output: t.any, run: async (_, c) => {
      await c.files.makeDirectory('out/d'); await c.files.writeText('out/a', 'A'); await c.files.append('out/a', 'B'); await c.files.writeBytes('out/b', new Uint8Array([1, 255]))
      await c.files.move('out/b', 'out/c'); const bytes = [...await c.files.readBytes('out/c')]; await c.files.remove('out/c')
      c.log('hi'); c.progress(0.5)
      await c.sleep(1)
      return { cwd: c.cwd, key: c.idempotencyKey, text: await c.files.readText('in.txt'), a: await c.files.readText('out/a'), bytes, glob: await c.files.glob('*.txt'), list: (await c.files.list('out')).map(e => e.name),
        stat: (await c.files.stat('in.txt'))?.sizeBytes, none: await c.files.stat('nothing'), ran: (await c.run('echo', ['x'])).stdout, env: (await c.env('TEK_ABSENT')) ?? 'unset', now: (await c.now()) > 0, hex: (await c.randomHex(4)).length }
    } })`) })
    const watched = watchedContext(here.folder, [{ name: 'fs.read', args: ['**'] }, { name: 'fs.write', args: ['**'] }, { name: 'exec', args: ['echo', '**'] }, { name: 'env', args: ['TEK_ABSENT'] }])
    expect(await (await runner(here))('f', {}, watched)).toEqual({ kind: 'value', value: {
      cwd: here.folder, key: 'key', text: 'hello', a: 'AB', bytes: [1, 255], glob: ['in.txt'], list: ['a', 'd'], stat: 5, none: null, ran: 'x\n', env: 'unset', now: true, hex: 8,
    } })
    expect(watched.log).toEqual(['hi', 'progress 0.5'])
  })

  test('a crash names the line of the TypeScript source', async () => {
    const here = project({ 'plugins/p.ts': `${head}interface Long {\n  a: string\n}\n\nfunction broken(x: Long | null): string {\n  return x!.a\n}\n\nexport default definePlugin({ name: 'p', version: '1.0.0', doc: '', tools: { f: reads({ doc: '', input: {}, output: z.string(), run: async () => broken(null) }) } })` })
    expect(await (await runner(here, './plugins/p.ts'))('f')).toMatchObject({ failure: { code: 'plugin/crashed', message: expect.stringContaining('(plugins/p.ts:7:') as string, retryable: false, details: expect.stringContaining('broken') as string } })
  })

  test('wrong results are refused, also when the process vouches for them', async () => {
    const here = project({ 'p.ts': `import { writeSync } from 'node:fs'\n${nodePlugin(`wrong: reads({ doc: '', input: {}, output: z.int(), run: async () => 'x' as never }),
      cyclic: reads({ doc: '', input: {}, output: t.any, run: async () => { const a: any = {}; a.a = a; return a } }),
      forged: reads({ doc: '', input: {}, output: z.int(), run: async () => { const b = Buffer.from(JSON.stringify({ kind: 'result', call: 3, outcome: { kind: 'value', value: 'forged' } })); const h = Buffer.alloc(4); h.writeUInt32BE(b.length); writeSync(1, Buffer.concat([h, b])); return 1 } }),
      huge: reads({ doc: '', input: {}, output: z.string(), run: async () => 'x'.repeat(4_100_000) })`)}` })
    const call = await runner(here)
    expect(await call('wrong')).toMatchObject({ failure: { code: 'plugin/bad-output', message: expect.stringContaining('`p.wrong` gave back something else') as string } })
    expect(await call('cyclic')).toMatchObject({ failure: { code: 'plugin/bad-output' } })
    expect(await call('forged')).toMatchObject({ failure: { code: 'plugin/bad-output' } })
    expect(await call('huge')).toMatchObject({ failure: { code: 'plugin/bad-output', message: expect.stringContaining('4,000,000 bytes') as string } })
    expect(await call('nothing')).toMatchObject({ failure: { code: 'plugin/unknown-tool' } })
  })

  test('a death fails the call, is mended three times, and then no more', async () => {
    const here = project({ 'p.ts': nodePlugin("die: reads({ doc: '', input: {}, output: z.int(), run: async () => { console.error('last words'); process.exit(9) } }), live: reads({ doc: '', input: {}, output: z.int(), run: async () => 1 })") })
    const call = await runner(here)
    for (let time = 0; time < 4; time++) {
      expect(await call('live')).toEqual({ kind: 'value', value: 1 })
      expect(await call('die')).toMatchObject({ failure: { code: 'plugin/died', retryable: true, message: expect.stringContaining('exit code 9') as string, details: expect.stringContaining('last words') as string } })
    }
    expect(await call('live')).toMatchObject({ failure: { code: 'plugin/gave-up', retryable: false } })
  })

  test('a call beside one that would not stop is done again when it changes nothing', async () => {
    const here = project({ 'p.ts': plugin(`hang: reads({ doc: '', input: {}, output: z.int(), run: async () => { for (;;) {} } }),
      look: reads({ doc: '', input: {}, output: z.int(), run: async (_, c) => { await c.sleep(5); return 1 } }), change: writes({ doc: '', input: {}, output: z.int(), run: async (_, c) => { await c.sleep(5); return 1 } })`) })
    const call = await runner(here)
    const watched = watchedContext(here.folder)
    const [looking, changing] = [call('look'), call('change')]
    const hanging = call('hang', {}, watched)
    setTimeout(() => watched.abort.abort(), 100)
    expect(await hanging).toMatchObject({ failure: { code: 'run/cancelled' } })
    expect(await looking).toEqual({ kind: 'value', value: 1 })
    expect(await changing).toMatchObject({ failure: { code: 'plugin/died', retryable: true, message: expect.stringContaining('another call') as string } })
  }, 15_000)

  test('an end that Node explains is explained', async () => {
    const here = project({ 'p.ts': nodePlugin(`lost: reads({ doc: '', input: {}, output: z.int(), run: async (_, c) => { void Promise.reject(new Error('nobody listens')); await c.sleep(5_000); return 1 } }),
      odd: reads({ doc: '', input: {}, output: z.int(), run: async () => { throw { toString() { throw new Error('ha') } } } }), full: reads({ doc: '', input: {}, output: z.int(), run: async () => { const kept: unknown[] = []; for (;;) kept.push(new Array(100_000).fill(Math.random())) } })`) })
    const call = await runner(here)
    expect(await call('lost')).toMatchObject({ failure: { code: 'plugin/died', message: expect.stringContaining('Error: nobody listens') as string } })
    expect(await call('odd')).toMatchObject({ failure: { code: 'plugin/crashed', message: '`p.odd` crashed: something that cannot be shown was thrown' } })
    expect(await call('full')).toMatchObject({ failure: { code: 'plugin/died', message: expect.stringContaining('more than 512 MB of memory') as string } })
  }, 20_000)

  test('a call that does not stop when cancelled ends with its process', async () => {
    const here = project({ 'p.ts': nodePlugin("hang: reads({ doc: '', input: {}, output: z.int(), run: async (_, c) => { c.log('hanging'); for (;;) {} } }), wait: reads({ doc: '', input: {}, output: z.int(), run: async (_, c) => { await c.sleep(60_000); return 1 } })") })
    const call = await runner(here)
    const polite = watchedContext(here.folder)
    const waiting = call('wait', {}, polite)
    setTimeout(() => polite.abort.abort(), 100)
    expect(await waiting).toMatchObject({ failure: { code: 'run/cancelled' } })
    const watched = watchedContext(here.folder)
    const hanging = call('hang', {}, watched)
    setTimeout(() => watched.abort.abort(), 300)
    expect(await hanging).toMatchObject({ failure: { code: 'run/cancelled' } })
    expect(watched.log).toEqual(['hanging'])
    await vi.waitFor(() => expect(workshop.processes()).toBe(0), { timeout: 5_000 })
  }, 15_000)

  test('the process has nothing of the environment', async () => {
    vi.stubEnv('TEK_TEST_CANARY', 'tweet')
    const here = project({ 'p.ts': nodePlugin("f: reads({ doc: '', input: {}, output: t.any, run: async () => Object.keys(process.env) })") })
    const found = await (await runner(here))('f')
    vi.unstubAllEnvs()
    // What a sandbox sets itself, for its own private folders.
    expect((found as unknown as { value: string[] }).value.filter(name => !['HOME', 'TMPDIR', 'PWD'].includes(name))).toEqual([])
  })

  test('a plugin that is not the checked one is not run', async () => {
    const here = project({ 'p.ts': plugin("f: reads({ doc: '', input: {}, output: z.int(), run: async () => 1 })") })
    const tools = await here.plugins.toolRunner([{ name: 'p', origin: 'plugin', source: 'p.ts', release: '1.2.3', hash: 'other' }], here.folder)
    expect(await tools.call({ module: 'p', fn: 'f', args: {} }, watchedContext(here.folder).context)).toMatchObject({ failure: { code: 'plugin/changed' } })
  })
})

describe('the standard library', () => {
  test('signatures from the manifest, code on demand, pure functions at once', async () => {
    const here = project({})
    expect(await here.plugins.stdNames()).toEqual(['tiny'])
    expect(await here.plugins.signature({ kind: 'std', name: 'none' })).toBeNull()
    expect(await here.plugins.signature({ kind: 'std', name: 'tiny' })).toMatchObject({ name: 'tiny', origin: 'std', hash: 'tiny-hash' })
    const tools = await here.plugins.toolRunner([{ name: 'tiny', origin: 'std', source: 'std.tiny', release: '1.0.0', hash: 'tiny-hash' }], here.folder)
    expect(tools.pure('tiny', 'twice')?.({ n: 21 })).toBe(42)
    expect(() => tools.pure('tiny', 'twice')?.({ n: 'x' })).toThrow(expect.objectContaining({ name: 'ToolFailure', code: 'plugin/bad-input' }))
    expect(tools.pure('tiny', 'now')).toBeNull()
    expect(tools.pure('other', 'x')).toBeNull()
    expect(await tools.call({ module: 'tiny', fn: 'now', args: {} }, watchedContext(here.folder).context)).toMatchObject({ kind: 'value' })
    expect(tools.threadModule('tiny')).toMatch(/^file:.*tiny\.mjs$/)
    await tools.close()
  })
})

describe('when tek itself is killed', () => {
  test('a plugin that never gives up the processor is gone as well', async () => {
    const here = project({ 'p.ts': nodePlugin("hang: reads({ doc: '', input: {}, output: z.int(), run: async (_, c) => { c.log('hanging'); for (;;) {} } })") })
    const found = (await signature(here)) as ModuleSignature
    const driver = await workshop.buildDriver()
    const tek = spawn(process.execPath, [driver, JSON.stringify({ ...workshop, folder: here.folder, hash: found.hash, needsNode: found.needsNode })], { stdio: ['ignore', 'pipe', 'inherit'] })
    await new Promise(done => tek.stdout.once('data', done))
    expect(workshop.processes()).toBeGreaterThan(0)
    tek.kill('SIGKILL')
    await vi.waitFor(() => expect(workshop.processes()).toBe(0), { timeout: 10_000, interval: 100 })
  }, 30_000)
})
