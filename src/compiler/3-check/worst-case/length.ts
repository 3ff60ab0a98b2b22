// Length: the most items that a list can have, by how it is made.
// Owns: following names to tasks, lets, consts; the functions that keep, cut and make lists. Does not own: what is done with the items.
//   L1. `exact` only where every run has that many items.
//   L2. `take(xs, n)` with an n that only a run knows is bounded, by nobody knows how much: `isTaken`.
import { nonNull, stripQualifiers } from '#types/construct.ts'
import type { CallExpr, Expr, LambdaExpr, PipeExpr } from '../../1-syntax/ast.ts'
import type { Unit } from '../../2-resolve/program.ts'
import type { NodeFacts, UnitFacts } from '../facts.ts'
import type { Open, Site } from './bound.ts'

/** Steps from one name to the next before a length counts as unknown. */
const MAX_STEPS = 100

export interface Length {
  /** Infinity when nothing bounds it; then `open` says why, as in: it runs once for each item, and … */
  readonly most: number
  readonly exact: boolean
  readonly open: Open | null
  readonly isTaken: boolean
}

const known = (most: number, exact: boolean): Length => ({ most, exact, open: null, isTaken: false })
/** Functions that give as many items as their list has, and those that may give fewer. */
const SAME = new Set(['map', 'sort', 'sortBy'])
const FEWER = new Set(['filter', 'unique'])

type FactsOf = (unit: Unit) => UnitFacts | undefined

/** Lengths of the lists of one unit. */
export class Lengths {
  private readonly facts: UnitFacts
  private readonly factsOf: FactsOf
  private steps = 0

  constructor(facts: UnitFacts, factsOf: FactsOf) {
    this.facts = facts
    this.factsOf = factsOf
  }

  of(expr: Expr): Length {
    if (this.steps >= MAX_STEPS) return this.open(expr, 'its list comes from too far away to follow')
    this.steps++
    try {
      return this.look(expr)
    } finally {
      this.steps--
    }
  }

  private look(expr: Expr): Length {
    switch (expr.kind) {
      case 'group':
        return this.of(expr.inner)
      case 'list':
        return known(expr.items.length, true)
      case 'error-expr':
        return known(0, false)
      case 'comprehension': {
        const list = this.of(expr.list)
        return expr.condition === null ? list : { ...list, exact: false }
      }
      case 'if':
        return either(this.of(expr.then), this.of(expr.else))
      case 'match':
        return expr.arms.map(arm => this.of(arm.value)).reduce(either, known(0, true))
      case 'binary':
        return expr.op === '??' ? either(this.of(expr.left), this.of(expr.right)) : this.unknown(expr)
      case 'name-expr':
        return this.name(expr)
      case 'call':
      case 'pipe':
        return this.call(expr)
      case 'literal':
        return expr.value === null ? known(0, false) : this.unknown(expr)
      default:
        return this.unknown(expr)
    }
  }

  private name(expr: Extract<Expr, { kind: 'name-expr' }>): Length {
    const ref = this.facts.refs.get(expr)
    switch (ref?.kind) {
      case 'node':
        return this.node(this.facts.workflow!.nodes[ref.index]!)
      case 'const': {
        const { unit, declaration } = ref.symbol
        const facts = this.factsOf(unit)
        if (declaration.kind !== 'const' || facts === undefined) return this.unknown(expr)
        return { ...new Lengths(facts, this.factsOf).of(declaration.value) }
      }
      case 'module-constant':
        return Array.isArray(ref.value) ? known(ref.value.length, true) : this.unknown(expr)
      case 'param':
        return this.open(expr, `\`${expr.name}\` has as many as whoever runs this gives it`)
      default:
        return this.unknown(expr)
    }
  }

  private node(node: NodeFacts): Length {
    const { declaration } = node
    if (declaration.kind === 'task') {
      if (declaration.forEach !== null) return this.of(declaration.forEach.list)
      if (declaration.by !== null || declaration.value.kind === 'prompt-value') return this.open(declaration.name, `\`${node.name}\` has as many as a model answers`)
      const use = declaration.clauses.find(clause => clause.kind === 'on-failure')
      const policy = this.facts.unit.declaration.kind === 'workflow' ? this.facts.unit.declaration.body.findLast(member => member.kind === 'on-failure') : undefined
      const action = (use ?? policy)?.action
      const own = this.of(declaration.value)
      return action?.kind === 'use' ? either(own, this.of(action.value)) : action?.kind === 'continue' || declaration.when !== null ? { ...own, exact: false } : own
    }
    return this.of(declaration.value)
  }

  private call(expr: CallExpr | PipeExpr): Length {
    const fact = this.facts.calls.get(expr)
    const arg = (index: number): Expr | undefined => fact?.args[index]?.values[0]
    if (fact?.target.kind !== 'prelude') {
      if (fact?.target.kind === 'workflow') {
        const { unit, declaration } = fact.target.symbol
        const facts = this.factsOf(unit)
        const found = declaration.returns === null || facts === undefined ? null : new Lengths(facts, this.factsOf).of(declaration.returns)
        return found === null || found.open !== null ? this.unknown(expr) : found
      }
      return this.unknown(expr)
    }
    const first = arg(0)
    const list = (): Length => (first === undefined ? this.unknown(expr) : this.of(first))
    const { name } = fact.target
    if (SAME.has(name)) return list()
    if (FEWER.has(name)) return { ...list(), exact: false }
    switch (name) {
      case 'take': {
        const all = list()
        const count = this.whole(arg(1))
        if (count === null) return all.open === null ? { ...all, exact: false } : { ...all, isTaken: true } // L2
        return { most: Math.min(all.most, Math.max(0, count.most)), exact: all.exact && count.exact, open: null, isTaken: false }
      }
      case 'drop': {
        const all = list()
        const count = this.whole(arg(1))
        return count !== null && count.exact ? { ...all, most: Math.max(0, all.most - Math.max(0, count.most)) } : { ...all, exact: false }
      }
      case 'range':
        return this.range(expr, fact.args.map(each => each.values[0]), fact.args.map(each => each.param.name))
      case 'zip': {
        const [left, right] = [list(), arg(1) === undefined ? this.unknown(expr) : this.of(arg(1)!)]
        const [least, other] = left.most <= right.most ? [left, right] : [right, left]
        return { ...least, exact: left.exact && right.exact && other.open === null }
      }
      case 'flatten':
        return this.flattened(expr, first)
      case 'flatMap': {
        const all = list()
        const body = lambdaIn(arg(1))?.body
        const each = body === undefined ? this.unknown(expr) : this.of(body)
        return all.open !== null ? all : each.open !== null ? each : known(all.most * each.most, all.exact && each.exact)
      }
      case 'default':
        return arg(1) === undefined ? list() : either(list(), this.of(arg(1)!))
      case 'keys':
      case 'values': {
        const type = first === undefined ? undefined : this.facts.types.get(first)
        const bare = type === undefined ? null : nonNull(stripQualifiers(type))
        return bare?.kind === 'record' ? known(Object.keys(bare.fields).length, false) : this.unknown(expr)
      }
      case 'trust':
        return list()
      default:
        return this.unknown(expr)
    }
  }

  private flattened(expr: Expr, list: Expr | undefined): Length {
    let inner = list
    while (inner?.kind === 'group') inner = inner.inner
    if (inner?.kind !== 'list') return this.unknown(expr)
    return inner.items.map(item => this.of(item)).reduce((all, each) => (all.open !== null ? all : each.open !== null ? each : known(all.most + each.most, all.exact && each.exact)), known(0, true))
  }

  private range(expr: Expr, values: readonly (Expr | undefined)[], params: readonly string[]): Length {
    const given = (name: string): { most: number; exact: boolean } | null | undefined => (params.includes(name) ? this.whole(values[params.indexOf(name)]) : undefined)
    const [from, to, step] = [given('from'), given('to'), given('step')]
    if (from === null || to === null || step === null) return this.open(expr, 'only a run knows where this `range` ends')
    if (from === undefined || (to !== undefined && !from.exact)) return this.unknown(expr)
    const [start, end] = to === undefined ? [0, from.most] : [from.most, to.most]
    const by = step === undefined ? 1 : step.most
    if (by === 0 || step?.exact === false) return this.unknown(expr)
    return known(Math.max(0, Math.ceil((end - start) / by)), from.exact && (to?.exact ?? true))
  }

  /** A whole number that is known, or the most that its type lets it be. */
  private whole(expr: Expr | undefined): { readonly most: number; readonly exact: boolean } | null {
    if (expr === undefined) return null
    if (expr.kind === 'group') return this.whole(expr.inner)
    if (expr.kind === 'literal' && typeof expr.value === 'number') return { most: expr.value, exact: true }
    if (expr.kind === 'unary' && expr.op === '-') {
      const value = this.whole(expr.value)
      return value !== null && value.exact ? { most: -value.most, exact: true } : null
    }
    if (expr.kind === 'name-expr') {
      const ref = this.facts.refs.get(expr)
      if (ref?.kind === 'const' && ref.symbol.kind === 'const') {
        const facts = this.factsOf(ref.symbol.unit)
        if (facts !== undefined) return new Lengths(facts, this.factsOf).whole(ref.symbol.declaration.value)
      }
      if (ref?.kind === 'module-constant' && typeof ref.value === 'number') return { most: ref.value, exact: true }
    }
    const type = this.facts.types.get(expr)
    const bare = type === undefined ? null : stripQualifiers(type)
    if (bare?.kind === 'literal' && typeof bare.value === 'number') return { most: bare.value, exact: true }
    return bare?.kind === 'int' && bare.max !== undefined ? { most: bare.max, exact: false } : null
  }

  private unknown(expr: Expr): Length {
    return this.open(expr, 'its list is made when it runs')
  }

  private open(span: Site['span'], because: string): Length {
    return { most: Infinity, exact: false, open: { because, at: { unit: this.facts.unit, span } }, isTaken: false }
  }
}

function either(a: Length, b: Length): Length {
  const wider = b.most > a.most ? b : a
  return { ...wider, exact: a.exact && b.exact && a.most === b.most, isTaken: (a.open === null || a.isTaken) && (b.open === null || b.isTaken) && (a.isTaken || b.isTaken) }
}

function lambdaIn(expr: Expr | undefined): LambdaExpr | null {
  if (expr === undefined) return null
  if (expr.kind === 'group') return lambdaIn(expr.inner)
  return expr.kind === 'lambda' ? expr : null
}
