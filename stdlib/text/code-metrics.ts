// Code metrics: how branchy and how long a piece of source code is, from its tokens alone.
// Owns: taking comments and strings out of code of the usual languages, and counting what is left.
//   K1. One pass, no parsing: the numbers are comparable between files of one language, not a proof of anything.
//   K2. Complexity is 1 + one for each place where control may go two ways: if, elif, for, while, until, unless, case, when, catch, except, rescue,
//       `&&`, `||`, `??`, `and`, `or`, and the `?` of a conditional.

export type Family = 'c' | 'hash' | 'dash'

const FAMILY_BY_LANGUAGE: Readonly<Record<string, Family>> = {
  python: 'hash', py: 'hash', ruby: 'hash', rb: 'hash', shell: 'hash', sh: 'hash', bash: 'hash', perl: 'hash', pl: 'hash', r: 'hash', yaml: 'hash', yml: 'hash',
  toml: 'hash', elixir: 'hash', ex: 'hash', exs: 'hash', make: 'hash', dockerfile: 'hash', sql: 'dash', lua: 'dash', haskell: 'dash', hs: 'dash', elm: 'dash', ada: 'dash',
}

/** The comment style of a language, by its name or file extension; everything unknown is taken for a C-like language. */
const familyOf = (language: string): Family => FAMILY_BY_LANGUAGE[language.toLowerCase().replace(/^\./, '')] ?? 'c'

const TOKENS: Readonly<Record<Family, RegExp>> = {
  c: /\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|"(?:\\[\s\S]|[^"\\\n])*"?|'(?:\\[\s\S]|[^'\\\n])*'?|`(?:\\[\s\S]|[^`\\])*`?/g,
  hash: /#[^\n]*|"""[\s\S]*?(?:"""|$)|'''[\s\S]*?(?:'''|$)|"(?:\\[\s\S]|[^"\\\n])*"?|'(?:\\[\s\S]|[^'\\\n])*'?/g,
  dash: /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|\{-[\s\S]*?(?:-\}|$)|"(?:\\[\s\S]|[^"\\\n])*"?|'(?:\\[\s\S]|[^'\\\n])*'?/g,
}
const isComment = (token: string): boolean => /^(?:\/\/|\/\*|#|--|\{-)/.test(token)
const blank = (token: string): string => token.replace(/[^\n]+/g, ' ')
const BRANCH = /\b(?:if|elif|elsif|elseif|for|foreach|while|until|unless|case|when|catch|except|rescue|and|or)\b|&&|\|\||\?\?/g
const CONDITIONAL = /\?(?![?.:,)>=\]])/g

export interface CodeMetrics {
  lines: number
  code: number
  comment: number
  blank: number
  longestLine: number
  nesting: number
  complexity: number
}

export function codeMetrics(source: string, language: string): CodeMetrics {
  const family = familyOf(language)
  const commentLines = new Set<number>()
  let [line, seen] = [0, 0]
  const stripped = source.replace(TOKENS[family], (token: string, offset: number) => {
    for (; seen < offset; seen++) if (source.charCodeAt(seen) === 10) line++
    if (!isComment(token)) return token.startsWith('`') || token.length > 1 ? `"${blank(token)}"` : token
    let at = line
    for (const part of token.split('\n')) {
      if (part.trim() !== '') commentLines.add(at)
      at++
    }
    return blank(token)
  })
  const rows = source.split('\n')
  const codeRows = stripped.split('\n')
  if (rows[rows.length - 1] === '') {
    rows.pop()
    codeRows.pop()
  }
  const metrics: CodeMetrics = { lines: rows.length, code: 0, comment: 0, blank: 0, longestLine: 0, nesting: 0, complexity: 1 }
  rows.forEach((row, index) => {
    metrics.longestLine = Math.max(metrics.longestLine, row.trimEnd().length)
    if ((codeRows[index] ?? '').trim() !== '') metrics.code++
    else if (commentLines.has(index)) metrics.comment++
    else metrics.blank++
  })
  metrics.complexity += (stripped.match(BRANCH)?.length ?? 0) + (family === 'c' ? (stripped.replace(/\?\?/g, '  ').match(CONDITIONAL)?.length ?? 0) : 0)
  metrics.nesting = family === 'c' ? braceDepth(stripped) : indentDepth(codeRows)
  return metrics
}

function braceDepth(code: string): number {
  let [depth, deepest] = [0, 0]
  for (let i = 0; i < code.length; i++) {
    const unit = code.charCodeAt(i)
    if (unit === 123) deepest = Math.max(deepest, ++depth)
    else if (unit === 125 && depth > 0) depth--
  }
  return deepest
}

function indentDepth(rows: readonly string[]): number {
  const open: number[] = []
  let deepest = 0
  for (const row of rows) {
    if (row.trim() === '') continue
    const indent = row.length - row.trimStart().length
    while (open.length > 0 && (open[open.length - 1] ?? 0) >= indent) open.pop()
    if (indent > 0) open.push(indent)
    deepest = Math.max(deepest, open.length)
  }
  return deepest
}
