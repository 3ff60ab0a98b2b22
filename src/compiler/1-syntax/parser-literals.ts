// ParserLiterals: the rules of numbers, strings, paths and lists of names.
// Owns: putting the pieces of a string together. Does not own: values (literals.ts), operators.
import { syntaxErrors } from '#diagnostics/catalog/syntax.ts'
import type { ParserMethod } from 'chevrotain'
import type { Expr, LiteralExpr, Name, Path, StringExpr, StringLiteral, StringStyle, TemplateText, Unit } from './ast.ts'
import { KEYWORDS } from './keywords.ts'
import { readNumber, readPieces } from './literals.ts'
import { ParserBase } from './parser-base.ts'
import { Literal, Name as NameToken, sign, TemplateHead, TemplateMiddle, TemplateTail, Text, Word } from './tokens.ts'

const MINUS = sign('-')

interface TokenFacts {
  readonly image: string
  readonly startOffset: number
  readonly endOffset?: number
}

export abstract class ParserLiterals extends ParserBase {
  abstract readonly expr: ParserMethod<[], Expr>
  protected abstract needExpression(): void

  readonly path: ParserMethod<[], Path> = this.RULE('path', (): Path => {
    this.needName()
    const parts = [this.nameOf(this.CONSUME(NameToken))]
    this.MANY(() => {
      this.CONSUME(sign('.'))
      this.needWord()
      parts.push(this.nameOf(this.CONSUME(Word)))
    })
    this.height = 1
    return { kind: 'path', parts, start: parts[0]!.start, end: this.end }
  })

  readonly paths: ParserMethod<[], Path[]> = this.RULE('paths', (): Path[] => {
    const paths = [this.SUBRULE(this.path)]
    this.MANY(() => {
      this.CONSUME(sign(','))
      if (!this.refuseTrailingComma()) paths.push(this.SUBRULE2(this.path))
    })
    return paths
  })

  readonly names: ParserMethod<[], Name[]> = this.RULE('names', (): Name[] => {
    this.needName()
    const names = [this.nameOf(this.CONSUME(NameToken))]
    this.MANY(() => {
      this.CONSUME(sign(','))
      if (this.refuseTrailingComma()) return
      this.needName()
      names.push(this.nameOf(this.CONSUME2(NameToken)))
    })
    return names
  })

  /** After a comma of a list without brackets: true, and a report, when the list ends here. */
  protected refuseTrailingComma(): boolean {
    // A clause on the next line: its word, and something that belongs to it on the same line.
    const clause = this.firstOnLine() && KEYWORDS.has(this.peek().image) && this.nextIs(Word, 2) && !this.firstOnLine(2)
    if (this.RECORDING_PHASE || (!this.atEnd && this.nextIs(NameToken) && !clause)) return false
    if (!this.atEnd && !this.firstOnLine() && !this.nextIs(sign('}')) && !this.nextIs(sign('='))) return false
    const { startOffset: start, endOffset: end } = this.peek(0)
    const fixes = [{ title: 'Remove the comma', safe: true, edits: [{ at: { path: '', start, end }, newText: '' }] }]
    this.complain({ start, end }, at => syntaxErrors['trailing-comma']({}, { at, fixes }))
    return true
  }

  readonly literal: ParserMethod<[], LiteralExpr> = this.RULE('literal', (): LiteralExpr => {
    const { image, startOffset, endOffset } = this.CONSUME(Literal)
    this.height = 1
    const { value, type } = readNumber(image)
    return { kind: 'literal', value, type, text: image, start: startOffset, end: endOffset! }
  })

  readonly signed: ParserMethod<[], LiteralExpr> = this.RULE('signed', (): LiteralExpr => {
    const start = this.start
    const minus = this.OPTION(() => this.CONSUME(MINUS)) !== undefined
    this.need(Literal)
    const { image, endOffset } = this.CONSUME(Literal)
    const text = minus ? `-${image}` : image
    this.height = 1
    return { kind: 'literal', ...this.ACTION(() => numberOf(text)), text, start, end: endOffset! }
  })

  readonly string: ParserMethod<[], StringExpr> = this.RULE('string', (): StringExpr => this.OR<StringExpr>([
    { ALT: () => {
      const { image, startOffset, endOffset } = this.CONSUME(Text)
      this.height = 1
      return textOf(image, startOffset, endOffset!)
    } },
    { ALT: () => this.SUBRULE(this.template) },
  ]))

  readonly template: ParserMethod<[], StringExpr> = this.RULE('template', (): StringExpr => {
    const start = this.start
    const pieces = [this.CONSUME(TemplateHead)]
    const holes: Expr[] = []
    let tallest = 0
    const hole = (value: Expr): void => {
      holes.push(value)
      tallest = Math.max(tallest, this.height)
      this.skipToTemplate()
    }
    this.needExpression()
    hole(this.SUBRULE(this.expr))
    this.MANY(() => {
      pieces.push(this.CONSUME(TemplateMiddle))
      this.needExpression()
      hole(this.SUBRULE2(this.expr))
    })
    pieces.push(this.CONSUME(TemplateTail))
    this.grow(tallest)
    return this.ACTION(() => templateOf(pieces, holes, start, this.end))
  })

  /** Within `${}`: whatever follows the expression is reported and skipped. */
  private skipToTemplate(): void {
    if (this.RECORDING_PHASE || this.nextIs(TemplateMiddle) || this.nextIs(TemplateTail)) return
    this.complain(this.blame(), at => syntaxErrors['expected-token']({ expected: '`}`', place: this.place(), found: this.found() }, { at }))
    this.skipUntil(() => this.nextIs(TemplateMiddle) || this.nextIs(TemplateTail))
    if (!this.nextIs(TemplateMiddle) && !this.nextIs(TemplateTail)) this.insertNext(TemplateTail)
  }

  /** A string without `${}` where the grammar allows no other. */
  readonly text: ParserMethod<[], StringLiteral> = this.RULE('text', (): StringLiteral => {
    this.needText()
    const { image, startOffset, endOffset } = this.CONSUME(Text)
    return textOf(image, startOffset, endOffset!)
  })

  protected textValue(token: TokenFacts): string {
    return textOf(token.image, token.startOffset, token.endOffset!).value
  }

  /** A quoted field name. */
  protected textName(token: TokenFacts): Name {
    return { kind: 'name', text: this.textValue(token), start: token.startOffset, end: token.endOffset! }
  }
}

/** The unit of a literal, null for plain numbers and constants. */
export function unitOf(literal: LiteralExpr): Unit | null {
  return literal.type === 'int' || literal.type === 'float' ? null : literal.type
}

function textOf(image: string, start: number, end: number): StringLiteral {
  const { style, content } = unquote(image)
  return { kind: 'string-literal', value: readPieces([content], style)[0]!, style, text: image, start, end }
}

function numberOf(text: string): { value: number; type: LiteralExpr['type'] } {
  const { value, type } = readNumber(text)
  return { value, type }
}

function unquote(image: string): { style: StringStyle; content: string } {
  if (image.startsWith('r"')) return { style: 'raw', content: image.slice(2, -1) }
  if (image.startsWith('"""') && image.length >= 6) return { style: 'block', content: image.slice(3, -3) }
  return { style: 'plain', content: image.slice(1, -1) }
}

function templateOf(tokens: readonly TokenFacts[], holes: readonly Expr[], start: number, end: number): StringExpr {
  const style: StringStyle = tokens[0]!.image.startsWith('"""') ? 'block' : 'plain'
  const quotes = style === 'block' ? 3 : 1
  const last = tokens.length - 1
  const before = (index: number): number => (index === 0 ? quotes : 1)
  const after = (index: number): number => (index === last ? quotes : 2)
  const texts = tokens.map((token, index) => token.image.slice(before(index), Math.max(before(index), token.image.length - after(index))))
  const values = readPieces(texts, style)
  const parts: (TemplateText | Expr)[] = []
  texts.forEach((text, index) => {
    const from = tokens[index]!.startOffset + before(index)
    if (text !== '') parts.push({ kind: 'template-text', value: values[index] ?? '', text, start: from, end: from + text.length })
    if (index < last) parts.push(holes[index]!)
  })
  return { kind: 'template', style, parts, start, end }
}
