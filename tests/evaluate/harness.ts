// Harness: short spellings of plan expressions, and a driver that performs calls from a table.
import type { Outcome } from '#model/event.ts'
import type { PlanExpr, PlanValue } from '#model/plan.ts'
import type { Value } from '#model/type.ts'
import { evaluatePure, Evaluation, MAX_EXPRESSION_STEPS, type CallRequest, type EvaluationOptions, type Scope, type Step } from '#interpreter/engine/evaluation.ts'

type Binary = Extract<PlanExpr, { left: PlanExpr }>['op']
export const v = (value: PlanValue): PlanExpr => ({ op: 'value', value })
export const p = (name: string): PlanExpr => ({ op: 'param', name })
export const local = (name: string): PlanExpr => ({ op: 'local', name })
export const bin = (left: PlanExpr, op: Binary, right: PlanExpr): PlanExpr => ({ op, left, right })
export const list = (...items: PlanExpr[]): PlanExpr => ({ op: 'list', items })
export const pre = (fn: string, ...args: PlanExpr[]): PlanExpr => ({ op: 'prelude', fn, args })
export const fn = (param: string, body: PlanExpr): PlanExpr => ({ op: 'lambda', param, body })
export const iff = (condition: PlanExpr, then: PlanExpr, otherwise: PlanExpr): PlanExpr => ({ op: 'if', condition, then, else: otherwise })
export const member = (object: PlanExpr, name: string, optional = false): PlanExpr => ({ op: 'member', object, name, optional })
export const index = (object: PlanExpr, at: PlanExpr): PlanExpr => ({ op: 'index', object, index: at })
export const template = (...parts: (string | PlanExpr)[]): PlanExpr => ({ op: 'template', parts })
export const record = (...entries: [string | null, PlanExpr][]): PlanExpr => ({ op: 'record', entries: entries.map(([key, value]) => ({ key, value })) })
export const each = (item: string, source: PlanExpr, value: PlanExpr, condition: PlanExpr | null = null): PlanExpr => ({ op: 'comprehension', item, list: source, condition, value })
/** A call of `t.name(x: arg)`, effect `read` unless said otherwise. */
export const call = (name: string, arg: PlanExpr, effect: 'pure' | 'read' | 'write' = 'read'): PlanExpr => ({
  op: 'call', module: 't', fn: name, effect, runs: 'host', args: { x: arg }, needs: effect === 'pure' ? [] : [{ grant: 't.use', args: [{ literal: name }, { param: 'x' }] }],
})

export interface World {
  params?: Readonly<Record<string, Value>>
  nodes?: readonly Value[]
  constants?: Readonly<Record<string, Value>>
  locals?: Readonly<Record<string, Value>>
}

export function scopeOf(world: World): Scope {
  const get = (from: Readonly<Record<string, Value>> | undefined, name: string): Value | undefined => (from !== undefined && Object.hasOwn(from, name) ? from[name] : undefined)
  return {
    param: name => get(world.params, name) ?? null,
    node: at => world.nodes?.[at] ?? null,
    constant: name => get(world.constants, name) ?? null,
    local: name => get(world.locals, name),
  }
}

export const usual: EvaluationOptions = { inlineSteps: null, maxSteps: MAX_EXPRESSION_STEPS, pure: () => null }

export const ok = (value: Value): Outcome => ({ kind: 'value', value })
export const bad = (code: string): Outcome => ({ kind: 'failure', failure: { code, message: 'refused', task: 'a', retryable: false } })

export interface Ran {
  end: Extract<Step, { kind: 'done' | 'failed' }>
  calls: CallRequest[]
  heavies: number
}

/** Runs to the end; heavy parts are evaluated as a thread would: from a copy, with nothing but what the step brings and names. */
export function run(expr: PlanExpr, world: World = {}, options: Partial<EvaluationOptions> = {}, answer: (call: CallRequest, at: number) => Outcome = one => ok(one.args['x'] ?? null)): Ran {
  const evaluation = new Evaluation(expr, scopeOf(world), { ...usual, ...options })
  const calls: CallRequest[] = []
  let heavies = 0
  let step = evaluation.start()
  for (;;) {
    if (step.kind === 'done' || step.kind === 'failed') return { end: step, calls, heavies }
    if (step.kind === 'call') {
      calls.push(step.call)
      step = evaluation.resume(answer(step.call, calls.length - 1))
      continue
    }
    heavies++
    const pick = (names: readonly string[], from: Readonly<Record<string, Value>> | undefined): Record<string, Value> => Object.fromEntries(names.map(name => [name, from?.[name] ?? null]))
    const nodes: Value[] = []
    for (const at of step.uses.nodes) nodes[at] = world.nodes?.[at] ?? null
    const there: World = structuredClone({ params: pick(step.uses.params, world.params), constants: pick(step.uses.constants, world.constants), nodes, locals: step.locals })
    const result = evaluatePure(structuredClone(step.expr), scopeOf(there), { ...usual, ...options })
    step = evaluation.resume(result.kind === 'done' ? ok(result.value) : { kind: 'failure', failure: { ...(result as Ran['end'] & { kind: 'failed' }).failure, task: '' } })
  }
}

/** The value, or the code of the failure as `!code`. */
export function result(expr: PlanExpr, world: World = {}, options: Partial<EvaluationOptions> = {}): Value {
  const { end } = run(expr, world, options)
  return end.kind === 'done' ? end.value : `!${end.failure.code}`
}
