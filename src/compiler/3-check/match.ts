// Match: arms over literals, each with what it knows, and whether they take everything.
// Owns: exhaustiveness, arms that never match. Does not own: narrowing itself (narrow.ts).
import { typeErrors } from '#diagnostics/catalog/type.ts'
import { didYouMean } from '#base/did-you-mean.ts'
import type { Type } from '#model/type.ts'
import { anyType, join, stripQualifiers } from '#types/construct.ts'
import { printType } from '#types/print.ts'
import type { MatchArm, MatchExpr, Pattern } from '../1-syntax/ast.ts'
import type { Checker } from './checker.ts'
import { narrowReference, restrict } from './narrow.ts'
import type { Scope } from './scope.ts'

type Literal = string | number | boolean | null
const MAX_MISSING_SHOWN = 5

export function inferMatch(checker: Checker, expr: MatchExpr, scope: Scope, expected: Type | undefined): Type {
  const subject = checker.infer(expr.subject, scope)
  const taken: Literal[] = []
  let takesAll = false
  let result: Type | null = null
  for (const arm of expr.arms) {
    const { values, isAny } = readPatterns(checker, arm, subject, taken)
    if (takesAll) checker.report(typeErrors['unreachable-arm']({}, { at: checker.at(arm) }))
    const known = new Map<string, Type>()
    const rest = restrict(subject, taken, false)
    if (isAny && values.length === 0) narrowReference(checker, expr.subject, subject, rest, known, taken, false)
    else if (!isAny) narrowReference(checker, expr.subject, subject, restrict(subject, values, true), known, values, true)
    const type = checker.infer(arm.value, scope.with(known), expected)
    result = result === null ? type : join(result, type)
    taken.push(...values)
    takesAll ||= isAny
  }
  if (!takesAll) reportMissing(checker, expr, subject, taken)
  return result ?? anyType
}

function readPatterns(checker: Checker, arm: MatchArm, subject: Type, taken: readonly Literal[]): { values: Literal[]; isAny: boolean } {
  const values: Literal[] = []
  let isAny = false
  for (const pattern of arm.patterns) {
    if (pattern.kind === 'pattern-any') isAny = true
    else if (taken.includes(pattern.value) || values.includes(pattern.value)) checker.report(typeErrors['unreachable-arm']({}, { at: checker.at(pattern) }))
    else {
      values.push(pattern.value)
      reportImpossible(checker, pattern, subject)
    }
  }
  return { values, isAny }
}

function reportImpossible(checker: Checker, pattern: Extract<Pattern, { kind: 'pattern-value' }>, subject: Type): void {
  if (restrict(subject, [pattern.value], true).kind !== 'never') return
  const bare = stripQualifiers(subject)
  if (bare.kind === 'never') return
  const words = bare.kind === 'union' ? bare.members.flatMap(member => (member.kind === 'literal' ? [String(member.value)] : [])) : []
  const near = didYouMean(String(pattern.value), words)
  const at = checker.at(pattern)
  const fixes = near.map(each => ({ title: `Change to ${JSON.stringify(each)}`, safe: near.length === 1, edits: [{ at, newText: JSON.stringify(each) }] }))
  checker.report(typeErrors['pattern-never-matches']({ pattern: JSON.stringify(pattern.value), type: printType(subject) }, {
    at, fixes, help: near.length === 0 ? [] : [`Did you mean ${near.map(each => JSON.stringify(each)).join(' or ')}?`],
  }))
}

function reportMissing(checker: Checker, expr: MatchExpr, subject: Type, taken: readonly Literal[]): void {
  const rest = restrict(subject, taken, false)
  if (rest.kind === 'never') return
  const bare = stripQualifiers(rest)
  const members = bare.kind === 'union' ? bare.members : [bare]
  const isFinite = members.every(member => member.kind === 'literal' || member.kind === 'null')
  const shown = members.slice(0, MAX_MISSING_SHOWN).map(member => `\`${printType(member)}\``)
  const missing = isFinite ? `${shown.join(', ')}${members.length > shown.length ? ` and ${members.length - shown.length} more` : ''}` : 'everything else'
  // A misspelt pattern was reported already: what it leaves open is the same mistake.
  const wrong = expr.arms.some(arm => arm.patterns.some(pattern => pattern.kind === 'pattern-value' && restrict(subject, [pattern.value], true).kind === 'never'))
  if (!wrong) checker.report(typeErrors['match-not-exhaustive']({ missing }, { at: checker.at(expr.subject) }))
}
