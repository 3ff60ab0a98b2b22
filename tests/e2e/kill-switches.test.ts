// Kill switches: what a run has started is gone after `tek stop`, however it behaves and whatever state the run's process is in.
//   Time is judged by `tek stop`'s own clock: it gives up after two seconds, and says so with exit code 1.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AuditVerdict } from '#interpreter/audit/verify.ts'
import type { AuditEntryShown, StopSeen } from '#model/report.ts'
import { buildScripts } from '../journal/build-scripts.ts'
import { project, startTek, tek } from './binary.ts'

/** Of this process only: what another test left behind is not counted. */
const nap = (kind: number): string => `sleep ${50 + kind}.${process.pid}`
const kinds: readonly [string, string][] = [
  ['a command that does not heed SIGTERM', `trap '' TERM; while :; do ${nap(0)}; done`],
  ['a tree of processes', `for i in 1 2 3; do sh -c '${nap(1)} & ${nap(1)} & wait' & done; wait`],
  ['one that has left its parents, but not their session', `(sh -c '${nap(2)} & exec sleep 0.1' &); ${nap(2)}`],
  ['a child in a session of its own', `setsid sh -c '${nap(3)}' & wait`],
]
const folder = project(Object.fromEntries(kinds.map(([, command], at) => [
  `k${at}.tek`, `workflow k${at}() -> bool {\n  can exec("sh", "-c", "*")\n\n  task a = shell.run("sh", "-c", ${JSON.stringify(command)})\n\n  return a.ok\n}\n`,
])))
let scripts = ''
beforeAll(async () => void (scripts = await buildScripts('kill-switches', { 'blocked-run': 'tests/e2e/blocked-run.ts' })))
afterAll(() => {
  folder.remove()
  for (let kind = 0; kind < 10; kind++) spawnSync('pkill', ['-9', '-fx', nap(kind)]) // only where a test has failed
})
const run = (...words: string[]): ReturnType<typeof tek> => tek(words, { cwd: folder.path })
const count = (kind: number): number => spawnSync('pgrep', ['-fxc', nap(kind)]).stdout.toString().trim() === '' ? 0 : Number(spawnSync('pgrep', ['-fxc', nap(kind)]).stdout.toString())
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise(resolve => setTimeout(resolve, 30))
}
async function stopped(...words: string[]): Promise<StopSeen[]> {
  return (JSON.parse((await run('stop', '--json', ...words)).out) as { runs: StopSeen[] }).runs
}

describe.each(kinds.map(([what], at) => ({ what, at })))('$what', ({ at }) => {
  test('is gone when `tek stop` comes back; the run\'s process ended by itself', async () => {
    const { ended } = startTek(['run', `k${at}.tek`, '--allow-all'], { cwd: folder.path })
    await until(() => count(at) >= (at === 1 ? 6 : 1))
    expect((await stopped())[0]!.kind).toBe('ended')
    expect(count(at)).toBe(0)
    expect((await ended).code).toBe(5)
  })

  test('is gone as well when the run\'s process is suspended and has to be ended from outside', async () => {
    const { child, ended } = startTek(['run', `k${at}.tek`, '--allow-all'], { cwd: folder.path })
    await until(() => count(at) >= (at === 1 ? 6 : 1))
    child.kill('SIGSTOP')
    const [seen] = await stopped()
    expect(seen).toMatchObject({ kind: 'killed', pid: child.pid })
    expect(count(at)).toBe(0)
    expect((await ended).code).toBe(null) // killed
  })
})

test('a process whose event loop is blocked is ended from outside, with what it has started; the log says so, and the run can be resumed', async () => {
  const child = spawn(process.execPath, [join(scripts, 'blocked-run.mjs'), folder.path, `${nap(5)} & ${nap(5)}`], { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  child.stdout.on('data', text => void (said += String(text)))
  const ended = new Promise(resolve => child.on('close', (_, signal) => resolve(signal)))
  await until(() => said.includes('blocked') && count(5) === 2)
  const { out, code } = await run('stop')
  expect(code).toBe(0)
  expect(out).toMatch(new RegExp(`did not answer, so its process ${child.pid} was ended with [2-9] processes that it had started`))
  expect(count(5)).toBe(0)
  expect(await ended).toBe('SIGKILL')
  expect((await run('runs')).out.split('\n')[0]).toContain('resumable')
  const { entries } = JSON.parse((await run('audit', 'show', 'last', '--json')).out) as { entries: AuditEntryShown[] }
  expect(entries.at(-1)).toMatchObject({ kind: 'stopped', verdict: 'stopped' })
  expect(entries.at(-1)!.what).toMatch(new RegExp(`^\`tek stop\`, which ended process ${child.pid} and [2-9] more$`))
  const verdict = JSON.parse((await run('audit', 'verify', '--json')).out) as AuditVerdict
  expect(verdict.problems).toEqual([])
})

test('a second Ctrl-C ends at once, and nothing that was started is left', async () => {
  let sent = 0
  const { child, ended } = startTek(['run', 'k1.tek', '--allow-all'], { cwd: folder.path, onErr: text => {
    if (sent === 1 && text.includes('Stopping')) {
      sent = 2
      child.kill('SIGINT')
    }
  } })
  await until(() => count(1) >= 6)
  sent = 1
  child.kill('SIGINT')
  expect((await ended).code).toBe(130)
  expect(sent).toBe(2)
  expect(count(1)).toBe(0)
})

test('no effect begins once the file .tek/STOP is there', async () => {
  const many = project({ 'many.tek': 'workflow many() -> path[] {\n  can fs.write("out/**")\n\n  task a for n in range(50000) parallel 4 = fs.write("out/${n}.txt", "x")\n\n  return a\n}\n' })
  const begun = (): number => (existsSync(join(many.path, 'out')) ? readdirSync(join(many.path, 'out')).length : 0)
  try {
    const { ended } = startTek(['run', 'many.tek', '--allow-all'], { cwd: many.path })
    await until(() => begun() > 100)
    many.write('.tek/STOP', '')
    const before = begun()
    expect((await ended).code).toBe(5)
    expect(begun() - before).toBeLessThanOrEqual(4) // those that were under way
    const { entries } = JSON.parse((await tek(['audit', 'show', '--json'], { cwd: many.path })).out) as { entries: AuditEntryShown[] }
    const stop = entries.find(each => each.kind === 'stopped')!
    expect(stop.what).toBe('the file .tek/STOP')
    expect(entries.filter(each => each.verdict === 'allowed' && each.seq > stop.seq)).toEqual([])
  } finally {
    many.remove()
  }
})
