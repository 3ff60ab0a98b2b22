// Expectation parts: what an expectation is made of, to be shown when it does not hold.
// Owns: which parts say something, and their words. Does not own: working them out (test-plan.ts), showing them (test-lines.ts).
//   P1. A part is something with a name or a call: a literal says itself. Of `a.b.c` the whole is one part; what a function is given are others.
//   P2. Nothing that acts on the world is worked out again, and nothing that only a lambda or a comprehension knows.
//   P3. The sides of a comparison at the top are shown by themselves.
import { printPlanExpr } from '#compiler/4-lower/print-plan-expr.ts'
import { partsOf } from '#interpreter/engine/evaluate/references.ts'
import type { PlanExpr, PlanTest } from '#model/plan.ts'

/** Parts of one expectation. */
export const MAX_PARTS = 12

export interface ExpectationPart {
  readonly text: string
  readonly expr: PlanExpr
}

const shownOps: ReadonlySet<PlanExpr['op']> = new Set(['local', 'constant', 'member', 'index', 'prelude', 'call', 'prompt', 'comprehension', '+', '-', '*', '/', '==', '!=', '<', '<=', '>', '>=', 'in', 'coalesce'])
const comparisons: ReadonlySet<PlanExpr['op']> = new Set(['==', '!=', '<', '<=', '>', '>=', 'in'])

/** The parts of a condition of a test, in the order in which they are written. */
export function partsOfExpectation(condition: PlanExpr, { steps }: Pick<PlanTest, 'steps'>): ExpectationPart[] {
  const known = new Set(steps.flatMap(step => (step.kind === 'let' ? [step.name] : [])))
  const found = new Map<string, PlanExpr>()
  const visit = (expr: PlanExpr, isTop: boolean): void => {
    if (expr.op === 'lambda' || expr.op === 'value' || expr.op === 'denied' || found.size >= MAX_PARTS) return
    if (!isTop && shownOps.has(expr.op) && isPlain(expr, known)) found.set(printPlanExpr(expr), expr)
    if (expr.op === 'comprehension') return visit(expr.list, false)
    if (expr.op === 'member') return insideOf(expr.object)
    if (expr.op === 'index') {
      insideOf(expr.object)
      return visit(expr.index, false)
    }
    const isSide = isTop && comparisons.has(expr.op)
    for (const part of partsOf(expr)) visit(part, isSide) // P3
  }
  /** P1: what stands before a point is shown only where it is a call. */
  const insideOf = (expr: PlanExpr): void => {
    if (expr.op === 'member' || expr.op === 'index') return expr.op === 'index' ? (insideOf(expr.object), visit(expr.index, false)) : insideOf(expr.object)
    if (expr.op !== 'local' && expr.op !== 'constant') visit(expr, false)
  }
  visit(condition, true)
  return [...found].slice(0, MAX_PARTS).map(([text, expr]) => ({ text, expr }))
}

/** P2. */
function isPlain(expr: PlanExpr, known: ReadonlySet<string>): boolean {
  if (expr.op === 'denied' || expr.op === 'secret' || (expr.op === 'call' && expr.effect !== 'pure')) return false
  if (expr.op === 'local') return known.has(expr.name)
  if (expr.op === 'lambda') return isPlain(expr.body, new Set([...known, expr.param]))
  if (expr.op === 'comprehension') {
    const inner = new Set([...known, expr.item])
    return isPlain(expr.list, known) && isPlain(expr.value, inner) && (expr.condition === null || isPlain(expr.condition, inner))
  }
  return partsOf(expr).every(part => isPlain(part, known))
}
