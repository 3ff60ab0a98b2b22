// The benchmarks: tek beside its peers and the machine's floor, in one run, as one table.
//   node bench/run.mjs [CASE…] [--rounds N] [--write] [--json]
// Owns: choosing cases, running them one after the other, printing. Does not own: what is measured (cases/), timing (measure.mjs).
//   R1. Nothing is installed here. A peer that is not there is left out by name, and how to get it is said.
//   R2. When tek itself fails in a case the exit code is 1 and nothing is written. With cases named, only their lines are written anew.
//   R3. A ratio is always of the same run. Where a peer is ahead of tek it says so in words, under the table.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { programPath, race, runScript } from './measure.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const root = dirname(here)
const DEFAULT_ROUNDS = 3
const AHEAD = 0.97 // closer than 3 % is a tie

const usage = 'Usage: npm run bench -- [CASE…] [--rounds N] [--write] [--json]\n'

function parseArguments(given) {
  const options = { cases: [], rounds: DEFAULT_ROUNDS, write: false, json: false }
  for (let index = 0; index < given.length; index++) {
    const word = given[index]
    if (word === '--write') options.write = true
    else if (word === '--json') options.json = true
    else if (word === '--rounds') options.rounds = Number(given[++index])
    else if (word === '--help') options.help = true
    else if (word.startsWith('-')) return null
    else options.cases.push(word)
  }
  return Number.isInteger(options.rounds) && options.rounds >= 1 && options.rounds <= 100 ? options : null
}

/** What a case may use: where things are, and how to run tek in a process of its own. */
function contextFor(folder, hostModule) {
  let files = 0
  const peers = join(here, 'peers')
  const need = (path, how) => {
    if (!existsSync(path)) throw new Error(how)
    return path
  }
  const installPeers = 'not installed: npm install --prefix bench/peers'
  const context = {
    root, folder, hostModule,
    tek: join(root, 'dist/tek.mjs'),
    floor: name => join(here, 'floors', name),
    peer: name => (need(join(peers, 'node_modules'), installPeers), join(peers, name)),
    peerBin: path => need(join(peers, 'node_modules', path), installPeers),
    programs: {
      need: name => {
        const path = programPath(name)
        if (path === null) throw new Error(`not installed: ${name}`)
        return path
      },
    },
    fresh: name => join(folder, `${++files}-${name}`),
    /** `{ elapsedMs, grownBytes }` of one run; `database` null: no journal; `before`: a program that loads the same modules. */
    tekRun: (program, { database = null, workers = 2, before = null } = {}) =>
      runScript(join(here, 'tek-child.mjs'), [hostModule, program, database ?? '-', workers, ...(before === null ? [] : [before])], { cwd: folder }),
  }
  return context
}

/** The library's entry takes a host; that of Node is bundled for the purpose. */
async function bundledHost(folder) {
  const { build } = await import('esbuild')
  const outfile = join(folder, 'node-host.mjs')
  await build({ entryPoints: [join(root, 'src/host/node-host.ts')], outfile, bundle: true, format: 'esm', platform: 'node', conditions: ['tek-source'] })
  return outfile
}

const number = value => (value >= 1000 ? Math.round(value).toLocaleString('en-US') : value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2))

function describe(bench, results, rounds) {
  const tek = results.tek.value ?? null
  const floor = results.floor?.value ?? null
  const better = (left, right) => (bench.moreIsBetter ? left / right : right / left)
  const peers = Object.entries(results).filter(([name]) => name !== 'tek' && name !== 'floor')
  return {
    id: bench.id, title: bench.title, unit: bench.unit, n: rounds, tek, floor,
    floorRatio: tek !== null && floor !== null ? tek / floor : null,
    goal: bench.goal.text, met: tek === null ? null : bench.goal.met(tek, floor),
    peers: peers.filter(([, result]) => result.value !== undefined).map(([name, result]) => ({ name, value: result.value, ratio: tek === null ? null : tek / result.value, ahead: tek !== null && better(tek, result.value) < AHEAD })),
    skipped: Object.entries(results).filter(([, result]) => result.skipped !== undefined).map(([name, result]) => ({ name, why: result.skipped })),
  }
}

function tableOf(rows) {
  const head = ['', 'measured', 'unit', 'tek', 'peers (tek / peer)', 'floor (tek / floor)', 'goal', 'met', 'n']
  const lines = rows.map(row => [
    row.id, row.title, row.unit, row.tek === null ? '–' : number(row.tek),
    row.peers.map(peer => `${peer.name} ${number(peer.value)}${peer.ratio === null ? '' : ` (${number(peer.ratio)})`}`).join('; ') || '–',
    row.floor === null ? '–' : `${number(row.floor)}${row.floorRatio === null ? '' : ` (${number(row.floorRatio)})`}`,
    row.goal, row.met === null ? '–' : row.met ? 'yes' : 'NO', String(row.n),
  ])
  return [head, head.map(() => '---'), ...lines].map(cells => `| ${cells.join(' | ')} |`).join('\n')
}

function remarks(rows) {
  const ahead = rows.flatMap(row => row.peers.filter(peer => peer.ahead).map(peer => `- ${row.id}: ${peer.name} is ahead of tek: ${number(peer.value)} against ${number(row.tek)} ${row.unit}.`))
  const missed = rows.filter(row => row.met === false).map(row => `- ${row.id}: the goal (${row.goal}) is not met: ${number(row.tek)} ${row.unit}.`)
  const left = rows.flatMap(row => row.skipped.map(one => `- ${row.id}: ${one.name} was left out: ${one.why.split('\n')[0]}`))
  return [
    ...(ahead.length === 0 ? ['No peer was ahead of tek in this run.'] : ['Where a peer is ahead:', '', ...ahead]), '',
    ...(missed.length === 0 ? [] : ['Goals not met:', '', ...missed, '']),
    ...(left.length === 0 ? [] : ['Left out:', '', ...left, '']),
  ].join('\n')
}

/** The results that are kept, with the lines of some cases replaced by those of a report. */
function withLines(kept, report, ids, machine) {
  const idOf = line => /^(?:\| ([\w-]+) \||- ([\w-]+): )/.exec(line)?.slice(1).find(each => each !== undefined) ?? null
  const sections = text => text.trimEnd().split(/\n(?=Where a peer is ahead:|Goals not met:|Left out:|No peer was ahead)/)
  const headOf = section => section.split('\n')[0]
  const fresh = new Map(sections(report).slice(1).map(each => [headOf(each), each.split('\n').filter(line => idOf(line) !== null)]))
  const [table, ...remarks] = sections(kept)
  const newRows = report.split('\n').filter(line => line.startsWith('| ') && ids.includes(idOf(line)))
  const isStale = line => ids.includes(idOf(line)) || (line.startsWith('Measured apart') && line.includes(ids.join(', ')))
  const lines = table.trimEnd().split('\n').filter(line => !isStale(line))
  const apart = `Measured apart: ${ids.join(', ')}; ${machine}.`
  const from = lines.findIndex(line => line.startsWith('| '))
  const rows = [...lines.slice(from).filter(line => line.startsWith('| ')), ...newRows]
  const heads = [...new Set([...remarks.map(headOf), ...fresh.keys()])].filter(head => !head.startsWith('No peer'))
  const told = heads.map(head => [head, '', ...(remarks.find(each => headOf(each) === head)?.split('\n').filter(line => idOf(line) !== null && !isStale(line)) ?? []), ...(fresh.get(head) ?? []), ''].join('\n'))
  return `${[...lines.slice(0, from), apart, '', ...rows, '', ...told].join('\n').trimEnd()}\n`
}

async function main() {
  const options = parseArguments(process.argv.slice(2))
  if (options === null || options.help) {
    ;(options === null ? process.stderr : process.stdout).write(usage)
    return options === null ? 2 : 0
  }
  if (!existsSync(join(root, 'dist/tek.mjs'))) {
    process.stderr.write('tek is not built. Run: npm run build\n')
    return 1
  }
  const all = await Promise.all(readdirSync(join(here, 'cases')).filter(name => name.endsWith('.mjs')).sort().map(name => import(`./cases/${name}`)))
  const unknown = options.cases.filter(name => !all.some(bench => bench.id === name))
  if (unknown.length > 0) {
    process.stderr.write(`There is no case ${unknown.join(', ')}. The cases are ${all.map(bench => bench.id).join(', ')}.\n`)
    return 2
  }
  const folder = mkdtempSync(join(tmpdir(), 'tek-bench-'))
  const rows = []
  const loadBefore = loadavg()[0]
  try {
    const hostModule = await bundledHost(folder)
    for (const bench of all.filter(one => options.cases.length === 0 || options.cases.includes(one.id))) {
      process.stderr.write(`${bench.id}  ${bench.title} …\n`)
      const rounds = bench.rounds ?? options.rounds
      const results = await Promise.resolve(bench.contestants(contextFor(folder, hostModule))).then(contestants => race(contestants, rounds), problem => ({ tek: { skipped: problem.message } }))
      rows.push(describe(bench, results, rounds))
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  const busy = `${loadBefore.toFixed(1)} at the start, ${loadavg()[0].toFixed(1)} at the end`
  const machine = `${availableParallelism()} cores, Node ${process.versions.node}, ${process.platform} ${process.arch}; load ${busy}`
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ machine, rows }, null, 2)}\n`)
    return 0
  }
  const report = `# tek's benchmarks\n\nMachine: ${machine}. Medians of n interleaved rounds; ratios are of the same run. A load above the number of cores means that others were at work too: trust the ratios, not the times, and S9 not at all. Written by \`npm run bench -- --write\`.\n\n${tableOf(rows)}\n\n${remarks(rows)}`
  process.stdout.write(`${report}\n`)
  if (rows.some(row => row.tek === null)) { // R2
    process.stderr.write('tek itself could not be measured in some case; see "Left out".\n')
    return 1
  }
  const kept = join(here, 'results.md')
  if (options.write) writeFileSync(kept, options.cases.length > 0 && existsSync(kept) ? withLines(readFileSync(kept, 'utf8'), report, rows.map(each => each.id), machine) : `${report.trimEnd()}\n`)
  return 0
}

process.exitCode = await main()
