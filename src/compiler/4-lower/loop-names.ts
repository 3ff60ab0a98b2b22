// Loop names: what a loop's stages call by name, as a plan has it.
// Owns: the calls of stages, putting values in the places of names. Does not own: which stage sees which name (lower-loop.ts).
//   N1. A name of a loop is a local while a stage is lowered, and is replaced where nothing inside the expression gives the name another meaning.
import { invariant } from '#base/invariant.ts'
import type { PlanExpr, PlanModule } from '#model/plan.ts'

/** The module by which hidden workflows ask tek itself (interpreter/loop/loop-tools.ts). No program can name it. */
export const LOOP_MODULE = '@loop'
export const loopModule: PlanModule = { name: LOOP_MODULE, origin: 'loop', source: '', release: '1', hash: '' }

/** Cycles before this one, newest first, as `last` takes from them. */
export const PAST = '@past'

export function ask(fn: string, args: Readonly<Record<string, PlanExpr>>, effect: 'read' | 'write' = 'read'): PlanExpr {
  return { op: 'call', module: LOOP_MODULE, fn, effect, runs: 'host', args, needs: [] }
}

/** A branch of `decide`, a look back, an action. */
export function loopCall(name: string, args: Readonly<Record<string, PlanExpr>>): PlanExpr {
  switch (name) {
    case 'replicate': case 'differentiate': case 'quiesce': case 'escalate':
      return record({ branch: { op: 'value', value: name }, ...args })
    case 'last':
      return { op: 'prelude', fn: 'take', args: [{ op: 'local', name: PAST }, args['n']!] }
    case 'note':
      return ask('note', args, 'write')
    default:
      return invariant(false, `a loop has no \`${name}\``) as never
  }
}

export function record(fields: Readonly<Record<string, PlanExpr>>): Extract<PlanExpr, { op: 'record' }> {
  return { op: 'record', entries: Object.entries(fields).map(([key, value]) => ({ key, value })) }
}

/** A part of a plan with values in the places of free names. // N1 */
export function withNames<Part>(part: Part, names: ReadonlyMap<string, PlanExpr>): Part {
  return replaced(part, names) as Part
}

function replaced(part: unknown, names: ReadonlyMap<string, PlanExpr>): unknown {
  if (typeof part !== 'object' || part === null || names.size === 0) return part
  if (Array.isArray(part)) return part.map(each => replaced(each, names))
  const expr = part as { readonly op?: unknown; readonly name?: unknown; readonly param?: unknown; readonly item?: unknown; readonly [key: string]: unknown }
  if (expr.op === 'value') return part
  if (expr.op === 'local' && typeof expr.name === 'string') return names.get(expr.name) ?? part
  const bound = expr.op === 'lambda' ? expr.param : expr.op === 'comprehension' ? expr.item : null
  const inner = typeof bound === 'string' ? without(names, bound) : names
  return Object.fromEntries(Object.entries(expr).map(([key, value]) => [key, replaced(value, expr.op === 'comprehension' && key === 'list' ? names : inner)]))
}

function without(names: ReadonlyMap<string, PlanExpr>, name: string): ReadonlyMap<string, PlanExpr> {
  if (!names.has(name)) return names
  const left = new Map(names)
  left.delete(name)
  return left
}

/** Indexes of the nodes that a part mentions, in order. */
export function nodesIn(part: unknown): number[] {
  const found = new Set<number>()
  const left: unknown[] = [part]
  while (left.length > 0) {
    const at = left.pop()
    if (typeof at !== 'object' || at === null) continue
    const expr = at as { readonly op?: unknown; readonly index?: unknown }
    if (expr.op === 'value') continue
    if (expr.op === 'node' && typeof expr.index === 'number') found.add(expr.index)
    left.push(...Object.values(at))
  }
  return [...found].sort((a, b) => a - b)
}
