// Announcer: tells a program that the person names of each question that waits for an answer.
// Owns: which questions are new, starting the program, its limits. Does not own: answering (tek approve).
//   A1. Each question is announced once, and once more for each it is passed on to; what was announced is in the journal. It counts as announced when the
//       program has ended: one that is killed with tek may hear of a question twice, never not at all.
//   A2. The program is the person's own: it runs unconfined, with their environment. It is given NOTIFY_TIMEOUT_MS; that it fails is told and changes nothing.
//   A3. One at a time; at most MAX_UNANNOUNCED wait, and the next look finds the rest.
import { HostError, type Host } from '#host/host.ts'
import type { TriggerStore } from '#interpreter/journal/triggers.ts'
import type { RunSummary, Wait } from '#model/report.ts'
import type { ServeEvent } from './event.ts'

export const NOTIFY_TIMEOUT_MS = 30_000
const MAX_UNANNOUNCED = 1_000
const MAX_OUTPUT_BYTES = 65_536
const MAX_REASON_LENGTH = 200

/** The program that is told. */
export interface Notified {
  /** A path, or a name to be found on PATH. */
  readonly program: string
  readonly env: Readonly<Record<string, string>>
}

type Question = Extract<Wait, { kind: 'approval' }>
type About = Pick<RunSummary, 'runId' | 'program' | 'workflow'>

export class Announcer {
  private readonly host: Host
  private readonly store: TriggerStore
  private readonly notified: Notified
  private readonly tell: (event: ServeEvent) => void
  private readonly signal: AbortSignal
  private readonly pending = new Map<string, { readonly about: About; readonly question: Question }>()
  private working: Promise<void> | null = null

  constructor(host: Host, store: TriggerStore, notified: Notified, tell: (event: ServeEvent) => void, signal: AbortSignal) {
    this.host = host
    this.store = store
    this.notified = notified
    this.tell = tell
    this.signal = signal
  }

  /** What a run waits for now. */
  heard(about: About, waits: readonly Wait[]): void {
    for (const question of waits) {
      if (question.kind !== 'approval') continue
      const key = `${about.runId} ${question.sinceMs} ${question.task} ${question.askedOf ?? ''}`
      if (this.pending.has(key) || this.pending.size >= MAX_UNANNOUNCED || this.store.isAnnounced(key)) continue
      this.pending.set(key, { about, question })
    }
    if (this.pending.size > 0) this.working ??= this.work().finally(() => { this.working = null })
  }

  /** Resolves when nothing is left to announce. */
  async idle(): Promise<void> {
    await this.working
  }

  private async work(): Promise<void> {
    for (const [key, { about, question }] of this.pending) {
      if (this.signal.aborted) return
      const failure = await this.announce(about, question)
      if (this.signal.aborted) return
      this.store.announce(key, this.host.now()) // A1
      this.pending.delete(key)
      this.tell({ kind: 'announced', runId: about.runId, task: question.task, failure })
    }
  }

  private async announce({ runId, program, workflow }: About, { task, question, askedOf, sinceMs, dueMs }: Question): Promise<string | null> {
    const told = { version: 1, kind: askedOf === null ? 'question' : 'escalation', runId, program, workflow, task, question, askedOf, sinceMs, dueMs }
    try {
      const { exitCode, timedOut } = await this.host.run({ // A2
        program: this.notified.program, args: [], cwd: this.host.cwd, env: this.notified.env, stdin: `${JSON.stringify(told)}\n`,
        timeoutMs: NOTIFY_TIMEOUT_MS, maxOutputBytes: MAX_OUTPUT_BYTES,
      }, this.signal)
      if (timedOut) return `it took longer than ${NOTIFY_TIMEOUT_MS / 1_000} seconds`
      return exitCode === 0 ? null : exitCode === null ? 'it was ended by a signal' : `it ended with exit code ${exitCode}`
    } catch (error) {
      if (!(error instanceof HostError)) throw error
      return error.message.slice(0, MAX_REASON_LENGTH)
    }
  }
}
