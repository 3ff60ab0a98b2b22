// Telemetry store: where measurements of runs are kept. The interface and its bounds; sqlite-telemetry.ts keeps them in a file of their own.
// Owns: what a series, an event and a sample are. Does not own: what is measured (meter.ts), what is made of it (history/stats.ts).
//   M1. It is beside the journal, never in it: no run waits for it, none fails by it, and what a crash loses of it is the last moments.
//   M2. Bounded: per run MAX_SERIES, MAX_EVENTS and MAX_SAMPLES; runs by number and by age.
//   M3. Nothing here throws: what cannot be written or read is an answer.

/** Beside the journal's database. */
export const TELEMETRY_FILE = 'telemetry.db'
/** How strongly the commands of a run were confined (docs/levels.md): a gauge that only runs with commands have. */
export const SANDBOX_LEVEL = 'tek.sandbox.level'
/** Different sets of attributes over all metrics of a run. */
export const MAX_SERIES = 500
/** Events of one run. */
export const MAX_EVENTS = 1_000
/** Samples of one run: when there are more, every second one goes, and they are taken half as often. */
export const MAX_SAMPLES = 600
/** Runs that are kept, and for how long. */
export const MAX_MEASURED_RUNS = 10_000
export const MEASURED_FOR_MS = 90 * 24 * 3_600_000

export interface MeasuredRun {
  readonly runId: string
  readonly program: string
  readonly workflow: string
  readonly startedAtMs: number
  readonly elapsedMs: number
  readonly status: string
}

/** One metric with one set of attributes. Names and units follow OpenTelemetry's conventions. */
export interface Series {
  readonly name: string
  /** As UCUM writes it: `s`, `By`, `{task}`. */
  readonly unit: string
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly attributes: Readonly<Record<string, string>>
  /** Of a histogram the number of measurements; of the others 1. */
  readonly count: number
  /** Of a histogram the sum of measurements; of the others the value. */
  readonly sum: number
  /** Of a histogram; null otherwise. */
  readonly min: number | null
  readonly max: number | null
  /** Of a histogram: how many lie in each bucket, by `bucketBounds`; the last is beyond them. */
  readonly buckets: readonly number[] | null
}

export interface MeasuredEvent {
  readonly atMs: number
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
}

/** Gauges at one moment, by name. */
export interface Sample {
  readonly atMs: number
  readonly values: Readonly<Record<string, number>>
}

export interface Measurements {
  readonly run: MeasuredRun
  readonly series: readonly Series[]
  readonly events: readonly MeasuredEvent[]
  readonly samples: readonly Sample[]
}

export interface TelemetryStore {
  /** Writes a run as it stands: series replace those of the same name and attributes, events and samples are added. Null: written; otherwise why not. */
  write(batch: Measurements): string | null
  /** Leaves every second sample of a run away. */
  thinOut(runId: string): void
  /** Null: nothing is known of it, or it cannot be read. */
  read(runId: string): Measurements | null
  /** Newest first; of one program, or of all. */
  runs(limit: number, program?: string): readonly MeasuredRun[]
  /** Series of some runs. */
  series(runIds: readonly string[]): readonly (Series & { readonly runId: string })[]
  forget(runIds: readonly string[]): void
  /** Bytes of the journal beside it, now. */
  journalBytes(): number
  close(): void
}

/** Upper bounds of the buckets of every histogram, powers of two: 1 ms to 9 hours where the unit is seconds. */
export const bucketBounds: readonly number[] = Array.from({ length: 26 }, (_, index) => 0.001 * 2 ** index)
