// ParserBase: what every rule of the parser leans on.
// Owns: spans, reports, mending of the token list, the bounds on depth. Does not own: any rule of the grammar.
//   P1. A rule calls `need`/`needName` before it consumes, so that consuming never fails: a wrong token is replaced when its meaning is
//       plain, else the missing one is put in. Chevrotain's own recovery is off; it guesses where this knows (brackets are balanced first).
//   P2. One report a line: what follows a mistake on its own line is most often its echo.
//   P3. `level` bounds the parser's recursion, `height` the tree's depth (long chains are read in a loop); either throws `TooDeep`.
import { syntaxErrors } from '#diagnostics/catalog/syntax.ts'
import type { Diagnostic, Fix } from '#diagnostics/diagnostic.ts'
import { invariant } from '#base/invariant.ts'
import { didYouMean } from '#base/did-you-mean.ts'
import { EOF } from 'chevrotain'
import type { TokenType } from 'chevrotain'
import type { ErrorExpr, Name, Span } from './ast.ts'
import { KEYWORDS } from './keywords.ts'
import { ParserEngine } from './parser-engine.ts'
import { placeAt, replaceFix } from './problem.ts'
import { Identifier, InsertedToken, Literal, Name as NameToken, sign, TemplateHead, TemplateTail, Text, Token, Word } from './tokens.ts'

/** How many brackets, `if`s and lambdas may stand within each other. The 1 MB stack of a cold process was measured to hold 1.6 times as many. */
export const MAX_NESTING = 256
/** How many levels a tree may have, long chains such as `a + b + c` included. */
export const MAX_HEIGHT = 500
const MAX_PROBLEMS = 200
/** Far more than `MAX_PROBLEMS` mistakes can need; only a rule that mends without reading on would meet it. */
const MAX_INSERTIONS = 100_000
/** How many tokens may be put in before one that is there; then that one is skipped. */
const MAX_STALLS = 8

/** Thrown out of the parser when a bound is met; `parsePiece` reads the piece again up to `token`. */
export class TooDeep extends Error {
  readonly token: Token
  /** How the text is deep: brackets within brackets, or a long chain of operators. */
  readonly what: 'nested' | 'chained'

  constructor(token: Token, what: 'nested' | 'chained') {
    super('too deep')
    this.token = token
    this.what = what
  }
}

const [COMMA, EQUALS] = [sign(','), sign('=')]
const OPENERS = new Set([sign('('), sign('['), sign('{'), TemplateHead])
const CLOSERS = new Set([sign(')'), sign(']'), sign('}'), TemplateTail])

/** Tokens that are easily written for another, with what they are used for. */
const MISTAKEN: readonly { readonly meant: TokenType; readonly written: readonly TokenType[]; readonly use: string }[] = [
  { meant: sign('='), written: [sign('=='), sign(':'), sign('=>')], use: 'Giving a value' },
  { meant: sign(':'), written: [sign('=')], use: 'Naming a value or its type' },
  { meant: sign('->'), written: [sign('=>'), sign(':')], use: 'The type of a result' },
  { meant: sign('=>'), written: [sign('->'), sign('=')], use: 'What follows a pattern' },
]

/** Reserved words that most likely stand where they should, after a name that was forgotten; unless one of these follows. */
const OPERATOR_WORDS = new Set(['in', 'and', 'or', 'not', 'then', 'else'])
const NAME_FOLLOWERS = new Set(['=', ':', ',', ')', '('])
/** What may follow `in`, as far as no other word can be followed by it. */
const IN_FOLLOWERS = [Word, Literal, sign('[')]

export abstract class ParserBase extends ParserEngine {
  problems: Diagnostic[] = []
  protected source = ''
  private bounded = true
  protected level = 0
  protected height = 0
  /** Prefixes read so far whose nodes are still to be made. */
  protected prefixes = 0
  private docs: ReadonlyMap<number, string> = new Map()
  private quiet: readonly Span[] = []
  private lastReport = -1
  private insertions = 0
  private stalledAt: Token | null = null
  private stalls = 0
  /** The token before which a comma was put in last; not twice before the same one. */
  private commaBefore: Token | null = null

  /** Makes the parser ready for one piece; `bounded` is false for tokens that were cut where a bound was met. */
  load(source: string, tokens: Token[], docs: ReadonlyMap<number, string>, quiet: readonly Span[], bounded = true): void {
    this.bounded = bounded
    this.source = source
    this.problems = []
    this.level = 0
    this.height = 0
    this.prefixes = 0
    this.docs = docs
    this.quiet = quiet
    this.lastReport = -1
    this.insertions = 0
    this.stalledAt = null
    this.restart(tokens)
  }

  // ── Looking ─────────────────────────────────────────────────────────────────────────────────

  protected peek(ahead = 1): Token {
    return this.LA(ahead) as Token
  }

  protected nextIs(type: TokenType, ahead = 1): boolean {
    const index = this.tokVector[this.currIdx + ahead]!.tokenTypeIdx
    return index === type.tokenTypeIdx || type.categoryMatchesMap?.[index] === true
  }

  /** As `nextIs`, for the types of a table. */
  protected nextIsOf(types: Uint8Array, ahead = 1): boolean {
    return types[this.tokVector[this.currIdx + ahead]!.tokenTypeIdx] === 1
  }

  protected get atEnd(): boolean {
    return this.tokVector[this.currIdx + 1]!.tokenTypeIdx === EOF.tokenTypeIdx
  }

  /** Where the next token begins; at the end of the piece, where the last one ended. */
  protected get start(): number {
    return this.atEnd ? this.end : this.tokVector[this.currIdx + 1]!.startOffset
  }

  /** Where the last token ended. */
  protected get end(): number {
    return this.currIdx < 0 ? 0 : this.tokVector[this.currIdx]!.endOffset || 0
  }

  protected docAt(offset: number): string {
    return this.docs.size === 0 ? '' : this.docs.get(offset) ?? ''
  }

  /** True when the next token stands on a later line than the one before it. */
  protected firstOnLine(ahead = 1): boolean {
    const next = this.LA(ahead)
    let behind = ahead - 1
    while (this.LA(behind) instanceof InsertedToken) behind--
    const before = this.LA(behind)
    if (Number.isNaN(next.startOffset) || !before.endOffset) return true
    return this.source.slice(before.endOffset, next.startOffset).includes('\n')
  }

  // ── Nodes ───────────────────────────────────────────────────────────────────────────────────

  protected nameOf(token: { image: string; startOffset: number; endOffset?: number }): Name {
    return { kind: 'name', text: token.image, start: token.startOffset, end: token.endOffset ?? token.startOffset }
  }

  protected errorExpr(): ErrorExpr {
    return { kind: 'error-expr', start: this.end, end: this.end }
  }

  // ── Bounds ──────────────────────────────────────────────────────────────────────────────────

  /** Counts one more bracket, `if` or lambda that is open. */
  protected enter(): void {
    if (++this.level > MAX_NESTING && this.bounded && !this.RECORDING_PHASE) throw new TooDeep(this.peek(), 'nested')
  }

  protected leave(): void {
    this.level--
  }

  /** Sets the height of a node just made whose parts are at most `tallest` and the last height high. */
  protected grow(tallest: number): void {
    this.height = Math.max(tallest, this.height) + 1
    if (this.height > MAX_HEIGHT && this.bounded && !this.RECORDING_PHASE) throw new TooDeep(this.peek(0), 'chained')
  }

  /** Counts a prefix that is about to be read: its node is made after all that follows it, so `grow` alone would see it too late. */
  protected prefix(): void {
    if (++this.prefixes > MAX_HEIGHT && this.bounded && !this.RECORDING_PHASE) throw new TooDeep(this.peek(), 'chained')
  }

  // ── Reports ─────────────────────────────────────────────────────────────────────────────────

  /** Where a complaint about the next token points: at it, or at the one before when it stands on a later line. */
  protected blame(): Span {
    const next = this.peek()
    const before = this.peek(0)
    if (this.atEnd || (this.firstOnLine() && before.endOffset > 0)) return { start: before.startOffset || 0, end: this.end || 1 }
    return { start: next.startOffset, end: next.endOffset }
  }

  /** What the next token is, in words. */
  protected found(): string {
    if (this.atEnd) return 'the end of the declaration'
    const { image, tokenType } = this.peek()
    if (tokenType === Text || tokenType === TemplateHead) return 'a string'
    return this.firstOnLine() && this.peek(0).endOffset > 0 ? 'a new line' : `\`${image}\``
  }

  /** `after \`x\``, for a message. */
  protected place(): string {
    const { image, tokenType } = this.peek(0)
    if (!image) return 'here'
    return tokenType === Text || tokenType === TemplateTail ? 'after the string' : `after \`${image}\``
  }

  /** Reports unless it would be an echo (P2). Returns whether it was said. */
  protected complain(at: Span, make: (at: ReturnType<typeof placeAt>) => Diagnostic): boolean {
    if (this.RECORDING_PHASE || this.problems.length >= MAX_PROBLEMS) return false
    if (this.quiet.some(zone => at.start >= zone.start && at.start < zone.end)) return false
    if (this.peek() instanceof InsertedToken || (this.peek(0) instanceof InsertedToken && at.start <= this.end)) return false
    if (this.lastReport >= 0 && !this.source.slice(this.lastReport, at.start).includes('\n')) return false
    this.lastReport = Math.max(at.end, this.lastReport)
    this.problems.push(make(placeAt(at.start, at.end)))
    return true
  }

  /** Reports whatever else was said on the line; for mistakes that were mended exactly. */
  protected correct(diagnostic: Diagnostic): void {
    if (this.problems.length < MAX_PROBLEMS) this.problems.push(diagnostic)
  }

  // ── Mending ─────────────────────────────────────────────────────────────────────────────────

  private get tokens(): Token[] {
    return this.input as Token[]
  }

  private get index(): number {
    return this.currIdx + 1
  }

  protected replaceNext(type: TokenType, image: string): void {
    const { startOffset, endOffset } = this.peek()
    this.tokens[this.index] = new Token(type, image, startOffset, endOffset)
  }

  protected insertNext(type: TokenType): void {
    invariant(++this.insertions < MAX_INSERTIONS, 'the parser mends without end')
    const next = this.peek()
    this.stalls = next === this.stalledAt ? this.stalls + 1 : 0
    this.stalledAt = next
    if (this.stalls > MAX_STALLS && !this.atEnd && !CLOSERS.has(next.tokenType)) this.skipNext()
    this.tokens.splice(this.index, 0, new InsertedToken(type, '', this.start, this.start))
    this.tokVectorLength++
  }

  protected skipNext(): void {
    this.SKIP_TOKEN()
  }

  /** Makes sure that the next token is `type` (P1). */
  protected need(type: TokenType, fixes: readonly Fix[] = []): void {
    if (this.RECORDING_PHASE || this.nextIs(type)) return
    const mistaken = MISTAKEN.find(each => each.meant === type)
    const next = this.peek()
    if (mistaken?.written.includes(next.tokenType) === true) {
      const ours = type.LABEL!
      const at = placeAt(next.startOffset, next.endOffset)
      const fix = replaceFix(`Write \`${ours}\``, at.start, at.end, ours)
      this.complain(at, place => syntaxErrors['equals-sign']({ written: next.image, ours, use: mistaken.use }, { at: place, fixes: [fix] }))
      this.replaceNext(type, ours)
      return
    }
    const expected = /^[a-z]/.test(type.LABEL!) && type.LABEL!.includes(' ') ? type.LABEL! : `\`${type.LABEL}\``
    this.complain(this.blame(), at => syntaxErrors['expected-token']({ expected, place: this.place(), found: this.found() }, { at, fixes }))
    const isValue = type === Literal && next.tokenType === EQUALS // what follows is the task's
    if (!this.atEnd && !isValue && !this.firstOnLine() && !this.firstOnLine(2) && this.nextIs(type, 2) && !OPENERS.has(next.tokenType) && !CLOSERS.has(next.tokenType)) this.skipNext()
    else this.insertNext(type)
  }

  /** Makes sure that the next token is a name (P1); a reserved word on the same line is taken for one. */
  protected needName(place = this.place()): void {
    if (this.RECORDING_PHASE || this.nextIs(NameToken)) return
    const next = this.peek()
    if (!this.atEnd && this.nextIs(Word) && !this.firstOnLine() && !(OPERATOR_WORDS.has(next.image) && !NAME_FOLLOWERS.has(this.peek(2).image))) {
      this.complain({ start: next.startOffset, end: next.endOffset }, at => syntaxErrors['reserved-name']({ word: next.image }, { at }))
      return this.replaceNext(Identifier, next.image)
    }
    this.complain(this.blame(), at => syntaxErrors['expected-name']({ place, found: this.found() }, { at }))
    if (next.tokenType === Text && !this.firstOnLine()) this.replaceNext(Identifier, '')
    else this.insertNext(Identifier)
  }

  /** Makes sure that `in` comes next; another word that stands there before an expression (`on`, `of`) is taken for it. */
  protected needIn(): void {
    if (this.RECORDING_PHASE || this.nextIs(sign('in'))) return
    const { image, startOffset, endOffset } = this.peek()
    const isMeant = this.nextIs(Word) && !this.firstOnLine() && !this.firstOnLine(2) && IN_FOLLOWERS.some(type => this.nextIs(type, 2)) && !this.nextIs(sign('failure'), 2)
    if (!isMeant) return this.need(sign('in'))
    const fix = replaceFix('Write `in`', startOffset, endOffset, 'in')
    this.complain({ start: startOffset, end: endOffset }, at => syntaxErrors['expected-token']({ expected: '`in`', place: this.place(), found: `\`${image}\`` }, { at, fixes: [fix] }))
    this.replaceNext(sign('in'), 'in')
  }

  /** Makes sure that the next token is a word: what follows a dot. */
  protected needWord(): void {
    if (this.RECORDING_PHASE || (this.nextIs(Word) && !(this.firstOnLine() && KEYWORDS.has(this.peek().image)))) return
    this.complain(this.blame(), at => syntaxErrors['expected-name']({ place: this.place(), found: this.found() }, { at }))
    this.insertNext(Identifier)
  }

  /** Makes sure that the next token is a string without `${}`. */
  protected needText(): void {
    if (this.RECORDING_PHASE || this.nextIs(Text)) return
    if (!this.nextIs(TemplateHead)) return this.need(Text)
    const { start, end } = this.blame()
    this.complain({ start, end }, at => syntaxErrors.unexpected({ found: 'A string with `${}`', place: 'here' }, { at, help: ['Write the text out.'] }))
    this.skipGroup()
    this.insertNext(Text)
  }

  /** Mends the token after the next one. */
  protected aheadOne(mend: () => void): void {
    this.currIdx++
    mend()
    this.currIdx--
  }

  /** Skips one token, or a whole bracket with what is in it. */
  protected skipGroup(): void {
    let depth = 0
    do {
      const { tokenType } = this.peek()
      if (OPENERS.has(tokenType)) depth++
      else if (CLOSERS.has(tokenType)) depth--
      this.skipNext()
    } while (depth > 0 && !this.atEnd)
  }

  /** Skips until a token satisfies `stop`, never past the bracket it is in. */
  protected skipUntil(stop: () => boolean): void {
    while (!this.atEnd && !stop() && !CLOSERS.has(this.peek().tokenType)) this.skipGroup()
  }

  /** Before a closing bracket: whatever cannot belong inside is reported once and skipped. */
  protected needCloser(closer: TokenType): void {
    if (this.RECORDING_PHASE || this.nextIs(closer)) return
    if (this.mistakenEquals() && this.nextIs(closer)) return
    if (!this.atEnd) this.complain(this.blame(), at => syntaxErrors['expected-token']({ expected: `\`${closer.LABEL}\``, place: this.place(), found: this.found() }, { at }))
    this.skipUntil(() => this.nextIs(closer))
    if (!this.nextIs(closer)) this.insertNext(closer)
  }

  /** Between two elements in brackets: puts in a forgotten comma, or reports and skips what is no element. */
  protected needComma(closer: TokenType, starts: () => boolean): void {
    if (this.RECORDING_PHASE || this.nextIs(COMMA) || this.nextIs(closer)) return
    const stuck = this.peek() === this.commaBefore
    if (stuck || this.nextIs(EQUALS) || !starts()) {
      if (!this.mistakenEquals() && !this.atEnd) {
        this.complain(this.blame(), at => syntaxErrors['expected-token']({ expected: `\`,\` or \`${closer.LABEL}\``, place: this.place(), found: this.found() }, { at }))
      }
      this.skipUntil(() => this.nextIs(COMMA) || this.nextIs(closer))
      return
    }
    const end = this.end
    const fixes = [replaceFix('Add a comma', end, end, ',')]
    this.complain(this.blame(), at => syntaxErrors['missing-comma']({}, { at, fixes }))
    this.commaBefore = this.peek()
    this.insertNext(COMMA)
  }

  /** After an expression that `=` follows where nothing is given a value: reads on as if it were `==`. */
  protected mistakenEquals(): boolean {
    if (!this.nextIs(EQUALS)) return false
    const { startOffset: start, endOffset: end } = this.peek()
    const fixes = [replaceFix('Write `==`', start, end, '==')]
    this.complain({ start, end }, at => syntaxErrors['equals-sign']({ written: '=', ours: '==', use: 'Comparing' }, { at, fixes }))
    this.skipNext()
    this.skipUntil(() => this.nextIs(sign('then')) || this.nextIs(sign('else')) || this.nextIs(COMMA) || this.firstOnLine())
    return true
  }

  /**
   * Between two members of a body: makes sure that the next token begins a member or closes the body. A misspelled word is taken for
   * the one it resembles; anything else is skipped.
   */
  protected needMember(starts: ReadonlySet<string>, place: string): void {
    if (this.RECORDING_PHASE || this.atEnd || this.nextIs(sign('}')) || this.startsMember(starts)) return
    const { image, tokenType, startOffset, endOffset } = this.peek()
    const span = { start: startOffset, end: endOffset }
    const near = tokenType === Identifier ? didYouMean(image, starts) : []
    const help = near.length > 0 ? [`Did you mean ${near.map(each => `\`${each}\``).join(' or ')}?`]
      : place === 'an agent' && image === 'leads' ? ['It stands before the body: `agent NAME leads OTHER { … }`.']
      : place === 'an agent' && image === 'ensure' ? ['It stands in the task that asks the agent: `task answer by NAME -> TYPE ensure … = prompt "…"`.']
      : [`It may hold ${[...starts].map(each => `\`${each}\``).join(', ')}.`]
    const fixes = near.length === 1 ? [replaceFix(`Write \`${near[0]}\``, startOffset, endOffset, near[0]!)] : []
    if (this.nextIs(Word)) this.complain(span, at => syntaxErrors['unknown-clause']({ word: image, place }, { at, help, fixes }))
    else this.complain(span, at => syntaxErrors.unexpected({ found: capital(this.found()), place: `in ${place}` }, { at, help }))
    if (near.length > 0 && this.firstOnLine()) return this.replaceNext(sign(near[0]!), near[0]!)
    this.skipGroup()
    this.skipUntil(() => this.firstOnLine() && this.startsMember(starts))
  }

  private startsMember(starts: ReadonlySet<string>): boolean {
    return starts.has(this.peek().image) && KEYWORDS.has(this.peek().image)
  }

  /** Reports the second of two clauses of which one is enough. */
  protected once(seen: Map<string, Span>, clause: string, at: Span, place: string): void {
    if (this.RECORDING_PHASE) return
    const before = seen.get(clause)
    if (before === undefined) seen.set(clause, at)
    else {
      const related = [{ at: placeAt(before.start, before.end), message: 'the first one' }]
      this.correct(syntaxErrors['duplicate-clause']({ clause, place }, { at: placeAt(at.start, at.end), related }))
    }
  }

  /** True when something was reported at or after `start`. */
  protected brokenSince(start: number): boolean {
    return this.problems.some(each => each.at !== undefined && each.at.end >= start)
  }
}

/** A phrase as the beginning of a sentence. */
export function capital(phrase: string): string {
  return phrase[0]!.toUpperCase() + phrase.slice(1)
}
