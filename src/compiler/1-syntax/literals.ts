// Literals: from the text of a number or string to its value.
// Owns: units, escapes, dedenting. Does not own: where a literal ends (lexer.ts), nor what may be added to what (the checker).
//   V1. Values are in base units: ms, bytes, tokens, fraction, micro-dollars. 1 KB is 1024 bytes (as memory and `ulimit` count).
//   V2. Dedenting looks at the text as written, before escapes, so that a `\n` escape never counts as a line.
import type { StringStyle, Unit } from './ast.ts'

interface UnitFacts {
  readonly type: Unit
  readonly factor: number
}

export const UNITS: ReadonlyMap<string, UnitFacts> = new Map<string, UnitFacts>([
  ['ms', { type: 'duration', factor: 1 }],
  ['s', { type: 'duration', factor: 1000 }],
  ['m', { type: 'duration', factor: 60_000 }],
  ['h', { type: 'duration', factor: 3_600_000 }],
  ['d', { type: 'duration', factor: 86_400_000 }],
  ['B', { type: 'size', factor: 1 }],
  ['KB', { type: 'size', factor: 1024 }],
  ['MB', { type: 'size', factor: 1024 ** 2 }],
  ['GB', { type: 'size', factor: 1024 ** 3 }],
  ['TB', { type: 'size', factor: 1024 ** 4 }],
  ['k', { type: 'tokens', factor: 1000 }],
  ['M', { type: 'tokens', factor: 1_000_000 }],
  ['%', { type: 'percent', factor: 0.01 }],
])

/** Spellings people bring from elsewhere, and ours. */
const FOREIGN_UNITS: ReadonlyMap<string, string> = new Map([
  ['msec', 'ms'], ['millis', 'ms'], ['sec', 's'], ['secs', 's'], ['second', 's'], ['seconds', 's'], ['S', 's'], ['min', 'm'], ['mins', 'm'],
  ['minute', 'm'], ['minutes', 'm'], ['hr', 'h'], ['hrs', 'h'], ['hour', 'h'], ['hours', 'h'], ['H', 'h'], ['day', 'd'], ['days', 'd'], ['D', 'd'],
  ['kb', 'KB'], ['Kb', 'KB'], ['KiB', 'KB'], ['mb', 'MB'], ['Mb', 'MB'], ['MiB', 'MB'], ['gb', 'GB'], ['Gb', 'GB'], ['GiB', 'GB'], ['tb', 'TB'],
  ['TiB', 'TB'], ['b', 'B'], ['K', 'k'],
])

/** Our spelling of a unit written otherwise, or null when there is none. */
export function unitMeant(unit: string): string | null {
  return FOREIGN_UNITS.get(unit) ?? null
}

export interface NumberFacts {
  readonly value: number
  readonly type: 'int' | 'float' | Unit
  readonly problem: 'too-large' | 'too-many-decimals' | 'not-whole' | null
}

const NUMBER = /^(-?)(\$?)(\d[\d_]*)(?:\.(\d[\d_]*))?([A-Za-z%]*)$/
const MAX_MONEY_DECIMALS = 6

/**
 * The value of a number as written, sign and unit included.
 *
 * @example
 * readNumber('$0.50') // { value: 500000, type: 'money', problem: null }
 */
export function readNumber(text: string): NumberFacts {
  if (/^\d{1,15}$/.test(text)) return { value: Number(text), type: 'int', problem: null }
  const [, minus = '', dollar = '', whole = '0', fraction, unit = ''] = NUMBER.exec(text) ?? []
  const digits = fraction === undefined ? whole : `${whole}.${fraction}`
  const plain = Number(digits.replaceAll('_', ''))
  const signed = (value: number): number => (minus === '' || value === 0 ? value : -value)
  if (dollar !== '') {
    const decimals = (fraction ?? '').replaceAll('_', '').replace(/0+$/, '')
    if (decimals.length > MAX_MONEY_DECIMALS) return { value: signed(Math.round(plain * 1e6)), type: 'money', problem: 'too-many-decimals' }
    const micros = Number(whole.replaceAll('_', '')) * 1e6 + Number(decimals.padEnd(MAX_MONEY_DECIMALS, '0'))
    return { value: signed(micros), type: 'money', problem: Number.isSafeInteger(micros) ? null : 'too-large' }
  }
  if (unit === '') {
    if (fraction !== undefined) return { value: signed(plain), type: 'float', problem: Number.isFinite(plain) ? null : 'too-large' }
    return { value: signed(plain), type: 'int', problem: Number.isSafeInteger(plain) ? null : 'too-large' }
  }
  const facts = UNITS.get(unit) ?? { type: 'duration', factor: 1 }
  if (facts.type === 'percent') return { value: signed(plain / 100), type: 'percent', problem: Number.isFinite(plain) ? null : 'too-large' }
  // Multiplying a decimal fraction can miss a whole number by a hair (1.1k), so the product is rounded to a millionth first.
  const product = Math.round(plain * facts.factor * 1e6) / 1e6
  const problem = !(plain * facts.factor <= Number.MAX_SAFE_INTEGER) ? 'too-large' : Number.isInteger(product) || product > 1e9 ? null : 'not-whole'
  return { value: signed(Math.round(product)), type: facts.type, problem }
}

const SIMPLE_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['n', '\n'], ['t', '\t'], ['r', '\r'], ['"', '"'], ['\\', '\\'], ['$', '$'],
])

/** Every escape there is, for the lexer to tell good ones from bad. Sticky: set `lastIndex` first. */
export const ESCAPE = /\\(?:[ntr"\\$]|u\{([0-9A-Fa-f]{1,6})\})/y

/** True when the hexadecimal digits of a `\u{…}` name a Unicode scalar value. */
export function isScalarValue(hex: string): boolean {
  const code = Number.parseInt(hex, 16)
  return code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff)
}

/** Text with its escapes replaced; a bad escape (reported by the lexer) stays as written. */
export function unescape(text: string): string {
  if (!text.includes('\\')) return text
  return text.replace(/\\(?:([ntr"\\$])|u\{([0-9A-Fa-f]{1,6})\})/g, (all, simple: string | undefined, hex: string | undefined) => {
    if (simple !== undefined) return SIMPLE_ESCAPES.get(simple) ?? all
    return hex !== undefined && isScalarValue(hex) ? String.fromCodePoint(Number.parseInt(hex, 16)) : all
  })
}

/**
 * The values of the text pieces of one string: dedented if a block, unescaped unless raw.
 *
 * A block string drops a first line that is blank, drops its last line end with the blanks after it, and takes the common
 * indentation of all non-blank lines away; blank lines become empty; `\r\n` counts as `\n`.
 *
 * @param pieces the text around the expressions, as written and without quotes; one more than there are expressions.
 */
export function readPieces(pieces: readonly string[], style: StringStyle): string[] {
  if (style === 'raw') return [...pieces]
  if (style === 'plain') return pieces.map(unescape)
  return dedent(pieces).map(unescape)
}

/** Stands for an expression while lines are measured; cannot occur in a piece, which holds no NUL (the lexer reports it). */
const HOLE = '\0'

function dedent(pieces: readonly string[]): string[] {
  const lines = pieces.map(piece => piece.replaceAll('\0', '\ufffd')).join(HOLE).replaceAll('\r\n', '\n').split('\n')
  const opensWithLine = lines.length > 1 && isBlank(lines[0]!)
  const last = lines.length - 1
  const common = commonIndent(lines.filter((line, index) => index > 0 && !isBlank(line)))
  const kept = lines.map((line, index) => (index === 0 ? line : isBlank(line) ? '' : line.slice(common)))
  if (last > 0 && isBlank(lines[last]!)) kept.pop()
  if (opensWithLine) kept.shift()
  return kept.join('\n').split(HOLE)
}

const isBlank = (line: string): boolean => /^[ \t]*$/.test(line)

function commonIndent(lines: readonly string[]): number {
  const first = lines[0]
  if (first === undefined) return 0
  let common = /^[ \t]*/.exec(first)![0].length
  for (const line of lines) {
    let same = 0
    while (same < common && line[same] === first[same]) same++
    common = same
  }
  return common
}
