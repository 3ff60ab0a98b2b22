// list: lists beyond the prelude. Functions that need a lambda are in the prelude.
// Owns: reshaping, sets of values, seeded chance, combinations.
//   L1. Results have at most MAX_ITEMS items. L2. Values are compared by content, as `==` does.
import { definePlugin, pure, t, ToolFailure, z } from 'tek-lang/plugin'
import { drawn } from './seeded.ts'
import { valueKey } from './value-key.ts'

const MAX_ITEMS = 1_000_000

const T = t.variable('T')
const U = t.variable('U')
const items = z.array(T).describe('The list.')
const seed = z.union([z.string(), t.int]).describe('The same seed gives the same result.')

function bounded<Item>(list: readonly Item[]): Item[] {
  if (list.length > MAX_ITEMS) throw new ToolFailure('too-many', `A list has at most ${MAX_ITEMS} items here.`)
  return list as Item[]
}

function positive(value: number, what: string): number {
  if (value < 1) throw new ToolFailure('bad-count', `${what} must be at least 1.`)
  return value
}

const keySet = (list: readonly unknown[]): Set<string> => new Set(bounded(list).map(item => valueKey(item)))

function distinct<Item>(list: readonly Item[]): Item[] {
  const seen = new Set<string>()
  return list.filter(item => {
    const key = valueKey(item)
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}

function binomial(n: number, k: number): number {
  let result = 1
  for (let i = 1; i <= Math.min(k, n - k); i++) result = (result * (n - i + 1)) / i
  return Math.round(result)
}

function combinations<Item>(list: readonly Item[], size: number): Item[][] {
  const result: Item[][] = []
  const chosen = Array.from({ length: size }, (_, index) => index)
  for (;;) {
    result.push(chosen.map(index => list[index] as Item))
    let place = size - 1
    while (place >= 0 && chosen[place] === list.length - size + place) place--
    if (place < 0) return result
    chosen[place] = (chosen[place] ?? 0) + 1
    for (let later = place + 1; later < size; later++) chosen[later] = (chosen[later - 1] ?? 0) + 1
  }
}

const reshaping = {
  chunk: pure({
    doc: 'Pieces of a list, each `size` long; the last may be shorter.',
    input: { items, size: t.int.describe('Length of a piece, at least 1.') }, output: z.array(z.array(T)),
    example: 'list.chunk([1, 2, 3, 4, 5], 2) == [[1, 2], [3, 4], [5]]',
    run: ({ items, size }) => {
      positive(size, 'size')
      return Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size))
    },
  }),
  window: pure({
    doc: 'All runs of `size` neighbours; none when the list is shorter. At most 1,000,000 values in all.',
    input: { items, size: t.int.describe('Length of a run, at least 1.'), step: t.int.default(1).describe('How far apart the runs begin.') },
    output: z.array(z.array(T)),
    example: 'list.window([1, 2, 3, 4], 2) == [[1, 2], [2, 3], [3, 4]]',
    run: ({ items, size, step }) => {
      positive(size, 'size')
      positive(step, 'step')
      const count = items.length < size ? 0 : Math.floor((items.length - size) / step) + 1
      if (count * size > MAX_ITEMS) throw new ToolFailure('too-many', `The runs would hold more than ${MAX_ITEMS} values.`)
      return Array.from({ length: count }, (_, index) => items.slice(index * step, index * step + size))
    },
  }),
  pairs: pure({
    doc: 'Each item with the next one.',
    input: { items }, output: z.array(z.array(T)),
    example: 'list.pairs([1, 2, 3]) == [[1, 2], [2, 3]]',
    run: ({ items }) => items.slice(1).map((item, index) => [items[index], item]),
  }),
  interleave: pure({
    doc: 'Takes items from the lists in turn; when one is used up, goes on with the others.',
    input: { lists: z.array(z.array(T)).default([]).describe('The lists.') }, rest: 'lists', output: z.array(T),
    example: 'list.interleave([1, 2, 3], [10]) == [1, 10, 2, 3]',
    run: ({ lists }) => {
      const longest = lists.reduce((length, list) => Math.max(length, list.length), 0)
      const result: unknown[] = []
      for (let i = 0; i < longest; i++) for (const list of lists) if (i < list.length) result.push(list[i])
      return bounded(result)
    },
  }),
  transpose: pure({
    doc: 'Rows to columns. All rows must have the same length.',
    input: { rows: z.array(z.array(T)).describe('The rows.') }, output: z.array(z.array(T)),
    example: 'list.transpose([[1, 2], [3, 4], [5, 6]]) == [[1, 3, 5], [2, 4, 6]]',
    run: ({ rows }) => {
      const width = rows[0]?.length ?? 0
      const ragged = rows.findIndex(row => row.length !== width)
      if (ragged >= 0) throw new ToolFailure('ragged', `Row ${ragged} has ${rows[ragged]?.length} items, the first row has ${width}.`)
      return Array.from({ length: width }, (_, column) => rows.map(row => row[column]))
    },
  }),
  zipAll: pure({
    doc: 'Items at the same place in two lists, as `{ left, right }`; null where one list is shorter.',
    input: { left: z.array(T).describe('The first list.'), right: z.array(U).describe('The second list.') },
    output: z.array(z.object({ left: T.nullable(), right: U.nullable() })),
    example: 'list.zipAll([1, 2], ["a"]) == [{ left: 1, right: "a" }, { left: 2, right: null }]',
    run: ({ left, right }) =>
      Array.from({ length: Math.max(left.length, right.length) }, (_, i) => ({ left: left[i] ?? null, right: right[i] ?? null })),
  }),
  index: pure({
    doc: 'Each item with its place, counted from 0.',
    input: { items }, output: z.array(z.object({ index: t.int, item: T })),
    example: 'list.index(["a", "b"]) == [{ index: 0, item: "a" }, { index: 1, item: "b" }]',
    run: ({ items }) => items.map((item, index) => ({ index, item })),
  }),
  concat: pure({
    doc: 'The lists one after another.',
    input: { lists: z.array(z.array(T)).default([]).describe('The lists.') }, rest: 'lists', output: z.array(T),
    example: 'list.concat([1], [2, 3]) == [1, 2, 3]',
    run: ({ lists }) => bounded(lists.flat(1)),
  }),
  reverse: pure({
    doc: 'The list from back to front.',
    input: { items }, output: z.array(T),
    example: 'list.reverse([1, 2, 3]) == [3, 2, 1]',
    run: ({ items }) => [...items].reverse(),
  }),
  rotate: pure({
    doc: 'Moves the first `by` items to the end; a negative number moves the last ones to the front.',
    input: { items, by: t.int.default(1).describe('How many.') }, output: z.array(T),
    example: 'list.rotate([1, 2, 3], 1) == [2, 3, 1]',
    run: ({ items, by }) => {
      const shift = items.length === 0 ? 0 : ((by % items.length) + items.length) % items.length
      return [...items.slice(shift), ...items.slice(0, shift)]
    },
  }),
  slice: pure({
    doc: 'The items from one place to before another; negative places count from the end.',
    input: { items, start: t.int.describe('First place, from 0.'), end: t.int.optional().describe('Place after the last; the end unless given.') },
    output: z.array(T),
    example: 'list.slice([1, 2, 3, 4], 1, -1) == [2, 3]',
    run: ({ items, start, end }) => items.slice(start, end),
  }),
  repeat: pure({
    doc: 'A list of one value several times.',
    input: { value: T.describe('The value.'), times: t.int.describe('How often, 0 to 1,000,000.') }, output: z.array(T),
    example: 'list.repeat("x", 2) == ["x", "x"]',
    run: ({ value, times }) => {
      if (times < 0 || times > MAX_ITEMS) throw new ToolFailure('bad-count', `times must be from 0 to ${MAX_ITEMS}.`)
      return new Array<unknown>(times).fill(value)
    },
  }),
}

const sets = {
  union: pure({
    doc: 'The different values of both lists, in order of first appearance.',
    input: { left: z.array(T).describe('The first list.'), right: z.array(T).describe('The second list.') }, output: z.array(T),
    example: 'list.union([1, 2], [2, 3]) == [1, 2, 3]',
    run: ({ left, right }) => distinct(bounded([...left, ...right])),
  }),
  intersection: pure({
    doc: 'The different values of the first list that are in the second as well.',
    input: { left: z.array(T).describe('The first list.'), right: z.array(T).describe('The second list.') }, output: z.array(T),
    example: 'list.intersection([1, 2, 2, 3], [2, 3, 4]) == [2, 3]',
    run: ({ left, right }) => {
      const wanted = keySet(right)
      return distinct(left).filter(item => wanted.has(valueKey(item)))
    },
  }),
  difference: pure({
    doc: 'The different values of the first list that are not in the second.',
    input: { left: z.array(T).describe('The first list.'), right: z.array(T).describe('The second list.') }, output: z.array(T),
    example: 'list.difference([1, 2, 3], [2]) == [1, 3]',
    run: ({ left, right }) => {
      const unwanted = keySet(right)
      return distinct(left).filter(item => !unwanted.has(valueKey(item)))
    },
  }),
  frequencies: pure({
    doc: 'How often each value occurs, the most frequent first, then in order of first appearance.',
    input: { items }, output: z.array(z.object({ value: T, count: t.int })),
    example: 'list.frequencies(["a", "b", "a"]) == [{ value: "a", count: 2 }, { value: "b", count: 1 }]',
    run: ({ items }) => {
      const counts = new Map<string, { value: unknown; count: number }>()
      for (const value of items) {
        const entry = counts.get(valueKey(value))
        if (entry === undefined) counts.set(valueKey(value), { value, count: 1 })
        else entry.count++
      }
      return [...counts.values()].sort((a, b) => b.count - a.count)
    },
  }),
  indexOf: pure({
    doc: 'The first place of a value, or null.',
    input: { items, value: T.describe('The value to look for.') }, output: t.int.nullable(),
    example: 'list.indexOf(["a", "b"], "b") == 1',
    run: ({ items, value }) => {
      const wanted = valueKey(value)
      const at = items.findIndex(item => valueKey(item) === wanted)
      return at < 0 ? null : at
    },
  }),
}

const chance = {
  shuffle: pure({
    doc: 'The items in an order drawn by a seed.',
    input: { items, seed }, output: z.array(T),
    example: 'sort(list.shuffle([3, 1, 2], 7)) == [1, 2, 3]',
    run: ({ items, seed }) => drawn(items, String(seed)),
  }),
  sample: pure({
    doc: 'Some items drawn by a seed without putting back; all of them in another order when there are fewer.',
    input: { items, count: t.int.describe('How many.'), seed }, output: z.array(T),
    example: 'len(list.sample([1, 2, 3, 4], 2, "a")) == 2',
    run: ({ items, count, seed }) => {
      if (count < 0) throw new ToolFailure('bad-count', 'count must not be negative.')
      return drawn(items, String(seed), count)
    },
  }),
  combinations: pure({
    doc: 'All choices of `size` items, in order of place; at most 100,000 choices.',
    input: { items, size: t.int.describe('How many items in one choice.') }, output: z.array(z.array(T)), runs: 'thread',
    example: 'list.combinations(["a", "b", "c"], 2) == [["a", "b"], ["a", "c"], ["b", "c"]]',
    run: ({ items, size }) => {
      if (size < 0) throw new ToolFailure('bad-count', 'size must not be negative.')
      if (size > items.length) return []
      if (binomial(items.length, size) > 100_000) throw new ToolFailure('too-many', 'There are more than 100,000 choices.')
      return combinations(items, size)
    },
  }),
  product: pure({
    doc: 'Each item of one list with each item of another, as `{ left, right }`; at most 1,000,000.',
    input: { left: z.array(T).describe('The first list.'), right: z.array(U).describe('The second list.') },
    output: z.array(z.object({ left: T, right: U })),
    example: 'list.product([1, 2], ["a"]) == [{ left: 1, right: "a" }, { left: 2, right: "a" }]',
    run: ({ left, right }) => {
      if (left.length * right.length > MAX_ITEMS) throw new ToolFailure('too-many', `There are more than ${MAX_ITEMS} pairs.`)
      return left.flatMap(one => right.map(other => ({ left: one, right: other })))
    },
  }),
}

export default definePlugin({
  name: 'list',
  version: '1.0.0',
  doc: 'Lists beyond the prelude: reshaping, sets of values, seeded chance, combinations.',
  tools: { ...reshaping, ...sets, ...chance },
})
