// Tokens: the kinds of token, and the token itself.
// Owns: token types and their categories. Does not own: how text becomes tokens (lexer.ts).
//   T1. `Name` matches identifiers and every keyword that is not reserved; `Word` matches reserved ones too (fields, named arguments).
//   T2. A token's offsets count from the start of its piece; `endOffset` is exclusive.
import { createToken, Lexer } from 'chevrotain'
import type { IToken, TokenType } from 'chevrotain'
import { KEYWORDS } from './keywords.ts'

export class Token implements IToken {
  image: string
  startOffset: number
  endOffset: number
  tokenType: TokenType
  tokenTypeIdx: number

  constructor(type: TokenType, image: string, startOffset: number, endOffset: number) {
    this.tokenTypeIdx = type.tokenTypeIdx!
    this.tokenType = type
    this.image = image
    this.startOffset = startOffset
    this.endOffset = endOffset
  }
}

/** A token that mending put into the text; it has no width, and complaints about its neighbourhood are kept back. */
export class InsertedToken extends Token {}

const category = (name: string, label: string): TokenType => createToken({ name, label, pattern: Lexer.NA })
const plain = (name: string, label: string, categories: TokenType[] = []): TokenType =>
  createToken({ name, label, pattern: Lexer.NA, categories })

/** Any identifier or keyword. */
export const Word = category('Word', 'a name')
/** Any identifier, or keyword that is not reserved. */
export const Name = category('Name', 'a name')
Name.CATEGORIES = [Word]
/** A number with or without a unit. */
export const Literal = category('Literal', 'a number')

export const Identifier = plain('Identifier', 'a name', [Name, Word])
export const Underscore = plain('Underscore', '_', [Name, Word])

export const Int = plain('Int', 'a whole number', [Literal])
export const Float = plain('Float', 'a number', [Literal])
export const Duration = plain('Duration', 'a duration', [Literal])
export const Size = plain('Size', 'a size', [Literal])
export const TokenCount = plain('TokenCount', 'a token count', [Literal])
export const Percent = plain('Percent', 'a percentage', [Literal])
export const Money = plain('Money', 'an amount of money', [Literal])

/** A whole string without `${}`. */
export const Text = plain('Text', 'a string')
/** `"abc${`, `}def${`, `}ghi"`: the pieces of a string around its expressions. */
export const TemplateHead = plain('TemplateHead', 'a string')
export const TemplateMiddle = plain('TemplateMiddle', '}')
export const TemplateTail = plain('TemplateTail', '}')

const punctuation: [string, string][] = [
  ['LParen', '('], ['RParen', ')'], ['LBracket', '['], ['RBracket', ']'], ['LBrace', '{'], ['RBrace', '}'],
  ['Comma', ','], ['Colon', ':'], ['Equals', '='], ['EqualsEquals', '=='], ['BangEquals', '!='], ['Less', '<'], ['LessEquals', '<='],
  ['Greater', '>'], ['GreaterEquals', '>='], ['Plus', '+'], ['Minus', '-'], ['Star', '*'], ['Slash', '/'], ['Arrow', '->'],
  ['FatArrow', '=>'], ['PipeForward', '|>'], ['Bar', '|'], ['Question', '?'], ['QuestionDot', '?.'], ['QuestionQuestion', '??'],
  ['Dot', '.'], ['DotDot', '..'], ['DotDotDot', '...'],
]

/** Punctuation by its text. */
export const PUNCTUATION: ReadonlyMap<string, TokenType> = new Map(punctuation.map(([name, text]) => [text, plain(name, text)]))

/** Keyword token types by word. */
export const KEYWORD_TYPES: ReadonlyMap<string, TokenType> = new Map(
  [...KEYWORDS].map(([word, { reserved }]) => [word, plain(`Keyword_${word}`, word, reserved ? [Word] : [Name, Word])]),
)

/** The token type of a keyword or of punctuation. */
export function sign(text: string): TokenType {
  const type = PUNCTUATION.get(text) ?? KEYWORD_TYPES.get(text)
  if (type === undefined) throw new Error(`no token type for ${text}`)
  return type
}

export const TOKEN_TYPES: TokenType[] = [
  Word, Name, Literal, Identifier, Underscore, Int, Float, Duration, Size, TokenCount, Percent, Money, Text, TemplateHead, TemplateMiddle,
  TemplateTail, ...PUNCTUATION.values(), ...KEYWORD_TYPES.values(),
]
