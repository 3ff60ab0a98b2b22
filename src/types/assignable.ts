// Assignable: may a value of one type stand where another is asked for?
// Owns: the relation and the reason when it does not hold. Does not own: trust and secrecy: qualifiers are transparent here, the checker's
// trust rules look at them.
//   A1. Structural. Records may have more fields than asked for; an optional field may be missing, a required one may not be optional.
//   A2. int → float; path, url → string; a literal → its base, and a text literal → path and url; an enum → its base; never → all; any ↔ all.
//   A3. A record whose fields all fit is a map: that is how a map is written. (So the relation is transitive except through a forgotten field.)
import { matches } from '#base/pattern.ts'
import { textLength } from '#base/unicode.ts'
import type { Type } from '#model/type.ts'
import { printType } from './print.ts'

/** Deeper types are compared no further and do not fit; declared types are finite and never come near. */
const MAX_TYPE_DEPTH = 256
const TRUE: Type = { kind: 'literal', value: true }
const FALSE: Type = { kind: 'literal', value: false }

/**
 * True when every value of `from` may be used as a `to`.
 *
 * @example
 * isAssignable({ kind: 'int' }, { kind: 'float' }) // true
 */
export function isAssignable(from: Type, to: Type): boolean {
  return fits(from, to, 0)
}

function fits(given: Type, wanted: Type, depth: number): boolean {
  const from = bare(given)
  const to = bare(wanted)
  if (from === to || from.kind === 'any' || to.kind === 'any' || from.kind === 'never') return true
  if (depth > MAX_TYPE_DEPTH) return false
  if (from.kind === 'union') return from.members.every(member => fits(member, to, depth + 1))
  if (to.kind === 'union') {
    if (to.members.some(member => fits(from, member, depth + 1))) return true
    return from.kind === 'bool' && fits(TRUE, to, depth + 1) && fits(FALSE, to, depth + 1)
  }
  if (to.kind === 'json') return isJsonAble(from, depth)
  switch (from.kind) {
    case 'literal':
      return literalFits(from.value, to)
    case 'int':
      return (to.kind === 'int' || to.kind === 'float') && within(from, to)
    case 'float':
      return to.kind === 'float' && within(from, to)
    case 'string':
      return to.kind === 'string' && stringWithin(from, to)
    case 'path':
    case 'url':
      return to.kind === from.kind || (to.kind === 'string' && stringWithin({ kind: 'string' }, to))
    case 'list':
      return to.kind === 'list' && fits(from.item, to.item, depth + 1)
    case 'map':
      return to.kind === 'map' && fits(from.value, to.value, depth + 1)
    case 'record':
      return recordFits(from, to, depth)
    case 'function': {
      if (to.kind !== 'function' || from.params.length > to.params.length) return false
      return from.params.every((param, index) => fits(to.params[index]!, param, depth + 1)) && fits(from.result, to.result, depth + 1)
    }
    case 'variable':
      return to.kind === 'variable' && to.name === from.name
    default:
      return to.kind === from.kind
  }
}

function bare(type: Type): Type {
  let inner = type
  while (inner.kind === 'untrusted' || inner.kind === 'secret') inner = inner.of
  return inner
}

type RecordType = Extract<Type, { kind: 'record' }>

function recordFits(from: RecordType, to: Type, depth: number): boolean {
  if (to.kind === 'map') return Object.values(from.fields).every(field => fits(field.type, to.value, depth + 1)) // A3
  if (to.kind !== 'record') return false
  for (const name of Object.keys(to.fields)) {
    const wanted = to.fields[name]!
    const given = Object.hasOwn(from.fields, name) ? from.fields[name]! : undefined
    if (given === undefined) {
      if (!wanted.optional) return false // A1
    } else if ((given.optional && !wanted.optional) || !fits(given.type, wanted.type, depth + 1)) return false
  }
  return true
}

function literalFits(value: string | number | boolean, to: Type): boolean {
  switch (to.kind) {
    case 'literal':
      return to.value === value
    case 'bool':
      return typeof value === 'boolean'
    case 'int':
    case 'float':
      return typeof value === 'number' && (to.kind === 'float' || Number.isSafeInteger(value)) && within({ min: value, max: value }, to)
    case 'tokens':
      return typeof value === 'number' && Number.isSafeInteger(value)
    case 'path':
    case 'url':
      return typeof value === 'string' // A2
    case 'string': {
      if (typeof value !== 'string') return false
      const length = textLength(value)
      return length >= (to.minLength ?? 0) && length <= (to.maxLength ?? Infinity) && (to.pattern === undefined || matches(to.pattern, value) === true)
    }
    default:
      return false
  }
}

interface Range {
  readonly min?: number
  readonly max?: number
}

const within = (from: Range, to: Range): boolean =>
  (from.min ?? -Infinity) >= (to.min ?? -Infinity) && (from.max ?? Infinity) <= (to.max ?? Infinity)

type TextType = Extract<Type, { kind: 'string' }>

function stringWithin(from: TextType, to: TextType): boolean {
  if (to.pattern !== undefined && from.pattern !== to.pattern) return false
  return (from.minLength ?? 0) >= (to.minLength ?? 0) && (from.maxLength ?? Infinity) <= (to.maxLength ?? Infinity)
}

function isJsonAble(type: Type, depth: number): boolean {
  const inner = bare(type)
  if (depth > MAX_TYPE_DEPTH) return false
  switch (inner.kind) {
    case 'function':
    case 'variable':
      return false
    case 'list':
      return isJsonAble(inner.item, depth + 1)
    case 'map':
      return isJsonAble(inner.value, depth + 1)
    case 'record':
      return Object.values(inner.fields).every(field => isJsonAble(field.type, depth + 1))
    case 'union':
      return inner.members.every(member => isJsonAble(member, depth + 1))
    default:
      return true
  }
}

/**
 * Why a `from` may not stand for a `to`, in one line that can follow "…: "; null when it may.
 *
 * @example
 * whyNotAssignable({ kind: 'string' }, { kind: 'int' }) // 'int is needed, string is given'
 */
export function whyNotAssignable(from: Type, to: Type): string | null {
  return isAssignable(from, to) ? null : why(bare(from), bare(to), '')
}

function why(from: Type, to: Type, path: string): string {
  const at = path === '' ? '' : `in ${path}: `
  if (from.kind === 'list' && to.kind === 'list') return why(bare(from.item), bare(to.item), `${path}[]`)
  if (from.kind === 'map' && to.kind === 'map') return why(bare(from.value), bare(to.value), `${path}[]`)
  if (from.kind === 'record' && to.kind === 'map') {
    const [name, field] = Object.entries(from.fields).find(([, each]) => !isAssignable(each.type, to.value))!
    return why(bare(field.type), bare(to.value), member(path, name))
  }
  if (from.kind === 'record' && to.kind === 'record') {
    for (const [name, wanted] of Object.entries(to.fields)) {
      const given = Object.hasOwn(from.fields, name) ? from.fields[name]! : undefined
      if (given === undefined && !wanted.optional) return `${at}the field \`${name}\` (${printType(wanted.type)}) is missing`
      if (given === undefined) continue
      if (given.optional && !wanted.optional) return `${at}the field \`${name}\` may be missing, and is needed`
      if (!isAssignable(given.type, wanted.type)) return why(bare(given.type), bare(wanted.type), member(path, name))
    }
  }
  if (from.kind === 'union' && to.kind !== 'union') {
    const bad = from.members.find(each => !isAssignable(each, to))!
    if (bad.kind === 'null') return `${at}${printType(to)} is needed, and it may be null`
    if (bad.kind !== from.kind) return `${at}${printType(to)} is needed, and it may be ${printType(bad)}`
  }
  // `T?` is asked for: the reason lies in T, so that the nearest field is named.
  if (to.kind === 'union' && from.kind !== 'union') {
    const likely = to.members.filter(each => each.kind === from.kind && (each.kind === 'record' || each.kind === 'list' || each.kind === 'map'))
    if (likely.length === 1) return why(from, likely[0]!, path)
  }
  return `${at}${printType(to)} is needed, ${printType(from)} is given`
}

const member = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`)
