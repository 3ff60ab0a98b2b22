// Bounds: both watches over one sandbox, and for which bound it was ended.
// Owns: joining the watch that measures and the guard against floods of processes; finding the sandbox of a wrapper that somebody else started.
// Does not own: measuring (tree-watch.ts), the guard (fork-guard.ts), the ending of a program for other reasons (run-command.ts).
//   O1. The first process of the namespace is ended: it takes all others with it, without a look at each of what may be thousands.
//   O2. Of a wrapper that somebody else started, the first process is the child that has a /proc of its own (proc(5), children), looked for until it is there.
import { readFileSync, statSync } from 'node:fs'
import type { BoundsWatched, ProcessLimits, WatchedEnd } from '../host.ts'
import { guardForks, wasEndedByGuard } from './fork-guard.ts'
import { watchTree, type Over, type Usage } from './tree-watch.ts'

/** Exit code of a wrapper whose program, or whose first process, was ended by SIGKILL. */
const KILLED = 137
const GUARD_SAYS_WITHIN_MS = 100
const LOOK_MS = 10

export interface BoundsFound {
  readonly endedFor?: 'memory' | 'processes' | 'cpu'
  readonly peak: Usage
}

/** The watch over the sandbox whose first process has this number outside; begun when it is made. */
export class Bounds {
  private over: Over | null = null
  private readonly first: number
  private readonly limits: ProcessLimits
  private readonly stopWatching: () => Usage
  private stopGuarding: (() => void) | null

  /** @param wrapper what started the sandbox: it is ended with it. */
  constructor(first: number, wrapper: number, limits: ProcessLimits) {
    this.first = first
    this.limits = limits
    this.stopGuarding = guardForks(first, limits.processes + 1)
    this.stopWatching = watchTree(first, limits, over => {
      this.over = over
      for (const pid of [first, wrapper]) killAtOnce(pid) // O1
    })
  }

  stop(): Usage {
    this.stopGuarding?.()
    this.stopGuarding = null
    return this.stopWatching()
  }

  /** @param wasEnded by somebody else, for another reason. */
  async end({ exitCode, signal }: WatchedEnd, wasEnded: boolean): Promise<BoundsFound> {
    const wasKilled = this.stopGuarding !== null && !wasEnded && (signal === 'SIGKILL' || exitCode === KILLED)
    const peak = this.stop()
    if (this.over !== null) return { endedFor: this.over.kind, peak: { memoryBytes: this.over.memoryBytes, processes: this.over.processes, cpuMs: this.over.cpuMs } }
    if (!wasKilled || !(await wasEndedByGuard(this.first, GUARD_SAYS_WITHIN_MS))) return { peak }
    return { endedFor: 'processes', peak: { ...peak, processes: Math.max(peak.processes, this.limits.processes + 1) } }
  }
}

/** @see ConfinedStart.watch */
export function watchForeign(wrapper: number, limits: ProcessLimits): BoundsWatched {
  let bounds: Bounds | null = null
  const timer = setInterval(() => {
    const first = firstBeneath(wrapper)
    if (first === null) return
    clearInterval(timer)
    bounds = new Bounds(first, wrapper, limits)
  }, LOOK_MS)
  timer.unref()
  return {
    async end(ended) {
      clearInterval(timer)
      return (await bounds?.end(ended, false))?.endedFor ?? null
    },
  }
}

/** O2 */
function firstBeneath(wrapper: number): number | null {
  try {
    const own = statSync('/proc').dev
    const children = readFileSync(`/proc/${wrapper}/task/${wrapper}/children`, 'latin1').split(' ').filter(each => each !== '')
    return children.map(Number).find(each => statSync(['/proc', each, 'root', 'proc'].join('/')).dev !== own) ?? null
  } catch {
    return null // not yet, or over
  }
}

function killAtOnce(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}
