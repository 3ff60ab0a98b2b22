// Operators: arithmetic, comparison, logic and `??`.
// Owns: which kinds an operator works on and what it gives. Does not own: run-time rules (overflow, division by zero).
//   O1. int / int is float. Units keep their kind: time + time is time, time * number is time, time / time is float.
import { typeErrors } from '#diagnostics/catalog/type.ts'
import type { Type } from '#model/type.ts'
import { isAssignable } from '#types/assignable.ts'
import { anyType, boolType, floatType, intType, isOptional, join, literalBase, nonNull, qualifiersOf, qualify, stripQualifiers } from '#types/construct.ts'
import { printType } from '#types/print.ts'
import { didYouMean } from '#base/did-you-mean.ts'
import type { BinaryExpr, Expr, UnaryExpr } from '../1-syntax/ast.ts'
import type { Checker } from './checker.ts'
import { familyOf, type Family, UNITS } from './families.ts'
import { narrow } from './narrow.ts'
import type { Scope } from './scope.ts'

const TYPES: Readonly<Record<'int' | 'float' | 'duration' | 'size' | 'tokens' | 'money', Type>> = {
  int: intType, float: floatType, duration: { kind: 'duration' }, size: { kind: 'size' }, tokens: { kind: 'tokens' }, money: { kind: 'money' },
}

export function inferUnary(checker: Checker, expr: UnaryExpr, scope: Scope): Type {
  if (expr.op === 'not') {
    checker.condition(expr.value, scope, 'What follows `not`')
    return boolType
  }
  const type = checker.infer(expr.value, scope)
  const bare = stripQualifiers(type)
  if (bare.kind === 'literal' && typeof bare.value === 'number') return { kind: 'literal', value: -bare.value }
  const family = familyOf(type)
  if (family === 'any') return qualify(anyType, qualifiersOf(type))
  if (family in TYPES) return TYPES[family as keyof typeof TYPES]
  if (isOptional(type) && familyOf(nonNull(type)) in TYPES) reportNull(checker, expr.value, type, 'What follows `-`', 'value ?? 0')
  else checker.report(typeErrors['cannot-negate']({ type: printType(type) }, { at: checker.at(expr.value) }))
  return anyType
}

function reportNull(checker: Checker, expr: Expr, type: Type, what: string, example: string): void {
  checker.report(typeErrors['may-be-null']({ what, type: printType(type) }, { at: checker.at(expr), help: [`Say what to use instead: \`${example}\`.`] }))
}

export function inferBinary(checker: Checker, expr: BinaryExpr, scope: Scope, expected: Type | undefined): Type {
  switch (expr.op) {
    case 'and':
    case 'or': {
      const place = `What stands beside \`${expr.op}\``
      checker.condition(expr.left, scope, place)
      checker.condition(expr.right, scope.with(narrow(checker, expr.left, scope, expr.op === 'and')), place)
      return boolType
    }
    case '??': {
      const left = checker.infer(expr.left, scope, expected)
      const right = checker.infer(expr.right, scope, expected)
      const bare = nonNull(left)
      return stripQualifiers(left).kind === 'null' ? right : join(bare, right)
    }
    case '==':
    case '!=':
      return inferEquality(checker, expr, scope)
    case 'in':
    case 'not in':
      return inferMembership(checker, expr, scope)
    case '<':
    case '<=':
    case '>':
    case '>=': {
      const operands = inferOperands(checker, expr, scope)
      if (operands !== null && orderable(operands.left, operands.right) === false) reportOperands(checker, expr, operands)
      return boolType
    }
    default:
      return inferArithmetic(checker, expr, scope)
  }
}

interface Operands {
  readonly left: Type
  readonly right: Type
}

/** Both operands; null after a report that one may be null, or when anything goes. */
function inferOperands(checker: Checker, expr: BinaryExpr, scope: Scope): Operands | null {
  const left = checker.infer(expr.left, scope)
  const right = checker.infer(expr.right, scope)
  let fine = true
  for (const [type, side] of [[left, expr.left], [right, expr.right]] as const) {
    if (!isOptional(type) || familyOf(nonNull(type)) === 'other') continue
    reportNull(checker, side, type, `What stands beside \`${expr.op}\``, familyOf(nonNull(type)) === 'text' ? 'value ?? ""' : 'value ?? 0')
    fine = false
  }
  return fine ? { left, right } : null
}

function orderable(left: Type, right: Type): boolean {
  const a = familyOf(left)
  const b = familyOf(right)
  if (a === 'any' || b === 'any') return true
  if (a === 'other' || b === 'other' || a === 'bool' || b === 'bool') return false
  return a === b || isPlainNumber(a) && isPlainNumber(b) || (a === 'tokens' && b === 'int') || (a === 'int' && b === 'tokens')
}

const isPlainNumber = (family: Family): boolean => family === 'int' || family === 'float'

function inferArithmetic(checker: Checker, expr: BinaryExpr, scope: Scope): Type {
  const operands = inferOperands(checker, expr, scope)
  if (operands === null) return anyType
  const type = arithmetic(expr.op, familyOf(operands.left), familyOf(operands.right))
  if (type === null) reportOperands(checker, expr, operands)
  return type === anyType ? qualify(qualify(anyType, qualifiersOf(operands.left)), qualifiersOf(operands.right)) : type ?? anyType
}

/** O1; null when the operator does not work on the two. */
function arithmetic(op: string, left: Family, right: Family): Type | null {
  if (left === 'any' || right === 'any') return anyType
  if (isPlainNumber(left) && isPlainNumber(right)) return left === 'int' && right === 'int' && op !== '/' ? intType : floatType
  if (UNITS.has(left) && left === right) return op === '/' ? floatType : op === '*' ? null : TYPES[left as keyof typeof TYPES]
  if (left === 'tokens' && right === 'int' && op !== '/') return TYPES.tokens
  if (left === 'int' && right === 'tokens' && op !== '/') return TYPES.tokens
  if (UNITS.has(left) && isPlainNumber(right) && (op === '*' || op === '/')) return TYPES[left as keyof typeof TYPES]
  if (isPlainNumber(left) && UNITS.has(right) && op === '*') return TYPES[right as keyof typeof TYPES]
  return null
}

function reportOperands(checker: Checker, expr: BinaryExpr, operands: Operands): void {
  if (checker.unit.declaration.broken) return // what is left of `a < b < c` compares what nobody wrote
  const left = stripQualifiers(operands.left)
  const right = stripQualifiers(operands.right)
  const help = expr.op === '+' && (familyOf(left) === 'text' || familyOf(right) === 'text') ? ['Texts are joined by writing them in one: `"${a}${b}"`.']
    : expr.op === '+' && left.kind === 'list' ? ['Lists are joined by `flatten([a, b])`.']
    : expr.op === '+' && left.kind === 'record' ? ['Records are joined by `{ ...a, ...b }`.'] : []
  checker.report(typeErrors['wrong-operands']({ op: expr.op, left: printType(operands.left), right: printType(operands.right) }, { at: checker.at(expr), help }))
}

function inferEquality(checker: Checker, expr: BinaryExpr, scope: Scope): Type {
  const left = checker.infer(expr.left, scope)
  const right = checker.infer(expr.right, scope)
  if (!mayBeEqual(left, right)) {
    const literal = [left, right].map(stripQualifiers).find(type => type.kind === 'literal')
    const other = stripQualifiers(literal === stripQualifiers(left) ? right : left)
    const words = other.kind === 'union' ? other.members.flatMap(member => (member.kind === 'literal' ? [String(member.value)] : [])) : []
    const near = literal?.kind === 'literal' ? didYouMean(String(literal.value), words) : []
    const help = near.length > 0 ? [`Did you mean ${near.map(each => JSON.stringify(each)).join(' or ')}?`] : []
    checker.report(typeErrors['never-equal']({ left: printType(left), right: printType(right) }, { at: checker.at(expr), help }))
  }
  return boolType
}

/** False when no value is of both types. Two single literals may be compared: a const is often one. */
export function mayBeEqual(left: Type, right: Type): boolean {
  const a = stripQualifiers(left)
  const b = stripQualifiers(right)
  if (a.kind === 'null' || b.kind === 'null') return true
  if (a.kind === 'union' || b.kind === 'union') {
    const as = a.kind === 'union' ? a.members : [a]
    const bs = b.kind === 'union' ? b.members : [b]
    return as.some(x => bs.some(y => (x.kind === 'literal' && y.kind === 'literal' ? x.value === y.value : x.kind === 'null' ? y.kind === 'null' : mayBeEqual(x, y))))
  }
  const [x, y] = [literalBase(a), literalBase(b)]
  if (isAssignable(x, y) || isAssignable(y, x)) return true
  if (x.kind === 'list' && y.kind === 'list') return mayBeEqual(x.item, y.item)
  if (x.kind === 'record' && y.kind === 'record') {
    return Object.entries(x.fields).every(([name, field]) => !Object.hasOwn(y.fields, name) || mayBeEqual(field.type, y.fields[name]!.type))
  }
  const [f, g] = [familyOf(x), familyOf(y)]
  return (f !== 'other' && f === g) || (f === 'int' && UNITS.has(g)) || (g === 'int' && UNITS.has(f)) || x.kind === 'json' || y.kind === 'json'
}

function inferMembership(checker: Checker, expr: BinaryExpr, scope: Scope): Type {
  const left = checker.infer(expr.left, scope)
  const right = checker.infer(expr.right, scope)
  const holder = stripQualifiers(right)
  const fine = holder.kind === 'any' ? true
    : holder.kind === 'list' ? holder.item.kind === 'never' || mayBeEqual(left, holder.item)
    : holder.kind === 'map' || holder.kind === 'record' || familyOf(holder) === 'text' ? ['text', 'any'].includes(familyOf(left)) : false
  if (!fine && isOptional(right)) reportNull(checker, expr.right, right, 'What follows `in`', 'value ?? []')
  else if (!fine) reportOperands(checker, expr, { left, right })
  return qualify(boolType, qualifiersOf(left))
}
