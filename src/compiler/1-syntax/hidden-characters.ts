// Hidden characters: what stands in a string or comment and is not seen, so that a reviewer reads another program than runs.
// Owns: which characters those are (direction marks and overrides, characters without a shape, controls, tags), and the report.
// Does not own: characters outside of strings and comments, which are strays (lexer.ts).
//   H1. Joiners (U+200C, U+200D) and variation selectors are allowed: scripts and emoji are written with them.
//   H2. One report for each string or comment; in a plain string the fix writes them as escapes, in a comment it takes them out.
// Source: Unicode Technical Report 36 and UAX 9, "Trojan Source" (Boucher and Anderson, 2021).
import { syntaxErrors } from '#diagnostics/catalog/syntax.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import type { Span } from './ast.ts'
import { placeAt, replaceFix } from './problem.ts'

const ONE = '[\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f\\u061c\\u115f\\u1160\\u180e\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f\\u3164\\ufeff\\uffa0\\ufff9-\\ufffb\\u{e0000}-\\u{e007f}]'
const ANY = new RegExp(ONE, 'u')
const RUN = new RegExp(`${ONE}+`, 'gu')

/** What the lexer has read of a text, as far as it matters here. */
interface Read {
  readonly tokens: readonly { readonly startOffset: number; readonly image: string }[]
  readonly comments: readonly Span[]
  readonly problems: Diagnostic[]
}

/** Adds a report for each string or comment with hidden characters (H2). */
export function reportHidden(text: string, { tokens, comments, problems }: Read): void {
  if (!ANY.test(text)) return
  for (const { startOffset, image } of tokens) {
    if (!/^(?:r?"|\})./s.test(image)) continue
    const isRaw = image.startsWith('r')
    report(problems, 'string', text, startOffset, startOffset + image.length, isRaw ? null : escaped)
  }
  for (const { start, end } of comments) report(problems, 'comment', text, start, end, () => '')
}

function report(problems: Diagnostic[], place: 'string' | 'comment', text: string, start: number, end: number, mend: ((run: string) => string) | null): void {
  const runs = [...text.slice(start, end).matchAll(RUN)].map(({ index, 0: run }) => ({ run, start: start + index, end: start + index + run.length }))
  const [first] = runs
  if (first === undefined) return
  const points = runs.flatMap(({ run }) => [...run])
  const character = `U+${hex(points[0]!)}${points.length > 1 ? ` and ${points.length - 1} more` : ''}`
  const edits = mend === null ? [] : runs.flatMap(each => replaceFix('', each.start, each.end, mend(each.run)).edits)
  const fixes = mend === null ? [] : [{ title: place === 'string' ? 'Write it as an escape' : 'Remove it', safe: true, edits }]
  problems.push(syntaxErrors['hidden-character']({ character, place }, { at: placeAt(first.start, first.end), fixes }))
}

function hex(character: string): string {
  return character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')
}

function escaped(run: string): string {
  return [...run].map(each => `\\u{${hex(each)}}`).join('')
}
