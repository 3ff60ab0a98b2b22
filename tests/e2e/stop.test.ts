// Stop: `tek stop`, the file .tek/STOP and SIGTERM end a run and every process it started; what is left is resumable.
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test } from 'vitest'
import type { RecordedRun, StopSeen } from '#model/report.ts'
import { sqliteJournal } from '#interpreter/journal/sqlite.ts'
import { somePlan, someSummary } from '../journal/some-run.ts'
import { project, startTek, tek } from './binary.ts'

/** Of this process only: what another test left behind is not counted. */
const nap = `sleep 47.${process.pid}`
/** A command that does not heed SIGTERM and has a child of its own; it ends at once where there is a file `go`. */
const stubborn = `test -f go && exit 0; trap '' TERM; ${nap} & while :; do ${nap}; done`
const folder = project({
  'flow.tek': `workflow flow() -> bool {\n  can exec("sh", "-c", "*"), fs.read("**"), fs.write("**")\n\n  task stubborn = shell.run("sh", "-c", "${stubborn}")\n\n  task next = shell.run("sh", "-c", "touch next").ok and stubborn.ok\n\n  return next\n}\n`,
  'busy.tek': 'workflow busy() -> int {\n  task counted for n in range(90000) = sum(range(1500)) - n\n\n  return sum(counted)\n}\n',
})
const run = (...words: string[]): ReturnType<typeof tek> => tek(/^(run|resume)$/.test(words[0]!) ? [...words, '--allow-all'] : words, { cwd: folder.path })
const alive = (): boolean => spawnSync('pgrep', ['-fx', nap]).status === 0
const listed = async (): Promise<RecordedRun[]> => (JSON.parse((await run('runs', '--json')).out) as { runs: RecordedRun[] }).runs
afterEach(() => rmSync(join(folder.path, 'go'), { force: true }))
afterAll(() => folder.remove())

/** Begins a run; answers when its command is there. */
async function begun(): Promise<ReturnType<typeof startTek>> {
  const started = startTek(['run', 'flow.tek', '--allow-all'], { cwd: folder.path })
  while (!alive()) await new Promise(resolve => setTimeout(resolve, 20))
  return started
}

test('`tek stop` ends the run within two seconds, with what it started, and it can be resumed', async () => {
  const { child, ended } = await begun()
  expect((await listed())[0]).toMatchObject({ state: 'running', driver: { pid: child.pid } })
  const stopped = await run('stop') // it watches for two seconds
  expect(stopped.out).toMatch(new RegExp(`^[0-9a-f]{8} has stopped, and its process ${child.pid} has ended`))
  expect(stopped.code).toBe(0)
  expect(alive()).toBe(false)
  const { code, err } = await ended
  expect(code).toBe(5)
  expect(err).toContain('error run/stopped: The run was stopped by `tek stop`.')
  expect(err).toMatch(/`tek resume [0-9a-f]{8}` goes on with it/)
  expect((await listed())[0]).toMatchObject({ state: 'resumable', driver: null })
  folder.write('go', '')
  const resumed = await run('resume')
  expect(resumed.out).toContain('true')
  expect(resumed.code).toBe(0)
  expect((await run('stop', 'last')).out).toContain('is not running')
})

test('the file .tek/STOP stops every run, and keeps others from beginning', async () => {
  const { ended } = await begun()
  folder.write('.tek/STOP', '')
  const { code, err } = await ended
  expect(code).toBe(5)
  expect(err).toContain('The run was stopped by the file .tek/STOP.')
  expect(alive()).toBe(false)
  for (const words of [['run', 'flow.tek'], ['resume']]) {
    const refused = await run(...words)
    expect(refused.err).toContain('run/stop-file')
    expect(refused.code).toBe(5)
  }
  rmSync(join(folder.path, '.tek', 'STOP'))
  folder.write('go', '')
  expect((await run('resume')).code).toBe(0)
})

test.each(['SIGTERM', 'SIGHUP'] as const)('%s stops gracefully with exit code 5', async signal => {
  const { child, ended } = await begun()
  child.kill(signal)
  const { code, err } = await ended
  expect(code).toBe(5)
  expect(err).toContain('The run was stopped by a signal to end.')
  expect(alive()).toBe(false)
  expect((await listed())[0]).toMatchObject({ state: 'resumable' })
})

test('several runs: name one or all of them', async () => {
  const both = [await begun(), startTek(['run', 'flow.tek', '--allow-all'], { cwd: folder.path })]
  while ((await listed()).filter(each => each.state === 'running').length < 2) await new Promise(resolve => setTimeout(resolve, 50))
  const which = await run('stop')
  expect(which.err).toContain('cli/several-running')
  expect(which.code).toBe(2)
  const all = JSON.parse((await run('stop', '--all', '--json')).out) as { runs: StopSeen[] }
  expect(all.runs.map(each => each.kind)).toEqual(['ended', 'ended'])
  expect((await Promise.all(both.map(each => each.ended))).map(each => each.code)).toEqual([5, 5])
  expect(alive()).toBe(false)
  expect((await run('stop', '--all')).err).toContain('Nothing is running here.')
})

test('a process on another machine that does not answer is said to go on', async () => {
  const elsewhere = project({})
  const journal = await sqliteJournal(join(elsewhere.path, '.tek', 'tek.db'))
  journal.startRun(someSummary('abcdef123456'), somePlan, { lease: { owner: 'o', pid: process.pid, hostName: 'elsewhere', bootId: 'b', expiresMs: Date.now() + 600_000 } })
  const stopped = await tek(['stop'], { cwd: elsewhere.path })
  expect(stopped.err).toContain('cli/still-running')
  expect(stopped.code).toBe(1)
  expect(journal.standing('abcdef123456', 'o')).toEqual({ isOwner: true, isAskedToStop: true })
  journal.close()
  elsewhere.remove()
})

test('a run that never waits is stopped as well', async () => {
  const { ended } = startTek(['run', 'busy.tek', '--allow-all'], { cwd: folder.path })
  while (!(await listed()).some(each => each.state === 'running')) await new Promise(resolve => setTimeout(resolve, 10))
  await run('stop')
  const { code } = await ended
  expect(code).toBe(5)
  const resumed = await run('resume')
  expect(resumed.code).toBe(0)
})
