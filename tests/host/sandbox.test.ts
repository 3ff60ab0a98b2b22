// The sandbox on a real machine: what is seen, what ends what, what is said when it cannot be had. Escapes: tests/security/escape.
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, readdirSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Command, Confinement } from '#host/host.ts'
import { nodeHost } from '#host/node-host.ts'
import { runCommand } from '#host/run-command.ts'
import { kernelLimits } from '#host/sandbox/resource-limits.ts'
import { seccompFilter } from '#host/sandbox/seccomp.ts'

const root = realpathSync(mkdtempSync('/var/tmp/tek-sandbox-'))
const work = join(root, 'work')
const runner = join(root, 'runner.mjs')
const host = nodeHost({ cwd: work })
beforeAll(async () => {
  for (const folder of ['in', 'out/.git', 'secret']) mkdirSync(join(work, folder), { recursive: true })
  writeFileSync(join(work, 'in/a.txt'), 'a\n')
  writeFileSync(join(work, 'secret/key'), 'the key\n')
  await build({ entryPoints: [join(import.meta.dirname, 'sandbox-runner.ts')], outfile: runner, bundle: true, platform: 'node', format: 'esm', conditions: ['tek-source'], logLevel: 'error' })
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const limits = { memoryBytes: 512 * 1024 ** 2, processes: 64, cpuMs: 60_000, fileBytes: 1024 ** 2 }
const seeing = (over: Partial<Confinement> = {}): Confinement => ({ readable: [join(work, 'in')], writable: [join(work, 'out')], hidden: [], limits, mayBeUnconfined: false, ...over })
const run = (script: string, confinement = seeing(), over: Partial<Command> = {}) =>
  runCommand({ program: 'sh', args: ['-c', script], cwd: work, env: { PATH: '/usr/bin:/bin' }, timeoutMs: 20_000, maxOutputBytes: 10_000, confinement, ...over }, new AbortController().signal)
const hasSandbox = (existsSync('/usr/bin/bwrap') || existsSync('/usr/bin/perl')) && process.platform === 'linux' && (await host.isolation!()) >= 2
const processesWith = (argument: string): string[] => readdirSync('/proc').filter(name => {
  try {
    return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'latin1').split('\0').includes(argument)
  } catch {
    return false
  }
})

describe.skipIf(!hasSandbox)('a confined command (needs bubblewrap or perl)', () => {
  test('tek\'s own cache folder is out of sight, also where its place is granted', async () => {
    const cache = join(root, 'cache')
    mkdirSync(join(cache, 'tek'), { recursive: true })
    writeFileSync(join(cache, 'tek/kept'), 'kept\n')
    const before = process.env['XDG_CACHE_HOME']
    process.env['XDG_CACHE_HOME'] = cache
    try {
      const { stdout } = await run(`ls ${cache}; cat ${cache}/tek/kept; echo no > ${cache}/tek/kept`, seeing({ writable: [cache] }))
      expect(stdout).toBe('tek\n')
      expect(readFileSync(join(cache, 'tek/kept'), 'utf8')).toBe('kept\n')
    } finally {
      if (before === undefined) delete process.env['XDG_CACHE_HOME']
      else process.env['XDG_CACHE_HOME'] = before
    }
  })

  test('sees what it is shown, writes where it may, and has a home and a /tmp of its own', async () => {
    const result = await run('cat in/a.txt; echo b > out/b.txt; cat secret/key; ls; echo $HOME; echo x > $HOME/x && echo x > /tmp/x && echo wrote; pwd', seeing(), { env: { PATH: '/usr/bin:/bin', GIVEN: '1' } })
    expect(result.stdout).toMatch(/^a\n(in\nout\n)?\/tmp\/home\nwrote\n/)
    expect(result.stdout.trim().endsWith(work)).toBe(true)
    expect(result.stdout).not.toContain('the key')
    expect(readFileSync(join(work, 'out/b.txt'), 'utf8')).toBe('b\n')
    expect(result.level).toBe(await host.isolation!())
    expect(existsSync('/tmp/x')).toBe(false)
  })

  test.each(['/tmp', '/var/tmp'])('what it writes beside the granted folders fails there, also below %s: nothing is lost without a word', async place => {
    const project = realpathSync(mkdtempSync(join(place, 'tek-beside-')))
    mkdirSync(join(project, 'src/out'), { recursive: true })
    const confinement = seeing({ readable: [], writable: [join(project, 'src/out')] })
    const result = await run('echo a > lost; echo b > out/kept; echo c > ../lost; echo mine > /tmp/mine && cat /tmp/mine', confinement, { cwd: join(project, 'src') })
    const kept = readFileSync(join(project, 'src/out/kept'), 'utf8')
    rmSync(project, { recursive: true })
    expect(result.stderr.match(/Read-only file system|Permission denied/g)).toHaveLength(2)
    expect(result.stdout).toBe('mine\n')
    expect(kept).toBe('b\n')
  })

  test('exit codes, input, arguments as they are, variables that would steer a launcher', async () => {
    expect(await run('exit 7')).toMatchObject({ exitCode: 7, signal: null })
    expect(await run('kill -9 $$')).toMatchObject({ exitCode: 137 })
    expect((await run('cat', seeing(), { stdin: 'given' })).stdout).toBe('given')
    const odd = ['a b', '', '$HOME', '--', '--bind', 'ü\n"']
    expect((await run('', seeing(), { program: process.execPath, args: ['-e', 'console.log(JSON.stringify(process.argv.slice(1)))', '--', ...odd] })).stdout).toBe(`${JSON.stringify(odd)}\n`)
    expect((await run('echo "$LD_LIBRARY_PATH|$PERL5LIB|$X"', seeing(), { env: { PATH: '/usr/bin:/bin', LD_LIBRARY_PATH: '/a', PERL5LIB: '/b', X: 'a=b\nc' } })).stdout).toBe('/a|/b|a=b\nc\n')
    await expect(run('', seeing(), { program: 'tek-no-such-program', args: [] })).rejects.toMatchObject({ code: 'no-program' })
  })

  test('a name that must not be made is held while it runs, and given back', async () => {
    const held = join(work, 'out/tek.permits.yaml')
    const result = await run('echo mine > out/tek.permits.yaml; rm -f out/tek.permits.yaml; mv out/b out/tek.permits.yaml; ls out/tek.permits.yaml && cat out/tek.permits.yaml', seeing({ hidden: [held] }))
    expect(result.stdout).toBe('out/tek.permits.yaml\n')
    expect(existsSync(held)).toBe(false)
  })

  test('what it uses beyond its bounds ends it, and is named', async () => {
    const hog = await run('', seeing({ limits: { ...limits, memoryBytes: 100 * 1024 ** 2 } }), { program: process.execPath, args: ['-e', 'const a = []; for (;;) a.push(Buffer.alloc(1e6, 1))'] })
    expect(hog.endedFor).toBe('memory')
    expect(hog.peak!.memoryBytes).toBeGreaterThan(100 * 1024 ** 2)
    const many = await run('for i in $(seq 40); do sleep 20 & done; wait', seeing({ limits: { ...limits, processes: 20 } }))
    expect(many.endedFor).toBe('processes')
    expect(processesWith('nothing')).toEqual([])
  })

  test('kill -9 of the process that started it ends all of it within two seconds', async () => {
    const mark = `800.${process.pid}`
    const child = spawn(process.execPath, [runner, join(work, 'out'), `(setsid sh -c "setsid sleep ${mark} & sleep ${mark}" &) ; sleep ${mark}`], { stdio: 'ignore', env: { PATH: '/usr/bin:/bin', HOME: root } })
    for (let waited = 0; processesWith(mark).length < 3; waited++) {
      if (waited > 500) throw new Error('it was not started')
      await new Promise(done => setTimeout(done, 20))
    }
    child.kill('SIGKILL')
    for (let waited = 0; processesWith(mark).length > 0 && waited < 100; waited++) await new Promise(done => setTimeout(done, 20))
    expect(processesWith(mark)).toEqual([])
  }, 30_000)

  test('what a killed tek held is taken away by the next one, unless it is somebody\'s own by now', async () => {
    const [left, own] = [join(work, 'out/tek.permits.yaml'), join(work, 'out/own.yaml')]
    const env = { PATH: '/usr/bin:/bin', HOME: root }
    const children = [left, own].map(name => spawn(process.execPath, [runner, join(work, 'out'), 'sleep 60', '-', name], { stdio: 'ignore', env }))
    while (![left, own].every(existsSync)) await new Promise(done => setTimeout(done, 20))
    const next = (): unknown => JSON.parse(spawnSync(process.execPath, [runner, join(work, 'out'), 'exit 0'], { encoding: 'utf8', env }).stdout)
    next()
    expect([existsSync(left), existsSync(own)]).toEqual([true, true]) // they live
    for (const child of children) child.kill('SIGKILL')
    await Promise.all(children.map(child => new Promise(done => child.exitCode === null && child.signalCode === null ? child.once('exit', done) : done(null))))
    expect([existsSync(left), existsSync(own)]).toEqual([true, true])
    writeFileSync(`${own}.new`, '')
    renameSync(`${own}.new`, own) // empty as well, and another file
    expect(next()).toMatchObject({ exitCode: 0 })
    expect([existsSync(left), existsSync(own)]).toEqual([false, true])
    expect(readdirSync(join(root, '.cache/tek/held'))).toEqual([])
    rmSync(own)
  }, 30_000)

  test('a folder exchanged for a link while commands start shows nothing else', async () => {
    const swapped = join(work, 'swapped')
    mkdirSync(swapped)
    let isOver = false
    const swapping = (async () => {
      while (!isOver) {
        renameSync(swapped, `${swapped}-aside`)
        symlinkSync(join(work, 'secret'), swapped)
        await new Promise(done => setImmediate(done))
        rmSync(swapped)
        renameSync(`${swapped}-aside`, swapped)
        await new Promise(done => setImmediate(done))
      }
    })()
    const results = []
    for (let round = 0; round < 20; round++) results.push(...await Promise.all([1, 2, 3].map(() => run('cat swapped/key', seeing({ readable: [swapped] })).catch(error => ({ stdout: '', error: String(error) })))))
    isOver = true
    await swapping
    expect(results.filter(each => each.stdout.includes('the key'))).toEqual([])
  }, 60_000)

  test('somebody else may start what `confine` gives: descriptors 0 to 4 are the program\'s', async () => {
    const program = 'const fs = require("fs"); fs.writeSync(4, fs.readFileSync(3, "utf8") + " " + fs.existsSync("secret/key") + " " + fs.readFileSync("in/a.txt"))'
    const start = await host.confine!({ program: process.execPath, args: ['-e', program], cwd: work, env: { PATH: '/usr/bin', LD_LIBRARY_PATH: '/x' } }, seeing())
    expect(start.level).toBe(await host.isolation!())
    const given = openSync(join(work, 'secret/key'), 'r')
    const { output, status } = spawnSync(start.program, start.args, { cwd: '/', env: start.env, stdio: ['ignore', 'pipe', 'pipe', given, 'pipe'], timeout: 20_000 }) as unknown as { output: Buffer[]; status: number }
    closeSync(given)
    expect([String(output[2]), status]).toEqual(['', 0])
    // At level 2 the name of a hidden file can be learned.
    expect(String(output[4])).toBe(`the key\n ${start.level === 2} a\n`)
  })
})

test('a machine without a sandbox refuses commands, unless they were accepted unconfined by name', () => {
  const start = (wanted: string, ...more: string[]) =>
    JSON.parse(spawnSync(process.execPath, [runner, work, 'exit 0', ...more], { encoding: 'utf8', env: { PATH: '/usr/bin:/bin', HOME: root, TEK_SANDBOX: wanted } }).stdout) as { error?: string; level?: number }
  for (const wanted of ['1', '0']) expect(start(wanted).error).toContain('this machine has no sandbox to start it in')
  expect(start('1', 'unconfined')).toMatchObject({ level: 0, exitCode: 0 })
})

test('limits are never above tek\'s own, and the filter has whole instructions for both architectures', () => {
  for (const [, most] of process.platform === 'linux' ? kernelLimits({ memoryBytes: 1e18, processes: 1e9, cpuMs: 1e15, fileBytes: 1e18 }) : []) expect(most === Infinity || Number.isSafeInteger(most) || most > 2 ** 53).toBe(true)
  for (const architecture of ['x64', 'arm64'] as const) {
    const [wide, narrow] = [true, false].map(unixSockets => seccompFilter(architecture, { unixSockets }))
    expect(wide!.length % 8).toBe(0)
    expect(wide!.length).toBe(narrow!.length + 16)
    expect(wide!.length / 8).toBeLessThan(4_096)
  }
})
