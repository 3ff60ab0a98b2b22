// The real host: files, commands, network, each with what goes wrong.
import { execFileSync } from 'node:child_process'
import { createServer, type Server } from 'node:http'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { HostError, type Command } from '#host/host.ts'
import { nodeHost } from '#host/node-host.ts'
import { isAlive } from './is-alive.ts'

let folder: string
beforeAll(() => { folder = realpathSync(mkdtempSync(join(tmpdir(), 'tek-host-'))) })
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const at = (name: string): string => join(folder, name)
const host = nodeHost({ cwd: '/' })
const never = new AbortController().signal
const coded = (code: string) => expect.objectContaining({ name: 'HostError', code }) as HostError

describe('files', () => {
  test('reading: sizes, encodings, kinds', async () => {
    writeFileSync(at('a.txt'), '\ufeffgrüß')
    writeFileSync(at('bad.txt'), Buffer.from([0x61, 0xff]))
    execFileSync('mkfifo', [at('pipe')])
    expect(host.files.readTextSync(at('a.txt'), 100)).toBe('\ufeffgrüß')
    expect(await host.files.readBytes(at('a.txt'), 9)).toHaveLength(9)
    await expect(host.files.readBytes(at('a.txt'), 8)).rejects.toEqual(coded('too-large'))
    expect(() => host.files.readTextSync(at('a.txt'), 3)).toThrow(coded('too-large'))
    expect(() => host.files.readTextSync(at('bad.txt'), 100)).toThrow(coded('not-utf8'))
    for (const [path, code] of [[at('none'), 'not-found'], [folder, 'not-a-file'], [at('a.txt/x'), 'not-a-directory'], [at('pipe'), 'not-a-file'], ['/dev/zero', 'not-a-file'], [at('a\0b'), 'not-found']] as const) {
      await expect(host.files.readBytes(path, 100)).rejects.toEqual(coded(code))
      expect(() => host.files.readTextSync(path, 100)).toThrow(coded(code))
    }
    // A file that says it is empty and is not.
    await expect(host.files.readBytes('/proc/self/status', 10)).rejects.toEqual(coded('too-large'))
    expect((await host.files.readBytes('/proc/self/status', 100_000)).length).toBeGreaterThan(100)
  })

  test('writing replaces in one step, keeps the mode, leaves nothing behind', async () => {
    await host.files.writeAtomic(at('new/deep/f.sh'), 'one')
    chmodSync(at('new/deep/f.sh'), 0o750)
    await host.files.writeAtomic(at('new/deep/f.sh'), new Uint8Array([50]))
    expect(readFileSync(at('new/deep/f.sh'), 'utf8')).toBe('2')
    expect(statSync(at('new/deep/f.sh')).mode & 0o777).toBe(0o750)
    await expect(host.files.writeAtomic(at('new/deep'), 'x')).rejects.toEqual(coded('not-a-file'))
    expect(readdirSync(at('new/deep'))).toEqual(['f.sh'])
    expect(readdirSync(at('new'))).toEqual(['deep'])
    await expect(host.files.writeAtomic(at('a.txt/x'), 'x')).rejects.toEqual(coded('not-a-directory'))
    await host.files.append(at('log'), 'a')
    await host.files.append(at('log'), 'b')
    expect(readFileSync(at('log'), 'utf8')).toBe('ab')
    await host.files.rename(at('log'), at('moved/log'))
    expect(existsSync(at('moved/log'))).toBe(true)
    await host.files.remove(at('moved'))
    await host.files.remove(at('moved'))
    expect(await host.files.stat(at('moved'))).toBeNull()
  })

  test('a full disk and a read-only one', async () => {
    // /dev/full exists for this; /proc cannot be written.
    await expect(host.files.append('/dev/full', 'x')).rejects.toEqual(coded('disk-full'))
    await expect(host.files.writeAtomic('/proc/tek/x', 'x')).rejects.toMatchObject({ name: 'HostError' })
  })

  test('real paths, also of what does not exist yet', async () => {
    mkdirSync(at('real'))
    symlinkSync(at('real'), at('link'))
    symlinkSync('/nowhere/at/all', at('dangling'))
    symlinkSync(at('loop'), at('loop'))
    expect(await host.files.realPath(at('link/x/y'))).toBe(at('real/x/y'))
    expect(await host.files.realPath(at('dangling'))).toBe('/nowhere/at/all')
    await expect(host.files.realPath(at('loop'))).rejects.toEqual(coded('other'))
    expect(await host.files.list(folder)).toContainEqual({ name: 'link', kind: 'link' })
  })

  test('an exact path is not followed when a link has taken its place', async () => {
    mkdirSync(at('outside'))
    writeFileSync(at('outside/secret'), 'secret')
    symlinkSync(at('outside/secret'), at('swapped'))
    symlinkSync(at('outside'), at('swapped-folder'))
    await expect(host.files.readBytes(at('swapped'), 100, { exact: true })).rejects.toEqual(coded('refused'))
    await expect(host.files.readBytes(at('swapped-folder/secret'), 100, { exact: true })).rejects.toEqual(coded('refused'))
    await expect(host.files.writeAtomic(at('swapped-folder/secret'), 'x', { exact: true })).rejects.toEqual(coded('refused'))
    await expect(host.files.append(at('swapped-folder/secret'), 'x', { exact: true })).rejects.toEqual(coded('refused'))
    await expect(host.files.append(at('swapped'), 'x', { exact: true })).rejects.toEqual(coded('refused'))
    expect(readFileSync(at('outside/secret'), 'utf8')).toBe('secret')
    await host.files.writeAtomic(at('outside/other'), 'x', { exact: true })
    expect(readFileSync(at('outside/other'), 'utf8')).toBe('x')
  })
})

describe('commands', () => {
  const command = (program: string, args: readonly string[], more: Partial<Command> = {}): Command => ({
    program, args, cwd: folder, env: { PATH: process.env['PATH'] ?? '' }, timeoutMs: 20_000, maxOutputBytes: 1_000_000, ...more,
  })

  test('arguments as they are, no shell, only the given environment', async () => {
    const result = await host.run(command('node', ['-e', 'console.log(JSON.stringify([process.argv.slice(1), Object.keys(process.env).sort(), process.cwd()]))', '$HOME', '; rm *', ''], { env: { PATH: process.env['PATH'] ?? '', X: '1' } }), never)
    expect(JSON.parse(result.stdout)).toEqual([['$HOME', '; rm *', ''], ['PATH', 'X'], folder])
    expect(result).toMatchObject({ exitCode: 0, signal: null, truncated: false, timedOut: false })
  })
  test('exit codes, signals, input', async () => {
    expect(await host.run(command('sh', ['-c', 'echo err >&2; exit 7']), never)).toMatchObject({ exitCode: 7, stderr: 'err\n' })
    expect(await host.run(command('sh', ['-c', 'kill -9 $$']), never)).toMatchObject({ exitCode: null, signal: 'SIGKILL' })
    expect(await host.run(command('cat', [], { stdin: 'grüß' }), never)).toMatchObject({ stdout: 'grüß' })
    expect(await host.run(command('true', [], { stdin: 'x'.repeat(5_000_000) }), never)).toMatchObject({ exitCode: 0 })
  })
  test('what cannot be started', async () => {
    await expect(host.run(command('tek-no-such-program', []), never)).rejects.toEqual(coded('no-program'))
    await expect(host.run(command('./none', []), never)).rejects.toEqual(coded('no-program'))
    await expect(host.run(command('true', [], { cwd: at('none') }), never)).rejects.toEqual(coded('not-found'))
    await expect(host.run(command('', []), never)).rejects.toEqual(coded('no-program'))
    await expect(host.run(command('echo', ['x'.repeat(10_000_000)]), never)).rejects.toEqual(coded('too-large'))
    writeFileSync(at('ls'), '#!/bin/sh\necho mine\n', { mode: 0o755 })
    expect((await host.run(command('ls', ['-d', '/'], { env: { PATH: `:.:${process.env['PATH'] ?? ''}` } }), never)).stdout).toBe('/\n')
  })
  test('a flood is cut and drained', async () => {
    const result = await host.run(command('sh', ['-c', 'head -c 30000000 /dev/zero | tr "\\0" x; echo done >&2'], { maxOutputBytes: 1_000 }), never)
    expect(result).toMatchObject({ exitCode: 0, truncated: true, stdout: 'x'.repeat(1_000), stderr: 'done\n' })
  })
  test('a time-out and an abort end the tree, also what ignores SIGTERM or has its own group', async () => {
    const script = 'trap "" TERM; (trap "" TERM; echo $BASHPID; sleep 60) & setsid sleep 61 & echo $!; echo $$; wait'
    const timedOut = await host.run(command('bash', ['-c', script], { timeoutMs: 700 }), never)
    expect(timedOut).toMatchObject({ timedOut: true, signal: 'SIGKILL' })
    const pids = timedOut.stdout.trim().split('\n').map(Number)
    expect(pids).toHaveLength(3)
    expect(pids.filter(isAlive)).toEqual([])
    const abort = new AbortController()
    const started = performance.now()
    const running = host.run(command('bash', ['-c', 'sleep 60']), abort.signal)
    setTimeout(() => abort.abort(), 200)
    await expect(running).rejects.toEqual(coded('cancelled'))
    expect(performance.now() - started).toBeLessThan(20_000)
    await expect(host.run(command('true', []), abort.signal)).rejects.toEqual(coded('cancelled'))
  })
  test('what a program leaves running in its group is ended, and does not hold up its end', async () => {
    const result = await host.run(command('bash', ['-c', 'sleep 60 & echo $!']), never)
    expect(result).toMatchObject({ exitCode: 0, timedOut: false })
    await expect.poll(() => isAlive(Number(result.stdout)), { timeout: 20_000 }).toBe(false) // what was killed goes when the system has taken note
  })
})

describe('network', () => {
  let server: Server
  let base: string
  const seen: { url: string; method: string; headers: Record<string, unknown> }[] = []
  beforeAll(async () => {
    server = createServer((request, response) => {
      seen.push({ url: request.url ?? '', method: request.method ?? '', headers: request.headers })
      const [, name = '', rest = ''] = /^\/(\w+)\/?(.*)$/.exec(request.url ?? '') ?? []
      if (name === 'redirect') response.writeHead(Number(rest.slice(0, 3)), { location: decodeURIComponent(rest.slice(4)) }).end('moved')
      else if (name === 'gzip') response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('z'.repeat(1_000_000)))
      else if (name === 'flood') { const timer = setInterval(() => response.write('x'.repeat(100_000)), 1); response.on('close', () => clearInterval(timer)) }
      else if (name === 'latin') response.writeHead(200, { 'content-type': 'text/plain; charset=iso-8859-1' }).end(Buffer.from([0xfc]))
      else if (name === 'hang') return
      else if (name === 'cut') { response.writeHead(200, { 'content-length': 100 }); response.write('x'); setTimeout(() => response.destroy(), 50) }
      else request.on('data', () => undefined).on('end', () => response.writeHead(200, { 'x-a': 'b' }).end(`${request.method} ok`))
    })
    await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
    const address = server.address()
    base = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  })
  afterAll(() => { server.closeAllConnections(); server.close() })
  const ask = (path: string, more: object = {}) => host.fetch({ method: 'GET', url: path.includes('://') ? path : base + path, headers: {}, timeoutMs: 10_000, maxBodyBytes: 2_000_000, mayFollow: () => undefined, ...more }, never)

  test('an answer, its encodings', async () => {
    expect(await ask('/x', { method: 'POST', body: 'hello' })).toMatchObject({ status: 200, body: 'POST ok', headers: { 'x-a': 'b' }, url: `${base}/x` })
    expect((await ask('/gzip')).body).toHaveLength(1_000_000)
    expect((await ask('/latin')).body).toBe('ü')
    expect(await ask('/latin', { wantsBytes: true })).toMatchObject({ body: '', bytes: Buffer.from([0xfc]) }) // as it came
  })
  test('limits: size after decompression, a flood, a hang, a broken answer', async () => {
    await expect(ask('/gzip', { maxBodyBytes: 10_000 })).rejects.toEqual(coded('too-large'))
    await expect(ask('/flood', { maxBodyBytes: 1_000_000 })).rejects.toEqual(coded('too-large'))
    await expect(ask('/hang', { timeoutMs: 200 })).rejects.toEqual(coded('timed-out'))
    await expect(ask('/cut')).rejects.toEqual(coded('no-network'))
    const abort = new AbortController()
    setTimeout(() => abort.abort(), 100)
    await expect(host.fetch({ method: 'GET', url: `${base}/hang`, headers: {}, timeoutMs: 10_000, maxBodyBytes: 1, mayFollow: () => undefined }, abort.signal)).rejects.toEqual(coded('cancelled'))
  })
  test('what cannot be reached', async () => {
    await expect(ask('http://127.0.0.1:1/')).rejects.toEqual(coded('no-network'))
    for (const url of ['ftp://example.com/', 'file:///etc/passwd', 'nonsense', 'https://']) await expect(host.fetch({ method: 'GET', url, headers: {}, timeoutMs: 1_000, maxBodyBytes: 1, mayFollow: () => undefined }, never)).rejects.toEqual(coded('refused'))
  })
  test('redirects are shown before they are followed, and change the method as the standard says', async () => {
    const followed: string[] = []
    const mayFollow = (url: string): void => void followed.push(url)
    expect((await ask(`/redirect/302/${encodeURIComponent('/a')}`, { method: 'POST', body: 'x', mayFollow })).body).toBe('GET ok')
    expect((await ask(`/redirect/307/${encodeURIComponent('/a')}`, { method: 'POST', body: 'x', mayFollow })).body).toBe('POST ok')
    expect(followed).toEqual([`${base}/a`, `${base}/a`])
    const count = seen.length
    await expect(ask(`/redirect/302/${encodeURIComponent('/secret')}`, { mayFollow: () => { throw new HostError('refused', '', 'no') } })).rejects.toEqual(coded('refused'))
    expect(seen).toHaveLength(count + 1)
    await expect(ask(`/redirect/302/${encodeURIComponent('file:///etc/passwd')}`)).rejects.toEqual(coded('refused'))
    await expect(ask(`/redirect/302/${encodeURIComponent('?')}`)).rejects.toThrow(/redirects more than 10 times/)
  })
  test('what may be a key does not cross to another origin', async () => {
    const other = base.replace('127.0.0.1', 'localhost')
    await ask(`/redirect/302/${encodeURIComponent(`${other}/there`)}`, { headers: { Authorization: 'Bearer x', Cookie: 'c', 'X-Api-Key': '1', Accept: 'text/plain' } })
    expect(seen.at(-1)).toMatchObject({ url: '/there', headers: { accept: 'text/plain' } })
    for (const name of ['authorization', 'cookie', 'x-api-key']) expect(seen.at(-1)?.headers).not.toHaveProperty(name)
  })
  test('every address is shown before it is dialled', async () => {
    const shown: string[] = []
    await ask(base.replace('127.0.0.1', 'localhost'), { mayConnect: (name: string, address: string) => void shown.push(`${name} ${address}`) })
    expect(shown).toContain('localhost 127.0.0.1')
    const count = seen.length
    const mayConnect = (): void => { throw new HostError('refused', '', 'no') }
    await expect(ask('/x', { mayConnect })).rejects.toEqual(coded('refused'))
    await expect(ask(base.replace('127.0.0.1', 'localhost'), { mayConnect })).rejects.toEqual(coded('refused'))
    expect(seen).toHaveLength(count)
  })
})
