// Measures: statistics of lists of numbers.
// Owns: the formulas, each named in its comment. Sums are compensated (Neumaier), so that their error does not grow with the length.

export function sum(xs: readonly number[]): number {
  let [total, lost] = [0, 0]
  for (const x of xs) {
    const next = total + x
    lost += Math.abs(total) >= Math.abs(x) ? total - next + x : x - next + total
    total = next
  }
  return total + lost
}

export const mean = (xs: readonly number[]): number => sum(xs) / xs.length

/** Mean square distance from the mean: over n − 1 for a sample (Bessel), over n for a whole population. */
export function variance(xs: readonly number[], sample: boolean): number {
  const middle = mean(xs)
  return sum(xs.map(x => (x - middle) ** 2)) / (sample ? xs.length - 1 : xs.length)
}

export const sorted = (xs: readonly number[]): number[] => [...xs].sort((a, b) => a - b)

/** Quantile by linear interpolation between order statistics (type 7 of Hyndman and Fan, 1996). `share` is 0 to 1. */
export function quantile(ordered: readonly number[], share: number): number {
  const place = share * (ordered.length - 1)
  const [low, high] = [ordered[Math.floor(place)] ?? 0, ordered[Math.ceil(place)] ?? 0]
  return low + (high - low) * (place - Math.floor(place))
}

function covariance(xs: readonly number[], ys: readonly number[]): number {
  const [mx, my] = [mean(xs), mean(ys)]
  return sum(xs.map((x, index) => (x - mx) * ((ys[index] ?? 0) - my)))
}

/** Pearson's r; null when either list does not vary. */
export function correlation(xs: readonly number[], ys: readonly number[]): number | null {
  const spread = Math.sqrt(covariance(xs, xs) * covariance(ys, ys))
  return spread === 0 ? null : Math.max(-1, Math.min(1, covariance(xs, ys) / spread))
}

/** Ranks from 1; equal values share the mean of their ranks. */
export function ranks(xs: readonly number[]): number[] {
  const order = xs.map((x, index) => ({ x, index })).sort((a, b) => a.x - b.x)
  const result = new Array<number>(xs.length).fill(0)
  for (let start = 0; start < order.length; ) {
    let end = start
    while (end + 1 < order.length && order[end + 1]?.x === order[start]?.x) end++
    for (let i = start; i <= end; i++) result[order[i]?.index ?? 0] = (start + end) / 2 + 1
    start = end + 1
  }
  return result
}

/** Ordinary least squares; null when x does not vary. */
export function regression(xs: readonly number[], ys: readonly number[]): { slope: number; intercept: number; r2: number } | null {
  const spread = covariance(xs, xs)
  if (spread === 0) return null
  const [together, height] = [covariance(xs, ys), covariance(ys, ys)]
  const slope = together / spread
  return { slope, intercept: mean(ys) - slope * mean(xs), r2: height === 0 ? 1 : Math.min(1, (slope * together) / height) }
}

/** Inverse of the normal distribution (Acklam's rational approximation, relative error below 1.2e-9). `share` strictly between 0 and 1. */
function normalQuantile(share: number): number {
  const a = [-3.969683028665376e1, 2.209460984245205e2, -2.759285104469687e2, 1.38357751867269e2, -3.066479806614716e1, 2.506628277459239]
  const b = [-5.447609879822406e1, 1.615858368580409e2, -1.556989798598866e2, 6.680131188771972e1, -1.328068155288572e1]
  const c = [-7.784894002430293e-3, -3.223964580411365e-1, -2.400758277161838, -2.549732539343734, 4.374664141464968, 2.938163982698783]
  const d = [7.784695709041462e-3, 3.224671290700398e-1, 2.445134137142996, 3.754408661907416]
  const polynomial = (factors: readonly number[], x: number) => factors.reduce((total, factor) => total * x + factor, 0)
  if (share < 0.02425 || share > 1 - 0.02425) {
    const q = Math.sqrt(-2 * Math.log(Math.min(share, 1 - share)))
    const tail = polynomial(c, q) / polynomial([...d, 1], q)
    return share < 0.5 ? tail : -tail
  }
  const q = share - 0.5
  return (polynomial(a, q * q) * q) / polynomial([...b, 1], q * q)
}

/** Wilson's score interval for a share (Wilson, 1927). */
export function wilson(successes: number, trials: number, confidence: number): { rate: number; low: number; high: number } {
  const zValue = normalQuantile(1 - (1 - confidence) / 2)
  const rate = successes / trials
  const denominator = 1 + zValue ** 2 / trials
  const centre = (rate + zValue ** 2 / (2 * trials)) / denominator
  const half = (zValue * Math.sqrt((rate * (1 - rate)) / trials + zValue ** 2 / (4 * trials ** 2))) / denominator
  return { rate, low: successes === 0 ? 0 : Math.max(0, centre - half), high: successes === trials ? 1 : Math.min(1, centre + half) }
}
