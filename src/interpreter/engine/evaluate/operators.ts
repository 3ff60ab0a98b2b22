// Operators: arithmetic, comparison, membership, member and index.
// Owns: the run-time rules of language.md for each. Does not own: short-circuit (plain.ts).
//   O1. Where the plan does not say `float`, a number with no fraction, within ±(2^53−1), is an int. Two ints whose sum, difference or product leaves
//       that range fail with run/integer-overflow; every other result that is not a finite number fails with run/not-a-number.
//   O2. A field that is not there is null; an index that is out of range or negative is null; a field of null is a failure unless asked with `?.`.
import { characterAt } from '#base/unicode.ts'
import type { Value } from '#model/type.ts'
import { failing, type Failing, type Frame } from './frame.ts'
import { compareKeys, equals, getField, isList, isRecord, kindOf, wrongKind } from './values.ts'

const MAX = Number.MAX_SAFE_INTEGER
const MIN = Number.MIN_SAFE_INTEGER

function operandsOf(op: string, left: Value, right: Value): Failing {
  const help = op !== '+' ? undefined
    : typeof left === 'string' || typeof right === 'string' ? 'Texts are joined by writing them in one: `"${a}${b}"`.'
    : isList(left) ? 'Lists are joined by `flatten([a, b])`.'
    : isRecord(left) ? 'Records are joined by `{ ...a, ...b }`.' : undefined
  const message = `\`${op}\` needs two numbers, and was given ${kindOf(left)} and ${kindOf(right)}.`
  return failing('run/wrong-kind', message, help ?? 'Check what the values are before they are used here.')
}

/** The result of `+ - *` on numbers that left the safe range or is no number. O1 */
function settleNumber(result: number, left: number, right: number): number {
  if (Number.isSafeInteger(left) && Number.isSafeInteger(right)) {
    throw failing('run/integer-overflow', `The whole number is beyond ±${MAX} (2^53 − 1).`, 'Count in a larger unit, or divide first.')
  }
  return finite(result)
}

export function finite(result: number): number {
  if (Number.isFinite(result)) return result
  throw failing('run/not-a-number', Number.isNaN(result) ? 'The result is not a number.' : 'The result is too large for a number.')
}

export function add(left: Value, right: Value): Value {
  if (typeof left !== 'number' || typeof right !== 'number') throw operandsOf('+', left, right)
  const result = left + right
  return result <= MAX && result >= MIN ? result : settleNumber(result, left, right)
}

export function subtract(left: Value, right: Value): Value {
  if (typeof left !== 'number' || typeof right !== 'number') throw operandsOf('-', left, right)
  const result = left - right
  return result <= MAX && result >= MIN ? result : settleNumber(result, left, right)
}

export function multiply(left: Value, right: Value): Value {
  if (typeof left !== 'number' || typeof right !== 'number') throw operandsOf('*', left, right)
  const result = left * right
  return result <= MAX && result >= MIN ? result + 0 : settleNumber(result, left, right)
}

/** O1 for what the checker knows to be a float. */
export function floatArithmetic(op: '+' | '-' | '*', left: Value, right: Value): number {
  if (typeof left !== 'number' || typeof right !== 'number') throw operandsOf(op, left, right)
  return finite((op === '+' ? left + right : op === '-' ? left - right : left * right) + 0)
}

export function divide(left: Value, right: Value): Value {
  if (typeof left !== 'number' || typeof right !== 'number') throw operandsOf('/', left, right)
  if (right === 0) throw divisionByZero()
  return finite(left / right + 0)
}

export function divisionByZero(): Failing {
  return failing('run/division-by-zero', 'A number is divided by zero.', 'Look first: `if n == 0 then … else x / n`.')
}

export function negate(value: Value): Value {
  if (typeof value !== 'number') throw wrongKind('`-`', 'a number', value)
  return 0 - value
}

export function bool(value: Value, who: string): boolean {
  if (typeof value === 'boolean') return value
  throw wrongKind(who, 'true or false', value)
}

/** Negative, 0 or positive; numbers and texts only. */
export function order(op: string, left: Value, right: Value, frame: Frame): number {
  const areNumbers = typeof left === 'number' && typeof right === 'number'
  if (areNumbers || (typeof left === 'string' && typeof right === 'string')) return compareKeys(left, right, op, frame)
  const message = `\`${op}\` needs two numbers or two texts, and was given ${kindOf(left)} and ${kindOf(right)}.`
  throw failing('run/wrong-kind', message, 'Check what the values are before they are compared.')
}

/** Steps that looking for a text in another may cost: for adversarial texts the machine's search takes the product of their lengths. */
export function searchSteps(length: number, part: number): number {
  return 1 + (length >> 4) * (1 + (part >> 6))
}

/** `left in right`: an item of a list, a key of a record, a part of a text. */
export function isIn(left: Value, right: Value, frame: Frame): boolean {
  if (isList(right)) {
    for (const item of right) if (equals(left, item, frame)) return true
    frame.charge(right.length)
    return false
  }
  if (typeof right === 'string') {
    if (typeof left !== 'string') throw wrongKind('What is looked for in a text', 'a text', left)
    frame.charge(searchSteps(right.length, left.length))
    return right.includes(left)
  }
  if (isRecord(right)) {
    if (typeof left !== 'string') throw wrongKind('What is looked for among the keys of a record', 'a text', left)
    return Object.hasOwn(right, left) && right[left] !== undefined
  }
  throw wrongKind('`in`', 'a list, a record or a text on its right', right)
}

/** `object.name`, `object?.name`. O2 */
export function member(object: Value, name: string, optional: boolean): Value {
  if (typeof object === 'object' && object !== null && !Array.isArray(object)) return getField(object as { readonly [key: string]: Value }, name)
  if (object === null && optional) return null
  const help = object === null ? `Write \`?.${name}\`, which gives null then.` : 'Only records and maps have fields.'
  throw failing('run/wrong-kind', `The field \`${name}\` is asked of ${kindOf(object)}.`, help)
}

/** `object[index]`. O2 */
export function at(object: Value, index: Value, frame: Frame): Value {
  if (isList(object)) {
    if (typeof index !== 'number') throw wrongKind('The index of a list', 'a whole number', index)
    return object[index] ?? null
  }
  if (typeof object === 'string') {
    if (typeof index !== 'number') throw wrongKind('The index of a text', 'a whole number', index)
    if (index < 0 || !Number.isInteger(index)) return null
    frame.charge(1 + (Math.min(index, object.length) >> 4))
    return characterAt(object, index)
  }
  if (isRecord(object)) {
    if (typeof index !== 'string') throw wrongKind('The key of a map', 'a text', index)
    return getField(object, index)
  }
  throw wrongKind('`[…]`', 'a list, a map or a text before it', object)
}
