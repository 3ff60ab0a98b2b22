// Compare: how two texts differ and how near they are.
// Owns: line differences (Myers, from the npm package `diff`), likeness by letter pairs, edit distance.
//   C1. Work is bounded: beyond MAX_EDITS changed lines the difference is "all of this out, all of that in", which is true if not the shortest.
import { diffArrays, structuredPatch } from 'diff'
import { ToolFailure } from 'tek-lang/plugin'

const MAX_EDITS = 5_000
const MAX_DISTANCE_LENGTH = 5_000

export interface DiffLine {
  kind: 'same' | 'added' | 'removed'
  text: string
}

export const linesOf = (text: string): string[] => {
  const lines = text.split(/\r\n|\n|\r/)
  if (lines[lines.length - 1] === '') lines.pop()
  return lines
}

export function lineDifference(before: string, after: string): DiffLine[] {
  const [from, to] = [linesOf(before), linesOf(after)]
  const changes = diffArrays(from, to, { maxEditLength: MAX_EDITS })
  if (changes === undefined) { // C1
    return [...from.map(text => ({ kind: 'removed' as const, text })), ...to.map(text => ({ kind: 'added' as const, text }))]
  }
  return changes.flatMap(change =>
    change.value.map(text => ({ kind: change.added ? ('added' as const) : change.removed ? ('removed' as const) : ('same' as const), text })))
}

/** Unified difference as `diff -u` writes it; empty when the texts are equal. */
export function unifiedDifference(before: string, after: string, names: { before: string; after: string }, contextLines: number): string {
  if (before === after) return ''
  const patch = structuredPatch(names.before, names.after, before, after, '', '', { context: contextLines, maxEditLength: MAX_EDITS })
  const head = `--- ${names.before}\n+++ ${names.after}\n`
  if (patch === undefined) { // C1
    const [from, to] = [linesOf(before), linesOf(after)]
    const range = (count: number) => (count === 0 ? '0,0' : `1,${count}`)
    return `${head}@@ -${range(from.length)} +${range(to.length)} @@\n${[...from.map(line => `-${line}`), ...to.map(line => `+${line}`)].join('\n')}\n`
  }
  return head + patch.hunks
    .map(hunk => `@@ -${hunk.oldStart},${hunk.oldLines} +${hunk.newStart},${hunk.newLines} @@\n${hunk.lines.join('\n')}\n`)
    .join('')
}

/** Sørensen–Dice over pairs of neighbouring code points (lower case, white space collapsed): 1 is alike, 0 has no pair in common. */
export function similarity(a: string, b: string): number {
  const [left, right] = [a, b].map(text => [...text.toLowerCase().replace(/\s+/g, ' ').trim()])
  if (left === undefined || right === undefined) return 0
  if (left.join('') === right.join('')) return 1
  if (left.length < 2 || right.length < 2) return 0
  const pairs = new Map<string, number>()
  for (let i = 0; i + 1 < left.length; i++) {
    const pair = `${left[i]}${left[i + 1]}`
    pairs.set(pair, (pairs.get(pair) ?? 0) + 1)
  }
  let shared = 0
  for (let i = 0; i + 1 < right.length; i++) {
    const pair = `${right[i]}${right[i + 1]}`
    const rest = pairs.get(pair) ?? 0
    if (rest > 0) {
      pairs.set(pair, rest - 1)
      shared++
    }
  }
  return (2 * shared) / (left.length + right.length - 2)
}

/** Levenshtein distance in code points. */
export function editDistance(a: string, b: string): number {
  const [left, right] = [[...a], [...b]]
  if (left.length > MAX_DISTANCE_LENGTH || right.length > MAX_DISTANCE_LENGTH) {
    throw new ToolFailure('too-long', `The edit distance is for texts of at most ${MAX_DISTANCE_LENGTH} characters.`, { help: 'Use text.similarity for longer ones.' })
  }
  let row = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let i = 1; i <= left.length; i++) {
    const next = [i]
    for (let j = 1; j <= right.length; j++) {
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1)))
    }
    row = next
  }
  return row[right.length] ?? 0
}
