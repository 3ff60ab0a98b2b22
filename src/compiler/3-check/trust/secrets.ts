// Secrets: where the value of a secret may go.
// Owns: `secret/reaches-…`. Does not own: where secrets come from (declarations.ts), their values (interpreter), the way (trace.ts).
//   X1. A secret goes into an argument whose parameter is declared `secret`, or into an option of a model; on its way it may stand in texts, lists,
//       records and a `let`, and be one of two branches. Every other use is an error.
//   X2. The largest part that is not allowed is reported, once.
//   X3. Only units that name a secret are looked at.
import { secretErrors } from '#diagnostics/catalog/secret.ts'
import type { Diagnostic, DiagnosticExtras } from '#diagnostics/diagnostic.ts'
import type { Type } from '#model/type.ts'
import type { Clause, Expr, LoopDecl, LoopMember, TaskDecl, TypeNode, Value, WorkflowDecl } from '../../1-syntax/ast.ts'
import type { Checker } from '../checker.ts'
import type { CallFact } from '../facts.ts'
import { clauseExprs } from '../mentions.ts'
import { wayExtras } from './sinks.ts'
import { isMarked, traceWay } from './trace.ts'
import { sentence } from './words.ts'

/** Where a secret may not be: how it is reported, and how the way ends. */
interface Place {
  readonly ends: string
  report(source: string, extras: DiagnosticExtras): Diagnostic
}

/** Reports the uses of secrets in a declaration that are not allowed. */
export function checkSecretFlows(checker: Checker): void {
  if (!checker.facts.usesSecrets) return // X3
  const flows = new Flows(checker)
  const { declaration } = checker.unit
  switch (declaration.kind) {
    case 'workflow':
      return flows.workflow(declaration)
    case 'const':
      return flows.visit(declaration.value, kept('a `const`'))
    case 'prompt':
      for (const param of declaration.params) if (param.default !== null) flows.visit(param.default, PROMPT)
      return flows.visit(declaration.text, PROMPT)
    case 'agent':
      for (const member of declaration.body) {
        if (member.kind === 'agent-role') flows.visit(member.value, PROMPT)
        else if (member.kind === 'agent-memory' && member.thread !== null) flows.visit(member.thread, kept('the name of a thread'))
      }
      return
    case 'loop':
      return flows.loop(declaration)
    case 'test':
      for (const member of declaration.body) {
        if (member.kind === 'let') flows.visit(member.value, null)
        else if (member.kind === 'expect') flows.visit(member.condition, operation('`expect`'))
        else if (member.kind !== 'given-cassette') flows.visit(member.kind === 'given' ? member.replies : member.value, kept('`given`'))
      }
      return
    default:
      return
  }
}

const PROMPT: Place = { ends: 'gets into what a model is told', report: (source, extras) => secretErrors['reaches-prompt']({ source }, extras) }

function kept(place: string): Place {
  return { ends: `gets into ${place}`, report: (source, extras) => secretErrors['reaches-result']({ source, place }, extras) }
}

function operation(by: string): Place {
  return { ends: `is looked at by ${by}`, report: (source, extras) => secretErrors['reaches-operation']({ source, by }, extras) }
}

function argument(callee: string, param: string, takes: readonly string[]): Place {
  const help = takes.length === 0 ? [] : [`\`${callee}\` takes secrets as ${takes.map(each => `\`${each}\``).join(' and ')}.`]
  return { ends: `is given as \`${param}\` of \`${callee}\``, report: (source, extras) => secretErrors['reaches-argument']({ source, callee, param }, { ...extras, help }) }
}

class Flows {
  private readonly checker: Checker

  constructor(checker: Checker) {
    this.checker = checker
  }

  workflow(workflow: WorkflowDecl): void {
    for (const param of workflow.params) if (param.default !== null) this.visit(param.default, kept('a default value'))
    for (const member of workflow.body) {
      if (member.kind === 'let') this.visit(member.value, null)
      else if (member.kind === 'task') this.task(member)
      else if (member.kind === 'on-failure' && member.action.kind === 'use') this.visit(member.action.value, kept('a result'))
      else if (member.kind === 'trigger') this.visit('value' in member.on ? member.on.value : member.on.text, kept('a trigger'))
      else if (member.kind === 'can') for (const grant of member.grants) for (const arg of grant.args ?? []) this.visit(arg.value, kept('a grant'))
    }
    if (workflow.returns !== null) this.visit(workflow.returns, kept(`what \`${workflow.name.text}\` returns`))
  }

  loop(loop: LoopDecl): void {
    for (const member of loop.body) this.loopMember(member)
  }

  private loopMember(member: LoopMember): void {
    if (member.kind === 'stage') {
      this.value(member.value, member.by !== null, `\`${member.stage}\``)
      for (const clause of member.clauses) this.clause(clause)
    } else if (member.kind === 'stop-when' || member.kind === 'gate') this.visit(member.condition, operation('a condition'))
    else if (member.kind === 'outcome') {
      this.visit(member.when, operation('a condition'))
      for (const action of member.actions) this.visit(action, null)
    }
  }

  private task(task: TaskDecl): void {
    if (task.forEach !== null) this.visit(task.forEach.list, kept('the items of a `for`'))
    if (task.when !== null) this.visit(task.when, operation('`when`'))
    for (const clause of task.clauses) this.clause(clause)
    this.value(task.value, task.by !== null, `the result of \`${task.name.text}\``)
  }

  private clause(clause: Clause): void {
    const word = clause.kind === 'on-failure' ? 'on failure' : clause.kind
    for (const { expr } of clauseExprs(clause)) this.visit(expr, kept(clause.kind === 'on-failure' ? 'a result' : `\`${word}\``))
  }

  private value(value: Value, isPrompt: boolean, result: string): void {
    if (value.kind === 'prompt-value') this.visit(value.text, PROMPT)
    else this.visit(value, isPrompt ? PROMPT : kept(result))
  }

  private has(expr: Expr): boolean {
    const type = this.checker.facts.types.get(expr)
    return type !== undefined && isMarked(type, 'secret')
  }

  /** With a place, nothing secret may come out of the expression. */
  visit(expr: Expr, place: Place | null): void {
    switch (expr.kind) {
      case 'call':
      case 'pipe': {
        const fact = this.checker.facts.calls.get(expr)
        if (fact !== undefined) this.call(fact)
        return
      }
      case 'unary':
        return this.visit(expr.value, operation(`\`${expr.op}\``))
      case 'binary':
        if (expr.op !== '??') {
          this.visit(expr.left, operation(`\`${expr.op}\``))
          return this.visit(expr.right, operation(`\`${expr.op}\``))
        }
        break
      default:
    }
    if (place !== null && this.has(expr)) return this.report(expr, place) // X2
    this.parts(expr, place)
  }

  /** X1. */
  private parts(expr: Expr, place: Place | null): void {
    switch (expr.kind) {
      case 'group':
        return this.visit(expr.inner, place)
      case 'template':
        for (const part of expr.parts) if (part.kind !== 'template-text') this.visit(part, place)
        return
      case 'list':
        for (const item of expr.items) this.visit(item, place)
        return
      case 'record':
        for (const entry of expr.entries) this.visit(entry.value, place)
        return
      case 'comprehension':
        this.visit(expr.list, place)
        if (expr.condition !== null) this.visit(expr.condition, operation('a condition'))
        return this.visit(expr.value, place)
      case 'if':
        this.visit(expr.condition, operation('`if`'))
        this.visit(expr.then, place)
        return this.visit(expr.else, place)
      case 'match':
        this.visit(expr.subject, operation('`match`'))
        for (const arm of expr.arms) this.visit(arm.value, place)
        return
      case 'binary':
        this.visit(expr.left, place)
        return this.visit(expr.right, place)
      case 'member':
        return this.visit(expr.object, null)
      case 'index':
        this.visit(expr.object, null)
        return this.visit(expr.index, operation('`[…]`'))
      case 'lambda':
        return this.visit(expr.body, place)
      default:
        return
    }
  }

  private call(fact: CallFact): void {
    const { target } = fact
    if (target.kind === 'denied') {
      for (const { values } of fact.args) for (const value of values) this.visit(value, kept('a result'))
      return
    }
    const name = target.kind === 'prelude' || target.kind === 'loop' ? target.name : target.kind === 'function' ? `${target.module.name}.${target.signature.name}` : target.symbol.name
    const takes = target.kind === 'function' ? target.signature.params.filter(param => param.secret === true).map(param => param.name) : []
    for (const { param, values } of fact.args) {
      const place = param.secret === true ? null
        : target.kind === 'prompt' ? PROMPT
        : target.kind === 'prelude' ? operation(`\`${name}\``) : argument(name, param.name, takes)
      for (const value of values) this.visit(value, place)
    }
  }

  private report(expr: Expr, place: Place): void {
    const { checker } = this
    const way = traceWay(checker.traceSetting('secret'), checker.facts, expr)
    checker.report(place.report(sentence(way.source), { at: checker.at(expr), ...wayExtras(way, checker.unit, expr, place.ends) }))
  }
}

/** Reports a parameter or result that is declared `secret`: whoever calls would hand the value over in clear. */
export function checkSecretType(checker: Checker, node: TypeNode, type: Type, what: string): void {
  if (isMarked(type, 'secret')) checker.report(secretErrors['in-signature']({ what }, { at: checker.at(node) }))
}
