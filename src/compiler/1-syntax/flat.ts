// Flat: expressions and types on one line, when they fit.
// Owns: spacing within a line. Does not own: what happens when the line is too short (print-*.ts).
//   F1. Null means "not on one line": longer than the page is wide, with a line break inside a string, or held open by its author,
//       who put a line break after its opening bracket.
//   F2. Each node is measured once (`memo`), so that printing a tree is linear in its size.
import type { Arg, Expr, GrantNode, MatchArm, Path, Pattern, RecordEntry, Refinement, TypeField, TypeNode } from './ast.ts'

export const PAGE_WIDTH = 100

/** Lists in brackets that stay open when their author opened them. */
type Bracketed = { readonly start: number; readonly end: number }

export class Flat {
  readonly source: string
  private readonly memo = new Map<object, string | null>()
  private readonly hasComment: (start: number, end: number) => boolean

  /** @param source the text of the piece; strings and numbers are copied from it as they are written. */
  constructor(source: string, hasComment: (start: number, end: number) => boolean) {
    this.source = source
    this.hasComment = hasComment
  }

  /** A stretch of the source as written. */
  written({ start, end }: Bracketed): string {
    return this.source.slice(start, end).replaceAll('\r\n', '\n')
  }

  private once(node: Bracketed, make: () => string | null): string | null {
    const known = this.memo.get(node)
    if (known !== undefined) return known
    let text = this.hasComment(node.start, node.end) ? null : make()
    if (text !== null && (text.length > PAGE_WIDTH || text.includes('\n'))) text = null // F1
    this.memo.set(node, text)
    return text
  }

  /** `parts` joined, or null when one of them is. */
  join(parts: readonly (string | null)[], separator: string): string | null {
    let all = ''
    for (const [index, part] of parts.entries()) {
      if (part === null) return null
      all += index === 0 ? part : separator + part
    }
    return all
  }

  private around(open: string, inner: string | null, close: string): string | null {
    return inner === null ? null : open + inner + close
  }

  /** True when a line break follows the opening bracket at `start`. */
  heldOpen(start: number): boolean {
    return /^[ \t]*\r?\n/.test(this.source.slice(start + 1, start + 80))
  }

  path(path: Path): string {
    return path.parts.map(part => part.text).join('.')
  }

  expr(node: Expr): string | null {
    return this.once(node, () => this.measure(node))
  }

  private measure(node: Expr): string | null {
    switch (node.kind) {
      case 'literal': return node.text
      case 'string-literal': case 'template': return this.written(node)
      case 'name-expr': return node.name
      case 'list': return this.heldOpen(node.start) ? null : this.around('[', this.join(node.items.map(item => this.expr(item)), ', '), ']')
      case 'comprehension': {
        const parts = [this.expr(node.value), `for ${node.item.text} in`, this.expr(node.list), ...(node.condition === null ? [] : ['if', this.expr(node.condition)])]
        return this.around('[', this.join(parts, ' '), ']')
      }
      case 'record': return this.braces(node, node.entries.map(entry => this.entry(entry)))
      case 'member': return this.join([this.expr(node.object), node.name.text], node.optional ? '?.' : '.')
      case 'index': return this.join([this.expr(node.object), this.around('[', this.expr(node.index), ']')], '')
      case 'call': return this.join([this.expr(node.callee), this.args(node.args)], '')
      case 'lambda': return this.join([node.param.text, this.expr(node.body)], ' => ')
      case 'unary': return this.around(node.op === '-' ? '-' : 'not ', this.expr(node.value), '')
      case 'binary': return this.join([this.expr(node.left), node.op, this.expr(node.right)], ' ')
      case 'pipe': return this.join([this.expr(node.left), '|>', this.target(node.target, node.args)], ' ')
      case 'if': return this.join(['if', this.expr(node.condition), 'then', this.expr(node.then), 'else', this.expr(node.else)], ' ')
      case 'match': return this.join(['match', this.expr(node.subject), this.braces({ start: this.armsStart(node), end: node.end }, node.arms.map(arm => this.arm(arm)))], ' ')
      case 'group': return this.around('(', this.expr(node.inner), ')')
      case 'error-expr': return this.written(node)
    }
  }

  /** Where the `{` of a match stands. */
  armsStart(node: { readonly subject: Expr; readonly end: number }): number {
    return this.source.indexOf('{', node.subject.end)
  }

  private braces(node: Bracketed, parts: readonly (string | null)[]): string | null {
    if (this.heldOpen(node.start) && parts.length > 0) return null
    return parts.length === 0 ? '{}' : this.around('{ ', this.join(parts, ', '), ' }')
  }

  target(path: Path, args: readonly Arg[] | null): string | null {
    return args === null ? this.path(path) : this.join([this.path(path), this.args(args)], '')
  }

  args(args: readonly Arg[]): string | null {
    return this.around('(', this.join(args.map(arg => this.arg(arg)), ', '), ')')
  }

  arg(arg: Arg): string | null {
    return arg.name === null ? this.expr(arg.value) : this.join([arg.name.text, this.expr(arg.value)], ': ')
  }

  entry(entry: RecordEntry): string | null {
    return entry.kind === 'spread' ? this.around('...', this.expr(entry.value), '') : this.join([this.written(entry.key), this.expr(entry.value)], ': ')
  }

  arm(arm: MatchArm): string | null {
    return this.join([this.patterns(arm.patterns), this.expr(arm.value)], ' => ')
  }

  patterns(patterns: readonly Pattern[]): string {
    return patterns.map(pattern => this.signed(pattern)).join(' | ')
  }

  /** A signed literal, without blanks after its sign. */
  private signed(node: Bracketed): string {
    const written = this.written(node)
    return written.startsWith('-') ? `-${written.slice(1).trimStart()}` : written
  }

  grant(grant: GrantNode): string | null {
    return this.once(grant, () => this.target(grant.path, grant.args))
  }

  type(node: TypeNode): string | null {
    return this.once(node, () => this.measureType(node))
  }

  private measureType(node: TypeNode): string | null {
    switch (node.kind) {
      case 'type-name': return this.typeName(node)
      case 'type-record': return this.braces(node, node.fields.map(field => this.field(field)))
      case 'type-literal': return this.signed(node)
      case 'type-list': return this.around('', this.inner(node.item, true), '[]')
      case 'type-optional': return this.around('', this.inner(node.inner, true), '?')
      case 'type-union': return this.join(node.members.map(member => this.inner(member, false)), ' | ')
      case 'type-qualified': return this.around(`${node.qualifier} `, this.inner(node.inner, false), '')
      case 'type-error': return this.written(node)
    }
  }

  private typeName(node: TypeNode & { kind: 'type-name' }): string | null {
    const of = node.of === null ? '' : this.around('<', this.type(node.of), '>')
    const refinements = node.refinements.length === 0 ? '' : this.around('(', this.join(node.refinements.map(each => this.refinement(each)), ', '), ')')
    return this.join([this.path(node.path), of, refinements], '')
  }

  /** Parentheses are not in the tree of a type; they come back where precedence wants them. */
  private inner(node: TypeNode, tight: boolean): string | null {
    const wrapped = node.kind === 'type-union' || (tight && node.kind === 'type-qualified')
    return wrapped ? this.around('(', this.type(node), ')') : this.type(node)
  }

  refinement(node: Refinement): string | null {
    if (node.name !== null) return this.join([node.name.text, this.expr(node.value)], ': ')
    return node.to === null ? this.expr(node.value) : this.join([this.expr(node.value), this.expr(node.to)], '..')
  }

  field(field: TypeField): string | null {
    return this.join([this.written(field.name) + (field.optional ? '?' : ''), this.type(field.type)], ': ')
  }
}
