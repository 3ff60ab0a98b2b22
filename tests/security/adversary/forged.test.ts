// Forged: files that somebody else wrote and tek is made to believe: a compiled plan, a kept result, the name of a file.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Plan } from '#model/plan.ts'
import { hashPlan } from '#types/plan-json.ts'
import { tek } from '../../cli/command-line.ts'
import { parseStatus } from '../../../stdlib/git/changes.ts'
import { parseLog } from '../../../stdlib/git/history.ts'

let folder: string
beforeEach(() => void (folder = realpathSync(mkdtempSync(join(tmpdir(), 'tek-adversary-')))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const put = (name: string, text: string): void => {
  mkdirSync(join(folder, name, '..'), { recursive: true })
  writeFileSync(join(folder, name), text)
}
const run = (...words: string[]) => tek(['run', ...words], { cwd: folder })
const git = (...words: string[]): string => execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.org', ...words], { cwd: folder, encoding: 'utf8' })
const has = (program: string): boolean => ['/usr/bin', '/bin', '/usr/local/bin'].some(each => { try { return readFileSync(join(each, program)).length > 0 } catch { return false } })

describe('a compiled plan', () => {
  test('what it says comes with a grant of the standard library is not believed', async () => {
    put('a.tek', 'workflow w() -> int {\n  can git.read(".")\n  task log = git.log(3)\n  return len(log)\n}\n')
    put('kept.txt', 'private')
    await tek(['compile', 'a.tek', '-o', 'plan.json'], { cwd: folder })
    const plan = JSON.parse(readFileSync(join(folder, 'plan.json'), 'utf8')) as { -readonly [Part in keyof Plan]: any }
    const workflow = Object.values(plan.workflows)[0] as any
    workflow.authority[0].implies = [{ name: 'fs.read', args: ['kept.txt'] }]
    workflow.nodes[0].type = workflow.result = { kind: 'any' }
    workflow.nodes[0].body.value = {
      op: 'call', module: 'fs', fn: 'read', effect: 'read', runs: 'host', args: { path: { op: 'value', value: 'kept.txt' } }, needs: [{ grant: 'git.read', args: [{ literal: '.' }] }],
    }
    workflow.returns = { op: 'node', index: 0 }
    plan.modules.push({ ...plan.modules[0], name: 'fs', source: 'fs' })
    plan.hash = hashPlan(plan as Plan)
    put('plan.json', JSON.stringify(plan))
    const seen = await run('plan.json', '--allow', 'git.read(".")')
    expect(seen.err).toContain('permit/denied')
    expect(seen.out).not.toContain('private')
  })
})

describe('a compiled plan whose question says one thing and whose call does another', () => {
  const program = `model m = openai("m", baseUrl: "http://127.0.0.1:9/v1")
agent a {
  model m
  can fs.write("out/**")
  tools fs.write, note
  approve fs.write, note
}
workflow note(what: string) -> string {
  return what
}
workflow main() -> string {
  can fs.write("out/**")
  task said by a -> string = prompt "Write."
  return said
}
`
  const node = (plan: any, tool: string): any => plan.workflows[`@asked:a/${tool}`].nodes[0]
  const forgeries: readonly (readonly [what: string, forge: (plan: any) => void])[] = [
    ['another call', plan => { node(plan, 'fs_write').body.value.fn = 'append' }],
    ['another argument', plan => { node(plan, 'fs_write').body.value.args.path = { op: 'value', value: 'out/other' } }],
    ['fewer needs', plan => { node(plan, 'fs_write').body.value.needs = [] }],
    ['another workflow', plan => { node(plan, 'note').body.workflow = 'main' }],
    ['a question without the text', plan => { node(plan, 'fs_write').approve.parts[1].entries.pop() }],
    ['a question that shows a constant', plan => { node(plan, 'fs_write').approve.parts[1].entries[1].value = { op: 'value', value: 'harmless' } }],
    ['a question of other words', plan => { node(plan, 'fs_write').approve.parts[0] = 'May a look at out/? It asks to read with ' }],
    ['a question that names another tool', plan => { node(plan, 'fs_write').approve.parts[0] = 'a asks to call fs.read with ' }],
    ['words after it', plan => { node(plan, 'fs_write').approve.parts.push(' (checked by tek)') }],
    ['no question for some', plan => { node(plan, 'fs_write').when = { op: 'value', value: false } }],
  ]

  test.each(forgeries)('is refused: %s', async (_, forge) => {
    put('a.tek', program)
    expect((await tek(['compile', 'a.tek', '-o', 'plan.json'], { cwd: folder })).code).toBe(0)
    const plan = JSON.parse(readFileSync(join(folder, 'plan.json'), 'utf8'))
    expect((await tek(['plan', 'plan.json'], { cwd: folder })).code).toBe(0)
    forge(plan)
    plan.hash = hashPlan(plan as Plan)
    put('plan.json', JSON.stringify(plan))
    expect((await tek(['plan', 'plan.json'], { cwd: folder })).err).toContain('plan/damaged')
  })
})

describe('a kept result', () => {
  test('of another type is made again, and checked', async () => {
    const program = (type: string): string => `workflow w() -> string {\n  can fs.read("in.txt")\n  task text -> ${type} cache 1d = trim(fs.read("in.txt"))\n  return text\n}\n`
    put('in.txt', '--upload-pack=sh')
    put('a.tek', program('string'))
    expect((await run('a.tek', '--allow-all')).code).toBe(0)
    put('a.tek', program('string(matches: r"^[a-z]+$", max: 20)'))
    const seen = await run('a.tek', '--allow-all')
    expect(seen.err).toContain('run/wrong-type')
    expect(seen.out).toBe('')
  })
})

describe('the name of a file', () => {
  test('that begins with `-` is no option: fs.list', async () => {
    put('--upload-pack=sh', '')
    put('a.tek', 'workflow w() -> path[] {\n  can fs.read("**")\n  task found = fs.list(".")\n  return [each.path for each in found]\n}\n')
    expect((await run('a.tek', '--allow-all', '--quiet')).out).toContain('"./--upload-pack=sh"')
  })

  test.skipIf(!has('git'))('a branch with such a name, which git itself would not make, is left out (needs git)', async () => {
    git('init', '-q', '-b', 'main')
    git('commit', '-q', '--allow-empty', '-m', 'x')
    git('update-ref', 'refs/heads/--upload-pack=sh', 'HEAD')
    put('a.tek', 'workflow w() -> string[] {\n  can git.read(".")\n  task found = git.branches()\n  return [each.name for each in found]\n}\n')
    expect(JSON.parse((await run('a.tek', '--allow-all', '--quiet', '--no-journal')).out)).toEqual(['main'])
  })

  test('git.status, git.log', () => {
    expect(parseStatus('? --exec=sh\0').map(each => each.path)).toEqual(['./--exec=sh'])
    expect(parseStatus('1 .M N... 100644 100644 100644 a b -x\0').map(each => each.path)).toEqual(['./-x'])
    expect(parseStatus('2 R. N... 100644 100644 100644 a b R100 -new\0-old\0')).toMatchObject([{ path: './-new', from: './-old' }])
    expect(parseLog(['a'.repeat(40), 'n', 'e', '0', '', 'm', '', '1\t2\t-x', ''].join('\0'))[0]?.files).toEqual([{ path: './-x', added: 1, removed: 2 }])
  })
})

describe.skipIf(!has('bwrap') || !has('git'))('a file named `.git` (needs bubblewrap, git)', () => {
  const script = (text: string): string => `workflow w() -> string {\n  can fs.read("**"), fs.write("**"), exec("sh", "-c", "**")\n  task done timeout 20s = shell.run("sh", "-c", "${text}")\n  return done.stderr\n}\n`

  test('of a working tree stays what it is', async () => {
    git('init', '-q', 'main')
    git('-C', 'main', 'commit', '-q', '--allow-empty', '-m', 'x')
    git('-C', 'main', 'worktree', 'add', '-q', '../tree')
    const before = readFileSync(join(folder, 'tree/.git'), 'utf8')
    put('tree/a.tek', script('echo gitdir: evil > .git; rm -f .git; mv .git other'))
    const seen = await tek(['run', 'a.tek', '--allow-all', '--no-journal'], { cwd: join(folder, 'tree') })
    expect(seen.out).toContain('.git')
    expect(readFileSync(join(folder, 'tree/.git'), 'utf8')).toBe(before)
  })

  test('where there was none is taken away again', async () => {
    put('a.tek', script('mkdir evil; echo gitdir: evil > .git'))
    const seen = await run('a.tek', '--allow-all', '--no-journal')
    expect(seen.err).toContain('permit/denied')
    expect(() => readFileSync(join(folder, '.git'))).toThrow()
  })
})

test('a link in the place of the permits file is not followed', async () => {
  put('elsewhere.yaml', 'version: 1\nprograms:\n  a.tek:\n    may:\n      - fs.read("in.txt")\n')
  put('in.txt', 'x')
  symlinkSync('elsewhere.yaml', join(folder, 'tek.permits.yaml'))
  put('a.tek', 'workflow w() -> int {\n  can fs.read("in.txt")\n  task text = fs.read("in.txt")\n  return len(text)\n}\n')
  expect(await run('a.tek')).toMatchObject({ code: 4, err: expect.stringContaining('permit/bad-file') })
})
