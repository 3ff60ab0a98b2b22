// Stop run: asks the process that drives a run to stop, and says what came of it.
// Owns: the request, how long it is watched. Does not own: stopping (keeper.ts, driver.ts of that process).
import type { Host } from '#host/host.ts'
import type { RecordedRun, RunSummary, StopSeen } from '#model/report.ts'
import type { Journal } from '#interpreter/journal/journal.ts'
import { isHeld, type Lease } from '#interpreter/journal/lease.ts'

/** How long the process is watched after the request. */
const WATCH_MS = 2_000
const LOOK_EVERY_MS = 50

/** Runs with who drives them, newest first. */
export function recordedRuns(journal: Journal, host: Host): RecordedRun[] {
  const leases = journal.leases()
  return journal.listRuns().map(summary => recorded(summary, leases.get(summary.runId), host))
}

function recorded(summary: RunSummary, lease: Lease | undefined, host: Host): RecordedRun {
  const { status } = summary
  const isDriven = lease !== undefined && isHeld(lease, host)
  const state = isDriven ? 'running' : status === 'done' || status === 'failed' ? status : 'resumable'
  return { ...summary, state, driver: isDriven ? { pid: lease.pid, hostName: lease.hostName } : null }
}

/** Writes a request to stop and watches the run's process for up to two seconds. */
export async function stopRun(journal: Journal, host: Host, runId: string): Promise<StopSeen> {
  const lease = journal.leases().get(runId)
  if (lease === undefined || !isHeld(lease, host)) return { kind: 'not-running', runId }
  journal.askToStop(runId, host.now())
  const endMs = performance.now() + WATCH_MS
  while (performance.now() < endMs) {
    await new Promise(resolve => setTimeout(resolve, LOOK_EVERY_MS))
    if (hasEnded(journal.leases().get(runId), lease, host)) return { kind: 'ended', runId, pid: lease.pid }
  }
  return { kind: 'going-on', runId, pid: lease.pid, hostName: lease.hostName }
}

/** The lease is given back, or its process is gone. Where that can be seen, both: a process ends a moment after its run. */
function hasEnded(now: Lease | undefined, then: Lease, host: Host): boolean {
  const isReleased = now === undefined || now.owner !== then.owner || !isHeld(now, host)
  const here = host.identity?.()
  const isSeen = here !== undefined && here.bootId !== '' && here.bootId === then.bootId && here.pid !== then.pid
  return isReleased && (!isSeen || host.isAlive?.(then.pid) !== true)
}
