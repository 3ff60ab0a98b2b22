// Signature shape: is this JSON a ModuleSignature? It comes from a plugin's process or from a cache file.
// Owns: the check of form and size. Does not own: whether the description is true: a call's result is checked against it again.
//   S1. What is not known is dropped: the answer holds only fields of the model, and the origin and hash are ours, never the plugin's.
import { signatureVersion, type FunctionSignature, type ModelSignature, type ModuleSignature, type ParamSignature } from '#model/signature.ts'
import type { GrantParamKind, GrantSignature } from '#model/capability.ts'
import type { Type } from '#model/type.ts'

const MAX_TYPE_DEPTH = 64
const MAX_ENTRIES = 1_000
const namePattern = /^[A-Za-z][A-Za-z0-9_]{0,63}$/

class Malformed extends Error {}

/** Null when it is none. */
export function readSignature(given: unknown, hash: string): ModuleSignature | null {
  try {
    const from = record(given)
    if (from['version'] !== signatureVersion) return null
    return {
      version: signatureVersion, name: nameOf(from['name']), origin: 'plugin', release: text(from['release']), doc: text(from['doc']), hash, models: from['models'] === undefined ? {} : each(from['models'], readModels), // S1
      ...(from['needsNode'] === undefined ? {} : { needsNode: text(from['needsNode']) }),
      functions: each(from['functions'], readFunction),
      types: each(from['types'], type => readType(type, 0)),
      grants: each(from['grants'], readGrant),
      constants: each(from['constants'], given => {
        const constant = record(given)
        return { type: readType(constant['type'], 0), value: constant['value'] ?? null, doc: text(constant['doc']) }
      }),
    }
  } catch (error) {
    if (error instanceof Malformed) return null
    throw error
  }
}

type Fields = Readonly<Record<string, unknown>>

function record(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Malformed()
  return value as Fields
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value) || value.length > MAX_ENTRIES) throw new Malformed()
  return value
}

function text(value: unknown): string {
  if (typeof value !== 'string' || value.length > 100_000) throw new Malformed()
  return value
}

function nameOf(value: unknown): string {
  if (typeof value !== 'string' || !namePattern.test(value)) throw new Malformed()
  return value
}

function oneOf<const T extends string>(value: unknown, allowed: readonly T[]): T {
  if (!allowed.includes(value as T)) throw new Malformed()
  return value as T
}

function each<T>(value: unknown, read: (entry: unknown) => T): Record<string, T> {
  const entries = Object.entries(record(value))
  if (entries.length > MAX_ENTRIES) throw new Malformed()
  return Object.fromEntries(entries.map(([name, entry]) => [nameOf(name), read(entry)]))
}

function readFunction(given: unknown): FunctionSignature {
  const from = record(given)
  return {
    name: nameOf(from['name']), doc: text(from['doc']), params: list(from['params']).map(readParam), result: readType(from['result'], 0),
    effect: oneOf(from['effect'], ['pure', 'read', 'write']), runs: oneOf(from['runs'], ['thread', 'host']), untrusted: from['untrusted'] === true,
    needs: list(from['needs']).map(need => {
      const { grant, args } = record(need)
      return { grant: text(grant), args: list(args).map(arg => {
        const { param, literal } = record(arg)
        return param === undefined ? { literal: text(literal) } : { param: nameOf(param) }
      }) }
    }),
    ...(from['example'] === undefined ? {} : { example: text(from['example']) }),
  }
}

function readParam(given: unknown): ParamSignature {
  const from = record(given)
  return {
    name: nameOf(from['name']), doc: text(from['doc']), type: readType(from['type'], 0), optional: from['optional'] === true,
    ...(from['default'] === undefined ? {} : { default: from['default'] }),
    ...(from['rest'] === true ? { rest: true } : {}), ...(from['sink'] === true ? { sink: true } : {}), ...(from['secret'] === true ? { secret: true } : {}),
  }
}

function readModels(given: unknown): ModelSignature {
  const from = record(given)
  return {
    name: nameOf(from['name']), doc: text(from['doc']), params: list(from['params']).map(readParam), options: {},
    ...(from['hosts'] === undefined ? {} : { hosts: list(from['hosts']).map(text) }),
  }
}

function readGrant(given: unknown): GrantSignature {
  const from = record(given)
  return {
    name: nameOf(from['name']), doc: text(from['doc']), access: oneOf(from['access'], ['read', 'write']),
    params: list(from['params']).map(param => {
      const { name, kind, optional } = record(param)
      return { name: nameOf(name), kind: oneOf<GrantParamKind>(kind, ['path', 'host', 'name', 'argv']), ...(optional === true ? { optional } : {}) }
    }),
    implies: list(from['implies']).map(grant => {
      const { name, args } = record(grant)
      return { name: text(name), args: list(args).map(text) }
    }),
  }
}

/** Kinds of types whose members are types, with where those stand; all other kinds hold plain data only. */
function readType(given: unknown, depth: number): Type {
  if (depth > MAX_TYPE_DEPTH) throw new Malformed()
  const from = record(given)
  const inner = (value: unknown): Type => readType(value, depth + 1)
  switch (from['kind']) {
    case 'list': return { kind: 'list', item: inner(from['item']) }
    case 'map': return { kind: 'map', value: inner(from['value']) }
    case 'untrusted':
    case 'secret': return { kind: from['kind'], of: inner(from['of']) }
    case 'union': return { kind: 'union', members: list(from['members']).map(inner), ...label(from) }
    case 'function': return { kind: 'function', params: list(from['params']).map(inner), result: inner(from['result']) }
    case 'record': {
      const fields = Object.entries(record(from['fields'])).map(([name, field]) => {
        const { type, optional, doc } = record(field)
        return [name, { type: inner(type), optional: optional === true, ...(typeof doc === 'string' ? { doc } : {}) }] as const
      })
      return { kind: 'record', fields: Object.fromEntries(fields), ...label(from) }
    }
    case 'variable': return { kind: 'variable', name: nameOf(from['name']) }
    case 'literal': {
      const value = from['value']
      if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') throw new Malformed()
      return { kind: 'literal', value }
    }
    case 'int':
    case 'float': return { kind: from['kind'], ...bound(from, 'min'), ...bound(from, 'max') }
    case 'string': return { kind: 'string', ...(from['pattern'] === undefined ? {} : { pattern: text(from['pattern']) }), ...bound(from, 'minLength'), ...bound(from, 'maxLength') }
    default: return { kind: oneOf(from['kind'], ['any', 'never', 'null', 'bool', 'path', 'url', 'bytes', 'duration', 'size', 'tokens', 'money', 'json']) }
  }
}

function label(from: Fields): { name?: string } {
  return from['name'] === undefined ? {} : { name: text(from['name']) }
}

function bound<Name extends 'min' | 'max' | 'minLength' | 'maxLength'>(from: Fields, name: Name): { [Key in Name]?: number } {
  const value = from[name]
  if (value !== undefined && typeof value !== 'number') throw new Malformed()
  return (value === undefined ? {} : { [name]: value }) as { [Key in Name]?: number }
}
