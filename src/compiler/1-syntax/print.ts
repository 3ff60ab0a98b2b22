// Print: the formatter, from a module and its text to its one layout.
// Owns: declarations in sequence, blank lines and comments between them. Does not own: the layout within (print-declarations.ts).
//   R1. Printing what was printed changes nothing, and the tree stays the same (spans aside).
//   R2. Every comment is kept; strings and numbers stay as written.
//   R3. Declarations stand in column 1 with a blank line between them; those of one line may stand together as their author grouped them.
import type { Declaration, Item, Module } from './ast.ts'
import type { Comment } from './comment.ts'
import { lex } from './lexer.ts'
import { commentsOf } from './parse.ts'
import { PrintDeclarations } from './print-declarations.ts'

/** A declaration or a comment between declarations, as it will be written. */
interface Chunk {
  readonly text: string
  readonly comment: boolean
  /** Whether a blank line stood before it. */
  readonly blankBefore: boolean
}

/**
 * The canonical text of a module: 2 blanks of indentation, at most 100 characters a line where that can be.
 *
 * @param module what `parse` gave for `text`, without errors.
 * @param text the very text that was parsed.
 * @example
 * print(parse(source).value, source.text)
 */
export function print(module: Module, text: string): string {
  const chunks: Chunk[] = []
  const groups = byOffset(module.items)
  const offsets = [...groups.keys()]
  const comments = commentsOf(module)
  let blank = false
  offsets.forEach((offset, index) => {
    const piece = new PiecePrinter(text.slice(offset, offsets[index + 1]), comments === undefined ? undefined : comments.get(offset) ?? [])
    chunks.push(...piece.chunks(groups.get(offset)!, blank))
    blank = piece.endsBlank
  })
  return join(chunks)
}

function byOffset(items: readonly Item[]): Map<number, Declaration[]> {
  // The first piece may hold nothing but comments.
  const groups = new Map<number, Declaration[]>([[0, []]])
  for (const { offset, declaration } of items) {
    const group = groups.get(offset)
    if (group === undefined) groups.set(offset, [declaration])
    else group.push(declaration)
  }
  return groups
}

class PiecePrinter extends PrintDeclarations {
  /** Whether a blank line follows the last thing in the piece. */
  endsBlank = false

  /** @param comments the comments of the piece, where they are known. */
  constructor(source: string, comments: readonly Comment[] | undefined) {
    super(source, comments ?? (/\/[/*]/.test(source) ? lex(source).comments : []))
  }

  chunks(declarations: readonly Declaration[], blankBefore: boolean): Chunk[] {
    const chunks: Chunk[] = []
    let before = 0
    const add = (text: string, start: number, comment: boolean): void => {
      const blank = (chunks.length === 0 && blankBefore) || this.blankBetween(before, start)
      chunks.push({ text, comment, blankBefore: blank })
    }
    const comments = (until: number): void => {
      for (const each of this.commentsBefore(until)) {
        add(each.text.trimEnd().replaceAll('\r\n', '\n'), each.start, true)
        before = each.end
      }
    }
    for (const declaration of declarations) {
      comments(declaration.start)
      this.guarded(declaration, () => this.declaration(declaration))
      const trailing = this.trailing(declaration.end)
      add(this.take() + trailing, declaration.start, false)
      before = declaration.end + trailing.length
    }
    comments(this.source.length + 1)
    this.endsBlank = this.blankBetween(before, this.source.length) || (before === 0 && blankBefore)
    return chunks
  }
}

/** Puts the blank lines between (R3): a comment goes with what follows it closely. */
function join(chunks: readonly Chunk[]): string {
  let text = ''
  chunks.forEach((chunk, index) => {
    const before = chunks[index - 1]
    if (before !== undefined) text += chunk.blankBefore || needsBlank(before, chunks, index) ? '\n\n' : '\n'
    text += chunk.text
  })
  return text === '' ? '' : `${text}\n`
}

function needsBlank(before: Chunk, chunks: readonly Chunk[], index: number): boolean {
  if (before.comment) return false
  let leads = index
  while (chunks[leads]!.comment && chunks[leads + 1]?.blankBefore === false) leads++
  return before.text.includes('\n') || (!chunks[leads]!.comment && chunks[leads]!.text.includes('\n'))
}
