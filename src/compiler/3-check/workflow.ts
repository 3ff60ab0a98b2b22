// Workflow: parameters, tasks in the order of their dependencies, and what is returned.
// Owns: dependencies from use, types of tasks as others see them. Does not own: clauses (clauses.ts), rules over the graph (rules/).
//   W1. A task is looked at after all it depends on; in a circle (reported) types are `any`.
//   W2. What others see of a task: a list for a `for`; `T?` where it may be skipped or its failure is passed over; with the type of `use` added.
//   W3. What `when` says of other values holds in the task's own value: it runs only if that is true.
import { agentErrors } from '#diagnostics/catalog/agent.ts'
import { nameErrors } from '#diagnostics/catalog/name.ts'
import { taskErrors } from '#diagnostics/catalog/task.ts'
import type { Type } from '#model/type.ts'
import { isAssignable } from '#types/assignable.ts'
import { anyType, join, listOf, optional, qualifiersWithin, qualify, stringType, stripQualifiers } from '#types/construct.ts'
import { carried, holdsUnknown } from '#types/trust.ts'
import type { CanClause, Expr, LetDecl, LimitsClause, Name, OnFailureClause, Path, TaskDecl, TypeNode, Value, WorkflowDecl } from '../1-syntax/ast.ts'
import { suggest } from '../2-resolve/declare.ts'
import { placeIn, type Sym } from '../2-resolve/program.ts'
import type { Checker } from './checker.ts'
import { checkClause, findAgent } from './clauses.ts'
import type { Effect, NodeFacts, UnitFacts, WorkflowFacts } from './facts.ts'
import { checkGrants, expandGrants } from './grants.ts'
import { orderGraph } from './graph.ts'
import { addItem, itemOf, reportShadow } from './infer.ts'
import { checkLimits } from './limits.ts'
import { type Mentions, mentionsOf, nodeMentions } from './mentions.ts'
import { narrow } from './narrow.ts'
import { workflowRules } from './rules/workflow-rules.ts'
import { pureCalls, Scope, worldCalls } from './scope.ts'
import { notJson } from './tools.ts'
import { approved } from './trust/approved.ts'
import { checkSecretType } from './trust/secrets.ts'
import { settled } from './trust/settle.ts'
import { checkTriggers } from './triggers.ts'

export function checkWorkflow(checker: Checker, workflow: WorkflowDecl): void {
  const scope = new Scope(null, pureCalls('a default value'))
  for (const param of workflow.params) {
    const type = checker.paramType(param)
    checkSecretType(checker, param.type, type, `The parameter \`${param.name.text}\``)
    if (param.default !== null) checker.expect(param.default, scope, type, `The default of \`${param.name.text}\``)
    declareName(checker, scope, param.name, 'parameters', { kind: 'param', name: param.name.text }, type, 'a parameter')
  }
  const cans = workflow.body.filter((member): member is CanClause => member.kind === 'can')
  for (const can of cans) checkGrants(checker, can.grants, scope)
  for (const limits of workflow.body.filter((member): member is LimitsClause => member.kind === 'limits')) checkLimits(checker, limits, 'workflow')
  const policy = workflow.body.findLast((member): member is OnFailureClause => member.kind === 'on-failure') ?? null

  const graph = makeGraph(checker, workflow)
  const inner = new Scope(scope, pureCalls('a task'))
  const result = workflow.result === null ? null : checker.typeOf(workflow.result)
  if (workflow.result !== null && result !== null) checkSecretType(checker, workflow.result, result, `What \`${workflow.name.text}\` returns`)
  const facts: WorkflowFacts = { ...graph, result: result ?? anyType, triggers: [], grants: expandGrants(checker.program, checker.unit, cans) }
  checker.facts.workflow = facts
  checker.facts.grants = facts.grants
  facts.triggers = checkTriggers(checker, workflow, scope)
  declareNodes(checker, inner, scope, graph.nodes)
  for (const index of graph.walk) checkNode(checker, graph.nodes[index]!, inner, policy) // W1
  if (workflow.returns !== null) {
    const returns = new Scope(inner, pureCalls('`return`'))
    const type = result === null ? checker.infer(workflow.returns, returns) : checker.expect(workflow.returns, returns, result, 'What is returned')
    facts.result = result === null ? type : settled(result, type)
  } else if (result === null) facts.result = { kind: 'null' }
  for (const rule of workflowRules) rule(checker, workflow, facts)
}

function declareName(checker: Checker, scope: Scope, name: Name, what: string, ref: Parameters<Scope['add']>[1]['ref'], type: Type, description: string): void {
  const before = scope.find(name.text)
  if (before !== null && before.span !== null) {
    const related = [{ at: checker.at(before.span), message: 'the first one is here' }]
    checker.report(nameErrors.duplicate({ name: name.text, what }, { at: checker.at(name), related }))
  } else reportShadow(checker, scope, name)
  if (before === null) scope.add(name.text, { ref, type, span: name, what: description })
}

interface Graph {
  readonly nodes: NodeFacts[]
  /** Without the nodes of circles. */
  readonly order: readonly number[]
  /** All nodes. */
  readonly walk: readonly number[]
  readonly returnsDependsOn: readonly number[]
}

function makeGraph(checker: Checker, workflow: WorkflowDecl): Graph {
  const members = workflow.body.filter((member): member is TaskDecl | LetDecl => member.kind === 'task' || member.kind === 'let')
  const indexes = new Map<string, number>()
  members.forEach((member, index) => indexes.has(member.name.text) || indexes.set(member.name.text, index))
  const nodes = members.map((declaration, written): NodeFacts => {
    const { names, after } = nodeMentions(declaration)
    const dependsOn = new Set<number>()
    for (const name of [...names.keys(), ...after]) if (indexes.has(name)) dependsOn.add(indexes.get(name)!)
    if (declaration.kind === 'task') for (const name of declaration.after) reportUnknownTask(checker, name, indexes)
    return { declaration, name: declaration.name.text, written, dependsOn: [...dependsOn].sort((a, b) => a - b), type: anyType, mustCheck: false, seen: anyType, effect: 'pure', callsModel: false, fails: false, calls: { from: 0, to: 0 } }
  })
  const { order, cycles } = orderGraph(nodes.map(node => node.dependsOn))
  const circular = new Set<number>()
  for (const cycle of cycles) {
    reportCycle(checker, cycle.map(index => nodes[index]!))
    for (const index of cycle) circular.add(index)
  }
  const mentions: Mentions = new Map()
  if (workflow.returns !== null) mentionsOf(workflow.returns, mentions)
  const returnsDependsOn = [...mentions.keys()].flatMap(name => indexes.get(name) ?? []).sort((a, b) => a - b)
  return { nodes, walk: order, order: order.filter(index => !circular.has(index)), returnsDependsOn }
}

function reportUnknownTask(checker: Checker, name: Name, indexes: ReadonlyMap<string, number>): void {
  if (name.text === '' || indexes.has(name.text)) return
  const at = checker.at(name)
  checker.report(nameErrors['unknown-task']({ name: name.text }, { at, ...suggest(name.text, indexes.keys(), at) }))
}

const MAX_CYCLE_SHOWN = 7

function reportCycle(checker: Checker, cycle: readonly NodeFacts[]): void {
  const names = [...cycle.map(node => `\`${node.name}\``), `\`${cycle[0]!.name}\``]
  const path = names.length <= MAX_CYCLE_SHOWN ? names : [...names.slice(0, MAX_CYCLE_SHOWN - 3), `… ${names.length - MAX_CYCLE_SHOWN + 1} more …`, ...names.slice(-2)]
  const related = cycle.slice(1, 4).map(node => ({ at: checker.at(node.declaration.name), message: `\`${node.name}\` is part of it` }))
  checker.report(taskErrors.cycle({ path: path.join(' → ') }, { at: checker.at(cycle[0]!.declaration.name), related }))
}

function declareNodes(checker: Checker, scope: Scope, params: Scope, nodes: readonly NodeFacts[]): void {
  for (const node of nodes) {
    const { name, kind } = node.declaration
    if (name.text === '') continue
    const what = params.find(name.text) === null ? 'tasks' : 'values'
    declareName(checker, scope, name, what, { kind: 'node', name: name.text, index: node.written }, anyType, kind === 'task' ? 'a task' : 'a `let`')
  }
}

function checkNode(checker: Checker, node: NodeFacts, scope: Scope, policy: OnFailureClause | null): void {
  const before = checker.facts.callLog.length
  if (node.declaration.kind === 'let') {
    const inner = new Scope(scope, pureCalls('a `let`'))
    node.type = node.seen = checkTyped(checker, node, node.declaration.value, node.declaration.type, inner, `\`${node.name}\``)
  } else checkTask(checker, node, node.declaration, scope, policy)
  node.calls = { from: before, to: checker.facts.callLog.length }
  noteEffects(checker, node, checker.facts, before)
  node.fails ||= node.declaration.kind === 'task' && node.declaration.clauses.some(clause => clause.kind === 'ensure')
  const local = scope.find(node.name)
  if (local?.ref.kind === 'node' && local.ref.index === node.written) scope.add(node.name, { ...local, type: node.seen })
}

/** A value against its annotation, if there is one; `json` may be given a type, and is checked against it when it runs. */
function checkTyped(checker: Checker, node: NodeFacts, value: Expr, annotation: TypeNode | null, scope: Scope, place: string): Type {
  if (annotation === null) return checker.infer(value, scope)
  const wanted = checker.typeOf(annotation)
  const found = checker.infer(value, scope, wanted)
  const known = stripQualifiers(found).kind
  const isOutside = qualifiersWithin(found).untrusted && holdsUnknown(found)
  node.mustCheck = known === 'json' || ((known === 'any' || isOutside) && stripQualifiers(wanted).kind !== 'any') || !isAssignable(found, wanted)
  if (known !== 'json') checker.fit(value, found, wanted, `The value of ${place}`)
  return carried(wanted, found)
}

function checkTask(checker: Checker, node: NodeFacts, task: TaskDecl, scope: Scope, policy: OnFailureClause | null): void {
  let inner = new Scope(scope, pureCalls('`for … in`'))
  if (task.forEach !== null) {
    const item = itemOf(checker, task.forEach.list, inner, '`for … in`')
    inner = addItem(checker, new Scope(scope, pureCalls('`when`')), task.forEach.item, item, 'the item')
  }
  inner = inner.inside(pureCalls('`when`'))
  if (task.when !== null) {
    checker.condition(task.when, inner, 'What follows `when`')
    inner = inner.with(narrow(checker, task.when, inner, true)) // W3
  }
  node.type = checkTaskValue(checker, node, task, inner.with(approved(checker, task, inner)))
  let seen = node.type
  const context = { scope: inner, isFor: task.forEach !== null, name: node.name, value: node.type, allowed: 'write' as const }
  let ownPolicy: { readonly kind: string; readonly type: Type | null } | null = null
  for (const clause of task.clauses) {
    const type = checkClause(checker, clause, context)
    if (clause.kind === 'on-failure') ownPolicy = { kind: clause.action.kind, type }
  }
  if (ownPolicy === null && policy !== null) ownPolicy = { kind: policy.action.kind, type: checkClause(checker, policy, context) }
  if (ownPolicy?.kind === 'continue') seen = optional(seen) // W2
  else if (ownPolicy?.kind === 'use') seen = join(seen, ownPolicy.type ?? anyType)
  const asksPerItem = task.when !== null && task.forEach !== null && mentions(task.when, task.forEach.item.text)
  if (asksPerItem) seen = optional(seen)
  if (task.forEach !== null) seen = listOf(seen)
  if (task.when !== null && !asksPerItem) seen = optional(seen)
  node.seen = seen
}

function mentions(expr: Expr, name: string): boolean {
  const found: Mentions = new Map()
  mentionsOf(expr, found)
  return found.has(name)
}

function checkTaskValue(checker: Checker, node: NodeFacts, task: TaskDecl, scope: Scope): Type {
  const place = `\`${node.name}\``
  if (task.by !== null) return checkAgentTask(checker, node, task, scope)
  if (task.value.kind === 'prompt-value') {
    checker.report(taskErrors['prompt-without-agent']({}, { at: checker.at(task.value) }))
    checker.infer(task.value.text, scope)
    return task.result === null ? stringType : checker.typeOf(task.result)
  }
  return checkTyped(checker, node, task.value, task.result, scope.inside(worldCalls('a task', unwrapped(task.value))), place)
}

export function unwrapped(value: Value): Expr | null {
  if (value.kind === 'prompt-value') return null
  return value.kind === 'group' ? unwrapped(value.inner) : value
}

function checkAgentTask(checker: Checker, node: NodeFacts, task: TaskDecl, scope: Scope): Type {
  const agentKnown = task.by !== null && findAgent(checker, task.by)
  node.callsModel = true
  if (agentKnown) checkHasModel(checker, task.by!)
  const text = checkPrompt(checker, task.value, scope, agentKnown ? task.by!.parts.at(-1)!.text : null)
  if (task.result === null) {
    if (!checker.unit.declaration.broken) checker.report(taskErrors['agent-result-needed']({ name: node.name }, { at: checker.at(task.by ?? task.name) }))
    return anyType
  }
  const what = notJson(checker.typeOf(task.result))
  if (what !== null) checker.report(agentErrors['answer-not-json']({ what }, { at: checker.at(task.result) }))
  const isTold = qualifiersWithin(text).untrusted
  if (agentKnown && isTold) checker.noteTold(task.by!, task.value)
  return qualify(checker.typeOf(task.result), { untrusted: isTold || (agentKnown && checker.agentSource(task.by!) !== null) })
}

/** Reports an agent that nobody answers for; one whose model is unknown was reported there. */
export function checkHasModel(checker: Checker, by: Path): void {
  const agent = checker.facts.agents.get(by)
  if (agent === undefined || agent.declaration.body.some(member => member.kind === 'agent-model')) return
  const related = [{ at: placeIn(agent.unit, agent.declaration.name), message: 'it is declared here' }]
  checker.report(agentErrors['no-model']({ agent: agent.name }, { at: checker.at(by), related }))
}

/** The prompt of an agent: `prompt """…"""` or a call of a template. Gives the type of its text. */
export function checkPrompt(checker: Checker, value: Value, scope: Scope, agent: string | null): Type {
  if (value.kind === 'prompt-value') return checker.infer(value.text, scope.inside(pureCalls('a prompt')))
  const type = checker.infer(value, scope.inside(pureCalls('a prompt')))
  const call = unwrapped(value)
  const target = call?.kind === 'call' ? checker.facts.calls.get(call)?.target : undefined
  if (target?.kind !== 'prompt' && call?.kind !== 'error-expr' && agent !== null && stripQualifiers(type).kind !== 'any') {
    checker.report(taskErrors['agent-without-prompt']({ agent }, { at: checker.at(value) }))
  }
  return type
}

const RANK: Readonly<Record<Effect, number>> = { pure: 0, read: 1, write: 2 }

export const strongest = (a: Effect, b: Effect): Effect => (RANK[a] >= RANK[b] ? a : b)

/** What the calls met since `from` do. */
function noteEffects(checker: Checker, node: NodeFacts, facts: UnitFacts, from: number): void {
  for (let index = from; index < facts.callLog.length; index++) {
    const { target } = facts.callLog[index]!.fact
    if (target.kind === 'function') node.effect = strongest(node.effect, target.signature.effect)
    else if (target.kind === 'prelude' && target.name === 'fail') node.fails = true
    else if (target.kind === 'workflow') {
      const shape = checker.shapeOf(target.symbol as Sym)
      node.effect = strongest(node.effect, shape.effect)
      node.callsModel ||= shape.callsModel
      node.fails ||= shape.fails
    }
  }
}
