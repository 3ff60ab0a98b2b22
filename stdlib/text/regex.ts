// Regex: RE2 expressions over text, with positions in code points.
// Owns: compiling (cached), searching, replacing. Does not own: what a tool calls it.
//   R1. RE2 semantics: time grows linearly with the text whatever the expression is; no back-references, no look-around.
//   R2. Positions seen by programs count code points, as all strings of the language do.
import { RE2JS } from 're2js'
import { ToolFailure } from 'tek-lang/plugin'

const MAX_PATTERN_LENGTH = 10_000
const MAX_CACHED_PATTERNS = 200
const cache = new Map<string, RE2JS>()

export interface Found {
  text: string
  start: number
  end: number
  groups: (string | null)[]
  named: Record<string, string>
}

export function compilePattern(pattern: string, ignoreCase = false): RE2JS {
  if (pattern.length > MAX_PATTERN_LENGTH) throw new ToolFailure('bad-pattern', `The pattern is longer than ${MAX_PATTERN_LENGTH} characters.`)
  const key = `${ignoreCase ? 'i' : '-'}${pattern}`
  const known = cache.get(key)
  if (known !== undefined) return known
  let compiled: RE2JS
  try {
    compiled = RE2JS.compile(pattern, ignoreCase ? RE2JS.CASE_INSENSITIVE : 0)
  } catch (problem) {
    throw new ToolFailure('bad-pattern', `The pattern \`${pattern.slice(0, 200)}\` is not a regular expression: ${(problem as Error).message}.`, {
      help: 'Patterns are RE2: no back-references and no look-around. Write them as raw strings, r"\\d+".',
    })
  }
  if (cache.size >= MAX_CACHED_PATTERNS) cache.clear()
  cache.set(key, compiled)
  return compiled
}

/** Turns offsets in UTF-16 units, asked for in rising order, into code points. */
function codePointCounter(text: string): (offset: number) => number {
  if (!/[\ud800-\udbff]/.test(text)) return offset => offset
  let [units, points] = [0, 0]
  return offset => {
    for (; units < offset; points++) units += (text.codePointAt(units) ?? 0) > 0xffff ? 2 : 1
    return points
  }
}

/** Matches from left to right, not overlapping; at most `limit`, and `more` says that there were more. */
export function findMatches(text: string, pattern: RE2JS, limit: number): { found: Found[]; more: boolean } {
  const matcher = pattern.matcher(text)
  const position = codePointCounter(text)
  const names = Object.keys(pattern.namedGroups())
  const groupCount = matcher.groupCount()
  const found: Found[] = []
  while (matcher.find()) {
    if (found.length >= limit) return { found, more: true }
    const start = position(matcher.start())
    const groups: (string | null)[] = []
    for (let group = 1; group <= groupCount; group++) groups.push(matcher.group(group) ?? null)
    const named = Object.fromEntries(names.map(name => [name, matcher.group(name) ?? '']))
    found.push({ text: matcher.group() ?? '', start, end: position(matcher.end()), groups, named })
  }
  return { found, more: false }
}

const REFERENCE = /\$(?:(\$)|(\d{1,2})|<([A-Za-z_][A-Za-z0-9_]*)>)?/g

/** What stands for a match: `$1` and `$<name>` are groups (empty where they took no part), `$0` all of it, `$$` a dollar sign. */
function replacementFor(template: string, pattern: RE2JS): (matcher: ReturnType<RE2JS['matcher']>) => string {
  const names = pattern.namedGroups()
  const pieces: (string | number)[] = []
  let from = 0
  const wrong = (what: string) => new ToolFailure('bad-replacement', `The replacement mentions ${what}, which the pattern does not have.`, { help: 'Write $$ for a dollar sign.' })
  for (const found of template.matchAll(REFERENCE)) {
    const [whole, dollar, number, name] = found
    pieces.push(template.slice(from, found.index))
    from = found.index + whole.length
    const group = number !== undefined ? Number(number) : name !== undefined && Object.hasOwn(names, name) ? names[name] : undefined
    if (dollar !== undefined) pieces.push('$')
    else if (group === undefined || group > pattern.groupCount()) throw wrong(`\`${whole}\``)
    else pieces.push(group)
  }
  pieces.push(template.slice(from))
  return matcher => pieces.map(piece => (typeof piece === 'string' ? piece : (matcher.group(piece) ?? ''))).join('')
}

/** The text with every match replaced. Stops with a failure when the result grows beyond `maxLength`. */
export function replaceMatches(text: string, pattern: RE2JS, template: string, maxLength: number): string {
  const matcher = pattern.matcher(text)
  const replacement = replacementFor(template, pattern)
  const pieces: string[] = []
  let [from, length] = [0, 0]
  while (matcher.find()) {
    const piece = text.slice(from, matcher.start()) + replacement(matcher)
    from = matcher.end()
    length += piece.length
    if (length > maxLength) throw new ToolFailure('too-long', `The text is longer than ${maxLength} characters.`)
    pieces.push(piece)
  }
  return pieces.join('') + text.slice(from)
}

/** True when the pattern is plain text, so that searching for it needs no engine. */
export const isPlain = (pattern: string): boolean => pattern !== '' && !/[\\^$.|?*+()[\]{}]/.test(pattern)
