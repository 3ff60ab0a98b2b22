// Memory: a journal for the life of the process: `--no-journal`, tests, one-off scripts.
import { runErrors } from '#diagnostics/catalog/run.ts'
import type { RunEvent } from '#model/event.ts'
import type { KeptEntry } from '#model/memory.ts'
import type { Plan } from '#model/plan.ts'
import type { LogLine, RunSummary } from '#model/report.ts'
import { MemoryAudit } from './memory-audit.ts'
import { JournalError, MAX_CACHED_RESULTS, MAX_LISTED_RUNS, MAX_PENDING_REQUESTS, type CachedResult, type Journal, type PendingRequest, type RunLog, type SourceHashes, wakeMsOf } from './journal.ts'
import type { Lease } from './lease.ts'
import { LogBound } from './lines.ts'
import { MemoryThreads } from './memory-threads.ts'

interface KeptRun {
  summary: RunSummary
  readonly plan: Plan
  readonly folder: string | null
  readonly sources: SourceHashes | null
  readonly events: RunEvent[]
  readonly lines: LogLine[]
  readonly bound: LogBound
  requests: PendingRequest[]
  lease: Lease | null
  isAskedToStop: boolean
  isStopSeen: boolean
}

/**
 * A journal in memory.
 *
 * @example
 * memoryJournal().listRuns().length // 0
 */
export function memoryJournal(): Journal {
  const runs = new Map<string, KeptRun>()
  const cache = new Map<string, CachedResult>()
  const means = new Map<string, Map<string, { totalMs: number; count: number }>>()
  const audit = new MemoryAudit()
  const threads = new MemoryThreads()
  let requests = 0
  return {
    audit,
    threads,
    triggers: null,
    loops: null,
    mailbox: {
      put(runId, request, nowMs) {
        const run = runs.get(runId)
        if (run === undefined || run.requests.length >= MAX_PENDING_REQUESTS) return false
        run.requests.push({ id: ++requests, atMs: nowMs, request })
        return true
      },
      pending: runId => runs.get(runId)?.requests.slice() ?? [],
    },
    startRun(summary, plan, { events = [], folder, sources, lease, superseded } = {}) {
      const before = superseded === undefined ? undefined : runs.get(superseded.runId)
      if (before !== undefined) before.summary = superseded!
      const run: KeptRun = { summary, plan, folder: folder ?? null, sources: sources ?? null, events: [...events], lines: [], bound: new LogBound(0, 0), requests: [], lease: lease ?? null, isAskedToStop: false, isStopSeen: false }
      runs.set(summary.runId, run)
      return logOf(run, audit, threads, lease?.owner)
    },
    openRun(runId, owner) {
      const run = runs.get(runId)
      return run === undefined ? null : { summary: run.summary, plan: run.plan, folder: run.folder, sources: run.sources, log: logOf(run, audit, threads, owner) }
    },
    takeLease(runId, lease, isHeld) {
      const run = runs.get(runId)
      if (run === undefined) return null
      if (run.lease !== null && run.lease.owner !== lease.owner && isHeld(run.lease)) return run.lease
      run.lease = lease
      run.isAskedToStop = false
      run.isStopSeen = false
      return null
    },
    renewLease(runId, owner, expiresMs) {
      const run = runs.get(runId)
      if (run?.lease?.owner !== owner) return false
      run.lease = { ...run.lease, expiresMs }
      return true
    },
    releaseLease(runId, owner) {
      const run = runs.get(runId)
      if (run?.lease?.owner === owner) run.lease = null
    },
    leases: () => new Map([...runs].flatMap(([id, { lease }]) => (lease === null ? [] : [[id, lease]]))),
    askToStop(runId) {
      const run = runs.get(runId)
      if (run !== undefined && run.lease !== null) run.isAskedToStop = true
    },
    stopSeen(runId, owner) {
      const run = runs.get(runId)
      if (run?.lease?.owner === owner) run.isStopSeen = true
    },
    isStopSeen: runId => runs.get(runId)?.isStopSeen ?? false,
    standing(runId, owner) {
      const run = runs.get(runId)
      return { isOwner: run?.lease?.owner === owner, isAskedToStop: run?.isAskedToStop ?? false }
    },
    toWake: (nowMs, limit) => [...runs.values()].filter(({ summary, requests: asked }) => {
      const wakeMs = summary.status === 'waiting' || summary.status === 'running' ? wakeMsOf(summary) : null
      return wakeMs !== null && (wakeMs <= nowMs || asked.length > 0)
    }).map(each => each.summary.runId).slice(0, limit),
    listRuns(limit = MAX_LISTED_RUNS) {
      const all = [...runs.values()].map(each => each.summary).reverse()
      const unfinished = new Set(all.filter(({ status }) => status !== 'done' && status !== 'failed').slice(0, limit))
      return all.filter((each, index) => index < limit || unfinished.has(each))
    },
    retention: {
      forget: (runIds, isHeld) => runIds.filter(runId => {
        const lease = runs.get(runId)?.lease
        return (lease == null || !isHeld(lease)) && runs.delete(runId)
      }),
      dropResults() {
        const count = cache.size
        cache.clear()
        return count
      },
      results: () => cache.size,
      compact: () => true,
    },
    cached: key => cache.get(key) ?? null,
    remember(key, value, nowMs) {
      cache.delete(key)
      cache.set(key, { value, madeAtMs: nowMs })
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

function logOf(run: KeptRun, audit: MemoryAudit, threads: MemoryThreads, owner: string | undefined): RunLog {
  let batch: RunEvent[] = []
  let said: LogLine[] = []
  let taken: PendingRequest[] = []
  let kept: KeptEntry[] = []
  const expectOwner = (): void => {
    if (owner !== undefined && run.lease?.owner !== owner) throw new JournalError(runErrors['lease-lost']({ runId: run.summary.runId }))
  }
  return {
    append: event => void batch.push(event),
    took: request => void taken.push(request),
    keep: entry => void kept.push(entry),
    say(line) {
      const admitted = run.bound.admit(line)
      if (admitted !== null) said.push(admitted)
    },
    lines: () => run.lines.slice(),
    commit() {
      expectOwner()
      for (const event of batch) run.events.push(event)
      run.lines.push(...said)
      const gone = new Set(taken)
      if (gone.size > 0) run.requests = run.requests.filter(each => !gone.has(each))
      for (const each of kept) threads.add(each)
      batch = []
      said = []
      taken = []
      kept = []
      audit.flush()
    },
    get uncommitted() {
      return batch.length + said.length + taken.length + kept.length + audit.waiting
    },
    events: () => run.events.slice(),
    describe(summary) {
      expectOwner()
      run.summary = summary
    },
  }
}
