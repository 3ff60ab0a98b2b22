// stats: statistics of lists of numbers.
// Owns: the tools and what they give for too few numbers. Does not own: the formulas (measures).
//   S1. What has no value for so few numbers is null; arguments that can never have one fail.
import { definePlugin, pure, t, ToolFailure, z } from 'tek-lang/plugin'
import { correlation, mean, quantile, ranks, regression, sorted, variance, wilson } from './measures.ts'

const MAX_BINS = 10_000

const xs = z.array(z.number()).describe('The numbers.')
const ys = z.array(z.number()).describe('As many numbers, in the same order.')
const sample = z.boolean().default(true).describe('The numbers are a sample (over n − 1); false: they are everything (over n).')

const measure = (doc: string, example: string, least: number, of: (xs: number[]) => number) =>
  pure({ doc, input: { xs }, output: z.number().nullable(), runs: 'thread', example, run: ({ xs }) => (xs.length < least ? null : of(xs)) })

function sameLength(left: readonly number[], right: readonly number[]): void {
  if (left.length !== right.length) throw new ToolFailure('different-lengths', `The lists have ${left.length} and ${right.length} numbers; they must have as many.`)
}

function share(percent: number): number {
  if (!(percent >= 0 && percent <= 100)) throw new ToolFailure('bad-percentile', 'A percentile is from 0 to 100.')
  return percent / 100
}

function mode(list: readonly number[]): number[] {
  const counts = new Map<number, number>()
  let most = 0
  for (const x of list) {
    const count = (counts.get(x) ?? 0) + 1
    counts.set(x, count)
    most = Math.max(most, count)
  }
  return [...counts].filter(([, count]) => count === most).map(([x]) => x).sort((a, b) => a - b)
}

function histogram(list: readonly number[], bins: number): { from: number; to: number; count: number }[] {
  if (bins < 1 || bins > MAX_BINS) throw new ToolFailure('bad-count', `bins must be from 1 to ${MAX_BINS}.`)
  if (list.length === 0) return []
  const ordered = sorted(list)
  const [least, greatest] = [ordered[0] ?? 0, ordered[ordered.length - 1] ?? 0]
  if (least === greatest) return [{ from: least, to: greatest, count: list.length }]
  const width = (greatest - least) / bins
  const counts = new Array<number>(bins).fill(0)
  for (const x of list) {
    const bin = Math.min(bins - 1, Math.floor((x - least) / width))
    counts[bin] = (counts[bin] ?? 0) + 1
  }
  return counts.map((count, bin) => ({ from: least + bin * width, to: bin === bins - 1 ? greatest : least + (bin + 1) * width, count }))
}

const measures = {
  mean: measure('The sum over the number; null when empty.', 'stats.mean([1.0, 2.0, 6.0]) == 3.0', 1, mean),
  median: measure('The middle one in order, or the mean of the two in the middle; null when empty.', 'stats.median([5.0, 1.0, 2.0, 4.0]) == 3.0', 1, list => quantile(sorted(list), 0.5)),
  geometricMean: measure('The n-th root of the product of positive numbers; null when empty.', 'stats.geometricMean([1.0, 4.0]) == 2.0', 1, list => {
    if (list.some(x => x <= 0)) throw new ToolFailure('not-positive', 'The geometric mean is for positive numbers.')
    return Math.exp(mean(list.map(Math.log)))
  }),
  mad: measure('Median distance from the median: a spread that outliers do not move; null when empty.', 'stats.mad([1.0, 2.0, 3.0, 100.0]) == 1.0', 1, list => {
    const middle = quantile(sorted(list), 0.5)
    return quantile(sorted(list.map(x => Math.abs(x - middle))), 0.5)
  }),
  iqr: measure('Distance between the quarter points (75 % and 25 %); null when empty.', 'stats.iqr([1.0, 2.0, 3.0, 4.0, 5.0]) == 2.0', 1, list => {
    const ordered = sorted(list)
    return quantile(ordered, 0.75) - quantile(ordered, 0.25)
  }),
  variance: pure({
    doc: 'The mean square distance from the mean; null for too few numbers.',
    input: { xs, sample }, output: z.number().nullable(), runs: 'thread',
    example: 'stats.variance([1.0, 2.0, 3.0]) == 1.0',
    run: ({ xs, sample }) => (xs.length < (sample ? 2 : 1) ? null : variance(xs, sample)),
  }),
  stddev: pure({
    doc: 'The square root of the variance; null for too few numbers.',
    input: { xs, sample }, output: z.number().nullable(), runs: 'thread',
    example: 'stats.stddev([2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0], false) == 2.0',
    run: ({ xs, sample }) => (xs.length < (sample ? 2 : 1) ? null : Math.sqrt(variance(xs, sample))),
  }),
  percentile: pure({
    doc: 'The number below which a percentage lies, between two numbers by straight line; null when empty.',
    input: { xs, percent: z.number().describe('0 to 100.') }, output: z.number().nullable(), runs: 'thread',
    example: 'stats.percentile([10.0, 20.0, 30.0], 75.0) == 25.0',
    run: ({ xs, percent }) => {
      const at = share(percent)
      return xs.length === 0 ? null : quantile(sorted(xs), at)
    },
  }),
  mode: pure({
    doc: 'The most frequent numbers, in order; none when empty.',
    input: { xs }, output: z.array(z.number()), runs: 'thread',
    example: 'stats.mode([1.0, 2.0, 2.0, 3.0]) == [2.0]',
    run: ({ xs }) => (xs.length === 0 ? [] : mode(xs)),
  }),
  summary: pure({
    doc: 'Count, least, quarter points, greatest, mean and standard deviation in one go; null when empty.',
    input: { xs },
    output: z.object({ count: t.int, min: z.number(), q1: z.number(), median: z.number(), q3: z.number(), max: z.number(), mean: z.number(), stddev: z.number().nullable() }).nullable(),
    runs: 'thread',
    example: 'stats.summary([1.0, 2.0, 3.0])?.median == 2.0',
    run: ({ xs }) => {
      if (xs.length === 0) return null
      const ordered = sorted(xs)
      const at = (place: number) => quantile(ordered, place)
      return {
        count: xs.length, min: at(0), q1: at(0.25), median: at(0.5), q3: at(0.75), max: at(1), mean: mean(xs), stddev: xs.length < 2 ? null : Math.sqrt(variance(xs, true)),
      }
    },
  }),
}

const series = {
  histogram: pure({
    doc: 'How many numbers fall into each of some equally wide bins; the last includes its upper end. Equal numbers make one bin.',
    input: { xs, bins: t.int.default(10).describe('Number of bins, 1 to 10,000.') }, output: z.array(z.object({ from: z.number(), to: z.number(), count: t.int })), runs: 'thread',
    example: 'stats.histogram([0.0, 1.0, 2.0, 4.0], 2) == [{ from: 0.0, to: 2.0, count: 2 }, { from: 2.0, to: 4.0, count: 2 }]',
    run: ({ xs, bins }) => histogram(xs, bins),
  }),
  zScores: pure({
    doc: 'How many standard deviations each number is from the mean; all 0 when they do not vary.',
    input: { xs }, output: z.array(z.number()), runs: 'thread',
    example: 'map(stats.zScores([1.0, 3.0]), x => math.roundTo(x, 3)) == [-0.707, 0.707]',
    run: ({ xs }) => {
      const spread = xs.length < 2 ? 0 : Math.sqrt(variance(xs, true))
      const middle = xs.length === 0 ? 0 : mean(xs)
      return xs.map(x => (spread === 0 ? 0 : (x - middle) / spread))
    },
  }),
  movingAverage: pure({
    doc: 'The mean of each number and those before it, `window` in all; fewer at the start.',
    input: { xs, window: t.int.describe('How many numbers, at least 1.') }, output: z.array(z.number()), runs: 'thread',
    example: 'stats.movingAverage([1.0, 2.0, 3.0, 4.0], 2) == [1.0, 1.5, 2.5, 3.5]',
    run: ({ xs, window }) => {
      if (window < 1) throw new ToolFailure('bad-count', 'window must be at least 1.')
      let total = 0
      return xs.map((x, index) => {
        total += x
        if (index >= window) total -= xs[index - window] ?? 0
        return total / Math.min(window, index + 1)
      })
    },
  }),
  outliers: pure({
    doc: 'The numbers further than 1.5 times the quarter distance below or above the quarter points (Tukey).',
    input: { xs }, output: z.array(z.number()), runs: 'thread',
    example: 'stats.outliers([1.0, 2.0, 3.0, 4.0, 50.0]) == [50.0]',
    run: ({ xs }) => {
      if (xs.length === 0) return []
      const ordered = sorted(xs)
      const [low, high] = [quantile(ordered, 0.25), quantile(ordered, 0.75)]
      return xs.filter(x => x < low - 1.5 * (high - low) || x > high + 1.5 * (high - low))
    },
  }),
}

const relations = {
  correlation: pure({
    doc: 'How two lists go together, −1 to 1: along a straight line (Pearson), or in rank (Spearman). Null when either does not vary.',
    input: { xs, ys, kind: z.enum(['pearson', 'spearman']).default('pearson').describe('Straight line or rank.') }, output: z.number().nullable(), runs: 'thread',
    example: 'stats.correlation([1.0, 2.0, 3.0], [2.0, 4.0, 6.0]) == 1.0',
    run: ({ xs, ys, kind }) => {
      sameLength(xs, ys)
      if (xs.length < 2) return null
      return kind === 'pearson' ? correlation(xs, ys) : correlation(ranks(xs), ranks(ys))
    },
  }),
  linearRegression: pure({
    doc: 'The straight line with the least squares through points, and the share of the variance that it explains; null for fewer than two points or when x does not vary.',
    input: { xs, ys }, output: z.object({ slope: z.number(), intercept: z.number(), r2: z.number() }).nullable(), runs: 'thread',
    example: 'stats.linearRegression([0.0, 1.0, 2.0], [1.0, 3.0, 5.0]) == { slope: 2.0, intercept: 1.0, r2: 1.0 }',
    run: ({ xs, ys }) => {
      sameLength(xs, ys)
      return xs.length < 2 ? null : regression(xs, ys)
    },
  }),
  proportion: pure({
    doc: 'A share with the interval in which the true share lies (Wilson): 3 of 3 green runs is a rate of 1 but as low as 0.44.',
    input: { successes: t.int.describe('How many.'), trials: t.int.describe('Of how many.'), confidence: z.number().default(0.95).describe('How sure, between 0 and 1.') },
    output: z.object({ rate: z.number(), low: z.number(), high: z.number() }).nullable(),
    example: 'math.roundTo(stats.proportion(3, 3)?.low ?? 0.0, 2) == 0.44',
    run: ({ successes, trials, confidence }) => {
      if (successes < 0 || trials < successes) throw new ToolFailure('bad-count', 'successes must be from 0 to trials.')
      if (!(confidence > 0 && confidence < 1)) throw new ToolFailure('bad-confidence', 'confidence must be between 0 and 1.')
      return trials === 0 ? null : wilson(successes, trials, confidence)
    },
  }),
}

export default definePlugin({
  name: 'stats',
  version: '1.0.0',
  doc: 'Statistics of lists of numbers. What has no value for so few numbers is null.',
  tools: { ...measures, ...series, ...relations },
})
