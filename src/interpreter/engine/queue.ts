// Queue: tasks that are ready, best rank first, yet nobody waits for ever.
// Owns: the order among ready tasks. Does not own: whether there is room for them (schedule.ts).
//   Q1. Every AGING_EVERY-th task taken is the one that has waited longest: a task is taken after at most
//       AGING_EVERY × (tasks before it + 1) others, whatever their ranks.
//   Q2. Tasks of equal rank go in the order of their numbers.
//   Q3. An entry whose task is no longer queued is dropped when met: nothing is searched for and removed.
import type { TaskId } from '#model/event.ts'
import { phase, type TaskTable } from './tasks.ts'

/** Tasks taken by rank between two taken by age. */
export const AGING_EVERY = 32
const COMPACT_FROM = 1_024

export class ReadyQueue {
  private readonly tasks: TaskTable
  private heap: TaskId[] = []
  private byAge: TaskId[] = []
  private oldestAt = 0
  private taken = 0

  constructor(tasks: TaskTable) {
    this.tasks = tasks
  }

  push(task: TaskId): void {
    this.byAge.push(task)
    const heap = this.heap
    let at = heap.length
    heap.push(task)
    while (at > 0) {
      const above = (at - 1) >> 1
      if (!this.isBefore(task, heap[above]!)) break
      heap[at] = heap[above]!
      at = above
    }
    heap[at] = task
  }

  /** The task that is to go next, without taking it; -1 when there is none. */
  peek(): TaskId {
    return this.taken % AGING_EVERY === AGING_EVERY - 1 ? this.peekOldest() : this.peekBest() // Q1
  }

  /** Takes the task `peek` showed; to be called only with what it showed. */
  take(task: TaskId): void {
    this.taken++
    if (this.byAge[this.oldestAt] === task) this.oldestAt++
    if (this.heap[0] === task) this.removeTop()
    if (this.oldestAt >= COMPACT_FROM && this.oldestAt * 2 > this.byAge.length) {
      this.byAge = this.byAge.slice(this.oldestAt)
      this.oldestAt = 0
    }
  }

  /** True when the next one is taken by age. */
  get takesByAge(): boolean {
    return this.taken % AGING_EVERY === AGING_EVERY - 1
  }

  private peekBest(): TaskId {
    while (this.heap.length > 0) {
      const top = this.heap[0]!
      if (this.tasks.phase[top] === phase.queued) return top
      this.removeTop() // Q3
    }
    return -1
  }

  private peekOldest(): TaskId {
    while (this.oldestAt < this.byAge.length) {
      const oldest = this.byAge[this.oldestAt]!
      if (this.tasks.phase[oldest] === phase.queued) return oldest
      this.oldestAt++ // Q3
    }
    return -1
  }

  private isBefore(a: TaskId, b: TaskId): boolean {
    const difference = this.tasks.rank[a]! - this.tasks.rank[b]!
    return difference > 0 || (difference === 0 && a < b) // Q2
  }

  private removeTop(): void {
    const heap = this.heap
    const last = heap.pop()!
    const length = heap.length
    if (length === 0) return
    let at = 0
    for (;;) {
      let below = 2 * at + 1
      if (below >= length) break
      if (below + 1 < length && this.isBefore(heap[below + 1]!, heap[below]!)) below++
      if (!this.isBefore(heap[below]!, last)) break
      heap[at] = heap[below]!
      at = below
    }
    heap[at] = last
  }
}
