// Codec: values of a type as text on a command line, and as JSON for the outside.
// Owns: units in flags, money's two representations. Does not own: what is valid (validate.ts decides after every parse).
//   C1. A flag's text is read by its type alone; nothing is guessed across types, but a union takes the first member that reads it.
//   C2. Money is integer micro-dollars inside and a decimal string of dollars outside; everything else is the same inside and out.
import type { Type, Value } from '#model/type.ts'
import { stripQualifiers } from './construct.ts'
import { printType } from './print.ts'
import { validate } from './validate.ts'

export type Parsed = { readonly value: Value } | { readonly problem: string }

const MAX_ARGUMENT_LENGTH = 1_000_000

const DURATION_MS: ReadonlyMap<string, number> = new Map([['ms', 1], ['s', 1000], ['m', 60_000], ['h', 3_600_000], ['d', 86_400_000]])
const SIZE_BYTES: ReadonlyMap<string, number> = new Map([['', 1], ['B', 1], ['KB', 1024], ['MB', 1024 ** 2], ['GB', 1024 ** 3], ['TB', 1024 ** 4]])
const TOKEN_COUNTS: ReadonlyMap<string, number> = new Map([['', 1], ['k', 1000], ['M', 1_000_000]])

/**
 * Reads a flag. For a list, pass all its occurrences, or one that is JSON.
 *
 * @param text one text, or the texts of a repeated flag.
 * @example
 * parseArgument({ kind: 'duration' }, '5m') // { value: 300000 }
 */
export function parseArgument(type: Type, text: string | readonly string[]): Parsed {
  const texts = typeof text === 'string' ? [text] : text
  if (texts.some(each => each.length > MAX_ARGUMENT_LENGTH)) {
    return { problem: `it is longer than ${MAX_ARGUMENT_LENGTH} characters; pass it in a file with --args` }
  }
  const bare = stripQualifiers(type)
  if (texts.length !== 1 && !takesList(bare)) {
    return { problem: texts.length === 0 ? 'it needs a value' : `it is given ${texts.length} times and takes one ${printType(bare)}` }
  }
  const read = takesList(bare) ? readList(bare, texts) : readOne(bare, texts[0]!)
  if ('problem' in read) return read
  const problem = validate(type, read.value)
  return problem === null ? read : { problem: problem.path === '' ? problem.message : `${problem.path}: ${problem.message}` }
}

/**
 * A value as the text of a flag, with its unit; what has no unit is JSON.
 *
 * @example
 * printArgument({ kind: 'duration' }, 300_000) // '5m'
 */
export function printArgument(type: Type, value: Value): string {
  const bare = stripQualifiers(type)
  if (typeof value !== 'number') return JSON.stringify(value)
  if (bare.kind === 'money') return `$${printDollars(value)}`.replace('$-', '-$')
  const units = bare.kind === 'duration' ? DURATION_MS : bare.kind === 'size' ? SIZE_BYTES : bare.kind === 'tokens' ? TOKEN_COUNTS : null
  if (units === null) return JSON.stringify(value)
  const [unit, factor] = [...units].findLast(([, each]) => each === 1 || (value !== 0 && value % each === 0))!
  return `${value / factor}${unit}`
}

function takesList(type: Type): boolean {
  return type.kind === 'list' || (type.kind === 'union' && type.members.some(member => member.kind === 'list'))
}

function readList(type: Type, texts: readonly string[]): Parsed {
  const first = texts[0]?.trimStart() ?? ''
  if (texts.length === 1 && (first.startsWith('[') || (type.kind === 'union' && first === 'null'))) return readJson(type, texts[0]!)
  const list = type.kind === 'union' ? type.members.find(member => member.kind === 'list')! : type
  if (list.kind !== 'list') return { problem: `${printType(type)} is needed` }
  const values: Value[] = []
  for (const text of texts) {
    const read = readOne(stripQualifiers(list.item), text)
    if ('problem' in read) return read
    values.push(read.value)
  }
  return { value: values }
}

function readOne(type: Type, text: string): Parsed {
  switch (type.kind) {
    case 'string':
    case 'path':
    case 'url':
    case 'bytes':
      return { value: text }
    case 'bool':
      if (text === 'true' || text === 'yes') return { value: true }
      return text === 'false' || text === 'no' ? { value: false } : needs(text, 'true or false')
    case 'int':
      return /^[+-]?\d[\d_]*$/.test(text) ? { value: plainNumber(text) } : needs(text, 'a whole number')
    case 'float':
      if (/^[+-]?\d[\d_]*(\.\d+)?%$/.test(text)) return { value: plainNumber(text.slice(0, -1)) / 100 }
      return /^[+-]?(\d[\d_]*(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text) ? { value: plainNumber(text) } : needs(text, 'a number')
    case 'duration':
      return readUnits(text, DURATION_MS, 'a time such as 250ms, 5s, 2m, 1h or 7d')
    case 'size':
      return readUnits(text, SIZE_BYTES, 'a size such as 64KB, 512MB or 2GB')
    case 'tokens':
      return readUnits(text, TOKEN_COUNTS, 'a count such as 500, 200k or 1M')
    case 'money':
      return readMoney(text.startsWith('-$') ? `-${text.slice(2)}` : text.replace(/^\$/, ''))
    case 'literal':
      return String(type.value) === text ? { value: type.value } : needs(text, printType(type))
    case 'null':
      return text === 'null' || text === '' ? { value: null } : needs(text, 'null')
    case 'union':
      return readUnion(type, text)
    case 'any':
      return looksLikeJson(text) ? readJson(type, text) : { value: text }
    default:
      return readJson(type, text)
  }
}

function readUnion(type: Extract<Type, { kind: 'union' }>, text: string): Parsed {
  // Plain text reads anything, so it is asked last (C1): `int | string` of "5" is 5.
  const isText = (member: Type): boolean => member.kind === 'string' || member.kind === 'path' || member.kind === 'url'
  const rank = (member: Type): number => (member.kind === 'literal' ? 0 : isText(member) ? 2 : 1)
  for (const member of [...type.members].sort((a, b) => rank(a) - rank(b))) {
    const read = readOne(stripQualifiers(member), text)
    if ('value' in read && validate(member, read.value) === null) return read
  }
  return needs(text, printType(type))
}

function readUnits(text: string, units: ReadonlyMap<string, number>, wanted: string): Parsed {
  const found = /^(-?\d[\d_]*(?:\.\d+)?)([A-Za-z]*)$/.exec(text)
  const factor = units.get(found?.[2] ?? '?')
  if (found === null || factor === undefined) return needs(text, wanted)
  const value = Math.round(plainNumber(found[1]!) * factor * 1e6) / 1e6
  return Number.isSafeInteger(value) ? { value } : needs(text, wanted)
}

function readMoney(text: string): Parsed {
  const found = /^(-?)(\d{1,10})(?:\.(\d{1,6}))?$/.exec(text)
  if (found === null) return { problem: `an amount of dollars such as $0.50 (at most six decimals) is needed, ${shown(text)} is given` }
  const micros = Number(found[2]) * 1_000_000 + Number((found[3] ?? '').padEnd(6, '0'))
  if (!Number.isSafeInteger(micros)) return { problem: `${shown(text)} is more dollars than tek can count` }
  return { value: found[1] === '-' && micros !== 0 ? -micros : micros }
}

function readJson(type: Type, text: string): Parsed {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return needs(text, `${printType(type)} as JSON`)
  }
  return fromJsonValue(type, json)
}

const looksLikeJson = (text: string): boolean => /^\s*(?:[[{"]|-?\d|(?:true|false|null)\s*$)/.test(text)
const plainNumber = (text: string): number => Number(text.replaceAll('_', '')) + 0

const MAX_SHOWN_LENGTH = 60
const shown = (text: string): string => JSON.stringify(text.length > MAX_SHOWN_LENGTH ? `${text.slice(0, MAX_SHOWN_LENGTH)}…` : text)

function needs(text: string, wanted: string): Parsed {
  return { problem: `${wanted} is needed, ${shown(text)} is given` }
}

/**
 * A valid value as JSON for the outside: money as a decimal string of dollars (C2).
 *
 * @example
 * toJsonValue({ kind: 'money' }, 500_000) // '0.50'
 */
export function toJsonValue(type: Type, value: Value): Value {
  if (!holdsMoney(type)) return value
  return convert(type, value, micros => (typeof micros === 'number' ? printDollars(micros) : micros), validate)
}

/**
 * The value of JSON from the outside, checked.
 *
 * @example
 * fromJsonValue({ kind: 'money' }, '0.50') // { value: 500000 }
 */
export function fromJsonValue(type: Type, json: unknown): Parsed {
  let refused: string | null = null
  const readDollars = (text: Value): Value => {
    const wrong = (): Parsed => ({ problem: `an amount of dollars such as "0.50" is needed, ${shown(JSON.stringify(text) ?? '')} is given` })
    const read = typeof text === 'string' ? readMoney(text) : wrong()
    if ('value' in read) return read.value
    refused ??= read.problem
    return text
  }
  const fitsOutside = (member: Type, value: unknown): unknown => ('problem' in fromJsonValue(member, value) ? 'no' : null)
  const value = holdsMoney(type) ? convert(type, json as Value, readDollars, fitsOutside) : (json as Value)
  if (refused !== null) return { problem: refused }
  const problem = validate(type, value)
  return problem === null ? { value } : { problem: problem.path === '' ? problem.message : `${problem.path}: ${problem.message}` }
}

/** Dollars with at least two and at most six decimals. */
function printDollars(micros: number): string {
  const digits = String(Math.abs(micros)).padStart(7, '0')
  const cents = digits.slice(-6).replace(/0{1,4}$/, '')
  return `${micros < 0 ? '-' : ''}${digits.slice(0, -6)}.${cents}`
}

const holding = new WeakMap<Type, boolean>()

function holdsMoney(type: Type): boolean {
  let known = holding.get(type)
  if (known === undefined) {
    known = parts(type).some(holdsMoney) || type.kind === 'money'
    holding.set(type, known)
  }
  return known
}

function parts(type: Type): readonly Type[] {
  switch (type.kind) {
    case 'list':
      return [type.item]
    case 'map':
      return [type.value]
    case 'record':
      return Object.values(type.fields).map(field => field.type)
    case 'union':
      return type.members
    case 'untrusted':
    case 'secret':
      return [type.of]
    default:
      return []
  }
}

/** Rebuilds the value with `money` applied where the type says money. Parts that do not have the shape stay as they are, for `validate` to name. */
function convert(type: Type, value: Value, money: (value: Value) => Value, problemWith: (member: Type, value: unknown) => unknown): Value {
  if (!holdsMoney(type)) return value
  const into = (part: Type, inner: Value): Value => convert(part, inner, money, problemWith)
  switch (type.kind) {
    case 'money':
      return money(value)
    case 'untrusted':
    case 'secret':
      return into(type.of, value)
    case 'union': {
      const member = type.members.find(each => problemWith(each, value) === null)
      return member === undefined ? value : into(member, value)
    }
    case 'list':
      return Array.isArray(value) ? value.map((item: Value) => into(type.item, item)) : value
    case 'map':
    case 'record': {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
      const out: Record<string, Value> = Object.create(null) as Record<string, Value>
      for (const [key, inner] of Object.entries(value)) {
        const part = type.kind === 'map' ? type.value : Object.hasOwn(type.fields, key) ? type.fields[key]!.type : undefined
        out[key] = part === undefined || inner === undefined ? inner : into(part, inner)
      }
      return out
    }
    default:
      return value
  }
}
