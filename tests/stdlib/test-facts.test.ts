// Facts of test runs, from what the runners really print (test-output/, made with node 20, mocha 11, jest 30, ava 7, tape 5, tap 21, vitest 4), and of what is none.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { MAX_MESSAGE, MAX_TESTS } from '../../stdlib/shared/test-facts/facts.ts'
import { readFacts } from '../../stdlib/shared/test-facts/read-facts.ts'
import { problemOf } from '../../stdlib/shared/test-facts/verdict.ts'

const printed = (name: string): string => readFileSync(`tests/stdlib/test-output/${name}.txt`, 'utf8')
const factsOf = (name: string) => readFacts(printed(name))
const short = (name: string): string[] => factsOf(name).tests.map(each => `${each.outcome} ${each.name}`)

const node = ['fail math > divides', 'pass math > adds', 'pass math > deep > goes on', 'pass top > child', 'pass top > child two', 'skip math > later', 'todo math > think']
const mocha = ['fail hooks "before all" hook for "never"', 'fail math divides', 'pass math adds', 'pass math deep goes on', 'skip math later', 'skip math todo one']
const jest = ['fail math > deep > goes on', 'fail math > divides', 'fail other two', 'pass math > adds', 'pass other one', 'skip math > later', 'todo math > think']
const vitest = ['fail a.test.js > math > divides', 'pass a.test.js > math > adds', 'pass a.test.js > math > deep > goes on', 'pass b.test.js > other one', 'skip a.test.js > math > later', 'todo a.test.js > math > think']
const whole: readonly (readonly [string, string, readonly string[]])[] = [
  ['node-tap', 'node', node],
  ['node-spec', 'node', node],
  ['node-junit', 'junit', node.map(each => each.replace('todo', 'fail'))], // it has no word for todo
  ['mocha-spec', 'mocha', mocha.map(each => each.replace('hooks "', 'hooks > "').replace('deep goes', 'deep > goes').replace(/(?<= )math /, 'math > '))],
  ['mocha-json', 'mocha', mocha],
  ['mocha-tap', 'tap', mocha],
  ['jest-one', 'jest', jest.filter(each => !each.includes('other'))],
  ['jest-verbose', 'jest', jest],
  ['jest-json', 'jest', jest],
  ['ava', 'ava', ['fail a > divides', 'pass a > adds', 'pass b > other one', 'skip a > later', 'todo a > think']],
  ['ava-tap', 'tap', ['fail a › divides', 'pass a › adds', 'pass b › other one', 'skip a › later', 'todo a › think']],
  ['tape', 'tape', ['fail divides', 'pass adds', 'pass half']],
  ['tap-tap', 'tap', ['fail tp/t.test.js > divides > should be equal', 'pass tp/t.test.js > adds > should be equal', 'skip tp/t.test.js > later', 'todo tp/t.test.js > think']],
  ['vitest-verbose', 'vitest', vitest],
  ['vitest-tap', 'tap', vitest],
  ['vitest-json', 'vitest', vitest.map(each => each.replace(/[ab]\.test\.js > /, ''))],
  ['vitest-junit', 'junit', vitest.map(each => each.replace('todo', 'skip'))],
]

describe('what runners print', () => {
  test.each(whole)('%s', (name, runner, tests) => {
    const facts = factsOf(name)
    expect(short(name).sort()).toEqual([...tests].sort())
    expect(facts).toMatchObject({ runner, isWhole: true })
    expect(facts.counts.fail).toBe(tests.filter(each => each.startsWith('fail')).length)
    expect(facts.tests.find(each => each.name === facts.firstFailure)?.outcome).toBe('fail')
    for (const each of facts.tests.filter(one => one.name.includes('divides'))) expect(each.message, name).toMatch(/1|equal/)
  })

  test.each([['jest-text', 'jest', { pass: 2, fail: 3, skip: 1, todo: 1 }], ['vitest-text', 'vitest', { pass: 3, fail: 1, skip: 1, todo: 1 }]] as const)('%s names failing tests only, and says so', (name, runner, counts) => {
    const facts = factsOf(name)
    expect(facts).toMatchObject({ runner, counts, isWhole: false })
    expect(facts.tests.every(each => each.outcome === 'fail')).toBe(true)
    expect(facts.firstFailure).toMatch(/math > divides$/)
  })

  test('times and the order of files change nothing', () => {
    const text = printed('vitest-verbose')
    const other = text.replace(/^( . b\.test\.js .*\n)/m, '').replace(/^ . a\.test\.js > math > adds/m, ' ✓ b.test.js > other one 1ms\n$&').replace(/\d+ms/g, '777ms')
    expect(other).not.toBe(text)
    expect(readFacts(other)).toEqual(readFacts(text))
  })

  test('colours and carriage returns change nothing', () => {
    const coloured = printed('mocha-spec').replaceAll('✔', '\u001b[32m✔\u001b[0m').replaceAll('\n', '\r\n')
    expect(readFacts(coloured).tests.map(each => each.name)).toEqual(factsOf('mocha-spec').tests.map(each => each.name))
  })
})

describe('TAP', () => {
  const cases: readonly (readonly [string, string, readonly string[]])[] = [
    ['version 12, no header', '1..2\nok 1 - a\nnot ok 2 - b\n#   Failed test at t.pl line 3.\n', ['pass a', 'fail b']],
    ['skip and todo, and a failing todo is no failure', '1..3\nok 1 # SKIP no network\nnot ok 2 - later # TODO\nok 3 - hash \\# in it\n', ['skip (no name)', 'todo later', 'pass hash # in it']],
    ['a plan that is not fulfilled', 'TAP version 13\n1..3\nok 1 - a\n', ['pass a', 'fail the plan']],
    ['giving up', 'TAP version 13\nok 1 - a\nBail out! no disk\n', ['pass a', 'fail Bail out!']],
    ['the same name twice', '1..2\nok 1 - a\nnot ok 2 - a\n', ['pass a', 'fail a (2)']],
    ['buffered subtests of version 14', 'TAP version 14\nok 1 - file {\n    ok 1 - a\n    1..1\n}\nnot ok 2 - other {\n    1..0 # nothing\n}\n1..2\n', ['pass file > a', 'fail other']],
    ['a suite that fails by itself', '# Subtest: s\n    # Subtest: a\n    ok 1 - a\n    1..1\nnot ok 1 - s\n  ---\n  error: hook\n  ...\n1..1\n', ['pass s > a', 'fail s']],
    ['what a failing test says may look like TAP', 'TAP version 13\nnot ok 1 - a\n  ---\n    ok 7 - not me\n  ...\n1..1\n', ['fail a']],
  ]
  test.each(cases)('%s', (_, text, wanted) => {
    expect(readFacts(text).tests.map(each => `${each.outcome} ${each.name}`).sort()).toEqual([...wanted].sort())
  })
  test('nothing planned is nothing run', () => {
    for (const text of ['TAP version 13\n1..0\n', '1..0 # no tests\n', 'TAP version 13\n1..0 # no tests\n']) expect(problemOf({ exitCode: 0, timedOut: false }, readFacts(text), text)).toBe('nothing-ran')
  })
})

describe('whether a run passed', () => {
  const end = (text: string, exitCode: number | null = 0, more: { timedOut?: boolean; level?: number } = {}) => problemOf({ exitCode, timedOut: false, ...more }, readFacts(text), text)
  test('exit code 0, no failing test, and something ran', () => {
    expect(end('TAP version 13\nok 1 - a\n1..1\n')).toBeNull()
    expect(end('TAP version 13\nnot ok 1 - a\n1..1\n', 1)).toBe('tests-failed')
    expect(end('TAP version 13\nnot ok 1 - a\n1..1\n', 0)).toBe('tests-failed')
    expect(end('TAP version 13\nok 1 - a\n1..1\n', 3)).toBe('exit-code')
    expect(end('', null, { timedOut: true })).toBe('timed-out')
  })
  test('a suite that ran nothing did not', () => {
    for (const nothing of ['TAP version 13\n# Subtest: x\nok 1 - x # SKIP\n1..1\n', '\n  0 passing (1ms)\n', 'ℹ tests 0\nℹ pass 0\nℹ fail 0\n', 'Tests:       0 total\n', '0 passed in 0.01s\n']) expect(end(nothing), nothing).toBe('nothing-ran')
  })
  test('an unknown runner has its exit code, and counts if it printed any', () => {
    expect(end('all good\n')).toBeNull()
    expect(end('oh no\n', 1)).toBe('exit-code')
    expect(readFacts('=== 2 failed, 7 passed, 1 skipped in 0.3s ===\n')).toMatchObject({ runner: 'unknown', counts: { pass: 7, fail: 2, skip: 1, todo: 0 } })
  })
  test('tests that wanted a socket or a network are said to have, where the sandbox has none', () => {
    const listening = 'not ok 1 - serves\n  error: listen EPERM: operation not permitted 127.0.0.1\n1..1\n'
    expect(end(listening, 1, { level: 2 })).toBe('no-sockets')
    expect(end(listening, 1, { level: 3 })).toBe('tests-failed')
    expect(end('not ok 1 - asks\n  getaddrinfo EAI_AGAIN example.com\n1..1\n', 1, { level: 3 })).toBe('no-network')
    expect(end('ok 1 - says EPERM socket\n1..1\n', 0, { level: 2 })).toBeNull() // it explains a failure and makes none
  })
})

describe('output of anybody', () => {
  /** Pseudo-random numbers from a seed (mulberry32). */
  const seeded = (seed: number) => (): number => {
    seed = (seed + 0x6d2b79f5) | 0
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
  const pieces = [
    'TAP version 13', '# Subtest: ', 'ok 1 - ', 'not ok 2', ' # SKIP', ' # TODO x', '1..3', '    ', '---', '...', ' {', '}', '<testsuites>', '<testcase name="', '"', '>', '</testcase>', '<failure', '<![CDATA[', ']]>', '<!--',
    '{"testResults":[', '"assertionResults":[{}]', ']}', '{', '✔ ', '✖ ', '▶ ', '  1) ', '- ', 'ℹ tests 3', '  3 passing', 'Tests:  1 failed, 3 total', ' Test Files  1', '      Tests  2 passed (2)', ' FAIL  a > b', '  ● x › y', '\u001b[31m', '\r\n', '\0', '\ud800', ' > ', '𝒳', 'Bail out!', '(12ms)',
  ]
  test('gives facts, within bounds, and never throws', () => {
    const random = seeded(7)
    for (let round = 0; round < 3_000; round++) {
      const text = Array.from({ length: 1 + Math.floor(random() * 60) }, () => (pieces[Math.floor(random() * pieces.length)] ?? '') + (random() < 0.4 ? '\n' : '')).join('')
      const { tests, counts, firstFailure } = readFacts(text)
      for (const each of tests) expect(each.name).toMatch(/^[^\u0000-\u001f]{1,510}$/)
      expect(Object.values(counts).every(each => Number.isSafeInteger(each) && each >= 0)).toBe(true)
      if (firstFailure !== null) expect(tests.some(each => each.name === firstFailure && each.outcome === 'fail')).toBe(true)
    }
  })
  test.each([
    ['open tags', '<testcase '.repeat(200_000)], ['attributes', `<testsuite><testcase ${'a'.repeat(2_000_000)}>`], ['nested braces', '{'.repeat(2_000_000)], ['depth', Array.from({ length: 3_000 }, (_, n) => `${' '.repeat(n * 4)}# Subtest: x`).join('\n')],
    ['results', `TAP version 13\n${'not ok 1 - x\n'.repeat(200_000)}`], ['hashes', `1..1\nok ${'# '.repeat(1_000_000)}`], ['records', '{"a"}\n'.repeat(300_000)], ['crosses', `Tests: 1 total\n${'  ● a\n  ✕ a\n'.repeat(100_000)}`], ['spaces', `1..1\nok${' '.repeat(3_000_000)}x`],
  ])('is read in one pass: %s', (_, text) => {
    // The work of a quadratic reader on these is hours; the limit is only there to end it.
    const { tests } = readFacts(text)
    expect(tests.length).toBeLessThanOrEqual(MAX_TESTS)
    for (const each of tests) expect((each.message ?? '').length).toBeLessThanOrEqual(MAX_MESSAGE)
  }, 60_000)
})
