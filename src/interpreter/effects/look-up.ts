// Look up: results of earlier runs, by what they were made of.
// Owns: whether a result is too old. Does not own: its key (key-parts.ts), where results are kept (journal).
import type { TaskId } from '#model/event.ts'
import type { Value } from '#model/type.ts'
import { nodeOf } from '#interpreter/engine/view.ts'
import type { World } from '#interpreter/world.ts'
import { cacheKey } from './key-parts.ts'

/** Answers a `look-up` command. */
export function lookUp(world: World, task: TaskId, by: Value | undefined): void {
  const ageMs = nodeOf(world.state, task)!.cache?.ageMs ?? null
  const key = cacheKey(world.state, task, by)
  const atMs = world.host.now()
  const kept = world.journal.cached(key)
  const hit = kept !== null && (ageMs === null || atMs - kept.madeAtMs <= ageMs)
  world.emit({ kind: 'cache-answered', atMs, task, key, value: hit ? kept.value : undefined, hit, ...(kept === null ? {} : { madeAtMs: kept.madeAtMs }) })
}
