// Loops: the twelve stages, in their order, and the names each makes.
// Owns: which name is known when, the types stages ask for, limits. Does not own: running a loop.
//   O1. Stages are looked at in the order they run, not the order written.
//   O2. `decide` gives a branch; what `differentiate(value)` was given is what `decide` is in later stages.
import { loopErrors } from '#diagnostics/catalog/loop.ts'
import { nameErrors } from '#diagnostics/catalog/name.ts'
import { taskErrors } from '#diagnostics/catalog/task.ts'
import type { ParamSignature } from '#model/signature.ts'
import type { Type } from '#model/type.ts'
import { anyType, boolType, floatType, intType, join, listOf, nonNull, nullType, optional, qualifiersOf, qualifiersWithin, qualify, recordOf, stringType, stripQualifiers, union } from '#types/construct.ts'
import { printType } from '#types/print.ts'
import type { CanClause, Expr, LimitsClause, LoopDecl, LoopMember, StageName, TriggerClause } from '../1-syntax/ast.ts'
import { suggest } from '../2-resolve/declare.ts'
import type { Checker } from './checker.ts'
import { checkClause, findAgent } from './clauses.ts'
import { checkGrants, expandGrants } from './grants.ts'
import { checkLimits, readLimits } from './limits.ts'
import { type Mentions, mentionsOf } from './mentions.ts'
import { checkContained } from './rules/contained.ts'
import { checkGranted } from './rules/not-granted.ts'
import { type CallPlace, type LocalCallable, pureCalls, Scope, worldCalls } from './scope.ts'
import { settled } from './trust/settle.ts'
import { checkLoopTrigger } from './triggers.ts'
import { checkPrompt, unwrapped } from './workflow.ts'

type Stage = Extract<LoopMember, { kind: 'stage' }>

/** Order of stages; names are known from the stage after the one that makes them. */
const ORDER = ['sense', 'stop when', 'decide', 'replicate', 'differentiate', 'quiesce', 'gate', 'run', 'observe', 'score', 'vary', 'promote', 'rollback'] as const
type StageOrder = (typeof ORDER)[number]

/** The stage that makes each name. */
const MAKERS: ReadonlyMap<string, StageOrder> = new Map<string, StageOrder>([
  ['sense', 'sense'], ['decide', 'decide'], ['candidate', 'differentiate'], ['run', 'run'], ['observe', 'observe'], ['score', 'score'], ['verdict', 'vary'],
])

/** Ways to give a candidate a workspace of its own. */
const WORKSPACES = new Set(['git', 'copy'])
const health: Type = recordOf({
  cpu: floatType, memory: floatType, disk: floatType, successRate: floatType, cycleTime: { kind: 'duration' }, errors: intType,
  budget: recordOf({ tokens: { kind: 'tokens' }, cost: { kind: 'money' }, time: { kind: 'duration' } }),
}, 'Health')

/** What `last(n)` tells of a cycle. */
const pastCycle: Type = recordOf({ cycle: intType, score: floatType, verdict: stringType, candidate: { kind: 'untrusted', of: anyType } }, 'Cycle')

/** The type of a branch of `decide`; its label is how it is recognised. */
const decision: Type = recordOf({ branch: stringType }, 'Decision')

export function checkLoop(checker: Checker, loop: LoopDecl): void {
  const base = new Scope(null, pureCalls('a loop'))
  const cans = loop.body.filter((member): member is CanClause => member.kind === 'can')
  const limits = loop.body.filter((member): member is LimitsClause => member.kind === 'limits')
  checker.facts.grants = expandGrants(checker.program, checker.unit, cans)
  if (loop.over !== null) checkOver(checker, loop.over, base)
  for (const can of cans) checkGrants(checker, can.grants, base)
  for (const clause of limits) checkLimits(checker, clause, 'loop')
  checkEnds(checker, loop, limits)
  checkEvolves(checker, loop)
  new StageWalk(checker, loop, base).walk()
  const head = loop.over ?? loop.evolves ?? loop.name
  const owner = `the loop \`${loop.name.text}\``
  checkGranted(checker, owner, cans, head)
  checkContained(checker, owner, cans, head)
}

/** `over git(".")` or `over copy("site")`: where candidates get a workspace of their own. Or a value. */
function checkOver(checker: Checker, over: Expr, scope: Scope): void {
  const isWorkspace = over.kind === 'call' && over.callee.kind === 'name-expr' && WORKSPACES.has(over.callee.name)
  if (!isWorkspace) checker.infer(over, scope.inside(pureCalls('`over`')))
  else for (const arg of over.args) checker.expect(arg.value, scope, { kind: 'path' }, 'The folder')
}

function checkEnds(checker: Checker, loop: LoopDecl, limits: readonly LimitsClause[]): void {
  const all = readLimits(limits)
  // A limit that is written and wrong has been reported; the loop does have one.
  const hasEnd = ['cycles', 'time', 'cost', 'tokens'].some(name => limits.some(clause => clause.values.entries.some(entry => entry.kind === 'entry' && entry.key.text === name)))
  if (!hasEnd && !loop.broken && all['cycles'] === undefined) checker.report(loopErrors['may-run-forever']({ loop: loop.name.text }, { at: checker.at(loop.name) }))
}

function checkEvolves(checker: Checker, loop: LoopDecl): void {
  const runs = loop.body.some(member => member.kind === 'stage' && member.stage === 'run')
  if (loop.evolves === null) {
    if (!runs && !loop.broken) checker.report(loopErrors['nothing-to-run']({ loop: loop.name.text }, { at: checker.at(loop.name) }))
    return
  }
  const name = loop.evolves.parts.map(part => part.text).join('.')
  const { file } = checker.unit
  if (file.values.get(name)?.kind !== 'workflow' && !file.unknown.has(name)) {
    const known = [...file.values.values()].filter(each => each.kind === 'workflow').map(each => each.name)
    checker.report(nameErrors['unknown-workflow']({ name }, { at: checker.at(loop.evolves), ...suggest(name, known, checker.at(loop.evolves)) }))
  }
  if (!checker.fileFacts.limits.has('selfModification')) checker.report(loopErrors['self-modification-off']({ loop: loop.name.text }, { at: checker.at(loop.evolves) }))
}

class StageWalk {
  private readonly checker: Checker
  private readonly loop: LoopDecl
  private readonly scope: Scope
  private chosen: Type | null = null

  constructor(checker: Checker, loop: LoopDecl, base: Scope) {
    this.checker = checker
    this.loop = loop
    this.scope = base.inside()
  }

  walk(): void {
    const stages = this.stages()
    this.know('cycle', intType)
    const champion = recordOf({ candidate: optional(anyType), score: floatType, version: intType }, 'Champion')
    this.know('champion', champion)
    this.know('last', anyType, { target: { kind: 'loop', name: 'last' }, params: [param('n', intType)], result: listOf(pastCycle) })
    for (const place of ORDER) this.stagesAt(place, stages) // O1
  }

  private stages(): Map<StageName, Stage> {
    const found = new Map<StageName, Stage>()
    for (const member of this.loop.body) {
      if (member.kind !== 'stage') continue
      if (!found.has(member.stage)) found.set(member.stage, member)
    }
    return found
  }

  private know(name: string, type: Type, callable?: LocalCallable): void {
    this.scope.add(name, { ref: { kind: 'local', name }, type, span: null, what: 'a name of the loop', ...(callable ? { callable } : {}) })
  }

  private stagesAt(place: StageOrder, stages: ReadonlyMap<StageName, Stage>): void {
    const { checker, loop } = this
    for (const member of loop.body) {
      if (member.kind === 'trigger' && place === 'sense') this.trigger(member)
      if (member.kind === 'stop-when' && place === 'stop when') this.condition(member.condition, place, '`stop when`')
      if (member.kind === 'gate' && place === 'gate') {
        checker.infer(member.name, this.scope)
        this.condition(member.condition, place, '`gate`')
      }
      if (member.kind === 'outcome' && member.outcome === place) {
        this.condition(member.when, place, `\`${place} when\``)
        this.actions(member, place)
      }
    }
    const stage = stages.get(place as StageName)
    const type = stage === undefined ? null : this.stage(stage, place)
    this.learn(place, type, stages)
  }

  private trigger(clause: TriggerClause): void {
    const trigger = checkLoopTrigger(this.checker, clause, this.scope)
    if (trigger !== null) this.checker.facts.loopTriggers = [...this.checker.facts.loopTriggers, trigger]
  }

  /** What later stages know after this one. */
  private learn(place: StageOrder, type: Type | null, stages: ReadonlyMap<StageName, Stage>): void {
    switch (place) {
      case 'sense': {
        const own = type === null ? null : stripQualifiers(type)
        if (type === null || own?.kind === 'any') return this.know('sense', type ?? recordOf({ health }))
        const fields = own?.kind === 'record' ? Object.entries(own.fields).map(([name, field]) => [name, { ...field, type: qualify(field.type, qualifiersOf(type)) }] as const) : []
        return this.know('sense', recordOf({ ...Object.fromEntries(fields), health }))
      }
      case 'decide':
        return this.know('decide', stages.has('decide') ? nonNull(this.chosen ?? anyType) : anyType) // O2
      case 'differentiate': {
        const made = type === null ? null : stripQualifiers(type)
        const candidate: Type = this.loop.evolves !== null ? { kind: 'untrusted', of: stringType } : type === null || made === null ? anyType : made.kind === 'list' ? qualify(made.item, qualifiersOf(type)) : type
        this.know('candidate', candidate)
        return this.know('champion', recordOf({ candidate: optional(candidate), score: floatType, version: intType }, 'Champion'))
      }
      case 'run': {
        const value = type ?? anyType
        return this.know('run', recordOf({ passed: boolType, reason: optional({ kind: 'untrusted', of: stringType }), value, runs: listOf(recordOf({ passed: boolType, value }, 'Run')) }, 'RunResult'))
      }
      case 'observe':
        return this.know('observe', type ?? anyType)
      case 'score':
        return this.know('score', floatType)
      case 'vary':
        return this.know('verdict', VERDICT)
      default:
        return
    }
  }

  private condition(expr: Parameters<Checker['condition']>[0], place: StageOrder, name: string): void {
    const scope = this.at(expr, place, pureCalls(name))
    this.checker.condition(expr, scope, `What follows ${name}`)
  }

  /** A scope for a stage; names that come later are reported once and are `any`. */
  private at(value: Parameters<typeof mentionsOf>[0], place: StageOrder, calls: CallPlace): Scope {
    const scope = this.scope.inside(calls)
    const mentioned: Mentions = new Map()
    mentionsOf(value, mentioned)
    for (const [name, span] of mentioned) {
      const made = MAKERS.get(name)
      if (made === undefined || ORDER.indexOf(made) < ORDER.indexOf(place)) continue
      if (name === place && place === 'decide') continue
      this.checker.report(loopErrors['name-too-early']({ name, stage: place, made }, { at: this.checker.at(span) }))
      scope.add(name, { ref: { kind: 'local', name }, type: anyType, span: null, what: 'a name of the loop' })
    }
    return scope
  }

  private stage(stage: Stage, place: StageOrder): Type {
    const { checker } = this
    const allowed = place === 'sense' || place === 'decide' || place === 'differentiate' ? 'read' : place === 'run' || place === 'observe' || place === 'score' ? 'write' : 'none'
    const call = stage.stage === 'run' && stage.value.kind !== 'prompt-value' ? unwrapped(stage.value) : null
    const scope = this.at(stage.value, place, { allowed, place: `\`${place}\``, inLambda: false, workflowCall: call })
    if (stage.stage === 'decide') for (const [name, made] of this.branches()) scope.add(name, made)
    const annotated = stage.result === null ? null : checker.typeOf(stage.result)
    const type = this.value(stage, scope, annotated)
    for (const clause of stage.clauses) checkClause(checker, clause, { scope, isFor: false, name: stage.stage, value: type, allowed })
    return type
  }

  private value(stage: Stage, scope: Scope, annotated: Type | null): Type {
    const { checker } = this
    if (stage.by !== null) {
      const known = findAgent(checker, stage.by)
      const text = checkPrompt(checker, stage.value, scope, known ? stage.by.parts.at(-1)!.text : null)
      const isTold = qualifiersWithin(text).untrusted
      if (known && isTold) checker.noteTold(stage.by, stage.value)
      const answer = qualify(annotated ?? anyType, { untrusted: isTold || (known && checker.agentSource(stage.by) !== null) })
      if (stage.stage === 'decide') this.chosen = answer
      return answer
    }
    if (stage.value.kind === 'prompt-value') {
      checker.report(taskErrors['prompt-without-agent']({}, { at: checker.at(stage.value) }))
      return annotated ?? anyType
    }
    const wanted = annotated === null ? null : stage.stage === 'differentiate' && annotated.kind !== 'list' ? union([annotated, listOf(annotated)]) : annotated
    const place = `\`${stage.stage}\``
    switch (stage.stage) {
      case 'score':
        checker.expect(stage.value, scope, floatType, place)
        return floatType
      case 'vary':
        checker.expect(stage.value, scope, VERDICT, place)
        return VERDICT
      case 'replicate':
        checker.expect(stage.value, scope, intType, place)
        return intType
      case 'decide': {
        const type = checker.infer(stage.value, scope)
        if (!isDecision(type)) checker.report(loopErrors['bad-decision']({ found: printType(type) }, { at: checker.at(stage.value) }))
        return type
      }
      case 'sense':
      case 'observe': {
        const type = checker.infer(stage.value, scope)
        const bare = stripQualifiers(type)
        if (bare.kind !== 'record' && bare.kind !== 'any') checker.fit(stage.value, type, recordOf({}), place)
        return type
      }
      default: {
        const type = wanted === null ? checker.infer(stage.value, scope) : checker.expect(stage.value, scope, wanted, place)
        return annotated === null ? type : settled(annotated, type)
      }
    }
  }

  private branches(): [string, Parameters<Scope['add']>[1]][] {
    const branch = (name: string, params: readonly ParamSignature[], given?: LocalCallable['given']): [string, Parameters<Scope['add']>[1]] => [
      name, { ref: { kind: 'local', name }, type: anyType, span: null, what: 'a branch', callable: { target: { kind: 'loop', name }, params, result: decision, ...(given ? { given } : {}) } },
    ]
    return [
      branch('replicate', [param('n', intType), ...WHY]),
      branch('differentiate', [param('value', anyType), ...WHY], args => {
        const type = args.get('value') ?? anyType
        this.chosen = this.chosen === null ? type : join(this.chosen, type)
      }),
      branch('quiesce', [param('reason', stringType)]),
      branch('escalate', [param('question', stringType)]),
    ]
  }

  private actions(member: Extract<LoopMember, { kind: 'outcome' }>, place: StageOrder): void {
    for (const action of member.actions) {
      const scope = this.at(action, place, worldCalls('an action', action))
      const note: LocalCallable = { target: { kind: 'loop', name: 'note' }, params: [param('text', stringType)], result: nullType }
      scope.add('note', { ref: { kind: 'local', name: 'note' }, type: anyType, span: null, what: 'an action', callable: note })
      this.checker.infer(action, scope)
    }
  }
}

/** What a decision may say of itself; the reason of `quiesce` and the question of `escalate` say it there. */
const WHY: readonly ParamSignature[] = [{ name: 'because', doc: '', type: stringType, optional: true }, { name: 'confidence', doc: '', type: floatType, optional: true }]

const VERDICT: Type = union((['ok', 'tie', 'bad'] as const).map(value => ({ kind: 'literal', value })))

function param(name: string, type: Type): ParamSignature {
  return { name, doc: '', type, optional: false }
}

function isDecision(type: Type): boolean {
  const bare = stripQualifiers(type)
  return bare.kind === 'any' || bare.kind === 'never' || (bare.kind === 'record' && bare.name === 'Decision')
}
