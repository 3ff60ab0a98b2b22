// The published contract of models and call of tools, the values tools are called with, what is read of TypeScript, and the archive.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { definitionSource, keyPlace, partPlace, toolPlace, visibleActions } from '#authoring/definition-places.ts'
import { sampleArguments, samplesOf } from '#authoring/sample-values.ts'
import { tarball } from '#authoring/tarball.ts'
import { noUsage } from '#model/chat.ts'
import type { Type } from '#model/type.ts'
import { definePlugin, fitsApi, reads, writes } from '#plugin-api/define-plugin.ts'
import { t, z } from '#plugin-api/index.ts'
import { type Model, ModelFailure, modelProvider, type ModelProvider } from '#plugin-api/model-provider.ts'
import { callTool } from '#testing/call-tool.ts'
import { memoryHost } from '#testing/memory-host.ts'
import { modelContract } from '#testing/model-contract.ts'
import { validate } from '#types/validate.ts'

/** A model of lines, right unless `wrong` says how it is not. */
function model(wrong: 'nothing' | 'takes-half' | 'asks-again' | 'counts-nothing' | 'plain-error' | 'shows-other' | 'one-code'): ModelProvider {
  const ask: Model['ask'] = async ({ model }, { fetch, signal, onDelta }) => {
    const failed = (response: Response): ModelFailure => new ModelFailure(wrong === 'one-code' ? 'server' : response.status === 429 ? 'rate-limited' : response.status === 503 ? 'overloaded' : response.status < 500 ? 'no-key' : 'server', 'No.')
    const response = await fetch('http://127.0.0.1:9/', { signal })
    if (!response.ok && wrong === 'asks-again') await fetch('http://127.0.0.1:9/', { signal })
    if (!response.ok) throw wrong === 'plain-error' ? new Error('no') : failed(response)
    const text = await response.text()
    if (!text.endsWith('!') && wrong !== 'takes-half') throw new ModelFailure('cut-off', 'Half.')
    onDelta({ kind: 'text', text: wrong === 'shows-other' ? 'other' : text })
    return { content: [{ kind: 'text', text }], stop: 'done', usage: wrong === 'counts-nothing' ? noUsage : { ...noUsage, output: 1 }, model }
  }
  return modelProvider({ doc: '', options: z.object({}), open: () => ({ abilities: { images: false, tools: false, schemas: false, contextTokens: null }, hosts: ['127.0.0.1:9'], ask }) })
}

async function broken(provider: ModelProvider): Promise<string[]> {
  const failed: string[] = []
  for (const { name, run } of modelContract(provider, { model: 'm', sample: { contentType: 'text/plain', body: 'It is 四!', text: 'It is 四!' } })) await run().catch((error: unknown) => void failed.push(`${name}: ${String((error as Error).message)}`))
  return failed
}

describe('the contract of models', () => {
  test('a model that keeps it passes every check', async () => expect(await broken(model('nothing'))).toEqual([]))
  test.each([
    ['takes-half', /cut off anywhere.*for the whole answer/], ['asks-again', /It asked 2 times/], ['counts-nothing', /counts no token/], ['plain-error', /no ModelFailure/], ['shows-other', /showed on the way/], ['one-code', /429.*failed with `server`/],
  ] as const)('one that %s does not', async (wrong, words) => expect((await broken(model(wrong))).join('\n')).toMatch(words))
})

describe('a call on a host in memory', () => {
  const plugin = definePlugin({
    name: 'p', version: '1.0.0', doc: '', grants: { keep: { doc: '', params: { file: 'path' }, access: 'write', implies: [['fs.write', '$1']] } },
    tools: {
      load: reads({ doc: '', input: { file: t.path }, output: z.string(), needs: { 'fs.read': ['$file'] }, run: async ({ file }, context) => context.files.readText(file) }),
      sneak: reads({ doc: '', input: { file: t.path }, output: z.string(), run: async ({ file }, context) => context.files.readText(file) }),
      keep: writes({ doc: '', input: { file: t.path }, output: z.null(), needs: { 'p.keep': ['$file'] }, run: async ({ file }, context) => { await context.sleep(3_600_000); await context.files.writeText(file, 'kept'); return null } }),
    },
  })
  test('may do what the tool needs, what its grants imply, and nothing else', async () => {
    const host = memoryHost({ files: { 'a.txt': 'one' } })
    expect(await callTool(plugin, 'load', { file: 'a.txt' }, { host })).toEqual({ kind: 'value', value: 'one' })
    expect(await callTool(plugin, 'sneak', { file: 'a.txt' }, { host })).toMatchObject({ kind: 'failure', failure: { code: 'permit/denied' } })
    expect(await callTool(plugin, 'keep', { file: 'b.txt' }, { host })).toEqual({ kind: 'value', value: null })
    expect(host.files.snapshot()).toEqual({ '/project/a.txt': 'one', '/project/b.txt': 'kept' })
    await expect(callTool(plugin, 'none', {}, { host })).rejects.toThrow('no tool none')
  })
})

test('samples of a type fit it, the same each time', () => {
  const types: Type[] = [
    { kind: 'int', min: 3, max: 4 }, { kind: 'int', max: -5 }, { kind: 'string', minLength: 12, maxLength: 14 }, { kind: 'string', pattern: '^[A-Z]$' }, { kind: 'list', item: { kind: 'bool' } },
    { kind: 'union', members: [{ kind: 'literal', value: 'a' }, { kind: 'int' }, { kind: 'null' }] }, { kind: 'record', fields: { a: { type: { kind: 'path' }, optional: false }, b: { type: { kind: 'float', min: 1 }, optional: true } } },
  ]
  for (const type of types) {
    expect(samplesOf(type).length, JSON.stringify(type)).toBeGreaterThan(0)
    expect(samplesOf(type).map(each => validate(type, each))).toEqual(samplesOf(type).map(() => null))
    expect(samplesOf(type)).toEqual(samplesOf(type))
  }
  expect(samplesOf({ kind: 'string', pattern: '^xyz{40}$' })).toEqual([])
  expect(sampleArguments([{ name: 'x', type: { kind: 'string', pattern: '^xyz{40}$' }, optional: false }])).toEqual([])
  expect(sampleArguments([])).toEqual([{}])
})

test('places are found in code, not in texts and comments', () => {
  const text = `// load: reads({ no })
const a = { doc: "grants: { look: 1 }", pattern: /load: reads\\(/ }
export default definePlugin({ grants: { look: { doc: 'x' } }, tools: { load: reads({ doc: 'load: pure(', input: { file: t.path }, run: async ({ file }, c) => c.files.readText(file + \`\${1}\`) }),
  deep: reads({ run: (input, c) => helper(c) }) } })`
  const sources = [definitionSource('p.ts', text)]
  const load = toolPlace(sources, 'load')!
  expect(text.slice(load.name.start, load.name.start + 11)).toBe('load: reads')
  expect(load.name.start).toBeGreaterThan(text.indexOf('tools:'))
  expect(visibleActions(load)).toMatchObject({ isComplete: true, found: [{ kind: 'fs.read', text: 'context.files.readText' }] })
  expect(visibleActions(toolPlace(sources, 'deep')!)).toEqual({ found: [], isComplete: false })
  expect(partPlace(sources, 'grants', 'look')!.start).toBeGreaterThan(text.indexOf('definePlugin'))
  expect(text.slice(keyPlace(sources, 'file', load)!.start)).toMatch(/^file: t\.path/)
  expect(toolPlace(sources, 'none')).toBeNull()
})

test('versions of the interface', () => {
  expect([['1.0', '1.0'], ['1.0', '1.4'], ['1.5', '1.4'], ['2.0', '1.4'], ['0.9', '1.4'], ['one', '1.4'], ['1', '1.4']].map(([api, have]) => fitsApi(api!, have!))).toEqual([true, true, false, false, false, false, false])
})

test.skipIf(spawnSync('tar', ['--version']).status !== 0)('the archive is the same each time, and tar reads it (needs tar)', () => {
  const long = `${'folder/'.repeat(16)}${'n'.repeat(90)}.txt`
  const files = [{ path: 'b.txt', bytes: Buffer.from('two') }, { path: long, bytes: Buffer.from('x'.repeat(600)) }, { path: 'a.txt', bytes: Buffer.alloc(0) }]
  const bytes = tarball(files)!
  expect(tarball([...files].reverse())!.equals(bytes)).toBe(true)
  expect(tarball([{ path: 'n'.repeat(300), bytes: Buffer.alloc(1) }])).toBeNull()
  const folder = mkdtempSync(join(tmpdir(), 'tek-tar-'))
  try {
    writeFileSync(join(folder, 'a.tgz'), bytes)
    expect(spawnSync('tar', ['-xzf', 'a.tgz'], { cwd: folder, encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' })
    for (const { path, bytes: own } of files) expect(readFileSync(join(folder, 'package', path)).equals(own)).toBe(true)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
