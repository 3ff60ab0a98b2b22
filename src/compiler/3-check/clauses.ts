// Clauses: the arguments of a task's clauses.
// Owns: what each clause takes. Does not own: what `verify` may run (rules/verify-writes.ts), the order of clauses (syntax).
import { taskErrors } from '#diagnostics/catalog/task.ts'
import { anyType, boolType, intType, stringType, stripQualifiers } from '#types/construct.ts'
import { MAX_ESCALATIONS, MAX_WAIT_MS } from '#model/plan.ts'
import type { Type } from '#model/type.ts'
import type { Clause, EnsureClause, Expr, LiteralExpr, Name, Path, RecordEntry, Span } from '../1-syntax/ast.ts'
import { nameErrors } from '#diagnostics/catalog/name.ts'
import { suggest } from '../2-resolve/declare.ts'
import type { Checker } from './checker.ts'
import { literalOf } from './known-values.ts'
import { type CallPlace, pureCalls, type Scope, worldCalls } from './scope.ts'

const MAX_RETRIES = 100
const MAX_VERIFY_RUNS = 100
const MAX_PARALLEL = 10_000
/** Characters of whom a question is passed on to. */
const MAX_ADDRESSEE = 200
const DAY_MS = 86_400_000
const PRIORITIES = ['low', 'normal', 'high']

/** The record that `error` is in `on failure use`. */
export const failureType: Type = {
  kind: 'record', name: 'Failure',
  fields: {
    code: { type: stringType, optional: false }, message: { type: { kind: 'untrusted', of: stringType }, optional: false },
    task: { type: stringType, optional: false }, retryable: { type: boolType, optional: false },
  },
}

export interface ClauseContext {
  readonly scope: Scope
  readonly isFor: boolean
  readonly name: string
  /** What `ensure` may call: as the value itself. */
  readonly allowed: CallPlace['allowed']
  /** Type of one value, for `verify … key` and `ensure`. */
  readonly value: Type
}

/** Reports what is wrong in a clause; gives the type of `use` in `on failure use`. */
export function checkClause(checker: Checker, clause: Clause, context: ClauseContext): Type | null {
  const scope = context.scope.inside(pureCalls(`\`${clause.kind === 'on-failure' ? 'on failure' : clause.kind}\``))
  switch (clause.kind) {
    case 'retry':
      if (clause.count < 1 || clause.count > MAX_RETRIES) checker.report(taskErrors['bad-retry']({ limit: MAX_RETRIES }, { at: checker.at(clause) }))
      if (clause.backoff !== null) checkBackoff(checker, clause.backoff.from, clause.backoff.to)
      return null
    case 'timeout':
      if (!isPositiveTime(clause.value)) checker.report(taskErrors['bad-timeout']({}, { at: checker.at(clause.value) }))
      return null
    case 'cache':
      if (clause.age !== null && !isPositiveTime(clause.age)) checker.report(taskErrors['bad-cache']({}, { at: checker.at(clause.age) }))
      if (clause.by !== null) checker.infer(clause.by, scope)
      return null
    case 'verify':
      checkVerify(checker, clause, scope, context.value)
      return null
    case 'priority':
      checkPriority(checker, clause.level)
      return null
    case 'needs':
      checkNeeds(checker, clause.values, scope)
      return null
    case 'parallel':
      checkParallel(checker, clause, context, scope)
      return null
    case 'on-failure': {
      if (clause.action.kind !== 'use') return null
      const inner = scope.inside()
      inner.add('error', { ref: { kind: 'local', name: 'error' }, type: failureType, span: null, what: 'the failure' })
      return checker.infer(clause.action.value, inner, context.value)
    }
    case 'approve':
      checker.expect(clause.question, scope, stringType, 'The question')
      checkQuestion(checker, clause)
      return null
    case 'wait':
      checkWait(checker, clause, scope)
      return null
    case 'label':
      checker.expect(clause.text, scope, stringType, 'The label')
      return null
    case 'ensure':
      checkEnsure(checker, clause, context)
      return null
    case 'evidence':
      return null
  }
}

/** `answer` is the value with its marks; the condition may call tools as the task itself may. */
function checkEnsure(checker: Checker, { condition, says }: EnsureClause, { scope, value, allowed }: ClauseContext): void {
  const inner = scope.inside({ ...worldCalls('`ensure`', null), allowed })
  inner.add('answer', { ref: { kind: 'local', name: 'answer' }, type: value, span: null, what: 'the value' })
  checker.condition(condition, inner, 'What follows `ensure`')
  if (says !== null) checker.expect(says, inner.inside(pureCalls('what `ensure` says')), stringType, 'What `ensure` says')
}

function checkPriority(checker: Checker, level: Name): void {
  if (level.text === '' || PRIORITIES.includes(level.text)) return // no name at all was reported
  const at = checker.at(level)
  checker.report(taskErrors['bad-priority']({ level: level.text }, { at, ...suggest(level.text, PRIORITIES, at) }))
}

function isPositiveTime(literal: LiteralExpr): boolean {
  return literal.type === 'duration' && typeof literal.value === 'number' && literal.value > 0
}

/** What is wrong with a length of time that is written out, or null. */
function timeProblem(literal: LiteralExpr): string | null {
  if (literal.text === '') return null // none at all: said when it was parsed
  if (literal.type !== 'duration') return `takes a time, and \`${literal.text}\` is none`
  if (Number(literal.value) <= 0) return 'takes a time longer than zero'
  return Number(literal.value) > MAX_WAIT_MS ? `waits for at most ${MAX_WAIT_MS / DAY_MS} days` : null
}

function checkQuestion(checker: Checker, { question, within, escalate }: Extract<Clause, { kind: 'approve' }>): void {
  const complain = (problem: string, at: Span): void => checker.report(taskErrors['bad-approve']({ problem }, { at: checker.at(at) }))
  if (question.kind === 'string-literal' && question.text !== '' && question.value.trim() === '') complain('asks something, and this is empty', question)
  for (const literal of [...(within === null ? [] : [within]), ...escalate.map(each => each.within)]) {
    const problem = timeProblem(literal)
    if (problem !== null) complain(problem, literal)
  }
  for (const { to } of escalate) {
    if (to.text === '') continue
    if (to.value.trim() === '') complain('says to whom the question is passed on', to)
    else if (to.value.length > MAX_ADDRESSEE) complain(`names somebody in at most ${MAX_ADDRESSEE} characters`, to)
  }
  if (escalate.length > MAX_ESCALATIONS) complain(`passes a question on at most ${MAX_ESCALATIONS} times`, escalate[MAX_ESCALATIONS]!)
}

function checkWait(checker: Checker, { until, value }: Extract<Clause, { kind: 'wait' }>, scope: Scope): void {
  const type = checker.infer(value, scope)
  const literal = literalOf(checker.facts, value)
  const isLength = stripQualifiers(type).kind === 'duration'
  if (until ? !isLength : !isNegative(checker, value) && (literal === null || literal.type === null)) return checker.fit(value, type, until ? intType : { kind: 'duration' }, until ? 'What follows `wait until`' : 'What follows `wait`')
  const problem = until ? 'takes a point in time after `until`, and this is a length of time' : isNegative(checker, value) ? 'takes a time longer than zero' : timeProblem(literal!)
  if (problem !== null) checker.report(taskErrors['bad-wait']({ problem }, { at: checker.at(value) }))
}

/** A length that is written out with a minus before it. */
function isNegative(checker: Checker, value: Expr): boolean {
  if (value.kind === 'group') return isNegative(checker, value.inner)
  return value.kind === 'unary' && value.op === '-' && literalOf(checker.facts, value.value)?.type === 'duration'
}

function checkBackoff(checker: Checker, from: LiteralExpr, to: LiteralExpr | null): void {
  const problem = !isPositiveTime(from) || (to !== null && !isPositiveTime(to)) ? 'takes times longer than zero'
    : to !== null && Number(to.value) < Number(from.value) ? 'begins with the longer time' : null
  if (problem !== null) checker.report(taskErrors['bad-backoff']({ problem }, { at: checker.at(to === null ? from : { start: from.start, end: to.end }) }))
}

function checkVerify(checker: Checker, clause: Extract<Clause, { kind: 'verify' }>, scope: Scope, value: Type): void {
  const { runs, agree, upTo } = clause
  const problem = runs < 2 && upTo === null ? 'needs at least 2 runs to compare'
    : runs < 1 || Math.max(runs, upTo ?? 0) > MAX_VERIFY_RUNS ? `takes up to ${MAX_VERIFY_RUNS} runs`
    : upTo !== null && upTo <= runs ? 'takes a range that grows'
    : agree !== null && agree > runs ? `cannot have ${agree} of ${runs} runs agree`
    : agree !== null && agree * 2 <= runs ? `needs more than half: ${agree} of ${runs} is not` : null
  if (problem !== null) checker.report(taskErrors['bad-verify']({ problem }, { at: checker.at(clause) }))
  if (clause.key !== null) {
    const inner = scope.inside()
    inner.add('value', { ref: { kind: 'local', name: 'value' }, type: value, span: null, what: 'the value' })
    if (clause.key.kind === 'lambda') checker.infer(clause.key, inner, { kind: 'function', params: [value], result: anyType })
    else checker.infer(clause.key, inner)
  }
  if (clause.judge !== null) findAgent(checker, clause.judge)
}

/** The agent a path names; reports when there is none. */
export function findAgent(checker: Checker, path: Path): boolean {
  const name = path.parts.map(part => part.text).join('.')
  if (name === '' || checker.unit.file.unknown.has(name)) return true
  const symbol = checker.unit.file.values.get(name)
  if (symbol?.kind === 'agent') {
    checker.facts.agents.set(path, symbol)
    return true
  }
  const agents = [...checker.unit.file.values.values()].filter(each => each.kind === 'agent').map(each => each.name)
  checker.report(nameErrors['unknown-agent']({ name }, { at: checker.at(path), ...suggest(name, agents, checker.at(path)) }))
  return false
}

function checkNeeds(checker: Checker, values: Extract<Clause, { kind: 'needs' }>['values'], scope: Scope): void {
  for (const entry of values.entries) {
    const complain = (problem: string, at: { start: number; end: number }): void => checker.report(taskErrors['bad-needs']({ problem }, { at: checker.at(at) }))
    if (entry.kind !== 'entry') {
      complain('takes no `...`', entry)
      continue
    }
    const { text } = entry.key
    if (text !== 'cpu' && text !== 'memory') complain(`knows no \`${text}\``, entry.key)
    else {
      const problem = needProblem(text, entry)
      if (problem !== null) complain(problem, entry.value)
    }
  }
  checker.infer(values, scope)
}

function needProblem(name: 'cpu' | 'memory', { value }: RecordEntry): string | null {
  if (value.kind !== 'literal') return `takes a number for \`${name}\``
  if (typeof value.value !== 'number' || value.value <= 0) return `takes more than zero for \`${name}\``
  if (name === 'cpu') return value.type === 'int' || value.type === 'float' ? null : 'takes a number of processors for `cpu`'
  return value.type === 'size' ? null : 'takes a size for `memory`'
}

function checkParallel(checker: Checker, clause: Extract<Clause, { kind: 'parallel' }>, context: ClauseContext, scope: Scope): void {
  if (!context.isFor) checker.report(taskErrors['parallel-without-for']({ name: context.name }, { at: checker.at(clause) }))
  const type = checker.expect(clause.width, scope, intType, 'The width')
  const bare = stripQualifiers(type)
  const width = bare.kind === 'literal' && typeof bare.value === 'number' ? bare.value : 1
  if (width < 1 || width > MAX_PARALLEL) checker.report(taskErrors['bad-parallel']({ limit: MAX_PARALLEL }, { at: checker.at(clause.width) }))
}
