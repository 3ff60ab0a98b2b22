// Value diff: what differs between two values, part by part, for people and for `diff` of a candidate.
// Owns: the parts and their names. Does not own: differences of programs (compiler/4-lower/diff.ts).
//   V1. At most MAX_CHANGES parts; the last one says that there are more.
import { canonicalJson, type Json } from '#base/json.ts'
import type { Value } from '#model/type.ts'

/** Parts that a difference lists. */
export const MAX_CHANGES = 100

export interface ValueChange {
  /** `.package`, `[2].to`; '' for the whole. */
  readonly path: string
  /** Null where there was none. */
  readonly from: Value
  readonly to: Value
}

/**
 * What differs; nothing for equal values.
 *
 * @example
 * valueDiff({ a: 1, b: 2 }, { a: 1, b: 3 }) // [{ path: '.b', from: 2, to: 3 }]
 */
export function valueDiff(from: Value, to: Value): ValueChange[] {
  const changes: ValueChange[] = []
  const left: { readonly path: string; readonly from: Value; readonly to: Value }[] = [{ path: '', from, to }]
  while (left.length > 0) {
    const at = left.pop()!
    if (same(at.from, at.to)) continue
    if (changes.length >= MAX_CHANGES) { // V1
      changes.push({ path: '…', from: null, to: null })
      break
    }
    const parts = partsOf(at.from, at.to)
    if (parts === null) changes.push(at)
    else for (const [name, before, after] of parts.reverse()) left.push({ path: `${at.path}${name}`, from: before, to: after })
  }
  return changes
}

function partsOf(from: Value, to: Value): [string, Value, Value][] | null {
  if (typeof from !== 'object' || typeof to !== 'object' || from === null || to === null || Array.isArray(from) !== Array.isArray(to)) return null
  if (Array.isArray(from) && Array.isArray(to)) return from.length === to.length ? from.map((each, index) => [`[${index}]`, each, to[index]!]) : null
  const [a, b] = [from as Readonly<Record<string, Value>>, to as Readonly<Record<string, Value>>]
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].sort().map(name => [`.${name}`, Object.hasOwn(a, name) ? a[name]! : null, Object.hasOwn(b, name) ? b[name]! : null])
}

const same = (a: Value, b: Value): boolean => canonicalJson(a as Json) === canonicalJson(b as Json)
