// Expect: a value against the type its place asks for, and the smallest part of it that does not fit.
// Owns: going into literals (records, lists, branches) so that the report points at the part. Does not own: the relation (types/assignable.ts).
import { typeErrors } from '#diagnostics/catalog/type.ts'
import type { Type } from '#model/type.ts'
import { isAssignable, whyNotAssignable } from '#types/assignable.ts'
import { isOptional, literalBase, nonNull, stripQualifiers } from '#types/construct.ts'
import { printType } from '#types/print.ts'
import { didYouMean } from '#base/did-you-mean.ts'
import type { Expr } from '../1-syntax/ast.ts'
import { type Checker, withoutUnprovable } from './checker.ts'
import type { Scope } from './scope.ts'

/** Infers an expression and reports where it does not fit. Gives the inferred type. */
export function expectType(checker: Checker, expr: Expr, scope: Scope, expected: Type, place: string): Type {
  const type = checker.infer(expr, scope, expected)
  fitType(checker, expr, type, expected, place)
  return type
}

/** Reports where an expression of a known type does not fit. */
export function fitType(checker: Checker, expr: Expr, type: Type, expected: Type, place: string): void {
  if (!fits(type, expected)) reportMisfit(checker, expr, type, expected, place)
  else reportStrayFields(checker, expr, expected)
}

/** True when the value may stand there; what only a run can tell (refinements of values that are not literals) is let through. */
export function fits(from: Type, to: Type): boolean {
  return isAssignable(from, to) || isAssignable(from, withoutUnprovable(to, from))
}

function reportMisfit(checker: Checker, expr: Expr, type: Type, expected: Type, place: string): void {
  const typeAt = (part: Expr): Type => checker.facts.types.get(part) ?? { kind: 'any' }
  const wanted = nonNull(stripQualifiers(expected))
  if (expr.kind === 'group') return reportMisfit(checker, expr.inner, type, expected, place)
  if (expr.kind === 'if' || expr.kind === 'match') {
    const branches = expr.kind === 'if' ? [expr.then, expr.else] : expr.arms.map(arm => arm.value)
    const bad = branches.filter(branch => !fits(typeAt(branch), expected))
    if (bad.length > 0 && bad.length < branches.length) {
      for (const branch of bad) reportMisfit(checker, branch, typeAt(branch), expected, place)
      return
    }
  }
  if (expr.kind === 'list' && wanted.kind === 'list') {
    const bad = expr.items.filter(item => !fits(typeAt(item), wanted.item))
    if (bad.length > 0) return reportMisfit(checker, bad[0]!, typeAt(bad[0]!), wanted.item, 'Each item')
  }
  const member = expr.kind === 'record' && wanted.kind === 'union' ? taggedMember(expr, wanted.members, typeAt) : null
  if (member !== null) return reportMisfit(checker, expr, type, member, place)
  if (expr.kind === 'record' && wanted.kind === 'record') {
    const bad = expr.entries.filter(entry => entry.kind === 'entry').filter(entry => {
      const field = Object.hasOwn(wanted.fields, entry.key.text) ? wanted.fields[entry.key.text] : undefined
      return field !== undefined && !fits(typeAt(entry.value), field.type)
    })
    for (const entry of bad) reportMisfit(checker, entry.value, typeAt(entry.value), wanted.fields[entry.key.text]!.type, `The field \`${entry.key.text}\``)
    if (bad.length > 0 || reportStrayFields(checker, expr, expected)) return
  }
  const at = checker.at(expr)
  if (isOptional(type) && fits(nonNull(type), expected)) {
    const help = ['Say what to use instead: `value ?? other`; or look first: `if value != null then … else …`.']
    checker.report(typeErrors['may-be-null']({ what: place, type: printType(type) }, { at, help }))
    return
  }
  const reason = whyNotAssignable(type, expected)
  const isDeep = reason !== null && reason.startsWith('in ') && !reason.startsWith('in []: ')
  const help = [...(isDeep || (reason?.includes('field') ?? false) ? [capital(reason!)] : []), ...hints(type, wanted)]
  checker.report(typeErrors.mismatch({ place, expected: printType(expected), found: printType(type) }, { at, help }))
}

/** The one record of a union whose literal fields are those written: what the record was meant to be. */
function taggedMember(expr: Extract<Expr, { kind: 'record' }>, members: readonly Type[], typeAt: (part: Expr) => Type): Type | null {
  const meant = members.filter(member => member.kind === 'record' && expr.entries.some(entry => {
    const field = entry.kind === 'entry' && Object.hasOwn(member.fields, entry.key.text) ? member.fields[entry.key.text]! : null
    return field !== null && stripQualifiers(field.type).kind === 'literal' && fits(typeAt(entry.value), field.type)
  }))
  return meant.length === 1 ? meant[0]! : null
}

const capital = (text: string): string => `${text[0]!.toUpperCase()}${text.slice(1)}.`

function hints(type: Type, wanted: Type): string[] {
  const bare = stripQualifiers(type)
  if (wanted.kind === 'path' && bare.kind === 'string') return ['A text becomes a path with `path.of(text)`.']
  const base = literalBase(bare).kind
  if (wanted.kind === 'string' && (base === 'int' || base === 'float' || base === 'bool')) return ['A value becomes text with `string(value)` or `"${value}"`.']
  if (wanted.kind === 'int' && base === 'float') return ['A number becomes whole with `round`, `floor` or `ceil`.']
  if ((wanted.kind === 'int' || wanted.kind === 'float') && bare.kind === 'string') return [`A text becomes a number with \`${wanted.kind}(text)\`, which is null when it is none.`]
  if (wanted.kind === 'list' && bare.kind === 'list' && isOptional(bare.item) && !isOptional(wanted.item)) return ['Leave the nulls out: `[x for x in list if x != null]`.']
  if (bare.kind === 'json') return ['Nobody knows yet what is in it: name the type at a task, `task data -> … = …`; the value is checked against it.']
  if (bare.kind === 'literal' && wanted.kind === 'union') {
    const near = didYouMean(String(bare.value), wanted.members.flatMap(member => (member.kind === 'literal' ? [String(member.value)] : [])))
    if (near.length > 0) return [`Did you mean ${near.map(each => JSON.stringify(each)).join(' or ')}?`]
  }
  return []
}

/**
 * A field written in place that the type does not have, and that looks like a misspelt one. Extra fields in general are fine:
 * types are structural; only a near miss is a mistake.
 */
function reportStrayFields(checker: Checker, expr: Expr, expected: Type): boolean {
  if (expr.kind === 'group') return reportStrayFields(checker, expr.inner, expected)
  const wanted = nonNull(stripQualifiers(expected))
  if (expr.kind === 'list' && wanted.kind === 'list') return expr.items.map(item => reportStrayFields(checker, item, wanted.item)).some(Boolean)
  if (expr.kind !== 'record' || wanted.kind !== 'record') return false
  const given = new Set(expr.entries.flatMap(entry => (entry.kind === 'entry' ? [entry.key.text] : [])))
  let found = false
  for (const entry of expr.entries) {
    if (entry.kind !== 'entry') continue
    const { text } = entry.key
    if (Object.hasOwn(wanted.fields, text)) {
      found = reportStrayFields(checker, entry.value, wanted.fields[text]!.type) || found
      continue
    }
    const near = didYouMean(text, Object.keys(wanted.fields).filter(name => !given.has(name)))
    if (near.length === 0) continue
    const at = checker.at(entry.key)
    const fixes = near.map(each => ({ title: `Change to \`${each}\``, safe: near.length === 1, edits: [{ at, newText: each }] }))
    checker.report(typeErrors['unknown-field']({ name: text, type: printType(wanted) }, { at, help: [`Did you mean ${near.map(each => `\`${each}\``).join(' or ')}?`], fixes }))
    found = true
  }
  return found
}
