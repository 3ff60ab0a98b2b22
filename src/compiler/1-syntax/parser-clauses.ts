// ParserClauses: the rules of what stands inside bodies: grants, limits, triggers, tasks, stages and their clauses.
// Owns: the order and number of a task's clauses. Does not own: bodies and declarations (parser.ts).
import { syntaxErrors } from '#diagnostics/catalog/syntax.ts'
import { didYouMean } from '#base/did-you-mean.ts'
import type { IOrAlt, ParserMethod } from 'chevrotain'
import type {
  ApproveClause, Arg, CallExpr, CanClause, Clause, EnsureClause, Expr, GrantNode, LetDecl, LimitsClause, LiteralExpr, Name, OnFailureClause, Path, RecordExpr, Span, StringExpr,
  TaskDecl, TriggerClause, TypeNode, Value,
} from './ast.ts'
import { CLAUSES } from './keywords.ts'
import { tableOf } from './lookahead.ts'
import { replaceFix } from './problem.ts'
import { ParserTypes } from './parser-types.ts'
import { Duration, Identifier, Int, Literal, Name as NameToken, sign, TemplateHead, Text, Word } from './tokens.ts'

const [EQUALS, COMMA, COLON, ARROW] = [sign('='), sign(','), sign(':'), sign('->')]

/** What a head may go on with. */
const GOES_ON = tableOf([EQUALS, ARROW, ...CLAUSES.map(word => sign(word))])

/** What a task or stage says before its `=`. */
export interface Head {
  readonly by: Path | null
  readonly result: TypeNode | null
  readonly clauses: readonly Clause[]
  readonly forEach: { readonly item: Name; readonly list: Expr } | null
  readonly after: readonly Name[]
  readonly when: Expr | null
}

/** The parts of a head in the order they are written; all other clauses come after them. */
const HEAD_ORDER = ['for', 'by', '->', 'after', 'when']

export abstract class ParserClauses extends ParserTypes {
  readonly can: ParserMethod<[], CanClause> = this.RULE('can', (): CanClause => {
    const { start } = this
    const doc = this.docAt(start)
    this.CONSUME(sign('can'))
    const grants = this.SUBRULE(this.grants)
    return { kind: 'can', doc, broken: this.brokenSince(start), grants, start, end: this.end }
  })

  readonly grants: ParserMethod<[], GrantNode[]> = this.RULE('grants', (): GrantNode[] => {
    const grants = [this.SUBRULE(this.grant)]
    this.MANY(() => {
      this.CONSUME(COMMA)
      if (!this.refuseTrailingComma()) grants.push(this.SUBRULE2(this.grant))
    })
    return grants
  })

  readonly grant: ParserMethod<[], GrantNode> = this.RULE('grant', (): GrantNode => {
    const path = this.SUBRULE(this.path)
    const args = this.OPTION(() => this.SUBRULE(this.args)) ?? null
    return { kind: 'grant', path, args, start: path.start, end: this.end }
  })

  readonly limits: ParserMethod<[], LimitsClause> = this.RULE('limits', (): LimitsClause => {
    const { start } = this
    const doc = this.docAt(start)
    this.CONSUME(sign('limits'))
    const values = this.SUBRULE(this.record)
    return { kind: 'limits', doc, broken: this.brokenSince(start), values, start, end: this.end }
  })

  readonly onFailure: ParserMethod<[], OnFailureClause> = this.RULE('onFailure', (): OnFailureClause => {
    const { start } = this
    this.CONSUME(sign('on'))
    this.CONSUME(sign('failure'))
    this.needOne(['stop', 'continue', 'use'])
    const action = this.OR<OnFailureClause['action']>([
      { ALT: () => (this.CONSUME(sign('stop')), { kind: 'stop' }) },
      { ALT: () => (this.CONSUME(sign('continue')), { kind: 'continue' }) },
      { ALT: () => {
        this.CONSUME(sign('use'))
        this.needExpression()
        return { kind: 'use', value: this.SUBRULE(this.expr) }
      } },
    ])
    return { kind: 'on-failure', action, start, end: this.end }
  })

  /** Makes sure that the next token is one of a few words; a misspelled one is taken for what it is `meant` for or for the one it resembles, else the first is put in. */
  protected needOne(words: readonly string[], meant: Readonly<Record<string, string>> = {}): void {
    if (this.RECORDING_PHASE || words.some(word => this.nextIs(sign(word)))) return
    const { image, startOffset, endOffset } = this.peek()
    const onLine = !this.atEnd && !this.firstOnLine() && this.nextIs(Word)
    const near = onLine ? (Object.hasOwn(meant, image) ? meant[image] : didYouMean(image, words)[0]) : undefined
    const expected = words.map(word => `\`${word}\``).join(words.length === 2 ? ' or ' : ', ')
    const fixes = near === undefined ? [] : [replaceFix(`Write \`${near}\``, startOffset, endOffset, near)]
    const help = near === undefined ? [] : [`Did you mean \`${near}\`?`]
    this.complain(this.blame(), at => syntaxErrors['expected-token']({ expected, place: this.place(), found: this.found() }, { at, fixes, help }))
    if (onLine && !CLAUSES.includes(image)) this.replaceNext(sign(near ?? words[0]!), near ?? words[0]!)
    else this.insertNext(sign(words[0]!))
  }

  readonly trigger: ParserMethod<[], TriggerClause> = this.RULE('trigger', (): TriggerClause => {
    const { start } = this
    const on = this.OR<TriggerClause['on']>([
      { ALT: () => this.SUBRULE(this.every) },
      { ALT: () => this.SUBRULE(this.cron) },
      { ALT: () => {
        this.CONSUME(sign('on'))
        this.CONSUME(sign('file'))
        this.needExpression()
        return { kind: 'file', value: this.SUBRULE(this.expr) }
      } },
      { ALT: () => this.SUBRULE(this.webhook) },
    ])
    return { kind: 'trigger', on, start, end: this.end }
  })

  readonly every: ParserMethod<[], TriggerClause['on']> = this.RULE('every', (): TriggerClause['on'] => {
    this.CONSUME(sign('every'))
    this.needExpression()
    const value = this.SUBRULE(this.expr)
    return { kind: 'every', value, skips: this.OPTION(() => this.SUBRULE(this.missed)) ?? false }
  })

  readonly cron: ParserMethod<[], TriggerClause['on']> = this.RULE('cron', (): TriggerClause['on'] => {
    this.CONSUME(sign('cron'))
    this.needText()
    const text = this.SUBRULE(this.text)
    const zone = this.OPTION(() => {
      this.CONSUME(sign('in'))
      this.needText()
      return this.SUBRULE2(this.text)
    }) ?? null
    return { kind: 'cron', text, zone, skips: this.OPTION2(() => this.SUBRULE(this.missed)) ?? false }
  })

  readonly webhook: ParserMethod<[], TriggerClause['on']> = this.RULE('webhook', (): TriggerClause['on'] => {
    this.CONSUME(sign('on'))
    this.CONSUME(sign('webhook'))
    this.needText()
    const text = this.SUBRULE(this.text)
    const secret = this.OPTION(() => {
      this.CONSUME(sign('signed'))
      this.needName()
      return this.nameOf(this.CONSUME(NameToken))
    }) ?? null
    return { kind: 'webhook', text, secret }
  })

  /** True: what was missed is left out. */
  readonly missed: ParserMethod<[], boolean> = this.RULE('missed', (): boolean => {
    this.CONSUME(sign('missed'))
    this.needOne(['skip'])
    this.CONSUME(sign('skip'))
    return true
  })

  /** Makes sure that a string begins here. */
  protected needString(): void {
    if (!this.nextIs(TemplateHead)) this.need(Text)
  }

  readonly let: ParserMethod<[], LetDecl> = this.RULE('let', (): LetDecl => {
    const { start } = this
    const doc = this.docAt(start)
    this.CONSUME(sign('let'))
    this.needName()
    const name = this.nameOf(this.CONSUME(NameToken))
    const type = this.OPTION(() => {
      this.CONSUME(COLON)
      return this.SUBRULE(this.type)
    }) ?? null
    this.refuseClauses()
    this.need(EQUALS)
    this.CONSUME(EQUALS)
    this.needExpression()
    const value = this.SUBRULE(this.expr)
    return { kind: 'let', doc, name, type, value, start, end: this.end }
  })

  /** Before the `=` of a `let`: a clause of a task is reported, and skipped with all that belongs to it. */
  private refuseClauses(): void {
    if (this.RECORDING_PHASE || !this.nextIsOf(GOES_ON) || this.nextIs(EQUALS) || !this.equalsAhead()) return
    const { image, startOffset: start, endOffset: end } = this.peek()
    const help = ['A `let` gives a value a name, at once. What waits, repeats or asks is a `task`.']
    this.complain({ start, end }, at => syntaxErrors['unknown-clause']({ word: image, place: 'a `let`' }, { at, help }))
    this.skipUntil(() => this.nextIs(EQUALS))
  }

  readonly task: ParserMethod<[], TaskDecl> = this.RULE('task', (): TaskDecl => {
    const { start } = this
    const doc = this.docAt(start)
    this.CONSUME(sign('task'))
    this.needTaskName()
    const name = this.nameOf(this.CONSUME(NameToken))
    const { forEach, by, result, after, when, clauses } = this.SUBRULE(this.head, { ARGS: [`the task \`${name.text}\``] })
    this.need(EQUALS)
    this.CONSUME(EQUALS)
    const value = this.SUBRULE(this.value)
    return { kind: 'task', doc, name, forEach, by, result, after, when, clauses, value, start, end: this.end }
  })

  /** As `needName`; but `task for x in xs` lacks a name, though `for` could be one. */
  private needTaskName(): void {
    const clause = !this.RECORDING_PHASE && CLAUSES.includes(this.peek().image) && this.nextIs(Identifier, 2)
    if (!clause) return this.needName()
    this.complain(this.blame(), at => syntaxErrors['expected-name']({ place: this.place(), found: this.found() }, { at }))
    this.insertNext(Identifier)
  }

  private valueWays: IOrAlt<Value>[] | undefined

  readonly value: ParserMethod<[], Value> = this.RULE('value', (): Value => {
    this.needExpression()
    return this.OR<Value>(this.valueWays ??= [
      { ALT: () => {
        const { start } = this
        this.CONSUME(sign('prompt'))
        const text = this.SUBRULE(this.string)
        return { kind: 'prompt-value', text, start, end: this.end }
      } },
      { ALT: () => this.SUBRULE(this.expr) },
    ])
  })

  readonly head: ParserMethod<[string], Head> = this.RULE('head', (place: string): Head => {
    const seen = new Map<string, Span>()
    const clauses: Clause[] = []
    let [forEach, by, result, when] = [null as Head['forEach'], null as Path | null, null as TypeNode | null, null as Expr | null]
    let after: readonly Name[] = []
    let latest = -1
    this.needClause(place)
    this.MANY(() => {
      const { start } = this
      const word = this.RECORDING_PHASE ? '' : this.peek().image
      this.OR([
        { ALT: () => { forEach = this.SUBRULE(this.forEach) } },
        { ALT: () => {
          this.CONSUME(sign('by'))
          by = this.SUBRULE(this.path)
        } },
        { ALT: () => {
          this.CONSUME(ARROW)
          result = this.SUBRULE(this.type)
        } },
        { ALT: () => {
          this.CONSUME(sign('after'))
          after = this.SUBRULE(this.names)
        } },
        { ALT: () => {
          this.CONSUME(sign('when'))
          this.needExpression()
          when = this.SUBRULE(this.expr)
        } },
        { ALT: () => clauses.push(this.SUBRULE(this.clause)) },
      ])
      const rank = HEAD_ORDER.indexOf(word)
      const span = { start, end: this.end }
      if (rank >= 0 && rank < latest) this.lateClause(word, { start, end: start + word.length })
      latest = Math.max(latest, rank < 0 ? HEAD_ORDER.length : rank)
      if (word !== 'ensure') this.once(seen, word === 'on' ? 'on failure' : word, span, place)
      this.needClause(place)
    })
    return { forEach, by, result, after, when, clauses }
  })

  private lateClause(clause: string, at: Span): void {
    this.complain(at, place => syntaxErrors['clause-order']({ clause }, { at: place }))
  }

  /** In a head: makes sure that a clause or `=` comes next, skipping what is neither. */
  private needClause(place: string): void {
    if (this.RECORDING_PHASE || this.nextIsOf(GOES_ON) || this.atEnd || this.firstOnLine() && !this.nextIs(Identifier)) return
    const begins = (): boolean => this.nextIsOf(GOES_ON)
    const { image, startOffset: start, endOffset: end, tokenType } = this.peek()
    if (tokenType !== Identifier || !this.equalsAhead()) return this.skipToValue(begins)
    const near = didYouMean(image, CLAUSES)
    const help = near.length > 0 ? [`Did you mean ${near.map(each => `\`${each}\``).join(' or ')}?`] : [`The clauses are ${CLAUSES.map(word => `\`${word}\``).join(', ')}.`]
    const fixes = near.length === 1 ? [replaceFix(`Write \`${near[0]}\``, start, end, near[0]!)] : []
    this.complain({ start, end }, at => syntaxErrors['unknown-clause']({ word: image, place }, { at, help, fixes }))
    this.skipNext()
    this.skipUntil(() => begins() || this.firstOnLine())
  }

  /** True when a `=` follows on this line. */
  private equalsAhead(): boolean {
    let ahead = 1
    while (!this.firstOnLine(ahead) && this.LA(ahead).tokenType !== EQUALS) ahead++
    return this.LA(ahead).tokenType === EQUALS && !this.firstOnLine(ahead)
  }

  /** After a clause: reports what can be no clause, and skips to the `=` of the same line if there is one. */
  private skipToValue(begins: () => boolean): void {
    if ([sign('=='), sign(':'), sign('=>')].some(type => this.nextIs(type))) return
    if (!this.equalsAhead()) return
    this.complain(this.blame(), at => syntaxErrors['expected-token']({ expected: '`=`', place: this.place(), found: this.found() }, { at }))
    this.skipUntil(begins)
  }

  readonly forEach: ParserMethod<[], NonNullable<Head['forEach']>> = this.RULE('forEach', (): NonNullable<Head['forEach']> => {
    this.CONSUME(sign('for'))
    this.needName()
    const item = this.nameOf(this.CONSUME(NameToken))
    this.needIn()
    this.CONSUME(sign('in'))
    this.needExpression()
    const list = this.SUBRULE(this.expr)
    return { item, list }
  })

  readonly clause: ParserMethod<[], Clause> = this.RULE('clause', (): Clause => {
    const { start } = this
    return this.OR<Clause>([
      { ALT: () => {
        this.CONSUME(sign('retry'))
        const count = this.SUBRULE(this.count)
        const backoff = this.OPTION(() => {
          this.CONSUME(sign('backoff'))
          return this.SUBRULE(this.range)
        }) ?? null
        return { kind: 'retry', count, backoff, start, end: this.end }
      } },
      { ALT: () => {
        this.CONSUME(sign('timeout'))
        this.need(Literal)
        return { kind: 'timeout', value: this.SUBRULE(this.literal), start, end: this.end }
      } },
      { ALT: () => this.SUBRULE(this.cache) },
      { ALT: () => this.SUBRULE(this.verify) },
      { ALT: () => {
        this.CONSUME(sign('evidence'))
        this.needOne(['abc'])
        return { kind: 'evidence', passes: this.nameOf(this.CONSUME(sign('abc'))), start, end: this.end }
      } },
      { ALT: () => {
        this.CONSUME(sign('priority'))
        this.needName()
        return { kind: 'priority', level: this.nameOf(this.CONSUME(NameToken)), start, end: this.end }
      } },
      { ALT: () => {
        this.CONSUME(sign('needs'))
        const values: RecordExpr = this.SUBRULE(this.record)
        return { kind: 'needs', values, start, end: this.end }
      } },
      { ALT: () => {
        this.CONSUME(sign('parallel'))
        this.needExpression()
        return { kind: 'parallel', width: this.SUBRULE(this.expr), start, end: this.end }
      } },
      { ALT: () => {
        this.needFailure()
        return this.SUBRULE(this.onFailure)
      } },
      { ALT: () => {
        this.CONSUME(sign('wait'))
        const until = this.OPTION2(() => this.CONSUME(sign('until'))) !== undefined
        this.needExpression()
        return { kind: 'wait', until, value: this.SUBRULE2(this.expr), start, end: this.end }
      } },
      { ALT: () => this.SUBRULE(this.approve) },
      { ALT: () => {
        this.CONSUME(sign('label'))
        this.needString()
        const text: StringExpr = this.SUBRULE(this.string)
        return { kind: 'label', text, start, end: this.end }
      } },
      { ALT: () => this.SUBRULE(this.ensure) },
    ])
  })

  readonly ensure: ParserMethod<[], EnsureClause> = this.RULE('ensure', (): EnsureClause => {
    const { start } = this
    this.CONSUME(sign('ensure'))
    this.needExpression()
    const condition = this.SUBRULE(this.expr)
    const says = this.OPTION<StringExpr>(() => {
      this.CONSUME(sign('else'))
      this.needString()
      return this.SUBRULE(this.string)
    }) ?? null
    return { kind: 'ensure', condition, says, start, end: this.end }
  })

  readonly approve: ParserMethod<[], ApproveClause> = this.RULE('approve', (): ApproveClause => {
    const { start } = this
    const escalate: ApproveClause['escalate'][number][] = []
    this.CONSUME(sign('approve'))
    this.needString()
    const question: StringExpr = this.SUBRULE(this.string)
    if (this.nextIs(sign('escalate'))) this.need(sign('within'))
    const within = this.OPTION(() => {
      const first = this.SUBRULE(this.within)
      this.MANY(() => escalate.push(this.SUBRULE(this.escalate)))
      return first
    }) ?? null
    return { kind: 'approve', question, within, escalate, start, end: this.end }
  })

  readonly within: ParserMethod<[], LiteralExpr> = this.RULE('within', (): LiteralExpr => {
    this.CONSUME(sign('within'))
    this.need(Literal)
    return this.SUBRULE(this.literal)
  })

  readonly escalate: ParserMethod<[], ApproveClause['escalate'][number]> = this.RULE('escalate', (): ApproveClause['escalate'][number] => {
    const { start } = this
    this.CONSUME(sign('escalate'))
    this.needText()
    const to = this.SUBRULE(this.text)
    this.need(sign('within'))
    const within = this.SUBRULE(this.within)
    return { to, within, start, end: this.end }
  })

  /** After `on`: makes sure that `failure` comes next. */
  protected needFailure(): void {
    if (this.RECORDING_PHASE || this.nextIs(sign('failure'), 2)) return
    this.aheadOne(() => this.needOne(['failure']))
  }

  readonly count: ParserMethod<[], number> = this.RULE('count', (): number => {
    this.need(Int)
    const token = this.CONSUME(Int)
    return Number(token.image.replaceAll('_', '')) || 0
  })

  readonly cache: ParserMethod<[], Clause> = this.RULE('cache', (): Clause => {
    const { start } = this
    this.CONSUME(sign('cache'))
    const age = this.OPTION<LiteralExpr>(() => {
      this.need(Duration)
      return this.SUBRULE(this.literal)
    }) ?? null
    const by = this.OPTION2(() => {
      this.CONSUME(sign('by'))
      this.needExpression()
      return this.SUBRULE(this.expr)
    }) ?? null
    return { kind: 'cache', age, by, start, end: this.end }
  })

  readonly verify: ParserMethod<[], Clause> = this.RULE('verify', (): Clause => {
    const { start } = this
    this.CONSUME(sign('verify'))
    const runs = this.SUBRULE(this.count)
    let [agree, upTo, key, judge] = [null as number | null, null as number | null, null as Expr | null, null as Path | null]
    if (!this.nextIs(sign('..'))) this.need(sign('agree'))
    this.OR([
      { ALT: () => {
        this.CONSUME(sign('agree'))
        agree = this.SUBRULE2(this.count)
      } },
      { ALT: () => {
        this.CONSUME(sign('..'))
        upTo = this.SUBRULE3(this.count)
      } },
    ])
    this.OPTION(() => this.OR2([
      { ALT: () => {
        this.CONSUME(sign('key'))
        this.needExpression()
        key = this.SUBRULE(this.expr)
      } },
      { ALT: () => {
        this.CONSUME(sign('judge'))
        judge = this.SUBRULE(this.path)
      } },
    ]))
    return { kind: 'verify', runs, agree, upTo, key, judge, start, end: this.end }
  })

  readonly call: ParserMethod<[], CallExpr> = this.RULE('call', (): CallExpr => {
    const path = this.SUBRULE(this.path)
    this.need(sign('('))
    const args: Arg[] = this.SUBRULE(this.args)
    const callee = this.ACTION(() => calleeOf(path))
    return { kind: 'call', callee, args, start: path.start, end: this.end }
  })
}

/** `a.b.c` as the expression it would be elsewhere. */
function calleeOf(path: Path): Expr {
  const [first, ...others] = path.parts
  let callee: Expr = { kind: 'name-expr', name: first!.text, start: first!.start, end: first!.end }
  for (const name of others) callee = { kind: 'member', object: callee, name, optional: false, start: path.start, end: name.end }
  return callee
}
