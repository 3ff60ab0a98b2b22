// Stats: what is made of the measurements of many runs.
// Owns: rates, percentiles, which kinds of tasks are slow. Does not own: measuring (interpreter/meter.ts), keeping (journal/telemetry-store.ts).
//   S1. Percentiles of runs are of the runs themselves; of tasks, from the buckets: the upper bound of the bucket in which the percentile lies, at most the
//       largest that was seen.
import { dirname, join } from 'node:path'
import { bucketBounds, type MeasuredRun, type Measurements, type Series, TELEMETRY_FILE, type TelemetryStore } from '#interpreter/journal/telemetry-store.ts'

/** Newest runs of a program that its numbers are made of. */
const MAX_RUNS = 500
/** Newest runs that are looked through for programs. */
const MAX_LOOKED_AT = 10_000
const MAX_PROGRAMS = 50
const MAX_RECENT = 30
const MAX_SLOWEST = 5

export interface ProgramStats {
  readonly program: string
  /** Newest runs that were looked at; of them done, failed, and neither. */
  readonly runs: number
  readonly done: number
  readonly failed: number
  readonly other: number
  /** Of those that ended: done / (done + failed); null where none has. */
  readonly successRate: number | null
  /** Of runs that are done or failed, in milliseconds; null where none is. */
  readonly p50Ms: number | null
  readonly p95Ms: number | null
  readonly lastAtMs: number
  readonly attempts: number
  readonly retries: number
  readonly cache: { readonly hits: number; readonly requests: number }
  readonly refused: number
  /** Kinds of tasks by the time spent in them. */
  readonly slowest: readonly { readonly kind: string; readonly count: number; readonly totalMs: number; readonly p50Ms: number; readonly p95Ms: number }[]
  /** The newest, oldest first. */
  readonly recent: readonly Pick<MeasuredRun, 'runId' | 'startedAtMs' | 'elapsedMs' | 'status'>[]
}

/** The measurements beside a journal; null where there are none. */
async function opened<Result>(database: string, use: (store: TelemetryStore) => Result): Promise<Result> {
  const { sqliteTelemetry } = await import('#interpreter/journal/sqlite-telemetry.ts')
  const store = await sqliteTelemetry(join(dirname(database), TELEMETRY_FILE), database)
  try {
    return use(store)
  } finally {
    store.close()
  }
}

/** Numbers of each program that ran here, or of one, the one that ran last first. */
export async function programStats(database: string, program?: string): Promise<readonly ProgramStats[]> {
  return opened(database, store => {
    const names = program === undefined ? [...new Set(store.runs(MAX_LOOKED_AT).map(each => each.program))].slice(0, MAX_PROGRAMS) : [program]
    return names.flatMap(name => {
      const runs = store.runs(MAX_RUNS, name)
      return runs.length === 0 ? [] : [statsOf(name, runs, store.series(runs.map(each => each.runId)))]
    })
  })
}

/** Runs that were measured here, newest first. */
export async function measuredRuns(database: string): Promise<readonly MeasuredRun[]> {
  return opened(database, store => store.runs(MAX_LOOKED_AT))
}

/** What one run measured; null where nothing is known of it. */
export async function measurementsOf(database: string, runId: string): Promise<Measurements | null> {
  return opened(database, store => store.read(runId))
}

/** Forgets what runs measured. */
export async function forgetMeasurements(database: string, runIds: readonly string[]): Promise<void> {
  await opened(database, store => store.forget(runIds))
}

function statsOf(program: string, runs: readonly MeasuredRun[], series: readonly Series[]): ProgramStats {
  const ended = runs.filter(each => each.status === 'done' || each.status === 'failed')
  const done = ended.filter(each => each.status === 'done').length
  const lengths = ended.map(each => each.elapsedMs).sort((a, b) => a - b)
  const total = (name: string, attribute?: readonly [string, string]): number =>
    series.reduce((sum, each) => sum + (each.name === name && (attribute === undefined || each.attributes[attribute[0]] === attribute[1]) ? each.sum : 0), 0)
  return {
    program, runs: runs.length, done, failed: ended.length - done, other: runs.length - ended.length,
    successRate: ended.length === 0 ? null : done / ended.length,
    p50Ms: percentile(lengths, 0.5), p95Ms: percentile(lengths, 0.95), lastAtMs: runs[0]!.startedAtMs,
    attempts: total('tek.task.attempts'), retries: total('tek.task.retries'),
    cache: { hits: total('tek.cache.requests', ['tek.cache.result', 'hit']), requests: total('tek.cache.requests') },
    refused: total('tek.guard.decisions', ['tek.guard.verdict', 'refused']),
    slowest: slowest(series),
    recent: runs.slice(0, MAX_RECENT).reverse().map(({ runId, startedAtMs, elapsedMs, status }) => ({ runId, startedAtMs, elapsedMs, status })),
  }
}

function slowest(series: readonly Series[]): ProgramStats['slowest'] {
  const kinds = new Map<string, { count: number; sum: number; max: number; buckets: number[] }>()
  for (const { name, attributes, count, sum, max, buckets } of series) {
    if (name !== 'tek.task.duration' || buckets === null) continue
    const kind = attributes['tek.task.kind'] ?? ''
    const known = kinds.get(kind) ?? { count: 0, sum: 0, max: 0, buckets: bucketBounds.map(() => 0).concat(0) }
    kinds.set(kind, { count: known.count + count, sum: known.sum + sum, max: Math.max(known.max, max ?? 0), buckets: known.buckets.map((each, index) => each + (buckets[index] ?? 0)) })
  }
  const all = [...kinds].map(([kind, { count, sum, max, buckets }]) => ({ kind, count, totalMs: sum * 1_000, p50Ms: bucketPercentile(buckets, max, 0.5) * 1_000, p95Ms: bucketPercentile(buckets, max, 0.95) * 1_000 }))
  return all.sort((a, b) => b.totalMs - a.totalMs).slice(0, MAX_SLOWEST)
}

/**
 * The value below which a share of sorted numbers lies (nearest rank); null of none.
 *
 * @example
 * percentile([1, 2, 3, 4], 0.5) // 2
 */
export function percentile(sorted: readonly number[], share: number): number | null {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null
}

/** S1. */
export function bucketPercentile(buckets: readonly number[], max: number, share: number): number {
  const rank = Math.max(1, Math.ceil(buckets.reduce((sum, each) => sum + each, 0) * share))
  let seen = 0
  for (const [index, count] of buckets.entries()) {
    seen += count
    if (seen >= rank) return Math.min(max, bucketBounds[index] ?? max)
  }
  return max
}
