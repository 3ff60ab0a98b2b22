// Kill: a real process is killed with SIGKILL at random instants, again and again, until the run is done.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sqliteJournal } from '#interpreter/journal/sqlite.ts'
import { buildScripts } from '../journal/build-scripts.ts'

let folder = ''
let scripts = ''
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tek-kill-'))
  scripts = await buildScripts('simulate', { 'killed-run': 'tests/simulate/killed-run.ts' })
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const WIDTH = 16
/** Each round is given a little longer, so that a slow machine comes to the end as well. */
const LATER_MS = 10

test('killed at random instants: the same result, and nothing that finished is done again', { timeout: 120_000 }, async () => {
  const database = join(folder, 'tek.db')
  const record = join(folder, 'record')
  let kills = 0
  let said = ''
  for (let round = 0; round < 60 && !said.includes('\n'); round++) {
    const child = spawn(process.execPath, [join(scripts, 'killed-run.mjs'), database, record], { stdio: ['ignore', 'pipe', 'inherit'] })
    child.stdout.on('data', data => void (said += String(data)))
    const closed = once(child, 'close')
    // Most kills fall while the run goes on: a process needs a while to start.
    const finishedBefore = existsSync(database) ? await finishedCalls(database) : 0
    const patience = setTimeout(() => child.kill('SIGKILL'), 120 + ((round * 67) % 180) + round * LATER_MS)
    await closed
    clearTimeout(patience)
    if (child.signalCode === 'SIGKILL') kills++
    expect(await finishedCalls(database)).toBeGreaterThanOrEqual(finishedBefore)
  }
  expect(JSON.parse(said)).toEqual({ kind: 'value', value: 39 * 40 })
  expect(kills).toBeGreaterThan(1)
  const keys = readFileSync(record, 'utf8').trim().split('\n')
  const distinct = new Set(keys).size
  expect(distinct).toBe(120)
  // Only calls that were under way at a kill may have been made twice, each with its own key.
  expect(keys.length - distinct).toBeLessThanOrEqual(kills * WIDTH)
  const journal = await sqliteJournal(database)
  const events = [...journal.openRun(journal.listRuns()[0]!.runId)!.log.events()]
  expect(events.filter(each => each.kind === 'call-finished')).toHaveLength(120)
  journal.close()
})

async function finishedCalls(database: string): Promise<number> {
  const journal = await sqliteJournal(database)
  const run = journal.listRuns()[0]
  const count = run === undefined ? 0 : [...journal.openRun(run.runId)!.log.events()].filter(each => each.kind === 'call-finished').length
  journal.close()
  return count
}
