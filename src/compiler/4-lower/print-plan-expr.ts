// Print plan expr: a lowered expression as tek text on one line, for differences and messages.
// Owns: the text. Does not own: the formatter of source (1-syntax/print.ts), which keeps comments and layout.
import type { PlanApproval, PlanBody, PlanExpr, PlanGrant, PlanTrigger, PlanValue } from '#model/plan.ts'
import { amountText } from '../3-check/worst-case/amount-text.ts'

const MAX_PRINTED = 2_000
const MAX_PRINTED_DEPTH = 200

/** Names of a workflow's nodes, by index. */
export type NodeNames = readonly string[]

/** The expression as a user would write it. */
export function printPlanExpr(expr: PlanExpr, nodes: NodeNames = []): string {
  const text = print(expr, nodes, 0)
  return text.length > MAX_PRINTED ? `${text.slice(0, MAX_PRINTED)}…` : text
}

export function printBody(body: PlanBody, nodes: NodeNames): string {
  if (body.kind === 'expr') return printPlanExpr(body.value, nodes)
  if (body.kind === 'agent') return `by ${body.agent} = prompt ${printPlanExpr(body.prompt, nodes)}`
  return `${body.workflow}(${named(body.args, nodes, 0)})`
}

export function printGrant(grant: PlanGrant): string {
  return grant.args.length === 0 ? grant.name : `${grant.name}(${grant.args.map(arg => printPlanExpr(arg)).join(', ')})`
}

/** A trigger as a program writes it; times in their largest unit. */
export function printTrigger(trigger: PlanTrigger): string {
  switch (trigger.kind) {
    case 'every':
      return `every ${amountText('time', trigger.intervalMs, 'written')}${missed(trigger.missed)}`
    case 'cron':
      return `cron ${value(trigger.pattern)} in ${value(trigger.zone)}${missed(trigger.missed)}`
    case 'file':
      return `on file ${value(trigger.pattern)}${trigger.param === null ? '' : `, given to ${trigger.param}`}`
    case 'webhook':
      return `on webhook ${value(trigger.name)}${trigger.secret === null ? '' : ` signed ${trigger.secret}`}${trigger.params.length === 0 ? '' : `, which sets ${trigger.params.join(', ')}`}`
  }
}

const missed = (what: 'run' | 'skip'): string => (what === 'skip' ? ' missed skip' : '')

/** The deadlines of a question as a program writes them. */
export function printApproval({ withinMs, escalate }: PlanApproval): string {
  const time = (ms: number): string => amountText('time', ms, 'written')
  return [`within ${time(withinMs)}`, ...escalate.map(each => `escalate ${value(each.to)} within ${time(each.withinMs)}`)].join(' ')
}

const SYMBOLS: Readonly<Record<string, string>> = { coalesce: '??' }

function print(expr: PlanExpr, nodes: NodeNames, depth: number): string {
  if (depth > MAX_PRINTED_DEPTH) return '…'
  const into = (inner: PlanExpr): string => print(inner, nodes, depth + 1)
  /** An operand, in parentheses where it is no single thing. */
  const part = (inner: PlanExpr): string => (SINGLE.has(inner.op) ? into(inner) : `(${into(inner)})`)
  switch (expr.op) {
    case 'value':
      return value(expr.value)
    case 'param':
    case 'local':
    case 'constant':
    case 'secret':
      return expr.name
    case 'node':
      return nodes[expr.index] ?? `task ${expr.index}`
    case 'list':
      return `[${expr.items.map(into).join(', ')}]`
    case 'record':
      return `{ ${expr.entries.map(entry => (entry.key === null ? `...${into(entry.value)}` : `${entry.key}: ${into(entry.value)}`)).join(', ')} }`
    case 'template':
      return `"${expr.parts.map(each => (typeof each === 'string' ? JSON.stringify(each).slice(1, -1) : `\${${into(each)}}`)).join('')}"`
    case 'member':
      return `${part(expr.object)}${expr.optional ? '?.' : '.'}${expr.name}`
    case 'index':
      return `${part(expr.object)}[${into(expr.index)}]`
    case 'negate':
      return `-${part(expr.value)}`
    case 'not':
      return `not ${part(expr.value)}`
    case 'if':
      return `if ${into(expr.condition)} then ${into(expr.then)} else ${into(expr.else)}`
    case 'match':
      return `match ${into(expr.subject)} { ${expr.arms.map(arm => `${arm.patterns.map(pattern).join(' | ')} => ${into(arm.value)}`).join(', ')} }`
    case 'lambda':
      return `${expr.param} => ${into(expr.body)}`
    case 'comprehension':
      return `[${into(expr.value)} for ${expr.item} in ${into(expr.list)}${expr.condition === null ? '' : ` if ${into(expr.condition)}`}]`
    case 'prelude':
      return `${expr.fn}(${[...expr.args.map(into), ...(expr.named === undefined ? [] : [named(expr.named, nodes, depth)])].join(', ')})`
    case 'call':
      return `${expr.module}.${expr.fn}(${named(expr.args, nodes, depth)})`
    case 'prompt':
      return `${expr.prompt}(${named(expr.args, nodes, depth)})`
    case 'denied':
      return `denied(${into(expr.call)})`
    default:
      return `${part(expr.left)} ${SYMBOLS[expr.op] ?? expr.op} ${part(expr.right)}`
  }
}

const SINGLE = new Set<PlanExpr['op']>([
  'value', 'param', 'local', 'constant', 'secret', 'node', 'list', 'record', 'template', 'member', 'index', 'prelude', 'call', 'prompt', 'denied', 'comprehension', 'match',
])

function named(args: Readonly<Record<string, PlanExpr>>, nodes: NodeNames, depth: number): string {
  return Object.entries(args).map(([name, arg]) => `${name}: ${print(arg, nodes, depth + 1)}`).join(', ')
}

function pattern(each: PlanValue | { readonly any: true }): string {
  return typeof each === 'object' && each !== null && 'any' in each ? '_' : value(each as PlanValue)
}

function value(literal: PlanValue): string {
  return JSON.stringify(literal)
}
