// Unbounded for: a `for` that asks a model once per item of a list whose length nobody knows.
import { taskErrors } from '#diagnostics/catalog/task.ts'
import type { Expr, LimitsClause } from '../../1-syntax/ast.ts'
import type { NodeFacts } from '../facts.ts'
import type { WorkflowRule } from './rule.ts'

/** Functions that give no more items than their list has. */
const KEEPS = new Set(['filter', 'map', 'sort', 'sortBy', 'unique', 'drop', 'zip'])
/** Steps from one name to the next before a length counts as unknown. */
const MAX_STEPS = 100

export const unboundedFor: WorkflowRule = (checker, workflow, facts) => {
  const asking = facts.nodes.filter(node => node.callsModel && node.declaration.kind === 'task' && node.declaration.forEach !== null)
  if (asking.length === 0 || checker.fileFacts.limits.has('tasks') || workflow.body.some(each => each.kind === 'limits' && hasTasks(each))) return
  const nodes = new Map(facts.nodes.map(node => [node.name, node]))
  for (const node of asking) {
    const { declaration } = node
    if (declaration.kind !== 'task' || declaration.forEach === null) continue
    if (!isBounded(declaration.forEach.list, nodes, checker.unit.file.values, 0)) checker.report(taskErrors['unbounded-for']({ name: node.name }, { at: checker.at(declaration.forEach.list) }))
  }
}

const hasTasks = (clause: LimitsClause): boolean => clause.values.entries.some(entry => entry.kind === 'entry' && entry.key.text === 'tasks')

type Values = ReadonlyMap<string, { readonly declaration: { readonly kind: string } }>

function isBounded(expr: Expr, nodes: ReadonlyMap<string, NodeFacts>, values: Values, step: number): boolean {
  if (step > MAX_STEPS) return false
  const bounded = (inner: Expr): boolean => isBounded(inner, nodes, values, step + 1)
  switch (expr.kind) {
    case 'group':
      return bounded(expr.inner)
    case 'list':
    case 'error-expr':
      return true
    case 'comprehension':
      return bounded(expr.list)
    case 'if':
      return bounded(expr.then) && bounded(expr.else)
    case 'match':
      return expr.arms.every(arm => bounded(arm.value))
    case 'binary':
      return expr.op === '??' && bounded(expr.left) && bounded(expr.right)
    case 'call':
    case 'pipe': {
      const name = expr.kind === 'pipe' ? (expr.target.parts.length === 1 ? expr.target.parts[0]!.text : '') : expr.callee.kind === 'name-expr' ? expr.callee.name : ''
      if (name === 'take') return true
      if (name === 'range') return expr.kind === 'call' && expr.args.every(arg => arg.value.kind === 'literal')
      const list = expr.kind === 'pipe' ? expr.left : expr.args[0]?.value
      return KEEPS.has(name) && list !== undefined && bounded(list)
    }
    case 'name-expr': {
      const node = nodes.get(expr.name)
      if (node === undefined) {
        const symbol = values.get(expr.name)?.declaration
        return symbol?.kind === 'const' && bounded((symbol as unknown as { value: Expr }).value)
      }
      const { declaration } = node
      if (declaration.kind === 'task' && declaration.forEach !== null) return bounded(declaration.forEach.list)
      return declaration.value.kind !== 'prompt-value' && (declaration.kind === 'let' || declaration.by === null) && bounded(declaration.value)
    }
    default:
      return false
  }
}
