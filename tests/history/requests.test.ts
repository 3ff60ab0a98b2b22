// Requests: what comes of an answer, a pause, a task given up, whoever drives the run meanwhile.
import { expect, test } from 'vitest'
import type { AskSeen } from '#history/ask.ts'
import type { Answer } from '#history/journal-access.ts'
import { ask, pauseUndriven } from '#history/requests.ts'
import { MAX_PENDING_REQUESTS, type Journal, type RunRequest } from '#interpreter/journal/journal.ts'
import { memoryJournal } from '#interpreter/journal/memory.ts'
import type { RunEvent } from '#model/event.ts'
import { memoryHost, type MemoryHost } from '#testing/memory-host.ts'
import { node, plan, task, value, workflow } from '../engine/plan-builder.ts'
import { runPlan } from '../engine/run-plan.ts'

const program = plan({ main: workflow([task('deploy', value('deployed'), { approve: value('Deploy?') }), task('b', value(1), { dependsOn: [0] })], node(0)) })
const lease = { owner: 'o', pid: 4_711, hostName: 'elsewhere', bootId: 'b', expiresMs: Date.UTC(2026, 0, 1) + 60_000 }
const yes: RunRequest = { kind: 'answer', task: 'deploy', verdict: 'approved', by: 'ada' }
const no: RunRequest = { kind: 'answer', task: 'deploy', verdict: 'refused', by: 'bob', note: 'no time' }

interface Story {
  readonly journal: Journal
  readonly host: MemoryHost
  readonly runId: string
  /** The process that drives it takes a request, and records what came of it. */
  take(request: RunRequest, ...events: RunEvent[]): void
}

/** A run that asks, and a process that drives it. */
async function story(isDriven: boolean): Promise<Story> {
  const journal = memoryJournal()
  const { result } = await runPlan(program, { journal })
  const runId = result.kind === 'ran' ? result.summary.runId : ''
  if (isDriven) journal.takeLease(runId, lease, () => false)
  const log = journal.openRun(runId)!.log
  let passedMs = 0
  const host: MemoryHost = { ...memoryHost(), monotonic: () => (passedMs += 100), identity: () => ({ pid: 1, hostName: 'here', bootId: 'a' }) }
  return {
    journal, host, runId,
    take(request, ...events) {
      const pending = journal.mailbox.pending(runId).find(each => JSON.stringify(each.request) === JSON.stringify(request))!
      for (const event of events) log.append(event)
      log.took(pending)
      log.commit()
    },
  }
}
const answeredWith = (verdict: 'approved' | 'refused', by: string): RunEvent => ({ kind: 'answered', atMs: 3, task: 1, attempt: 1, verdict, by, ...(by === 'bob' ? { note: 'no time' } : {}) })
const code = (answer: Answer<AskSeen>): string => (answer.kind === 'refused' ? answer.diagnostics[0]!.code : answer.value.kind)
const until = async (isSo: () => boolean): Promise<void> => {
  while (!isSo()) await new Promise(resolve => setTimeout(resolve, 5))
}

test('nobody drives the run: it is recorded; a second answer to the same question is told of the first', async () => {
  const { journal, host, runId } = await story(false)
  expect(await ask(journal, host, runId, yes)).toEqual({ kind: 'answer', value: { kind: 'recorded', runId } })
  expect(await ask(journal, host, runId, no)).toMatchObject({ kind: 'refused', diagnostics: [{ code: 'run/answered-before', message: expect.stringContaining('was approved before this by ada') }] })
  expect(journal.mailbox.pending(runId).map(each => each.request)).toEqual([yes])
})

test('a process takes it: the answer says so once it is recorded', async () => {
  const { journal, host, runId, take } = await story(true)
  const asking = ask(journal, host, runId, no)
  await until(() => journal.mailbox.pending(runId).length === 1)
  take(no, answeredWith('refused', 'bob'))
  expect(await asking).toEqual({ kind: 'answer', value: { kind: 'taken', runId, pid: 4_711 } })
})

test('both were put before either was taken: whoever comes second learns what was said', async () => {
  const { journal, host, runId, take } = await story(true)
  const asking = ask(journal, host, runId, yes)
  await until(() => journal.mailbox.pending(runId).length === 1)
  take(yes, answeredWith('refused', 'bob')) // another answer was folded first
  expect(await asking).toMatchObject({ kind: 'refused', diagnostics: [{ code: 'run/answered-before', message: expect.stringContaining('was refused before this by bob') }] })
})

test('the task was over by the time it was taken: nothing was changed', async () => {
  for (const request of [yes, { kind: 'cancel', task: 'deploy', by: 'ada' } as const]) {
    const { journal, host, runId, take } = await story(true)
    const asking = ask(journal, host, runId, request)
    await until(() => journal.mailbox.pending(runId).length === 1)
    take(request)
    expect(code(await asking)).toBe('run/over-before')
  }
})

test('the process does not look: that is said, and the request stays', async () => {
  const { journal, host, runId } = await story(true)
  expect(await ask(journal, host, runId, yes)).toEqual({ kind: 'answer', value: { kind: 'not-taken', runId, pid: 4_711, hostName: 'elsewhere' } })
  expect(journal.mailbox.pending(runId)).toHaveLength(1)
})

test('the process ends meanwhile: it is recorded for the next one', async () => {
  const { journal, host, runId } = await story(true)
  const asking = ask(journal, host, runId, yes)
  await until(() => journal.mailbox.pending(runId).length === 1)
  journal.releaseLease(runId, 'o')
  expect(code(await asking)).toBe('recorded')
})

test('the run ended meanwhile, by another answer: nobody will take this one', async () => {
  const { journal, host, runId, take } = await story(true)
  const asking = ask(journal, host, runId, yes)
  await until(() => journal.mailbox.pending(runId).length === 1)
  journal.mailbox.put(runId, no, 0)
  take(no, answeredWith('refused', 'bob'))
  journal.releaseLease(runId, 'o')
  expect(await asking).toMatchObject({ kind: 'refused', diagnostics: [{ code: 'run/answered-before', message: expect.stringContaining('was refused before this by bob') }] })
})

test('what fits nothing is not put: no such run, no such task, one that asks nothing; too many', async () => {
  const { journal, host, runId } = await story(false)
  expect(code(await ask(journal, host, 'nothing', yes))).toBe('run/unknown-run')
  expect(code(await ask(journal, host, runId, { ...yes, task: 'x' }))).toBe('run/unknown-task')
  expect(code(await ask(journal, host, runId, { ...yes, task: 'b' }))).toBe('run/not-asking')
  expect(journal.mailbox.pending(runId)).toEqual([])
  for (let n = 0; n < MAX_PENDING_REQUESTS; n++) journal.mailbox.put(runId, { kind: 'pause' }, 0)
  expect(code(await ask(journal, host, runId, yes))).toBe('run/too-many-requests')
})

test('a run that waits is paused without a process; one that is driven has to be asked; nothing else changes', async () => {
  const { journal, host, runId } = await story(false)
  expect(pauseUndriven(journal, host, runId)).toEqual({ kind: 'paused', runId })
  expect(journal.listRuns()[0]).toMatchObject({ status: 'paused', waits: [{ task: 'deploy' }] })
  expect([...journal.openRun(runId)!.log.events()].at(-1)).toMatchObject({ kind: 'stop-requested', reason: 'pause' })
  expect(journal.leases().size).toBe(0)
  expect(pauseUndriven(journal, host, runId)).toEqual({ kind: 'not-running', runId })
  const driven = await story(true)
  expect(pauseUndriven(driven.journal, driven.host, driven.runId)).toBe(null)
})
