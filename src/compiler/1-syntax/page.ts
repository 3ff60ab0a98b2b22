// Page: the text being written by the formatter, and the comments still to be placed in it.
// Owns: lines, indentation, comments. Does not own: layout (print-*.ts).
//   G1. A comment is placed before the item it precedes or after the item whose line it ends; every comment is placed once.
//   G2. Where a comment stands anywhere else, `OddComment` is thrown and the smallest item around it is copied as it is written.
import type { Span } from './ast.ts'
import { Flat, PAGE_WIDTH } from './flat.ts'
import type { Comment } from './comment.ts'

/** Thrown when a comment stands where no layout has a place for it (G2). */
export class OddComment extends Error {}

export class Page {
  readonly flat: Flat
  protected readonly source: string
  protected indent = 0
  private readonly comments: readonly Comment[]
  private next = 0
  private out = ''
  private lineStart = 0

  constructor(source: string, comments: readonly Comment[]) {
    this.source = source
    this.comments = comments
    this.flat = new Flat(source, (start, end) => this.hasComment(start, end))
  }

  /** All that was written since the last call. */
  take(): string {
    const { out } = this
    this.out = ''
    this.lineStart = 0
    return out
  }

  write(text: string): void {
    this.out += text
    const line = text.lastIndexOf('\n')
    if (line >= 0) this.lineStart = this.out.length - (text.length - line - 1)
  }

  line(): void {
    this.out = `${this.out}\n${' '.repeat(this.indent)}`
    this.lineStart = this.out.length - this.indent
  }

  private blankLine(): void {
    this.out += '\n'
  }

  get column(): number {
    return this.out.length - this.lineStart
  }

  /** True when `text` fits on the rest of the line, with `after` characters behind it. */
  fits(text: string | null, after = 0): text is string {
    return text !== null && this.column + text.length + after <= PAGE_WIDTH
  }

  indented(write: () => void, by = 2): void {
    this.indent += by
    write()
    this.indent -= by
  }

  private hasComment(start: number, end: number): boolean {
    if (this.comments.length === 0) return false
    return this.comments.some(comment => comment.start >= start && comment.end <= end)
  }

  /** The comments before `offset` that are not placed yet; they count as placed. */
  protected commentsBefore(offset: number): readonly Comment[] {
    const first = this.next
    while (this.next < this.comments.length && this.comments[this.next]!.start < offset) this.next++
    return this.comments.slice(first, this.next)
  }

  /** At a place where no comment can be put: throws if one stands before `offset` (G2). */
  refuseComments(offset: number): void {
    const comment = this.comments[this.next]
    if (comment !== undefined && comment.start < offset) throw new OddComment()
  }

  /** The comment that ends the line on which `end` lies, if it is the next one; it counts as placed. */
  protected trailing(end: number): string {
    const comment = this.comments[this.next]
    if (comment === undefined || comment.start < end) return ''
    const between = this.source.slice(end, comment.start)
    if (!/^[ \t]*[,)]?[ \t]*$/.test(between) || !/^[ \t]*,?[ \t]*(\r?\n|$)/.test(this.source.slice(comment.end))) return ''
    if (comment.text.includes('\n')) return ''
    this.next++
    return ` ${comment.text.trimEnd()}`
  }

  /** Where the comments begin that stand before `offset`, or `offset`. */
  protected commentsStart(offset: number): number {
    const comment = this.comments[this.next]
    return comment !== undefined && comment.start < offset ? comment.start : offset
  }

  /** True when a blank line stands between two places of the source. */
  protected blankBetween(end: number, start: number): boolean {
    return /\n[ \t\r]*\n/.test(this.source.slice(end, start))
  }

  /**
   * Items on lines of their own at the present indentation, each after its comments, blank lines kept (at most one together).
   *
   * @param after what follows each item on its line, before its comment.
   * @param end where the bracket around them closes; comments before it come last.
   */
  lines<Item extends Span>(items: readonly Item[], begin: number, end: number, after: (last: boolean) => string, write: (item: Item) => void): void {
    let before = begin
    let first = true
    const open = (start: number): void => {
      if (!first && this.blankBetween(before, start)) this.blankLine()
      this.line()
      first = false
    }
    const comments = (until: number): void => {
      for (const comment of this.commentsBefore(until)) {
        open(comment.start)
        this.write(comment.text.trimEnd().replaceAll('\r\n', '\n'))
        before = comment.end
      }
    }
    items.forEach((item, index) => {
      comments(item.start)
      open(item.start)
      this.guarded(item, () => write(item))
      this.write(after(index === items.length - 1) + this.trailing(item.end))
      before = this.endOfLast(item.end)
    })
    comments(end)
  }

  private endOfLast(end: number): number {
    const placed = this.comments[this.next - 1]
    return placed !== undefined && placed.end > end ? placed.end : end
  }

  /** Writes an item; copies it as it is written when a comment has no place in its layout (G2). */
  guarded(item: Span, write: () => void): void {
    const { out, lineStart, next, indent } = this
    try {
      write()
      this.refuseComments(item.end)
    } catch (error) {
      if (!(error instanceof OddComment)) throw error
      Object.assign(this, { out, lineStart, next, indent })
      this.write(this.flat.written(item))
      this.commentsBefore(item.end)
    }
  }
}
