// Loop cost: the most that a loop can spend, before its own limits: cycles × stages, and the work of each candidate.
// Owns: how often each stage is carried out in a cycle. Does not own: what a stage does (worst-case.ts), the limits (worst-case.ts).
//   L1. In a cycle the observing stages and the actions come once, the others once a candidate. Of the branches of `decide` the dearest counts.
//   L2. A program that rewrites itself may do anything within the loop's limits: a candidate of `evolves` is bounded by those alone.
import type { CallExpr, LoopMember, StageName } from '../../1-syntax/ast.ts'
import type { Sym } from '../../2-resolve/program.ts'
import type { UnitFacts } from '../facts.ts'
import { type Bound, counted, one, plus, type Site, times, unbounded } from './bound.ts'
import { type Cases, type Cost, limitsOf, noCost } from './cost.ts'
import { addSpending, maxAmounts, type Spending, timesAmounts } from './spending.ts'

type Stage = Extract<LoopMember, { kind: 'stage' }>

const ONCE: readonly StageName[] = ['sense', 'decide', 'differentiate', 'vary', 'quiesce']
const EACH: readonly StageName[] = ['run', 'observe', 'score']

export function loopCost(cases: Cases, symbol: Sym<'loop'>, facts: UnitFacts): Cost {
  const { declaration, name, unit } = symbol
  const site: Site = { unit, span: declaration.name }
  const stages = declaration.body.filter((member): member is Stage => member.kind === 'stage')
  const stage = (which: StageName): Cost => {
    const found = stages.find(each => each.stage === which)
    return found === undefined ? noCost : cases.stage(facts, found)
  }
  const actions = declaration.body.flatMap(member => (member.kind === 'outcome' ? member.actions : []))
  const acted = actions.map((action: CallExpr) => cases.stage(facts, { name: declaration.name, by: null, value: action, clauses: [] }))
  const once = [...ONCE.map(stage), ...acted].reduce(inTurn, noCost)
  const isRewritten = declaration.evolves !== null && !stages.some(each => each.stage === 'run')
  const run = isRewritten ? anything(site, name) : EACH.map(stage).reduce(inTurn, noCost)
  const candidates = often(cases, facts, stages, limitsOf(symbol)['copies'], site)
  const limit = limitsOf(symbol)['cycles']
  const cycles = typeof limit === 'number' ? counted(limit, `cycles of \`${name}\``, site) : unbounded(`\`${name}\` has no \`limits { cycles }\``, site)
  return repeated(cycles, inTurn(once, repeated(candidates, run)))
}

/** Candidates of a cycle: of `differentiate` or copies of `replicate`, whatever is more. */
function often(cases: Cases, facts: UnitFacts, stages: readonly Stage[], copies: number | boolean | undefined, site: Site): Bound {
  const made = stages.find(each => each.stage === 'differentiate')
  const isList = made?.result?.kind === 'type-list' || made?.value.kind === 'list'
  const changed = made === undefined || !isList ? one
    : made.by !== null || made.value.kind === 'prompt-value' ? unbounded('a model says how many candidates there are', { unit: site.unit, span: made.name })
    : cases.lengthOf(facts, made.value)
  const copied = typeof copies === 'number' ? counted(copies, 'copies', site)
    : stages.some(each => each.stage === 'replicate') ? unbounded('`replicate` says how many copies there are, and `limits { copies }` does not bound them', site) : one
  return copied.amount > changed.amount ? copied : changed
}

/** L2. */
function anything(site: Site, name: string): Cost {
  const open = unbounded(`\`${name}\` rewrites its program`, site)
  const all = { tasks: open, attempts: open, calls: open, programs: open, modelCalls: open, tokens: open, costMicros: open, workMs: open, lonelyMs: open, argCalls: open, argPrograms: open, argMs: open }
  return { spending: { most: all, sure: noCost.spending.sure, each: all }, pathMs: open, abreast: Infinity }
}

const inTurn = (a: Cost, b: Cost): Cost => ({ spending: addSpending(a.spending, b.spending), pathMs: plus(a.pathMs, b.pathMs), abreast: Math.max(a.abreast, b.abreast) })

function repeated(count: Bound, { spending, pathMs, abreast }: Cost): Cost {
  const most = timesAmounts(count, spending.most)
  const made: Spending = { most, sure: spending.sure, each: maxAmounts(spending.each, spending.most) }
  return { spending: made, pathMs: times(count, pathMs), abreast }
}
