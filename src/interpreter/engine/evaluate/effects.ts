// Effects: expressions that hold tool calls, as generators.
// Owns: the order of calls, short-circuit around them, and what a call asks for. Does not own: plain parts (plain.ts), performing (interpreter/effects).
//   E1. Parts are evaluated left to right, each to its end; a part that stands before a call is evaluated before that call is asked for.
//   E2. A branch not taken, a right side not needed, asks for nothing.
//   E3. What remains of an operation when its calls are answered is a plain expression over intermediate results, so it too can be evaluated elsewhere.
import { invariant } from '#base/invariant.ts'
import type { Outcome } from '#model/event.ts'
import type { PlanExpr } from '#model/plan.ts'
import type { Value } from '#model/type.ts'
import { settle, valueOf, type CallRequest, type Code, type Effect, type Request } from './code.ts'
import { ANSWERED, callPure, matcher, PlainCompiler, preludeArgs, promptFrame, promptText, weightOf, type Names } from './plain.ts'
import { Failing, failing, MAX_CALLS, MAX_VALUE_NODES, type Frame } from './frame.ts'
import { bool } from './operators.ts'
import { lambdaFunctions } from './prelude.ts'
import { list } from './prelude-lists.ts'
import { partsOf } from './references.ts'
import { checkSize, setField, textOf } from './values.ts'

type ExprOf<Op extends PlanExpr['op']> = Extract<PlanExpr, { op: Op }>
type Steps = Generator<Request, Value, Outcome>

/**
 * Whether pure module functions are called in place or asked for like tools: `plain` when all those in the expression are loaded here.
 * Both variants of an expression are kept.
 */
type CallMode = 'plain' | 'effects'

/** What is kept with an expression: one entry for each, as a run may have a hundred thousand of them. */
interface Kept {
  /** No call, no prompt: plain whatever is loaded. */
  readonly isSelfContained: boolean
  plain: Code | null
  effects: Code | null
}

const kept = new WeakMap<PlanExpr, Kept>()
const noNames: Names = new Map()

/** The code of an expression. `isLoaded` is asked only where it calls something: whether all its pure functions can be called in place. */
export function codeOf(expr: PlanExpr, isLoaded: () => boolean): Code {
  let found = kept.get(expr)
  if (found === undefined) {
    found = { isSelfContained: !mentionsCalls(expr), plain: null, effects: null }
    kept.set(expr, found)
  }
  if (found.isSelfContained || isLoaded()) return (found.plain ??= compiled(expr, 'plain', found.isSelfContained))
  return (found.effects ??= compiled(expr, 'effects', false))
}

function compiled(expr: PlanExpr, calls: CallMode, isSelfContained: boolean): Code {
  if (isSelfContained || (calls === 'plain' && !new Compiler(calls).holdsEffects(expr))) {
    return { expr, weight: weightOf(expr), run: new PlainCompiler().compile(expr, noNames), effect: null, names: noNames }
  }
  return new Compiler(calls).compile(expr, noNames)
}

function mentionsCalls(expr: PlanExpr): boolean {
  return expr.op === 'call' || expr.op === 'prompt' || expr.op === 'denied' || partsOf(expr).some(mentionsCalls)
}

class Compiler {
  private readonly calls: CallMode
  private readonly plain = new PlainCompiler()

  constructor(calls: CallMode) {
    this.calls = calls
  }

  newSlot(): number {
    return this.plain.newSlot()
  }

  compile(expr: PlanExpr, names: Names): Code {
    if (this.holdsEffects(expr)) return { expr, weight: weightOf(expr), run: null, effect: compileEffect(this, expr, names), names }
    return { expr, weight: weightOf(expr), run: this.plain.compile(expr, names), effect: null, names }
  }

  /** Whether an expression must be a generator. */
  holdsEffects(expr: PlanExpr): boolean {
    if (expr.op === 'denied') return true
    if (expr.op === 'call' && (expr.effect !== 'pure' || this.calls === 'effects')) return true
    if (expr.op === 'prompt' && this.calls === 'effects') return true
    return partsOf(expr).some(part => this.holdsEffects(part))
  }
}

/** The generator of an expression that holds a call. */
function compileEffect(compiler: Compiler, expr: PlanExpr, names: Names): Effect {
  const into = (part: PlanExpr): Code => compiler.compile(part, names)
  switch (expr.op) {
    case 'and':
    case 'or':
      return logic(expr.op, into(expr.left), into(expr.right))
    case 'coalesce':
      return coalesce(into(expr.left), into(expr.right))
    case 'if': {
      const [condition, then, otherwise] = [into(expr.condition), into(expr.then), into(expr.else)]
      return function* (frame) {
        return yield* settle(bool(yield* settle(condition, frame), '`if`') ? then : otherwise, frame)
      }
    }
    case 'match': {
      const subject = into(expr.subject)
      const choose = matcher(expr)
      const arms = expr.arms.map(arm => into(arm.value))
      return function* (frame) {
        return yield* settle(arms[choose(yield* settle(subject, frame))]!, frame)
      }
    }
    case 'comprehension':
      return comprehension(compiler, expr, names)
    case 'call':
      return call(expr, Object.entries(expr.args).map(([name, arg]) => [name, into(arg)] as const))
    case 'prompt':
      return prompt(expr, Object.entries(expr.args).map(([name, arg]) => [name, into(arg)] as const))
    case 'denied':
      return expr.call.op === 'call' && expr.call.effect !== 'pure' ? trial(expr.call, Object.entries(expr.call.args).map(([name, arg]) => [name, into(arg)] as const)) : denied(into(expr.call))
    case 'prelude': {
      const args = preludeArgs(expr)
      if (expr.fn === 'default') return coalesce(into(args[0]!), into(args[1] ?? { op: 'value', value: null }))
      const lambda = args[1]
      const asks = Object.hasOwn(lambdaFunctions, expr.fn) && lambda?.op === 'lambda' && compiler.holdsEffects(lambda.body)
      if (asks) return asking(compiler, expr.fn, args[0]!, lambda, names)
      return strict(compiler, { op: 'prelude', fn: expr.fn, args }, names)
    }
    default:
      return strict(compiler, expr, names)
  }
}

function logic(op: 'and' | 'or', left: Code, right: Code): Effect {
  const who = `\`${op}\``
  return function* (frame) {
    const first = bool(yield* settle(left, frame), who)
    return first === (op === 'or') ? first : bool(yield* settle(right, frame), who) // E2
  }
}

function coalesce(left: Code, right: Code): Effect {
  return function* (frame) {
    return (yield* settle(left, frame)) ?? (yield* settle(right, frame))
  }
}

/** Costs nothing, changes nothing, cannot fail: may as well be evaluated late. */
const leaves: ReadonlySet<PlanExpr['op']> = new Set(['value', 'param', 'node', 'local', 'constant', 'secret', 'lambda'])

/**
 * An operation that needs all its parts: those up to the last call are settled into slots in order (E1); the operation over the slots
 * and what is left is plain (E3).
 */
function strict(compiler: Compiler, expr: PlanExpr, names: Names): Effect {
  const parts = partsOf(expr)
  const lastCall = parts.findLastIndex(part => compiler.holdsEffects(part))
  invariant(lastCall !== -1, 'an operation without calls is plain')
  const before: { code: Code; slot: number }[] = []
  const inner = new Map(names)
  const rest = parts.map((part, index) => {
    if (index > lastCall || leaves.has(part.op)) return part
    const slot = compiler.newSlot()
    before.push({ code: compiler.compile(part, names), slot })
    const name = `?${slot}`
    inner.set(name, slot)
    return { op: 'local', name } as const
  })
  const after = compiler.compile(withParts(expr, rest), inner)
  return function* (frame) {
    for (const { code, slot } of before) frame.slots[slot] = yield* settle(code, frame)
    return yield* settle(after, frame)
  }
}

/** The same operation over other parts, in the order of `partsOf`. */
function withParts(expr: PlanExpr, parts: readonly PlanExpr[]): PlanExpr {
  let next = 0
  const take = (): PlanExpr => parts[next++]!
  switch (expr.op) {
    case 'list':
      return { op: 'list', items: parts }
    case 'record':
      return { op: 'record', entries: expr.entries.map(entry => ({ key: entry.key, value: take() })) }
    case 'template':
      return { op: 'template', parts: expr.parts.map(part => (typeof part === 'string' ? part : take())) }
    case 'member':
      return { ...expr, object: take() }
    case 'index':
      return { op: 'index', object: take(), index: take() }
    case 'negate':
    case 'not':
      return { op: expr.op, value: take() }
    case 'prelude':
      return { op: 'prelude', fn: expr.fn, args: parts }
    case '+':
    case '-':
    case '*':
    case '/':
    case '==':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=':
    case 'in':
      return { op: expr.op, left: take(), right: take(), ...(expr.float === true ? { float: true as const } : {}) }
    default:
      return invariant(false, `\`${expr.op}\` is not an operation over all its parts`) as never
  }
}

function comprehension(compiler: Compiler, expr: ExprOf<'comprehension'>, names: Names): Effect {
  const source = compiler.compile(expr.list, names)
  const slot = compiler.newSlot()
  const inner = new Map(names).set(expr.item, slot)
  if (!compiler.holdsEffects(expr.value) && (expr.condition === null || !compiler.holdsEffects(expr.condition))) {
    return strictList(compiler, source, expr, names)
  }
  const condition = expr.condition === null ? null : compiler.compile(expr.condition, inner)
  const value = compiler.compile(expr.value, inner)
  return function* (frame) {
    const items = list('for', yield* settle(source, frame))
    const out: Value[] = []
    for (const item of items) {
      frame.slots[slot] = item
      if (condition === null || bool(yield* settle(condition, frame), '`if` in a comprehension')) out.push(yield* settle(value, frame))
    }
    return out
  }
}

/** A comprehension whose list alone holds calls: the rest is plain. E3 */
function strictList(compiler: Compiler, source: Code, expr: ExprOf<'comprehension'>, names: Names): Effect {
  const slot = compiler.newSlot()
  const name = `?${slot}`
  const after = compiler.compile({ ...expr, list: { op: 'local', name } }, new Map(names).set(name, slot))
  return function* (frame) {
    frame.slots[slot] = yield* settle(source, frame)
    return yield* settle(after, frame)
  }
}

/** `map(xs, x => fs.read(x))` and its kin: one item after the other. */
function asking(compiler: Compiler, fn: string, source: PlanExpr, lambda: ExprOf<'lambda'>, names: Names): Effect {
  const items = compiler.compile(source, names)
  const slot = compiler.newSlot()
  const body = compiler.compile(lambda.body, new Map(names).set(lambda.param, slot))
  const [itemsSlot, answersSlot] = [compiler.newSlot(), compiler.newSlot()]
  const inner = new Map(names).set('?items', itemsSlot).set('?answers', answersSlot)
  const args: PlanExpr[] = [{ op: 'local', name: '?items' }, { op: 'local', name: '?answers' }]
  const finish = compiler.compile({ op: 'prelude', fn: ANSWERED + fn, args }, inner)
  const { enough } = lambdaFunctions[fn]!
  return function* (frame) {
    const all = list(fn, yield* settle(items, frame))
    const answers: Value[] = []
    for (const item of all) {
      frame.slots[slot] = item
      const answer = yield* settle(body, frame)
      answers.push(answer)
      if (enough !== null && enough(answer)) break
    }
    frame.slots[itemsSlot] = all
    frame.slots[answersSlot] = answers
    return yield* settle(finish, frame)
  }
}

type NamedCode = readonly (readonly [string, Code])[]

function* settleArgs(args: NamedCode, frame: Frame): Generator<Request, Record<string, Value>, Outcome> {
  const given: Record<string, Value> = {}
  for (const [name, code] of args) setField(given, name, yield* settle(code, frame))
  return given
}

function call(expr: ExprOf<'call'>, args: NamedCode): Effect {
  return function* (frame): Steps {
    const given = yield* settleArgs(args, frame)
    if (expr.effect === 'pure') {
      const fn = frame.pure(expr.module, expr.fn)
      if (fn !== null) return callPure(`${expr.module}.${expr.fn}`, fn, given)
    }
    if (++frame.calls > MAX_CALLS) throw tooManyCalls()
    return valueOf(yield { kind: 'call', call: requestOf(expr, given, frame) })
  }
}

function tooManyCalls(): Failing {
  const help = 'Use `task … for item in list`, so that each item is a task of its own.'
  return failing('run/expression-too-long', `One expression makes more than ${MAX_CALLS} tool calls.`, help)
}

/** Grants that one call may need. */
const MAX_NEEDS = 100_000

function requestOf(expr: ExprOf<'call'>, args: Readonly<Record<string, Value>>, frame: Frame): CallRequest {
  for (const value of Object.values(args)) checkSize(value, MAX_VALUE_NODES)
  frame.fuel = frame.limits.maxSteps // the text of a grant's arguments is bounded by the arguments
  const needs = expr.needs.flatMap(need => grantsOf(need, args, frame))
  return { module: expr.module, fn: expr.fn, effect: expr.effect, runs: expr.runs, args, needs, secretArgs: expr.secretArgs ?? [] }
}

/** One grant, or one for each item of a list that stands where a grant takes a single argument; none for an empty list. */
function grantsOf(need: ExprOf<'call'>['needs'][number], args: Readonly<Record<string, Value>>, frame: Frame): CallRequest['needs'] {
  let made: string[][] = [[]]
  for (const arg of need.args) {
    const texts = 'literal' in arg ? [arg.literal] : grantTexts(args, arg.param, frame)
    const isEach = 'each' in arg && arg.each === true && Array.isArray(args[arg.param])
    made = isEach ? made.flatMap(before => texts.map(text => [...before, text])) : made.map(before => [...before, ...texts])
    if (made.length > MAX_NEEDS) throw failing('run/value-too-large', `One call needs more than ${MAX_NEEDS} grants.`, 'Call it with fewer items at once.')
  }
  return made.map(each => ({ name: need.grant, args: each }))
}

/** A parameter's value as grant arguments: a list (the rest of an argv) gives one each, an argument that was left out none. */
function grantTexts(args: Readonly<Record<string, Value>>, name: string, frame: Frame): string[] {
  const value = Object.hasOwn(args, name) ? args[name] : undefined
  if (value === undefined || value === null) return []
  return Array.isArray(value) ? (value as readonly Value[]).map(item => textOf(item, frame)) : [textOf(value, frame)]
}

function prompt(expr: ExprOf<'prompt'>, args: NamedCode): Effect {
  return function* (frame): Steps {
    const inner = promptFrame(frame, yield* settleArgs(args, frame))
    return yield* settle(codeOf(promptText(frame, expr.prompt), () => false), inner)
  }
}

/** True when the guard refuses the call, which is not made. Its arguments are worked out as for any other. */
function trial(expr: ExprOf<'call'>, args: NamedCode): Effect {
  return function* (frame): Steps {
    const given = yield* settleArgs(args, frame)
    if (++frame.calls > MAX_CALLS) throw tooManyCalls()
    return valueOf(yield { kind: 'call', call: { ...requestOf(expr, given, frame), isTrial: true } })
  }
}

/** The same of something that is no single call: it is worked out, and true when the guard refuses a part of it. Any other failure is one here too. */
function denied(guarded: Code): Effect {
  return function* (frame) {
    try {
      yield* settle(guarded, frame)
      return false
    } catch (error) {
      if (error instanceof Failing && error.failure.code.startsWith('permit/')) return true
      throw error
    }
  }
}
