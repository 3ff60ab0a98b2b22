// Spending: everything that is counted, side by side, for one part of a program.
// Owns: the list of what is counted; the operations of bound.ts over all of it. Does not own: finding the amounts.
//   S1. `most` bounds every run from above. `sure` is what a run that goes well does in any case, with each declared amount spent whole: no further
//       attempt, nothing skipped, nothing answered by the cache. A limit below it can never be kept.
//   S2. `each` bounds what comes of one task that is begun: under `limits { tasks }` nothing is more than that many times as much.
import { type Bound, larger, plus, times, zero } from './bound.ts'

/**
 * `workMs` is the sum of all waiting, `lonelyMs` that of tasks with `needs`, which may have to go one by one. Calls in the arguments of a
 * sub-workflow (`argCalls`, `argPrograms`) and the waiting around it (`argMs`) belong to no task that is begun.
 */
export const COUNTED = ['tasks', 'attempts', 'calls', 'programs', 'modelCalls', 'tokens', 'costMicros', 'workMs', 'lonelyMs', 'argCalls', 'argPrograms', 'argMs'] as const
export type Counted = (typeof COUNTED)[number]

export type Amounts = { readonly [Name in Counted]: Bound }

export const nothing: Amounts = Object.freeze(Object.fromEntries(COUNTED.map(name => [name, zero])) as unknown as Amounts)

export interface Spending {
  readonly most: Amounts
  readonly sure: Amounts
  readonly each: Amounts
}

export const noSpending: Spending = { most: nothing, sure: nothing, each: nothing }

export const amounts = (given: Partial<Amounts>): Amounts => ({ ...nothing, ...given })

function combined(a: Amounts, b: Amounts, by: (a: Bound, b: Bound) => Bound): Amounts {
  if (a === nothing) return b
  if (b === nothing) return a
  const made: Partial<Record<Counted, Bound>> = {}
  for (const name of COUNTED) made[name] = by(a[name], b[name])
  return made as Amounts
}

export const addAmounts = (a: Amounts, b: Amounts): Amounts => combined(a, b, plus)
export const maxAmounts = (a: Amounts, b: Amounts): Amounts => combined(a, b, larger)

export function timesAmounts(count: Bound, each: Amounts): Amounts {
  if (each === nothing || count.amount === 0) return nothing
  if (count.amount === 1 && count.factors.length === 0) return each
  const made: Partial<Record<Counted, Bound>> = {}
  for (const name of COUNTED) made[name] = times(count, each[name])
  return made as Amounts
}

export function addSpending(a: Spending, b: Spending): Spending {
  return { most: addAmounts(a.most, b.most), sure: addAmounts(a.sure, b.sure), each: maxAmounts(a.each, b.each) }
}
