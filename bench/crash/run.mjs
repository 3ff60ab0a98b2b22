// bench/crash: real processes, killed with SIGKILL at random instants, hundreds of times; nothing is lost, nothing that finished is done again.
//   node bench/crash/run.mjs [PROGRAM…] [--kills N] [--leave-ms N] [--write] [--json]
// Owns: the options, the table. Does not own: the killing (ordeal.mjs).
//   R1. The exit code is 1 if anything at all was wrong, and then nothing is written.
import { existsSync, writeFileSync } from 'node:fs'
import { availableParallelism, loadavg } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ordeal } from './ordeal.mjs'
import { programs } from './programs.mjs'
import { openWorld } from './world.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const dist = join(here, '..', '..', 'dist')
const DEFAULT_KILLS = 300
const MAX_KILLS = 100_000
const DEFAULT_LEAVE_MS = 2_000
const usage = 'Usage: npm run bench:crash -- [PROGRAM…] [--kills N] [--leave-ms N] [--write] [--json]\n'

function parseArguments(given) {
  const options = { names: [], kills: DEFAULT_KILLS, leaveMs: DEFAULT_LEAVE_MS, write: false, json: false }
  for (let index = 0; index < given.length; index++) {
    const word = given[index]
    if (word === '--write') options.write = true
    else if (word === '--json') options.json = true
    else if (word === '--kills') options.kills = Number(given[++index])
    else if (word === '--leave-ms') options.leaveMs = Number(given[++index])
    else if (word === '--help') options.help = true
    else if (!Object.hasOwn(programs, word)) return null
    else options.names.push(word)
  }
  const isCount = count => Number.isInteger(count) && count >= 1 && count <= MAX_KILLS
  return isCount(options.kills) && isCount(options.leaveMs) ? options : null
}

function tableOf(reports) {
  const head = [
    'program', 'runs', 'kills', 'second `resume` told / took over', 'lost', 'doubled', 'finished and done again', 'under way at a kill and asked again',
    'temporary files left', 'processes left', 'slowest end of the last child, ms',
  ]
  const rows = reports.map(each => [each.program, each.runs, each.kills, `${each.refused} / ${each.taken}`, each.lost, each.doubled, each.repeated, each.again, each.litter, each.orphans, each.slowestEndMs])
  const sum = at => rows.reduce((total, row) => total + row[at], 0)
  rows.push(['all', sum(1), sum(2), '', sum(4), sum(5), sum(6), sum(7), sum(8), sum(9), Math.max(...rows.map(row => row[10]))])
  return [head, head.map(() => '---'), ...rows].map(cells => `| ${cells.join(' | ')} |`).join('\n')
}

async function main() {
  const options = parseArguments(process.argv.slice(2))
  if (options === null || options.help) {
    ;(options === null ? process.stderr : process.stdout).write(usage)
    return options === null ? 2 : 0
  }
  if (process.platform !== 'linux') {
    process.stderr.write('bench/crash looks at the process table of Linux.\n')
    return 2
  }
  if (!existsSync(join(dist, 'tek.mjs'))) {
    process.stderr.write('tek is not built. Run: npm run build\n')
    return 1
  }
  const { showRun } = await import(join(dist, 'index.mjs'))
  const names = options.names.length === 0 ? Object.keys(programs) : options.names
  const world = await openWorld()
  const reports = []
  const began = performance.now()
  try {
    for (const [at, name] of names.entries()) {
      const kills = Math.floor(options.kills / names.length) + (at < options.kills % names.length ? 1 : 0)
      if (kills === 0) continue
      if (!options.json) process.stderr.write(`${name} …\n`)
      reports.push(await ordeal(name, { world, kills, tek: join(dist, 'tek.mjs'), showRun, leaveMs: options.leaveMs }))
    }
  } finally {
    await world.close()
  }
  const problems = reports.flatMap(each => each.problems)
  const isFine = problems.length === 0 && reports.every(each => each.lost + each.doubled + each.repeated + each.litter + each.orphans === 0)
  const seconds = Math.round((performance.now() - began) / 1_000)
  if (options.json) process.stdout.write(`${JSON.stringify({ ok: isFine, seconds, reports }, null, 2)}\n`)
  else {
    const machine = `${availableParallelism()} cores, Node ${process.versions.node}; load ${loadavg()[0].toFixed(1)} at the end; ${seconds} s`
    const told = [
      `Machine: ${machine}. Each kill is SIGKILL to a real process, at a random instant. After each the database of a copy opened, passed \`integrity_check\`, and`,
      '`tek audit verify` passed; at the end every result was that of an undisturbed run. Written by `npm run bench:crash -- --write`.',
    ].join(' ')
    const text = `# Killed, and gone on with\n\n${told}\n\n${tableOf(reports)}\n\n${isFine ? 'Nothing was wrong.' : `Wrong:\n\n${problems.map(each => `- ${each}`).join('\n')}`}\n`
    process.stdout.write(text)
    if (options.write && isFine) writeFileSync(join(here, 'results.md'), text) // R1
  }
  return isFine ? 0 : 1
}

process.exitCode = await main()
