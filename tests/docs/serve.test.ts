// The page about serving is true: its programs are saved under the names it gives them, its commands are run in order, and what it shows is in what they print.
import { afterAll, expect, test } from 'vitest'
import { MAX_FILE_RUNS_A_MINUTE, MAX_CHANGED_NAMES, MAX_FOLLOW_UPS, MOST_QUIET_MS, QUIET_MS } from '#serve/file-trigger.ts'
import { MAX_TAKE_UPS, RETRY_MS } from '#serve/drives.ts'
import { NOTIFY_TIMEOUT_MS } from '#serve/announcer.ts'
import { MAX_WATCHED_FILES } from '#serve/watched-tree.ts'
import { MAX_BODY_BYTES, MAX_DELIVERIES } from '#serve/webhooks/webhook-server.ts'
import { TOLERANCE_MS } from '#serve/webhooks/signature.ts'
import { project } from '../e2e/binary.ts'
import { read } from '../tidy/source-tree.ts'
import { blocksOf, walkPage } from './walk-page.ts'

const page = read('docs/serve.md')
const blocks = blocksOf(page)
const names = [...page.matchAll(/[Ss]ave this as `([\w.]+)`/g)].map(each => each[1]!)
const folder = project(Object.fromEntries(blocks.filter(each => each.language === 'tek').map((each, index) => [names[index]!, each.text])))
afterAll(() => folder.remove())

test('each section does what it says', { timeout: 120_000 }, async () => {
  expect(await walkPage('serve', blocks, folder.path)).toBe(2)
})

test('the numbers it gives are those in the program', () => {
  expect([QUIET_MS, MOST_QUIET_MS, MAX_CHANGED_NAMES, MAX_FOLLOW_UPS, MAX_FILE_RUNS_A_MINUTE, MAX_WATCHED_FILES]).toEqual([100, 2_000, 1_000, 3, 6, 50_000])
  expect([MAX_BODY_BYTES, MAX_DELIVERIES, TOLERANCE_MS, NOTIFY_TIMEOUT_MS, RETRY_MS, MAX_TAKE_UPS]).toEqual([1024 * 1024, 1_000, 300_000, 30_000, 30_000, 20])
})
