// npm's ranges, groups of peers, engines and differences of locks, as pure functions.
import { describe, expect, test } from 'vitest'
import { digestOf } from '../../stdlib/npm/cache.ts'
import type { Package } from '../../stdlib/npm/lock.ts'
import { changedManifests, directDependencies, type Project } from '../../stdlib/npm/project.ts'
import { isRange, satisfies } from '../../stdlib/npm/range.ts'
import { groupOf, liesIn, lockChange } from '../../stdlib/npm/upgrades.ts'

describe('ranges, as npm reads them', () => {
  test.each([
    ['1.2.3', ['1.2.3'], ['1.2.4']], ['^1.2.3', ['1.2.3', '1.9.0'], ['2.0.0', '1.2.2', '1.3.0-rc.1']], ['^0.2.3', ['0.2.9'], ['0.3.0']], ['^0.0.3', ['0.0.3'], ['0.0.4']], ['^0.0', ['0.0.9'], ['0.1.0']], ['^0', ['0.9.9'], ['1.0.0']],
    ['~1.2.3', ['1.2.9'], ['1.3.0']], ['~1', ['1.9.0'], ['2.0.0']], ['1.x', ['1.5.0'], ['2.0.0']], ['*', ['0.0.0', '9.9.9'], ['1.0.0-a']], ['', ['1.0.0'], []], ['>=1.2 <3', ['2.9.9'], ['3.0.0', '1.1.9']], ['>1.2', ['1.3.0'], ['1.2.9']],
    ['<=2.1', ['2.1.9'], ['2.2.0']], ['1.2 - 2.3', ['1.2.0', '2.3.9'], ['2.4.0']], ['^1 || ^3', ['3.1.0'], ['2.0.0']], ['>= 1.0.0', ['1.0.0'], ['0.9.9']], ['^1.0.0-rc.1', ['1.0.0-rc.2', '1.0.0'], ['1.1.0-rc.1', '1.0.0-alpha']], ['v1.2.x', ['1.2.7'], ['1.3.0']], ['<1.0.0-rc.2', ['1.0.0-rc.1', '0.9.0'], ['1.0.0-rc.2', '0.9.0-a']],
  ] as const)('%s', (range, inside, outside) => {
    for (const version of inside) expect(satisfies(version, range), version).toBe(true)
    for (const version of outside) expect(satisfies(version, range), version).toBe(false)
  })
  test('tags and addresses are no ranges, and nothing fits them', () => {
    for (const text of ['latest', 'next', 'github:a/b', '1.2.3.4', 'x'.repeat(2_000), '>']) {
      if (text !== '>') expect(isRange(text), text).toBe(false)
      expect(satisfies('latest', text)).toBe(false)
    }
  })
  test('whether one lies in the other is exact', () => {
    for (const [inner, outer, wanted] of [['^20.19 || >=22', '>=18', true], ['>=18', '>=20', false], ['18.x', '^18.12 || >=20', false], ['>=20.0.0 <21', '20', true], ['*', '>=0.10', false], ['^18.1', '18 || 20', true], ['>=18', '18 || 20 || >=21', false], ['>=18', 'latest', false]] as const) {
      expect(liesIn(inner, outer), `${inner} in ${outer}`).toBe(wanted)
    }
  })
})

describe('groups', () => {
  const release = (version: string, peers: Record<string, string> = {}) => ({ version, peers })
  const react = [
    { package: 'react', current: '17.0.2', peers: {}, releases: [release('18.0.0'), release('19.0.0')] },
    { package: 'react-dom', current: '17.0.2', peers: { react: '17.0.2' }, releases: [release('18.0.0', { react: '^18.0.0' }), release('19.0.0', { react: '^19.0.0' })] },
  ]
  test('from either side the other comes along, at the newest version that fits', () => {
    for (const name of ['react', 'react-dom']) {
      expect(groupOf(react, [], name, '18.0.0')).toEqual({ changes: expect.arrayContaining([{ package: 'react', to: '18.0.0' }, { package: 'react-dom', to: '18.0.0' }]), conflict: null })
    }
  })
  test('what has no peers is alone; what stood broken before is nobody\'s reason', () => {
    const packages = [{ name: 'old', version: '1.0.0', peers: { gone: '^1.0.0', other: '^9.0.0' } }, { name: 'other', version: '1.0.0', peers: {} }]
    expect(groupOf([{ package: 'left', current: '1.0.0', peers: {}, releases: [release('2.0.0')] }], packages, 'left', '2.0.0')).toEqual({ changes: [{ package: 'left', to: '2.0.0' }], conflict: null })
  })
  test('an installed plugin that has no newer version is a conflict, with its words', () => {
    const packages = [{ name: 'plugin', version: '3.0.0', peers: { react: '^17.0.0' } }]
    expect(groupOf(react, packages, 'react', '18.0.0')).toEqual({ changes: [], conflict: 'plugin 3.0.0 wants react ^17.0.0, and 18.0.0 would be there.' })
  })
})

describe('what an upgrade brings and takes', () => {
  const entry = (name: string, version: string, more: Partial<Package> = {}): Package => ({ name, version, path: `node_modules/${name}`, dev: false, optional: false, licence: 'MIT', resolved: `https://registry.npmjs.org/${name}.tgz`, integrity: true, installScript: false, bundled: false, peers: {}, ...more })
  const ofRegistry = (resolved: string): boolean => resolved.startsWith('https://registry.npmjs.org/')
  test('packages, scripts, licences, pins', () => {
    const before = [entry('a', '1.0.0'), entry('gone', '1.0.0'), entry('weak', '1.0.0', { licence: 'LGPL-3.0' })]
    const after = [
      entry('a', '2.0.0', { licence: 'BlueOak-1.0.0' }), entry('weak', '1.1.0', { licence: 'MIT' }), entry('new', '1.0.0', { installScript: true }), entry('gpl', '1.0.0', { licence: 'GPL-3.0-only' }), entry('none', '1.0.0', { licence: null }),
      entry('far', '1.0.0', { resolved: 'https://evil.example/far.tgz' }), entry('loose', '1.0.0', { integrity: false }),
      entry('inside', '1.0.0', { integrity: false, resolved: null, bundled: true }), // as its bundler's file has it, which is pinned
    ]
    expect(lockChange(before, after, ofRegistry)).toMatchObject({
      removed: [{ name: 'gone', version: '1.0.0' }], changed: [{ name: 'a', from: '1.0.0', to: '2.0.0' }, { name: 'weak', from: '1.0.0', to: '1.1.0' }],
      newInstallScripts: ['new'], stricterLicences: ['gpl', 'none'], notPinned: ['far', 'loose'],
    })
    expect(lockChange(before, before, ofRegistry)).toEqual({ added: [], removed: [], changed: [], newInstallScripts: [], stricterLicences: [], notPinned: [] })
  })
})

describe('manifests', () => {
  const manifest = (folder: string, text: string) => ({ folder, text, data: JSON.parse(text) as Record<string, unknown> })
  const project = (...manifests: ReturnType<typeof manifest>[]): Project => ({ manifests, lock: null, lockVersion: null })
  test('only the version changes: order, indentation, line ends and kinds stay', () => {
    const text = '{\r\n\t"name": "p",\r\n\t"devDependencies": {\r\n\t\t"z": "1",\r\n\t\t"a": "^1.0.0"\r\n\t},\r\n\t"x": 1\r\n}'
    expect(changedManifests(project(manifest('.', text)), [{ package: 'a', to: '2.0.0' }])).toEqual([{ folder: '.', text: text.replace('^1.0.0', '2.0.0') }])
    expect(changedManifests(project(manifest('.', text)), [{ package: 'z', to: '1' }])).toEqual([])
  })
  test('a name that only workspaces have is not added to the root; a new one is', () => {
    const here = project(manifest('.', '{}\n'), manifest('packages/a', '{"dependencies":{"x":"1"}}\n'))
    expect(changedManifests(here, [{ package: 'x', to: '2.0.0' }]).map(each => each.folder)).toEqual(['packages/a'])
    expect(changedManifests(here, [{ package: 'y', to: '2.0.0' }])).toEqual([{ folder: '.', text: '{\n  "dependencies": {\n    "y": "2.0.0"\n  }\n}\n' }])
    expect([...directDependencies(here)]).toEqual([['x', { dev: false, dependents: ['packages/a'] }]])
  })
})

test('the strongest hash of an integrity counts, as for npm', () => {
  expect(digestOf('sha1-AAAA sha512-////')).toEqual({ algorithm: 'sha512', hex: 'ffffff' })
  for (const none of ['', 'md5-AAAA', 'sha512-', 'nonsense']) expect(digestOf(none)).toBeNull()
})
