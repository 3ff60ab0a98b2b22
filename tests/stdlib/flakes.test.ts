// Flake statistics against simulation and against the figures that the design promises; what runs side by side say; judging a candidate.
import { describe, expect, test } from 'vitest'
import { chanceSeen, decided, evidence, failureRate, runsFor } from '../../stdlib/tests/flakes.ts'
import { lineDifferences } from '../../stdlib/tests/output-lines.ts'
import { changesBetween, COMMAND, judge, stabilityOf, type Run } from '../../stdlib/tests/stability.ts'
import { callPure, failureOf } from './call.ts'
import plugin from '../../stdlib/tests/plugin.ts'

/** Pseudo-random numbers from a seed (mulberry32). */
function seeded(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
const percent = (share: number): number => Math.round(1_000 * share) / 10

describe('bounds of a rate (Clopper and Pearson)', () => {
  test('three green runs bound it below 63 %, ten below 26 %, thirty below 9.5 %', () => {
    expect([3, 10, 30].map(runs => percent(failureRate(0, runs, 0.95).atMost))).toEqual([63.2, 25.9, 9.5])
  })
  test('published values: 2 of 10 lies between 3.7 % and 50.7 %; a bound is exact where it is easy', () => {
    const { rate, atLeast, atMost } = failureRate(2, 10, 0.95)
    expect([rate, percent(atLeast), percent(atMost)]).toEqual([0.2, 3.7, 50.7])
    expect(failureRate(10, 10, 0.95)).toMatchObject({ rate: 1, atMost: 1 })
    expect(failureRate(10, 10, 0.95).atLeast).toBeCloseTo(0.05 ** 0.1, 6)
  })
  test('in simulation a bound holds at least as often as it says', () => {
    const random = seeded(3)
    for (const rate of [0.01, 0.05, 0.2, 0.5]) {
      let held = 0
      for (let round = 0; round < 2_000; round++) {
        let fails = 0
        for (let run = 0; run < 12; run++) if (random() < rate) fails++
        if (failureRate(fails, 12, 0.95).atMost >= rate) held++
      }
      expect(held / 2_000, `rate ${rate}`).toBeGreaterThan(0.94)
    }
  })
  test('runs for a rate, and back', () => {
    for (const rate of [0.5, 0.26, 0.1, 0.05]) expect(failureRate(0, runsFor(rate, 0.95), 0.95).atMost).toBeLessThanOrEqual(rate)
    expect([runsFor(0.05, 0.95), runsFor(0.26, 0.95)]).toEqual([59, 10])
  })
})

describe('the table of the design', () => {
  const rates = [0.01, 0.05, 0.1, 0.2, 0.3, 0.5]
  test('3 runs disagree', () => {
    expect(rates.map(rate => Math.round(100 * chanceSeen(rate, 3)))).toEqual([3, 14, 27, 48, 63, 75])
  })
  test('in simulation, flaky tests are found at the computed rate', () => {
    const random = seeded(11)
    for (const rate of rates) {
      let found = 0
      const rounds = 2_000
      for (let round = 0; round < rounds; round++) {
        const runs = Array.from({ length: 3 }, () => run([['x', random() < rate ? 'fail' : 'pass']]))
        if (stabilityOf(runs, 0.95)[0]?.verdict === 'flaky') found++
      }
      expect(Math.abs(found / rounds - chanceSeen(rate, 3)), `rate ${rate}`).toBeLessThan(0.04)
    }
  })
})

describe('sequential judging (Wald)', () => {
  const rounds = 4_000
  function simulate(truth: number, rates: { good: number; bad: number }, seed: number) {
    const random = seeded(seed)
    let [runs, good, bad] = [0, 0, 0]
    for (let round = 0; round < rounds; round++) {
      let [passes, fails] = [0, 0]
      for (let verdict = 'go-on'; verdict === 'go-on' && passes + fails < 200;) {
        if (random() < truth) fails++
        else passes++
        verdict = decided(evidence(passes, fails, rates), { alpha: 0.05, beta: 0.01 })
        if (verdict === 'good') good++
        if (verdict === 'bad') bad++
      }
      runs += passes + fails
    }
    return { mean: runs / rounds, good: good / rounds, bad: bad / rounds }
  }
  test.each([[0.05, 0.9, 3.3, 2.3], [0.05, 0.5, 9.8, 4.8], [0.01, 0.9, 2.0, 1.2]])('f %d against %d: mean runs %d and %d, as the design has them', (good, bad, meanGood, meanBad) => {
    const [fine, broken] = [simulate(good, { good, bad }, 5), simulate(bad, { good, bad }, 6)]
    expect(Math.abs(fine.mean - meanGood)).toBeLessThan(0.6)
    expect(Math.abs(broken.mean - meanBad)).toBeLessThan(0.6)
    expect(fine.bad).toBeLessThan(0.06) // α
    expect(broken.good).toBeLessThan(0.02) // β
  })
})

const outcomes = (tests: readonly (readonly [string, 'pass' | 'fail' | 'skip'])[]) => ({
  pass: tests.filter(each => each[1] === 'pass').length, fail: tests.filter(each => each[1] === 'fail').length, skip: tests.filter(each => each[1] === 'skip').length, todo: 0,
})
function run(tests: readonly (readonly [string, 'pass' | 'fail' | 'skip'])[], more: Partial<Run> = {}): Run {
  const passed = tests.every(each => each[1] !== 'fail')
  return { passed, problem: passed ? null : 'tests-failed', isWhole: true, counts: outcomes(tests), tests: tests.map(([name, outcome]) => ({ name, outcome })), ...more }
}
const green = run([['a', 'pass'], ['b', 'pass']])
const red = run([['a', 'pass'], ['b', 'fail']])

describe('runs side by side', () => {
  test('stable, flaky, failing, skipped', () => {
    const rows = stabilityOf([run([['a', 'pass'], ['b', 'fail'], ['c', 'fail'], ['d', 'skip']]), run([['a', 'pass'], ['b', 'pass'], ['c', 'fail'], ['d', 'skip']])], 0.95)
    expect(rows.map(row => [row.name, row.verdict, row.fails, row.failedIn])).toEqual([['b', 'flaky', 1, [1]], ['c', 'failing', 2, [1, 2]], ['a', 'stable', 0, []], ['d', 'skipped', 0, []]])
  })
  test('a test that comes and goes is flaky; one that a list of failures does not name has passed', () => {
    expect(stabilityOf([green, run([['a', 'pass']])], 0.95)[0]).toMatchObject({ name: 'b', verdict: 'flaky' })
    const named = (names: readonly string[]) => run(names.map(name => [name, 'fail']), { isWhole: false, counts: { pass: 5, fail: names.length, skip: 0, todo: 0 } })
    expect(stabilityOf([named(['b']), named([]), named([])], 0.95)).toMatchObject([{ name: 'b', verdict: 'flaky', fails: 1, runs: 3 }])
  })
  test('a command that ends badly without a failing test is a row of its own', () => {
    const broken = run([], { passed: false, problem: 'exit-code' })
    expect(stabilityOf([broken, broken, run([])], 0.95)).toMatchObject([{ name: COMMAND, verdict: 'flaky', fails: 2 }])
  })
  test('what two runs saw differently', () => {
    expect(changesBetween(green, run([['b', 'fail'], ['c', 'pass']]))).toEqual([{ name: 'a', before: 'pass', after: null }, { name: 'b', before: 'pass', after: 'fail' }, { name: 'c', before: null, after: 'pass' }])
  })
})

describe('judging a candidate', () => {
  const limits = { most: 10, alpha: 0.05, beta: 0.01 }
  const times = (count: number, what: Run): Run[] => Array.from({ length: count }, () => what)
  const verdict = (baseline: readonly Run[], candidate: readonly Run[]) => judge(baseline, candidate, limits).verdict
  test('three green runs are the least for good; a regression that always fails is bad after two', () => {
    expect([1, 2, 3].map(runs => verdict(times(3, green), times(runs, green)))).toEqual(['go-on', 'go-on', 'good'])
    expect([1, 2].map(runs => verdict(times(3, green), times(runs, red)))).toEqual(['go-on', 'bad'])
    expect(judge(times(3, green), times(2, red), limits)).toMatchObject({ test: 'b', why: 'It fails in 2 of 2 runs; before it was 0 of 3.' })
  })
  test('a test that is known to be flaky is judged by its own rate', () => {
    const flaky = [...times(7, green), ...times(3, red)]
    expect(verdict(flaky, [green, red, green, green])).not.toBe('bad')
    expect(verdict(flaky, [red, red])).toBe('go-on')
    expect(verdict(flaky, times(5, red))).toBe('bad')
  })
  test('fewer tests, a test that is gone or skipped, a suite that ran nothing: bad at once', () => {
    expect(judge(times(3, green), [run([['a', 'pass']])], limits)).toMatchObject({ verdict: 'bad', why: 'It ran 1 tests where 2 ran before.' })
    expect(judge(times(3, green), [run([['a', 'pass'], ['c', 'pass']])], limits)).toMatchObject({ verdict: 'bad', test: 'b' })
    expect(judge(times(3, green), [run([['a', 'pass'], ['b', 'skip']])], limits)).toMatchObject({ verdict: 'bad', test: 'b', why: 'It is skipped where it ran before.' })
    expect(verdict(times(3, green), [run([], { passed: false, problem: 'nothing-ran' })])).toBe('bad')
  })
  test('a command that dies without a failing test is not good, whatever the counts say', () => {
    expect(verdict(times(3, green), times(3, run([['a', 'pass'], ['b', 'pass']], { passed: false, problem: 'exit-code' })))).toBe('bad')
  })
  test('a baseline that is red says nothing about what fails in it; the rest counts', () => {
    expect(verdict(times(3, red), times(3, red))).toBe('good')
    expect(verdict(times(3, red), times(2, run([['a', 'fail'], ['b', 'fail']])))).toBe('bad')
  })
  test('after the last run it is unsure, not good', () => {
    const half = Array.from({ length: 10 }, (_, at) => (at % 2 === 0 ? red : green))
    const verdicts = half.map((_, at) => verdict(times(3, green), half.slice(0, at + 1)))
    expect(verdicts).toEqual([...times(9, green).map(() => 'go-on'), 'unsure'])
  })
  test('in simulation: what always fails is never good; what flakes as before is refused about as rarely as α says', () => {
    const random = seeded(23)
    const flip = (rate: number) => (random() < rate ? red : green)
    let [refused, promoted] = [0, 0]
    for (let round = 0; round < 500; round++) {
      const baseline = Array.from({ length: 10 }, () => flip(0.05))
      const judged = (next: () => Run) => {
        const runs: Run[] = []
        for (let verdict = 'go-on'; verdict === 'go-on';) verdict = judge(baseline, [...runs, (runs.push(next()), runs.at(-1)!)].slice(-runs.length), limits).verdict
        return judge(baseline, runs, limits).verdict
      }
      if (judged(() => flip(0.05)) === 'bad') refused++
      if (judged(() => red) === 'good') promoted++
    }
    expect(promoted).toBe(0)
    expect(refused / 500).toBeLessThan(0.05)
  })
})

describe('lines beside those of good runs', () => {
  test('numbers, hashes, temporary names and order do not count', () => {
    const good = ['start /tmp/x-a1b2c3d4\nok a (3ms)\nok b (9ms)\n1 of 2', 'start /tmp/x-99887766\nok b (1ms)\nok a (12ms)\n1 of 2']
    expect(lineDifferences(good, 'ok b (2ms)\nstart /tmp/x-12341234\nok a (0ms)\n1 of 2')).toEqual({ missing: [], added: [] })
    expect(lineDifferences(good, 'ok b (2ms)\nnot ok a\nstart /tmp/x-12341234\n1 of 2')).toEqual({ missing: ['ok a (3ms)'], added: ['not ok a'] })
  })
  test('what good runs do not all print is noise', () => {
    expect(lineDifferences(['same\nmonday', 'same\ntuesday'], 'same\nmonday')).toEqual({ missing: [], added: [] })
  })
})

test('numbers that make no sense are refused', () => {
  expect(failureOf(() => callPure(plugin, 'rate', 4, 3))).toBe('bad-count')
  expect(failureOf(() => callPure(plugin, 'rate', 0, 0))).toBe('bad-count')
  expect(failureOf(() => callPure(plugin, 'runsFor', 1.5))).toBe('bad-share')
  expect(failureOf(() => callPure(plugin, 'runsFor', 0.000_001))).toBe('bad-count')
  expect(failureOf(() => callPure(plugin, 'sequential', 1, 1, 0.9, 0.5))).toBe('bad-share')
})
