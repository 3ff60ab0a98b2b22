// Members: `x.f`, `x?.f` and `module.constant`.
// Owns: what a dot means. Does not own: calls of a module's functions (calls.ts).
import { nameErrors } from '#diagnostics/catalog/name.ts'
import { typeErrors } from '#diagnostics/catalog/type.ts'
import type { Type, Value } from '#model/type.ts'
import { anyType, isOptional, join, nonNull, optional, qualifiersOf, qualify, stripQualifiers } from '#types/construct.ts'
import { printType } from '#types/print.ts'
import type { Expr, MemberExpr } from '../1-syntax/ast.ts'
import { suggest } from '../2-resolve/declare.ts'
import { findModule, type ModuleSym } from '../2-resolve/program.ts'
import type { Checker } from './checker.ts'
import { preludeNames } from './prelude.ts'
import { referenceOf, type Scope } from './scope.ts'

/** The module an expression names, when no value of that name is in sight. */
export function moduleNamed(checker: Checker, expr: Expr, scope: Scope): ModuleSym | null {
  if (expr.kind !== 'name-expr' || scope.find(expr.name) !== null || checker.unit.file.values.has(expr.name)) return null
  return findModule(checker.program, checker.unit.file, expr.name)
}

export function inferMember(checker: Checker, expr: MemberExpr, scope: Scope): Type {
  const module = moduleNamed(checker, expr.object, scope)
  if (module !== null) return moduleConstant(checker, expr, module)
  const object = checker.infer(expr.object, scope)
  const reference = referenceOf(expr)
  const narrowed = reference === null ? null : scope.narrowing(reference)
  if (narrowed !== null) return narrowed
  const at = checker.at(expr.name)
  let inner = object
  let mayBeNull = false
  if (isOptional(object) && stripQualifiers(object).kind !== 'null') {
    if (!expr.optional) {
      const dot = { path: checker.unit.file.path, start: checker.at(expr.object).end, end: checker.at(expr.name).start }
      const isPlainDot = checker.unit.file.text.slice(dot.start, dot.end) === '.'
      const fixes = isPlainDot ? [{ title: 'Use `?.`, which gives null then', safe: false, edits: [{ at: dot, newText: '?.' }] }] : []
      const help = [`Write \`?.${expr.name.text}\`, or look first: \`if value != null then … else …\`.`]
      checker.report(typeErrors['may-be-null']({ what: 'What stands before the dot', type: printType(object) }, { at: checker.at(expr.object), help, fixes }))
      return anyType
    }
    mayBeNull = true
    inner = nonNull(object)
  }
  const type = memberType(inner, expr.name.text)
  if (typeof type === 'string') {
    reportMember(checker, expr, inner, type, at)
    return anyType
  }
  return mayBeNull ? optional(type) : type
}

/** The type of a field; or why there is none. */
export function memberType(object: Type, name: string): Type | 'json' | 'missing' | 'in-some' {
  const bare = stripQualifiers(object)
  const own = qualifiersOf(object)
  switch (bare.kind) {
    case 'any':
      return object
    case 'never':
      return bare
    case 'json':
      return 'json'
    case 'map':
      return optional(qualify(bare.value, own))
    case 'record': {
      if (!Object.hasOwn(bare.fields, name)) return 'missing'
      const field = bare.fields[name]!
      return qualify(field.optional ? optional(field.type) : field.type, own)
    }
    case 'union': {
      let all: Type | null = null
      let found = 0
      for (const member of bare.members) {
        const type = memberType(member, name)
        if (typeof type === 'string') continue
        found++
        all = all === null ? type : join(all, type)
      }
      if (all === null) return bare.members.some(member => member.kind === 'json') ? 'json' : 'missing'
      return found === bare.members.length ? qualify(all, own) : 'in-some'
    }
    default:
      return 'missing'
  }
}

/** What lengths are called elsewhere. */
const LENGTH_WORDS = new Set(['length', 'size', 'count'])

function reportMember(checker: Checker, expr: MemberExpr, object: Type, problem: 'json' | 'missing' | 'in-some', at: { path: string; start: number; end: number }): void {
  const name = expr.name.text
  if (name === '') return
  if (problem === 'json') return checker.report(typeErrors['needs-narrowing']({ name }, { at }))
  const bare = stripQualifiers(object)
  const type = printType(object)
  if (problem === 'in-some') {
    checker.report(typeErrors['unknown-field']({ name, type }, { at, help: ['Only some members of this union have it: find out which it is with `match` on a field they share.'] }))
    return
  }
  const members = bare.kind === 'union' ? bare.members : [bare]
  const known = members.flatMap(member => (member.kind === 'record' ? Object.keys(member.fields) : []))
  const found = suggest(name, known, at)
  const isLength = (bare.kind === 'list' || bare.kind === 'string') && LENGTH_WORDS.has(name)
  const help = isLength ? ['Write `len(value)`.'] : preludeNames.has(name) && known.length === 0 ? [`Write \`value |> ${name}(…)\`.`] : found.help
  const fields = known.length > 0 && found.help.length === 0 ? [`It has ${known.slice(0, 8).map(each => `\`${each}\``).join(', ')}${known.length > 8 ? ' …' : ''}.`] : []
  checker.report(typeErrors['unknown-field']({ name, type }, { at, help: [...help, ...fields], fixes: help === found.help ? found.fixes : [] }))
}

function moduleConstant(checker: Checker, expr: MemberExpr, module: ModuleSym): Type {
  const name = expr.name.text
  if (module.signature === null || name === '') return anyType // no name at all was reported
  const constants = module.signature.constants
  if (Object.hasOwn(constants, name)) {
    const constant = constants[name]!
    checker.facts.refs.set(expr, { kind: 'module-constant', module, name, value: constant.value as Value })
    return constant.type
  }
  const at = checker.at(expr.name)
  const written = `${module.name}.${name}`
  if (Object.hasOwn(module.signature.functions, name)) checker.report(nameErrors['not-a-value']({ name: written, what: 'a function' }, { at, help: [`Call it: \`${written}(…)\`.`] }))
  else checker.report(nameErrors['unknown-function']({ module: module.name, name }, { at, ...suggest(name, [...Object.keys(constants), ...Object.keys(module.signature.functions)], at) }))
  return anyType
}
