// Plain: expressions without tool calls, compiled to plain functions.
// Owns: every operation, slots for bound names. Does not own: expressions that hold tool calls (effects.ts).
//   K1. Each binder of an expression has a slot of its own: nothing recurs, so no two uses of a slot are ever alive at once.
//   K2. Steps: an expression costs its number of nodes once, a loop its body's number for each item, big values by their size.
//   K3. A pure module function is a plain function here: whether it may be is decided before (effects.ts).
import { invariant } from '#base/invariant.ts'
import type { PlanExpr, PlanValue } from '#model/plan.ts'
import type { Value } from '#model/type.ts'
import type { Run } from './code.ts'
import { failing, Failing, Frame, MAX_PROMPT_DEPTH, type Scope } from './frame.ts'
import { add, at, bool, divide, floatArithmetic, isIn, member, multiply, negate, order, subtract } from './operators.ts'
import { lambdaFunctions, plainFunctions, preludeParams } from './prelude.ts'
import type { LambdaFunction } from './prelude-lambdas.ts'
import { list } from './prelude-lists.ts'
import { partsOf, standInName } from './references.ts'
import { equals, isRecord, measure, setField, textOf, wrongKind } from './values.ts'

type ExprOf<Op extends PlanExpr['op']> = Extract<PlanExpr, { op: Op }>
type BinaryOp = Extract<PlanExpr, { left: PlanExpr }>['op']

/** Slots of the names bound around an expression. */
export type Names = ReadonlyMap<string, number>

const cache = new WeakMap<PlanExpr, Run>()

/** The function of a whole expression without calls; kept with it. */
export function plainOf(expr: PlanExpr): Run {
  let run = cache.get(expr)
  if (run === undefined) {
    run = new PlainCompiler().compile(expr, new Map())
    cache.set(expr, run)
  }
  return run
}

/** Compiles the plain parts of one expression, and hands out its slots. */
export class PlainCompiler {
  private slots = 0

  newSlot(): number {
    return this.slots++
  }

  compile(expr: PlanExpr, names: Names): Run {
    const into = (part: PlanExpr): Run => this.compile(part, names)
    switch (expr.op) {
      case 'value': {
        const value = expr.value as Value
        return () => value
      }
      case 'param':
        return frame => frame.scope.param(expr.name)
      case 'node':
        return frame => frame.scope.node(expr.index)
      case 'constant':
        return frame => frame.scope.constant(expr.name)
      case 'secret': {
        const name = standInName(expr.name)
        return frame => frame.scope.constant(name)
      }
      case 'local':
        return local(expr.name, names)
      case 'list':
        return listOf(expr.items.map(into))
      case 'record':
        return record(expr, expr.entries.map(entry => into(entry.value)))
      case 'template':
        return template(expr.parts.map(part => (typeof part === 'string' ? part : into(part))))
      case 'member': {
        const object = into(expr.object)
        const { name, optional } = expr
        return frame => member(object(frame), name, optional)
      }
      case 'index': {
        const object = into(expr.object)
        const index = into(expr.index)
        return frame => at(object(frame), index(frame), frame)
      }
      case 'negate': {
        const value = into(expr.value)
        return frame => negate(value(frame))
      }
      case 'not': {
        const value = into(expr.value)
        return frame => !bool(value(frame), '`not`')
      }
      case 'if': {
        const [condition, then, otherwise] = [into(expr.condition), into(expr.then), into(expr.else)]
        return frame => (bool(condition(frame), '`if`') ? then(frame) : otherwise(frame))
      }
      case 'match': {
        const subject = into(expr.subject)
        const choose = matcher(expr)
        const arms = expr.arms.map(arm => into(arm.value))
        return frame => arms[choose(subject(frame))]!(frame)
      }
      case 'lambda':
        return () => {
          throw failing('run/wrong-kind', 'A function stands where a value is needed.', 'Functions can only be given to `map`, `filter` and their kin.')
        }
      case 'comprehension':
        return this.comprehension(expr, names)
      case 'prelude':
        return this.prelude(expr, names)
      case 'call':
        return moduleCall(expr, Object.entries(expr.args).map(([name, arg]) => [name, into(arg)] as const))
      case 'prompt':
        return prompt(expr, Object.entries(expr.args).map(([name, arg]) => [name, into(arg)] as const))
      case 'denied':
        return invariant(false, 'a guarded call is never plain') as never
      default:
        return binary(expr.op, into(expr.left), into(expr.right), expr.float === true)
    }
  }

  private comprehension(expr: ExprOf<'comprehension'>, names: Names): Run {
    const source = this.compile(expr.list, names)
    const slot = this.newSlot()
    const inner = new Map(names).set(expr.item, slot)
    const condition = expr.condition === null ? null : this.compile(expr.condition, inner)
    const value = this.compile(expr.value, inner)
    const weight = weightOf(expr.value) + (expr.condition === null ? 0 : weightOf(expr.condition)) // K2
    return frame => {
      const items = list('for', source(frame))
      frame.list(items.length)
      const out: Value[] = []
      for (let index = 0; index < items.length; index++) {
        frame.charge(weight)
        frame.slots[slot] = items[index]!
        if (condition === null || bool(condition(frame), '`if` in a comprehension')) out.push(value(frame))
      }
      return out
    }
  }

  private prelude(expr: ExprOf<'prelude'>, names: Names): Run {
    const args = preludeArgs(expr)
    if (expr.fn.startsWith(ANSWERED)) {
      return answered(lambdaFunctions[expr.fn.slice(ANSWERED.length)]!, this.compile(args[0]!, names), this.compile(args[1]!, names))
    }
    if (expr.fn === 'default') return binary('coalesce', this.compile(args[0]!, names), this.compile(args[1] ?? NULL, names))
    const asking = Object.hasOwn(lambdaFunctions, expr.fn) ? lambdaFunctions[expr.fn] : undefined
    if (asking !== undefined) {
      const lambda = args[1]
      const source = this.compile(args[0]!, names)
      if (lambda === undefined) return frame => list(expr.fn, source(frame)).length
      if (lambda.op !== 'lambda') {
        return () => {
          throw failing('run/wrong-kind', `\`${expr.fn}\` needs a function as its second argument.`, 'Write it where it is used: `x => …`.')
        }
      }
      const slot = this.newSlot()
      return asked(expr.fn, asking, source, slot, this.compile(lambda.body, new Map(names).set(lambda.param, slot)), weightOf(lambda.body))
    }
    const fn = plainFunctions.get(expr.fn)
    invariant(fn !== undefined, `the plan calls \`${expr.fn}\`, which the prelude does not have`)
    const [a, b, c] = args.map(arg => this.compile(arg, names))
    if (a === undefined) return frame => fn(frame, undefined, undefined, undefined)
    if (b === undefined) return frame => fn(frame, a(frame), undefined, undefined)
    if (c === undefined) return frame => fn(frame, a(frame), b(frame), undefined)
    return frame => fn(frame, a(frame), b(frame), c(frame))
  }
}

const NULL: PlanExpr = { op: 'value', value: null }

/** Marks a lambda function whose answers were got before: `?sortBy(items, answers)`. Made by effects.ts; no plan holds it. */
export const ANSWERED = '?'

/** Arguments of a prelude call in order, those given by name in their places. */
export function preludeArgs(expr: ExprOf<'prelude'>): readonly PlanExpr[] {
  if (expr.named === undefined) return expr.args
  const params = preludeParams[expr.fn] ?? []
  const out: PlanExpr[] = [...expr.args]
  for (const [name, arg] of Object.entries(expr.named)) {
    const place = params.indexOf(name)
    invariant(place !== -1, `the plan names \`${name}\`, which \`${expr.fn}\` does not take`)
    out[place] = arg
  }
  // An optional argument that was left out before one that was given: null stands for it.
  return Array.from(out, arg => arg ?? NULL)
}

const weights = new WeakMap<PlanExpr, number>()
/** Lighter ones are counted again: a run of many small expressions keeps nothing for each. */
const KEPT_WEIGHT = 16

/** Nodes of an expression. K2 */
export function weightOf(expr: PlanExpr): number {
  switch (expr.op) {
    case 'value':
    case 'param':
    case 'node':
    case 'local':
    case 'constant':
    case 'secret':
      return 1
  }
  const known = weights.get(expr)
  if (known !== undefined) return known
  let weight = 1
  for (const part of partsOf(expr)) weight += weightOf(part)
  if (weight >= KEPT_WEIGHT) weights.set(expr, weight)
  return weight
}

function local(name: string, names: Names): Run {
  const slot = names.get(name)
  if (slot !== undefined) return frame => frame.slots[slot]!
  return frame => {
    const value = frame.scope.local(name)
    invariant(value !== undefined, `the plan mentions \`${name}\`, which nothing binds`)
    return value
  }
}

function listOf(items: readonly Run[]): Run {
  return frame => {
    const out: Value[] = []
    for (const item of items) out.push(item(frame))
    return out
  }
}

function record(expr: ExprOf<'record'>, values: readonly Run[]): Run {
  const keys = expr.entries.map(entry => entry.key)
  if (keys.every(key => key !== null && key !== '__proto__')) {
    return frame => {
      const out: Record<string, Value> = {}
      for (let index = 0; index < values.length; index++) out[keys[index]!] = values[index]!(frame)
      return out
    }
  }
  return frame => {
    const out: Record<string, Value> = {}
    for (let index = 0; index < values.length; index++) {
      const value = values[index]!(frame)
      const key = keys[index]!
      if (key !== null) setField(out, key, value)
      else if (isRecord(value)) {
        const names = Object.keys(value)
        frame.charge(names.length)
        for (const name of names) if (value[name] !== undefined) setField(out, name, value[name])
      } else if (value !== null) throw wrongKind('`...`', 'a record', value)
    }
    return out
  }
}

function template(parts: readonly (string | Run)[]): Run {
  return frame => {
    let text = ''
    for (const part of parts) {
      text += typeof part === 'string' ? part : textOf(part(frame), frame)
      frame.text(text.length)
    }
    return text
  }
}

/** The number of the arm that takes a value. */
export function matcher(expr: ExprOf<'match'>): (value: Value) => number {
  const arms = new Map<PlanValue, number>()
  let rest = -1
  expr.arms.forEach((arm, index) => {
    for (const pattern of arm.patterns) {
      if (typeof pattern === 'object' && pattern !== null) {
        if (rest === -1) rest = index
      } else if (!arms.has(pattern) && rest === -1) arms.set(pattern, index)
    }
  })
  return value => {
    const arm = arms.get(value) ?? rest
    if (arm === -1) throw failing('run/wrong-kind', 'No arm of this `match` takes the value.', 'Add an arm `_ => …` for everything else.')
    return arm
  }
}

function binary(op: BinaryOp, left: Run, right: Run, isFloat = false): Run {
  if (isFloat && (op === '+' || op === '-' || op === '*')) return frame => floatArithmetic(op, left(frame), right(frame))
  switch (op) {
    case 'and':
      return frame => bool(left(frame), '`and`') && bool(right(frame), '`and`')
    case 'or':
      return frame => bool(left(frame), '`or`') || bool(right(frame), '`or`')
    case 'coalesce':
      return frame => left(frame) ?? right(frame)
    case '+':
      return frame => add(left(frame), right(frame))
    case '-':
      return frame => subtract(left(frame), right(frame))
    case '*':
      return frame => multiply(left(frame), right(frame))
    case '/':
      return frame => divide(left(frame), right(frame))
    case '==':
      return frame => equals(left(frame), right(frame), frame)
    case '!=':
      return frame => !equals(left(frame), right(frame), frame)
    case '<':
      return frame => order('<', left(frame), right(frame), frame) < 0
    case '<=':
      return frame => order('<=', left(frame), right(frame), frame) <= 0
    case '>':
      return frame => order('>', left(frame), right(frame), frame) > 0
    case '>=':
      return frame => order('>=', left(frame), right(frame), frame) >= 0
    case 'in':
      return frame => isIn(left(frame), right(frame), frame)
  }
}

/** `map(xs, x => …)` and its kin. */
function asked(who: string, fn: LambdaFunction, source: Run, slot: number, body: Run, weight: number): Run {
  return frame => {
    const items = list(who, source(frame))
    frame.list(items.length)
    const { slots } = frame
    const answers: Value[] = []
    for (let index = 0; index < items.length; index++) {
      frame.charge(weight)
      slots[slot] = items[index]!
      const answer = body(frame)
      answers.push(answer)
      if (fn.enough !== null && fn.enough(answer)) break
    }
    return fn.finish(frame, items, answers)
  }
}

function answered(fn: LambdaFunction, items: Run, answers: Run): Run {
  return frame => fn.finish(frame, items(frame) as readonly Value[], answers(frame) as readonly Value[])
}

function moduleCall(expr: ExprOf<'call'>, args: readonly (readonly [string, Run])[]): Run {
  return frame => {
    const given: Record<string, Value> = {}
    for (const [name, arg] of args) {
      const value = arg(frame)
      measure(value, frame)
      setField(given, name, value)
    }
    const fn = frame.pure(expr.module, expr.fn)
    invariant(fn !== null, `\`${expr.module}.${expr.fn}\` is not loaded where this expression is evaluated`)
    const value = callPure(`${expr.module}.${expr.fn}`, fn, given)
    measure(value, frame)
    return value
  }
}

/** Calls a module's function; what it throws becomes a failure. Known by name: the class lives in the plugin API, which the engine does not import. */
export function callPure(name: string, fn: (args: Readonly<Record<string, Value>>) => Value, args: Readonly<Record<string, Value>>): Value {
  try {
    return fn(args) ?? null
  } catch (error) {
    const thrown = error as { name?: unknown; code?: unknown; message?: unknown; retryable?: unknown; help?: unknown } | null
    const message = typeof thrown?.message === 'string' ? thrown.message : String(error)
    if (thrown?.name !== 'ToolFailure' || typeof thrown.code !== 'string') {
      throw failing('plugin/crashed', `\`${name}\` crashed: ${message}`, 'This is a mistake in the plugin; report it to its author.')
    }
    const code = thrown.code.includes('/') ? thrown.code : `${name.split('.')[0]}/${thrown.code}`
    throw new Failing({ code, message, retryable: thrown.retryable === true, ...(typeof thrown.help === 'string' ? { help: thrown.help } : {}) })
  }
}

/** A frame in which a prompt template sees its own parameters, and nothing of the caller's. */
export function promptFrame(frame: Frame, args: Readonly<Record<string, Value>>): Frame {
  if (frame.promptDepth >= MAX_PROMPT_DEPTH) {
    throw failing('run/value-too-large', `Prompt templates use each other more than ${MAX_PROMPT_DEPTH} levels deep.`, 'Write more of the text in one.')
  }
  const named = (name: string): Value | undefined => (Object.hasOwn(args, name) ? args[name] : undefined)
  const scope: Scope = {
    param: name => named(name) ?? null,
    local: named,
    constant: name => frame.scope.constant(name),
    node: index => frame.scope.node(index),
  }
  return new Frame(scope, frame.pure, frame.prompts, { inlineSteps: null, maxSteps: frame.limits.maxSteps }, frame.promptDepth + 1)
}

export function promptText(frame: Frame, name: string): PlanExpr {
  const found = Object.hasOwn(frame.prompts, name) ? frame.prompts[name] : undefined
  invariant(found !== undefined, `the plan uses the prompt \`${name}\`, which it does not hold`)
  return found.text
}

function prompt(expr: ExprOf<'prompt'>, args: readonly (readonly [string, Run])[]): Run {
  return frame => {
    const given: Record<string, Value> = {}
    for (const [name, arg] of args) setField(given, name, arg(frame))
    const template = promptText(frame, expr.prompt)
    const inner = promptFrame(frame, given)
    inner.fuel = frame.fuel
    inner.charge(weightOf(template))
    const text = plainOf(template)(inner)
    frame.fuel = inner.fuel
    return text
  }
}

