// Test report: facts out of what a test command printed: which tests there are and how each went.
// Owns: reading TAP 13/14 (also node:test and tape), node's spec reporter, mocha's spec and JSON, vitest and jest JSON, vitest's and jest's text, and JUnit XML.
//   T1. Facts first: names, statuses, counts; tests are sorted by name. Times and the order of lines, which differ between equal runs, are left out.
//       Only `details` holds printed text, for people.
//   T2. What cannot be read as one of these gives format "unknown" and no tests; counts printed in a summary win over counting lines.
//   T3. One pass over lines; at most MAX_TESTS tests, names cut to MAX_NAME.
const MAX_TESTS = 100_000
const MAX_NAME = 500
const MAX_FAILURE_LINES = 20
const MAX_DETAILS = 10_000

export type Status = 'passed' | 'failed' | 'skipped'

export interface TestResult {
  name: string
  status: Status
}

export interface TestReport {
  format: 'tap' | 'json' | 'junit' | 'spec' | 'unknown'
  passed: number
  failed: number
  skipped: number
  tests: TestResult[]
  /** Name of the first failing test. */
  firstFailure: string | null
  /** That or another failing test with its first lines, when the format says. */
  details: string | null
}

const COLOURS = /\u001b\[[0-9;?]*[A-Za-z]/g

function report(format: TestReport['format'], tests: readonly TestResult[], counts: Partial<Record<Status, number>> = {}, details: string | null = null): TestReport {
  const sorted = tests
    .slice(0, MAX_TESTS)
    .map(test => ({ name: test.name.slice(0, MAX_NAME), status: test.status }))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)) // T1
  const count = (status: Status) => counts[status] ?? tests.reduce((sum, test) => sum + (test.status === status ? 1 : 0), 0)
  const first = sorted.find(test => test.status === 'failed')
  return { format, passed: count('passed'), failed: count('failed'), skipped: count('skipped'), tests: sorted, firstFailure: first?.name ?? null, details: details?.slice(0, MAX_DETAILS) ?? null }
}

/** Facts of a test run, from its output. */
export function readTestReport(output: string): TestReport {
  const text = output.replace(COLOURS, '').replace(/\r\n?/g, '\n')
  return fromJson(text) ?? fromJunit(text) ?? fromTap(text) ?? fromSpec(text) ?? report('unknown', [])
}

const TAP_LINE = /^( *)(not )?ok\b(?: +(\d+))?(?: *-)?[ \t]*(.*)$/

function fromTap(text: string): TestReport | null {
  if (!/^ *(?:not )?ok\b/m.test(text) || !/^(?:TAP version \d+| *\d+\.\.\d+)/m.test(text)) return null
  const tests: TestResult[] = []
  const parents: string[] = []
  const lines = text.split('\n')
  const failure: string[] = []
  let watching = false
  for (const [index, line] of lines.entries()) {
    const subtest = /^( *)# Subtest: (.*)$/.exec(line)
    if (subtest !== null) {
      parents.length = (subtest[1] ?? '').length / 4
      parents.push(subtest[2] ?? '')
      continue
    }
    const found = TAP_LINE.exec(line)
    if (found === null) {
      if (watching && failure.length < MAX_FAILURE_LINES && !/^\s*(?:#|duration_ms)/.test(line)) failure.push(line)
      continue
    }
    watching = false
    const depth = (found[1] ?? '').length / 4
    const [name = '', directive = ''] = splitDirective(found[4] ?? '')
    const isGroup = parents.length > depth && isSuite(lines, index)
    const full = [...parents.slice(0, depth), name].join(' > ')
    parents.length = Math.min(parents.length, Math.ceil(depth))
    if (isGroup) continue
    const status: Status = /^(?:skip|todo)/i.test(directive) ? 'skipped' : found[2] === undefined ? 'passed' : 'failed'
    tests.push({ name: full, status })
    if (status === 'failed' && failure.length === 0) {
      failure.push(full)
      watching = true
    }
  }
  return tests.length === 0 ? null : report('tap', tests, {}, failure.length === 0 ? null : failure.join('\n').trimEnd())
}

const splitDirective = (text: string): [string, string] => {
  const at = text.search(/(?:^|[^\\])# *(?:skip|todo)/i)
  return at < 0 ? [text.trim(), ''] : [text.slice(0, at + (text[at] === '#' ? 0 : 1)).trim(), text.slice(text.indexOf('#', at) + 1).trim()]
}

/** A line that sums up the tests printed above it, one level deeper, is not a test itself. node:test marks suites; others by a plan right above. */
function isSuite(lines: readonly string[], index: number): boolean {
  const own = /^ */.exec(lines[index] ?? '')?.[0].length ?? 0
  for (let above = index - 1; above >= 0 && above > index - 50; above--) {
    const line = lines[above] ?? ''
    if (line.trim() === '') continue
    return new RegExp(`^ {${own + 1},}\\d+\\.\\.\\d+`).test(line)
  }
  return false
}

interface Suite {
  readonly [key: string]: unknown
}

function fromJson(text: string): TestReport | null {
  const start = text.search(/^\{/m)
  const end = text.lastIndexOf('}')
  if (start < 0 || end < start) return null
  let parsed: unknown
  try {
    parsed = JSON.parse(text.slice(start, end + 1))
  } catch {
    return null
  }
  if (parsed === null || typeof parsed !== 'object') return null
  const root = parsed as Suite
  const list = (value: unknown): Suite[] => (Array.isArray(value) ? value.filter((one): one is Suite => one !== null && typeof one === 'object') : [])
  if (Array.isArray(root['testResults'])) { // vitest and jest
    const tests = list(root['testResults']).flatMap(file => list(file['assertionResults'])).map(test => ({
      name: typeof test['fullName'] === 'string' ? test['fullName'] : String(test['title'] ?? ''),
      status: test['status'] === 'passed' ? ('passed' as const) : test['status'] === 'failed' ? ('failed' as const) : ('skipped' as const),
      message: list([test]).flatMap(one => (Array.isArray(one['failureMessages']) ? one['failureMessages'].map(String) : [])).join('\n'),
    }))
    const first = tests.find(test => test.status === 'failed')
    return report('json', tests, {}, first === undefined ? null : `${first.name}\n${first.message.split('\n').slice(0, MAX_FAILURE_LINES).join('\n')}`.trimEnd())
  }
  if (root['stats'] !== null && typeof root['stats'] === 'object' && Array.isArray(root['tests'])) { // mocha
    const names = (key: string) => new Set(list(root[key]).map(test => String(test['fullTitle'] ?? test['title'] ?? '')))
    const [failed, pending] = [names('failures'), names('pending')]
    return report('json', list(root['tests']).map(test => {
      const name = String(test['fullTitle'] ?? test['title'] ?? '')
      return { name, status: failed.has(name) ? 'failed' as const : pending.has(name) ? 'skipped' as const : 'passed' as const }
    }))
  }
  return null
}

const entity = (text: string): string =>
  text.replace(/&(?:lt|gt|quot|apos|amp|#10|#39);/g, found => ({ '&lt;': '<', '&gt;': '>', '&quot;': '"', '&apos;': "'", '&amp;': '&', '&#10;': '\n', '&#39;': "'" })[found] ?? found)

function fromJunit(text: string): TestReport | null {
  if (!/<testsuites?\b/.test(text)) return null
  const tests: TestResult[] = []
  let failure: string | null = null
  // Each piece is one <testcase …/> or runs from one <testcase …> to the next tag that ends it.
  for (const piece of text.split(/<testcase\b/).slice(1)) {
    const head = /^((?:[^>"']|"[^"]*"|'[^']*')*?)(\/)?>/.exec(piece)
    if (head === null) continue
    const attribute = (name: string) => entity(new RegExp(`\\b${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`).exec(` ${head[1] ?? ''}`)?.slice(1).find(value => value !== undefined) ?? '')
    const body = head[2] === '/' ? '' : piece.slice(head[0].length).split('</testcase>')[0] ?? ''
    const status: Status = /<(?:failure|error)\b/.test(body) ? 'failed' : /<skipped\b/.test(body) ? 'skipped' : 'passed'
    const name = [attribute('classname'), attribute('name')].filter(part => part !== '').join(' > ')
    tests.push({ name, status })
    if (status === 'failed' && failure === null) failure = `${name}\n${entity(body.replace(/<!\[CDATA\[|\]\]>|<[^>]*>/g, '')).trim().split('\n').slice(0, MAX_FAILURE_LINES).join('\n')}`.trimEnd()
  }
  return tests.length === 0 && !/<testsuites?\b[^>]*\btests\s*=/.test(text) ? null : report('junit', tests, {}, failure)
}

const SUMMARY: readonly (readonly [Status, RegExp])[] = [
  ['passed', /^\s*(?:(?:ℹ|#)\s*pass\s+(\d+)|(\d+) passing\b|Tests:?\s.*?(\d+) passed)/m],
  ['failed', /^\s*(?:(?:ℹ|#)\s*fail\s+(\d+)|(\d+) failing\b|Tests:?\s.*?(\d+) failed)/m],
  ['skipped', /^\s*(?:(?:ℹ|#)\s*skipped\s+(\d+)|(\d+) pending\b|Tests:?\s.*?(\d+) skipped)/m],
]

/** Counts and times that runners put behind a name. */
const withoutNoise = (name: string): string => name.replace(/^[❯▶]\s*/, '').replace(/\s*\(\d+ tests?[^)]*\)/, '').replace(/\s*\(?\d+(?:\.\d+)?\s?m?s\)?$/, '')

/** Lines with a tick or a cross, as node's spec reporter, mocha, vitest and jest print them, under headings by indentation. */
function fromSpec(text: string): TestReport | null {
  const counts: Partial<Record<Status, number>> = {}
  for (const [status, pattern] of SUMMARY) {
    const found = pattern.exec(text)?.slice(1).find(number => number !== undefined)
    if (found !== undefined) counts[status] = Number(found)
  }
  if (Object.keys(counts).length === 0) return null
  const tests: TestResult[] = []
  const headings: { indent: number; name: string }[] = []
  for (const line of text.split('\n')) {
    if (/^\s*(?:\d+ (?:passing|failing|pending)\b|ℹ |# tests|Test Files|Tests:?\s|✖ failing tests)/.test(line)) break
    const indent = line.length - line.trimStart().length
    const found = /^\s*(✓|✔|√|✗|✖|×|✕|﹣|-|○|↓|⎯|\d+\))\s+(.*?)\s*(?:\(?\d+(?:\.\d+)?\s?m?s\)?)?(?:\s+#.*)?$/.exec(line)
    if (found === null) {
      const heading = /^\s*(?:▶ )?(\S.*?)\s*$/.exec(line)
      while (headings.length > 0 && (headings[headings.length - 1]?.indent ?? 0) >= indent) headings.pop()
      if (heading !== null) headings.push({ indent, name: withoutNoise(heading[1] ?? '') })
      continue
    }
    while (headings.length > 0 && (headings[headings.length - 1]?.indent ?? 0) >= indent) headings.pop()
    const status: Status = /^[✓✔√]/.test(found[1] ?? '') ? 'passed' : /^[-﹣○↓]/.test(found[1] ?? '') ? 'skipped' : 'failed'
    const name = [...headings.map(heading => heading.name), withoutNoise(found[2] ?? '')].join(' > ')
    // node's spec reporter closes a suite with a line of its own; it repeats the heading.
    if (found[2] !== undefined && text.includes(`▶ ${found[2]}`)) continue
    tests.push({ name, status })
  }
  return report('spec', tests, counts)
}
