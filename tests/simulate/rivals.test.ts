// Rivals: several processes want to drive one run, while clocks jump back and forward and processes are suspended for longer than their leases hold. However
// they meet, one at a time records, and what is recorded is one run.
import { afterEach, describe, expect, test, vi } from 'vitest'
import { JournalError } from '#interpreter/journal/journal.ts'
import { LEASE_MS } from '#interpreter/journal/lease.ts'
import { memoryJournal } from '#interpreter/journal/memory.ts'
import { Keeper } from '#interpreter/keeper.ts'
import { reportOf } from '#interpreter/report.ts'
import { resumeRun, startRun, type RunResult } from '#interpreter/run.ts'
import { random } from '../compiler/random-programs.ts'
import { Disk, type Faults } from './disk.ts'
import { difference, live, mustHold, type Lived } from './history.ts'
import { Loop, type SimulatedProcess } from './loop.ts'
import { Observed } from './observed.ts'
import { Outside } from './outside.ts'
import { busyPlan } from './programs.ts'
import { simulatedPool } from './simulated-pool.ts'

const only = process.env['TEK_SIMULATE_SEED']
const SEEDS = process.env['TEK_SIMULATE'] === 'full' ? 3_000 : 60
const RIVALS = 3
/** Processes of one history. */
const MAX_PROCESSES = 400
const MAX_FREEZES = 6

const plan = busyPlan()
const seen = { takenOver: 0, refused: 0, lost: 0, frozen: 0, jumps: 0 }

/** One run and its rivals, to the run's end. */
async function contested(seed: number, planted: Pick<Faults, 'ignoresOwner'> = {}): Promise<Lived> {
  const next = random(seed * 29 + 1)
  const loop = new Loop(seed)
  const journal = memoryJournal()
  let observed: Observed | null = null
  const outside = new Outside(seed, loop, () => observed, () => journal)
  outside.isContested = true
  const processes: SimulatedProcess[] = []
  /** Owners of leases that recorded something, in order. */
  const owners: string[] = []
  let result: RunResult | null = null
  let broken: unknown = null

  const another = (): void => {
    if (result !== null || processes.length >= MAX_PROCESSES) return
    const process: SimulatedProcess = { pid: 100 + processes.length, isDead: false }
    processes.push(process)
    const disk = new Disk(process, {
      ...planted,
      onDurable: (_, runId, events, owner = '') => {
        if (owners.at(-1) !== owner) {
          if (owners.includes(owner)) outside.violations.push('a process recorded after another had taken the run over')
          if (owners.length > 0) seen.takenOver++
          owners.push(owner)
        }
        ;(observed ??= new Observed(plan, runId)).add(events)
      },
    })
    const settings = {
      host: outside.hostOf(process, 2, () => true), plan, journal: disk.under(journal), toolRunner: outside.toolsOf(process), tekVersion: 'test', onNotice: () => {},
      makePool: () => simulatedPool(loop, process),
    }
    const known = journal.listRuns()[0]
    const ended = loop.spawn(process, () => (known === undefined ? startRun({ ...settings, program: 'test.tek', args: {} }) : resumeRun({ ...settings, runId: known.runId })))
    ended.then(
      mine => {
        if (mine.kind === 'ran' && ['done', 'failed'].includes(mine.summary.status)) result ??= mine
        else broken ??= new Error(`ended ${JSON.stringify(mine)}`)
      },
      (error: unknown) => {
        const code = error instanceof JournalError ? error.diagnostic.code : ''
        if (code === 'run/being-driven') seen.refused++
        else if (code === 'run/lease-lost') seen.lost++
        else broken ??= error
        process.isDead = true
        loop.after(code === 'run/lease-lost' ? 10 : next() * next() * 2_000, another, null)
      },
    )
  }

  let freezes = 0
  loop.onStep = step => {
    if (step % 7 !== 0) return
    const draw = next()
    if (draw < 0.08) {
      loop.skewMs += (next() < 0.5 ? -1 : 1) * LEASE_MS * (0.5 + next() * 400)
      seen.jumps++
    } else if (draw < 0.16) {
      const living = processes.filter(each => !each.isDead && (each.frozenUntilMs ?? 0) <= loop.nowMs)
      const victim = living[Math.floor(next() * living.length)]
      if (victim === undefined || freezes++ >= MAX_FREEZES) return
      victim.frozenUntilMs = loop.nowMs + LEASE_MS * next() * 3
      seen.frozen++
    }
  }
  another()
  for (let rival = 1; rival < RIVALS; rival++) loop.after(20 + next() * 200, another, null)
  await loop.turnUntil(() => result !== null || broken !== null)
  if (broken !== null) throw broken
  const { summary } = result as unknown as Extract<RunResult, { kind: 'ran' }>
  const events = [...journal.openRun(summary.runId)!.log.events()]
  const lived: Lived = { summary, tasks: reportOf(plan, summary, events).tasks, events, outside, journal, points: [] }
  await mustHold(lived, observed, { faults: [{ process: 0, point: 0, kind: 'kill' }] })
  return lived
}

async function mustAgree(seed: number): Promise<void> {
  try {
    const found = difference(await live({ seed, plan }), await contested(seed))
    if (found !== null) throw new Error(found)
  } catch (error) {
    throw new Error(`repeat it with: TEK_SIMULATE_SEED=${seed} npx vitest run tests/simulate/rivals.test.ts\n${String((error as Error).stack)}`)
  }
}

if (only === undefined) test(`${SEEDS} runs with ${RIVALS} rivals`, { timeout: 1_200_000 }, async () => {
  for (let seed = 1; seed <= SEEDS; seed++) await mustAgree(seed)
  if (process.env['TEK_SIMULATE'] !== undefined) console.log(JSON.stringify(seen))
  for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(SEEDS / 10)
})

if (only !== undefined) test(`seed ${only}`, () => mustAgree(Number(only)))

describe('planted: a process that does not see that it lost its lease', () => {
  afterEach(() => void vi.restoreAllMocks())

  async function found(planted: Pick<Faults, 'ignoresOwner'>): Promise<string | null> {
    vi.spyOn(Keeper.prototype, 'check').mockReturnValue(null)
    for (let seed = 1; seed <= 30; seed++) {
      const words = await contested(seed, planted).then(() => null, (error: unknown) => (error as Error).message)
      if (words !== null) return words
    }
    return null
  }

  test('the journal refuses what it would record', async () => {
    expect(await found({})).toBe(null)
  })

  test('where the journal lets everybody record, that is found', async () => {
    expect(await found({ ignoresOwner: true })).toContain('recorded after another had taken the run over')
  })
})
