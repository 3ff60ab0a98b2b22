// Every command and every exit code, with the built binary.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { displayWidth } from '#base/terminal-text.ts'
import type { RunNotice, RunReport, RunSummary } from '#model/report.ts'
import { binary, project, tek } from './binary.ts'

const todos = `use std.fs
use std.text

/// Count what is left to do in a source tree.
workflow todos(root: path = "src") -> { file: path, count: int }[] {
  can fs.read("\${root}/**")

  task files = fs.glob("\${root}/**/*.ts")

  task counted for file in files = { file: file, count: text.count(fs.read(file), "TODO") }

  return counted |> filter(c => c.count > 0) |> sortBy(c => -c.count)
}

test "counts" {
  let found = todos(root: "src")
  expect len(found) == 2
}
`
const files = {
  'todos.tek': todos,
  'src/a.ts': '// TODO one\n', 'src/b.ts': '// TODO one\n// TODO two\n', 'src/c.ts': '',
  'two.tek': 'workflow first(n: int = 1) -> int { return n }\n\nworkflow second(name: string) -> string { return "hello \${name}" }\n',
  'broken.tek': 'workflow w() -> int {\n  task a = 1 +\n  return b\n}\n',
  'fails.tek': 'workflow w() -> int {\n  task a -> int = fail("it is Monday")\n  return a\n}\n',
  'reaches.tek': 'workflow w(p: path = "secret.txt") -> string {\n  can fs.read("src/**")\n  task text = fs.read(p)\n  return "read"\n}\n',
  'limited.tek': 'workflow w(count: int = 100) -> int[] {\n  limits { tasks: 3 }\n  task many for n in range(count) = n\n  return many\n}\n',
  'args.tek': 'workflow w(args: string[] = []) -> string { return join(args, " ") }\n',
  'secret.txt': 'secret',
}
const folder = project(files)
const run = (...words: string[]): ReturnType<typeof tek> => tek(words, { cwd: folder.path })
afterAll(() => folder.remove())

describe('exit codes', () => {
  const cases: readonly [number, string, readonly string[], RegExp][] = [
    [0, 'fine', ['run', 'todos.tek'], /^/],
    [1, 'the program fails', ['run', 'fails.tek'], /error run\/\S+: .*it is Monday[\s\S]*task a/],
    [2, 'usage', ['run', 'todos.tek', '--rot', 'src'], /cli\/unknown-parameter[\s\S]*Did you mean `--root`\?/],
    [2, 'no such file', ['run', 'todo.tek'], /cli\/file-not-found[\s\S]*Did you mean `todos.tek`\?/],
    [3, 'does not compile', ['run', 'broken.tek'], /error syntax\/\S+: [\s\S]*--> broken.tek:\d+:\d+/],
    [4, 'not permitted', ['run', 'reaches.tek'], /error permit\/denied: [\s\S]*secret.txt/],
    [5, 'stopped by a limit', ['run', 'limited.tek'], /limit/],
  ]
  for (const [code, name, words, pattern] of cases) {
    test(`${code}: ${name}`, async () => {
      const ended = await run(...words)
      expect(ended.err).toMatch(pattern)
      expect(ended.err).not.toMatch(/\n\s+at .*:\d+:\d+|This is a bug/)
      expect(ended.code).toBe(code)
    })
  }
})

test('run: the result alone on standard output, lines and the proof on standard error', async () => {
  const { code, out, err } = await run('run', 'todos.tek')
  expect(code).toBe(0)
  expect(JSON.parse(out)).toEqual([{ file: 'src/b.ts', count: 2 }, { file: 'src/a.ts', count: 1 }])
  expect(err).toMatch(/^done {6}files · .*\ndone {6}counted · .*\ndone todos · \d+ of \d+ tasks · .*\ntouched: read \d+, wrote 0, ran 0, refused 0 · again: tek show [0-9a-f]{8}\n$/)
})

test('run: --quiet, --no-journal, parameters, several workflows, words after --, standard input, a compiled plan', async () => {
  expect((await run('run', 'todos.tek', '--quiet', '--root', 'nothing')).err).toBe('')
  expect((await run('run', 'two.tek')).err).toContain('cli/choose-workflow')
  expect((await run('run', 'two.tek', 'third')).err).toContain('cli/unknown-workflow')
  expect((await run('run', 'two.tek', 'second', '--name', 'Ada')).out).toBe('hello Ada\n')
  expect((await run('run', 'two.tek', 'second')).err).toContain('cli/missing-parameter')
  expect((await run('run', 'two.tek', 'first', '--n', 'many')).err).toContain('cli/bad-parameter')
  expect((await run('run', 'two.tek', 'first', '--', 'x')).err).toContain('cli/no-trailing-arguments')
  expect((await run('run', 'args.tek', '--', 'npm', '--json', 'test')).out).toBe('npm --json test\n')
  folder.write('settings.json', '{ "name": "Grace" }')
  expect((await run('run', 'two.tek', 'second', '--args', 'settings.json')).out).toBe('hello Grace\n')
  folder.write('bad.json', '[1]')
  expect((await run('run', 'two.tek', 'second', '--args', 'bad.json')).err).toContain('cli/bad-args-file')
  expect((await run('run', 'bad.json')).code).toBe(2)
  folder.write('text.json', 'nothing')
  expect((await run('run', 'text.json')).err).toContain('cli/bad-plan')
  expect((await tek(['run', '-', '--n', '4'], { cwd: folder.path, stdin: 'workflow w(n: int) -> int { return n + 1 }' })).out).toBe('5\n')
  expect((await run('compile', 'todos.tek', '-o', 'plan.json')).code).toBe(0)
  expect((await run('run', 'plan.json')).out).toBe((await run('run', 'todos.tek')).out)
  const other = project({})
  try {
    expect((await tek(['run', join(folder.path, 'two.tek'), 'first', '--no-journal'], { cwd: other.path })).out).toBe('1\n')
    expect(existsSync(join(other.path, '.tek'))).toBe(false)
  } finally {
    other.remove()
  }
})

test('run --help lists the parameters of the program', async () => {
  const { out, code } = await run('run', 'todos.tek', '--help')
  expect(code).toBe(0)
  expect(out).toContain('Count what is left to do in a source tree.')
  expect(out).toMatch(/--root +path, default "src"/)
})

test('run --json: a stream of events whose progress never falls and ends at 1', async () => {
  const { out, err, code } = await run('run', 'todos.tek', '--json')
  expect([code, err]).toEqual([0, ''])
  const events = out.trimEnd().split('\n').map(line => JSON.parse(line) as RunNotice & { version: number })
  expect(events.every(each => each.version === 1)).toBe(true)
  expect(events[0]!.kind).toBe('run-started')
  const last = events.at(-1)!
  expect(last.kind === 'run-finished' && last.summary.status).toBe('done')
  const fractions = events.flatMap(each => (each.kind === 'progress' ? [each.fraction] : []))
  expect([...fractions].sort((a, b) => a - b)).toEqual(fractions)
  expect(fractions.at(-1)).toBe(1)
  expect(events.filter(each => each.kind === 'task' && each.status === 'done').length).toBeGreaterThanOrEqual(5)
})

test('runs and show', async () => {
  await run('run', 'todos.tek')
  const runs = (JSON.parse((await run('runs', '--json')).out) as { runs: RunSummary[] }).runs
  expect(runs[0]).toMatchObject({ program: 'todos.tek', workflow: 'todos', status: 'done' })
  expect((await run('runs')).out.split('\n')[0]).toMatch(/^[0-9a-f]{8} {2}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}done .* todos\.tek todos · /)
  const report = JSON.parse((await run('show', runs[0]!.runId.slice(0, 8), '--json')).out) as RunReport
  expect(report.tasks.map(each => each.path)).toEqual(expect.arrayContaining(['files', 'counted', 'counted[0]', 'counted[2]']))
  const shown = await run('show', 'last')
  expect(shown.out).toMatch(/todos\.tek · [0-9a-f]+ · [\s\S]*done {6}files[\s\S]*touched: read/)
  expect(JSON.parse((await run('show', 'last', '--result')).out)).toHaveLength(2)
  for (const line of shown.out.split('\n')) expect(displayWidth(line)).toBeLessThanOrEqual(80)
  expect((await run('show', 'zzzz')).err).toContain('cli/unknown-run')
})

test('check: pretty, json, sarif, github, standard input, folders', async () => {
  const pretty = await run('check')
  expect(pretty.code).toBe(3)
  expect(pretty.out).toContain('--> broken.tek:')
  expect(pretty.err).toMatch(/\d+ errors? (and \d+ warnings? )?in \d+ files\n$/)
  const json = JSON.parse((await run('check', 'broken.tek', '--json')).out) as { diagnostics: { code: string }[]; summary: { errors: number } }
  expect(json.summary.errors).toBe(json.diagnostics.length)
  expect(JSON.parse((await run('check', 'broken.tek', '--format', 'sarif')).out)).toMatchObject({ version: '2.1.0' })
  expect((await run('check', 'broken.tek', '--format', 'github')).out).toMatch(/^::error file=broken.tek,line=\d+/)
  expect((await tek(['check', '-'], { cwd: folder.path, stdin: todos })).code).toBe(0)
  expect((await tek(['check', '-'], { cwd: folder.path, stdin: 'workflow' })).out).toContain('--> <stdin>:1:')
  expect((await run('check', 'todos.tek', 'two.tek')).code).toBe(0)
  expect((await run('check', 'src')).err).toContain('cli/no-programs')
})

test('check --fix mends the file, and only what is safe', async () => {
  folder.write('mend/fix.tek', 'workflow w() -> int {\n  task files = 1;\n  return files\n}\n')
  const mended = await run('check', 'mend/fix.tek', '--fix')
  expect([mended.code, mended.err]).toEqual([0, expect.stringContaining('1 fix applied')])
  expect(readFileSync(join(folder.path, 'mend/fix.tek'), 'utf8')).toBe('workflow w() -> int {\n  task files = 1\n  return files\n}\n')
})

test('check --watch sees an edit and reports again', async () => {
  folder.write('watched/w.tek', 'workflow w() -> int { return 1 }\n')
  let reports = 0
  const ended = await tek(['check', 'watched', '--watch'], {
    cwd: folder.path,
    onErr: (text, kill) => {
      if (!text.includes('watching for changes')) return
      reports++
      if (reports === 1) folder.write('watched/w.tek', 'workflow w() -> int { return x }\n')
      else kill('SIGINT')
    },
  })
  expect(ended.err).toContain('fine: nothing wrong')
  expect(ended.out).toContain('error name/')
  expect(reports).toBe(2)
})

test('plan, graph, compile, diff, test, fmt, explain, doctor', async () => {
  const planned = await run('plan', 'todos.tek')
  expect(planned.out).toContain('may      fs.read("${root}/**")')
  expect(planned.out).toContain('reads    fs.glob, fs.read')
  const plan = JSON.parse((await run('plan', 'limited.tek', '--json')).out) as { workflows: { worstTasks: number }[] }
  expect(plan.workflows[0]!.worstTasks).toBe(3)
  expect((await run('graph', 'todos.tek')).out).toMatch(/│ files │[\s\S]*▼[\s\S]*│ counted {2}│/)
  expect((await run('graph', 'todos.tek', '-o', 'graph.svg')).out).toBe('')
  expect(readFileSync(join(folder.path, 'graph.svg'), 'utf8')).toMatch(/^<svg [\s\S]*<\/svg>\n$/)
  expect((await run('graph', 'todos.tek', '--format', 'mermaid')).out).toContain('t0 --> t1')
  expect((await run('graph', 'last', '--format', 'dot')).out).toContain('digraph')
  const first = await run('compile', 'todos.tek', '--hash')
  folder.write('reformatted.tek', todos.replace(/\n\n/g, '\n').replace('/// Count what', '/// Number of things that'))
  expect((await run('compile', 'reformatted.tek', '--hash')).out).toBe(first.out)
  expect((await run('diff', 'todos.tek', 'reformatted.tek')).code).toBe(0)
  folder.write('changed.tek', todos.replace('"TODO"', '"FIXME"'))
  const diff = await run('diff', 'todos.tek', 'changed.tek', '--lines')
  expect(diff.code).toBe(1)
  expect(diff.out).toMatch(/changed .*task counted[\s\S]*- .*TODO[\s\S]*\+ .*FIXME[\s\S]*@@/)
  const tested = await run('test', 'todos.tek')
  expect([tested.code, tested.out]).toEqual([0, expect.stringMatching(/^todos.tek\n {2}ok {4}counts · /)])
  folder.write('failing.tek', 'test "adds" {\n  expect 1 + 1 == 3\n}\n')
  const failing = await run('test', 'failing.tek')
  expect(failing.code).toBe(1)
  expect(failing.out).toMatch(/FAIL {2}adds[\s\S]*expect 1 \+ 1 == 3\n {10}left {3}2\n {10}right {2}3\n/)
  expect((await run('test', 'two.tek')).err).toContain('cli/no-tests')
  expect((await run('test', 'failing.tek', '--filter', 'nowhere')).err).toContain('No test in `failing.tek` has `nowhere` in its name.')
  expect((await run('explain', 'syntax/unclosed-string')).out).toMatch(/^syntax\/unclosed-string\n/)
  expect((await run('doctor')).code).toBe(0)
})

test('several runs begin with the same letters: which one is asked', async () => {
  for (let count = 0; count < 17; count++) await run('run', 'args.tek', '--quiet')
  const ids = (JSON.parse((await run('runs', '--limit', '100', '--json')).out) as { runs: RunSummary[] }).runs.map(each => each.runId)
  const letter = [...'0123456789abcdef'].find(each => ids.filter(id => id.startsWith(each)).length > 1)! // 17 ids, 16 letters
  expect((await run('show', letter)).err).toContain('cli/ambiguous-run')
})

test('on a terminal: live progress in place, within its width, then the result', context => {
  if (spawnSync('script', ['--version']).status !== 0) return context.skip('this machine has no `script` to make a terminal')
  folder.write('slow.tek', 'workflow w() -> { name: string, n: int }[] {\n  can exec("sleep", "0.3")\n  task waits for n in range(4) parallel 1 = shell.run("sleep", "0.3")\n  return [{ name: "x", n: n } for n in range(2) if len(waits) == 4]\n}\n')
  const line = `stty cols 80 rows 24; "${process.execPath}" "${binary}" run slow.tek --allow-all`
  const { stdout, status } = spawnSync('script', ['-qec', line, '/dev/null'], { cwd: folder.path, encoding: 'utf8', env: { PATH: process.env['PATH'], TERM: 'xterm', SHELL: '/bin/sh' } })
  expect(status).toBe(0)
  expect(stdout).toContain('\u001b[1A\u001b[J')
  expect(stdout).toMatch(/\[=+ *\] +\d+% {2}\d\/\d tasks/)
  const plain = stdout.replace(/\u001b\[[\d;]*[A-Za-z]/g, '')
  for (const each of plain.split(/\r?\n/)) expect(displayWidth(each)).toBeLessThan(80)
  expect(plain).toMatch(/done w · 4 of 4 tasks · .*\r\ntouched: read 0, wrote 0, ran 4, refused 0[^\r]*\r\nname {2}n\r\nx {5}0\r\nx {5}1\r\n$/)
})

test('the binary is small to start: check loads no database, pool, schema library or bundler', async () => {
  const ended = spawnSync(process.execPath, [binary, 'check', 'todos.tek'], { cwd: folder.path, env: { PATH: process.env['PATH'], NODE_DEBUG: 'esm' }, encoding: 'utf8', maxBuffer: 100_000_000 })
  expect(ended.status).toBe(0)
  expect(ended.stderr).toContain('tek.mjs')
  for (const name of ['better-sqlite3', 'piscina', 'zod', 'esbuild']) expect(ended.stderr).not.toContain(`node_modules/${name}/`)
})

test('the binary can be started by its name', () => {
  expect(statSync(binary).mode & 0o111).not.toBe(0)
  expect(readFileSync(binary, 'utf8').startsWith('#!/usr/bin/env node\n')).toBe(true)
})
