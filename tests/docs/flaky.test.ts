// docs/flaky.md is true: its commands do what it shows, and its numbers are those of the library.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { machineLevel } from '#host/run-command.ts'
import { failureRate, runsFor } from '../../stdlib/tests/flakes.ts'
import { read } from '../tidy/source-tree.ts'
import { blocksOf, walkPage } from './walk-page.ts'

const folder = mkdtempSync(join(tmpdir(), 'tek-flaky-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const page = read('docs/flaky.md')
const { level } = await machineLevel()

test.skipIf(level < 2)('its commands', async () => {
  expect(await walkPage('flaky', blocksOf(page), folder)).toBe(2)
}, 120_000)

test('its numbers', () => {
  const bound = (runs: number): number => 100 * failureRate(0, runs, 0.95).atMost
  expect([Math.round(bound(3)), Math.round(bound(10)), Math.round(10 * bound(30)) / 10]).toEqual([63, 26, 9.5])
  for (const each of ['63 %', '26 %', '9.5 %']) expect(page).toContain(each)
  expect(runsFor(0.05, 0.95)).toBe(59)
  expect(page).toContain(`${runsFor(0.05, 0.95)}, is how many runs`)
})
