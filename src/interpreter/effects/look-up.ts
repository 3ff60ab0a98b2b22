// Look up: results of earlier runs, by what they were made of.
// Owns: whether a result is too old, or not wanted because a fork begins again just there. Does not own: its key (key-parts.ts), where results are kept (journal).
import type { TaskId } from '#model/event.ts'
import type { Value } from '#model/type.ts'
import { pathOf } from '#interpreter/engine/path.ts'
import type { State } from '#interpreter/engine/state.ts'
import { nodeOf } from '#interpreter/engine/view.ts'
import type { World } from '#interpreter/world.ts'
import { cacheKey } from './key-parts.ts'

/** Answers a `look-up` command. */
export function lookUp(world: World, task: TaskId, by: Value | undefined): void {
  const ageMs = nodeOf(world.state, task)!.cache?.ageMs ?? null
  const key = cacheKey(world.state, task, by)
  const atMs = world.host.now()
  const kept = world.journal.cached(key)
  if (isAskedFor(world.state, task)) return world.emit({ kind: 'cache-answered', atMs, task, key, value: undefined, hit: false })
  const hit = kept !== null && (ageMs === null || atMs - kept.madeAtMs <= ageMs)
  world.emit({ kind: 'cache-answered', atMs, task, key, value: hit ? kept.value : undefined, hit, ...(kept === null ? {} : { madeAtMs: kept.madeAtMs }) })
}

/** Whether the run is a fork that begins again at this task, or at the `for` that it is an item of. */
export function isAskedFor(state: State, task: TaskId): boolean {
  if (state.origin === null) return false
  const group = state.tasks.group[task]!
  return pathOf(state, task) === state.origin.task || (group !== -1 && pathOf(state, group) === state.origin.task)
}
