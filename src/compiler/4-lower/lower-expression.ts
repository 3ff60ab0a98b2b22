// Lower expression: a checked expression as a PlanExpr.
// Owns: names to references, calls to their targets with arguments by parameter. Does not own: tasks and clauses (lower-workflow.ts).
import { invariant, unreachable } from '#base/invariant.ts'
import { coreGrantKinds } from '#grants/match.ts'
import type { PlanExpr, PlanValue } from '#model/plan.ts'
import type { FunctionSignature } from '#model/signature.ts'
import { stripQualifiers } from '#types/construct.ts'
import type { CallExpr, Expr, MatchArm, NameExpr, Param, PipeExpr, PromptValue, TemplateExpr } from '../1-syntax/ast.ts'
import type { ModuleSym, Unit } from '../2-resolve/program.ts'
import type { CallFact, Ref } from '../3-check/facts.ts'
import { prelude } from '../3-check/prelude.ts'
import type { LowerAt } from './lower-context.ts'
import { loopCall } from './loop-names.ts'

export function lowerExpr(at: LowerAt, expr: Expr | PromptValue): PlanExpr {
  const into = (inner: Expr): PlanExpr => lowerExpr(at, inner)
  switch (expr.kind) {
    case 'prompt-value':
      return into(expr.text)
    case 'group':
      return into(expr.inner)
    case 'literal':
    case 'string-literal':
      return { op: 'value', value: expr.value }
    case 'template':
      return lowerTemplate(at, expr)
    case 'name-expr':
      return lowerName(at, expr)
    case 'list':
      return { op: 'list', items: expr.items.map(into) }
    case 'comprehension':
      return { op: 'comprehension', item: expr.item.text, list: into(expr.list), condition: expr.condition === null ? null : into(expr.condition), value: into(expr.value) }
    case 'record':
      return { op: 'record', entries: expr.entries.map(entry => ({ key: entry.kind === 'entry' ? entry.key.text : null, value: into(entry.value) })) }
    case 'member': {
      const ref = at.facts.refs.get(expr)
      if (ref?.kind === 'module-constant') return { op: 'value', value: ref.value as PlanValue }
      return { op: 'member', object: into(expr.object), name: expr.name.text, optional: expr.optional }
    }
    case 'index':
      return { op: 'index', object: into(expr.object), index: into(expr.index) }
    case 'call':
    case 'pipe':
      return lowerCall(at, expr)
    case 'lambda':
      return { op: 'lambda', param: expr.param.text, body: into(expr.body) }
    case 'unary': {
      const value = into(expr.value)
      if (expr.op === '-' && value.op === 'value' && typeof value.value === 'number') return { op: 'value', value: value.value === 0 ? 0 : -value.value }
      return { op: expr.op === '-' ? 'negate' : 'not', value }
    }
    case 'binary': {
      const left = into(expr.left)
      const right = into(expr.right)
      if (expr.op === 'not in') return { op: 'not', value: { op: 'in', left, right } }
      const type = at.facts.types.get(expr)
      const isFloat = (expr.op === '+' || expr.op === '-' || expr.op === '*') && type !== undefined && stripQualifiers(type).kind === 'float'
      return { op: expr.op === '??' ? 'coalesce' : expr.op, left, right, ...(isFloat ? { float: true as const } : {}) }
    }
    case 'if':
      return { op: 'if', condition: into(expr.condition), then: into(expr.then), else: into(expr.else) }
    case 'match':
      return { op: 'match', subject: into(expr.subject), arms: expr.arms.map(arm => lowerArm(at, arm)) }
    case 'error-expr':
      return invariant(false, 'an unreadable expression got into a checked program') as never
    default:
      return unreachable(expr)
  }
}

function lowerTemplate(at: LowerAt, expr: TemplateExpr): PlanExpr {
  return { op: 'template', parts: expr.parts.map(part => (part.kind === 'template-text' ? part.value : lowerExpr(at, part))) }
}

function lowerArm(at: LowerAt, arm: MatchArm): Extract<PlanExpr, { op: 'match' }>['arms'][number] {
  return { patterns: arm.patterns.map(pattern => (pattern.kind === 'pattern-any' ? { any: true as const } : pattern.value)), value: lowerExpr(at, arm.value) }
}

function lowerName(at: LowerAt, expr: NameExpr): PlanExpr {
  const ref: Ref | undefined = at.facts.refs.get(expr)
  invariant(ref !== undefined, `the name \`${expr.name}\` of a checked program refers to something`)
  switch (ref.kind) {
    case 'param':
      return { op: 'param', name: ref.name }
    case 'local':
      return { op: 'local', name: ref.name }
    case 'node': {
      const index = at.nodeIndex.get(ref.index)
      invariant(index !== undefined, `the task \`${ref.name}\` has a place in the plan`)
      return { op: 'node', index }
    }
    case 'const':
      return { op: 'constant', name: ref.symbol.key }
    default:
      if ('symbol' in ref && ref.symbol.kind === 'secret') return { op: 'secret', name: ref.symbol.key }
      return invariant(false, `\`${expr.name}\` has no value`) as never
  }
}

function lowerCall(at: LowerAt, expr: CallExpr | PipeExpr): PlanExpr {
  const fact = at.facts.calls.get(expr)
  invariant(fact !== undefined, 'a call of a checked program has a target')
  const { target } = fact
  switch (target.kind) {
    case 'prelude':
      return lowerPrelude(at, target.name, fact)
    case 'function': {
      const { signature } = target
      return {
        op: 'call', module: at.context.needModule(at.unit, target.module), fn: signature.name, effect: signature.effect, runs: signature.runs,
        args: withStandards(signature, lowerArgs(at, fact)), needs: needsOf(target.module, signature), ...secretArgsOf(signature, fact),
      }
    }
    case 'prompt':
      return { op: 'prompt', prompt: at.context.needPrompt(target.symbol), args: withDefaults(at, target.symbol.unit, target.symbol.declaration.params, lowerArgs(at, fact)) }
    case 'denied':
      return { op: 'denied', call: lowerExpr(at, fact.args[0]!.values[0]!) }
    case 'loop':
      return loopCall(target.name, lowerArgs(at, fact))
    case 'workflow':
      return invariant(false, 'a call of a workflow stands where no value is made') as never
    default:
      return unreachable(target)
  }
}

/** Arguments by parameter; a rest parameter's is a list. */
export function lowerArgs(at: LowerAt, fact: CallFact): Record<string, PlanExpr> {
  const args: Record<string, PlanExpr> = {}
  for (const { param, values } of fact.args) {
    args[param.name] = param.rest === true ? { op: 'list', items: values.map(value => lowerExpr(at, value)) } : lowerExpr(at, values[0]!)
  }
  return args
}

/** Arguments given whose parameters take secrets. */
function secretArgsOf(signature: FunctionSignature, fact: CallFact): { readonly secretArgs?: readonly string[] } {
  const taking = fact.args.flatMap(({ param }) => (signature.params.some(each => each.name === param.name && each.secret === true) ? [param.name] : []))
  return taking.length === 0 ? {} : { secretArgs: taking }
}

/** A default that a grant is made of is written out, so that the guard sees the argument the tool will get. */
function withStandards(signature: FunctionSignature, args: Record<string, PlanExpr>): Record<string, PlanExpr> {
  for (const [name, value] of Object.entries(standardsOf(signature))) if (!Object.hasOwn(args, name)) args[name] = { op: 'value', value }
  return args
}

/** Defaults of the parameters that a grant is made of. */
export function standardsOf(signature: FunctionSignature): Record<string, PlanValue> {
  const mentioned = new Set(signature.needs.flatMap(need => need.args.flatMap(arg => ('param' in arg ? [arg.param] : []))))
  return Object.fromEntries(signature.params.flatMap(({ name, default: standard }) => (mentioned.has(name) && standard !== undefined ? [[name, standard as PlanValue]] : [])))
}

/** A list where a grant takes one path, host or name asks for the grant once an item; in an argv it is the rest of the tokens. */
export function needsOf(module: ModuleSym, signature: FunctionSignature): Extract<PlanExpr, { op: 'call' }>['needs'] {
  const isList = (name: string): boolean => {
    const param = signature.params.find(each => each.name === name)
    return param !== undefined && (param.rest === true || stripQualifiers(param.type).kind === 'list')
  }
  return signature.needs.map(({ grant, args }) => {
    const own = grant.startsWith(`${module.signature?.name}.`) ? module.signature?.grants[grant.slice(grant.indexOf('.') + 1)]?.params.map(param => param.kind) : undefined
    const kinds = coreGrantKinds(grant) ?? own ?? []
    return { grant, args: args.map((arg, index) => ('param' in arg && kinds[index] !== 'argv' && isList(arg.param) ? { param: arg.param, each: true as const } : arg)) }
  })
}

/** A prompt template has no place for defaults in the plan: the call gives them. They mention nothing but consts. */
function withDefaults(at: LowerAt, unit: Unit, params: readonly Param[], args: Record<string, PlanExpr>): Record<string, PlanExpr> {
  const inner = at.context.at(unit)
  for (const param of params) if (!(param.name.text in args) && param.default !== null) args[param.name.text] = lowerExpr(inner, param.default)
  return args
}

/** By position as far as there is no gap; the rest by name. */
function lowerPrelude(at: LowerAt, name: string, fact: CallFact): PlanExpr {
  const params = prelude.get(name)?.params ?? []
  const args: PlanExpr[] = []
  const named: Record<string, PlanExpr> = {}
  for (const { param, values } of fact.args) {
    const value = lowerExpr(at, values[0]!)
    if (params[args.length]?.name === param.name) args.push(value)
    else named[param.name] = value
  }
  return { op: 'prelude', fn: name, args, ...(Object.keys(named).length === 0 ? {} : { named }) }
}
