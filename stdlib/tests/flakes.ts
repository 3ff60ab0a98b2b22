// Flakes: what a number of runs says about how often a test fails, and when enough runs were seen.
// Owns: bounds of a rate, the chance to see a flake, sequential judging of a rate. Does not own: which tests there are (stability, judge).
//   K1. Bounds are Clopper and Pearson's (1934), one-sided, exact: three green runs bound the rate of failing only below 63 % at 95 % confidence.
//   K2. A test that gave both outcomes on the same code is flaky, whatever its rate. That needs no statistics; that it is stable does.
//   K3. Sequential judging is Wald's test (1945) of two rates, with his bounds: of good ones at most α are refused, of bad ones at most β are taken.
import { ToolFailure } from 'tek-lang/plugin'

export const MAX_RUNS = 10_000
const HALVINGS = 60
/** Rates stay away from 0 and 1 by this much: one outcome alone never decides. */
const LEAST_RATE = 0.001

export interface Rate {
  rate: number
  atLeast: number
  atMost: number
}

export function checkedShare(name: string, value: number): number {
  if (!(value > 0 && value < 1)) throw new ToolFailure('bad-share', `${name} must lie between 0 and 1.`)
  return value
}

export function checkedRuns(runs: number): number {
  if (!Number.isInteger(runs) || runs < 1 || runs > MAX_RUNS) throw new ToolFailure('bad-count', `The number of runs must be from 1 to ${MAX_RUNS}.`)
  return runs
}

/** Chance of at most `fails` failures in `runs` when each fails with chance `rate`. */
function atMostFails(fails: number, runs: number, rate: number): number {
  let [log, sum] = [runs * Math.log1p(-rate), 0]
  for (let k = 0; k <= fails; k++) {
    if (k > 0) log += Math.log(runs - k + 1) - Math.log(k) + Math.log(rate) - Math.log1p(-rate)
    sum += Math.exp(log)
  }
  return Math.min(1, sum)
}

function solve(holds: (rate: number) => boolean): number {
  let [low, high] = [0, 1]
  for (let step = 0; step < HALVINGS; step++) {
    const middle = (low + high) / 2
    if (holds(middle)) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/** Rate of failing with its bounds, each at this confidence. // K1 */
export function failureRate(fails: number, runs: number, confidence: number): Rate {
  const doubt = 1 - confidence
  return {
    rate: fails / runs,
    atLeast: fails === 0 ? 0 : solve(rate => 1 - atMostFails(fails - 1, runs, rate) < doubt),
    atMost: fails === runs ? 1 : solve(rate => atMostFails(fails, runs, rate) > doubt),
  }
}

/** Chance that `runs` runs show both outcomes of a test that fails with this chance. */
export const chanceSeen = (rate: number, runs: number): number => 1 - (1 - rate) ** runs - rate ** runs

/** Green runs after which a rate of failing is below this, at this confidence. */
export const runsFor = (rate: number, confidence: number): number => Math.ceil(Math.log(1 - confidence) / Math.log1p(-rate) - 1e-9)

export type Sequential = 'good' | 'bad' | 'go-on'

export interface Rates {
  /** Chance that one run fails though all is well. */
  readonly good: number
  /** Chance that one run fails when something is broken. */
  readonly bad: number
  readonly alpha: number
  readonly beta: number
}

const inside = (rate: number): number => Math.min(1 - LEAST_RATE, Math.max(LEAST_RATE, rate))

/** Evidence for "broken" in these outcomes, as the logarithm of the ratio of likelihoods. */
export function evidence(passes: number, fails: number, { good, bad }: Pick<Rates, 'good' | 'bad'>): number {
  const [fine, broken] = [inside(good), inside(bad)]
  return fails * Math.log(broken / fine) + passes * Math.log((1 - broken) / (1 - fine))
}

export function decided(ratio: number, { alpha, beta }: Pick<Rates, 'alpha' | 'beta'>): Sequential { // K3
  return ratio >= Math.log((1 - beta) / alpha) ? 'bad' : ratio <= Math.log(beta / (1 - alpha)) ? 'good' : 'go-on'
}
