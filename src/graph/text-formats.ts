// Text formats: a graph as Mermaid and as Graphviz DOT, for tools that draw them.
// Owns: quoting in both. Does not own: layout, which is the tool's.
//   F1. Names become numbers (`t0`), labels are quoted: no name of a task can break the text or mean something in it.
import { neutralise } from '#base/terminal-text.ts'
import type { Graph } from './graph.ts'

const labelOf = (label: string, note: string): string => neutralise(note === '' ? label : `${label}\n${note}`)

const mermaidClasses = [
  '  classDef done stroke:#1a7f4b', '  classDef failed stroke:#c0352b,stroke-width:3px', '  classDef running stroke:#9a6700',
  '  classDef skipped stroke-dasharray:4 3', '  classDef cancelled stroke-dasharray:4 3',
]

/** Mermaid flowchart text (mermaid.js.org, flowchart syntax). */
export function drawMermaid(graph: Graph): string {
  const ids = new Map(graph.nodes.map((node, index) => [node.id, `t${index}`]))
  // Mermaid reads entity codes `#…;` inside quotes; every character with a meaning is written as one.
  const quote = (text: string): string => `"${text.replace(/[#"<>&`\\;{}|[\]]/g, character => `#${character.codePointAt(0)};`).replace(/\n/g, '<br/>')}"`
  const lines = [
    'flowchart TD',
    ...graph.nodes.map(node => `  ${ids.get(node.id)}[${quote(labelOf(node.label, node.note))}]${node.status ? `:::${node.status}` : ''}`),
    ...graph.edges.map(edge => `  ${ids.get(edge.from)} --> ${ids.get(edge.to)}`),
  ]
  if (graph.nodes.some(node => node.status)) lines.push(...mermaidClasses)
  return `${lines.join('\n')}\n`
}

/** DOT text (Graphviz, the DOT language). */
export function drawDot(graph: Graph): string {
  const ids = new Map(graph.nodes.map((node, index) => [node.id, `t${index}`]))
  const quote = (text: string): string => `"${text.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n')}"`
  const colour: Readonly<Record<string, string>> = { done: ', color="#1a7f4b"', failed: ', color="#c0352b", penwidth=2', running: ', color="#9a6700"', skipped: ', style="rounded,dashed"', cancelled: ', style="rounded,dashed"' }
  return [
    `digraph ${quote(graph.title)} {`,
    '  rankdir=TB',
    '  node [shape=box, style=rounded, fontname="monospace"]',
    ...graph.nodes.map(node => `  ${ids.get(node.id)} [label=${quote(labelOf(node.label, node.note))}${node.status ? (colour[node.status] ?? '') : ''}]`),
    ...graph.edges.map(edge => `  ${ids.get(edge.from)} -> ${ids.get(edge.to)}`),
    '}',
    '',
  ].join('\n')
}
