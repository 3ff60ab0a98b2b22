// Calls: what is called, with what, and what it gives.
// Owns: finding the callee, type variables, qualifiers of results. Does not own: where calls may stand (effects.ts), grants (rules/granted.ts).
//   K1. Lambdas are looked at after the other arguments, so that their parameters are known.
//   K2. What a pure function makes of untrusted text is untrusted, and so is what a tool that needs no grant or a plugin's tool does. Other tools
//       of tek say themselves whether their results are; what they find under an untrusted name is too.
//   K3. A workflow called with untrusted values is looked at again with these (trust/variants.ts).
import { nameErrors } from '#diagnostics/catalog/name.ts'
import { typeErrors } from '#diagnostics/catalog/type.ts'
import type { ParamSignature } from '#model/signature.ts'
import type { Type } from '#model/type.ts'
import { anyType, boolType, qualifiersOf, qualifiersWithin, qualify, stripQualifiers } from '#types/construct.ts'
import { bindVariables, mentionsVariable, substitute, type Bindings } from '#types/variables.ts'
import type { Arg, CallExpr, Expr, LambdaExpr, MemberExpr, NameExpr, PipeExpr, Span } from '../1-syntax/ast.ts'
import { suggest } from '../2-resolve/declare.ts'
import { describeSymbol, findModule, type ModuleSym, type Sym } from '../2-resolve/program.ts'
import { bindArguments, type BoundArg } from './arguments.ts'
import type { Checker } from './checker.ts'
import { checkCallPlace } from './effects.ts'
import type { CallFact, CallTarget } from './facts.ts'
import { familyOf } from './families.ts'
import { moduleNamed } from './members.ts'
import { narrow } from './narrow.ts'
import { prelude, preludeNames } from './prelude.ts'
import type { Scope } from './scope.ts'
import { checkSinks } from './trust/sinks.ts'
import { resultOfVariant } from './trust/variants.ts'
import { checkVouching } from './trust/vouching.ts'

interface Callable {
  readonly name: string
  readonly target: CallTarget
  readonly params: readonly ParamSignature[]
  readonly result: Type
}

export function inferCall(checker: Checker, expr: CallExpr, scope: Scope): Type {
  const callable = calleeOf(checker, expr.callee, scope)
  if (callable === null) return inferAnyway(checker, expr.args, null, scope)
  return applyCall(checker, expr, callable, expr.args, null, scope, expr.callee)
}

/** What to do instead of calling an agent, or taking a value from it. */
export const askInTask = (agent: string): string => `Ask it in a task: \`task answer by ${agent} -> TYPE = prompt """…"""\`.`

export function inferPipe(checker: Checker, expr: PipeExpr, scope: Scope): Type {
  const [first, ...rest] = expr.target.parts
  if (first === undefined || first.text === '') return inferAnyway(checker, expr.args ?? [], expr.left, scope) // no name at all was reported
  let callee: Expr = { kind: 'name-expr', name: first.text, start: first.start, end: first.end }
  for (const part of rest) callee = { kind: 'member', object: callee, name: part, optional: false, start: first.start, end: part.end }
  const callable = calleeOf(checker, callee, scope)
  if (callable === null) return inferAnyway(checker, expr.args ?? [], expr.left, scope)
  return applyCall(checker, expr, callable, expr.args ?? [], expr.left, scope, expr.target)
}

/** After a report about the callee: its arguments may hold mistakes of their own. Lambdas are left alone. */
function inferAnyway(checker: Checker, args: readonly Arg[], piped: Expr | null, scope: Scope): Type {
  for (const value of [...(piped === null ? [] : [piped]), ...args.map(arg => arg.value)]) if (value.kind !== 'lambda') checker.infer(value, scope)
  return anyType
}

function calleeOf(checker: Checker, callee: Expr, scope: Scope): Callable | null {
  if (callee.kind === 'group') return calleeOf(checker, callee.inner, scope)
  if (callee.kind === 'name-expr') return namedCallee(checker, callee, scope)
  if (callee.kind === 'member') {
    const module = moduleNamed(checker, callee.object, scope)
    if (module !== null) return moduleFunction(checker, callee, module)
    if (isUnknownModule(checker, callee.object, scope)) return null
    const type = checker.infer(callee.object, scope)
    if (stripQualifiers(type).kind !== 'any') {
      const { text } = callee.name
      const elsewhere = 'Values have fields, not functions; functions live in modules: `text.count(value, "a")`.'
      const help = [preludeNames.has(text) ? `Write \`value |> ${text}(…)\` or \`${text}(value, …)\`.` : elsewhere]
      checker.report(typeErrors['not-callable']({ what: `\`.${callee.name.text}\`` }, { at: checker.at(callee.name), help }))
    }
    return null
  }
  if (callee.kind === 'error-expr') return null
  const type = checker.infer(callee, scope)
  if (stripQualifiers(type).kind !== 'any') checker.report(typeErrors['not-callable']({ what: 'This value' }, { at: checker.at(callee) }))
  return null
}

/** `fss.read(…)`: a name that is neither value nor module, before a dot, was meant as a module. */
function isUnknownModule(checker: Checker, object: Expr, scope: Scope): boolean {
  if (object.kind !== 'name-expr') return false
  const { file } = checker.unit
  if (scope.find(object.name) !== null || file.values.has(object.name)) return false
  if (file.unknown.has(object.name)) return true
  if (preludeNames.has(object.name)) return false
  const at = checker.at(object)
  const known = [...checker.program.stdNames, ...file.modules.keys()]
  const found = suggest(object.name, known, at)
  const locals = found.help.length > 0 ? found : suggest(object.name, [...scope.names(), ...file.values.keys()], at)
  checker.report(nameErrors['unknown-module']({ name: object.name }, { at, ...locals }))
  return true
}

function moduleFunction(checker: Checker, callee: MemberExpr, module: ModuleSym): Callable | null {
  if (module.signature === null) return null
  const { functions } = module.signature
  const name = callee.name.text
  const written = `${module.name}.${name}`
  if (name === '') return null // no name at all was reported
  if (!Object.hasOwn(functions, name)) {
    const at = checker.at(callee.name)
    const near = suggest(name, Object.keys(functions), at)
    const help = prelude.has(name) ? [`\`${name}\` needs no module: \`${name}(…)\`.`] : near.help
    checker.report(nameErrors['unknown-function']({ module: module.name, name }, { at, help, fixes: prelude.has(name) ? [] : near.fixes }))
    return null
  }
  const signature = functions[name]!
  return { name: written, target: { kind: 'function', module, signature }, params: signature.params, result: signature.result }
}

function namedCallee(checker: Checker, callee: NameExpr, scope: Scope): Callable | null {
  const local = scope.find(callee.name)
  if (local?.callable !== undefined) return { name: callee.name, ...local.callable }
  if (local !== null) {
    if (stripQualifiers(local.type).kind !== 'any') checker.report(typeErrors['not-callable']({ what: `\`${callee.name}\` is a value and` }, { at: checker.at(callee) }))
    return null
  }
  const symbol = checker.unit.file.values.get(callee.name)
  if (symbol !== undefined) return symbolCallee(checker, callee, symbol)
  if (checker.unit.file.unknown.has(callee.name)) return null
  const known = prelude.get(callee.name)
  if (known !== undefined) return { name: callee.name, target: { kind: 'prelude', name: callee.name }, params: known.params, result: known.result }
  const at = checker.at(callee)
  const module = findModule(checker.program, checker.unit.file, callee.name)
  if (module !== null) checker.report(nameErrors['not-a-value']({ name: callee.name, what: 'a module' }, { at, help: [`Call one of its functions: \`${callee.name}.…(…)\`.`] }))
  else {
    const values = [...checker.unit.file.values.values()].filter(each => each.kind === 'workflow' || each.kind === 'prompt').map(each => each.name)
    checker.report(nameErrors['unknown-value']({ name: callee.name }, { at, ...suggest(callee.name, [...values, ...scope.functions(), ...preludeNames], at) }))
  }
  return null
}

function symbolCallee(checker: Checker, callee: NameExpr, symbol: Sym): Callable | null {
  const shape = checker.shapeOf(symbol)
  if (symbol.kind === 'workflow') return { name: callee.name, target: { kind: 'workflow', symbol: symbol as Sym<'workflow'> }, params: shape.params, result: shape.type }
  if (symbol.kind === 'prompt') return { name: callee.name, target: { kind: 'prompt', symbol: symbol as Sym<'prompt'> }, params: shape.params, result: shape.type }
  const help = symbol.kind === 'agent' ? [askInTask(callee.name)] : []
  checker.report(typeErrors['not-callable']({ what: `\`${callee.name}\` is ${describeSymbol(symbol)} and` }, { at: checker.at(callee), help }))
  return null
}

function applyCall(checker: Checker, expr: CallExpr | PipeExpr, callable: Callable, args: readonly Arg[], piped: Expr | null, scope: Scope, at: Span): Type {
  if (callable.target.kind === 'denied') return inferDenied(checker, expr, args, scope)
  const bound = bindArguments(checker, { name: callable.name, params: callable.params, at }, args, piped)
  const fact: CallFact = { target: callable.target, args: bound, variant: null }
  checker.facts.calls.set(expr, fact)
  checker.facts.callLog.push({ at, name: callable.name, expr, fact })
  checkCallPlace(checker, expr, callable, scope, at)
  const inner = scope.calls.workflowCall === null ? scope : scope.inside({ workflowCall: null })
  const { types, bindings } = inferArguments(checker, bound, inner)
  for (const arg of args) if (!checker.facts.types.has(arg.value) && arg.value.kind !== 'lambda') checker.infer(arg.value, inner)
  let result = substitute(callable.result, bindings, anyType)
  const known = callable.target.kind === 'prelude' ? prelude.get(callable.target.name) : undefined
  if (known?.refine !== undefined) result = known.refine(types, result)
  if (callable.name === 'filter' && callable.target.kind === 'prelude') result = filtered(checker, bound, result, inner)
  if (callable.target.kind === 'loop') scope.find(callable.target.name)?.callable?.given?.(types)
  if (callable.target.kind === 'function' || callable.target.kind === 'workflow') checkSinks(checker, callable.name, fact)
  if (callable.target.kind === 'workflow') return resultOfVariant(checker, callable.target.symbol, fact, at, result)
  if (callable.target.kind === 'prelude' && callable.name === 'trust') checkVouching(checker, expr, fact)
  return carryQualifiers(callable, fact, result, types)
}

/** What passes `x => x != null` is not null: a filter's condition holds for what is left. */
function filtered(checker: Checker, bound: readonly BoundArg[], result: Type, scope: Scope): Type {
  const lambda = lambdaIn(bound.find(({ param }) => param.name === 'where')?.values[0] ?? null)
  const bare = stripQualifiers(result)
  if (lambda === null || bare.kind !== 'list') return result
  const known = narrow(checker, lambda.body, scope, true).get(lambda.param.text)
  return known === undefined ? result : qualify({ kind: 'list', item: known }, qualifiersOf(result))
}

function inferArguments(checker: Checker, bound: readonly BoundArg[], scope: Scope): { types: Map<string, Type>; bindings: Bindings } {
  const bindings: Bindings = new Map()
  const types = new Map<string, Type>()
  for (const { param, values } of bound) {
    for (const value of values) {
      if (lambdaIn(value) !== null) continue
      const type = inferArgument(checker, param, value, bindings, scope)
      const before = types.get(param.name) // of a rest parameter; one untrusted value speaks for all
      if (before === undefined || !qualifiersWithin(before).untrusted) types.set(param.name, type)
    }
  }
  for (const { param, values } of bound) { // K1
    for (const value of values) {
      const lambda = lambdaIn(value)
      if (lambda !== null) types.set(param.name, inferLambdaArgument(checker, param, lambda, bindings, scope))
    }
  }
  return { types, bindings }
}

function lambdaIn(value: Expr | null): LambdaExpr | null {
  if (value === null) return null
  if (value.kind === 'group') return lambdaIn(value.inner)
  return value.kind === 'lambda' ? value : null
}

function inferArgument(checker: Checker, param: ParamSignature, value: Expr, bindings: Bindings, scope: Scope): Type {
  const place = `The argument \`${param.name}\``
  if (!mentionsVariable(param.type)) {
    const type = checker.infer(value, scope, param.type)
    // Untrusted text where a trusted path or address belongs is one mistake: what mends it makes it a path too.
    const isSinking = param.sink === true && qualifiersWithin(type).untrusted && familyOf(type) === 'text' && familyOf(param.type) === 'text'
    if (!isSinking) checker.fit(value, type, param.type, place)
    return type
  }
  const type = checker.infer(value, scope)
  bindVariables(param.type, type, bindings)
  checker.fit(value, type, substitute(param.type, bindings, anyType), place)
  return type
}

function inferLambdaArgument(checker: Checker, param: ParamSignature, lambda: LambdaExpr, bindings: Bindings, scope: Scope): Type {
  const wanted = stripQualifiers(param.type)
  if (wanted.kind !== 'function') {
    checker.report(typeErrors['lambda-not-expected']({ place: `The argument \`${param.name}\`` }, { at: checker.at(lambda) }))
    return anyType
  }
  const type = checker.infer(lambda, scope, substitute(wanted, bindings, anyType))
  if (type.kind !== 'function') return type
  bindVariables(wanted.result, type.result, bindings)
  const result = substitute(wanted.result, bindings, anyType)
  checker.fit(lambda.body, type.result, result, `What \`${param.name}\` gives`)
  return type
}

/** K2. */
function carryQualifiers(callable: Callable, { target, args: bound }: CallFact, result: Type, args: ReadonlyMap<string, Type>): Type {
  if (target.kind === 'loop' || (target.kind === 'prelude' && target.name === 'trust')) return result
  if (target.kind === 'function' && target.signature.effect !== 'pure') {
    const { module, signature } = target
    const asked = (name: string): boolean => module.kind !== 'std' || signature.needs.length === 0 || signature.needs.some(need => need.args.some(arg => 'param' in arg && arg.param === name))
    return qualify(result, { untrusted: signature.untrusted || [...args].some(([name, type]) => asked(name) && qualifiersWithin(type).untrusted) })
  }
  let untrusted = false
  let secret = false
  // Type variables carry the marks of what they are bound to; what is given for another parameter goes into anything.
  for (const { param } of bound) {
    const type = args.get(param.name)
    if (type === undefined || type.kind === 'function' || (mentionsVariable(param.type) && mentionsVariable(callable.result))) continue
    const inside = qualifiersWithin(type)
    untrusted ||= inside.untrusted
    secret ||= inside.secret
  }
  return untrusted || secret ? qualify(result, { untrusted, secret }) : result
}

/** `denied(call)`: true when the guard refuses the call. Only in tests. */
function inferDenied(checker: Checker, expr: CallExpr | PipeExpr, args: readonly Arg[], scope: Scope): Type {
  const param: ParamSignature = { name: 'call', doc: '', type: anyType, optional: false }
  const bound = bindArguments(checker, { name: 'denied', params: [param], at: expr }, args, null)
  checker.facts.calls.set(expr, { target: { kind: 'denied' }, args: bound, variant: null })
  for (const arg of args) checker.infer(arg.value, scope)
  return boolType
}
