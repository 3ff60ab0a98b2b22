// Infer: the type of an expression, bottom up, with what is expected guiding literals and lambdas.
// Owns: which construct goes where; names, members, records, lists. Does not own: calls, operators, `match`, narrowing (files of those names).
//   I1. Every expression that is visited gets an entry in `facts.types`.
//   I2. Qualifiers travel: what is made of untrusted or secret parts is untrusted or secret, unless its type has no room for instructions.
import { unreachable } from '#base/invariant.ts'
import { nameErrors } from '#diagnostics/catalog/name.ts'
import { typeErrors } from '#diagnostics/catalog/type.ts'
import type { FieldType, Type } from '#model/type.ts'
import {
  anyType, boolType, floatType, join, jsonType, listOf, nonNull, nullType, optional, isOptional, hasNoRoomForInstructions, qualifiersOf, qualifiersWithin, qualify, stringType,
  stripQualifiers, union,
} from '#types/construct.ts'
import { printType } from '#types/print.ts'
import type { ComprehensionExpr, Expr, IndexExpr, LambdaExpr, ListExpr, LiteralExpr, NameExpr, RecordExpr, TemplateExpr } from '../1-syntax/ast.ts'
import { suggest } from '../2-resolve/declare.ts'
import { describeSymbol, findModule } from '../2-resolve/program.ts'
import { askInTask, inferCall, inferPipe } from './calls.ts'
import type { Checker } from './checker.ts'
import { familyOf } from './families.ts'
import { inferMatch } from './match.ts'
import { inferMember } from './members.ts'
import { narrow } from './narrow.ts'
import { inferBinary, inferUnary } from './operators.ts'
import { preludeNames } from './prelude.ts'
import type { Scope } from './scope.ts'

const secretType: Type = { kind: 'secret', of: stringType }

/** The type of an expression; reports what is wrong in it. */
export function infer(checker: Checker, expr: Expr, scope: Scope, expected?: Type): Type {
  const type = inferKind(checker, expr, scope, expected)
  checker.facts.types.set(expr, type) // I1
  return type
}

function inferKind(checker: Checker, expr: Expr, scope: Scope, expected: Type | undefined): Type {
  switch (expr.kind) {
    case 'literal':
      return literalType(expr)
    case 'string-literal':
      return { kind: 'literal', value: expr.value }
    case 'template':
      return inferTemplate(checker, expr, scope, expected)
    case 'name-expr':
      return inferName(checker, expr, scope)
    case 'list':
      return inferList(checker, expr, scope, expected)
    case 'comprehension':
      return inferComprehension(checker, expr, scope, expected)
    case 'record':
      return inferRecord(checker, expr, scope, expected)
    case 'member':
      return inferMember(checker, expr, scope)
    case 'index':
      return inferIndex(checker, expr, scope)
    case 'call':
      return inferCall(checker, expr, scope)
    case 'pipe':
      return inferPipe(checker, expr, scope)
    case 'lambda':
      return inferLambda(checker, expr, scope, expected)
    case 'unary':
      return inferUnary(checker, expr, scope)
    case 'binary':
      return inferBinary(checker, expr, scope, expected)
    case 'if': {
      checker.condition(expr.condition, scope, 'What follows `if`')
      const then = checker.infer(expr.then, scope.with(narrow(checker, expr.condition, scope, true)), expected)
      return join(then, checker.infer(expr.else, scope.with(narrow(checker, expr.condition, scope, false)), expected))
    }
    case 'match':
      return inferMatch(checker, expr, scope, expected)
    case 'group':
      return checker.infer(expr.inner, scope, expected)
    case 'error-expr':
      return anyType
    default:
      return unreachable(expr)
  }
}

function literalType(expr: LiteralExpr): Type {
  if (expr.value === null) return nullType
  if (typeof expr.value === 'boolean') return { kind: 'literal', value: expr.value }
  switch (expr.type) {
    case 'duration':
    case 'size':
    case 'tokens':
    case 'money':
      return { kind: expr.type }
    case 'float':
      // 1.0 is a float although its value is whole.
      return Number.isInteger(expr.value) ? floatType : { kind: 'literal', value: expr.value }
    default:
      return { kind: 'literal', value: expr.value }
  }
}

const PATH_LIKE = new Set<Type['kind']>(['path', 'url', 'int', 'float', 'bool', 'literal'])

function inferTemplate(checker: Checker, expr: TemplateExpr, scope: Scope, expected: Type | undefined): Type {
  let untrusted = false
  let secret = false
  let pathLike = true
  let hasPath = false
  for (const part of expr.parts) {
    if (part.kind === 'template-text') continue
    const type = checker.infer(part, scope)
    const bare = stripQualifiers(type)
    if (isOptional(type)) reportNull(checker, part, type, 'What stands in this text', 'Say what to write instead: `${value ?? ""}`.')
    const inside = qualifiersWithin(type)
    untrusted ||= inside.untrusted // I2
    secret ||= inside.secret
    const kinds = bare.kind === 'union' ? bare.members : [bare]
    pathLike &&= kinds.every(each => PATH_LIKE.has(each.kind) || hasNoRoomForInstructions(each))
    hasPath ||= kinds.some(each => each.kind === 'path')
  }
  // A text made of a path, short names and numbers is a path still; made of any text it is not.
  const wanted = expected === undefined ? null : nonNull(stripQualifiers(expected))
  const kind = pathLike && wanted?.kind === 'url' ? 'url' : pathLike && (hasPath || wanted?.kind === 'path') ? 'path' : 'string'
  return qualify({ kind }, { untrusted, secret })
}

function inferName(checker: Checker, expr: NameExpr, scope: Scope): Type {
  const local = scope.find(expr.name)
  if (local !== null) {
    checker.facts.refs.set(expr, local.ref)
    return scope.narrowing(expr.name) ?? local.type
  }
  const symbol = checker.unit.file.values.get(expr.name)
  if (symbol !== undefined) {
    if (symbol.kind === 'const') {
      checker.facts.refs.set(expr, { kind: 'const', symbol })
      return scope.narrowing(expr.name) ?? checker.shapeOf(symbol).type
    }
    if (symbol.kind === 'secret') {
      checker.facts.refs.set(expr, { kind: 'symbol', symbol })
      checker.facts.usesSecrets = true
      return secretType
    }
    const help = symbol.kind === 'workflow' || symbol.kind === 'prompt' ? [`Call it: \`${expr.name}(…)\`.`] : symbol.kind === 'agent' ? [askInTask(expr.name)] : []
    checker.report(nameErrors['not-a-value']({ name: expr.name, what: describeSymbol(symbol) }, { at: checker.at(expr), help }))
    return anyType
  }
  if (checker.unit.file.unknown.has(expr.name)) return anyType
  if (preludeNames.has(expr.name)) {
    const help = [`Call it: \`${expr.name}(…)\`; or give a function: \`x => ${expr.name}(x)\`.`]
    checker.report(nameErrors['not-a-value']({ name: expr.name, what: 'a function' }, { at: checker.at(expr), help }))
    return anyType
  }
  reportUnknownName(checker, expr, scope)
  return anyType
}

function reportUnknownName(checker: Checker, expr: NameExpr, scope: Scope): void {
  const at = checker.at(expr)
  if (findModule(checker.program, checker.unit.file, expr.name) !== null) {
    checker.report(nameErrors['not-a-value']({ name: expr.name, what: 'a module' }, { at, help: [`Take something from it: \`${expr.name}.…\`.`] }))
    return
  }
  const known = [...scope.names(), ...checker.unit.file.values.keys(), ...preludeNames]
  checker.report(nameErrors['unknown-value']({ name: expr.name }, { at, ...suggest(expr.name, known, at) }))
}

function inferList(checker: Checker, expr: ListExpr, scope: Scope, expected: Type | undefined): Type {
  const wanted = expected === undefined ? undefined : itemExpected(expected)
  const seen = new Map<string, Type>()
  let item: Type | null = null
  for (const each of expr.items) {
    const type = checker.infer(each, scope, wanted)
    // A thousand equal items are joined once: types of simple kinds are recognised by their text.
    const key = type.kind === 'literal' ? JSON.stringify(type.value) : type.kind === 'record' || type.kind === 'union' || type.kind === 'list' ? null : type.kind
    if (key !== null && seen.has(key)) continue
    if (key !== null) seen.set(key, type)
    item = item === null ? type : join(item, type)
  }
  return listOf(item ?? { kind: 'never' })
}

function itemExpected(expected: Type): Type | undefined {
  const bare = nonNull(stripQualifiers(expected))
  if (bare.kind === 'list') return bare.item
  if (bare.kind !== 'union') return undefined
  const lists = bare.members.filter(member => member.kind === 'list')
  return lists.length === 1 ? lists[0]!.item : undefined
}

function inferComprehension(checker: Checker, expr: ComprehensionExpr, scope: Scope, expected: Type | undefined): Type {
  const item = itemOf(checker, expr.list, scope, 'A comprehension')
  const inner = addItem(checker, scope.inside(), expr.item, item, 'the item')
  if (expr.condition !== null) checker.condition(expr.condition, inner, 'What follows `if`')
  const known = expr.condition === null ? inner : inner.with(narrow(checker, expr.condition, inner, true))
  return listOf(checker.infer(expr.value, known, expected === undefined ? undefined : itemExpected(expected)))
}

/** The type of one item of a list expression; reports when it is no list. */
export function itemOf(checker: Checker, list: Expr, scope: Scope, place: string): Type {
  const type = checker.infer(list, scope)
  const bare = stripQualifiers(type)
  if (bare.kind === 'any') return qualify(anyType, qualifiersOf(type))
  if (bare.kind === 'list') return qualify(bare.item, qualifiersOf(type))
  const at = checker.at(list)
  if (isOptional(type) && nonNull(bare).kind === 'list') reportNull(checker, list, type, 'This list', 'Say what to use instead: `list ?? []`.')
  else {
    const isRecord = bare.kind === 'map' || bare.kind === 'record'
    const help = isRecord ? ['Use `keys(…)` or `values(…)` of it.'] : familyOf(bare) === 'int' ? ['`range(n)` is the list of the numbers below n.'] : []
    checker.report(typeErrors['not-a-list']({ place, type: printType(type) }, { at, help }))
  }
  return anyType
}

/** Adds a local for an item or a lambda's parameter, refusing names that are taken. */
export function addItem(checker: Checker, scope: Scope, name: { readonly text: string; readonly start: number; readonly end: number }, type: Type, what: string): Scope {
  reportShadow(checker, scope, name)
  scope.add(name.text, { ref: { kind: 'local', name: name.text }, type, span: name, what })
  return scope
}

/** Reports a local name that is taken already; names of the prelude may be used again. */
export function reportShadow(checker: Checker, scope: Scope, name: { readonly text: string; readonly start: number; readonly end: number }): void {
  const local = scope.find(name.text)
  const symbol = local === null ? checker.unit.file.values.get(name.text) : undefined
  if (local === null && symbol === undefined) return
  const what = local?.what ?? describeSymbol(symbol!)
  const related = local?.span ? [{ at: checker.at(local.span), message: 'it is named here' }] : []
  checker.report(nameErrors.shadows({ name: name.text, what }, { at: checker.at(name), related }))
}

function inferRecord(checker: Checker, expr: RecordExpr, scope: Scope, expected: Type | undefined): Type {
  const wanted = expected === undefined ? null : recordExpected(expected)
  const fields: Record<string, FieldType> = Object.create(null) as Record<string, FieldType>
  const given = new Set<string>()
  let open = false
  const met: Type[] = []
  for (const entry of expr.entries) {
    if (entry.kind === 'entry') {
      if (given.has(entry.key.text)) checker.report(typeErrors['duplicate-field']({ name: entry.key.text }, { at: checker.at(entry.key) }))
      given.add(entry.key.text)
      const field = wanted?.kind === 'record' && Object.hasOwn(wanted.fields, entry.key.text) ? wanted.fields[entry.key.text]!.type : wanted?.kind === 'map' ? wanted.value : undefined
      const type = checker.infer(entry.value, scope, field)
      fields[entry.key.text] = { type, optional: false }
      met.push(type)
      continue
    }
    const type = checker.infer(entry.value, scope)
    met.push(type)
    const bare = stripQualifiers(type)
    if (bare.kind === 'record') {
      for (const [name, field] of Object.entries(bare.fields)) {
        const own = qualify(field.type, qualifiersOf(type))
        const before = Object.hasOwn(fields, name) ? fields[name] : undefined // stays where the spread leaves an optional field out
        fields[name] = field.optional && before !== undefined ? { type: join(before.type, own), optional: before.optional } : { ...field, type: own }
      }
    }
    else if (bare.kind === 'any' || bare.kind === 'map') open = true
    else checker.report(typeErrors.mismatch({ place: 'What follows `...`', expected: 'a record', found: printType(type) }, { at: checker.at(entry.value) }))
  }
  if (!open) return { kind: 'record', fields }
  // Which fields there are is not known: what is in any of them may be in all.
  return met.reduce((all, type) => qualify(all, qualifiersWithin(type)), anyType)
}

/** The record or map a record literal is meant to be. */
function recordExpected(expected: Type): Extract<Type, { kind: 'record' | 'map' }> | null {
  const bare = nonNull(stripQualifiers(expected))
  if (bare.kind === 'record' || bare.kind === 'map') return bare
  if (bare.kind !== 'union') return null
  const records = bare.members.filter(member => member.kind === 'record' || member.kind === 'map')
  return records.length === 1 ? (records[0] as Extract<Type, { kind: 'record' | 'map' }>) : null
}

function inferIndex(checker: Checker, expr: IndexExpr, scope: Scope): Type {
  const type = checker.infer(expr.object, scope)
  const bare = stripQualifiers(type)
  const own = qualifiersOf(type)
  const mismatch = (expected: string, found: Type): void => {
    checker.report(typeErrors.mismatch({ place: 'What stands between `[` and `]`', expected, found: printType(found) }, { at: checker.at(expr.index) }))
  }
  const index = checker.infer(expr.index, scope)
  const key = stripQualifiers(index)
  const isText = familyOf(key) === 'text'
  switch (bare.kind) {
    case 'any':
      return type
    case 'json':
      return qualify(jsonType, own)
    case 'list':
    case 'string':
      if (key.kind !== 'any' && key.kind !== 'int' && !(key.kind === 'literal' && Number.isInteger(key.value))) mismatch('int', index)
      return optional(qualify(bare.kind === 'list' ? bare.item : stringType, own))
    case 'map':
      if (key.kind !== 'any' && !isText) mismatch('string', index)
      return optional(qualify(bare.value, own))
    case 'record': {
      if (key.kind !== 'any' && !isText) mismatch('string', index)
      if (key.kind === 'literal' && Object.hasOwn(bare.fields, String(key.value))) {
        const field = bare.fields[String(key.value)]!
        return qualify(field.optional ? optional(field.type) : field.type, own)
      }
      return qualify(optional(union(Object.values(bare.fields).map(field => field.type))), own)
    }
    default:
      if (isOptional(type)) reportNull(checker, expr.object, type, 'What stands before `[`', 'Say what to use instead: `(value ?? [])[0]`.')
      else checker.report(typeErrors['not-a-list']({ place: '`[…]`', type: printType(type) }, { at: checker.at(expr.object) }))
      return anyType
  }
}

function inferLambda(checker: Checker, expr: LambdaExpr, scope: Scope, expected: Type | undefined): Type {
  if (expected?.kind !== 'function') {
    checker.report(typeErrors['lambda-not-expected']({ place: 'This place' }, { at: checker.at(expr) }))
    return anyType
  }
  const param = expected.params[0] ?? anyType
  const inner = addItem(checker, scope.inside({ inLambda: true, allowed: 'none' }), expr.param, param, 'the parameter')
  return { kind: 'function', params: [param], result: checker.infer(expr.body, inner) }
}

function reportNull(checker: Checker, expr: Expr, type: Type, what: string, help: string): void {
  checker.report(typeErrors['may-be-null']({ what, type: printType(type) }, { at: checker.at(expr), help: [help] }))
}

/** Infers and reports when it is not a bool. */
export function condition(checker: Checker, expr: Expr, scope: Scope, place: string): void {
  const type = checker.infer(expr, scope, boolType)
  const bare = stripQualifiers(type)
  if (isBool(bare)) return
  const at = checker.at(expr)
  if (isOptional(type) && isBool(nonNull(bare))) checker.report(typeErrors['may-be-null']({ what: place, type: printType(type) }, { at, help: ['Say what null means here: `value ?? false`.'] }))
  else {
    const help = bare.kind === 'list' || bare.kind === 'string' ? ['Ask a question about it: `not empty(value)`.'] : isOptional(type) ? ['Ask a question about it: `value != null`.'] : []
    checker.report(typeErrors['condition-not-bool']({ place, type: printType(type) }, { at, help }))
  }
}

function isBool(type: Type): boolean {
  if (type.kind === 'union') return type.members.every(isBool)
  return type.kind === 'bool' || type.kind === 'any' || type.kind === 'never' || (type.kind === 'literal' && typeof type.value === 'boolean')
}

