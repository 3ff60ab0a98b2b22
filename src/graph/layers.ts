// Layers: rows of a graph so that every arrow points down, with few crossings.
// Owns: rank and order within a rank, bends of long arrows. Does not own: columns and drawing.
//   L1. A node's layer is its longest path from a node without predecessors; an arrow over several layers gets a bend in each between.
//   L2. Order within a layer: barycentres of the neighbours, swept down and up SWEEPS times (Sugiyama, Tagawa and Toda 1981); ties keep
//       the order of the plan, so the same graph is always drawn the same.
import type { Graph } from './graph.ts'

const SWEEPS = 8

export interface Slot {
  /** The node's id, or null for a bend of a long arrow. */
  readonly id: string | null
  /** Places in the next layer that this slot's arrows lead to. */
  readonly down: Slot[]
  readonly up: Slot[]
}

/** Slots of each layer, from left to right. */
export function layersOf(graph: Graph): Slot[][] {
  const slots = new Map(graph.nodes.map(node => [node.id, { id: node.id, down: [], up: [] } as Slot]))
  const rank = ranks(graph)
  const layers: Slot[][] = []
  const place = (slot: Slot, at: number): void => {
    while (layers.length <= at) layers.push([])
    layers[at]!.push(slot)
  }
  for (const node of graph.nodes) place(slots.get(node.id)!, rank.get(node.id)!)
  for (const edge of graph.edges) {
    let from = slots.get(edge.from)!
    const last = rank.get(edge.to)!
    for (let at = rank.get(edge.from)! + 1; at <= last; at++) {
      const next: Slot = at === last ? slots.get(edge.to)! : { id: null, down: [], up: [] }
      if (next.id === null) place(next, at) // L1
      from.down.push(next)
      next.up.push(from)
      from = next
    }
  }
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (let at = 1; at < layers.length; at++) reorder(layers[at]!, layers[at - 1]!, 'up')
    for (let at = layers.length - 2; at >= 0; at--) reorder(layers[at]!, layers[at + 1]!, 'down')
  }
  return layers
}

function ranks(graph: Graph): Map<string, number> {
  const waiting = new Map(graph.nodes.map(node => [node.id, 0]))
  const next = new Map<string, string[]>()
  for (const { from, to } of graph.edges) {
    waiting.set(to, waiting.get(to)! + 1)
    next.set(from, [...(next.get(from) ?? []), to])
  }
  const rank = new Map<string, number>(graph.nodes.map(node => [node.id, 0]))
  const ready = graph.nodes.filter(node => waiting.get(node.id) === 0).map(node => node.id)
  for (let at = 0; at < ready.length; at++) {
    for (const to of next.get(ready[at]!) ?? []) {
      rank.set(to, Math.max(rank.get(to)!, rank.get(ready[at]!)! + 1))
      waiting.set(to, waiting.get(to)! - 1)
      if (waiting.get(to) === 0) ready.push(to)
    }
  }
  return rank
}

function reorder(layer: Slot[], neighbours: readonly Slot[], side: 'up' | 'down'): void {
  const places = new Map(neighbours.map((slot, index) => [slot, index]))
  const centre = new Map<Slot, number>()
  layer.forEach((slot, index) => {
    const around = slot[side]
    centre.set(slot, around.length === 0 ? index : around.reduce((sum, each) => sum + places.get(each)!, 0) / around.length)
  })
  layer.sort((a, b) => centre.get(a)! - centre.get(b)!) // stable: L2
}
