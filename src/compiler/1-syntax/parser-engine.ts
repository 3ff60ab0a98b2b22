// ParserEngine: how the recorded grammar is run over tokens.
// Owns: consuming, choosing, repeating and calling rules while a text is read. Does not own: recording and checking the grammar (Chevrotain),
//   what may come next (lookahead.ts), any rule.
//   E1. Chevrotain records the rules, checks them, holds the tokens and starts the reading; what runs per token is here. Its own machinery
//       keeps stacks for its recovery, its trees and its error texts, none of which is used; each level and token would pay for them.
//   E2. A mistake that was not mended is thrown as Chevrotain's own exception and ends the reading (parser-base.ts P1).
//   E3. While the grammar is recorded Chevrotain puts its recorders before these methods.
import { EmbeddedActionsParser, EOF, NoViableAltException } from 'chevrotain'
import type { IOrAlt, IToken, OrMethodOpts, ParserMethod, SubruleMethodOpts, TokenType } from 'chevrotain'
import { ASK_SECOND, Lookahead } from './lookahead.ts'
import type { Choice, Occurrence } from './lookahead.ts'
import { Token, TOKEN_TYPES } from './tokens.ts'

/** A rule as Chevrotain keeps it, and where its tables begin in `choices`. */
interface EngineRule<Result = unknown> {
  readonly originalGrammarAction: (...args: never[]) => Result
  base: number
}

type Ways<T> = readonly IOrAlt<T>[]

/** Tables of one rule, and how many of them are for one kind of production. */
const [TABLES, OCCURRENCES] = [16, 4]
const KINDS: readonly Occurrence['kind'][] = ['OR', 'MANY', 'OPTION']
const [MANY, OPTION] = [OCCURRENCES, 2 * OCCURRENCES]
/** Stands after the last token, as far as any rule looks ahead. */
const END = new Token(EOF, '', NaN, NaN)
const MAX_LOOKAHEAD = 2

export abstract class ParserEngine extends EmbeddedActionsParser {
  // Chevrotain's own fields.
  declare protected tokVector: Token[]
  declare protected tokVectorLength: number
  declare protected currIdx: number
  abstract readonly file: ParserMethod<[], unknown>
  /** Where the tables of the rule being read begin in `choices`. */
  private base = 0
  private readonly ruleNames: string[] = []
  private readonly choices: (Choice | undefined)[] = []
  private lookahead: Lookahead | undefined

  protected constructor(validate: boolean) {
    const unused = (): never => {
      throw new Error('the engine has its own lookahead')
    }
    const lookaheadStrategy = { validate: () => [], buildLookaheadForAlternation: () => unused, buildLookaheadForOptional: () => unused }
    super(TOKEN_TYPES, { maxLookahead: MAX_LOOKAHEAD, skipValidations: !validate, ...(validate ? {} : { lookaheadStrategy }) })
    this.tokVector = [END, END, END]
  }

  /** Makes ready for tokens. */
  protected restart(tokens: Token[]): void {
    this.input = tokens
    this.base = (this.file as unknown as EngineRule).base
  }

  protected override RULE<F extends (...args: never[]) => unknown>(name: string, implementation: F): ParserMethod<Parameters<F>, ReturnType<F>> {
    const rule = super.RULE(name, implementation)
    ;(rule as unknown as EngineRule).base = this.ruleNames.length * TABLES
    this.ruleNames.push(name)
    return rule as ParserMethod<Parameters<F>, ReturnType<F>>
  }

  private choiceAt(place: number): Choice {
    const within = place % TABLES
    const occurrence = { kind: KINDS[Math.floor(within / OCCURRENCES)]!, number: within % OCCURRENCES }
    this.lookahead ??= new Lookahead(this.getGAstProductions())
    return this.choices[place] = this.lookahead.choice(this.ruleNames[Math.floor(place / TABLES)]!, occurrence)
  }

  /** Which way to go at a place: 0 for none. */
  private way(place: number): number {
    const choice = this.choices[place] ?? this.choiceAt(place)
    const type = this.tokVector[this.currIdx + 1]!.tokenTypeIdx
    const way = choice.first[type]!
    return way === ASK_SECOND ? choice.second.get(type)![this.tokVector[this.currIdx + 2]!.tokenTypeIdx]! : way
  }

  protected override SUBRULE<Args extends unknown[], Result>(rule: ParserMethod<Args, Result>, options?: SubruleMethodOpts<Args>): Result {
    const { base } = this
    const { originalGrammarAction: read, base: inner } = rule as unknown as EngineRule<Result>
    this.base = inner
    const result = options === undefined ? read() : read(...options.ARGS as unknown as never[])
    this.base = base
    return result
  }

  protected override CONSUME(type: TokenType): IToken {
    const token = this.tokVector[this.currIdx + 1]!
    const index = token.tokenTypeIdx
    if (index !== type.tokenTypeIdx && type.categoryMatchesMap![index] !== true) return super.CONSUME(type)
    this.currIdx++
    return token
  }

  private noWay(): Error {
    const error = new NoViableAltException('none of the alternatives', this.LA(1), this.LA(0))
    this.errors = [...this.errors, error]
    return error
  }

  private repeat(action: () => unknown, place: number): void {
    while (this.way(place) !== 0) {
      const before = this.currIdx
      action()
      if (this.currIdx <= before) return
    }
  }

  protected override OR<Result>(ways: Ways<Result> | OrMethodOpts<Result>): Result {
    const way = this.way(this.base)
    if (way === 0) throw this.noWay() // E2
    return (ways as Ways<Result>)[way - 1]!.ALT()
  }

  protected override OR2<Result>(ways: Ways<Result> | OrMethodOpts<Result>): Result {
    const way = this.way(this.base + 2)
    if (way === 0) throw this.noWay() // E2
    return (ways as Ways<Result>)[way - 1]!.ALT()
  }

  protected override MANY(action: () => unknown): void { this.repeat(action, this.base + MANY) }
  protected override MANY2(action: () => unknown): void { this.repeat(action, this.base + MANY + 2) }
  protected override OPTION<Result>(action: () => Result): Result | undefined { return this.way(this.base + OPTION) === 0 ? undefined : action() }
  protected override OPTION2<Result>(action: () => Result): Result | undefined { return this.way(this.base + OPTION + 2) === 0 ? undefined : action() }

  static {
    const { prototype } = this
    prototype.SUBRULE2 = prototype.SUBRULE3 = prototype.SUBRULE4 = prototype.SUBRULE
    prototype.CONSUME2 = prototype.CONSUME
  }
}
