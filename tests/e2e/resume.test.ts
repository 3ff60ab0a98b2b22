// Resume: the built binary is killed with SIGKILL at random instants and goes on; two processes never drive one run; a lost lease ends work.
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { nodeHost } from '#host/node-host.ts'
import type { RecordedRun } from '#model/report.ts'
import { listRuns, showRun } from '#tek.ts'
import { project, startTek, tek } from './binary.ts'
import { countingServer } from './counting-server.ts'

let delayMs = 25
const server = await countingServer(() => delayMs)
const ITEMS = 240
const WIDTH = 4
const address = `http://127.0.0.1:${server.port}`
const program = `workflow flow(items: int = ${ITEMS}) -> { sum: int, once: json, word: bool } {
  can net("127.0.0.1:${server.port}"), exec("sh", "-c", "*")

  task posted for n in range(items) parallel ${WIDTH} retry 4 backoff 2ms..10ms = http.postJson("${address}/item", { item: n })

  task doubled -> int[] = json.parse(json.print(posted))

  task once cache 1d = http.postJson("${address}/item", { item: 1000 + len(posted) })

  task command = shell.run("sh", "-c", "sleep 0.05; true")

  return { sum: sum(doubled), once: once, word: command.ok }
}
`
const folder = project({ 'flow.tek': program })
const database = join(folder.path, '.tek', 'tek.db')
afterAll(async () => {
  folder.remove()
  await server.close()
})

const expectedSum = (count: number): number => count * (count - 1)

async function runs(): Promise<readonly RecordedRun[]> {
  const answer = await listRuns(nodeHost({ cwd: folder.path }), database)
  if (answer.kind !== 'answer') throw new Error(answer.diagnostics[0]?.code)
  return answer.value
}

/** Items whose task is done, as the journal has it. */
async function doneItems(runId: string): Promise<Set<number>> {
  const answer = await showRun(database, runId)
  const tasks = answer.kind === 'answer' ? (answer.value?.tasks ?? []) : []
  return new Set(tasks.filter(each => each.status === 'done').flatMap(each => /^posted\[(\d+)\]$/.exec(each.path)?.[1] ?? []).map(Number))
}

/** Begins a run and kills it when `count` requests have come. */
async function killedAfter(count: number, ...words: readonly string[]): Promise<void> {
  const { child, ended } = startTek(words, { cwd: folder.path })
  server.after(count, () => void child.kill('SIGKILL'))
  await ended
  expect(child.signalCode).toBe('SIGKILL')
}

describe('kill -9', () => {
  const KILLS = 18
  const MAX_ROUNDS = 60
  let kills = 0
  const done = new Set<number>()

  beforeAll(async () => {
    let recorded: readonly RecordedRun[] = []
    for (let round = 0; kills < KILLS || (done.size === 0 && round < MAX_ROUNDS); round++) {
      const { child, ended } = startTek(recorded.length === 0 ? ['run', 'flow.tek'] : ['resume'], { cwd: folder.path })
      const before = server.asked.length
      const kill = (): void => void setTimeout(() => child.kill('SIGKILL'), Math.random() * 15)
      if (round % 3 === 2) setTimeout(() => child.kill('SIGKILL'), Math.random() * 150) // also while it starts
      // Beyond WIDTH requests something has been answered, however busy the machine is.
      else server.after(1 + Math.floor(Math.random() * 3 * WIDTH), kill)
      const { code, err } = await ended
      if (child.signalCode !== 'SIGKILL') throw new Error(`ended by itself with ${code} after ${kills} kills: ${err}`)
      kills++
      // Nothing that was done before this process began was asked of the world again.
      expect(server.asked.slice(before).filter(each => done.has(each.item))).toEqual([])
      try {
        recorded = await runs()
      } catch (error) {
        if (round > 0 && recorded.length > 0) throw error // there may be no database yet, but it never goes away
      }
      if (recorded.length > 0) {
        const now = await doneItems(recorded[0]!.runId)
        for (const item of done) expect(now.has(item)).toBe(true) // nothing lost
        for (const item of now) done.add(item)
        expect(recorded[0]).toMatchObject({ state: 'resumable', driver: null })
      }
    }
  }, 90_000)

  test('the run goes on to its result, and nothing that finished is done again', async () => {
    const before = server.asked.length
    delayMs = 2
    expect(done.size).toBeGreaterThan(0)
    expect(done.size).toBeLessThan(ITEMS)
    const { code, out, err } = await tek(['resume'], { cwd: folder.path })
    expect(err).toMatch(/done flow/)
    expect(code).toBe(0)
    expect(out).toContain(String(expectedSum(ITEMS)))
    expect(server.asked.slice(before).filter(each => done.has(each.item))).toEqual([])
  })

  test('every item is applied once, however often it was asked for', () => {
    expect([...server.applied.keys()].toSorted((a, b) => a - b)).toEqual([...Array(ITEMS).keys(), 1000 + ITEMS])
    expect([...server.applied.values()].every(count => count === 1)).toBe(true)
    // Only what was under way at a kill was asked for twice, with the same key.
    expect(server.asked.length - server.keys.size).toBeLessThanOrEqual(kills * WIDTH)
  })

  test('the database is whole, and lists the run as done', async () => {
    const opened = new Database(database)
    expect(opened.pragma('integrity_check', { simple: true })).toBe('ok')
    opened.close()
    expect(await runs()).toMatchObject([{ state: 'done', driver: null, status: 'done' }])
    const { out } = await tek(['runs'], { cwd: folder.path })
    expect(out).toMatch(/^[0-9a-f]{8} {2}\S+ \S+ {2}done +flow\.tek flow/)
  })

  test('a finished run gives its result at once, and asks nothing of the world', async () => {
    const before = server.asked.length
    const { code, out } = await tek(['resume', 'last'], { cwd: folder.path })
    expect(code).toBe(0)
    expect(out).toContain(String(expectedSum(ITEMS)))
    expect(server.asked.length).toBe(before)
  })

  test('a second run takes the cached result', async () => {
    const before = server.asked.length
    expect((await tek(['run', 'flow.tek', '--items', '0'], { cwd: folder.path })).code).toBe(0)
    expect(server.asked.slice(before).map(each => each.item)).toEqual([1000])
    expect((await tek(['run', 'flow.tek', '--items', '0'], { cwd: folder.path })).code).toBe(0)
    expect(server.asked.slice(before).map(each => each.item)).toEqual([1000])
  })
})

describe('what there is to resume', () => {
  test('nothing unfinished, an unknown run, an unknown option: coded, exit code 2', async () => {
    for (const [words, code] of [[['resume'], 'cli/nothing-to-resume'], [['resume', 'ffff'], 'cli/unknown-run'], [['resume', '--jsn'], 'cli/unknown-option']] as const) {
      const ended = await tek(words, { cwd: folder.path })
      expect(ended.err).toContain(code)
      expect(ended.code).toBe(2)
    }
  })

  test('a folder without any run', async () => {
    const empty = project({})
    const ended = await tek(['resume', '--json'], { cwd: empty.path })
    expect(JSON.parse(ended.out)).toMatchObject({ ok: false, diagnostics: [{ code: 'cli/nothing-to-resume' }] })
    expect(ended.code).toBe(2)
    empty.remove()
  })

  test('the program as it was: as recorded, whatever its file says by now; a plugin is found from elsewhere', async () => {
    const other = project({
      'sub/flow.tek': 'use plugin "./greet.ts" as greet\n\nworkflow w() -> string {\n  can exec("sh", "-c", "*"), fs.read("**")\n\n  task wait = shell.run("sh", "-c", "test -f go || sleep 40")\n\n  task word after wait = greet.hello("Ada")\n\n  return word\n}\n',
      'sub/greet.ts': "import { definePlugin, pure, z } from 'tek-lang/plugin'\nexport default definePlugin({ name: 'greet', version: '1.0.0', doc: 'Greets.', tools: { hello: pure({ doc: 'Greets.', input: { name: z.string() }, output: z.string(), run: ({ name }) => `Hello, ${name}!` }) } })\n",
    })
    const begun = startTek(['run', 'sub/flow.tek', '--json'], { cwd: other.path, onOut: (text, kill) => text.includes('"wait"') && kill('SIGKILL') })
    await begun.ended
    other.write('sub/flow.tek', 'workflow w() -> int { return 1 }\n')
    other.write('go', '')
    const ended = await tek(['resume', '--as-recorded'], { cwd: other.path })
    expect(ended.err).not.toContain('error')
    expect(ended.out).toContain('Hello, Ada!')
    other.remove()
  })
})

describe('one process at a time', () => {
  test('two go on at once: one wins, the other says who has it', async () => {
    delayMs = 10
    await killedAfter(6, 'run', 'flow.tek')
    delayMs = 1
    const release = server.hold() // whoever drives it is not done before the other was told
    const both = [startTek(['resume'], { cwd: folder.path }), startTek(['resume'], { cwd: folder.path })] as const
    await Promise.race(both.map(each => each.ended))
    release()
    const ended = await Promise.all(both.map(each => each.ended))
    const won = ended.findIndex(each => each.code === 0)
    expect(ended.map(each => each.code).toSorted()).toEqual([0, 1])
    expect(ended[won]!.out).toContain(String(expectedSum(ITEMS)))
    expect(ended[1 - won]!.err).toContain('run/being-driven')
    expect(ended[1 - won]!.err).toContain(`process ${both[won]!.child.pid} `)
  })

  test('who lost the lease stops at once, and asks nothing more of the world', async () => {
    delayMs = 10
    const { child, ended } = startTek(['run', 'flow.tek'], { cwd: folder.path })
    await new Promise<void>(resolve => server.after(5, resolve))
    child.kill('SIGSTOP')
    await new Promise(resolve => setTimeout(resolve, 100)) // what is under way has ended
    expect((await runs())[0]).toMatchObject({ state: 'running', driver: { pid: child.pid } })
    const opened = new Database(database)
    expect(opened.prepare("update runs set lease_owner = 'another' where lease_owner is not null").run().changes).toBe(1)
    opened.close()
    const before = server.asked.length
    child.kill('SIGCONT')
    const { code, err } = await ended
    expect(err).toContain('run/lease-lost')
    expect(code).toBe(1)
    // What the turn that was cut in two had asked for already may still arrive.
    expect(server.asked.length - before).toBeLessThanOrEqual(WIDTH)
    const done = await doneItems((await runs())[0]!.runId)
    expect(done.size).toBeLessThan(20)
  })

  test('a lease that ran out is taken over', async () => {
    const opened = new Database(database) // a holder on another machine, gone for a while
    opened.prepare("update runs set lease_host = 'elsewhere', lease_boot = 'other', lease_expires_ms = ? where lease_owner is not null").run(Date.now() + 60_000)
    expect((await runs())[0]).toMatchObject({ state: 'running', driver: { hostName: 'elsewhere' } })
    const refused = await tek(['resume'], { cwd: folder.path })
    expect(refused.err).toContain('run/being-driven')
    opened.prepare('update runs set lease_expires_ms = ? where lease_owner is not null').run(Date.now() - 1)
    opened.close()
    expect((await runs())[0]).toMatchObject({ state: 'resumable' })
    delayMs = 1
    const { code, out } = await tek(['resume'], { cwd: folder.path })
    expect(code).toBe(0)
    expect(out).toContain(String(expectedSum(ITEMS)))
  })
})
