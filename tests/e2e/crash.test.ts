// Crash: bench/crash, reduced: real processes killed with SIGKILL at random instants; and what a killed tek leaves running.
import { execFile, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, describe, expect, test } from 'vitest'
import { nodeHost } from '#host/node-host.ts'
import { project, startTek, tek } from './binary.ts'

const bench = fileURLToPath(new URL('../../bench/crash/run.mjs', import.meta.url))
const PATIENCE_MS = 240_000

interface Report {
  readonly program: string
  readonly kills: number
  readonly problems: readonly string[]
}

interface Told {
  readonly ok: boolean
  readonly reports: readonly Report[]
}

describe.skipIf(process.platform !== 'linux')('killed at random instants', () => {
  test.concurrent.each([['fan-out', 9], ['retries', 7], ['cache', 7], ['commands', 7], ['approval', 4], ['files', 7]] as const)('%s, %i times: nothing lost, nothing doubled, nobody left', async (name, kills) => {
    const { stdout } = await promisify(execFile)(process.execPath, [bench, name, '--kills', String(kills), '--leave-ms', '30000', '--json'], { maxBuffer: 10_000_000 }).catch((error: { stdout: string }) => error)
    const { ok, reports: [report] } = JSON.parse(stdout) as Told
    expect(report).toMatchObject({ program: name, lost: 0, doubled: 0, repeated: 0, litter: 0, orphans: 0, problems: [] })
    expect(report!.kills).toBeGreaterThanOrEqual(kills)
    expect(ok).toBe(true)
  }, PATIENCE_MS)
})

test('a tool learns that its call was begun before, and sees the same key', async () => {
  const folder = project({
    'a.tek': 'use plugin "./again.ts" as again\n\nworkflow a() -> string {\n  can fs.write("out/**"), fs.read("out/**")\n\n  task told = again.tell()\n\n  return told\n}\n',
    'again.ts': `import { definePlugin, writes, z } from 'tek-lang/plugin'
export default definePlugin({ name: 'again', version: '1.0.0', doc: 'Tells what it is told.', tools: {
  tell: writes({ doc: 'The key, and whether it was begun before.', input: {}, output: z.string(), needs: { 'fs.write': ['out/key'], 'fs.read': ['out/key'] }, run: async (_, context) => {
    if (context.begunBefore) return (await context.files.readText('out/key')) === context.idempotencyKey ? 'begun before' : 'another key'
    await context.files.writeText('out/key', context.idempotencyKey)
    await context.sleep(600_000)
    return 'not killed'
  } }),
} })
`,
  })
  const { child, ended } = startTek(['run', 'a.tek'], { cwd: folder.path })
  while (!existsSync(join(folder.path, 'out/key'))) await new Promise(resolve => setTimeout(resolve, 20))
  child.kill('SIGKILL')
  await ended
  const { out, err } = await tek(['resume'], { cwd: folder.path })
  expect(out, err).toContain('begun before')
  folder.remove()
})

const level = await nodeHost({ cwd: process.cwd() }).isolation?.() ?? 0

describe.skipIf(level < 2)(`a confined command when its tek is killed (needs a sandbox; here level ${level})`, () => {
  const nap = `sleep 77.${process.pid}`
  const folder = project({ 'nap.tek': `workflow nap() -> bool {\n  can exec("sh", "-c", "*")\n\n  task a = shell.run("sh", "-c", "trap '' TERM; ${nap} & setsid ${nap}")\n\n  return a.ok\n}\n` })
  afterAll(() => folder.remove())
  const alive = (): boolean => spawnSync('pgrep', ['-fx', nap]).status === 0
  const until = async (isSo: () => boolean): Promise<void> => {
    while (!isSo()) await new Promise(resolve => setTimeout(resolve, 20))
  }

  test('is gone, with its children, also one in a session of its own; and the run can be gone on with', async () => {
    const { child, ended } = startTek(['run', 'nap.tek'], { cwd: folder.path })
    await until(() => spawnSync('pgrep', ['-fxc', nap]).stdout.toString().trim() === '2')
    child.kill('SIGKILL')
    await ended
    await until(() => !alive())
    expect((await tek(['runs'], { cwd: folder.path })).out).toContain('resumable')
  })
})
