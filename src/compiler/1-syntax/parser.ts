// Parser: the rules of declarations and their bodies; the parser as a whole.
// Owns: what may stand at top level, in a workflow, in a loop. Does not own: agents and tests (parser-agents.ts), cutting a file in pieces (parse.ts).
import { syntaxErrors } from '#diagnostics/catalog/syntax.ts'
import { didYouMean } from '#base/did-you-mean.ts'
import type { IOrAlt, ParserMethod } from 'chevrotain'
import type {
  Declaration, Expr, LoopDecl, LoopMember, Name, Param, Path, Span, StageName, UseDecl, WorkflowDecl, WorkflowMember,
} from './ast.ts'
import { HEADS, STAGES } from './keywords.ts'
import { tableOf } from './lookahead.ts'
import { capital } from './parser-base.ts'
import { ParserAgents } from './parser-agents.ts'
import { placeAt, replaceFix } from './problem.ts'
import { Name as NameToken, sign, TemplateHead, Text, Word } from './tokens.ts'

const [LPAREN, RPAREN, LBRACE, RBRACE, COMMA, COLON, EQUALS] = [sign('('), sign(')'), sign('{'), sign('}'), sign(','), sign(':'), sign('=')]

const HEAD = tableOf(HEADS.map(word => sign(word)))
const WORKFLOW_MEMBERS = new Set(['task', 'let', 'return', 'can', 'limits', 'on', 'every', 'cron'])
const MEMBER_KINDS: ReadonlySet<string> = new Set<WorkflowMember['kind']>(['can', 'limits', 'on-failure', 'trigger', 'task', 'let'])
const LOOP_MEMBERS = new Set<string>(['can', 'limits', 'every', 'cron', 'on', 'stop', 'gate', 'promote', 'rollback', ...STAGES])

/** Words of other languages that begin a declaration, and ours. */
const FOREIGN_HEADS: ReadonlyMap<string, string> = new Map([
  ['import', 'use'], ['from', 'use'], ['require', 'use'], ['include', 'use'], ['function', 'workflow'], ['func', 'workflow'], ['fn', 'workflow'],
  ['def', 'workflow'], ['flow', 'workflow'], ['pipeline', 'workflow'], ['var', 'const'], ['val', 'const'], ['let', 'const'], ['interface', 'type'], ['struct', 'type'],
  ['record', 'type'], ['enum', 'type'], ['class', 'type'], ['grant', 'capability'], ['permission', 'capability'], ['tests', 'test'], ['it', 'test'], ['describe', 'test'],
])

export class TekParser extends ParserAgents {
  /** @param validate whether Chevrotain checks the grammar for ambiguities; for the test that does (it costs 20 ms). */
  constructor(validate = false) {
    super(validate)
    this.performSelfAnalysis()
  }

  readonly file: ParserMethod<[], Declaration[]> = this.RULE('file', (): Declaration[] => {
    const declarations: Declaration[] = []
    this.needDeclaration()
    this.MANY(() => {
      declarations.push(this.SUBRULE(this.decl))
      this.needDeclaration()
    })
    return declarations
  })

  /** Between declarations: a misspelled or foreign head is taken for ours; anything else is reported and skipped. */
  private needDeclaration(): void {
    while (!this.RECORDING_PHASE && !this.atEnd && !this.nextIsOf(HEAD)) {
      const { image, startOffset: start, endOffset: end } = this.peek()
      const meant = this.nextIs(Word) ? this.headMeant(image) : null
      if (image === 'task' || image === 'return' || (image === 'let' && meant === null)) {
        this.complain({ start, end }, at => syntaxErrors['misplaced-declaration']({ word: image, place: 'outside a workflow' }, {
          at, help: ['Put it inside `workflow name() { … }`.'],
        }))
      } else if (this.nextIs(Word)) {
        const help = meant === null ? [`A declaration begins with ${HEADS.map(head => `\`${head}\``).join(', ')}.`] : [`Did you mean \`${meant}\`?`]
        const fixes = meant === null ? [] : [replaceFix(`Write \`${meant}\``, start, end, meant)]
        if (image === 'let') this.complain({ start, end }, at => syntaxErrors['misplaced-declaration']({ word: image, place: 'outside a workflow or test' }, { at, help, fixes }))
        else this.complain({ start, end }, at => syntaxErrors['unknown-declaration']({ word: image }, { at, help, fixes }))
      } else this.complain(this.blame(), at => syntaxErrors.unexpected({ found: capital(this.found()), place: 'between declarations' }, { at }))
      if (meant !== null) return this.replaceNext(sign(meant), meant)
      this.skipGroup()
      while (!this.atEnd && !(this.firstOnLine() && this.nextIsOf(HEAD))) this.skipGroup()
    }
  }

  private headMeant(word: string): string | null {
    const begins = this.nextIs(Word, 2) || this.nextIs(Text, 2) || this.nextIs(LBRACE, 2)
    if (!begins || word === 'task' || word === 'return') return null
    return FOREIGN_HEADS.get(word) ?? didYouMean(word, HEADS)[0] ?? null
  }

  /** Made once, as are those of other rules that are read often; each takes its start itself. */
  private declWays: IOrAlt<Declaration>[] | undefined

  private get common(): { doc: string; broken: false; start: number } {
    const { start } = this
    return { doc: this.docAt(start), broken: false, start }
  }

  readonly decl: ParserMethod<[], Declaration> = this.RULE('decl', (): Declaration => {
    return this.OR<Declaration>(this.declWays ??= [
      { ALT: () => {
        const { common } = this
        this.CONSUME(sign('edition'))
        return { kind: 'edition', year: this.SUBRULE(this.count), ...common, end: this.end }
      } },
      { ALT: () => {
        const { common } = this
        return { kind: 'use', what: this.SUBRULE(this.use), ...common, end: this.end }
      } },
      { ALT: () => this.SUBRULE(this.can) },
      { ALT: () => this.SUBRULE(this.limits) },
      { ALT: () => {
        const { common } = this
        this.CONSUME(sign('accept'))
        this.needOne(['risk'])
        this.CONSUME(sign('risk'))
        this.needString()
        return { kind: 'accept', reason: this.SUBRULE(this.string), ...common, end: this.end }
      } },
      { ALT: () => {
        const { common } = this
        this.CONSUME(sign('type'))
        const name = this.SUBRULE(this.named)
        return { kind: 'type', name, type: this.SUBRULE(this.type), ...common, end: this.end }
      } },
      { ALT: () => {
        const { common } = this
        this.CONSUME(sign('const'))
        this.needName()
        const name = this.nameOf(this.CONSUME(NameToken))
        const type = this.OPTION(() => {
          this.CONSUME(COLON)
          return this.SUBRULE2(this.type)
        }) ?? null
        this.need(EQUALS)
        this.CONSUME(EQUALS)
        this.needExpression()
        return { kind: 'const', name, type, value: this.SUBRULE(this.expr), ...common, end: this.end }
      } },
      { ALT: () => {
        const { common } = this
        this.CONSUME(sign('secret'))
        const name = this.SUBRULE2(this.named)
        this.needExpression()
        return { kind: 'secret', name, value: this.SUBRULE2(this.expr), ...common, end: this.end }
      } },
      { ALT: () => {
        const { common } = this
        this.CONSUME(sign('capability'))
        const name = this.SUBRULE3(this.named)
        return { kind: 'capability', name, grants: this.SUBRULE(this.grants), ...common, end: this.end }
      } },
      { ALT: () => {
        const { common } = this
        this.CONSUME(sign('model'))
        const name = this.SUBRULE4(this.named)
        this.needExpression()
        return { kind: 'model', name, value: this.SUBRULE3(this.expr), ...common, end: this.end }
      } },
      { ALT: () => {
        const { common } = this
        this.CONSUME(sign('prompt'))
        this.needName()
        const name = this.nameOf(this.CONSUME2(NameToken))
        const params = this.SUBRULE(this.params)
        this.needString()
        return { kind: 'prompt', name, params, text: this.SUBRULE2(this.string), ...common, end: this.end }
      } },
      { ALT: () => this.SUBRULE(this.workflow) },
      { ALT: () => this.SUBRULE(this.agent) },
      { ALT: () => this.SUBRULE(this.loop) },
      { ALT: () => this.SUBRULE(this.test) },
    ])
  })

  /** `name =`, the middle of several declarations. */
  readonly named: ParserMethod<[], Name> = this.RULE('named', (): Name => {
    this.needName()
    const name = this.nameOf(this.CONSUME(NameToken))
    this.need(EQUALS)
    this.CONSUME(EQUALS)
    return name
  })

  readonly use: ParserMethod<[], UseDecl['what']> = this.RULE('use', (): UseDecl['what'] => {
    this.CONSUME(sign('use'))
    const isNamed = [sign('plugin'), sign('mcp')].some(word => this.nextIs(word))
    if (isNamed && !this.firstOnLine() && this.nextIs(Word, 2) && !this.nextIs(sign('as'), 2)) this.aheadOne(() => this.needText())
    else if (this.nextIs(TemplateHead)) this.needText()
    else if (!this.nextIs(Text)) this.needName('or a file')
    return this.OR<UseDecl['what']>([
      { ALT: () => {
        this.CONSUME(sign('plugin'))
        const source = this.SUBRULE(this.text)
        this.need(sign('as'))
        this.CONSUME(sign('as'))
        this.needName()
        return { kind: 'plugin', source, alias: this.nameOf(this.CONSUME(NameToken)) }
      } },
      { ALT: () => {
        this.CONSUME(sign('mcp'))
        const server = this.SUBRULE3(this.text)
        this.need(sign('as'))
        this.CONSUME3(sign('as'))
        this.needName()
        return { kind: 'mcp', server, alias: this.nameOf(this.CONSUME3(NameToken)) }
      } },
      { ALT: () => {
        const path: Path = this.SUBRULE(this.path)
        const alias = this.OPTION(() => {
          this.CONSUME2(sign('as'))
          this.needName()
          return this.nameOf(this.CONSUME2(NameToken))
        }) ?? null
        return { kind: 'module', path, alias }
      } },
      { ALT: () => {
        const file = this.SUBRULE2(this.text)
        const names = this.OPTION2(() => {
          this.CONSUME(LPAREN)
          const list = this.SUBRULE(this.names)
          this.needCloser(RPAREN)
          this.CONSUME(RPAREN)
          return list
        }) ?? []
        return { kind: 'file', file, names }
      } },
    ])
  })

  readonly params: ParserMethod<[], Param[]> = this.RULE('params', (): Param[] => {
    const params: Param[] = []
    const read = (param: Param): void => {
      params.push(param)
      this.needComma(RPAREN, () => this.nextIs(Word))
    }
    this.need(LPAREN)
    this.CONSUME(LPAREN)
    if (this.nextIs(COLON)) this.needName()
    this.OPTION(() => {
      read(this.SUBRULE(this.param))
      this.MANY(() => {
        this.CONSUME(COMMA)
        if (!this.nextIs(RPAREN)) read(this.SUBRULE2(this.param))
      })
    })
    this.needCloser(RPAREN)
    this.CONSUME(RPAREN)
    return params
  })

  readonly param: ParserMethod<[], Param> = this.RULE('param', (): Param => {
    const { start } = this
    const doc = this.docAt(start)
    this.needName()
    const name = this.nameOf(this.CONSUME(NameToken))
    this.need(COLON)
    this.CONSUME(COLON)
    const type = this.SUBRULE(this.type)
    const value = this.OPTION<Expr>(() => {
      this.CONSUME(EQUALS)
      this.needExpression()
      return this.SUBRULE(this.expr)
    }) ?? null
    return { kind: 'param', doc, name, type, default: value, start, end: this.end }
  })

  readonly workflow: ParserMethod<[], WorkflowDecl> = this.RULE('workflow', (): WorkflowDecl => {
    const { start } = this
    const doc = this.docAt(start)
    this.CONSUME(sign('workflow'))
    this.needName()
    const name = this.nameOf(this.CONSUME(NameToken))
    const params = this.SUBRULE(this.params)
    if (this.nextIs(COLON)) this.need(sign('->'))
    const result = this.OPTION(() => {
      this.CONSUME(sign('->'))
      return this.SUBRULE(this.type)
    }) ?? null
    const { members, returns } = this.SUBRULE(this.body)
    return { kind: 'workflow', doc, broken: false, name, params, result, body: members, returns, start, end: this.end }
  })

  private bodyWays: IOrAlt<WorkflowMember | Expr>[] | undefined

  readonly body: ParserMethod<[], { members: WorkflowMember[]; returns: Expr | null }> = this.RULE('body', (): { members: WorkflowMember[]; returns: Expr | null } => {
    const members: WorkflowMember[] = []
    const seen = new Map<string, Span>()
    let returns: Expr | null = null
    let returned: Span | null = null
    this.need(LBRACE)
    this.CONSUME(LBRACE)
    this.needMember(WORKFLOW_MEMBERS, 'a workflow')
    this.MANY(() => {
      if (returned !== null) this.lateReturn(returned)
      this.needTrigger()
      const { start } = this
      const member = this.OR<WorkflowMember | Expr>(this.bodyWays ??= [
        { ALT: () => this.SUBRULE(this.can) },
        { ALT: () => this.SUBRULE(this.limits) },
        { ALT: () => this.SUBRULE(this.onFailure) },
        { ALT: () => this.SUBRULE(this.trigger) },
        { ALT: () => this.SUBRULE(this.task) },
        { ALT: () => this.SUBRULE(this.let) },
        { ALT: () => {
          this.CONSUME(sign('return'))
          this.needExpression()
          return this.SUBRULE(this.expr)
        } },
      ])
      if (isMember(member)) {
        members.push(member)
        if (member.kind === 'limits' || member.kind === 'on-failure') this.once(seen, member.kind === 'limits' ? 'limits' : 'on failure', member, 'this workflow')
      } else {
        returned = { start, end: start + 'return'.length }
        returns = member
      }
      this.needMember(WORKFLOW_MEMBERS, 'a workflow')
    })
    this.needCloser(RBRACE)
    this.CONSUME(RBRACE)
    return { members, returns }
  })

  private lateReturn({ start, end }: Span): void {
    if (!this.RECORDING_PHASE && !this.problems.some(each => each.at?.start === start)) this.correct(syntaxErrors['return-not-last']({}, { at: placeAt(start, end) }))
  }

  /** After `on` in a body: `failure`, `file` or `webhook`. */
  private needTrigger(loop = false): void {
    if (this.RECORDING_PHASE || !this.nextIs(sign('on'))) return
    const words = loop ? ['file', 'webhook'] : ['failure', 'file', 'webhook']
    if (words.some(word => this.nextIs(sign(word), 2))) return
    this.aheadOne(() => this.needOne(words))
  }

  readonly loop: ParserMethod<[], LoopDecl> = this.RULE('loop', (): LoopDecl => {
    const { start } = this
    const doc = this.docAt(start)
    const body: LoopMember[] = []
    const seen = new Map<string, Span>()
    this.CONSUME(sign('loop'))
    this.needName()
    const name = this.nameOf(this.CONSUME(NameToken))
    const evolves = this.OPTION(() => {
      this.CONSUME(sign('evolves'))
      return this.SUBRULE(this.path)
    }) ?? null
    const over = this.OPTION2<Expr>(() => {
      this.CONSUME(sign('over'))
      this.needExpression()
      return this.SUBRULE(this.expr)
    }) ?? null
    this.need(LBRACE)
    this.CONSUME(LBRACE)
    this.needMember(LOOP_MEMBERS, 'a loop')
    this.MANY(() => {
      const word = this.RECORDING_PHASE ? '' : this.peek().image
      this.needTrigger(true)
      const member = this.SUBRULE(this.loopMember)
      body.push(member)
      if (!['can', 'gate', 'every', 'cron', 'on', 'stop'].includes(word)) this.once(seen, word, member, 'this loop')
      this.needMember(LOOP_MEMBERS, 'a loop')
    })
    this.needCloser(RBRACE)
    this.CONSUME(RBRACE)
    return { kind: 'loop', doc, broken: false, name, evolves, over, body, start, end: this.end }
  })

  readonly loopMember: ParserMethod<[], LoopMember> = this.RULE('loopMember', (): LoopMember => {
    const { start } = this
    return this.OR<LoopMember>([
      { ALT: () => this.SUBRULE(this.can) },
      { ALT: () => this.SUBRULE(this.limits) },
      { ALT: () => this.SUBRULE(this.trigger) },
      { ALT: () => {
        this.CONSUME(sign('stop'))
        this.need(sign('when'))
        this.CONSUME(sign('when'))
        this.needExpression()
        return { kind: 'stop-when', condition: this.SUBRULE(this.expr), start, end: this.end }
      } },
      { ALT: () => this.SUBRULE(this.stage) },
      { ALT: () => {
        this.CONSUME(sign('gate'))
        this.needString()
        const name = this.SUBRULE(this.string)
        this.need(EQUALS)
        this.CONSUME(EQUALS)
        this.needExpression()
        return { kind: 'gate', name, condition: this.SUBRULE2(this.expr), start, end: this.end }
      } },
      { ALT: () => this.SUBRULE(this.outcome) },
    ])
  })

  readonly stage: ParserMethod<[], LoopMember> = this.RULE('stage', (): LoopMember => {
    const { start } = this
    const doc = this.docAt(start)
    const name = this.nameOf(this.OR(STAGES.map(stage => ({ ALT: () => this.CONSUME(sign(stage)) }))))
    const head = this.SUBRULE(this.head, { ARGS: [`the stage \`${name.text}\``] })
    if (!this.RECORDING_PHASE) this.refuseTaskParts(head, name)
    this.need(EQUALS)
    this.CONSUME(EQUALS)
    const value = this.SUBRULE(this.value)
    return { kind: 'stage', doc, stage: name.text as StageName, name, by: head.by, result: head.result, clauses: head.clauses, value, start, end: this.end }
  })

  /** A stage takes no `for`, `after` or `when`: the loop itself decides about order and repetition. */
  private refuseTaskParts(head: { forEach: object | null; after: readonly Name[]; when: Expr | null }, stage: Name): void {
    const word = head.forEach !== null ? 'for' : head.after.length > 0 ? 'after' : head.when !== null ? 'when' : null
    if (word !== null) this.complain(stage, at => syntaxErrors['unknown-clause']({ word, place: `the stage \`${stage.text}\`` }, { at, help: ['Stages run in their fixed order, once a cycle.'] }))
  }

  readonly outcome: ParserMethod<[], LoopMember> = this.RULE('outcome', (): LoopMember => {
    const { start } = this
    const outcome = this.OR<'promote' | 'rollback'>([
      { ALT: () => (this.CONSUME(sign('promote')), 'promote') },
      { ALT: () => (this.CONSUME(sign('rollback')), 'rollback') },
    ])
    this.need(sign('when'))
    this.CONSUME(sign('when'))
    this.needExpression()
    const when = this.SUBRULE(this.expr)
    const actions = this.OPTION(() => {
      this.CONSUME(sign('do'))
      const calls = [this.SUBRULE(this.call)]
      this.MANY(() => {
        this.CONSUME(COMMA)
        if (!this.refuseTrailingComma()) calls.push(this.SUBRULE2(this.call))
      })
      return calls
    }) ?? []
    return { kind: 'outcome', outcome, when, actions, start, end: this.end }
  })
}

function isMember(node: WorkflowMember | Expr): node is WorkflowMember {
  return MEMBER_KINDS.has(node.kind)
}
