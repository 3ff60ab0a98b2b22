// Disk: a journal as one simulated process sees it, over one that outlives processes.
// Owns: points at which the process may die or the disk fail, who wrote what. Does not own: the journal beneath (memory.ts, sqlite.ts).
//   K1. Each operation is two points: before anything of it is done, and after all of it is, before its answer is heard.
//   K2. Who is dead does nothing any more, whatever still unwinds in it.
//   K3. What is appended and not committed is the process's own: it goes with it.
import { runErrors } from '#diagnostics/catalog/run.ts'
import type { AuditLog } from '#interpreter/journal/audit-log.ts'
import { JournalError, type Journal, type Mailbox, type OpenedRun, type RunLog } from '#interpreter/journal/journal.ts'
import type { RunEvent } from '#model/event.ts'
import type { KeptEntry } from '#model/memory.ts'
import type { SimulatedProcess } from './loop.ts'

/** The process was killed here. Nothing hears of it: what unwinds is stopped at every door. */
export class Killed extends JournalError {
  constructor() {
    super(runErrors['journal-locked']({ path: 'killed' }))
  }
}

export interface Faults {
  /** What happens at a point of this process, counted from 1: it dies, or the disk has no room from there on. */
  at?: (point: number) => 'kill' | 'full' | null
  /** A disk that lies: what it has acknowledged is there only after the next commit. */
  lies?: boolean
  /** A journal that records for everybody. */
  ignoresOwner?: boolean
  /** Whose commits became durable, in order. */
  onDurable?: (process: SimulatedProcess, runId: string, events: readonly RunEvent[], owner: string | undefined) => void
}

export class Disk {
  points = 0
  private readonly process: SimulatedProcess
  private readonly faults: Faults
  private isFull = false
  private readonly entries: { readonly run: string; readonly body: string }[] = []

  constructor(process: SimulatedProcess, faults: Faults) {
    this.process = process
    this.faults = faults
  }

  private point(): void {
    if (this.process.isDead) throw new Killed() // K2
    const fault = this.faults.at?.(++this.points) ?? null
    if (fault === 'kill') {
      this.process.isDead = true
      throw new Killed()
    }
    if (fault === 'full') this.isFull = true
  }

  private does<Result>(work: () => Result, isWriting = true): Result {
    this.point()
    if (this.isFull && isWriting) throw new JournalError(runErrors['journal-disk-full']({ path: 'simulated' }))
    const result = work()
    this.point()
    return result
  }

  /** The journal with this disk beneath it. */
  under(journal: Journal): Journal {
    const { process } = this
    const reads = <Result>(work: () => Result): Result => {
      if (process.isDead) throw new Killed()
      return work()
    }
    const mailbox: Mailbox = {
      put: (...args) => this.does(() => journal.mailbox.put(...args)),
      pending: runId => reads(() => journal.mailbox.pending(runId)),
    }
    const own: Partial<Journal> = {
      mailbox,
      audit: this.audit(journal.audit),
      startRun: (summary, plan, beginning) => this.does(() => {
        const begun = journal.startRun(summary, plan, beginning)
        const log = this.faults.ignoresOwner === true ? journal.openRun(summary.runId)!.log : begun
        this.faults.onDurable?.(process, summary.runId, beginning?.events ?? [], beginning?.lease?.owner)
        return this.log(log, summary.runId, beginning?.lease?.owner, journal.audit)
      }),
      openRun: (runId, owner) => reads(() => {
        const found = journal.openRun(runId, this.faults.ignoresOwner === true ? undefined : owner)
        return found === null ? null : ({ ...found, log: this.log(found.log, runId, owner, journal.audit) } satisfies OpenedRun)
      }),
      takeLease: (...args) => this.does(() => journal.takeLease(...args)),
      renewLease: (...args) => this.does(() => journal.renewLease(...args)),
      releaseLease: (...args) => this.does(() => journal.releaseLease(...args)),
      stopSeen: (...args) => this.does(() => journal.stopSeen(...args)),
      remember: (...args) => this.does(() => journal.remember(...args)),
      addDurations: (...args) => this.does(() => journal.addDurations(...args)),
    }
    return new Proxy(journal, {
      get: (target, name) => {
        const mine = (own as Record<string | symbol, unknown>)[name]
        if (mine !== undefined) return mine
        const value = Reflect.get(target, name, target) as unknown
        return typeof value === 'function' ? (...args: unknown[]) => reads(() => (value as (...all: unknown[]) => unknown).apply(target, args)) : value
      },
    })
  }

  /** Entries wait in the process until they are flushed or go with a commit. // K3 */
  private audit(log: AuditLog): AuditLog {
    const { entries } = this
    const own: Partial<AuditLog> = {
      append: (run, body) => void entries.push({ run, body }),
      flush: () => {
        if (entries.length > 0) this.does(() => this.writeEntries(log))
      },
      seal: () => this.does(() => {
        this.writeEntries(log)
        log.seal()
      }),
    }
    return new Proxy(log, {
      get: (target, name) => {
        if (name === 'waiting') return entries.length
        const value = (own as Record<string | symbol, unknown>)[name] ?? (Reflect.get(target, name, target) as unknown)
        return typeof value === 'function' ? (value as (...all: unknown[]) => unknown).bind(target) : value
      },
    })
  }

  private writeEntries(log: AuditLog): void {
    for (const { run, body } of this.entries.splice(0)) log.append(run, body)
    log.flush()
  }

  private log(log: RunLog, runId: string, owner: string | undefined, audit: AuditLog): RunLog {
    const { process, faults, entries } = this
    let batch: RunEvent[] = []
    let acknowledged: RunEvent[] = []
    let kept: KeptEntry[] = []
    let acknowledgedKept: KeptEntry[] = []
    return {
      append: event => this.does(() => void batch.push(event), false),
      commit: () => this.does(() => {
        const events = faults.lies === true ? acknowledged : batch
        for (const event of events) log.append(event)
        for (const { run, body } of entries.splice(0)) audit.append(run, body)
        for (const each of faults.lies === true ? acknowledgedKept : kept) log.keep(each)
        log.commit()
        acknowledged = batch
        acknowledgedKept = kept
        batch = []
        kept = []
        if (events.length > 0) faults.onDurable?.(process, runId, events, owner)
      }),
      say: line => log.say(line),
      took: request => log.took(request),
      keep: entry => void kept.push(entry),
      get uncommitted() {
        return batch.length + kept.length + log.uncommitted + entries.length
      },
      events: () => log.events(),
      lines: () => log.lines(),
      describe: summary => this.does(() => log.describe(summary)),
    }
  }
}
