// The command line itself: help, unknown words, options, forms of failure. No program is run here.
import { lstatSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { commandTable, plannedCommands } from '../../src/cli/command-table.ts'
import { tekVersion } from '../../src/cli/install-place.ts'
import { tek } from './command-line.ts'
import { machineLevel } from '#host/run-command.ts'

const folder = mkdtempSync(join(tmpdir(), 'tek-cli-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
writeFileSync(join(folder, 'flow.tek'), 'workflow w() -> int { return 1 }\n')

test('--version, --help, help, nothing', async () => {
  expect(await tek(['--version'])).toEqual({ code: 0, out: `${tekVersion()}\n`, err: '' })
  const { out, code } = await tek(['--help'])
  expect(code).toBe(0)
  for (const { name, summary } of commandTable) expect(out).toContain(`  ${name.padEnd(10)}${summary}`)
  for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(90)
  expect((await tek([])).out).toBe(out)
  expect((await tek(['help'])).out).toBe(out)
  expect((await tek(['help', 'check'])).out).toBe((await tek(['check', '--help'])).out)
})

test('what does not exist yet is not listed, and says so when typed', async () => {
  const { out } = await tek(['--help'])
  for (const name of plannedCommands) {
    expect(out).not.toMatch(new RegExp(`^ {2}${name} `, 'm'))
    const { code, err } = await tek([name, '--anything'])
    expect(code).toBe(2)
    expect(err).toContain('cli/not-available-yet')
  }
})

describe('each command has help with examples that name it and use its own options', () => {
  for (const { name } of commandTable) {
    test(name, async () => {
      const { out, code, err } = await tek([name, '-h'])
      expect({ code, err }).toEqual({ code: 0, err: '' })
      const options = new Set(out.split('Examples')[0]!.match(/-{1,2}[a-z][a-z-]*/g))
      const examples = out.split('Examples\n')[1]!.split('\n').filter(line => line.includes('tek '))
      expect(examples.length).toBeGreaterThan(0)
      for (const line of examples) {
        expect(line).toMatch(new RegExp(`tek (${name}|run) ?`))
        if (line.includes('tek run')) continue // a program's own flags
        for (const option of line.split(/ {2,}/)[1]!.match(/(?<= )-{1,2}[a-z][a-z-]*/g) ?? []) expect(options).toContain(option)
      }
      expect(options).toContain(name === 'compile' ? '-o' : '--json')
    })
  }
})

const mistakes: readonly [string, readonly string[], string, RegExp][] = [
  ['an unknown command', ['chekc'], 'cli/unknown-command', /Did you mean `tek check`\?/],
  ['a file in place of a command', ['flow.tek'], 'cli/unknown-command', /Did you mean `tek run flow.tek`\?/],
  ['a bundled program in place of a command', ['jail', '--', 'ls'], 'cli/unknown-command', /Did you mean `tek run jail`\?/],
  ['a command for the jail without --', ['run', 'jail', 'ls'], 'cli/unknown-workflow', /stands after `--`: tek run jail -- ls/],
  ['an unknown option', ['check', '--formt', 'json'], 'cli/unknown-option', /Did you mean `--format`\?/],
  ['a value for an option that takes none', ['check', '--fix=3', '.'], 'cli/bad-value', /`--fix` cannot be `3`: it takes no value/],
  ['an unknown short option', ['check', '-x'], 'cli/unknown-option', /tek check --help/],
  ['an option without its value', ['compile', 'flow.tek', '-o'], 'cli/missing-value', /-o VALUE/],
  ['an option whose value is --', ['run', 'flow.tek', '--args', '--', 'x'], 'cli/missing-value', /--args VALUE/],
  ['a missing argument', ['show'], 'cli/missing-argument', /tek show --help/],
  ['no program to run', ['run'], 'cli/missing-argument', /a file or a bundled name/],
  ['too many arguments', ['doctor', 'now'], 'cli/too-many-arguments', /no use for `now`/],
  ['arguments after -- where none are taken', ['doctor', '--', 'now'], 'cli/too-many-arguments', /`--`/],
  ['an unknown format', ['check', '--format', 'xml'], 'cli/bad-value', /pretty, json, sarif or github/],
  ['an unknown graph format', ['graph', 'flow.tek', '--format', 'png'], 'cli/bad-value', /terminal, svg, mermaid, dot or json/],
  ['a number of workers that is none', ['run', 'flow.tek', '--workers', 'many'], 'cli/bad-value', /whole number from 0/],
  ['a limit that is none', ['runs', '--limit', '0'], 'cli/bad-value', /whole number from 1/],
  ['a missing file', ['check', 'flwo.tek'], 'cli/file-not-found', /Did you mean `flow.tek`\?/],
  ['a missing file in a missing folder', ['check', 'no/such/flow.tek'], 'cli/file-not-found', /no\/such\/flow.tek/],
  ['a folder in place of a file', ['compile', './'], 'cli/is-a-folder', /needed/],
  ['an unknown program', ['run', 'no-such-program'], 'cli/unknown-program', /no-such-program/],
  ['an unknown code', ['explain', 'cli/unknown-comand'], 'cli/unknown-code', /Did you mean `cli\/unknown-command`\?/],
  ['a slug without its family', ['explain', 'unknown-command'], 'cli/unknown-code', /Did you mean `cli\/unknown-command`\?/],
  ['an unknown run', ['show', '9999'], 'cli/unknown-run', /tek runs/],
]

describe('a mistake on the command line', () => {
  for (const [name, words, code, pattern] of mistakes) {
    test(name, async () => {
      const answer = await tek(words, { cwd: folder })
      expect(answer.code).toBe(2)
      expect(answer.out).toBe('')
      expect(answer.err).toContain(`error ${code}: `)
      expect(answer.err).toMatch(pattern)
      expect(answer.err).toContain('= help: ')
      expect(answer.err).not.toMatch(/\n\s+at .*:\d+/)
      const [command, ...rest] = words
      if (!commandTable.some(each => each.name === command) || code === 'cli/missing-value' || words.includes('--format') || words.includes('--')) return
      const json = await tek([command!, '--json', ...rest], { cwd: folder })
      expect(json.err).toBe('')
      expect(JSON.parse(json.out)).toMatchObject({ version: 1, ok: false, diagnostics: [{ code, severity: 'error' }] })
    })
  }
})

test('files that cannot be programs', async () => {
  writeFileSync(join(folder, 'latin1.tek'), Buffer.from([0x63, 0xe9, 0x0a]))
  const latin1 = await tek(['fmt', 'latin1.tek'], { cwd: folder })
  expect([latin1.code, latin1.err.includes('cli/not-utf8')]).toEqual([2, true])
  writeFileSync(join(folder, 'huge.tek'), Buffer.alloc(33 * 1024 * 1024, 0x20))
  const huge = await tek(['fmt', 'huge.tek'], { cwd: folder })
  expect([huge.code, huge.err.includes('cli/too-large')]).toEqual([2, true])
  rmSync(join(folder, 'latin1.tek'))
  rmSync(join(folder, 'huge.tek'))
  const stdin = await tek(['fmt', '-'], { cwd: folder, stdin: '' })
  expect(stdin.code).toBe(0)
})

test('colour: on a terminal, not with NO_COLOR, forced with FORCE_COLOR, NO_COLOR wins', async () => {
  const coloured = async (terminal: boolean, env: Record<string, string>): Promise<boolean> =>
    (await tek(['chekc'], { env, ...(terminal ? { terminal: 80 } : {}) })).err.includes('\u001b[')
  expect(await coloured(true, {})).toBe(true)
  expect(await coloured(false, {})).toBe(false)
  expect(await coloured(true, { NO_COLOR: '1' })).toBe(false)
  expect(await coloured(true, { NO_COLOR: '' })).toBe(true)
  expect(await coloured(true, { TERM: 'dumb' })).toBe(false)
  expect(await coloured(false, { FORCE_COLOR: '1' })).toBe(true)
  expect(await coloured(true, { FORCE_COLOR: '0' })).toBe(false)
  expect(await coloured(true, { FORCE_COLOR: '1', NO_COLOR: '1' })).toBe(false)
})

test('explain shows what is wrong and what is right', async () => {
  const { out, code } = await tek(['explain', 'cli/bad-value'])
  expect(code).toBe(0)
  expect(out).toMatch(/^cli\/bad-value\n[\s\S]+\nWrong\n {2}tek check --format xml\n[\s\S]*\nRight\n {2}tek check --format sarif\n[\s\S]*\nWhat to do\n/)
  const list = await tek(['explain', '--json'])
  expect((JSON.parse(list.out) as { codes: string[] }).codes).toContain('cli/bad-value')
})

test('doctor claims no more protection than there is', async () => {
  const { level, missing } = await machineLevel()
  const { out } = await tek(['doctor'], { cwd: folder })
  expect(out).toMatch(new RegExp(`level ${level} .*language \\+ guard`))
  expect(out.includes('Commands are refused')).toBe(level < 2)
  for (const each of missing) expect(out).toContain(`not here: ${each.why}`)
  const json = JSON.parse((await tek(['doctor', '--json'], { cwd: folder })).out) as { protection: unknown }
  expect(json.protection).toEqual({ level, missing, sandbox: level >= 2, enforcedBy: ['language', 'guard', ...[[], [], ['namespaces', 'landlock', 'seccomp'], ['namespaces', 'bubblewrap', 'seccomp']][level]!] })
})

test('fmt: through a link, the file it points at is written and the link stays', async () => {
  writeFileSync(join(folder, 'linked.tek'), 'const   a=1\n')
  symlinkSync('linked.tek', join(folder, 'link.tek'))
  expect((await tek(['fmt', 'link.tek'], { cwd: folder })).code).toBe(0)
  expect(readFileSync(join(folder, 'linked.tek'), 'utf8')).toBe('const a = 1\n')
  expect(lstatSync(join(folder, 'link.tek')).isSymbolicLink()).toBe(true)
  rmSync(join(folder, 'link.tek'))
  rmSync(join(folder, 'linked.tek'))
})

test('a run that is not kept offers nothing to show', async () => {
  writeFileSync(join(folder, 'unkept.tek'), 'workflow w() -> int {\n  task a = 1\n  return a\n}\n')
  const { err } = await tek(['run', 'unkept.tek', '--no-journal'], { cwd: folder })
  rmSync(join(folder, 'unkept.tek'))
  expect(err).toContain('touched: read 0')
  expect(err).not.toContain('tek show')
})

test('check --strict refuses what only a run can tell, plan lists it', async () => {
  const program = (grant: string): string => `workflow show(file: path) -> string {\n  can fs.read(${grant})\n  task text = fs.read(file)\n  return text\n}\n`
  writeFileSync(join(folder, 'show.tek'), program('"docs/**"'))
  expect((await tek(['check', 'show.tek'], { cwd: folder })).code).toBe(0)
  const strict = await tek(['check', '--strict', 'show.tek'], { cwd: folder })
  expect(strict.code).toBe(3)
  expect(strict.out).toMatch(/capability\/decided-at-run-time: Only a run can tell whether `fs\.read\(file\)`[^]*show\.tek:3:15/)
  expect((await tek(['plan', 'show.tek'], { cwd: folder })).out).toContain('guarded  fs.read at show.tek:3:15: fs.read(file) is decided when it runs')
  const json = JSON.parse((await tek(['plan', 'show.tek', '--json'], { cwd: folder })).out) as { workflows: { decidedAtRunTime: object[] }[] }
  expect(json.workflows[0]!.decidedAtRunTime).toEqual([{ workflow: 'show', callee: 'fs.read', grant: 'fs.read(file)', path: 'show.tek', line: 3, column: 15 }])
  writeFileSync(join(folder, 'show.tek'), program('file'))
  expect((await tek(['check', '--strict', 'show.tek'], { cwd: folder })).code).toBe(0)
  expect((await tek(['plan', 'show.tek'], { cwd: folder })).out).not.toContain('guarded')
})

test('fmt: in place, --check, --diff, standard input, a file with a mistake left alone', async () => {
  const path = join(folder, 'ugly.tek')
  writeFileSync(path, 'const   a=1\n')
  const check = await tek(['fmt', 'ugly.tek', '--check'], { cwd: folder })
  expect([check.code, check.out]).toEqual([1, 'ugly.tek\n'])
  expect(check.err).toContain('cli/not-formatted')
  const diff = await tek(['fmt', 'ugly.tek', '--diff'], { cwd: folder })
  expect(diff.code).toBe(1)
  expect(diff.out).toContain('-const   a=1\n+const a = 1\n')
  expect((await tek(['fmt', '-'], { stdin: 'const   a=1\n' })).out).toBe('const a = 1\n')
  expect((await tek(['fmt', 'ugly.tek'], { cwd: folder })).code).toBe(0)
  expect((await tek(['fmt', 'ugly.tek', '--check'], { cwd: folder })).code).toBe(0)
  writeFileSync(path, 'const = = \u001b[31m\n')
  const broken = await tek(['fmt', 'ugly.tek'], { cwd: folder })
  expect(broken.code).toBe(3)
  expect(broken.err).toMatch(/error syntax\//)
  expect(broken.err).not.toContain('\u001b')
})
