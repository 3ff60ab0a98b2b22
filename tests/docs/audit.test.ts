// The page about the audit log is true: its program and its commands are run, and what it shows is what comes.
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import BetterSqlite from 'better-sqlite3'
import { afterAll, expect, test } from 'vitest'
import type { AuditEntryShown } from '#model/report.ts'
import { project, tek } from '../e2e/binary.ts'
import { read } from '../tidy/source-tree.ts'

const page = read('docs/audit.md')
const blocks = (language: string): string[] => [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(each => each[1]!)
const folder = project({ 'copy.tek': blocks('tek')[0]!, 'in.txt': 'text' })
const home = join(tmpdir(), `tek-audit-home-${process.pid}`)
const run = (...words: string[]): ReturnType<typeof tek> => tek(words, { cwd: folder.path, env: { HOME: home } })
afterAll(() => folder.remove())

test('the commands of the page do what it says', async () => {
  let shown = ''
  for (const line of blocks('sh')[0]!.trim().split('\n')) {
    const { code, out, err } = await run(...line.split(' ').slice(1))
    expect(code, `${line}: ${err}`).toBe(0)
    if (line.startsWith('tek audit show')) shown = out
  }
  const lines = shown.trim().split('\n').map(each => each.trim().split(/ {2,}/).slice(-3).join('  '))
  for (const expected of blocks('text')[0]!.trim().split('\n')) expect(lines.some(each => each.endsWith(expected.split(/ {2,}/).join('  '))), `${expected} in\n${shown}`).toBe(true)
})

test('verify: signed and remembered; an edited entry is named, with exit code 1', async () => {
  const whole = await run('audit', 'verify')
  expect(whole.code).toBe(0)
  expect(whole.out).toMatch(/Signed up to entry \d+; remembered up to entry \d+ in .*heads/)
  const shown = await run('show', 'last')
  expect(shown.out).toMatch(/audit log: \d+ entries, \d+ to \d+ \(tek audit show [0-9a-f]{8}\)/)
  const db = new BetterSqlite(join(folder.path, '.tek', 'tek.db'))
  const sql = db.prepare("select sql from sqlite_master where name = 'audit_no_update'").pluck().get() as string
  db.exec("drop trigger audit_no_update; update audit set body = replace(body, 'out.txt', 'own.txt') where seq = (select min(seq) from audit where body like '%out.txt%')")
  db.exec(sql)
  db.close()
  const broken = await run('audit', 'verify')
  expect(broken.code).toBe(1)
  expect(broken.err).toContain('audit/broken')
  expect(broken.out).toMatch(/Entry \d+ is not what was written there/)
  expect(JSON.parse((await run('audit', 'verify', '--json')).out)).toMatchObject({ ok: false, problems: [{ kind: 'changed' }] })
})

test('show: refusals alone, as JSON; mistakes on the command line', async () => {
  folder.write('refused.tek', 'workflow refused(name: path) -> string {\n  can fs.read("*.txt")\n\n  task a = fs.read(name)\n\n  return a\n}\n')
  expect((await run('run', 'refused.tek', '--allow-all', '--name', 'sub/text')).err).toContain('permit/denied')
  const { entries, total } = JSON.parse((await run('audit', 'show', '--refused', '--json')).out) as { entries: AuditEntryShown[]; total: number }
  expect(total).toBe(1)
  expect(entries).toMatchObject([{ verdict: 'refused', task: 'a', call: 'fs.read', what: 'fs.read("sub/text")' }])
  expect((await run('audit', 'look')).err).toContain('cli/bad-value')
  expect((await run('audit', 'verify', 'last')).err).toContain('cli/too-many-arguments')
  expect((await run('audit', 'show', 'zzz')).err).toContain('cli/unknown-run')
  const empty = project({})
  expect((await tek(['audit', 'verify'], { cwd: empty.path })).err).toContain('audit/no-log')
  expect((await tek(['audit', 'show'], { cwd: empty.path })).code).toBe(0)
  empty.remove()
})
