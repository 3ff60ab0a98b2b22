// Lease: who counts as gone, and what a run does that lost its lease or finds it taken.
import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Host } from '#host/host.ts'
import { nodeHost } from '#host/node-host.ts'
import { isProcessAlive, processIdentity } from '#host/process-identity.ts'
import { JournalError } from '#interpreter/journal/journal.ts'
import { isHeld, LEASE_MS, RENEW_EVERY_MS, type Lease } from '#interpreter/journal/lease.ts'
import { memoryJournal } from '#interpreter/journal/memory.ts'
import { stopRun } from '#interpreter/stop-run.ts'
import { memoryHost } from '#testing/memory-host.ts'
import { call, local, node, plan, task, value, workflow } from '../engine/plan-builder.ts'
import { resumePlan, runPlan } from '../engine/run-plan.ts'

const here = { pid: 10, hostName: 'here', bootId: 'boot' }
const lease: Lease = { ...here, owner: 'o', expiresMs: 1_000 }
const hostOf = (change: Partial<Host>): Host => ({ ...nodeHost({ cwd: '/' }), now: () => 500, identity: () => here, isAlive: () => false, ...change })

test.each<[string, Lease, Partial<Host>, boolean]>([
  ['its process lives', lease, { isAlive: () => true }, true],
  ['its process is gone', lease, {}, false],
  ['it has run out', lease, { isAlive: () => true, now: () => 1_000 }, false],
  ['another machine: only time tells', { ...lease, hostName: 'there' }, {}, true],
  ['another boot: only time tells', { ...lease, bootId: 'earlier' }, {}, true],
  ['another boot, whose clock was years ahead', { ...lease, bootId: 'earlier', expiresMs: 9e12 }, {}, false],
  ['this boot, and the clock was set back by years', { ...lease, expiresMs: 9e12 }, { isAlive: () => true }, true],
  ['a system that names no boot', { ...lease, bootId: '' }, { identity: () => ({ ...here, bootId: '' }) }, true],
  ['a host that knows no others', lease, { identity: () => ({ ...here, bootId: '' }) }, true],
])('a lease is held or not: %s', (_, each, change, expected) => {
  expect(isHeld(each, hostOf(change))).toBe(expected)
})

test('a lease outlives several renewals that fail', () => {
  expect(LEASE_MS).toBeGreaterThanOrEqual(4 * RENEW_EVERY_MS)
})

test('this process lives; one that has ended does not', () => {
  expect(processIdentity().pid).toBe(process.pid)
  expect(isProcessAlive(process.pid)).toBe(true)
  expect(isProcessAlive(2 ** 22 + 1)).toBe(false)
})

const program = plan({ main: workflow([task('t', call('work', { x: local('x') }), { forEach: { item: 'x', list: value([...Array(30).keys()]), width: value(3) } })], node(0)) })

/** A memory host that is one of several processes. */
function manyHost(pid: number): Host {
  const host: Host = { ...memoryHost(), monotonic: () => performance.now(), now: () => Date.now(), identity: () => ({ ...here, pid }), isAlive: () => true }
  delete (host as { sleep?: unknown }).sleep
  return host
}

async function codeOf(work: () => Promise<unknown>): Promise<string> {
  const error = await work().then(() => null, (thrown: unknown) => thrown)
  if (!(error instanceof JournalError)) throw new Error(`not refused: ${String(error)}`)
  return error.diagnostic.code
}

test('a run that is driven is refused to others; one that lost its lease stops before any further call', async () => {
  const journal = memoryJournal()
  let calls = 0
  let lost = 0
  const work = async (): Promise<number> => {
    if (++calls === 6) {
      const runId = journal.listRuns()[0]!.runId
      expect(await codeOf(() => resumePlan(program, runId, { journal, tools: { work: work as never }, settings: { host: manyHost(2) } }))).toBe('run/being-driven')
      expect(journal.takeLease(runId, { ...lease, owner: 'other' }, () => false)).toBe(null)
      lost = calls
    }
    await wait(2)
    return 1
  }
  expect(await codeOf(() => runPlan(program, { journal, tools: { work: work as never }, settings: { host: manyHost(1) } }))).toBe('run/lease-lost')
  expect(lost).toBeGreaterThan(0)
  expect(calls).toBeLessThanOrEqual(lost + 3)
  expect(journal.listRuns()[0]).toMatchObject({ status: 'running' })
  expect([...journal.leases().values()]).toMatchObject([{ owner: 'other' }]) // not given back by the one that lost it
})

test('a request to stop is heeded, and seen by who asked', async () => {
  const journal = memoryJournal()
  const host = manyHost(1)
  const running = runPlan(program, { journal, tools: { work: () => wait(50, 1) }, settings: { host } })
  await wait(30)
  const runId = journal.listRuns()[0]!.runId
  const seen = await stopRun(journal, { ...host, identity: () => ({ ...here, pid: 2 }), isAlive: () => false, now: () => 0 }, 'none')
  expect(seen).toEqual({ kind: 'not-running', runId: 'none' })
  journal.askToStop(runId, 0)
  const { result, code } = await running
  expect(code).toBe('run/stopped')
  expect(result).toMatchObject({ summary: { status: 'stopped', outcome: { failure: { message: 'The run was stopped by `tek stop`.' } } } })
  expect(journal.leases().size).toBe(0)
})
