// Measure: the interpreter's own costs: no-op tasks with and without the journal, growth, memory, thread hops, journal throughput.
// Run with `node bench/engine/run.mjs [name …]`; each measurement prints one line, and numbers hold only beside others of the same run.
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MessageChannel, Worker } from 'node:worker_threads'
import type { Host } from '#host/host.ts'
import type { RunEvent } from '#model/event.ts'
import type { Plan } from '#model/plan.ts'
import { memoryHost } from '#testing/memory-host.ts'
import type { Journal } from '#interpreter/journal/journal.ts'
import { memoryJournal } from '#interpreter/journal/memory.ts'
import { sqliteJournal } from '#interpreter/journal/sqlite.ts'
import { makePool } from '#interpreter/pool/pool.ts'
import { startRun } from '#interpreter/run.ts'
import { local, node, plan, task, value, workflow } from '../../tests/engine/plan-builder.ts'
import { runnerOf } from '../../tests/engine/run-plan.ts'

const host: Host = { ...memoryHost(), now: () => Date.now(), monotonic: () => performance.now(), machine: () => ({ cpus: 2, memoryBytes: 4e9, platform: 'linux', nodeVersion: process.version }) }
delete (host as { sleep?: unknown }).sleep

/** Layers of 1,000 items; each layer works on the values of the one before. */
function layered(count: number): Plan {
  const nodes = Array.from({ length: Math.max(1, count / 1_000) }, (_, i) =>
    task(`layer${i}`, { op: '+', left: local('x'), right: value(1) }, { dependsOn: i === 0 ? [] : [i - 1], forEach: { item: 'x', list: i === 0 ? { op: 'prelude', fn: 'range', args: [value(1_000)] } : node(i - 1), width: null } }))
  return plan({ main: workflow(nodes, node(nodes.length - 1)) })
}

/** The same number of tasks, each written out: every one has an expression of its own. */
function written(count: number): Plan {
  const width = 100
  const nodes = Array.from({ length: count }, (_, i) => {
    const before = i - (i % width) - width
    return task(`t${i}`, value(i), { dependsOn: before < 0 ? [] : [before + (i % width), before + ((i + 1) % width)].sort((a, b) => a - b) })
  })
  return plan({ main: workflow(nodes, node(count - 1)) })
}

async function timed(program: Plan, journal: Journal): Promise<number> {
  const start = performance.now()
  const result = await startRun({ host, plan: program, journal, toolRunner: runnerOf({}), onNotice: () => {}, tekVersion: 'bench', program: 'bench.tek', args: {} })
  if (result.kind !== 'ran' || result.summary.status !== 'done') throw new Error(JSON.stringify(result))
  return performance.now() - start
}

async function best(times: number, make: () => Promise<number>): Promise<number> {
  let least = Infinity
  for (let i = 0; i < times; i++) least = Math.min(least, await make())
  return least
}

const folder = mkdtempSync(join(tmpdir(), 'tek-bench-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
let databases = 0
const fresh = () => join(folder, `${++databases}.db`)

const measurements: Record<string, () => Promise<string>> = {
  async S1() {
    const program = layered(100_000)
    const ms = await best(3, () => timed(program, memoryJournal()))
    const apart = written(100_000)
    const apartMs = await best(3, () => timed(apart, memoryJournal()))
    return `layered 100,000 no-op tasks, journal in memory: ${(ms / 100).toFixed(2)} µs a task; each written out: ${(apartMs / 100).toFixed(2)} µs`
  },
  async S2() {
    const program = layered(10_000)
    const run = async () => {
      const path = fresh()
      const journal = await sqliteJournal(path)
      const ms = await timed(program, journal)
      journal.close()
      rmSync(path, { force: true })
      return ms
    }
    await run()
    const ms = await best(5, run)
    const memory = await best(5, () => timed(program, memoryJournal()))
    return `layered 10,000 with the journal on disk: ${(ms / 10).toFixed(2)} µs a task (in memory ${(memory / 10).toFixed(2)})`
  },
  async S3() {
    const small = layered(10_000)
    const large = layered(100_000)
    await timed(small, memoryJournal())
    const a = await best(5, () => timed(small, memoryJournal()))
    const b = await best(3, () => timed(large, memoryJournal()))
    return `10,000 → 100,000 tasks: log-log slope ${Math.log10(b / a).toFixed(3)} (${a.toFixed(0)} → ${b.toFixed(0)} ms)`
  },
  async S4() {
    const program = layered(100_000)
    const journal = memoryJournal()
    globalThis.gc?.()
    const before = process.memoryUsage()
    let most = 0
    const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 5)
    await timed(program, journal)
    clearInterval(watch)
    globalThis.gc?.()
    const after = process.memoryUsage()
    return `memory a task at 100,000: peak rss ${((Math.max(most, after.rss) - before.rss) / 1e5).toFixed(0)} bytes, kept heap (events) ${((after.heapUsed - before.heapUsed) / 1e5).toFixed(0)} bytes`
  },
  async S5() {
    const url = new URL('./pool-worker.mjs', import.meta.url)
    const pool = makePool({ maxThreads: 1, workerUrl: url })
    const job = { expr: value(1), locals: {}, params: {}, nodes: {}, constants: {}, prompts: {}, modules: {}, rank: 0 }
    for (let i = 0; i < 200; i++) await pool.evaluate(job, null)
    const start = performance.now()
    for (let i = 0; i < 2_000; i++) await pool.evaluate(job, null)
    const hop = (performance.now() - start) / 2_000
    const burst = performance.now()
    await Promise.all(Array.from({ length: 20_000 }, () => pool.evaluate(job, null)))
    const batched = (performance.now() - burst) / 20_000
    await pool.close()
    const raw = await pingPong()
    return `2,000 thread hops: ${(hop * 1e3).toFixed(1)} µs each, raw ping-pong ${(raw * 1e3).toFixed(1)} µs (ratio ${(hop / raw).toFixed(2)}); 20,000 batched: ${(batched * 1e3).toFixed(2)} µs each`
  },
  async S6() {
    const path = fresh()
    const journal = await sqliteJournal(path)
    const summary = { runId: 'r', workflow: 'main', program: 'p', planHash: 'plan-hash', startedAtMs: 0, elapsedMs: 0, status: 'running' as const, outcome: null, tasks: none, calls: noCalls }
    const log = journal.startRun(summary, layered(1))
    const count = 500_000
    const start = performance.now()
    for (let i = 0; i < count; i++) {
      const event: RunEvent = { kind: 'evaluated', atMs: 1_000_000 + i / 100, task: i, attempt: 1, part: 'body', outcome: { kind: 'value', value: i }, elapsedMs: 0.012 }
      log.append(event)
      if (log.uncommitted >= 2_048) log.commit()
    }
    log.commit()
    const ms = performance.now() - start
    journal.close()
    return `journal: ${Math.round(count / ms)} k events/s, ${(statSync(path).size / count).toFixed(1)} bytes an event`
  },
}

const none = { total: 0, done: 0, failed: 0, skipped: 0, cancelled: 0, running: 0, cached: 0 }
const noCalls = { read: 0, wrote: 0, ran: 0, fetched: 0, refused: 0 }

async function pingPong(): Promise<number> {
  const worker = new Worker(`require('node:worker_threads').parentPort.once('message', port => port.on('message', m => port.postMessage(m)))`, { eval: true })
  const { port1, port2 } = new MessageChannel()
  worker.postMessage(port2, [port2])
  const hop = () => new Promise(resolve => {
    port1.once('message', resolve)
    port1.postMessage(1)
  })
  for (let i = 0; i < 200; i++) await hop()
  const start = performance.now()
  for (let i = 0; i < 2_000; i++) await hop()
  const ms = (performance.now() - start) / 2_000
  await worker.terminate()
  return ms
}

const wanted = process.argv.slice(2)
for (const [name, measure] of Object.entries(measurements)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  console.log(`${name}  ${await measure()}`)
}
