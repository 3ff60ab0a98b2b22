// Limits: the table of limits, where each may stand, and its unit.
// Owns: names, units, places. Does not own: what a limit does when it is reached (interpreter), worst cases (plan).
import { limitErrors } from '#diagnostics/catalog/limit.ts'
import type { PlanLimits } from '#model/plan.ts'
import type { Expr, LimitsClause } from '../1-syntax/ast.ts'
import { suggest } from '../2-resolve/declare.ts'
import type { Checker } from './checker.ts'

export type LimitPlace = 'file' | 'workflow' | 'agent' | 'loop'
type LimitUnit = 'duration' | 'size' | 'tokens' | 'money' | 'percent' | 'count' | 'bool'

interface Limit {
  readonly unit: LimitUnit
  readonly places: readonly LimitPlace[]
  /** Name in the plan, unit last. */
  readonly key: string
}

const EVERYWHERE: readonly LimitPlace[] = ['file', 'workflow', 'agent', 'loop']

const LIMITS: ReadonlyMap<string, Limit> = new Map<string, Limit>([
  ['time', { unit: 'duration', places: EVERYWHERE, key: 'timeMs' }],
  ['tokens', { unit: 'tokens', places: EVERYWHERE, key: 'tokens' }],
  ['cost', { unit: 'money', places: EVERYWHERE, key: 'costMicros' }],
  ['memory', { unit: 'size', places: EVERYWHERE, key: 'memoryBytes' }],
  ['cpu', { unit: 'percent', places: EVERYWHERE, key: 'cpu' }],
  ['tasks', { unit: 'count', places: ['file', 'workflow', 'loop'], key: 'tasks' }],
  ['calls', { unit: 'count', places: EVERYWHERE, key: 'calls' }],
  ['parallel', { unit: 'count', places: ['file', 'workflow', 'loop'], key: 'parallel' }],
  ['turns', { unit: 'count', places: ['agent'], key: 'turns' }],
  ['failures', { unit: 'count', places: ['agent'], key: 'failures' }],
  ['requestsPerMinute', { unit: 'count', places: ['agent'], key: 'requestsPerMinute' }],
  ['cycles', { unit: 'count', places: ['loop'], key: 'cycles' }],
  ['copies', { unit: 'count', places: ['loop'], key: 'copies' }],
  ['errors', { unit: 'count', places: ['loop'], key: 'errors' }],
  ['disk', { unit: 'percent', places: ['loop'], key: 'disk' }],
  ['changesPerCycle', { unit: 'count', places: ['loop'], key: 'changesPerCycle' }],
  ['selfModification', { unit: 'bool', places: ['file'], key: 'selfModification' }],
])

/** Every limit of the language, as written. */
export const limitNames: readonly string[] = [...LIMITS.keys()]

const EXAMPLES: Readonly<Record<LimitUnit, string>> = {
  duration: '5m', size: '256MB', tokens: '200k', money: '$1', percent: '80%', count: '10', bool: 'true',
}

const PLACES: Readonly<Record<LimitPlace, string>> = { file: 'a file', workflow: 'a workflow', agent: 'an agent', loop: 'a loop' }

/** The limits that one place may set, each with a value as it is written: `turns` in an agent with `10`. */
export function limitsIn(place: LimitPlace): { readonly name: string; readonly example: string }[] {
  return [...LIMITS].filter(([, each]) => each.places.includes(place)).map(([name, { unit }]) => ({ name, example: EXAMPLES[unit] }))
}

/** The value in base units, or null when it is of another unit. */
function readLimit(unit: LimitUnit, value: Expr): number | boolean | null {
  if (value.kind !== 'literal') return null
  if (unit === 'bool') return typeof value.value === 'boolean' ? value.value : null
  if (typeof value.value !== 'number') return null
  if (unit === 'count') return value.type === 'int' ? value.value : null
  if (unit === 'tokens') return value.type === 'tokens' || value.type === 'int' ? value.value : null
  return value.type === unit ? value.value : null
}

/** Reports what is wrong in a `limits` clause. */
export function checkLimits(checker: Checker, clause: LimitsClause, place: LimitPlace): void {
  for (const entry of clause.values.entries) {
    if (entry.kind !== 'entry') {
      checker.report(limitErrors['wrong-unit']({ name: '...', example: 'time: 5m' }, { at: checker.at(entry) }))
      continue
    }
    const name = entry.key.text
    const limit = LIMITS.get(name)
    const at = checker.at(entry.key)
    if (limit === undefined || !limit.places.includes(place)) {
      const known = limitsIn(place).map(each => each.name)
      const found = limit === undefined ? suggest(name, known, at) : { help: [`\`${name}\` belongs in ${limit.places.map(each => PLACES[each]).join(' or ')}.`], fixes: [] }
      const help = found.help.length > 0 ? found.help : [`There are ${known.map(each => `\`${each}\``).join(', ')}.`]
      checker.report(limitErrors.unknown({ name, place: PLACES[place] }, { at, help, fixes: found.fixes }))
      continue
    }
    if (entry.value.kind === 'error-expr') continue
    const value = readLimit(limit.unit, entry.value)
    if (value === null) checker.report(limitErrors['wrong-unit']({ name, example: `${name}: ${EXAMPLES[limit.unit]}` }, { at: checker.at(entry.value) }))
    else if (typeof value === 'number' && value <= 0) checker.report(limitErrors['not-positive']({ name }, { at: checker.at(entry.value) }))
  }
}

/** The limits of some clauses, as the plan holds them. Reports nothing. */
export function readLimits(clauses: readonly LimitsClause[]): PlanLimits {
  const limits: Record<string, number | boolean> = {}
  for (const clause of clauses) {
    for (const entry of clause.values.entries) {
      const limit = entry.kind === 'entry' ? LIMITS.get(entry.key.text) : undefined
      const value = limit === undefined || entry.kind !== 'entry' ? null : readLimit(limit.unit, entry.value)
      if (limit !== undefined && value !== null) limits[limit.key] = value
    }
  }
  return limits
}
