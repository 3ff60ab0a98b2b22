// S2: what the journal adds to tasks of about 100 µs: 20,000 of them, one after the other in the process, with the journal on disk against the one in memory, in turns.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

const TASKS = 20_000
/** Additions of one task: some 100 µs on a machine of 2024. */
const WORK = 500

export const id = 'S2-100'
export const title = 'time with the journal, tasks of about 100 µs'
export const unit = '× without'
export const goal = { text: '≤ 1.05', met: tek => tek <= 1.05 }

export function contestants({ folder, tekRun, fresh }) {
  const program = join(folder, 's2-100.tek')
  writeFileSync(program, `workflow work() -> int {\n  task t for i in take(range(${TASKS}), ${TASKS}) = sum([mod(x * 7919 + i, 104729) for x in range(${WORK})])\n  return len(t)\n}\n`)
  return {
    async tek() {
      const [first, second] = [await tekRun(program, { database: fresh('s2-100.db') }), await tekRun(program)]
      return first.elapsedMs / second.elapsedMs
    },
  }
}
