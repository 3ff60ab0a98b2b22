// Third-party plugins through the command line: what a person reads when one is wrong, and how grants are called.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { project, tek } from './binary.ts'

const head = "import { definePlugin, pure, reads, z, ToolFailure } from 'tek-lang/plugin'\n"
const look = "grants: { look: { doc: 'Look.', params: { project: 'name' }, access: 'read' } }"
const tools = `tools: {
  look: reads({ doc: '', input: { project: z.string() }, output: z.int(), needs: { 'store.look': ['$project'] }, run: async () => 1 }),
  sell: pure({ doc: '', input: {}, output: z.int(), run: () => { throw new ToolFailure('sold-out', 'None left.', { help: 'Come back tomorrow.' }) } }),
  slip: pure({ doc: '', input: {}, output: z.int(), run: () => null!.length }),
  say: pure({ doc: '', input: {}, output: z.string(), run: () => { console.log('noise'); return 'clean' } }),
}`

let here: ReturnType<typeof project>
beforeAll(() => {
  here = project({
    'plugins/store.ts': `${head}export default definePlugin({ name: 'store', version: '1.0.0', doc: '', ${look}, ${tools} })\n`,
    'plugins/other.ts': `${head}export default definePlugin({ name: 'store', version: '2.0.0', doc: '', ${look} })\n`,
  })
})
afterAll(() => here.remove())

function program(body: string, uses = 'use plugin "./plugins/store.ts" as shop\n'): string {
  here.write('main.tek', `${uses}\nworkflow main() -> any {\n${body}\n}\n`)
  return 'main.tek'
}

test('two plugins of one name are refused at the second', async () => {
  const { code, err, out } = await tek(['check', program('  return 1', 'use plugin "./plugins/store.ts" as a\nuse plugin "./plugins/other.ts" as b\n')], { cwd: here.path })
  expect(code).toBe(3)
  expect(out + err).toContain('plugin/same-name: Two plugins call themselves `store`: `./plugins/store.ts` and `./plugins/other.ts`.')
  expect(out + err).toContain('main.tek:2:12')
})

test('one plugin by two names is one plugin', async () => {
  const file = program('  task x = a.say()\n  task y = b.say()\n  return [x, y]', 'use plugin "./plugins/store.ts" as a\nuse plugin "./plugins/store.ts" as b\n')
  expect(JSON.parse((await tek(['run', file], { cwd: here.path })).out)).toEqual(['clean', 'clean'])
})

test('a grant is asked for by the name the file gave the plugin, and the fix that is offered works', async () => {
  const file = program('  task seen = shop.look("x")\n  return seen')
  const { out, err } = await tek(['check', file], { cwd: here.path })
  expect(out + err).toContain('Add `can shop.look("x")`')
  expect((await tek(['check', '--fix', file], { cwd: here.path })).code).toBe(0)
  expect((await tek(['run', file], { cwd: here.path })).out).toBe('1\n')
})

test("a plugin's own failure has its code and its help, and no page is promised", async () => {
  const { code, err } = await tek(['run', program('  task sold = shop.sell()\n  return sold')], { cwd: here.path })
  expect(code).toBe(1)
  expect(err).toContain('error store/sold-out: None left.')
  expect(err).toContain('Come back tomorrow.')
  expect(err).not.toContain('says more')
})

test('a crash names the line of the TypeScript file', async () => {
  const { err } = await tek(['run', program('  task slipped = shop.slip()\n  return slipped')], { cwd: here.path })
  expect(err).toMatch(/plugin\/crashed: `store\.slip` crashed: .*\(plugins\/store\.ts:5:\d+\)/)
  expect(err).toContain('tek explain plugin/crashed says more')
})

test('what a plugin prints does not reach the result', async () => {
  expect((await tek(['run', program('  task said = shop.say()\n  return said')], { cwd: here.path })).out).toBe('clean\n')
})

test('a tool does no more than its call needs, whatever its caller may do', async () => {
  const reader = (needs: string): string => `${head.replace('reads, z', 'reads, t, z')}export default definePlugin({ name: 'reader', version: '1.0.0', doc: '', tools: { take: reads({ doc: '', input: { folder: t.path }, output: z.string(), ${needs} run: async ({ folder }, c) => c.files.readText(folder + '/a.txt') }) } })\n`
  here.write('notes/a.txt', 'mine')
  const run = async (needs: string, folder: string) => {
    here.write('plugins/reader.ts', reader(needs))
    here.write('main.tek', `use plugin "./plugins/reader.ts" as reader\n\nworkflow main() -> any {\n  can fs.read("**")\n\n  task taken = reader.take("${folder}")\n  return taken\n}\n`)
    return tek(['run', 'main.tek'], { cwd: here.path })
  }
  expect((await run('', 'notes')).err).toContain('permit/denied')
  expect((await run("needs: { 'fs.read': ['$folder'] },", 'notes')).out).toBe('mine\n')
  expect((await run("needs: { 'fs.read': ['elsewhere'] },", 'notes')).err).toContain('permit/denied')
})

test('a plugin that imports Node without a word is refused at the line of the import', async () => {
  here.write('plugins/node.ts', `import { readFileSync } from 'node:fs'\n${head}export default definePlugin({ name: 'node', version: '1.0.0', doc: String(readFileSync), tools: {} })\n`)
  const { code, out, err } = await tek(['check', program('  return 1', 'use plugin "./plugins/node.ts" as shop\n')], { cwd: here.path })
  expect(code).toBe(3)
  expect(out + err).toContain('plugin/needs-node: The plugin `./plugins/node.ts` imports `node:fs` of Node (node.ts:1:30)')
})
