// Lexer: a piece of text to tokens.
// Owns: where each token, string piece and comment begins and ends, and the mending of foreign spellings (`&&`, `'…'`, `5min`).
// Does not own: values (literals.ts), what may follow what (parser.ts).
//   L1. Any text becomes tokens; nothing throws. What cannot be read is reported and left out.
//   L2. A plain string, its `${}` included, lies on one line; so a forgotten quote never reaches the next line.
//   L3. Nesting of strings within `${}` is held on an explicit stack; the text's length is the only bound it needs.
//   L4. `quiet` holds the stretches in which what the parser says would only repeat what was said here.
//   L5. Words are shared between tokens and files as far as they are short; the table has a fixed size and the last one wins.
import { syntaxErrors } from '#diagnostics/catalog/syntax.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import type { TokenType } from 'chevrotain'
import type { Span } from './ast.ts'
import type { Comment } from './comment.ts'
import { ESCAPE, isScalarValue, readNumber, unitMeant, UNITS } from './literals.ts'
import type { NumberFacts } from './literals.ts'
import { reportHidden } from './hidden-characters.ts'
import { placeAt, replaceFix } from './problem.ts'
import {
  Duration, Float, Identifier, Int, KEYWORD_TYPES, Money, Percent, PUNCTUATION, sign, Size, TemplateHead, TemplateMiddle, TemplateTail, Text, Token,
  TokenCount, Underscore,
} from './tokens.ts'

export interface Lexed {
  readonly tokens: Token[]
  readonly comments: Comment[]
  /** Doc comments by the offset of the token they stand before. */
  readonly docs: Map<number, string>
  readonly problems: Diagnostic[]
  readonly quiet: Span[]
}

const NUMBER = /(\$?)\d[\d_]*(?:\.\d[\d_]*)?([A-Za-z_][A-Za-z0-9_]*|%)?/y
/** A power of ten, as other languages write it. */
const EXPONENT = /[eE][+-]?\d+/y
/** One that does not stand between two digits. */
const STRAY_UNDERSCORE = /_(?!\d)/
const STRAY = /[^\s\w"'`{}()[\].,:;=!<>+\-*/|?&$#%@~^\\]+|[^\s]/uy
const UNIT_TYPES: Readonly<Record<string, TokenType>> = {
  int: Int, float: Float, duration: Duration, size: Size, tokens: TokenCount, percent: Percent, money: Money,
}
const UNIT_BASE: Readonly<Record<string, string>> = { duration: 'milliseconds', size: 'bytes', tokens: 'tokens' }

/** Operators of other languages: what is written, the sign it is read as, and what we call it. */
const FOREIGN: readonly (readonly [string, string])[] = [['===', '=='], ['!==', '!='], ['&&', 'and'], ['||', 'or'], [':=', '=']]

interface SignEntry {
  readonly text: string
  readonly type: TokenType
  readonly foreign: string | null
}

/** What may begin with each ASCII character, longest first. */
const SIGNS: readonly (readonly SignEntry[])[] = Array.from({ length: 128 }, (_, code) => {
  const ours = [...PUNCTUATION].map(([text, type]): SignEntry => ({ text, type, foreign: null }))
  const theirs = FOREIGN.map(([text, meant]): SignEntry => ({ text, type: sign(meant), foreign: meant }))
  return [...ours, ...theirs].filter(each => each.text.charCodeAt(0) === code).sort((a, b) => b.text.length - a.text.length)
})

/** The type of each sign of one character that begins no longer one, by its code. */
const SINGLE_SIGNS: readonly (TokenType | undefined)[] = SIGNS.map(([entry, ...others]) => (others.length === 0 && entry?.text.length === 1 ? entry.type : undefined))

/** What each ASCII character may be part of. */
const [WORD_PART, DIGIT] = [1, 2]
const CHARACTERS = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code)
  return (/\w/.test(character) ? WORD_PART : 0) | (/\d/.test(character) ? DIGIT : 0)
})

/** Longest word in `WORDS`: the runtime copies so short a slice, while a longer one would keep the whole file's text alive. */
const MAX_SHARED_WORD = 12
/** A power of two. */
const SHARED_WORDS = 4096

interface SharedWord {
  readonly image: string
  readonly type: TokenType
}

/** Words met lately, by a hash of their characters: a name that comes again is the same string, found without making it (L5). */
const WORDS: (SharedWord | undefined)[] = new Array<undefined>(SHARED_WORDS).fill(undefined)

function typeOfWord(image: string): TokenType {
  return KEYWORD_TYPES.get(image) ?? (image === '_' ? Underscore : Identifier)
}

/** An open string: where it began, whether it must end on its line, and how many `{` are open in its current `${}`. */
interface OpenTemplate {
  readonly start: number
  readonly quotes: '"' | '"""'
  braces: number
}

/** Tokens of a piece of text; offsets count from its start. */
export function lex(text: string): Lexed {
  return new Lexing(text).run()
}

class Lexing implements Lexed {
  readonly tokens: Token[] = []
  readonly comments: Comment[] = []
  readonly docs = new Map<number, string>()
  readonly problems: Diagnostic[] = []
  readonly quiet: Span[] = []
  private readonly text: string
  private at = 0
  private pendingDoc: string | null = null
  private readonly open: OpenTemplate[] = []

  constructor(text: string) {
    this.text = text
  }

  run(): Lexed {
    const { text } = this
    while (this.at < text.length) {
      const code = text.charCodeAt(this.at)
      if (code === 32 || code === 9 || code === 13 || code === 0xfeff) this.at++
      else if (code === 10) this.lineEnd()
      else if ((code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95) this.word()
      else if (code >= 48 && code <= 57) this.number()
      else if (code === 34) this.string(this.at, this.at)
      else if (code === 47 && this.comment()) continue
      else this.sign(code)
    }
    this.abandon(text.length)
    reportHidden(text, this)
    return this
  }

  private push(type: TokenType, image: string, start: number, end: number): void {
    if (this.pendingDoc !== null) {
      this.docs.set(start, this.pendingDoc)
      this.pendingDoc = null
    }
    this.tokens.push(new Token(type, image, start, end))
    this.at = end
  }

  private lineEnd(): void {
    if (this.open.length > 0) this.abandon(this.at) // L2
    this.at++
  }

  /** Closes every string that cannot go on past `end`: all from the outermost plain one inward, or all at the end of the text. */
  private abandon(end: number): void {
    const { open } = this
    const first = end === this.text.length ? 0 : open.findIndex(each => each.quotes === '"')
    if (first < 0 || open.length === 0) return
    const { start, quotes } = open[first]!
    this.unclosed(start, quotes, end)
    while (open.length > first) {
      open.pop()
      this.push(TemplateTail, '}', end, end)
    }
  }

  private unclosed(start: number, quotes: '"' | '"""', end: number): void {
    if (this.quiet.some(zone => zone.end > end)) return
    const last = this.text.slice(start, end).trimEnd().length + start
    this.problems.push(syntaxErrors['unclosed-string']({ quotes }, { at: placeAt(start, start + quotes.length) }))
    this.quiet.push({ start, end: Math.max(last + 1, end) })
  }

  private word(): void {
    const { text, at } = this
    let hash = 0
    let end = at
    for (let code = text.charCodeAt(end); code < 128 && (CHARACTERS[code]! & WORD_PART) !== 0; code = text.charCodeAt(++end)) hash = (hash * 31 + code) | 0
    if (end === at + 1 && text.charCodeAt(at) === 114 && text.charCodeAt(end) === 34) return this.rawString()
    if (end - at > MAX_SHARED_WORD) {
      const image = text.slice(at, end)
      return this.push(typeOfWord(image), image, at, end)
    }
    const slot = (hash ^ (hash >> 12)) & (SHARED_WORDS - 1)
    let word = WORDS[slot]
    if (word === undefined || word.image.length !== end - at || !text.startsWith(word.image, at)) {
      const image = text.slice(at, end)
      WORDS[slot] = word = { image, type: typeOfWord(image) }
    }
    this.push(word.type, word.image, at, end)
  }

  private number(): void {
    const { text, at: start } = this
    let digits = start
    while ((CHARACTERS[text.charCodeAt(digits)]! & DIGIT) !== 0) digits++
    const next = text.charCodeAt(digits)
    // The common number: a few digits, and nothing after them that could belong to it.
    if (digits > start && digits - start <= 15 && next !== 46 && next !== 37 && !(CHARACTERS[next]! & WORD_PART)) {
      return this.push(Int, text.slice(start, digits), start, digits)
    }
    NUMBER.lastIndex = start
    const [image, dollar = '', unit = ''] = NUMBER.exec(text)!
    const end = start + image.length
    if (/^[eE]\d*$/.test(unit) && dollar === '') return this.exponent(image.slice(0, -unit.length), start, end)
    if (STRAY_UNDERSCORE.test(image.slice(0, image.length - unit.length))) {
      const meant = image.replace(/_+(?=\d)/g, '_').replace(/_(?!\d)/g, '')
      this.problems.push(syntaxErrors['stray-underscore']({ number: image }, { at: placeAt(start, end), fixes: [replaceFix(`Write \`${meant}\``, start, end, meant)] }))
    }
    if (dollar !== '' && unit !== '') return this.unknownUnit(image, unit, start, end, image.slice(0, -unit.length))
    if (unit !== '' && !UNITS.has(unit)) {
      const meant = unitMeant(unit)
      return this.unknownUnit(image, unit, start, end, meant === null ? null : image.slice(0, -unit.length) + meant)
    }
    const { type, problem } = readNumber(image)
    if (problem !== null) this.badNumber(image, type, problem, start, end)
    this.push(UNIT_TYPES[type]!, image, start, end)
  }

  /** `1e3`: digits, and a power of ten that may have a sign. */
  private exponent(digits: string, start: number, from: number): void {
    EXPONENT.lastIndex = start + digits.length
    const power = EXPONENT.exec(this.text)?.[0] ?? ''
    const end = Math.max(from, start + digits.length + power.length)
    const number = this.text.slice(start, end)
    const value = Number(number.replaceAll('_', ''))
    const meant = Number.isSafeInteger(value) ? String(value) : null
    const fixes = meant === null ? [] : [replaceFix(`Write \`${meant}\``, start, end, meant)]
    this.problems.push(syntaxErrors.exponent({ number }, { at: placeAt(start, end), fixes }))
    this.push(UNIT_TYPES[readNumber(meant ?? digits).type]!, meant ?? digits, start, end)
  }

  private badNumber(number: string, type: string, problem: NonNullable<NumberFacts['problem']>, start: number, end: number): void {
    const at = placeAt(start, end)
    if (problem === 'not-whole') this.problems.push(syntaxErrors['not-whole']({ number, base: UNIT_BASE[type]! }, { at }))
    else this.problems.push(syntaxErrors[problem === 'too-large' ? 'number-too-large' : problem]({ number }, { at }))
  }

  private unknownUnit(image: string, unit: string, start: number, end: number, meant: string | null): void {
    const fixes = meant === null ? [] : [replaceFix(`Did you mean \`${meant}\`?`, start, end, meant)]
    const help = meant === null ? [] : [`Did you mean \`${meant}\`?`]
    this.problems.push(syntaxErrors['unknown-unit']({ number: image, unit }, { at: placeAt(start, end), fixes, help }))
    const read = meant ?? image.slice(0, -unit.length)
    this.push(UNIT_TYPES[readNumber(read).type]!, read, start, end)
  }

  private rawString(): void {
    const start = this.at
    const close = this.text.indexOf('"', start + 2)
    const line = this.lineEndFrom(start)
    if (close >= 0 && close < line) return this.push(Text, this.text.slice(start, close + 1), start, close + 1)
    this.unclosed(start, '"', line)
    this.push(Text, `${this.text.slice(start, line)}"`, start, line)
  }

  private lineEndFrom(start: number): number {
    const line = this.text.indexOf('\n', start)
    return line < 0 ? this.text.length : line
  }

  /** Reads a string, or goes on with one after its `${}`: from `start` (a quote or the `}`), for the token that begins at `start`. */
  private string(start: number, from: number): void {
    const { text } = this
    const resumed = text.charCodeAt(start) === 125 ? this.open[this.open.length - 1]! : null
    const block = resumed === null ? text.startsWith('"""', from) : resumed.quotes === '"""'
    const quotes = block ? '"""' : '"'
    let at = resumed === null ? from + quotes.length : from + 1
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code === 92) at = this.escape(at)
      else if (code === 10 && !block) break
      else if (code === 34 && (!block || text.startsWith('"""', at))) {
        const end = at + quotes.length
        if (resumed !== null) this.open.pop()
        return this.push(resumed === null ? Text : TemplateTail, text.slice(start, end), start, end)
      } else if (code === 36 && text.charCodeAt(at + 1) === 123) {
        if (resumed === null) this.open.push({ start, quotes, braces: 0 })
        return this.push(resumed === null ? TemplateHead : TemplateMiddle, text.slice(start, at + 2), start, at + 2)
      }
    }
    const end = Math.min(at, text.length)
    this.unclosed(resumed === null ? start : resumed.start, quotes, end)
    if (resumed !== null) this.open.pop()
    this.push(resumed === null ? Text : TemplateTail, text.slice(start, end) + quotes, start, end)
  }

  /** Looks at the escape at a `\`, complains if it is none; the offset of its last character. */
  private escape(at: number): number {
    ESCAPE.lastIndex = at
    const found = ESCAPE.exec(this.text)
    if (found !== null && (found[1] === undefined || isScalarValue(found[1]))) return at + found[0].length - 1
    const next = String.fromCodePoint(this.text.codePointAt(at + 1) ?? 32)
    const bad = found?.[0] ?? (next.trim() === '' ? '\\' : `\\${next}`)
    const fixes = found === null ? [replaceFix('Write a backslash as `\\\\`', at, at + 1, '\\\\')] : []
    this.problems.push(syntaxErrors['bad-escape']({ escape: bad }, { at: placeAt(at, at + bad.length), fixes }))
    return at + bad.length - 1
  }

  /** Skips the comment at a `/`; false when it is none. */
  private comment(): boolean {
    const { text, at } = this
    const next = text.charCodeAt(at + 1)
    if (next === 47) {
      let end = this.lineEndFrom(at)
      if (text.charCodeAt(end - 1) === 13) end--
      const comment = { start: at, end, text: text.slice(at, end) }
      this.comments.push(comment)
      this.at = end
      if (text.charCodeAt(at + 2) === 47 && text.charCodeAt(at + 3) !== 47 && this.standsAlone(at)) {
        const line = comment.text.slice(3).replace(/^ /, '').trimEnd()
        this.pendingDoc = this.pendingDoc === null ? line : `${this.pendingDoc}\n${line}`
      }
      return true
    }
    if (next !== 42) return false
    const close = text.indexOf('*/', at + 2)
    if (close < 0) {
      this.problems.push(syntaxErrors['unclosed-comment']({}, { at: placeAt(at, at + 2) }))
      this.quiet.push({ start: at, end: text.length + 1 })
    }
    const end = close < 0 ? text.length : close + 2
    this.comments.push({ start: at, end, text: text.slice(at, end) })
    this.at = end
    return true
  }

  private standsAlone(at: number): boolean {
    const line = this.text.lastIndexOf('\n', at) + 1
    return this.text.slice(line, at).trim() === ''
  }

  private sign(code: number): void {
    const { text, at, open } = this
    const single = SINGLE_SIGNS[code]
    if (single !== undefined && open.length === 0) return this.push(single, single.LABEL!, at, at + 1)
    const top = open[open.length - 1]
    if (code === 36 && /\d/.test(text[at + 1] ?? '')) return this.number()
    if (code === 125 && top !== undefined && top.braces === 0) return this.string(at, at)
    if (top !== undefined && (code === 123 || code === 125)) top.braces += code === 123 ? 1 : -1
    for (const entry of SIGNS[code] ?? []) {
      if (entry.text.length > 1 && (entry.text.charCodeAt(1) !== text.charCodeAt(at + 1) || !text.startsWith(entry.text, at))) continue
      if (entry.foreign !== null) return this.foreign(entry.text, entry.foreign)
      return this.push(entry.type, entry.text, at, at + entry.text.length)
    }
    if (code === 33) return this.foreign('!', 'not')
    if (code === 59) return this.semicolon()
    if (code === 39 || code === 96) return this.foreignString(text[at]!)
    if (code === 35) return this.foreignComment()
    this.stray()
  }

  private foreign(written: string, ours: string): void {
    const end = this.at + written.length
    const spaced = written === '!' ? 'not ' : ours
    const fixes = [replaceFix(`Write \`${ours}\``, this.at, end, spaced)]
    this.problems.push(syntaxErrors['foreign-operator']({ written, ours }, { at: placeAt(this.at, end), fixes }))
    this.push(sign(ours), ours, this.at, end)
  }

  private semicolon(): void {
    const fixes = [replaceFix('Remove the `;`', this.at, this.at + 1, '')]
    this.problems.push(syntaxErrors.semicolon({}, { at: placeAt(this.at, this.at + 1), fixes }))
    this.at++
  }

  private foreignString(quote: string): void {
    const start = this.at
    const line = this.lineEndFrom(start)
    const close = this.text.indexOf(quote, start + 1)
    if (close < 0 || close >= line) return this.stray()
    const inner = this.text.slice(start + 1, close)
    const ours = `"${inner.replaceAll(`\\${quote}`, quote).replace(/(?<!\\)"/g, '\\"')}"`
    const fixes = [replaceFix('Use double quotes', start, close + 1, ours)]
    this.problems.push(syntaxErrors['foreign-quotes']({ quote }, { at: placeAt(start, close + 1), fixes }))
    this.push(Text, ours, start, close + 1)
  }

  private foreignComment(): void {
    const end = this.lineEndFrom(this.at)
    const fixes = [replaceFix('Write `//`', this.at, this.at + 1, '//')]
    this.problems.push(syntaxErrors['foreign-comment']({}, { at: placeAt(this.at, this.at + 1), fixes }))
    this.at = end
  }

  private stray(): void {
    STRAY.lastIndex = this.at
    const found = STRAY.exec(this.text)?.[0] ?? this.text[this.at]!
    const point = found.codePointAt(0)!
    const shown = point < 32 || point === 127 || point > 0x2000 ? `The character U+${point.toString(16).toUpperCase().padStart(4, '0')}` : `\`${String.fromCodePoint(point)}\``
    const end = this.at + found.length
    this.problems.push(syntaxErrors['stray-character']({ character: shown }, { at: placeAt(this.at, end) }))
    this.quiet.push({ start: this.at, end: this.lineEndFrom(end) })
    this.at = end
  }
}
