// P5: what the guard adds to reading a small file, its decision in the audit log included: everything but the host's own work.
import { auditMeasure } from '../audit-measure.mjs'

export const id = 'P5-read'
export const title = 'guard and audit log of a file read'
export const unit = 'µs'
export const goal = { text: '≤ 50 µs', met: tek => tek <= 50 }

export function contestants(context) {
  return { tek: () => auditMeasure(context, 'read', 5_000) }
}
