// Constants: the values of a program's constants, worked out once before the first task.
// Owns: their order. They are pure, so they are worked out again when a run is resumed, and give the same.
import type { Failure } from '#model/event.ts'
import type { Plan } from '#model/plan.ts'
import type { Value } from '#model/type.ts'
import type { ToolRunner } from '#plugin-api/tool-runner.ts'
import { Evaluation, INLINE_STEPS, MAX_EXPRESSION_STEPS } from '#interpreter/engine/evaluation.ts'
import type { Pool } from '#interpreter/pool/pool.ts'
import { modulesOf } from './evaluate.ts'

/** The values by name, up to the first that fails. */
export async function evaluateConstants(plan: Plan, toolRunner: ToolRunner, pool: () => Pool): Promise<{ values: Map<string, Value>; failure: Failure | null }> {
  const values = new Map<string, Value>()
  const names = { param: () => null, node: () => null, constant: (name: string) => values.get(name) ?? null, local: () => undefined }
  for (const { name, value } of plan.constants) {
    const evaluation = new Evaluation(value, names, { inlineSteps: INLINE_STEPS, maxSteps: MAX_EXPRESSION_STEPS, pure: (module, fn) => toolRunner.pure(module, fn), prompts: plan.prompts })
    let step = evaluation.start()
    while (step.kind === 'heavy') {
      const constants = Object.fromEntries(step.uses.constants.map(each => [each, names.constant(each)]))
      const job = { expr: step.expr, locals: step.locals, params: {}, nodes: {}, constants, prompts: plan.prompts, modules: modulesOf(step.uses.functions, toolRunner), rank: 0 }
      step = evaluation.resume(await pool().evaluate(job, null))
    }
    if (step.kind === 'done') values.set(name, step.value)
    else if (step.kind === 'failed') return { values, failure: { ...step.failure, task: `const ${name}` } }
    else return { values, failure: { code: 'run/not-available-yet', message: `The constant \`${name}\` calls a tool, which a constant cannot.`, task: `const ${name}`, retryable: false } }
  }
  return { values, failure: null }
}
