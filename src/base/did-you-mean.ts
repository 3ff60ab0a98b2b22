// Did you mean: the nearest known words to an unknown one.
// Owns: the distance and its bound. Does not own: which words are in scope.
//   N1. At most 3 suggestions, none farther than 1 + a quarter of the word's length (1 for a word of up to 4 letters, only the case for one letter), and each shares a letter with it.
//   N2. Where a word is one slip away, those that are more are not named: `modle` is `model`, not `role`.

const MAX_SUGGESTIONS = 3
const MAX_CANDIDATES = 20_000

/** Edit distance with swaps of neighbours (optimal string alignment), cut off above `limit`. */
function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1
  let before: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const current = [i]
    let best = i
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1
      let value = Math.min(previous[j]! + 1, current[j - 1]! + 1, previous[j - 1]! + cost)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) value = Math.min(value, before[j - 2]! + 1)
      current.push(value)
      if (value < best) best = value
    }
    if (best > limit) return limit + 1
    before = previous
    previous = current
  }
  return previous[b.length]!
}

/**
 * The known words nearest to `word`, best first.
 *
 * @example
 * didYouMean('flies', ['files', 'scan']) // ['files']
 */
export function didYouMean(word: string, known: Iterable<string>): string[] {
  const limit = word.length === 1 ? 0 : word.length <= 4 ? 1 : 1 + Math.floor(word.length / 4) // N1
  const lower = word.toLowerCase()
  const near: { name: string; far: number }[] = []
  let seen = 0
  for (const name of known) {
    if (++seen > MAX_CANDIDATES) break
    const far = name.toLowerCase() === lower ? 0 : distance(lower, name.toLowerCase(), limit)
    if (far <= limit && far < Math.max(word.length, name.length)) near.push({ name, far })
  }
  near.sort((a, b) => a.far - b.far || (a.name < b.name ? -1 : 1))
  const nearest = near[0]?.far === 1 ? near.filter(each => each.far === 1) : near // N2
  return [...new Set(nearest.map(each => each.name))].slice(0, MAX_SUGGESTIONS)
}
