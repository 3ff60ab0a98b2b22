// The page about serving is true: its programs are saved under the names it gives them, its commands are run in order, and what it shows is in what they print.
import { spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { MAX_FILE_RUNS_A_MINUTE, MAX_CHANGED_NAMES, MAX_FOLLOW_UPS, MOST_QUIET_MS, QUIET_MS } from '#serve/file-trigger.ts'
import { MAX_TAKE_UPS, RETRY_MS } from '#serve/drives.ts'
import { NOTIFY_TIMEOUT_MS } from '#serve/announcer.ts'
import { MAX_WATCHED_FILES } from '#serve/watched-tree.ts'
import { MAX_BODY_BYTES, MAX_DELIVERIES } from '#serve/webhooks/webhook-server.ts'
import { TOLERANCE_MS } from '#serve/webhooks/signature.ts'
import { binary, project } from '../e2e/binary.ts'
import { read } from '../tidy/source-tree.ts'

const page = read('docs/serve.md')
const blocks = [...page.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(each => ({ language: each[1]!, text: each[2]! }))
const names = [...page.matchAll(/[Ss]ave this as `([\w.]+)`/g)].map(each => each[1]!)
const folder = project(Object.fromEntries(blocks.filter(each => each.language === 'tek').map((each, index) => [names[index]!, each.text])))
afterAll(() => folder.remove())

function shell(commands: string): Promise<{ code: number | null; out: string }> {
  const env = { PATH: process.env['PATH'] ?? '', HOME: join(tmpdir(), `tek-serve-home-${process.pid}`), NODE: process.execPath, TEK: binary }
  const child = spawn('sh', ['-e', '-c', `tek() { "$NODE" "$TEK" "$@"; }\n${commands}`], { cwd: folder.path, env })
  let out = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => void (out += text))
  return new Promise(resolve => child.on('close', code => resolve({ code, out })))
}

test('each section does what it says', { timeout: 120_000 }, async () => {
  let printed = ''
  let sections = 0
  for (const { language, text } of blocks) {
    if (language === 'sh') {
      const { code, out } = await shell(text)
      expect(code, `${text}\n${out}`).toBe(0)
      printed = out
    }
    if (language !== 'text') continue
    sections++
    for (const line of text.trim().split('\n')) expect(printed.replaceAll(/ +/g, ' '), `${line}, in\n${printed}`).toContain(line.replaceAll(/ +/g, ' '))
  }
  expect(sections).toBe(2)
})

test('the numbers it gives are those in the program', () => {
  expect([QUIET_MS, MOST_QUIET_MS, MAX_CHANGED_NAMES, MAX_FOLLOW_UPS, MAX_FILE_RUNS_A_MINUTE, MAX_WATCHED_FILES]).toEqual([100, 2_000, 1_000, 3, 6, 50_000])
  expect([MAX_BODY_BYTES, MAX_DELIVERIES, TOLERANCE_MS, NOTIFY_TIMEOUT_MS, RETRY_MS, MAX_TAKE_UPS]).toEqual([1024 * 1024, 1_000, 300_000, 30_000, 30_000, 20])
})
