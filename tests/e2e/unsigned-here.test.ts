// Unsigned here: `tek audit verify` of a log that somebody else has signed says so once, and what to do; `repo-health` without a sandbox goes on without history.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { project, tek } from './binary.ts'

const homes = [mkdtempSync(join(tmpdir(), 'tek-home-')), mkdtempSync(join(tmpdir(), 'tek-home-'))] as const
const folder = project({ 'a.tek': 'workflow a() -> string {\n  can fs.read("a.tek")\n  task text = fs.read("a.tek")\n  return "read"\n}\n' })
afterAll(() => {
  folder.remove()
  for (const home of homes) rmSync(home, { recursive: true, force: true })
})

test('what another key has signed is one line, and the next step is that key', async () => {
  const as = (home: string, ...words: string[]): ReturnType<typeof tek> => tek(words, { cwd: folder.path, env: { HOME: home } })
  for (let run = 0; run < 3; run++) expect((await as(homes[0], 'run', 'a.tek', '--quiet', '--allow-all')).code).toBe(0)
  expect((await as(homes[0], 'audit', 'verify')).code).toBe(0)
  const { code, out, err } = await as(homes[1], 'audit', 'verify')
  expect(code).toBe(1)
  expect(out.match(/signed by another key than yours/g)).toHaveLength(1)
  expect(out).toContain('3 entries, ')
  expect(out).toContain('Nothing in it is signed by a key that you trust')
  const key = /than yours: (\S+)/.exec(out)![1]!
  expect(err).toContain('tek audit verify --key KEY')
  expect((await as(homes[1], 'audit', 'verify', '--key', key)).code).toBe(0)
})

test('repo-health on a machine without a sandbox says so and judges by the files alone', async () => {
  const { code, out, err } = await tek(['run', 'repo-health'], { cwd: folder.path, env: { HOME: homes[0], TEK_SANDBOX: '1' } })
  expect([code, err.includes('permit/no-sandbox')]).toEqual([0, true])
  expect(out).toContain('report.html and report.md are written.')
  expect(readFileSync(join(folder.path, 'report.md'), 'utf8')).not.toBe('')
})
