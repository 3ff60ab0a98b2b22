// Calls in: how many tool calls an expression makes, at most and in any case.
// Owns: what each construct does to the calls in its parts. Does not own: how often the expression is worked on.
import type { CallExpr, Expr, PipeExpr } from '../../1-syntax/ast.ts'
import { children } from '../../1-syntax/visit.ts'
import type { CallFact, UnitFacts } from '../facts.ts'
import { type Bound, counted, larger, one, plus, smaller, times, unbounded, zero } from './bound.ts'
import type { Lengths } from './length.ts'

export interface CallCount {
  readonly calls: Bound
  readonly programs: Bound
  readonly sure: Bound
}

export const none: CallCount = { calls: zero, programs: zero, sure: zero }

export const sum = (a: CallCount, b: CallCount): CallCount => (a === none ? b : b === none ? a : { calls: plus(a.calls, b.calls), programs: plus(a.programs, b.programs), sure: plus(a.sure, b.sure) })

export function callsIn(expr: Expr, facts: UnitFacts, lengths: Lengths): CallCount {
  const into = (inner: Expr): CallCount => callsIn(inner, facts, lengths)
  switch (expr.kind) {
    case 'if':
      return sum(into(expr.condition), oneOf(into(expr.then), into(expr.else)))
    case 'match':
      return sum(into(expr.subject), expr.arms.map(arm => into(arm.value)).reduce(oneOf, expr.arms.length === 0 ? none : into(expr.arms[0]!.value)))
    case 'binary': {
      const [left, right] = [into(expr.left), into(expr.right)]
      const isMaybe = expr.op === 'and' || expr.op === 'or' || expr.op === '??'
      return sum(left, isMaybe && right !== none ? { ...right, sure: zero } : right)
    }
    case 'comprehension': {
      const each = sum(expr.condition === null ? none : into(expr.condition), into(expr.value))
      const list = into(expr.list)
      if (each === none) return list
      const length = lengths.of(expr.list)
      const count = length.open === null ? counted(length.most, 'items of a comprehension', { unit: facts.unit, span: expr.list }) : unbounded(`a comprehension makes calls for each item, and ${length.open.because}`, length.open.at)
      return sum(list, { calls: times(count, each.calls), programs: times(count, each.programs), sure: length.exact && expr.condition === null ? times(count, each.sure) : zero })
    }
    case 'call':
    case 'pipe': {
      const fact = facts.calls.get(expr)
      const inner = partsOf(expr).map(into).reduce(sum, none)
      if (fact === undefined || !isCall(fact)) return inner
      return sum(inner, { calls: one, programs: startsPrograms(fact) ? one : zero, sure: one })
    }
    case 'lambda':
    case 'literal':
    case 'string-literal':
    case 'name-expr':
    case 'error-expr':
      return none // a lambda holds no call of a tool (effects.ts)
    default:
      return (children(expr) as Expr[]).map(into).reduce(sum, none)
  }
}

function oneOf(a: CallCount, b: CallCount): CallCount {
  if (a === none && b === none) return none
  return { calls: larger(a.calls, b.calls), programs: larger(a.programs, b.programs), sure: smaller(a.sure, b.sure) }
}

function partsOf(expr: CallExpr | PipeExpr): Expr[] {
  const args = (expr.args ?? []).map(arg => arg.value)
  return expr.kind === 'pipe' ? [expr.left, ...args] : args
}

/** Whether a call is journalled as one: it acts on the world, or is code of a plugin. */
export function isCall({ target }: CallFact): boolean {
  return target.kind === 'function' && (target.signature.effect !== 'pure' || target.module.kind !== 'std')
}

export function startsPrograms({ target }: CallFact): boolean {
  if (target.kind !== 'function') return false
  const { module, signature } = target
  return signature.needs.some(({ grant }) => {
    if (grant === 'exec') return true
    const own = grant.slice(grant.indexOf('.') + 1)
    const grants = module.signature?.grants ?? {}
    return grant === `${module.signature?.name}.${own}` && Object.hasOwn(grants, own) && grants[own]!.implies.some(each => each.name === 'exec')
  })
}
