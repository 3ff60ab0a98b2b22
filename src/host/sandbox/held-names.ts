// Held names: names that nobody may make while programs run that could.
// Owns: empty files that stand in their way, shared by all programs of this process. Does not own: which names (layout.ts).
//   H1. Only a file that this process made, and that is still empty, is taken away again. After a crash an empty file stays, which steers nothing.
import { closeSync, openSync, statSync, unlinkSync } from 'node:fs'

const held = new Map<string, { count: number; inode: bigint }>()

/** Makes an empty file; the answer gives the name back. Null when something is there already or none can be made. */
export function holdName(path: string): (() => void) | null {
  const known = held.get(path)
  if (known !== undefined) known.count++
  else {
    try {
      closeSync(openSync(path, 'wx', 0o444))
      held.set(path, { count: 1, inode: statSync(path, { bigint: true }).ino })
    } catch {
      return null
    }
  }
  return () => {
    const entry = held.get(path)
    if (entry === undefined || --entry.count > 0) return
    held.delete(path)
    try {
      const stat = statSync(path, { bigint: true })
      if (stat.ino === entry.inode && stat.size === 0n) unlinkSync(path) // H1
    } catch {
      // Somebody else took it away.
    }
  }
}
