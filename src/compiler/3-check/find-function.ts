// Find function: the function of a module that a path names, where no expression calls it: tools of agents, what a test puts in their place.
// Owns: the reports of names that stand for nothing. Does not own: calls (calls.ts), what an agent may be given (agents.ts).
import { nameErrors } from '#diagnostics/catalog/name.ts'
import type { FunctionSignature } from '#model/signature.ts'
import type { Path } from '../1-syntax/ast.ts'
import { suggest } from '../2-resolve/declare.ts'
import { findModule, type ModuleSym, type Program } from '../2-resolve/program.ts'
import type { FileUnit } from '../2-resolve/program.ts'
import type { Checker } from './checker.ts'

export interface FoundFunction {
  readonly module: ModuleSym
  readonly signature: FunctionSignature
}

/** `module.function`, quietly; null when there is none. */
export function lookUpFunction(program: Program, file: FileUnit, { parts }: Path): FoundFunction | null {
  const [first, second] = parts
  const module = first === undefined || second === undefined || parts.length > 2 ? null : findModule(program, file, first.text)
  const functions = module?.signature?.functions
  return module && functions && Object.hasOwn(functions, second!.text) ? { module, signature: functions[second!.text]! } : null
}

/** As `lookUpFunction`, with a report of what there is not; a module that could not be loaded was reported. */
export function functionNamed(checker: Checker, path: Path): FoundFunction | null {
  const { program, unit: { file } } = checker
  const found = lookUpFunction(program, file, path)
  const [first, second] = path.parts
  if (found !== null || first === undefined || first.text === '' || file.unknown.has(first.text)) return found
  const module = findModule(program, file, first.text)
  if (module === null || second === undefined) {
    const known = [...program.stdNames, ...file.modules.keys()]
    checker.report(nameErrors['unknown-module']({ name: first.text }, { at: checker.at(first), ...suggest(first.text, known, checker.at(first)) }))
  } else if (module.signature !== null) {
    const near = suggest(second.text, Object.keys(module.signature.functions), checker.at(second))
    checker.report(nameErrors['unknown-function']({ module: first.text, name: second.text }, { at: checker.at(second), ...near }))
  }
  return null
}
