// Evaluation: one expression on its way to a value, stopping where the world must be asked.
// Owns: the steps an evaluation takes and how it ends. Does not own: what operations do (evaluate/), performing calls, when to resume.
//   V1. Pure: no clock, no random, no promise. The same expression, names and outcomes give the same steps.
//   V2. A step of kind `call` or `heavy` waits for `resume` with its outcome; `done` and `failed` are the end.
//   V3. Nothing is thrown but `TekBug`: whatever a program does ends in a value or a coded failure.
import { invariant } from '#base/invariant.ts'
import type { Outcome } from '#model/event.ts'
import type { PlanExpr } from '#model/plan.ts'
import type { Value } from '#model/type.ts'
import { runPlain, type CallRequest, type Code, type Request } from './evaluate/code.ts'
import { codeOf } from './evaluate/effects.ts'
import { EXHAUSTED, Failing, failing, Frame, MAX_EXPRESSION_STEPS, MAX_VALUE_NODES, type Prompts, type PureFunctions, type Scope, type StepFailure } from './evaluate/frame.ts'
import { freeReferences } from './evaluate/references.ts'
import { checkSize } from './evaluate/values.ts'

export type { CallRequest } from './evaluate/code.ts'
export { INLINE_STEPS, MAX_EXPRESSION_STEPS, type Prompts, type PureFunctions, type Scope, type StepFailure } from './evaluate/frame.ts'
export { preludeFunctions } from './evaluate/prelude.ts'
export { freeReferences, standInName, type References } from './evaluate/references.ts'

/** What a heavy part needs where it is evaluated; its locals come with it. */
export interface HeavyUses {
  readonly params: readonly string[]
  readonly nodes: readonly number[]
  readonly constants: readonly string[]
  readonly prompts: readonly string[]
  readonly functions: readonly { readonly module: string; readonly fn: string }[]
}

export type Step =
  | { readonly kind: 'done'; readonly value: Value }
  | { readonly kind: 'failed'; readonly failure: StepFailure }
  | { readonly kind: 'call'; readonly call: CallRequest }
  /** A part without calls that used up its inline steps: to be evaluated from its beginning with `evaluatePure`, for instance in a thread. */
  | { readonly kind: 'heavy'; readonly expr: PlanExpr; readonly locals: Readonly<Record<string, Value>>; readonly uses: HeavyUses }

export interface EvaluationOptions {
  /** Steps before a pure part is asked for as `heavy`; null = never. See INLINE_STEPS. */
  readonly inlineSteps: number | null
  /** Steps after which a pure part fails with run/expression-too-long. */
  readonly maxSteps: number
  readonly pure: PureFunctions
  readonly prompts?: Prompts
}

const noPrompts: Prompts = {}

/**
 * Evaluates one expression. Call `start` once, then `resume` with the outcome of each `call` or `heavy` step, until `done` or `failed`.
 *
 * @example
 * const evaluation = new Evaluation(expr, scope, { inlineSteps: null, maxSteps: MAX_EXPRESSION_STEPS, pure: () => null })
 * let step = evaluation.start()
 * while (step.kind === 'call') step = evaluation.resume(perform(step.call))
 */
export class Evaluation {
  private readonly code: Code
  private readonly frame: Frame
  private generator: Generator<Request, Value, Outcome> | null = null
  private waiting: 'start' | 'request' | 'whole' | 'over' = 'start'

  constructor(expr: PlanExpr, scope: Scope, options: EvaluationOptions) {
    const prompts = options.prompts ?? noPrompts
    this.frame = new Frame(scope, options.pure, prompts, options)
    this.code = codeOf(expr, () => allPlain(expr, options.pure, prompts))
  }

  start(): Step {
    invariant(this.waiting === 'start', 'an evaluation is started twice')
    const { code, frame } = this
    try {
      if (code.effect !== null) {
        this.generator = code.effect(frame)
        return this.next(this.generator.next())
      }
      const value = runPlain(code, frame, frame.limits)
      if (value === EXHAUSTED) {
        this.waiting = 'whole'
        return heavyStep(code, frame)
      }
      return this.done(value)
    } catch (error) {
      return this.fail(error)
    }
  }

  resume(outcome: Outcome): Step {
    invariant(this.waiting === 'request' || this.waiting === 'whole', 'an evaluation is resumed that waits for nothing')
    if (this.waiting === 'whole') {
      this.waiting = 'over'
      return outcome.kind === 'value' ? { kind: 'done', value: outcome.value } : { kind: 'failed', failure: outcome.failure }
    }
    try {
      return this.next(this.generator!.next(outcome))
    } catch (error) {
      return this.fail(error)
    }
  }

  private next(result: IteratorResult<Request, Value>): Step {
    if (result.done === true) return this.done(result.value)
    this.waiting = 'request'
    return result.value.kind === 'call' ? result.value : heavyStep(result.value.code, this.frame)
  }

  private done(value: Value): Step {
    if (typeof value === 'object') checkSize(value, MAX_VALUE_NODES) // it will be journalled whole
    this.waiting = 'over'
    return { kind: 'done', value }
  }

  private fail(error: unknown): Step {
    this.waiting = 'over'
    return { kind: 'failed', failure: failureOf(error) }
  }
}

function failureOf(error: unknown): StepFailure {
  if (error instanceof Failing) return error.failure
  // The machine's own limits, where ours did not come first: a stack too deep, a text too long for the engine.
  if (error instanceof RangeError) return failing('run/value-too-large', 'A value is too large or nested too deep to work on.', 'Work on it in parts.').failure
  throw error // V3
}

/**
 * Evaluates an expression without calls to its end: `done` or `failed`. For worker threads, and for constants.
 *
 * @example
 * const scope = { param: () => 1, node: () => null, constant: () => null, local: () => undefined }
 * evaluatePure({ op: '+', left: { op: 'param', name: 'n' }, right: { op: 'value', value: 2 } }, scope, { pure: () => null }) // { kind: 'done', value: 3 }
 */
export function evaluatePure(expr: PlanExpr, scope: Scope, options: { readonly maxSteps?: number; readonly pure: PureFunctions; readonly prompts?: Prompts }): Step {
  const limits = { inlineSteps: null, maxSteps: options.maxSteps ?? MAX_EXPRESSION_STEPS }
  const step = new Evaluation(expr, scope, { ...limits, pure: options.pure, ...(options.prompts === undefined ? {} : { prompts: options.prompts }) }).start()
  invariant(step.kind === 'done' || step.kind === 'failed', 'an expression that was said to be pure asks for a call')
  return step
}

/** True when every pure module function in the expression can be called in place. */
function allPlain(expr: PlanExpr, pure: PureFunctions, prompts: Prompts): boolean {
  const references = freeReferences(expr)
  if (references.functions.length === 0 && references.prompts.length === 0) return true
  return withPrompts(expr, prompts).every(each => freeReferences(each).functions.every(({ module, fn }) => pure(module, fn) !== null))
}

/** The expression and the texts of all prompt templates it uses. */
function withPrompts(expr: PlanExpr, prompts: Prompts): PlanExpr[] {
  const names = new Set<string>()
  const all = [expr]
  for (const each of all) {
    for (const name of freeReferences(each).prompts) {
      if (names.has(name) || !Object.hasOwn(prompts, name)) continue
      names.add(name)
      all.push(prompts[name]!.text)
    }
  }
  return all
}

function heavyStep(code: Code, frame: Frame): Step {
  const own = freeReferences(code.expr)
  const locals: Record<string, Value> = {}
  for (const name of own.locals) {
    const slot = code.names.get(name)
    const value = slot === undefined ? frame.scope.local(name) : frame.slots[slot]
    if (value !== undefined) locals[name] = value
  }
  const all = withPrompts(code.expr, frame.prompts).map(freeReferences)
  const functions = new Map(all.flatMap(each => each.functions).map(each => [`${each.module}.${each.fn}`, each]))
  const uses = {
    params: own.params,
    nodes: own.nodes,
    constants: [...new Set(all.flatMap(each => each.constants))],
    prompts: [...new Set(all.flatMap(each => each.prompts))],
    functions: [...functions.values()],
  }
  return { kind: 'heavy', expr: code.expr, locals, uses }
}
