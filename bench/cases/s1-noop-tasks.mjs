// S1: what one task costs when it does nothing, in a graph of 100,000 tasks in layers of 1,000, journal off.
// tek evaluates a pure expression in its engine; Piscina sends a message to a thread for each; make and ninja walk targets that start
// nothing (their time includes reading the file, tek's does not include checking it); LangGraph.js runs 3,000 nodes, more take it minutes.
// Floor: a loop that makes an object a task, queues it, takes it off and counts it.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { layeredMake, layeredNinja, layeredTek } from '../generate.mjs'
import { runCommand, runScript } from '../measure.mjs'

const TASKS = 100_000
const WIDTH = 1_000
const LANGGRAPH_TASKS = 3_000
const perTask = (elapsedMs, tasks) => (elapsedMs * 1000) / tasks

export const id = 'S1'
export const title = 'a no-op task, layered 100,000, no journal'
export const unit = 'µs'
export const goal = { text: '≤ 3 µs', met: tek => tek <= 3 }

export function contestants({ folder, tekRun, peer, floor, programs }) {
  const program = join(folder, 's1.tek')
  writeFileSync(program, layeredTek(TASKS, WIDTH))
  writeFileSync(join(folder, 's1.mk'), layeredMake(TASKS, WIDTH))
  writeFileSync(join(folder, 's1.ninja'), layeredNinja(TASKS, WIDTH))
  return {
    tek: async () => perTask((await tekRun(program)).elapsedMs, TASKS),
    ninja: async () => perTask((await runCommand(programs.need('ninja'), ['-C', folder, '-f', 's1.ninja'])).elapsedMs, TASKS),
    make: async () => perTask((await runCommand(programs.need('make'), ['-C', folder, '-f', 's1.mk'])).elapsedMs, TASKS),
    'Piscina, one by one': async () => perTask((await runScript(peer('piscina-layers.mjs'), [TASKS, WIDTH])).elapsedMs, TASKS),
    'LangGraph.js, 3,000': async () => perTask((await runScript(peer('langgraph-layers.mjs'), [LANGGRAPH_TASKS, 100])).elapsedMs, LANGGRAPH_TASKS),
    floor: async () => perTask((await runScript(floor('bare-loop.mjs'), [TASKS])).elapsedMs, TASKS),
  }
}
