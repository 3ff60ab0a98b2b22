// Machine usage: how much of processors, memory and disk is in use, as the system says.
// Owns: taking the measure. Does not own: what is too much (interpreter/loop/health.ts).
//   U1. Processors: the share of their time that was not idle between two looks; the first look waits MIN_SAMPLE_MS, and one answer holds for FRESH_MS.
//   U2. Memory: what is neither free nor taken back at once when it is needed, of the limit that holds for this process (a control group's, else the machine's).
//   U3. Disk: as `df` computes it: what is used of what is used or may be used by who is no administrator.
import { statfs } from 'node:fs/promises'
import { cpus, freemem, totalmem } from 'node:os'
import type { MachineUsage } from './host.ts'

/** Least time between two looks at the processors. */
const MIN_SAMPLE_MS = 100
/** How long what was seen of the processors is taken to hold. */
const FRESH_MS = 1_000

interface Sample {
  readonly atMs: number
  readonly busy: number
  readonly all: number
}

let last: Sample | null = null
let seen: { readonly atMs: number; readonly cpu: number } | null = null

/** What is in use now. Where the disk cannot be looked at (no such folder yet), it counts as empty. */
export async function machineUsage(folder: string): Promise<MachineUsage> {
  const total = limitOfMemory()
  return {
    cpu: await cpuShare(),
    memory: share(1 - Math.min(process.availableMemory?.() ?? freemem(), total) / total), // U2
    disk: await diskShare(folder),
  }
}

/** U1. */
async function cpuShare(): Promise<number> {
  if (seen !== null && performance.now() - seen.atMs < FRESH_MS) return seen.cpu
  let before = last
  if (before === null) {
    before = sample()
    await new Promise(resolve => void setTimeout(resolve, MIN_SAMPLE_MS))
  }
  const now = sample()
  const passed = now.all - before.all
  last = now
  seen = { atMs: now.atMs, cpu: passed <= 0 ? (seen?.cpu ?? 0) : share((now.busy - before.busy) / passed) }
  return seen.cpu
}

function sample(): Sample {
  let busy = 0
  let all = 0
  for (const { times } of cpus()) {
    const total = times.user + times.nice + times.sys + times.irq + times.idle
    all += total
    busy += total - times.idle
  }
  return { atMs: performance.now(), busy, all }
}

function limitOfMemory(): number {
  const constrained = process.constrainedMemory?.() ?? 0
  return constrained > 0 && constrained < totalmem() ? constrained : totalmem()
}

async function diskShare(folder: string): Promise<number> {
  const found = await statfs(folder).catch(() => null)
  if (found === null) return 0
  const used = found.blocks - found.bfree
  return used + found.bavail === 0 ? 0 : share(used / (used + found.bavail)) // U3
}

const share = (of: number): number => Math.max(0, Math.min(1, of))
