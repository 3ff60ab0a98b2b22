// Limits left: what a loop may still spend, and whether it has come to its end.
// Owns: those. Does not own: keeping what was spent (journal/loops.ts), holding a single cycle to it (engine).
//   L1. A cycle is given what is left, and is stopped by it like any run; the loop then ends. So no limit is passed by more than what was asked last.
import { loopErrors } from '#diagnostics/catalog/loop.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import { elapsed } from '#base/terminal-text.ts'
import type { LoopSeries, LoopSpent } from '#interpreter/journal/loops.ts'
import type { RunBounds } from '#model/event.ts'
import type { PlanLimits, PlanLoop } from '#model/plan.ts'
import type { RunSummary } from '#model/report.ts'

/** Failed cycles in a row after which a loop ends, where it does not say how many. */
export const DEFAULT_ERRORS = 3

const SHARED = ['timeMs', 'tokens', 'costMicros', 'calls', 'tasks'] as const

export const nothingSpent: LoopSpent = { timeMs: 0, tokens: 0, costMicros: 0, calls: 0, tasks: 0 }

/** What is left for the next cycle. // L1 */
export function boundsLeft(limits: PlanLimits, spent: LoopSpent): RunBounds {
  const left: { [Name in (typeof SHARED)[number]]?: number } = {}
  for (const name of SHARED) {
    const limit = limits[name]
    if (limit !== undefined) left[name] = Math.max(1, limit - spent[name])
  }
  return left
}

export function addSpent(spent: LoopSpent, more: Partial<LoopSpent>): LoopSpent {
  return Object.fromEntries(SHARED.map(name => [name, spent[name] + (more[name] ?? 0)])) as unknown as LoopSpent
}

/** What one cycle's run used. */
export function spentBy({ usage, tasks }: RunSummary, calls: number): Partial<LoopSpent> {
  return { tokens: usage?.tokens ?? 0, costMicros: usage?.costMicros ?? 0, tasks: tasks.total, calls }
}

/** Whether its cycles are done, which is how a loop is meant to end. */
export function areDone({ limits }: PlanLoop, { cycles }: LoopSeries): boolean {
  const limit = limits['cycles']
  return typeof limit === 'number' && cycles >= limit
}

/** Why no further cycle may begin; null: one may. */
export function endOf(name: string, { limits }: PlanLoop, { spent, errors }: LoopSeries): Diagnostic | null {
  const most = limits['errors']
  const allowed = typeof most === 'number' ? most : DEFAULT_ERRORS
  if (errors >= allowed) return loopErrors['too-many-errors']({ loop: name, errors })
  const reached = SHARED.find(each => limits[each] !== undefined && spent[each] >= limits[each]!)
  return reached === undefined ? null : reachedLimit(name, reached, limits[reached]!)
}

export function reachedLimit(name: string, limit: (typeof SHARED)[number], amount: number): Diagnostic {
  const [word, of] = {
    timeMs: ['time', elapsed(amount)] as const, tokens: ['tokens', String(amount)] as const, costMicros: ['cost', `$${(amount / 1_000_000).toFixed(2)}`] as const,
    calls: ['calls', String(amount)] as const, tasks: ['tasks', String(amount)] as const,
  }[limit]
  return loopErrors['limit-reached']({ loop: name, limit: word, of })
}
