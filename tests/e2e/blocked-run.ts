// Blocked run: a process that drives a run whose tool starts a program and then never gives the event loop back.
import { resolve } from 'node:path'
import { nodeHost } from '#host/node-host.ts'
import { sqliteJournal } from '#interpreter/journal/sqlite.ts'
import { startRun } from '#interpreter/run.ts'
import { call, node, plan, task, workflow } from '../engine/plan-builder.ts'
import { runnerOf } from '../engine/run-plan.ts'

const [folder, command] = process.argv.slice(2)
const host = nodeHost({ cwd: folder! })
const program = plan({ main: workflow([task('a', call('block'))], node(0), { authority: [{ name: 'exec', args: [{ op: 'value', value: 'sh' }, { op: 'value', value: '**' }], implies: [] }] }) })
const block = async (_: unknown, context: { run(program: string, args: readonly string[]): Promise<unknown> }): Promise<never> => {
  void context.run('sh', ['-c', command!])
  await new Promise(go => setTimeout(go, 1_000)) // until it runs
  process.stdout.write('blocked\n')
  for (;;);
}
await startRun({
  host, plan: program, program: 'blocked.tek', args: {}, journal: await sqliteJournal(resolve(folder!, '.tek', 'tek.db')), toolRunner: runnerOf({ block: block as never }), onNotice: () => {}, tekVersion: 'test',
})
