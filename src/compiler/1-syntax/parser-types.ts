// ParserTypes: the rules of types, refinements and record types.
import { syntaxErrors } from '#diagnostics/catalog/syntax.ts'
import type { ParserMethod } from 'chevrotain'
import type { Expr, LiteralExpr, Refinement, TypeField, TypeNode } from './ast.ts'
import { tableOf } from './lookahead.ts'
import { ParserExpressions } from './parser-expressions.ts'
import { unitOf } from './parser-literals.ts'
import { Identifier, InsertedToken, Literal, Name, sign, Text, Word } from './tokens.ts'

const [LPAREN, RPAREN, LBRACE, RBRACE, COMMA, COLON] = [sign('('), sign(')'), sign('{'), sign('}'), sign(','), sign(':')]
const STARTS_TYPE = tableOf([Name, LBRACE, LPAREN, Text, Literal, sign('-'), sign('true'), sign('false'), sign('null')])

export abstract class ParserTypes extends ParserExpressions {
  private typeAlternatives: { ALT: () => TypeNode }[] | undefined

  readonly type: ParserMethod<[], TypeNode> = this.RULE('type', (): TypeNode => {
    const first = this.SUBRULE(this.type1)
    const members = [first]
    let tallest = this.height
    this.MANY(() => {
      this.CONSUME(sign('|'))
      members.push(this.SUBRULE2(this.type1))
      tallest = Math.max(tallest, this.height)
    })
    this.height = tallest
    if (members.length === 1) return first
    this.grow(0)
    return { kind: 'type-union', members, start: first.start, end: this.end }
  })

  /** Puts an empty name where a type should be and is none; it becomes `type-error`. */
  private needType(): void {
    if (this.RECORDING_PHASE || this.nextIsOf(STARTS_TYPE)) return
    if (!this.atEnd && this.nextIs(Word) && !this.firstOnLine()) return this.needName()
    this.complain(this.blame(), at => syntaxErrors['expected-type']({ place: this.place(), found: this.found() }, { at }))
    this.insertNext(Identifier)
  }

  readonly type1: ParserMethod<[], TypeNode> = this.RULE('type1', (): TypeNode => {
    const qualifiers: { qualifier: 'untrusted' | 'secret'; start: number }[] = []
    this.MANY(() => {
      const { start } = this
      this.prefix()
      this.OR([
        { ALT: () => (this.CONSUME(sign('untrusted')), qualifiers.push({ qualifier: 'untrusted', start })) },
        { ALT: () => (this.CONSUME(sign('secret')), qualifiers.push({ qualifier: 'secret', start })) },
      ])
    })
    this.needType()
    let type = this.SUBRULE(this.typePrimary)
    this.MANY2(() => {
      const { start } = type
      this.OR2([
        { ALT: () => {
          this.CONSUME(sign('['))
          this.needCloser(sign(']'))
          this.CONSUME(sign(']'))
          type = { kind: 'type-list', item: type, start, end: this.end }
        } },
        { ALT: () => {
          this.CONSUME(sign('?'))
          type = { kind: 'type-optional', inner: type, start, end: this.end }
        } },
        { ALT: () => {
          this.CONSUME(sign('??'))
          const inner: TypeNode = { kind: 'type-optional', inner: type, start, end: this.end - 1 }
          type = { kind: 'type-optional', inner, start, end: this.end }
        } },
      ])
      this.grow(0)
    })
    for (const { qualifier, start } of qualifiers.reverse()) {
      type = { kind: 'type-qualified', qualifier, inner: type, start, end: this.end }
      this.grow(0)
    }
    this.prefixes -= qualifiers.length
    return type
  })

  readonly typePrimary: ParserMethod<[], TypeNode> = this.RULE('typePrimary', (): TypeNode => this.OR<TypeNode>(this.typeAlternatives ??= [
    { ALT: () => this.SUBRULE(this.typeName) },
    { ALT: () => {
      this.enter()
      const type = this.SUBRULE(this.recType)
      this.leave()
      return type
    } },
    { ALT: () => this.typeLiteral(this.start, this.textValue(this.CONSUME(Text))) },
    { ALT: () => {
      const { start } = this
      const literal = this.SUBRULE(this.signed)
      return { kind: 'type-literal', value: literal.value, unit: this.ACTION(() => unitOf(literal)), start, end: this.end }
    } },
    { ALT: () => this.typeLiteral(this.start, (this.CONSUME(sign('true')), true)) },
    { ALT: () => this.typeLiteral(this.start, (this.CONSUME(sign('false')), false)) },
    { ALT: () => this.typeLiteral(this.start, (this.CONSUME(sign('null')), null)) },
    { ALT: () => {
      this.CONSUME(LPAREN)
      this.enter()
      const type = this.SUBRULE(this.type)
      this.leave()
      this.needCloser(RPAREN)
      this.CONSUME(RPAREN)
      return type
    } },
  ]))

  private typeLiteral(start: number, value: string | boolean | null): TypeNode {
    this.height = 1
    return { kind: 'type-literal', value, unit: null, start, end: this.end }
  }

  readonly typeName: ParserMethod<[], TypeNode> = this.RULE('typeName', (): TypeNode => {
    if (!this.RECORDING_PHASE && this.peek() instanceof InsertedToken) {
      const { end } = this
      this.SUBRULE(this.path)
      return { kind: 'type-error', start: end, end }
    }
    const path = this.SUBRULE2(this.path)
    let of = null as TypeNode | null
    let refinements: Refinement[] = []
    this.OPTION(() => this.OR([
      { ALT: () => {
        this.CONSUME(sign('<'))
        this.enter()
        of = this.SUBRULE(this.type)
        this.leave()
        this.need(sign('>'))
        this.CONSUME(sign('>'))
      } },
      { ALT: () => { refinements = this.SUBRULE(this.refinements) } },
    ]))
    this.grow(0)
    return { kind: 'type-name', path, of, refinements, start: path.start, end: this.end }
  })

  readonly refinements: ParserMethod<[], Refinement[]> = this.RULE('refinements', (): Refinement[] => {
    const refinements: Refinement[] = []
    let tallest = 0
    const read = (refinement: Refinement): void => {
      refinements.push(refinement)
      tallest = Math.max(tallest, this.height)
      this.needComma(RPAREN, () => this.nextIs(Word) || this.nextIs(Literal))
    }
    this.CONSUME(LPAREN)
    this.OPTION(() => {
      read(this.SUBRULE(this.refine))
      this.MANY(() => {
        this.CONSUME(COMMA)
        read(this.SUBRULE2(this.refine))
      })
    })
    this.needCloser(RPAREN)
    this.CONSUME(RPAREN)
    this.height = tallest
    return refinements
  })

  readonly refine: ParserMethod<[], Refinement> = this.RULE('refine', (): Refinement => {
    const { start } = this
    this.needRefinement()
    return this.OR<Refinement>([
      { ALT: () => {
        const name = this.nameOf(this.CONSUME(Word))
        this.need(COLON)
        this.CONSUME(COLON)
        this.needExpression()
        const value: Expr = this.SUBRULE(this.expr)
        return { kind: 'refinement', name, value, to: null, start, end: this.end }
      } },
      { ALT: () => {
        const { from, to } = this.SUBRULE(this.range)
        return { kind: 'refinement', name: null, value: from, to, start, end: this.end }
      } },
    ])
  })

  private needRefinement(): void {
    if (this.nextIs(Word) || this.nextIs(Literal) || this.nextIs(sign('-'))) return
    this.need(Literal)
  }

  readonly range: ParserMethod<[], { from: LiteralExpr; to: LiteralExpr | null }> = this.RULE('range', (): { from: LiteralExpr; to: LiteralExpr | null } => {
    const from = this.SUBRULE(this.signed)
    const to = this.OPTION(() => {
      this.CONSUME(sign('..'))
      return this.SUBRULE2(this.signed)
    }) ?? null
    return { from, to }
  })

  readonly recType: ParserMethod<[], TypeNode> = this.RULE('recType', (): TypeNode => {
    const { start } = this
    const fields: TypeField[] = []
    let tallest = 0
    const read = (field: TypeField): void => {
      fields.push(field)
      tallest = Math.max(tallest, this.height)
      this.needComma(RBRACE, () => this.nextIs(Word) || this.nextIs(Text))
    }
    this.CONSUME(LBRACE)
    this.needField()
    this.OPTION(() => {
      read(this.SUBRULE(this.field))
      this.MANY(() => {
        this.CONSUME(COMMA)
        this.needField()
        read(this.SUBRULE2(this.field))
      })
      this.OPTION2(() => this.CONSUME2(COMMA))
    })
    this.needCloser(RBRACE)
    this.CONSUME(RBRACE)
    this.grow(tallest)
    return { kind: 'type-record', fields, start, end: this.end }
  })

  private needField(): void {
    if (this.RECORDING_PHASE || this.nextIs(RBRACE) || this.nextIs(Word) || this.nextIs(Text)) return
    this.complain(this.blame(), at => syntaxErrors['expected-name']({ place: `for a field ${this.place()}`, found: this.found() }, { at }))
    this.skipUntil(() => this.nextIs(COMMA) || this.nextIs(RBRACE))
    if (this.nextIs(COMMA)) this.insertNext(Identifier)
  }

  readonly field: ParserMethod<[], TypeField> = this.RULE('field', (): TypeField => {
    const { start } = this
    const doc = this.docAt(start)
    const token = this.OR([{ ALT: () => this.CONSUME(Word) }, { ALT: () => this.CONSUME(Text) }])
    const name = token.tokenType === Text ? this.textName(token) : this.nameOf(token)
    const optional = this.OPTION(() => this.CONSUME(sign('?'))) !== undefined
    this.need(COLON)
    this.CONSUME(COLON)
    const type = this.SUBRULE(this.type)
    return { kind: 'type-field', doc, name, optional, type, start, end: this.end }
  })
}
