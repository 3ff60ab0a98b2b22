// Bound: an amount that cannot be passed, how it comes about, or why there is none.
// Owns: adding, multiplying and comparing such amounts. Does not own: what is counted.
//   B1. Every operation gives an upper bound of what it is given; where one part is not bounded, neither is the whole, unless it happens zero times.
//   B2. `factors` multiply to the largest part of a sum; `isWhole` says that there is no other part.
import type { Span } from '../../1-syntax/ast.ts'
import type { Unit } from '../../2-resolve/program.ts'

export interface Site {
  readonly unit: Unit
  readonly span: Span
}

export interface Factor {
  readonly count: number
  /** What is counted, in the plural: ``items of `files` ``. */
  readonly what: string
  readonly at: Site | null
  /** Where it is no number of things. */
  readonly unit?: 'tokens' | 'cost' | 'time'
}

/** What nothing bounds. */
export interface Open {
  /** A sentence without its full stop. */
  readonly because: string
  readonly at: Site
}

export interface Bound {
  /** Infinity where it is not bounded; then `open` says why. */
  readonly amount: number
  readonly factors: readonly Factor[]
  readonly isWhole: boolean
  readonly open: Open | null
  /** The limit that made it smaller, and what it would be without. */
  readonly limit?: { readonly name: string; readonly of: string; readonly without: Bound }
}

export const zero: Bound = { amount: 0, factors: [], isWhole: true, open: null }
export const one: Bound = { amount: 1, factors: [], isWhole: true, open: null }

export const unbounded = (because: string, at: Site): Bound => ({ amount: Infinity, factors: [], isWhole: true, open: { because, at } })

export function counted(count: number, what: string, at: Site | null, unit?: Factor['unit']): Bound {
  return count === 0 ? zero : { amount: count, factors: [{ count, what, at, ...(unit === undefined ? {} : { unit }) }], isWhole: true, open: null }
}

export function plus(a: Bound, b: Bound): Bound {
  if (a.amount === 0) return b
  if (b.amount === 0) return a
  if (a.open !== null) return a // B1
  if (b.open !== null) return b
  const { factors } = a.amount >= b.amount ? a : b
  return { amount: a.amount + b.amount, factors, isWhole: false, open: null }
}

/** So many times over. */
export function times(count: Bound, each: Bound): Bound {
  if (count.amount === 0 || each.amount === 0) return zero // B1
  if (count === one) return each
  if (each === one) return count
  const open = count.open ?? each.open
  if (open !== null) return { amount: Infinity, factors: [], isWhole: true, open }
  return { amount: count.amount * each.amount, factors: [...count.factors, ...each.factors], isWhole: count.isWhole && each.isWhole, open: null }
}

export function larger(a: Bound, b: Bound): Bound {
  return b.amount > a.amount ? b : a
}

/** The smaller of two bounds of the same thing. */
export function smaller(a: Bound, b: Bound): Bound {
  return b.amount < a.amount ? b : a
}

const UNITS: Readonly<Record<string, Factor['unit']>> = { tokens: 'tokens', cost: 'cost', time: 'time' }

/** No more than a limit that somebody has written. */
export function capped(bound: Bound, amount: number | undefined, name: string, of: string): Bound {
  if (amount === undefined || bound.amount <= amount) return bound
  const unit = UNITS[name]
  const factor: Factor = { count: amount, what: unit === undefined ? `${name} (the limit of ${of})` : `(the limit of ${of})`, at: null, ...(unit === undefined ? {} : { unit }) }
  return { amount, factors: [factor], isWhole: true, open: null, limit: { name, of, without: bound } }
}
