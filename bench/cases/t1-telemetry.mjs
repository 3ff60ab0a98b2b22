// T1: what measuring a run adds to it: 10,000 no-op tasks with the journal, where each task costs the least there is to add to.
// Pairs of runs with and without telemetry in one process (bench/telemetry-child.mjs): how much more processor time the median run takes with it.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { layeredTek } from '../generate.mjs'
import { runScript } from '../measure.mjs'

const TASKS = 10_000
const PAIRS = 25

export const id = 'T1'
export const title = 'events and metrics in SQLite, on 10,000 no-op tasks with the journal'
export const unit = '% of the run'
export const goal = { text: '≤ 2 %', met: tek => tek <= 2 }

export function contestants({ root, folder, hostModule }) {
  const program = join(folder, 't1.tek')
  writeFileSync(program, layeredTek(TASKS, 1_000))
  return {
    tek: async () => (await runScript(join(root, 'bench/telemetry-child.mjs'), [hostModule, program, PAIRS], { cwd: folder, nodeOptions: ['--expose-gc'] })).overhead * 100,
  }
}
