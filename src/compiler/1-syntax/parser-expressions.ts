// ParserExpressions: the rules of expressions, from `expr` down to strings and numbers.
// Owns: precedence. Does not own: types, clauses, declarations.
import { syntaxErrors } from '#diagnostics/catalog/syntax.ts'
import type { ParserMethod, TokenType } from 'chevrotain'
import type {
  Arg, BinaryOp, ComprehensionExpr, Expr, LambdaExpr, LiteralExpr, MatchArm, MatchExpr, Pattern, RecordEntry, RecordExpr,
} from './ast.ts'
import { ParserLiterals, unitOf } from './parser-literals.ts'
import { replaceFix } from './problem.ts'
import { Identifier, Literal, Name as NameToken, sign, TemplateHead, Text, Token, Underscore, Word } from './tokens.ts'

const [LPAREN, RPAREN, LBRACKET, RBRACKET, LBRACE, RBRACE] = [sign('('), sign(')'), sign('['), sign(']'), sign('{'), sign('}')]
const [COMMA, COLON, EQUALS, MINUS, DOT, FAT_ARROW, BAR] = [sign(','), sign(':'), sign('='), sign('-'), sign('.'), sign('=>'), sign('|')]
const COMPARISONS: readonly TokenType[] = [sign('=='), sign('!='), sign('<'), sign('<='), sign('>'), sign('>='), sign('in')]

const STARTS_EXPRESSION = [
  NameToken, Literal, Text, TemplateHead, LPAREN, LBRACKET, LBRACE, MINUS, sign('if'), sign('not'), sign('match'), sign('true'), sign('false'), sign('null'),
]

/** Token types as a table, for the quickest look-up there is; a category stands for all its types. */
function tableOf(types: readonly TokenType[]): Uint8Array {
  const table = new Uint8Array(1024)
  for (const type of types) for (const index of [type.tokenTypeIdx!, ...type.categoryMatches!]) table[index] = 1
  return table
}

const ALONE = tableOf([NameToken, Literal, Text])
const CONTINUES = tableOf([
  ...COMPARISONS, ...['.', '?.', '[', '(', '=>', '|>', '??', '+', '-', '*', '/', '?', '=', 'and', 'or', 'not'].map(each => sign(each)),
])
const STARTS = tableOf(STARTS_EXPRESSION)
const STARTS_PATTERN = [Text, Literal, MINUS, sign('true'), sign('false'), sign('null'), Underscore]

export abstract class ParserExpressions extends ParserLiterals {
  // The alternatives that are asked most are made once.
  private exprAlternatives: { ALT: () => Expr }[] | undefined
  private primaryAlternatives: { ALT: () => Expr }[] | undefined

  override readonly expr: ParserMethod<[], Expr> = this.RULE('expr', (): Expr => {
    if (this.standsAlone()) return this.SUBRULE2(this.primary)
    this.enter()
    const result = this.OR<Expr>(this.exprAlternatives ??= [
      { ALT: () => this.SUBRULE(this.lambda) },
      { ALT: () => this.SUBRULE(this.ifExpr) },
      { ALT: () => this.SUBRULE(this.pipe) },
    ])
    this.leave()
    return result
  })

  /** True for a name, number or string that no operator follows: the many levels of precedence need not be asked. */
  private standsAlone(): boolean {
    if (this.RECORDING_PHASE || CONTINUES[this.LA(2).tokenTypeIdx] === 1) return false
    return ALONE[this.LA(1).tokenTypeIdx] === 1
  }

  /** `expr`, or a report and an ErrorExpr where none begins. */
  protected startsExpression(): boolean {
    return this.RECORDING_PHASE || STARTS[this.LA(1).tokenTypeIdx] === 1
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

  protected override needExpression(): void {
    if (this.startsExpression()) return
    const at = this.blame()
    const help = this.nextIs(DOT) && this.peek(2).tokenType.name === 'Int' ? ['Write a zero before the point: `0.5`.'] : []
    const reserved = !this.atEnd && this.nextIs(Word) && !this.firstOnLine() && !this.nextIs(sign('then')) && !this.nextIs(sign('else')) && !this.nextIs(sign('in'))
      && !this.nextIs(sign('and')) && !this.nextIs(sign('or'))
    if (reserved) return this.needName()
    this.complain(at, place => syntaxErrors['expected-expression']({ place: this.place(), found: this.found() }, { at: place, help }))
    this.insertNext(Identifier)
  }

  readonly pipe: ParserMethod<[], Expr> = this.RULE('pipe', (): Expr => {
    let left = this.SUBRULE(this.orExpr)
    this.MANY(() => {
      this.CONSUME(sign('|>'))
      const tall = this.height
      const target = this.SUBRULE(this.path)
      const args = this.OPTION(() => this.SUBRULE(this.args)) ?? null
      this.grow(tall)
      left = { kind: 'pipe', left, target, args, start: left.start, end: this.end }
    })
    return left
  })

  /** One level of left-associative operators, read in a loop (P3). */
  private binary(left: Expr, op: BinaryOp, right: Expr, tall: number): Expr {
    this.grow(tall)
    return { kind: 'binary', op, left, right, start: left.start, end: this.end }
  }

  readonly orExpr: ParserMethod<[], Expr> = this.RULE('orExpr', (): Expr => {
    let left = this.SUBRULE(this.andExpr)
    this.MANY(() => {
      this.CONSUME(sign('or'))
      const tall = this.height
      left = this.binary(left, 'or', this.SUBRULE2(this.andExpr), tall)
    })
    return left
  })

  readonly andExpr: ParserMethod<[], Expr> = this.RULE('andExpr', (): Expr => {
    let left = this.SUBRULE(this.notExpr)
    this.MANY(() => {
      this.CONSUME(sign('and'))
      const tall = this.height
      left = this.binary(left, 'and', this.SUBRULE2(this.notExpr), tall)
    })
    return left
  })

  readonly notExpr: ParserMethod<[], Expr> = this.RULE('notExpr', (): Expr => {
    const starts: number[] = []
    this.MANY(() => {
      this.prefix()
      starts.push(this.start)
      this.CONSUME(sign('not'))
    })
    return this.prefixed('not', starts, this.SUBRULE(this.cmp))
  })

  private prefixed(op: '-' | 'not', starts: readonly number[], inner: Expr): Expr {
    let value = inner
    for (let index = starts.length - 1; index >= 0; index--) {
      value = { kind: 'unary', op, value, start: starts[index]!, end: this.end }
      this.grow(0)
    }
    this.prefixes -= starts.length
    return value
  }

  readonly cmp: ParserMethod<[], Expr> = this.RULE('cmp', (): Expr => {
    let left = this.SUBRULE(this.coal)
    let count = 0
    this.MANY(() => {
      if (++count === 2) this.chained()
      const tall = this.height
      const op = this.OR<BinaryOp>([
        ...COMPARISONS.map(type => ({ ALT: () => this.CONSUME(type).image as BinaryOp })),
        { ALT: () => {
          this.CONSUME(sign('not'))
          this.need(sign('in'))
          this.CONSUME2(sign('in'))
          return 'not in'
        } },
      ])
      left = this.binary(left, op, this.SUBRULE2(this.coal), tall)
    })
    return left
  })

  private chained(): void {
    const { startOffset: start, endOffset: end } = this.peek()
    this.complain({ start, end }, at => syntaxErrors['chained-comparison']({}, { at }))
  }

  readonly coal: ParserMethod<[], Expr> = this.RULE('coal', (): Expr => {
    let left = this.SUBRULE(this.add)
    this.MANY(() => {
      this.CONSUME(sign('??'))
      const tall = this.height
      left = this.binary(left, '??', this.SUBRULE2(this.add), tall)
    })
    return left
  })

  readonly add: ParserMethod<[], Expr> = this.RULE('add', (): Expr => {
    let left = this.SUBRULE(this.mul)
    this.MANY(() => {
      const tall = this.height
      const op = this.OR<BinaryOp>([
        { ALT: () => (this.CONSUME(sign('+')), '+') },
        { ALT: () => (this.CONSUME(MINUS), '-') },
      ])
      left = this.binary(left, op, this.SUBRULE2(this.mul), tall)
    })
    return left
  })

  readonly mul: ParserMethod<[], Expr> = this.RULE('mul', (): Expr => {
    let left = this.SUBRULE(this.unary)
    this.MANY(() => {
      const tall = this.height
      const op = this.OR<BinaryOp>([
        { ALT: () => (this.CONSUME(sign('*')), '*') },
        { ALT: () => (this.CONSUME(sign('/')), '/') },
      ])
      left = this.binary(left, op, this.SUBRULE2(this.unary), tall)
    })
    return left
  })

  readonly unary: ParserMethod<[], Expr> = this.RULE('unary', (): Expr => {
    const starts: number[] = []
    this.MANY(() => {
      this.prefix()
      starts.push(this.start)
      this.CONSUME(MINUS)
    })
    return this.prefixed('-', starts, this.SUBRULE(this.postfix))
  })

  readonly postfix: ParserMethod<[], Expr> = this.RULE('postfix', (): Expr => {
    let object = this.SUBRULE(this.primary)
    this.MANY(() => {
      object = this.OR<Expr>([
        { ALT: () => (this.CONSUME(DOT), this.member(object, false, () => this.CONSUME(Word))) },
        { ALT: () => (this.CONSUME(sign('?.')), this.member(object, true, () => this.CONSUME2(Word))) },
        { ALT: () => {
          this.CONSUME(LBRACKET)
          const tall = this.height
          this.needExpression()
          const index = this.SUBRULE(this.expr)
          this.needCloser(RBRACKET)
          this.CONSUME(RBRACKET)
          this.grow(tall)
          return { kind: 'index', object, index, start: object.start, end: this.end }
        } },
        { ALT: () => {
          const tall = this.height
          const args = this.SUBRULE(this.args)
          this.grow(tall)
          return { kind: 'call', callee: object, args, start: object.start, end: this.end }
        } },
      ])
    })
    this.refuseTernary()
    return object
  })

  private member(object: Expr, optional: boolean, consume: () => { image: string; startOffset: number; endOffset?: number }): Expr {
    this.needWord()
    const name = this.nameOf(consume())
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
    if (this.RECORDING_PHASE || this.nextIs(closer) || this.nextIs(Word) || this.startsExpression() || this.nextIs(sign('...'))) return
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
    this.needOperand()
    return this.OR<Expr>(this.primaryAlternatives ??= [
      { ALT: () => {
        const { image, startOffset, endOffset } = this.CONSUME(NameToken)
        this.height = 1
        if (image === '') return { kind: 'error-expr', start: startOffset, end: startOffset }
        return { kind: 'name-expr', name: image, start: startOffset, end: endOffset! }
      } },
      { ALT: () => this.SUBRULE(this.literal) },
      { ALT: () => this.SUBRULE(this.string) },
      { ALT: () => this.constant(this.CONSUME(sign('true')), true) },
      { ALT: () => this.constant(this.CONSUME(sign('false')), false) },
      { ALT: () => this.constant(this.CONSUME(sign('null')), null) },
      { ALT: () => this.SUBRULE(this.record) },
      { ALT: () => this.SUBRULE(this.list) },
      { ALT: () => {
        const start = this.start
        this.CONSUME(LPAREN)
        this.needExpression()
        const inner = this.SUBRULE(this.expr)
        this.needCloser(RPAREN)
        this.CONSUME(RPAREN)
        this.grow(0)
        return { kind: 'group', inner, start, end: this.end }
      } },
      { ALT: () => this.SUBRULE(this.match) },
    ])
  })

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
    return this.nextIs(Word) || this.nextIs(Text) || this.nextIs(sign('...'))
  }

  private needEntry(): void {
    if (this.RECORDING_PHASE || this.nextIs(RBRACE) || this.startsEntry()) return
    this.complain(this.blame(), at => syntaxErrors['expected-name']({ place: `for a field ${this.place()}`, found: this.found() }, { at }))
    this.skipUntil(() => this.nextIs(COMMA) || this.nextIs(RBRACE))
    if (this.nextIs(COMMA)) this.insertNext(Identifier)
  }

  readonly entry: ParserMethod<[], RecordEntry> = this.RULE('entry', (): RecordEntry => {
    const start = this.start
    return this.OR<RecordEntry>([
      { ALT: () => {
        const token = this.OR2([{ ALT: () => this.CONSUME(Word) }, { ALT: () => this.CONSUME(Text) }])
        const quoted = token.tokenType === Text
        const key = quoted ? this.textName(token) : this.nameOf(token)
        this.need(COLON)
        this.CONSUME(COLON)
        this.needExpression()
        const value = this.SUBRULE(this.expr)
        return { kind: 'entry', key, quoted, value, start, end: this.end }
      } },
      { ALT: () => {
        this.CONSUME(sign('...'))
        this.needExpression()
        const value = this.SUBRULE2(this.expr)
        return { kind: 'spread', value, start, end: this.end }
      } },
    ])
  })

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
    this.need(sign('in'))
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
    return STARTS_PATTERN.some(type => this.nextIs(type))
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
