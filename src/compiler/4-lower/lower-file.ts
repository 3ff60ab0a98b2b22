// Lower file: what the clauses at the top of a file say, for everything in it.
// Owns: the level of each file, the index by which workflows name it, accepted risks. Does not own: grants as expressions (lower-workflow.ts), limits' units (3-check/limits.ts).
//   F1. The entry file's level stands in the plan itself; another file is listed when it has a level and a workflow or an agent of it is in the plan.
import type { PlanFile } from '#model/plan.ts'
import { placeIn, type FileUnit } from '../2-resolve/program.ts'
import type { GrantFact } from '../3-check/facts.ts'
import { expandGrants } from '../3-check/grants.ts'
import { readLimits } from '../3-check/limits.ts'
import type { LowerContext } from './lower-context.ts'
import { lowerGrants } from './lower-workflow.ts'

/** What a file's own `can` and `limits` say. */
export function fileLevel(context: LowerContext, file: FileUnit): Omit<PlanFile, 'path'> {
  const grants: GrantFact[] = []
  let hasCan = false
  for (const unit of file.units) {
    if (unit.declaration.kind !== 'can') continue
    hasCan = true
    grants.push(...(expandGrants(context.checked.program, unit, [unit.declaration]) ?? []))
  }
  return {
    authority: hasCan ? lowerGrants(context, grants) : null,
    limits: readLimits(file.units.flatMap(unit => (unit.declaration.kind === 'limits' ? [unit.declaration] : []))),
  }
}

/** The levels of files other than the entry's (F1), in order of their paths, and the index of each. */
export function otherFiles(context: LowerContext, entry: FileUnit, files: Iterable<FileUnit>): { readonly files: readonly PlanFile[]; readonly indexOf: ReadonlyMap<FileUnit, number> } {
  const levels = [...new Set(files)].filter(file => file !== entry).map(file => ({ file, level: { path: file.path, ...fileLevel(context, file) } }))
  const found = levels.filter(({ level }) => level.authority !== null || Object.keys(level.limits).length > 0).sort((a, b) => (a.file.path < b.file.path ? -1 : 1))
  return { files: found.map(({ level }) => level), indexOf: new Map(found.map(({ file }, index) => [file, index])) }
}

/** Why each risk is accepted; a reason that is put together stands as it is written. */
export function acceptedRisks(files: readonly FileUnit[]): { readonly accepted?: readonly string[] } {
  const found = files.flatMap(file => file.units.flatMap(unit => {
    if (unit.declaration.kind !== 'accept') return []
    const { reason } = unit.declaration
    const { start, end } = placeIn(unit, reason)
    return [reason.kind === 'string-literal' ? reason.value : file.text.slice(start, end)]
  }))
  return found.length === 0 ? {} : { accepted: found }
}
