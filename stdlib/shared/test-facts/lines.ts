// Lines: the reporters that runners have for people: node:test, mocha, AVA, jest and vitest; and counts that anything else may print.
// Owns: which runner it is, by the lines that sum up; names by marks and indentation. Does not own: TAP, JUnit, JSON.
//   L1. A runner is known by its summary alone. Without one nothing is read as a test: output of a program may hold any mark.
//   L2. jest and vitest may name failing tests only; then the summary's counts stand beside a list that is not whole.
//   L3. One pass; lines longer than MAX_LINE are cut, headings are followed MAX_HEADINGS deep.
import { factsOf, MAX_MESSAGE_LINES, MAX_TESTS, noFacts, type Counts, type Outcome, type TestFact, type TestFacts } from './facts.ts'

const MAX_LINE = 2_000
const MAX_HEADINGS = 64

export function readLines(text: string): TestFacts {
  const lines = text.split('\n').map(line => line.slice(0, MAX_LINE))
  const has = (pattern: RegExp): boolean => lines.some(line => pattern.test(line))
  if (has(/^ +Tests {2}.*\(\d+\)$/) || (has(/^ +Test Files {2}/) && has(/^ *RUN {2}v/))) return readVitest(lines)
  if (has(/^Tests: +.*\d+ total$/)) return readJest(lines)
  if (has(/^ℹ tests \d+$/)) return factsOf('node', readTree(lines, nodeMarks))
  if (has(/^ +\d+ passing\b/)) return factsOf('mocha', readTree(lines, mochaMarks))
  if (has(/^ {2}\d+ (?:tests?|uncaught exceptions?|unhandled rejections?|known failures?)(?: (?:passed|failed|skipped|todo))?$/)) return readAva(lines)
  return readCounts(lines)
}

interface Marks {
  /** The mark, the name, and what stands behind. */
  test(line: string): { outcome: Outcome; name: string } | null
  /** The name of a group that tests stand under, by indentation. */
  heading(line: string): string | null
  /** The first line that is no longer the tree of tests. */
  readonly end: RegExp
  /** The first line of what was said about a failing test, with its name in it. */
  message(lines: readonly string[], at: number): string | null
}

const withoutTime = (name: string): string => name.replace(/ \(?\d+(?:\.\d+)? ?m?s\)?$/, '').trim()

const nodeMarks: Marks = {
  test(line) {
    const found = /^ *([✔✖﹣⚠]) (.*?)(?: \(\d+(?:\.\d+)?ms\))?(?: # (.*))?$/.exec(line)
    if (found === null) return null
    const [, mark, name = '', said] = found
    return { name: name.trim(), outcome: said !== undefined && /^todo\b/i.test(said) ? 'todo' : mark === '﹣' ? 'skip' : mark === '✖' ? 'fail' : 'pass' }
  },
  heading: line => (/^ *▶ /.test(line) && !/\(\d+(?:\.\d+)?ms\)$/.test(line) ? line.replace(/^ *▶ /, '').trim() : null),
  end: /^ℹ tests \d+$/,
  message: (lines, at) => (/^test at /.test(lines[at - 1] ?? '') ? nodeMarks.test(lines[at] ?? '')?.name ?? null : null),
}

const mochaMarks: Marks = {
  test(line) {
    const found = /^ +(✔|✓|√|-|\d+\)) (.+)$/.exec(line)
    if (found === null) return null
    const mark = found[1] ?? ''
    return { name: withoutTime(found[2] ?? ''), outcome: mark === '-' ? 'skip' : mark.endsWith(')') ? 'fail' : 'pass' }
  },
  heading: line => (/^ +\S/.test(line) ? line.trim() : null),
  end: /^ +\d+ passing\b/,
  message: (lines, at) => (/^ {2}\d+\) /.test(lines[at] ?? '') ? lastOfTitle(lines, at) : null),
}

/** mocha prints a failing test's title over several lines, the last of which ends with a colon. */
function lastOfTitle(lines: readonly string[], at: number): string | null {
  for (let next = at; next < at + MAX_HEADINGS && next < lines.length; next++) {
    const line = (lines[next] ?? '').replace(/^ {2}\d+\) /, '').trim()
    if (line.endsWith(':')) return line.slice(0, -1)
    if (line === '') return null
  }
  return null
}

/** Tests under headings by indentation; what was said about the failing ones. */
function readTree(lines: readonly string[], marks: Marks): TestFact[] {
  const tests: TestFact[] = []
  const open: { indent: number; name: string; isUsed: boolean }[] = []
  let at = 0
  for (; at < lines.length && !marks.end.test(lines[at] ?? ''); at++) {
    const line = lines[at] ?? ''
    if (line.trim() === '') continue
    const indent = line.length - line.trimStart().length
    const heading = marks.test(line) === null ? marks.heading(line) : null
    if (heading === null && marks.test(line) === null) continue
    while ((open.at(-1)?.indent ?? -1) > indent) open.pop()
    const last = open.at(-1)
    if (heading !== null) {
      if (last?.indent === indent) open.pop()
      if (open.length < MAX_HEADINGS) open.push({ indent, name: heading, isUsed: false })
      continue
    }
    const test = marks.test(line)!
    if (last?.indent === indent) {
      open.pop()
      if (last.name === test.name && last.isUsed) continue // node:test closes a group with a line of its own
    }
    for (const each of open) each.isUsed = true
    if (tests.length <= MAX_TESTS) tests.push({ name: [...open.map(each => each.name), test.name].join(' > '), outcome: test.outcome })
  }
  addMessages(tests, lines, at, marks)
  return tests
}

/** What ends the words about a failing test and names no other: a rule across the page, a summary, a closing line of AVA's. */
const STOP = /^(?:⎯{5,}|Test Suites: | Test Files | {2}─+$)/

function addMessages(tests: readonly TestFact[], lines: readonly string[], from: number, marks: Pick<Marks, 'message'>): void {
  const failing = new Map<string, TestFact[]>()
  for (const test of tests) {
    if (test.outcome !== 'fail') continue
    const short = test.name.split(' > ').at(-1) ?? ''
    for (const key of new Set([test.name, short])) failing.set(key, [...(failing.get(key)?.slice(0, 20) ?? []), test])
  }
  let current: { test: TestFact; said: string[] } | null = null
  const close = (): void => {
    if (current !== null && current.test.message === undefined) current.test.message = current.said.join('\n').replace(/^\n+/, '')
    current = null
  }
  for (let at = from; at < lines.length; at++) {
    const name = marks.message(lines, at)
    const next = name === null ? undefined : failing.get(name)?.find(test => test.message === undefined)
    if (STOP.test(lines[at] ?? '')) close()
    else if (next !== undefined) {
      close()
      current = { test: next, said: [] }
    } else if (current !== null && current.said.length < MAX_MESSAGE_LINES) current.said.push(lines[at] ?? '')
  }
  close()
}

const AVA_MARK = /^ {2}(✔|✘|✖|-)(?: \[(skip|todo|fail|expected fail)\]:?)? (.+)$/

function readAva(lines: readonly string[]): TestFacts {
  const tests = lines.flatMap((line): TestFact[] => {
    const found = AVA_MARK.exec(line)
    if (found === null || (found[1] === '-' && found[2] === undefined)) return []
    const outcome: Outcome = found[2] === 'skip' ? 'skip' : found[2] === 'todo' ? 'todo' : found[2] === 'fail' || (found[2] === undefined && found[1] !== '✔') ? 'fail' : 'pass'
    return [{ name: withoutTime(found[3] ?? '').replaceAll(' › ', ' > '), outcome }]
  })
  addMessages(tests, lines, 0, { message: (all, at) => (/^ {2}\S/.test(all[at] ?? '') && /^\s*$/.test(all[at - 1] ?? '') ? (all[at] ?? '').trim().replaceAll(' › ', ' > ') : null) })
  return factsOf('ava', tests)
}

const JEST_MARK = /^ +([✓✕○✎]) (?:(?:skipped|todo) )?(.+)$/

function readJest(lines: readonly string[]): TestFacts {
  const tests: TestFact[] = []
  const open: { indent: number; name: string }[] = []
  const named = new Set<string>()
  const marked: TestFact[] = []
  for (const line of lines) {
    const file = /^(?:PASS|FAIL) /.test(line)
    if (file) open.length = 0
    const failing = /^ {2}● (.+)$/.exec(line)
    if (failing !== null) {
      const name = (failing[1] ?? '').replaceAll(' › ', ' > ')
      if (!named.has(name) && !/^(?:Console|Test suite failed to run)$/.test(name)) marked.push({ name, outcome: 'fail' })
      named.add(name)
    }
    const found = JEST_MARK.exec(line)
    const indent = line.length - line.trimStart().length
    if (found !== null) {
      while ((open.at(-1)?.indent ?? -1) >= indent) open.pop()
      const outcome: Outcome = found[1] === '✓' ? 'pass' : found[1] === '✕' ? 'fail' : found[1] === '○' ? 'skip' : 'todo'
      tests.push({ name: [...open.map(each => each.name), withoutTime(found[2] ?? '')].join(' > '), outcome })
    } else if (!file && indent >= 2 && indent % 2 === 0 && line.trim() !== '' && failing === null) {
      while ((open.at(-1)?.indent ?? -1) >= indent) open.pop()
      if (open.length < MAX_HEADINGS) open.push({ indent, name: line.trim() })
    }
  }
  const inTree = new Set(tests.flatMap(test => (test.outcome === 'fail' ? [test.name] : [])))
  const all = [...tests, ...marked.filter(test => !inTree.has(test.name))] // L2
  addMessages(all, lines, 0, { message: (every, at) => /^ {2}● (.+)$/.exec(every[at] ?? '')?.[1]?.replaceAll(' › ', ' > ') ?? null })
  return factsOf('jest', all, summed(lines.findLast(line => /^Tests: +/.test(line)) ?? ''))
}

function readVitest(lines: readonly string[]): TestFacts {
  const listed = lines.flatMap((line): TestFact[] => {
    const found = /^ ([✓×✗↓□]) (.+? > .+)$/.exec(line)
    if (found === null) return []
    const outcome: Outcome = found[1] === '✓' ? 'pass' : found[1] === '↓' ? 'skip' : found[1] === '□' ? 'todo' : 'fail'
    return [{ name: withoutTime(found[2] ?? ''), outcome }]
  })
  const known = new Set(listed.map(test => test.name))
  const failing: TestFact[] = []
  for (const line of lines) {
    const name = /^ FAIL {2}(.+)$/.exec(line)?.[1]?.trim()
    if (name === undefined || known.has(name)) continue
    known.add(name)
    failing.push({ name, outcome: 'fail' })
  }
  const all = [...listed, ...failing]
  addMessages(all, lines, 0, { message: (every, at) => /^ FAIL {2}(.+)$/.exec(every[at] ?? '')?.[1]?.trim() ?? null })
  return factsOf('vitest', all, summed(lines.findLast(line => /^ +Tests {2}/.test(line)) ?? ''))
}

const WORDS: Readonly<Record<string, Outcome>> = { passed: 'pass', failed: 'fail', skipped: 'skip', todo: 'todo', pending: 'skip', failures: 'fail', failing: 'fail', passing: 'pass', ignored: 'skip' }

/** Counts of one line: `1 failed | 3 passed (6)`, `2 passed, 1 failed in 0.1s`. */
function summed(line: string): Partial<Counts> {
  const counts: Partial<Counts> = {}
  for (const [, number, word = ''] of line.matchAll(/(?<!\d)(\d{1,9}) (\w{4,8})/g)) {
    const outcome = WORDS[word]
    if (outcome !== undefined) counts[outcome] = Number(number)
  }
  return counts
}

/** Another runner: what its last line of counts says. */
function readCounts(lines: readonly string[]): TestFacts {
  const line = lines.findLast(each => /(?<!\d)\d{1,9} (?:passed|passing)\b/.test(each) || /(?<!\d)\d{1,9} (?:failed|failures|failing)\b/.test(each))
  return line === undefined ? noFacts() : factsOf('unknown', [], summed(line))
}
