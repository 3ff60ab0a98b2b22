// Tree watch: what a command and everything it started use together, and the end of those that use too much.
// Owns: measuring and comparing. Does not own: the ending (bounds.ts), the kernel's own limits (resource-limits.ts).
//   W1. Everything in the sandbox's process namespace counts, also what has left its parents. It is read from the sandbox's own /proc, which
//       the program can neither change nor leave.
//   W2. Memory is the sum of resident pages: pages that several share count for each. Memory in the sandbox's /tmp is bounded by its size.
//   W3. Looked at every 20 ms: what is used up within that time is over the bound until it is seen.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import type { ProcessLimits } from '../host.ts'

const POLL_MS = 20
const TICKS_PER_SECOND = 100
/** Threads, for each process allowed. */
const THREADS_PER_PROCESS = 32
/** bubblewrap's or the launcher's own first process. */
const OWN_PROCESSES = 1

export interface Usage {
  readonly memoryBytes: number
  readonly processes: number
  readonly cpuMs: number
}

export interface Over extends Usage {
  readonly kind: 'memory' | 'processes' | 'cpu'
}

/**
 * Watches the namespace whose first process has this number outside.
 *
 * @returns stops watching, and gives the most that was seen.
 */
export function watchTree(firstProcess: number, limits: ProcessLimits, onOver: (over: Over) => void): () => Usage {
  let peak: Usage = { memoryBytes: 0, processes: 0, cpuMs: 0 }
  const timer = setInterval(() => {
    const now = usageOf(firstProcess, limits.processes)
    if (now === null) return
    peak = { memoryBytes: Math.max(peak.memoryBytes, now.memoryBytes), processes: Math.max(peak.processes, now.processes), cpuMs: Math.max(peak.cpuMs, now.cpuMs) }
    const kind = now.processes > limits.processes || now.threads > limits.processes * THREADS_PER_PROCESS ? 'processes' : now.memoryBytes > limits.memoryBytes ? 'memory' : now.cpuMs > limits.cpuMs ? 'cpu' : null
    if (kind === null) return
    clearInterval(timer)
    onOver({ kind, ...peak })
  }, POLL_MS)
  timer.unref()
  return () => {
    clearInterval(timer)
    return peak
  }
}

const AT_PAGESZ = 6n
let pageSize: number | null = null

/** From the vector that the kernel gives each program (getauxval(3)). */
function pageBytes(): number {
  if (pageSize !== null) return pageSize
  const vector = readFileSync('/proc/self/auxv')
  for (let at = 0; at + 16 <= vector.length; at += 16) if (vector.readBigUInt64LE(at) === AT_PAGESZ) return (pageSize = Number(vector.readBigUInt64LE(at + 8)))
  return (pageSize = 4_096)
}

function usageOf(firstProcess: number, mostProcesses: number): (Usage & { threads: number }) | null {
  const proc = ['/proc', firstProcess, 'root', 'proc'].join('/')
  let numbers: string[]
  try {
    if (statSync(proc).dev === statSync('/proc').dev) return null // not yet a /proc of its own
    numbers = readdirSync(proc).filter(name => /^\d+$/.test(name))
  } catch {
    return null // not yet, or over
  }
  const usage = { memoryBytes: 0, processes: numbers.length - OWN_PROCESSES, cpuMs: 0, threads: 0 }
  if (usage.processes > mostProcesses) return usage
  for (const number of numbers) {
    let stat: string
    try {
      stat = readFileSync(`${proc}/${number}/stat`, 'latin1')
    } catch {
      continue
    }
    // The name in brackets may hold anything; after it: state, parent … (proc(5): utime 14, stime 15, cutime 16, cstime 17, threads 20, resident pages 24).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const field = (position: number): number => Number(fields[position - 3] ?? 0)
    usage.memoryBytes += field(24) * pageBytes()
    usage.cpuMs += ((field(14) + field(15) + field(16) + field(17)) * 1_000) / TICKS_PER_SECOND
    usage.threads += field(20)
  }
  return usage
}
