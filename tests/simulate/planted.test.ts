// Planted: mistakes that a durable engine must not have are put into the real code, one at a time, and the simulator finds each. One that it does not find
// would be one that it cannot find.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type * as OpenCommands from '#interpreter/engine/open-commands.ts'
import type * as View from '#interpreter/engine/view.ts'
import type { RunEvent } from '#model/event.ts'
import { Driver } from '#interpreter/driver.ts'
import { Watcher } from '#interpreter/watcher.ts'
import { difference, live, type Life } from './history.ts'
import { busyPlan } from './programs.ts'

const planted = vi.hoisted(() => ({ forgetsTimers: false, countsAttemptsAgain: false, forgetsCalls: false }))

vi.mock('#interpreter/engine/open-commands.ts', async original => {
  const real = await original<typeof OpenCommands>()
  const openCommands: typeof OpenCommands.openCommands = (...args) => {
    const open = real.openCommands(...args)
    if (planted.forgetsTimers) return open.filter(each => each.kind !== 'set-timer')
    return planted.countsAttemptsAgain ? open.map(each => (each.kind === 'evaluate' ? { ...each, attempt: each.attempt + 1 } : each)) : open
  }
  return { ...real, openCommands }
})
vi.mock('#interpreter/engine/view.ts', async original => {
  const real = await original<typeof View>()
  return { ...real, recordedCalls: ((...args) => (planted.forgetsCalls ? [] : real.recordedCalls(...args))) satisfies typeof View.recordedCalls }
})

const plan = busyPlan()
const seed = 6
/** Points looked at. */
const EVERY = 9

beforeEach(() => void Object.assign(planted, { forgetsTimers: false, countsAttemptsAgain: false, forgetsCalls: false }))
afterEach(() => void vi.restoreAllMocks())

/** What the simulator says, at the first life that goes wrong; null when none does. */
async function found(plant: () => void, more: Pick<Life, 'lies' | 'isNotReplayed'> = {}): Promise<string | null> {
  const base = await live({ seed, plan })
  plant()
  for (const [process, points] of base.points.entries()) for (let point = 1; point <= points; point += EVERY) {
    try {
      const words = difference(base, await live({ seed, plan, faults: [{ process, point, kind: 'kill' }], ...more }))
      if (words !== null) return words
    } catch (error) {
      return (error as Error).message
    }
  }
  return null
}

test('nothing planted: nothing found', async () => {
  expect(await found(() => {})).toBe(null)
})

test('acts before the intent is durable', async () => {
  expect(await found(() => void vi.spyOn(Driver.prototype, 'whenDurable').mockImplementation(work => work()))).toContain('before its intent was durable')
})

test('tells before it is durable', async () => {
  const tells = function (this: { listener: (notice: unknown) => void }, notice: unknown): void {
    this.listener(notice)
  }
  expect(await found(() => void vi.spyOn(Watcher.prototype as unknown as { add(notice: unknown): void }, 'add').mockImplementation(tells as never))).toContain('before it was durable')
})

test('a disk that acknowledges what it has not kept', async () => {
  expect(await found(() => {}, { lies: true })).toContain('before its intent was durable')
})

test('forgets open timers when it goes on', { timeout: 300_000 }, async () => {
  expect(await found(() => void (planted.forgetsTimers = true))).toContain('not over after')
})

test('counts attempts anew when it goes on', { timeout: 300_000 }, async () => {
  expect(await found(() => void (planted.countsAttemptsAgain = true))).not.toBe(null)
})

test('makes calls again whose outcomes are recorded', async () => {
  expect(await found(() => void (planted.forgetsCalls = true), { isNotReplayed: true })).toContain('made again though its outcome is durable')
})

test('overlooks the last event of the record', { timeout: 300_000 }, async () => {
  const { resume } = Driver.prototype
  const overlooks = function (this: Driver, events: Iterable<RunEvent>): void {
    resume.call(this, [...events].slice(0, -1))
  }
  expect(await found(() => void vi.spyOn(Driver.prototype, 'resume').mockImplementation(overlooks))).not.toBe(null)
})
