// Follow: the log of a run as it grows, whoever drives it, until the run is finished.
// Owns: when it is looked at, what is new. Does not own: the lines (interpreter/run-log.ts).
//   F1. Lines are told once: what tools said and what failed are two lists that only grow, each with a mark.
//   F2. A run that stops, waits or whose process is gone may be gone on with by another: only its end ends this.
//   F3. Looking costs as much as the run is long: it takes at most a share of the time (1 in REST_FACTOR + 1).
import { runErrors } from '#diagnostics/catalog/run.ts'
import type { Host } from '#host/host.ts'
import type { LogLine, RecordedRun } from '#model/report.ts'
import { withJournal, answer, type Answer } from './journal-access.ts'

const LOOK_EVERY_MS = 200
const MAX_REST_MS = 5_000
const REST_FACTOR = 4

export interface FollowOptions {
  /** Path of a task: its own lines, its items' and those of what is inside it. */
  readonly task?: string
  /** Lines that were there before which are told. */
  readonly last: number
  /** New lines, in the order of time. */
  readonly onLines: (lines: readonly LogLine[]) => void
  /** How it stands, whenever that changes. */
  readonly onState: (run: RecordedRun) => void
  readonly signal?: AbortSignal
}

/** Tells the log of a run until it is finished or `signal` aborts. */
export async function followLog(host: Host, database: string, runId: string, options: FollowOptions): Promise<Answer<RecordedRun>> {
  const [{ runLog }, { recordedRuns }] = await Promise.all([import('#interpreter/run-log.ts'), import('#interpreter/stop-run.ts')])
  return withJournal(database, async journal => {
    let [said, failed] = [0, 0]
    let state = ''
    const within = { limit: Number.MAX_SAFE_INTEGER, ...(options.task === undefined ? {} : { task: options.task }) }
    for (;;) {
      const beganMs = host.monotonic()
      const run = recordedRuns(journal, host).find(each => each.runId === runId) // before its lines: at its end, all of them are there
      const found = run === undefined ? null : journal.openRun(runId)
      if (run === undefined || found === null) return { kind: 'refused', diagnostics: [runErrors['unknown-run']({ runId })] }
      const spoken = runLog(found.plan, [], found.log.lines(), within).lines
      const failures = runLog(found.plan, found.log.events(), [], within).lines
      const fresh = [...spoken.slice(said), ...failures.slice(failed)].sort((a, b) => a.atMs - b.atMs)
      const lines = said + failed === 0 && state === '' ? fresh.slice(-options.last) : fresh
      if (lines.length > 0) options.onLines(lines)
      ;[said, failed] = [spoken.length, failures.length] // F1
      if (run.state !== state) options.onState(run)
      state = run.state
      if (state === 'done' || state === 'failed' || state === 'superseded' || options.signal?.aborted === true) return answer(run) // F2
      const tookMs = host.monotonic() - beganMs
      await new Promise(resolve => setTimeout(resolve, Math.min(MAX_REST_MS, Math.max(LOOK_EVERY_MS, tookMs * REST_FACTOR)))) // F3
    }
  })
}
