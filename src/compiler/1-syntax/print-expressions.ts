// PrintExpressions: expressions and types that do not fit on one line.
// Owns: where they break. Does not own: spacing within a line (flat.ts).
import type { Arg, BinaryExpr, Expr, GrantNode, IfExpr, MatchArm, PipeExpr, RecordEntry, Span, TypeField, TypeNode } from './ast.ts'
import { Page } from './page.ts'

/** Binary operators that are broken together, as one chain. */
const CHAINS: readonly (readonly string[])[] = [['or'], ['and'], ['??'], ['+', '-'], ['*', '/']]

export class PrintExpressions extends Page {
  /** @param after how many characters must follow on the same line. */
  expr(node: Expr, after = 0): void {
    this.refuseComments(node.start)
    const flat = this.flat.expr(node)
    if (this.fits(flat, after)) return this.write(flat)
    switch (node.kind) {
      case 'list': return this.brackets('[', node.items, node, ']', item => this.expr(item, 1))
      case 'record': return this.brackets('{', node.entries, node, '}', entry => this.entry(entry))
      case 'comprehension': return this.comprehension(node)
      case 'member': {
        this.expr(node.object)
        return this.write(`${node.optional ? '?.' : '.'}${node.name.text}`)
      }
      case 'index': {
        this.expr(node.object)
        this.write('[')
        this.expr(node.index, 1)
        return this.write(']')
      }
      case 'call': {
        this.expr(node.callee)
        return this.args(node.args, node.callee.end, node.end)
      }
      case 'lambda': {
        this.write(`${node.param.text} => `)
        return this.expr(node.body, after)
      }
      case 'unary': {
        this.write(node.op === '-' ? '-' : 'not ')
        return this.expr(node.value, after)
      }
      case 'binary': return this.binary(node, after)
      case 'pipe': return this.pipe(node)
      case 'if': return this.ifExpr(node, after)
      case 'match': {
        this.write('match ')
        this.expr(node.subject, 2)
        this.write(' ')
        return this.brackets('{', node.arms, { start: this.flat.armsStart(node), end: node.end }, '}', arm => this.arm(arm))
      }
      case 'group': {
        this.write('(')
        this.indented(() => this.expr(node.inner, 1))
        return this.write(')')
      }
      default: this.write(flat ?? this.flat.written(node))
    }
  }

  /** A bracket with each item on a line of its own, and a comma after the last. */
  brackets<Item extends Span>(open: string, items: readonly Item[], node: Span, close: string, write: (item: Item) => void, comma = ','): void {
    this.write(open + this.trailing(node.start + 1))
    this.indented(() => this.lines(items, node.start + 1, node.end - 1, last => (last ? comma : ','), write))
    this.line()
    this.write(close)
  }

  args(args: readonly Arg[], start: number, end: number): void {
    const [only] = args
    const hugs = args.length === 1 && only!.name === null && ['record', 'list', 'comprehension', 'string-literal', 'template', 'match'].includes(only!.value.kind)
    const flat = this.flat.args(args)
    if (this.fits(flat)) return this.write(flat)
    if (args.length === 0) {
      this.refuseComments(end)
      return this.write('()')
    }
    if (!hugs) return this.brackets('(', args, { start, end }, ')', arg => this.arg(arg))
    this.write('(')
    this.expr(only!.value, 1)
    this.refuseComments(end)
    this.write(')')
  }

  private arg(arg: Arg): void {
    if (arg.name !== null) this.write(`${arg.name.text}: `)
    this.expr(arg.value, 1)
  }

  private entry(entry: RecordEntry): void {
    this.write(entry.kind === 'spread' ? '...' : `${this.flat.written(entry.key)}: `)
    this.expr(entry.value, 1)
  }

  private arm(arm: MatchArm): void {
    this.write(`${this.flat.patterns(arm.patterns)} => `)
    this.expr(arm.value, 1)
  }

  private comprehension(node: Expr & { kind: 'comprehension' }): void {
    this.write('[')
    this.indented(() => {
      this.line()
      this.expr(node.value)
      this.line()
      this.write(`for ${node.item.text} in `)
      this.expr(node.list)
      if (node.condition !== null) {
        this.line()
        this.write('if ')
        this.expr(node.condition)
      }
    })
    this.refuseComments(node.end)
    this.line()
    this.write(']')
  }

  private binary(node: BinaryExpr, after: number): void {
    const chain = CHAINS.find(ops => ops.includes(node.op)) ?? [node.op]
    const operands: { op: string; value: Expr }[] = []
    let first: Expr = node
    while (first.kind === 'binary' && chain.includes(first.op)) {
      operands.push({ op: first.op, value: first.right })
      first = first.left
      if (chain.length === 1 && !CHAINS.includes(chain)) break // comparisons are not chained
    }
    this.expr(first)
    this.indented(() => {
      for (const [index, { op, value }] of operands.reverse().entries()) {
        this.line()
        this.write(`${op} `)
        this.expr(value, index === operands.length - 1 ? after : 0)
      }
    })
  }

  private pipe(node: PipeExpr): void {
    const steps: PipeExpr[] = []
    let first: Expr = node
    while (first.kind === 'pipe') {
      steps.push(first)
      first = first.left
    }
    this.expr(first)
    this.indented(() => {
      for (const step of steps.reverse()) {
        this.line()
        this.refuseComments(step.target.start)
        this.write(`|> ${this.flat.path(step.target)}`)
        if (step.args !== null) this.args(step.args, step.target.end, step.end)
      }
    })
  }

  private ifExpr(node: IfExpr, after: number): void {
    this.write('if ')
    this.expr(node.condition, ' then'.length)
    this.write(' then ')
    this.indented(() => this.expr(node.then))
    this.indented(() => {
      let last: Expr = node.else
      while (last.kind === 'if') {
        this.line()
        this.refuseComments(last.start)
        this.write('else if ')
        this.expr(last.condition, ' then'.length)
        this.write(' then ')
        this.expr(last.then)
        last = last.else
      }
      this.line()
      this.write('else ')
      this.expr(last, after)
    })
  }

  type(node: TypeNode, after = 0): void {
    this.refuseComments(node.start)
    const flat = this.flat.type(node)
    if (this.fits(flat, after)) return this.write(flat)
    switch (node.kind) {
      case 'type-record': return this.brackets('{', node.fields, node, '}', field => this.field(field))
      case 'type-list': return this.innerType(node.item, true, '[]')
      case 'type-optional': return this.innerType(node.inner, true, '?')
      case 'type-qualified': {
        this.write(`${node.qualifier} `)
        return this.innerType(node.inner, false, '')
      }
      case 'type-union': return this.indented(() => node.members.forEach((member, index) => {
        if (index > 0) {
          this.line()
          this.write('| ')
        }
        this.innerType(member, false, '')
      }))
      case 'type-name': return this.typeName(node)
      default: this.write(flat ?? this.flat.written(node))
    }
  }

  private innerType(node: TypeNode, tight: boolean, after: string): void {
    const wrapped = node.kind === 'type-union' || (tight && node.kind === 'type-qualified')
    if (wrapped) this.write('(')
    this.type(node, after.length)
    this.write(`${wrapped ? ')' : ''}${after}`)
  }

  private typeName(node: TypeNode & { kind: 'type-name' }): void {
    this.write(this.flat.path(node.path))
    if (node.of !== null) {
      this.write('<')
      this.type(node.of, 1)
      this.write('>')
    }
    if (node.refinements.length === 0) return
    this.brackets('(', node.refinements, { start: node.path.end, end: node.end }, ')', each => this.write(this.flat.refinement(each) ?? this.flat.written(each)), '')
  }

  private field(field: TypeField): void {
    this.write(`${this.flat.written(field.name)}${field.optional ? '?' : ''}: `)
    this.type(field.type, 1)
  }

  /** `a, b, c` after a word, without brackets: on one line, else one a line. */
  commas<Item extends Span>(items: readonly Item[], flatOf: (item: Item) => string | null, write: (item: Item) => void): void {
    const flat = this.flat.join(items.map(flatOf), ', ')
    if (this.fits(flat)) return this.write(flat)
    this.indented(() => items.forEach((item, index) => {
      if (index > 0) {
        this.write(',')
        this.line()
      }
      this.refuseComments(item.start)
      write(item)
    }))
  }

  grants(grants: readonly GrantNode[]): void {
    this.commas(grants, grant => this.flat.grant(grant), grant => {
      this.write(this.flat.path(grant.path))
      if (grant.args !== null) this.args(grant.args, grant.path.end, grant.end)
    })
  }
}
