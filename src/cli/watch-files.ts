// Watch files: waits until one of some files changes, appears or goes.
// Owns: the waiting. Does not own: what is done then.
//   W1. It asks the file system at intervals: that works on every system, on network disks and in containers alike.
//   W2. States are taken before the work whose result they belong to, so that an edit during the work is not lost.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Host } from '#host/host.ts'
import { at } from './source-files.ts'

const INTERVAL_MS = 200
/** Files may appear or go; the list is made anew only every so many looks, as it costs a walk. */
const LOOKS_PER_LISTING = 5

/** When each file was last changed, as text; of a file that is not there too. */
export async function fileStates(host: Host, files: Iterable<string>): Promise<Map<string, string>> {
  const states = new Map<string, string>()
  for (const path of files) {
    const stat = await host.files.stat(at(host, path)).catch(() => null)
    states.set(path, stat === null ? '-' : `${stat.modifiedMs} ${stat.sizeBytes}`)
  }
  return states
}

/** Resolves at the first change since `before` (W2), or when `list` names a file that is not `known`. */
export async function watchFiles(host: Host, before: ReadonlyMap<string, string>, known: ReadonlySet<string>, list: () => Promise<readonly string[]>): Promise<void> {
  const seen = new Map(before)
  for (let look = 0; ; look++) {
    if (look % LOOKS_PER_LISTING === 0 && (await list()).some(path => !known.has(path))) return
    for (const [path, state] of await fileStates(host, known)) {
      if (seen.has(path) && seen.get(path) !== state) return
      seen.set(path, state)
    }
    await sleep(INTERVAL_MS)
  }
}
