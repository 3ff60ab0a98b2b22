// Pattern syntax: from the text of a regular expression to a tree.
// Owns: RE2's syntax (https://github.com/google/re2/wiki/Syntax) without captures' contents: groups only group. Does not own: matching (pattern.ts).
//   X1. What is not RE2 (look-around, back references, possessive quantifiers) is refused with a reason, never read as something else.
//   X2. A tree has a bounded size: text, nesting, repetition counts and the tree after repeats are unrolled each have a limit.

/** Inclusive ranges of code points, sorted, not touching. */
export type CodeSet = readonly (readonly [number, number])[]

export type PatternNode =
  | { readonly kind: 'set'; readonly set: CodeSet }
  | { readonly kind: 'cat' | 'alt'; readonly parts: readonly PatternNode[] }
  | { readonly kind: 'repeat'; readonly part: PatternNode; readonly min: number; readonly max: number }
  | { readonly kind: 'assert'; readonly what: 'begin' | 'end' | 'line-begin' | 'line-end' | 'word' | 'not-word' }

const MAX_PATTERN_LENGTH = 10_000
const MAX_PATTERN_NESTING = 100
/** RE2's own limit for `x{n}`. */
const MAX_REPEAT = 1000
const LAST_CODE_POINT = 0x10ffff

class PatternProblem extends Error {}

interface Flags {
  readonly ignoreCase: boolean
  readonly multiLine: boolean
  readonly dotAll: boolean
}

/**
 * The tree of a pattern, or why it is not one.
 *
 * @example
 * parsePattern('a(') // { problem: 'a `)` is missing' }
 */
export function parsePattern(text: string): { readonly node: PatternNode } | { readonly problem: string } {
  if (text.length > MAX_PATTERN_LENGTH) return { problem: `it is longer than ${MAX_PATTERN_LENGTH} characters` } // X2
  try {
    return { node: new Reader(text).whole() }
  } catch (error) {
    if (error instanceof PatternProblem) return { problem: error.message }
    throw error
  }
}

const DIGIT: CodeSet = [[48, 57]]
const SPACE: CodeSet = [[9, 10], [12, 13], [32, 32]]
const WORD: CodeSet = [[48, 57], [65, 90], [95, 95], [97, 122]]
const PERL: ReadonlyMap<string, CodeSet> = new Map([['d', DIGIT], ['s', SPACE], ['w', WORD]])
const POSIX: ReadonlyMap<string, CodeSet> = new Map<string, CodeSet>([
  ['alnum', [[48, 57], [65, 90], [97, 122]]], ['alpha', [[65, 90], [97, 122]]], ['ascii', [[0, 127]]], ['blank', [[9, 9], [32, 32]]],
  ['cntrl', [[0, 31], [127, 127]]], ['digit', DIGIT], ['graph', [[33, 126]]], ['lower', [[97, 122]]], ['print', [[32, 126]]],
  ['punct', [[33, 47], [58, 64], [91, 96], [123, 126]]], ['space', [[9, 13], [32, 32]]], ['upper', [[65, 90]]], ['word', WORD], ['xdigit', [[48, 57], [65, 70], [97, 102]]],
])
const CONTROL: ReadonlyMap<string, number> = new Map([['a', 7], ['f', 12], ['t', 9], ['n', 10], ['r', 13], ['v', 11]])

class Reader {
  private readonly chars: readonly string[]
  private at = 0
  private nesting = 0
  private flags: Flags = { ignoreCase: false, multiLine: false, dotAll: false }

  constructor(text: string) {
    this.chars = [...text]
  }

  whole(): PatternNode {
    const node = this.alternation()
    if (this.at < this.chars.length) throw new PatternProblem('a `)` has no `(`')
    return node
  }

  private alternation(): PatternNode {
    if (++this.nesting > MAX_PATTERN_NESTING) throw new PatternProblem(`its groups are nested deeper than ${MAX_PATTERN_NESTING}`) // X2
    const parts = [this.sequence()]
    while (this.take('|')) parts.push(this.sequence())
    this.nesting--
    return parts.length === 1 ? parts[0]! : { kind: 'alt', parts }
  }

  private sequence(): PatternNode {
    const parts: PatternNode[] = []
    while (this.at < this.chars.length && this.peek() !== '|' && this.peek() !== ')') {
      const atom = this.atom()
      if (atom !== null) parts.push(this.quantified(atom))
    }
    return parts.length === 1 ? parts[0]! : { kind: 'cat', parts }
  }

  private quantified(atom: PatternNode): PatternNode {
    const counts = this.quantifier()
    if (counts === null) return atom
    this.take('?') // greed does not change whether there is a match
    if (this.peek() === '+' || this.peek() === '*' || this.peek() === '?' || this.quantifier() !== null) throw new PatternProblem('a repetition is itself repeated')
    return { kind: 'repeat', part: atom, ...counts }
  }

  private quantifier(): { min: number; max: number } | null {
    if (this.take('*')) return { min: 0, max: Infinity }
    if (this.take('+')) return { min: 1, max: Infinity }
    if (this.take('?')) return { min: 0, max: 1 }
    if (this.peek() !== '{') return null
    const found = /^\{(\d+)(?:(,)(\d*))?\}/.exec(this.chars.slice(this.at, this.at + 20).join(''))
    if (found === null) return null // a brace that is no count is a brace
    const min = Number(found[1])
    const max = found[2] === undefined ? min : found[3] === '' ? Infinity : Number(found[3])
    if (min > MAX_REPEAT || (max !== Infinity && max > MAX_REPEAT)) throw new PatternProblem(`a repetition count is above ${MAX_REPEAT}`)
    if (max < min) throw new PatternProblem('a repetition counts downwards')
    this.at += found[0].length
    return { min, max }
  }

  /** Null for something that matches nothing by itself, such as `(?i)`. */
  private atom(): PatternNode | null {
    const char = this.next()
    switch (char) {
      case '(':
        return this.group()
      case '[':
        return { kind: 'set', set: this.fold(this.charClass()) }
      case '.':
        return { kind: 'set', set: this.flags.dotAll ? [[0, LAST_CODE_POINT]] : [[0, 9], [11, LAST_CODE_POINT]] }
      case '^':
        return { kind: 'assert', what: this.flags.multiLine ? 'line-begin' : 'begin' }
      case '$':
        return { kind: 'assert', what: this.flags.multiLine ? 'line-end' : 'end' }
      case '*':
      case '+':
      case '?':
        throw new PatternProblem(`\`${char}\` has nothing to repeat`)
      case '\\':
        return this.escape()
      default:
        return this.literal(char)
    }
  }

  private group(): PatternNode | null {
    const before = this.flags
    if (this.take('?')) {
      const rest = this.chars.slice(this.at, this.at + 200).join('')
      if (/^(?:<?[=!])/.test(rest)) throw new PatternProblem('looking ahead or behind is not possible in RE2') // X1
      const name = /^P?<([A-Za-z_]\w*)>/.exec(rest)
      const flags = /^([imsU]*)(?:-([imsU]+))?([:)])/.exec(rest)
      if (name !== null) this.at += name[0].length
      else if (flags !== null) {
        this.at += flags[0].length
        const on = flags[1]!
        const off = flags[2] ?? ''
        const set = (flag: string, was: boolean): boolean => (on.includes(flag) || was) && !off.includes(flag)
        this.flags = { ignoreCase: set('i', before.ignoreCase), multiLine: set('m', before.multiLine), dotAll: set('s', before.dotAll) }
        if (flags[3] === ')') return null
      } else throw new PatternProblem('`(?` is followed by something RE2 does not know')
    }
    const inner = this.alternation()
    if (!this.take(')')) throw new PatternProblem('a `)` is missing')
    this.flags = before
    return inner
  }

  private escape(): PatternNode {
    const char = this.peek()
    const assert = ({ A: 'begin', z: 'end', b: 'word', B: 'not-word' } as const)[char as 'A' | 'z' | 'b' | 'B']
    if (assert !== undefined) {
      this.at++
      return { kind: 'assert', what: assert }
    }
    if (this.take('Q')) {
      const parts: PatternNode[] = []
      while (this.at < this.chars.length && !(this.peek() === '\\' && this.chars[this.at + 1] === 'E')) parts.push(this.literal(this.next()))
      this.at += 2
      return { kind: 'cat', parts }
    }
    const set = this.escapedSet()
    return { kind: 'set', set: this.fold(set) }
  }

  /** After a backslash: a class (`\d`, `\pL`) or one character. */
  private escapedSet(): CodeSet {
    if (this.at >= this.chars.length) throw new PatternProblem('it ends with a `\\`')
    const char = this.next()
    const perl = PERL.get(char.toLowerCase())
    if (perl !== undefined) return char === char.toLowerCase() ? perl : complement(perl)
    if (char === 'p' || char === 'P') return this.property(char === 'P')
    const control = CONTROL.get(char)
    if (control !== undefined) return single(control)
    if (char === 'x') return single(this.hex())
    if (char === '0') return single(this.octal())
    if (/[1-9]/.test(char)) throw new PatternProblem('references to groups are not possible in RE2') // X1
    if (/[A-Za-z]/.test(char)) throw new PatternProblem(`\`\\${char}\` means nothing in RE2`)
    return single(char.codePointAt(0)!)
  }

  private hex(): number {
    const found = /^(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})/.exec(this.chars.slice(this.at, this.at + 8).join(''))
    const value = Number.parseInt(found?.[1] ?? found?.[2] ?? '', 16)
    if (found === null || value > LAST_CODE_POINT) throw new PatternProblem('`\\x` needs two hexadecimal digits, or a code point in braces')
    this.at += found[0].length
    return value
  }

  private octal(): number {
    let value = 0
    for (let digits = 0; digits < 2 && /[0-7]/.test(this.peek()); digits++) value = value * 8 + Number(this.next())
    return value
  }

  private property(negated: boolean): CodeSet {
    const found = /^(?:([A-Z])|\{(\^?)(\w+)\})/.exec(this.chars.slice(this.at, this.at + 50).join(''))
    if (found === null) throw new PatternProblem('`\\p` needs the name of a class of characters')
    this.at += found[0].length
    const set = propertySet(found[1] ?? found[3]!)
    return negated !== (found[2] === '^') ? complement(set) : set
  }

  private charClass(): CodeSet {
    const negated = this.take('^')
    const ranges: (readonly [number, number])[] = []
    for (let first = true; ; first = false) {
      if (this.at >= this.chars.length) throw new PatternProblem('a `]` is missing')
      if (!first && this.take(']')) break
      const low = this.classPart()
      if (low.length === 1 && low[0]![0] === low[0]![1] && this.peek() === '-' && this.chars[this.at + 1] !== ']' && this.at + 1 < this.chars.length) {
        this.at++
        const high = this.classPart()
        if (high.length !== 1 || high[0]![0] !== high[0]![1] || high[0]![0] < low[0]![0]) throw new PatternProblem('a range in `[…]` runs backwards or ends in a class')
        ranges.push([low[0]![0], high[0]![0]])
      } else ranges.push(...low)
    }
    const set = this.fold(normalise(ranges)) // folded before it is turned round: (?i)[^a] holds neither a nor A
    return negated ? complement(set) : set
  }

  private classPart(): CodeSet {
    if (this.peek() === '[' && this.chars[this.at + 1] === ':') {
      const found = /^\[:(\^?)([a-z]+):\]/.exec(this.chars.slice(this.at, this.at + 20).join(''))
      const set = found === null ? undefined : POSIX.get(found[2]!)
      if (found === null || set === undefined) throw new PatternProblem('`[:…:]` names no class RE2 knows')
      this.at += found[0].length
      return found[1] === '^' ? complement(set) : set
    }
    const char = this.next()
    return char === '\\' ? this.escapedSet() : single(char.codePointAt(0)!)
  }

  private literal(char: string): PatternNode {
    return { kind: 'set', set: this.fold(single(char.codePointAt(0)!)) }
  }

  private fold(set: CodeSet): CodeSet {
    return this.flags.ignoreCase ? foldCase(set) : set
  }

  private peek(): string {
    return this.chars[this.at] ?? ''
  }

  private next(): string {
    return this.chars[this.at++] ?? ''
  }

  private take(char: string): boolean {
    if (this.peek() !== char) return false
    this.at++
    return true
  }
}

const single = (code: number): CodeSet => [[code, code]]

function normalise(ranges: readonly (readonly [number, number])[]): CodeSet {
  const out: [number, number][] = []
  for (const [low, high] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const last = out.at(-1)
    if (last !== undefined && low <= last[1] + 1) last[1] = Math.max(last[1], high)
    else out.push([low, high])
  }
  return out
}

function complement(set: CodeSet): CodeSet {
  const out: [number, number][] = []
  let from = 0
  for (const [low, high] of set) {
    if (low > from) out.push([from, low - 1])
    from = high + 1
  }
  if (from <= LAST_CODE_POINT) out.push([from, LAST_CODE_POINT])
  return out
}

/** Letters beyond this have no case (but for Deseret and its kin, which RE2 folds and we do not). */
const LAST_CASED = 0x2fff

function foldCase(set: CodeSet): CodeSet {
  const more: [number, number][] = []
  for (const [low, high] of set) {
    for (let code = low; code <= Math.min(high, LAST_CASED); code++) {
      const char = String.fromCodePoint(code)
      for (const other of [char.toLowerCase(), char.toUpperCase()]) {
        if (other !== char && other.length === 1) more.push([other.charCodeAt(0), other.charCodeAt(0)])
      }
    }
  }
  return more.length === 0 ? set : normalise([...set, ...more])
}

const properties = new Map<string, CodeSet>()

/** General categories (`L`, `Lu`) and scripts (`Greek`), as this Node's Unicode tables have them. */
function propertySet(name: string): CodeSet {
  const known = properties.get(name)
  if (known !== undefined) return known
  let test: RegExp
  try {
    test = new RegExp(`\\p{${name.length <= 2 ? name : `Script=${name}`}}`, 'u')
  } catch {
    throw new PatternProblem(`\`${name}\` names no class of characters`)
  }
  const ranges: [number, number][] = []
  for (let code = 0; code <= LAST_CODE_POINT; code++) {
    if (!test.test(String.fromCodePoint(code))) continue
    const last = ranges.at(-1)
    if (last !== undefined && last[1] === code - 1) last[1] = code
    else ranges.push([code, code])
  }
  properties.set(name, ranges)
  return ranges
}
