// Values: what can be done with any value: naming its kind, its text, its size, equality, order.
// Owns: deep equality, the order of sort keys, the text of interpolation. Does not own: operators (operators.ts).
//   V1. Equality is that of JSON: fields in any order, an absent field and an undefined one are the same, 0 is -0.
//   V2. Keys are ordered within a kind: numbers, texts by code point, false before true, lists item by item; null comes last. Kinds do not mix.
//   V3. The text of a value: a text itself; null, bools and numbers as in JSON; lists and records as compact JSON.
//   V4. A value may mention another many times and so be huge while it takes little memory: looking at a whole value is charged as it goes.
import { compareText } from '#base/unicode.ts'
import type { Value } from '#model/type.ts'
import { failing, MAX_TEXT_UNITS, MAX_VALUE_DEPTH, type Failing, type Frame } from './frame.ts'

type RecordValue = { readonly [key: string]: Value }

export function isList(value: Value | undefined): value is readonly Value[] {
  return Array.isArray(value)
}

export function isRecord(value: Value | undefined): value is RecordValue {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A value's kind, with its article, for messages. */
export function kindOf(value: Value | undefined): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  switch (typeof value) {
    case 'string':
      return 'a text'
    case 'number':
      return 'a number'
    case 'boolean':
      return 'a bool'
    default:
      return 'a record'
  }
}

/** `who` needs `wanted` and got `value`. */
export function wrongKind(who: string, wanted: string, value: Value | undefined): Failing {
  return failing('run/wrong-kind', `${who} needs ${wanted}, and was given ${kindOf(value)}.`, 'Check what the value is before it is used here, or declare its type.')
}

function tooDeep(): Failing {
  return failing('run/value-too-large', `A value is nested deeper than ${MAX_VALUE_DEPTH} levels.`, 'Keep values flatter: a long chain is better a list.')
}

function tooLarge(nodes: number): Failing {
  return failing('run/value-too-large', `A value has more than ${nodes} parts, counting what it mentions twice as two.`, 'Work on it in parts, or mention less of it.')
}

/** Sets a field whatever its name: `__proto__` is a field like any other. */
export function setField(record: Record<string, Value>, key: string, value: Value): void {
  if (key === '__proto__') Object.defineProperty(record, key, { value, enumerable: true, writable: true, configurable: true })
  else record[key] = value
}

/** A field's value; null when there is none. */
export function getField(record: RecordValue, key: string): Value {
  return Object.hasOwn(record, key) ? (record[key] ?? null) : null
}

/** Deep equality (V1). */
export function equals(a: Value, b: Value, frame: Frame, depth = 0): boolean {
  if (typeof a === 'string' && typeof b === 'string') {
    if (a.length === b.length) frame.charge(a.length >> 6)
    return a === b
  }
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (depth > MAX_VALUE_DEPTH) throw tooDeep()
  frame.charge(1)
  if (isList(a)) {
    if (!isList(b) || a.length !== b.length) return false
    for (let index = 0; index < a.length; index++) if (!equals(a[index]!, b[index]!, frame, depth + 1)) return false
    frame.charge(a.length)
    return true
  }
  if (isList(b)) return false
  const left = Object.keys(a).filter(key => (a as RecordValue)[key] !== undefined)
  if (left.length !== Object.keys(b).filter(key => (b as RecordValue)[key] !== undefined).length) return false
  frame.charge(left.length)
  return left.every(key => Object.hasOwn(b, key) && equals((a as RecordValue)[key]!, (b as RecordValue)[key]!, frame, depth + 1))
}

/** Order of two sort keys (V2). `who` is the function or operator that asked. */
export function compareKeys(a: Value, b: Value, who: string, frame: Frame, depth = 0): number {
  if (typeof a === 'number' && typeof b === 'number') return a < b ? -1 : a > b ? 1 : 0
  if (typeof a === 'string' && typeof b === 'string') {
    frame.charge(1 + (Math.min(a.length, b.length) >> 2))
    return compareText(a, b)
  }
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
  if (isList(a) && isList(b)) {
    if (depth > MAX_VALUE_DEPTH) throw tooDeep()
    const shorter = Math.min(a.length, b.length)
    for (let index = 0; index < shorter; index++) {
      frame.charge(1)
      const order = compareKeys(a[index]!, b[index]!, who, frame, depth + 1)
      if (order !== 0) return order
    }
    return a.length - b.length
  }
  if (isRecord(a) || isRecord(b)) throw wrongKind(who, 'numbers, texts, bools or lists of these', isRecord(a) ? a : b)
  throw failing('run/wrong-kind', `${who} cannot put ${kindOf(a)} and ${kindOf(b)} in order.`, 'Give it values of one kind.')
}

/** Nodes that are printed, hashed or handed to a module's function at once. */
const MAX_MEASURED_NODES = MAX_TEXT_UNITS / 2

/** Charges for looking at all of a value, as it goes (V4); fails when it is nested too deep or too large. */
export function measure(value: Value | undefined, frame: Frame, floor: number = frame.fuel - MAX_MEASURED_NODES, depth = 0): void {
  if (typeof value === 'string') frame.charge(1 + (value.length >> 3))
  if (typeof value !== 'object' || value === null) return
  if (depth > MAX_VALUE_DEPTH) throw tooDeep()
  const parts = isList(value) ? value : Object.values(value)
  frame.charge(1 + parts.length)
  if (frame.fuel < floor) throw tooLarge(MAX_MEASURED_NODES)
  for (const part of parts) measure(part, frame, floor, depth + 1)
}

/** Fails when a value has more parts than `nodes`, counted as often as they are mentioned (V4), or is nested too deep. */
export function checkSize(value: Value, nodes: number): void {
  let left = nodes
  const walk = (part: Value | undefined, depth: number): void => {
    if (typeof part !== 'object' || part === null) return
    if (depth > MAX_VALUE_DEPTH) throw tooDeep()
    const parts = isList(part) ? part : Object.values(part)
    if ((left -= parts.length + 1) < 0) throw tooLarge(nodes)
    for (const each of parts) if (typeof each === 'object' && each !== null) walk(each, depth + 1)
  }
  walk(value, 0)
}

/** The text of a value (V3). */
export function textOf(value: Value, frame: Frame): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number') return String(value)
  if (typeof value !== 'object' || value === null) return String(value)
  measure(value, frame)
  const text = JSON.stringify(value)
  frame.text(text.length)
  return text
}

/** Text that is the same for equal values and different for others. */
export function keyOf(value: Value, frame: Frame): string {
  if (typeof value !== 'object' || value === null) return typeof value === 'string' ? JSON.stringify(value) : String(value === 0 ? 0 : value)
  measure(value, frame)
  return canonical(value)
}

function canonical(value: Value): string {
  if (isList(value)) return `[${value.map(canonical).join()}]`
  if (!isRecord(value)) return JSON.stringify(value)
  const keys = Object.keys(value).filter(key => value[key] !== undefined).sort()
  return `{${keys.map(key => `${JSON.stringify(key)}:${canonical(value[key]!)}`).join()}}`
}
