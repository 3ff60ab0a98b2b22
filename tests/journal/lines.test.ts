// The log of a run in the journal: durable with its events, bounded, written by nobody but who drives the run; and forgetting.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Database } from 'better-sqlite3'
import { afterAll, describe, expect, test } from 'vitest'
import { memoryJournal } from '#interpreter/journal/memory.ts'
import { JournalError, MAX_INLINE_VALUE_LENGTH } from '#interpreter/journal/journal.ts'
import { MAX_LINE_LENGTH, MAX_LINES, MAX_LOG_LENGTH } from '#interpreter/journal/lines.ts'
import { sqliteJournal } from '#interpreter/journal/sqlite.ts'
import { statement } from '#interpreter/journal/sqlite-statement.ts'
import type { RunEvent } from '#model/event.ts'
import type { LogLine } from '#model/report.ts'
import { plan, task, value, workflow } from '../engine/plan-builder.ts'
import { someEvent, somePlan, someReply, someSummary } from './some-run.ts'

const folder = mkdtempSync(join(tmpdir(), 'tek-lines-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let opened = 0
const fresh = (): string => join(folder, `${opened++}`, 'tek.db')
const line = (message: string): LogLine => ({ atMs: 5, level: 'info', task: 'a[1]', message })
const lease = (owner: string) => ({ owner, pid: 1, hostName: 'h', bootId: 'b', expiresMs: 1_000 })

describe.each(['sqlite', 'memory'])('%s', kind => {
  const open = () => (kind === 'sqlite' ? sqliteJournal(fresh()) : Promise.resolve(memoryJournal()))

  test('lines are durable with the next commit, with events or without, and in order', async () => {
    const journal = await open()
    const log = journal.startRun(someSummary('r'), somePlan)
    log.say(line('one'))
    expect(log.uncommitted).toBe(1)
    expect(journal.openRun('r')!.log.lines()).toEqual([])
    log.commit()
    log.append(someEvent(0))
    log.say(line('two "\n'))
    log.commit()
    expect(log.uncommitted).toBe(0)
    const again = journal.openRun('r')!.log
    again.say(line('three'))
    again.commit()
    expect(journal.openRun('r')!.log.lines()).toEqual(['one', 'two "\n', 'three'].map(line))
    expect([...again.events()]).toHaveLength(1)
    journal.close()
  })

  test('a log is bounded, and says so', async () => {
    const journal = await open()
    const log = journal.startRun(someSummary('r'), somePlan)
    log.say(line('x'.repeat(MAX_LINE_LENGTH * 3)))
    for (let i = 0; i < MAX_LINES + 50; i++) log.say(line(`${i}`))
    log.commit()
    const lines = log.lines()
    expect(lines[0]!.message).toHaveLength(MAX_LINE_LENGTH)
    expect(lines).toHaveLength(MAX_LINES + 1)
    expect(lines.at(-1)).toMatchObject({ level: 'warn', message: expect.stringContaining('full') })
    const later = journal.openRun('r')!.log // in a later process it is full still
    later.say(line('more'))
    later.commit()
    expect(later.lines()).toHaveLength(MAX_LINES + 1)
    const long = journal.startRun(someSummary('long'), somePlan)
    for (let i = 0; i < MAX_LOG_LENGTH / MAX_LINE_LENGTH + 50; i++) long.say(line('y'.repeat(MAX_LINE_LENGTH)))
    long.commit()
    expect(long.lines().reduce((sum, each) => sum + each.message.length, 0)).toBeLessThanOrEqual(MAX_LOG_LENGTH + MAX_LINE_LENGTH)
    journal.close()
  })

  test('who lost the lease adds no line', async () => {
    const journal = await open()
    const log = journal.startRun(someSummary('r'), somePlan, { events: [someEvent(0)], lease: lease('a') })
    journal.takeLease('r', lease('b'), () => false)
    log.say(line('late'))
    expect(() => log.commit()).toThrow(JournalError)
    expect(journal.openRun('r')!.log.lines()).toEqual([])
    journal.close()
  })

  test('a forgotten run is gone whole; one that is driven stays', async () => {
    const journal = await open()
    for (const id of ['old', 'driven', 'new']) {
      const log = journal.startRun(someSummary(id), somePlan, { events: [someEvent(0)], ...(id === 'driven' ? { lease: lease('a') } : {}) })
      log.say(line(id))
      log.commit()
    }
    expect(journal.retention.forget(['old', 'driven', 'none'], () => true)).toEqual(['old'])
    expect(journal.openRun('old')).toBe(null)
    expect(journal.listRuns().map(each => each.runId).sort()).toEqual(['driven', 'new'])
    expect(journal.openRun('new')!.log.lines()).toEqual([line('new')])
    expect(journal.retention.forget(['driven'], () => false)).toEqual(['driven'])
    expect(journal.retention.compact()).toBe(true)
    journal.close()
  })
})

test('a long reply of a model is kept like a large value, and goes with its run', async () => {
  const journal = await sqliteJournal(fresh())
  const answered: RunEvent = { kind: 'model-answered', atMs: 1, task: 1, attempt: 1, turn: 1, outcome: { kind: 'reply', reply: someReply('x'.repeat(MAX_INLINE_VALUE_LENGTH)), model: 'm', lost: [] }, elapsedMs: 0 }
  journal.startRun(someSummary('a'), somePlan, { events: [answered] })
  journal.startRun(someSummary('b'), somePlan, { events: [answered] })
  const { database } = journal.retention as unknown as { database: Database }
  const blobs = (): number => statement(database, 'select count(*) from blobs').pluck().get() as number
  expect(blobs()).toBe(1)
  journal.retention.forget(['a'], () => true)
  expect([blobs(), [...journal.openRun('b')!.log.events()]]).toEqual([1, [answered]])
  journal.retention.forget(['b'], () => true)
  expect(blobs()).toBe(0)
  journal.close()
})

test('large values and plans stay as long as a run mentions them', async () => {
  const path = fresh()
  const journal = await sqliteJournal(path)
  const large = (letter: string): RunEvent => ({ kind: 'evaluated', atMs: 1, task: 1, attempt: 1, part: 'body', outcome: { kind: 'value', value: letter.repeat(MAX_INLINE_VALUE_LENGTH + 1) }, elapsedMs: 0 })
  const otherPlan = { ...plan({ main: workflow([task('other', value(1))], value(null)) }), hash: 'other' }
  journal.startRun(someSummary('a'), somePlan, { events: [large('x'), large('y')] })
  journal.startRun({ ...someSummary('b'), planHash: 'other' }, otherPlan, { events: [large('y')] })
  const { database } = journal.retention as unknown as { database: Database }
  const count = (table: string): number => statement(database, `select count(*) from ${table}`).pluck().get() as number
  expect([count('blobs'), count('plans')]).toEqual([2, 2])
  expect(journal.retention.forget(['a'], () => true)).toEqual(['a'])
  expect([count('blobs'), count('plans')]).toEqual([1, 1])
  expect([...journal.openRun('b')!.log.events()]).toEqual([large('y')])
  journal.close()
})
