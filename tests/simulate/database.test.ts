// Database: simulated lives on real SQLite files; then the files are damaged byte by byte, cut, copied in part, made by earlier versions. Whatever is read
// from them is right, or there is a code; what was lost is an end, never a middle.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sha256 } from '#base/hash.ts'
import { JournalError, type Journal } from '#interpreter/journal/journal.ts'
import { packBatch } from '#interpreter/journal/pack.ts'
import { migrations } from '#interpreter/journal/schema.ts'
import { withLog } from '#interpreter/journal/sqlite-image.ts'
import { sqliteJournal } from '#interpreter/journal/sqlite.ts'
import type { RunEvent } from '#model/event.ts'
import type { RunSummary } from '#model/report.ts'
import { buildScripts } from '../journal/build-scripts.ts'
import { random } from '../compiler/random-programs.ts'
import { asKept, difference, live, type Lived } from './history.ts'
import { drawWritingProgram, busyPlan, planOf } from './programs.ts'

const isFull = process.env['TEK_SIMULATE'] === 'full'
const seed = 7
const plan = busyPlan()
/** What a journal that cannot be read as it was says. */
const codes = new Set(['run/journal-damaged', 'run/journal-newer', 'run/journal-not-writable'])

let folder = ''
let made = 0
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'tek-database-'))))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const fresh = (): string => {
  const path = join(folder, String(made++))
  mkdirSync(path)
  return join(path, 'tek.db')
}

test('killed at sampled points, on SQLite: each process opens the file anew', { timeout: 300_000 }, async () => {
  const base = await live({ seed, plan })
  for (let point = 2; point < base.points[0]!; point += isFull ? 1 : 29) {
    const path = fresh()
    const lived = await live({ seed, plan, faults: [{ process: 0, point, kind: 'kill' }], open: () => sqliteJournal(path) })
    expect(difference(base, lived), `point ${point}`).toBe(null)
    lived.journal.close()
    rmSync(path, { force: true })
  }
})

test('drawn programs under drawn faults, on SQLite', { timeout: 300_000 }, async () => {
  for (let drawn = 1_001; drawn < (isFull ? 1_500 : 1_016); drawn++) {
    const program = planOf(drawWritingProgram(drawn))!
    const base = await live({ seed: drawn, plan: program })
    const next = random(drawn)
    const faults = [0, 1, 2].map(process => ({ process, point: 1 + Math.floor(next() * base.points[0]!), kind: next() < 0.7 ? ('kill' as const) : ('full' as const) }))
    const path = fresh()
    const lived = await live({ seed: drawn, plan: program, faults, open: () => sqliteJournal(path) })
    expect(difference(base, lived), `seed ${drawn}, ${JSON.stringify(faults)}`).toBe(null)
    lived.journal.close()
  }
})

describe('damage', () => {
  let database: Buffer
  let log: Buffer
  let shared: Buffer
  let whole: readonly RunEvent[]
  let finished: RunSummary

  beforeAll(async () => {
    const path = fresh()
    const { events, summary, journal } = await live({ seed, plan, faults: [{ process: 0, point: 150, kind: 'kill' }], open: () => sqliteJournal(path) })
    whole = events
    finished = summary
    ;[database, log, shared] = ['', '-wal', '-shm'].map(end => readFileSync(`${path}${end}`)) as [Buffer, Buffer, Buffer]
    journal.close()
    expect(log.length).toBeGreaterThan(50_000)
    expect(database.length).toBeGreaterThan(20_000) // what the first process left was moved there
  })

  /** What is read from these files; a code where they cannot be. */
  async function readFrom(files: { readonly database: Buffer; readonly log?: Buffer; readonly shared?: Buffer }): Promise<readonly RunEvent[] | string> {
    const path = fresh()
    writeFileSync(path, files.database)
    if (files.log !== undefined) writeFileSync(`${path}-wal`, files.log)
    if (files.shared !== undefined) writeFileSync(`${path}-shm`, files.shared)
    let journal: Journal | null = null
    try {
      journal = await sqliteJournal(path)
      const runs = journal.listRuns()
      if (runs.length === 0) return []
      expect(runs).toHaveLength(1)
      const opened = journal.openRun(finished.runId)
      if (opened === null) return 'run/unknown-run'
      const events = [...opened.log.events()]
      expect(opened.plan).toEqual(plan)
      if (opened.summary.status === 'done') expect(events).toHaveLength(whole.length)
      journal.audit.rows(0, 10_000)
      return events
    } catch (error) {
      if (!(error instanceof JournalError)) throw error
      return error.diagnostic.code
    } finally {
      journal?.close()
      rmSync(join(path, '..'), { recursive: true })
    }
  }

  function mustBeBeginning(read: readonly RunEvent[] | string, where: string): 'whole' | 'part' | 'code' {
    if (typeof read === 'string') {
      expect([...codes, 'run/unknown-run'], where).toContain(read)
      return 'code'
    }
    expect(asKept(read) === asKept(whole.slice(0, read.length)), `${where}: something else was read than was written`).toBe(true)
    return read.length === whole.length ? 'whole' : 'part'
  }

  const flipped = (bytes: Buffer, at: number, bit: number): Buffer => {
    const changed = Buffer.from(bytes)
    changed[at]! ^= 1 << bit
    return changed
  }

  test('a bit of the database', { timeout: 600_000 }, async () => {
    const both = withLog(database, log)
    both.fill(1, 18, 20)
    const next = random(1)
    const seen = { whole: 0, part: 0, code: 0 }
    const step = isFull ? 29 : Math.ceil(both.length / 220)
    for (let from = 0; from < both.length; from += step) {
      const at = Math.min(both.length - 1, from + Math.floor(next() * step))
      const bit = Math.floor(next() * 8)
      seen[mustBeBeginning(await readFrom({ database: flipped(both, at, bit) }), `bit ${bit} of byte ${at}`)]++
    }
    for (let at = 0; at < 100; at += isFull ? 1 : 3) mustBeBeginning(await readFrom({ database: flipped(both, at, at % 8) }), `bit ${at % 8} of byte ${at}`) // its header, all of it
    if (process.env['TEK_SIMULATE'] !== undefined) console.log(JSON.stringify(seen))
    expect(seen.whole).toBeGreaterThan(0)
    expect(seen.code).toBeGreaterThan(seen.part)
  })

  test('planted: without sums, a changed value is read as if it had been written', async () => {
    const path = fresh()
    writeFileSync(path, withLog(database, log).fill(1, 18, 20))
    const bare = new Database(path)
    bare.exec('update events set sum = null')
    bare.close()
    const bytes = readFileSync(path)
    let found = 0
    for (let at = bytes.indexOf('["f0"'); at !== -1; at = bytes.indexOf('["f0"', at + 1)) { // some lie in pages that are free by now
      const read = await readFrom({ database: flipped(bytes, at + 2, 0) })
      if (typeof read !== 'string' && asKept(read) !== asKept(whole)) found++
    }
    expect(found).toBeGreaterThan(0)
  })

  test('a bit of the log, and the log cut anywhere: what SQLite reads is a beginning, and the image is the same', { timeout: 600_000 }, async () => {
    const next = random(2)
    const seen = { whole: 0, part: 0, code: 0 }
    const step = isFull ? 499 : Math.ceil(log.length / 36)
    for (let from = 0; from < log.length; from += step) {
      const at = Math.min(log.length - 1, from + Math.floor(next() * step))
      for (const [how, damaged] of [['flipped', flipped(log, at, Math.floor(next() * 8))], ['cut', log.subarray(0, at)]] as const) {
        const where = `log ${how} at ${at}`
        const read = await readFrom({ database, log: damaged })
        seen[mustBeBeginning(read, where)]++
        const image = withLog(database, damaged)
        image.fill(1, 18, 20)
        expect(await readFrom({ database: image }), where).toEqual(read)
      }
    }
    expect(seen.part).toBeGreaterThan(10)
  })

  test('without its log: the beginning that had been moved; without or with a damaged shared memory: everything', async () => {
    mustBeBeginning(await readFrom({ database }), 'no log')
    expect(await readFrom({ database, log })).toEqual(whole)
    expect(await readFrom({ database, log, shared })).toEqual(whole)
    expect(await readFrom({ database, log, shared: shared.subarray(0, 100) })).toEqual(whole)
    expect(await readFrom({ database, log, shared: Buffer.alloc(0) })).toEqual(whole)
    for (let at = 0; at < 200; at += 7) expect(await readFrom({ database, log, shared: flipped(shared, at, at % 8) }), `byte ${at}`).toEqual(whole)
  })

  test('cut off anywhere', async () => {
    const both = withLog(database, log)
    both.fill(1, 18, 20)
    for (let at = 0; at < both.length; at += Math.ceil(both.length / 60)) mustBeBeginning(await readFrom({ database: both.subarray(0, at) }), `cut at ${at}`)
  })
})

describe('earlier versions', () => {
  /** A step that was released is never changed (schema.ts V1): this is what the first four are. */
  test('the steps that were released are as they were', () => {
    expect(sha256(JSON.stringify(migrations.slice(0, 4)))).toBe('31dcbbadcd8dfc3b7dbd45a1ca79f95b6e57ec49a85fcf930c6738164f260982')
  })

  /** A file as version `version` wrote it, with a run that was cut off. */
  function fileOf(version: number, { summary, events }: Pick<Lived, 'summary' | 'events'>): string {
    const path = fresh()
    const older = new Database(path)
    older.exec('pragma journal_mode = WAL')
    for (const step of migrations.slice(0, version)) for (const change of step) older.exec(change)
    older.exec(`pragma user_version = ${version}`)
    older.prepare('insert into plans (hash, json) values (?, ?)').run(plan.hash, JSON.stringify(plan))
    older.prepare('insert into runs (id, program, workflow, plan_hash, status, started_ms, summary) values (?, ?, ?, ?, ?, ?, ?)')
      .run(summary.runId, summary.program, summary.workflow, plan.hash, 'running', summary.startedAtMs, JSON.stringify({ ...summary, status: 'running', outcome: null }))
    const add = older.prepare('insert into events (run, seq, count, base_ms, packed) values (?, ?, ?, ?, ?)')
    const half = events.slice(0, Math.floor(events.length / 2))
    for (let at = 0; at < half.length; at += 10) {
      const batch = half.slice(at, at + 10)
      add.run(summary.runId, at, batch.length, batch[0]!.atMs, packBatch(batch, batch[0]!.atMs, () => { throw new Error('nothing here is large') }))
    }
    older.close()
    return path
  }

  test.each([1, 2, 3, 4])('version %i: opened, brought up, and its run goes on to the same end', async version => {
    const base = await live({ seed, plan })
    const path = fileOf(version, base)
    const before = (await sqliteJournal(path))
    expect([...before.openRun(base.summary.runId)!.log.events()]).toHaveLength(Math.floor(base.events.length / 2))
    before.close()
    const lived = await live({ seed, plan, open: () => sqliteJournal(path), isTakenUp: true })
    expect(lived.summary.status).toBe('done')
    expect(JSON.stringify(lived.summary.outcome)).toBe(JSON.stringify(base.summary.outcome))
    expect(new Database(path).pragma('user_version', { simple: true })).toBe(migrations.length)
  })

  test('several processes bring one file up at once', { timeout: 120_000 }, async () => {
    const scripts = await buildScripts('simulate-open', { opening: 'tests/simulate/opening.ts' })
    const base = await live({ seed, plan })
    const path = fileOf(1, base)
    const children = Array.from({ length: 6 }, () => spawn(process.execPath, [join(scripts, 'opening.mjs'), path], { stdio: ['ignore', 'pipe', 'pipe'] }))
    const said = await Promise.all(children.map(async child => {
      let text = ''
      child.stdout.on('data', data => void (text += String(data)))
      child.stderr.on('data', data => void (text += String(data)))
      await once(child, 'close')
      return text.trim()
    }))
    expect(said).toEqual(said.map(() => `1 ${Math.floor(base.events.length / 2)}`))
  })
})

test('a thousand runs stay small, and forgetting them gives the space back', { timeout: 300_000 }, async () => {
  const path = fresh()
  const small = planOf('workflow main() -> any {\n  can fs.read("**"), net("w.test")\n  task a for i in range(8) = len(fs.read("a/${i}")) + http.post("https://w.test/ok/${i}", "b").status\n  task b cache 1d = sum(a)\n  return b\n}\n')!
  const journal = await sqliteJournal(path)
  for (let run = 1; run <= 1_000; run++) {
    const { events, summary } = run === 1 ? await live({ seed: 1, plan: small }) : { events: firstEvents, summary: firstSummary }
    if (run === 1) [firstEvents, firstSummary] = [events, summary]
    const runId = sha256(`run ${run}`).slice(0, 12)
    const log = journal.startRun({ ...summary, runId, status: 'running', outcome: null }, small, { events: [{ ...(events[0] as Extract<RunEvent, { kind: 'run-started' }>), runId }] })
    for (const [index, event] of events.slice(1).entries()) {
      log.append(event)
      if (index % 8 === 7) log.commit()
    }
    for (let decision = 0; decision < 16; decision++) journal.audit.append(runId, `{"kind":"decision","task":"a[${decision}]","call":"http.post","grant":"net(w.test)","allowed":true,"atMs":${decision}}`)
    log.commit()
    log.describe({ ...summary, runId })
  }
  journal.close()
  const bytes = readFileSync(path).length
  if (process.env['TEK_SIMULATE'] !== undefined) console.log(`1,000 runs of 10 tasks: ${bytes} bytes`)
  expect(bytes).toBeLessThan(MAX_THOUSAND_RUNS_BYTES)
  expect(existsSync(`${path}-wal`)).toBe(false)
  const again = await sqliteJournal(path)
  const ids = again.listRuns().map(each => each.runId)
  expect(again.retention.forget(ids, () => false)).toHaveLength(1_000)
  expect(again.retention.compact()).toBe(true)
  again.close()
  expect(readFileSync(path).length).toBeLessThan(bytes / 2) // the audit log is kept
  copyFileSync(path, `${path}.copy`)
})

/** Bytes of a database with 1,000 runs of 10 tasks with 16 calls; docs/history.md names it. */
const MAX_THOUSAND_RUNS_BYTES = 16 * 1_024 * 1_024
let firstEvents: readonly RunEvent[] = []
let firstSummary!: RunSummary
