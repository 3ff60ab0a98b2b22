// Drain: what runs may end after SIGTERM, for as long as `--drain` says; what it has started is gone within two seconds where nothing is said.
//   Two seconds are counted on top of what this machine needs to start tek at all, so that its load is no failure.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test } from 'vitest'
import type { RecordedRun } from '#model/report.ts'
import { project, startTek, tek } from './binary.ts'

const nap = `sleep 48.${process.pid}`
const folder = project({
  'slow.tek': 'workflow slow() -> string[] {\n  can exec("sh", "-c", "*"), fs.read("**"), fs.write("**")\n\n  task first = shell.run("sh", "-c", "echo begun >> begun; while ! test -f go; do sleep 0.05; done; echo done").stdout\n\n  task second after first = shell.run("sh", "-c", "echo second").stdout\n\n  return [first, second]\n}\n',
  'stubborn.tek': `workflow stubborn() -> bool {\n  can exec("sh", "-c", "*")\n\n  task a = shell.run("sh", "-c", "trap '' TERM INT; ${nap} & while :; do ${nap}; done").ok\n\n  return a\n}\n`,
})
const flags = ['--allow-all', '--unconfined']
const run = (...words: string[]): ReturnType<typeof tek> => tek(words, { cwd: folder.path })
const there = (name: string): boolean => existsSync(join(folder.path, name))
const alive = (): boolean => spawnSync('pgrep', ['-fx', nap]).status === 0
async function see(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise(resolve => setTimeout(resolve, 20))
}
const newest = async (): Promise<RecordedRun> => (JSON.parse((await run('runs', '--json')).out) as { runs: RecordedRun[] }).runs[0]!
afterEach(async () => {
  await run('stop', '--all')
  for (const name of ['.tek', 'go', 'begun']) rmSync(join(folder.path, name), { recursive: true, force: true })
})
afterAll(() => folder.remove())

test('a call under way ends by itself and is recorded; nothing new begins; it is not done again', async () => {
  let err = ''
  const { child, ended } = startTek(['run', 'slow.tek', '--drain', '10m', ...flags], { cwd: folder.path, onErr: text => void (err += text) })
  await see(() => there('begun'))
  child.kill('SIGTERM')
  await see(() => err.includes('Stopping: calls under way have 10 min 0 s to end, what is finished is kept. A second signal ends it at once.'))
  await new Promise(resolve => setTimeout(resolve, 1_500)) // longer than the usual second
  expect(child.exitCode).toBe(null)
  folder.write('go', '')
  expect((await ended).code).toBe(5)
  expect(await newest()).toMatchObject({ state: 'resumable', tasks: { done: 1 } })
  const resumed = await run('resume', ...flags)
  expect([resumed.code, JSON.parse(resumed.out)]).toEqual([0, ['done\n', 'second\n']])
  expect(readFileSync(join(folder.path, 'begun'), 'utf8')).toBe('begun\n')
})

test('what does not end in time is given up; a second signal waits for nothing', async () => {
  const short = startTek(['run', 'slow.tek', '--drain', '100ms', ...flags], { cwd: folder.path })
  await see(() => there('begun'))
  short.child.kill('SIGTERM')
  expect((await short.ended).code).toBe(5)
  expect((await newest()).tasks.done).toBe(0)
  rmSync(join(folder.path, 'begun'))
  let err = ''
  const long = startTek(['resume', '--drain', '10m', ...flags], { cwd: folder.path, onErr: text => void (err += text) })
  await see(() => there('begun'))
  long.child.kill('SIGTERM')
  await see(() => err.includes('A second signal'))
  long.child.kill('SIGTERM')
  expect((await long.ended).code).toBe(5)
})

test('a time that cannot be read is a usage mistake, before anything is done', async () => {
  for (const words of [['run', 'slow.tek'], ['resume']]) {
    for (const value of ['soon', '-1s', '25h']) {
      const { code, err } = await run(...words, '--drain', value, ...flags)
      expect(err).toContain('cli/')
      expect(code).toBe(2)
    }
  }
  expect(there('begun')).toBe(false)
})

test.each(['SIGTERM', 'SIGINT', 'tek stop'] as const)('after %s everything that was started is gone within two seconds', async how => {
  const startedMs = performance.now()
  await run('--version')
  const slackMs = 10 * (performance.now() - startedMs)
  const { child, ended } = startTek(['run', 'stubborn.tek', ...flags], { cwd: folder.path })
  await see(alive)
  const askedMs = performance.now()
  if (how === 'tek stop') await run('stop')
  else child.kill(how)
  const { code } = await ended
  expect(alive()).toBe(false)
  expect(performance.now() - askedMs).toBeLessThan(2_000 + slackMs)
  expect(code).toBe(how === 'SIGINT' ? 130 : 5)
})
