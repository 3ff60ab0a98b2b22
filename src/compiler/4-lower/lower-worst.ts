// Lower worst: the worst case of each workflow, agent and loop, as the plan shows it.
// Owns: which amounts are told, places of what is not bounded. Does not own: the amounts (3-check/worst-case).
import { priceList } from '#model/prices.ts'
import type { PlanLimits } from '#model/plan.ts'
import type { PlanWorst, WorstAmount, WorstCase } from '#model/worst.ts'
import type { FileUnit, Sym } from '../2-resolve/program.ts'
import type { CheckedProgram } from '../3-check/check.ts'
import { amountText, factorsText, type Quantity } from '../3-check/worst-case/amount-text.ts'
import type { Bound } from '../3-check/worst-case/bound.ts'
import { allCalls, type Cost, fileLimits, limited, limitsOf, noCost, runMs } from '../3-check/worst-case/cost.ts'
import { WorstCases } from '../3-check/worst-case/worst-case.ts'
import type { PlaceTable } from './places.ts'

/** The worst cases of the entries of a program, of its agents and its loops. */
export function lowerWorst(checked: CheckedProgram, entry: FileUnit, entries: readonly Sym<'workflow'>[], places: PlaceTable): PlanWorst {
  const cases = new WorstCases(checked.program, unit => checked.facts.get(unit))
  const declared = checked.program.files.flatMap(file => [...file.values.values()].filter(symbol => symbol.unit.file === file))
  const file = fileLimits(entry)
  const told = (cost: Cost, limits: PlanLimits, of: string): WorstCase => {
    const { most } = cost.spending
    const { calls, programs } = allCalls(cost, limits, of)
    const amount = (quantity: Quantity, bound: Bound): WorstAmount => amountOf(quantity, bound, places)
    return {
      tasks: amount('tasks', most.tasks), attempts: amount('attempts', most.attempts), calls: amount('calls', calls), programs: amount('programs', programs),
      modelCalls: amount('modelCalls', most.modelCalls), tokens: amount('tokens', most.tokens), costMicros: amount('cost', most.costMicros), timeMs: amount('time', runMs(cost, limits, of)),
    }
  }
  const named = <K extends 'agent' | 'loop'>(kind: K): Sym<K>[] => declared.filter(symbol => symbol.kind === kind).sort((a, b) => (a.key < b.key ? -1 : 1)) as Sym<K>[]
  const workflows = entries.map(symbol => {
    return [symbol.key, told(limited(cases.workflow(symbol), file, 'this file'), stricter(file, limitsOf(symbol)), `\`${symbol.name}\``)] as const
  })
  const agents = named('agent').map(symbol => {
    const { spending, timeMs } = cases.agent(symbol)
    const { calls: _ofItsConversations, ...limits } = limitsOf(symbol)
    return [symbol.key, told({ ...noCost, spending: { ...spending, most: { ...spending.most, workMs: timeMs } }, pathMs: timeMs }, limits, `\`${symbol.name}\``)] as const
  })
  const loops = named('loop').map(symbol => {
    const own = limitsOf(symbol)
    const whole = fileLimits(symbol.unit.file)
    const of = `\`${symbol.name}\``
    return [symbol.key, told(limited(limited(cases.loop(symbol), own, of), whole, `\`${symbol.unit.file.path}\``), stricter(whole, own), of)] as const
  })
  return {
    ...(cases.usesPrices ? { prices: { ...priceList } } : {}),
    workflows: Object.fromEntries(workflows), agents: Object.fromEntries(agents), loops: Object.fromEntries(loops),
  }
}

/** Of two sets of limits, the smaller of each. */
function stricter(a: PlanLimits, b: PlanLimits): PlanLimits {
  const found: Record<string, number | boolean | undefined> = { ...a }
  for (const [name, limit] of Object.entries(b)) {
    const other = found[name]
    found[name] = typeof other === 'number' && typeof limit === 'number' ? Math.min(other, limit) : limit
  }
  return found
}

function amountOf(quantity: Quantity, bound: Bound, places: PlaceTable): WorstAmount {
  if (bound.open !== null) return { kind: 'not-bounded', because: bound.open.because, ...places.placeOf(bound.open.at.unit, bound.open.at.span) }
  const made = { kind: 'at-most' as const, amount: Math.ceil(bound.amount), how: factorsText(bound, quantity) }
  if (bound.limit === undefined) return made
  const { name, of, without } = bound.limit
  const product = factorsText(without, quantity)
  const text = without.open !== null ? `not bounded: ${without.open.because}` : `${amountText(quantity, without.amount)}${product === '' ? '' : `: ${product}`}`
  return { ...made, limit: { name, of, without: text } }
}
