// Schema type: the JSON Schema of a server's tool as a type of tek.
// Owns: what becomes of a part that tek has no type for. Does not own: the mapping itself (types/json-schema.ts).
//   T1. What cannot be said as a type is `json`, with a note that says where and why: a note for each, none is silent.
//   T2. As little as possible becomes `json`: of a record with one field that cannot be said, that field alone.
//   T3. A schema is the server's word: depth and size are bounded before anything walks it.
import type { FieldType, Type } from '#model/type.ts'
import { fromJsonSchema, type JsonSchema, UnsupportedSchema } from '#types/json-schema.ts'

/** Levels of nesting of one schema. */
export const MAX_SCHEMA_NESTING = 40
/** Characters of one schema as JSON. */
export const MAX_SCHEMA_LENGTH = 100_000

export interface SchemaType {
  readonly type: Type
  /** Parts that became `json`: where they are, and why. // T1 */
  readonly notes: readonly string[]
}

/**
 * The type of a schema; `json` where there is none.
 *
 * @example
 * schemaType({ type: 'array', prefixItems: [{ type: 'string' }] }) // { type: { kind: 'json' }, notes: ['`prefixItems` has no type in tek'] }
 */
export function schemaType(schema: JsonSchema): SchemaType {
  const tooLarge = isTooLarge(schema)
  if (tooLarge !== null) return { type: { kind: 'json' }, notes: [tooLarge] } // T3
  try {
    return { type: withoutNames(fromJsonSchema(withoutMarks(schema) as JsonSchema)), notes: [] }
  } catch (error) {
    if (!(error instanceof UnsupportedSchema)) throw error
    const parts = partsOf(schema)
    return parts ?? { type: { kind: 'json' }, notes: [error.message] }
  }
}

/** T2: the fields of a record one by one, each with the definitions that it may refer to. */
function partsOf(schema: JsonSchema): SchemaType | null {
  if (typeof schema === 'boolean' || schema['type'] !== 'object') return null
  const { properties, required, $defs, definitions, ...others } = schema
  const allowed = ['type', 'additionalProperties', '$schema', 'title', 'description', '$id']
  if (typeof properties !== 'object' || properties === null || Object.keys(others).some(key => !allowed.includes(key)) || typeof others['additionalProperties'] === 'object') return null
  const defs = { ...($defs === undefined ? {} : { $defs }), ...(definitions === undefined ? {} : { definitions }) }
  const needed = new Set(Array.isArray(required) ? required : [])
  const fields: Record<string, FieldType> = Object.create(null) as Record<string, FieldType>
  const notes: string[] = []
  for (const [name, property] of Object.entries(properties as Record<string, unknown>)) {
    const { type, notes: found } = schemaType(typeof property === 'object' && property !== null ? { ...defs, ...property } : (property as JsonSchema))
    const doc = typeof property === 'object' && property !== null ? (property as Record<string, unknown>)['description'] : undefined
    fields[name] = { type, optional: !needed.has(name), ...(typeof doc === 'string' ? { doc } : {}) }
    notes.push(...found.map(note => `${name}: ${note}`))
  }
  return { type: { kind: 'record', fields }, notes }
}

/** Marks of tek's own in a server's schema mean nothing: what `x-tek-secret` says is not for a server to say. */
function withoutMarks(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutMarks)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).filter(([key]) => !key.startsWith('x-tek-')).map(([key, each]) => [key, withoutMarks(each)]))
}

/** Titles are the server's prose; as names of types they would stand in messages as if a program had said them. */
function withoutNames(type: Type): Type {
  switch (type.kind) {
    case 'list': return { kind: 'list', item: withoutNames(type.item) }
    case 'map': return { kind: 'map', value: withoutNames(type.value) }
    case 'record': return { kind: 'record', fields: Object.fromEntries(Object.entries(type.fields).map(([name, field]) => [name, { ...field, type: withoutNames(field.type) }])) }
    case 'union': return { kind: 'union', members: type.members.map(withoutNames) }
    default: return type
  }
}

function isTooLarge(schema: unknown): string | null {
  const depth = (value: unknown, left: number): boolean => left < 0 || (typeof value === 'object' && value !== null && Object.values(value).some(each => depth(each, left - 1)))
  if (depth(schema, MAX_SCHEMA_NESTING)) return `the schema is nested deeper than ${MAX_SCHEMA_NESTING}`
  return JSON.stringify(schema).length > MAX_SCHEMA_LENGTH ? `the schema is longer than ${MAX_SCHEMA_LENGTH} characters` : null
}
