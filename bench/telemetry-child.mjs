// What measuring adds to a run: pairs of runs of one program with a journal, with and without telemetry, in one process, each first as often as the other.
// What is compared is processor time of the whole process, so that other programs on the machine weigh little.
// Arguments: bundled node host, program, pairs. Prints JSON: `overhead`, the share that measuring adds to the median, and both medians in ms.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { check, plan, run } from '../dist/index.mjs'
import { median } from './measure.mjs'

const [hostModule, program, pairs] = process.argv.slice(2)
const { nodeHost } = await import(hostModule)
const host = nodeHost({ cwd: process.cwd() })
const checked = await check(host, program)
if (checked.program === null) throw new Error(checked.diagnostics.map(each => each.message).join('\n'))
const lowered = plan(checked)
const WARM_UP_PAIRS = 2

const folders = { true: mkdtempSync(join(tmpdir(), 'tek-measured-')), false: mkdtempSync(join(tmpdir(), 'tek-bare-')) }

async function timed(isMeasured) {
  const folder = folders[isMeasured]
  globalThis.gc?.()
  const from = process.cpuUsage()
  const answer = await run(host, { plan: lowered, program, workflow: lowered.entries[0], args: {}, database: join(folder, 'tek.db'), tekVersion: 'bench', onNotice: () => {}, isMeasured })
  const { user, system } = process.cpuUsage(from)
  if (answer.kind === 'refused') throw new Error(answer.diagnostics.map(each => each.message).join('\n'))
  if (answer.value.outcome.kind !== 'value') throw new Error(answer.value.outcome.failure.message)
  return (user + system) / 1000
}

const seen = []
for (let pair = -WARM_UP_PAIRS; pair < Number(pairs); pair++) {
  const times = {}
  for (const isMeasured of pair % 2 === 0 ? [true, false] : [false, true]) times[isMeasured ? 'on' : 'off'] = await timed(isMeasured)
  if (pair >= 0) seen.push(times)
}
for (const folder of Object.values(folders)) rmSync(folder, { recursive: true, force: true })
const [onMs, offMs] = ['on', 'off'].map(which => median(seen.map(each => each[which])))
console.log(JSON.stringify({ overhead: onMs / offMs - 1, onMs, offMs }))
