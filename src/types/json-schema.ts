// Json schema: types as JSON Schema (draft 2020-12) and back. What models, MCP clients and plugins see.
// Owns: the mapping and the `x-tek-*` marks. Does not own: validation (validate.ts), representations of values (codec.ts).
//   S1. fromJsonSchema(toJsonSchema(t)) is t. What zod's `toJSONSchema` writes is understood too.
//   S2. A structure tek has no type for (tuples, recursion, patterns over keys, conditionals) is refused with its place. A constraint it has no
//       word for (`minItems`, `multipleOf`, `format`) only narrows: it is left out, and the plugin's own schema still holds it.
//   S3. Money is a decimal string of dollars in a schema we write; a schema marked `money` over integers is read as micro-dollars.
import { compilePattern } from '#base/pattern.ts'
import type { FieldType, Type } from '#model/type.ts'
import { qualify, union } from './construct.ts'

export type JsonSchema = boolean | { readonly [key: string]: unknown }
type Keys = { readonly [key: string]: unknown }

const MAX_SCHEMA_DEPTH = 128
/** Anchored, at most six decimals: micro-dollars. */
const MONEY_PATTERN = '^-?[0-9]{1,10}([.][0-9]{1,6})?$'
const BASE64_PATTERN = '^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$'

/** A schema that has no tek type. */
export class UnsupportedSchema extends Error {
  override readonly name = 'UnsupportedSchema'
  /** JSON pointer to the part that has none; '' for the whole. */
  readonly pointer: string
  constructor(reason: string, pointer: string) {
    super(pointer === '' ? reason : `${reason} (at ${pointer})`)
    this.pointer = pointer
  }
}

/**
 * The schema of a type. Variables and functions, which only signatures hold, become marks that `fromJsonSchema` reads.
 *
 * @example
 * toJsonSchema({ kind: 'duration' }) // { type: 'number', 'x-tek-type': 'duration' }
 */
export function toJsonSchema(type: Type): JsonSchema {
  switch (type.kind) {
    case 'any':
    case 'json':
      return { 'x-tek-type': type.kind }
    case 'never':
      return { not: {} }
    case 'null':
      return { type: 'null' }
    case 'bool':
      return { type: 'boolean' }
    case 'int':
    case 'float':
      return {
        type: type.kind === 'int' ? 'integer' : 'number',
        ...(type.min === undefined ? {} : { minimum: type.min }),
        ...(type.max === undefined ? {} : { maximum: type.max }),
      }
    case 'string':
      return {
        type: 'string',
        ...(type.pattern === undefined ? {} : { pattern: type.pattern }),
        ...(type.minLength === undefined ? {} : { minLength: type.minLength }),
        ...(type.maxLength === undefined ? {} : { maxLength: type.maxLength }),
      }
    case 'path':
    case 'url':
      return { type: 'string', 'x-tek-type': type.kind }
    case 'bytes':
      return { type: 'string', pattern: BASE64_PATTERN, 'x-tek-type': 'bytes' }
    case 'duration':
    case 'size':
      return { type: 'number', 'x-tek-type': type.kind }
    case 'tokens':
      return { type: 'integer', 'x-tek-type': 'tokens' }
    case 'money':
      return { type: 'string', pattern: MONEY_PATTERN, 'x-tek-type': 'money' } // S3
    case 'literal':
      return { const: type.value }
    case 'list':
      return { type: 'array', items: toJsonSchema(type.item) }
    case 'map':
      return { type: 'object', additionalProperties: toJsonSchema(type.value) }
    case 'record':
      return recordSchema(type)
    case 'union':
      return unionSchema(type)
    case 'untrusted':
    case 'secret': {
      const inner = toJsonSchema(type.of)
      return { ...(typeof inner === 'boolean' ? {} : inner), [`x-tek-${type.kind}`]: true }
    }
    case 'variable':
      return { 'x-tek-type': `variable:${type.name}` }
    case 'function':
      return { 'x-tek-type': 'function', 'x-tek-params': type.params.map(toJsonSchema), 'x-tek-result': toJsonSchema(type.result) }
  }
}

function recordSchema(type: Extract<Type, { kind: 'record' }>): JsonSchema {
  const properties: Record<string, JsonSchema> = {}
  const required: string[] = []
  for (const [name, field] of Object.entries(type.fields)) {
    const schema = toJsonSchema(field.type)
    const described = field.doc === undefined || typeof schema === 'boolean' ? schema : { ...schema, description: field.doc }
    Object.defineProperty(properties, name, { value: described, enumerable: true, writable: true, configurable: true })
    if (!field.optional) required.push(name)
  }
  return { type: 'object', ...(type.name === undefined ? {} : { title: type.name }), properties, ...(required.length === 0 ? {} : { required }) }
}

function unionSchema(type: Extract<Type, { kind: 'union' }>): JsonSchema {
  const title = type.name === undefined ? {} : { title: type.name }
  const values: (string | number | boolean | null)[] = []
  for (const member of type.members) {
    if (member.kind === 'literal') values.push(member.value)
    else if (member.kind === 'null') values.push(null)
    else return { ...title, anyOf: type.members.map(toJsonSchema) }
  }
  return { ...title, ...(values.every(value => typeof value === 'string') ? { type: 'string' } : {}), enum: values }
}

/**
 * The type of a schema.
 *
 * @throws {UnsupportedSchema} when tek has no such type (S2).
 * @example
 * fromJsonSchema({ type: ['integer', 'null'] }) // the type `int?`
 */
export function fromJsonSchema(schema: JsonSchema): Type {
  return new SchemaReader(schema).read(schema, '', 0, null)
}

const REFUSED_KEYS = [
  'prefixItems', 'patternProperties', 'dependentSchemas', 'dependentRequired', 'if', 'then', 'else', 'contains', 'unevaluatedProperties',
  '$dynamicRef', '$recursiveRef',
]

class SchemaReader {
  private readonly root: JsonSchema
  /** References being read, to notice a schema that holds itself. */
  private readonly open = new Set<string>()

  constructor(root: JsonSchema) {
    this.root = root
  }

  read(schema: unknown, pointer: string, depth: number, label: string | null): Type {
    if (depth > MAX_SCHEMA_DEPTH) throw new UnsupportedSchema(`the schema is nested deeper than ${MAX_SCHEMA_DEPTH}`, pointer)
    if (schema === true) return { kind: 'json' }
    if (schema === false) return { kind: 'never' }
    if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) {
      throw new UnsupportedSchema('a schema must be an object, true or false', pointer)
    }
    const keys = schema as Keys
    const bare = this.bare(keys, pointer, depth, label)
    return qualify(bare, { untrusted: keys['x-tek-untrusted'] === true, secret: keys['x-tek-secret'] === true })
  }

  private bare(keys: Keys, pointer: string, depth: number, label: string | null): Type {
    for (const key of REFUSED_KEYS) if (keys[key] !== undefined) throw new UnsupportedSchema(`\`${key}\` has no type in tek`, pointer) // S2
    const mark = keys['x-tek-type']
    if (typeof mark === 'string') return this.marked(mark, keys, pointer, depth)
    if (keys['$ref'] !== undefined) return this.reference(keys['$ref'], pointer, depth)
    if ('const' in keys) return literal(keys['const'], pointer)
    if (Array.isArray(keys['enum'])) return union(keys['enum'].map(value => literal(value, pointer)), labelOf(keys, null))
    const choices = keys['anyOf'] ?? keys['oneOf']
    if (Array.isArray(choices)) {
      return union(choices.map((choice, index) => this.read(choice, `${pointer}/anyOf/${index}`, depth + 1, null)), labelOf(keys, label))
    }
    if (Array.isArray(keys['allOf'])) {
      if (keys['allOf'].length !== 1) throw new UnsupportedSchema('`allOf` of several schemas has no type in tek', pointer)
      return this.read(keys['allOf'][0], `${pointer}/allOf/0`, depth + 1, label)
    }
    if (keys['not'] !== undefined) {
      if (typeof keys['not'] === 'object' && keys['not'] !== null && Object.keys(keys['not']).length === 0) return { kind: 'never' }
      throw new UnsupportedSchema('`not` has no type in tek', pointer)
    }
    const type = keys['type']
    if (Array.isArray(type)) return union(type.map(each => this.ofType(each, keys, pointer, depth, label)), labelOf(keys, null))
    return this.ofType(type, keys, pointer, depth, label)
  }

  private marked(mark: string, keys: Keys, pointer: string, depth: number): Type {
    switch (mark) {
      case 'any':
      case 'json':
      case 'path':
      case 'url':
      case 'bytes':
      case 'duration':
      case 'size':
      case 'tokens':
      case 'money':
        return { kind: mark }
      case 'function': {
        const params = Array.isArray(keys['x-tek-params']) ? keys['x-tek-params'] : []
        return {
          kind: 'function',
          params: params.map((param, index) => this.read(param, `${pointer}/x-tek-params/${index}`, depth + 1, null)),
          result: this.read(keys['x-tek-result'], `${pointer}/x-tek-result`, depth + 1, null),
        }
      }
      default:
        if (mark.startsWith('variable:')) return { kind: 'variable', name: mark.slice('variable:'.length) }
        throw new UnsupportedSchema(`\`x-tek-type: ${mark}\` is no type of tek`, pointer)
    }
  }

  private reference(ref: unknown, pointer: string, depth: number): Type {
    const found = typeof ref === 'string' ? /^#(?:\/(?:\$defs|definitions)\/([^/]+))?$/.exec(ref) : null
    if (found === null) throw new UnsupportedSchema(`\`$ref\` to ${JSON.stringify(ref)} leads outside this schema`, pointer)
    const name = found[1] === undefined ? null : decodeURIComponent(found[1].replaceAll('~1', '/').replaceAll('~0', '~'))
    if (name === null || this.open.has(name)) throw new UnsupportedSchema('a schema that holds itself has no type in tek', pointer)
    const root = typeof this.root === 'boolean' ? {} : this.root
    const defs = (root['$defs'] ?? root['definitions'] ?? {}) as Keys
    if (!Object.hasOwn(defs, name)) throw new UnsupportedSchema(`\`$ref\` names \`${name}\`, which is not in \`$defs\``, pointer)
    this.open.add(name)
    const type = this.read(defs[name], `/$defs/${name}`, depth + 1, name.startsWith('__') ? null : name)
    this.open.delete(name)
    return type
  }

  private ofType(type: unknown, keys: Keys, pointer: string, depth: number, label: string | null): Type {
    switch (type) {
      case 'null':
        return { kind: 'null' }
      case 'boolean':
        return { kind: 'bool' }
      case 'integer':
        return integer(keys)
      case 'number':
        return { kind: 'float', ...bound('min', keys['minimum']), ...bound('max', keys['maximum']) }
      case 'string':
        return text(keys, pointer)
      case 'array':
        return { kind: 'list', item: keys['items'] === undefined ? { kind: 'json' } : this.read(keys['items'], `${pointer}/items`, depth + 1, null) }
      case 'object':
        return this.object(keys, pointer, depth, label)
      case undefined:
        if (keys['properties'] !== undefined) return this.object(keys, pointer, depth, label)
        if (keys['items'] !== undefined) return this.ofType('array', keys, pointer, depth, label)
        return { kind: 'json' }
      default:
        throw new UnsupportedSchema(`\`type: ${JSON.stringify(type)}\` is not known`, pointer)
    }
  }

  private object(keys: Keys, pointer: string, depth: number, label: string | null): Type {
    const names = keys['propertyNames']
    if (typeof names === 'object' && names !== null && Object.keys(names).some(key => key !== 'type')) {
      throw new UnsupportedSchema('keys of a fixed form have no type in tek', pointer)
    }
    const rest = keys['additionalProperties']
    const properties = (keys['properties'] ?? {}) as Keys
    const isTyped = typeof rest === 'object' && rest !== null && Object.keys(rest).length > 0
    if (isTyped && Object.keys(properties).length > 0) {
      throw new UnsupportedSchema('fields beside a type for all other fields have no type in tek', pointer)
    }
    if (isTyped || (keys['properties'] === undefined && rest !== false)) {
      return { kind: 'map', value: isTyped ? this.read(rest, `${pointer}/additionalProperties`, depth + 1, null) : { kind: 'json' } }
    }
    const required = new Set(Array.isArray(keys['required']) ? keys['required'] : [])
    const fields: Record<string, FieldType> = Object.create(null) as Record<string, FieldType>
    for (const [name, schema] of Object.entries(properties)) {
      const doc = typeof schema === 'object' && schema !== null ? (schema as Keys)['description'] : undefined
      const type = this.read(schema, `${pointer}/properties/${name}`, depth + 1, null)
      fields[name] = { type, optional: !required.has(name), ...(typeof doc === 'string' ? { doc } : {}) }
    }
    const name = labelOf(keys, label)
    return name === undefined ? { kind: 'record', fields } : { kind: 'record', fields, name }
  }
}

function literal(value: unknown, pointer: string): Type {
  if (value === null) return { kind: 'null' }
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return { kind: 'literal', value }
  throw new UnsupportedSchema('a fixed list or record has no type in tek', pointer)
}

function labelOf(keys: Keys, label: string | null): string | undefined {
  return typeof keys['title'] === 'string' ? keys['title'] : (label ?? undefined)
}

const bound = (name: 'min' | 'max' | 'minLength' | 'maxLength', value: unknown): Record<string, number> => (typeof value === 'number' ? { [name]: value } : {})

function integer(keys: Keys): Type {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = keys
  const low = typeof exclusiveMinimum === 'number' ? Math.floor(exclusiveMinimum) + 1 : minimum
  const high = typeof exclusiveMaximum === 'number' ? Math.ceil(exclusiveMaximum) - 1 : maximum
  // zod writes the range of a safe integer into every z.int(); that is every int of tek.
  return {
    kind: 'int',
    ...(low === Number.MIN_SAFE_INTEGER ? {} : bound('min', low)),
    ...(high === Number.MAX_SAFE_INTEGER ? {} : bound('max', high)),
  }
}

function text(keys: Keys, pointer: string): Type {
  if (keys['format'] === 'uri') return { kind: 'url' }
  if (keys['contentEncoding'] === 'base64') return { kind: 'bytes' }
  const pattern = keys['pattern']
  if (typeof pattern !== 'string') return { kind: 'string', ...bound('minLength', keys['minLength']), ...bound('maxLength', keys['maxLength']) }
  const compiled = compilePattern(pattern)
  if ('problem' in compiled) throw new UnsupportedSchema(`the pattern ${pattern} cannot be used: ${compiled.problem}`, pointer)
  return { kind: 'string', pattern, ...bound('minLength', keys['minLength']), ...bound('maxLength', keys['maxLength']) }
}
