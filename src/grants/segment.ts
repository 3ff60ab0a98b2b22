// Segment: one path segment against one pattern with `*` and `?`.
// Owns: the match of a single segment, and lists of segments with `**`. Linear memory, at most pattern × text steps: no pattern is slow.

/** Whether `text` matches `pattern`, where `*` is any run of characters and `?` any one (code point). */
export function matchSegment(pattern: string, text: string): boolean {
  if (!hasWildcard(pattern)) return pattern === text
  return matchList([...pattern], [...text], each => each === '*', (wanted, given) => wanted === '?' || wanted === given)
}

/** Whether a list of segments matches a list of patterns, where `**` is any number of segments, none included. */
export function matchSegments(patterns: readonly string[], segments: readonly string[]): boolean {
  return matchList(patterns, segments, each => each === '**', matchSegment)
}

/** Two-pointer wildcard match: after a mismatch only the latest star is tried one item further. */
function matchList(patterns: readonly string[], items: readonly string[], isStar: (pattern: string) => boolean, fits: (pattern: string, item: string) => boolean): boolean {
  let at = 0
  let item = 0
  let star = -1
  let starItem = 0
  while (item < items.length) {
    const pattern = patterns[at]
    if (pattern !== undefined && isStar(pattern)) {
      star = at++
      starItem = item
    } else if (pattern !== undefined && fits(pattern, items[item]!)) {
      at++
      item++
    } else if (star >= 0) {
      at = star + 1
      item = ++starItem
    } else {
      return false
    }
  }
  while (at < patterns.length && isStar(patterns[at]!)) at++
  return at === patterns.length
}

export function hasWildcard(text: string): boolean {
  return text.includes('*') || text.includes('?')
}
