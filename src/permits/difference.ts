// Difference: what a program asks for beyond what it may, and what it may beyond what it could ask for.
// Owns: both comparisons. Does not own: what is asked (interpreter/asked.ts), what is recorded (permits-file.ts).
//   D1. `missing` leaves nothing out: what it does not name is contained in one of the grants that are permitted.
//   D2. `unused` errs on the side of keeping: a grant stays as long as some workflow with some parameter might ask for it.
//   D3. What comes with a grant of the standard library is part of tek and comes with the grant; what a third-party plugin lets itself do is asked for
//       like a clause of the program, so that a plugin that wants more is noticed.
import { containsGrant, type GrantKinds } from '#grants/match.ts'
import { printGrant } from '#grants/grant-text.ts'
import { needOf } from '#grants/secret-source.ts'
import type { AskedGrant, Authority, Grant } from '#model/capability.ts'
import type { Plan, PlanGrant } from '#model/plan.ts'

export interface Compared {
  readonly cwd: string
  readonly kindsOf: GrantKinds
}

/** What needs somebody's word, of all that is asked (D3); each once, by its text. */
export function neededOf(asked: readonly AskedGrant[], plan: Plan): AskedGrant[] {
  const std = new Set(plan.modules.filter(each => each.origin === 'std').map(each => each.name))
  const needed = new Map(asked.filter(({ comesWith }) => comesWith === null || !std.has(comesWith.split('.')[0]!)).map(each => [printGrant(each.grant), each]))
  return [...needed].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each)
}

/** What is asked for and not permitted (D1). */
export function missingOf(needed: readonly AskedGrant[], permitted: Authority, { cwd, kindsOf }: Compared): AskedGrant[] {
  return needed.filter(({ grant }) => !permitted.some(each => containsGrant(each, grant, cwd, kindsOf)))
}

/** What is permitted and nothing in the program could make use of (D2). */
export function unusedOf(permitted: Authority, plan: Plan, { cwd, kindsOf }: Compared): Grant[] {
  const levels = [plan.authority, ...Object.values(plan.workflows).map(each => each.authority)]
  const all = levels.flatMap(each => each ?? [])
  const keys = new Set(Object.values(plan.models ?? {}).map(each => each.key))
  const sources = (plan.secrets ?? []).filter(each => keys.has(each.name)).map(each => needOf(each.source))
  const implied: Grant[] = [...all.flatMap(each => each.implies.map(({ name, args }) => ({ name, args }))), ...sources]
  return permitted.filter(grant => {
    const touches = (other: Grant): boolean => containsGrant(grant, other, cwd, kindsOf) || containsGrant(other, grant, cwd, kindsOf)
    return !all.some(each => each.name === grant.name && (literalOf(each) === null || touches(literalOf(each)!))) && !implied.some(touches)
  })
}

/** A grant whose arguments are all written out; null where one depends on a parameter or a constant. */
function literalOf({ name, args }: PlanGrant): Grant | null {
  const texts = args.map(each => (each.op === 'value' && typeof each.value === 'string' ? each.value : null))
  return texts.includes(null) ? null : { name, args: texts as string[] }
}
