// Outline: what a file declares, and what of it can be folded.
// Owns: symbols with the parts within them, foldable stretches. Does not own: how an editor shows them.
import { parse, type ParseCache } from '#compiler/1-syntax/parse.ts'
import type { Declaration, Item, Name, Span } from '#compiler/1-syntax/ast.ts'
import type { Place } from '#model/source.ts'

export type OutlineKind = 'module' | 'type' | 'const' | 'secret' | 'capability' | 'model' | 'prompt' | 'workflow' | 'agent' | 'loop' | 'test' | 'task' | 'param' | 'field' | 'stage'

export interface OutlineEntry {
  readonly name: string
  readonly kind: OutlineKind
  readonly at: Place
  /** Of its name. */
  readonly nameAt: Place
  readonly children: readonly OutlineEntry[]
}

/**
 * The declarations of a file, in order, with their tasks, fields and stages.
 *
 * @example
 * outlineOf({ path: 'a.tek', text: 'const x = 1' })[0].name // 'x'
 */
export function outlineOf(source: { readonly path: string; readonly text: string }, cache?: ParseCache): OutlineEntry[] {
  return parse(source, cache).value.items.flatMap(item => entryOf(source.path, item))
}

function entryOf(path: string, { offset, declaration }: Item): OutlineEntry[] {
  const at = (span: Span): Place => ({ path, start: offset + span.start, end: offset + span.end })
  const entry = (name: string, kind: OutlineKind, span: Span, named: Span, children: readonly OutlineEntry[] = []): OutlineEntry => ({ name, kind, at: at(span), nameAt: at(named), children })
  const inner = childrenOf(declaration).map(([name, kind, span, named]) => entry(name, kind, span, named))
  switch (declaration.kind) {
    case 'type': case 'const': case 'secret': case 'capability': case 'model': case 'prompt': case 'workflow': case 'agent': case 'loop':
      return declaration.name.text === '' ? [] : [entry(declaration.name.text, declaration.kind, declaration, declaration.name, inner)]
    case 'test':
      return [entry(declaration.name.kind === 'string-literal' ? declaration.name.value : 'test', 'test', declaration, declaration.name, inner)]
    case 'use': {
      const alias = declaration.what.kind === 'file' ? null : declaration.what.kind === 'module' ? (declaration.what.alias ?? declaration.what.path.parts.at(-1) ?? null) : declaration.what.alias
      return alias === null ? [] : [entry(alias.text, 'module', declaration, alias)]
    }
    default:
      return []
  }
}

function childrenOf(declaration: Declaration): [string, OutlineKind, Span, Name][] {
  switch (declaration.kind) {
    case 'workflow': case 'test':
      return declaration.body.flatMap((each): [string, OutlineKind, Span, Name][] => (each.kind === 'task' || each.kind === 'let' ? [[each.name.text, 'task', each, each.name]] : []))
    case 'type':
      return declaration.type.kind === 'type-record' ? declaration.type.fields.map(each => [each.name.text, 'field', each, each.name]) : []
    case 'loop':
      return declaration.body.flatMap((each): [string, OutlineKind, Span, Name][] => (each.kind === 'stage' ? [[each.stage, 'stage', each, each.name]] : []))
    default:
      return []
  }
}

/** Stretches of more than one line that can be folded: declarations, and runs of comment lines. */
export function foldsOf(source: { readonly path: string; readonly text: string }, cache?: ParseCache): { readonly start: number; readonly end: number; readonly kind: 'code' | 'comment' }[] {
  const { text } = source
  const isLong = ({ start, end }: { start: number; end: number }): boolean => text.slice(start, end).includes('\n')
  const code = parse(source, cache).value.items.map(({ offset, declaration }) => ({ start: offset + declaration.start, end: offset + declaration.end, kind: 'code' as const }))
  const comments = [...text.matchAll(/^[ \t]*\/\/.*(?:\n[ \t]*\/\/.*)+/gm)].map(({ index, 0: { length } }) => ({ start: index, end: index + length, kind: 'comment' as const }))
  return [...code, ...comments].filter(isLong).sort((a, b) => a.start - b.start)
}
