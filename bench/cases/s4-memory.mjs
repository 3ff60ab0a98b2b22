// S4: memory a task at 100,000 tasks: growth of the process's greatest resident size during the run, divided by the tasks. Journal off.
// The heap's garbage is in it, so it is an upper bound. Peers: Piscina at 100,000 tasks in layers of 1,000, LangGraph.js at 3,000.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { layeredTek } from '../generate.mjs'
import { runScript } from '../measure.mjs'

const TASKS = 100_000
const LANGGRAPH_TASKS = 3_000

export const id = 'S4'
export const title = 'memory a task at 100,000 tasks'
export const unit = 'bytes'
export const goal = { text: '≤ 1,024 bytes', met: tek => tek <= 1024 }

export function contestants({ folder, tekRun, peer }) {
  const program = join(folder, 's4.tek')
  writeFileSync(program, layeredTek(TASKS, 1_000))
  return {
    tek: async () => (await tekRun(program)).grownBytes / TASKS,
    'Piscina, one by one': async () => (await runScript(peer('piscina-layers.mjs'), [TASKS, 1_000])).grownBytes / TASKS,
    'LangGraph.js, 3,000': async () => (await runScript(peer('langgraph-layers.mjs'), [LANGGRAPH_TASKS, 100])).grownBytes / LANGGRAPH_TASKS,
  }
}
