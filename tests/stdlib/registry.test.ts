// Private registries: asked only where they are granted; a token goes to the registry the program names and to no other.
import { describe, expect, test } from 'vitest'
import npm from '../../stdlib/npm/plugin.ts'
import { callTool, failureOfTool } from './call.ts'
import { grant, memoryContext } from './contexts.ts'

const listing = (name: string) => JSON.stringify({ name, 'dist-tags': { latest: '2.0.0' }, versions: { '1.0.0': { license: 'MIT' }, '2.0.0': { license: 'MIT' } }, time: {} })
const project = (npmrc: string | null) => ({
  'package.json': JSON.stringify({ dependencies: { plain: '^1.0.0', '@corp/own': '^1.0.0' } }),
  'package-lock.json': JSON.stringify({ lockfileVersion: 3, packages: { 'node_modules/plain': { version: '1.0.0' }, 'node_modules/@corp/own': { version: '1.0.0' } } }),
  ...(npmrc === null ? {} : { '.npmrc': npmrc }),
})

function here(npmrc: string | null, ...hosts: readonly string[]) {
  const answer = (request: { url: string; headers: Readonly<Record<string, string>> }) => {
    const { hostname, pathname } = new URL(request.url)
    if (hostname === 'strict.example' && request.headers['authorization'] === undefined) return { status: 401, headers: {}, body: '', url: request.url }
    return { status: 200, headers: {}, body: listing(decodeURIComponent(pathname.split('/').at(-1)!)), url: request.url }
  }
  return memoryContext({ files: project(npmrc), answer }, [grant('fs.read', '**'), grant('fs.read', '.npmrc'), ...hosts.map(host => grant('net', host))])
}

const asked = ({ host }: ReturnType<typeof here>) => host.requests.map(each => `${each.url}${each.headers['authorization'] === undefined ? '' : ` ${each.headers['authorization']}`}`).sort()
const PUBLIC = 'registry.npmjs.org:443'

describe('which registry', () => {
  test('the public one, where nothing else is said', async () => {
    const at = here(null, PUBLIC)
    expect((await callTool(npm, at.context, 'outdated', '.')).map((each: { package: string }) => each.package)).toEqual(['plain', '@corp/own'])
    expect(asked(at)).toEqual(['https://registry.npmjs.org/@corp%2fown', 'https://registry.npmjs.org/plain'])
  })
  test('one that the program names, with a token', async () => {
    const at = here(null, 'npm.corp.example:443')
    await callTool(npm, at.context, 'outdated', '.', 'https://npm.corp.example/all/', 'key-of-mine')
    expect(asked(at)).toEqual(['https://npm.corp.example/all/@corp%2fown Bearer key-of-mine', 'https://npm.corp.example/all/plain Bearer key-of-mine'])
    await callTool(npm, at.context, 'view', '@corp/own', 'https://npm.corp.example', 'key-of-mine')
    expect(asked(at)).toContain('https://npm.corp.example/@corp%2fown Bearer key-of-mine')
  })
  test('not granted: not asked', async () => {
    const at = here(null, PUBLIC)
    expect(await failureOfTool(callTool(npm, at.context, 'outdated', '.', 'https://npm.corp.example'))).toBe('permit/denied')
    expect(asked(at)).toEqual([])
  })
  test('the names of a scope go to its registry alone, without the token of another', async () => {
    const at = here('# ours\n@corp:registry = "https://npm.corp.example/"\n//npm.corp.example/:_authToken=abc\n', PUBLIC, 'npm.corp.example:443')
    await callTool(npm, at.context, 'outdated', '.', 'https://registry.npmjs.org', 'key-of-mine')
    expect(asked(at)).toEqual(['https://npm.corp.example/@corp%2fown', 'https://registry.npmjs.org/plain Bearer key-of-mine'])
    const refused = here('@corp:registry=https://evil.example\n', PUBLIC)
    expect(await failureOfTool(callTool(npm, refused.context, 'outdated', '.'))).toBe('permit/denied')
    expect(asked(refused).filter(each => each.includes('corp'))).toEqual([])
  })
  test('a project of another registry is not asked about in public', async () => {
    const at = here('registry=https://npm.corp.example:8443/all\n', PUBLIC)
    expect(await failureOfTool(callTool(npm, at.context, 'outdated', '.'))).toBe('other-registry')
    expect(asked(at)).toEqual([])
  })
  test('one that wants to know who asks, and addresses that are none', async () => {
    const at = here(null, 'strict.example:443')
    expect(await failureOfTool(callTool(npm, at.context, 'view', 'plain', 'https://strict.example'))).toBe('registry')
    for (const bad of ['nonsense', 'ftp://a.example', 'https://user:key@a.example', 'https://a.example/?x=1']) expect(await failureOfTool(callTool(npm, at.context, 'view', 'plain', bad)), bad).toBe('bad-registry')
  })
})
