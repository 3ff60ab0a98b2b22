// Past: what `last(n)` tells a loop of its earlier cycles.
import type { LoopCycle } from '#interpreter/journal/loops.ts'
import type { Value } from '#model/type.ts'

/** Cycles that a loop can look back on. */
export const MAX_PAST = 100

/** Newest first; only cycles that came to a verdict. */
export function pastOf(cycles: readonly LoopCycle[]): Value {
  return cycles.flatMap(({ cycle, end }): Value[] => (end === null || end.verdict === null ? [] : [{ cycle, score: end.score ?? 0, verdict: end.verdict, candidate: end.candidate }]))
}
