// ParserExpressions: the rules of expressions, from `expr` down to strings and numbers.
// Owns: precedence. Does not own: types, clauses, declarations.
//   X1. From `expr` to `primary` the grammar is a tower of a dozen rules. They are recorded from the same tables and methods that read
//       them, but read with a call for each level that is there: asking every rule in turn costs more time and stack than all else.
import { syntaxErrors } from '#diagnostics/catalog/syntax.ts'
import type { ParserMethod, TokenType } from 'chevrotain'
import type {
  Arg, BinaryOp, ComprehensionExpr, Expr, LambdaExpr, LiteralExpr, MatchArm, MatchExpr, Pattern, RecordEntry, RecordExpr,
} from './ast.ts'
import { tableOf } from './lookahead.ts'
import { ParserLiterals, unitOf } from './parser-literals.ts'
import { replaceFix } from './problem.ts'
import { Identifier, Literal, Name as NameToken, sign, TemplateHead, Text, Token, Underscore, Word } from './tokens.ts'

const [LPAREN, RPAREN, LBRACKET, RBRACKET, LBRACE, RBRACE] = [sign('('), sign(')'), sign('['), sign(']'), sign('{'), sign('}')]
const [COMMA, COLON, EQUALS, MINUS, DOT, FAT_ARROW, BAR] = [sign(','), sign(':'), sign('='), sign('-'), sign('.'), sign('=>'), sign('|')]
const [PIPE, SPREAD, IF, NOT, IN, MATCH] = [sign('|>'), sign('...'), sign('if'), sign('not'), sign('in'), sign('match')]
const [TRUE, FALSE, NULL] = [sign('true'), sign('false'), sign('null')]

/** The levels of operators, loosest first (X1). */
const LEVELS = { or: 1, and: 2, not: 3, compare: 4, coalesce: 5, sum: 6, product: 7, unary: 8, postfix: 9 } as const
/** The binary operators of each level; `not` begins `not in`. */
const OPERATORS: readonly (readonly TokenType[])[] = [
  [], [sign('or')], [sign('and')], [], [sign('=='), sign('!='), sign('<'), sign('<='), sign('>'), sign('>='), IN, NOT],
  [sign('??')], [sign('+'), MINUS], [sign('*'), sign('/')],
]
/** The level of the operator a token is, by its type; 0 for none. */
const LEVEL_OF = tableOf([])
OPERATORS.forEach((types, level) => types.forEach(type => { LEVEL_OF[type.tokenTypeIdx!] = level }))
/** What may follow an operand directly. */
const SUFFIXES: readonly TokenType[] = [DOT, sign('?.'), LBRACKET, LPAREN]
const SUFFIX = tableOf(SUFFIXES)
/** What an operand may begin with; a string's two beginnings are one rule. */
const PRIMARIES: readonly TokenType[] = [NameToken, Literal, Text, TRUE, FALSE, NULL, LBRACE, LBRACKET, LPAREN, MATCH]
const [NAMES, LITERALS] = [tableOf([NameToken]), tableOf([Literal])]
/** What holds expressions within it. */
const NESTS = tableOf([LPAREN, LBRACKET, LBRACE, MATCH, TemplateHead])

const STARTS_EXPRESSION = [
  NameToken, Literal, Text, TemplateHead, LPAREN, LBRACKET, LBRACE, MINUS, IF, NOT, MATCH, TRUE, FALSE, NULL,
]

/** Words that begin a member of a workflow or test where an expression follows them on their line. */
const NEXT_MEMBERS = tableOf([sign('return'), sign('let'), sign('expect')])
const ALONE = tableOf([NameToken, Literal, Text])
const CONTINUES = tableOf([...SUFFIXES, ...OPERATORS.flat(), FAT_ARROW, EQUALS, PIPE, sign('?')])
const STARTS = tableOf(STARTS_EXPRESSION)
const STARTS_PATTERN = tableOf([Text, Literal, MINUS, TRUE, FALSE, NULL, Underscore])

export abstract class ParserExpressions extends ParserLiterals {
  override readonly expr: ParserMethod<[], Expr> = this.RULE('expr', (): Expr => {
    if (this.RECORDING_PHASE) return this.OR([this.lambda, this.ifExpr, this.pipe].map(rule => ({ ALT: (): Expr => this.SUBRULE(rule) })))
    if (this.standsAlone()) return this.operandItself()
    const lambda = this.nextIs(FAT_ARROW, 2) && this.nextIs(NameToken)
    if (!lambda && !this.nextIs(IF)) return this.pipes()
    this.enter()
    const result: Expr = lambda ? this.SUBRULE(this.lambda) : this.SUBRULE(this.ifExpr)
    this.leave()
    return result
  })

  /** True for a name, number or string that no operator follows: the many levels of precedence need not be asked. */
  private standsAlone(): boolean {
    return this.nextIsOf(ALONE) && !this.nextIsOf(CONTINUES, 2)
  }

  /** `expr`, or a report and an ErrorExpr where none begins. */
  protected startsExpression(): boolean {
    return this.RECORDING_PHASE || this.nextIsOf(STARTS)
  }

  readonly lambda: ParserMethod<[], LambdaExpr> = this.RULE('lambda', (): LambdaExpr => {
    const param = this.nameOf(this.CONSUME(NameToken))
    this.CONSUME(FAT_ARROW)
    this.needExpression()
    const body = this.SUBRULE(this.expr)
    this.grow(0)
    return { kind: 'lambda', param, body, start: param.start, end: this.end }
  })

  readonly ifExpr: ParserMethod<[], Expr> = this.RULE('ifExpr', (): Expr => {
    const start = this.start
    this.CONSUME(sign('if'))
    this.needExpression()
    const condition = this.SUBRULE(this.expr)
    let tallest = this.height
    this.needBranch('then')
    this.CONSUME(sign('then'))
    this.needExpression()
    const then = this.SUBRULE2(this.expr)
    tallest = Math.max(tallest, this.height)
    this.needBranch('else')
    this.CONSUME(sign('else'))
    this.needExpression()
    const otherwise = this.SUBRULE3(this.expr)
    this.grow(tallest)
    return { kind: 'if', condition, then, else: otherwise, start, end: this.end }
  })

  private needBranch(word: 'then' | 'else'): void {
    if (this.RECORDING_PHASE || this.nextIs(sign(word))) return
    if (this.mistakenEquals()) return this.needBranch(word)
    const help = /^(elif|elsif|elseif)$/.test(this.peek().image) ? ['Write `else if`.'] : []
    const said = this.complain(this.blame(), at => syntaxErrors['if-without-else']({ missing: word }, { at, help }))
    if (said && help.length > 0) {
      this.replaceNext(sign('if'), 'if')
      this.insertNext(sign('else'))
    } else this.insertNext(sign(word))
  }

  /** `task a =` and on the next line `return a`: what was not written yet must not swallow what follows. */
  private beginsNextMember(): boolean {
    return this.nextIsOf(NEXT_MEMBERS) && !this.RECORDING_PHASE && this.firstOnLine() && this.nextIsOf(STARTS, 2) && !this.firstOnLine(2)
  }

  protected override needExpression(): void {
    if (this.startsExpression() && !this.beginsNextMember()) return
    const at = this.blame()
    const help = this.nextIs(DOT) && this.peek(2).tokenType.name === 'Int' ? ['Write a zero before the point: `0.5`.'] : []
    const reserved = !this.atEnd && this.nextIs(Word) && !this.firstOnLine() && !this.nextIs(sign('then')) && !this.nextIs(sign('else')) && !this.nextIs(sign('in'))
      && !this.nextIs(sign('and')) && !this.nextIs(sign('or'))
    if (reserved) return this.needName()
    this.complain(at, place => syntaxErrors['expected-expression']({ place: this.place(), found: this.found() }, { at: place, help }))
    this.insertNext(Identifier)
  }

  readonly pipe: ParserMethod<[], Expr> = this.RULE('pipe', (): Expr => {
    if (!this.RECORDING_PHASE) return this.pipes()
    const left = this.SUBRULE(this.orExpr)
    this.MANY(() => this.step(left))
    return left
  })

  private pipes(): Expr {
    let left = this.operators(LEVELS.or)
    while (this.nextIs(PIPE)) left = this.step(left)
    return left
  }

  private step(left: Expr): Expr {
    this.CONSUME(PIPE)
    const tall = this.height
    const target = this.SUBRULE(this.path)
    this.enter()
    const args = this.RECORDING_PHASE ? this.OPTION(() => this.SUBRULE(this.args)) ?? null : this.nextIs(LPAREN) ? this.SUBRULE(this.args) : null
    this.leave()
    this.grow(tall)
    return { kind: 'pipe', left, target, args, start: left.start, end: this.end }
  }

  readonly orExpr: ParserMethod<[], Expr> = this.RULE('orExpr', (): Expr => this.levelRule(LEVELS.or, this.andExpr))
  readonly andExpr: ParserMethod<[], Expr> = this.RULE('andExpr', (): Expr => this.levelRule(LEVELS.and, this.notExpr))
  readonly notExpr: ParserMethod<[], Expr> = this.RULE('notExpr', (): Expr => {
    if (!this.RECORDING_PHASE) return this.operators(LEVELS.not)
    this.MANY(() => this.CONSUME(NOT))
    return this.SUBRULE(this.cmp)
  })

  readonly cmp: ParserMethod<[], Expr> = this.RULE('cmp', (): Expr => this.levelRule(LEVELS.compare, this.coal))
  readonly coal: ParserMethod<[], Expr> = this.RULE('coal', (): Expr => this.levelRule(LEVELS.coalesce, this.add))
  readonly add: ParserMethod<[], Expr> = this.RULE('add', (): Expr => this.levelRule(LEVELS.sum, this.mul))
  readonly mul: ParserMethod<[], Expr> = this.RULE('mul', (): Expr => this.levelRule(LEVELS.product, this.unary))
  readonly unary: ParserMethod<[], Expr> = this.RULE('unary', (): Expr => {
    if (!this.RECORDING_PHASE) return this.operators(LEVELS.unary)
    this.MANY(() => this.CONSUME(MINUS))
    return this.SUBRULE(this.postfix)
  })

  /** The rule of one level, recorded; read, all levels from there on (X1). */
  private levelRule(level: number, tighter: ParserMethod<[], Expr>): Expr {
    if (!this.RECORDING_PHASE) return this.operators(level)
    const left = this.SUBRULE(tighter)
    this.MANY(() => {
      this.OR(OPERATORS[level]!.map(type => ({ ALT: () => this.operator(type) })))
      this.SUBRULE2(tighter)
    })
    return left
  }

  private operator(type: TokenType): BinaryOp {
    this.CONSUME(type)
    if (type !== NOT) return type.LABEL as BinaryOp
    this.need(IN)
    this.CONSUME2(IN)
    return 'not in'
  }

  /** Operands and the operators between them, none looser than `loosest`; all are left-associative (P3). */
  private operators(loosest: number): Expr {
    let left = this.operand(loosest)
    let comparisons = 0
    for (;;) {
      const { tokenType, tokenTypeIdx } = this.tokVector[this.currIdx + 1]!
      const level = LEVEL_OF[tokenTypeIdx]!
      if (level < loosest) return left
      if (level === LEVELS.compare && ++comparisons === 2) this.chained()
      const tall = this.height
      const op = this.operator(tokenType)
      const right = this.operators(level + 1)
      this.grow(tall)
      left = { kind: 'binary', op, left, right, start: left.start, end: this.end }
    }
  }

  private operand(loosest: number): Expr {
    if (loosest <= LEVELS.not && this.nextIs(NOT)) return this.prefixed('not', NOT, LEVELS.compare)
    if (this.nextIs(MINUS)) return this.prefixed('-', MINUS, LEVELS.postfix)
    return this.suffixes()
  }

  private prefixed(op: '-' | 'not', type: TokenType, inner: number): Expr {
    const starts: number[] = []
    while (this.nextIs(type)) {
      this.prefix()
      starts.push(this.start)
      this.CONSUME(type)
    }
    let value = this.operators(inner)
    for (let index = starts.length - 1; index >= 0; index--) {
      value = { kind: 'unary', op, value, start: starts[index]!, end: this.end }
      this.grow(0)
    }
    this.prefixes -= starts.length
    return value
  }

  private chained(): void {
    const { startOffset: start, endOffset: end } = this.peek()
    this.complain({ start, end }, at => syntaxErrors['chained-comparison']({}, { at }))
  }

  readonly postfix: ParserMethod<[], Expr> = this.RULE('postfix', (): Expr => {
    if (!this.RECORDING_PHASE) return this.suffixes()
    const object = this.SUBRULE(this.primary)
    this.MANY(() => this.OR(SUFFIXES.map(type => ({ ALT: () => this.suffix(object, type) }))))
    return object
  })

  private suffixes(): Expr {
    let object = this.operandItself()
    for (let next = this.peek(); SUFFIX[next.tokenTypeIdx] === 1; next = this.peek()) {
      this.enter()
      object = this.suffix(object, next.tokenType)
      this.leave()
    }
    this.refuseTernary()
    return object
  }

  private suffix(object: Expr, type: TokenType): Expr {
    const tall = this.height
    if (type === LPAREN) {
      const args = this.SUBRULE(this.args)
      this.grow(tall)
      return { kind: 'call', callee: object, args, start: object.start, end: this.end }
    }
    this.CONSUME(type)
    if (type === LBRACKET) {
      this.needExpression()
      const index = this.SUBRULE(this.expr)
      this.needCloser(RBRACKET)
      this.CONSUME(RBRACKET)
      this.grow(tall)
      return { kind: 'index', object, index, start: object.start, end: this.end }
    }
    const optional = type !== DOT
    this.needWord()
    const name = this.nameOf(optional ? this.CONSUME2(Word) : this.CONSUME(Word))
    this.grow(0)
    return { kind: 'member', object, name, optional, start: object.start, end: this.end }
  }

  private refuseTernary(): void {
    if (this.RECORDING_PHASE || !this.nextIs(sign('?'))) return
    const { startOffset: start, endOffset: end } = this.peek()
    this.complain({ start, end }, at => syntaxErrors.ternary({}, { at }))
    this.skipUntil(() => this.nextIs(COMMA) || this.firstOnLine())
  }

  readonly args: ParserMethod<[], Arg[]> = this.RULE('args', (): Arg[] => {
    const args: Arg[] = []
    let tallest = 0
    const read = (arg: Arg): void => {
      args.push(arg)
      tallest = Math.max(tallest, this.height)
      this.needComma(RPAREN, () => this.nextIs(Word) || this.startsExpression())
    }
    this.CONSUME(LPAREN)
    this.needElement(RPAREN)
    this.OPTION(() => {
      read(this.SUBRULE(this.arg))
      this.MANY(() => {
        this.CONSUME(COMMA)
        this.needElement(RPAREN)
        read(this.SUBRULE2(this.arg))
      })
      this.OPTION2(() => this.CONSUME2(COMMA))
    })
    this.needCloser(RPAREN)
    this.CONSUME(RPAREN)
    this.height = tallest
    return args
  })

  /** At the place of an element: puts one in where a comma or nonsense stands instead. */
  private needElement(closer: TokenType): void {
    if (this.RECORDING_PHASE || this.nextIs(closer) || this.nextIs(Word) || this.startsExpression() || this.nextIs(SPREAD)) return
    this.needExpression()
  }

  readonly arg: ParserMethod<[], Arg> = this.RULE('arg', (): Arg => {
    const start = this.start
    const name = this.namedBefore(COLON)
      ? this.OPTION(() => {
        const word = this.nameOf(this.CONSUME(Word))
        this.CONSUME(COLON)
        return word
      }) ?? null
      : null
    this.needExpression()
    const value = this.SUBRULE(this.expr)
    return { kind: 'arg', name, value, start, end: this.end }
  })

  /** Mends `name = value` in a call to `name: value`; true always, so that the grammar is recorded whole. */
  private namedBefore(colon: TokenType): boolean {
    if (!this.RECORDING_PHASE && this.nextIs(Word) && this.nextIs(EQUALS, 2)) {
      const { startOffset: start, endOffset: end } = this.peek(2)
      const fixes = [replaceFix('Write `:`', start, end, ':')]
      this.complain({ start, end }, at => syntaxErrors['equals-sign']({ written: '=', ours: ':', use: 'Naming a value' }, { at, fixes }))
      const tokens = this.input as Token[]
      tokens[tokens.indexOf(this.peek(2))] = new Token(colon, ':', start, end)
    }
    return true
  }

  /** Before an operand: as `needExpression`, but `if` and `not` need parentheses here. */
  private needOperand(): void {
    if (this.RECORDING_PHASE || !(this.nextIs(sign('if')) || this.nextIs(sign('not')))) return this.needExpression()
    const help = [`Put the \`${this.peek().image}\` in parentheses.`]
    this.complain(this.blame(), at => syntaxErrors['expected-expression']({ place: this.place(), found: this.found() }, { at, help }))
    this.insertNext(Identifier)
  }

  readonly primary: ParserMethod<[], Expr> = this.RULE('primary', (): Expr => {
    return this.RECORDING_PHASE ? this.OR(PRIMARIES.map(type => ({ ALT: () => this.primaryOf(type) }))) : this.operandItself()
  })

  /** An operand without what stands before and after it. */
  private operandItself(): Expr {
    this.needOperand()
    const { tokenType, tokenTypeIdx } = this.peek()
    if (NESTS[tokenTypeIdx] === 0) return this.primaryOf(NAMES[tokenTypeIdx] === 1 ? NameToken : LITERALS[tokenTypeIdx] === 1 ? Literal : tokenType)
    this.enter()
    const operand = this.primaryOf(tokenType)
    this.leave()
    return operand
  }

  /** What an operand is that begins with a token of this type. */
  private primaryOf(type: TokenType): Expr {
    switch (type) {
      case NameToken: {
        const { image, startOffset, endOffset } = this.CONSUME(NameToken)
        this.height = 1
        if (image === '') return { kind: 'error-expr', start: startOffset, end: startOffset }
        return { kind: 'name-expr', name: image, start: startOffset, end: endOffset! }
      }
      case Literal: return this.SUBRULE(this.literal)
      case LPAREN: return this.group()
      case LBRACKET: return this.SUBRULE(this.list)
      case LBRACE: return this.SUBRULE(this.record)
      case TRUE: return this.constant(this.CONSUME(TRUE), true)
      case FALSE: return this.constant(this.CONSUME(FALSE), false)
      case NULL: return this.constant(this.CONSUME(NULL), null)
      case MATCH: return this.SUBRULE(this.match)
      default: return this.SUBRULE(this.string)
    }
  }

  private group(): Expr {
    const start = this.start
    this.CONSUME(LPAREN)
    this.needExpression()
    const inner = this.SUBRULE(this.expr)
    this.needCloser(RPAREN)
    this.CONSUME(RPAREN)
    this.grow(0)
    return { kind: 'group', inner, start, end: this.end }
  }

  private constant(token: { image: string; startOffset: number; endOffset?: number }, value: boolean | null): LiteralExpr {
    this.height = 1
    return { kind: 'literal', value, type: null, text: token.image, start: token.startOffset, end: token.endOffset! }
  }

  readonly record: ParserMethod<[], RecordExpr> = this.RULE('record', (): RecordExpr => {
    const start = this.start
    const entries: RecordEntry[] = []
    let tallest = 0
    const read = (entry: RecordEntry): void => {
      entries.push(entry)
      tallest = Math.max(tallest, this.height)
      this.needComma(RBRACE, () => this.startsEntry())
    }
    this.need(LBRACE)
    this.CONSUME(LBRACE)
    this.needEntry()
    this.OPTION(() => {
      read(this.SUBRULE(this.entry))
      this.MANY(() => {
        this.CONSUME(COMMA)
        this.needEntry()
        read(this.SUBRULE2(this.entry))
      })
      this.OPTION2(() => this.CONSUME2(COMMA))
    })
    this.needCloser(RBRACE)
    this.CONSUME(RBRACE)
    this.grow(tallest)
    return { kind: 'record', entries, start, end: this.end }
  })

  private startsEntry(): boolean {
    return this.nextIs(Word) || this.nextIs(Text) || this.nextIs(SPREAD)
  }

  private needEntry(): void {
    if (this.RECORDING_PHASE || this.nextIs(RBRACE) || this.startsEntry()) return
    this.complain(this.blame(), at => syntaxErrors['expected-name']({ place: `for a field ${this.place()}`, found: this.found() }, { at }))
    this.skipUntil(() => this.nextIs(COMMA) || this.nextIs(RBRACE))
    if (this.nextIs(COMMA)) this.insertNext(Identifier)
  }

  readonly entry: ParserMethod<[], RecordEntry> = this.RULE('entry', (): RecordEntry => {
    if (this.RECORDING_PHASE) return this.OR([{ ALT: () => this.pair() }, { ALT: () => this.spread() }])
    return this.nextIs(SPREAD) ? this.spread() : this.pair()
  })

  private pair(): RecordEntry {
    const start = this.start
    const token = this.OR2([{ ALT: () => this.CONSUME(Word) }, { ALT: () => this.CONSUME(Text) }])
    const quoted = token.tokenType === Text
    const key = quoted ? this.textName(token) : this.nameOf(token)
    this.need(COLON)
    this.CONSUME(COLON)
    this.needExpression()
    const value = this.SUBRULE(this.expr)
    return { kind: 'entry', key, quoted, value, start, end: this.end }
  }

  private spread(): RecordEntry {
    const start = this.start
    this.CONSUME(SPREAD)
    this.needExpression()
    const value = this.SUBRULE2(this.expr)
    return { kind: 'spread', value, start, end: this.end }
  }

  readonly list: ParserMethod<[], Expr> = this.RULE('list', (): Expr => {
    const start = this.start
    const items: Expr[] = []
    let tallest = 0
    let made: Expr | null = null
    const read = (item: Expr): void => {
      items.push(item)
      tallest = Math.max(tallest, this.height)
      if (items.length > 1 || !this.nextIs(sign('for'))) this.needComma(RBRACKET, () => this.startsExpression())
    }
    this.CONSUME(LBRACKET)
    this.needElement(RBRACKET)
    this.OPTION(() => {
      read(this.SUBRULE(this.expr))
      this.OR([
        { ALT: () => {
          made = this.SUBRULE(this.comprehension, { ARGS: [items[0]!, start] })
          tallest = Math.max(tallest, this.height)
        } },
        { ALT: () => {
          this.MANY(() => {
            this.CONSUME(COMMA)
            this.needElement(RBRACKET)
            read(this.SUBRULE2(this.expr))
          })
          this.OPTION2(() => this.CONSUME2(COMMA))
        } },
      ])
    })
    this.needCloser(RBRACKET)
    this.CONSUME(RBRACKET)
    this.grow(tallest)
    if (made !== null) return { ...(made as ComprehensionExpr), end: this.end }
    return { kind: 'list', items, start, end: this.end }
  })

  readonly comprehension: ParserMethod<[Expr, number], ComprehensionExpr> = this.RULE('comprehension', (value: Expr, start: number): ComprehensionExpr => {
    this.CONSUME(sign('for'))
    this.needName()
    const item = this.nameOf(this.CONSUME(NameToken))
    this.needIn()
    this.CONSUME(sign('in'))
    this.needExpression()
    const list = this.SUBRULE(this.expr)
    let tallest = this.height
    const condition = this.OPTION(() => {
      this.CONSUME(sign('if'))
      this.needExpression()
      const result = this.SUBRULE2(this.expr)
      tallest = Math.max(tallest, this.height)
      return result
    }) ?? null
    this.height = tallest
    return { kind: 'comprehension', value, item, list, condition, start, end: this.end }
  })

  readonly match: ParserMethod<[], MatchExpr> = this.RULE('match', (): MatchExpr => {
    const start = this.start
    const arms: MatchArm[] = []
    this.CONSUME(sign('match'))
    this.needExpression()
    const subject = this.SUBRULE(this.expr)
    let tallest = this.height
    const read = (arm: MatchArm): void => {
      arms.push(arm)
      tallest = Math.max(tallest, this.height)
      this.needComma(RBRACE, () => this.startsPattern())
    }
    this.need(LBRACE)
    this.CONSUME(LBRACE)
    this.OPTION(() => {
      read(this.SUBRULE(this.arm))
      this.MANY(() => {
        this.CONSUME(COMMA)
        read(this.SUBRULE2(this.arm))
      })
      this.OPTION2(() => this.CONSUME2(COMMA))
    })
    this.needCloser(RBRACE)
    this.CONSUME(RBRACE)
    this.grow(tallest)
    return { kind: 'match', subject, arms, start, end: this.end }
  })

  private startsPattern(): boolean {
    return this.nextIsOf(STARTS_PATTERN)
  }

  readonly arm: ParserMethod<[], MatchArm> = this.RULE('arm', (): MatchArm => {
    const start = this.start
    const patterns = [this.SUBRULE(this.pattern)]
    this.MANY(() => {
      this.CONSUME(BAR)
      this.needPattern()
      patterns.push(this.SUBRULE2(this.pattern))
    })
    this.need(FAT_ARROW)
    this.CONSUME(FAT_ARROW)
    this.needExpression()
    const value = this.SUBRULE(this.expr)
    return { kind: 'arm', patterns, value, start, end: this.end }
  })

  /** Puts `_` where a pattern should be and is none. */
  private needPattern(): void {
    if (this.RECORDING_PHASE || this.startsPattern()) return
    const help = this.nextIs(NameToken) ? ['A pattern is a string, a number, `true`, `false`, `null` or `_`.'] : []
    this.complain(this.blame(), at => syntaxErrors['expected-token']({ expected: 'a pattern', place: this.place(), found: this.found() }, { at, help }))
    if (this.nextIs(NameToken)) this.replaceNext(Underscore, '_')
    else this.insertNext(Underscore)
  }

  readonly pattern: ParserMethod<[], Pattern> = this.RULE('pattern', (): Pattern => {
    const start = this.start
    this.needPattern()
    const value = this.OR<string | number | boolean | null | undefined | LiteralExpr>([
      { ALT: () => this.textValue(this.CONSUME(Text)) },
      { ALT: () => this.SUBRULE(this.signed) },
      { ALT: () => (this.CONSUME(sign('true')), true) },
      { ALT: () => (this.CONSUME(sign('false')), false) },
      { ALT: () => (this.CONSUME(sign('null')), null) },
      { ALT: () => (this.CONSUME(Underscore), undefined) },
    ])
    if (value === undefined) return { kind: 'pattern-any', start, end: this.end }
    if (typeof value !== 'object' || value === null) return { kind: 'pattern-value', value, unit: null, start, end: this.end }
    return { kind: 'pattern-value', value: value.value, unit: unitOf(value), start, end: this.end }
  })
}
