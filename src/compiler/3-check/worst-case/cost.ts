// Cost: what a part of a program comes to in amounts and in time, and what limits leave of it.
// Owns: limits as caps, time on a machine with a few places. Does not own: how the parts are found and put together (worst-case.ts).
//   C1. Time is waiting: the critical path, plus what a machine that runs LEAST_AT_ONCE tasks at once adds (Graham: path + work / places),
//       plus all work of tasks with `needs`, which may have to go one by one.
//   C2. Under `limits { tasks }` nothing is more than that many times what one begun task comes to (S2 of spending.ts).
import type { PlanLimits } from '#model/plan.ts'
import type { Expr, LimitsClause, TaskDecl } from '../../1-syntax/ast.ts'
import type { FileUnit, Program, Sym } from '../../2-resolve/program.ts'
import type { UnitFacts } from '../facts.ts'
import { readLimits } from '../limits.ts'
import { type Bound, capped, counted, one, plus, smaller, times, zero } from './bound.ts'
import { COUNTED, type Counted, noSpending, type Spending } from './spending.ts'

/** Tasks that a machine runs side by side at the least, where no limit says fewer (interpreter/run.ts). */
export const LEAST_AT_ONCE = 8
export interface Cost {
  readonly spending: Spending
  /** The longest way through it where every task finds its place at once. */
  readonly pathMs: Bound
  /** Tasks that may be under way at once. */
  readonly abreast: number
}

export const noCost: Cost = { spending: noSpending, pathMs: zero, abreast: 0 }

/** One execution of an agent. */
export interface AgentCost {
  readonly spending: Spending
  readonly timeMs: Bound
  /** Calls of its conversation and of those beneath it, and those that tasks of workflows beneath it make; `spending` has both. */
  readonly talkCalls: Bound
  readonly workCalls: Bound
  /** Whether tasks are carried out within its conversation. */
  readonly delegates: boolean
  /** Micro-dollars per million tokens of the dearest model that it comes to; Infinity where nobody knows. */
  readonly dearest: number
}

/** What the parts of a program ask of each other. */
export interface Cases {
  readonly program: Program
  /** A workflow under its own limits. */
  workflow(symbol: Sym<'workflow'>): Cost
  agent(symbol: Sym<'agent'>): AgentCost
  /** A stage of a loop, carried out once. */
  stage(facts: UnitFacts, stage: Pick<TaskDecl, 'name' | 'by' | 'value' | 'clauses'>): Cost
  /** The most items of a list in a unit. */
  lengthOf(facts: UnitFacts, list: Expr): Bound
  /** Whether a figure of the price list went into any amount. */
  usesPrices: boolean
}

/** Which limit bounds which amounts. */
const CAPS: readonly (readonly [limit: string, key: keyof PlanLimits, counted: readonly Counted[]])[] = [
  ['tasks', 'tasks', ['tasks']], ['calls', 'calls', ['calls', 'programs']], ['tokens', 'tokens', ['tokens']], ['cost', 'costMicros', ['costMicros']],
]

/** What is left of a cost under limits that somebody has written; `of` names them. */
export function limited(cost: Cost, limits: PlanLimits, of: string): Cost {
  if (Object.keys(limits).length === 0) return cost
  const most: Record<Counted, Bound> = { ...cost.spending.most }
  const sure: Record<Counted, Bound> = { ...cost.spending.sure }
  const { each } = cost.spending
  const { tasks, timeMs, parallel } = limits
  if (tasks !== undefined) {
    const count = counted(tasks, `tasks (the limit of ${of})`, null)
    for (const name of COUNTED) if (name !== 'tasks' && !name.startsWith('arg')) most[name] = smaller(most[name], times(count, each[name])) // C2
  }
  for (const [name, key, all] of CAPS) {
    for (const amount of all) {
      most[amount] = capped(most[amount], limits[key] as number | undefined, name, of)
      sure[amount] = smaller(sure[amount], limits[key] === undefined ? sure[amount] : { ...one, amount: limits[key] as number })
    }
  }
  const narrow = parallel !== undefined && cost.abreast > parallel
  const allMs = plus(most.workMs, most.argMs)
  const queued = narrow ? plus(cost.pathMs, { ...allMs, amount: allMs.amount / parallel }) : cost.pathMs // C1
  return { spending: { most, sure, each }, pathMs: capped(smaller(queued, allMs), timeMs, 'time', of), abreast: Math.min(cost.abreast, parallel ?? Infinity) }
}

/** Milliseconds from the beginning to the end of a run that begins with this. // C1 */
export function runMs({ spending, pathMs, abreast }: Cost, limits: PlanLimits, of: string): Bound {
  const places = Math.min(LEAST_AT_ONCE, limits.parallel ?? LEAST_AT_ONCE)
  const { workMs, argMs, lonelyMs } = spending.most
  const allMs = plus(workMs, argMs)
  const queued = abreast <= places ? pathMs : plus(pathMs, { ...allMs, amount: allMs.amount / places })
  const alone = abreast > 1 ? plus(queued, lonelyMs) : queued
  return capped(smaller(alone, allMs), limits.timeMs, 'time', of)
}

/** The calls of a cost, those in arguments of sub-workflows included. */
export function allCalls({ spending: { most } }: Cost, limits: PlanLimits, of: string): { calls: Bound; programs: Bound } {
  const all = (a: Bound, b: Bound): Bound => capped(plus(a, b), limits.calls, 'calls', of)
  return { calls: all(most.calls, most.argCalls), programs: all(most.programs, most.argPrograms) }
}

export function limitsOf(symbol: Sym<'workflow' | 'agent' | 'loop'>): PlanLimits {
  const body: readonly { readonly kind: string }[] = symbol.declaration.body
  return readLimits(body.filter(member => member.kind === 'limits') as unknown as LimitsClause[])
}

export function fileLimits(file: FileUnit): PlanLimits {
  return readLimits(file.units.flatMap(unit => (unit.declaration.kind === 'limits' ? [unit.declaration] : [])))
}
