// PrintDeclarations: declarations, their bodies, tasks and clauses.
// Owns: the order of parts and where heads break. Does not own: expressions (print-expressions.ts).
import type {
  AgentMember, AgentMemory, ApproveClause, Clause, Declaration, EnsureClause, Expr, GivenMember, LoopMember, Param, Path, PromptValue, Span, StringExpr, TaskDecl, TestMember, TypeNode, Value, WorkflowDecl,
  WorkflowMember,
} from './ast.ts'
import { PAGE_WIDTH } from './flat.ts'
import { PrintExpressions } from './print-expressions.ts'

/** One part of a task's head: a word and what follows it. */
interface HeadPart {
  readonly at: Span
  readonly text: string | null
  readonly write: () => void
}

/** Expressions that open a bracket early, and so may begin on the line of their `=` though they end on another. */
const OPENING = new Set(['record', 'list', 'call', 'match', 'string-literal', 'template', 'prompt-value', 'lambda', 'if', 'comprehension', 'group'])

type Member = WorkflowMember | AgentMember | LoopMember | TestMember

export class PrintDeclarations extends PrintExpressions {
  declaration(node: Declaration): void {
    switch (node.kind) {
      case 'edition': return this.write(`edition ${node.year}`)
      case 'use': return this.use(node)
      case 'can': case 'limits': return this.member(node)
      case 'accept': {
        this.write('accept risk ')
        return this.string(node.reason)
      }
      case 'type': {
        this.write(`type ${node.name.text} =`)
        return this.typeAfterEquals(node.type)
      }
      case 'const': {
        this.write(`const ${node.name.text}`)
        this.typeOf(node.type)
        return this.assign(node.value)
      }
      case 'secret': case 'model': {
        this.write(`${node.kind} ${node.name.text}`)
        return this.assign(node.value)
      }
      case 'capability': {
        this.write(`capability ${node.name.text} = `)
        return this.grants(node.grants)
      }
      case 'prompt': {
        this.write(`prompt ${node.name.text}`)
        this.params(node.params, node.text.start)
        this.write(' ')
        return this.string(node.text)
      }
      case 'workflow': return this.workflow(node)
      case 'agent': {
        this.write(`agent ${node.name.text}`)
        if (node.leads.length > 0) {
          this.write(' leads ')
          this.paths(node.leads)
        }
        return this.body(node, node.body, (node.leads.at(-1) ?? node.name).end)
      }
      case 'loop': {
        this.write(`loop ${node.name.text}`)
        if (node.evolves !== null) this.write(` evolves ${this.flat.path(node.evolves)}`)
        if (node.over !== null) {
          this.write(' over ')
          this.expr(node.over, 2)
        }
        return this.body(node, node.body, (node.over ?? node.evolves ?? node.name).end)
      }
      case 'test': {
        this.write('test ')
        this.string(node.name)
        return this.body(node, node.body, node.name.end)
      }
    }
  }

  private string(node: StringExpr): void {
    this.refuseComments(node.start)
    this.write(this.flat.written(node))
  }

  private paths(paths: readonly Path[]): void {
    this.commas(paths, path => this.flat.path(path), path => this.write(this.flat.path(path)))
  }

  private typeOf(type: TypeNode | null): void {
    if (type === null) return
    this.write(': ')
    this.type(type, 2)
  }

  private typeAfterEquals(type: TypeNode): void {
    const flat = this.flat.type(type)
    const next = type.kind === 'type-union' && !this.fits(flat, 1)
    if (!next) {
      this.write(' ')
      return this.type(type)
    }
    this.indented(() => {
      this.line()
      this.type(type)
    })
  }

  private use({ what }: Declaration & { kind: 'use' }): void {
    if (what.kind === 'module') return this.write(`use ${this.flat.path(what.path)}${what.alias === null ? '' : ` as ${what.alias.text}`}`)
    if (what.kind === 'plugin') return this.write(`use plugin ${what.source.text} as ${what.alias.text}`)
    if (what.kind === 'mcp') return this.write(`use mcp ${what.server.text} as ${what.alias.text}`)
    this.write(`use ${what.file.text}`)
    if (what.names.length === 0) return
    this.write(' (')
    this.commas(what.names, name => name.text, name => this.write(name.text))
    this.write(')')
  }

  private params(params: readonly Param[], end: number): void {
    const flat = this.flat.join(params.map(param => this.flatParam(param)), ', ')
    if (flat !== null && this.fits(`(${flat})`, 2)) return this.write(`(${flat})`)
    if (params.length === 0) return this.write('()')
    const close = this.source.lastIndexOf(')', end)
    this.brackets('(', params, { start: params[0]!.start - 1, end: close + 1 }, ')', param => {
      this.write(`${param.name.text}: `)
      this.type(param.type, 1)
      if (param.default !== null) {
        this.write(' = ')
        this.expr(param.default, 1)
      }
    })
  }

  private flatParam(param: Param): string | null {
    if (param.doc !== '') return null
    const typed = this.flat.join([param.name.text, this.flat.type(param.type)], ': ')
    return param.default === null ? typed : this.flat.join([typed, this.flat.expr(param.default)], ' = ')
  }

  private workflow(node: WorkflowDecl): void {
    this.write(`workflow ${node.name.text}`)
    const bodyStart = this.bodyStart(node)
    this.params(node.params, node.result?.start ?? bodyStart)
    if (node.result !== null) {
      this.write(' -> ')
      this.type(node.result, 2)
    }
    const returns: (Span & { kind: 'return'; value: Expr })[] = []
    if (node.returns !== null) returns.push({ kind: 'return', value: node.returns, start: this.source.lastIndexOf('return', node.returns.start), end: node.returns.end })
    this.refuseComments(bodyStart)
    this.braced([...node.body, ...returns], bodyStart, node.end, member => {
      if (member.kind !== 'return') return this.member(member)
      this.write('return')
      this.value(member.value)
    })
  }

  /** The `{` of a workflow stands after its result type or its parameters; types and defaults may hold braces too. */
  private bodyStart(node: WorkflowDecl): number {
    const from = node.result?.end ?? node.params.at(-1)?.end ?? node.name.end
    return this.source.indexOf('{', this.afterComments(from))
  }

  private afterComments(from: number): number {
    const open = this.source.indexOf('{', from)
    if (/\/[/*]/.test(this.source.slice(from, open < 0 ? undefined : open))) this.refuseComments(this.source.length)
    return from
  }

  private body(node: Span, members: readonly Member[], from: number): void {
    const start = this.source.indexOf('{', from)
    this.refuseComments(start)
    this.braced(members, start, node.end, member => this.member(member))
  }

  private braced<Item extends Span>(items: readonly Item[], start: number, end: number, write: (item: Item) => void): void {
    if (items.length === 0 && !/\/[/*]/.test(this.source.slice(start, end))) return this.write(' {}')
    this.write(` {${this.trailing(start + 1)}`)
    this.indented(() => this.lines(items, start + 1, end - 1, () => '', write))
    this.line()
    this.write('}')
  }

  private member(node: Member): void {
    switch (node.kind) {
      case 'can': {
        this.write('can ')
        return this.grants(node.grants)
      }
      case 'limits': {
        this.write('limits ')
        return this.expr(node.values)
      }
      case 'on-failure': return this.onFailure(node)
      case 'trigger': return this.trigger(node.on)
      case 'task': {
        this.write(`task ${node.name.text}`)
        this.head(this.taskParts(node))
        return this.value(node.value, ' =')
      }
      case 'let': {
        this.write(`let ${node.name.text}`)
        this.typeOf(node.type)
        return this.assign(node.value)
      }
      case 'stage': {
        this.write(node.stage)
        this.head([...this.byAndResult(node), ...node.clauses.map(clause => this.clausePart(clause))])
        return this.value(node.value, ' =')
      }
      case 'gate': {
        this.write('gate ')
        this.string(node.name)
        return this.assign(node.condition)
      }
      case 'outcome': return this.outcome(node)
      default: return this.wordAndValue(node)
    }
  }

  private wordAndValue(node: Extract<Member, { kind: 'agent-model' | 'agent-role' | 'agent-tools' | 'agent-approve' | 'after-untrusted' | 'agent-memory' | 'stop-when' | GivenMember['kind'] | 'expect' }>): void {
    switch (node.kind) {
      case 'agent-model': return this.worded('model', node.value)
      case 'agent-role': return this.worded('role', node.value)
      case 'agent-memory': return this.memory(node)
      case 'after-untrusted': return this.write(`after untrusted ${node.action}`)
      case 'stop-when': return this.worded('stop when', node.condition)
      case 'given': return this.worded(`given ${this.flat.path(node.agent)} replies`, node.replies)
      case 'given-cassette': {
        this.write(`given ${this.flat.path(node.agent)} replays `)
        return this.string(node.cassette)
      }
      case 'given-tool': return this.worded(`given ${this.flat.path(node.tool)} ${node.does}`, node.value)
      case 'expect': return this.worded('expect', node.condition)
      case 'agent-tools': case 'agent-approve': {
        this.write(node.kind === 'agent-tools' ? 'tools ' : 'approve ')
        return this.paths(node.tools)
      }
    }
  }

  private memory({ scope, thread, keep, summarises }: AgentMemory): void {
    if (thread === null) this.write(`memory ${scope}`)
    else this.worded('memory thread', thread)
    if (keep !== null) {
      this.refuseComments(keep.start)
      this.write(` keep ${keep.text}`)
    }
    if (summarises) this.write(' summarise')
  }

  private worded(words: string, value: Expr): void {
    this.write(words)
    this.value(value)
  }

  private trigger(on: (WorkflowMember & { kind: 'trigger' })['on']): void {
    switch (on.kind) {
      case 'every': {
        this.worded('every', on.value)
        return this.missed(on.skips)
      }
      case 'file': return this.worded('on file', on.value)
      case 'cron': {
        this.write('cron ')
        this.string(on.text)
        if (on.zone !== null) {
          this.write(' in ')
          this.string(on.zone)
        }
        return this.missed(on.skips)
      }
      case 'webhook': {
        this.write('on webhook ')
        this.string(on.text)
        if (on.secret === null) return
        this.refuseComments(on.secret.start)
        return this.write(` signed ${on.secret.text}`)
      }
    }
  }

  private missed(skips: boolean): void {
    if (skips) this.write(' missed skip')
  }

  private onFailure(node: WorkflowMember & { kind: 'on-failure' }): void {
    if (node.action.kind === 'use') this.worded('on failure use', node.action.value)
    else this.write(`on failure ${node.action.kind}`)
  }

  private outcome(node: LoopMember & { kind: 'outcome' }): void {
    const actions = this.flat.join(node.actions.map(action => this.flat.expr(action)), ', ')
    const when = this.flat.expr(node.when)
    const whole = this.flat.join([`${node.outcome} when`, when, ...(node.actions.length === 0 ? [] : ['do', actions])], ' ')
    this.refuseComments(node.start)
    if (this.fits(whole)) return this.write(whole)
    this.worded(`${node.outcome} when`, node.when)
    if (node.actions.length === 0) return
    this.indented(() => {
      this.line()
      this.write('do ')
      this.commas(node.actions, action => this.flat.expr(action), action => this.expr(action))
    })
  }

  private taskParts(node: TaskDecl): HeadPart[] {
    const parts: HeadPart[] = []
    const { forEach, after, when } = node
    if (forEach !== null) parts.push(this.part(forEach.item, `for ${forEach.item.text} in`, forEach.list))
    const [by, result] = [node.by, node.result]
    parts.push(...this.byAndResult({ by, result }))
    if (after.length > 0) {
      const text = `after ${after.map(name => name.text).join(', ')}`
      parts.push({ at: after[0]!, text, write: () => this.write(text) })
    }
    if (when !== null) parts.push(this.part(when, 'when', when))
    return [...parts, ...node.clauses.map(clause => this.clausePart(clause))]
  }

  private byAndResult({ by, result }: { by: Path | null; result: TypeNode | null }): HeadPart[] {
    const parts: HeadPart[] = []
    if (by !== null) parts.push({ at: by, text: `by ${this.flat.path(by)}`, write: () => this.write(`by ${this.flat.path(by)}`) })
    if (result !== null) {
      parts.push({ at: result, text: this.flat.join(['->', this.flat.type(result)], ' '), write: () => {
        this.write('-> ')
        this.type(result)
      } })
    }
    return parts
  }

  private part(at: Span, words: string, value: Expr): HeadPart {
    return { at, text: this.flat.join([words, this.flat.expr(value)], ' '), write: () => {
      this.write(`${words} `)
      this.expr(value)
    } }
  }

  private clausePart(clause: Clause): HeadPart {
    switch (clause.kind) {
      case 'retry': {
        const backoff = clause.backoff === null ? '' : ` backoff ${clause.backoff.from.text}${clause.backoff.to === null ? '' : `..${clause.backoff.to.text}`}`
        return this.words(clause, `retry ${clause.count}${backoff}`)
      }
      case 'timeout': return this.words(clause, `timeout ${clause.value.text}`)
      case 'cache': {
        const words = `cache${clause.age === null ? '' : ` ${clause.age.text}`}`
        return clause.by === null ? this.words(clause, words) : this.part(clause, `${words} by`, clause.by)
      }
      case 'verify': {
        const words = `verify ${clause.runs}${clause.upTo === null ? ` agree ${clause.agree}` : `..${clause.upTo}`}`
        if (clause.key !== null) return this.part(clause, `${words} key`, clause.key)
        return this.words(clause, clause.judge === null ? words : `${words} judge ${this.flat.path(clause.judge)}`)
      }
      case 'evidence': return this.words(clause, `evidence ${clause.passes.text}`)
      case 'priority': return this.words(clause, `priority ${clause.level.text}`)
      case 'needs': return this.part(clause, 'needs', clause.values)
      case 'parallel': return this.part(clause, 'parallel', clause.width)
      case 'on-failure': return clause.action.kind === 'use' ? this.part(clause, 'on failure use', clause.action.value) : this.words(clause, `on failure ${clause.action.kind}`)
      case 'wait': return this.part(clause, clause.until ? 'wait until' : 'wait', clause.value)
      case 'approve': return this.approve(clause)
      case 'label': return this.part(clause, 'label', clause.text)
      case 'ensure': return this.ensure(clause)
    }
  }

  /** The question, then its deadlines on the same line where they fit, each `escalate` on a line of its own where not. */
  private approve(clause: ApproveClause): HeadPart {
    const { question, within, escalate } = clause
    const deadlines = [...(within === null ? [] : [`within ${within.text}`]), ...escalate.map(each => `escalate ${this.flat.written(each.to)} within ${each.within.text}`)]
    return { at: clause, text: this.flat.join(['approve', this.flat.expr(question), ...deadlines], ' '), write: () => {
      this.write('approve ')
      this.expr(question)
      this.indented(() => {
        for (const deadline of deadlines) {
          if (this.fits(deadline, ' '.length + ' ='.length)) this.write(' ')
          else this.line()
          this.write(deadline)
        }
      })
    } }
  }

  /** What is said follows on the same line where it fits. */
  private ensure({ condition, says, ...at }: EnsureClause): HeadPart {
    if (says === null) return this.part(at, 'ensure', condition)
    const otherwise = this.flat.join(['else', this.flat.expr(says)], ' ')
    return { at, text: this.flat.join(['ensure', this.flat.expr(condition), otherwise], ' '), write: () => {
      this.write('ensure ')
      this.expr(condition)
      this.indented(() => {
        if (this.fits(otherwise, ' '.length + ' ='.length)) this.write(' ')
        else this.line()
        this.write('else ')
        this.expr(says)
      })
    } }
  }

  private words(at: Span, text: string): HeadPart {
    return { at, text, write: () => this.write(text) }
  }

  /** Parts one after another, on to a further line, deeper than a value, where they do not fit. */
  private head(parts: readonly HeadPart[]): void {
    this.indented(() => {
      for (const { at, text, write } of parts) {
        this.refuseComments(at.start)
        if (text === null || this.fits(text, ' '.length + ' ='.length)) this.write(' ')
        else this.line()
        write()
      }
    }, 4)
  }

  private assign(value: Expr): void {
    this.value(value, ' =')
  }

  /** ` = value`: on the same line if it fits or opens a bracket there, else on the next. */
  private value(value: Value, sign = ''): void {
    const flat = value.kind === 'prompt-value' ? null : this.flat.expr(value)
    this.write(sign)
    this.refuseComments(value.start)
    if (this.fits(flat, 1) || (OPENING.has(value.kind) && this.opensHere(value))) {
      this.write(' ')
      return this.printValue(value)
    }
    if (sign === '') this.write(' ')
    this.indented(() => {
      if (sign !== '') this.line()
      this.printValue(value)
    })
  }

  /** True when the value's first line surely fits behind what is written. */
  private opensHere(value: Value): boolean {
    const room = PAGE_WIDTH - this.column - 1
    if (value.kind === 'prompt-value') return 'prompt '.length + this.firstLine(value.text) <= room
    if (value.kind === 'string-literal' || value.kind === 'template') return this.firstLine(value) <= room
    if (value.kind === 'call') return (this.flat.expr(value.callee)?.length ?? PAGE_WIDTH) + 1 <= room
    if (value.kind === 'if') return (this.flat.expr(value.condition)?.length ?? PAGE_WIDTH) + 'if  then '.length + (this.flat.expr(value.then)?.length ?? PAGE_WIDTH) <= room
    if (value.kind === 'match') return (this.flat.expr(value.subject)?.length ?? PAGE_WIDTH) + 'match  {'.length <= room
    return value.kind === 'lambda' || value.kind === 'group' ? false : room >= 1
  }

  private firstLine(text: StringExpr): number {
    return this.flat.written(text).split('\n', 1)[0]!.length
  }

  private printValue(value: Value): void {
    if (value.kind !== 'prompt-value') return this.expr(value)
    this.write('prompt ')
    this.string((value as PromptValue).text)
  }
}
