// Ask: what a person asks of a run from outside its process: an answer, a pause, that a task is given up, that an agent is steered; what waits here, what agents do and remember.
// Owns: the questions and their answers. Does not own: how a request is put and watched (requests.ts).
import { runErrors } from '#diagnostics/catalog/run.ts'
import type { Host } from '#host/host.ts'
import type { Journal, RunRequest } from '#interpreter/journal/journal.ts'
import type { ThreadRead, ThreadShown } from '#model/memory.ts'
import type { AgentShown, RecordedRun, Wait } from '#model/report.ts'
import { answer, readJournal, withJournal, type Answer } from './journal-access.ts'
import type { AskSeen, PauseSeen } from './requests.ts'

export type { AskSeen, PauseSeen } from './requests.ts'

/** Runs that one command pauses. */
const MAX_PAUSED = 1_000
/** Runs that are looked at to find the one that is meant; the newest. */
const MAX_FITTED = 50

/** Puts a request to a run and watches what comes of it. */
export async function ask(host: Host, database: string, runId: string, request: RunRequest): Promise<Answer<AskSeen>> {
  const requests = await import('./requests.ts')
  return withJournal(database, journal => requests.ask(journal, host, runId, request))
}

/** Puts a request that fits, as whoever drives the run in this very process knows; nothing is watched. False: too many wait already. */
export async function post(host: Host, database: string | Journal, runId: string, request: RunRequest): Promise<Answer<boolean>> {
  return withJournal(database, async journal => answer(journal.mailbox.put(runId, request, host.now())))
}

/** Pauses runs: what runs is finished, and nothing new begins until somebody resumes them. */
export async function pause(host: Host, database: string, runIds: readonly string[]): Promise<Answer<readonly PauseSeen[]>> {
  const requests = await import('./requests.ts')
  return withJournal(database, async journal => {
    const seen: PauseSeen[] = []
    for (const runId of runIds.slice(0, MAX_PAUSED)) {
      const here = requests.pauseUndriven(journal, host, runId)
      const put: Answer<PauseSeen> = here === null ? await requests.ask(journal, host, runId, { kind: 'pause' }) : answer(here)
      if (put.kind === 'refused') return put
      seen.push(put.value)
    }
    return answer(seen)
  })
}

/** The agents of a recorded run, as they stand by what is recorded of it. */
export async function agentsOf(database: string, runId: string): Promise<Answer<readonly AgentShown[]>> {
  const [{ agentsShown }, { folded }, { showStandIns }] = await Promise.all([import('#interpreter/engine/agents-view.ts'), import('#interpreter/find-task.ts'), import('#interpreter/secrets/stand-in.ts')])
  return readJournal(database, async journal => {
    const found = journal.openRun(runId)
    if (found === null) return { kind: 'refused', diagnostics: [runErrors['unknown-run']({ runId })] }
    const plain = (text: string | null): string | null => (text === null ? null : showStandIns(text))
    return answer(agentsShown(folded(found.plan, found.log.events())).map(each => ({ ...each, lastAnswer: plain(each.lastAnswer) })))
  })
}

/** What agents remember here under a name, across runs. */
export function threadsHere(database: string): Promise<Answer<readonly ThreadShown[]>> {
  return readJournal(database, async journal => answer(journal.threads.list()))
}

/** One thread whole; null where there is none of that name. */
export function readThread(database: string, name: string): Promise<Answer<ThreadRead | null>> {
  return readJournal(database, async journal => answer(journal.threads.read(name)))
}

/** Forgets threads, null: all; gives how many there were. A conversation under way keeps what it began with. */
export function forgetThreads(database: string, names: readonly string[] | null): Promise<Answer<number>> {
  return withJournal(database, async journal => answer(journal.threads.forget(names)))
}

/** Something here that waits, with the run it is in. */
export interface WaitHere {
  readonly run: RecordedRun
  readonly wait: Wait
  /** What was answered, and not yet taken by a process that drives the run; null: nothing. */
  readonly answer: { readonly verdict: 'approved' | 'refused'; readonly by: string } | null
}

/** Everything in the runs of a database that waits for a person or a time; the runs newest first. */
export async function waitsHere(host: Host, database: string): Promise<Answer<readonly WaitHere[]>> {
  const { recordedRuns } = await import('#interpreter/stop-run.ts')
  return readJournal(database, async journal => {
    const unfinished = recordedRuns(journal, host).filter(each => each.state !== 'done' && each.state !== 'failed' && each.state !== 'superseded')
    return answer(unfinished.flatMap(run => {
      const given = run.waits === undefined ? new Map<string, WaitHere['answer']>() : answersOf(journal, run.runId)
      return (run.waits ?? []).map(wait => ({ run, wait, answer: wait.kind === 'approval' ? (given.get(wait.task) ?? null) : null }))
    }))
  })
}

/** Answers that wait to be taken, by task; the first counts. */
function answersOf(journal: Journal, runId: string): Map<string, WaitHere['answer']> {
  const given = new Map<string, WaitHere['answer']>()
  for (const { request } of journal.mailbox.pending(runId)) {
    if (request.kind === 'answer' && !given.has(request.task)) given.set(request.task, { verdict: request.verdict, by: request.by })
  }
  return given
}

/** The runs, of these, to which a request fits. */
export async function fitting(database: string, runIds: readonly string[], request: RunRequest): Promise<Answer<readonly string[]>> {
  const { whyNot } = await import('#interpreter/fits.ts')
  return readJournal(database, async journal => answer(runIds.slice(0, MAX_FITTED).filter(runId => {
    const found = journal.openRun(runId)
    return found !== null && whyNot(found.plan, found.log.events(), request) === null
  })))
}
