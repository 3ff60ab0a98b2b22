// Flaky: `tek run flaky -- COMMAND` by the built program, at each level this machine has, on a suite whose faults are known.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { machineLevel } from '#host/run-command.ts'
import { project, startTek, tek } from './binary.ts'

const { level: strongest } = await machineLevel()
const folders: { remove(): void }[] = []
const folderWith = (files: Readonly<Record<string, string>>): ReturnType<typeof project> => {
  const made = project(files)
  folders.push(made)
  return made
}
afterAll(() => { for (const each of folders) each.remove() })

/** Prints TAP; half of the time `reconnects` fails. It writes beside itself and would see what an earlier run left. */
const suite = `
const { existsSync, writeFileSync } = require('node:fs')
const { randomInt } = require('node:crypto')
const fresh = !existsSync('left.txt')
writeFileSync('left.txt', 'x')
const works = randomInt(2) === 0
console.log('TAP version 13')
console.log((fresh ? 'ok' : 'not ok') + ' 1 - starts fresh')
console.log((works ? 'ok' : 'not ok') + ' 2 - reconnects')
if (!works) console.log('  ---\\n  error: connection <lost> after ' + randomInt(1000) + ' ms\\n  ...')
console.log((require('one').one === 1 ? 'ok' : 'not ok') + ' 3 - finds its package')
console.log('1..3')
process.exit(works && fresh ? 0 : 1)
`
const packageFiles = { 'node_modules/one/package.json': '{"name":"one","version":"1.0.0"}', 'node_modules/one/index.js': 'exports.one = 1\n' }
/** 25 runs: that all of them agree has a chance of 1 in 16 million. */
const RUNS = ['--runs', '25']
const flaky = (cwd: string, words: readonly string[], level: number = strongest) => tek(['run', 'flaky', ...words], { cwd, env: level === strongest ? {} : { TEK_SANDBOX: String(level) } })

for (const level of [3, 2]) {
  describe.skipIf(strongest < level)(`level ${level}${strongest < level ? ' (this machine has no sandbox of that level)' : ''}`, () => {
    test('a flaky test is found and shown, the others are stable, the folder stays as it was', async () => {
      const folder = folderWith({ ...packageFiles, 'suite.js': suite })
      const { code, err } = await flaky(folder.path, [...RUNS, '--', 'node', 'suite.js'], level)
      expect(err).toContain('2 of 3 tests are stable in 25 runs; reconnects: not always the same.')
      expect(code).toBe(1)
      expect(err).toMatch(/reconnects fails \d+ of 25 \(run \d+/)
      expect(err).toContain('- ok 2 - reconnects')
      expect(err).toContain('+ not ok 2 - reconnects')
      expect(readdirSync(folder.path).filter(name => name !== '.tek').sort()).toEqual(['flaky.html', 'node_modules', 'suite.js'])
      const page = readFileSync(join(folder.path, 'flaky.html'), 'utf8')
      expect(page).toContain('connection &lt;lost&gt;')
      expect(page).not.toContain('connection <lost>')
      expect(page).toContain(`sandbox level ${level}`)
      expect(page).not.toContain(folder.path)
    })
  })
}

test.skipIf(strongest < 3)('tests that need a port on this machine find one at level 3', async () => {
  const folder = folderWith({ 'suite.js': "require('node:net').createServer().listen(0, '127.0.0.1', function () { console.log('TAP version 13\\nok 1 - listens\\n1..1'); this.close() })\n" })
  const { code, out } = await flaky(folder.path, ['--runs', '3', '--', 'node', 'suite.js'])
  expect(out).toContain('The only test is stable in 3 runs: it fails less than 63 % of the time (95 % sure).')
  expect(code).toBe(0)
})

test.skipIf(strongest < 2)('a socket that level 2 does not give is said to be wanted; the tests are not called broken', async () => {
  const folder = folderWith({ 'suite.js': "require('node:net').createServer().on('error', e => { console.log('TAP version 13\\nnot ok 1 - listens\\n  ' + e.message + '\\n1..1'); process.exit(1) }).listen('/tmp/a.sock', () => process.exit(0))\n" })
  const { code, err } = await flaky(folder.path, ['--runs', '3', '--', 'node', 'suite.js'], 2)
  expect(err).toContain('The tests wanted a socket')
  expect(code).toBe(1)
})

test.skipIf(strongest < 2)('what never works is run three times and no more; what runs nothing is no success', async () => {
  const broken = folderWith({ 'suite.js': "console.log('TAP version 13\\nnot ok 1 - divides\\n1..1'); process.exit(1)\n" })
  const first = await flaky(broken.path, ['--', 'node', 'suite.js'])
  expect(first.err).toContain('No test is flaky in 3 runs, and 1 of 1 tests always fails: divides.')
  expect(first.code).toBe(1)
  const nothing = folderWith({ 'suite.js': "console.log('TAP version 13\\nok 1 - a # SKIP\\n1..1')\n" })
  const second = await flaky(nothing.path, ['--', 'node', 'suite.js'])
  expect(second.err).toContain('The command ran no test in 3 runs.')
  expect(second.code).toBe(1)
})

test.skipIf(strongest < 2)('a command without a known format has its exit code', async () => {
  const folder = folderWith({ 'check.sh': 'echo checked\n' })
  const { code, out } = await flaky(folder.path, ['--runs', '3', '--', 'sh', './check.sh'])
  expect(out).toContain('The command ended well in all of 3 runs. Which tests it ran is not known')
  expect(code).toBe(0)
})

test('without a command it says how it is used; a program that is not there is named', async () => {
  const folder = folderWith({})
  expect((await flaky(folder.path, [])).err).toContain('after `--`')
  if (strongest >= 2) expect((await flaky(folder.path, ['--', 'no-such-program'])).err).toContain('no-such-program')
})

test.skipIf(strongest < 2)('killed in the middle, it goes on with the next run', async () => {
  const folder = folderWith({ 'suite.js': "console.log('TAP version 13\\nok 1 - a\\n1..1')\nsetTimeout(() => {}, 150)\n" })
  let recorded = 0
  const { ended } = startTek(['run', 'flaky', '--runs', '12', '--json', '--', 'node', 'suite.js'], {
    cwd: folder.path,
    onOut: (text, kill) => {
      recorded += (text.match(/"path":"(?:start|more)\[\d+\]\/ran","label":null,"status":"done"/g) ?? []).length
      if (recorded >= 5) kill('SIGKILL')
    },
  })
  expect((await ended).code).toBeNull()
  const { code, out } = await tek(['resume'], { cwd: folder.path })
  expect(out).toContain('The only test is stable in 12 runs')
  expect(code).toBe(0)
  const started = (await tek(['audit', 'show'], { cwd: folder.path })).out.match(/exec.*suite\.js/g) ?? []
  expect(started.length).toBeGreaterThanOrEqual(12)
  expect(started.length).toBeLessThanOrEqual(13) // the one that was cut in two
})

test.skipIf(strongest < 2)('tests that want the internet are said to', async () => {
  const folder = folderWith({ 'suite.js': "require('node:dns').lookup('registry.example', e => { console.log('TAP version 13\\n' + (e ? 'not ok' : 'ok') + ' 1 - asks\\n  ' + (e && e.message) + '\\n1..1'); process.exit(e ? 1 : 0) })\n" })
  const { code, err } = await flaky(folder.path, ['--', 'node', 'suite.js'])
  expect(err).toContain('The tests wanted the internet')
  expect(code).toBe(1)
})
