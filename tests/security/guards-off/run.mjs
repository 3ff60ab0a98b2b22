// Takes one guard out at a time and looks whether an attack gets through that the guard had stopped, or a test fails that needs it.
//   node tests/security/guards-off/run.mjs [GUARD…] [--write]
// Owns: taking a guard out (for attacks in memory, while Vite loads the file; for tests in a copy of this tree), counting. Does not own: the guards
// (guards.mjs, agent-guards.mjs), the attacks (../attacks), the tests.
//   O1. First all attacks and tests that are named run with every guard in place: the attacks must all be stopped, the tests all pass.
//   O2. A guard that nobody misses is an error: exit code 1.
//   O3. With guards named, `--write` writes their rows anew and leaves the others as they are.
//   O4. A test that runs the built command runs one that was built without the guard.
import { spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { agentGuards } from './agent-guards.mjs'
import { guards } from './guards.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, '../../..')
const asked = process.argv.slice(2).filter(word => !word.startsWith('--'))
const isAsked = each => asked.length === 0 || asked.includes(each.id)
const chosen = guards.filter(isAsked)
const chosenOfTests = agentGuards.filter(isAsked)
const LIMIT_MS = 120_000
const TEST_LIMIT_MS = 600_000
const ALL = 'all in place'

for (const { id, file, find } of [...chosen, ...chosenOfTests]) {
  const times = readFileSync(join(root, file), 'utf8').split(find).length - 1
  if (times !== 1) throw new Error(`The guard "${id}" stands ${times} times in ${file}, not once: mend the list.`)
}

/** What Vitest found, started in a folder: each test, and whether it passed; null where nothing could be run. */
function tested(cwd, args, env, limitMs) {
  const child = spawn(process.execPath, [join(cwd, 'node_modules/vitest/vitest.mjs'), 'run', ...args, '--reporter=json'], { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'ignore'], detached: true })
  let text = ''
  child.stdout.on('data', part => { text += part })
  const timer = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), limitMs)
  return new Promise(done => child.on('close', () => {
    clearTimeout(timer)
    try {
      const { testResults } = JSON.parse(text.slice(text.indexOf('{"num')))
      const found = testResults.flatMap(each => each.assertionResults).filter(each => ['passed', 'failed'].includes(each.status))
      done(found.length === 0 ? null : found.map(each => ({ name: each.fullName, passed: each.status === 'passed' })))
    } catch {
      done(null)
    }
  }))
}

/** The attacks that are carried out with a guard off, and whether each was stopped. */
async function carriedOut(id) {
  const found = await tested(root, ['--config', join(here, 'vitest.config.mjs')], { TEK_GUARD_OFF: id === ALL ? '' : id }, LIMIT_MS)
  return { found: found ?? [], errors: found === null ? 1 : 0 }
}

const results = new Map()
for (const id of chosen.length === 0 ? [] : [ALL, ...chosen.map(each => each.id)]) {
  results.set(id, await carriedOut(id))
  process.stderr.write(`${id}: ${results.get(id).found.filter(each => !each.passed).length} got through\n`)
}
const control = results.get(ALL)
const wrong = []
if (chosen.length > 0 && (control.errors > 0 || control.found.some(each => !each.passed))) {
  wrong.push(`With all guards in place: ${control?.found.filter(each => !each.passed).map(each => each.name).join(', ') || 'the attacks could not be carried out'}.`)
}
const lines = []
for (const { id, file, noticedBy } of chosen) {
  const { found = [], errors = 0 } = results.get(id) ?? {}
  const through = found.filter(each => !each.passed).map(each => each.name)
  if (found.length !== noticedBy.length && errors === 0) wrong.push(`${id}: of ${noticedBy.length} attacks ${found.length} were found.`)
  if (through.length === 0 && errors === 0) wrong.push(`${id}: nobody misses it.`)
  if (errors > 0) wrong.push(`${id}: the tests could not be loaded without it.`)
  lines.push(`| ${id} | \`${file}\` | ${through.join('; ')} |`)
}
const testLines = chosenOfTests.length === 0 ? [] : await missedByTests()
const count = chosen.length + chosenOfTests.length
const pagePath = join(here, 'result.md')
const written = readFileSync(pagePath, 'utf8').split('\n').filter(line => line.startsWith('| '))
/** The rows of a list, in its order: as they came now, else as they stand. // O3 */
const rowsOf = (list, now) => list.flatMap(({ id }) => [...now, ...written].find(line => line.startsWith(`| ${id} | `)) ?? [])
const [rows, testRows] = [rowsOf(guards, lines), rowsOf(agentGuards, testLines)]
const page = [
  '# Guards, one switched off at a time', '',
  `Written by \`npm run test:guards -- --write\`. Each of these ${rows.length} checks was taken out, and the attacks beside it, which it stops, got through. With all of them in place none does.`, '',
  '| guard | file | what gets through without it |', '| --- | --- | --- |', ...rows, '',
  '## Models, agents, plans, servers of tools, tests, webhooks', '',
  `Each of these ${testRows.length} was taken out of a copy of this tree, and the tests beside it failed. With all of them in place they pass.`, '',
  '| guard | file | what fails without it |', '| --- | --- | --- |', ...testRows, '',
].join('\n')
process.stdout.write(`${[...lines, ...testLines].join('\n')}\n${wrong.length === 0 ? `${count} of ${count} guards are missed when they are gone.` : wrong.join('\n')}\n`)
if (process.argv.includes('--write') && wrong.length === 0) writeFileSync(pagePath, page)
process.exit(wrong.length === 0 ? 0 : 1)

/** The rows of guards that tests miss. // O4 */
async function missedByTests() {
  const copy = mkdtempSync(join(tmpdir(), 'tek-guards-off-'))
  process.on('exit', () => rmSync(copy, { recursive: true, force: true }))
  process.on('SIGINT', () => process.exit(130))
  cpSync(root, copy, { recursive: true, filter: path => !['node_modules', 'dist', '.git', '.tek'].includes(path.slice(root.length + 1).split('/')[0]) })
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  const build = () => spawnSync(process.execPath, ['build.mjs'], { cwd: copy, stdio: 'ignore' }).status === 0
  const run = ({ test, named }) => tested(copy, [test, '-t', named.map(each => each.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|')], {}, TEST_LIMIT_MS)
  const said = []
  let isWhole = false
  const passing = new Set() // tests that were seen to pass with everything in place
  for (const guard of chosenOfTests) {
    const { id, file, find, put, test, named, isBuilt } = guard
    if (isBuilt && !isWhole && !(isWhole = build())) throw new Error('The copy could not be built.')
    const key = JSON.stringify([test, named])
    if (!passing.has(key)) {
      const found = await run(guard)
      if (found === null || found.length < named.length || found.some(each => !each.passed)) wrong.push(`${id}: with all guards in place: ${found === null ? `${test} could not be run` : found.map(each => `${each.name}: ${each.passed}`).join('; ')}.`)
      else passing.add(key)
    }
    const path = join(copy, file)
    const before = readFileSync(path, 'utf8')
    writeFileSync(path, before.replace(find, () => put))
    const isReady = !isBuilt || build()
    if (isBuilt) isWhole = false
    const found = isReady ? await run(guard) : null
    writeFileSync(path, before)
    const failed = found?.filter(each => !each.passed).map(each => each.name) ?? []
    if (found === null) wrong.push(`${id}: ${isReady ? 'the tests could not be run' : 'nothing could be built'} without it.`)
    else if (failed.length === 0) wrong.push(`${id}: nobody misses it.`)
    process.stderr.write(`${id}: ${failed.length} of ${found?.length ?? 0} tests failed\n`)
    said.push(`| ${id} | \`${file}\` | \`${test}\`: ${failed.join('; ')} |`)
  }
  return said
}
