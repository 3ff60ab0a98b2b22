// One run of a program by the built library, in a process of its own. Arguments: bundled node host, program, database or -, workers, and
// optionally a program to run before.
// Prints JSON: `elapsedMs` of the run alone, `grownBytes` of the greatest resident size while it went on. Checking is not counted, nor is
// loading the interpreter and the modules of the standard library: the program to run before, an empty one if none is given, does that
// (S8 is the case that counts everything).
import { check, plan, run } from '../dist/index.mjs'

const [hostModule, program, database, workers, before] = process.argv.slice(2)
const { nodeHost } = await import(hostModule)
const host = nodeHost({ cwd: process.cwd() })

async function lower(path, options) {
  const checked = await check(host, path, options)
  if (checked.program === null) throw new Error(checked.diagnostics.map(each => each.message).join('\n'))
  return plan(checked)
}

async function timed(lowered, journal) {
  const before = process.resourceUsage().maxRSS
  const from = performance.now()
  const answer = await run(host, {
    plan: lowered, program, workflow: lowered.entries[0], args: {}, database: journal, workers: Number(workers), tekVersion: 'bench', onNotice: () => {},
  })
  const elapsedMs = performance.now() - from
  if (answer.kind === 'refused') throw new Error(answer.diagnostics.map(each => each.message).join('\n'))
  return { elapsedMs, grownBytes: (process.resourceUsage().maxRSS - before) * 1024, summary: answer.value }
}

const empty = 'workflow empty() -> int {\n  task one = 1\n  return one\n}\n'
await timed(await (before === undefined ? lower('empty.tek', { readText: path => (path === 'empty.tek' ? empty : undefined) }) : lower(before)), database === '-' ? null : `${database}.before`)
const { elapsedMs, grownBytes, summary } = await timed(await lower(program), database === '-' ? null : database)
const { outcome, tasks } = summary
if (outcome.kind !== 'value') throw new Error(`${outcome.failure.code}: ${outcome.failure.message}`)
console.log(JSON.stringify({ elapsedMs, tasks: tasks.done, grownBytes }))
