// Meter: what one run measures of itself: tasks, attempts, calls, cache, guard, journal, the process.
// Owns: the instruments, when they are written. Does not own: where they are kept (journal/telemetry-store.ts).
//   M1. What is added to each event is some additions to numbers: no clock, no allocation, no text. The rest is done once a second.
//   M2. A write never takes more than a hundredth of the time: after a slow one the next is put off.
//   M3. A write that fails ends nothing: it is counted, and said once.
//   M4. A run that goes on in another process goes on with its numbers.
import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks'
import type { RunEvent, TaskId } from '#model/event.ts'
import type { CallCounts, RunSummary } from '#model/report.ts'
import type { AuditTrail } from '#interpreter/audit/trail.ts'
import { pathOf } from '#interpreter/engine/path.ts'
import type { State } from '#interpreter/engine/state.ts'
import type { Shape } from '#interpreter/engine/shape.ts'
import { phase } from '#interpreter/engine/tasks.ts'
import type { RunLog } from '#interpreter/journal/journal.ts'
import { bucketBounds, MAX_EVENTS, MAX_SAMPLES, MAX_SERIES, SANDBOX_LEVEL, type MeasuredEvent, type Sample, type Series, type TelemetryStore } from '#interpreter/journal/telemetry-store.ts'

const FLUSH_MS = 1_000
/** A write may take this share of the time. */
const WRITE_SHARE = 0.01
const LOOP_RESOLUTION_MS = 20
/** Kinds of tasks, names of calls and codes of failures that are told apart, of each; the rest is told together. */
const MAX_KINDS = 40
const OTHERS = 'others'
const NS_PER_S = 1e9

export interface MeterParts {
  readonly store: TelemetryStore
  readonly state: State
  readonly calls: CallCounts
  readonly now: () => number
  readonly threads: () => number
  /** Says what went wrong, once. */
  readonly say: (message: string) => void
  /** How the run stands, for the row that lists it. */
  readonly standing: () => RunSummary
}

/** Buckets by powers of two over 1/1000 of the unit. */
class Distribution {
  count = 0
  sum = 0
  min = Infinity
  max = 0
  readonly buckets = new Array<number>(bucketBounds.length + 1).fill(0)

  /** @param thousandths of the unit, as milliseconds are of seconds. */
  add(thousandths: number): void {
    this.count++
    this.sum += thousandths
    if (thousandths < this.min) this.min = thousandths
    if (thousandths > this.max) this.max = thousandths
    const bucket = thousandths <= 1 ? 0 : 32 - Math.clz32(Math.ceil(thousandths) - 1)
    this.buckets[bucket < bucketBounds.length ? bucket : bucketBounds.length]!++
  }
}

/** Tasks of one place in the program. */
interface Kind {
  readonly name: string
  readonly seen: Distribution
}

export class RunMeter {
  private readonly parts: MeterParts
  /** By workflow, and by the place of a node in it. */
  private readonly durations = new Map<Shape, (Kind | undefined)[]>()
  private readonly others: Kind = { name: OTHERS, seen: new Distribution() }
  private kindCount = 0
  /** The workflow of the task that was measured last, and its kinds. */
  private shape: Shape | null = null
  private kinds: (Kind | undefined)[] = []
  private readonly callDurations = new Map<string, Distribution>()
  private readonly failures = new Map<string, number>()
  private readonly commits = new Distribution()
  private readonly batches = new Distribution()
  private readonly events: MeasuredEvent[] = []
  private readonly samples: Sample[] = []
  private readonly base = new Map<string, Series>()
  private baseCounts: State['counts'] | null = null
  private baseCalls: CallCounts
  private attempts = 0
  private retries = 0
  private hits = 0
  private misses = 0
  private allowed = 0
  private refused = 0
  private eventCount = 0
  private sampleCount = 0
  private sampleEvery = 1
  private turn = 0
  private failedWrites = 0
  private sandboxLevel: number | null = null
  private loop: IntervalHistogram | null = null
  private timer: NodeJS.Timeout | null = null

  constructor(parts: MeterParts) {
    this.parts = parts
    this.baseCalls = { ...parts.calls }
  }

  /** The log, with what is appended and committed measured. */
  log(log: RunLog): RunLog {
    return new MeteredLog(log, this)
  }

  audit(trail: AuditTrail): AuditTrail {
    return {
      record: entry => {
        if (entry.kind === 'decision') {
          if (entry.allowed) this.allowed++
          else this.refused++
        }
        trail.record(entry)
      },
    }
  }

  /** The state is where this process takes the run up. */
  start(): void {
    const { state } = this.parts
    this.baseCounts = { ...state.counts }
    if (state.tasks.size > 1) this.takeUp() // M4: a run that begins has only its root
    this.plan(FLUSH_MS)
  }

  /** The last write: how the run ended, and how strongly the commands that it ran were confined. */
  end(summary: RunSummary, sandboxLevel: number | null): void {
    this.close()
    this.sandboxLevel = sandboxLevel
    this.sample()
    this.flush(summary)
  }

  /** Measures no more; what was not written is lost. */
  close(): void {
    if (this.timer !== null) clearTimeout(this.timer)
    this.timer = null
    this.loop?.disable()
  }

  committed(ms: number, events: number): void {
    this.commits.add(ms)
    this.batches.add(events * 1_000)
  }

  /** M1. */
  recorded(event: RunEvent): void {
    const { state } = this.parts
    switch (event.kind) {
      case 'evaluated': {
        if (event.part !== 'body' || event.task >= state.tasks.size) return
        this.attempts++
        if (event.attempt > 1) this.retries++
        this.kindOf(event.task).seen.add(event.elapsedMs)
        if (event.outcome.kind === 'failure') this.failed(event, event.outcome.failure.code)
        return
      }
      case 'call-finished': {
        const name = state.calls.get(event.task)?.[event.call]?.name
        if (name === undefined) return
        this.callOf(name).add(event.elapsedMs)
        return
      }
      case 'cache-answered':
        if (event.hit) this.hits++
        else this.misses++
        return
      case 'model-answered':
        if (event.outcome.kind === 'reply') this.callOf(`model ${event.outcome.model}`).add(event.elapsedMs)
        return
      case 'call-started':
      case 'model-asked':
      case 'recalled':
      case 'timer-fired':
        return
      default:
        this.keep(event)
    }
  }

  private kindOf(task: TaskId): Kind {
    const { tasks, scopes } = this.parts.state
    const { shape, base } = scopes[tasks.scope[task]!]!
    if (shape !== this.shape) {
      this.shape = shape
      this.kinds = this.durations.get(shape) ?? new Array<Kind | undefined>(shape.workflow.nodes.length).fill(undefined)
      this.durations.set(shape, this.kinds)
    }
    const group = tasks.group[task]!
    const index = (group === -1 ? task : group) - base
    return this.kinds[index] ?? this.newKind(shape, index)
  }

  private newKind(shape: Shape, index: number): Kind {
    const isTold = this.kindCount < MAX_KINDS
    const made = isTold ? { name: `${shape.key}/${shape.workflow.nodes[index]!.name}`, seen: new Distribution() } : this.others
    if (isTold) this.kindCount++
    this.kinds[index] = made
    return made
  }

  private callOf(name: string): Distribution {
    const own = this.callDurations.size < MAX_KINDS ? name : OTHERS
    let known = this.callDurations.get(name) ?? this.callDurations.get(own)
    if (known === undefined) this.callDurations.set(own, (known = new Distribution()))
    return known
  }

  private failed(event: Extract<RunEvent, { kind: 'evaluated' }>, code: string): void {
    const own = this.failures.has(code) || this.failures.size < MAX_KINDS ? code : OTHERS
    this.failures.set(own, (this.failures.get(own) ?? 0) + 1)
    if (this.eventCount >= MAX_EVENTS) return
    this.add({ atMs: event.atMs, name: 'tek.attempt.failed', attributes: { 'tek.task.path': pathOf(this.parts.state, event.task), 'tek.task.attempt': String(event.attempt), 'error.type': code } })
  }

  private keep(event: Exclude<RunEvent, { kind: 'evaluated' | 'call-started' | 'call-finished' | 'model-asked' | 'model-answered' | 'recalled' | 'timer-fired' | 'cache-answered' }>): void {
    const attributes: Record<string, string> = {}
    if (event.kind === 'stop-requested') attributes['tek.stop.reason'] = event.reason
    if (event.kind === 'answered') attributes['tek.verdict'] = event.verdict
    if (event.kind === 'run-finished') attributes['tek.outcome'] = event.outcome.kind
    this.add({ atMs: event.atMs, name: `tek.${event.kind.replaceAll('-', '.')}`, attributes })
  }

  private add(event: MeasuredEvent): void {
    if (this.eventCount++ < MAX_EVENTS) this.events.push(event)
  }

  private plan(ms: number): void {
    this.timer = setTimeout(() => {
      this.loop ??= startLoopDelay()
      if (this.turn++ % this.sampleEvery === 0) this.sample()
      this.plan(Math.max(FLUSH_MS, this.flush() / WRITE_SHARE)) // M2
    }, ms)
    this.timer.unref()
  }

  private sample(): void {
    const { state, store, threads, now } = this.parts
    let queued = 0
    const { phase: at } = state.tasks
    for (let task = at.indexOf(phase.queued); task !== -1; task = at.indexOf(phase.queued, task + 1)) queued++ // the platform looks: a loop that runs once is slow
    const { rss, heapUsed } = process.memoryUsage()
    const values: Record<string, number> = {
      'tek.tasks.running': state.schedule.running, 'tek.tasks.queued': queued, 'tek.threads': threads(), 'tek.journal.size': store.journalBytes(),
      'process.memory.usage': rss, 'v8js.memory.heap.used': heapUsed,
    }
    if (this.loop !== null && this.loop.max > 0) {
      values['nodejs.eventloop.delay.p99'] = this.loop.percentile(99) / NS_PER_S
      values['nodejs.eventloop.delay.max'] = this.loop.max / NS_PER_S
      this.loop.reset()
    }
    this.samples.push({ atMs: now(), values })
    if (++this.sampleCount < MAX_SAMPLES) return
    this.sampleCount = Math.floor(this.sampleCount / 2)
    this.sampleEvery *= 2
    store.thinOut(this.parts.standing().runId)
  }

  /** Milliseconds it took. */
  private flush(summary: RunSummary = this.parts.standing()): number {
    const { store, say } = this.parts
    const fromMs = performance.now()
    const { runId, program, workflow, startedAtMs, elapsedMs, status } = summary
    const problem = store.write({ run: { runId, program, workflow, startedAtMs, elapsedMs, status }, series: this.series(), events: this.events.splice(0), samples: this.samples.splice(0) })
    if (problem !== null && this.failedWrites++ === 0) say(`What this run measures of itself cannot be kept: ${problem}`) // M3
    return performance.now() - fromMs
  }

  /** Every series as it stands. */
  private series(): Series[] {
    const { state, calls } = this.parts
    const before = this.baseCounts!
    const all: Series[] = []
    const counter = (name: string, unit: string, value: number, attributes: Readonly<Record<string, string>> = {}): void => {
      if (value > 0) all.push({ name, unit, kind: 'counter', attributes, count: 1, sum: value, min: null, max: null, buckets: null })
    }
    const histogram = (name: string, unit: string, { count, sum, min, max, buckets }: Distribution, attributes: Readonly<Record<string, string>> = {}): void => {
      if (count > 0) all.push({ name, unit, kind: 'histogram', attributes, count, sum: sum / 1_000, min: min / 1_000, max: max / 1_000, buckets })
    }
    for (const status of ['done', 'failed', 'skipped', 'cancelled'] as const) counter('tek.tasks', '{task}', state.counts[status] - before[status], { 'tek.task.status': status })
    counter('tek.task.attempts', '{attempt}', this.attempts)
    counter('tek.task.retries', '{attempt}', this.retries)
    for (const [code, count] of this.failures) counter('tek.task.attempts.failed', '{attempt}', count, { 'error.type': code })
    counter('tek.cache.requests', '{request}', this.hits, { 'tek.cache.result': 'hit' })
    counter('tek.cache.requests', '{request}', this.misses, { 'tek.cache.result': 'miss' })
    for (const kind of ['read', 'wrote', 'ran', 'fetched'] as const) counter('tek.calls', '{call}', calls[kind] - this.baseCalls[kind], { 'tek.call.kind': kind })
    counter('tek.guard.decisions', '{decision}', this.allowed, { 'tek.guard.verdict': 'allowed' })
    counter('tek.guard.decisions', '{decision}', this.refused, { 'tek.guard.verdict': 'refused' })
    counter('tek.telemetry.writes.failed', '{write}', this.failedWrites)
    counter('tek.telemetry.events.dropped', '{event}', Math.max(0, this.eventCount - MAX_EVENTS))
    histogram('tek.journal.commit.duration', 's', this.commits)
    histogram('tek.journal.commit.size', '{event}', this.batches)
    for (const { name, seen } of new Set([...this.durations.values()].flatMap(kinds => kinds.filter(each => each !== undefined)))) histogram('tek.task.duration', 's', seen, { 'tek.task.kind': name })
    for (const [name, seen] of this.callDurations) histogram('tek.call.duration', 's', seen, { 'tek.call.name': name })
    if (this.sandboxLevel !== null) all.push({ name: SANDBOX_LEVEL, unit: '1', kind: 'gauge', attributes: {}, count: 1, sum: this.sandboxLevel, min: null, max: null, buckets: null })
    return this.withBase(all).slice(0, MAX_SERIES)
  }

  private takeUp(): void {
    const { store, standing } = this.parts
    const before = store.read(standing().runId)
    if (before === null) return
    for (const each of before.series) this.base.set(keyOf(each), each)
    this.eventCount = before.events.length
    this.sampleCount = before.samples.length
  }

  private withBase(all: readonly Series[]): readonly Series[] {
    if (this.base.size === 0) return all
    const merged = new Map(this.base)
    for (const each of all) {
      const before = each.kind === 'gauge' ? undefined : this.base.get(keyOf(each))
      merged.set(keyOf(each), before === undefined ? each : sumOf(before, each))
    }
    return [...merged.values()]
  }
}

const keyOf = ({ name, attributes }: Series): string => `${name} ${JSON.stringify(attributes)}`

/** Two series of the same name and attributes as one. */
export function sumOf(a: Series, b: Series): Series {
  return {
    ...a, count: a.kind === 'histogram' ? a.count + b.count : 1, sum: a.sum + b.sum,
    min: a.min === null || b.min === null ? null : Math.min(a.min, b.min), max: a.max === null || b.max === null ? null : Math.max(a.max, b.max),
    buckets: a.buckets === null || b.buckets === null ? null : a.buckets.map((count, index) => count + (b.buckets![index] ?? 0)),
  }
}

function startLoopDelay(): IntervalHistogram {
  const loop = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS })
  loop.enable()
  return loop
}

/** A log that tells what is appended to it, and how long each commit took. */
class MeteredLog implements RunLog {
  private readonly log: RunLog
  private readonly meter: RunMeter
  private waiting = 0

  constructor(log: RunLog, meter: RunMeter) {
    this.log = log
    this.meter = meter
  }

  get uncommitted(): number {
    return this.log.uncommitted
  }

  append(event: RunEvent): void {
    this.log.append(event)
    this.waiting++
    this.meter.recorded(event)
  }

  commit(): void {
    const fromMs = performance.now()
    this.log.commit()
    this.meter.committed(performance.now() - fromMs, this.waiting)
    this.waiting = 0
  }

  say(line: Parameters<RunLog['say']>[0]): void {
    this.log.say(line)
  }

  took(request: Parameters<RunLog['took']>[0]): void {
    this.log.took(request)
  }

  keep(entry: Parameters<RunLog['keep']>[0]): void {
    this.log.keep(entry)
  }

  events(): ReturnType<RunLog['events']> {
    return this.log.events()
  }

  lines(): ReturnType<RunLog['lines']> {
    return this.log.lines()
  }

  describe(...summary: Parameters<RunLog['describe']>): void {
    this.log.describe(...summary)
  }
}
