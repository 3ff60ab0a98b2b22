// Requests: a request is put where the run finds it, and watched until something has come of it.
// Owns: the order of looking, putting and watching. Does not own: what a request means (interpreter/engine), whether it fits (interpreter/fits.ts).
//   A1. A request that fits nothing is refused before it is put. What changes between that look and the taking is told afterwards.
//   A2. What was put stays until a process that drives the run takes it: nobody needs to live meanwhile.
//   A3. Of two answers to one question the first counts; whoever gave the other learns what was said.
import { runErrors } from '#diagnostics/catalog/run.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import type { Host } from '#host/host.ts'
import { folded, taskAt } from '#interpreter/find-task.ts'
import { whyNot } from '#interpreter/fits.ts'
import type { Journal, OpenedRun, PendingRequest, RunRequest } from '#interpreter/journal/journal.ts'
import { isHeld } from '#interpreter/journal/lease.ts'
import { newLease } from '#interpreter/keeper.ts'
import { recordedRuns } from '#interpreter/stop-run.ts'
import type { RunEvent } from '#model/event.ts'
import type { Plan } from '#model/plan.ts'
import { answer, type Answer } from './journal-access.ts'

/** How long the process that drives the run is watched: it looks five times a second. */
const WATCH_MS = 5_000
const LOOK_EVERY_MS = 50

/** What came of a request. */
export type AskSeen =
  /** The process that drives the run has taken it, and it did what it says. */
  | { readonly kind: 'taken'; readonly runId: string; readonly pid: number }
  /** Nobody drives the run: it waits for who goes on with it. */
  | { readonly kind: 'recorded'; readonly runId: string }
  /** It waits for a process that has not looked yet. */
  | { readonly kind: 'not-taken'; readonly runId: string; readonly pid: number; readonly hostName: string }

/** What came of a request to pause a run. */
export type PauseSeen =
  | AskSeen
  /** It waited, and nobody drove it: it does so until somebody resumes it, whatever is answered or due. */
  | { readonly kind: 'paused'; readonly runId: string }
  | { readonly kind: 'not-running'; readonly runId: string }

/** Puts a request to a run and watches what comes of it. */
export async function ask(journal: Journal, host: Host, runId: string, request: RunRequest): Promise<Answer<AskSeen>> {
  const found = journal.openRun(runId)
  if (found === null) return { kind: 'refused', diagnostics: [runErrors['unknown-run']({ runId })] }
  const events = [...found.log.events()]
  const problem = whyNot(found.plan, events, request) // A1
  const earlier = problem === null ? answeredBefore(journal.mailbox.pending(runId), request) : answerTo(found.plan, events, request, 0)
  if (earlier !== null || problem !== null) return { kind: 'refused', diagnostics: [earlier ?? problem!] }
  const atMs = host.now()
  if (!journal.mailbox.put(runId, request, atMs)) return { kind: 'refused', diagnostics: [runErrors['too-many-requests']({ runId })] }
  const pending = journal.mailbox.pending(runId)
  const id = pending.findLast(each => each.atMs === atMs && JSON.stringify(each.request) === JSON.stringify(request))?.id
  const first = id === undefined ? null : answeredBefore(pending.filter(each => each.id < id), request)
  return first === null ? watch(journal, host, found, request, { id, events: events.length }) : { kind: 'refused', diagnostics: [first] }
}

interface Put {
  /** Undefined: it is taken already. */
  readonly id: number | undefined
  /** Events that were recorded before. */
  readonly events: number
}

async function watch(journal: Journal, host: Host, run: OpenedRun, request: RunRequest, { id, events }: Put): Promise<Answer<AskSeen>> {
  const { runId } = run.summary
  const startedMs = host.monotonic()
  let pid = 0
  for (;;) {
    const lease = journal.leases().get(runId)
    const isDriven = lease !== undefined && isHeld(lease, host)
    if (isDriven) pid = lease.pid
    const isTaken = id === undefined || !journal.mailbox.pending(runId).some(each => each.id === id)
    if (isTaken) {
      const late = tooLate(journal.openRun(runId)!, request, events)
      return late === null ? answer({ kind: 'taken', runId, pid }) : { kind: 'refused', diagnostics: [late] }
    }
    if (!isDriven) {
      const late = goneMeanwhile(journal.openRun(runId)!, request)
      return late === null ? answer({ kind: 'recorded', runId }) : { kind: 'refused', diagnostics: [late] } // A2
    }
    if (host.monotonic() - startedMs >= WATCH_MS) return answer({ kind: 'not-taken', runId, pid, hostName: lease.hostName })
    await new Promise(resolve => setTimeout(resolve, LOOK_EVERY_MS))
  }
}

/** The first answer to the same question among those that wait to be taken. // A3 */
function answeredBefore(pending: readonly PendingRequest[], request: RunRequest): Diagnostic | null {
  if (request.kind !== 'answer') return null
  for (const { request: earlier, atMs } of pending) if (earlier.kind === 'answer' && earlier.task === request.task) return runErrors['answered-before']({ ...earlier, atMs })
  return null
}

/** What was recorded instead of what was asked for; null when it was that. */
function tooLate({ plan, log }: OpenedRun, request: RunRequest, before: number): Diagnostic | null {
  if (request.kind === 'pause') return null
  const all = [...log.events()]
  if (request.kind === 'steer') {
    const isDone = all.slice(before).some(each => each.kind === 'agent-steered' && each.agent === request.agent && each.does === request.does && each.by === request.by)
    return isDone ? null : whyNot(plan, all, request)
  }
  const task = taskAt(folded(plan, all), request.task)
  const said = all.slice(before).filter(each => (each.kind === 'answered' || each.kind === 'task-cancelled') && each.task === task)
  const isDone = said.some(each => (request.kind === 'cancel' ? each.kind === 'task-cancelled' : each.kind === 'answered' && each.by === request.by && each.verdict === request.verdict && each.note === request.note))
  return isDone ? null : (answerTo(plan, all, request, before) ?? runErrors['over-before']({ task: request.task }))
}

/** Why a request that nobody took, of a run that nobody drives any more, will come to nothing; null when it still fits. // A1 */
function goneMeanwhile({ plan, log }: OpenedRun, request: RunRequest): Diagnostic | null {
  const events = [...log.events()]
  const problem = whyNot(plan, events, request)
  return problem === null ? null : (answerTo(plan, events, request, 0) ?? problem)
}

/** The answer that a question was given, among the events from one on; null where there was none. // A3 */
function answerTo(plan: Plan, events: readonly RunEvent[], request: RunRequest, from: number): Diagnostic | null {
  if (request.kind !== 'answer') return null
  const task = taskAt(folded(plan, events), request.task)
  const given = events.slice(from).findLast(each => each.kind === 'answered' && each.task === task)
  return given?.kind === 'answered' ? runErrors['answered-before']({ task: request.task, verdict: given.verdict, by: given.by, atMs: given.atMs }) : null
}

/** Records the pause of a run that waits and that nobody drives; null: somebody drives it, and has to be asked. */
export function pauseUndriven(journal: Journal, host: Host, runId: string): PauseSeen | null {
  const run = recordedRuns(journal, host).find(each => each.runId === runId)
  if (run?.state === 'running') return null
  const lease = newLease(host)
  if (run?.state !== 'waiting' || lease === null) return { kind: 'not-running', runId }
  if (journal.takeLease(runId, lease, held => isHeld(held, host)) !== null) return null // somebody has just begun to
  try {
    const { summary, log } = journal.openRun(runId, lease.owner)!
    if (summary.status !== 'waiting') return { kind: 'not-running', runId } // it went on meanwhile, and stopped
    log.append({ kind: 'stop-requested', atMs: host.now(), reason: 'pause', detail: '`tek pause`' })
    log.commit()
    log.describe({ ...summary, status: 'paused' })
    return { kind: 'paused', runId }
  } finally {
    journal.releaseLease(runId, lease.owner)
  }
}
