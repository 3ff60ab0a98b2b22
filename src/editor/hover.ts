// Hover: what is known of the thing under the pointer: its declaration, type, trust, authority, worst case, doc.
// Owns: the text, in Markdown. Does not own: what stands there (occurrences.ts), drawing (the editor).
//   V1. Code is fenced as tek, so that editors colour it; docs are shown as written, without being read as HTML.
import type { Compiled } from '#compiler/compile.ts'
import type { AstNode, Span } from '#compiler/1-syntax/ast.ts'
import { walk } from '#compiler/1-syntax/visit.ts'
import { placeIn, type Unit } from '#compiler/2-resolve/program.ts'
import type { FunctionSignature, ParamSignature } from '#model/signature.ts'
import type { Place } from '#model/source.ts'
import type { Type } from '#model/type.ts'
import { qualifiersWithin } from '#types/construct.ts'
import { printType } from '#types/print.ts'
import { fileOf, occurrenceAt, type Occurrence, type Target } from './occurrences.ts'

/** Characters of a doc that are shown. */
const MAX_DOC_LENGTH = 4_000
const MAX_HEAD_LENGTH = 600

export interface Hover {
  readonly at: Place
  readonly markdown: string
}

/**
 * What is known of the place, or null.
 *
 * @param all the occurrences of that file.
 * @param offset UTF-16 code units from the start of the file.
 */
export function hoverAt(checked: Compiled, path: string, all: readonly Occurrence[], offset: number): Hover | null {
  const found = occurrenceAt(all, offset)
  if (found !== null) return { at: found.at, markdown: markdownOf(checked, found.target) }
  const expression = typedAt(checked, path, offset)
  return expression === null ? null : { at: expression.at, markdown: fenced(printType(expression.type, { expand: true })) }
}

export function markdownOf(checked: Compiled, target: Target): string {
  switch (target.kind) {
    case 'function':
      return ofFunction(target.module, target.signature)
    case 'module':
      return `module \`${target.name}\``
    case 'symbol': {
      const { symbol } = target
      const facts = checked.facts.get(symbol.unit)
      const asks = facts?.grants?.map(each => each.name) ?? []
      return parts(fenced(headOf(symbol.unit)), symbol.declaration.doc, asks.length === 0 ? '' : `asks for \`${[...new Set(asks)].join('`, `')}\``)
    }
    default: {
      const type = typeOf(checked, target)
      const word = target.kind === 'param' ? '' : target.kind === 'task' ? 'task ' : 'let '
      return parts(fenced(`${word}${target.name}${type === null ? '' : `: ${printType(type)}`}`), docOf(target), type !== null && qualifiersWithin(type).untrusted ? 'holds text from outside' : '')
    }
  }
}

function ofFunction(module: string, signature: FunctionSignature): string {
  const does = signature.effect === 'pure' ? '' : signature.effect === 'read' ? 'looks at the world' : 'changes the world'
  const needs = signature.needs.map(({ grant, args }) => `\`${grant}(${args.map(arg => ('param' in arg ? arg.param : JSON.stringify(arg.literal))).join(', ')})\``)
  const params = signature.params.filter(each => each.doc !== '').map(each => `- \`${each.name}\`: ${each.doc}`)
  return parts(
    fenced(signatureText(module, signature)), signature.doc, params.join('\n'),
    [does, needs.length === 0 ? '' : `needs ${needs.join(', ')}`, signature.untrusted ? 'gives text from outside' : ''].filter(each => each !== '').join(' · '),
    signature.example === undefined ? '' : fenced(signature.example),
  )
}

/** `text.count(text: string, part: string) -> int`. */
export function signatureText(module: string, { name, params, result }: FunctionSignature): string {
  return `${module}.${name}(${params.map(paramText).join(', ')}) -> ${printType(result)}`
}

export function paramText({ name, type, optional, rest }: ParamSignature): string {
  return `${rest === true ? '…' : ''}${name}${optional ? '?' : ''}: ${printType(type)}`
}

/** The declaration up to its body, on one line. */
export function headOf({ file, item, declaration }: Unit): string {
  const text = file.text.slice(item.offset + declaration.start, item.offset + declaration.end)
  const isBody = declaration.kind === 'workflow' || declaration.kind === 'agent' || declaration.kind === 'loop' || declaration.kind === 'test'
  const head = isBody ? text.slice(0, bodyStart(text)) : text
  const withoutDoc = head.replace(/^\s*(?:\/\/\/.*\n\s*)*/, '').trim()
  return withoutDoc.length > MAX_HEAD_LENGTH ? `${withoutDoc.slice(0, MAX_HEAD_LENGTH)} …` : withoutDoc
}

/** Where the `{` of the body stands: the first that is outside of every bracket and no type's. */
function bodyStart(text: string): number {
  const line = /\{[^{}\n]*\n/.exec(text)
  const depthAt = (end: number): number => [...text.slice(0, end)].reduce((depth, each) => depth + (each === '(' ? 1 : each === ')' ? -1 : 0), 0)
  for (let at = line?.index ?? -1; at !== -1; at = text.indexOf('{', at + 1)) if (depthAt(at) === 0) return at
  return text.length
}

function typeOf(checked: Compiled, target: Extract<Target, { unit: Unit }>): Type | null {
  const facts = checked.facts.get(target.unit)
  const { declaration } = target.unit
  if (facts === undefined) return null
  if (target.kind === 'task') return facts.workflow?.nodes.find(each => each.name === target.name)?.seen ?? null
  if (target.kind === 'param' && (declaration.kind === 'workflow' || declaration.kind === 'prompt')) {
    const param = declaration.params.find(each => each.name.text === target.name)
    const known = param === undefined ? undefined : facts.types.get(param.type)
    if (known !== undefined) return known
  }
  for (const [node, ref] of facts.refs) if ((ref.kind === 'local' || ref.kind === 'param') && ref.name === target.name) return facts.types.get(node) ?? null
  return null
}

function docOf({ unit: { declaration }, kind, name }: Extract<Target, { unit: Unit }>): string {
  if (declaration.kind !== 'workflow') return ''
  if (kind === 'param') return declaration.params.find(each => each.name.text === name)?.doc ?? ''
  return declaration.body.find((each): each is Extract<typeof each, { kind: 'task' | 'let' }> => (each.kind === 'task' || each.kind === 'let') && each.name.text === name)?.doc ?? ''
}

/** The smallest expression around a place whose type is known. */
function typedAt(checked: Compiled, path: string, offset: number): { readonly at: Place; readonly type: Type } | null {
  const unit = fileOf(checked, path)?.units.find(each => each.item.offset + each.declaration.start <= offset && offset <= each.item.offset + each.declaration.end)
  const types = unit === undefined ? undefined : checked.facts.get(unit)?.types
  if (unit === undefined || types === undefined) return null
  let best: (AstNode & Span) | null = null
  walk(unit.declaration, node => {
    const [start, end] = [unit.item.offset + node.start, unit.item.offset + node.end]
    if (offset < start || end < offset) return false
    if (types.has(node)) best = node
    return true
  })
  return best === null ? null : { at: placeIn(unit, best), type: types.get(best)! }
}

function fenced(code: string): string {
  return `\`\`\`tek\n${code}\n\`\`\``
}

function parts(...all: readonly string[]): string {
  return all.filter(each => each !== '').map(each => (each.length > MAX_DOC_LENGTH ? `${each.slice(0, MAX_DOC_LENGTH)}…` : each)).join('\n\n')
}
