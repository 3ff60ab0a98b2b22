// Process tree: ending a child together with everything it started.
// Owns: finding and signalling descendants. Does not own: when, and which signal first.
//   T1. A child leads its own process group, so one signal reaches the group; on Linux descendants that made a group of their own are found by parent.
//   T2. A process that has detached itself from its parents entirely (a double fork) before the tree is read is not found. That needs a PID namespace.
import { readdirSync, readFileSync } from 'node:fs'

const MAX_PROCESSES = 100_000

/** Sends a signal to a group leader's group and to its descendants. Processes already gone are no error. */
export function signalTree(leader: number, signal: NodeJS.Signals): void {
  const descendants = descendantsOf(leader)
  send(-leader, signal) // T1
  for (const pid of descendants) send(pid, signal)
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // Gone already, or not ours any more.
  }
}

function descendantsOf(leader: number): number[] {
  if (process.platform !== 'linux') return []
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc').slice(0, MAX_PROCESSES)) {
    const pid = Number(name)
    if (!Number.isInteger(pid)) continue
    const parent = parentOf(pid)
    if (parent !== null) children.set(parent, [...(children.get(parent) ?? []), pid])
  }
  const found: number[] = []
  for (const queue = [leader]; queue.length > 0; ) {
    for (const child of children.get(queue.pop()!) ?? []) {
      found.push(child)
      queue.push(child)
    }
  }
  return found
}

function parentOf(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name in brackets may hold anything; the fields after the last bracket are state and parent.
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return null
  }
}
