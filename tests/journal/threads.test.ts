// Threads in the journal: what a run adds is there with its event or not at all, in order, once, bounded, and by sums as it was written.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, describe, expect, test } from 'vitest'
import { MAX_THREAD_ENTRIES, type KeptEntry, type Remembered } from '#model/memory.ts'
import type { RunSummary } from '#model/report.ts'
import type { Journal } from '#interpreter/journal/journal.ts'
import { memoryJournal } from '#interpreter/journal/memory.ts'
import { sqliteJournal } from '#interpreter/journal/sqlite.ts'
import { plan, value, workflow } from '../engine/plan-builder.ts'

const folders: string[] = []
const newPath = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'tek-threads-'))
  folders.push(folder)
  return join(folder, 'tek.db')
}
afterEach(() => folders.splice(0).forEach(each => rmSync(each, { recursive: true, force: true })))

const program = plan({ main: workflow([], value(1)) })
const summary = (runId: string): RunSummary => ({
  runId, workflow: 'main', program: 'test.tek', planHash: program.hash, startedAtMs: 0, elapsedMs: 0, status: 'running', outcome: null,
  tasks: { total: 0, done: 0, failed: 0, skipped: 0, cancelled: 0, running: 0, cached: 0 }, calls: { read: 0, wrote: 0, ran: 0, fetched: 0, refused: 0 },
})
const said = (answer: string, more: Partial<Remembered> = {}): Remembered => ({ prompt: 'asked', between: '', answer, isUntrusted: false, ...more })
const kept = (key: string, more: Partial<KeptEntry> = {}): KeptEntry => ({ thread: 's', key, atMs: 5, entry: said(key), ...more })
const answersIn = (journal: Journal, name = 's'): string[] => journal.threads.entries(name).map(each => each.answer)

describe.each([['sqlite', async () => sqliteJournal(newPath())], ['memory', async () => memoryJournal()]] as const)('%s', (_, open) => {
  test('what was kept is there from the commit on, in the order of commits, once', async () => {
    const journal = await open()
    const [one, two] = [journal.startRun(summary('r1'), program), journal.startRun(summary('r2'), program)]
    one.keep(kept('a'))
    two.append({ kind: 'run-resumed', atMs: 1 })
    two.keep(kept('b', { entry: said('b', { isUntrusted: true, between: 'look → cat' }) }))
    expect([one.uncommitted > 0, answersIn(journal)]).toEqual([true, []])
    two.commit()
    one.commit()
    one.keep(kept('a'))
    one.commit()
    expect([one.uncommitted, answersIn(journal)]).toEqual([0, ['b', 'a']])
    expect(journal.threads.read('s')).toMatchObject({ name: 's', entries: [{ from: 'b', between: 'look → cat', isUntrusted: true, atMs: 5 }, { from: 'a' }] })
    expect(journal.threads.list()).toMatchObject([{ name: 's', entries: 2, isUntrusted: true, firstMs: 5, lastMs: 5 }])
    expect([journal.threads.read('none'), journal.threads.entries('none'), journal.threads.forget(['none'])]).toEqual([null, [], 0])
    journal.close()
  })

  test('a summary takes the place of what it was made from; one that came too late is dropped', async () => {
    const journal = await open()
    const log = journal.startRun(summary('r1'), program)
    for (const key of ['a', 'b', 'c', 'd']) log.keep(kept(key))
    log.commit()
    const seqs = journal.threads.entries('s').map(each => each.seq)
    log.keep(kept('sum 1', { covers: seqs[1]!, entry: said('a and b', { prompt: null }) }))
    log.commit()
    expect(answersIn(journal)).toEqual(['a and b', 'c', 'd'])
    log.keep(kept('sum 2', { covers: seqs[2]!, entry: said('a to c', { prompt: null }) }))
    log.commit()
    log.keep(kept('late', { covers: seqs[1]!, entry: said('late', { prompt: null }) }))
    log.keep(kept('e'))
    log.commit()
    expect(answersIn(journal)).toEqual(['a to c', 'd', 'e'])
    journal.close()
  })

  test('a thread holds so many entries; the oldest go; threads are forgotten one by one or all', async () => {
    const journal = await open()
    const log = journal.startRun(summary('r1'), program)
    for (let at = 0; at < MAX_THREAD_ENTRIES + 3; at++) log.keep(kept(`k${at}`))
    log.keep(kept('other', { thread: 't' }))
    log.keep(kept('third', { thread: 'u' }))
    log.commit()
    expect([journal.threads.entries('s').length, answersIn(journal)[0], answersIn(journal).at(-1)]).toEqual([MAX_THREAD_ENTRIES, 'k3', `k${MAX_THREAD_ENTRIES + 2}`])
    expect([journal.threads.forget(['s']), journal.threads.list().map(each => each.name).sort(), journal.threads.forget(null), journal.threads.list()]).toEqual([1, ['t', 'u'], 2, []])
    journal.close()
  })
})

describe('on disk', () => {
  test('it is there when the journal is opened again; forgetting the run leaves it', async () => {
    const path = newPath()
    const first = await sqliteJournal(path)
    const log = first.startRun(summary('r1'), program)
    log.keep(kept('a'))
    log.commit()
    log.keep(kept('never committed'))
    first.close()
    const again = await sqliteJournal(path)
    again.retention.forget(['r1'], () => false)
    expect(answersIn(again)).toEqual(['a'])
    again.close()
  })

  test('an entry that is not as it was written is left out', async () => {
    const path = newPath()
    const journal = await sqliteJournal(path)
    const log = journal.startRun(summary('r1'), program)
    log.keep(kept('a'))
    log.keep(kept('b'))
    log.commit()
    journal.close()
    const database = new Database(path)
    const change = database.prepare(`update thread_entries set body = replace(body, '"a"', '"x"')`)
    change.run()
    database.close()
    const again = await sqliteJournal(path)
    expect(answersIn(again)).toEqual(['b'])
    again.close()
  })

  test('who has lost the lease adds nothing', async () => {
    const path = newPath()
    const journal = await sqliteJournal(path)
    const lease = (owner: string) => ({ owner, pid: 1, hostName: 'h', bootId: 'b', since: '', expiresMs: 1e15 })
    const log = journal.startRun(summary('r1'), program, { lease: lease('one') })
    journal.takeLease('r1', lease('two'), () => false)
    log.append({ kind: 'run-resumed', atMs: 1 })
    log.keep(kept('a'))
    expect(() => log.commit()).toThrow(expect.objectContaining({ diagnostic: expect.objectContaining({ code: 'run/lease-lost' }) }))
    expect(answersIn(journal)).toEqual([])
    journal.close()
  })
})
