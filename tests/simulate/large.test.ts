// Large: a run of many tasks is cut off, again and again, and taken up: everything once, the same sum. 5,000 tasks; as many as a run may have (100,000) with
// TEK_SIMULATE=full. How long it takes is measured elsewhere (bench).
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { MAX_TASKS } from '#interpreter/engine/protocol.ts'
import { JournalError, type Journal, type RunLog } from '#interpreter/journal/journal.ts'
import { sqliteJournal } from '#interpreter/journal/sqlite.ts'
import { runErrors } from '#diagnostics/catalog/run.ts'
import { memoryHost } from '#testing/memory-host.ts'
import { call, local, node, plan, prelude, task, value, workflow } from '../engine/plan-builder.ts'
import { simulatedPool } from './simulated-pool.ts'
import { endOf, resumePlan, runPlan, type Tool } from '../engine/run-plan.ts'

const ITEMS = process.env['TEK_SIMULATE'] === 'full' ? MAX_TASKS - 10 : 5_000
const CUTS = 3

const program = plan({
  main: workflow([
    task('t', call('work', { x: local('x') }), { forEach: { item: 'x', list: prelude('range', value(ITEMS)), width: value(64) } }),
    task('total', prelude('sum', node(0)), { dependsOn: [0] }),
  ], node(1)),
})

/** A journal whose process ends once so many events are durable. */
function endingAfter(journal: Journal, events: number): Journal {
  let durable = 0
  const ending = (log: RunLog): RunLog => new Proxy(log, {
    get(target, name) {
      const held = Reflect.get(target, name, target) as unknown
      if (name !== 'commit') return typeof held === 'function' ? (held as (...args: unknown[]) => unknown).bind(target) : held
      return () => {
        durable += target.uncommitted
        if (durable > events) throw new JournalError(runErrors['journal-disk-full']({ path: 'cut' }))
        target.commit()
      }
    },
  })
  return new Proxy(journal, {
    get(target, name) {
      const held = Reflect.get(target, name, target) as unknown
      if (typeof held !== 'function') return held
      const bound = (held as (...args: unknown[]) => unknown).bind(target)
      if (name === 'startRun') return (...args: unknown[]) => ending(bound(...args) as RunLog)
      if (name !== 'openRun') return bound
      return (...args: unknown[]) => {
        const found = bound(...args) as ReturnType<Journal['openRun']>
        return found === null ? null : { ...found, log: ending(found.log) }
      }
    },
  })
}

test(`a run of ${ITEMS.toLocaleString('en')} tasks, cut off ${CUTS} times`, { timeout: 1_800_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tek-large-'))
  const path = join(folder, 'tek.db')
  const made = new Map<string, number>()
  /** Numbers whose outcomes are recorded. */
  const finished = new Set<number>()
  const again: number[] = []
  const work: Tool = async ({ x }, { idempotencyKey }) => {
    if (finished.has(Number(x))) again.push(Number(x))
    made.set(idempotencyKey, (made.get(idempotencyKey) ?? 0) + 1)
    if (Number(x) % 50 === 0) await new Promise(setImmediate)
    return Number(x) * 2
  }
  const host = memoryHost()
  delete (host as { sleep?: unknown }).sleep
  try {
    for (let round = 0; round <= CUTS; round++) {
      const journal = await sqliteJournal(path)
      const known = journal.listRuns()[0]
      const used = round < CUTS ? endingAfter(journal, Math.floor(ITEMS * 0.8)) : journal
      const options = { journal: used, host, tools: { work }, settings: { makePool: () => simulatedPool(null, null) } } // the list is too long for one turn
      const going = known === undefined ? runPlan(program, options) : resumePlan(program, known.runId, options)
      const ended = await going.then(({ result }) => endOf(result), (error: unknown) => (error as JournalError).diagnostic.code)
      expect(ended).toEqual(round < CUTS ? 'run/journal-disk-full' : { value: ITEMS * (ITEMS - 1), code: null })
      const { runId } = journal.listRuns()[0]!
      const kept = [...journal.openRun(runId)!.log.events()].filter(each => each.kind === 'call-finished')
      expect(kept.length).toBeGreaterThan(round * ITEMS * 0.1)
      for (const { outcome } of kept) if (outcome.kind === 'value') finished.add(Number(outcome.value) / 2)
      if (round === CUTS) expect(kept.length).toBe(ITEMS)
      journal.close()
    }
    expect(made.size).toBe(ITEMS)
    expect(finished.size).toBe(ITEMS)
    expect(again).toEqual([])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
