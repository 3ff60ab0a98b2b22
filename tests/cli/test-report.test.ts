// What `tek test` says: why an expectation does not hold, what tests went through, for people and for build servers; which tests run, and for how long.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { TestResult } from '../../src/cli/run-test.ts'
import { junitXml } from '../../src/cli/test-lines.ts'
import { type Answer, tek } from './command-line.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tek-report-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function write(name: string, text: string): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true })
  writeFileSync(join(folder, name), text)
}
const run = (...words: string[]): Promise<Answer> => tek(['test', ...words], { cwd: folder })
const read = (name: string): string => readFileSync(join(folder, name), 'utf8')

const workflow = `workflow build(loud: bool = false, names: string[] = ["x"]) -> { name: string, sizes: int[], note: string } {
  task text = if loud then "LOUD" else "quiet"
  task note when loud = "heard \${text}"
  task sizes = [len(each) for each in names]
  task risky on failure use "saved" = if len(names) > 3 then fail("too many") else "fine"
  return { name: text, sizes: sizes, note: note ?? risky }
}
`

test('of two records the places are told in which they differ, and the task that made each', async () => {
  write('a.tek', `${workflow}test "differs" {
  let made = build(names: ["a", "bb"])
  expect made == { name: "quiet", sizes: [1, 2, 3], note: "fine\u{1f600}" }
}
`)
  const { code, out } = await run('a.tek')
  expect(code).toBe(1)
  expect(out.split('\n').map(line => line.trim())).toEqual([
    'a.tek', expect.stringMatching(/^FAIL {2}differs · /), `expect made == { name: "quiet", sizes: [1, 2, 3], note: "fine\u{1f600}" }`, 'they differ, - left + right:',
    'sizes[2] · task sizes of build', '+ 3', 'note · tasks note, risky of build', '- "fine"', '+ "fine\u{1f600}"', '',
  ])
})

test('the parts of other conditions are shown with their values, and a part that fails hides no other', async () => {
  write('a.tek', `${workflow}test "parts" {
  let made = build(names: ["a", "bb"])
  expect len(made.sizes) > 2 and made.name != "quiet"
  expect "b" in made.name
  expect not (made.note == "fine")
  expect made.sizes[0] == 1 and made.sizes[7] == 3
}
`)
  const { out } = await run('a.tek')
  const lines = out.split('\n').map(line => line.trim())
  for (const line of ['len(made.sizes) > 2 is false', 'len(made.sizes) is 2', 'made.name != "quiet" is false', 'made.name is "quiet"', 'left   "b"', 'right  "quiet"', 'left is made by task text of build', 'made.note is "fine"', 'made.sizes[0] is 1', 'made.sizes[7] is null']) {
    if (!line.startsWith('left is')) expect(lines).toContain(line)
  }
})

test('a call that was to be denied says by what it is allowed; without `can` everything is denied; nothing is done', async () => {
  write('a.tek', `can fs.read("src/**"), fs.write("out/**")
workflow w() -> string {
  can fs.read("src/**")
  task a = fs.read("src/x")
  return a
}
test "denied" {
  expect denied(fs.read("/etc/hostname"))
  expect denied(fs.write("src/x", "text"))
  expect denied(fs.write("out/x", "text"))
  expect denied(fs.read("src/\${"a"}.txt"))
}
`)
  write('b.tek', 'test "nothing" {\n  expect denied(fs.read("a"))\n  expect denied(fs.write("b", "text"))\n}\n')
  const { code, out } = await run('a.tek', '--allow-all')
  expect([code, out]).toEqual([1, expect.stringContaining('allowed: fs.write("out/x") by can fs.write("out/**")')])
  expect(out).toContain('allowed: fs.read("src/a.txt") by can fs.read("src/**")')
  expect(out).not.toContain('/etc/hostname')
  expect(() => read('out/x')).toThrow('ENOENT')
  expect((await run('b.tek')).code).toBe(0)
})

test('coverage counts tasks, both ways of `when`, and `on failure`; the table, lcov and JSON say the same', async () => {
  write('a.tek', `${workflow}test "quiet" {
  let made = build()
  expect made.name == "quiet"
}
`)
  const first = await run('a.tek', '--coverage', '--coverage-out', 'lcov.info', '--min-coverage', '90%')
  expect([first.code, first.err]).toEqual([1, expect.stringContaining('less than the 90%')])
  expect(first.out).toContain('3 of 4 tasks · 1 of 2 ways of `when` · 0 of 1 failure')
  expect(first.out).toMatch(/a\.tek:3 {2}task note of build, its `when` true/)
  expect(read('lcov.info')).toMatch(/^TN:\nSF:a\.tek\n(BRDA:.*\n)+BRF:3\nBRH:1\nDA:2,1\nDA:3,0\nDA:4,1\nDA:5,1\nLF:4\nLH:3\nend_of_record\n$/)
  write('b.tek', `use "./a.tek" (build)
test "loud" {
  let made = build(loud: true, names: ["a", "b", "c", "d"])
  expect made.note == "heard LOUD"
}
`)
  const both = await run('.', '--coverage-out', 'all.json', '--min-coverage', '100', '--json')
  expect(both.code).toBe(0)
  const json = JSON.parse(read('all.json')) as { percent: number; parts: { count: number }[] }
  expect([json.percent, json.parts.length]).toEqual([100, 7]) // the same task in two programs is one
  expect((JSON.parse(both.out) as { coverage: unknown }).coverage).toEqual(json)
})

test('tools of agents are covered when they are called', async () => {
  write('a.tek', `model m = openai("x", baseUrl: "http://127.0.0.1:9/v1")
agent reader {
  model m
  role "You read."
  can fs.read("src/**")
  tools fs.read, fs.glob
}
workflow ask() -> string {
  can fs.read("src/**")
  task said by reader -> string = prompt """Read."""
  return said
}
test "t" {
  given reader replies [{ tool: "fs.read", args: { path: "src/a" } }, "done"]
  given fs.read returns "text"
  let said = ask()
  expect said == "done"
}
`)
  const { out } = await run('a.tek', '--coverage', '--allow-all')
  expect(out).toMatch(/reader +50% {2}1 of 2 tools/)
  expect(out).toContain('tool fs_glob of agent reader')
})

test('JUnit: a suite for each file, with places, times and reasons, and files that do not compile', async () => {
  write('a.tek', 'test "good <&>" {\n  expect 1 == 1\n}\ntest "bad" {\n  expect [1] == [2]\n}\n')
  write('broken.tek', 'workflow w( {\n')
  const { code, err } = await run('.', '--junit', 'report.xml')
  expect([code, err]).toEqual([1, expect.stringContaining('1 of 2 tests passed, 1 file does not compile: broken.tek')])
  const xml = read('report.xml')
  expect(xml).toMatch(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n<testsuites tests="3" failures="1" errors="1">/)
  expect(xml).toMatch(/<testcase name="good &lt;&amp;&gt;" classname="a\.tek" file="a\.tek" line="1" time="\d+\.\d{3}"\/>/)
  expect(xml).toMatch(/<failure message="expect \[1\] == \[2\]">[^<]*- 1[^<]*\+ 2/)
  expect(xml).toMatch(/<error type="syntax\/[\w-]+" message="/)
  const odd: TestResult = { file: 'a', line: null, name: 'a\u0000\ud800"\u001b', status: 'passed', elapsedMs: 1_234, unmet: [], failure: null, warnings: [] }
  expect(junitXml([odd], [])).toContain('name="a\ufffd&quot;" classname="a" file="a" time="1.234"')
})

test('what does not compile: alone it ends the command; of several it is counted, and the rest runs', async () => {
  write('a.tek', 'test "good" {\n  expect true\n}\n')
  write('broken.tek', 'workflow w( {\n')
  expect((await run('broken.tek')).code).toBe(3)
  const both = await run('a.tek', 'broken.tek')
  expect([both.code, both.out]).toEqual([3, expect.stringContaining('ok')])
  expect(JSON.parse((await run('--json')).out)).toMatchObject({ passed: 1, failed: 0, broken: [{ file: 'broken.tek', code: expect.stringContaining('syntax/') }] })
})

test('which tests run: by name, until the first that fails, side by side in the order of the text', async () => {
  write('a.tek', Array.from({ length: 6 }, (_, at) => `test "number ${at}" {\n  expect ${at} != 2\n}\n`).join(''))
  const names = ({ out }: Answer): string[] => [...out.matchAll(/(?:ok|FAIL) +number (\d)/g)].map(each => each[1]!)
  expect(names(await run('a.tek', '--filter', 'number 3'))).toEqual(['3'])
  expect(names(await run('a.tek', '--bail'))).toEqual(['0', '1', '2'])
  expect(names(await run('a.tek', '--parallel', '4'))).toEqual(['0', '1', '2', '3', '4', '5'])
  for (const words of [['--parallel', '0'], ['--parallel', 'x'], ['--min-coverage', '101%'], ['--timeout', 'soon']]) expect(await run('a.tek', ...words)).toMatchObject({ code: 2, err: expect.stringContaining('cli/bad-value') })
})

test('a test that takes too long is ended, has failed, and those after it run', async () => {
  write('a.tek', `workflow long() -> int {
  task sums for each in range(0, 5000) = sum([n * n for n in range(0, 100000)])
  return sum(sums)
}
test "long" {
  let total = long()
  expect total == 0
}
test "short" {
  expect true
}
`)
  const { code, out } = await run('a.tek', '--timeout', '300ms')
  expect([code, out]).toEqual([1, expect.stringMatching(/FAIL {2}long[\s\S]*run\/timed-out: The test took longer than 300 ms\.[\s\S]*ok {4}short/)])
})
