// Escapes: a text without the escapes of programs, addresses or HTML, and where in the original each part of it stood.
// Owns: one layer of one kind at a time. Does not own: what is looked for in the result (redactor.ts).
//   P1. Kinds are taken off one at a time: what one of them writes may look like an escape of another.
//   P2. Every place in the result can be led back to the original, so that what is found is cut out there.
//   P3. Texts are code units in arrays: one pass over a million of them takes milliseconds, whatever they are.

/** Code units (UTF-16) of a text. */
export type Codes = Uint16Array

export interface Unescaped {
  readonly codes: Codes
  /** Where in the original the unit at `index` begins, and where it ends. // P2 */
  startOf(index: number): number
  endOf(index: number): number
}

export type EscapeKind = 'backslash' | 'percent' | 'entity'

export const escapeKinds: readonly EscapeKind[] = ['backslash', 'percent', 'entity']

/** The longest escape: `&#x10ffff;`, `\u{10ffff}`, four bytes as `%F0%9F%98%80`. */
const MAX_ESCAPE_LENGTH = 12

export function codesOf(text: string): Codes {
  const codes = new Uint16Array(text.length)
  for (let index = 0; index < codes.length; index++) codes[index] = text.charCodeAt(index)
  return codes
}

const textOf = (codes: Codes): string => String.fromCharCode(...codes)

const BACKSLASH = 0x5c
const PERCENT = 0x25
const AMPERSAND = 0x26
const marks: Readonly<Record<EscapeKind, number>> = { backslash: BACKSLASH, percent: PERCENT, entity: AMPERSAND }

/** The text with one layer of escapes of a kind taken off; null when it has none. // P1 */
export function unescaped(codes: Codes, kind: EscapeKind): Unescaped | null {
  const mark = marks[kind]
  const first = codes.indexOf(mark)
  if (first === -1) return null
  const out = new Uint16Array(codes.length)
  const starts = new Int32Array(codes.length + 1)
  let length = 0
  let isChanged = false
  const read = kind === 'backslash' ? readBackslash : kind === 'percent' ? readPercent : readEntity
  const escape = { character: 0, length: 0 }
  for (let at = 0; at < codes.length;) {
    if (codes[at] !== mark || !read(codes, at, escape)) {
      out[length] = codes[at]!
      starts[length++] = at++
      continue
    }
    isChanged = true
    if (escape.character > 0xffff) {
      const above = escape.character - 0x10000
      out[length] = 0xd800 + (above >> 10)
      starts[length++] = at
      out[length] = 0xdc00 + (above & 0x3ff)
    } else out[length] = escape.character
    starts[length++] = at
    at += escape.length
  }
  if (!isChanged) return null
  starts[length] = codes.length
  return {
    codes: out.subarray(0, length),
    startOf: index => starts[index]!,
    endOf(index) {
      let next = index + 1
      while (next < length && starts[next] === starts[index]) next++
      return starts[next]!
    },
  }
}

/** What an escape stands for and how long it is. Every escape is at least as long as what it stands for. */
interface Escape {
  character: number
  length: number
}

const digitOf = (code: number | undefined): number => {
  if (code === undefined) return -1
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const lower = code | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}

/** `count` hexadecimal digits, or -1. */
function hexAt(codes: Codes, at: number, count: number): number {
  let value = 0
  for (let index = 0; index < count; index++) {
    const digit = digitOf(codes[at + index])
    if (digit === -1) return -1
    value = value * 16 + digit
  }
  return value
}

const letters = new Map([['n', 10], ['r', 13], ['t', 9], ['b', 8], ['f', 12], ['v', 11]].map(([letter, code]) => [String(letter).charCodeAt(0), Number(code)]))
const themselves = new Set([...'"\'`\\/$ '].map(each => each.charCodeAt(0)))

function readBackslash(codes: Codes, at: number, into: Escape): boolean {
  const kind = codes[at + 1]
  if (kind === undefined) return false
  into.length = 2
  into.character = letters.get(kind) ?? (themselves.has(kind) ? kind : -1)
  if (into.character !== -1) return true
  const isUnicode = kind === 0x75
  if (isUnicode && codes[at + 2] === 0x7b) return readEnded(codes, at, 3, 16, 0x7d, into)
  if (isUnicode || kind === 0x78) {
    into.length = isUnicode ? 6 : 4
    into.character = hexAt(codes, at + 2, into.length - 2)
    return into.character !== -1
  }
  const [a, b, c] = [digitOf(kind), digitOf(codes[at + 2]), digitOf(codes[at + 3])]
  into.length = 4
  into.character = a * 64 + b * 8 + c
  return a >= 0 && a < 4 && b >= 0 && b < 8 && c >= 0 && c < 8
}

/** One character, of as many bytes as its first says (RFC 3629). */
function readPercent(codes: Codes, at: number, into: Escape): boolean {
  const lead = hexAt(codes, at + 1, 2)
  if (lead === -1) return false
  into.length = 3
  into.character = lead
  const more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0
  let character = lead & (0x3f >> more)
  for (let index = 1; index <= more; index++) {
    const byte = codes[at + index * 3] === PERCENT ? hexAt(codes, at + index * 3 + 1, 2) : -1
    if (byte === -1 || (byte & 0xc0) !== 0x80) return true
    character = character * 64 + (byte & 0x3f)
  }
  if (more > 0 && character <= 0x10ffff) {
    into.character = character
    into.length = 3 * (more + 1)
  }
  return true
}

const entities = new Map([['amp', 0x26], ['lt', 0x3c], ['gt', 0x3e], ['quot', 0x22], ['apos', 0x27], ['nbsp', 0xa0]])
const isLower = (code: number | undefined): boolean => code !== undefined && code >= 0x61 && code <= 0x7a
const SEMICOLON = 0x3b

function readEntity(codes: Codes, at: number, into: Escape): boolean {
  if (codes[at + 1] === 0x23) {
    const isHex = codes[at + 2] === 0x78 || codes[at + 2] === 0x58
    return readEnded(codes, at, isHex ? 3 : 2, isHex ? 16 : 10, SEMICOLON, into)
  }
  let length = 1
  while (length < MAX_ESCAPE_LENGTH && isLower(codes[at + length])) length++
  const character = codes[at + length] === SEMICOLON ? entities.get(textOf(codes.subarray(at + 1, at + length))) : undefined
  if (character === undefined) return false
  into.character = character
  into.length = length + 1
  return true
}

/** Digits up to the sign that ends them. */
function readEnded(codes: Codes, at: number, skip: number, base: 10 | 16, end: number, into: Escape): boolean {
  let value = 0
  for (let index = at + skip; index < at + MAX_ESCAPE_LENGTH; index++) {
    if (codes[index] === end) {
      into.character = value
      into.length = index - at + 1
      return index > at + skip && value <= 0x10ffff
    }
    const digit = digitOf(codes[index])
    if (digit === -1 || digit >= base) return false
    value = value * base + digit
  }
  return false
}
