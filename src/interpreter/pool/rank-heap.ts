// Rank heap: what waits, best rank first, first come first among equals.

export interface Ranked {
  readonly rank: number
  readonly order: number
}

export class RankHeap<Item extends Ranked> {
  private readonly heap: Item[] = []

  get size(): number {
    return this.heap.length
  }

  peek(): Item | undefined {
    return this.heap[0]
  }

  push(item: Item): void {
    const { heap } = this
    let at = heap.length
    heap.push(item)
    while (at > 0) {
      const above = (at - 1) >> 1
      if (!isBefore(item, heap[above]!)) break
      heap[at] = heap[above]!
      at = above
    }
    heap[at] = item
  }

  pop(): Item | undefined {
    const { heap } = this
    const top = heap[0]
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return top
    let at = 0
    for (;;) {
      let below = 2 * at + 1
      if (below >= heap.length) break
      if (below + 1 < heap.length && isBefore(heap[below + 1]!, heap[below]!)) below++
      if (!isBefore(heap[below]!, last)) break
      heap[at] = heap[below]!
      at = below
    }
    heap[at] = last
    return top
  }
}

function isBefore(a: Ranked, b: Ranked): boolean {
  return a.rank > b.rank || (a.rank === b.rank && a.order < b.order)
}
