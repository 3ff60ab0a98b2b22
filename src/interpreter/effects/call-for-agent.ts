// Call for agent: a tool that a model asked for, as a call like any other.
// Owns: from the tool's place in the plan and the model's arguments to a call with its grants. Does not own: making it (call-tool.ts), what the model is told of it (engine).
//   F1. What a model gives is never looked through for stand-ins of secrets: it cannot know one.
//   F2. Arguments that grants are made of are the ones that the tool gets, also where the model gave none.
import type { PlanExpr, PlanTool, PlanValue } from '#model/plan.ts'
import type { Value } from '#model/type.ts'
import { Evaluation, MAX_EXPRESSION_STEPS, type Step } from '#interpreter/engine/evaluation.ts'
import type { World } from '#interpreter/world.ts'

const noNames = { param: () => null, node: () => null, constant: () => null, local: () => undefined }

/** The call that a tool with these arguments is: the request for it, or its outcome where nothing outside need be asked. */
export function stepOfTool(world: World, tool: Extract<PlanTool, { kind: 'function' }>, input: Readonly<Record<string, Value>>): Exclude<Step, { kind: 'heavy' }> {
  const { module, fn, effect, runs, needs, standards = {} } = tool
  const args = Object.fromEntries(Object.entries({ ...standards, ...input }).map(([name, value]): [string, PlanExpr] => [name, { op: 'value', value: value as PlanValue }])) // F2
  const expr: PlanExpr = { op: 'call', module, fn, effect, runs, args, needs } // F1
  const evaluation = new Evaluation(expr, noNames, { inlineSteps: null, maxSteps: MAX_EXPRESSION_STEPS, pure: (name, each) => world.toolRunner.pure(name, each) })
  return evaluation.start() as Exclude<Step, { kind: 'heavy' }> // never heavy without inline steps
}
