// The page about tests is true: its program and its cassette are saved under the names it gives them, its commands are run in order, and what it shows is in what they print.
import { spawnSync } from 'node:child_process'
import { afterAll, expect, test } from 'vitest'
import { KEPT_BEGINNING, MAX_CASSETTE_ANSWERS, MAX_CASSETTE_BYTES, MAX_KEPT_CHARACTERS } from '#model/cassette.ts'
import { project } from '../e2e/binary.ts'
import { problemsOf, validator } from '../history/schemas.ts'
import { read } from '../tidy/source-tree.ts'
import { blocksOf, walkPage } from './walk-page.ts'

const page = read('docs/testing.md')
const blocks = blocksOf(page)
const textOf = (language: string): string => blocks.find(each => each.language === language)!.text
const folder = project({ 'overview.tek': textOf('tek'), 'overview.cassette.json': textOf('json'), 'notes/plan.md': 'Ship the parser first, then the checker.\n' })
afterAll(() => folder.remove())

test('each section does what it says', { timeout: 120_000 }, async () => {
  expect(await walkPage('testing', blocks, folder.path)).toBe(5)
})

test('its server of models answers as it says', { timeout: 120_000 }, () => {
  const entry = new URL('../../dist/testing.mjs', import.meta.url).href
  const ended = spawnSync(process.execPath, ['--input-type=module', '-e', textOf('js').replace("'tek-lang/testing'", JSON.stringify(entry))], { encoding: 'utf8' })
  expect([ended.stderr, ended.stdout]).toEqual(['', '529 You said: hello\n{ up: true } 2\n'])
  for (const line of ended.stdout.trim().split('\n')) expect(page).toContain(`\`${line}\``)
})

test('its cassette is of the published schema', () => {
  expect(problemsOf(validator('cassette'), JSON.parse(textOf('json')))).toEqual([])
})

test('the numbers it gives are those in the program', () => {
  expect([MAX_KEPT_CHARACTERS, KEPT_BEGINNING, MAX_CASSETTE_ANSWERS, MAX_CASSETTE_BYTES]).toEqual([4_000, 1_000, 100_000, 32 * 1_024 * 1_024])
})
