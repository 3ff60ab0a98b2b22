// Journal: what was acknowledged is there after a kill, whatever the database suffers has a code, large values are kept once.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { JournalError, MAX_INLINE_VALUE_LENGTH } from '#interpreter/journal/journal.ts'
import { memoryJournal } from '#interpreter/journal/memory.ts'
import { migrations } from '#interpreter/journal/schema.ts'
import { sqliteJournal } from '#interpreter/journal/sqlite.ts'
import { call, node, plan, task, value, workflow } from '../engine/plan-builder.ts'
import { resumePlan, runPlan } from '../engine/run-plan.ts'
import { memoryHost } from '#testing/memory-host.ts'
import { buildScripts } from './build-scripts.ts'
import { everyEvent, someEvent, somePlan, someSummary } from './some-run.ts'

/** The user `nobody` of every Unix. */
const NOBODY = 65_534

let folder = ''
let scripts = ''
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tek-journal-'))
  scripts = await buildScripts('journal', { writer: 'tests/journal/writer.ts' })
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let made = 0
const fresh = () => join(folder, `${made++}`, 'tek.db')

async function codeOf(work: () => unknown): Promise<string> {
  try {
    await work()
    return 'nothing'
  } catch (error) {
    if (!(error instanceof JournalError)) throw error
    return error.diagnostic.code
  }
}

describe.each(['sqlite', 'memory'])('%s', kind => {
  const open = () => (kind === 'sqlite' ? sqliteJournal(fresh()) : Promise.resolve(memoryJournal()))

  test('a run takes the place of another in one transaction, and says what its program was made of', async () => {
    const journal = await open()
    journal.startRun({ ...someSummary('old'), status: 'stopped' }, somePlan)
    const superseded = { ...someSummary('old'), status: 'stopped' as const, successor: 'new' }
    journal.startRun(someSummary('new'), somePlan, { superseded, sources: { 'a.tek': 'hash' } })
    expect(journal.openRun('old')).toMatchObject({ summary: superseded, sources: null })
    expect(journal.openRun('new')!.sources).toEqual({ 'a.tek': 'hash' })
    await codeOf(() => journal.startRun(someSummary('new'), somePlan, { superseded: { ...superseded, successor: 'newer' } }))
    if (kind === 'sqlite') expect(journal.openRun('old')!.summary.successor).toBe('new')
    journal.close()
  })

  test('more rows than are read together', async () => {
    const journal = await open()
    const log = journal.startRun(someSummary('many'), somePlan)
    const events = Array.from({ length: 300 }, (_, i) => ({ ...someEvent(i), atMs: i }))
    for (const event of events) {
      log.append(event)
      log.commit()
    }
    expect([...log.events()]).toEqual(events)
    const [first] = log.events()
    expect(first).toEqual(events[0])
    journal.close()
  })

  test('events come back as they were, in order', async () => {
    const journal = await open()
    const log = journal.startRun(someSummary('r'), somePlan)
    for (const [i, event] of everyEvent.entries()) {
      log.append(event)
      if (i % 3 === 0 && i < everyEvent.length - 1) log.commit()
    }
    expect(log.uncommitted).toBeGreaterThan(0)
    log.commit()
    expect([...journal.openRun('r')!.log.events()]).toEqual(everyEvent)
    expect(journal.openRun('r')!.plan).toEqual(somePlan)
    expect(journal.openRun('none')).toBe(null)
    expect(journal.listRuns().map(each => each.runId)).toEqual(['r'])
    journal.close()
  })

  test('results by key, with when they were made', async () => {
    const journal = await open()
    journal.remember('k', { a: 1 }, 1_000)
    expect(journal.cached('k')).toEqual({ value: { a: 1 }, madeAtMs: 1_000 })
    expect(journal.cached('other')).toBe(null)
    expect(journal.retention.results()).toBe(1)
    expect(journal.retention.dropResults()).toBe(1)
    expect(journal.cached('k')).toBe(null)
    journal.close()
  })

  test('a lease: one owner at a time, who alone records', async () => {
    const journal = await open()
    const lease = (owner: string) => ({ owner, pid: 1, hostName: 'h', bootId: 'b', since: '7', expiresMs: 1_000 })
    const log = journal.startRun(someSummary('r'), somePlan, { events: [someEvent(0)], folder: 'sub', lease: lease('a') })
    expect(journal.openRun('r')).toMatchObject({ folder: 'sub' })
    expect([...log.events()]).toHaveLength(1)
    expect(journal.takeLease('r', lease('b'), () => true)).toEqual(lease('a'))
    expect(journal.renewLease('r', 'a', 2_000)).toBe(true)
    expect([...journal.leases()]).toEqual([['r', { ...lease('a'), expiresMs: 2_000 }]])
    journal.askToStop('r', 0)
    expect(journal.standing('r', 'a')).toEqual({ isOwner: true, isAskedToStop: true })
    expect(journal.takeLease('r', lease('b'), () => false)).toBe(null) // and what was asked of the former owner is forgotten
    expect(journal.standing('r', 'b')).toEqual({ isOwner: true, isAskedToStop: false })
    expect(journal.renewLease('r', 'a', 3_000)).toBe(false)
    log.append(someEvent(1))
    expect(await codeOf(() => log.commit())).toBe('run/lease-lost')
    expect(await codeOf(() => log.describe(someSummary('r')))).toBe('run/lease-lost')
    const next = journal.openRun('r', 'b')!.log
    next.append(someEvent(1))
    next.commit()
    expect([...next.events()]).toEqual([someEvent(0), someEvent(1)])
    journal.releaseLease('r', 'a') // not its own any more
    expect(journal.leases().size).toBe(1)
    journal.releaseLease('r', 'b')
    expect(journal.leases().size).toBe(0)
    journal.askToStop('r', 0) // nobody to ask
    expect(journal.standing('r', 'b')).toEqual({ isOwner: false, isAskedToStop: false })
    journal.close()
  })

  test('durations are means over runs of one program', async () => {
    const journal = await open()
    journal.addDurations('p', new Map([['main/a', { totalMs: 10, count: 2 }]]))
    journal.addDurations('p', new Map([['main/a', { totalMs: 20, count: 1 }]]))
    expect(journal.durations('p')).toEqual({ 'main/a': 10 })
    expect(journal.durations('q')).toEqual({})
    journal.close()
  })
})

test('a large value is kept once, by its hash', async () => {
  const path = fresh()
  const journal = await sqliteJournal(path)
  const log = journal.startRun(someSummary('r'), somePlan)
  const large = 'x'.repeat(MAX_INLINE_VALUE_LENGTH + 1)
  for (let i = 0; i < 10; i++) {
    log.append({ kind: 'evaluated', atMs: i, task: i, attempt: 1, part: 'body', outcome: { kind: 'value', value: large }, elapsedMs: 0 })
    log.commit()
  }
  const events = [...journal.openRun('r')!.log.events()]
  expect(events.every(each => each.kind === 'evaluated' && each.outcome.kind === 'value' && each.outcome.value === large)).toBe(true)
  journal.close()
  expect(statSync(path).size).toBeLessThan(MAX_INLINE_VALUE_LENGTH * 3)
})

test('kill -9 while writing loses nothing that was acknowledged', { timeout: 120_000 }, async () => {
  const path = fresh()
  for (let round = 0; round < 12; round++) {
    const writer = spawn(process.execPath, [join(scripts, 'writer.mjs'), path, `run${round}`], { stdio: ['ignore', 'pipe', 'inherit'] })
    let said = ''
    writer.stdout.on('data', data => void (said += String(data)))
    await once(writer.stdout, 'data')
    await new Promise(resolve => setTimeout(resolve, (round * 37) % 90))
    writer.kill('SIGKILL')
    await once(writer, 'close')
    const acknowledged = Number(said.trimEnd().split('\n').findLast(line => line !== '' && said.includes(`${line}\n`)))
    const journal = await sqliteJournal(path)
    const events = [...journal.openRun(`run${round}`)!.log.events()]
    expect(events.length).toBeGreaterThanOrEqual(acknowledged)
    expect(events.length % 7).toBe(0)
    expect(events).toEqual(events.map((_, i) => someEvent(i)))
    journal.close()
  }
})

test('two runs in two connections share one database', async () => {
  const path = fresh()
  const [a, b] = [await sqliteJournal(path), await sqliteJournal(path)]
  const [logA, logB] = [a.startRun(someSummary('a'), somePlan), b.startRun(someSummary('b'), somePlan)]
  for (let i = 0; i < 100; i++) {
    logA.append(someEvent(i))
    logB.append(someEvent(i))
    logA.commit()
    logB.commit()
  }
  expect([...a.openRun('b')!.log.events()]).toHaveLength(100)
  a.close()
  b.close()
})

test('a second writer of the same run is refused', async () => {
  const path = fresh()
  const [a, b] = [await sqliteJournal(path), await sqliteJournal(path)]
  const logA = a.startRun(someSummary('r'), somePlan)
  const logB = b.openRun('r')!.log
  logA.append(someEvent(0))
  logB.append(someEvent(0))
  logA.commit()
  expect(await codeOf(() => logB.commit())).toBe('run/journal-taken')
  a.close()
  b.close()
})

describe('a database that cannot be used', () => {
  test('from a newer tek', async () => {
    const path = fresh()
    ;(await sqliteJournal(path)).close()
    const database = new Database(path)
    database.pragma(`user_version = ${migrations.length + 1}`)
    database.close()
    expect(await codeOf(() => sqliteJournal(path))).toBe('run/journal-newer')
  })

  test('from an older tek: it is brought up, and its runs are there', async () => {
    const path = fresh()
    mkdirSync(join(path, '..'), { recursive: true })
    const older = new Database(path)
    for (const statement of migrations[0]!) older.exec(statement)
    older.pragma('user_version = 1')
    older.prepare('insert into plans (hash, json) values (?, ?)').run(somePlan.hash, JSON.stringify(somePlan))
    older.prepare("insert into runs (id, program, workflow, plan_hash, status, started_ms, summary) values ('r', 'test.tek', 'main', ?, 'running', 1, ?)").run(somePlan.hash, JSON.stringify(someSummary('r')))
    older.close()
    const journal = await sqliteJournal(path)
    expect(journal.openRun('r')).toMatchObject({ summary: someSummary('r'), folder: null })
    expect(journal.leases().size).toBe(0)
    journal.close()
  })

  test('no database at all, or a damaged one', async () => {
    const path = fresh()
    mkdirSync(join(path, '..'), { recursive: true })
    writeFileSync(path, 'this is not a database, but it is long enough to be looked at '.repeat(100))
    expect(await codeOf(() => sqliteJournal(path))).toBe('run/journal-damaged')
  })

  test('a row that is cut short', async () => {
    const path = fresh()
    const journal = await sqliteJournal(path)
    const log = journal.startRun(someSummary('r'), somePlan)
    log.append(someEvent(0))
    log.commit()
    const database = new Database(path)
    database.exec("update events set packed = substr(packed, 1, 20)")
    database.close()
    expect(await codeOf(() => [...journal.openRun('r')!.log.events()])).toBe('run/journal-damaged')
    journal.close()
  })

  test('held by another process', { timeout: 30_000 }, async () => {
    const path = fresh()
    const journal = await sqliteJournal(path)
    const log = journal.startRun(someSummary('r'), somePlan)
    const other = new Database(path)
    other.exec('begin exclusive')
    log.append(someEvent(0))
    expect(await codeOf(() => log.commit())).toBe('run/journal-locked')
    other.exec('rollback')
    other.close()
    log.commit() // nothing was lost meanwhile
    expect([...journal.openRun('r')!.log.events()]).toHaveLength(1)
    journal.close()
  })

  test('a file where the folder should be', async () => {
    const path = join(folder, 'file', 'tek.db')
    writeFileSync(join(folder, 'file'), '')
    expect(await codeOf(() => sqliteJournal(path))).toBe('run/journal-not-writable')
  })

  test('a folder that may not be written', async () => {
    const locked = join(folder, 'locked')
    mkdirSync(locked)
    chmodSync(locked, 0o500)
    chmodSync(folder, 0o755)
    const isRoot = process.geteuid?.() === 0
    if (isRoot) process.seteuid!(NOBODY) // root may write everywhere
    try {
      expect(await codeOf(() => sqliteJournal(join(locked, 'tek.db')))).toBe('run/journal-not-writable')
    } finally {
      if (isRoot) process.seteuid!(0)
    }
  })

  const canMount = process.getuid?.() === 0 && spawnSync('mount', ['--version']).status === 0
  test.skipIf(!canMount)('a full disk, and a read-only one (needs root, for a small mount)', async context => {
    const mounted = join(folder, 'small')
    mkdirSync(mounted)
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=400k', 'tmpfs', mounted]).status !== 0) return context.skip('this machine lets nobody mount')
    try {
      const journal = await sqliteJournal(join(mounted, 'tek.db'))
      const log = journal.startRun(someSummary('r'), somePlan)
      const code = await codeOf(() => {
        for (let i = 0; i < 100; i++) {
          log.append({ ...someEvent(i), outcome: { kind: 'value', value: 'y'.repeat(20_000) } } as never)
          log.commit()
        }
      })
      expect(code).toBe('run/journal-disk-full')
      journal.close()
      spawnSync('mount', ['-o', 'remount,ro', mounted])
      expect(await codeOf(() => sqliteJournal(join(mounted, 'new', 'tek.db')))).toBe('run/journal-not-writable')
    } finally {
      spawnSync('umount', [mounted])
    }
  })
})

test('a run on disk is cut off in the middle and taken up from another connection', async () => {
  const path = fresh()
  const program = plan({ main: workflow([task('a', call('one')), task('b', call('two'), { dependsOn: [0] })], node(1)) })
  const first = await sqliteJournal(path)
  let ones = 0
  const stop = new AbortController()
  const tools = { one: () => (ones++, stop.abort(), 'one'), two: () => 'two' }
  const { result } = await runPlan(program, { journal: first, tools, settings: { signal: stop.signal } })
  first.close()
  const second = await sqliteJournal(path)
  expect(second.listRuns()[0]).toMatchObject({ status: 'stopped' })
  const again = await resumePlan(program, result.kind === 'ran' ? result.summary.runId : '', { journal: second, tools })
  expect(again.value).toBe('two')
  expect(ones).toBe(1)
  expect(second.listRuns()[0]).toMatchObject({ status: 'done' })
  second.close()
})

test('cache: a second run does nothing', async () => {
  const journal = await sqliteJournal(fresh())
  const cached = { cache: { ageMs: null, by: null } }
  const program = plan({ main: workflow([task('a', call('work', { x: value(1) }), cached), task('b', call('work', { x: node(0) }), { ...cached, dependsOn: [0] })], node(1)) })
  let calls = 0
  const host = memoryHost()
  const tools = { work: ({ x }: Readonly<Record<string, unknown>>) => (calls++, Number(x) + 1) }
  expect((await runPlan(program, { journal, tools, host })).value).toBe(3)
  expect(calls).toBe(2)
  const again = await runPlan(program, { journal, tools, host })
  expect(again.value).toBe(3)
  expect(calls).toBe(2)
  expect(again.result.kind === 'ran' && again.result.summary.tasks.cached).toBe(2)
  const other = plan({ main: workflow([task('a', call('work', { x: value(5) }), cached)], node(0)) })
  expect((await runPlan(other, { journal, tools, host })).value).toBe(6)
  expect(calls).toBe(3)
  journal.close()
})

test('a database cut to nothing is a new one', async () => {
  const path = fresh()
  ;(await sqliteJournal(path)).close()
  truncateSync(path)
  const journal = await sqliteJournal(path)
  expect(journal.listRuns()).toEqual([])
  journal.close()
})
