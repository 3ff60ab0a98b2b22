// No connection: tek looks nothing up and connects to nothing unless a program that may do so does: not to check, not to plan, not to run, and
// not for news of itself. What Node tries is written down by deny-network.cjs; what the system is asked for, by strace where there is one.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { binary, project } from '../e2e/binary.ts'

const preload = fileURLToPath(new URL('deny-network.cjs', import.meta.url))
const canTrace = spawnSync('strace', ['-f', '-e', 'trace=connect', 'true'], { stdio: 'ignore' }).status === 0

let here: ReturnType<typeof project>
let log: string
beforeAll(() => {
  here = project({
    'quiet.tek': 'workflow main() -> untrusted any {\n  can fs.read("**"), exec("node", "--version")\n  task files = fs.glob("**/*.tek")\n  task version = shell.must("node", "--version")\n  return { files: files, version: version }\n}\n',
    'asks.tek': 'workflow main() -> any {\n  can net("a.example:443")\n  task answer on failure use error.code = http.get("https://a.example/")\n  return answer\n}\n',
    'plugin.ts': 'import { definePlugin, pure, z } from \'tek-lang/plugin\'\nexport default definePlugin({ name: \'p\', version: \'1.0.0\', doc: \'\', tools: { one: pure({ doc: \'\', input: {}, output: z.int(), run: () => 1 }) } })\n',
    'plugged.tek': 'use plugin "./plugin.ts" as p\n\nworkflow main() -> int {\n  task x = p.one()\n  return x\n}\n',
  })
  log = join(mkdtempSync(join(tmpdir(), 'tek-attempts-')), 'log')
})
afterAll(() => {
  here.remove()
  rmSync(join(log, '..'), { recursive: true, force: true })
})

const environment = { PATH: process.env['PATH'] ?? '', HOME: tmpdir() }

/** What of a command line reached for the network, as Node saw it. */
function attempts(...words: string[]): string {
  writeFileSync(log, '')
  execFileSync(process.execPath, ['--require', preload, binary, ...words], { cwd: here.path, env: { ...environment, TEK_OFFLINE_LOG: log }, stdio: 'pipe' })
  return readFileSync(log, 'utf8')
}

const commands: readonly (readonly string[])[] = [
  ['--version'], ['--help'], ['check', 'quiet.tek'], ['fmt', '--check', 'quiet.tek'], ['plan', 'asks.tek'], ['graph', 'asks.tek'], ['run', 'quiet.tek', '--allow-all'], ['run', 'plugged.tek', '--allow-all'],
  ['runs'], ['explain', 'run/failed'],
]

describe('nothing is connected to', () => {
  for (const words of commands) test(`tek ${words.join(' ')}`, () => expect(attempts(...words)).toBe(''))
})

test('a program that may connect, and does, is seen to', () => {
  expect(attempts('run', 'asks.tek', '--allow-all')).toContain('lookup a.example')
})

describe.skipIf(!canTrace)('the system is asked for no connection (strace)', () => {
  /** Calls of connect and of what sends without one, to anything but files and the kernel. */
  const traced = (...words: string[]): string[] => {
    const output = join(log, '..', 'trace')
    spawnSync('strace', ['-f', '-qq', '-e', 'trace=connect,sendto,sendmsg,sendmmsg', '-o', output, process.execPath, binary, ...words], { cwd: here.path, env: environment, stdio: 'ignore' })
    expect(existsSync(output)).toBe(true)
    return readFileSync(output, 'utf8').split('\n').filter(line => /sa_family=AF_INET/.test(line))
  }
  for (const words of [['check', 'quiet.tek'], ['plan', 'asks.tek'], ['run', 'quiet.tek', '--allow-all']]) test(`tek ${words.join(' ')}`, () => expect(traced(...words)).toEqual([]))
})
