// Known grants: whether the grants that a plugin's signature mentions exist.
// Owns: names and numbers of arguments in `needs` and `implies`. Does not own: whether a program asks for them (compiler), whether they cover a call (guard).
//   K1. A grant is tek's own, the standard library's, or the plugin's own: a program could not ask for any other.
import { didYouMean } from '#base/did-you-mean.ts'
import { coreGrantNames, grantKindsOf } from '#grants/match.ts'
import type { ModuleSignature } from '#model/signature.ts'

/** The first mention that is wrong, or null. */
export function wrongGrant(signature: ModuleSignature, std: readonly ModuleSignature[]): { where: string; reason: string } | null {
  const modules = [...std, signature]
  const kindsOf = grantKindsOf(modules)
  const known = [...coreGrantNames, ...modules.flatMap(({ name, grants }) => Object.keys(grants).map(grant => `${name}.${grant}`))]
  const reasonOf = (field: string, name: string, given: number): string | null => {
    const kinds = kindsOf(name)
    if (kinds === null) {
      const [near] = didYouMean(name, known)
      return `\`${field}\` mentions the grant \`${name}\`, which is neither tek's nor this plugin's${near === undefined ? '' : `; did you mean \`${near}\`?`}`
    }
    const takesMore = kinds.at(-1) === 'argv'
    const least = takesMore ? kinds.length - 1 : kinds.length
    if (given >= least && (takesMore || given <= kinds.length)) return null
    return `\`${field}\` gives ${given} ${given === 1 ? 'argument' : 'arguments'} to \`${name}\`, which takes ${takesMore ? `${least} or more` : kinds.length}`
  }
  for (const { name, needs } of Object.values(signature.functions)) {
    for (const need of needs) {
      const reason = reasonOf('needs', need.grant, need.args.length)
      if (reason !== null) return { where: `tool ${name}`, reason }
    }
  }
  for (const { name, implies } of Object.values(signature.grants)) {
    for (const implied of implies) {
      const reason = reasonOf('implies', implied.name, implied.args.length)
      if (reason !== null) return { where: `grant ${name}`, reason }
    }
  }
  return null
}
