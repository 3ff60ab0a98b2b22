// The commands about recorded runs, as a user's shell runs them: what they leave behind, what they refuse, what they never touch.
import { createHash } from 'node:crypto'
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, describe, expect, test } from 'vitest'
import type { RecordedRun } from '#model/report.ts'
import { project, startTek, tek } from './binary.ts'
import { countingServer } from './counting-server.ts'

const server = await countingServer(() => 5)
const address = `http://127.0.0.1:${server.port}`
const program = `workflow flow(items: int = 3) -> { posted: json[], sum: int } {
  can net("127.0.0.1:${server.port}"), exec("sh", "-c", "*")

  task posted for n in range(items) parallel 1 = http.postJson("${address}/item", { item: n })

  task said = shell.run("sh", "-c", "exit 0")

  task sum = len(posted) + len(said.stdout)

  return { posted: posted, sum: sum }
}
`
const opened: { remove(): void }[] = []
const inFolder = (files: Readonly<Record<string, string>> = {}) => {
  const folder = project({ 'flow.tek': program, ...files })
  opened.push(folder)
  return folder
}
afterAll(async () => {
  for (const each of opened) each.remove()
  await server.close()
})

const simple = 'workflow flow(n: int = 2) -> int {\n  task a cache 1d = n * 2\n\n  task b = a + 1\n\n  return b\n}\n'

async function runsOf(cwd: string): Promise<readonly RecordedRun[]> {
  return (JSON.parse((await tek(['runs', '--json'], { cwd })).out) as { runs: RecordedRun[] }).runs
}

/** Every file, link and folder with what it holds. */
function contents(folder: string): Record<string, string> {
  const found: Record<string, string> = {}
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    const path = join(folder, name)
    const stat = lstatSync(path)
    found[name] = `${stat.mode} ${stat.isSymbolicLink() ? readlinkSync(path) : stat.isFile() ? createHash('sha256').update(readFileSync(path)).digest('hex') : ''}`
  }
  return found
}

describe('fork and replay', () => {
  test('a fork asks the world only for what runs again, with keys of its own; both runs replay to the same without asking', async () => {
    const { path: cwd } = inFolder()
    const done = await tek(['run', 'flow.tek', '--unconfined'], { cwd })
    expect(done.code, done.err).toBe(0)
    const before = server.asked.length
    const forked = await tek(['fork', 'last', '--from', 'posted[1]', '--allow-all', '--unconfined'], { cwd })
    expect(forked.code, forked.err).toBe(0)
    const asked = server.asked.slice(before)
    expect(asked.map(each => each.item)).toEqual([1])
    expect(server.asked.slice(0, before).some(each => each.key === asked[0]!.key)).toBe(false)
    expect(JSON.parse(forked.out)).toEqual(JSON.parse(done.out))
    const [newest, oldest] = await runsOf(cwd)
    expect(newest).toMatchObject({ state: 'done', origin: { runId: oldest!.runId, task: 'posted[1]' } })
    for (const { runId } of [newest!, oldest!]) {
      const replayed = await tek(['replay', runId, '--json'], { cwd })
      expect(replayed.code).toBe(0)
      expect(JSON.parse(replayed.out)).toMatchObject({ same: true, difference: null })
    }
    expect(server.asked.length).toBe(before + 1)
  })

  test('a record that was changed: the first difference, and exit code 1', async () => {
    const { path: cwd } = inFolder({ 'simple.tek': simple })
    await tek(['run', 'simple.tek'], { cwd })
    const db = new Database(join(cwd, '.tek', 'tek.db'))
    const isOfB = (event: unknown[]): boolean => event[0] === 1 && event[6] === 5 && event[4] === 0
    for (const { seq, packed } of db.prepare('select seq, packed from events').all() as { seq: number; packed: string }[]) {
      const changed = (JSON.parse(packed) as unknown[][]).map(each => (isOfB(each) ? each.with(6, 6) : each))
      db.prepare('update events set packed = ?, sum = null where seq = ?').run(JSON.stringify(changed), seq)
    }
    db.close()
    const { code, out } = await tek(['replay', 'last'], { cwd })
    expect(code).toBe(1)
    expect(out).toContain('task b, body: It comes to another value than was recorded.')
    expect(out).toContain('recorded: 6')
    expect(out).toContain('replayed: 5')
  })

  test('a fork that is not permitted leaves no run behind', async () => {
    const { path: cwd } = inFolder()
    await tek(['run', 'flow.tek', '--unconfined'], { cwd })
    const { code, err } = await tek(['fork', 'last', '--from', 'said'], { cwd, asWritten: true })
    expect(code).toBe(4)
    expect(err).toContain('permit/needed')
    expect(await runsOf(cwd)).toHaveLength(1)
  })

  test('mistakes have codes', async () => {
    const { path: cwd } = inFolder({ 'simple.tek': simple })
    await tek(['run', 'simple.tek'], { cwd })
    const cases: [string[], string][] = [
      [['fork', 'last'], 'cli/missing-argument'], [['fork', 'last', '--from', 'c'], 'run/unknown-task'], [['why', 'c'], 'run/unknown-task'], [['replay', 'last', '--to', 'c'], 'run/unknown-task'],
      [['logs', 'zzz'], 'cli/unknown-run'], [['clean', '--keep', 'x'], 'cli/bad-value'], [['clean', '--runs-older-than', '30'], 'cli/bad-value'],
    ]
    for (const [words, code] of cases) expect((await tek(words, { cwd, asWritten: true })).err, words.join(' ')).toContain(code)
  })
})

describe('logs', () => {
  test('lines that tools said outlive the process; hidden characters do not reach the terminal', async () => {
    const { path: cwd } = inFolder({ 'grep.tek': 'workflow grep() -> any {\n  can fs.read("**")\n\n  task found = text.grep(fs.glob("data/**"), "x")\n\n  return found\n}\n', 'data/bin\u001b[31m': '\u0000\u0001' })
    const ran = await tek(['run', 'grep.tek'], { cwd })
    expect(ran.code, ran.err).toBe(0)
    const { out } = await tek(['logs'], { cwd })
    expect(out).toMatch(/info {3}found {2}passed over data\/bin/)
    expect(out).not.toContain('\u001b')
    const [line] = (await tek(['logs', '--json'], { cwd })).out.trim().split('\n').map(each => JSON.parse(each) as Record<string, unknown>)
    expect(line).toMatchObject({ version: 1, level: 'info', task: 'found', runId: (await runsOf(cwd))[0]!.runId, atMs: expect.any(Number), message: expect.any(String) })
  })
})

describe('clean', () => {
  test('--all leaves the project byte for byte as it was', async () => {
    const { path: cwd } = inFolder({ 'simple.tek': simple, 'sub/file.txt': 'text\n', 'plug.ts': readFileSync('examples/plugins/' + readdirSync('examples/plugins').find(each => each.endsWith('.ts'))!, 'utf8') })
    const before = contents(cwd)
    await tek(['run', 'simple.tek'], { cwd })
    await tek(['run', 'flow.tek', '--unconfined'], { cwd })
    await tek(['fork', 'last', '--from', 'said', '--allow-all', '--unconfined'], { cwd })
    writeFileSync(join(cwd, '.tek', 'crash-1.log'), 'x')
    expect(contents(cwd)).not.toEqual(before)
    const dry = await tek(['clean', '--all', '--dry-run'], { cwd })
    expect(dry.out).toContain('3 runs would go')
    expect(await runsOf(cwd)).toHaveLength(3)
    const done = await tek(['clean', '--all'], { cwd })
    expect(done.code, done.err).toBe(0)
    expect(done.out).toContain('the audit log with it')
    expect(contents(cwd)).toEqual(before)
  })

  test('age, number and state decide; the audit log stays and is whole', async () => {
    const { path: cwd } = inFolder({ 'simple.tek': simple, 'read.tek': 'workflow read() -> string {\n  can fs.read("flow.tek")\n\n  task a = fs.read("flow.tek")\n\n  return a\n}\n' })
    for (let i = 0; i < 3; i++) await tek(['run', i === 0 ? 'read.tek' : 'simple.tek'], { cwd })
    const entries = async (): Promise<number> => (JSON.parse((await tek(['audit', 'verify', '--json'], { cwd })).out) as { ok: boolean; entries: number }).entries
    const had = await entries()
    expect(had).toBeGreaterThan(0)
    expect((await tek(['clean'], { cwd })).out).toContain('nothing to clean') // none is 30 days old
    const oldest = (await runsOf(cwd)).at(-1)!.runId
    const db = new Database(join(cwd, '.tek', 'tek.db'))
    const days = 40 * 86_400_000
    const summary = JSON.parse((db.prepare('select summary from runs where id = ?').pluck().get(oldest)) as string) as Record<string, unknown>
    db.prepare('update runs set started_ms = started_ms - ?, summary = ?, sum = null where id = ?').run(days, JSON.stringify({ ...summary, startedAtMs: Number(summary['startedAtMs']) - days }), oldest)
    db.close()
    const aged = await tek(['clean'], { cwd })
    expect(aged.out).toContain('1 run goes')
    expect((await runsOf(cwd)).map(each => each.runId)).not.toContain(oldest)
    await tek(['run', 'simple.tek'], { cwd })
    mkdirSync(join(cwd, '.tek', 'cache', 'plugins'), { recursive: true })
    const cleaned = JSON.parse((await tek(['clean', '--keep', '2', '--cache', '--json'], { cwd })).out) as { cleaned: object }
    expect(cleaned.cleaned).toMatchObject({ runs: 1, results: 1, isCompact: true })
    expect(await runsOf(cwd)).toHaveLength(2)
    expect(existsSync(join(cwd, '.tek', 'cache'))).toBe(false)
    expect(await entries()).toBeGreaterThanOrEqual(had)
    expect(JSON.parse((await tek(['audit', 'verify', '--json'], { cwd })).out)).toMatchObject({ ok: true, problems: [] })
  })

  test('a run that is driven never goes, and one that could be gone on with only when asked', async () => {
    const { path: cwd } = inFolder({ 'long.tek': 'workflow long() -> any {\n  can exec("sh", "-c", "*")\n\n  task a = shell.run("sh", "-c", "sleep 30")\n\n  return a\n}\n' })
    const { child, ended } = startTek(['run', 'long.tek', '--unconfined'], { cwd })
    for (let i = 0; i < 200 && !(existsSync(join(cwd, '.tek', 'tek.db')) && (await runsOf(cwd))[0]?.state === 'running'); i++) await new Promise(resolve => setTimeout(resolve, 50))
    const refused = await tek(['clean', '--all'], { cwd })
    expect(refused.err).toContain('run/still-driven')
    expect(refused.code).toBe(1)
    expect((await tek(['clean', '--keep', '0', '--unfinished'], { cwd })).out).toContain('nothing to clean')
    child.kill('SIGKILL')
    await ended
    expect((await tek(['clean', '--keep', '0'], { cwd })).out).toContain('nothing to clean')
    expect((await tek(['clean', '--keep', '0', '--unfinished'], { cwd })).out).toContain('1 run goes')
    expect(await runsOf(cwd)).toEqual([])
  })

  test('nothing behind a link is removed', async () => {
    const { path: cwd } = inFolder()
    const { path: elsewhere } = inFolder({ 'cache/mine.txt': 'mine', 'home/mine.txt': 'mine', 'crash-1.log': 'mine' })
    symlinkSync(elsewhere, join(cwd, '.tek'))
    expect((await tek(['clean', '--cache', '--runs-older-than', '0m'], { cwd })).out).toContain('nothing to clean')
    expect((await tek(['clean', '--all'], { cwd })).code).toBe(0)
    expect(readFileSync(join(elsewhere, 'cache', 'mine.txt'), 'utf8')).toBe('mine')
    expect(existsSync(join(cwd, '.tek'))).toBe(false)
    const inner = inFolder().path
    mkdirSync(join(inner, '.tek'))
    symlinkSync(join(elsewhere, 'cache'), join(inner, '.tek', 'cache'))
    await tek(['clean', '--cache'], { cwd: inner })
    expect(readdirSync(elsewhere)).toContain('cache')
    expect(readFileSync(join(elsewhere, 'cache', 'mine.txt'), 'utf8')).toBe('mine')
    rmSync(join(inner, '.tek'), { recursive: true })
    expect((await tek(['clean'], { cwd: inner })).out).toContain('nothing to clean')
    expect(existsSync(join(inner, '.tek'))).toBe(false)
  })
})
