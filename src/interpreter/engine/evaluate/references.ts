// References: the names an expression takes from outside itself, and its parts.
// Owns: one walk over expressions. Does not own: their meaning (plain.ts).
import type { PlanExpr } from '#model/plan.ts'

/** Name under which a secret's stand-in is among the constants: no constant's key holds NUL. */
export const standInName = (secret: string): string => `\0${secret}`

export interface References {
  readonly params: readonly string[]
  readonly nodes: readonly number[]
  readonly constants: readonly string[]
  /** Those not bound within the expression. */
  readonly locals: readonly string[]
  readonly prompts: readonly string[]
  /** Pure functions of modules. */
  readonly functions: readonly { readonly module: string; readonly fn: string }[]
}

/** The direct parts of an expression, in the order in which they are evaluated. A call's arguments are among them. */
export function partsOf(expr: PlanExpr): readonly PlanExpr[] {
  switch (expr.op) {
    case 'value':
    case 'param':
    case 'node':
    case 'local':
    case 'constant':
    case 'secret':
      return []
    case 'list':
      return expr.items
    case 'record':
      return expr.entries.map(entry => entry.value)
    case 'template':
      return expr.parts.filter(part => typeof part !== 'string')
    case 'member':
      return [expr.object]
    case 'index':
      return [expr.object, expr.index]
    case 'negate':
    case 'not':
      return [expr.value]
    case 'if':
      return [expr.condition, expr.then, expr.else]
    case 'match':
      return [expr.subject, ...expr.arms.map(arm => arm.value)]
    case 'lambda':
      return [expr.body]
    case 'comprehension':
      return expr.condition === null ? [expr.list, expr.value] : [expr.list, expr.condition, expr.value]
    case 'prelude':
      return expr.named === undefined ? expr.args : [...expr.args, ...Object.values(expr.named)]
    case 'call':
    case 'prompt':
      return Object.values(expr.args)
    case 'denied':
      return [expr.call]
    default:
      return [expr.left, expr.right]
  }
}

const cache = new WeakMap<PlanExpr, References>()

/** Names an expression needs from outside; the answer is kept with the expression. */
export function freeReferences(expr: PlanExpr): References {
  let found = cache.get(expr)
  if (found === undefined) {
    found = collect(expr)
    cache.set(expr, found)
  }
  return found
}

function collect(root: PlanExpr): References {
  const params = new Set<string>()
  const nodes = new Set<number>()
  const constants = new Set<string>()
  const locals = new Set<string>()
  const prompts = new Set<string>()
  const functions = new Map<string, { module: string; fn: string }>()
  const walk = (expr: PlanExpr, bound: ReadonlySet<string>): void => {
    switch (expr.op) {
      case 'param':
        params.add(expr.name)
        break
      case 'node':
        nodes.add(expr.index)
        break
      case 'constant':
        constants.add(expr.name)
        break
      case 'secret':
        constants.add(standInName(expr.name))
        break
      case 'local':
        if (!bound.has(expr.name)) locals.add(expr.name)
        break
      case 'lambda':
        walk(expr.body, new Set(bound).add(expr.param))
        break
      case 'comprehension': {
        walk(expr.list, bound)
        const inner = new Set(bound).add(expr.item)
        if (expr.condition !== null) walk(expr.condition, inner)
        walk(expr.value, inner)
        break
      }
      default:
        if (expr.op === 'prompt') prompts.add(expr.prompt)
        if (expr.op === 'call' && expr.effect === 'pure') functions.set(`${expr.module}.${expr.fn}`, { module: expr.module, fn: expr.fn })
        for (const part of partsOf(expr)) walk(part, bound)
    }
  }
  walk(root, new Set())
  return { params: [...params], nodes: [...nodes], constants: [...constants], locals: [...locals], prompts: [...prompts], functions: [...functions.values()] }
}
