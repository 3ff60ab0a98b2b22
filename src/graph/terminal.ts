// Terminal: a graph drawn with characters, layer under layer, at most as wide as the terminal.
// Owns: columns, tracks of arrows, box drawing. Does not own: layers (layers.ts).
//   D1. Arrows run only in the rows between two layers. Two arrows share a row only where they meet in the same box, so a line is never ambiguous.
//   D2. When a layer is wider than the terminal, or lines cannot be kept apart, the graph is written as a list instead: readable beats pretty.
import { cutToWidth, displayWidth, neutralise, padToWidth, type Paint } from '#base/terminal-text.ts'
import type { TaskStatus } from '#model/report.ts'
import type { Graph, GraphNode } from './graph.ts'
import { layersOf, type Slot } from './layers.ts'

const GAP_COLUMNS = 3
const MAX_LABEL_COLUMNS = 30
/** More boxes than this are a list: nobody reads such a drawing in a terminal. */
const MAX_DRAWN_NODES = 200

const UP = 1
const RIGHT = 2
const DOWN = 4
const LEFT = 8
/** Box drawing characters by the sides they reach. */
const LINES = [' ', '│', '─', '└', '│', '│', '┌', '├', '─', '┘', '─', '┴', '┐', '┤', '┬', '┼']

interface Box {
  readonly slot: Slot
  readonly lines: readonly string[]
  readonly width: number
  readonly node: GraphNode | null
  x: number
}

export interface TerminalGraphOptions {
  readonly columns: number
  readonly paint: Paint
}

const colours: Readonly<Partial<Record<TaskStatus, 'green' | 'red' | 'yellow' | 'dim'>>> = { done: 'green', failed: 'red', running: 'yellow', skipped: 'dim', cancelled: 'dim' }

/** The graph as lines, with a line end each. */
export function drawTerminal(graph: Graph, options: TerminalGraphOptions): string {
  if (graph.nodes.length === 0) return '(no tasks)\n'
  if (graph.nodes.length > MAX_DRAWN_NODES) return drawList(graph, options)
  const layers = layersOf(graph)
  const nodes = new Map(graph.nodes.map(node => [node.id, node]))
  const boxes = layers.map(layer => layer.map(slot => boxOf(slot, nodes)))
  const width = Math.max(...boxes.map(row => row.reduce((sum, box) => sum + box.width + GAP_COLUMNS, -GAP_COLUMNS)))
  if (width > options.columns) return drawList(graph, options) // D2
  placeColumns(boxes, options.columns)
  return paintRows(boxes, options.paint) ?? drawList(graph, options)
}

function boxOf(slot: Slot, nodes: ReadonlyMap<string, GraphNode>): Box {
  const node = slot.id === null ? null : nodes.get(slot.id)!
  if (node === null) return { slot, lines: [], width: 1, node, x: 0 }
  const texts = [node.label, node.note].filter(each => each !== '').map(each => cutToWidth(neutralise(each), MAX_LABEL_COLUMNS))
  const inner = Math.max(...texts.map(displayWidth))
  const lines = [`┌${'─'.repeat(inner + 2)}┐`, ...texts.map(each => `│ ${padToWidth(each, inner)} │`), `└${'─'.repeat(inner + 2)}┘`]
  return { slot, lines, width: inner + 4, node, x: 0 }
}

const centre = (box: Box): number => box.x + Math.floor(box.width / 2)

/** Columns of the boxes: each near the middle of its neighbours, in order, without overlap, within the width. */
function placeColumns(rows: readonly Box[][], columns: number): void {
  const boxOfSlot = new Map(rows.flat().map(box => [box.slot, box]))
  for (const row of rows) {
    let x = 0
    for (const box of row) {
      box.x = x
      x += box.width + GAP_COLUMNS
    }
  }
  for (const [side, order] of [['up', rows], ['down', [...rows].reverse()], ['up', rows], ['down', [...rows].reverse()]] as const) {
    for (const row of order) {
      const wanted = row.map(box => {
        const around = box.slot[side]
        if (around.length === 0) return box.x
        return Math.round(around.reduce((sum, slot) => sum + centre(boxOfSlot.get(slot)!), 0) / around.length - Math.floor(box.width / 2))
      })
      settle(row, wanted, columns)
    }
  }
  const left = Math.min(...rows.flat().map(box => box.x))
  for (const box of rows.flat()) box.x -= left
}

/** Puts boxes as near to where they are wanted as order, gaps and width allow. */
function settle(row: readonly Box[], wanted: readonly number[], columns: number): void {
  let least = 0
  row.forEach((box, index) => {
    box.x = Math.max(least, wanted[index]!)
    least = box.x + box.width + GAP_COLUMNS
  })
  let most = columns
  for (const box of [...row].reverse()) {
    box.x = Math.min(box.x, most - box.width)
    most = box.x - GAP_COLUMNS
  }
}

function paintRows(rows: readonly Box[][], paint: Paint): string | null {
  const boxOfSlot = new Map(rows.flat().map(box => [box.slot, box]))
  const out: string[] = []
  for (const [index, row] of rows.entries()) {
    const height = Math.max(...row.map(box => box.lines.length), 1)
    const hasNext = index < rows.length - 1
    for (let line = 0; line < height; line++) out.push(boxLine(row, line, hasNext, paint))
    const between = hasNext ? arrows(row, boxOfSlot) : []
    if (between === null) return null
    out.push(...between)
  }
  return `${out.map(line => line.trimEnd()).join('\n')}\n`
}

/** One line of a layer: the boxes, and the arrows that pass between or leave a shorter box. */
function boxLine(row: readonly Box[], line: number, hasNext: boolean, paint: Paint): string {
  let text = ''
  let column = 0
  for (const box of row) {
    const leaves = hasNext && box.slot.down.length > 0
    const passing = box.node === null || (line >= box.lines.length && leaves)
    const shown = box.lines[line]
    if (!passing && shown === undefined) continue
    const at = passing ? centre(box) : box.x
    text += ' '.repeat(Math.max(0, at - column))
    column = Math.max(column, at)
    if (passing) {
      text += '│'
      column += 1
      continue
    }
    const last = line === box.lines.length - 1
    const drawn = last && leaves ? withMark(shown!, centre(box) - box.x) : shown!
    const colour = box.node?.status ? colours[box.node.status] : undefined
    text += colour ? paint(colour, drawn) : drawn
    column += box.width
  }
  return text
}

const withMark = (line: string, at: number): string => `${line.slice(0, at)}┬${line.slice(at + 1)}`

interface Bundle {
  readonly from: number
  readonly to: readonly Box[]
}

/**
 * The column in which each bundle enters a box. Bundles that lead to one box alone may enter together; one that leads to
 * several has a column of its own, or its other ends would seem to be theirs. Null when a box is too narrow.
 */
function entryColumns(bundles: readonly Bundle[]): Map<Box, Map<Bundle, number>> | null {
  const entries = new Map<Box, Map<Bundle, number>>()
  for (const box of new Set(bundles.flatMap(each => each.to))) {
    const incoming = bundles.filter(each => each.to.includes(box))
    const single = incoming.filter(each => each.to.length === 1)
    const groups = [...(single.length > 0 ? [single] : []), ...incoming.filter(each => each.to.length > 1).map(each => [each])]
    const middle = (group: readonly Bundle[]): number => group.reduce((sum, each) => sum + each.from, 0) / group.length
    groups.sort((a, b) => middle(a) - middle(b))
    if (groups.length > 1 && groups.length * 2 + 1 > box.width) return null
    const columns = new Map<Bundle, number>()
    groups.forEach((group, index) => {
      for (const each of group) columns.set(each, centre(box) - (groups.length - 1) + 2 * index)
    })
    entries.set(box, columns)
  }
  return entries
}

interface Span extends Bundle {
  /** Where it enters each box of `to`. */
  readonly columns: readonly number[]
  readonly left: number
  readonly right: number
  track: number
}

/**
 * Gives each bundle a track; how many there are, or null when no order of tracks keeps all lines apart.
 * Where one bundle starts in the column in which another ends, the first must turn off above the second.
 */
function assignTracks(spans: readonly Span[]): number | null {
  const bent = spans.filter(each => each.left !== each.right).sort((a, b) => a.left - b.left || a.right - b.right)
  const above = new Map(bent.map(span => [span, bent.filter(other => other !== span && span.columns.includes(other.from) && !meet(span, other))]))
  const tracks: Span[][] = []
  const waiting = new Set(bent)
  while (waiting.size > 0) {
    const span = [...waiting].find(each => above.get(each)!.every(other => !waiting.has(other)))
    if (!span) return null
    const least = Math.max(0, ...above.get(span)!.map(other => other.track + 1))
    let track = least
    while (tracks[track]?.some(each => span.left <= each.right && each.left <= span.right && !meet(span, each))) track++
    while (tracks.length <= track) tracks.push([])
    tracks[track]!.push(span)
    span.track = track
    waiting.delete(span)
  }
  return tracks.length
}

/** Two bundles that lead to one and the same box may share a row: wherever they touch, they mean the same. */
function meet(a: Span, b: Span): boolean {
  return a.to.length === 1 && b.to.length === 1 && a.to[0] === b.to[0]
}

/** The rows between two layers; null when they cannot be drawn without ambiguity. */
function arrows(row: readonly Box[], boxOfSlot: ReadonlyMap<Slot, Box>): string[] | null {
  const bundles = row.filter(box => box.slot.down.length > 0).map(box => ({ from: centre(box), to: box.slot.down.map(slot => boxOfSlot.get(slot)!) }))
  if (bundles.length === 0) return []
  const entries = entryColumns(bundles)
  if (entries === null) return null
  // A bundle is one box's arrows; it takes one row (a track) in which nothing else lies between its leftmost and rightmost column. D1
  const spans = bundles.map((each): Span => {
    const columns = each.to.map(box => entries.get(box)!.get(each)!)
    return { ...each, columns, left: Math.min(each.from, ...columns), right: Math.max(each.from, ...columns), track: -1 }
  })
  const tracks = assignTracks(spans)
  if (tracks === null) return null
  const height = Math.max(1, tracks)
  const width = Math.max(...spans.map(each => each.right)) + 1
  const cells = Array.from({ length: height }, () => new Array<number>(width).fill(0))
  const mark = (y: number, x: number, sides: number): void => {
    cells[y]![x] = (cells[y]![x] ?? 0) | sides
  }
  // A line that crosses another interrupts it, so that a crossing does not look like a meeting. Where the other turns down
  // in the same column, both lead to the same box: that is a meeting.
  const passing = new Set<number>()
  const pass = (y: number, x: number): void => {
    passing.add(y * width + x)
  }
  for (const span of spans) {
    if (span.track < 0) {
      for (let y = 0; y < height; y++) pass(y, span.from)
      continue
    }
    const { track } = span
    for (let y = 0; y < track; y++) pass(y, span.from)
    mark(track, span.from, UP)
    for (const x of span.columns) {
      for (let at = Math.min(x, span.from); at < Math.max(x, span.from); at++) {
        mark(track, at, RIGHT)
        mark(track, at + 1, LEFT)
      }
      mark(track, x, DOWN)
      for (let y = track + 1; y < height; y++) pass(y, x)
    }
  }
  const lines = cells.map((line, y) => line.map((sides, x) => (!passing.has(y * width + x) ? LINES[sides]! : sides & DOWN ? LINES[sides | UP]! : '│')).join(''))
  const heads = new Array<string>(width).fill(' ')
  for (const span of spans) span.columns.forEach((x, index) => (heads[x] = span.to[index]!.node === null ? '│' : '▼'))
  return [...lines, heads.join('')]
}

/** One line a task: its name and what it waits for. */
function drawList(graph: Graph, options: TerminalGraphOptions): string {
  const before = new Map<string, string[]>()
  for (const { from, to } of graph.edges) before.set(to, [...(before.get(to) ?? []), from])
  const width = Math.min(MAX_LABEL_COLUMNS, Math.max(...graph.nodes.map(node => displayWidth(neutralise(node.label)))))
  return graph.nodes
    .map(node => {
      const waits = (before.get(node.id) ?? []).map(neutralise)
      const colour = node.status ? colours[node.status] : undefined
      const name = padToWidth(cutToWidth(neutralise(node.label), width), width)
      const rest = `${node.note === '' ? '' : `  (${neutralise(node.note)})`}${waits.length === 0 ? '' : `  after ${waits.join(', ')}`}`
      return `${colour ? options.paint(colour, name) : name}${cutToWidth(rest, Math.max(20, options.columns - width))}`.trimEnd()
    })
    .join('\n')
    .concat('\n')
}
