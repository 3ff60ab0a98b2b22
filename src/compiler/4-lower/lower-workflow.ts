// Lower workflow: tasks and lets in the order of their dependencies, clauses as numbers.
// Owns: nodes, clauses, grants, defaults of clauses. Does not own: expressions.
import type { PlanBody, PlanGrant, PlanNode, PlanOnFailure, PlanParam, PlanWorkflow } from '#model/plan.ts'
import type { Clause, Expr, LetDecl, LimitsClause, LiteralExpr, OnFailureClause, TaskDecl, Value } from '../1-syntax/ast.ts'
import { modelNamed } from '../2-resolve/models.ts'
import type { Sym } from '../2-resolve/program.ts'
import type { GrantFact, NodeFacts } from '../3-check/facts.ts'
import { readLimits } from '../3-check/limits.ts'
import { DEFAULT_BACKOFF_FROM_MS, DEFAULT_BACKOFF_TO_MS } from '../3-check/worst-case/worst-case.ts'
import { promptText } from './from-outside.ts'
import type { LowerAt, LowerContext } from './lower-context.ts'
import { lowerArgs, lowerExpr } from './lower-expression.ts'
import { writtenAt } from './places.ts'

const PRIORITIES: Readonly<Record<string, number>> = { low: -1, normal: 0, high: 1 }

export function lowerWorkflow(context: LowerContext, symbol: Sym<'workflow'>): PlanWorkflow {
  const at = context.at(symbol.unit)
  const facts = at.facts.workflow!
  const { declaration } = symbol
  const policy = declaration.body.findLast((member): member is OnFailureClause => member.kind === 'on-failure')
  const indexes = (written: readonly number[]): number[] => written.map(index => at.nodeIndex.get(index)!).sort((a, b) => a - b)
  return {
    name: symbol.name,
    params: lowerParams(context, symbol),
    result: facts.result,
    authority: facts.grants === null ? null : lowerGrants(context, facts.grants),
    limits: readLimits(declaration.body.filter((member): member is LimitsClause => member.kind === 'limits')),
    onFailure: policy === undefined ? { kind: 'stop' } : lowerOnFailure(at, policy),
    ...(facts.triggers.length === 0 ? {} : { triggers: facts.triggers }),
    nodes: facts.order.map(written => lowerNode(at, facts.nodes[written]!, indexes(facts.nodes[written]!.dependsOn))),
    returns: declaration.returns === null ? { op: 'value', value: null } : lowerExpr(at, declaration.returns),
    returnsDependsOn: indexes(facts.returnsDependsOn),
  }
}

export function lowerParams(context: LowerContext, { unit, declaration }: Sym<'workflow'>): PlanParam[] {
  const at = context.at(unit)
  return declaration.params.map(param => ({ name: param.name.text, type: context.checked.typeOf(unit, param.type), default: param.default === null ? null : lowerExpr(at, param.default) }))
}

function lowerNode(at: LowerAt, node: NodeFacts, dependsOn: readonly number[]): PlanNode {
  const { declaration, name, type } = node
  const parts = declaration.kind === 'let' ? lowerLet(at, declaration) : lowerTask(at, declaration)
  // Written out, not spread: a scheduler that walks many nodes is several times faster when the machine sees one shape of object.
  const lowered: PlanNode = {
    name, type, dependsOn, kind: parts.kind, forEach: parts.forEach, when: parts.when, body: parts.body, retry: parts.retry, timeoutMs: parts.timeoutMs,
    cache: parts.cache, verify: parts.verify, priority: parts.priority, needs: parts.needs, onFailure: parts.onFailure, approve: parts.approve, label: parts.label,
  }
  const waits = declaration.kind === 'task' ? lowerWaits(at, declaration) : null
  const ensure = declaration.kind === 'task' ? lowerEnsure(at, declaration) : null
  return node.mustCheck || waits !== null || ensure !== null ? { ...lowered, ...(node.mustCheck ? { mustCheck: true } : {}), ...waits, ...ensure } : lowered
}

export type NodeParts = Omit<PlanNode, 'name' | 'type' | 'mustCheck' | 'dependsOn' | 'approval' | 'wait' | 'ensure'>

/** What must hold of its value; where nothing else is said, the condition says it. */
export function lowerEnsure(at: LowerAt, task: TaskDecl): Pick<PlanNode, 'ensure'> | null {
  const ensure = task.clauses.flatMap(clause => (clause.kind !== 'ensure' ? [] : [{
    condition: lowerExpr(at, clause.condition),
    says: clause.says === null ? { op: 'value' as const, value: writtenAt(at.unit, clause.condition) } : lowerExpr(at, clause.says),
    ...(clause.says !== null && at.context.fromOutside.has(clause.says) ? { isUntrusted: true as const } : {}),
  }]))
  return ensure.length === 0 ? null : { ensure }
}

/** Deadlines of its question, and the time that passes before its body; null where there are none. */
export function lowerWaits(at: LowerAt, task: TaskDecl): Pick<PlanNode, 'approval' | 'wait'> | null {
  const approve = task.clauses.find(each => each.kind === 'approve')
  const wait = task.clauses.find(each => each.kind === 'wait')
  if (approve?.within == null && wait === undefined) return null
  return {
    ...(approve?.within == null ? {} : {
      approval: { withinMs: numberIn(approve.within), escalate: approve.escalate.map(each => ({ to: each.to.value, withinMs: numberIn(each.within) })) },
    }),
    ...(wait === undefined ? {} : { wait: { kind: wait.until ? 'until' : 'for', value: lowerExpr(at, wait.value) } }),
  }
}

function lowerLet(at: LowerAt, declaration: LetDecl): NodeParts {
  return {
    kind: 'let', forEach: null, when: null, body: { kind: 'expr', value: lowerExpr(at, declaration.value) }, retry: null, timeoutMs: null, cache: null,
    verify: null, priority: 0, needs: null, onFailure: null, approve: null, label: null,
  }
}

export function lowerTask(at: LowerAt, task: TaskDecl): NodeParts {
  const clause = <K extends Clause['kind']>(kind: K): Extract<Clause, { kind: K }> | undefined => task.clauses.find((each): each is Extract<Clause, { kind: K }> => each.kind === kind)
  const into = (expr: Expr | null | undefined) => (expr === null || expr === undefined ? null : lowerExpr(at, expr))
  const retry = clause('retry')
  const cache = clause('cache')
  const verify = clause('verify')
  const needs = clause('needs')
  const onFailure = clause('on-failure')
  const timeout = clause('timeout')
  return {
    kind: 'task',
    forEach: task.forEach === null ? null : { item: task.forEach.item.text, list: lowerExpr(at, task.forEach.list), width: into(clause('parallel')?.width) },
    when: into(task.when),
    body: task.by === null ? lowerBody(at, task.value) : lowerAgentBody(at, task.by, task.value),
    retry: retry === undefined ? null : lowerRetry(retry),
    timeoutMs: timeout === undefined ? null : numberIn(timeout.value),
    cache: cache === undefined ? null : { ageMs: cache.age === null ? null : numberIn(cache.age), by: into(cache.by) },
    verify: verify === undefined ? null : { runs: verify.runs, agree: verify.agree, upTo: verify.upTo, key: into(verify.key) },
    priority: PRIORITIES[clause('priority')?.level.text ?? 'normal'] ?? 0,
    needs: needs === undefined ? null : { cpu: entryNumber(needs.values, 'cpu'), memoryBytes: entryNumber(needs.values, 'memory') },
    onFailure: onFailure === undefined ? null : lowerOnFailure(at, onFailure),
    approve: into(clause('approve')?.question),
    label: into(clause('label')?.text),
  }
}

function lowerAgentBody(at: LowerAt, by: NonNullable<TaskDecl['by']>, prompt: TaskDecl['value']): PlanBody {
  const isUntrusted = at.context.fromOutside.has(promptText(prompt))
  return { kind: 'agent', agent: at.facts.agents.get(by)!.key, prompt: lowerExpr(at, prompt), ...(isUntrusted ? { isUntrusted } : {}) }
}

/** A value as a body: a call of a workflow is a sub-workflow. */
export function lowerBody(at: LowerAt, value: Value): PlanBody {
  let expr = value
  while (expr.kind === 'group') expr = expr.inner
  const fact = expr.kind === 'call' || expr.kind === 'pipe' ? at.facts.calls.get(expr) : undefined
  if (fact?.target.kind === 'workflow') return { kind: 'workflow', workflow: at.context.needWorkflow(fact.target.symbol), args: lowerArgs(at, fact) }
  return { kind: 'expr', value: lowerExpr(at, value) }
}

function lowerOnFailure(at: LowerAt, clause: OnFailureClause): PlanOnFailure {
  return clause.action.kind === 'use' ? { kind: 'use', value: lowerExpr(at, clause.action.value) } : { kind: clause.action.kind }
}

function lowerRetry(clause: Extract<Clause, { kind: 'retry' }>): { count: number; fromMs: number; toMs: number } {
  if (clause.backoff === null) return { count: clause.count, fromMs: DEFAULT_BACKOFF_FROM_MS, toMs: DEFAULT_BACKOFF_TO_MS }
  const fromMs = numberIn(clause.backoff.from)
  return { count: clause.count, fromMs, toMs: clause.backoff.to === null ? fromMs : numberIn(clause.backoff.to) }
}

const numberIn = (literal: LiteralExpr): number => Number(literal.value)

function entryNumber(record: Extract<Clause, { kind: 'needs' }>['values'], name: string): number {
  const entry = record.entries.find(each => each.kind === 'entry' && each.key.text === name)
  return entry?.value.kind === 'literal' ? numberIn(entry.value) : 0
}

/** Grants with their arguments as expressions; a model's name is its key. */
export function lowerGrants(context: LowerContext, grants: readonly GrantFact[]): PlanGrant[] {
  return grants.map(grant => {
    const at = context.at(grant.unit)
    const args = (grant.node.args ?? []).map(({ value }) => {
      const model = modelNamed(grant.unit.file, value)
      return model !== null ? { op: 'value' as const, value: model.key } : lowerExpr(at, value)
    })
    return { name: grant.name, args, implies: grant.implies }
  })
}
