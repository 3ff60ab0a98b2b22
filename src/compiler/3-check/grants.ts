// Grants: what a `can` asks for, named capabilities written out.
// Owns: finding each grant's declaration, its arguments. Does not own: whether a call is covered (rules/not-granted.ts), containment (grants/).
//   G1. A full name is the module's own name and the grant's, whatever the file calls the module: plugins say so in their signatures.
import { capabilityErrors } from '#diagnostics/catalog/capability.ts'
import { nameErrors } from '#diagnostics/catalog/name.ts'
import type { GrantSignature } from '#model/capability.ts'
import { stringType } from '#types/construct.ts'
import type { CanClause, GrantNode } from '../1-syntax/ast.ts'
import { suggest } from '../2-resolve/declare.ts'
import { modelNamed } from '../2-resolve/models.ts'
import { findModule, placeIn, type Program, type Sym, type Unit } from '../2-resolve/program.ts'
import type { Checker } from './checker.ts'
import { coreGrants } from './core-grants.ts'
import type { AskedGrant, GrantFact } from './facts.ts'
import { writtenText } from './known-values.ts'
import { pureCalls, type Scope } from './scope.ts'

/** Named capabilities nested deeper than this are a circle, which is reported where it is declared. */
const MAX_CAPABILITY_DEPTH = 64

/** All grants of some clauses, capabilities written out. Reports nothing: `checkGrants` does. Null when there is no clause. */
export function expandGrants(program: Program, unit: Unit, clauses: readonly CanClause[]): GrantFact[] | null {
  if (clauses.length === 0) return null
  const found: GrantFact[] = []
  const seen = new Set<Sym>()
  const visit = (node: GrantNode, where: Unit, depth: number): void => {
    const symbol = capabilityNamed(where, node)
    if (symbol !== null) {
      if (seen.has(symbol) || depth > MAX_CAPABILITY_DEPTH) return
      seen.add(symbol)
      for (const each of symbol.declaration.grants) visit(each, symbol.unit, depth + 1)
      return
    }
    const known = findGrant(program, where, node)
    if (known !== null) found.push({ name: known.name, node, unit: where, implies: known.signature.implies })
  }
  for (const clause of clauses) for (const node of clause.grants) visit(node, unit, 0)
  return found
}

/** Grants with their arguments as texts; a model's name is its key. */
export function askedGrants(grants: readonly GrantFact[]): AskedGrant[] {
  return grants.map(fact => {
    const args = (fact.node.args ?? []).map(({ value }) => {
      const model = modelNamed(fact.unit.file, value)
      return model !== null ? model.key : writtenText(fact.unit, value)
    })
    return { fact, grant: { name: fact.name, args } }
  })
}

export function capabilityNamed(unit: Unit, node: GrantNode): Sym<'capability'> | null {
  const [only, more] = node.path.parts
  return only === undefined || more !== undefined ? null : (unit.file.capabilities.get(only.text) ?? null)
}

function findGrant(program: Program, unit: Unit, node: GrantNode): { name: string; signature: GrantSignature } | null {
  const written = node.path.parts.map(part => part.text).join('.')
  const core = coreGrants.get(written)
  if (core !== undefined) return { name: written, signature: core }
  const [first, second, more] = node.path.parts
  if (first === undefined || second === undefined || more !== undefined) return null
  const signature = findModule(program, unit.file, first.text)?.signature
  if (!signature || !Object.hasOwn(signature.grants, second.text)) return null
  return { name: `${signature.name}.${second.text}`, signature: signature.grants[second.text]! } // G1
}

/** Reports unknown grants and arguments that do not fit. */
export function checkGrants(checker: Checker, grants: readonly GrantNode[], scope: Scope): void {
  for (const node of grants) {
    if (capabilityNamed(checker.unit, node) !== null) {
      if (node.args !== null) checker.report(capabilityErrors['bad-arguments']({ grant: node.path.parts[0]!.text, problem: 'is a capability and takes no arguments' }, { at: checker.at(node) }))
      continue
    }
    const known = findGrant(checker.program, checker.unit, node)
    if (known === null) reportUnknownGrant(checker, node)
    else checkArguments(checker, node, known.name, known.signature, scope)
  }
}

function reportUnknownGrant(checker: Checker, node: GrantNode): void {
  const [first, second] = node.path.parts
  const { file } = checker.unit
  const name = node.path.parts.map(part => part.text).join('.')
  const at = checker.at(node.path)
  if (first === undefined || first.text === '' || file.unknown.has(first.text)) return
  if (second === undefined) {
    const known = [...file.capabilities.keys(), ...coreGrants.keys()]
    const found = suggest(name, known, at)
    const module = findModule(checker.program, file, name)
    const grants = module?.signature ? Object.keys(module.signature.grants).map(each => `\`${name}.${each}\``) : []
    const help = found.help.length > 0 ? found.help : grants.length > 0 ? [`Say what for: ${grants.join(' or ')}.`] : []
    checker.report(capabilityErrors['unknown-grant']({ name }, { at, help, fixes: found.fixes }))
    return
  }
  const module = findModule(checker.program, file, first.text)
  if (module === null) {
    const known = [...checker.program.stdNames, ...file.modules.keys()]
    checker.report(nameErrors['unknown-module']({ name: first.text }, { at: checker.at(first), ...suggest(first.text, known, checker.at(first)) }))
  } else if (module.signature !== null) {
    const known = Object.keys(module.signature.grants)
    const found = suggest(second.text, known, checker.at(second))
    const all = known.map(each => `\`${first.text}.${each}\``).join(', ')
    const help = found.help.length > 0 ? found.help : [known.length > 0 ? `\`${first.text}\` has ${all}.` : `\`${first.text}\` needs no grants.`]
    checker.report(capabilityErrors['unknown-grant']({ name }, { at, help, fixes: found.fixes }))
  }
}

function checkArguments(checker: Checker, node: GrantNode, name: string, signature: GrantSignature, scope: Scope): void {
  const args = node.args ?? []
  const required = signature.params.filter(param => param.optional !== true && param.kind !== 'argv')
  const most = signature.params.some(param => param.kind === 'argv') ? Number.POSITIVE_INFINITY : signature.params.length
  const complain = (problem: string, at: { start: number; end: number }): void => {
    const example = signature.params.length === 0 ? name : `${name}(${signature.params.map(param => EXAMPLES[param.kind]).join(', ')})`
    checker.report(capabilityErrors['bad-arguments']({ grant: name, problem }, { at: checker.at(at), help: [`Write it like \`${example}\`.`] }))
  }
  if (args.length < required.length) return complain(`needs ${required.slice(args.length).map(param => `\`${param.name}\``).join(' and ')}`, node)
  if (args.length > most) return complain(most === 0 ? 'takes no arguments' : `takes at most ${most} ${most === 1 ? 'argument' : 'arguments'}`, args[most]!)
  for (const [index, arg] of args.entries()) {
    const param = signature.params[Math.min(index, signature.params.length - 1)]
    if (arg.name !== null) return complain('takes its arguments without names', arg.name)
    const isModelName = arg.value.kind === 'name-expr' && name === 'llm' && checker.unit.file.values.get(arg.value.name)?.kind === 'model'
    if (!isModelName) checker.expect(arg.value, scope.inside(pureCalls('a grant')), stringType, `\`${param?.name ?? 'It'}\``)
    if (arg.value.kind === 'string-literal' && arg.value.value === '') complain('takes a pattern that is not empty', arg)
  }
}

const EXAMPLES: Readonly<Record<GrantSignature['params'][number]['kind'], string>> = {
  path: '"src/**"', host: '"api.example.com:443"', name: '"name"', argv: '"argument", "**"',
}

/** Reports capabilities that contain each other. */
export function checkCapabilityCycle(checker: Checker, symbol: Sym<'capability'>): void {
  const path: Sym<'capability'>[] = [symbol]
  const seen = new Set<Sym>()
  const stack: { readonly symbol: Sym<'capability'>; readonly depth: number }[] = [{ symbol, depth: 0 }]
  while (stack.length > 0) {
    const each = stack.pop()!
    path.length = each.depth
    path.push(each.symbol)
    for (const node of each.symbol.declaration.grants) {
      const inner = capabilityNamed(each.symbol.unit, node)
      if (inner === symbol) {
        if (path.some(step => step.unit.file === symbol.unit.file && step.unit.item.offset < symbol.unit.item.offset)) return // reported there
        const text = [...path, symbol].map(step => `\`${step.name}\``).join(' → ')
        checker.report(capabilityErrors.cycle({ path: text }, { at: placeIn(symbol.unit, symbol.declaration.name) }))
        return
      }
      if (inner !== null && !seen.has(inner)) {
        seen.add(inner)
        stack.push({ symbol: inner, depth: each.depth + 1 })
      }
    }
  }
}
