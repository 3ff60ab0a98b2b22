// What runs measure of themselves: what is kept of it, that nothing depends on it, and what is made of it.
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bucketPercentile, percentile } from '#history/stats.ts'
import { sqliteTelemetry } from '#interpreter/journal/sqlite-telemetry.ts'
import { bucketBounds, MAX_SAMPLES, type Measurements, type Series } from '#interpreter/journal/telemetry-store.ts'
import { sumOf } from '#interpreter/meter.ts'
import { project, startTek, tek } from '../e2e/binary.ts'
import { problemsOf, validator } from './schemas.ts'

const program = `
workflow main(word: string = "todo") -> int {
  can fs.read("notes/**")
  task files = fs.glob("notes/**")
  task counted for file in files = text.count(fs.read(file), word)
  task gone retry 2 backoff 1ms on failure use 0 = if word == "todo" then fail("none") else 1
  task total cache 1d = sum(counted)
  return total + gone
}
`
let here: ReturnType<typeof project>
beforeAll(() => void (here = project({ 'main.tek': program, 'notes/a.txt': 'todo todo', 'notes/b.txt': 'x', 'bad.tek': 'workflow main() -> int {\n  task x = fail("no")\n  return x\n}\n' })))
afterAll(() => here.remove())

const run = (...words: string[]) => tek(words, { cwd: here.path })
const stats = async (...words: string[]): Promise<any> => JSON.parse((await run('stats', ...words, '--json')).out)

describe('runs that measure themselves', () => {
  test('a run: counters, histograms, events; as its schema says', { timeout: 120_000 }, async () => {
    expect((await run('run', 'main.tek', '--quiet')).code).toBe(0)
    expect((await run('run', 'main.tek', '--quiet')).code).toBe(0)
    expect((await run('run', 'bad.tek', '--quiet')).code).toBe(1)
    expect(await run('stats')).toMatchObject({ code: 0, out: expect.stringContaining('main.tek · 2 runs · 100 % done') })
    const validate = validator('stats')
    const all = await stats()
    expect(problemsOf(validate, all)).toEqual([])
    expect(all.programs.map((each: any) => [each.program, each.done, each.failed, each.cache])).toEqual([['bad.tek', 0, 1, { hits: 0, requests: 0 }], ['main.tek', 2, 0, { hits: 1, requests: 2 }]])
    const one = all.programs[1]
    expect(one.slowest.map((each: any) => each.kind)).toEqual(expect.arrayContaining(['main/files', 'main/counted']))
    expect(one.slowest.find((each: any) => each.kind === 'main/counted').count).toBe(4)
    const first = await stats(one.recent[0].runId.slice(0, 8))
    expect(problemsOf(validate, first)).toEqual([])
    const value = (name: string, attribute: string): number => first.series.find((each: any) => each.name === name && Object.values(each.attributes).includes(attribute))?.sum ?? 0
    expect(value('tek.tasks', 'done')).toBe(4)
    expect(value('tek.tasks', 'failed')).toBe(1)
    expect(value('tek.calls', 'read')).toBeGreaterThanOrEqual(3)
    expect(value('tek.guard.decisions', 'allowed')).toBeGreaterThanOrEqual(3)
    expect(first.series.find((each: any) => each.name === 'tek.journal.commit.duration').count).toBeGreaterThan(0)
    expect(first.series.find((each: any) => each.attributes['tek.task.kind'] === 'main/counted')).toMatchObject({ kind: 'histogram', unit: 's', count: 2 })
    expect(first.events.map((each: any) => each.name)).toEqual(expect.arrayContaining(['tek.attempt.failed', 'tek.run.finished']))
    expect(first.samples.at(-1).values['process.memory.usage']).toBeGreaterThan(1_000_000)
    expect(first.samples.at(-1).values['tek.journal.size']).toBeGreaterThan(0)
  })

  test('what it is told about: by program, by run, or nothing', { timeout: 60_000 }, async () => {
    const shown = (await run('stats', 'last')).out
    expect(shown).toContain('tek.task.attempts')
    expect(shown).not.toMatch(/(?:^|\D)(?:0|[2-9]) (?:task|event|attempt|call|decision|entry)(?: |$)/m) // more than one is many
    expect((await run('stats', 'main.tek')).out).not.toContain('bad.tek')
    expect(await run('stats', 'nothing')).toMatchObject({ code: 2, err: expect.stringContaining('cli/unknown-run') })
    const empty = project({})
    expect(await tek(['stats'], { cwd: empty.path })).toMatchObject({ code: 0, err: 'Nothing was measured here yet.\n' })
    expect(existsSync(join(empty.path, '.tek'))).toBe(false)
    empty.remove()
  })

  test('a run that is forgotten takes its measurements with it', { timeout: 60_000 }, async () => {
    const before = (await stats()).programs.reduce((sum: number, each: any) => sum + each.runs, 0)
    expect(before).toBe(3)
    expect((await run('clean', '--keep', '1')).code).toBe(0)
    expect((await stats()).programs.map((each: any) => [each.program, each.runs])).toEqual([['bad.tek', 1]])
  })

  test('a database that cannot be written fails no run: it is said once, also in the log', { timeout: 60_000 }, async () => {
    const other = project({ 'main.tek': program, 'notes/a.txt': 'todo' })
    mkdirSync(join(other.path, '.tek/telemetry.db'), { recursive: true })
    const { code, err } = await tek(['run', 'main.tek'], { cwd: other.path })
    expect(code, err).toBe(0)
    expect(err.match(/cannot be kept/g)).toHaveLength(1)
    const { out } = await tek(['logs', '--json'], { cwd: other.path })
    expect(out.split('\n').filter(each => each.includes('cannot be kept'))).toHaveLength(1)
    other.remove()
  })

  test('one that is damaged is made anew, one that another process holds is not waited for', { timeout: 60_000 }, async () => {
    const path = join(here.path, '.tek/telemetry.db')
    writeFileSync(path, 'this is no database, though it is long enough to look like one from afar'.repeat(20))
    expect((await run('run', 'bad.tek', '--quiet')).code).toBe(1)
    expect((await stats()).programs.map((each: any) => each.runs)).toEqual([1])
    const held = new Sqlite(path)
    held.exec('begin immediate')
    const { code, err } = await run('run', 'bad.tek')
    held.exec('rollback')
    held.close()
    expect(code).toBe(1)
    expect(err).toContain('cannot be kept: database is locked')
  })

  test('a run without a journal keeps nothing', { timeout: 60_000 }, async () => {
    const other = project({ 'main.tek': program, 'notes/a.txt': 'todo' })
    expect((await tek(['run', 'main.tek', '--no-journal', '--quiet'], { cwd: other.path })).code).toBe(0)
    expect(existsSync(join(other.path, '.tek/telemetry.db'))).toBe(false)
    other.remove()
  })

  test('a run that is killed and resumed goes on with its numbers', { timeout: 120_000 }, async () => {
    const other = project({ 'main.tek': 'workflow main() -> int {\n  can exec("sleep", "**")\n  task first = 1\n  task slow after first = shell.run("sleep", "1.5")\n  task again after slow = shell.run("sleep", "30")\n  return first\n}\n' })
    const { child, ended } = startTek(['run', 'main.tek', '--json', '--unconfined'], { cwd: other.path, onOut: text => void (/"path":"again"[^\n]*"running"/.test(text) && setTimeout(() => child.kill('SIGTERM'), 1_200)) })
    const { code } = await ended
    expect(code).toBe(5)
    const [{ runId }] = JSON.parse((await tek(['runs', '--json'], { cwd: other.path })).out).runs
    const read = async (): Promise<any> => JSON.parse((await tek(['stats', runId, '--json'], { cwd: other.path })).out)
    const before = await read()
    expect(before.run.status).toBe('stopped')
    expect(before.samples.length).toBeGreaterThan(1)
    let isAsked = false
    const stopOnce = (text: string, kill: (signal: NodeJS.Signals) => void): void => {
      if (isAsked || !text.includes('"progress"')) return
      isAsked = true // a second signal would end it at once, without its last numbers
      kill('SIGTERM')
    }
    await startTek(['resume', '--json', '--unconfined'], { cwd: other.path, onOut: stopOnce }).ended
    const after = await read()
    const attempts = (found: any): number => found.series.find((each: any) => each.name === 'tek.task.attempts').sum
    expect(attempts(after)).toBeGreaterThanOrEqual(attempts(before))
    expect(after.samples.length).toBeGreaterThan(before.samples.length)
    expect(after.events.map((each: any) => each.name)).toContain('tek.run.resumed')
    other.remove()
  })
})

describe('the store', () => {
  const batch = (runId: string, more: Partial<Measurements> = {}): Measurements => ({ run: { runId, program: 'p.tek', workflow: 'w', startedAtMs: Date.now(), elapsedMs: 1, status: 'done' }, series: [], events: [], samples: [], ...more })

  test('is bounded: samples are thinned out, old runs go', async () => {
    const path = here.write('store/telemetry.db', '')
    const store = await sqliteTelemetry(path, join(here.path, 'none'))
    store.write(batch('old', { run: { ...batch('old').run, startedAtMs: Date.now() - 100 * 86_400_000 } }))
    store.write(batch('a', { samples: Array.from({ length: MAX_SAMPLES }, (_, index) => ({ atMs: index, values: { x: index } })) }))
    store.thinOut('a')
    expect(store.read('a')!.samples.map(each => each.atMs)).toEqual(Array.from({ length: MAX_SAMPLES / 2 }, (_, index) => index * 2))
    store.close()
    const again = await sqliteTelemetry(path, join(here.path, 'none'))
    again.write(batch('b'))
    expect(again.runs(10).map(each => each.runId).sort()).toEqual(['a', 'b'])
    again.close()
  })

  test('one of a newer tek is left alone', async () => {
    const path = join(here.path, 'newer.db')
    const newer = new Sqlite(path)
    newer.exec('pragma user_version = 99')
    newer.close()
    const store = await sqliteTelemetry(path, '')
    expect(store.write(batch('a'))).toContain('newer tek')
    store.close()
    expect(readFileSync(path).length).toBe(statSync(path).size)
  })

  test('in a folder that may not be written it is an answer', async () => {
    if (process.getuid?.() === 0) return // root may write everywhere
    const folder = join(here.path, 'closed')
    mkdirSync(folder)
    chmodSync(folder, 0o500)
    const store = await sqliteTelemetry(join(folder, 'telemetry.db'), '')
    expect(store.write(batch('a'))).not.toBeNull()
    store.close()
  })
})

describe('numbers', () => {
  test('percentiles: the nearest rank, and the bound of the bucket', () => {
    expect(percentile([], 0.5)).toBeNull()
    expect(percentile([1, 2, 3, 4, 100], 0.95)).toBe(100)
    const buckets = bucketBounds.map(() => 0).concat(0)
    buckets[2] = 9
    buckets[10] = 1
    expect(bucketPercentile(buckets, 0.9, 0.5)).toBe(0.004)
    expect(bucketPercentile(buckets, 0.9, 0.95)).toBe(0.9)
  })

  test('two series of one name are one', () => {
    const a: Series = { name: 'x', unit: 's', kind: 'histogram', attributes: {}, count: 2, sum: 3, min: 1, max: 2, buckets: [1, 1] }
    expect(sumOf(a, { ...a, min: 0, max: 9 })).toMatchObject({ count: 4, sum: 6, min: 0, max: 9, buckets: [2, 2] })
    const c: Series = { name: 'x', unit: '1', kind: 'counter', attributes: {}, count: 1, sum: 3, min: null, max: null, buckets: null }
    expect(sumOf(c, c)).toMatchObject({ count: 1, sum: 6 })
  })
})
