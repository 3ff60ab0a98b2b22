// Copy: structuredClone for data: lists, records, maps, sets, dates, bytes.
// Owns: the copy. Does not own: what may leave the engine (that is JSON).

const MAX_DEPTH = 256

/** @throws {TypeError} for functions, symbols and data nested more than 256 deep. */
export function copyOf(given: unknown): unknown {
  const seen = new Map<object, unknown>()
  const copy = (value: unknown, depth: number): unknown => {
    if (typeof value === 'function' || typeof value === 'symbol') throw new TypeError(`structuredClone cannot copy a ${typeof value}`)
    if (typeof value !== 'object' || value === null) return value
    if (depth > MAX_DEPTH) throw new TypeError(`structuredClone copies at most ${MAX_DEPTH} levels`)
    if (seen.has(value)) return seen.get(value)
    const keep = <T>(made: T): T => (seen.set(value, made), made)
    if (value instanceof Date) return keep(new Date(value.getTime()))
    if (value instanceof RegExp) return keep(new RegExp(value.source, value.flags))
    if (value instanceof ArrayBuffer) return keep(value.slice(0))
    if (ArrayBuffer.isView(value)) return keep(new (value.constructor as new (buffer: ArrayBuffer) => unknown)((value.buffer as ArrayBuffer).slice(value.byteOffset, value.byteOffset + value.byteLength)))
    if (value instanceof Error) return keep(Object.assign(new Error(value.message), { name: value.name }))
    if (value instanceof Map) {
      const map = keep(new Map<unknown, unknown>())
      for (const [key, item] of value) map.set(copy(key, depth + 1), copy(item, depth + 1))
      return map
    }
    if (value instanceof Set) {
      const set = keep(new Set<unknown>())
      for (const item of value) set.add(copy(item, depth + 1))
      return set
    }
    if (Array.isArray(value)) {
      const list = keep([] as unknown[])
      for (const item of value) list.push(copy(item, depth + 1))
      return list
    }
    const record = keep({} as Record<string, unknown>)
    for (const [key, item] of Object.entries(value)) Object.defineProperty(record, key, { value: copy(item, depth + 1), writable: true, configurable: true, enumerable: true })
    return record
  }
  return copy(given, 0)
}
