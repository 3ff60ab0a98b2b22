// Watch files: waits until one of some files changes, appears or goes.
// Owns: the waiting. Does not own: what is done then.
//   W1. It asks the file system at intervals: that works on every system, on network disks and in containers alike.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Host } from '#host/host.ts'
import { at } from './source-files.ts'

const INTERVAL_MS = 200
/** Files may appear or go; the list is made anew only every so many looks, as it costs a walk. */
const LOOKS_PER_LISTING = 5

/** Resolves at the first change. `list` names the files to look at. */
export async function watchFiles(host: Host, list: () => Promise<readonly string[]>): Promise<void> {
  let files = await list()
  let before = await states(host, files)
  for (let look = 1; ; look++) {
    await sleep(INTERVAL_MS)
    const listed = look % LOOKS_PER_LISTING === 0 ? await list() : files
    const now = await states(host, listed)
    if (now !== before) return
    files = listed
    before = now
  }
}

async function states(host: Host, files: readonly string[]): Promise<string> {
  const parts: string[] = []
  for (const path of new Set(files)) {
    const stat = await host.files.stat(at(host, path)).catch(() => null)
    parts.push(stat === null ? `${path} -` : `${path} ${stat.modifiedMs} ${stat.sizeBytes}`)
  }
  return parts.sort().join('\n')
}
