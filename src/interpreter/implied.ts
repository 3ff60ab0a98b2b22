// Implied: what comes with a plugin's grant, with that grant's own arguments in it.
// Owns: the places at the start of an implied argument. Does not own: which grants imply what.
//   `$1`, `$2` …: that argument (`git.read` of a folder implies `fs.read("$1/**")`). `$1^NAME`: the nearest folder that holds NAME, from that
//   argument upwards (a repository is used from any folder of it); the argument itself where there is none, and in a pattern.
//   I1. The arguments are those of one grant: of a call, its own concrete ones, which every level has been asked about; never those of another level.
//   I2. An argument that could be read as something wider (a wildcard in a concrete path) gives nothing.
//   I3. What comes with a grant of the standard library is what this tek's library says, never what a plan says of it: nobody is asked for it (permits/),
//       and a plan may be a file that anybody wrote.
import { dirname, join, resolve } from 'node:path'
import { canonicalJson, type Json } from '#base/json.ts'
import type { HostFiles } from '#host/host.ts'
import type { Grant } from '#model/capability.ts'
import type { Plan } from '#model/plan.ts'
import type { ModuleSignature } from '#model/signature.ts'

const place = /^\$([1-9])(?:\^([\w.-]+))?/
const MAX_FOLDERS_UP = 64

/**
 * An implied grant as it comes with a pattern that a program asks for.
 *
 * @example
 * impliedPattern({ name: 'fs.read', args: ['$1/**'] }, ['.']) // { name: 'fs.read', args: ['./**'] }
 */
export function impliedPattern(implied: Grant, given: readonly string[]): Grant | null {
  const args = implied.args.map(arg => {
    const found = place.exec(arg)
    const value = found === null ? '' : given[Number(found[1]) - 1]
    return found === null ? arg : value === undefined ? null : (value === '' ? '.' : value) + arg.slice(found[0].length)
  })
  return args.includes(null) ? null : { name: implied.name, args: args as string[] }
}

/** An implied grant for one call; null when it cannot be said exactly. // I1, I2 */
export async function impliedForCall(implied: Grant, given: readonly string[], files: HostFiles, cwd: string): Promise<Grant | null> {
  const args: string[] = []
  for (const arg of implied.args) {
    const found = place.exec(arg)
    if (found === null) {
      args.push(arg)
      continue
    }
    const value = given[Number(found[1]) - 1]
    if (value === undefined || /[*?{}[\]]/.test(value)) return null
    const folder = found[2] === undefined ? value : await folderWith(found[2], value, files, cwd)
    if (folder !== value && /[*?{}[\]]/.test(folder)) return null
    args.push((folder === '' ? '.' : folder) + arg.slice(found[0].length))
  }
  return { name: implied.name, args }
}

/** Whether a grant comes with another of the standard library, as this tek has it. // I3 */
export type ComesWithStd = (by: string, grant: Grant) => boolean

/** @param std the signatures of the standard library's modules that a plan uses, and of no others. */
export function comesWithStd(std: readonly ModuleSignature[]): ComesWithStd {
  const known = new Set(std.flatMap(({ name, grants }) => Object.values(grants).flatMap(grant => grant.implies.map(each => keyOf(`${name}.${grant.name}`, each)))))
  return (by, grant) => known.has(keyOf(by, grant))
}

const keyOf = (by: string, { name, args }: Grant): string => canonicalJson([by, name, args] as Json)

/** Whether a grant is one that the standard library declares, by its name. */
export function isOfStd({ modules }: Plan, grant: string): boolean {
  return modules.some(each => each.origin === 'std' && grant.startsWith(`${each.name}.`))
}

async function folderWith(name: string, given: string, files: HostFiles, cwd: string): Promise<string> {
  let at = resolve(cwd, given)
  for (let up = 0; up < MAX_FOLDERS_UP; up++, at = dirname(at)) {
    if ((await files.stat(join(at, name)).catch(() => null)) !== null) return up === 0 ? given : at
    if (at === dirname(at)) break
  }
  return given
}
