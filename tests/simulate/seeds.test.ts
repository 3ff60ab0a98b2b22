// Seeds: programs drawn at random live under faults drawn at random: killed at any points, on any number of processors, without room on the disk, while clocks
// jump. All comes from one number; a life that goes wrong prints the line that repeats it.
//   TEK_SIMULATE=full       thousands of seeds
//   TEK_SIMULATE_SEED=123   that one alone
import { describe, expect, test } from 'vitest'
import { random } from '../compiler/random-programs.ts'
import { difference, live, type Fault, type Life } from './history.ts'
import type { Loop } from './loop.ts'
import { drawWritingProgram, planOf } from './programs.ts'

const only = process.env['TEK_SIMULATE_SEED']
const SEEDS = process.env['TEK_SIMULATE'] === 'full' ? 6_000 : 300
/** Seeds of one test, so that a long run shows how it goes. */
const BLOCK = 100
/** Lives of each seed. */
const LIVES = 3

const seen = { lives: 0, killed: 0, full: 0, again: 0, failed: 0, points: 0, waited: 0, asked: 0, jumps: 0 }

async function liveOften(seed: number): Promise<void> {
  const plan = planOf(drawWritingProgram(seed))
  if (plan === null) throw new Error(`the program of seed ${seed} does not compile`)
  const base = await live({ seed, plan })
  seen.points += base.points.reduce((sum, each) => sum + each, 0)
  seen.waited += base.points.length - 1
  seen.asked += base.events.filter(each => each.kind === 'answered').length
  if (base.summary.status !== 'done') seen.failed++
  const next = random(seed * 101 + 11)
  for (let which = 0; which < LIVES; which++) {
    const faults: Fault[] = []
    for (let process = 0; process < 8 && (process === 0 || next() < 0.6); process++) {
      faults.push({ process, point: 1 + Math.floor(next() * (base.points[process] ?? base.points[0]! * 0.7)), kind: next() < 0.85 ? 'kill' : 'full' })
    }
    const jumpShare = next() < 0.4 ? 0.02 : 0
    const onStep = (_: number, loop: Loop): void => {
      if (next() >= jumpShare) return
      loop.skewMs += (next() - 0.5) * 2 * 10 ** (2 + Math.floor(next() * 6)) // by up to a day, back or forward
      seen.jumps++
    }
    const life: Life = { seed, plan, faults, cpus: [2, 1 + Math.floor(next() * 8)], onStep, pauses: next() < 0.3 ? 0.02 : 0.002 }
    const lived = await live(life)
    const found = difference(base, lived)
    if (found !== null) throw new Error(`${found} (${JSON.stringify(faults)})`)
    seen.lives++
    for (const { process, point, kind } of faults) if ((lived.points[process] ?? 0) >= point) seen[kind === 'kill' ? 'killed' : 'full']++
    for (const begun of lived.outside.begun.values()) if (begun.length > 1) seen.again++
  }
}

async function mustLive(seed: number): Promise<void> {
  await liveOften(seed).catch((error: unknown) => {
    throw new Error(`repeat it with: TEK_SIMULATE_SEED=${seed} npx vitest run tests/simulate/seeds.test.ts\n${String((error as Error).stack)}`)
  })
}

describe.runIf(only === undefined)('drawn programs under drawn faults', () => {
  for (let first = 1; first <= SEEDS; first += BLOCK) {
    test(`seeds ${first} to ${first + BLOCK - 1}`, { timeout: 600_000 }, async () => {
      for (let seed = first; seed < first + BLOCK; seed++) await mustLive(seed)
    })
  }

  test('there was something to survive', () => {
    if (process.env['TEK_SIMULATE'] !== undefined) console.log(JSON.stringify(seen))
    for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(SEEDS / 100)
  })
})

if (only !== undefined) test(`seed ${only}`, { timeout: 600_000 }, () => mustLive(Number(only)))
