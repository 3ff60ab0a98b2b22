// The page about recorded runs is true: its program is saved, its commands are run in order by a shell, and what each section shows is in what they print.
import { readdirSync } from 'node:fs'
import { afterAll, expect, test } from 'vitest'
import { project } from '../e2e/binary.ts'
import { read } from '../tidy/source-tree.ts'
import { blocksOf, walkPage } from './walk-page.ts'

const page = read('docs/history.md')
const blocks = blocksOf(page)
const folder = project({ 'words.tek': blocks.find(each => each.language === 'tek')!.text })
afterAll(() => folder.remove())

test('each section does what it says', { timeout: 120_000 }, async () => {
  expect(await walkPage('history', blocks, folder.path)).toBe(7)
  expect(readdirSync(folder.path).sort()).toEqual(['notes', 'words.tek'])
})
