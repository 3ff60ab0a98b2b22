// One run of a program by the built library, in a process of its own. Arguments: bundled node host, program, database or -, workers.
// Prints JSON: `elapsedMs` of the run alone (checking is not counted), `grownBytes` of the greatest resident size while it went on.
import { check, plan, run } from '../dist/index.mjs'

const [hostModule, program, database, workers] = process.argv.slice(2)
const { nodeHost } = await import(hostModule)
const host = nodeHost({ cwd: process.cwd() })
const checked = await check(host, program)
if (checked.program === null) throw new Error(checked.diagnostics.map(each => each.message).join('\n'))
const lowered = plan(checked)
const before = process.resourceUsage().maxRSS
const from = performance.now()
const answer = await run(host, {
  plan: lowered, program, workflow: lowered.entries[0], args: {}, database: database === '-' ? null : database, workers: Number(workers), tekVersion: 'bench', onNotice: () => {},
})
const elapsedMs = performance.now() - from
if (answer.kind === 'refused') throw new Error(answer.diagnostics.map(each => each.message).join('\n'))
const { outcome, tasks } = answer.value
if (outcome.kind !== 'value') throw new Error(`${outcome.failure.code}: ${outcome.failure.message}`)
console.log(JSON.stringify({ elapsedMs, tasks: tasks.done, grownBytes: (process.resourceUsage().maxRSS - before) * 1024 }))
