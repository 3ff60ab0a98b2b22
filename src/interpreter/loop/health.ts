// Health: how the machine and a loop fare: what `sense.health` tells, and when a resource counts as scarce.
// Owns: those. Does not own: taking the measure (host/machine-usage.ts), what is left of limits (loops/limits-left.ts).
//   H1. What a loop senses of itself comes from its last RECENT cycles.
//   H2. Memory and disk are scarce above a share that holds everywhere, or above the loop's own limit; processors only where the loop has a limit: a machine
//       that is busy is no reason to stop.
import type { Host } from '#host/host.ts'
import type { Value } from '#model/type.ts'
import type { LoopCycle, LoopSeries } from '#interpreter/journal/loops.ts'

/** Cycles that rates are made of. */
export const RECENT = 20
const SCARCE_MEMORY = 0.95
const SCARCE_DISK = 0.95
/** What is told of a limit that there is not. */
export const NO_LIMIT = Number.MAX_SAFE_INTEGER

export interface LoopLimits {
  readonly timeMs?: number
  readonly tokens?: number
  readonly costMicros?: number
  readonly calls?: number
  readonly tasks?: number
  readonly cpu?: number
  readonly disk?: number
  readonly [other: string]: number | boolean | undefined
}

/** What is left of a limit after what was spent; NO_LIMIT where there is none. */
export const left = (limit: number | undefined, spent: number): number => (limit === undefined ? NO_LIMIT : Math.max(0, limit - spent))

/** Type `Health` of the language. */
export async function healthOf(host: Host, folder: string, past: readonly LoopCycle[], series: LoopSeries | null, limits: LoopLimits): Promise<Value> {
  const usage = (await host.usage?.(folder)) ?? { cpu: 0, memory: 0, disk: 0 }
  const recent = past.slice(0, RECENT).flatMap(({ end }) => (end === null ? [] : [end])) // H1
  const spent = series?.spent
  const mean = recent.length === 0 ? 0 : recent.reduce((sum, each) => sum + each.elapsedMs, 0) / recent.length
  return {
    cpu: usage.cpu, memory: usage.memory, disk: usage.disk,
    successRate: recent.length === 0 ? 1 : recent.filter(each => each.ok && !each.rolledBack).length / recent.length,
    cycleTime: Math.round(mean),
    errors: recent.filter(each => !each.ok).length,
    budget: { tokens: left(limits.tokens, spent?.tokens ?? 0), cost: left(limits.costMicros, spent?.costMicros ?? 0), time: Math.round(left(limits.timeMs, spent?.timeMs ?? 0)) },
  }
}

/** Why a resource is too scarce for another candidate; null where none is. // H2 */
export function scarcity(usage: { readonly cpu: number; readonly memory: number; readonly disk: number }, limits: LoopLimits): string | null {
  const percent = (of: number): string => `${Math.round(of * 1_000) / 10} %`
  const disk = limits.disk ?? SCARCE_DISK
  if (usage.disk > disk) return `the disk is ${percent(usage.disk)} full, and ${percent(disk)} is the limit`
  if (usage.memory > SCARCE_MEMORY) return `memory is ${percent(usage.memory)} in use, and ${percent(SCARCE_MEMORY)} is the limit`
  if (limits.cpu !== undefined && usage.cpu > limits.cpu) return `processors are ${percent(usage.cpu)} in use, and ${percent(limits.cpu)} is the limit`
  return null
}
