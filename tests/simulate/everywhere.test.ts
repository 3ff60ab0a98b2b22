// Everywhere: the program that uses everything is killed at every point of its first life, before and after each append, commit and all else that reaches the
// disk; taken up, it comes to the same. The same where the second process is killed as well, and where the machine is another.
//   TEK_SIMULATE=full: also every point of every process of a run that waits, of which otherwise there are samples.
import { expect, test } from 'vitest'
import { difference, live, type Fault, type Life, type Lived } from './history.ts'
import { busyPlan, everythingPlan } from './programs.ts'

const plan = busyPlan()
const waiting = everythingPlan()
const isFull = process.env['TEK_SIMULATE'] === 'full'
/** Points from one to the next that is tried, of a run that waits. */
const EVERY = isFull ? 1 : 7

/** Lives with these faults and compares with the life that had none. */
async function sameWith(base: Lived, life: Life): Promise<Lived> {
  const where = `seed ${life.seed}, ${JSON.stringify(life.faults)}`
  const lived = await live(life).catch((error: unknown) => {
    throw new Error(`${where}: ${String((error as Error).stack)}`)
  })
  expect(difference(base, lived), where).toBe(null)
  return lived
}

const kill = (process: number, point: number): Fault => ({ process, point, kind: 'kill' })

test('it uses what it is said to use', async () => {
  const base = await live({ seed: 1, plan: waiting })
  const seen = new Set(base.tasks.map(each => each.status))
  expect([...seen].sort()).toEqual(['done', 'failed', 'skipped'])
  const kinds = new Set(base.events.map(each => each.kind))
  for (const kind of ['call-started', 'call-finished', 'timer-fired', 'cache-answered', 'evaluated', 'answered', 'stop-requested', 'run-resumed'] as const) expect(kinds, kind).toContain(kind)
  expect(base.tasks.some(each => each.attempts > 2)).toBe(true)
})

test('killed at every point', { timeout: 600_000 }, async () => {
  const seed = 1
  const base = await live({ seed, plan })
  expect(base.points).toHaveLength(1)
  expect(base.points[0]).toBeGreaterThan(300)
  for (let point = 1; point <= base.points[0]!; point++) {
    const { points } = await sameWith(base, { seed, plan, faults: [kill(0, point)], cpus: [2, 1 + (point % 5)] })
    expect(points).toHaveLength(2)
  }
})

test('a run that waits for people and times, killed in each of the processes that go on with it', { timeout: 600_000 }, async () => {
  const seed = 2
  const base = await live({ seed, plan: waiting })
  expect(base.points.length).toBeGreaterThan(2)
  for (const [process, points] of base.points.entries()) {
    for (let point = 1 + (process % EVERY); point <= points; point += EVERY) {
      const lived = await sameWith(base, { seed, plan: waiting, faults: [kill(process, point)], cpus: [2, 1 + (point % 5)] })
      expect(lived.points.length).toBeGreaterThan(process + 1)
    }
  }
})

test('killed, taken up, and killed again', { timeout: 300_000 }, async () => {
  const seed = 3
  const base = await live({ seed, plan })
  for (let point = 5; point < base.points[0]!; point += isFull ? 7 : 41) {
    const { points } = await sameWith(base, { seed, plan, faults: [kill(0, point)] })
    for (let second = 1 + (point % 19); second <= points[1]!; second += 19) await sameWith(base, { seed, plan, faults: [kill(0, point), kill(1, second)], cpus: [2, 1, 8] })
  }
})

test('killed twenty times', async () => {
  const seed = 4
  const base = await live({ seed, plan })
  const faults = Array.from({ length: 20 }, (_, process) => kill(process, 25 + ((process * 7) % 30)))
  expect((await sameWith(base, { seed, plan, faults })).points.length).toBeGreaterThan(8)
})

test('a disk without room at every point: the run ends with the code, and goes on when there is room', { timeout: 300_000 }, async () => {
  const seed = 5
  const base = await live({ seed, plan })
  for (const [process, points] of base.points.entries()) for (let point = 1; point <= points; point += isFull ? 1 : 9) await sameWith(base, { seed, plan, faults: [{ process, point, kind: 'full' }] })
})
