// Prelude values: the functions on numbers, texts and single values.
// Owns: what they compute. Does not own: lists (prelude-lists.ts), lambdas (prelude-lambdas.ts), signatures (compiler/3-check/prelude.ts).
//   N1. `round` rounds halves away from zero; `mod` has the sign of the divisor; `floor ceil round` of a number beyond ±(2^53−1) fail.
//   N2. `int` and `float` of a text that is no number are null; of a number, `int` cuts the fraction off; of a bool, 0 or 1.
import { textLength } from '#base/unicode.ts'
import type { Value } from '#model/type.ts'
import { Failing, failing, type Frame } from './frame.ts'
import { divisionByZero, finite, isIn, searchSteps } from './operators.ts'
import { isList, isRecord, textOf, wrongKind } from './values.ts'

/** An argument that was not given is undefined. */
export type Plain = (frame: Frame, a: Value | undefined, b: Value | undefined, c: Value | undefined) => Value

export const text = (who: string, value: Value | undefined): string => {
  if (typeof value === 'string') return value
  throw wrongKind(who, 'a text', value)
}

export const number = (who: string, value: Value | undefined): number => {
  if (typeof value === 'number') return value
  throw wrongKind(who, 'a number', value)
}

function whole(who: string, value: number): number {
  if (Number.isSafeInteger(value)) return value + 0
  throw failing('run/integer-overflow', `${who} gives a whole number beyond ±${Number.MAX_SAFE_INTEGER} (2^53 − 1).`)
}

const awayFromZero = (value: number): number => (value < 0 ? -Math.round(-value) : Math.round(value))
const MAX_DIGITS = 15

/** Shifts the decimal point by text, so that 1.005 to two digits is 1.01. */
function shift(value: number, digits: number): number {
  const [mantissa = '0', exponent = '0'] = String(value).split('e')
  return Number(`${mantissa}e${Number(exponent) + digits}`)
}

function round(value: number, digits: Value | undefined): Value {
  if (digits === undefined || digits === null) return whole('`round`', awayFromZero(value))
  const places = Math.min(MAX_DIGITS, Math.max(-MAX_DIGITS, Math.trunc(number('The number of digits of `round`', digits))))
  return finite(shift(awayFromZero(shift(value, places)), -places) + 0)
}

function modulo(value: number, by: number): Value {
  if (by === 0) throw divisionByZero()
  const rest = value % by
  return (rest !== 0 && rest < 0 !== by < 0 ? rest + by : rest) + 0
}

function toInt(value: Value | undefined): Value {
  switch (typeof value) {
    case 'number':
      return whole('`int`', Math.trunc(value))
    case 'boolean':
      return Number(value)
    case 'string': {
      const parsed = /^\s*[+-]?\d+\s*$/.test(value) ? Number(value) : Number.NaN
      return Number.isSafeInteger(parsed) ? parsed + 0 : null
    }
    default:
      if (value === null) return null
      throw wrongKind('`int`', 'a number, a text or a bool', value)
  }
}

function toFloat(value: Value | undefined): Value {
  switch (typeof value) {
    case 'number':
      return value
    case 'boolean':
      return Number(value)
    case 'string': {
      const parsed = /^\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?\s*$/.test(value) ? Number(value) : Number.NaN
      return Number.isFinite(parsed) ? parsed + 0 : null
    }
    default:
      if (value === null) return null
      throw wrongKind('`float`', 'a number, a text or a bool', value)
  }
}

function split(frame: Frame, value: string, separator: string): Value {
  frame.charge(searchSteps(value.length, separator.length))
  const parts = separator === '' ? [...value] : value.split(separator)
  frame.list(parts.length)
  frame.charge(parts.length)
  return parts
}

function replace(frame: Frame, value: string, from: string, to: string): Value {
  frame.charge(searchSteps(value.length, from.length))
  if (from === '') return value // nothing is looked for, nothing is found
  const parts = value.split(from)
  frame.text(value.length + (parts.length - 1) * Math.max(0, to.length - from.length))
  return parts.join(to)
}

function changed(frame: Frame, who: string, value: Value | undefined, change: (text: string) => string): Value {
  const given = text(who, value)
  frame.text(given.length)
  return change(given)
}

function length(frame: Frame, value: Value | undefined): Value {
  if (isList(value)) return value.length
  if (typeof value === 'string') {
    frame.charge(1 + (value.length >> 4))
    return textLength(value)
  }
  if (isRecord(value)) return fieldNames(frame, value).length
  throw wrongKind('`len`', 'a list, a text or a map', value)
}

export function fieldNames(frame: Frame, value: { readonly [key: string]: Value }): string[] {
  const names = Object.keys(value).filter(key => value[key] !== undefined)
  frame.charge(1 + names.length)
  return names
}

export const valueFunctions: Readonly<Record<string, Plain>> = {
  len: length,
  empty: (frame, value) => value === null || length(frame, value) === 0,
  contains: (frame, value, part) => isIn(part ?? null, value ?? null, frame),
  string: (frame, value) => textOf(value ?? null, frame),
  int: (frame, value) => {
    if (typeof value === 'string') frame.charge(value.length >> 3)
    return toInt(value)
  },
  float: (frame, value) => {
    if (typeof value === 'string') frame.charge(value.length >> 3)
    return toFloat(value)
  },
  round: (_, value, digits) => round(number('`round`', value), digits),
  floor: (_, value) => whole('`floor`', Math.floor(number('`floor`', value))),
  ceil: (_, value) => whole('`ceil`', Math.ceil(number('`ceil`', value))),
  mod: (_, value, by) => modulo(number('`mod`', value), number('`mod`', by)),
  abs: (_, value) => Math.abs(number('`abs`', value)),
  split: (frame, value, separator) => split(frame, text('`split`', value), text('The separator of `split`', separator)),
  trim: (frame, value) => changed(frame, '`trim`', value, given => given.trim()),
  lower: (frame, value) => changed(frame, '`lower`', value, given => given.toLowerCase()),
  upper: (frame, value) => changed(frame, '`upper`', value, given => given.toUpperCase()),
  replace: (frame, value, from, to) => replace(frame, text('`replace`', value), text('What `replace` looks for', from), text('What `replace` puts in', to)),
  /** The program's own failure: the world may be different at the next attempt, so it may be tried again. */
  fail: (frame, message) => {
    throw new Failing({ code: 'run/failed', message: textOf(message ?? null, frame), retryable: true })
  },
  trust: (_, value) => value ?? null,
}
