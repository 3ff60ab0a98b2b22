// Limits hold: whether what a program declares fits into the limits it declares.
// Owns: which excess is an error, and its report. Does not own: the amounts (worst-case.ts), stopping at a limit (interpreter).
//   H1. An error is a limit that cannot be kept: what a run that goes well does in any case, with each agent spending what its own limits set aside,
//       is more. Further attempts, `take(xs, n)`, `when`, branches and the cache are left out: a limit is there to cut those short.
//   H2. Of time, a single `timeout` or agent's `limits { time }` that is longer than the whole: timeouts are allowances, and their sum is no claim.
//   H3. One report for each limit: the first workflow that breaks it.
import { limitErrors } from '#diagnostics/catalog/limit.ts'
import type { Diagnostic, Fix, RelatedPlace } from '#diagnostics/diagnostic.ts'
import type { PlanLimits } from '#model/plan.ts'
import type { Expr, LimitsClause } from '../../1-syntax/ast.ts'
import { placeIn, type Program, type Sym, type Unit } from '../../2-resolve/program.ts'
import type { UnitFacts } from '../facts.ts'
import { amountText, factorsText, factorText, type Quantity } from './amount-text.ts'
import { type Bound, type Factor, larger, type Site, zero } from './bound.ts'
import { fileLimits, limitsOf } from './cost.ts'
import type { Counted } from './spending.ts'
import { WorstCases } from './worst-case.ts'

/** Places shown with one report. */
const MAX_RELATED = 4

interface Kind {
  /** As written in `limits { … }`. */
  readonly name: 'tasks' | 'calls' | 'tokens' | 'cost'
  readonly key: keyof PlanLimits
  readonly counted: Counted
}

const KINDS: readonly Kind[] = [
  { name: 'tasks', key: 'tasks', counted: 'tasks' }, { name: 'calls', key: 'calls', counted: 'calls' },
  { name: 'tokens', key: 'tokens', counted: 'tokens' }, { name: 'cost', key: 'costMicros', counted: 'costMicros' },
]

/** The limits of a program that cannot be kept. */
export function checkLimitsHold(program: Program, factsOf: (unit: Unit) => UnitFacts | undefined): Diagnostic[] {
  const found: Diagnostic[] = []
  const cases = new WorstCases(program, factsOf)
  for (const file of program.files) {
    const own = [...file.values.values()].filter(symbol => symbol.unit.file === file)
    const workflows = own.filter((symbol): symbol is Sym<'workflow'> => symbol.kind === 'workflow')
    for (const symbol of own) {
      if (symbol.kind !== 'workflow' && symbol.kind !== 'loop') continue
      const limits = limitsOf(symbol)
      if (Object.keys(limits).length === 0) continue
      const clauses: readonly LimitsClause[] = symbol.declaration.body.filter((member): member is LimitsClause => member.kind === 'limits')
      const owner = `the ${symbol.kind} \`${symbol.name}\``
      found.push(...excesses(limits, clauses, symbol.unit, owner, kind => (symbol.kind === 'workflow' ? cases.unlimited(symbol) : cases.loop(symbol)).spending.sure[kind.counted]))
      if (symbol.kind === 'workflow') found.push(...longWaits(limits, clauses, symbol.unit, owner, [symbol], cases))
    }
    const limits = fileLimits(file)
    if (Object.keys(limits).length === 0) continue
    for (const unit of file.units) {
      if (unit.declaration.kind !== 'limits') continue
      found.push(...excesses(limits, [unit.declaration], unit, 'this file', kind => workflows.map(symbol => cases.workflow(symbol).spending.sure[kind.counted]).reduce(larger, zero)))
      found.push(...longWaits(limits, [unit.declaration], unit, 'this file', workflows, cases))
    }
  }
  return found
}

function excesses(limits: PlanLimits, clauses: readonly LimitsClause[], unit: Unit, owner: string, sureOf: (kind: Kind) => Bound): Diagnostic[] {
  return KINDS.flatMap(kind => {
    const limit = limits[kind.key]
    const value = entryOf(clauses, kind.name)
    if (typeof limit !== 'number' || value === null) return []
    const sure = sureOf(kind)
    if (sure.amount <= limit) return []
    const quantity: Quantity = kind.name
    const needed = amountText(quantity, sure.amount)
    const how = factorsText(sure, quantity)
    const report = limitErrors[`exceeds-${kind.name}`]({ owner, needed, limit: amountText(quantity, limit), how }, {
      at: placeIn(unit, value), related: relatedTo(sure), fixes: [raise(unit, value, kind.name, sure.amount)],
    })
    return [report]
  })
}

/** H2. */
function longWaits(limits: PlanLimits, clauses: readonly LimitsClause[], unit: Unit, owner: string, workflows: readonly Sym<'workflow'>[], cases: WorstCases): Diagnostic[] {
  const value = entryOf(clauses, 'time')
  if (limits.timeMs === undefined || value === null) return []
  for (const symbol of workflows) {
    const longest = cases.longestWait(symbol)
    if (longest === null || longest.ms <= limits.timeMs) continue
    return [limitErrors['exceeds-time']({ owner, limit: amountText('time', limits.timeMs), task: longest.task, needed: amountText('time', longest.ms), what: longest.what }, {
      at: placeIn(unit, value), related: [{ at: placeIn(longest.at.unit, longest.at.span), message: `it may take ${amountText('time', longest.ms)}` }], fixes: [raise(unit, value, 'time', longest.ms)],
    })]
  }
  return []
}

function entryOf(clauses: readonly LimitsClause[], name: string): Expr | null {
  for (const clause of clauses) for (const entry of clause.values.entries) if (entry.kind === 'entry' && entry.key.text === name) return entry.value
  return null
}

function relatedTo({ factors }: Bound): RelatedPlace[] {
  const placed = factors.filter((each): each is Factor & { readonly at: Site } => each.at !== null && each.count !== 1)
  return placed.slice(0, MAX_RELATED).map(factor => ({ at: placeIn(factor.at.unit, factor.at.span), message: factorText(factor) }))
}

/** Raising the limit to what is needed; which of the two was meant only the writer knows. */
function raise(unit: Unit, value: Expr, name: string, amount: number): Fix {
  const text = amountText(name as Quantity, amount, 'written')
  return { title: `Raise the limit to ${text}`, safe: false, edits: [{ at: placeIn(unit, value), newText: text }] }
}
