// P7: what `tek audit verify` takes for a row: reading it, its hash, and a thousandth of a signature.
import { auditMeasure } from '../audit-measure.mjs'

const ROWS = 52_000

export const id = 'P7-verify'
export const title = 'tek audit verify, a row of 52,000'
export const unit = 'µs'
export const goal = { text: '≤ 25 µs', met: tek => tek <= 25 }

export function contestants(context) {
  return { tek: () => auditMeasure(context, 'verify', ROWS) }
}
