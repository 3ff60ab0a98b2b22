// Comment: a comment of a file, where it stands and what it says. Apart from the lexer, so that what parsing gives back can be described without it.
import type { Span } from './ast.ts'

export interface Comment extends Span {
  readonly text: string
}
