// Final lines: what every run ends with, whatever showed it while it went on.
// Owns: the verdict line and the proof footer of product.md. Does not own: the result and failures (cli/commands/run.ts).
import { elapsed, neutralise, thousands, type Paint } from '#base/terminal-text.ts'
import type { RunSummary } from '#model/report.ts'

/** Letters of a run's id that are shown; `tek show` takes any unambiguous beginning. */
export const SHORT_ID = 8

const words: Readonly<Record<RunSummary['status'], string>> = { done: 'done', failed: 'failed', stopped: 'stopped', running: 'unfinished', paused: 'paused', waiting: 'waiting' }

/**
 * Two lines: how it ended, and what it touched.
 *
 * @param isKept whether it was recorded and can be shown again.
 */
export function finalLines(summary: RunSummary, paint: Paint, isKept = true): string[] {
  const { tasks } = summary
  const asides = [
    tasks.failed > 0 ? `${thousands(tasks.failed)} failed` : '',
    tasks.skipped > 0 ? `${thousands(tasks.skipped)} skipped` : '',
    tasks.cancelled > 0 ? `${thousands(tasks.cancelled)} cancelled` : '',
    tasks.cached > 0 ? `${thousands(tasks.cached)} from cache` : '',
  ].filter(each => each !== '')
  const count = `${thousands(tasks.done)} of ${thousands(tasks.total)} task${tasks.total === 1 ? '' : 's'}${asides.length > 0 ? ` (${asides.join(', ')})` : ''}`
  const colour = summary.status === 'done' ? 'green' : summary.status === 'failed' ? 'red' : 'yellow'
  return [
    `${paint(colour, words[summary.status])} ${neutralise(summary.workflow)} · ${count} · ${elapsed(summary.elapsedMs)}${spent(summary)}`,
    paint('dim', `${touched(summary)}${isKept ? ` · again: tek show ${summary.runId.slice(0, SHORT_ID)}` : ''}`),
  ]
}

/** What its agents needed. */
function spent({ usage }: RunSummary): string {
  if (usage === undefined) return ''
  return ` · ${thousands(usage.tokens)} tokens${usage.costMicros === 0 ? '' : `, $${(usage.costMicros / 1_000_000).toFixed(4)}`}`
}

/** What the guard let through and what it refused. */
export function touched(summary: RunSummary): string {
  const { read, wrote, ran, fetched, refused } = summary.calls
  const parts = [`read ${thousands(read)}`, `wrote ${thousands(wrote)}`, `ran ${thousands(ran)}`]
  if (fetched > 0) parts.push(`fetched ${thousands(fetched)}`)
  return `touched: ${[...parts, `refused ${thousands(refused)}`].join(', ')}`
}
