// Test reports of real runners, and of what is none.
import { describe, expect, test } from 'vitest'
import { readTestReport } from '../../stdlib/shared/test-report.ts'

const nodeTap = `TAP version 13
# Subtest: math
    # Subtest: adds
    ok 1 - adds
      ---
      duration_ms: 0.6
      ...
    # Subtest: divides
    not ok 2 - divides
      ---
      duration_ms: 1.2
      failureType: 'testCodeFailure'
      error: 'Expected 1 to equal 2'
      ...
    1..2
not ok 1 - math
  ---
  duration_ms: 3
  type: 'suite'
  ...
# Subtest: later
ok 2 - later # SKIP not today
1..2
# tests 3
# pass 1
# fail 1
`

const tape = `TAP version 13
# adds
ok 1 should be equal
ok 2 should be truthy
# divides
not ok 3 should be equal
  ---
    operator: equal
    expected: 1
    actual:   2
  ...

1..3
# tests 3
# pass  2
# fail  1
`

const nodeSpec = `▶ math
  ✔ adds (0.57ms)
  ✖ divides (1.2ms)
✖ math (2.1ms)
﹣ later (0.1ms) # SKIP
ℹ tests 3
ℹ suites 1
ℹ pass 1
ℹ fail 1
ℹ cancelled 0
ℹ skipped 1
ℹ todo 0

✖ failing tests:

✖ divides (1.2ms)
  AssertionError
`

const mocha = `

  math
    ✔ adds
    1) divides
    - later

  1 passing (5ms)
  1 pending
  1 failing

  1) math
       divides:
`

const vitestJson = JSON.stringify({
  numTotalTests: 2, testResults: [{ name: '/x/a.test.ts', assertionResults: [
    { fullName: 'math adds', status: 'passed', title: 'adds' }, { fullName: 'math divides', status: 'failed', title: 'divides', failureMessages: ['AssertionError: expected 1\n  at x'] }, { fullName: 'math later', status: 'pending' },
  ] }],
})
const mochaJson = JSON.stringify({ stats: { tests: 2 }, tests: [{ fullTitle: 'math adds' }, { fullTitle: 'math divides' }], failures: [{ fullTitle: 'math divides' }], pending: [], passes: [] }, null, 2)
const junit = `<?xml version="1.0"?>
<testsuites tests="3"><testsuite name="a.test.ts">
<testcase classname="a.test.ts" name="math &gt; adds" time="0.1"/>
<testcase classname="a.test.ts" name="divides" time="0.2"><failure message="no">Expected &lt;1&gt;</failure></testcase>
<testcase name="later"><skipped/></testcase>
</testsuite></testsuites>`

const vitestText = ` RUN  v4.1.12 /x

 ✓ tests/a.test.ts (2 tests) 3ms
 ❯ tests/b.test.ts (2 tests | 1 failed) 4ms
   × divides 2ms

 Test Files  1 failed | 1 passed (2)
      Tests  1 failed | 3 passed | 2 skipped (6)
`

test.each([
  ['node:test as TAP', nodeTap, 'tap', [1, 1, 1], 'math > divides'],
  ['tape', tape, 'tap', [2, 1, 0], 'should be equal'],
  ['node:test spec', nodeSpec, 'spec', [1, 1, 1], 'math > divides'],
  ['mocha', mocha, 'spec', [1, 1, 1], 'math > divides'],
  ['vitest JSON', `> x@1 test\n> vitest\n\n${vitestJson}\n`, 'json', [1, 1, 1], 'math divides'],
  ['mocha JSON', mochaJson, 'json', [1, 1, 0], 'math divides'],
  ['JUnit', junit, 'junit', [1, 1, 1], 'a.test.ts > divides'],
  ['vitest text', vitestText, 'spec', [3, 1, 2], 'tests/b.test.ts > divides'],
])('%s', (_, output, format, [passed, failed, skipped], first) => {
  const found = readTestReport(output)
  expect(found).toMatchObject({ format, passed, failed, skipped })
  if (format !== 'spec') expect(found.tests).toHaveLength(passed! + failed! + skipped!)
  expect(found.firstFailure).toBe(first)
})

describe('details', () => {
  test('are the lines under the first failure', () => {
    expect(readTestReport(nodeTap).details).toContain("error: 'Expected 1 to equal 2'")
    expect(readTestReport(nodeTap).details).not.toContain('duration_ms')
    expect(readTestReport(junit).details).toBe('a.test.ts > divides\nExpected <1>')
    expect(readTestReport(vitestJson).details).toContain('expected 1')
  })
})

describe('equal runs give equal facts', () => {
  test('whatever the times, the order and the colours', () => {
    const other = '\u001b[32mTAP version 13\u001b[39m\nok 2 - b\nok 1 - a # time=9ms\n1..2\n'
    const facts = readTestReport('TAP version 13\nok 1 - a # time=1ms\nok 2 - b\n1..2\n')
    expect(readTestReport(other).tests.map(one => one.status)).toEqual(facts.tests.map(one => one.status))
    expect(readTestReport(mocha)).toEqual(readTestReport(mocha.replace('5ms', '77ms')))
    expect(readTestReport(nodeSpec).tests).toEqual(readTestReport(nodeSpec.replaceAll('1.2ms', '99.9ms')).tests)
  })
})

describe('what is no report', () => {
  test.each(['', 'hello', 'ok', 'everything is ok\nnot ok at all', '{"a":1}', '<html></html>', 'Tests are good', '{'.repeat(50_000)])('%#', text => {
    expect(readTestReport(text)).toMatchObject({ format: 'unknown', passed: 0, failed: 0, tests: [], firstFailure: null })
  })

  test('large hostile output is read in one pass', () => {
    const started = performance.now()
    readTestReport(`TAP version 13\n${'ok 1 - x # SKIP\n'.repeat(100_000)}1..1`)
    readTestReport(`<testsuite>${'<testcase name="'.repeat(50_000)}`)
    readTestReport(`  1 passing\n${' '.repeat(500_000)}✓`)
    expect(performance.now() - started).toBeLessThan(20_000)
  })
})
