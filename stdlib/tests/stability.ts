// Stability: runs of one test command, side by side: which tests always did the same, which did not, and what a candidate's runs mean beside a baseline's.
// Owns: the table per test, differences of runs, judging a candidate. Does not own: statistics (flakes), reading output.
//   S1. A test that a run does not name passed there, if that run's list is not whole (its runner names failing tests only); else it did not run.
//   S2. The command itself is a test among the others, named COMMAND: it fails where a run ended badly and no test failed.
//   S3. A candidate is judged test by test against that test's own rate in the baseline (Krichevsky–Trofimov's estimate, at least LEAST_GOOD), so a test that is
//       known to be flaky is not held against it at once, and one that never failed is. A test that failed in every run of the baseline says nothing.
//   S4. A test that the baseline ran and the candidate does not, or skips, is a failure that no further run takes back; so are fewer tests in all.
//   S5. Tests that are new are judged as if they had never failed.
import { decided, evidence, failureRate, type Rate } from './flakes.ts'

export const COMMAND = '(the command)'
const LEAST_GOOD = 0.01
const MOST_GOOD = 0.5
/** A regression that is there fails about this often. */
const BAD = 0.9

export interface Run {
  readonly passed: boolean
  readonly problem: string | null
  readonly isWhole: boolean
  readonly counts: { readonly pass: number; readonly fail: number; readonly skip: number; readonly todo: number }
  readonly tests: readonly { readonly name: string; readonly outcome: 'pass' | 'fail' | 'skip' | 'todo' }[]
}

type Seen = 'pass' | 'fail' | 'skip' | 'absent'

interface Row {
  readonly name: string
  readonly seen: readonly Seen[]
}

/** What each run saw of each test, in the order of the runs. */
function rowsOf(runs: readonly Run[]): Row[] {
  const byRun = runs.map(run => new Map(run.tests.map(test => [test.name, test.outcome] as const)))
  const names = new Set(byRun.flatMap(tests => [...tests.keys()]))
  const rows = [...names].sort().map((name): Row => ({
    name,
    seen: runs.map((run, index) => {
      const outcome = byRun[index]?.get(name)
      return outcome === undefined ? (run.isWhole ? 'absent' : 'pass') : outcome === 'todo' ? 'skip' : outcome // S1
    }),
  }))
  const command = runs.map((run): Seen => (run.passed || run.tests.some(test => test.outcome === 'fail') ? 'pass' : 'fail')) // S2
  return command.includes('fail') ? [...rows, { name: COMMAND, seen: command }] : rows
}

export interface Stability extends Rate {
  name: string
  verdict: 'stable' | 'flaky' | 'failing' | 'skipped'
  runs: number
  fails: number
  /** Numbers of the runs, from 1. */
  failedIn: number[]
}

const count = (seen: readonly Seen[], wanted: Seen): number => seen.filter(each => each === wanted).length

/** One row a test: flaky ones first, then failing, by how often they fail. */
export function stabilityOf(runs: readonly Run[], confidence: number): Stability[] {
  const order = { flaky: 0, failing: 1, stable: 2, skipped: 3 }
  return rowsOf(runs).map(({ name, seen }): Stability => {
    const [passes, fails, absent] = [count(seen, 'pass'), count(seen, 'fail'), count(seen, 'absent')]
    const ran = passes + fails
    // A test that comes and goes does not always do the same either.
    const verdict = ran === 0 ? 'skipped' : fails > 0 && passes + absent > 0 ? 'flaky' : fails > 0 ? 'failing' : absent > 0 && name !== COMMAND ? 'flaky' : 'stable'
    const rate = ran === 0 ? { rate: 0, atLeast: 0, atMost: 1 } : failureRate(fails, ran, confidence)
    return { name, verdict, runs: ran, fails, ...rate, failedIn: seen.flatMap((each, index) => (each === 'fail' ? [index + 1] : [])) }
  }).sort((a, b) => order[a.verdict] - order[b.verdict] || b.rate - a.rate || (a.name < b.name ? -1 : 1))
}

export interface Change {
  name: string
  before: 'pass' | 'fail' | 'skip' | null
  after: 'pass' | 'fail' | 'skip' | null
}

/** Tests that two runs saw differently. */
export function changesBetween(before: Run, after: Run): Change[] {
  const shown = (seen: Seen | undefined) => (seen === undefined || seen === 'absent' ? null : seen)
  return rowsOf([before, after]).filter(({ seen }) => seen[0] !== seen[1]).map(({ name, seen }) => ({ name, before: shown(seen[0]), after: shown(seen[1]) }))
}

export interface Judgement {
  verdict: 'good' | 'bad' | 'go-on' | 'unsure'
  why: string
  /** The test that decided. */
  test: string | null
}

const total = ({ counts }: Run): number => counts.pass + counts.fail + counts.skip + counts.todo

export function judge(baseline: readonly Run[], candidate: readonly Run[], limits: { readonly most: number; readonly alpha: number; readonly beta: number }): Judgement {
  const known = new Map(rowsOf(baseline).map(row => [row.name, row.seen] as const))
  const latest = candidate.at(-1)
  if (latest === undefined) return { verdict: 'go-on', why: 'It was not run yet.', test: null }
  if (baseline.length > 0 && total(latest) < Math.min(...baseline.map(total))) { // S4
    return { verdict: 'bad', why: `It ran ${total(latest)} tests where ${Math.min(...baseline.map(total))} ran before.`, test: null }
  }
  const rows = rowsOf(candidate)
  if (!rows.some(row => row.name === COMMAND)) rows.push({ name: COMMAND, seen: candidate.map(() => 'pass') })
  let open: string | null = null
  for (const { name, seen } of rows) {
    const before = known.get(name)
    const [passes, fails] = before === undefined ? [baseline.length, 0] : [count(before, 'pass'), count(before, 'fail')] // S5
    if (fails > 0 && passes === 0) continue // S3
    if (before !== undefined && passes > 0 && (seen.includes('absent') || seen.includes('skip')) && before.every(each => each === 'pass' || each === 'fail')) { // S4
      return { verdict: 'bad', why: seen.includes('skip') ? 'It is skipped where it ran before.' : 'It does not run any more.', test: name }
    }
    const good = Math.min(MOST_GOOD, Math.max(LEAST_GOOD, (fails + 0.5) / (passes + fails + 1))) // S3
    const ran = { passes: count(seen, 'pass'), fails: count(seen, 'fail') }
    const verdict = ran.passes + ran.fails === 0 ? 'good' : decided(evidence(ran.passes, ran.fails, { good, bad: BAD }), limits)
    if (verdict === 'bad') return { verdict, why: `It fails in ${ran.fails} of ${ran.passes + ran.fails} runs; before it was ${fails} of ${passes + fails}.`, test: name }
    if (verdict === 'go-on') open ??= name
  }
  const gone = [...known].find(([name, seen]) => name !== COMMAND && latest.isWhole && seen.every(each => each === 'pass' || each === 'fail') && !rows.some(row => row.name === name))
  if (gone !== undefined) return { verdict: 'bad', why: 'It does not run any more.', test: gone[0] } // S4
  if (open === null) return { verdict: 'good', why: `${candidate.length} runs, none against it.`, test: null }
  return candidate.length >= limits.most ? { verdict: 'unsure', why: `${candidate.length} runs did not decide.`, test: open } : { verdict: 'go-on', why: 'Not enough runs yet.', test: open }
}
