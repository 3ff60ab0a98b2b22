// Narrow: what a condition tells about references when it is true, and when it is false.
// Owns: null checks, comparison with a literal or a list of them, tags of records, `not`, `and`, `or`. Does not own: `match` (match.ts uses `narrowTo`).
//   N1. It looks at types already inferred for the condition; it reports nothing.
import type { Type } from '#model/type.ts'
import { isOptional, nonNull, nullType, qualifiersOf, qualify, stripQualifiers, union } from '#types/construct.ts'
import type { Expr } from '../1-syntax/ast.ts'
import type { Checker } from './checker.ts'
import { familyOf, UNITS } from './families.ts'
import { memberType } from './members.ts'
import { referenceOf, type Scope } from './scope.ts'

type Literal = string | number | boolean | null
const NOTHING: ReadonlyMap<string, Type> = new Map()

/** What is known about references when `condition` is `outcome`. The condition must have been inferred. */
export function narrow(checker: Checker, condition: Expr, scope: Scope, outcome: boolean): ReadonlyMap<string, Type> {
  switch (condition.kind) {
    case 'group':
      return narrow(checker, condition.inner, scope, outcome)
    case 'unary':
      return condition.op === 'not' ? narrow(checker, condition.value, scope, !outcome) : NOTHING
    case 'name-expr':
    case 'member':
      return narrowByLiteral(checker, condition, true, outcome)
    case 'binary': {
      const { op, left, right } = condition
      if ((op === 'and' && outcome) || (op === 'or' && !outcome)) {
        const first = narrow(checker, left, scope, outcome)
        return new Map([...first, ...narrow(checker, right, scope.with(first), outcome)])
      }
      if ((op === 'or' && outcome) || (op === 'and' && !outcome)) {
        const second = narrow(checker, right, scope, outcome)
        // One of the two holds, it is not known which: what both tell of the same reference.
        return new Map([...narrow(checker, left, scope, outcome)].flatMap(([reference, type]) => (second.has(reference) ? [[reference, union([type, second.get(reference)!])] as const] : [])))
      }
      if (op === 'in' || op === 'not in') return (op === 'in') === outcome ? narrowByList(checker, left, right) : NOTHING
      if (op !== '==' && op !== '!=') return NOTHING
      const isEqual = (op === '==') === outcome
      const rightValue = literalOf(checker, right)
      if (rightValue !== undefined) return narrowByLiteral(checker, left, rightValue, isEqual)
      const leftValue = literalOf(checker, left)
      return leftValue === undefined ? NOTHING : narrowByLiteral(checker, right, leftValue, isEqual)
    }
    default:
      return NOTHING
  }
}

function literalOf(checker: Checker, expr: Expr): Literal | undefined {
  if (expr.kind !== 'literal' && expr.kind !== 'string-literal' && expr.kind !== 'unary') return undefined
  const type = checker.facts.types.get(expr)
  if (type?.kind === 'null') return null
  return type?.kind === 'literal' ? type.value : undefined
}

/** `x in ["a", "b"]`: x is one of these. */
function narrowByList(checker: Checker, expr: Expr, list: Expr): ReadonlyMap<string, Type> {
  const found = new Map<string, Type>()
  const type = checker.facts.types.get(expr)
  const holder = stripQualifiers(checker.facts.types.get(list) ?? nullType)
  if (type === undefined || holder.kind !== 'list') return found
  const item = stripQualifiers(holder.item)
  const members = item.kind === 'union' ? item.members : [item]
  const values = members.flatMap(member => (member.kind === 'literal' ? [member.value] : []))
  if (values.length === members.length) narrowReference(checker, expr, type, restrict(type, values, true), found, values, true)
  return found
}

function narrowByLiteral(checker: Checker, expr: Expr, value: Literal, isEqual: boolean): ReadonlyMap<string, Type> {
  const found = new Map<string, Type>()
  const type = checker.facts.types.get(expr)
  if (type === undefined) return found
  narrowReference(checker, expr, type, restrict(type, [value], isEqual), found, [value], isEqual)
  return found
}

/** Notes the narrowed type of a reference, and what it says about the record the reference is a tag of. */
export function narrowReference(checker: Checker, expr: Expr, type: Type, narrowed: Type, found: Map<string, Type>, values: readonly Literal[], isEqual: boolean): void {
  const inner = expr.kind === 'group' ? expr.inner : expr
  const reference = referenceOf(inner)
  if (reference === null) return
  if (narrowed !== type) found.set(reference, narrowed)
  if (inner.kind !== 'member') return
  const object = checker.facts.types.get(inner.object)
  const owner = referenceOf(inner.object)
  if (object === undefined || owner === null) return
  const bare = stripQualifiers(object)
  if (bare.kind !== 'union') return
  const kept = bare.members.filter(member => {
    if (member.kind === 'null') return inner.optional ? values.includes(null) === isEqual : false
    const tag = memberType(member, inner.name.text)
    if (typeof tag === 'string') return true
    return restrict(tag, values, isEqual).kind !== 'never'
  })
  if (kept.length < bare.members.length) found.set(owner, qualify(union(kept), qualifiersOf(object)))
}

/** The part of a type whose values are (or are not) among the literals. */
export function restrict(type: Type, values: readonly Literal[], isEqual: boolean): Type {
  const bare = stripQualifiers(type)
  const own = qualifiersOf(type)
  if (bare.kind === 'any' || bare.kind === 'json') return type
  if (!isEqual && values.length === 1 && values[0] === null) return isOptional(type) ? nonNull(type) : type
  const members = bare.kind === 'union' ? bare.members : [bare]
  const kept: Type[] = []
  for (const member of members) {
    const parts: Type[] = member.kind === 'bool' ? [{ kind: 'literal', value: true }, { kind: 'literal', value: false }] : [member]
    for (const part of parts) {
      if (part.kind === 'null') {
        if (values.includes(null) === isEqual) kept.push(nullType)
      } else if (part.kind === 'literal') {
        if (values.includes(part.value) === isEqual) kept.push(part)
      } else if (!isEqual) kept.push(part)
      else for (const value of values) if (value !== null && holds(part, value)) kept.push({ kind: 'literal', value })
    }
  }
  if (!isEqual && kept.length === (bare.kind === 'bool' ? 2 : members.length) && !members.some(member => member.kind === 'bool' && bare.kind === 'union')) return type
  return qualify(union(kept), own)
}

function holds(type: Type, value: string | number | boolean): boolean {
  if (typeof value === 'string') return type.kind === 'string' || type.kind === 'path' || type.kind === 'url'
  if (typeof value !== 'number') return false
  return type.kind === 'int' ? Number.isInteger(value) : type.kind === 'float' || UNITS.has(familyOf(type))
}
