// Resource limits: the bounds the kernel itself keeps for each process of a command.
// Owns: their numbers. Does not own: what the whole tree uses together (tree-watch.ts).
//   R1. No limit is above the one tek itself has: nobody but root may raise one.
//   R2. Memory: no limit on addresses (Node and Go reserve far more than they use); data beyond the bound plus 1 GiB is refused by the kernel as
//       a backstop, the bound itself is kept by the watch.
//   R3. Processes: the kernel counts them within the sandbox's own user namespace and not at all for root; the watch counts them for everybody.
import { readFileSync } from 'node:fs'
import type { ProcessLimits } from '../host.ts'

const DATA_RESERVE_BYTES = 1024 ** 3
const MAX_OPEN_FILES = 4_096
/** The kernel counts threads as processes. The watch, which can say why, comes first. */
const THREADS_PER_PROCESS = 16
const CPU_RESERVE_S = 5

export type LimitName = 'core' | 'cpu' | 'data' | 'fsize' | 'nofile' | 'nproc'

const rows: Readonly<Record<LimitName, string>> = { core: 'Max core file size', cpu: 'Max cpu time', data: 'Max data size', fsize: 'Max file size', nofile: 'Max open files', nproc: 'Max processes' }
let own: Readonly<Record<LimitName, number>> | null = null

function ownLimits(): Readonly<Record<LimitName, number>> {
  if (own !== null) return own
  const text = readFileSync('/proc/self/limits', 'latin1')
  const hard = (name: string): number => Number(new RegExp(`^${name} +\\S+ +(\\d+)`, 'm').exec(text)?.[1] ?? Infinity)
  return (own = Object.fromEntries(Object.entries(rows).map(([key, name]) => [key, hard(name)])) as Record<LimitName, number>)
}

export function kernelLimits({ memoryBytes, processes, cpuMs, fileBytes }: ProcessLimits): readonly (readonly [LimitName, number])[] {
  const most = ownLimits()
  const wanted: Readonly<Record<LimitName, number>> = {
    core: 0, cpu: Math.ceil(cpuMs / 1_000) + CPU_RESERVE_S, data: memoryBytes + DATA_RESERVE_BYTES, fsize: fileBytes, nofile: MAX_OPEN_FILES, nproc: processes * THREADS_PER_PROCESS,
  }
  return (Object.keys(wanted) as LimitName[]).map(name => [name, Math.min(Math.round(wanted[name]), most[name])] as const) // R1
}
