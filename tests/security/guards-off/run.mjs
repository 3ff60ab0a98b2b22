// Takes one guard out at a time and looks whether an attack gets through that the guard had stopped.
//   node tests/security/guards-off/run.mjs [GUARD…] [--write]
// Owns: taking a guard out (in memory, while Vite loads the file), counting. Does not own: the guards (guards.mjs), the attacks (../attacks).
//   O1. First all attacks that are named run with every guard in place: they must all be stopped.
//   O2. A guard that nobody misses is an error: exit code 1.
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startVitest } from 'vitest/node'
import { guards } from './guards.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, '../../..')
const asked = process.argv.slice(2).filter(word => !word.startsWith('--'))
const chosen = guards.filter(each => asked.length === 0 || asked.includes(each.id))

for (const { id, file, find } of chosen) {
  const parts = readFileSync(join(root, file), 'utf8').split(find).length - 1
  if (parts !== 1) throw new Error(`The guard "${id}" stands ${parts} times in ${file}, not once: mend guards.mjs.`)
}

const project = (name, guard, attacks) => ({
  extends: join(root, 'vitest.config.ts'),
  plugins: guard === null ? [] : [{
    name: 'guard-off', enforce: 'pre',
    transform: (code, id) => (id.split('?')[0] === join(root, guard.file) ? code.replace(guard.find, () => guard.put) : null),
  }],
  test: { name, include: ['tests/security/guards-off/guard-off.test.ts'], provide: { attacks }, maxWorkers: 2 },
})

const vitest = await startVitest('test', [], {
  config: false, root, watch: false, reporters: [{}], passWithNoTests: false,
  projects: [project('all in place', null, [...new Set(chosen.flatMap(each => each.noticedBy))]), ...chosen.map(guard => project(guard.id, guard, guard.noticedBy))],
})
await vitest.close()

const results = new Map()
for (const module of vitest.state.getTestModules()) {
  const found = [...module.children.allTests()].map(each => ({ name: each.name, passed: each.result().state === 'passed' }))
  results.set(module.project.name, { found, errors: module.errors().length })
}
const control = results.get('all in place')
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
