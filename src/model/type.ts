// Type: what a value may be, as plain data. The meeting point of the checker, JSON Schema, plugins' zod schemas and run-time validation.
// Owns: the shape. Does not own: assignability, joins, printing, schemas (types/).
//   T1. Structural: two types with equal JSON are the same type. Names of declared types are gone by here (`name` is a label for messages only).
//   T2. `T?` is the union of T and null; unions are flat, without duplicates, with null last.
//   T3. Qualifiers wrap: `untrusted` outside `secret` outside the rest, each at most once.

export type Type =
  | { readonly kind: 'any' }
  /** Has no value: the type of `fail(…)`. */
  | { readonly kind: 'never' }
  | { readonly kind: 'null' }
  | { readonly kind: 'bool' }
  | { readonly kind: 'int'; readonly min?: number; readonly max?: number }
  | { readonly kind: 'float'; readonly min?: number; readonly max?: number }
  /** `pattern` is an anchored RE2 expression; lengths in Unicode scalar values. */
  | { readonly kind: 'string'; readonly pattern?: string; readonly minLength?: number; readonly maxLength?: number }
  /** A string that names a file. Assignable to `string`; the reverse needs a literal or `path.of`. */
  | { readonly kind: 'path' }
  | { readonly kind: 'url' }
  /** Base64 text at run time and in JSON. */
  | { readonly kind: 'bytes' }
  /** Milliseconds. */
  | { readonly kind: 'duration' }
  /** Bytes. */
  | { readonly kind: 'size' }
  | { readonly kind: 'tokens' }
  /** Integer micro-dollars at run time; a decimal string of dollars in JSON Schema (`x-tek-type: money`). */
  | { readonly kind: 'money' }
  /** Any JSON value; unlike `any`, members must be narrowed or validated before use. */
  | { readonly kind: 'json' }
  | { readonly kind: 'literal'; readonly value: string | number | boolean }
  | { readonly kind: 'list'; readonly item: Type }
  | { readonly kind: 'map'; readonly value: Type }
  | { readonly kind: 'record'; readonly fields: Readonly<Record<string, FieldType>>; readonly name?: string }
  | { readonly kind: 'union'; readonly members: readonly Type[]; readonly name?: string }
  /** Only in signatures: the type of a lambda argument. */
  | { readonly kind: 'function'; readonly params: readonly Type[]; readonly result: Type }
  /** Only in signatures: a type variable, bound at each call. */
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'untrusted'; readonly of: Type }
  | { readonly kind: 'secret'; readonly of: Type }

export interface FieldType {
  readonly type: Type
  readonly optional: boolean
  readonly doc?: string
}

/** A value of the language at run time: JSON, with the representations the comments above give. */
export type Value = null | boolean | number | string | readonly Value[] | { readonly [key: string]: Value }
