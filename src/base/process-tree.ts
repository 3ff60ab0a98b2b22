// Process tree: ending a child together with everything it started.
// Owns: finding and signalling descendants. Does not own: when, and which signal first.
//   T1. A child leads its own process group, so one signal reaches the group; on Linux descendants that made a group of their own are found by parent.
//   T2. A process whose parents have ended (a double fork) is found as long as it is in the session of one that is there: a child leads its own.
//       One that has also made a session of its own is not found. That needs a PID namespace.
//   T3. The number of a process says which one it is only together with when it began.
import { readdirSync, readFileSync } from 'node:fs'

const MAX_PROCESSES = 100_000
/** Looks for processes begun while the others were ended. */
const MAX_ROUNDS = 50

/**
 * Sends a signal to a group leader's group and to its descendants. Processes already gone are no error.
 *
 * @returns whether there was anything.
 */
export function signalTree(leader: number, signal: NodeJS.Signals): boolean {
  const descendants = descendantsOf(leader, true)
  const isGroup = send(-leader, signal) // T1
  for (const pid of descendants) send(pid, signal)
  return isGroup || descendants.length > 0
}

/** Sends a signal to the descendants of a process, not to itself. */
export function signalDescendants(ancestor: number, signal: NodeJS.Signals): void {
  for (const pid of descendantsOf(ancestor, false)) send(pid, signal)
}

/**
 * Ends a process at once with everything beneath it. It is suspended first, so that it begins nothing more meanwhile.
 *
 * @param since when it began, from `startOf`.
 * @returns how many processes beneath it were ended; null when it is not that process any more, or may not be ended by this one. // T3
 */
export function endTree(pid: number, since: string): number | null {
  if (since === '' || startOf(pid) !== since || !send(pid, 'SIGSTOP')) return null
  if (startOf(pid) !== since) {
    send(pid, 'SIGCONT') // it ended just now, and another has its number
    return null
  }
  const ended = new Set<number>()
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const found = descendantsOf(pid, false)
    if (found.length === 0) break
    for (const each of found) {
      ended.add(each)
      send(each, 'SIGKILL')
    }
  }
  send(pid, 'SIGKILL')
  return ended.size
}

/** When a process began, as the system counts it; empty where it does not say or there is no such process. // T3 */
export function startOf(pid: number): string {
  return process.platform === 'linux' ? (seen(pid)?.since ?? '') : ''
}

function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false // gone already, or not ours any more
  }
}

interface Seen {
  readonly pid: number
  readonly parent: number
  readonly session: number
  readonly since: string
  readonly hasEnded: boolean
}

/** Processes beneath one, those of sessions that they lead included; `ownSession`: of the one that it leads itself, too. // T2 */
function descendantsOf(root: number, ownSession: boolean): number[] {
  if (process.platform !== 'linux') return []
  const all = readdirSync('/proc').slice(0, MAX_PROCESSES).flatMap(name => (/^\d+$/.test(name) ? (seen(Number(name)) ?? []) : []))
  const found = new Set<number>()
  const isBeneath = ({ pid, parent, session }: Seen): boolean =>
    pid !== root && (parent === root || found.has(parent) || found.has(session) || (ownSession && session === root))
  for (let before = -1; before !== found.size; ) {
    before = found.size
    for (const each of all) if (!found.has(each.pid) && isBeneath(each)) found.add(each.pid)
  }
  return all.filter(each => found.has(each.pid) && !each.hasEnded).map(each => each.pid)
}

/** proc(5), /proc/pid/stat. */
function seen(pid: number): Seen | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name in brackets may hold anything; the fields after the last bracket begin with state, parent, group and session.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { pid, parent: Number(fields[1]), session: Number(fields[3]), since: fields[19] ?? '', hasEnded: fields[0] === 'Z' || fields[0] === 'X' }
  } catch {
    return null
  }
}
