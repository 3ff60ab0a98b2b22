// Schedule: which of the ready tasks go next, and whether there is room for them.
// Owns: places (`limits { parallel }`), processors and memory (`needs`). Does not own: readiness (lifecycle.ts), order within a queue (queue.ts).
//   S1. What is in use never exceeds the capacity: of the run, of each limiter, of processors and memory.
//   S2. A task passes its limiters from the inside out and holds a place in each that it has passed; `held` says how many.
//   S3. A kind of needs passed over PATIENCE times gets the next room: until it fits, nothing else with needs starts.
import type { TaskId } from '#model/event.ts'
import { AGING_EVERY, ReadyQueue } from './queue.ts'
import type { Capacity } from './protocol.ts'
import type { TaskTable } from './tasks.ts'

const PATIENCE = AGING_EVERY

export interface Needs {
  readonly cpu: number
  readonly memoryBytes: number
}

/** What one task beneath a workflow may take of the machine; null = nothing says so. */
export interface Bounds {
  readonly memoryBytes: number | null
  /** Share of the machine's processors, 0 to 1. */
  readonly cpu: number | null
}

/** A bound on how many tasks beneath a workflow are under way at once. */
export class Limiter {
  used = 0
  readonly capacity: number
  readonly parent: Limiter | null
  readonly waiting: ReadyQueue
  constructor(capacity: number, parent: Limiter | null, tasks: TaskTable) {
    this.capacity = capacity
    this.parent = parent
    this.waiting = new ReadyQueue(tasks)
  }
}

/** Tasks with equal needs wait in one queue. */
interface Lane {
  readonly needs: Needs
  readonly queue: ReadyQueue
  passedOver: number
}

export class Schedule {
  running = 0
  private cpuUsed = 0
  private memoryUsed = 0
  private readonly tasks: TaskTable
  private capacity: Capacity
  private readonly lanes: Lane[] = []
  private readonly laneByNeeds = new Map<string, number>()

  constructor(tasks: TaskTable, capacity: Capacity) {
    this.tasks = tasks
    this.capacity = capacity
    this.laneOf(null)
  }

  /** Number of the lane for these needs. */
  laneOf(needs: Needs | null): number {
    const key = needs === null ? '0 0' : `${needs.cpu} ${needs.memoryBytes}`
    const known = this.laneByNeeds.get(key)
    if (known !== undefined) return known
    this.lanes.push({ needs: needs ?? { cpu: 0, memoryBytes: 0 }, queue: new ReadyQueue(this.tasks), passedOver: 0 })
    this.laneByNeeds.set(key, this.lanes.length - 1)
    return this.lanes.length - 1
  }

  /** From now on, no more of the machine than this: limits of the file and workflow that a run begins with. */
  narrow({ memoryBytes, cpu }: Bounds): void {
    const { capacity } = this
    this.capacity = { ...capacity, cpu: capacity.cpu * (cpu ?? 1), memoryBytes: Math.min(capacity.memoryBytes, memoryBytes ?? Infinity) }
  }

  /** Puts a task whose phase is `queued` in line: at the first limiter without room, else in its lane. */
  enqueue(task: TaskId, limiter: Limiter | null, lane: number): void {
    for (let at = limiter; at !== null; at = at.parent) {
      if (at.used >= at.capacity) {
        at.waiting.push(task)
        return
      }
      at.used++ // S2
      this.tasks.held[task]!++
    }
    this.lanes[lane]!.queue.push(task)
  }

  /** Gives back the places of limiters a task holds, and lets those who waited for them pass. */
  leave(task: TaskId, limiter: Limiter | null, laneOf: (task: TaskId) => number): void {
    const held = this.tasks.held[task]!
    if (held === 0) return
    this.tasks.held[task] = 0
    let at = limiter
    for (let i = 0; i < held && at !== null; i++, at = at.parent) at.used--
    at = limiter
    for (let i = 0; i < held && at !== null; i++, at = at.parent) {
      while (at.used < at.capacity) {
        const next = at.waiting.peek()
        if (next === -1) break
        at.waiting.take(next)
        at.used++
        this.tasks.held[next]!++
        this.enqueue(next, at.parent, laneOf(next))
      }
    }
  }

  /** The task that may start now, or -1. It stays in line until `start`. */
  next(): { task: TaskId; lane: number } | null {
    if (this.running >= this.capacity.parallel) return null // S1
    const lanes = this.lanes
    if (lanes.length === 1) {
      const task = lanes[0]!.queue.peek()
      return task === -1 ? null : { task, lane: 0 }
    }
    const overdue = this.overdue()
    if (overdue !== -1 && this.fits(lanes[overdue]!.needs)) return { task: lanes[overdue]!.queue.peek(), lane: overdue }
    let best = -1
    let bestTask = -1
    for (let i = 0; i < lanes.length; i++) {
      const { needs, queue } = lanes[i]!
      if (overdue !== -1 && (needs.cpu > 0 || needs.memoryBytes > 0)) continue // S3
      const head = queue.peek()
      if (head === -1 || !this.fits(needs)) continue
      if (best === -1 || this.tasks.rank[head]! > this.tasks.rank[bestTask]! || (this.tasks.rank[head] === this.tasks.rank[bestTask] && head < bestTask)) {
        best = i
        bestTask = head
      }
    }
    return best === -1 ? null : { task: bestTask, lane: best }
  }

  /** Takes it out of line and marks what it uses. */
  start(task: TaskId, lane: number): void {
    const chosen = this.lanes[lane]!
    chosen.queue.take(task)
    if (this.lanes.length > 1) {
      for (const each of this.lanes) {
        if (each === chosen) each.passedOver = 0
        else if (each.queue.peek() !== -1) each.passedOver++
      }
    }
    this.occupy(lane)
  }

  /** Marks what a task uses that another machine's record says was started; it may go beyond this machine's capacity. */
  occupy(lane: number): void {
    const { needs } = this.lanes[lane]!
    this.running++
    this.cpuUsed += needs.cpu
    this.memoryUsed += needs.memoryBytes
  }

  vacate(lane: number): void {
    const { needs } = this.lanes[lane]!
    this.running--
    this.cpuUsed -= needs.cpu
    this.memoryUsed -= needs.memoryBytes
  }

  private overdue(): number {
    let found = -1
    for (let i = 0; i < this.lanes.length; i++) {
      const lane = this.lanes[i]!
      if (lane.passedOver >= PATIENCE && lane.queue.peek() !== -1 && (found === -1 || lane.passedOver > this.lanes[found]!.passedOver)) found = i
    }
    return found
  }

  private fits(needs: Needs): boolean {
    return this.cpuUsed + needs.cpu <= this.capacity.cpu && this.memoryUsed + needs.memoryBytes <= this.capacity.memoryBytes
  }
}
