// Size on disk a task of a whole run, layered 10,000, with its plan and everything else that is recorded. Peer's figure: LangGraph.js with its SQLite saver keeps
// 24.5 KB a step (measured once; it is not installed for the benchmarks).
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { layeredTek } from '../generate.mjs'

const TASKS = 10_000

export const id = 'disk'
export const title = 'bytes on disk a task, layered 10,000'
export const unit = 'bytes'
export const rounds = 1
export const goal = { text: '≤ 150 bytes', met: tek => tek <= 150 }

export function contestants({ folder, tekRun, fresh }) {
  const program = join(folder, 'disk.tek')
  writeFileSync(program, layeredTek(TASKS, 1_000))
  return {
    async tek() {
      const database = fresh('disk.db')
      await tekRun(program, { database })
      return statSync(database).size / TASKS
    },
  }
}
