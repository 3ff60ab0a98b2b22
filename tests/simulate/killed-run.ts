// Killed run: a process that begins or goes on with a run on disk; the test kills it at random instants.
import { appendFileSync } from 'node:fs'
import { sqliteJournal } from '#interpreter/journal/sqlite.ts'
import { resumeRun, startRun } from '#interpreter/run.ts'
import type { Host } from '#host/host.ts'
import { memoryHost } from '#testing/memory-host.ts'
import { binary, call, local, node, plan, prelude, sub, param, task, value, workflow } from '../engine/plan-builder.ts'
import { runnerOf } from '../engine/run-plan.ts'

const COUNT = 40
const program = plan({
  main: workflow(
    [
      task('write', call('write', { x: local('x') }), { forEach: { item: 'x', list: prelude('range', value(COUNT)), width: value(4) } }),
      task('twice', sub('twice', { xs: node(0) }), { dependsOn: [0] }),
    ],
    node(1),
  ),
  twice: workflow(
    [task('w', binary('+', call('write', { x: local('x') }), call('write', { x: local('x') })), { forEach: { item: 'x', list: param('xs'), width: null } }), task('sum', prelude('sum', node(0)), { dependsOn: [0] })],
    node(1),
    { params: [{ name: 'xs', type: { kind: 'any' }, default: null }] },
  ),
})

const [database, record] = process.argv.slice(2)
const host: Host = { ...memoryHost(), monotonic: () => performance.now(), now: () => Date.now() }
delete (host as { sleep?: unknown }).sleep
const journal = await sqliteJournal(database!)
const toolRunner = runnerOf({
  write: async ({ x }, { idempotencyKey }) => {
    appendFileSync(record!, `${idempotencyKey}\n`)
    await new Promise(resolve => setTimeout(resolve, 25))
    return Number(x)
  },
})
const settings = { host, plan: program, journal, toolRunner, onNotice: () => {}, tekVersion: 'test' }
const known = journal.listRuns()[0]
const hasBegun = known !== undefined && [...journal.openRun(known.runId)!.log.events()].length > 0
const result = hasBegun ? await resumeRun({ ...settings, runId: known.runId }) : await startRun({ ...settings, program: 'test.tek', args: {} })
const { outcome } = result.kind === 'ran' ? result.summary : { outcome: null }
console.log(JSON.stringify(outcome))
journal.close()
