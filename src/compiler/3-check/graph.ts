// Graph: order and circles of a directed graph of numbered things.
// Owns: strongly connected parts (Tarjan 1972), written without recursion. Does not own: what the numbers mean.
//   G1. Linear in nodes and edges; a circle of 100,000 is found without a deep stack.

export interface Ordered {
  /** Every node after the nodes it points at; nodes of a circle stand beside each other. */
  readonly order: readonly number[]
  /** Nodes of each circle, in the order one points at the next. */
  readonly cycles: readonly (readonly number[])[]
}

/**
 * Orders a graph.
 *
 * @param edges for each node, the nodes it depends on.
 * @example
 * orderGraph([[1], []]) // { order: [1, 0], cycles: [] }
 */
export function orderGraph(edges: readonly (readonly number[])[]): Ordered {
  const count = edges.length
  const index = new Int32Array(count).fill(-1)
  const low = new Int32Array(count)
  const onStack = new Uint8Array(count)
  const next = new Int32Array(count)
  const stack: number[] = []
  const work: number[] = []
  const order: number[] = []
  const cycles: number[][] = []
  let counter = 0
  const open = (node: number): void => {
    index[node] = low[node] = counter++
    stack.push(node)
    onStack[node] = 1
    work.push(node)
  }
  for (let root = 0; root < count; root++) {
    if (index[root] !== -1) continue
    open(root)
    while (work.length > 0) {
      const node = work.at(-1)!
      const target = edges[node]![next[node]!++]
      if (target !== undefined) {
        if (index[target] === -1) open(target)
        else if (onStack[target] === 1 && index[target]! < low[node]!) low[node] = index[target]!
        continue
      }
      work.pop()
      const parent = work.at(-1)
      if (parent !== undefined && low[node]! < low[parent]!) low[parent] = low[node]!
      if (low[node] !== index[node]) continue
      const part: number[] = []
      let member: number
      do {
        member = stack.pop()!
        onStack[member] = 0
        part.push(member)
      } while (member !== node)
      for (const each of part) order.push(each)
      if (part.length > 1 || edges[node]!.includes(node)) cycles.push(circleIn(edges, part))
    }
  }
  return { order, cycles }
}

/** One closed way through a strongly connected part, from its least node: the shortest, found breadth first. */
function circleIn(edges: readonly (readonly number[])[], part: readonly number[]): number[] {
  const members = new Set(part)
  const start = part.reduce((least, each) => Math.min(least, each), part[0]!)
  const from = new Map<number, number>()
  const queue = [start]
  for (let head = 0; head < queue.length; head++) {
    const node = queue[head]!
    for (const target of edges[node]!) {
      if (target === start) {
        const path = [node]
        while (path.at(-1) !== start) path.push(from.get(path.at(-1)!)!)
        return path.reverse()
      }
      if (!members.has(target) || from.has(target)) continue
      from.set(target, node)
      queue.push(target)
    }
  }
  return [start]
}
