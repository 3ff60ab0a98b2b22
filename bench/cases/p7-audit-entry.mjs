// P7: what one entry of the audit log costs when it becomes durable with others, as it does with the journal's commits.
// Floor: rows without hashes, index, triggers and signatures, a transaction for each 1,000.
import { runScript } from '../measure.mjs'
import { auditMeasure } from '../audit-measure.mjs'

const ENTRIES = 20_000

export const id = 'P7'
export const title = 'an entry of the audit log, in groups of 100'
export const unit = 'µs'
export const goal = { text: '≤ 15 µs', met: tek => tek <= 15 }

export function contestants(context) {
  return {
    tek: () => auditMeasure(context, 'grouped', ENTRIES),
    floor: async () => ((await runScript(context.floor('rows.mjs'), [ENTRIES / 2, context.fresh('rows.db')])).elapsedMs * 1000) / ENTRIES,
  }
}
