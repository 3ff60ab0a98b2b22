// After death: what a killed tek leaves of a sandbox that was being set up is ended; nobody else's is.
import { spawn, type ChildProcess } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isProcessAlive } from '#host/process-identity.ts'
import { buildScripts } from '../journal/build-scripts.ts'

const folder = mkdtempSync(join(tmpdir(), 'tek-after-death-'))
/** A program of this name that waits, as bubblewrap's inner half does when the outer one was killed. */
const fake = join(folder, 'bwrap')
let scripts = ''
const started: ChildProcess[] = []
beforeAll(async () => {
  copyFileSync('/bin/sleep', fake)
  scripts = await buildScripts('after-death', { 'sets-up': 'tests/host/sets-up.ts' })
})
afterAll(() => {
  for (const child of started) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

test.skipIf(process.platform !== 'linux')('its own are ended, another process\'s and a bystander live on', async () => {
  const bystander = spawn(fake, ['600'], { stdio: 'ignore' })
  started.push(bystander)
  const begin = async () => {
    const child = spawn(process.execPath, [join(scripts, 'sets-up.mjs'), fake], { stdio: ['ignore', 'pipe', 'inherit'] })
    started.push(child)
    const pid = await new Promise<number>(resolve => child.stdout.on('data', text => resolve(Number(text))))
    return { child, pid }
  }
  const [killed, other] = [await begin(), await begin()]
  expect(isProcessAlive(killed.pid)).toBe(true)
  killed.child.kill('SIGKILL')
  while (isProcessAlive(killed.pid)) await new Promise(resolve => setTimeout(resolve, 20))
  expect(isProcessAlive(other.pid)).toBe(true)
  expect(isProcessAlive(bystander.pid!)).toBe(true)
  other.child.kill('SIGKILL')
  while (isProcessAlive(other.pid)) await new Promise(resolve => setTimeout(resolve, 20))
})
