// History: what can be asked about recorded runs, and what can be made of them without running anything.
// Owns: joining the journal with the questions. Does not own: the answers (interpreter/), replaying (tek.ts: it needs plugins).
import { runErrors } from '#diagnostics/catalog/run.ts'
import type { Host } from '#host/host.ts'
import type { ShownEntriesOptions } from '#interpreter/audit/shown-entries.ts'
import type { Forked } from '#interpreter/fork.ts'
import type { RunLogOptions } from '#interpreter/run-log.ts'
import type { Why } from '#interpreter/why.ts'
import type { AuditEntryShown, LogLine, RecordedRun, RunReport, StopSeen } from '#model/report.ts'
import { answer, answerOr, readJournal, withJournal, type Answer } from './journal-access.ts'

/** Every run in a database with what can be done with it now, newest first. */
export async function listRuns(host: Host, database: string): Promise<Answer<readonly RecordedRun[]>> {
  const { recordedRuns } = await import('#interpreter/stop-run.ts')
  return readJournal(database, async journal => answer(recordedRuns(journal, host)))
}

/** Asks the processes that drive runs to stop, and watches them for two seconds. */
export async function stop(host: Host, database: string, runIds: readonly string[]): Promise<Answer<readonly StopSeen[]>> {
  const { stopRun } = await import('#interpreter/stop-run.ts')
  return withJournal(database, async journal => answer(await Promise.all(runIds.map(runId => stopRun(journal, host, runId)))))
}

/** What a recorded run did, task by task; null when there is no such run. */
export async function showRun(database: string, runId: string): Promise<Answer<RunReport | null>> {
  const { reportOf } = await import('#interpreter/report.ts')
  const { showReport } = await import('#interpreter/secrets/stand-in.ts')
  const { gatherEvidence, withEvidence } = await import('#interpreter/evidence.ts')
  return readJournal(database, async journal => {
    const found = journal.openRun(runId)
    if (found === null) return answer(null)
    const events = [...found.log.events()]
    const report = showReport(reportOf(found.plan, found.summary, events))
    return answer({ ...withEvidence(report, gatherEvidence(found.plan, events)), audit: journal.audit.range(runId) })
  })
}

/** The last entries of the audit log, of one run or of all, in order; and how many there are. */
export async function auditEntries(database: string, options: ShownEntriesOptions): Promise<Answer<{ readonly entries: readonly AuditEntryShown[]; readonly total: number }>> {
  const { shownEntries } = await import('#interpreter/audit/shown-entries.ts')
  return readJournal(database, async journal => answer(shownEntries(journal.audit, options)))
}

/** The last lines of a run's log, and how many there are. */
export async function runLog(database: string, runId: string, options: RunLogOptions): Promise<Answer<{ readonly lines: readonly LogLine[]; readonly total: number }>> {
  const { runLog: linesOf } = await import('#interpreter/run-log.ts')
  return readJournal(database, async journal => {
    const found = journal.openRun(runId)
    if (found === null) return { kind: 'refused', diagnostics: [runErrors['unknown-run']({ runId })] }
    return answer(linesOf(found.plan, found.log.events(), found.log.lines(), options))
  })
}

/** Why a task of a recorded run ran, or was spared by the cache. */
export async function why(database: string, runId: string, task: string): Promise<Answer<Why>> {
  const { whyTask } = await import('#interpreter/why.ts')
  return readJournal(database, async journal => answerOr(whyTask(journal, runId, task) ?? runErrors['unknown-run']({ runId })))
}

/** Records a new run that takes over what does not depend on a task; `resume` goes on with it. */
export async function fork(host: Host, database: string, runId: string, from: string): Promise<Answer<Forked>> {
  const { forkRun } = await import('#interpreter/fork.ts')
  return withJournal(database, async journal => answerOr(forkRun(journal, host, runId, from) ?? runErrors['unknown-run']({ runId })))
}
