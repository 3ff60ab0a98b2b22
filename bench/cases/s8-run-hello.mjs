// S8: `tek run` of a program of three lines with its journal, wall time from start to exit.
// Peer: LangGraph.js with one node and checkpoints in memory. Floor: `node -e 0`.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runCommand } from '../measure.mjs'

export const id = 'S8'
export const title = 'tek run hello.tek, with journal'
export const unit = 'ms'
export const goal = { text: '≤ 3.5 × node -e 0', met: (tek, floor) => floor !== null && tek <= 3.5 * floor }

export function contestants({ folder, tek, peer }) {
  const cwd = join(folder, 's8')
  mkdirSync(cwd, { recursive: true })
  writeFileSync(join(cwd, 'hello.tek'), 'workflow hello(name: string = "world") -> string {\n  return "Hello, ${name}!"\n}\n')
  const wall = async args => (await runCommand(process.execPath, args, { cwd })).elapsedMs
  return {
    tek: () => wall([tek, 'run', 'hello.tek']),
    'LangGraph.js': () => wall([peer('langgraph-hello.mjs')]),
    floor: () => wall(['-e', '0']),
  }
}
