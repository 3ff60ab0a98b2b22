// Arguments: which argument is meant for which parameter.
// Owns: positions, names, rest parameters, what is missing or too much. Does not own: their types (calls.ts).
import { typeErrors } from '#diagnostics/catalog/type.ts'
import type { ParamSignature } from '#model/signature.ts'
import type { Arg, Expr, Span } from '../1-syntax/ast.ts'
import { suggest } from '../2-resolve/declare.ts'
import type { Checker } from './checker.ts'

export interface BoundArg {
  readonly param: ParamSignature
  readonly values: Expr[]
}

export interface Callee {
  /** As the user wrote it. */
  readonly name: string
  readonly params: readonly ParamSignature[]
  /** Where a missing argument is reported. */
  readonly at: Span
}

/** The usual call: every argument by position, none missing, none too much. Null for any other. */
function byPosition(params: readonly ParamSignature[], args: readonly Arg[], piped: Expr | null): BoundArg[] | null {
  const offset = piped === null ? 0 : 1
  if (args.length + offset > params.length) return null
  const bound: BoundArg[] = []
  for (let index = 0; index < params.length; index++) {
    const param = params[index]!
    const arg = index < offset ? null : args[index - offset]
    if (param.rest === true || (arg !== null && arg !== undefined && arg.name !== null)) return null
    if (arg !== undefined) bound.push({ param, values: [arg === null ? piped! : arg.value] })
    else if (!param.optional) return null
  }
  return bound
}

/** Binds arguments to parameters in the order of parameters; `piped` comes first. Reports once for each kind of mistake. */
export function bindArguments(checker: Checker, callee: Callee, args: readonly Arg[], piped: Expr | null): BoundArg[] {
  const simple = byPosition(callee.params, args, piped)
  if (simple !== null) return simple
  const bound = new Map<string, BoundArg>()
  const byName = new Map(callee.params.map(param => [param.name, param]))
  let position = 0
  let surplus: Span | null = null
  const give = (param: ParamSignature, value: Expr): void => {
    const before = bound.get(param.name)
    if (before === undefined) bound.set(param.name, { param, values: [value] })
    else if (param.rest === true) before.values.push(value)
    else checker.report(typeErrors['argument-given-twice']({ name: param.name }, { at: checker.at(value) }))
  }
  const givePosition = (value: Expr): void => {
    const param = callee.params[position]
    if (param === undefined) surplus ??= value
    else {
      give(param, value)
      if (param.rest !== true) position++
    }
  }
  let wrongName = false
  if (piped !== null) givePosition(piped)
  for (const arg of args) {
    if (arg.name === null) givePosition(arg.value)
    else {
      const param = byName.get(arg.name.text)
      if (param !== undefined) give(param, arg.value)
      else {
        wrongName = true
        const at = checker.at(arg.name)
        const found = suggest(arg.name.text, byName.keys(), at)
        const help = found.help.length > 0 ? found.help : callee.params.length > 0 ? [`It takes ${callee.params.map(each => `\`${each.name}\``).join(', ')}.`] : []
        checker.report(typeErrors['unknown-argument']({ callee: callee.name, name: arg.name.text }, { at, help, fixes: found.fixes }))
      }
    }
  }
  if (surplus !== null) checker.report(typeErrors['too-many-arguments']({ callee: callee.name, most: callee.params.length }, { at: checker.at(surplus) }))
  // A misspelt name is most likely the missing one: one mistake, one report.
  const missing = callee.params.filter(param => !param.optional && param.rest !== true && !bound.has(param.name))
  if (missing.length > 0 && !wrongName) {
    const names = missing.map(param => `\`${param.name}\``).join(', ')
    checker.report(typeErrors['missing-argument']({ callee: callee.name, names }, { at: checker.at(callee.at) }))
  }
  return callee.params.flatMap(param => bound.get(param.name) ?? [])
}
