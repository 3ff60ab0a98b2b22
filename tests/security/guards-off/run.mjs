// Takes one guard out at a time and looks whether an attack gets through that the guard had stopped.
//   node tests/security/guards-off/run.mjs [GUARD…] [--write]
// Owns: taking a guard out (in memory, while Vite loads the file), counting. Does not own: the guards (guards.mjs), the attacks (../attacks).
//   O1. First all attacks that are named run with every guard in place: they must all be stopped.
//   O2. A guard that nobody misses is an error: exit code 1.
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { guards } from './guards.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, '../../..')
const asked = process.argv.slice(2).filter(word => !word.startsWith('--'))
const chosen = guards.filter(each => asked.length === 0 || asked.includes(each.id))
const LIMIT_MS = 120_000
const ALL = 'all in place'

for (const { id, file, find } of chosen) {
  const times = readFileSync(join(root, file), 'utf8').split(find).length - 1
  if (times !== 1) throw new Error(`The guard "${id}" stands ${times} times in ${file}, not once: mend guards.mjs.`)
}

/** The attacks that are carried out with a guard off, and whether each was stopped. */
function carriedOut(id) {
  const child = spawn(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--config', join(here, 'vitest.config.mjs'), '--reporter=json'], {
    cwd: root, env: { ...process.env, TEK_GUARD_OFF: id === ALL ? '' : id }, stdio: ['ignore', 'pipe', 'ignore'], detached: true,
  })
  let text = ''
  child.stdout.on('data', part => { text += part })
  const timer = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), LIMIT_MS)
  return new Promise(done => child.on('close', () => {
    clearTimeout(timer)
    try {
      const { testResults } = JSON.parse(text.slice(text.indexOf('{"num')))
      const found = testResults.flatMap(each => each.assertionResults).map(each => ({ name: each.title, passed: each.status === 'passed' }))
      done({ found, errors: found.length === 0 ? 1 : 0 })
    } catch {
      done({ found: [], errors: 1 })
    }
  }))
}

const results = new Map()
for (const id of [ALL, ...chosen.map(each => each.id)]) {
  results.set(id, await carriedOut(id))
  process.stderr.write(`${id}: ${results.get(id).found.filter(each => !each.passed).length} got through\n`)
}
const control = results.get(ALL)
const wrong = []
if (control === undefined || control.errors > 0 || control.found.some(each => !each.passed)) {
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
const page = [
  '# Guards, one switched off at a time', '',
  `Written by \`npm run test:guards -- --write\`. Each of these ${chosen.length} checks was taken out, and the attacks beside it, which it stops, got through. With all of them in place none does.`, '',
  '| guard | file | what gets through without it |', '| --- | --- | --- |', ...lines, '',
].join('\n')
process.stdout.write(`${page}\n${wrong.length === 0 ? `${chosen.length} of ${chosen.length} guards are missed when they are gone.` : wrong.join('\n')}\n`)
if (process.argv.includes('--write') && wrong.length === 0 && asked.length === 0) writeFileSync(join(here, 'result.md'), page)
process.exit(wrong.length === 0 ? 0 : 1)
