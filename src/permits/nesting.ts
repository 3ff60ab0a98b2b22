// Nesting: how deep a YAML text may nest at most, found before the parser, which is recursive, sees it.
// Owns: the bound, made of the words the library's own lexer finds (it is not recursive). Does not own: what is done with it (permits-file.ts).
//   N1. The bound may be too high, never too low: a level is counted where one may begin, and given up only where it surely ends.
//   N2. Block levels: columns that rise from line to line, and each `- `, `? ` and `: `. Flow levels: brackets open, and each `: ` since a comma.
import { CST, Lexer } from 'yaml'

/** After these the line's first value is still to come. */
const marks = new Set<string | null>(['seq-item-ind', 'explicit-key-ind', 'map-value-ind', 'anchor', 'tag', 'doc-start'])

/** An upper bound of the levels of a YAML text; stops counting above `enough`. */
export function nestingBound(text: string, enough: number): number {
  const columns: number[] = []
  let [deepest, open, colons, column, isLineStart] = [0, 0, 0, 0, true]
  for (const word of new Lexer().lex(text)) {
    const kind = CST.tokenType(word)
    if (kind === 'newline') {
      ;[column, isLineStart] = [0, true]
      continue
    }
    if (kind === 'flow-seq-start' || kind === 'flow-map-start') open++
    else if ((kind === 'flow-seq-end' || kind === 'flow-map-end') && open > 0) open--
    if (kind === 'doc-mode' || kind === 'byte-order-mark') continue // they have no width
    if (kind === 'map-value-ind' && open === 0 && !isLineStart) columns.push(column)
    colons = kind === 'map-value-ind' && open > 0 ? colons + 1 : kind === 'comma' || open === 0 ? 0 : colons
    if (isLineStart && kind !== 'space' && kind !== 'comment') {
      while (columns.length > 0 && columns.at(-1)! >= column) columns.pop()
      columns.push(column)
      isLineStart = marks.has(kind)
    }
    column += word.length
    deepest = Math.max(deepest, columns.length + open + colons)
    if (deepest > enough) return deepest
  }
  return deepest
}
