// Fifo: a list that is added to at its end and taken from at its beginning, again and again.
// Owns: the order, and its room. An array that is emptied gives its room away, and the next `push` makes it anew: 150 bytes for each step of a run.
//   F1. What was taken is let go of at once.
//   F2. Room is never more than twice what waits, beyond KEPT_ROOM.

const KEPT_ROOM = 1_024

/**
 * First in, first out.
 *
 * @example
 * const list = new Fifo<string>()
 * list.push('a')
 * list.take() // 'a', then undefined
 */
export class Fifo<Item extends NonNullable<unknown>> {
  private items: (Item | undefined)[] = []
  private first = 0
  private end = 0

  get size(): number {
    return this.end - this.first
  }

  push(item: Item): void {
    if (this.first === this.end && this.first > 0) this.clear()
    this.items[this.end++] = item
  }

  /** The one that came first; undefined when there is none. */
  take(): Item | undefined {
    if (this.first === this.end) return undefined
    const item = this.items[this.first]
    this.items[this.first++] = undefined // F1
    if (this.first >= KEPT_ROOM && this.first * 2 >= this.end) this.moveUp()
    return item
  }

  /** All that wait, in order; none waits afterwards. */
  takeAll(): Item[] {
    const all = this.items.slice(this.first, this.end) as Item[]
    this.clear()
    return all
  }

  /** None waits afterwards. */
  clear(): void {
    while (this.first < this.end) this.items[this.first++] = undefined // F1
    this.first = 0
    this.end = 0
    if (this.items.length > KEPT_ROOM) this.items = []
  }

  /** F2. */
  private moveUp(): void {
    this.items = this.items.slice(this.first, this.end)
    this.end -= this.first
    this.first = 0
  }
}
