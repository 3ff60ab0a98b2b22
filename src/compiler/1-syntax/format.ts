// Format: a file's text to its canonical text, in one call.
// Owns: leaving a file alone that has a syntax error. Does not own: the layout (print.ts).
import { hasErrors } from '#diagnostics/diagnostic.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import type { SourceFile } from '#model/source.ts'
import { parse } from './parse.ts'
import { print } from './print.ts'

/**
 * The canonical text of a file. With a syntax error the text comes back unchanged, with the diagnostics.
 *
 * @example
 * format({ path: 'a.tek', text: 'const x=1' }).value // 'const x = 1\n'
 */
export function format(source: SourceFile): { value: string; diagnostics: readonly Diagnostic[] } {
  const { value, diagnostics } = parse(source)
  return { value: hasErrors(diagnostics) ? source.text : print(value, source.text), diagnostics }
}
