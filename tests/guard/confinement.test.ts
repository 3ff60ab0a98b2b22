// What a command may see: grants of all levels turned into real files and folders, on a real folder.
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { HostError, type Command, type Host } from '#host/host.ts'
import { nodeHost } from '#host/node-host.ts'
import { type Confined, confine } from '#interpreter/guard/confinement.ts'
import { makeToolContext } from '#interpreter/guard/context.ts'
import { RealPaths } from '#interpreter/guard/real-paths.ts'
import { impliedForCall, impliedPattern } from '#interpreter/implied.ts'
import type { Authority, Grant } from '#model/capability.ts'

const root = realpathSync(mkdtempSync(join(tmpdir(), 'tek-confinement-')))
const cwd = join(root, 'work')
const host = nodeHost({ cwd })
beforeAll(() => {
  for (const folder of ['src/deep', 'docs', '.git/hooks', '.tek', 'many', 'repo/sub', 'repo/.git']) mkdirSync(join(cwd, folder), { recursive: true })
  mkdirSync(join(root, 'elsewhere'))
  for (const file of ['src/a.ts', 'src/b.js', 'src/deep/c.ts', 'docs/d.md', '.git/config', '.tek/state', 'top.txt', 'repo/.git/config']) writeFileSync(join(cwd, file), 'x')
  writeFileSync(join(root, 'elsewhere/e.ts'), 'x')
  symlinkSync(join(root, 'elsewhere'), join(cwd, 'linked'))
  symlinkSync(join(root, 'elsewhere/e.ts'), join(cwd, 'src/link.ts'))
  for (let n = 0; n < 450; n++) writeFileSync(join(cwd, `many/${n}.txt`), '')
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const grants = (text: string): Authority => text.split(' ').filter(each => each !== '').map((each): Grant => ({ name: each.startsWith('w:') ? 'fs.write' : 'fs.read', args: [each.replace(/^[rw]:/, '')] }))
const limits = { memoryBytes: 1e9, processes: 10, cpuMs: 1e3, fileBytes: 1e6 }
const of = (levels: readonly string[], implied = ''): Promise<Confined> => confine({
  files: host.files, cwd, paths: new RealPaths(host.files, cwd), authority: levels.map(grants), implied: grants(implied), signal: new AbortController().signal, limits, mayBeUnconfined: false,
})
const short = (paths: readonly string[]): string[] => paths.map(path => (path === cwd ? '.' : path.replace(`${cwd}/`, '').replace(`${root}/`, '../'))).sort()
const seen = async (levels: readonly string[], implied = '') => {
  const { confinement } = await of(levels, implied)
  return { readable: short(confinement.readable), writable: short(confinement.writable), hidden: short(confinement.hidden) }
}

describe('every level must cover what is shown', () => {
  test.each<[readonly string[], string[]]>([
    [[], []], [['']  , []], [['r:src/**'], ['src']], [['r:src/**', 'r:**'], ['src']], [['r:**', 'r:src/**'], ['src']], [['r:src/**', 'r:docs/**'], []],
    [['r:src/** r:docs/**', 'r:docs/** r:top.txt'], ['docs']], [['r:src/**', 'r:src/deep/** r:docs/**'], ['src/deep']], [['r:top.txt'], ['top.txt']], [['r:src'], []], [['r:none/**'], []],
    [['r:src/*.ts'], ['src/a.ts']], [['r:src/**/*.ts', 'r:**'], ['src/a.ts', 'src/deep/c.ts']], [['r:src/**', 'r:**/*.ts'], ['src/a.ts', 'src/deep/c.ts']], [['r:**/*.ts', 'r:src/**', 'r:**/deep/*'], ['src/deep/c.ts']],
    [['r:linked/**'], ['../elsewhere']], [['r:.tek/**'], []], [['r:.tek/state'], ['.tek/state']], [['r:src/link.ts'], ['../elsewhere/e.ts']], [['r:src/*'], ['src/a.ts', 'src/b.js']], [['r:src/link.ts', 'r:src/**'], []],
  ])('%j', async (levels, expected) => {
    expect((await seen(levels)).readable).toEqual(expected)
  })

  test('what comes with a plugin\'s grant is added, whatever the levels say', async () => {
    expect((await seen(['r:src/**'], 'r:docs/**')).readable).toEqual(['docs', 'src'])
    expect((await seen(['w:docs/**'], 'r:docs/**')).writable).toEqual(['docs'])
  })

  test('a place to write must be readable as well; one that is missing is made', async () => {
    expect(await seen(['w:docs/**'])).toMatchObject({ readable: [], writable: [] })
    expect((await seen(['w:docs/** r:**'])).writable).toEqual(['docs'])
    expect((await seen(['w:made/** r:made/**'])).writable).toEqual(['made'])
    expect(existsSync(join(cwd, 'made'))).toBe(true)
  })

  test('too many files one by one are refused: permit/too-many-files', async () => {
    await expect(of(['r:many/*.txt'])).rejects.toMatchObject({ code: 'permit/too-many-files' })
    expect((await seen(['r:many/**'])).readable).toEqual(['many'])
  })
})

describe('control files', () => {
  test('below a readable folder what may hold secrets is out of sight, unless it is named', async () => {
    expect((await seen(['r:**'])).hidden).toEqual(['.git/config', '.tek', 'repo/.git/config'])
    expect((await seen(['r:** r:.git/config'])).hidden).toEqual(['.tek', 'repo/.git/config'])
  })

  test('below a writable one, none can be changed or made', async () => {
    const { readable, hidden } = await seen(['r:** w:**'])
    expect(readable).toContain('.git/hooks')
    expect(hidden).toEqual(expect.arrayContaining(['.git/config', '.tek', 'repo/.git/config', 'tek.permits.yaml']))
    expect((await seen(['r:** w:** w:.git/hooks'])).readable).not.toContain('.git/hooks')
  })

  test('what was made of them meanwhile is taken away and named', async () => {
    const fresh = join(root, 'fresh')
    mkdirSync(fresh)
    const confined = await of([`r:${fresh}/** w:${fresh}/**`])
    mkdirSync(join(fresh, '.git/hooks'), { recursive: true })
    writeFileSync(join(fresh, '.git/config'), '[core]\n\tfsmonitor = evil\n')
    expect([...await confined.after()].sort()).toEqual([join(fresh, '.git/config'), join(fresh, '.git/hooks')])
    expect(existsSync(join(fresh, '.git/config'))).toBe(false)
  })
})

describe('the context', () => {
  const context = (over: Partial<Host>, options: { mayBeUnconfined?: boolean } = {}) => makeToolContext({
    host: { ...host, ...over }, cwd, authority: [[{ name: 'exec', args: ['make'] }]], implied: [], signal: new AbortController().signal, idempotencyKey: '', taskPath: '', onCount() {}, onLog: line => void logged.push(line), onProgress() {}, ...options,
  })
  const logged: string[] = []
  const result = { exitCode: 2, signal: null, stdout: '', stderr: '', truncated: false, timedOut: false, elapsedMs: 1 }

  test('no sandbox: permit/no-sandbox, unless accepted by name', async () => {
    const started: Command[] = []
    const over: Partial<Host> = { isolation: async () => 1, run: async command => (started.push(command), result) }
    await expect(context(over).run('make', [])).rejects.toMatchObject({ code: 'permit/no-sandbox' })
    expect(started).toEqual([])
    await context(over, { mayBeUnconfined: true }).run('make', [])
    expect(started[0]!.confinement).toMatchObject({ mayBeUnconfined: true, readable: [], writable: [] })
  })

  test('a command that was ended for what it used: run/over-bound, with bound, what was seen, and what to do', async () => {
    const over: Partial<Host> = { isolation: async () => 3, run: async () => ({ ...result, endedFor: 'memory', peak: { memoryBytes: 5 * 1024 ** 3, processes: 3, cpuMs: 10 } }) }
    await expect(context(over).run('make', [])).rejects.toMatchObject({ code: 'run/over-bound', message: expect.stringMatching(/^`make` was ended.*more than \d+ MiB \(5120 MiB seen\)/) as string, help: expect.stringContaining('needs { memory') as string })
  })

  test('a command that fails and saw nothing of the folder is told so in the log', async () => {
    await context({ isolation: async () => 3, run: async () => result }).run('make', [])
    expect(logged.at(-1)).toContain('`make` saw no file of this folder')
  })

  test('a sandbox that cannot be set up is a refusal', async () => {
    const over: Partial<Host> = { isolation: async () => 3, run: async () => { throw new HostError('refused', 'make', 'no') } }
    await expect(context(over).run('make', [])).rejects.toMatchObject({ code: 'refused' })
  })
})

describe('implied grants', () => {
  test('take the arguments of the call, and find the folder that holds a name', async () => {
    const forCall = (arg: string, ...given: string[]) => impliedForCall({ name: 'fs.read', args: [arg] }, given, host.files, cwd)
    expect(await forCall('$1/**', 'src')).toEqual({ name: 'fs.read', args: ['src/**'] })
    expect(await forCall('$1/**', '')).toEqual({ name: 'fs.read', args: ['./**'] })
    expect(await forCall('$1^.git/**', 'repo/sub')).toEqual({ name: 'fs.read', args: [`${cwd}/repo/**`] })
    expect(await forCall('$1^.git/**', 'repo')).toEqual({ name: 'fs.read', args: ['repo/**'] })
    expect(await forCall('$2/**', 'src')).toBeNull()
    expect(await forCall('$1/**', '*')).toBeNull()
    expect(impliedPattern({ name: 'fs.read', args: ['$1^.git/**'] }, ['repos/*'])).toEqual({ name: 'fs.read', args: ['repos/*/**'] })
  })
})
