// Launchers: the programs that build a sandbox, from folders that only the system's administrator changes.
// Owns: where they are looked for, and whether bubblewrap is new enough. Does not own: what they are told.
//   A1. Never from PATH, never from a project.
import { spawnSync } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'

const FOLDERS = ['/usr/bin', '/bin', '/run/current-system/sw/bin']
const HELP_TIMEOUT_MS = 5_000

const found = new Map<string, string | null>()

/** The absolute path of a program of the system; null when it has none. */
export function launcher(name: string): string | null {
  let path = found.get(name)
  if (path === undefined) found.set(name, (path = lookFor(name)))
  return path
}

function lookFor(name: string): string | null {
  for (const folder of FOLDERS) {
    const path = `${folder}/${name}`
    try {
      accessSync(path, constants.X_OK)
      if (statSync(path).isFile()) return path
    } catch {
      // Not here.
    }
  }
  return null
}

let takesDescriptors: boolean | null = null

/** Whether bubblewrap can be given opened places (0.10, or a distribution's older one with the fix of CVE-2024-42472). */
export function bubblewrapTakesDescriptors(path: string): boolean {
  if (takesDescriptors === null) {
    const { stdout } = spawnSync(path, ['--help'], { encoding: 'utf8', env: {}, timeout: HELP_TIMEOUT_MS })
    takesDescriptors = String(stdout).includes('--ro-bind-fd')
  }
  return takesDescriptors
}
