// Variants: a workflow looked at again, with the values it is called with marked as they are.
// Owns: which calls ask for it, the types of its parameters then. Does not own: the second look itself (check.ts).
//   V1. Only a call that gives untrusted values where the declaration does not say `untrusted` asks for one: other programs pay nothing.
//   V2. Arguments are checked against the declared type when they are given, so a parameter whose type has no room for instructions stays trusted.
import type { Type } from '#model/type.ts'
import { qualifiersWithin, sameType } from '#types/construct.ts'
import { carried } from '#types/trust.ts'
import type { Span } from '../../1-syntax/ast.ts'
import type { Sym } from '../../2-resolve/program.ts'
import type { Checker } from '../checker.ts'
import type { CallFact } from '../facts.ts'

/** The type of a call's result; `usual` is that of a call with trusted values. */
export function resultOfVariant(checker: Checker, symbol: Sym<'workflow'>, fact: CallFact, at: Span, usual: Type): Type {
  const params = new Map<string, Type>()
  for (const { param, values } of fact.args) {
    const [value] = values
    const given = value === undefined ? undefined : checker.facts.types.get(value)
    if (given === undefined || !qualifiersWithin(given).untrusted) continue
    const type = carried(param.type, given) // V2
    if (qualifiersWithin(type).untrusted && !sameType(type, param.type)) params.set(param.name, type)
  }
  if (params.size === 0) return usual // V1
  fact.variant = checker.variantOf(symbol, params, { kind: 'call', facts: checker.facts, fact }, at)
  return fact.variant?.workflow?.result ?? usual
}
