// Rename: everywhere a name stands, in every file that is known.
// Owns: where a thing is mentioned, whether it may get another name. Does not own: which files there are.
//   R1. A name is changed everywhere or nowhere: what could not be found (a module, something of tek's own) is refused with a reason.
//   R2. A name that is taken in the file of the declaration or of a mention is refused.
import { KEYWORDS } from '#compiler/1-syntax/keywords.ts'
import type { Place } from '#model/source.ts'
import { keyOf, type Occurrence, type Target } from './occurrences.ts'

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

/**
 * The places of a target among the occurrences of all files, declaration first.
 *
 * @example
 * placesOf(target, files.flatMap(path => occurrencesIn(checked, path)))
 */
export function placesOf(target: Target, all: readonly Occurrence[]): Place[] {
  const key = keyOf(target)
  const seen = new Set<string>()
  const found = all.filter(each => keyOf(each.target) === key).sort((a, b) => Number(b.isDeclaration) - Number(a.isDeclaration))
  return found.map(each => each.at).filter(({ path, start }) => !seen.has(`${path}:${start}`) && seen.add(`${path}:${start}`) !== undefined)
}

/** Why a target cannot be renamed, or not to this; null where it can. */
export function renameProblem(target: Target, newName: string | null, all: readonly Occurrence[]): string | null {
  if (target.declaredAt === null) return `\`${target.name}\` is not declared in this project.`
  if (newName === null) return null
  if (!NAME.test(newName)) return `\`${newName}\` is no name: letters, digits and \`_\`, no digit first.`
  if (KEYWORDS.get(newName)?.reserved === true) return `\`${newName}\` is a word of the language.`
  const files = new Set(placesOf(target, all).map(each => each.path))
  const taken = all.find(each => each.isDeclaration && each.target.name === newName && files.has(each.at.path) && meets(each.target, target)) // R2
  return taken === undefined ? null : `\`${newName}\` is declared already, in ${taken.at.path}.`
}

/** Whether two things could be mixed up had they one name: what is declared within one declaration meets only what is there and what is declared at the top. */
function meets(a: Target, b: Target): boolean {
  const within = (target: Target): unknown => ('unit' in target ? target.unit.declaration : null)
  return within(a) === null || within(b) === null || within(a) === within(b)
}
