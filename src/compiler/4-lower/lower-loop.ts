// Lower loop: a loop as hidden workflows: one of a cycle, one of what a cycle does with a candidate, one of each list of actions.
// Owns: the stages as tasks, their order, what each sees. Does not own: what is asked of tek (interpreter/loop), when a cycle begins (loops/).
//   L1. A cycle is a run like any other, and a stage a task: journal, resuming, limits, guard and questions hold for it because they hold for tasks.
//   L2. A stage sees the names made before it and no others; a value is read from the task that made it, never worked out twice.
//   L3. It fails closed: what a gate, `score` or a condition of `promote` cannot work out counts as no, and the cycle goes to its rollback.
//   L4. Candidates are tried one after another: what they run would fall over each other's ports and files, and time would be no measure.
import type { PlanBody, PlanExpr, PlanLoop, PlanNode, PlanStandsFor, PlanValue, PlanWorkflow } from '#model/plan.ts'
import type { Type } from '#model/type.ts'
import { isAssignable } from '#types/assignable.ts'
import { anyType, listOf, stripQualifiers, union } from '#types/construct.ts'
import type { CallExpr, LimitsClause, LoopMember, StageName, TaskDecl } from '../1-syntax/ast.ts'
import type { Sym } from '../2-resolve/program.ts'
import { readLimits } from '../3-check/limits.ts'
import { ask, LOOP_MODULE, nodesIn, PAST, record, withNames } from './loop-names.ts'
import type { LowerAt, LowerContext } from './lower-context.ts'
import { lowerExpr } from './lower-expression.ts'
import { lowerEnsure, lowerGrants, lowerTask, lowerWaits, type NodeParts } from './lower-workflow.ts'

type Stage = Extract<LoopMember, { kind: 'stage' }>
type Names = Readonly<Record<string, PlanExpr>>

export interface LoweredLoop {
  readonly loop: PlanLoop
  readonly workflows: Readonly<Record<string, PlanWorkflow>>
}

export function lowerLoop(context: LowerContext, symbol: Sym<'loop'>): LoweredLoop {
  return new LoopLowering(context, symbol).lower()
}

const value = (of: PlanValue): PlanExpr => ({ op: 'value', value: of })
const param = (name: string): PlanExpr => ({ op: 'param', name })
const node = (index: number): PlanExpr => ({ op: 'node', index })
const of = (object: PlanExpr, name: string): PlanExpr => ({ op: 'member', object, name, optional: true })
const is = (left: PlanExpr, what: PlanValue): PlanExpr => ({ op: '==', left, right: value(what) })
const not = (of: PlanExpr): PlanExpr => ({ op: 'not', value: of })
const and = (left: PlanExpr, right: PlanExpr): PlanExpr => ({ op: 'and', left, right })
const or = (left: PlanExpr, right: PlanExpr): PlanExpr => ({ op: 'or', left, right })
const isTrue = (of: PlanExpr): PlanExpr => is(of, true)
const isThere = (of: PlanExpr): PlanExpr => ({ op: '!=', left: of, right: value(null) })
const choose = (condition: PlanExpr, then: PlanExpr, otherwise: PlanExpr): PlanExpr => ({ op: 'if', condition, then, else: otherwise })

/** What a failure is told as, where a stage may not end the cycle. */
const whyFailed: PlanExpr = { op: 'member', object: { op: 'local', name: 'error' }, name: 'message', optional: false }

const plainParts: NodeParts = {
  kind: 'task', forEach: null, when: null, body: { kind: 'expr', value: value(null) }, retry: null, timeoutMs: null, cache: null, verify: null, priority: 0, needs: null,
  onFailure: null, approve: null, label: null,
}

/** Tasks in the order in which they are added; what each mentions comes before it. */
class Nodes {
  readonly list: PlanNode[] = []

  add(name: string, parts: Partial<PlanNode> & { readonly body: PlanBody }, after: readonly number[] = []): number {
    const { type = anyType, ...rest } = parts
    const dependsOn = [...new Set([...nodesIn(parts), ...after])].sort((a, b) => a - b)
    this.list.push({ name, dependsOn, ...plainParts, ...rest, type })
    return this.list.length - 1
  }

  pure(name: string, of: PlanExpr, more: Partial<PlanNode> = {}, after: readonly number[] = []): number {
    return this.add(name, { body: { kind: 'expr', value: of }, uncounted: true, ...more }, after)
  }
}

class LoopLowering {
  private readonly context: LowerContext
  private readonly symbol: Sym<'loop'>
  private readonly at: LowerAt
  private readonly stages = new Map<StageName, Stage>()
  private readonly workflows: Record<string, PlanWorkflow> = {}
  private readonly limits: PlanLoop['limits']

  constructor(context: LowerContext, symbol: Sym<'loop'>) {
    this.context = context
    this.symbol = symbol
    this.at = context.at(symbol.unit)
    for (const member of symbol.declaration.body) if (member.kind === 'stage' && !this.stages.has(member.stage)) this.stages.set(member.stage, member)
    this.limits = readLimits(symbol.declaration.body.filter((member): member is LimitsClause => member.kind === 'limits'))
  }

  lower(): LoweredLoop {
    const { key, name, declaration } = this.symbol
    this.context.needLoopModule()
    const cycle = `@cycle:${key}`
    this.workflows[cycle] = this.cycle()
    const evolves = declaration.evolves === null ? null : declaration.evolves.parts.map(part => part.text).join('.')
    const looksBack = this.at.facts.callLog.some(({ fact }) => fact.target.kind === 'loop' && fact.target.name === 'last')
    return { loop: { name, over: this.over(), limits: this.limits, triggers: this.at.facts.loopTriggers, cycle, ...(looksBack ? { looksBack } : {}), evolves }, workflows: this.workflows }
  }

  private over(): PlanLoop['over'] {
    const { over } = this.symbol.declaration
    if (over === null || over.kind !== 'call' || over.callee.kind !== 'name-expr') return null
    const { name } = over.callee
    const [folder] = over.args
    return name === 'git' || name === 'copy' ? { kind: name, path: folder === undefined ? value('.') : lowerExpr(this.at, folder.value) } : null
  }

  /** A workflow of this loop, with the authority of the whole. */
  private workflow(standsFor: PlanStandsFor, params: readonly string[], nodes: readonly PlanNode[], returns: PlanExpr, more: Partial<PlanWorkflow> = {}): PlanWorkflow {
    const { grants } = this.at.facts
    return {
      name: this.symbol.name, standsFor, params: params.map(each => ({ name: each, type: anyType, default: null })), result: anyType,
      authority: grants === null ? null : lowerGrants(this.context, grants), limits: {}, onFailure: { kind: 'stop' }, nodes, returns, returnsDependsOn: nodesIn(returns), ...more,
    }
  }

  /** A stage as the parts of a task: its own clauses, names in their places. */
  private stage(stage: Stage, names: Names, more: Partial<PlanNode> = {}): Partial<PlanNode> & { readonly body: PlanBody } {
    const { at } = this
    const task: TaskDecl = { ...stage, kind: 'task', forEach: null, after: [], when: null }
    const annotated = stage.result === null ? null : this.context.checked.typeOf(this.symbol.unit, stage.result)
    const wanted = annotated !== null && stage.stage === 'differentiate' && stage.by === null && annotated.kind !== 'list' ? union([annotated, listOf(annotated)]) : annotated
    const found = stage.value.kind === 'prompt-value' ? undefined : at.facts.types.get(stage.value)
    const parts = { ...lowerTask(at, task), ...lowerWaits(at, task), ...lowerEnsure(at, task) }
    const mustCheck = wanted !== null && stage.by === null && !isProved(found, wanted)
    return { ...withNames(parts, new Map(Object.entries(names))), type: wanted ?? anyType, ...(mustCheck ? { mustCheck: true as const } : {}), ...more }
  }

  private condition(expr: Parameters<typeof lowerExpr>[1], names: Names): PlanExpr {
    return withNames(lowerExpr(this.at, expr), new Map(Object.entries(names)))
  }

  private get isOver(): boolean {
    return this.over() !== null
  }

  // ── A cycle ─────────────────────────────────────────────────────────────────────────────────

  private cycle(): PlanWorkflow {
    const nodes = new Nodes()
    const key = this.symbol.key
    const known: Names = { cycle: param('cycle'), champion: param('champion'), [PAST]: param('past') }
    const health = nodes.pure('health', ask('health', {}))
    const sensing = this.stages.get('sense')
    const senseNode = sensing === undefined ? null : nodes.add('sense', this.stage(sensing, known))
    const sense: PlanExpr = { op: 'record', entries: [...(senseNode === null ? [] : [{ key: null, value: node(senseNode) }]), { key: 'health', value: node(health) }] }
    const ends = this.symbol.declaration.body.flatMap(member => (member.kind === 'stop-when' ? [this.condition(member.condition, { ...known, sense })] : []))
    const stop = nodes.pure('stop', ends.reduce<PlanExpr>((all, each) => or(all, each), value(false)))
    const goesOn = not(node(stop))
    const decided = this.decide(nodes, { ...known, sense }, goesOn, health)
    const tried = this.tryOut(nodes, { ...known, sense, decide: of(node(decided.decision), 'value') }, decided)
    const judged = this.judge(nodes, { ...known, sense, decide: of(node(decided.decision), 'value') }, tried)
    const returns = record({
      stop: node(stop), decision: node(decided.decision), person: node(decided.person), branch: node(decided.branch), rests: node(decided.quiesce), candidates: node(tried.tried),
      best: node(tried.best), ...judged.told,
    })
    return this.workflow({ kind: 'cycle', loop: key }, ['cycle', 'champion', 'past'], nodes.list, returns, { limits: this.limits })
  }

  /** Which branch: as a value, by an agent, or as nobody says otherwise. */
  private decide(nodes: Nodes, names: Names, goesOn: PlanExpr, health: number): { decision: number; person: number; branch: number; quiesce: number } {
    const stage = this.stages.get('decide')
    const differentiates = this.stages.has('differentiate') || this.symbol.declaration.evolves !== null
    const facts = { health: node(health), differentiates: value(differentiates), limits: value(this.limits as PlanValue) }
    const decide = stage === undefined ? nodes.pure('decide', ask('decide', facts), { when: goesOn }) : nodes.add('decide', this.stage(stage, names, { when: goesOn }))
    const isAnswer = stage !== undefined && stage.by !== null
    const decision = nodes.pure('decision', ask('decision', { said: node(decide), isAnswer: value(isAnswer) }), { when: goesOn })
    const asks = is(of(node(decision), 'branch'), 'escalate')
    const question: PlanExpr = { op: 'template', parts: [{ op: 'coalesce', left: of(node(decision), 'reason'), right: value('Go on?') }] }
    const person = nodes.pure('escalate', value('approved'), { when: asks, approve: question, onFailure: { kind: 'use', value: value('refused') } })
    const onYes = choose(is(node(person), 'approved'), value(differentiates ? 'differentiate' : 'replicate'), value(null))
    const branch = nodes.pure('branch', choose(asks, onYes, of(node(decision), 'branch')))
    const resting = this.stages.get('quiesce')
    const rests = is(node(branch), 'quiesce')
    const decideIs: Names = { ...names, decide: of(node(decision), 'value') }
    const quiesce = resting === undefined ? nodes.pure('quiesce', value(null), { when: rests }) : nodes.add('quiesce', this.stage(resting, decideIs, { when: rests }))
    return { decision, person, branch, quiesce }
  }

  /** The candidates and what became of each. */
  private tryOut(nodes: Nodes, names: Names, { decision, branch }: { readonly decision: number; readonly branch: number }): { tried: number; best: number } {
    const repeats = is(node(branch), 'replicate')
    const differs = is(node(branch), 'differentiate')
    const copying = this.stages.get('replicate')
    const making = this.stages.get('differentiate')
    const replicate = copying === undefined ? nodes.pure('replicate', value(1), { when: repeats }) : nodes.add('replicate', this.stage(copying, names, { when: repeats }))
    const differentiate = making === undefined ? nodes.pure('differentiate', of(node(decision), 'value'), { when: differs }) : nodes.add('differentiate', this.stage(making, names, { when: differs }))
    const { copies } = this.limits
    const made = ask('candidates', {
      branch: node(branch), copies: { op: 'coalesce', left: of(node(decision), 'copies'), right: node(replicate) }, made: node(differentiate), champion: param('champion'),
      most: value(typeof copies === 'number' ? copies : null),
    })
    const changes = nodes.pure('changes', made, { when: or(repeats, differs) })
    const each: PlanExpr = { op: 'local', name: '@each' }
    const key = `@candidate:${this.symbol.key}`
    this.workflows[key] = this.candidate()
    const args = { index: of(each, 'index'), candidate: of(each, 'candidate'), diff: of(each, 'diff'), sense: names['sense']!, decide: names['decide']!, champion: param('champion'), cycle: param('cycle'), past: param('past') }
    const tried = nodes.add('candidates', {
      uncounted: true,
      body: { kind: 'workflow', workflow: key, args }, forEach: { item: '@each', list: { op: 'coalesce', left: node(changes), right: value([]) }, width: value(1) }, // L4
      onFailure: { kind: 'use', value: record({ index: of(each, 'index'), candidate: of(each, 'candidate'), failed: whyFailed }) },
    })
    const best = nodes.pure('best', ask('best', { candidates: node(tried) }))
    return { tried, best }
  }

  /** From the verdict to what is done about it. */
  private judge(nodes: Nodes, names: Names, { best }: { readonly best: number }): { readonly told: Names } {
    const champion = param('champion')
    const seen: Names = { ...names, candidate: of(node(best), 'candidate'), run: of(node(best), 'run'), observe: of(node(best), 'observe'), score: of(node(best), 'score') }
    const isOne = isThere(node(best))
    const passed = isTrue(of(of(node(best), 'run'), 'passed'))
    const before = of(champion, 'score')
    const score = seen['score']!
    const plain = choose(not(passed), value('bad'), choose({ op: '>', left: score, right: before }, value('ok'), choose({ op: '==', left: score, right: before }, value('tie'), value('bad'))))
    const own = this.stages.get('vary')
    const bad = { kind: 'use' as const, value: value('bad') } // L3
    const vary = own === undefined ? nodes.pure('vary', plain, { when: isOne, onFailure: bad }) : nodes.add('vary', this.stage(own, seen, { when: isOne, onFailure: bad }))
    const all: Names = { ...seen, verdict: node(vary) }
    const outcomes = (which: 'promote' | 'rollback') => this.symbol.declaration.body.flatMap(member => (member.kind === 'outcome' && member.outcome === which ? [member] : []))
    const either = (which: 'promote' | 'rollback', otherwise: PlanExpr): PlanExpr => {
      const found = outcomes(which).map(member => this.condition(member.when, all))
      return found.length === 0 ? otherwise : found.reduce(or)
    }
    const runs: PlanExpr = { op: 'prelude', fn: 'len', args: [{ op: 'coalesce', left: of(of(node(best), 'run'), 'runs'), right: value([]) }] }
    const isVerified: PlanExpr = { op: '>=', left: runs, right: value(RUNS_TO_PROMOTE) }
    const judge = nodes.pure('judge', record({
      promote: either('promote', and(and(is(node(vary), 'ok'), passed), isVerified)), rollback: either('rollback', or(is(node(vary), 'bad'), not(passed))), failed: value(null),
    }), { when: isOne, onFailure: { kind: 'use', value: record({ promote: value(false), rollback: value(true), failed: whyFailed }) } })
    const wins = and(isTrue(of(node(judge), 'promote')), not(isTrue(of(node(judge), 'rollback')))) // rollback beats promote
    const promote = nodes.pure('promote', this.asking('promote', { best: node(best) }), {
      when: wins, onFailure: { kind: 'use', value: record({ failed: whyFailed }) },
    })
    const isPromoted = isThere(of(node(promote), 'version'))
    const why: PlanExpr = { op: 'coalesce', left: of(node(promote), 'failed'), right: { op: 'coalesce', left: of(node(judge), 'failed'), right: of(of(node(best), 'run'), 'reason') } }
    const falls = or(isTrue(of(node(judge), 'rollback')), isThere(of(node(promote), 'failed')))
    const rollback = nodes.pure('rollback', ask('rollback', { best: node(best), why, over: this.overValue() }, 'write'), { when: falls }, [promote])
    const acts = (which: 'promote' | 'rollback', when: PlanExpr): number => {
      const actions = outcomes(which).flatMap(member => member.actions)
      return this.actions(nodes, which, actions, all, which === 'promote' ? of(node(promote), 'workspace') : value(null), when)
    }
    const done = [acts('promote', isPromoted), acts('rollback', isThere(node(rollback)))]
    if (this.isOver) nodes.pure('closed', ask('close', {}, 'write'), {}, [...done, rollback])
    return { told: { verdict: node(vary), judge: node(judge), promoted: node(promote), rolledBack: node(rollback), did: { op: 'list', items: done.map(node) } } }
  }

  /** Making a workspace reads the champion's files, promoting one changes them: both need what a tool would need that does so. */
  private asking(fn: 'open' | 'promote', args: Names): PlanExpr {
    const over = this.over()
    if (over === null) return ask(fn, { ...args, over: value(null) }, 'write')
    const needs = fn === 'open' ? [{ grant: 'fs.read', args: [{ param: 'files' }] }]
      : over.kind === 'copy' ? [{ grant: 'fs.write', args: [{ param: 'files' }] }] : [{ grant: 'git.branch', args: [{ param: 'branch' }] }]
    const own: Names = fn === 'promote' && over.kind === 'git' ? { branch: value(`tek/${this.symbol.name}`) } : { files: { op: 'template', parts: [over.path, '/**'] } }
    return { op: 'call', module: LOOP_MODULE, fn, effect: 'write', runs: 'host', args: { ...args, ...own, over: this.overValue() }, needs }
  }

  private overValue(): PlanExpr {
    const over = this.over()
    return over === null ? value(null) : record({ kind: value(over.kind), path: over.path })
  }

  /** Actions follow the switch; a failing one is told and undoes nothing. Those of `promote` work on the winner's files: in its workspace over git; a copy has become the folder itself. */
  private actions(nodes: Nodes, which: 'promote' | 'rollback', actions: readonly CallExpr[], names: Names, workspace: PlanExpr, when: PlanExpr): number {
    const name = `${which}Do`
    const told = { kind: 'use' as const, value: record({ failed: whyFailed }) }
    if (actions.length === 0) return nodes.pure(name, value(null))
    const key = `@${which}:${this.symbol.key}`
    const visible = ['candidate', 'run', 'observe', 'score', 'verdict', 'sense', 'decide', 'champion', 'cycle', 'past']
    const inside: Names = Object.fromEntries([...visible.map(each => [each, param(each)] as const), [PAST, param('past')]])
    const own = new Nodes()
    const folder = own.pure('workspace', param('workspace'))
    const each = actions.map((action, index): number => own.add(`action${index + 1}`, { body: { kind: 'expr', value: this.condition(action, inside) } }, index === 0 ? [folder] : [index]))
    this.workflows[key] = this.workflow({ kind: 'actions', loop: this.symbol.key }, [...visible, 'workspace'], own.list, { op: 'list', items: each.map(node) }, which === 'promote' && this.isOver ? { worksIn: folder } : {})
    const args = Object.fromEntries([...visible.map(each => [each, each === 'past' ? names[PAST]! : names[each]!] as const), ['workspace', workspace]])
    return nodes.add(name, { body: { kind: 'workflow', workflow: key, args }, when, onFailure: told, uncounted: true })
  }

  // ── A candidate ─────────────────────────────────────────────────────────────────────────────

  private candidate(): PlanWorkflow {
    const nodes = new Nodes()
    const names: Names = { sense: param('sense'), decide: param('decide'), champion: param('champion'), cycle: param('cycle'), [PAST]: param('past'), candidate: param('candidate') }
    const said = this.symbol.declaration.body.flatMap(member => (member.kind === 'gate' ? [record({ name: this.condition(member.name, names), passed: this.condition(member.condition, names) })] : []))
    const gates = nodes.pure('gates', ask('gates', { said: { op: 'list', items: said }, diff: param('diff') }))
    const isLetIn = isTrue(of(node(gates), 'passed'))
    const workspace = nodes.pure('workspace', this.isOver ? this.asking('open', { index: param('index') }) : value(null), { when: isLetIn })
    const stage = this.stages.get('run')
    const failed = { kind: 'use' as const, value: record({ agreed: value(false), value: value(null), reason: whyFailed, runs: value([]) }) }
    const parts = stage === undefined ? { body: { kind: 'expr' as const, value: param('candidate') } } : this.stage(stage, names)
    const verify = { ...(parts.verify ?? { runs: 1, agree: null, upTo: null, key: null }), tells: true as const }
    const run = nodes.add('run', { ...parts, when: isLetIn, verify, onFailure: failed }, [workspace])
    const ran = nodes.pure('ran', ask('ran', { told: node(run) }), { when: isLetIn })
    const seen: Names = { ...names, run: node(ran) }
    const observing = this.stages.get('observe')
    const nothing = { kind: 'use' as const, value: value(null) }
    const asBefore = { run: node(ran), health: of(param('sense'), 'health') }
    const observe = observing === undefined
      ? nodes.pure('observe', ask('observed', asBefore), { when: isLetIn, onFailure: nothing })
      : nodes.add('observe', this.stage(observing, seen, { when: isLetIn, onFailure: nothing }))
    const scoring = this.stages.get('score')
    const zero = { kind: 'use' as const, value: value(0) } // L3
    const score = scoring === undefined
      ? nodes.pure('score', ask('score', asBefore), { when: isLetIn, onFailure: zero })
      : nodes.add('score', this.stage(scoring, { ...seen, observe: node(observe) }, { when: isLetIn, onFailure: zero }))
    const returns = record({
      index: param('index'), candidate: param('candidate'), diff: param('diff'), gates: node(gates), workspace: node(workspace), run: node(ran), observe: node(observe), score: node(score),
    })
    const params = ['index', 'candidate', 'diff', 'sense', 'decide', 'champion', 'cycle', 'past']
    return this.workflow({ kind: 'candidate', loop: this.symbol.key }, params, nodes.list, returns, this.isOver ? { worksIn: workspace } : {})
  }
}

/** Runs that must have agreed before a candidate is promoted, where a loop does not say when to promote. */
const RUNS_TO_PROMOTE = 3

function isProved(found: Type | undefined, wanted: Type): boolean {
  if (found === undefined) return false
  const kind = stripQualifiers(found).kind
  return kind !== 'any' && kind !== 'json' && isAssignable(found, wanted)
}
