// Killed: each tool that changes something, in a process that dies between an effect and its record, and made again with the same key.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { Host } from '#host/host.ts'
import type { Grant } from '#model/capability.ts'
import { memoryHost } from '#testing/memory-host.ts'
import fs from '../../stdlib/fs/plugin.ts'
import git from '../../stdlib/git/plugin.ts'
import http from '../../stdlib/http/plugin.ts'
import npm from '../../stdlib/npm/plugin.ts'
import { callTool } from './call.ts'
import { contextOf, grant, machineFolder } from './contexts.ts'
import { eachDeath } from './dying-host.ts'

const folders: string[] = []
afterAll(() => { for (const folder of folders) rmSync(folder, { recursive: true, force: true }) })

/** A folder with a repository of one commit and a changed file. */
function repository() {
  const { folder, host } = machineFolder()
  folders.push(folder)
  const run = (...args: string[]): string => execFileSync('git', args, { cwd: folder, encoding: 'utf8', env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' } }).trim()
  run('init', '-q', '-b', 'main')
  writeFileSync(join(folder, 'a.txt'), 'one\n')
  run('add', '.')
  run('-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', 'commit', '-qm', 'First')
  writeFileSync(join(folder, 'a.txt'), 'two\n')
  return { folder, host, run }
}
const gitCall = (grants: readonly Grant[], fn: string, ...args: unknown[]) => (host: Host) => callTool(git, contextOf(host, grants, git), fn, ...args)
const mayBranch = [grant('git.branch', 'tek/**')]

describe('git', () => {
  test('a commit is made once, and its hash is given, whatever has changed since', async () => {
    const deaths = await eachDeath(repository, gitCall(mayBranch, 'commit', 'Change a', 'tek/one'), (result, { run, folder }) => {
      expect(run('rev-list', '--count', 'main..tek/one')).toBe('1')
      expect(result).toEqual({ sha: run('rev-parse', 'tek/one'), branch: 'tek/one', created: true })
      expect(readdirSync(join(folder, '.git')).filter(name => name.startsWith('tek-index'))).toEqual([])
    })
    expect(deaths).toBeGreaterThan(5)
  })

  test('a commit that was made, and files that changed before it is asked for again: no second one', async () => {
    const { host, run, folder } = repository()
    const call = gitCall(mayBranch, 'commit', 'Change a', 'tek/one')
    const first = await call(host)
    writeFileSync(join(folder, 'a.txt'), 'three\n')
    expect(await call(host)).toEqual(first)
    expect(run('rev-list', '--count', 'main..tek/one')).toBe('1')
    const other = await callTool(git, contextOf(host, mayBranch, git, 'another'), 'commit', 'Change a again', 'tek/one')
    expect(other.sha).not.toBe(first.sha)
    expect(await call(host)).toEqual(first) // also with another's commit on top
    expect(run('rev-list', '--count', 'main..tek/one')).toBe('2')
  })

  test('what a killed git left of its index does not stand in the way', async () => {
    const { host, folder } = repository()
    writeFileSync(join(folder, '.git/tek-index-key1.lock'), '')
    expect(await gitCall(mayBranch, 'commit', 'Change a', 'tek/one')(host)).toMatchObject({ created: true })
  })

  test('a branch', async () => {
    const deaths = await eachDeath(repository, async (host, { run }) => {
      const made = await gitCall(mayBranch, 'createBranch', 'tek/two')(host)
      run('-c', 'user.name=Ada', '-c', 'user.email=a@b', 'commit', '-qam', 'Meanwhile') // HEAD moves after the call
      return made
    }, (result, { run }) => expect(result).toBe(run('rev-parse', 'tek/two')))
    expect(deaths).toBeGreaterThan(1)
    const { host, run } = repository()
    const call = gitCall(mayBranch, 'createBranch', 'tek/two')
    const first = await call(host)
    run('-c', 'user.name=Ada', '-c', 'user.email=a@b', 'commit', '-qam', 'Meanwhile')
    expect(await call(host)).toBe(first)
  })

  test.each([['trees/**', 'trees/one'], ['wt8/**', 'wt8']])('a working tree under %s is whole, and there is one', async (pattern, path) => {
    const grants = [grant('git.worktree', '.'), grant('fs.write', pattern)]
    const deaths = await eachDeath(repository, gitCall(grants, 'addWorktree', path), (result, { run, folder }) => {
      expect(result).toBe(path)
      expect(run('-C', path, 'status', '--porcelain')).toBe('')
      expect(readFileSync(join(folder, path, 'a.txt'), 'utf8')).toBe('one\n')
      expect(run('worktree', 'list').split('\n').filter(line => line.startsWith(join(folder, path)))).toHaveLength(1)
    })
    expect(deaths).toBeGreaterThan(5)
  })

  test.each([['trees/**', 'trees/one'], ['wt8/**', 'wt8']])('removing a working tree under %s', async (pattern, path) => {
    const grants = [grant('git.worktree', '.'), grant('fs.write', pattern)]
    const begin = async () => {
      const place = repository()
      await gitCall(grants, 'addWorktree', path)(place.host)
      return place
    }
    const deaths = await eachDeath(begin, gitCall(grants, 'removeWorktree', path), (_, { run, folder }) => {

      expect(existsSync(join(folder, path))).toBe(false)
      expect(run('worktree', 'list').split('\n')).toHaveLength(1)
    })
    expect(deaths).toBeGreaterThan(1)
  })

  test('a removal that ended halfway, its `.git` gone first', async () => {
    const grants = [grant('git.worktree', '.'), grant('fs.write', 'trees/**')]
    const { host, run, folder } = repository()
    await gitCall(grants, 'addWorktree', 'trees/one')(host)
    rmSync(join(folder, 'trees/one/.git'))
    expect(await gitCall(grants, 'removeWorktree', 'trees/one')(host)).toBe(true)
    expect(existsSync(join(folder, 'trees/one'))).toBe(false)
    expect(run('worktree', 'list').split('\n')).toHaveLength(1)
  })
})

test('http: the request comes again with the same key', async () => {
  const keys: (string | undefined)[] = []
  const place = () => ({ host: memoryHost({ answer: ({ headers }) => {
    keys.push(headers['idempotency-key'])
    return { body: '1' }
  } }) as Host })
  const call = (host: Host) => callTool(http, contextOf(host, [grant('net', 'api.example.com:443')]), 'postJson', 'https://api.example.com/x', { a: 1 })
  expect(await eachDeath(place, call, result => expect(result).toBe(1))).toBe(1)
  expect(keys.slice(0, 2)).toEqual(['"key1"', '"key1"'])
  const other = contextOf(place().host, [grant('net', 'api.example.com:443')], undefined, 'key2')
  await callTool(http, other, 'postJson', 'https://api.example.com/x', { a: 1 })
  expect(keys.at(-1)).toBe('"key2"')
})

describe('npm', () => {
  /** As npm leaves a project: packages first, its notes last. */
  const project = () => {
    const file = Buffer.from('a file')
    const integrity = `sha512-${createHash('sha512').update(file).digest('base64')}`
    const resolved = 'https://registry.npmjs.org/a/-/a-2.0.0.tgz'
    const locked = JSON.stringify({ lockfileVersion: 3, packages: { 'node_modules/a': { version: '2.0.0', resolved, integrity } } })
    const host = memoryHost({
      files: { 'package.json': '{"dependencies":{}}' },
      answer: ({ url }) => (url === resolved ? { bytes: file } : { body: JSON.stringify({ 'dist-tags': { latest: '2.0.0' }, versions: { '2.0.0': {} } }) }),
      command: async ({ args }) => {
        const write = (path: string, text: string) => host.files.writeAtomic(`/project/${path}`, text)
        if (args[0] === 'install') await write('package-lock.json', locked)
        else {
          await write('node_modules/a/package.json', '{"name":"a","version":"2.0.0"}')
          await write('node_modules/.package-lock.json', locked)
        }
        return { exitCode: 0, elapsedMs: 5 }
      },
    })
    return { host }
  }
  const may = [grant('exec', 'npm', '**'), grant('fs.read', '**'), grant('fs.write', '**'), grant('net', 'registry.npmjs.org:443')]
  const call = (host: Host) => callTool(npm, contextOf(host, may), 'install', 'a', '2.0.0')
  const installs = (host: { readonly commands: readonly { readonly args: readonly string[] }[] }): number => host.commands.filter(each => each.args[0] === 'ci').length

  test('what is installed is not installed again, whenever it was killed', async () => {
    const deaths = await eachDeath(project, call, async (result, { host }) => {
      expect(result).toMatchObject({ ok: true, warnings: [] })
      expect(installs(host)).toBe(1)
      expect(JSON.parse(host.files.readTextSync('/project/package.json', 1_000))).toEqual({ dependencies: { a: '2.0.0' } })
    })
    expect(deaths).toBeGreaterThan(5)
  })

  test.each(['package.json', 'package-lock.json', 'node_modules/.package-lock.json', 'node_modules/a/package.json'])('where %s is missing or says something else npm is asked', async path => {
    for (const text of ['{}', 'no json', null]) {
      const { host } = project()
      await call(host)
      if (text === null) await host.files.remove(`/project/${path}`)
      else await host.files.writeAtomic(`/project/${path}`, text)
      await call(host).catch(() => undefined) // without a package.json there is no project
      expect(installs(host), `${text}`).toBe(path === 'package.json' && text !== '{}' ? 1 : path === 'package-lock.json' && text === 'no json' ? 1 : 2)
    }
  })
})

describe('fs', () => {
  const place = () => {
    const { folder, host } = machineFolder()
    folders.push(folder)
    writeFileSync(join(folder, 'old.txt'), 'old\n')
    return { folder, host }
  }
  const call = (fn: string, ...args: unknown[]) => (host: Host) => callTool(fs, contextOf(host, [grant('fs.read', '**'), grant('fs.write', '**')]), fn, ...args)

  test.each([['write', ['old.txt', 'new\n'], 'old.txt'], ['writeBytes', ['old.txt', 'bmV3Cg=='], 'old.txt'], ['copy', ['old.txt', 'new.txt'], 'new.txt']] as const)('%s', async (fn, args, made) => {
    expect(await eachDeath(place, call(fn, ...args), (_, { folder }) => {
      expect(readFileSync(join(folder, made), 'utf8')).toBe(fn === 'copy' ? 'old\n' : 'new\n')
    })).toBe(1)
  })

  test('move: what was moved is not missed; what was never there is', async () => {
    const move = (host: Host, begunBefore: boolean) => callTool(fs, contextOf(host, [grant('fs.read', '**'), grant('fs.write', '**')], fs, 'key1', begunBefore), 'move', 'old.txt', 'new.txt')
    let calls = 0
    expect(await eachDeath(place, host => move(host, calls++ % 2 === 1), (result, { folder }) => {
      expect(result).toBe('new.txt')
      expect(readFileSync(join(folder, 'new.txt'), 'utf8')).toBe('old\n')
    })).toBe(1)
    const { host, folder } = place()
    await move(host, false)
    await expect(move(host, false)).rejects.toMatchObject({ code: 'not-found' })
    rmSync(join(folder, 'new.txt'))
    await expect(move(host, true)).rejects.toMatchObject({ code: 'not-found' })
  })

  test('makeDirectory and remove', async () => {
    expect(await eachDeath(place, call('makeDirectory', 'a/b'), (result, { folder }) => {
      expect(result).toBe('a/b')
      expect(existsSync(join(folder, 'a/b'))).toBe(true)
    })).toBe(1)
    expect(await eachDeath(place, call('remove', 'old.txt'), (_, { folder }) => expect(existsSync(join(folder, 'old.txt'))).toBe(false))).toBe(1)
  })
})
