// P5: what the guard adds to writing a small file, its decision durable in the audit log before the file is touched.
import { auditMeasure } from '../audit-measure.mjs'

export const id = 'P5-write'
export const title = 'guard and durable audit entry of a file write'
export const unit = 'µs'
export const goal = { text: '≤ 50 µs', met: tek => tek <= 50 }

export function contestants(context) {
  return { tek: () => auditMeasure(context, 'write', 3_000) }
}
