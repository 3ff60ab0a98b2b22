// One of the measurements of audit-child.ts: microseconds for each of `count` times.
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { bundledChild } from './bundled-child.mjs'

export async function auditMeasure(context, what, count) {
  return ((await bundledChild(context, 'audit', [what, mkdtempSync(join(context.folder, 'audit-')), count])).elapsedMs * 1000) / count
}
