// Person: who answers what simulated runs ask, from outside, through the mailbox.
//   P1. Each question is answered once and never again: an answer that got lost would leave the run waiting for ever.
//   P2. The verdict depends on the seed and the task alone. Questions that begin with `Silent` are never answered.
import { sha256 } from '#base/hash.ts'
import type { Journal } from '#interpreter/journal/journal.ts'

const APPROVED_SHARE = 0.7

export class Person {
  readonly answered = new Set<string>()
  private readonly seed: number

  constructor(seed: number) {
    this.seed = seed
  }

  /** Answers what is asked and not yet answered. */
  look(journal: Journal, nowMs: number): void {
    const [run] = journal.listRuns()
    for (const wait of run?.waits ?? []) {
      if (wait.kind !== 'approval' || wait.question.startsWith('Silent') || this.answered.has(wait.task)) continue
      this.answered.add(wait.task) // P1
      const draw = Number.parseInt(sha256(`${this.seed} ${wait.task}`).slice(0, 8), 16) / 2 ** 32 // P2
      journal.mailbox.put(run!.runId, { kind: 'answer', task: wait.task, verdict: draw < APPROVED_SHARE ? 'approved' : 'refused', by: 'somebody' }, nowMs)
    }
  }
}

/** Milliseconds until the first time is due that a run waits for; 0: none is, or it has passed. */
export function untilDueMs(journal: Journal, nowMs: number): number {
  const dues = (journal.listRuns()[0]?.waits ?? []).flatMap(({ dueMs }) => (dueMs === null ? [] : [dueMs]))
  return dues.length === 0 ? 0 : Math.max(0, Math.min(...dues) - nowMs)
}
