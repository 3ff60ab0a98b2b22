// Trust: marks carried from a value to the type it is given, and marks taken off.
// Owns: moving `untrusted` and `secret` through the structure of types. Does not own: what the marks mean for a program (compiler/3-check/trust).
//   T1. A mark is carried part by part where value and type have the same shape; where they have not, any mark within goes on the whole.
//   T2. A field that is not asked for is still there, and comes out when the value is printed whole: where it is marked, the type keeps it.
import type { FieldType, Type } from '#model/type.ts'
import { listOf, optional, qualifiersOf, qualifiersWithin, qualify, stripQualifiers, union } from './construct.ts'

const isMarked = (type: Type): boolean => {
  const within = qualifiersWithin(type)
  return within.untrusted || within.secret
}

/** Deeper than this the marks within go on the whole. */
const MAX_DEPTH = 64

/**
 * The type that was asked for, with the marks of the value that was given (T1).
 *
 * @param wanted the annotation.
 * @param found the type of the value.
 * @example
 * carried(recordOf({ a: text, b: text }), recordOf({ a: untrusted(text), b: text })) // { a: untrusted string, b: string }
 */
export function carried(wanted: Type, found: Type, depth: number = 0): Type {
  const within = qualifiersWithin(found)
  if (!within.untrusted && !within.secret) return wanted
  const own = qualifiersOf(found)
  const from = stripQualifiers(found)
  const to = stripQualifiers(wanted)
  const kept = qualifiersOf(wanted)
  const finish = (type: Type): Type => qualify(type, { untrusted: own.untrusted || kept.untrusted, secret: own.secret || kept.secret })
  if (depth > MAX_DEPTH) return qualify(wanted, within)
  if (to.kind === 'list' && from.kind === 'list') return finish(listOf(carried(to.item, from.item, depth + 1)))
  if (to.kind === 'map' && from.kind === 'map') return finish({ kind: 'map', value: carried(to.value, from.value, depth + 1) })
  if (to.kind === 'map' && from.kind === 'record') {
    return finish({ kind: 'map', value: Object.values(from.fields).reduce((type, field) => carried(type, field.type, depth + 1), to.value) })
  }
  if (to.kind === 'record' && from.kind === 'record') {
    const fields: Record<string, FieldType> = Object.create(null) as Record<string, FieldType>
    for (const [name, field] of Object.entries(to.fields)) {
      const theirs = Object.hasOwn(from.fields, name) ? from.fields[name] : undefined
      fields[name] = theirs === undefined ? field : { ...field, type: carried(field.type, theirs.type, depth + 1) }
    }
    for (const [name, field] of Object.entries(from.fields)) if (!Object.hasOwn(to.fields, name) && isMarked(field.type)) fields[name] = field // T2
    return finish({ ...to, fields })
  }
  if (to.kind === 'union' && from.kind !== 'union') {
    const same = to.members.filter(member => member.kind === from.kind)
    if (same.length === 1 && to.members.every(member => member.kind === 'null' || member === same[0])) return finish(optional(carried(same[0]!, found, depth + 1)))
  }
  if (from.kind === 'union' && from.members.some(member => member.kind === 'null')) {
    const rest = union(from.members.filter(member => member.kind !== 'null'))
    if (rest.kind !== 'union') return finish(carried(wanted, rest, depth + 1))
  }
  return qualify(wanted, within)
}

/** The type without `untrusted`, also of what it holds: what a person vouches for, they vouch for whole. */
export function withoutUntrusted(type: Type): Type {
  return qualifiersWithin(type).untrusted ? vouched(type) : type
}

function vouched(type: Type): Type {
  const bare = stripQualifiers(type)
  const { secret } = qualifiersOf(type)
  switch (bare.kind) {
    case 'list':
      return qualify(listOf(vouched(bare.item)), { secret })
    case 'map':
      return qualify({ kind: 'map', value: vouched(bare.value) }, { secret })
    case 'record':
      return qualify({ ...bare, fields: Object.fromEntries(Object.entries(bare.fields).map(([name, field]) => [name, { ...field, type: vouched(field.type) }])) }, { secret })
    case 'union':
      return qualify(union(bare.members.map(vouched), bare.name), { secret })
    default:
      return qualify(bare, { secret })
  }
}

/** True when the type, or a part of it, is `any` or `json`: what is in it is not known before it is looked at. */
export function holdsUnknown(type: Type): boolean {
  const bare = stripQualifiers(type)
  switch (bare.kind) {
    case 'any':
    case 'json':
      return true
    case 'list':
      return holdsUnknown(bare.item)
    case 'map':
      return holdsUnknown(bare.value)
    case 'record':
      return Object.values(bare.fields).some(field => holdsUnknown(field.type))
    case 'union':
      return bare.members.some(holdsUnknown)
    default:
      return false
  }
}
