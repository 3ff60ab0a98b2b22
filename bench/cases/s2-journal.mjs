// S2: what one task costs when it does nothing and every step is written to a journal that survives `kill -9`, layered 10,000.
// Peer: LangGraph.js with checkpoints in memory, 1,000 nodes: its SQLite saver can only be slower.
// Floor: two small rows a task into SQLite (WAL, synchronous NORMAL), a transaction for each 1,000.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { layeredTek } from '../generate.mjs'
import { runScript } from '../measure.mjs'

const TASKS = 10_000
const LANGGRAPH_TASKS = 1_000

export const id = 'S2'
export const title = 'a no-op task with the journal, layered 10,000'
export const unit = 'µs'
export const goal = { text: '≤ 8 µs', met: tek => tek <= 8 }

export function contestants({ folder, tekRun, peer, floor, fresh }) {
  const program = join(folder, 's2.tek')
  writeFileSync(program, layeredTek(TASKS, 1_000))
  return {
    tek: async () => ((await tekRun(program, { database: fresh('s2.db') })).elapsedMs * 1000) / TASKS,
    'LangGraph.js, 1,000, in memory': async () => ((await runScript(peer('langgraph-layers.mjs'), [LANGGRAPH_TASKS, 100, 'memory'])).elapsedMs * 1000) / LANGGRAPH_TASKS,
    floor: async () => ((await runScript(floor('rows.mjs'), [TASKS, fresh('rows.db')])).elapsedMs * 1000) / TASKS,
  }
}
