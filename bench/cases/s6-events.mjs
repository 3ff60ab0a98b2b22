// S6: events that the journal keeps in a second, in group commit: 500,000 ends of small tasks, a transaction for each 2,048.
// Floor: two small rows a task into SQLite, a transaction for each 1,000 (the same as of S2), as events a second.
import { bundledChild } from '../bundled-child.mjs'
import { runScript } from '../measure.mjs'

const EVENTS = 500_000
const FLOOR_TASKS = 100_000

export const id = 'S6'
export const title = 'events kept in group commit, 500,000'
export const unit = 'k events/s'
export const moreIsBetter = true
export const goal = { text: '≥ 800 k events/s', met: tek => tek >= 800 }

export function contestants(context) {
  return {
    tek: async () => EVENTS / (await bundledChild(context, 'journal', ['events', context.fresh('s6.db'), EVENTS])).elapsedMs,
    floor: async () => (FLOOR_TASKS * 2) / (await runScript(context.floor('rows.mjs'), [FLOOR_TASKS, context.fresh('rows.db')])).elapsedMs,
  }
}
