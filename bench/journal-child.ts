// What the journal takes, in a process of its own. Arguments: what, database, and a count, the file of a plan or the id of a run. Prints JSON.
//   events  records events of tasks, made durable as the driver does (2,048 a transaction): `elapsedMs`, `bytes` of the database.
//   cut     runs the plan in memory and records what happened until its first call of a tool, or else half of it, as a run that was killed: `runId`, `events`.
//   resume  takes a run of the database up in this process until the first event of its own: `elapsedMs`.
import { readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { sha256 } from '#base/hash.ts'
import { nodeHost } from '#host/node-host.ts'
import { memoryJournal } from '#interpreter/journal/memory.ts'
import { sqliteJournal } from '#interpreter/journal/sqlite.ts'
import { resumeRun, startRun } from '#interpreter/run.ts'
import type { RunEvent } from '#model/event.ts'
import type { Plan } from '#model/plan.ts'
import type { RunSummary } from '#model/report.ts'

const EVENTS_A_COMMIT = 2_048
const [what, path, given] = process.argv.slice(2)
const nothing = { total: 0, done: 0, failed: 0, skipped: 0, cancelled: 0, running: 0, cached: 0 }
const summary: RunSummary = {
  runId: '0123456789ab', workflow: 'main', program: 'main.tek', planHash: '', startedAtMs: 1, elapsedMs: 0, status: 'running', outcome: null, tasks: nothing,
  calls: { read: 0, wrote: 0, ran: 0, fetched: 0, refused: 0 },
}

const tools = { pure: () => null, call: () => Promise.reject(new Error('no tool')), threadModule: () => null, close: async () => {} }

async function events(): Promise<object> {
  const journal = await sqliteJournal(path!)
  const count = Number(given)
  const log = journal.startRun(summary, { hash: '' } as Plan)
  const all: RunEvent[] = Array.from({ length: count }, (_, i) => ({ kind: 'evaluated', atMs: 1_800_000_000_000 + Math.floor(i / 100), task: i, attempt: 1, part: 'body', outcome: { kind: 'value', value: i }, elapsedMs: (i % 100) / 7 }))
  const from = performance.now()
  for (const event of all) {
    log.append(event)
    if (log.uncommitted >= EVENTS_A_COMMIT) log.commit()
  }
  log.commit()
  const elapsedMs = performance.now() - from
  journal.close()
  return { elapsedMs, bytes: statSync(path!).size }
}

async function cut(): Promise<object> {
  const plan = JSON.parse(readFileSync(given!, 'utf8')) as Plan
  const memory = memoryJournal()
  const host = nodeHost({ cwd: dirname(path!) })
  const stop = new AbortController()
  const toolRunner = { ...tools, call: () => (stop.abort(), new Promise<never>(() => {})) }
  const answer = await startRun({ host, plan, journal: memory, toolRunner, program: 'main.tek', args: {}, workers: 1, tekVersion: 'bench', onNotice: () => {}, signal: stop.signal })
  if (answer.kind === 'refused') throw new Error(answer.diagnostics[0]!.message)
  const { runId } = answer.summary
  const whole = [...memory.openRun(runId)!.log.events()]
  const firstCall = whole.findIndex(each => each.kind === 'call-started')
  const taken = whole.slice(0, firstCall < 0 ? whole.length >> 1 : firstCall)
  const journal = await sqliteJournal(path!)
  journal.startRun({ ...summary, runId, planHash: plan.hash }, plan, { events: taken, folder: '', sources: { 'main.tek': sha256(readFileSync(join(dirname(given!), 'main.tek'), 'utf8')) } })
  journal.close()
  return { runId, events: taken.length }
}

async function resume(): Promise<object> {
  const host = nodeHost({ cwd: dirname(path!) })
  const from = performance.now()
  const journal = await sqliteJournal(path!)
  const found = journal.openRun(given!)!
  const stop = new AbortController()
  let elapsedMs = 0
  const done = await resumeRun({
    host, plan: found.plan, runId: given!, journal, toolRunner: tools, workers: 1, tekVersion: 'bench', signal: stop.signal,
    onNotice: notice => {
      if (elapsedMs !== 0 || notice.kind !== 'task') return
      elapsedMs = performance.now() - from
      stop.abort()
    },
  })
  journal.close()
  if (done.kind === 'refused') throw new Error(done.diagnostics[0]!.message)
  return { elapsedMs }
}

const measures: Readonly<Record<string, () => Promise<object>>> = { events, cut, resume }
console.log(JSON.stringify(await measures[what!]!()))
