// Depth: how deep a YAML text may nest, found by a scan before the parser sees it (the parser is recursive).
// Owns: an upper bound of the nesting. It may be too high for odd text (levels inside a block of literal text count too), never too low.
//   D1. Block levels: columns that rise from line to line, and each `- `, `? ` or `: ` at a line's start. Flow levels: open brackets outside quotes.

const LEADING_MARK = /^(?:[-?:](?=[ \t]|$)|[&!][^\s]*)[ \t]*/

/** Upper bound of the nesting of a YAML text. */
export function nestingBound(text: string): number {
  const columns: number[] = []
  let [deepest, flow, quote] = [0, 0, '']
  for (const line of text.split(/\r\n|\n|\r/)) {
    if (quote === '' && flow === 0 && line.trim() !== '' && !line.trimStart().startsWith('#')) {
      let column = line.length - line.trimStart().length
      let rest = line.slice(column)
      while (columns.length > 0 && (columns[columns.length - 1] ?? 0) >= column) columns.pop()
      columns.push(column)
      for (let mark = LEADING_MARK.exec(rest); mark !== null && mark[0] !== ''; mark = LEADING_MARK.exec(rest)) {
        column += mark[0].length
        rest = rest.slice(mark[0].length)
        columns.push(column)
      }
    }
    for (let i = 0; i < line.length; i++) {
      const character = line[i] ?? ''
      if (quote === '"' && character === '\\') i++
      else if (quote !== '') {
        if (character === quote) quote = ''
      } else if ((character === '"' || character === "'") && /^$|[\s[{,:-]$/.test(line.slice(Math.max(0, i - 1), i))) quote = character
      else if (character === '#' && (i === 0 || /\s/.test(line[i - 1] ?? ''))) break
      else if (character === '[' || character === '{') flow++
      else if ((character === ']' || character === '}') && flow > 0) flow--
      deepest = Math.max(deepest, columns.length + flow)
    }
    deepest = Math.max(deepest, columns.length + flow)
  }
  return deepest
}
