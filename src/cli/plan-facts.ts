// Plan facts: what can be said of a plan without running it.
// Owns: grants as text, the calls a workflow can make, those left to the guard, the worst number of its tasks. Does not own: printing.
//   F1. A number of tasks is an upper bound or null; it is never a guess.
import type { Plan, PlanExpr, PlanGrant, PlanNode, PlanUndecided, PlanValue } from '#model/plan.ts'

/** Literal lists and `take(xs, n)` bound a `for`; nested calls multiply up to here, then the bound is said to be unknown. */
const MAX_TASKS = Number.MAX_SAFE_INTEGER

/** Grants as a program writes them, `${name}` for a parameter; sorted, each once. */
export function grantsOf(grants: readonly PlanGrant[]): string[] {
  const texts = grants.map(grant => (grant.args.length === 0 ? grant.name : `${grant.name}(${grant.args.map(printPattern).join(', ')})`))
  return [...new Set(texts)].sort()
}

function printPattern(expression: PlanExpr): string {
  switch (expression.op) {
    case 'value':
      return JSON.stringify(expression.value)
    case 'template':
      return `"${expression.parts.map(part => (typeof part === 'string' ? part : `\${${printName(part)}}`)).join('')}"`
    default:
      return printName(expression)
  }
}

const printName = (expression: PlanExpr): string => (expression.op === 'param' || expression.op === 'constant' || expression.op === 'local' ? expression.name : '…')

export interface CallFact {
  /** `fs.read`. */
  readonly name: string
  readonly effect: 'read' | 'write'
}

/** Calls of a workflow, and of those it calls, that the guard decides when they are made; by place. */
export function undecidedOf(plan: Plan, workflow: string): PlanUndecided[] {
  const { undecided } = plan
  if (undecided === undefined) return []
  const reached = reachedFrom(plan, workflow)
  return undecided.filter(call => reached.has(call.workflow)).sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : a.line - b.line || a.column - b.column))
}

/** A workflow and all that it can call. */
function reachedFrom(plan: Plan, workflow: string): ReadonlySet<string> {
  const reached = new Set([workflow])
  for (const key of reached) for (const node of plan.workflows[key]?.nodes ?? []) if (node.body.kind === 'workflow') reached.add(node.body.workflow)
  return reached
}

/** Every effectful function that a workflow, or one that it calls, can call; sorted by name. */
export function callsOf(plan: Plan, workflow: string): CallFact[] {
  const found = new Map<string, CallFact>()
  const seen = new Set<string>()
  const visit = (key: string): void => {
    if (seen.has(key)) return
    seen.add(key)
    const target = plan.workflows[key]
    if (!target) return
    const look = (part: unknown): void => {
      if (Array.isArray(part)) part.forEach(look)
      else if (typeof part === 'object' && part !== null) {
        const node = part as { op?: string; kind?: string; module?: string; fn?: string; effect?: string; workflow?: string; value?: unknown }
        if (node.op === 'value') return // data, whatever it looks like
        if (node.op === 'call' && (node.effect === 'read' || node.effect === 'write')) found.set(`${node.module}.${node.fn}`, { name: `${node.module}.${node.fn}`, effect: node.effect })
        if (node.kind === 'workflow' && typeof node.workflow === 'string') visit(node.workflow)
        Object.values(node).forEach(look)
      }
    }
    look(target.nodes)
    look(target.returns)
  }
  visit(workflow)
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** The most tasks one run of a workflow can have, items and sub-workflows included; null when nothing bounds it. */
export function worstTasks(plan: Plan, workflow: string, within: ReadonlySet<string> = new Set()): number | null {
  const target = plan.workflows[workflow]
  if (!target || within.has(workflow)) return null
  const deeper = new Set([...within, workflow])
  let total: number | null = 0
  for (const [index, node] of target.nodes.entries()) {
    if (node.kind !== 'task') continue
    const inner = node.body.kind === 'workflow' ? worstTasks(plan, node.body.workflow, deeper) : 0
    const items = node.forEach ? longest(node.forEach.list, target.nodes, index, plan) : 1
    if (inner === null || items === null) {
      total = null
      break
    }
    total += node.forEach ? 1 + items * (1 + inner) : 1 + inner
    if (total > MAX_TASKS) return null
  }
  const limit = smallest([target.limits.tasks, plan.limits.tasks])
  return limit === null ? total : total === null ? limit : Math.min(total, limit)
}

const smallest = (limits: readonly (number | undefined)[]): number | null => {
  const given = limits.filter(each => each !== undefined)
  return given.length === 0 ? null : Math.min(...given)
}

/** The most items a list can have, or null. */
function longest(expression: PlanExpr, nodes: readonly PlanNode[], before: number, plan: Plan): number | null {
  switch (expression.op) {
    case 'value':
      return lengthOf(expression.value)
    case 'list':
      return expression.items.length
    case 'constant': {
      const constant = plan.constants.find(each => each.name === expression.name)
      return constant ? longest(constant.value, [], 0, plan) : null
    }
    case 'node': {
      const node = nodes[expression.index]
      if (!node || expression.index >= before || node.body.kind !== 'expr') return null
      if (node.forEach) return longest(node.forEach.list, nodes, expression.index, plan)
      return longest(node.body.value, nodes, expression.index, plan)
    }
    case 'comprehension':
      return longest(expression.list, nodes, before, plan)
    case 'if': {
      const [a, b] = [longest(expression.then, nodes, before, plan), longest(expression.else, nodes, before, plan)]
      return a === null || b === null ? null : Math.max(a, b)
    }
    case 'prelude':
      return longestOfCall(expression.fn, expression.args, nodes, before, plan)
    default:
      return null
  }
}

const keepsLength = new Set(['sort', 'sortBy', 'filter', 'map', 'unique', 'drop'])

function longestOfCall(fn: string, args: readonly PlanExpr[], nodes: readonly PlanNode[], before: number, plan: Plan): number | null {
  const first = args[0] === undefined ? null : longest(args[0], nodes, before, plan)
  if (keepsLength.has(fn)) return first
  const numbers = args.map(each => (each.op === 'value' && typeof each.value === 'number' ? each.value : null))
  if (fn === 'take' && numbers[1] !== null && numbers[1] !== undefined) return first === null ? numbers[1] : Math.min(first, numbers[1])
  if (fn === 'take') return first
  if (fn === 'range' && numbers.every(each => each !== null)) {
    const [from, to] = numbers.length === 1 ? [0, numbers[0]!] : [numbers[0]!, numbers[1] ?? 0]
    return Math.max(0, to - from)
  }
  return null
}

const lengthOf = (value: PlanValue): number | null => (Array.isArray(value) ? value.length : null)
