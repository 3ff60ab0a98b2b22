// Secret sources: a workflow that names a secret asks for the grant of its source, as if it read the source itself.
// Owns: that check, and which grants secrets use. Does not own: where a secret may go (trust/secrets.ts), reading it (interpreter/secrets).
//   S1. One report per secret and unit, at its first mention; what is known is all written out, so there is no verdict but yes and no.
//   S2. A path at home (`~/x`) is covered by a grant that begins there, never by one of the project's folder.
//   S3. Nothing is said where something else is wrong: a secret in the wrong place may need no grant in the right one.
import { capabilityErrors } from '#diagnostics/catalog/capability.ts'
import { printGrant, tokenPattern } from '#grants/grant-text.ts'
import { coreGrantKinds } from '#grants/match.ts'
import { verdictOf } from '#grants/verdict.ts'
import type { Grant } from '#model/capability.ts'
import type { SecretDecl, Span } from '../../1-syntax/ast.ts'
import type { Checker } from '../checker.ts'
import type { UnitFacts } from '../facts.ts'
import { askedGrants } from '../grants.ts'
import { insertion } from './clause-offer.ts'

const grantOfSource: Readonly<Record<string, string>> = { env: 'env', file: 'fs.read', command: 'exec' }

/** The grant of a secret's source; null where its declaration is wrong. */
function needOf({ value }: SecretDecl): Grant | null {
  if (value.kind !== 'call' || value.callee.kind !== 'name-expr' || !Object.hasOwn(grantOfSource, value.callee.name)) return null
  return { name: grantOfSource[value.callee.name]!, args: value.args.map(each => (each.value.kind === 'string-literal' ? each.value.value : '')) }
}

/** The secrets that a unit names, each with its first mention and the grant of its source. */
export function secretNeeds(facts: UnitFacts): { readonly name: string; readonly at: Span; readonly need: Grant }[] {
  const found = new Map<string, { readonly name: string; readonly at: Span; readonly need: Grant }>()
  if (!facts.usesSecrets) return []
  for (const [node, ref] of facts.refs) {
    if (ref.kind !== 'symbol' || ref.symbol.kind !== 'secret' || found.has(ref.symbol.key)) continue // S1
    const need = needOf(ref.symbol.declaration)
    if (need !== null) found.set(ref.symbol.key, { name: ref.symbol.name, at: node as Span, need })
  }
  return [...found.values()]
}

/** Reports the secrets of a workflow whose sources its own `can`, or its file's, does not cover. */
export function checkSecretSources(checker: Checker): void {
  const { declaration } = checker.unit
  const needs = secretNeeds(checker.facts)
  if (declaration.kind !== 'workflow' || needs.length === 0 || checker.hasErrors()) return // S3
  const cans = declaration.body.filter(member => member.kind === 'can')
  const head = declaration.result ?? declaration.params.at(-1) ?? declaration.name
  const owner = `the workflow \`${declaration.name.text}\``
  const own = askedGrants(checker.facts.grants ?? []).map(each => each.grant)
  const levels = [{ grants: own, place: owner }, ...(checker.fileFacts.grants === null ? [] : [{ grants: checker.fileFacts.asked.map(each => each.grant), place: 'this file' }])]
  for (const { name, at, need } of needs) {
    const text = printGrant({ name: need.name, args: need.name === 'exec' ? [need.args[0]!, ...need.args.slice(1).map(tokenPattern)] : need.args })
    const lacking = levels.find(({ grants }) => !covers(grants, need))
    if (lacking === undefined) continue
    const fix = lacking.place === owner ? insertion(checker, cans, head, { text, isExact: true }) : null
    const report = lacking.grants.some(grant => grant.name === need.name) ? capabilityErrors.outside : capabilityErrors['not-granted']
    checker.report(report({ callee: name, grant: text, place: lacking.place }, { at: checker.at(at), help: [`Add \`can ${text}\` to ${lacking.place}.`], fixes: fix === null ? [] : [fix] }))
  }
}

function covers(grants: readonly Grant[], need: Grant): boolean {
  const isAtHome = need.name === 'fs.read' && need.args[0]!.startsWith('~/')
  const near = isAtHome ? grants.filter(grant => grant.name !== need.name || /^[~/]/.test(grant.args[0] ?? '')) : grants // S2
  return verdictOf(near, { name: need.name, args: need.args.map(text => ({ kind: 'exact', text })) }, coreGrantKinds) !== 'outside'
}
