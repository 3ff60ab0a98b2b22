// Svg: a graph as one SVG image that needs nothing else.
// Owns: places (by dagre), shapes, colours for light and dark. Does not own: what is shown (graph.ts).
//   V1. Text is escaped: a label cannot become markup. V2. The same graph gives the same bytes: coordinates are rounded, nothing is random.
//   V3. No script, no outside font or style: it opens offline and may be put inside a page.
import { Graph as Dagre, layout } from '@dagrejs/dagre'
import { cutToWidth, displayWidth } from '#base/terminal-text.ts'
import type { TaskStatus } from '#model/report.ts'
import type { Graph } from './graph.ts'

const CHARACTER_WIDTH = 7.8
const LINE_HEIGHT = 18
const PADDING = 12
const MARGIN = 16
const MAX_LABEL_COLUMNS = 40

const style = [
  '.tek-graph{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;--ink:#1c2430;--dim:#5d6b7c;--paper:#fff;--box:#f4f6f9;--edge:#8a97a8;--done:#1a7f4b;--failed:#c0352b;--running:#9a6700}',
  '@media(prefers-color-scheme:dark){.tek-graph{--ink:#e6ebf2;--dim:#9aa7b8;--paper:#14181e;--box:#1f262f;--edge:#67758a;--done:#4cc38a;--failed:#ff7b72;--running:#e3b341}}',
  '.tek-graph rect.paper{fill:var(--paper)}.tek-graph .node rect{fill:var(--box);stroke:var(--edge)}.tek-graph text{fill:var(--ink)}.tek-graph text.note{fill:var(--dim);font-size:11px}',
  '.tek-graph path.edge{fill:none;stroke:var(--edge);stroke-width:1.3}.tek-graph .head{fill:var(--edge)}',
  '.tek-graph .done rect{stroke:var(--done)}.tek-graph .failed rect{stroke:var(--failed);stroke-width:2}.tek-graph .running rect{stroke:var(--running)}.tek-graph .skipped rect,.tek-graph .cancelled rect{stroke-dasharray:4 3}',
].join('')

/**
 * Text made safe for markup (XML 1.0): the five special characters as entities, characters XML cannot hold as U+FFFD.
 *
 * @example
 * escapeXml('a<b & "c"') // 'a&lt;b &amp; &quot;c&quot;'
 */
export function escapeXml(text: string): string {
  return text
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd')
    .replace(/[&<>"']/g, character => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' })[character]!)
}

const round = (value: number): number => Math.round(value * 10) / 10

interface Placed {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** The graph as an SVG document. */
export function drawSvg(graph: Graph): string {
  const dagre = new Dagre()
  dagre.setGraph({ rankdir: 'TB', nodesep: 24, ranksep: 40, marginx: MARGIN, marginy: MARGIN })
  dagre.setDefaultEdgeLabel(() => ({}))
  for (const node of graph.nodes) {
    const columns = Math.max(displayWidth(cutToWidth(node.label, MAX_LABEL_COLUMNS)), displayWidth(cutToWidth(node.note, MAX_LABEL_COLUMNS)) * 0.85)
    dagre.setNode(node.id, { width: Math.round(columns * CHARACTER_WIDTH) + 2 * PADDING, height: LINE_HEIGHT * (node.note === '' ? 1 : 2) + PADDING })
  }
  for (const edge of graph.edges) dagre.setEdge(edge.from, edge.to)
  if (graph.nodes.length > 0) layout(dagre)
  const size = dagre.graph() as { width?: number; height?: number }
  const width = Math.max(120, Math.ceil(size.width ?? 0))
  const height = Math.max(48, Math.ceil(size.height ?? 0))
  const title = escapeXml(graph.title)
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" class="tek-graph" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${title}">`,
    `<title>${title}</title><style>${style}</style>`,
    '<defs><marker id="tek-head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path class="head" d="M0 0 L8 4 L0 8 z"/></marker></defs>',
    `<rect class="paper" width="${width}" height="${height}"/>`,
    ...graph.edges.map(edge => edgePath((dagre.edge(edge.from, edge.to) as { points?: readonly { x: number; y: number }[] }).points ?? [])),
    ...graph.nodes.map(node => box(node.label, node.note, node.status, dagre.node(node.id) as Placed)),
    '</svg>',
  ]
  return `${parts.join('\n')}\n`
}

function edgePath(points: readonly { x: number; y: number }[]): string {
  const d = points.map((point, index) => `${index === 0 ? 'M' : 'L'}${round(point.x)} ${round(point.y)}`).join(' ')
  return `<path class="edge" d="${d}" marker-end="url(#tek-head)"/>`
}

function box(label: string, note: string, status: TaskStatus | null, at: Placed): string {
  const x = round(at.x - at.width / 2)
  const y = round(at.y - at.height / 2)
  const first = round(at.y + (note === '' ? 4.5 : -4))
  return [
    `<g class="node${status ? ` ${status}` : ''}"><title>${escapeXml(note === '' ? label : `${label}: ${note}`)}</title>`,
    `<rect x="${x}" y="${y}" width="${round(at.width)}" height="${round(at.height)}" rx="6"/>`,
    `<text x="${round(at.x)}" y="${first}" text-anchor="middle">${escapeXml(cutToWidth(label, MAX_LABEL_COLUMNS))}</text>`,
    note === '' ? '' : `<text class="note" x="${round(at.x)}" y="${round(at.y + 14)}" text-anchor="middle">${escapeXml(cutToWidth(note, MAX_LABEL_COLUMNS))}</text>`,
    '</g>',
  ].join('')
}
