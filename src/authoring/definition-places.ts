// Definition places: where in the TypeScript a tool, a parameter or a grant is defined, and what its code visibly does.
// Owns: reading text with comments and texts put aside, and matching brackets. Does not own: TypeScript: what cannot be read this way is not judged.
//   D1. Nothing here is believed to be complete: no place is better than a wrong one, and code that hands its context on may do anything.
import type { Place } from '#model/source.ts'

const MAX_TEXT_LENGTH = 2_000_000

export interface DefinitionSource {
  /** As shown to people. */
  readonly path: string
  readonly text: string
  /** The same length, with what stands in comments, texts and patterns as spaces. */
  readonly code: string
}

export function definitionSource(path: string, text: string): DefinitionSource {
  return { path, text, code: text.length > MAX_TEXT_LENGTH ? ' '.repeat(text.length) : codeOf(text) }
}

/** Code alone: brackets and names that stand in it are code. */
function codeOf(text: string): string {
  const out = [...text.split('')]
  const blank = (from: number, to: number): void => {
    for (let at = from; at < to && at < out.length; at++) if (out[at] !== '\n') out[at] = ' '
  }
  let at = 0
  let last = '' // the last character of code that is no space: tells a pattern from a division
  while (at < text.length) {
    const [here, next] = [text[at]!, text[at + 1]]
    if (here === '/' && (next === '/' || next === '*')) {
      const end = next === '/' ? text.indexOf('\n', at) : text.indexOf('*/', at + 2)
      const to = end < 0 ? text.length : next === '/' ? end : end + 2
      blank(at, to)
      at = to
      continue
    }
    if (here === '"' || here === "'" || here === '`' || (here === '/' && /[(,=:[!&|?{};\n>]/.test(last === '' ? '\n' : last))) {
      const to = endOfText(text, at, here)
      blank(at + 1, to - 1)
      last = '"'
      at = to
      continue
    }
    if (!/\s/.test(here)) last = here
    at++
  }
  return out.join('')
}

/** Behind the closing sign. Of a template, what stands in `${…}` counts as text: it is only looked at for names. */
function endOfText(text: string, start: number, sign: string): number {
  let inClass = false
  for (let at = start + 1; at < text.length; at++) {
    const here = text[at]!
    if (here === '\\') at++
    else if (sign === '/' && here === '[') inClass = true
    else if (sign === '/' && here === ']') inClass = false
    else if (here === sign && !inClass) return at + 1
    else if (here === '\n' && sign !== '`') return at
  }
  return text.length
}

export interface ToolPlace {
  readonly name: Place
  readonly makes: 'pure' | 'reads' | 'writes'
  /** Of `run`, as they are written. */
  readonly params: readonly { readonly text: string; readonly at: Place }[]
  readonly source: DefinitionSource
  /** The brackets of its definition. */
  readonly start: number
  readonly end: number
}

/** Where a tool is made, `NAME: pure({ … })`; null where that is nowhere, or in two places. */
export function toolPlace(sources: readonly DefinitionSource[], name: string): ToolPlace | null {
  const found = sources.flatMap(source => [...source.code.matchAll(new RegExp(`(?<![\\w$.])(${name})(?:\\s*:\\s*|\\s*=\\s*)(pure|reads|writes)\\s*\\(`, 'g'))].flatMap((match): ToolPlace[] => {
    const open = match.index + match[0].length - 1
    const end = closing(source.code, open)
    if (end === null) return []
    return [{ name: { path: source.path, start: match.index, end: match.index + name.length }, makes: match[2] as ToolPlace['makes'], params: paramsOf(source, open, end), source, start: open, end }]
  }))
  return found.length === 1 ? found[0]! : null
}

/** Where a word is a key of an object: a parameter within its tool, a grant. */
export function keyPlace(sources: readonly DefinitionSource[], name: string, within: ToolPlace | null = null): Place | null {
  for (const source of within === null ? sources : [within.source]) {
    const pattern = new RegExp(`(?<![\\w$.])${name}(?=\\s*:)`, 'g')
    pattern.lastIndex = within?.start ?? 0
    const match = pattern.exec(source.code)
    if (match !== null && match.index < (within?.end ?? Infinity)) return { path: source.path, start: match.index, end: match.index + name.length }
  }
  return null
}

/** Where a grant or a model is: a key within `grants: { … }`, or wherever else it is one. */
export function partPlace(sources: readonly DefinitionSource[], section: 'grants' | 'models', name: string): Place | null {
  for (const source of sources) {
    const head = new RegExp(`(?<![\\w$.])${section}\\s*:\\s*\\{`).exec(source.code)
    const end = head === null ? null : closing(source.code, head.index + head[0].length - 1)
    if (head === null || end === null) continue
    const match = new RegExp(`(?<![\\w$.])${name}(?=\\s*[:,}])`).exec(source.code.slice(head.index + head[0].length, end + 1))
    if (match === null) continue
    const start = head.index + head[0].length + match.index
    return { path: source.path, start, end: start + name.length }
  }
  return keyPlace(sources, name)
}

/** Index of the bracket that closes the one at `open`. */
function closing(code: string, open: number): number | null {
  let depth = 0
  for (let at = open; at < code.length; at++) {
    if ('([{'.includes(code[at]!)) depth++
    else if (')]}'.includes(code[at]!) && --depth === 0) return at
  }
  return null
}

function paramsOf(source: DefinitionSource, from: number, to: number): ToolPlace['params'] {
  const { code, path } = source
  const head = /(?<![\w$.])run\s*(?::\s*(?:async\s*)?(?:function\s*\w*\s*)?)?\(/g
  head.lastIndex = from
  const match = head.exec(code)
  if (match === null || match.index > to) return []
  const open = match.index + match[0].length - 1
  const end = closing(code, open)
  if (end === null) return []
  const found: { text: string; at: Place }[] = []
  let depth = 0
  let begun = open + 1
  for (let at = open + 1; at <= end; at++) {
    const here = code[at]!
    if ((here === ',' && depth === 0) || at === end) {
      const text = code.slice(begun, at)
      const start = begun + text.length - text.trimStart().length
      if (text.trim() !== '') found.push({ text: text.trim(), at: { path, start, end: start + text.trim().length } })
      begun = at + 1
    } else if ('([{<'.includes(here)) depth++
    else if (')]}'.includes(here) || (here === '>' && code[at - 1] !== '=')) depth--
  }
  return found
}

export type ActionKind = 'fs.read' | 'fs.write' | 'net' | 'exec' | 'env'

export interface VisibleActions {
  readonly found: readonly { readonly kind: ActionKind; readonly text: string; readonly at: Place }[]
  /** The context is handed on, or taken apart: there may be more. // D1 */
  readonly isComplete: boolean
}

const fileReads: ReadonlySet<string> = new Set(['readText', 'readBytes', 'stat', 'list', 'glob'])
const kinds: Readonly<Record<string, ActionKind>> = { fetch: 'net', run: 'exec', env: 'env' }

/** What a tool's code does with its context. */
export function visibleActions(tool: ToolPlace): VisibleActions {
  const context = /^[A-Za-z_$][\w$]*/.exec(tool.params[1]?.text ?? '')?.[0]
  if (tool.params.length > 0 && tool.params.length < 2) return { found: [], isComplete: true }
  if (context === undefined) return { found: [], isComplete: false }
  const { code, path } = tool.source
  const found: VisibleActions['found'][number][] = []
  let isComplete = true
  const pattern = new RegExp(`(?<![\\w$.])${context.replaceAll('$', '\\$')}(?![\\w$])(?:\\s*\\??\\.\\s*(\\w+)(?:\\s*\\??\\.\\s*(\\w+))?)?`, 'g')
  pattern.lastIndex = tool.params[1]!.at.end
  for (let match = pattern.exec(code); match !== null && match.index < tool.end; match = pattern.exec(code)) {
    const [, first, second] = match
    if (first === undefined || (first === 'files' && second === undefined)) isComplete = false
    const kind = first === 'files' ? (second === undefined ? undefined : fileReads.has(second) ? 'fs.read' : 'fs.write') : Object.hasOwn(kinds, first ?? '') ? kinds[first!] : undefined
    const text = first === 'files' ? `context.files.${second}` : `context.${first}`
    if (kind !== undefined) found.push({ kind, text, at: { path, start: match.index, end: match.index + match[0].length } })
  }
  return { found, isComplete: isComplete && !hasTemplateUse(tool, context) }
}

/** Texts were put aside; the context may be used in a template. */
function hasTemplateUse({ source, start, end }: ToolPlace, context: string): boolean {
  return new RegExp(`\\$\\{[^}]*(?<![\\w$])${context.replaceAll('$', '\\$')}(?![\\w$])`).test(source.text.slice(start, end))
}
