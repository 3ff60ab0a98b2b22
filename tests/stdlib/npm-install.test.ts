// Installing with the real npm, in the sandbox, out of a cache that tek filled from a registry on loopback. No command asks the registry for anything.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { machineLevel } from '#host/run-command.ts'
import npm from '../../stdlib/npm/plugin.ts'
import { callTool, failureOfTool } from './call.ts'
import { contextOf, grant, machineFolder } from './contexts.ts'
import { fakeRegistry, tarball, type FakeRegistry } from './fake-registry.ts'

const { level } = await machineLevel()
const DAY_MS = 86_400_000
const folders: string[] = []
afterAll(() => { for (const folder of folders) rmSync(folder, { recursive: true, force: true }) })

let registry: FakeRegistry
beforeAll(async () => {
  const scripted = { scripts: { install: 'node -e "require(\'fs\').writeFileSync(\'ran.txt\', \'x\')"' }, hasInstallScript: true }
  registry = await fakeRegistry([
    { name: 'left', version: '1.0.0', manifest: { license: 'MIT' } },
    { name: 'left', version: '1.1.0', manifest: { license: 'MIT' }, says: { deprecated: 'no' } },
    { name: 'left', version: '1.2.0', manifest: { license: 'MIT', dependencies: { deep: '^1.0.0' }, engines: { node: '>=18' } }, published: Date.now() - 3 * DAY_MS },
    { name: 'left', version: '2.0.0-rc.1', manifest: { license: 'MIT' } },
    { name: 'left', version: '2.0.0', manifest: { license: 'GPL-3.0-only', dependencies: { '@own/deep': '~2.1.0', deep: '^1.0.0' }, ...scripted }, published: Date.now() - 30 * DAY_MS },
    { name: 'deep', version: '1.0.0', manifest: { license: 'MIT' } },
    { name: 'deep', version: '1.3.0', manifest: { license: 'MIT', ...scripted } },
    { name: '@own/deep', version: '2.1.4', manifest: { license: 'MIT' } },
    { name: 'ui', version: '1.0.0' }, { name: 'ui', version: '2.0.0' },
    { name: 'ui-dom', version: '1.0.0', manifest: { peerDependencies: { ui: '^1.0.0' } } }, { name: 'ui-dom', version: '2.0.0', manifest: { peerDependencies: { ui: '^2.0.0' } } },
    { name: 'changed', version: '1.0.0' },
  ])
  registry.tamper('changed', '1.0.0', tarball({ 'package.json': '{"name":"changed","version":"1.0.0"}', 'index.js': 'steal()' }))
})
afterAll(() => registry.close())

function projectWith(files: Readonly<Record<string, unknown>>) {
  const { folder, host } = machineFolder()
  folders.push(folder)
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), typeof content === 'string' ? content : `${JSON.stringify(content, null, 2)}\n`)
  }
  const grants = [grant('fs.read', '**'), grant('fs.write', '**'), grant('exec', 'npm', '**'), grant('net', registry.host)]
  const call = (fn: string, ...args: unknown[]) => callTool(npm, contextOf(host, grants), fn, ...args)
  const json = (path: string) => JSON.parse(readFileSync(join(folder, path), 'utf8'))
  return { folder, call, json }
}
const CACHE = '.tek-work/npm'
const install = (at: ReturnType<typeof projectWith>, name: string, to: string) => at.call('install', name, to, '.', false, CACHE, registry.url)
const installAll = (at: ReturnType<typeof projectWith>, ...changes: { package: string; to: string }[]) => at.call('installAll', changes, '.', false, CACHE, registry.url)

describe.skipIf(level < 2)('with the real npm', () => {
  test('an upgrade is locked and installed offline, with what comes along; no script runs; tek alone asks the registry', async () => {
    const at = projectWith({ 'package.json': { name: 'p', version: '1.0.0', dependencies: { left: '^1.0.0' } } })
    await at.call('lock', [{ package: 'left', to: '1.0.0' }], '.', CACHE, registry.url)
    const before = await at.call('packages')
    registry.asked.length = 0
    const done = await install(at, 'left', '2.0.0')
    expect(done).toMatchObject({ ok: true, files: 3 })
    expect(registry.asked.every(each => each.endsWith(' tek'))).toBe(true)
    expect(at.json('package.json').dependencies).toEqual({ left: '2.0.0' })
    expect(at.json('node_modules/@own/deep/package.json').version).toBe('2.1.4')
    expect(existsSync(join(at.folder, 'node_modules/left/ran.txt'))).toBe(false)
    expect(readFileSync(join(at.folder, '.tek-work/.gitignore'), 'utf8')).toBe('*\n')
    const change = await npm.tools!['lockChange']!.run({ before, after: await at.call('packages'), registry: registry.url } as never, undefined as never)
    expect(change).toMatchObject({
      added: [{ name: '@own/deep', version: '2.1.4' }, { name: 'deep', version: '1.3.0' }], changed: [{ name: 'left', from: '1.0.0', to: '2.0.0' }],
      newInstallScripts: ['deep', 'left'], stricterLicences: ['left'], notPinned: [],
    })
    registry.asked.length = 0
    expect(await install(at, 'left', '2.0.0')).toMatchObject({ ok: true, elapsed: 0 }) // there already
    expect(registry.asked).toEqual([])
    rmSync(join(at.folder, 'node_modules'), { recursive: true })
    expect(await at.call('ci', '.', false, CACHE, registry.url)).toMatchObject({ ok: true, files: 0 }) // the cache has all of it
    expect(at.json('node_modules/left/package.json').version).toBe('2.0.0')
  }, 120_000)

  test('a file that is not what the lock pins is not installed', async () => {
    const at = projectWith({ 'package.json': { name: 'p', version: '1.0.0', dependencies: { changed: '1.0.0' } } })
    await at.call('lock', [], '.', CACHE, registry.url)
    expect(await failureOfTool(at.call('ci', '.', false, CACHE, registry.url))).toBe('wrong-content')
    expect(existsSync(join(at.folder, 'node_modules'))).toBe(false)
  }, 60_000)

  test('peers: one alone is refused with the manifests as they were; the group is installed', async () => {
    const manifest = { name: 'p', version: '1.0.0', devDependencies: { ui: '1.0.0', 'ui-dom': '1.0.0' } }
    const at = projectWith({ 'package.json': manifest })
    await at.call('lock', [], '.', CACHE, registry.url)
    const text = readFileSync(join(at.folder, 'package.json'), 'utf8')
    expect(await failureOfTool(install(at, 'ui-dom', '2.0.0'))).toBe('peers')
    expect(readFileSync(join(at.folder, 'package.json'), 'utf8')).toBe(text)
    const outdated = await at.call('outdated', '.', registry.url)
    const group = await npm.tools!['group']!.run({ outdated, packages: await at.call('packages'), package: 'ui', to: '2.0.0' } as never, undefined as never) as { changes: { package: string; to: string }[] }
    expect(group).toEqual({ changes: [{ package: 'ui', to: '2.0.0' }, { package: 'ui-dom', to: '2.0.0' }], conflict: null })
    await installAll(at, ...group.changes)
    expect(at.json('package.json')).toEqual({ ...manifest, devDependencies: { ui: '2.0.0', 'ui-dom': '2.0.0' } })
    expect(at.json('node_modules/ui-dom/package.json').version).toBe('2.0.0')
  }, 120_000)

  test('workspaces: one item for all who depend on it, changed where it stands and not in the root', async () => {
    const at = projectWith({
      'package.json': { name: 'w', private: true, workspaces: ['packages/*'] },
      'packages/a/package.json': { name: 'a', version: '1.0.0', dependencies: { left: '^1.0.0' } }, 'packages/b/package.json': { name: 'b', version: '1.0.0', devDependencies: { left: '1.0.0' } },
    })
    await at.call('lock', [], '.', CACHE, registry.url) // without a lock nobody knows the workspaces; npm does
    const [left] = await at.call('outdated', '.', registry.url)
    expect(left).toMatchObject({ package: 'left', current: '1.0.0', dev: false, dependents: ['packages/a', 'packages/b'] })
    await installAll(at, { package: 'left', to: '2.0.0' })
    expect(at.json('packages/a/package.json').dependencies).toEqual({ left: '2.0.0' })
    expect(at.json('packages/b/package.json').devDependencies).toEqual({ left: '2.0.0' })
    expect(at.json('package.json')).toEqual({ name: 'w', private: true, workspaces: ['packages/*'] })
    expect((await at.call('project')).manifests).toEqual(['package.json', 'packages/a/package.json', 'packages/b/package.json', 'package-lock.json'])
  }, 120_000)
})

describe('facts for gates', () => {
  test('outdated: deprecated versions and pre-releases are not offered; each release has its step, age, licence and engines', async () => {
    const at = projectWith({
      'package.json': { name: 'p', version: '1.0.0', dependencies: { left: '^1.0.0' } },
      'package-lock.json': { lockfileVersion: 3, packages: { '': {}, 'node_modules/left': { version: '1.0.0' } } },
    })
    const [left] = await at.call('outdated', '.', registry.url)
    expect(left).toMatchObject({ package: 'left', current: '1.0.0', minor: '1.2.0', latest: '2.0.0', step: 'major', licence: 'MIT' })
    expect(left.releases.map((each: any) => [each.version, each.step, each.ageDays, each.licence, each.engines])).toEqual([['1.2.0', 'minor', 3, 'MIT', '>=18'], ['2.0.0', 'major', 30, 'GPL-3.0-only', '']])
  })

  test('a lock that names another host is refused before anything is asked', async () => {
    const at = projectWith({
      'package.json': { name: 'p', version: '1.0.0', dependencies: { left: '1.0.0' } },
      'package-lock.json': { lockfileVersion: 3, packages: { '': {}, 'node_modules/left': { version: '1.0.0', resolved: 'https://evil.example/left/-/left-1.0.0.tgz', integrity: 'sha512-AAAA' } } },
    })
    registry.asked.length = 0
    expect(await failureOfTool(at.call('fetch', [], '.', CACHE, registry.url))).toBe('other-host')
    expect(registry.asked).toEqual([])
  })

  test.each([['from git', { version: '1.0.0', resolved: 'git+ssh://git@example.com/x.git#abc' }], ['without a hash', { version: '1.0.0', resolved: 'https://registry.npmjs.org/left/-/left-1.0.0.tgz' }]])('what is pinned to nothing is refused: %s', async (_, entry) => {
    const at = projectWith({ 'package.json': { name: 'p', version: '1.0.0' }, 'package-lock.json': { lockfileVersion: 3, packages: { '': {}, 'node_modules/left': entry } } })
    expect(await failureOfTool(at.call('fetch', [], '.', CACHE, registry.url))).toBe('not-pinned')
  })

  test('audit: known, none, and nobody could say are three things', async () => {
    const at = projectWith({ 'package.json': { name: 'p', version: '1.0.0' }, 'package-lock.json': { lockfileVersion: 3, packages: { '': {}, 'node_modules/left': { version: '1.0.0' } } } })
    const audit = () => at.call('audit', '.', registry.url)
    expect(await audit()).toEqual({ kind: 'unavailable', why: `${registry.host} answered 405 to the question for vulnerabilities.` })
    for (const [status, body] of [[200, '{"error":{"code":"ENOAUDIT"}}'], [200, 'not json'], [503, '{}']] as const) {
      registry.advisories = { status, body }
      expect((await audit()).kind, body).toBe('unavailable')
    }
    registry.advisories = { status: 200, body: '{}' }
    expect(await audit()).toEqual({ kind: 'known', findings: 0, list: [] })
    registry.advisories = { status: 200, body: JSON.stringify({ left: [{ title: 'bad', severity: 'critical', url: 'https://x', vulnerable_versions: '<1.2.0' }, { title: 'later', severity: 'low', vulnerable_versions: '>=2.0.0' }] }) }
    expect(await audit()).toEqual({ kind: 'known', findings: 1, list: [{ package: 'left', version: '1.0.0', severity: 'critical', title: 'bad', url: 'https://x' }] })
  })

  test('a registry that is not granted is refused, not "unavailable"', async () => {
    const at = projectWith({ 'package.json': { name: 'p', version: '1.0.0' }, 'package-lock.json': { lockfileVersion: 3, packages: { '': {}, 'node_modules/left': { version: '1.0.0' } } } })
    expect(await failureOfTool(at.call('audit', '.', 'https://registry.npmjs.org'))).toBe('permit/denied')
  })
})
