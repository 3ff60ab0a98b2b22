// Permits as a person meets them: the built command on a real terminal, and without one.
import { existsSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { machineLevel } from '#host/run-command.ts'
import { type Ended, project, tek } from './binary.ts'
import { hasTerminal, onTerminalIn } from './terminal.ts'

const reads = (...grants: string[]): string => `workflow w(root: path = "src") -> int {\n  can ${['fs.read("${root}/**")', ...grants].join(', ')}\n  task files = fs.glob("\${root}/**")\n  return len(files)\n}\n`
const folder = project({ 'src/a.txt': 'a', 'lib/b.txt': 'b', 'lib/c.txt': 'c' })
afterAll(() => folder.remove())
const permits = (): string => readFileSync(join(folder.path, 'tek.permits.yaml'), 'utf8')
const run = (...words: string[]): Promise<Ended> => tek(words, { cwd: folder.path, asWritten: true })
beforeEach(() => {
  rmSync(join(folder.path, 'tek.permits.yaml'), { force: true })
  folder.write('flow.tek', reads())
})

const onTerminal = (words: readonly string[], ...answers: string[]): ReturnType<typeof onTerminalIn> => onTerminalIn(folder.path, words, answers)

describe.skipIf(!hasTerminal)('on a terminal (needs `script`)', () => {
  test('the first run asks once and records; the next does not ask; another value of a parameter asks for the difference', async () => {
    const first = await onTerminal(['run', 'flow.tek'], 'd\n', 'y\n')
    expect(first.shown).toContain('flow.tek asks to\n    read      src/**\nAllow it?')
    expect(first.shown).toContain('    can fs.read("src/**")\n')
    expect([first.code, first.asked]).toEqual([0, 2])
    expect(permits()).toMatch(/^# What the programs[^]*version: 1\nprograms:\n {2}flow.tek:\n {4}may:\n {6}- fs.read\("src\/\*\*"\)\n {4}granted: \d{4}-\d\d-\d\d\n$/)
    expect(await onTerminal(['run', 'flow.tek'])).toMatchObject({ code: 0, asked: 0 })
    expect((await run('run', 'flow.tek', '--quiet')).out).toBe('1\n')
    const audit = (await run('audit', 'show')).out
    expect(audit).toMatch(/by question +fs\.read\("src\/\*\*"\)/)
    expect(audit).toMatch(/by file +fs\.read\("src\/\*\*"\)/)
    const other = await onTerminal(['run', 'flow.tek', '--root', 'lib', '--expires', '30d'], 'y\n')
    expect(other.shown).toContain('flow.tek asks for more than it was allowed here, to\n  + read      lib/**\nAllow it?')
    expect(other.shown).not.toContain('src/**')
    expect(permits()).toMatch(/- fs.read\("lib\/\*\*"\)\n {6}- fs.read\("src\/\*\*"\)\n[^]*expires: /)
  })

  test('a later program that asks for more shows what is new and what it no longer uses', async () => {
    folder.write('flow.tek', 'workflow w() -> int {\n  can fs.read("src/a.txt"), env("HOME")\n  task text = fs.read("src/a.txt")\n  return len(text)\n}\n')
    await onTerminal(['run', 'flow.tek'], 'y\n')
    folder.write('flow.tek', 'workflow w() -> int {\n  can fs.read("src/a.txt"), exec("sh", "**")\n  task text = fs.read("src/a.txt")\n  return len(text)\n}\n')
    const { shown, code } = await onTerminal(['run', 'flow.tek'], 'y\n')
    const mark = (await machineLevel()).level >= 2 ? 'confined to what is granted here' : '! can run any code, with all your rights'
    expect(shown).toContain(`  + run       sh **   ${mark}\nand has no more use for\n  - know      the environment variable HOME\n`)
    expect(code).toBe(0)
    expect(permits()).not.toContain('HOME')
  })

  test.each([['n', 'n\n'], ['an empty line', '\n'], ['Ctrl-C', '\u0003'], ['the end of input', '\u0004']])('%s: it is not run, nothing is recorded, exit code 4', async (_, answer) => {
    const { code, shown } = await onTerminal(['run', 'flow.tek'], answer)
    expect(shown).toContain('error permit/not-given: `flow.tek` was not run')
    expect(code).toBe(4)
    expect(existsSync(join(folder.path, 'tek.permits.yaml'))).toBe(false)
  })

  test('a permits file that came with the folder is shown once before it counts', async () => {
    folder.write('flow.tek', reads('env("TERM")'))
    folder.write('tek.permits.yaml', 'version: 1\nprograms:\n  flow.tek:\n    may:\n      - fs.read("src/**")\n      - env("TERM")\n    granted: 2026-01-01\n')
    expect((await run('run', 'flow.tek', '--quiet')).out).toBe('1\n')
    const home = project({})
    const atHome = (...answers: string[]): ReturnType<typeof onTerminalIn> => onTerminalIn(folder.path, ['run', 'flow.tek'], answers, { HOME: home.path })
    expect((await atHome('n\n')).shown).toContain('came with this folder allows it; you have not')
    expect(await atHome('y\n')).toMatchObject({ code: 0, asked: 1 })
    expect(await atHome()).toMatchObject({ code: 0, asked: 0 })
    home.remove()
  })

  test('o: it is run, and the next run asks again', async () => {
    expect(await onTerminal(['run', 'flow.tek'], 'o\n')).toMatchObject({ code: 0, asked: 1 })
    expect(await onTerminal(['run', 'flow.tek'], 'n\n')).toMatchObject({ code: 4, asked: 1 })
  })
})

describe('without a terminal', () => {
  test('what is not permitted is an error with exit code 4 and the flags that would allow it, which do', async () => {
    const refused = await run('run', 'flow.tek')
    expect(refused.err).toContain('error permit/needed: `flow.tek` asks for what nobody has allowed it here: `fs.read("src/**")`.')
    expect(refused.err).toContain(`--allow 'fs.read("src/**")'`)
    expect([refused.code, refused.out]).toEqual([4, ''])
    expect((await run('run', 'flow.tek', '--allow', 'fs.read("src/**")', '--quiet')).out).toBe('1\n')
    expect((await run('run', 'flow.tek', '--allow-all', '--quiet')).out).toBe('1\n')
    expect((await run('run', 'flow.tek', '--allow', 'fs.read("lib/**")')).code).toBe(4)
    expect((await run('run', 'flow.tek', '--allow', 'fs.read(src)')).err).toContain('error permit/unknown-grant')
    expect((await run('run', 'flow.tek', '--expires', 'soon')).err).toContain('error cli/bad-value')
    expect(existsSync(join(folder.path, 'tek.permits.yaml'))).toBe(false)
    const json = JSON.parse((await run('run', 'flow.tek', '--json')).out) as { diagnostics: { code: string }[] }
    expect(json.diagnostics[0]?.code).toBe('permit/needed')
  })

  test('tests: every file that lacks a permit is told at once, with one command for all of them, and none is run', async () => {
    const testing = (file: string): string => `workflow w() -> int {\n  can fs.read("${file}")\n  task text = fs.read("${file}")\n  return len(text)\n}\n\ntest "of ${file}" {\n  let n = w()\n  expect n > 0\n}\n`
    folder.write('t/a.tek', testing('src/a.txt'))
    folder.write('t/b.tek', testing('lib/b.txt'))
    folder.write('t/pure.tek', 'workflow w() -> int { return 1 }\n\ntest "pure" {\n  let n = w()\n  expect n == 1\n}\n')
    const refused = await run('test', 't')
    expect([refused.code, refused.out]).toEqual([4, ''])
    expect(refused.err.match(/error permit\/needed: `t\/[ab]\.tek`/g)).toHaveLength(2)
    expect(refused.err.match(/= help: All of them this time/g)).toHaveLength(1)
    const flags = /`tek test` with (.*); `--allow-all`/.exec(refused.err.replace(/\s+/g, ' '))![1]!
    expect(flags).toBe(`--allow 'fs.read("src/a.txt")' --allow 'fs.read("lib/b.txt")'`)
    const allowed = await run('test', 't', '--allow', 'fs.read("src/a.txt")', '--allow', 'fs.read("lib/b.txt")')
    expect([allowed.code, allowed.err]).toEqual([0, '3 of 3 tests passed\n'])
    const one = await run('test', 't', '--allow', 'fs.read("src/a.txt")')
    expect([one.code, one.err.match(/permit\/needed:/g)]).toEqual([4, ['permit/needed:']])
    const json = JSON.parse((await run('test', 't', '--json')).out) as { diagnostics: { code: string }[] }
    expect(json.diagnostics.map(each => each.code)).toEqual(['permit/needed', 'permit/needed'])
  })

  test('a permit is for that value of a parameter; a compiled plan and standard input are asked like files; a program that asks nothing is not', async () => {
    folder.write('tek.permits.yaml', 'version: 1\nprograms:\n  flow.tek: { may: [ fs.read("src/**") ] }\n')
    expect((await run('run', 'flow.tek', '--quiet')).out).toBe('1\n')
    expect((await run('run', './src/../flow.tek', '--quiet')).out).toBe('1\n')
    expect((await run('run', 'flow.tek', '--root', 'lib')).code).toBe(4)
    await run('compile', 'flow.tek', '--out', 'plan.json')
    expect((await run('run', 'plan.json')).err).toContain('`plan.json` asks for')
    const piped = await tek(['run', '-'], { cwd: folder.path, stdin: reads(), asWritten: true })
    expect(piped.err).toMatch(/permit\/needed[^]*from standard input has no name/)
    folder.write('pure.tek', 'workflow w() -> int { return 1 }\n')
    expect((await run('run', 'pure.tek', '--quiet')).out).toBe('1\n')
  })

  test('an ended permit, a file that is wrong, a newer one, a link: nothing runs, and the file is as it was', async () => {
    const wrong: readonly (readonly [string, string])[] = [
      ['version: 1\nprograms:\n  flow.tek: { may: [ fs.read("src/**") ], expires: 2020-01-31 }\n', 'permit/expired'],
      ['version: 1\nprograms:\n  flow.tek: fs.read("src/**")\n', 'permit/bad-file'],
      ['version: 2\n', 'permit/newer-file'],
      ['version: 1\nprograms:\n  flow.tek: { may: [ fs.raed("src/**") ] }\n', 'permit/unknown-grant'],
    ]
    for (const [text, code] of wrong) {
      folder.write('tek.permits.yaml', text)
      const ended = await run('run', 'flow.tek')
      expect([ended.code, ended.err]).toEqual([4, expect.stringContaining(`error ${code}: `)])
      if (code !== 'permit/expired') expect(ended.err).toMatch(/--> tek\.permits\.yaml:\d+:\d+/)
      expect(permits()).toBe(text)
    }
    rmSync(join(folder.path, 'tek.permits.yaml'))
    folder.write('elsewhere.yaml', 'version: 1\nprograms:\n  flow.tek: { may: [ fs.read("src/**") ] }\n')
    symlinkSync('elsewhere.yaml', join(folder.path, 'tek.permits.yaml'))
    expect((await run('run', 'flow.tek')).err).toContain('a link stands in its place')
  })

  test('a bundled program is not asked, and says what it may touch', async () => {
    const { err, code } = await run('run', 'repo-health')
    expect(err).toMatch(/^repo-health · may /)
    expect([0, 1]).toContain(code) // there is no repository here
    expect(err).not.toContain('permit/')
  })

  test('a program cannot change its own permit', async () => {
    folder.write('greedy.tek', 'workflow w() -> null {\n  can fs.write("**")\n  task done = fs.write("tek.permits.yaml", "version: 1")\n  return null\n}\n')
    const { err, code } = await run('run', 'greedy.tek', '--allow-all')
    expect(err).toMatch(/permit\/denied|capability\//)
    expect(code).not.toBe(0)
    expect(existsSync(join(folder.path, 'tek.permits.yaml'))).toBe(false)
  })

  test('the permit is a level of its own: the guard refuses what a narrowed one no longer holds, when the run goes on', async () => {
    const can = '  can fs.read("src/**"), fs.read("lib/**"), exec("sleep", "*")\n'
    folder.write('two.tek', 'workflow w() -> string {\n' + can + '  task first = fs.read("src/a.txt")\n  task nap after first = shell.run("sleep", "30")\n  task second after nap = fs.read("lib/b.txt")\n  return second\n}\n')
    const all = ['fs.read("src/**")', 'fs.read("lib/**")', 'exec("sleep", "*")']
    const holding = (...grants: string[]): string => `version: 1\nprograms:\n  two.tek:\n    may:\n${grants.map(grant => `      - ${grant}\n`).join('')}`
    folder.write('tek.permits.yaml', holding(...all))
    let killed = false
    const begun = await tek(['run', 'two.tek', '--json'], { cwd: folder.path, asWritten: true, onOut: (text, kill) => {
      if (!killed && /"path":"nap"[^\n]*"status":"running"/.test(text)) kill('SIGKILL')
      killed ||= /"path":"nap"[^\n]*"status":"running"/.test(text)
    } })
    expect(begun.code).toBeNull()
    folder.write('tek.permits.yaml', holding(all[0]!, all[1]!))
    const resumed = await run('resume')
    expect(resumed.err).toContain('Its permit no longer holds exec("sleep", "*"): what needs it is refused.')
    expect(resumed.err).toContain('permit/denied')
    expect(resumed.code).toBe(4)
  })
})

test('tests ask for a permit of their own', async () => {
  folder.write('flow.tek', `${reads()}\ntest "counts" {\n  let n = w("src")\n  expect n == 1\n}\n`)
  const refused = await run('test', 'flow.tek')
  expect([refused.code, refused.err]).toEqual([4, expect.stringContaining('permit/needed')])
  folder.write('tek.permits.yaml', 'version: 1\ntests:\n  flow.tek: { may: [ fs.read("**") ] }\n')
  expect((await run('test', 'flow.tek')).code).toBe(0)
  expect((await run('run', 'flow.tek')).code).toBe(4) // a test's permit is none for a run
  folder.write('pure.tek', 'workflow w() -> int { return 1 }\ntest "one" {\n  let n = w()\n  expect n == 1\n}\n')
  expect((await run('test', 'pure.tek')).code).toBe(0)
})

test('tek permits lists and revokes', async () => {
  const listed = 'version: 1\nprograms:\n  flow.tek:\n    may:\n      - fs.read("src/**")\n      - net("old.org") # for later\n    granted: 2026-01-02\n  gone.tek: { may: [ env("CI") ], expires: 2020-01-01 }\n'
    + '  lost.tek: { may: [ env("CI") ] }\n'
  folder.write('tek.permits.yaml', listed)
  const { out, code } = await run('permits')
  expect(out).toContain('flow.tek · since 2026-01-02\n  fs.read("src/**")\n  net("old.org")   no more use for it\n')
  expect(out).toContain('gone.tek · until 2020-01-01, expired\n')
  expect(out).toContain('lost.tek · there is no such program\n')
  expect(code).toBe(0)
  expect(JSON.parse((await run('permits', '--json')).out)).toMatchObject({ version: 1, permits: [{ program: 'flow.tek', state: 'holds', unused: ['net("old.org")'] }, { state: 'expired' }, { state: 'program-gone' }] })
  expect((await run('permits', 'revoke', 'gone.tek')).code).toBe(0)
  expect(permits()).toBe(listed.replace(/ {2}gone.*\n/, ''))
  expect((await run('permits', 'revoke', 'gone.tek')).err).toContain('error permit/none-recorded')
  expect((await run('permits', 'grant')).code).toBe(2)
})
