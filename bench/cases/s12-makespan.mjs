// S12: how close the order of work comes to the best: a random graph of 160 tasks that sleep for known times, four at once.
// The number is the time taken divided by max(critical path, work / 4); 1 is the best anyone can do. tek is measured on the second run with
// the same journal, when it knows from the first how long each task takes; a program that sleeps once loads the module before. Sleeping tasks leave the processors to others, so noise is small.
// Peer: make -j4 with `sleep`, in its own order (it starts a process for each, about 1 ms).
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { leastMakespanMs, randomGraph, sleepingMake, sleepingTek } from '../generate.mjs'
import { runCommand } from '../measure.mjs'

const TASKS = 160
const PLACES = 4
const SEED = 12

export const id = 'S12'
export const title = 'makespan of a random graph, 160 tasks, 4 at once'
export const unit = '× best'
export const goal = { text: '≤ 1.01', met: tek => tek <= 1.01 }

export function contestants({ folder, tekRun, programs, fresh }) {
  const graph = randomGraph(TASKS, SEED)
  const best = leastMakespanMs(graph, PLACES)
  const program = join(folder, 's12.tek')
  writeFileSync(program, sleepingTek(graph, PLACES))
  writeFileSync(join(folder, 's12.mk'), sleepingMake(graph))
  const before = join(folder, 's12-before.tek')
  writeFileSync(before, sleepingTek([{ id: 0, ms: 1, after: [] }], PLACES))
  const database = fresh('s12.db')
  let learned = null
  return {
    tek: async () => {
      learned ??= await tekRun(program, { database, before })
      return (await tekRun(program, { database, before })).elapsedMs / best
    },
    make: async () => (await runCommand(programs.need('make'), ['-C', folder, '-f', 's12.mk', `-j${PLACES}`])).elapsedMs / best,
  }
}
