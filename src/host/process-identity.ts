// Process identity: who this process is to the others, and whether another one still lives.
// Owns: names that hold across processes of one machine. Does not own: what follows from them (interpreter/journal/lease.ts).
//   N1. A process number says something only within one boot of one machine, and within one namespace of processes (a container has its own).
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { endTree, startOf } from '#base/process-tree.ts'

export interface ProcessIdentity {
  readonly pid: number
  readonly hostName: string
  /** Where and since when process numbers mean what they mean here; empty where the system does not say. // N1 */
  readonly bootId: string
  /** Tells it from a later process with the same number; empty where the system does not say. */
  readonly since?: string
}

let known: ProcessIdentity | null = null

export function processIdentity(): ProcessIdentity {
  return (known ??= { pid: process.pid, hostName: hostname(), bootId: bootId(), since: startOf(process.pid) })
}

function bootId(): string {
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return ''
  }
}

/** Ends a process of this machine and boot with everything it has started; null when it is not that one any more, or is somebody else's. */
export function endProcess({ pid, since = '' }: Pick<ProcessIdentity, 'pid' | 'since'>): number | null {
  return endTree(pid, since)
}

/** Whether a process of this machine and boot lives. One that has ended and that nobody has asked about yet does not. */
export function isProcessAlive(pid: number, since = ''): boolean {
  if (since !== '' && startOf(pid) !== since) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' // it is there, and somebody else's
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat[stat.lastIndexOf(')') + 2] !== 'Z'
  } catch {
    return process.platform !== 'linux'
  }
}
