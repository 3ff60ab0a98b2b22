// Construct: making types from types, always in the canonical form of model/type.ts.
// Owns: unions, optionals, joins, qualifiers. Does not own: assignability (assignable.ts), which values are trusted (the checker).
//   K1. A union is flat, without duplicates, with null last; one member is that member; none is `never`; `any` and `json` swallow what they hold.
//   K2. Qualifiers of members are hoisted: `untrusted A | B` is `untrusted (A | B)`. So a qualifier is only ever the outermost layer of a position.
//   K3. `join(a, b)` is a type both are assignable to, the least one this algebra can name without merging records or lists.
//   K4. What a union or a join leaves out, because another member holds it, leaves its marks there: `string[] | (untrusted string)[]` is the latter.
import { canonicalJson, type Json } from '#base/json.ts'
import { patternFacts } from '#base/pattern.ts'
import type { FieldType, Type } from '#model/type.ts'
import { isAssignable } from './assignable.ts'

/** More literals than this in a join become their base type: an inferred union of a thousand words helps nobody. */
const MAX_JOINED_LITERALS = 32
/** Longest text that can be taken for a mere name (language.md, Trust). */
const MAX_NAME_LENGTH = 64

export const anyType: Type = { kind: 'any' }
export const neverType: Type = { kind: 'never' }
export const nullType: Type = { kind: 'null' }
export const boolType: Type = { kind: 'bool' }
export const intType: Type = { kind: 'int' }
export const floatType: Type = { kind: 'float' }
export const stringType: Type = { kind: 'string' }
export const jsonType: Type = { kind: 'json' }

export interface Qualifiers {
  readonly untrusted: boolean
  readonly secret: boolean
}

/** True when the two types are the same but for the labels of records and unions (T1). */
export function sameType(a: Type, b: Type): boolean {
  return a === b || typeKey(a) === typeKey(b)
}

/** Text that is equal for equal types; labels and docs are left out. */
function typeKey(type: Type): string {
  return canonicalJson(withoutLabels(type) as Json)
}

function withoutLabels(type: Type): unknown {
  switch (type.kind) {
    case 'list':
      return { kind: 'list', item: withoutLabels(type.item) }
    case 'map':
      return { kind: 'map', value: withoutLabels(type.value) }
    case 'record':
      return {
        kind: 'record',
        fields: Object.entries(type.fields).map(([name, field]) => [name, field.optional, withoutLabels(field.type)]).sort((a, b) => (a[0]! < b[0]! ? -1 : 1)),
      }
    case 'union':
      return { kind: 'union', members: type.members.map(withoutLabels) }
    case 'function':
      return { kind: 'function', params: type.params.map(withoutLabels), result: withoutLabels(type.result) }
    case 'untrusted':
    case 'secret':
      return { kind: type.kind, of: withoutLabels(type.of) }
    default:
      return type
  }
}

/**
 * The union of types, canonical (K1, K2).
 *
 * @example
 * union([{ kind: 'null' }, { kind: 'int' }, { kind: 'int' }]) // { kind: 'union', members: [{ kind: 'int' }, { kind: 'null' }] }
 */
export function union(members: readonly Type[], name?: string): Type {
  const flat = new Map<string, Type>()
  let untrusted = false
  let secret = false
  let hasNull = false
  const add = (type: Type): void => {
    const bare = stripQualifiers(type)
    if (bare !== type) {
      const qualifiers = qualifiersOf(type)
      untrusted ||= qualifiers.untrusted // K2
      secret ||= qualifiers.secret
    }
    if (bare.kind === 'union') for (const member of bare.members) add(member)
    else if (bare.kind === 'null') hasNull = true
    else if (bare.kind !== 'never') {
      const key = typeKey(bare)
      if (!flat.has(key)) flat.set(key, bare)
    }
  }
  for (const member of members) add(member)
  const rest = [...flat.values()]
  const finish = (type: Type): Type => qualify(type, { untrusted, secret })
  const swallowing = (type: Type): Type => rest.reduce((all, member) => qualify(all, qualifiersWithin(member)), finish(type)) // K4
  if (rest.some(member => member.kind === 'any')) return swallowing(anyType) // K1
  if (rest.some(member => member.kind === 'json') && rest.every(member => isAssignable(member, jsonType))) return swallowing(jsonType)
  if (hasNull) rest.push(nullType)
  if (rest.length === 0) return finish(neverType)
  if (rest.length === 1) return finish(rest[0]!)
  const first = members.length === 1 ? stripQualifiers(members[0]!) : null
  if (first !== null && first.kind === 'union' && first.members.length === rest.length && name === undefined) return finish(first)
  return finish(name === undefined ? { kind: 'union', members: rest } : { kind: 'union', members: rest, name })
}

/** `T?`. */
export function optional(type: Type): Type {
  return union([type, nullType])
}

/** True when null is one of the type's values by name: `T?` and `null`; not `any` and `json`, which must be narrowed first. */
export function isOptional(type: Type): boolean {
  const bare = stripQualifiers(type)
  return bare.kind === 'null' || (bare.kind === 'union' && bare.members.some(member => member.kind === 'null'))
}

/** `T?` without its null. `nonNull(null)` is `never`. */
export function nonNull(type: Type): Type {
  if (!isOptional(type)) return type
  const bare = stripQualifiers(type)
  const rest = bare.kind === 'union' ? bare.members.filter(member => member.kind !== 'null') : []
  return qualify(union(rest), qualifiersOf(type))
}

/**
 * The least type that holds both (K3).
 *
 * @example
 * join({ kind: 'int' }, { kind: 'float' }) // { kind: 'float' }
 */
export function join(a: Type, b: Type): Type {
  const qualifiers = both(qualifiersOf(a), qualifiersOf(b))
  const left = stripQualifiers(a)
  const right = stripQualifiers(b)
  if (left.kind === 'any' || right.kind === 'any') return qualify(anyType, both(qualifiersWithin(a), qualifiersWithin(b))) // K4
  if (isAssignable(left, right)) return qualify(holding(right, left), qualifiers)
  if (isAssignable(right, left)) return qualify(holding(left, right), qualifiers)
  const merged = union([left, right])
  const reduced = merged.kind === 'union' ? reduce(merged.members) : merged
  // Between records and maps the relation is not transitive, so a dropped member may leave a gap.
  return qualify(isAssignable(left, reduced) && isAssignable(right, reduced) ? reduced : merged, qualifiers)
}

/** Drops members that another member holds, and widens literals when there are too many. */
function reduce(members: readonly Type[]): Type {
  const literals = members.filter(member => member.kind === 'literal').length
  const widened = literals > MAX_JOINED_LITERALS ? members.map(literalBase) : members
  const kept: Type[] = []
  for (const member of widened) {
    const holder = kept.findIndex(other => isAssignable(member, other))
    if (holder >= 0) {
      kept[holder] = holding(kept[holder]!, member)
      continue
    }
    let wide = member
    for (let index = kept.length - 1; index >= 0; index--) if (isAssignable(kept[index]!, member)) wide = holding(wide, kept.splice(index, 1)[0]!)
    kept.push(wide)
  }
  return union(kept)
}

/** The type with the marks of one that it holds, part by part where the two have the same shape (K4). */
function holding(kept: Type, held: Type): Type {
  const within = qualifiersWithin(held)
  if (!within.untrusted && !within.secret) return kept
  const [to, from] = [stripQualifiers(kept), stripQualifiers(held)]
  const finish = (type: Type): Type => qualify(qualify(type, qualifiersOf(kept)), qualifiersOf(held))
  if (to.kind === 'list' && from.kind === 'list') return finish(listOf(holding(to.item, from.item)))
  if (to.kind === 'map' && from.kind === 'map') return finish({ kind: 'map', value: holding(to.value, from.value) })
  if (to.kind !== 'record' || from.kind !== 'record') return qualify(kept, within)
  const fields: Record<string, FieldType> = Object.create(null) as Record<string, FieldType>
  for (const [name, field] of Object.entries(to.fields)) {
    const theirs = Object.hasOwn(from.fields, name) ? from.fields[name] : undefined
    fields[name] = theirs === undefined ? field : { ...field, type: holding(field.type, theirs.type) }
  }
  // One that is not asked for is there all the same, and comes out when the value is printed whole.
  for (const [name, field] of Object.entries(from.fields)) {
    const marks = qualifiersWithin(field.type)
    if (!Object.hasOwn(to.fields, name) && (marks.untrusted || marks.secret)) fields[name] = { ...field, optional: true }
  }
  return finish({ ...to, fields })
}

/** The base type of a literal; other types as they are. */
export function literalBase(type: Type): Type {
  if (type.kind !== 'literal') return type
  if (typeof type.value === 'string') return stringType
  if (typeof type.value === 'boolean') return boolType
  return Number.isSafeInteger(type.value) ? intType : floatType
}

export function listOf(item: Type): Type {
  return { kind: 'list', item }
}

/** A record all of whose fields are required; pass `FieldType`s for more. */
export function recordOf(fields: Readonly<Record<string, Type | FieldType>>, name?: string): Type {
  const made: Record<string, FieldType> = Object.create(null) as Record<string, FieldType>
  for (const [key, field] of Object.entries(fields)) made[key] = 'kind' in field ? { type: field, optional: false } : field
  return name === undefined ? { kind: 'record', fields: made } : { kind: 'record', fields: made, name }
}

/** The type without its outermost qualifiers; those of fields and items stay. */
export function stripQualifiers(type: Type): Type {
  let bare = type
  while (bare.kind === 'untrusted' || bare.kind === 'secret') bare = bare.of
  return bare
}

/** The outermost qualifiers. For those anywhere within, `qualifiersWithin`. */
export function qualifiersOf(type: Type): Qualifiers {
  let untrusted = false
  let secret = false
  for (let bare = type; bare.kind === 'untrusted' || bare.kind === 'secret'; bare = bare.of) {
    if (bare.kind === 'untrusted') untrusted = true
    else secret = true
  }
  return { untrusted, secret }
}

/** The qualifiers of the type or of anything it holds: what printing such a value would let out. */
export function qualifiersWithin(type: Type): Qualifiers {
  const own = qualifiersOf(type)
  const bare = stripQualifiers(type)
  switch (bare.kind) {
    case 'list':
      return both(own, qualifiersWithin(bare.item))
    case 'map':
      return both(own, qualifiersWithin(bare.value))
    case 'record':
      return Object.values(bare.fields).reduce((all, field) => both(all, qualifiersWithin(field.type)), own)
    case 'union':
      return bare.members.reduce((all, member) => both(all, qualifiersWithin(member)), own)
    default:
      return own
  }
}

const both = (a: Qualifiers, b: Qualifiers): Qualifiers => ({ untrusted: a.untrusted || b.untrusted, secret: a.secret || b.secret })

/** Adds qualifiers; those it has stay. `untrusted` is not added to a type that has no room for instructions. */
export function qualify(type: Type, add: { readonly untrusted?: boolean; readonly secret?: boolean }): Type {
  const had = qualifiersOf(type)
  const untrusted = had.untrusted || add.untrusted === true
  const secret = had.secret || add.secret === true
  if (untrusted === had.untrusted && secret === had.secret) return type
  const bare = stripQualifiers(type)
  const inner: Type = secret ? { kind: 'secret', of: bare } : bare
  return untrusted && (had.untrusted || !hasNoRoomForInstructions(bare)) ? { kind: 'untrusted', of: inner } : inner
}

/**
 * True for types too narrow to carry an instruction to a model or a shell (language.md, Trust): bool, numbers, enums of literals,
 * strings of an anchored pattern with no space, slash, dots or leading `-`, at most 64 long. Lists and records are judged by their parts when these are used.
 */
export function hasNoRoomForInstructions(type: Type): boolean {
  const bare = stripQualifiers(type)
  switch (bare.kind) {
    case 'bool':
    case 'int':
    case 'float':
    case 'duration':
    case 'size':
    case 'tokens':
    case 'money':
    case 'literal':
    case 'null':
    case 'never':
      return true
    case 'string': {
      const facts = bare.pattern === undefined ? null : patternFacts(bare.pattern)
      if (facts === null || !facts.anchored || facts.mayHold(/[\s/\\.\p{C}\p{Z}]/u) || facts.mayStartWith('-')) return false
      return Math.min(facts.maxLength, bare.maxLength ?? Number.POSITIVE_INFINITY) <= MAX_NAME_LENGTH
    }
    case 'union':
      return bare.members.every(hasNoRoomForInstructions)
    default:
      return false
  }
}
