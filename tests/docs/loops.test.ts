// docs/loops.md is true: its programs are clean, its commands print what it shows.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { nodeHost } from '#host/node-host.ts'
import { check } from '#tek.ts'
import { read } from '../tidy/source-tree.ts'
import { blocksOf, walkPage } from './walk-page.ts'

const folder = mkdtempSync(join(tmpdir(), 'tek-loops-page-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const blocks = blocksOf(read('docs/loops.md'))
const [tune, shorter] = blocks.filter(each => each.language === 'tek').map(each => each.text)
mkdirSync(join(folder, 'site'))
writeFileSync(join(folder, 'site/page.txt'), 'one two three four five six')
writeFileSync(join(folder, 'tune.tek'), tune!)
writeFileSync(join(folder, 'shorter.tek'), shorter!)

test.each(['tune.tek', 'shorter.tek'])('%s is clean', async name => {
  expect((await check(nodeHost({ cwd: folder }), name)).diagnostics).toEqual([])
})

test('what it shows is what is printed', async () => {
  expect(await walkPage('loops', blocks, folder)).toBe(6)
}, 120_000)
