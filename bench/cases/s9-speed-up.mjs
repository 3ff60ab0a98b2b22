// S9: how much faster 64 tasks of about 50 ms of processor time are on two threads than on one.
// Peer: make -j2 against -j1, commands of awk that take about as long. Floor: 2 would be perfect.
// The two times of a contestant are taken one after the other; on a busy machine nobody reaches 2.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { busyMake, busyTek } from '../generate.mjs'
import { runCommand } from '../measure.mjs'

const TASKS = 64
const TASK_MS = 50
const PROBE_ROUNDS = 100_000

export const id = 'S9'
export const title = '64 tasks of 50 ms of work, two threads against one'
export const unit = '× faster'
export const moreIsBetter = true
export const goal = { text: '≥ 1.93', met: tek => tek >= 1.93 }

export async function contestants({ folder, tekRun, programs }) {
  const program = join(folder, 's9.tek')
  // The difference of two probes: starting a thread and warming up are not work.
  const probe = async tasks => {
    writeFileSync(program, busyTek(tasks, PROBE_ROUNDS))
    return (await tekRun(program, { workers: 1 })).elapsedMs
  }
  const taskMs = ((await probe(24)) - (await probe(8))) / 16
  writeFileSync(program, busyTek(TASKS, Math.round((PROBE_ROUNDS * TASK_MS) / taskMs)))
  const awk = count => `awk 'BEGIN{for(i=0;i<${count};i++)s+=i%7}'`
  const probeCount = 2_000_000
  const awkMs = (await runCommand('sh', ['-c', awk(probeCount)])).elapsedMs
  writeFileSync(join(folder, 's9.mk'), busyMake(TASKS, awk(Math.round((probeCount * TASK_MS) / awkMs))))
  const make = async jobs => (await runCommand(programs.need('make'), ['-C', folder, '-f', 's9.mk', `-j${jobs}`])).elapsedMs
  return {
    tek: async () => (await tekRun(program, { workers: 1 })).elapsedMs / (await tekRun(program, { workers: 2 })).elapsedMs,
    make: async () => (await make(1)) / (await make(2)),
  }
}
