// Jail: `tek run jail -- COMMAND` by the built program, at each level this machine has: what a command tries is stopped and listed.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { machineLevel } from '#host/run-command.ts'
import { project, tek } from './binary.ts'

const home = mkdtempSync(join(tmpdir(), 'tek-home-'))
mkdirSync(join(home, '.ssh'))
writeFileSync(join(home, '.ssh', 'id_ed25519'), 'the key\n')
const folder = project({
  'suspicious.js': [
    "const { readFileSync, writeFileSync, existsSync } = require('node:fs')",
    'const attempt = work => { try { return work() } catch { return null } }',
    "const key = attempt(() => readFileSync(process.env.HOME + '/.ssh/id_ed25519', 'utf8'))",
    `const byName = attempt(() => readFileSync(${JSON.stringify(join(home, '.ssh', 'id_ed25519'))}, 'utf8'))`,
    "attempt(() => writeFileSync('./suspicious.js', 'gone'))",
    "attempt(() => writeFileSync('./made.txt', 'new'))",
    "attempt(() => writeFileSync('/tmp/tek-jail-mine', 'fine'))",
    "console.log(key === null && byName === null ? 'no key' : 'got the key')",
    "require('node:http').get('http://collector.example.com/').on('error', () => console.log('no name'))",
    "require('node:net').connect(443, '192.0.2.7').on('error', () => console.log('no way'))",
  ].join('\n'),
  'bomb.pl': 'fork while 1;\n',
  'hog.js': 'const all = []\nfor (;;) all.push(Buffer.alloc(64 * 1024 ** 2, 1))\n',
})
afterAll(() => {
  folder.remove()
  rmSync(home, { recursive: true, force: true })
})
const { level: strongest } = await machineLevel()
const jail = (level: number, ...command: string[]): ReturnType<typeof tek> =>
  tek(['run', 'jail', '--quiet', '--', ...command], { cwd: folder.path, env: { HOME: home, ...(level === strongest ? {} : { TEK_SANDBOX: String(level) }) } })

for (const level of [3, 2]) {
  describe.skipIf(strongest < level)(`level ${level}${strongest < level ? ' (this machine has no sandbox of that level)' : ''}`, () => {
    test('reading a key, a connection, a look-up and a change are refused and listed; what it may do is listed too', async () => {
      const { code, out } = await jail(level, 'node', './suspicious.js')
      expect(code).toBe(0)
      expect(out).toContain(`level ${level}: `)
      expect(out).toContain('refused  read     ~/.ssh/id_ed25519')
      expect(out).toContain(`refused  read     ${join(home, '.ssh', 'id_ed25519')}`)
      expect(out).toContain('refused  connect  192.0.2.7:443')
      expect(out).toContain('refused  look-up  collector.example.com')
      expect(out).toContain(`refused  write    ${join(folder.path, 'suspicious.js')}`)
      expect(out).toContain(`refused  write    ${join(folder.path, 'made.txt')}`)
      expect(out).toMatch(/allowed {2}start {4}\S*node/)
      expect(out).toContain('allowed  write    1 file in a /tmp and a home of its own, gone now')
      expect(out).toMatch(/allowed {2}read {5}1 file of this folder, \d+ of the system/)
      expect(out).toContain('no key')
      expect(readFileSync(join(folder.path, 'suspicious.js'), 'utf8')).toContain('got the key')
      expect(existsSync('/tmp/tek-jail-mine')).toBe(false)
    })

    test('a fork bomb is ended, and so is a program that takes all memory', async () => {
      const bomb = await jail(level, 'perl', './bomb.pl')
      expect(bomb.out).toContain('ended: it started too many processes')
      const hog = await jail(level, 'node', './hog.js')
      expect(hog.out).toContain('ended: it took too much memory')
    }, 120_000)

    test('a command that takes too long is ended, and how long is said in words', async () => {
      const { out } = await tek(['run', 'jail', '--quiet', '--timeout', '2s', '--', 'sleep', '60'], { cwd: folder.path, env: { HOME: home, ...(level === strongest ? {} : { TEK_SANDBOX: String(level) }) } })
      expect(out).toContain('ended: it took longer than 2s')
    })

    test('its exit code is told, and a command that is not there says so', async () => {
      expect((await jail(level, 'sh', '-c', 'exit 7')).out).toContain('exit code 7')
      const missing = await jail(level, 'no-such-program')
      expect(missing.code).toBe(1)
      expect(missing.err).toContain('no-such-program')
    })
  })
}

test('without a command it says how it is used', async () => {
  const { code, err } = await tek(['run', 'jail'], { cwd: folder.path })
  expect(code).not.toBe(0)
  expect(err).toContain('after `--`')
})
