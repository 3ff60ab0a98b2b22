// Inherited descriptors: those that tek itself was started with and that would reach every program it starts.
// Owns: finding them. Does not own: what takes their place (run-command.ts).
//   D1. Node makes all its own descriptors such that a child does not get them; one that a shell left open is not among those.
import { readdirSync, readFileSync } from 'node:fs'

const O_CLOEXEC = 0o2000000
/** Above it a descriptor is not looked for: each one up to the highest costs a place in the child. */
const MAX_DESCRIPTOR = 1_024

let known: readonly number[] | null = null

/** Numbers above 2, looked for once: they are there from the start. */
export function inheritedDescriptors(): readonly number[] {
  return (known ??= readdirSync('/proc/self/fd').map(Number).filter(fd => fd > 2 && fd <= MAX_DESCRIPTOR && isInherited(fd)))
}

function isInherited(fd: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1]
    return flags !== undefined && (parseInt(flags, 8) & O_CLOEXEC) === 0
  } catch {
    return false // the folder's own
  }
}
