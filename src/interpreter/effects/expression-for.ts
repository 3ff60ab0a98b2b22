// Expression for: the expression that a part of a task is, with the names it sees.
// Owns: how the key of a `verify` sees its value. Does not own: which expression a part is (engine/view.ts), evaluating.
import type { Part, TaskId } from '#model/event.ts'
import type { PlanExpr } from '#model/plan.ts'
import type { Value } from '#model/type.ts'
import type { Scope as NameScope } from '#interpreter/engine/evaluation.ts'
import type { State } from '#interpreter/engine/state.ts'
import { expressionOf, Names } from '#interpreter/engine/view.ts'

/** Null where the part has none; `setup` is put together by set-up.ts. */
export function expressionFor(state: State, task: TaskId, part: Part, constants: ReadonlyMap<string, Value>): { readonly expr: PlanExpr; readonly names: NameScope } | null {
  const expr = expressionOf(state, task, part)
  if (expr === null) return null
  const names = new Names(state, task, part, constants)
  return part === 'verify-key' && expr.op === 'lambda' ? { expr: expr.body, names: withLocal(names, expr.param, names.local('value') ?? null) } : { expr, names }
}

function withLocal(names: NameScope, name: string, value: Value): NameScope {
  return {
    param: each => names.param(each),
    node: index => names.node(index),
    constant: each => names.constant(each),
    local: each => (each === name ? value : names.local(each)),
  }
}
