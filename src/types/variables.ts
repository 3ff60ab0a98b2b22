// Variables: type variables of signatures, bound by the arguments of one call.
// Owns: binding and substitution. Does not own: whether the bound types then fit (assignable.ts).
import type { FieldType, Type } from '#model/type.ts'
import { join, qualify, qualifiersOf, stripQualifiers, union } from './construct.ts'

export type Bindings = Map<string, Type>

/**
 * Binds the variables in a parameter's type so that the argument fits, where that can be. A variable met twice takes the join.
 *
 * @example
 * bindVariables(listOf(variable('T')), listOf(int), bindings) // T = int
 */
export function bindVariables(param: Type, arg: Type, bindings: Bindings): void {
  const wanted = stripQualifiers(param)
  // A parameter that says `untrusted` itself takes that qualifier off; otherwise the variable carries the argument's.
  const own = qualifiersOf(param)
  const theirs = qualifiersOf(arg)
  const carrying = (part: Type): Type => qualify(part, { untrusted: theirs.untrusted && !own.untrusted, secret: theirs.secret && !own.secret })
  const given = stripQualifiers(arg)
  if (wanted.kind === 'variable') {
    const before = bindings.get(wanted.name)
    bindings.set(wanted.name, before === undefined ? carrying(given) : join(before, carrying(given)))
    return
  }
  if (wanted.kind === 'union') return bindUnion(wanted.members, given.kind === 'union' ? given.members.map(carrying) : [carrying(given)], bindings)
  // What is inside an untrusted list is untrusted.
  const inside = (part: Type): Type => qualify(part, qualifiersOf(arg))
  if (given.kind === 'union') {
    for (const member of given.members) if (member.kind === wanted.kind) bindVariables(wanted, inside(member), bindings)
    return
  }
  if (given.kind === 'any') {
    for (const name of variablesOf(wanted)) if (!bindings.has(name)) bindings.set(name, inside({ kind: 'any' }))
    return
  }
  if (wanted.kind === 'list' && given.kind === 'list') bindVariables(wanted.item, inside(given.item), bindings)
  else if (wanted.kind === 'map' && given.kind === 'map') bindVariables(wanted.value, inside(given.value), bindings)
  else if (wanted.kind === 'map' && given.kind === 'record') {
    for (const field of Object.values(given.fields)) bindVariables(wanted.value, inside(field.type), bindings)
  } else if (wanted.kind === 'record' && given.kind === 'record') {
    for (const [name, field] of Object.entries(wanted.fields)) {
      const theirs = Object.hasOwn(given.fields, name) ? given.fields[name] : undefined
      if (theirs !== undefined) bindVariables(field.type, inside(theirs.type), bindings)
    }
  } else if (wanted.kind === 'function' && given.kind === 'function') {
    wanted.params.forEach((each, index) => given.params[index] !== undefined && bindVariables(each, given.params[index], bindings))
    bindVariables(wanted.result, given.result, bindings)
  }
}

/** Members of the same kind meet first; what no other member takes goes to the variable: `T?` against `int?` binds T to int. */
function bindUnion(members: readonly Type[], parts: readonly Type[], bindings: Bindings): void {
  const variable = members.find(member => stripQualifiers(member).kind === 'variable')
  const rest: Type[] = []
  for (const part of parts) {
    const same = members.find(member => stripQualifiers(member).kind === stripQualifiers(part).kind)
    if (same !== undefined) bindVariables(same, part, bindings)
    else rest.push(part)
  }
  if (variable !== undefined && rest.length > 0) bindVariables(variable, union(rest), bindings)
}

function variablesOf(type: Type, found: Set<string> = new Set()): Set<string> {
  substitute(type, { get: name => (found.add(name), undefined) })
  return found
}

/**
 * The type with bound variables replaced; an unbound one becomes `unbound`, or stays when that is not given.
 *
 * @example
 * substitute(listOf(variable('T')), new Map([['T', int]])) // int[]
 */
export function substitute(type: Type, bindings: { get(name: string): Type | undefined }, unbound?: Type): Type {
  const into = (part: Type): Type => substitute(part, bindings, unbound)
  switch (type.kind) {
    case 'variable':
      return bindings.get(type.name) ?? unbound ?? type
    case 'list':
      return { kind: 'list', item: into(type.item) }
    case 'map':
      return { kind: 'map', value: into(type.value) }
    case 'record': {
      const fields: Record<string, FieldType> = Object.create(null) as Record<string, FieldType>
      for (const [name, field] of Object.entries(type.fields)) fields[name] = { ...field, type: into(field.type) }
      return { ...type, fields }
    }
    case 'union':
      return union(type.members.map(into), type.name)
    case 'function':
      return { kind: 'function', params: type.params.map(into), result: into(type.result) }
    case 'untrusted':
      return qualify(into(type.of), { untrusted: true })
    case 'secret':
      return qualify(into(type.of), { secret: true })
    default:
      return type
  }
}

const generic = new WeakMap<Type, boolean>()

/** Whether a type holds a variable. */
export function mentionsVariable(type: Type): boolean {
  const known = generic.get(type)
  if (known !== undefined) return known
  let found = false
  substitute(type, { get: () => ((found = true), undefined) })
  generic.set(type, found)
  return found
}
