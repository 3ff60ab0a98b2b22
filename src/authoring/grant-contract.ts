// Grant contract: the grants a plugin declares, needs and implies, as patterns.
// Owns: that each is a pattern which can be compared, and that comparing it behaves. Does not own: names and numbers of arguments (plugins/known-grants.ts).
//   G1. A pattern covers itself (else it covers nothing: it is none), and covering is transitive.
import { impliedPattern } from '#interpreter/implied.ts'
import { pluginErrors } from '#diagnostics/catalog/plugin.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import { printGrant } from '#grants/grant-text.ts'
import { containsGrant, grantKindsOf } from '#grants/match.ts'
import type { Grant, GrantParamKind } from '#model/capability.ts'
import type { ModuleSignature } from '#model/signature.ts'
import type { Place } from '#model/source.ts'

const FOLDER = '/project'
/** From wide to narrow. */
const samples: Readonly<Record<GrantParamKind, readonly string[]>> = {
  path: ['**', 'src/**', 'src/*.ts', 'src/a.ts'],
  host: ['*.example.com:443', 'api.example.com:443'],
  name: ['*', 'example'],
  argv: ['**', 'one'],
}

export function checkGrants(signature: ModuleSignature, std: readonly ModuleSignature[], placeOf: (grant: string) => Place | undefined): Diagnostic[] {
  const kindsOf = grantKindsOf([...std, signature])
  const found: Diagnostic[] = []
  for (const grant of Object.values(signature.grants)) {
    const at = placeOf(grant.name)
    const patterns = patternsOf(`${signature.name}.${grant.name}`, grant.params.map(each => each.kind))
    const all = [...patterns, ...grant.implies.flatMap(each => impliedPattern(each, patterns.at(-1)?.args ?? []) ?? [])]
    const say = (reason: string): void => void found.push(pluginErrors['breaks-contract']({ where: `The grant \`${signature.name}.${grant.name}\``, reason }, at === undefined ? {} : { at }))
    const none = all.find(each => !containsGrant(each, each, FOLDER, kindsOf))
    if (none !== undefined) say(`\`${printGrant(none)}\` is no pattern: it would cover nothing`)
    const covers = (wide: Grant | undefined, narrow: Grant | undefined): boolean => wide !== undefined && narrow !== undefined && containsGrant(wide, narrow, FOLDER, kindsOf)
    const unordered = patterns.find((wide, step) => covers(wide, patterns[step + 1]) && covers(patterns[step + 1], patterns[step + 2]) && !covers(wide, patterns[step + 2]))
    if (unordered !== undefined) say(`\`${printGrant(unordered)}\` covers less than what it covers`)
  }
  return found
}

/** Patterns of a grant, from wide to narrow. */
function patternsOf(name: string, kinds: readonly GrantParamKind[]): Grant[] {
  const longest = Math.max(1, ...kinds.map(kind => samples[kind].length))
  return Array.from({ length: longest }, (_, step) => ({ name, args: kinds.map(kind => samples[kind][Math.min(step, samples[kind].length - 1)]!) }))
}

/** Grants of the plugin's own that no tool needs. */
export function unusedGrants(signature: ModuleSignature, placeOf: (grant: string) => Place | undefined): Diagnostic[] {
  const needed = new Set(Object.values(signature.functions).flatMap(({ needs }) => needs.map(each => each.grant)))
  return Object.keys(signature.grants).filter(name => !needed.has(`${signature.name}.${name}`)).map(name => {
    const at = placeOf(name)
    return pluginErrors['unused-grant']({ where: 'declared', grant: `${signature.name}.${name}` }, at === undefined ? {} : { at })
  })
}
