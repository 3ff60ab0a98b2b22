// Plain value: whatever foreign code handed back, as plain JSON data or a reason why it is none.
// Owns: the copy. Nothing of the given objects survives it: no getters, no prototypes, no cycles.
//   V1. At most 128 levels and 5,000,000 parts; undefined fields are left out; -0 is 0; text becomes well-formed Unicode.
import type { Json } from './json.ts'

const MAX_DEPTH = 128
const MAX_PARTS = 5_000_000
const SHOWN_PATH_LENGTH = 40

/** Of ES2024; Node 20 and the engine of plugins have it, TypeScript's ES2023 has not. */
const wellFormed = (String.prototype as unknown as { toWellFormed(this: string): string }).toWellFormed

export class NotPlain extends Error {}

/** @throws {NotPlain} with the place and what stands there. */
export function plainValue(given: unknown): Json {
  let parts = 0
  const copy = (value: unknown, path: string, depth: number): Json => {
    if (depth > MAX_DEPTH) throw new NotPlain(`it is nested more than ${MAX_DEPTH} deep or holds itself (at ${path.slice(0, SHOWN_PATH_LENGTH)}…)`)
    if (++parts > MAX_PARTS) throw new NotPlain(`it has more than ${MAX_PARTS.toLocaleString('en')} parts`)
    switch (typeof value) {
      case 'undefined': return null
      case 'boolean': return value
      case 'string': return wellFormed.call(value)
      case 'number':
        if (!Number.isFinite(value)) throw new NotPlain(`${path || 'it'} is ${value}`)
        return value === 0 ? 0 : value
      case 'object': break
      default: throw new NotPlain(`${path || 'it'} is a ${typeof value}`)
    }
    if (value === null) return null
    if (Array.isArray(value)) return value.map((item, index) => copy(item, `${path}[${index}]`, depth + 1))
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null) throw new NotPlain(`${path || 'it'} is a ${value.constructor.name}`)
    const record: Record<string, Json> = {}
    for (const [key, field] of Object.entries(value)) {
      if (field === undefined) continue
      const copied = copy(field, path === '' ? key : `${path}.${key}`, depth + 1)
      if (key === '__proto__') Object.defineProperty(record, key, { value: copied, enumerable: true, writable: true, configurable: true })
      else record[key] = copied
    }
    return record
  }
  return copy(given, '', 0)
}
