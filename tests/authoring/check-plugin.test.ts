// `tek plugin check` on packages with planted mistakes: each is found, by its code and at its place, and a sound one has none.
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { nodeHost } from '#host/node-host.ts'
import { checkPlugin } from '#authoring/check-plugin.ts'
import { openPackage } from '#authoring/plugin-package.ts'
import { project, tek } from '../e2e/binary.ts'

const manifest = (more: object = {}): string => JSON.stringify({ name: 'tek-p', version: '1.0.0', type: 'module', tek: './plugin.ts', peerDependencies: { 'tek-lang': '*' }, ...more }, null, 2)
const definition = (tools: string, more = ''): string => `import { definePlugin, modelProvider, noUsage, pure, reads, t, ToolFailure, z } from 'tek-lang/plugin'
const text = z.string().describe('Any.')
export default definePlugin({ name: 'p', version: '1.0.0', api: '1.0', doc: 'P.', ${more}
  tools: {
${tools}
  },
})
`

vi.setConfig({ testTimeout: 300_000 })

interface Found { readonly code: string; readonly message: string; readonly path?: string; readonly line?: number }

let here: ReturnType<typeof project>
beforeAll(() => { here = project({}) })
afterAll(() => here.remove())

async function check(files: Readonly<Record<string, string>>, name: string): Promise<{ ok: boolean; found: Found[] }> {
  for (const [path, text] of Object.entries(files)) here.write(`${name}/${path}`, text)
  const { out, err } = await tek(['plugin', 'check', name, '--json'], { cwd: here.path })
  const { ok, diagnostics } = JSON.parse(out === '' ? err : out) as { ok: boolean; diagnostics: (Found & { at?: null | { path: string; line?: number; start?: { line: number } } })[] }
  return { ok, found: diagnostics.map(({ code, message, at }) => ({ code, message, ...(at === undefined || at === null ? {} : { path: at.path, line: at.line ?? at.start?.line ?? 0 }) })) }
}
const brief = (found: readonly Found[]): string[] => found.map(each => `${each.code} ${each.line ?? '-'}`).sort()

test('tools: effects, grants, docs, crashes and examples, each at its line', async () => {
  const { ok, found } = await check({ 'package.json': manifest(), 'plugin.ts': definition(`
    fine: pure({ doc: 'Fine.', input: { text }, output: z.int(), example: 'p.fine("ab") == 2', run: ({ text }) => text.length }),
    undoc: pure({ doc: '', input: { bare: z.string() }, output: z.string(), run: ({ bare }) => bare }),
    crash: pure({ doc: 'Crashes.', input: { items: z.array(z.object({ name: z.string() })).describe('Any.') }, output: z.string(), run: ({ items }) => items[0]!.name }),
    wrong: pure({ doc: 'Wrong.', input: { text }, output: z.int().max(3) as z.ZodType, run: () => 1.5 }),
    timed: pure({ doc: 'Timed.', input: { text }, output: z.string(), run: ({ text }) => (text === 'never' ? String(Date.now()) : text) }),
    peeks: pure({ doc: 'Peeks.', input: { text }, output: z.string(), run: ({ text }, context?: unknown) => text + String(context === undefined) }),
    takes: reads({ doc: 'Takes.', input: { file: t.path.describe('A file.') }, output: z.string(), run: async ({ file }, context) => (await context.files.readText(file)) }),
    hidden: reads({ doc: 'Hides.', input: { file: t.path.describe('A file.') }, output: z.string(), run: async ({ file }, context) => { const { files } = context; return files.readText(file) } }),
    greedy: reads({ doc: 'Greedy.', input: { file: t.path.describe('A file.') }, output: z.string(), needs: { 'fs.read': ['$file'], net: ['example.com:443'] }, run: async ({ file }, context) => context.files.readText(file) }),
    liar: pure({ doc: 'Lies.', input: { text }, output: z.int(), example: 'p.liar("a") == 7', run: ({ text }) => text.length }),
    meant: pure({ doc: 'Fails.', input: { text }, output: z.int(), run: () => { throw new ToolFailure('never', 'No.') } }),`) }, 'tools')
  expect(ok).toBe(false)
  expect(brief(found)).toEqual([
    'plugin/bad-example 15', 'plugin/breaks-contract 8', 'plugin/breaks-contract 9', 'plugin/implausible-effect 10', 'plugin/implausible-effect 11', 'plugin/undeclared-grant 12',
    'plugin/undeclared-grant 13', 'plugin/undocumented 7', 'plugin/undocumented 7', 'plugin/unused-grant 14',
  ])
  expect(found.find(each => each.code === 'plugin/breaks-contract')!.message).toContain('p.crash(items: [])')
})

test('grants: one that nothing needs, and one that implies what is no pattern', async () => {
  const { found } = await check({ 'package.json': manifest(), 'plugin.ts': definition(`
    look: reads({ doc: 'Looks.', input: { name: z.string().describe('A name.') }, output: z.int(), needs: { 'p.look': ['$name'] }, run: async () => 1 }),`,
  "grants: { look: { doc: 'Look.', params: { name: 'name' }, access: 'read', implies: [['net', 'https://exa mple/']] },\n    spare: { doc: 'Spare.', params: {}, access: 'read' } },") }, 'grants')
  expect(brief(found)).toEqual(['plugin/breaks-contract 3', 'plugin/unused-grant 4'])
})

test('a model that takes half an answer for a whole one', async () => {
  const { found } = await check({ 'package.json': manifest(), 'plugin.ts': definition('', `models: { loud: modelProvider({ doc: 'Loud.', options: z.object({ baseUrl: z.string().describe('Where.') }), open: (model, { baseUrl }) => ({
    abilities: { images: false, tools: false, schemas: false, contextTokens: null }, hosts: [new URL(baseUrl).host],
    ask: async (_, { fetch }) => ({ content: [{ kind: 'text', text: await (await fetch(baseUrl)).text() }], stop: 'done', usage: noUsage, model }),
  }) }) },`) }, 'model')
  expect(new Set(found.map(each => each.code))).toEqual(new Set(['plugin/breaks-contract']))
  expect(found.map(each => each.message).join('\n')).toMatch(/an answer of 429 .* instead of failing/)
})

test('the package: name, version, peer, scripts, native files, interface', async () => {
  const plugin = definition('').replace(" api: '1.0',", '')
  const { found } = await check({ 'package.json': manifest({ name: 'Tek P', version: '2.0.0', peerDependencies: {}, scripts: { postinstall: 'node x.js' } }), 'plugin.ts': plugin, 'binding.gyp': '{}' }, 'package')
  expect(brief(found)).toEqual(['plugin/bad-manifest 2', 'plugin/bad-manifest 3', 'plugin/bad-manifest 6', 'plugin/install-script 8', 'plugin/native-code -', 'plugin/unstated-api 3'])
})

test.each([
  ['a Date', definition("    day: pure({ doc: 'A day.', input: { at: z.date() }, output: z.string(), run: () => '' }),"), 'plugin/bad-definition', 5],
  ['an instance', definition("    day: pure({ doc: 'A day.', input: { at: z.instanceof(Map) }, output: z.string(), run: () => '' }),"), 'plugin/bad-definition', 5],
  ['a grant that nobody has', definition("    day: reads({ doc: 'A day.', input: {}, output: z.string(), needs: { 'q.look': [] }, run: async () => '' }),"), 'plugin/bad-definition', 5],
  ['a name of the standard library', definition('').replace("name: 'p'", "name: 'text'"), 'plugin/reserved-name', undefined],
  ['Node without a word', `import 'node:fs'\n${definition('')}`, 'plugin/needs-node', undefined],
  ['an interface to come', definition('').replace("api: '1.0'", "api: '1.9'"), 'plugin/api-mismatch', undefined],
  ['an interface that is gone', definition('').replace("api: '1.0'", "api: '0.3'"), 'plugin/api-mismatch', undefined],
])('%s is refused', async (name, plugin, code, line) => {
  const { ok, found } = await check({ 'package.json': manifest(), 'plugin.ts': plugin }, `refused-${name.replaceAll(' ', '-')}`)
  expect(ok).toBe(false)
  expect(found.map(each => each.code)).toEqual([code])
  expect(found[0]!.line).toBe(line)
})

test.each([
  ['nothing there', {}, 'plugin/not-found'], ['no package.json', { 'plugin.ts': '' }, 'plugin/bad-manifest'], ['no entry', { 'package.json': '{}' }, 'plugin/bad-manifest'], ['no JSON', { 'package.json': '{' }, 'plugin/bad-manifest'],
])('%s: %s', async (name, files, code) => {
  for (const [path, text] of Object.entries(files)) here.write(`none-${name}/${path}`, text as string)
  const ended = await tek(['plugin', 'check', `none-${name}`], { cwd: here.path })
  expect(ended.code).toBe(1)
  expect(ended.err).toContain(code)
})

test('a file alone is checked without a package, and what has an error is not packed', async () => {
  here.write('alone.ts', definition("    fine: pure({ doc: 'Fine.', input: { text }, output: z.int(), run: ({ text }) => text.length }),"))
  const alone = await tek(['plugin', 'check', 'alone.ts'], { cwd: here.path })
  expect(alone.code, alone.out).toBe(0)
  expect((await tek(['plugin', 'pack', 'alone.ts'], { cwd: here.path })).err).toContain('plugin/bad-manifest')
  const packed = await tek(['plugin', 'pack', 'tools'], { cwd: here.path })
  expect(packed.code).toBe(1)
  expect(packed.err).toContain('plugin/breaks-contract')
})

test('files that change while they are read make another plugin', async () => {
  here.write('moving/package.json', manifest())
  here.write('moving/plugin.ts', definition("    fine: pure({ doc: 'Fine.', input: { text }, output: z.int(), run: ({ text }) => text.length }),"))
  const host = nodeHost({ cwd: here.path })
  let reads = 0
  const files = new Proxy(host.files, { get: (target, key) => (key !== 'readBytes' ? Reflect.get(target, key).bind?.(target) ?? Reflect.get(target, key) : async (path: string, most: number) => {
    const bytes = await target.readBytes(path, most)
    return path.endsWith('plugin.ts') ? new Uint8Array([...bytes, ...new TextEncoder().encode(`\n// ${reads++}\n`)]) : bytes
  }) })
  const plugin = await openPackage({ ...host, files }, `${here.path}/moving`)
  if ('code' in plugin) throw new Error(plugin.message)
  const url = (name: string): string => new URL(`../../dist/${name}`, import.meta.url).href
  const checked = await checkPlugin(plugin, { host: { ...host, files }, parts: { stdlibUrl: url('stdlib/'), childUrl: url('plugin-child.mjs'), pluginEntryUrl: url('plugin.mjs') }, tekVersion: '0.1.0', mayBeUnconfined: false })
  expect(checked.diagnostics.map(each => each.code)).toContain('plugin/not-reproducible')
})
