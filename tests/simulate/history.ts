// History: one simulated life of a run: processes that begin it, die at given points, and go on with it, until it is over.
// Owns: the order of processes, what must hold of every life, what must be equal in two lives of one seed. Does not own: clocks (loop.ts), points of death
// (disk.ts), the world (outside.ts).
//   H1. What is durable only grows: nobody takes back or changes what another process recorded. It ends with one `run-finished`.
//   H2. A notice is sent only when what it says is durable.
//   H3. Two lives of one seed come to the same: values, statuses, attempts, and the keys of all calls.
//   H4. The record of every life can be replayed to the same values, without the world.
import { canonicalJson, type Json } from '#base/json.ts'
import type { Host } from '#host/host.ts'
import { JournalError, type Journal } from '#interpreter/journal/journal.ts'
import { memoryJournal } from '#interpreter/journal/memory.ts'
import { replayRun } from '#interpreter/replay.ts'
import { reportOf } from '#interpreter/report.ts'
import { resumeRun, startRun, type RunResult } from '#interpreter/run.ts'
import type { RunEvent } from '#model/event.ts'
import type { Plan } from '#model/plan.ts'
import type { RunNotice, RunSummary, TaskReport } from '#model/report.ts'
import { Disk } from './disk.ts'
import { Loop, type SimulatedProcess } from './loop.ts'
import { Observed } from './observed.ts'
import { Outside, TOKEN } from './outside.ts'
import { Person, untilDueMs } from './person.ts'
import { random } from '../compiler/random-programs.ts'
import { simulatedPool } from './simulated-pool.ts'

/** Processes of one life. */
const MAX_PROCESSES = 150
const FIRST_PID = 100
/** Nobody leaves a question without an answer for longer. */
const LONGEST_SLEEP_MS = 86_400_000

/** Something that befalls the process of that number, from 0. */
export interface Fault {
  readonly process: number
  readonly point: number
  readonly kind: 'kill' | 'full'
}

export interface Life {
  readonly seed: number
  readonly plan: Plan
  readonly faults?: readonly Fault[]
  /** Processors, by number of the process; the last for all later ones. */
  readonly cpus?: readonly number[]
  /** Opens what is on disk, once for each process; default one journal in memory. */
  readonly open?: () => Promise<Journal>
  /** Called before each callback of the loop. */
  readonly onStep?: (step: number, loop: Loop) => void
  /** The journal holds a run already, of which nobody saw how it came to be. */
  readonly isTakenUp?: boolean
  /** Its record is not replayed. */
  readonly isNotReplayed?: boolean
  /** Its disk acknowledges what it has not kept. */
  readonly lies?: boolean
  /** Share of looks at the clock at which the machine stands still for a while. */
  readonly pauses?: number
}

export interface Lived {
  readonly summary: RunSummary
  readonly tasks: readonly TaskReport[]
  readonly events: readonly RunEvent[]
  readonly outside: Outside
  readonly journal: Journal
  /** Points that each process passed. */
  readonly points: readonly number[]
}

export class Violated extends Error {}

const pidOf = (index: number): number => FIRST_PID + index

/** Lives a run from its first process to its end. */
export async function live(life: Life): Promise<Lived> {
  const { seed, plan, faults = [], cpus = [2] } = life
  const loop = new Loop(seed, life.pauses === undefined ? {} : { pauses: life.pauses })
  const person = new Person(seed)
  const next = random(seed * 43 + 2)
  loop.onStep = step => {
    life.onStep?.(step, loop)
    if (step % 20 === 0 && next() < 0.3) person.look(journal, loop.wallMs()) // while the run goes on
  }
  const kept = life.open === undefined ? memoryJournal() : null
  let journal = kept ?? (await life.open!())
  let observed: Observed | null = null
  const [known] = life.isTakenUp === true ? journal.listRuns() : []
  if (known !== undefined) (observed = new Observed(plan, known.runId)).add([...journal.openRun(known.runId)!.log.events()])
  const outside = new Outside(seed, loop, () => observed, () => journal)
  const points: number[] = []
  for (let index = 0; index < MAX_PROCESSES; index++) {
    const process: SimulatedProcess = { pid: pidOf(index), isDead: false }
    const mine = new Map(faults.filter(each => each.process === index).map(each => [each.point, each.kind]))
    const disk = new Disk(process, {
      at: point => mine.get(point) ?? null, lies: life.lies === true,
      onDurable: (_, runId, events) => (observed ??= new Observed(plan, runId)).add(events),
    })
    const host = outside.hostOf(process, cpus[Math.min(index, cpus.length - 1)]!, pid => pid === process.pid)
    const ended = await processLife({ loop, process, disk, host, plan, outside, journal, observed: () => observed })
    points.push(disk.points)
    process.isDead = true // also one that ended by itself runs no more
    if (ended !== null && ended.kind === 'ran' && isOver(ended.summary)) {
      const { summary } = ended
      const events = [...journal.openRun(summary.runId)!.log.events()]
      const lived: Lived = { summary, tasks: reportOf(plan, summary, events).tasks, events, outside, journal, points }
      await mustHold(lived, observed, life)
      return lived
    }
    if (ended?.kind === 'ran' && ended.summary.status === 'waiting') goneOn(person, journal, loop, next())
    if (ended?.kind === 'refused') throw new Violated(`refused: ${ended.diagnostics[0]!.code}`)
    if (kept === null) {
      journal.close()
      journal = await life.open!()
    }
  }
  throw new Violated(`not over after ${MAX_PROCESSES} processes`)
}

/** Who waits is gone on with, as by `tek serve`. */
const isOver = ({ status }: RunSummary): boolean => status !== 'running' && status !== 'waiting'

/** What happens before somebody goes on with a run that waits: an answer, or time; sometimes neither. */
function goneOn(person: Person, journal: Journal, loop: Loop, draw: number): void {
  const nowMs = loop.wallMs()
  const leftMs = untilDueMs(journal, nowMs)
  if (draw < 0.7 || leftMs > LONGEST_SLEEP_MS) person.look(journal, nowMs)
  if (draw > 0.4 && draw < 0.9 && leftMs <= LONGEST_SLEEP_MS) loop.nowMs += leftMs
}

interface ProcessParts {
  readonly loop: Loop
  readonly process: SimulatedProcess
  readonly disk: Disk
  readonly host: Host
  readonly plan: Plan
  readonly outside: Outside
  readonly journal: Journal
  readonly observed: () => Observed | null
}

/** One process: null when it died, or ended because the disk had no room. */
async function processLife({ loop, process, disk, host, plan, outside, journal, observed }: ProcessParts): Promise<RunResult | null> {
  const settings = {
    host, plan, journal: disk.under(journal), toolRunner: outside.toolsOf(process), tekVersion: 'test', makePool: () => simulatedPool(loop, process),
    onNotice: (notice: RunNotice) => {
      const problem = tooEarly(notice, observed())
      if (problem !== null) outside.violations.push(problem)
    },
  }
  const known = journal.listRuns()[0]
  const ended: { result?: RunResult; error?: unknown } = {}
  let isOver = false
  const over = (): void => void (isOver = true)
  void loop
    .spawn(process, () => (known === undefined ? startRun({ ...settings, program: 'test.tek', args: {} }) : resumeRun({ ...settings, runId: known.runId })))
    .then(result => void (ended.result = result), (error: unknown) => void (ended.error = error)).finally(over)
  await loop.turnUntil(() => isOver || process.isDead)
  if (process.isDead) return null
  if (ended.result !== undefined) return ended.result
  if (ended.error instanceof JournalError && ended.error.diagnostic.code === 'run/journal-disk-full') return null
  throw ended.error
}

/** H2. */
function tooEarly(notice: RunNotice, observed: Observed | null): string | null {
  if (notice.kind === 'run-finished') {
    const isOver = notice.summary.status !== 'done' && notice.summary.status !== 'failed'
    return isOver || observed?.events.at(-1)?.kind === 'run-finished' ? null : 'the end was told before it was durable'
  }
  if (notice.kind !== 'task' || notice.status !== 'done' || notice.cached) return null
  return observed?.statuses.get(notice.path) === 'done' ? null : `\`${notice.path}\` was told to be done before it was durable`
}

/** Events as a database keeps them: elapsed times have three decimals. */
export function asKept(events: readonly RunEvent[]): string {
  return canonicalJson(JSON.parse(JSON.stringify(events, (key, value: unknown) => (key === 'elapsedMs' && typeof value === 'number' ? Math.round(value * 1_000) / 1_000 : value))) as Json)
}

export async function mustHold({ summary, events, outside, journal }: Lived, observed: Observed | null, { faults = [], isNotReplayed = false }: Pick<Life, 'faults' | 'isNotReplayed'>): Promise<void> {
  const problems = [...new Set(outside.violations)]
  if (asKept(events) !== asKept(observed?.events ?? [])) problems.push('what is on disk is not what was recorded, in order') // H1
  const ends = events.filter(each => each.kind === 'run-finished').length
  const isFinished = summary.status === 'done' || summary.status === 'failed'
  if (ends !== (isFinished ? 1 : 0) || (isFinished && events.at(-1)!.kind !== 'run-finished')) problems.push(`${ends} ends are recorded`)
  if (journal.leases().size > 0 && faults.length === 0) problems.push('the lease was not given back')
  if (journal.listRuns()[0]?.status !== summary.status) problems.push(`the list says ${journal.listRuns()[0]?.status}, the run ended ${summary.status}`)
  if (JSON.stringify([events, journal.listRuns(), journal.audit.rows(0, 100_000)]).includes(TOKEN)) problems.push('a secret is in the journal')
  const replays = { toolRunner: outside.toolsOf({ pid: 0, isDead: true }), capacity: { parallel: Infinity, cpu: 2, memoryBytes: 4e9 }, pool: () => simulatedPool(null, null) }
  const replay = isNotReplayed ? null : await replayRun(journal.openRun(summary.runId)!, replays)
  if (replay !== null && ('severity' in replay || replay.difference !== null)) problems.push(`the record does not replay: ${JSON.stringify(replay)}`) // H4
  if (problems.length > 0) throw new Violated(problems.join('\n'))
}

/** Keys of the calls that reached the world; which of several tasks finds a cached result is a matter of time. */
function keysOf({ outside }: Lived): Set<string> {
  return new Set([...outside.begun].filter(([, begun]) => begun[0]!.name !== 'http.post kept').map(([key]) => key))
}

/** Whether two lives of one seed came to the same; null, or what differs. // H3 */
export function difference(one: Lived, other: Lived): string | null {
  const isLoose = one.tasks.some(each => each.status === 'cancelled') || one.summary.status !== 'done'
  if (one.summary.status !== other.summary.status) return `${one.summary.status} became ${other.summary.status}`
  if (one.summary.status === 'done' && JSON.stringify(one.summary.outcome) !== JSON.stringify(other.summary.outcome)) return 'the results differ'
  if (isLoose) return null // which of several failures comes first, and what is cancelled for it, is a matter of time
  const [mine, theirs] = [one, other].map(({ tasks }) => tasks.map(({ path, status, outcome, attempts }) => JSON.stringify({ path, status, outcome, attempts })).sort())
  const at = mine!.findIndex((each, index) => each !== theirs![index])
  if (at !== -1 || mine!.length !== theirs!.length) return `a task differs:\n  ${mine![at]}\n  ${theirs![at]}`
  const [keys, otherKeys] = [one, other].map(keysOf)
  const lost = [...keys!].filter(key => !otherKeys!.has(key)).length
  const added = [...otherKeys!].filter(key => !keys!.has(key)).length
  return lost + added === 0 ? null : `${lost} calls were not made, ${added} had another key`
}
