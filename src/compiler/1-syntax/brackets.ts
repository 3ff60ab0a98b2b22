// Brackets: makes every bracket of a piece closed before the parser sees it.
// Owns: which bracket is to blame when they do not match, and the bound on nesting. Does not own: what stands inside.
//   B1. After `balance` each opener has its closer, so the parser may skip whole groups and never runs past the one it is in.
//   B2. The one to blame is the innermost bracket that a closer of another kind, a line's indentation, or the next member shows to be open.
import { syntaxErrors } from '#diagnostics/catalog/syntax.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import type { TokenType } from 'chevrotain'
import type { Span } from './ast.ts'
import { MAX_NESTING } from './parser-base.ts'
import { placeAt, replaceFix } from './problem.ts'
import { InsertedToken, sign, TemplateHead, TemplateTail, Token, TOKEN_TYPES } from './tokens.ts'

const CLOSER_OF = new Map<TokenType, TokenType>([
  [sign('('), sign(')')], [sign('['), sign(']')], [sign('{'), sign('}')], [TemplateHead, TemplateTail],
])
const CLOSERS = new Set(CLOSER_OF.values())
/** Words that begin a member when they come first on a line and a name or string follows. */
const MEMBER_WORDS = new Set(['task', 'let', 'return', 'agent', 'gate', 'given', 'expect', 'can', 'limits'])
const [ARROW, LBRACE] = [sign('->'), sign('{')]
/** Indentation deeper than this counts as this deep. */
const MAX_INDENT = 200
const MAX_BRACKET_REPORTS = 20

interface Balanced {
  readonly tokens: Token[]
  readonly problems: Diagnostic[]
  /** Stretches in which the parser's complaints would be echoes. */
  readonly quiet: Span[]
  /** The bracket at which nesting went past its bound; the tokens end there. */
  readonly tooDeep: Token | null
}

/** Tokens with every bracket closed, and what had to be mended. */
export function balance(tokens: Token[], text: string, quiet: readonly Span[] = []): Balanced {
  const quick = match(tokens)
  if (quick === 'balanced') return { tokens, problems: [], quiet: [], tooDeep: null }
  if (quick instanceof Token) return { ...new Mending(tokens.slice(0, tokens.indexOf(quick)), text, quiet).run(), problems: [], tooDeep: quick }
  return { ...new Mending(tokens, text, quiet).run(), tooDeep: null }
}

/** What a token is to its neighbours, by its type: 0 for no bracket, `OPENER` or `CLOSER`. */
const BRACKETS = new Uint8Array(Math.max(...TOKEN_TYPES.map(type => type.tokenTypeIdx!)) + 1)
const [OPENER, CLOSER] = [1, 2]
for (const [opener, closer] of CLOSER_OF) [BRACKETS[opener.tokenTypeIdx!], BRACKETS[closer.tokenTypeIdx!]] = [OPENER, CLOSER]

/** The common case, without allocations that grow: all brackets match and none is too deep. */
function match(tokens: readonly Token[]): 'balanced' | 'unbalanced' | Token {
  const open: TokenType[] = []
  let unbalanced = false
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index]!
    const bracket = BRACKETS[token.tokenTypeIdx]
    if (bracket === 0) continue
    if (bracket === OPENER) {
      if (open.length >= MAX_NESTING) return token
      open.push(CLOSER_OF.get(token.tokenType)!)
    } else if (open[open.length - 1] === token.tokenType) open.pop()
    else unbalanced = true
  }
  return unbalanced || open.length > 0 ? 'unbalanced' : 'balanced'
}

interface Open {
  readonly token: Token
  readonly closer: TokenType
  /** Index in the result at which it stands. */
  readonly index: number
  /** Indentation of its line. */
  readonly indent: number
}

class Mending {
  readonly tokens: Token[] = []
  readonly problems: Diagnostic[] = []
  readonly quiet: Span[] = []
  private readonly open: Open[] = []
  private readonly text: string
  private readonly lineStarts = [0]
  private readonly input: readonly Token[]
  /** Stretches the lexer could not read; a bracket may have been lost in them. */
  private readonly unread: readonly Span[]
  private reported: { at: number; line: number } | null = null

  constructor(input: readonly Token[], text: string, unread: readonly Span[]) {
    this.input = input
    this.text = text
    this.unread = unread
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', end + 1)) this.lineStarts.push(end + 1)
  }

  run(): { tokens: Token[]; problems: Diagnostic[]; quiet: Span[] } {
    for (const [index, token] of this.input.entries()) {
      const first = this.firstOnLine(index)
      if (first) this.closeBeforeMember(index)
      if (token.tokenType === ARROW || (token.tokenType === LBRACE && this.opensBody(index))) this.closeRound()
      const closer = CLOSER_OF.get(token.tokenType)
      if (closer !== undefined) this.open.push({ token, closer, index: this.tokens.length, indent: this.indentOf(token) })
      else if (CLOSERS.has(token.tokenType) && !this.close(token, first)) continue
      this.tokens.push(token)
    }
    while (this.open.length > 0) this.closeTop()
    return this
  }

  /** Closes brackets that must have been forgotten for `token` to fit; false when it closes nothing and is left out. */
  private close(token: Token, first: boolean): boolean {
    const { open } = this
    const indent = this.indentOf(token)
    const fits = (each: Open): boolean => each.closer === token.tokenType
    const byIndent = first && token.tokenType === sign('}') ? open.findLastIndex(each => fits(each) && each.indent === indent) : -1
    const target = byIndent >= 0 ? byIndent : open.findLastIndex(fits)
    if (target < 0) {
      const { startOffset: start, endOffset: end } = token
      this.quietLine(start, end)
      if (this.unread.some(zone => zone.start < start)) return false
      const fixes = [replaceFix(`Remove the \`${token.tokenType.LABEL}\``, start, end, '')]
      this.report(syntaxErrors['unmatched-bracket']({ close: token.tokenType.LABEL! }, { at: placeAt(start, end), fixes }))
      return false
    }
    while (open.length - 1 > target) this.closeTop()
    open.pop()
    return true
  }

  /** A member word at the start of a line closes what no member can stand in, and bodies that are no shallower than it (B2). */
  private closeBeforeMember(index: number): void {
    if (!this.beginsMember(index)) return
    const indent = this.indentOf(this.input[index]!)
    for (let top = this.open.at(-1); top !== undefined && (top.token.tokenType !== LBRACE || (this.open.length > 1 && top.indent >= indent)); top = this.open.at(-1)) {
      this.closeTop()
    }
  }

  /** What the parser says of a line with a stray closer, up to it, is an echo. */
  private quietLine(at: number, end: number): void {
    const start = this.lineOf(at)
    const last = this.quiet.at(-1)
    if (last?.start === start) this.quiet.pop()
    this.quiet.push({ start, end: end + 1 })
  }

  private beginsMember(index: number): boolean {
    const next = this.input[index + 1]
    return MEMBER_WORDS.has(this.input[index]!.image) && next !== undefined && !/^[:,)\]}=.]/.test(next.image)
  }

  /** True for a `{` at the end of a line after which a member begins. */
  private opensBody(index: number): boolean {
    return index + 1 < this.input.length && this.firstOnLine(index + 1) && this.beginsMember(index + 1)
  }

  /** `->` and a body stand in no round or square bracket. */
  private closeRound(): void {
    for (let top = this.open.at(-1); top !== undefined && top.token.tokenType !== LBRACE; top = this.open.at(-1)) this.closeTop()
  }

  private closeTop(): void {
    const { token, closer } = this.open.pop()!
    const end = this.tokens[this.tokens.length - 1]?.endOffset ?? 0
    const template = token.tokenType === TemplateHead
    const start = template ? token.endOffset - 2 : token.startOffset
    const line = this.lineOf(start)
    if (line === this.lineOf(end)) this.quiet.push({ start, end: end + 1 })
    const lost = this.unread.some(zone => zone.start >= start && zone.start <= end + 1)
    // Brackets of one line that are closed at one place are one mistake, most likely.
    const again = this.reported !== null && this.reported.at === end && this.reported.line === line
    if (!lost && !again) {
      const broken = token.tokenType === LBRACE && this.text.slice(token.endOffset, end).includes('\n')
      const fixes = [replaceFix(`Add \`${closer.LABEL}\``, end, end, broken ? `\n${closer.LABEL}` : closer.LABEL!)]
      const open = template ? '${' : token.image
      this.report(syntaxErrors['unclosed-bracket']({ open, close: closer.LABEL! }, { at: placeAt(start, token.endOffset), fixes }))
      this.reported = { at: end, line }
    }
    this.tokens.push(new InsertedToken(closer, '}', end, end))
  }

  /** Where the line of an offset begins. */
  private lineOf(offset: number): number {
    let [low, high] = [0, this.lineStarts.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.lineStarts[middle]! <= offset) low = middle
      else high = middle - 1
    }
    return this.lineStarts[low]!
  }

  private report(problem: Diagnostic): void {
    if (this.problems.length < MAX_BRACKET_REPORTS) this.problems.push(problem)
  }

  private firstOnLine(index: number): boolean {
    if (index === 0) return true
    return this.text.slice(this.input[index - 1]!.endOffset, this.input[index]!.startOffset).includes('\n')
  }

  private indentOf(token: Token): number {
    return /^[ \t]*/.exec(this.text.slice(this.lineOf(token.startOffset), Math.min(token.startOffset, this.lineOf(token.startOffset) + MAX_INDENT)))![0].length
  }
}
