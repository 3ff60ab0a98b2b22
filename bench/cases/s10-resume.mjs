// S10: from the start of the process `tek resume` to the first effect of a run of 100,000 tasks of which half are done: the moment at which the first file is made.
// That nothing is done again is asserted by the engine's tests. Floor: `node -e 0`, from its start to its end.
import { spawn } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { copyOf, halfDone } from '../half-done.mjs'
import { benchEnvironment, runCommand } from '../measure.mjs'

const TASKS = 100_000
const LOOK_MS = 2
const PATIENCE_MS = 60_000

export const id = 'S10'
export const title = 'tek resume, 100,000 tasks half done, to the first effect'
export const unit = 'ms'
export const goal = { text: '≤ 250 ms', met: tek => tek <= 250 }

async function firstEffect(context, made) {
  const cwd = copyOf(context, made)
  const from = performance.timeOrigin + performance.now()
  const child = spawn(process.execPath, [context.tek, 'resume', '--allow-all', '--quiet'], { cwd, env: benchEnvironment(), stdio: 'ignore' })
  const ended = new Promise(resolve => child.on('close', resolve))
  try {
    for (let passedMs = 0; passedMs < PATIENCE_MS && child.exitCode === null; passedMs += LOOK_MS) {
      await new Promise(resolve => setTimeout(resolve, LOOK_MS))
      const files = readdirSync(join(cwd, 'out')).filter(name => /^\d+$/.test(name))
      if (files.length > 0) return Math.min(...files.map(name => statSync(join(cwd, 'out', name)).birthtimeMs)) - from
    }
    throw new Error('no file was made')
  } finally {
    child.kill('SIGKILL')
    await ended
  }
}

export async function contestants(context) {
  const made = await halfDone(context, TASKS)
  return {
    tek: () => firstEffect(context, made),
    floor: async () => (await runCommand(process.execPath, ['-e', '0'])).elapsedMs,
  }
}
