// Commands one after the other, unconfined, in a process of its own. Arguments: `tek` or `bare`, a bundled node host or `-`, how many.
// `tek`: tasks of a run, with their guard, audit entry and events (no database). `bare`: child_process.spawn, output read to its end.
// Prints JSON: `elapsedMs` for all of them, once everything that is loaded or kept has been.
import { spawn } from 'node:child_process'

const [kind, hostModule, given] = process.argv.slice(2)
const count = Number(given)
const WARM_UP = 10

function bare() {
  return new Promise((done, failed) => {
    const child = spawn('/bin/true', [], { env: { PATH: '/usr/bin:/bin' }, stdio: ['pipe', 'pipe', 'pipe'], detached: true })
    child.stdout.resume()
    child.stderr.resume()
    child.stdin.end()
    child.on('error', failed).on('close', code => (code === 0 ? done() : failed(new Error(`exit code ${code}`))))
  })
}

async function runner() {
  if (kind === 'bare') return async times => { for (let at = 0; at < times; at++) await bare() }
  const { check, plan, run } = await import('../dist/index.mjs')
  const { nodeHost } = await import(hostModule)
  const host = nodeHost({ cwd: process.cwd() })
  const text = 'workflow commands(count: int) -> int {\n  can exec("/bin/true")\n  task each for i in range(count) parallel 1 = shell.run("/bin/true").exitCode\n  return len(each)\n}\n'
  const checked = await check(host, 's11.tek', { readText: path => (path === 's11.tek' ? text : undefined) })
  if (checked.program === null) throw new Error(checked.diagnostics.map(each => each.message).join('\n'))
  const lowered = plan(checked)
  return async times => {
    const answer = await run(host, { plan: lowered, program: 's11.tek', workflow: 'commands', args: { count: times }, database: null, tekVersion: 'bench', onNotice: () => {}, mayBeUnconfined: true })
    const outcome = answer.kind === 'refused' ? answer.diagnostics[0].message : answer.value.outcome
    if (outcome.value !== times) throw new Error(JSON.stringify(outcome))
  }
}

const runAll = await runner()
await runAll(WARM_UP)
const from = performance.now()
await runAll(count)
console.log(JSON.stringify({ elapsedMs: performance.now() - from }))
