// ParserAgents: the rules of agents and of tests.
// Owns: what may stand in an agent and in a test. Does not own: clauses that tasks have too (parser-clauses.ts).
import type { ParserMethod } from 'chevrotain'
import { syntaxErrors } from '#diagnostics/catalog/syntax.ts'
import type { AgentDecl, AgentMember, AgentMemory, Expr, GivenMember, Path, Span, TestDecl, TestMember } from './ast.ts'
import { ParserClauses } from './parser-clauses.ts'
import { Literal, Name as NameToken, sign, Text } from './tokens.ts'

const [LBRACE, RBRACE] = [sign('{'), sign('}')]

/** What people write after `given` → what they mean; by letters alone `reply` would be nearer to `replays`. */
const GIVEN_MEANT = { reply: 'replies', answers: 'replies', says: 'replies', replay: 'replays', gives: 'returns', throws: 'fails' }
const AGENT_MEMBERS = new Set(['model', 'role', 'can', 'tools', 'approve', 'after', 'limits', 'memory'])
const TEST_MEMBERS = new Set(['given', 'let', 'expect'])

export abstract class ParserAgents extends ParserClauses {
  readonly agent: ParserMethod<[], AgentDecl> = this.RULE('agent', (): AgentDecl => {
    const { start } = this
    const doc = this.docAt(start)
    const body: AgentMember[] = []
    const seen = new Map<string, Span>()
    this.CONSUME(sign('agent'))
    this.needName()
    const name = this.nameOf(this.CONSUME(NameToken))
    const leads = this.OPTION(() => {
      this.CONSUME(sign('leads'))
      return this.SUBRULE(this.paths)
    }) ?? []
    this.need(LBRACE)
    this.CONSUME(LBRACE)
    this.needMember(AGENT_MEMBERS, 'an agent')
    this.MANY(() => {
      const word = this.RECORDING_PHASE ? '' : this.peek().image
      const member = this.SUBRULE(this.agentMember)
      body.push(member)
      if (word !== 'can') this.once(seen, word === 'after' ? 'after untrusted' : word, member, 'this agent')
      this.needMember(AGENT_MEMBERS, 'an agent')
    })
    this.needCloser(RBRACE)
    this.CONSUME(RBRACE)
    return { kind: 'agent', doc, broken: false, name, leads, body, start, end: this.end }
  })

  readonly agentMember: ParserMethod<[], AgentMember> = this.RULE('agentMember', (): AgentMember => {
    const { start } = this
    return this.OR<AgentMember>([
      { ALT: () => {
        this.CONSUME(sign('model'))
        this.needExpression()
        return { kind: 'agent-model', value: this.SUBRULE(this.expr), start, end: this.end }
      } },
      { ALT: () => {
        this.CONSUME(sign('role'))
        this.needExpression()
        return { kind: 'agent-role', value: this.SUBRULE2(this.expr), start, end: this.end }
      } },
      { ALT: () => this.SUBRULE(this.can) },
      { ALT: () => {
        this.CONSUME(sign('tools'))
        return { kind: 'agent-tools', tools: this.SUBRULE(this.paths), start, end: this.end }
      } },
      { ALT: () => {
        this.CONSUME(sign('approve'))
        return { kind: 'agent-approve', tools: this.SUBRULE2(this.paths), start, end: this.end }
      } },
      { ALT: () => this.SUBRULE(this.afterUntrusted) },
      { ALT: () => this.SUBRULE(this.limits) },
      { ALT: () => this.SUBRULE(this.memory) },
    ])
  })

  readonly afterUntrusted: ParserMethod<[], AgentMember> = this.RULE('afterUntrusted', (): AgentMember => {
    const { start } = this
    this.CONSUME(sign('after'))
    this.needOne(['untrusted'])
    this.CONSUME(sign('untrusted'))
    this.needOne(['refuse', 'ask'])
    const action = this.OR<'refuse' | 'ask'>([
      { ALT: () => (this.CONSUME(sign('refuse')), 'refuse') },
      { ALT: () => (this.CONSUME(sign('ask')), 'ask') },
    ])
    return { kind: 'after-untrusted', action, start, end: this.end }
  })

  readonly memory: ParserMethod<[], AgentMember> = this.RULE('memory', (): AgentMember => {
    const { start } = this
    this.CONSUME(sign('memory'))
    this.needOne(['none', 'run', 'thread'])
    const { scope, thread } = this.OR<Pick<AgentMemory, 'scope' | 'thread'>>([
      { ALT: () => (this.CONSUME(sign('none')), { scope: 'none', thread: null }) },
      { ALT: () => (this.CONSUME(sign('run')), { scope: 'run', thread: null }) },
      { ALT: () => {
        this.CONSUME(sign('thread'))
        this.needThreadName()
        this.needExpression()
        return { scope: 'thread', thread: this.SUBRULE(this.expr) }
      } },
    ])
    const keep = this.OPTION(() => {
      this.CONSUME(sign('keep'))
      this.need(Literal)
      return this.SUBRULE(this.literal)
    }) ?? null
    const summarises = this.OPTION2(() => this.CONSUME(sign('summarise'))) !== undefined
    return { kind: 'agent-memory', scope, thread, keep, summarises, start, end: this.end }
  })

  /** As `needExpression`; the next clause of the agent is not its name, though `can` could be one. */
  private needThreadName(): void {
    if (this.RECORDING_PHASE || !this.firstOnLine() || !AGENT_MEMBERS.has(this.peek().image)) return
    this.complain(this.blame(), at => syntaxErrors['expected-token']({ expected: 'a name for the thread', place: this.place(), found: this.found() }, { at, help: ['Such as `memory thread "support"`.'] }))
    this.insertNext(Text)
  }

  readonly test: ParserMethod<[], TestDecl> = this.RULE('test', (): TestDecl => {
    const { start } = this
    const doc = this.docAt(start)
    const body: TestMember[] = []
    this.CONSUME(sign('test'))
    this.needString()
    const name = this.SUBRULE(this.string)
    this.need(LBRACE)
    this.CONSUME(LBRACE)
    this.needMember(TEST_MEMBERS, 'a test')
    this.MANY(() => {
      body.push(this.SUBRULE(this.testMember))
      this.needMember(TEST_MEMBERS, 'a test')
    })
    this.needCloser(RBRACE)
    this.CONSUME(RBRACE)
    return { kind: 'test', doc, broken: false, name, body, start, end: this.end }
  })

  readonly testMember: ParserMethod<[], TestMember> = this.RULE('testMember', (): TestMember => {
    const { start } = this
    return this.OR<TestMember>([
      { ALT: () => this.SUBRULE(this.given) },
      { ALT: () => this.SUBRULE(this.let) },
      { ALT: () => {
        this.CONSUME(sign('expect'))
        this.needExpression()
        return { kind: 'expect', condition: this.SUBRULE(this.expr), start, end: this.end }
      } },
    ])
  })

  readonly given: ParserMethod<[], GivenMember> = this.RULE('given', (): GivenMember => {
    const { start } = this
    this.CONSUME(sign('given'))
    const path: Path = this.SUBRULE(this.path)
    this.needOne(['replies', 'replays', 'returns', 'fails'], GIVEN_MEANT)
    return this.OR<GivenMember>([
      { ALT: () => {
        this.CONSUME(sign('replies'))
        this.needExpression()
        const replies: Expr = this.SUBRULE(this.expr)
        return { kind: 'given', agent: path, replies, start, end: this.end }
      } },
      { ALT: () => {
        this.CONSUME(sign('replays'))
        this.needText()
        return { kind: 'given-cassette', agent: path, cassette: this.SUBRULE(this.text), start, end: this.end }
      } },
      { ALT: () => {
        this.CONSUME(sign('returns'))
        this.needExpression()
        return { kind: 'given-tool', tool: path, does: 'returns', value: this.SUBRULE2(this.expr), start, end: this.end }
      } },
      { ALT: () => {
        this.CONSUME(sign('fails'))
        this.needString()
        return { kind: 'given-tool', tool: path, does: 'fails', value: this.SUBRULE(this.string), start, end: this.end }
      } },
    ])
  })
}
