// Node: what programs hold before it is printed: a text, an element, a table, or a drawing, all plain data.
// Owns: reading nodes. A program may write nodes itself: everything is checked here, when it is printed, so that a forged one gains nothing.
//   N1. Nodes nest at most MAX_NESTING deep.
import { ToolFailure } from 'tek-lang/plugin'
import { checkedSvg } from './drawing.ts'
import { element, escapeHtml, type Html } from './markup.ts'
import { tableHtml, type Row } from './table.ts'

const MAX_NESTING = 64

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => value !== null && typeof value === 'object' && !Array.isArray(value)

function wrong(what: string): never {
  throw new ToolFailure('not-a-node', `${what} cannot stand in a page.`, { help: 'Use texts, html.element, html.table and html.drawing.' })
}

export function nodeHtml(node: unknown, depth = 0): Html {
  if (depth > MAX_NESTING) throw new ToolFailure('too-deep', `A page is nested more than ${MAX_NESTING} deep.`) // N1
  if (typeof node === 'string') return { html: escapeHtml(node) }
  if (typeof node === 'number' || typeof node === 'boolean') return { html: escapeHtml(String(node)) }
  if (node === null || node === undefined) return { html: '' }
  if (!isRecord(node)) return wrong('A list')
  if (typeof node['svg'] === 'string') return checkedSvg(node['svg'])
  if (Array.isArray(node['rows'])) {
    const columns = Array.isArray(node['columns']) ? node['columns'].map(String) : []
    if (!node['rows'].every(isRecord)) return wrong('A table whose rows are not records')
    return tableHtml(node['rows'] as Row[], columns, typeof node['caption'] === 'string' ? node['caption'] : '')
  }
  if (typeof node['tag'] !== 'string') return wrong('A record without `tag`, `rows` or `svg`')
  const attributes = isRecord(node['attributes']) ? Object.fromEntries(Object.entries(node['attributes']).map(([name, value]) => [name, String(value)])) : {}
  const children = Array.isArray(node['children']) ? node['children'] : []
  return element(node['tag'], attributes, children.map(child => nodeHtml(child, depth + 1)))
}
