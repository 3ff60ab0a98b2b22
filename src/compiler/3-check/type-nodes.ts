// Type nodes: from a type as written to a type as data.
// Owns: names of built-in types, refinements, declared types (each once), types that contain themselves. Does not own: the algebra (types/).
//   T1. A declared type is made when first asked for and kept; one that contains itself is reported once and is `any` there.
//   T2. Types are asked for in an order in which parts come first (check.ts), so that long chains do not overflow a stack.
//   T3. A type that repeats itself in itself (twice in twice in twice …) is refused above MAX_TYPE_PARTS.
import { unreachable } from '#base/invariant.ts'
import { compilePattern } from '#base/pattern.ts'
import { nameErrors } from '#diagnostics/catalog/name.ts'
import { typeErrors } from '#diagnostics/catalog/type.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import type { FieldType, Type } from '#model/type.ts'
import { anyType, nullType, optional, qualify, union } from '#types/construct.ts'
import type { Expr, Refinement, TypeField, TypeNode } from '../1-syntax/ast.ts'
import { suggest } from '../2-resolve/declare.ts'
import { findModule, placeIn, type Program, type Sym, type Unit } from '../2-resolve/program.ts'

const BUILT_IN: ReadonlyMap<string, Type> = new Map(
  (['string', 'int', 'float', 'bool', 'json', 'path', 'url', 'bytes', 'duration', 'size', 'tokens', 'money', 'any'] as const).map(kind => [kind, { kind }]),
)

/** Foreign names of built-in types. */
const FOREIGN: ReadonlyMap<string, string> = new Map([
  ['str', 'string'], ['String', 'string'], ['text', 'string'], ['number', 'float'], ['Number', 'float'], ['double', 'float'], ['integer', 'int'], ['Int', 'int'],
  ['boolean', 'bool'], ['Boolean', 'bool'], ['object', 'json'], ['list', 'T[]'], ['array', 'T[]'], ['Array', 'T[]'], ['List', 'T[]'], ['dict', 'map<T>'], ['Map', 'map<T>'], ['Record', 'map<T>'],
  ['file', 'path'], ['uri', 'url'], ['time', 'duration'], ['void', 'null'], ['none', 'null'], ['unknown', 'json'],
])

/** Parts a declared type may have once every name in it is written out. */
const MAX_TYPE_PARTS = 20_000

export interface TypeTable {
  /** The type a node means, in the unit it stands in. */
  typeOf(unit: Unit, node: TypeNode): Type
  ofSymbol(symbol: Sym<'type'>): Type
}

/** Makes the table of a program's declared types. */
export function createTypeTable(program: Program, report: (unit: Unit, diagnostic: Diagnostic) => void): TypeTable {
  const made = new Map<Sym, Type>()
  const open: Sym<'type'>[] = []

  const ofSymbol = (symbol: Sym<'type'>): Type => {
    const known = made.get(symbol)
    if (known !== undefined) return known
    const start = open.indexOf(symbol)
    if (start >= 0) { // T1
      const path = [...open.slice(start), symbol].map(each => `\`${each.name}\``).join(' → ')
      report(symbol.unit, typeErrors.recursive({ path }, { at: placeIn(symbol.unit, symbol.declaration.name) }))
      made.set(symbol, anyType)
      return anyType
    }
    open.push(symbol)
    const type = labelled(typeOf(symbol.unit, symbol.declaration.type), symbol.name)
    open.pop()
    const isTooLarge = countParts(type) > MAX_TYPE_PARTS
    if (isTooLarge) report(symbol.unit, typeErrors['too-large']({ name: symbol.name, limit: MAX_TYPE_PARTS }, { at: placeIn(symbol.unit, symbol.declaration.name) })) // T3
    if (!made.has(symbol)) made.set(symbol, isTooLarge ? anyType : type)
    return made.get(symbol)!
  }

  const typeOf = (unit: Unit, node: TypeNode): Type => {
    switch (node.kind) {
      case 'type-name':
        return named(unit, node)
      case 'type-record':
        return { kind: 'record', fields: fieldsOf(unit, node.fields) }
      case 'type-literal':
        return node.value === null ? nullType : { kind: 'literal', value: node.value }
      case 'type-list':
        return { kind: 'list', item: typeOf(unit, node.item) }
      case 'type-optional':
        return optional(typeOf(unit, node.inner))
      case 'type-union':
        return union(node.members.map(member => typeOf(unit, member)))
      case 'type-qualified': {
        const inner = typeOf(unit, node.inner)
        // Written out, the mark holds even where it could be dropped.
        return node.qualifier === 'secret' ? qualify(inner, { secret: true }) : qualify(inner, { untrusted: true })
      }
      case 'type-error':
        return anyType
      default:
        return unreachable(node)
    }
  }

  const fieldsOf = (unit: Unit, nodes: readonly TypeField[]): Record<string, FieldType> => {
    const fields: Record<string, FieldType> = Object.create(null) as Record<string, FieldType>
    for (const field of nodes) {
      if (Object.hasOwn(fields, field.name.text)) report(unit, typeErrors['duplicate-field']({ name: field.name.text }, { at: placeIn(unit, field.name) }))
      fields[field.name.text] = { type: typeOf(unit, field.type), optional: field.optional, ...(field.doc === '' ? {} : { doc: field.doc }) }
    }
    return fields
  }

  const named = (unit: Unit, node: Extract<TypeNode, { kind: 'type-name' }>): Type => {
    const name = node.path.parts.map(part => part.text).join('.')
    const of = node.of === null ? null : typeOf(unit, node.of)
    if (name === 'map') return { kind: 'map', value: of ?? anyType }
    if (node.of !== null) report(unit, typeErrors['wrong-type-arguments']({ name }, { at: placeIn(unit, node.of) }))
    const base = BUILT_IN.get(name) ?? lookUp(unit, node)
    if (node.refinements.length === 0) return base
    const { type, problem } = refined(base, node.refinements)
    if (problem !== null) report(unit, typeErrors['bad-refinement']({ problem: problem.text }, { at: placeIn(unit, problem.at) }))
    return type
  }

  const lookUp = (unit: Unit, node: Extract<TypeNode, { kind: 'type-name' }>): Type => {
    const [first, second, ...rest] = node.path.parts
    if (first === undefined || first.text === '') return anyType
    const name = node.path.parts.map(part => part.text).join('.')
    const at = placeIn(unit, node.path)
    if (second === undefined) {
      const symbol = unit.file.types.get(first.text)
      if (symbol !== undefined) return ofSymbol(symbol)
      if (unit.file.unknown.has(first.text)) return anyType
      const meant = FOREIGN.get(first.text)
      const fixes = meant === undefined || meant.includes('T') ? [] : [{ title: `Change to \`${meant}\``, safe: true, edits: [{ at, newText: meant }] }]
      const found = meant === undefined ? suggest(first.text, [...unit.file.types.keys(), ...BUILT_IN.keys(), 'map'], at) : { help: [`Write \`${meant}\`.`], fixes }
      report(unit, nameErrors['unknown-type']({ name }, { at, ...found }))
      return anyType
    }
    const module = findModule(program, unit.file, first.text)
    if (module === null) {
      const where = placeIn(unit, first)
      const found = suggest(first.text, [...program.stdNames, ...unit.file.modules.keys()], where)
      if (!unit.file.unknown.has(first.text)) report(unit, nameErrors['unknown-module']({ name: first.text }, { at: where, ...found }))
      return anyType
    }
    if (module.signature === null) return anyType
    const { types } = module.signature
    if (rest.length === 0 && Object.hasOwn(types, second.text)) return labelled(types[second.text]!, name)
    report(unit, nameErrors['unknown-type']({ name }, { at, ...suggest(second.text, Object.keys(types), placeIn(unit, second)) }))
    return anyType
  }

  return { typeOf, ofSymbol }
}

function labelled(type: Type, name: string): Type {
  return (type.kind === 'record' || type.kind === 'union') && type.name === undefined ? { ...type, name } : type
}

const parts = new WeakMap<Type, number>()

/** Parts of a type; shared ones are counted wherever they stand, and looked at once. */
function countParts(type: Type): number {
  const known = parts.get(type)
  if (known !== undefined) return known
  let count = 1
  if (type.kind === 'record') for (const field of Object.values(type.fields)) count += countParts(field.type)
  else if (type.kind === 'union') for (const member of type.members) count += countParts(member)
  else if (type.kind === 'list') count += countParts(type.item)
  else if (type.kind === 'map') count += countParts(type.value)
  else if (type.kind === 'untrusted' || type.kind === 'secret') count += countParts(type.of)
  parts.set(type, count)
  return count
}

interface Problem {
  readonly text: string
  readonly at: Refinement
}

const numberOf = (expr: Expr | null): number | null => (expr?.kind === 'literal' && typeof expr.value === 'number' ? expr.value : null)

/** `int(0..100)`, `string(matches: r"…", min: 1, max: 80)`. */
function refined(base: Type, refinements: readonly Refinement[]): { type: Type; problem: Problem | null } {
  let type = base
  for (const each of refinements) {
    const made = refineOnce(type, each)
    if (typeof made === 'string') return { type: base.kind === 'any' ? base : type, problem: base.kind === 'any' ? null : { text: made, at: each } }
    type = made
  }
  return { type, problem: null }
}

function refineOnce(base: Type, each: Refinement): Type | string {
  const name = each.name?.text ?? null
  if (base.kind === 'int' || base.kind === 'float') {
    const from = numberOf(each.value)
    const to = numberOf(each.to)
    if (name === 'min' && from !== null) return { ...base, min: from }
    if (name === 'max' && from !== null) return base.min !== undefined && from < base.min ? 'its least value is greater than its greatest' : { ...base, max: from }
    if (name !== null) return `a number has \`min\` and \`max\`, or a range such as \`0..100\`, and no \`${name}\``
    if (from === null || to === null) return 'a range is written `0..100`'
    if (from > to) return 'the range begins after its end'
    if (base.kind === 'int' && !(Number.isInteger(from) && Number.isInteger(to))) return 'a range of `int` has whole ends'
    return { ...base, min: from, max: to }
  }
  if (base.kind === 'string') {
    const length = numberOf(each.value)
    const isLength = length !== null && Number.isInteger(length) && length >= 0
    if (name === 'min' && isLength) return { ...base, minLength: length }
    if (name === 'max' && isLength) return base.minLength !== undefined && length < base.minLength ? 'its least length is greater than its greatest' : { ...base, maxLength: length }
    if (name === 'matches' && each.value.kind === 'string-literal') {
      const pattern = each.value.value
      return 'pattern' in compilePattern(pattern) ? { ...base, pattern } : 'its pattern cannot be read (patterns are RE2: no look-around, no back references)'
    }
    return name === 'min' || name === 'max' ? `\`${name}\` takes a whole number` : 'a text has `matches`, `min` and `max`'
  }
  return 'only `int`, `float` and `string` can be refined'
}
