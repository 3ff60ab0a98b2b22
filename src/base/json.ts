// Json: plain data, its canonical text, and its hash.
// Owns: one canonical form, so that equal values have equal text and equal hashes on every machine.
//   J1. Keys are sorted by code unit; absent and `undefined` fields are the same thing (left out).
//   J2. -0 is written as 0; NaN and infinities are a bug here, they never get this far.
import { invariant } from './invariant.ts'

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined }

/**
 * Canonical JSON text of a value (RFC 8785 ordering; sorted keys, no white space).
 *
 * @example
 * canonicalJson({ b: 1, a: [true, null] }) // '{"a":[true,null],"b":1}'
 */
export function canonicalJson(value: Json | undefined): string {
  if (value === undefined || value === null) return 'null'
  switch (typeof value) {
    case 'number':
      invariant(Number.isFinite(value), 'a non-finite number reached canonicalJson')
      return JSON.stringify(value === 0 ? 0 : value) // J2
    case 'string':
      return JSON.stringify(value)
    case 'boolean':
      return value ? 'true' : 'false'
    default: {
      if (Array.isArray(value)) return `[${value.map((item: Json) => canonicalJson(item)).join(',')}]`
      const record = value as { readonly [key: string]: Json | undefined }
      const parts: string[] = []
      for (const key of Object.keys(record).sort()) {
        const field = record[key]
        if (field !== undefined) parts.push(`${JSON.stringify(key)}:${canonicalJson(field)}`) // J1
      }
      return `{${parts.join(',')}}`
    }
  }
}
