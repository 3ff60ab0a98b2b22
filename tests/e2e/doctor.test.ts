// Doctor: what `tek doctor` says of the folder it stands in, with the built program: the audit log and the plugins.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { project, tek } from './binary.ts'

const home = mkdtempSync(join(tmpdir(), 'tek-home-'))
const folder = project({ 'a.tek': 'workflow a() -> string {\n  can fs.read("a.tek")\n  task text = fs.read("a.tek")\n  return "read"\n}\n' })
afterAll(() => {
  folder.remove()
  rmSync(home, { recursive: true, force: true })
})

const run = (...words: string[]) => tek(words, { cwd: folder.path, env: { HOME: home } })

async function findings(): Promise<Record<string, { ok: boolean; says: string }>> {
  const { findings } = JSON.parse((await run('doctor', '--json')).out) as { findings: { name: string; ok: boolean; says: string }[] }
  return Object.fromEntries(findings.map(({ name, ...rest }) => [name, rest]))
}

test('doctor says of a folder what its audit log and its plugins are', async () => {
  expect(await findings()).toMatchObject({ audit: { ok: true, says: 'no log here yet; no key yet: it is made with the first signature' }, plugins: { ok: true, says: 'none used here yet' } })
  expect((await run('run', 'a.tek', '--quiet', '--allow-all')).code).toBe(0)
  const plugins = join(folder.path, '.tek/cache/plugins')
  mkdirSync(plugins, { recursive: true })
  writeFileSync(join(plugins, '1.signature.json'), JSON.stringify({ name: 'todo', release: '1.0.0' }))
  writeFileSync(join(plugins, '2.signature.json'), JSON.stringify({ name: 'zip', release: '2.1.0', needsNode: 'unpacks with node:zlib' }))
  writeFileSync(join(plugins, '3.signature.json'), '{')
  const found = await findings()
  expect(found['audit']).toEqual({ ok: true, says: expect.stringMatching(/^\d+ entr(?:y|ies), whole, signed up to entry \d+; your key is there$/) as string })
  expect(found['plugins']!.says).toBe('todo 1.0.0 in the engine; zip 2.1.0 in a confined process: unpacks with node:zlib')
  expect((await run('doctor')).out).toMatch(/^  ok      audit +\d+ entr/m)
  rmSync(join(folder.path, '.tek/tek.db'))
  expect((await findings())['audit']!.says).toMatch(/^no log here, though one was kept up to entry \d+: it was removed; your key is there$/)
  expect((await run('runs')).code).toBe(0)
})

test('doctor says whether models of this machine run on it', async () => {
  expect((await findings())['onnx']).toEqual({ ok: true, says: expect.stringMatching(/^Transformers\.js [\d.]+, runs on: cpu/) })
})
