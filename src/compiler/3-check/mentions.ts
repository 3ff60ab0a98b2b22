// Mentions: the names an expression, clause or declaration uses that it does not bind itself.
// Owns: binding of lambdas, comprehensions, `for` and `error`. Does not own: what the names mean.
import type { Clause, Expr, LetDecl, Span, TaskDecl, Value } from '../1-syntax/ast.ts'

/** Free names and where each is met first. */
export type Mentions = Map<string, Span>

/** Adds the free names of a value to `found`. */
export function mentionsOf(value: Value, found: Mentions, bound: readonly string[] = []): void {
  const visit = (expr: Value): void => mentionsOf(expr, found, bound)
  switch (value.kind) {
    case 'name-expr':
      if (!bound.includes(value.name) && !found.has(value.name)) found.set(value.name, value)
      return
    case 'template':
      for (const part of value.parts) if (part.kind !== 'template-text') visit(part)
      return
    case 'list':
      return value.items.forEach(visit)
    case 'comprehension': {
      visit(value.list)
      const inner = [...bound, value.item.text]
      if (value.condition !== null) mentionsOf(value.condition, found, inner)
      return mentionsOf(value.value, found, inner)
    }
    case 'record':
      return value.entries.forEach(entry => visit(entry.value))
    case 'member':
      return visit(value.object)
    case 'index':
      visit(value.object)
      return visit(value.index)
    case 'call':
      visit(value.callee)
      return value.args.forEach(arg => visit(arg.value))
    case 'lambda':
      return mentionsOf(value.body, found, [...bound, value.param.text])
    case 'unary':
      return visit(value.value)
    case 'binary':
      visit(value.left)
      return visit(value.right)
    case 'pipe': {
      visit(value.left)
      const root = value.target.parts[0]
      if (root !== undefined && !bound.includes(root.text) && !found.has(root.text)) found.set(root.text, root)
      return value.args?.forEach(arg => visit(arg.value))
    }
    case 'if':
      visit(value.condition)
      visit(value.then)
      return visit(value.else)
    case 'match':
      visit(value.subject)
      return value.arms.forEach(arm => visit(arm.value))
    case 'group':
      return visit(value.inner)
    case 'prompt-value':
      return visit(value.text)
    case 'literal':
    case 'string-literal':
    case 'error-expr':
      return
  }
}

/** The expressions of a clause, with the names it binds for them. */
export function clauseExprs(clause: Clause): { readonly expr: Expr; readonly binds: readonly string[] }[] {
  switch (clause.kind) {
    case 'cache':
      return clause.by === null ? [] : [{ expr: clause.by, binds: [] }]
    case 'verify':
      return clause.key === null ? [] : [{ expr: clause.key, binds: ['value'] }]
    case 'needs':
      return [{ expr: clause.values, binds: [] }]
    case 'parallel':
      return [{ expr: clause.width, binds: [] }]
    case 'on-failure':
      return clause.action.kind === 'use' ? [{ expr: clause.action.value, binds: ['error'] }] : []
    case 'approve':
      return [{ expr: clause.question, binds: [] }]
    case 'wait':
      return [{ expr: clause.value, binds: [] }]
    case 'label':
      return [{ expr: clause.text, binds: [] }]
    case 'ensure':
      return [{ expr: clause.condition, binds: ['answer'] }, ...(clause.says === null ? [] : [{ expr: clause.says, binds: ['answer'] }])]
    default:
      return []
  }
}

interface NodeMentions {
  readonly names: ReadonlyMap<string, Span>
  readonly after: ReadonlySet<string>
}

/** Nodes never change, so neither do their mentions: an edit elsewhere costs nothing here. */
const known = new WeakMap<TaskDecl | LetDecl, NodeMentions>()

/** The free names of a task or let, `after` included. */
export function nodeMentions(node: TaskDecl | LetDecl): NodeMentions {
  let found = known.get(node)
  if (found === undefined) known.set(node, (found = findMentions(node)))
  return found
}

function findMentions(node: TaskDecl | LetDecl): NodeMentions {
  const names: Mentions = new Map()
  if (node.kind === 'let') {
    mentionsOf(node.value, names)
    return { names, after: new Set() }
  }
  const item = node.forEach === null ? [] : [node.forEach.item.text]
  if (node.forEach !== null) mentionsOf(node.forEach.list, names)
  if (node.when !== null) mentionsOf(node.when, names)
  for (const clause of node.clauses) for (const { expr, binds } of clauseExprs(clause)) mentionsOf(expr, names, [...item, ...binds])
  mentionsOf(node.value, names, item)
  return { names, after: new Set(node.after.map(name => name.text)) }
}
