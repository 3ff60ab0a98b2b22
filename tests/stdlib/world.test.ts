// The modules that act on the world, behind the real guard, over a host in memory.
import { describe, expect, test } from 'vitest'
import env from '../../stdlib/env/plugin.ts'
import fs from '../../stdlib/fs/plugin.ts'
import hash from '../../stdlib/hash/plugin.ts'
import http from '../../stdlib/http/plugin.ts'
import npm from '../../stdlib/npm/plugin.ts'
import path from '../../stdlib/path/plugin.ts'
import random from '../../stdlib/random/plugin.ts'
import shell from '../../stdlib/shell/plugin.ts'
import tests from '../../stdlib/tests/plugin.ts'
import text from '../../stdlib/text/plugin.ts'
import time from '../../stdlib/time/plugin.ts'
import { callTool, failureOfTool } from './call.ts'
import { grant, memoryContext } from './contexts.ts'

describe('fs', () => {
  const files = { 'src/a.ts': 'one\r\ntwo\n', 'src/deep/b.ts': 'é', 'bin': new Uint8Array([0, 255]), 'secret.txt': 's' }
  const { context, host } = memoryContext({ files }, [grant('fs.read', 'src/**'), grant('fs.read', 'bin'), grant('fs.write', 'out/**'), grant('fs.read', 'out/**')])
  const call = (fn: string, ...args: unknown[]) => callTool(fs, context, fn, ...args)

  test('reading', async () => {
    expect(await call('read', 'src/a.ts')).toBe('one\r\ntwo\n')
    expect(await call('lines', 'src/a.ts')).toEqual(['one', 'two'])
    expect(await call('readBytes', 'bin')).toBe('AP8=')
    expect(await call('glob', 'src/**/*.ts')).toEqual(['src/a.ts', 'src/deep/b.ts'])
    expect(await call('exists', 'src/a.ts')).toBe(true)
    expect(await call('exists', 'src/none')).toBe(false)
    expect(await call('stat', 'src/none')).toBe(null)
    expect(await call('stat', 'src/deep/b.ts')).toMatchObject({ kind: 'file', size: 2 })
    expect(await call('size', 'src')).toBe(11)
    expect(await call('list', 'src')).toEqual([{ name: 'a.ts', path: 'src/a.ts', kind: 'file' }, { name: 'deep', path: 'src/deep', kind: 'directory' }])
  })

  test('writing', async () => {
    expect(await call('write', 'out/x/y.txt', 'hello')).toBe('out/x/y.txt')
    await call('append', 'out/x/y.txt', ' you')
    expect(host.files.readTextSync(`${host.cwd}/out/x/y.txt`, 100)).toBe('hello you')
    await call('copy', 'bin', 'out/copy')
    expect(await call('readBytes', 'out/copy')).toBe('AP8=')
    await call('writeBytes', 'out/b', 'AQI=')
    await call('move', 'out/b', 'out/c')
    expect(await call('readBytes', 'out/c')).toBe('AQI=')
    await call('makeDirectory', 'out/new')
    expect(await call('stat', 'out/new')).toMatchObject({ kind: 'directory' })
    expect(await call('remove', 'out/c')).toBe(true)
    expect(await call('remove', 'out/c')).toBe(false)
  })

  test('what is not granted, not there or not fit is refused', async () => {
    expect(await failureOfTool(call('read', 'secret.txt'))).toBe('permit/denied')
    expect(await failureOfTool(call('read', 'src/../secret.txt'))).toBe('permit/denied')
    expect(await failureOfTool(call('write', 'src/a.ts', 'x'))).toBe('permit/denied')
    expect(await failureOfTool(call('move', 'src/a.ts', 'out/a.ts'))).toBe('permit/denied')
    expect(await failureOfTool(call('copy', 'secret.txt', 'out/a'))).toBe('permit/denied')
    expect(await failureOfTool(call('writeBytes', 'out/b', 'not base64!'))).toBe('bad-bytes')
    expect(await failureOfTool(call('read', 'src/a.ts', 1e12))).toBe('bad-limit')
    expect(await failureOfTool(call('size', 'src/none'))).toBe('not-found')
    await expect(call('read', 'src/none')).rejects.toMatchObject({ code: 'not-found' })
    await expect(call('read', 'bin')).rejects.toMatchObject({ code: 'not-utf8' })
  })
})

describe('text.grep', () => {
  const files = { 'a.txt': 'x TODO\nnone\n👍 todo TODO', 'b.txt': 'nothing', 'bin': new Uint8Array([0, 1]), 'bad': new Uint8Array([255, 254, 65]), 'long': `TODO${'x'.repeat(5_000)}` }
  const { context } = memoryContext({ files }, [grant('fs.read', '**')])
  const grep = (...args: unknown[]) => callTool(text, context, 'grep', ...args)

  test('gives file, line, column and text in the order of the files', async () => {
    expect(await grep(['b.txt', 'a.txt', 'none.txt'], 'TODO')).toEqual([
      { file: 'a.txt', line: 1, column: 3, text: 'x TODO' }, { file: 'a.txt', line: 3, column: 8, text: '👍 todo TODO' },
    ])
    expect((await grep(['a.txt'], '^x|todo$', true)).map((hit: any) => hit.line)).toEqual([1, 3])
    expect((await grep(['long'], 'TODO'))[0].text).toHaveLength(2_001)
  })
  test('passes over what is not text and says so', async () => {
    expect(await grep(['bin', 'bad'], '.')).toEqual([])
    expect(context.logged).toContain('passed over bin: not a text file of at most 10 MB')
  })
  test('stops at its limit and at bad patterns', async () => {
    expect(await failureOfTool(grep(['a.txt'], '.', false, 1))).toBe('too-many')
    expect(await failureOfTool(grep(['a.txt'], '('))).toBe('bad-pattern')
  })
})

describe('shell', () => {
  const { context, host } = memoryContext({
    command: ({ program, args, stdin, env }) => {
      if (program === 'echo') return { stdout: `${args.join(' ')}|${stdin ?? ''}|${env['CI'] ?? ''}` }
      if (program === 'fail') return { exitCode: 3, stderr: 'line 1\nwhy' }
      if (program === 'slow') return { exitCode: null, signal: 'SIGKILL', timedOut: true }
      if (program === 'tests') return { exitCode: 1, stdout: 'TAP version 13\nok 2 - b\nnot ok 1 - a\n  ---\n  error: boom\n  ...\n1..2\n' }
      return undefined
    },
  }, ['echo', 'fail', 'slow', 'tests', 'missing'].map(program => grant('exec', program, '**')))
  const call = (fn: string, ...args: unknown[]) => callTool(shell, context, fn, ...args)

  test('arguments go as they are; an exit code is a result', async () => {
    expect(await call('run', 'echo', '$(x)', 'a b', ';')).toMatchObject({ ok: true, stdout: '$(x) a b ;||' })
    expect(await call('run', 'fail')).toMatchObject({ ok: false, exitCode: 3, stderr: 'line 1\nwhy' })
    expect(await call('run', 'slow')).toMatchObject({ ok: false, exitCode: null, timedOut: true, signal: 'SIGKILL' })
    expect(await call('runWith', 'echo', ['x'], '.', 'in', { CI: '1' })).toMatchObject({ stdout: 'x|in|1' })
    expect(host.commands[0]?.args).toEqual(['$(x)', 'a b', ';'])
  })
  test('must fails with the last lines', async () => {
    expect(await call('must', 'echo', 'x')).toBe('x||')
    await expect(call('must', 'fail')).rejects.toMatchObject({ code: 'failed', retryable: false, message: '`fail` ended with exit code 3:\nline 1\nwhy' })
    await expect(call('must', 'slow')).rejects.toMatchObject({ retryable: true })
  })
  test('tests.run gives facts sorted by name and puts what was printed into the log', async () => {
    expect(await callTool(tests, context, 'run', 'tests')).toEqual({
      passed: false, problem: 'tests-failed', exit: 1, timedOut: false, runner: 'tap', counts: { pass: 1, fail: 1, skip: 0, todo: 0 }, isWhole: true, firstFailure: 'a',
      tests: [{ name: 'a', outcome: 'fail' }, { name: 'b', outcome: 'pass' }],
    })
    expect(context.logged.join()).toContain('error: boom')
  })
  test('refusals', async () => {
    expect(await failureOfTool(call('run', 'rm', '-rf', '/'))).toBe('permit/denied')
    expect(await failureOfTool(call('run', '', 'x'))).toBe('bad-program')
    expect(await failureOfTool(call('run', 'echo', 'a\0b'))).toBe('bad-argument')
    expect(await failureOfTool(call('runWith', 'echo', [], '.', '', { LD_PRELOAD: 'x' }))).toBe('permit/denied')
    expect(await failureOfTool(call('runWith', 'echo', [], '.', '', { 'A=B': 'x' }))).toBe('bad-name')
    expect(await failureOfTool(call('runWith', 'echo', [], '.', '', {}, 0))).toBe('bad-timeout')
    expect(await call('find', 'missing')).toBe(null)
    expect(await call('find', 'echo')).toBe('--version||')
  })
})

describe('http', () => {
  const { context, host } = memoryContext({
    answer: ({ url, method, body, headers }) => {
      if (url.endsWith('/json')) return { body: JSON.stringify({ method, body: body ?? null, key: headers['idempotency-key'] ?? null, auth: headers['authorization'] ?? null }) }
      if (url.endsWith('/busy')) return { status: 503, body: 'later' }
      if (url.endsWith('/away')) return { status: 302, headers: { location: 'https://evil.example/' } }
      if (url.endsWith('/deep')) return { body: '['.repeat(500) + ']'.repeat(500) }
      return { body: 'hello', headers: { 'content-type': 'text/plain' } }
    },
  }, [grant('net', 'api.example.com:443')])
  const call = (fn: string, ...args: unknown[]) => callTool(http, context, fn, ...args)
  const at = (rest: string) => `https://api.example.com${rest}`

  test('requests and answers', async () => {
    expect(await call('get', at('/x'))).toEqual({ status: 200, ok: true, headers: { 'content-type': 'text/plain' }, body: 'hello', url: at('/x') })
    expect(await call('getJson', at('/json'), {}, 'k3y')).toEqual({ method: 'GET', body: null, key: null, auth: 'Bearer k3y' })
    expect(await call('postJson', at('/json'), { a: 1 })).toEqual({ method: 'POST', body: '{"a":1}', key: '"key1"', auth: null })
    expect(await call('request', 'DELETE', at('/x'))).toMatchObject({ ok: true })
    expect(host.requests.at(-1)).toMatchObject({ method: 'DELETE', headers: { 'idempotency-key': '"key1"' } })
    expect(await call('post', at('/x'), 'text', { 'Idempotency-Key': 'my own' })).toMatchObject({ ok: true })
    expect(host.requests.at(-1)).toMatchObject({ method: 'POST', headers: { 'idempotency-key': 'my own' } })
    await call('request', 'GET', at('/x'))
    expect(host.requests.at(-1)!.headers).not.toHaveProperty('idempotency-key')
  })
  test('refusals', async () => {
    expect(await failureOfTool(call('get', 'https://other.example/'))).toBe('permit/denied')
    expect(await failureOfTool(call('get', at('/away')))).toBe('permit/denied')
    expect(await failureOfTool(call('get', 'file:///etc/passwd'))).toBe('bad-url')
    expect(await failureOfTool(call('get', 'nonsense'))).toBe('bad-url')
    expect(await failureOfTool(call('get', 'https://u:p@api.example.com/'))).toBe('bad-url')
    expect(await failureOfTool(call('get', at('/x'), { 'x-a': 'b\r\nhost: evil' }))).toBe('bad-header')
    expect(await failureOfTool(call('get', at('/x'), { Host: 'evil' }))).toBe('bad-header')
    expect(await failureOfTool(call('request', 'GET /x', at('/x')))).toBe('bad-method')
    expect(await failureOfTool(call('getJson', at('/x')))).toBe('not-json')
    expect(await failureOfTool(call('getJson', at('/deep')))).toBe('too-deep')
    await expect(call('getJson', at('/busy'))).rejects.toMatchObject({ code: 'bad-status', retryable: true })
    expect(await call('get', at('/busy'))).toMatchObject({ status: 503, ok: false })
  })
})

describe('npm', () => {
  const nowMs = Date.UTC(2026, 10, 20)
  const day = (days: number) => new Date(nowMs - days * 86_400_000).toISOString()
  const listing = (versions: Record<string, object>, latest: string, time: Record<string, string>) => JSON.stringify({ versions, time, 'dist-tags': { latest } })
  const listings: Record<string, string> = {
    a: listing({
      '1.0.0': { license: 'MIT' }, '1.2.0': { license: 'MIT' }, '1.3.0': { license: 'ISC', deprecated: 'broken' }, '2.0.0': { license: 'BlueOak-1.0.0', engines: { node: '>=20' } }, '3.0.0-rc.1': {}, '4.0.0': {},
    }, '2.0.0', { '1.2.0': day(100), '2.0.0': day(9) }),
    '@s%2fb': listing({ '1.0.0': { license: { type: 'MIT' } } }, '1.0.0', {}),
  }
  const files = {
    'package.json': JSON.stringify({ scripts: { test: 'node --test' }, dependencies: { a: '^1.0.0', '@s/b': '1', '../evil': '1' } }),
    'package-lock.json': JSON.stringify({ lockfileVersion: 3, packages: { 'node_modules/a': { version: '1.0.0' }, 'node_modules/@s/b': { version: '1.0.0' } } }),
    'node_modules/a/index.js': '12345', 'bare/package.json': '{"scripts":{"test":"echo \\"Error: no test specified\\" && exit 1"}}',
  }
  const { context, host } = memoryContext({
    files, nowMs,
    answer: ({ url }) => {
      const body = listings[url.replace('https://registry.npmjs.org/', '')]
      return body === undefined ? { status: 404 } : { body }
    },
    command: ({ args, cwd }) => {
      if (args[0] === 'test') return cwd.endsWith('bare') ? { exitCode: 1, stdout: 'Error: no test specified' } : { stdout: '1..1\nok 1 - fine\n' }
      return { stderr: 'npm warn deprecated x\nother' }
    },
  }, [grant('fs.read', '**'), grant('net', 'registry.npmjs.org:443'), grant('exec', 'npm', '**')])
  const call = (fn: string, ...args: unknown[]) => callTool(npm, context, fn, ...args)

  test('outdated offers the newest compatible and the latest, without deprecated ones and pre-releases', async () => {
    expect(await call('outdated')).toEqual([{
      package: 'a', current: '1.0.0', minor: '1.2.0', latest: '2.0.0', step: 'major', dev: false, licence: 'MIT', ageDays: 9, peers: {}, dependents: ['.'],
      releases: [
        { version: '1.2.0', step: 'minor', licence: 'MIT', ageDays: 100, engines: '', peers: {} }, { version: '2.0.0', step: 'major', licence: 'BlueOak-1.0.0', ageDays: 9, engines: '>=20', peers: {} },
      ],
    }])
    expect((await call('view', '@s/b')).releases[0].licence).toBe('MIT')
    expect(await failureOfTool(call('view', 'nope'))).toBe('no-such-package')
    expect(await failureOfTool(call('view', '../../x'))).toBe('bad-name')
  })
  test('packages, size, hasTests', async () => {
    expect((await call('packages')).map((one: any) => one.name)).toEqual(['@s/b', 'a'])
    expect(await call('size')).toBe(5)
    expect(await call('size', 'bare')).toBe(0)
    expect(await call('hasTests')).toBe(true)
    expect(await call('hasTests', 'bare')).toBe(false)
  })
  test('names and versions that could be anything else are refused; a script is run by its name', async () => {
    for (const name of ['--global', 'a b', '../x', 'file:x']) expect(await failureOfTool(call('install', name, '1.0.0'))).toBe('bad-name')
    for (const version of ['latest', '^1.0.0', '1.0.0 --x', 'git+ssh://x']) expect(await failureOfTool(call('install', 'a', version))).toBe('bad-version')
    expect(await failureOfTool(call('run', '--help'))).toBe('bad-name')
    expect(host.commands).toEqual([])
    await call('run', 'build')
    expect(host.commands.at(-1)?.args).toEqual(['run', 'build'])
  })
  test('test gives facts', async () => {
    expect(await call('test')).toMatchObject({ ok: true, passed: true, runner: 'tap', counts: { pass: 1 } })
    expect(await failureOfTool(call('test', 'bare'))).toBe('no-tests')
  })
})

describe('the small ones', () => {
  const { context, host } = memoryContext({ files: { a: 'abc' }, env: { HOME_TOWN: 'Ulm' }, nowMs: 1_000 }, [grant('env', 'HOME_TOWN'), grant('env', 'NONE'), grant('fs.read', '**')])
  test('env', async () => {
    expect(await callTool(env, context, 'get', 'HOME_TOWN')).toBe('Ulm')
    expect(await callTool(env, context, 'find', 'NONE')).toBe(null)
    expect(await failureOfTool(callTool(env, context, 'get', 'NONE'))).toBe('not-set')
    expect(await failureOfTool(callTool(env, context, 'get', 'SECRET'))).toBe('permit/denied')
    expect(await failureOfTool(callTool(env, context, 'get', 'A B'))).toBe('bad-name')
  })
  test('random', async () => {
    expect(await callTool(random, context, 'uuid')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    const drawn = await Promise.all(Array.from({ length: 300 }, () => callTool(random, context, 'int', -1, 1)))
    expect([...new Set(drawn)].sort()).toEqual([-1, 0, 1])
    expect(await callTool(random, context, 'float')).toBeLessThan(1)
    expect(await failureOfTool(callTool(random, context, 'int', 2, 1))).toBe('bad-range')
    expect(await callTool(random, context, 'choice', [])).toBe(null)
    expect((await callTool(random, context, 'shuffle', [1, 2, 3])).sort()).toEqual([1, 2, 3])
    expect(await callTool(random, context, 'hex', 4)).toHaveLength(8)
  })
  test('time, hash, path', async () => {
    expect(await callTool(time, context, 'now')).toBe(1_000)
    const slept = callTool(time, context, 'sleep', 5_000)
    await host.advance(5_000)
    expect(await slept).toBe(6_000)
    expect(await failureOfTool(callTool(time, context, 'sleep', -1))).toBe('bad-duration')
    expect(await callTool(hash, context, 'file', 'a')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
    expect(await callTool(path, context, 'absolute', 'x/../y')).toBe(`${host.cwd}/y`)
  })
})
