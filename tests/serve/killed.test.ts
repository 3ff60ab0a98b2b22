// Killed: a server that is ended with SIGKILL begins each tick and each delivery once, whenever it was killed; and goes on with its runs.
import { spawn, type ChildProcess } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { request as ask } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { nodeHost } from '#host/node-host.ts'
import { listRuns, showRun } from '#tek.ts'
import { binary, project, tek } from '../e2e/binary.ts'
import { buildScripts } from '../journal/build-scripts.ts'
import { once, place, served, statuses, until, withStore } from './harness.ts'

let script = ''
beforeAll(async () => {
  script = join(await buildScripts('serve', { 'dying-server': 'tests/serve/dying-server.ts' }), 'dying-server.mjs')
})

const leftovers: (() => void)[] = []
afterAll(() => {
  for (const each of leftovers) each()
})

/** How the process ended: `SIGKILL`, or its exit code. */
function serveOnce(folder: string, clockMs: number, last: number): Promise<string> {
  const child = spawn(process.execPath, [script, folder, String(clockMs), String(last)], { stdio: ['ignore', 'inherit', 'inherit'] })
  return new Promise(resolve => child.on('close', (code, signal) => resolve(signal ?? String(code))))
}

test('killed at each thing it does after a tick fired: one run, brought to its end by the next', { timeout: 300_000 }, async () => {
  const ends: string[] = []
  for (let from = 0; ends.at(-1) !== '0'; from += 4) {
    ends.push(...await Promise.all([0, 1, 2, 3].map(async more => {
      const where = place('2026-01-01T08:30:00Z')
      const program = await served(where.host, 'workflow beat() -> int {\n  every 1h\n  task a = 1\n  task b after a = 2\n  return a + b\n}\n')
      await once(where, [program])
      writeFileSync(join(where.path, 'plan.json'), JSON.stringify(program.plan))
      const end = await serveOnce(where.path, Date.parse('2026-01-01T09:00:10Z'), from + more)
      where.set('2026-01-01T09:00:40Z')
      const events = await once(where, [program])
      expect(events.filter(each => each.kind === 'fired'), `killed at ${from + more}`).toEqual([]) // it had fired
      expect(await statuses(where), `killed at ${from + more}`).toEqual(['done'])
      expect(await withStore(where, journal => journal.triggers!.open()), `killed at ${from + more}`).toEqual([])
      where.remove()
      return end
    })))
    expect(from).toBeLessThan(400)
  }
  expect(ends.filter(each => each === 'SIGKILL').length).toBeGreaterThan(10)
  expect(ends.every(each => each === 'SIGKILL' || each === '0')).toBe(true)
})

const program = [
  'workflow beat() -> int {\n  every 1s\n  return 0\n}\n',
  'workflow taken(n: int) -> int {\n  on webhook "taken"\n  task a wait 300ms = n\n  task b for i in range(5) = n + i\n  return a + 0 * len(b)\n}\n',
].join('\n')

/** A server as a user starts it; its address once it listens. */
function startServer(folder: string): { readonly child: ChildProcess; readonly port: Promise<number | null> } {
  const child = spawn(process.execPath, [binary, 'serve', 'p.tek', '--json', '--runs', '3'], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] })
  const port = new Promise<number | null>(resolve => {
    let out = ''
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      out += text
      const found = /"url":"http:\/\/127\.0\.0\.1:(\d+)"/.exec(out)
      if (found) resolve(Number(found[1]))
    })
    child.on('close', () => resolve(null))
  })
  return { child, port }
}

function deliver(port: number, n: number): Promise<string | null> {
  const body = JSON.stringify({ n })
  return new Promise(resolve => {
    const request = ask({ host: '127.0.0.1', port, path: '/taken', method: 'POST', headers: { 'content-type': 'application/json', 'idempotency-key': `delivery ${n}` } }, response => {
      let text = ''
      response.setEncoding('utf8').on('data', (piece: string) => void (text += piece)).on('end', () => resolve(response.statusCode === 202 && text.endsWith('\n') ? (JSON.parse(text) as { run: string }).run : null)).on('error', () => resolve(null))
    })
    request.on('error', () => resolve(null))
    request.end(body)
  })
}

test('a real one, killed at random while deliveries and ticks come: each delivery is one run, each run has its end', { timeout: 400_000 }, async () => {
  const folder = project({ 'p.tek': program })
  leftovers.push(folder.remove)
  const answered = new Map<number, Set<string>>()
  let next = 0
  let kills = 0
  for (let round = 0; round < 8; round++) {
    const { child, port: listening } = startServer(folder.path)
    const ended = new Promise(resolve => child.on('close', resolve))
    const port = await listening
    expect(port).not.toBeNull()
    const timer = setTimeout(() => {
      kills++
      child.kill('SIGKILL')
    }, 30 + Math.random() * 900)
    const upTo = next + 12
    for (let isAlive = true; isAlive; ) {
      // Half of them new, half of them such as nobody answered or that are sent again all the same.
      const numbers = [Math.min(next++, upTo), Math.floor(Math.random() * Math.min(next, upTo + 1))]
      for (const n of numbers) {
        const run = await deliver(port!, n)
        if (run === null) isAlive = child.exitCode === null && child.signalCode === null && !child.killed
        else answered.set(n, (answered.get(n) ?? new Set()).add(run))
      }
    }
    clearTimeout(timer)
    await ended
    next = Math.min(next, upTo)
  }
  expect(kills).toBe(8)
  // All that was tried is sent until it is answered, and then all is brought to its end.
  const { child, port: listening } = startServer(folder.path)
  const port = (await listening)!
  for (let n = 0; n <= next; n++) {
    const run = await deliver(port, n)
    expect(run).not.toBeNull()
    answered.set(n, (answered.get(n) ?? new Set()).add(run!))
  }
  const database = join(folder.path, '.tek', 'tek.db')
  const open = (): Promise<number> => withStore({ database } as never, journal => journal.triggers!.open().filter(each => each.trigger.startsWith('webhook')).length)
  await until(async () => (await open()) === 0)
  const gone = new Promise<number | null>(resolve => child.on('close', resolve))
  child.kill('SIGTERM')
  expect(await gone).toBe(0)
  await tek(['serve', 'p.tek', '--once'], { cwd: folder.path }) // what the signal stopped
  for (const [n, runs] of answered) expect(runs.size, `delivery ${n} began ${[...runs].join(', ')}`).toBe(1)
  const runs = await listRuns(nodeHost({ cwd: folder.path }), database)
  const all = runs.kind === 'answer' ? runs.value : []
  expect(all.filter(each => each.status !== 'done').map(each => [each.runId, each.workflow, each.status])).toEqual([])
  const taken = all.filter(each => each.workflow === 'taken')
  const values: unknown[] = []
  for (const each of taken) {
    const report = await showRun(database, each.runId)
    const outcome = report.kind === 'answer' ? report.value?.summary.outcome : null
    values.push(outcome?.kind === 'value' ? outcome.value : null)
  }
  expect(values.sort((a, b) => Number(a) - Number(b))).toEqual([...answered.keys()].sort((a, b) => a - b))
  expect(new Set(taken.map(each => each.runId))).toEqual(new Set([...answered.values()].flatMap(each => [...each])))
})
