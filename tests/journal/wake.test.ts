// Wake: which runs have what they waited for, as far as the journal alone can tell; requests that wait for a run.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { MAX_PENDING_REQUESTS, type RunLog } from '#interpreter/journal/journal.ts'
import { memoryJournal } from '#interpreter/journal/memory.ts'
import { sqliteJournal } from '#interpreter/journal/sqlite.ts'
import type { RunSummary, Wait } from '#model/report.ts'
import { someEvent, somePlan, someSummary } from './some-run.ts'

const folder = mkdtempSync(join(tmpdir(), 'tek-wake-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let made = 0

const question = (dueMs: number | null): Wait => ({ kind: 'approval', task: 't', question: 'sure?', askedOf: null, sinceMs: 0, dueMs })
const time = (dueMs: number): Wait => ({ kind: 'time', task: 't', sinceMs: 0, dueMs })
const answer = { kind: 'answer', task: 't', verdict: 'approved', by: 'x' } as const

describe.each(['sqlite', 'memory'])('%s', kind => {
  const open = () => (kind === 'sqlite' ? sqliteJournal(join(folder, `${made++}`, 'tek.db')) : Promise.resolve(memoryJournal()))

  test('runs are woken when a time is due, or when somebody asks something of them', async () => {
    const journal = await open()
    const logs = new Map<string, RunLog>()
    const stands = (runId: string, status: RunSummary['status'], waits?: readonly Wait[]): void => {
      if (!logs.has(runId)) logs.set(runId, journal.startRun(someSummary(runId), somePlan))
      logs.get(runId)!.describe({ ...someSummary(runId), status, ...(waits === undefined ? {} : { waits }) })
    }
    stands('late', 'waiting', [time(300)])
    stands('soon', 'waiting', [question(null), time(100)])
    stands('never', 'waiting', [question(null)])
    stands('killed', 'running', [time(200)])
    stands('busy', 'running')
    stands('paused', 'paused', [time(100)])
    stands('stopped', 'stopped', [time(100)])
    stands('done', 'done')
    const wake = (nowMs: number) => journal.toWake(nowMs, 10).toSorted()
    expect(wake(99)).toEqual([])
    expect(wake(100)).toEqual(['soon'])
    expect(wake(1_000)).toEqual(['killed', 'late', 'soon'])
    expect(journal.toWake(1_000, 2)).toHaveLength(2)
    for (const runId of logs.keys()) expect(journal.mailbox.put(runId, answer, 0)).toBe(true)
    expect(wake(99)).toEqual(['killed', 'late', 'never', 'soon'])
    stands('never', 'running')
    expect(wake(99)).toEqual(['killed', 'late', 'soon'])
    journal.close()
  })

  test('a run that waits is listed, however many came and went after it', async () => {
    const journal = await open()
    const starts = (runId: string, startedAtMs: number, status: RunSummary['status']): void => {
      const summary = { ...someSummary(runId), startedAtMs, status }
      journal.startRun(summary, somePlan).describe(summary)
    }
    for (const [at, status] of (['done', 'waiting', 'paused', 'stopped', 'failed'] as const).entries()) starts(status, at, status)
    for (let i = 0; i < 5; i++) starts(`later${i}`, 10 + i, 'done')
    expect(journal.listRuns(3).map(each => each.runId)).toEqual(['later4', 'later3', 'later2', 'stopped', 'paused', 'waiting'])
    journal.close()
  })

  test('a request is taken off with the events it led to, or with none', async () => {
    const journal = await open()
    const log = journal.startRun(someSummary('r'), somePlan)
    for (const note of ['a', 'b', 'c']) journal.mailbox.put('r', { ...answer, note }, 7)
    const pending = journal.mailbox.pending('r')
    expect(pending.map(each => [each.atMs, each.request])).toEqual(['a', 'b', 'c'].map(note => [7, { ...answer, note }]))
    log.append(someEvent(0))
    log.took(pending[1]!)
    expect(log.uncommitted).toBe(2)
    expect(journal.mailbox.pending('r')).toHaveLength(3)
    log.commit()
    expect(log.uncommitted).toBe(0)
    log.took(pending[0]!)
    log.commit()
    expect(journal.mailbox.pending('r').map(each => each.id)).toEqual([pending[2]!.id])
    journal.close()
  })

  test('only so many may wait', async () => {
    const journal = await open()
    journal.startRun(someSummary('r'), somePlan)
    for (let i = 0; i < MAX_PENDING_REQUESTS; i++) expect(journal.mailbox.put('r', answer, 0)).toBe(true)
    expect(journal.mailbox.put('r', answer, 0)).toBe(false)
    journal.close()
  })
})
