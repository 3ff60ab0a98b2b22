// Plan JSON loops: whether some JSON is the loops of a plan.
// Owns: their shapes, the folder that a workflow works in. Does not own: expressions, limits and triggers, which are looked at as everywhere.
//   O2. A workflow that stands for a part of a loop has the key of that part, and the loop is one of the plan.
//   O1. Only a workflow that stands for a part of a loop works in a folder of its own, and only that of a node which it has.
import type { PlanLook } from './plan-json-agents.ts'
import { triggersProblem } from './plan-json-waits.ts'

type Fields = Readonly<Record<string, unknown>>
const isRecord = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value)

/** What a workflow of a loop stands for. */
export const LOOP_PARTS: ReadonlySet<string> = new Set(['cycle', 'candidate', 'actions'])

/** The first problem of a plan's loops, or null. */
export function loopsProblem(json: Fields, look: PlanLook, secrets: ReadonlySet<string>): string | null {
  const { loopBodies, loops } = json
  const part = Object.entries(json['workflows'] as Readonly<Record<string, Fields>>).find(([key, workflow]) => isOfLoop(workflow) && !hasOwnKey(key, workflow, loops))
  if (part !== undefined) return `workflows.${part[0]}.standsFor names no part of a loop of the plan`
  if (loopBodies === undefined) return null
  if (!isRecord(loopBodies)) return '`loopBodies` is no object'
  for (const [key, loop] of Object.entries(loopBodies)) {
    const at = `loopBodies.${key}`
    if (!Array.isArray(loops) || !loops.includes(key)) return `${at} is no loop of the plan`
    if (!isRecord(loop) || typeof loop['name'] !== 'string') return `${at} has no name`
    if (typeof loop['cycle'] !== 'string' || !look.hasWorkflow(loop['cycle']) || standsFor(json, loop['cycle']) !== 'cycle') return `${at}.cycle names no cycle`
    if (loop['evolves'] !== null && !(typeof loop['evolves'] === 'string' && look.hasWorkflow(loop['evolves']))) return `${at}.evolves names no workflow`
    const { over } = loop
    const isOver = over === null || (isRecord(over) && (over['kind'] === 'git' || over['kind'] === 'copy'))
    if (!isOver) return `${at}.over is no workspace`
    const { triggers } = loop
    const clocks = Array.isArray(triggers) && triggers.length === 0 ? null : triggersProblem(triggers ?? null, `${at}.triggers`, new Set(), secrets)
    const problem = clocks ?? (over === null ? null : look.expr((over as Fields)['path'], `${at}.over.path`)) ?? look.limits(loop['limits'], `${at}.limits`)
    if (problem !== null) return problem
  }
  return null
}

function standsFor(json: Fields, key: string): unknown {
  const workflow = (json['workflows'] as Readonly<Record<string, Fields>>)[key]
  return isRecord(workflow?.['standsFor']) ? workflow['standsFor']['kind'] : null
}

/** Whether a workflow stands for a part of a loop. */
export function isOfLoop({ standsFor: stands }: Fields): boolean {
  return isRecord(stands) && LOOP_PARTS.has(stands['kind'] as string)
}

const PREFIXES: Readonly<Record<string, readonly string[]>> = { cycle: ['@cycle:'], candidate: ['@candidate:'], actions: ['@promote:', '@rollback:'] }

/** O2. */
function hasOwnKey(key: string, { standsFor: stands }: Fields, loops: unknown): boolean {
  const { kind, loop } = stands as Fields
  return Array.isArray(loops) && loops.includes(loop) && (PREFIXES[kind as string] ?? []).some(prefix => key === `${prefix}${loop as string}`)
}

/** O1. */
export function workspaceProblem(workflow: Fields, at: string): string | null {
  const { worksIn, standsFor: stands, nodes } = workflow
  if (worksIn === undefined) return null
  const isOfLoop = isRecord(stands) && (stands['kind'] === 'candidate' || stands['kind'] === 'actions')
  const isNode = Number.isInteger(worksIn) && Number(worksIn) >= 0 && Array.isArray(nodes) && Number(worksIn) < nodes.length
  return isOfLoop && isNode ? null : `${at}.worksIn names no workspace`
}
