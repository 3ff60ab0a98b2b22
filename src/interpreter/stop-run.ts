// Stop run: asks the process that drives a run to stop, and says what came of it.
// Owns: the request, how long it is watched, ending what does not answer. Does not own: stopping (keeper.ts, driver.ts of that process).
//   P1. A process that is blocked or suspended is ended from outside, with everything it has started: the journal makes that safe.
//   P2. It is ended only where it is known to be the one that holds the lease: this machine and boot, its number, and when it began.
import type { Host } from '#host/host.ts'
import type { RecordedRun, RunSummary, StopSeen } from '#model/report.ts'
import type { Journal } from '#interpreter/journal/journal.ts'
import { bodyOf } from '#interpreter/audit/chain.ts'
import { isHeld, type Lease } from '#interpreter/journal/lease.ts'

/** How long the process is watched after the request. */
const WATCH_MS = 2_000
/** How long a process may take to say that it saw the request: it looks five times a second. */
const UNSEEN_GRACE_MS = 1_000
/** How long one that saw it may take to end: a quarter of a second for its calls, half a second for their programs, and some. */
const SEEN_GRACE_MS = 1_700
const LOOK_EVERY_MS = 50

/** Runs with who drives them, newest first. */
export function recordedRuns(journal: Journal, host: Host, limit?: number): RecordedRun[] {
  const leases = journal.leases()
  return journal.listRuns(limit).map(summary => recorded(summary, leases.get(summary.runId), host))
}

function recorded(summary: RunSummary, lease: Lease | undefined, host: Host): RecordedRun {
  const { status } = summary
  const isDriven = lease !== undefined && isHeld(lease, host)
  const state = isDriven ? 'running' : status === 'done' || status === 'failed' ? status : summary.successor !== undefined ? 'superseded' : status === 'paused' || status === 'waiting' ? status : isLimited(summary) ? 'limited' : 'resumable'
  return { ...summary, state, driver: isDriven ? { pid: lease.pid, hostName: lease.hostName } : null }
}

/** Stopped by a limit that holds again as soon as the run goes on. */
function isLimited({ status, outcome }: RunSummary): boolean {
  return status === 'stopped' && outcome?.kind === 'failure' && outcome.failure.code === 'run/limit-reached' && !outcome.failure.retryable
}

/** Writes a request to stop and watches the run's process; one that does not answer in time is ended from outside. // P1 P2 */
export async function stopRun(journal: Journal, host: Host, runId: string): Promise<StopSeen> {
  const lease = journal.leases().get(runId)
  if (lease === undefined || !isHeld(lease, host)) return { kind: 'not-running', runId }
  journal.askToStop(runId, host.now())
  const { pid, hostName } = lease
  const startedMs = performance.now()
  let killed: number | null = null
  for (let passedMs = 0; passedMs < WATCH_MS; passedMs = performance.now() - startedMs) {
    await new Promise(resolve => setTimeout(resolve, LOOK_EVERY_MS))
    if (hasEnded(journal.leases().get(runId), lease, host)) return killed === null ? { kind: 'ended', runId, pid } : { kind: 'killed', runId, pid, processes: killed }
    const isLate = passedMs >= (journal.isStopSeen(runId) ? SEEN_GRACE_MS : UNSEEN_GRACE_MS)
    if (killed === null && isLate && isHere(lease, host)) killed = end(journal, host, runId, lease)
  }
  return { kind: 'going-on', runId, pid, hostName }
}

function end(journal: Journal, host: Host, runId: string, lease: Lease): number | null {
  const processes = host.endProcess?.(lease) ?? null
  if (processes === null) return null
  const others = processes === 0 ? '' : ` and ${processes} more`
  journal.audit.append(runId, bodyOf({ kind: 'stopped', by: `\`tek stop\`, which ended process ${lease.pid}${others}` }, host.now(), text => text))
  journal.audit.flush()
  return processes
}

/** The lease is given back, or its process is gone. Where that can be seen, both: a process ends a moment after its run. */
function hasEnded(now: Lease | undefined, then: Lease, host: Host): boolean {
  const isReleased = now === undefined || now.owner !== then.owner || !isHeld(now, host)
  return isReleased && (!isHere(then, host) || host.isAlive?.(then.pid, then.since) !== true)
}

/** Its process is another one of this machine and boot. */
function isHere(lease: Lease, host: Host): boolean {
  const here = host.identity?.()
  return here !== undefined && here.bootId !== '' && here.bootId === lease.bootId && here.hostName === lease.hostName && here.pid !== lease.pid
}
