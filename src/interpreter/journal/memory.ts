// Memory: a journal for the life of the process: `--no-journal`, tests, one-off scripts.
import type { RunEvent } from '#model/event.ts'
import type { Plan } from '#model/plan.ts'
import type { RunSummary } from '#model/report.ts'
import type { Value } from '#model/type.ts'
import { MAX_CACHED_RESULTS, type Journal, type RunLog } from './journal.ts'

interface KeptRun {
  summary: RunSummary
  readonly plan: Plan
  readonly events: RunEvent[]
}

/**
 * A journal in memory.
 *
 * @example
 * memoryJournal().listRuns().length // 0
 */
export function memoryJournal(): Journal {
  const runs = new Map<string, KeptRun>()
  const cache = new Map<string, { value: Value; atMs: number }>()
  const means = new Map<string, Map<string, { totalMs: number; count: number }>>()
  return {
    startRun(summary, plan) {
      const run: KeptRun = { summary, plan, events: [] }
      runs.set(summary.runId, run)
      return logOf(run)
    },
    openRun(runId) {
      const run = runs.get(runId)
      return run === undefined ? null : { summary: run.summary, plan: run.plan, log: logOf(run) }
    },
    listRuns: () => [...runs.values()].map(each => each.summary).reverse(),
    cached(key, nowMs, maxAgeMs) {
      const kept = cache.get(key)
      return kept === undefined || (maxAgeMs !== null && nowMs - kept.atMs > maxAgeMs) ? null : { value: kept.value }
    },
    remember(key, value, nowMs) {
      cache.delete(key)
      cache.set(key, { value, atMs: nowMs })
      if (cache.size > MAX_CACHED_RESULTS) cache.delete(cache.keys().next().value!)
    },
    durations(program) {
      const found: Record<string, number> = {}
      for (const [key, { totalMs, count }] of means.get(program) ?? []) found[key] = totalMs / count
      return found
    },
    addDurations(program, seen) {
      const kept = means.get(program) ?? new Map<string, { totalMs: number; count: number }>()
      means.set(program, kept)
      for (const [key, { totalMs, count }] of seen) {
        const mean = kept.get(key) ?? { totalMs: 0, count: 0 }
        kept.set(key, { totalMs: mean.totalMs + totalMs, count: mean.count + count })
      }
    },
    close() {},
  }
}

function logOf(run: KeptRun): RunLog {
  let durable = run.events.length
  return {
    append: event => void run.events.push(event),
    commit: () => void (durable = run.events.length),
    get uncommitted() {
      return run.events.length - durable
    },
    events: () => run.events.slice(0, durable),
    describe: summary => void (run.summary = summary),
  }
}
