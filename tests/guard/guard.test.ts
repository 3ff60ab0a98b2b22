// The guard over a real disk, real commands and real servers: what it lets through, and an attack corpus it must refuse.
import { spawn } from 'node:child_process'
import { createServer, type Server } from 'node:http'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { grantKindsOf } from '#grants/match.ts'
import { parseGrant } from '#grants/grant-text.ts'
import { nodeHost } from '#host/node-host.ts'
import { makeToolContext, type CountKind } from '#interpreter/guard/context.ts'
import { needsOwnGrant } from '#interpreter/guard/address.ts'
import { checkNeeds } from '#interpreter/guard/guard.ts'
import type { Authority } from '#model/capability.ts'
import type { ModuleSignature } from '#model/signature.ts'
import type { ToolContext } from '#plugin-api/context.ts'

let root: string
let cwd: string
const put = (path: string, text = path): void => {
  mkdirSync(join(cwd, path, '..'), { recursive: true })
  writeFileSync(join(cwd, path), text)
}
const level = (...grants: string[]): Authority => grants.map(text => parseGrant(text) ?? (() => { throw new Error(text) })())

interface Watched { context: ToolContext; counts: CountKind[]; log: string[]; abort: AbortController }
function watched(levels: readonly Authority[], implied: Authority = [], env: Record<string, string> = {}): Watched {
  const counts: CountKind[] = []
  const log: string[] = []
  const abort = new AbortController()
  const context = makeToolContext({
    host: { ...nodeHost({ cwd }), env: name => env[name] ?? process.env[name] }, cwd, authority: levels, implied, signal: abort.signal, idempotencyKey: 'k', taskPath: 't',
    onCount: kind => counts.push(kind), onLog: message => log.push(message), onProgress: () => undefined,
  })
  return { context, counts, log, abort }
}
const may = (...grants: string[]): ToolContext => watched([level(...grants)]).context
const denied = expect.objectContaining({ name: 'ToolFailure', code: 'permit/denied' }) as Error
const coded = (code: string) => expect.objectContaining({ name: 'HostError', code }) as Error

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'tek-guard-')))
  cwd = join(root, 'work')
  mkdirSync(cwd)
  writeFileSync(join(root, 'secret.txt'), 'secret')
  put('src/a.ts')
  put('src/b.js')
  put('src/deep/c.ts')
  put('src/node_modules/x/i.ts')
  put('notes.txt')
  put('.tek/tek.db')
  put('tek.permits.yaml')
  put('.git/hooks/pre-commit')
  put('.git/HEAD')
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

describe('needs', () => {
  test('deny by default; every level must allow', () => {
    const need = level('fs.read("src/a.ts")')
    expect(checkNeeds([], need, cwd)).toMatchObject({ code: 'permit/denied' })
    expect(checkNeeds([[]], need, cwd)).toMatchObject({ code: 'permit/denied' })
    expect(checkNeeds([level('fs.read("**")'), level('fs.read("src/**")')], need, cwd)).toBeNull()
    expect(checkNeeds([level('fs.read("**")'), level('fs.read("lib/**")')], need, cwd)).toMatchObject({ code: 'permit/denied' })
    expect(checkNeeds([level('fs.read("**")')], [], cwd)).toBeNull()
  })
  test.each([
    ['fs.write("src/a.ts")', 'This may not write `src/a.ts`: nothing grants it.', 'can fs.write("src/a.ts")'],
    ['exec("git", "commit", "-m", "a b*")', 'This may not run `git commit -m a?b?`: nothing grants it.', 'can exec("git", "commit", "-m", "a?b?")'],
    ['net("https://Example.com/x")', 'This may not connect to `example.com:443`: nothing grants it.', 'can net("example.com:443")'],
    ['env("KEY")', 'This may not read the environment variable `KEY`: nothing grants it.', 'can env("KEY")'],
    ['git.branch("x")', 'This may not use `git.branch("x")`: nothing grants it.', 'can git.branch("x")'],
    ['fs.read(".tek/tek.db")', 'This may not read `.tek/tek.db`: nothing grants it.', 'no wildcard covers it'],
    ['fs.read("a\\u0000\\u001b[31m")', 'This may not read `a\\u0000\\u001b[31m`: nothing grants it.', 'can fs.read('],
  ])('%s is refused in words', (need, message, help) => {
    expect(checkNeeds([level('fs.read("src/**")')], level(need), cwd)).toMatchObject({ code: 'permit/denied', message, help: expect.stringContaining(help) as string, retryable: false })
  })
  test('the clause in the help allows exactly that', () => {
    for (const text of ['fs.write("src/a.ts")', 'exec("git", "commit", "-m", "a b*", "")', 'net("https://example.com/x")', 'fs.read("tek.permits.yaml")']) {
      const need = level(text)
      const help = checkNeeds([], need, cwd)?.help ?? ''
      const clause = /can ([^`]+)`/.exec(help)?.[1] ?? ''
      expect(checkNeeds([level(clause)], need, cwd)).toBeNull()
    }
  })
  test('globs with alternatives, and grants of plugins by their declared kinds', () => {
    expect(checkNeeds([level('fs.read("src/**")', 'fs.read("lib/**")')], level('fs.read("{src,lib}/*.ts")'), cwd)).toBeNull()
    expect(checkNeeds([level('fs.read("src/**")')], level('fs.read("{src,lib}/*.ts")'), cwd)).not.toBeNull()
    const kinds = grantKindsOf([{ name: 'git', grants: { read: { name: 'read', doc: '', params: [{ name: 'dir', kind: 'path' }], implies: [], access: 'read' } } } as unknown as ModuleSignature])
    expect(checkNeeds([level('git.read("repos/**")')], level('git.read("repos/a/../b")'), cwd, kinds)).toBeNull()
    expect(checkNeeds([level('git.read("repos/**")')], level('git.read("repos/../../b")'), cwd, kinds)).not.toBeNull()
  })
})

describe('files', () => {
  test('reading inside the grant', async () => {
    const { context, counts } = watched([level('fs.read("src/**")')])
    expect(await context.files.readText('src/a.ts')).toBe('src/a.ts')
    expect(await context.files.readText(join(cwd, 'src/../src/./a.ts'))).toBe('src/a.ts')
    expect(await context.files.stat('src/none')).toBeNull()
    expect((await context.files.list('src')).map(entry => entry.name)).toEqual(['a.ts', 'b.js', 'deep', 'node_modules'])
    await expect(context.files.readText('src/none')).rejects.toEqual(coded('not-found'))
    await expect(context.files.readText('src/a.ts', { maxBytes: 3 })).rejects.toEqual(coded('too-large'))
    await expect(context.files.readText('notes.txt')).rejects.toEqual(denied)
    expect(counts).toEqual(['read', 'read', 'read', 'read', 'refused'])
  })

  test('attacks on reading', async () => {
    symlinkSync(join(root, 'secret.txt'), join(cwd, 'src/link.txt'))
    symlinkSync(root, join(cwd, 'src/up'))
    symlinkSync('../notes.txt', join(cwd, 'src/relative'))
    const context = may('fs.read("src/**")')
    await expect(context.files.readText('src/link.txt')).rejects.toThrow('a link leads from there to a place that nothing grants')
    for (const path of [
      '../secret.txt', 'src/../../secret.txt', 'src/deep/../../../secret.txt', join(root, 'secret.txt'), '/etc/passwd', 'src/link.txt', 'src/up/secret.txt', 'src/up/work/notes.txt', 'src/relative',
      'src/../notes.txt', 'src\0/../../secret.txt', 'SRC/a.ts', 'src/a.ts/../../../secret.txt', `/proc/self/cwd/notes.txt`, '/proc/self/root/etc/passwd', '', '.', '..', '/', 'src/../src/../notes.txt/', '~/x', 'src//../notes.txt',
    ]) {
      await expect(context.files.readText(path), path).rejects.toEqual(denied)
      await expect(context.files.stat(path), path).rejects.toEqual(denied)
      await expect(context.files.list(path), path).rejects.toEqual(denied)
    }
  })

  test('a granted folder that is a link stands for where it leads', async () => {
    mkdirSync(join(root, 'elsewhere'))
    writeFileSync(join(root, 'elsewhere/x'), 'x')
    symlinkSync(join(root, 'elsewhere'), join(cwd, 'data'))
    expect(await may('fs.read("data/**")').files.readText('data/x')).toBe('x')
    await expect(may('fs.read("src/**")').files.readText('data/x')).rejects.toEqual(denied)
    expect(await may('fs.read("data/**")').files.glob('data/*')).toEqual(['data/x'])
  })

  test('control files are covered by no wildcard, whatever their spelling', async () => {
    symlinkSync('.tek', join(cwd, 'state'))
    symlinkSync('.git/hooks', join(cwd, 'src/hooks'))
    const context = may('fs.read("**")', 'fs.write("**")', 'fs.read("/**")', 'fs.write("/**")', 'fs.read(".tek/*")')
    for (const path of ['.tek/tek.db', 'state/tek.db', 'tek.permits.yaml', './src/../tek.permits.yaml', '.git/hooks/pre-commit', 'src/hooks/pre-commit', '.git/config', '.TEK/x', '.Git/Hooks/x', '.tek']) {
      await expect(context.files.readText(path), path).rejects.toEqual(denied)
      await expect(context.files.writeText(path, 'x'), path).rejects.toEqual(denied)
      await expect(context.files.remove(path === 'state/tek.db' ? '.tek' : path), path).rejects.toEqual(denied)
    }
    for (const path of ['.git', '.']) {
      await expect(context.files.remove(path), path).rejects.toEqual(denied)
      await expect(context.files.move(path, 'elsewhere'), path).rejects.toEqual(denied)
    }
    await expect(context.files.move('notes.txt', '.git/hooks/post-commit')).rejects.toEqual(denied)
    expect(existsSync(join(cwd, '.git/hooks/pre-commit')) && existsSync(join(cwd, '.tek/tek.db'))).toBe(true)
    expect(await may('fs.read("tek.permits.yaml")').files.readText('tek.permits.yaml')).toBe('tek.permits.yaml')
    await context.files.remove('state')
    expect(existsSync(join(cwd, '.tek/tek.db')) && !existsSync(join(cwd, 'state'))).toBe(true)
  })

  test('writing', async () => {
    symlinkSync(join(root, 'planted.txt'), join(cwd, 'src/dangling'))
    symlinkSync(root, join(cwd, 'src/up'))
    const { context, counts } = watched([level('fs.write("src/**")', 'fs.write("out")', 'fs.read("src/**")')])
    await context.files.writeText('src/new/f.txt', 'one')
    await context.files.append('src/new/f.txt', ' two')
    await context.files.writeBytes('out', new Uint8Array([0x78]))
    await context.files.makeDirectory('src/made')
    await context.files.move('src/new/f.txt', 'src/made/g.txt')
    expect(readFileSync(join(cwd, 'src/made/g.txt'), 'utf8')).toBe('one two')
    await context.files.remove('src/made')
    for (const path of ['src/dangling', 'src/up/planted.txt', '../planted.txt', 'src/../planted.txt', 'notes.txt', 'out/x']) {
      await expect(context.files.writeText(path, 'x'), path).rejects.toEqual(denied)
      await expect(context.files.append(path, 'x'), path).rejects.toEqual(denied)
      await expect(context.files.makeDirectory(path), path).rejects.toEqual(denied)
    }
    await context.files.remove('src/dangling') // the link, not what it leads to
    await context.files.remove('src/up')
    expect(existsSync(join(root, 'secret.txt')) && !existsSync(join(root, 'planted.txt'))).toBe(true)
    await expect(context.files.move('src/a.ts', '../a.ts')).rejects.toEqual(denied)
    await expect(context.files.move('notes.txt', 'src/notes.txt')).rejects.toEqual(denied)
    expect(counts.filter(kind => kind === 'wrote')).toHaveLength(7)
  })

  test('what may not be read may not be moved to where it may', async () => {
    put('vault/key')
    const context = may('fs.write("vault/**")', 'fs.write("src/**")', 'fs.read("src/**")')
    await expect(context.files.move('vault/key', 'src/key')).rejects.toEqual(denied)
    expect(existsSync(join(cwd, 'vault/key'))).toBe(true)
  })

  test('reading a file that others replace at the same time gives the old text or the new', async () => {
    const { files } = may('fs.read("src/**")', 'fs.write("src/**")')
    const writer = (async () => { for (let round = 0; round < 300; round++) await files.writeText('src/a.ts', `version ${round % 2}`) })()
    const seen = new Set<string>()
    for (let round = 0; round < 300; round++) seen.add(await files.readText('src/a.ts'))
    await writer
    expect([...seen].filter(text => !['src/a.ts', 'version 0', 'version 1'].includes(text))).toEqual([])
  })

  test('links that come and go while a path is being judged leak nothing', async () => {
    put('src/real/name', 'inside') // this and `src/file` change places with links out of the grant
    mkdirSync(join(root, 'outside'))
    writeFileSync(join(root, 'outside/name'), 'secret')
    const flip = `const fs = require('node:fs'), p = require('node:path')
      const [src, outside] = process.argv.slice(1)
      fs.symlinkSync(outside, src + '/to-outside'); fs.symlinkSync(src + '/real', src + '/to-real'); fs.symlinkSync(outside + '/name', src + '/f1'); fs.writeFileSync(src + '/f2', 'inside')
      console.log('ready')
      const has = path => { try { fs.lstatSync(path); return true } catch { return false } }
      for (;;) {
        try {
          fs.renameSync(src + '/real', src + '/x'); fs.renameSync(src + '/to-outside', src + '/real'); fs.renameSync(src + '/real', src + '/to-outside'); fs.renameSync(src + '/x', src + '/real')
          fs.linkSync(src + '/f2', src + '/f3'); fs.renameSync(src + '/f3', src + '/file'); fs.symlinkSync(outside + '/name', src + '/f4'); fs.renameSync(src + '/f4', src + '/file')
        } catch { // the writer made a folder where there was none for a moment
          try { if (has(src + '/x')) { fs.rmSync(src + '/real', { recursive: true, force: true }); fs.renameSync(src + '/x', src + '/real') }
          if (!has(src + '/to-outside')) fs.symlinkSync(outside, src + '/to-outside')
          for (const name of ['/f3', '/f4']) fs.rmSync(src + name, { force: true }) } catch {}
        }
      }`
    const flipper = spawn(process.execPath, ['-e', flip, join(cwd, 'src'), join(root, 'outside')], { stdio: ['ignore', 'pipe', 'inherit'] })
    await new Promise(ready => flipper.stdout.once('data', ready))
    const context = may('fs.read("src/**")', 'fs.write("src/**")')
    const seen = new Set<string>()
    const until = performance.now() + 1_500
    while (performance.now() < until) {
      for (const path of ['src/real/name', 'src/file']) seen.add(await context.files.readText(path).catch(() => 'refused'))
      await context.files.writeText('src/real/written', 'x').catch(() => undefined)
      await context.files.append('src/real/name', '').catch(() => undefined)
    }
    expect(flipper.exitCode).toBeNull()
    flipper.kill('SIGKILL')
    expect(seen).toContain('inside')
    expect(seen).toContain('refused')
    expect(seen).not.toContain('secret')
    expect(readdirSync(join(root, 'outside'))).toEqual(['name'])
    expect(readFileSync(join(root, 'outside/name'), 'utf8')).toBe('secret')
  })

  test('globs: what they find, what they leave out, what they may not ask', async () => {
    symlinkSync(join(cwd, 'src/deep'), join(cwd, 'src/loop'))
    symlinkSync(join(cwd, 'src/a.ts'), join(cwd, 'src/alias.ts'))
    symlinkSync(root, join(cwd, 'src/up'))
    const { files } = may('fs.read("**")')
    expect(await files.glob('src/**/*.ts')).toEqual(['src/a.ts', 'src/alias.ts', 'src/deep/c.ts'])
    expect(await files.glob('src/**/*.{ts,js}')).toEqual(['src/a.ts', 'src/alias.ts', 'src/b.js', 'src/deep/c.ts'])
    expect(await files.glob('src/node_modules/**')).toEqual(['src/node_modules/x/i.ts'])
    expect(await files.glob('**')).toEqual(['notes.txt', 'src/a.ts', 'src/alias.ts', 'src/b.js', 'src/deep/c.ts', 'tek.permits.yaml'])
    expect(await files.glob('.git/**')).toEqual(['.git/HEAD', '.git/hooks/pre-commit'])
    expect(await files.glob(join(cwd, 'src/?.ts'))).toEqual([join(cwd, 'src/a.ts')])
    expect(await files.glob('src/a.ts')).toEqual(['src/a.ts'])
    expect(await files.glob('none/**')).toEqual([])
    await expect(files.glob('**', { maxFiles: 2 })).rejects.toEqual(coded('too-large'))
    await expect(files.glob('{a,b}'.repeat(12))).rejects.toEqual(coded('too-large'))
    for (const pattern of ['../**', '/etc/*', 'src/up/**', 'src/{a.ts,../../secret.txt}', 'src/*/../../../*', '{src,../../..}/**', 'src/**/..', 'a\0*']) {
      await expect(files.glob(pattern), pattern).rejects.toEqual(denied)
    }
    await expect(may('fs.read("src/**")').files.glob('**/*.ts')).rejects.toEqual(denied)
    await expect(may('fs.read("src/*.ts")').files.glob('src/**')).rejects.toEqual(denied)
    expect(await may('fs.read("src/*.ts")').files.glob('src/a*.ts')).toEqual(['src/a.ts', 'src/alias.ts'])
  })
})

describe('commands', () => {
  test('argv, folder and environment', async () => {
    const { context, counts } = watched([level('exec("node", "-e", "**")')], [], { TEK_SECRET: 'x' })
    const result = await context.run('node', ['-e', 'console.log(JSON.stringify({ ...process.env, cwd: process.cwd() }))'], { cwd: 'src', env: { X: '1' } })
    const seen = JSON.parse(result.stdout) as Record<string, string>
    expect(seen).toMatchObject({ cwd: join(cwd, 'src'), X: '1', LANG: 'C.UTF-8', TERM: 'dumb', HOME: '/tmp/home' })
    expect(Object.keys(seen).filter(name => name !== 'PWD').sort()).toEqual(['HOME', 'LANG', 'PATH', 'TERM', 'TMPDIR', 'X', 'cwd'])
    expect(counts).toEqual(['ran'])
  })
  test('attacks on commands', async () => {
    writeFileSync(join(cwd, 'src/git'), '#!/bin/sh\necho mine', { mode: 0o755 })
    writeFileSync(join(cwd, 'tool.sh'), '#!/bin/sh\necho tool', { mode: 0o755 })
    writeFileSync(join(cwd, 'src/tool.sh'), '#!/bin/sh\necho evil', { mode: 0o755 })
    const context = may('exec("git", "status")', 'exec("git", "log", "*")', 'exec("cat", "src/*")', 'exec("./tool.sh")')
    for (const argv of [
      ['git'], ['git', 'status', '-s'], ['git', 'status '], ['git status'], ['git', 'log', '--output=/tmp/x'], ['git', 'log', 'a', 'b'], ['git', '-c', 'core.pager=x', 'log', 'a'], ['git', 'status\0', ''],
      ['./src/git', 'status'], ['/usr/bin/git', 'status'], ['GIT', 'status'], ['cat', 'src/../../secret.txt'], ['cat', 'src/..'], ['cat', '-n'], ['cat', 'src/a', 'src/b'], ['sh', '-c', 'git status'], ['', ''],
      ['./src/tool.sh'], ['tool.sh'], ['./src/../src/tool.sh'],
    ]) await expect(context.run(argv[0]!, argv.slice(1)), argv.join(' ')).rejects.toEqual(denied)
    for (const name of ['LD_PRELOAD', 'PATH', 'NODE_OPTIONS', 'GIT_SSH_COMMAND', 'GIT_EXTERNAL_DIFF', 'BASH_ENV', 'PYTHONPATH', 'GIT_CONFIG_COUNT', 'npm_config_script_shell', 'PAGER', 'GIT_EDITOR']) {
      await expect(context.run('git', ['status'], { env: { [name]: 'x' } }), name).rejects.toEqual(denied)
    }
    await expect(context.run('git', ['status'], { cwd: '..' })).rejects.toEqual(denied)
    await expect(context.run('git', ['status'], { cwd: '/' })).rejects.toEqual(denied)
    // A program given by its path is the granted one, wherever the command starts.
    expect((await context.run('./tool.sh', [], { cwd: 'src' })).stdout).toBe('tool\n')
  })
  test('a program in the project does not take the place of one on the machine', async () => {
    mkdirSync(join(cwd, 'node_modules/.bin'), { recursive: true })
    writeFileSync(join(cwd, 'node_modules/.bin/echo'), '#!/bin/sh\necho mine', { mode: 0o755 })
    const { context } = watched([level('exec("echo", "x")', 'exec("sh", "-c", "**")')], [], { PATH: `${cwd}/node_modules/.bin:.:${process.env['PATH'] ?? ''}` })
    expect((await context.run('echo', ['x'])).stdout).toBe('x\n')
    expect((await context.run('sh', ['-c', 'command -v echo; echo "$PATH"'])).stdout).not.toContain(cwd)
  })
  test('what comes with a plugin grant widens this call only', async () => {
    const implied = level('exec("echo", "**")', 'env("PAGER")')
    expect((await watched([level('git.read(".")')], implied).context.run('echo', ['x'], { env: { PAGER: 'cat' } })).stdout).toBe('x\n')
    await expect(watched([level('git.read(".")')]).context.run('echo', ['x'])).rejects.toEqual(denied)
  })
})

describe('network', () => {
  let near: Server
  let far: Server
  const hits: string[] = []
  const portOf = (server: Server): number => { const address = server.address(); return typeof address === 'object' && address !== null ? address.port : 0 }
  beforeAll(async () => {
    far = createServer((request, response) => { hits.push(`far ${request.url}`); response.end('far') })
    near = createServer((request, response) => {
      hits.push(`near ${request.url}`)
      if (request.url?.startsWith('/to/') === true) response.writeHead(302, { location: decodeURIComponent(request.url.slice(4)) }).end()
      else response.end('near')
    })
    for (const server of [near, far]) await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  })
  afterAll(() => { for (const server of [near, far]) { server.closeAllConnections(); server.close() } })

  test('a granted host answers; a redirect to another is refused before it is asked', async () => {
    const { context, counts } = watched([level(`net("127.0.0.1:${portOf(near)}")`)])
    const base = `http://127.0.0.1:${portOf(near)}`
    expect((await context.fetch(`${base}/x`)).body).toBe('near')
    expect((await context.fetch(`${base}/to/${encodeURIComponent('/y')}`)).body).toBe('near')
    hits.length = 0
    await expect(context.fetch(`${base}/to/${encodeURIComponent(`http://127.0.0.1:${portOf(far)}/steal`)}`)).rejects.toEqual(denied)
    await expect(context.fetch(`http://127.0.0.1:${portOf(far)}/`)).rejects.toEqual(denied)
    await expect(context.fetch(`http://localhost:${portOf(near)}/`)).rejects.toEqual(denied)
    for (const options of [{ method: 'CONNECT' }, { method: 'get\r\nx' }, { headers: { Host: 'inside' } }, { headers: { 'Transfer-Encoding': 'chunked' } }, { headers: { 'Proxy-Authorization': 'x' } }]) {
      await expect(context.fetch(`${base}/x`, options)).rejects.toEqual(coded('refused'))
    }
    await expect(context.fetch(`${base}/x`, { headers: { X: 'a\r\nHost: b' } })).rejects.toEqual(coded('other'))
    await expect(context.fetch('file:///etc/passwd')).rejects.toEqual(coded('refused'))
    expect(hits).toEqual([`near /to/${encodeURIComponent(`http://127.0.0.1:${portOf(far)}/steal`)}`])
    expect(counts.filter(kind => kind === 'refused')).toHaveLength(3)
  })
  test('a wildcard is no grant for this machine, a local name is', async () => {
    const port = portOf(near)
    await expect(may(`net("*:${port}")`).fetch(`http://127.0.0.1:${port}/`)).rejects.toEqual(denied)
    await expect(may(`net("*:*")`).fetch(`http://[::ffff:127.0.0.1]:${port}/`)).rejects.toEqual(denied)
    await expect(may('net("*:*")').fetch('http://169.254.169.254/latest/meta-data')).rejects.toEqual(denied)
    expect((await may(`net("localhost:${port}")`).fetch(`http://localhost:${port}/`)).body).toBe('near')
  })
  test.each([
    ['example.com', '93.184.215.14', false], ['example.com', '127.0.0.1', true], ['example.com', '10.1.2.3', true], ['example.com', '::1', true], ['example.com', '::ffff:10.0.0.1', true],
    ['example.com', 'fe80::1', true], ['example.com', '64:ff9b::7f00:1', true], ['example.com', '2606:2800:21f:cb07::1', false], ['db', '10.1.2.3', false], ['git.internal', '10.1.2.3', false], ['localhost', '127.0.0.1', false],
    ['metadata.internal', '169.254.169.254', true], ['metadata.internal', '100.100.100.200', true], ['db', '168.63.129.16', true], ['example.com', '::ffff:0:10.0.0.1', true], ['example.com', 'fe80::1%lo', true], ['example.com', '2001:4860:4860::8888', false], ['127.0.0.1', '127.0.0.1', true], ['8.8.8.8', '8.8.8.8', false], ['example.com', '::ffff:7f00:1', true], ['example.com', '::ffff:8.8.8.8', false],
  ])('%s at %s needs a grant of its own: %s', (name, address, needs) => {
    expect(needsOwnGrant(name, address)).toBe(needs)
  })
})

describe('the rest', () => {
  test('environment, clock, randomness, log', async () => {
    const { context, log, counts } = watched([level('env("TEK_A")')], [], { TEK_A: 'a', TEK_B: 'b' })
    expect(await context.env('TEK_A')).toBe('a')
    await expect(context.env('TEK_B')).rejects.toEqual(denied)
    expect(await context.randomHex(4)).toMatch(/^[0-9a-f]{8}$/)
    for (let line = 0; line < 10_010; line++) context.log('x'.repeat(20_000))
    expect(log).toHaveLength(10_001)
    expect(log[0]).toHaveLength(10_000)
    expect(counts).toEqual(['refused'])
  })
  test('sleep ends with the call', async () => {
    const { context, abort } = watched([])
    const sleeping = context.sleep(60_000)
    setTimeout(() => abort.abort(), 50)
    await expect(sleeping).rejects.toEqual(coded('cancelled'))
    await expect(context.sleep(1)).rejects.toEqual(coded('cancelled'))
  })
})
