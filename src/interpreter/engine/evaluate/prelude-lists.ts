// Prelude lists: the functions on lists and maps that take no lambda.
// Owns: what they compute. Does not own: lambdas (prelude-lambdas.ts), single values (prelude-values.ts).
//   L1. Nothing is changed in place; sorting is stable.
//   L2. Of nothing: `first last min max avg` are null, `sum` is 0. Nulls among numbers or keys are passed over by `min` and `max`.
import type { Value } from '#model/type.ts'
import { failing, MAX_LIST_ITEMS, MAX_TEXT_UNITS, type Frame } from './frame.ts'
import { add, divide } from './operators.ts'
import { compareKeys, isList, isRecord, keyOf, textOf, wrongKind } from './values.ts'
import { fieldNames, number, type Plain } from './prelude-values.ts'

/** Steps that finding a place in a big set costs, beside which a loop's step is nothing. */
export const HASHING_STEPS = 8

export function list(who: string, value: Value | undefined): readonly Value[] {
  if (isList(value)) return value
  throw wrongKind(`\`${who}\``, 'a list', value)
}

function range(frame: Frame, from: Value | undefined, to: Value | undefined, by: Value | undefined): Value {
  const first = to === undefined ? 0 : number('`range`', from)
  const end = to === undefined ? number('`range`', from) : number('`range`', to)
  const step = by === undefined ? 1 : number('The step of `range`', by)
  if (step === 0) throw failing('run/wrong-kind', 'The step of `range` is 0, so it would never end.', 'Give it a step other than 0.')
  const count = Math.max(0, Math.ceil((end - first) / step))
  frame.list(Number.isFinite(count) ? count : MAX_LIST_ITEMS + 1)
  frame.charge(count)
  const out: number[] = []
  for (let index = 0; index < count; index++) out.push(first + index * step)
  return out
}

function sum(frame: Frame, items: readonly Value[], who: string): number {
  frame.charge(1 + items.length)
  let total: Value = 0
  for (const item of items) total = add(total, number(who, item))
  return total as number
}

/** The extreme item by its key; ties go to the first. */
export function extreme(frame: Frame, who: string, items: readonly Value[], keys: readonly Value[], sign: 1 | -1): Value {
  frame.charge(1 + items.length)
  let best = -1
  for (let index = 0; index < keys.length; index++) {
    if (keys[index] === null) continue // L2
    if (best === -1 || compareKeys(keys[index]!, keys[best]!, `\`${who}\``, frame) * sign > 0) best = index
  }
  if (best !== -1 && isRecord(keys[best])) throw wrongKind(`\`${who}\``, 'numbers, texts, bools or lists of these', keys[best])
  return best === -1 ? null : items[best]!
}

export function sortByKeys(frame: Frame, who: string, items: readonly Value[], keys: readonly Value[]): Value {
  frame.list(items.length)
  frame.charge(items.length * Math.ceil(Math.log2(items.length + 1)))
  if (items.length === 1) compareKeys(keys[0]!, keys[0]!, `\`${who}\``, frame)
  if (keys === items && keys.every(key => typeof key === 'number')) return Array.from(Float64Array.from(keys as number[]).sort())
  const places = items.map((_, index) => index)
  places.sort((a, b) => compareKeys(keys[a]!, keys[b]!, `\`${who}\``, frame) || a - b) // L1
  return places.map(place => items[place]!)
}

/** Simple values meet as themselves, lists and records as canonical text; the two never meet each other. */
function unique(frame: Frame, items: readonly Value[]): Value {
  frame.list(items.length)
  frame.charge(items.length * HASHING_STEPS)
  const simple = new Set<Value>()
  const compound = new Set<string>()
  const out: Value[] = []
  for (const item of items) {
    const seen: Set<unknown> = typeof item === 'object' && item !== null ? compound : simple
    const key = typeof item === 'object' && item !== null ? keyOf(item, frame) : item
    if (seen.has(key)) continue
    seen.add(key)
    out.push(item)
  }
  return out
}

export function flatten(frame: Frame, who: string, lists: readonly Value[]): Value {
  let total = 0
  for (const each of lists) if (each !== null) total += list(who, each).length
  frame.list(total)
  frame.charge(total + lists.length)
  const out: Value[] = []
  for (const each of lists) if (isList(each)) for (const item of each) out.push(item)
  return out
}

function join(frame: Frame, items: readonly Value[], separator: Value | undefined): Value {
  const between = separator === undefined ? '' : separator
  if (typeof between !== 'string') throw wrongKind('The separator of `join`', 'a text', between)
  frame.list(items.length)
  frame.charge(items.length)
  const parts: string[] = []
  let length = 0
  for (const item of items) {
    const part = textOf(item, frame)
    length += part.length + between.length
    if (length > MAX_TEXT_UNITS) frame.text(length) // fails at once: the parts are not gathered first
    parts.push(part)
  }
  frame.text(length)
  return parts.join(between)
}

function slice(frame: Frame, items: readonly Value[], from: number, to: number): Value {
  const out = items.slice(Math.max(0, Math.trunc(from)), Math.max(0, Math.trunc(to)))
  frame.list(out.length)
  return out
}

function zip(frame: Frame, left: readonly Value[], right: readonly Value[]): Value {
  const count = Math.min(left.length, right.length)
  frame.list(count)
  frame.charge(count * 2)
  const out: Value[] = []
  for (let index = 0; index < count; index++) out.push([left[index]!, right[index]!])
  return out
}

function record(who: string, value: Value | undefined): { readonly [key: string]: Value } {
  if (isRecord(value)) return value
  throw wrongKind(`\`${who}\``, 'a map or a record', value)
}

export const listFunctions: Readonly<Record<string, Plain>> = {
  range,
  sum: (frame, items) => sum(frame, list('sum', items), '`sum`'),
  avg: (frame, items) => {
    const all = list('avg', items)
    return all.length === 0 ? null : divide(sum(frame, all, '`avg`'), all.length)
  },
  min: (frame, items) => extreme(frame, 'min', list('min', items), list('min', items), -1),
  max: (frame, items) => extreme(frame, 'max', list('max', items), list('max', items), 1),
  first: (_, items) => list('first', items)[0] ?? null,
  last: (_, items) => list('last', items).at(-1) ?? null,
  take: (frame, items, n) => slice(frame, list('take', items), 0, number('`take`', n)),
  drop: (frame, items, n) => slice(frame, list('drop', items), number('`drop`', n), Number.POSITIVE_INFINITY),
  sort: (frame, items) => sortByKeys(frame, 'sort', list('sort', items), list('sort', items)),
  flatten: (frame, lists) => flatten(frame, 'flatten', list('flatten', lists)),
  unique: (frame, items) => unique(frame, list('unique', items)),
  zip: (frame, left, right) => zip(frame, list('zip', left), list('zip', right)),
  keys: (frame, value) => fieldNames(frame, record('keys', value)),
  values: (frame, value) => {
    const given = record('values', value)
    return fieldNames(frame, given).map(name => given[name]!)
  },
  join: (frame, items, separator) => join(frame, list('join', items), separator),
}
