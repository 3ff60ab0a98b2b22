// `tek serve` as a user has it: permits, runs that wait and are answered elsewhere, signals, being killed, the program that is told.
import { spawn, type ChildProcess } from 'node:child_process'
import { chmodSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import type { ServeEvent } from '#serve/event.ts'
import { binary, project, tek } from '../e2e/binary.ts'
import { until } from './harness.ts'

interface Server {
  readonly child: ChildProcess
  readonly events: readonly ServeEvent[]
  readonly ended: Promise<number | null>
}

const folders: { remove(): void }[] = []
const children: ChildProcess[] = []
afterEach(() => {
  for (const each of children.splice(0)) each.kill('SIGKILL')
  for (const each of folders.splice(0)) each.remove()
})
const open = (files: Record<string, string>): ReturnType<typeof project> => {
  const made = project(files)
  folders.push(made)
  return made
}

function serve(cwd: string, ...words: string[]): Server {
  const child = spawn(process.execPath, [binary, 'serve', '--json', ...words], { cwd, stdio: ['ignore', 'pipe', 'ignore'], env: { PATH: process.env['PATH'] ?? '', HOME: cwd, HOOK_KEY: 'a key that signs' } })
  children.push(child)
  const events: ServeEvent[] = []
  let rest = ''
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop()!
    for (const line of lines) if (line.startsWith('{"atMs"')) events.push(JSON.parse(line) as ServeEvent)
  })
  return { child, events, ended: new Promise(resolve => child.on('close', code => resolve(code))) }
}

const has = (server: Server, kind: ServeEvent['kind'], more: object = {}): boolean => server.events.some(each => each.kind === kind && Object.entries(more).every(([key, value]) => (each as never as Record<string, unknown>)[key] === value))
const asking = 'workflow ship() -> string {\n  task deploy approve "Deploy?" = "deployed"\n  return deploy\n}\n'

describe('runs that wait', () => {
  test('a question, answered by another process, is gone on with', async () => {
    const folder = open({ 'ship.tek': asking })
    expect((await tek(['run', 'ship.tek'], { cwd: folder.path })).code).toBe(6)
    const server = serve(folder.path)
    await until(() => has(server, 'serving', { waiting: 1 }))
    expect((await tek(['approve', 'deploy'], { cwd: folder.path })).code).toBe(0)
    await until(() => has(server, 'ended', { status: 'done' }))
    expect((await tek(['resume', 'last'], { cwd: folder.path })).out).toBe('deployed\n')
    server.child.kill('SIGTERM')
    expect(await server.ended).toBe(0)
  })

  test('a time that comes while no server lives is seen by the next one; a run that one was killed in goes on', async () => {
    const folder = open({ 'later.tek': 'workflow later() -> string {\n  every 1h\n  can fs.write("*.txt")\n  task first = fs.write("first.txt", "x")\n  task second after first wait 2s = fs.write("second.txt", "x")\n  return "${second}"\n}\n' })
    // The tick is made to be due: the first look was an hour ago.
    await tek(['serve', 'later.tek', '--once', '--allow-all'], { cwd: folder.path })
    const { default: Database } = await import('better-sqlite3')
    const database = new Database(join(folder.path, '.tek', 'tek.db'))
    const change = database.prepare('update triggers set state = ?')
    change.run(JSON.stringify({ handledMs: Date.now() - 3_600_000, passed: 0, passedMs: null }))
    kept.push(database, change)
    database.close()
    const first = serve(folder.path, 'later.tek', '--allow-all')
    await until(() => existsSync(join(folder.path, 'first.txt')))
    first.child.kill('SIGKILL')
    await first.ended
    expect(existsSync(join(folder.path, 'second.txt'))).toBe(false)
    const second = serve(folder.path, 'later.tek', '--allow-all')
    await until(() => has(second, 'ended', { status: 'done' }))
    expect(has(second, 'begun', { isResumed: true })).toBe(true)
    expect(has(second, 'fired')).toBe(false)
    expect(existsSync(join(folder.path, 'second.txt'))).toBe(true)
  })

  test('what a signal stopped is gone on with by the next server', async () => {
    const folder = open({ 'slow.tek': 'workflow slow() -> int {\n  on file "*.txt"\n  can fs.read("*.txt")\n  task a wait 3s = 1\n  return a\n}\n' })
    await tek(['serve', 'slow.tek', '--once', '--allow-all'], { cwd: folder.path })
    folder.write('a.txt', 'x')
    const first = serve(folder.path, 'slow.tek', '--allow-all')
    await until(() => has(first, 'begun'))
    first.child.kill('SIGTERM')
    expect(await first.ended).toBe(0)
    expect(has(first, 'draining')).toBe(true)
    const second = serve(folder.path, 'slow.tek', '--allow-all')
    await until(() => has(second, 'ended', { status: 'done' }))
    expect(has(second, 'fired')).toBe(false)
  })
})

/** better-sqlite3 aborts where these are collected (journal/sqlite-statement.ts). */
const kept: unknown[] = []

test('without a permit and a terminal nothing is served: 4; with one written down it is', async () => {
  const folder = open({ 'hook.tek': 'secret key = env("HOOK_KEY")\n\nworkflow push(n: int) -> int {\n  can env("HOOK_KEY")\n  on webhook "push" signed key\n  return n\n}\n' })
  const refused = await tek(['serve', 'hook.tek'], { cwd: folder.path })
  expect([refused.code, refused.err]).toEqual([4, expect.stringContaining('permit/needed')])
  folder.write('tek.permits.yaml', "version: 1\nprograms:\n  hook.tek:\n    may: ['env(\"HOOK_KEY\")']\n    granted: 2026-01-01\n")
  const server = serve(folder.path, 'hook.tek')
  await until(() => has(server, 'listening'))
  server.child.kill('SIGINT')
  expect(await server.ended).toBe(0)
})

test('what flags allow, they allow the programs that are named: a run of another one needs its own permit', async () => {
  const writes = (name: string, more: string, clause: string): string => `workflow w() -> string {\n  ${more}can fs.write("*.txt")\n  task first${clause} = fs.write("${name}.txt", "x")\n  return "\${first}"\n}\n`
  const folder = open({ 'served.tek': writes('served', 'every 1h\n  ', ''), 'other.tek': writes('other', '', ' approve "Write?"') })
  expect((await tek(['run', 'other.tek'], { cwd: folder.path })).code).toBe(6)
  expect((await tek(['approve', 'first'], { cwd: folder.path })).code).toBe(0)
  const named = serve(folder.path, 'served.tek', '--allow-all')
  await until(() => has(named, 'refused', { code: 'permit/needed' }))
  named.child.kill('SIGTERM')
  expect(await named.ended).toBe(0)
  expect(existsSync(join(folder.path, 'other.txt'))).toBe(false)
  serve(folder.path, '--allow-all')
  await until(() => existsSync(join(folder.path, 'other.txt')))
})

test('a second server is told which process serves', async () => {
  const folder = open({})
  const server = serve(folder.path)
  await until(() => has(server, 'serving'))
  const second = await tek(['serve'], { cwd: folder.path })
  expect([second.code, second.err]).toEqual([1, expect.stringContaining(`serve/already-served: Another \`tek serve\` serves this folder: process ${server.child.pid}`)])
  server.child.kill('SIGKILL')
  await server.ended
  expect((await tek(['serve', '--once'], { cwd: folder.path })).code).toBe(0)
})

test('what others began and what died is taken over only when that is asked for', async () => {
  const step = 'test -e begun.txt || { touch begun.txt; sleep 600; }'
  const folder = open({ 'long.tek': `workflow long() -> bool {\n  can exec("sh", "-c", "*"), fs.read("**"), fs.write("**")\n\n  task a = shell.run("sh", "-c", "${step}").ok\n\n  return a\n}\n` })
  const run = spawn(process.execPath, [binary, 'run', 'long.tek', '--allow-all', '--unconfined'], { cwd: folder.path, stdio: 'ignore' })
  children.push(run)
  const gone = new Promise(resolve => run.on('close', resolve))
  await until(() => existsSync(join(folder.path, 'begun.txt')))
  run.kill('SIGKILL')
  await gone
  const words = ['serve', '--once', '--allow-all', '--unconfined']
  expect((await tek(words, { cwd: folder.path })).out).not.toContain('goes on')
  expect((await tek([...words, '--take-over'], { cwd: folder.path })).out).toMatch(/goes on +long[\s\S]*done +long/)
})

test('the program of --notify hears of a question once', async () => {
  const folder = open({ 'ship.tek': asking, 'tell.sh': '#!/bin/sh\ncat >> told.txt\n' })
  chmodSync(join(folder.path, 'tell.sh'), 0o755)
  await tek(['run', 'ship.tek'], { cwd: folder.path })
  const first = serve(folder.path, '--notify', './tell.sh')
  await until(() => has(first, 'announced', { task: 'deploy', failure: null }))
  first.child.kill('SIGTERM')
  await first.ended
  await tek(['serve', '--once', '--notify', './tell.sh'], { cwd: folder.path })
  const told = readFileSync(join(folder.path, 'told.txt'), 'utf8').trim().split('\n').map(line => JSON.parse(line) as object)
  expect(told).toEqual([expect.objectContaining({ kind: 'question', task: 'deploy', question: 'Deploy?', askedOf: null, dueMs: null })])
})

test('options that cannot be', async () => {
  const folder = open({ 'none.tek': 'workflow w() -> int {\n  return 1\n}\n' })
  for (const words of [['--notify', './not-there.sh'], ['--notify', 'no-program-of-this-name'], ['--port', '70000'], ['--runs', '0'], ['--runs', 'many'], ['-']]) expect((await tek(['serve', ...words], { cwd: folder.path })).err).toContain('cli/bad-value')
  const { code, err } = await tek(['serve', 'none.tek'], { cwd: folder.path })
  expect([code, err]).toEqual([2, expect.stringContaining('serve/no-triggers')])
  expect((await tek(['serve', 'none.tek', '--json'], { cwd: folder.path })).out).toContain('"code": "serve/no-triggers"')
})
