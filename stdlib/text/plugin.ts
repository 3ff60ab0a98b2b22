// text: strings, regular expressions, source code as text.
// Owns: the tools. Does not own: the engines behind them (regex, words, compare, code-metrics, duplicates, grep).
//   T1. Everything counts code points. T2. Input texts are at most MAX_TEXT_LENGTH; results too.
import { definePlugin, pure, reads, t, ToolFailure, z } from 'tek-lang/plugin'
import { codeMetrics } from './code-metrics.ts'
import { editDistance, lineDifference, linesOf, similarity, unifiedDifference } from './compare.ts'
import { findDuplicates } from './duplicates.ts'
import { grepFiles } from './grep.ts'
import { compilePattern, findMatches, replaceMatches } from './regex.ts'
import { camelCase, capitalized, dedented, nameParts, pascalCase, titleCase, wordsOf, wrapped } from './words.ts'

const MAX_TEXT_LENGTH = 10_000_000
const MAX_WIDTH = 100_000
const MAX_MATCHES = 1_000_000

const text = z.string().describe('The text.')
const part = z.string().describe('The text to look for, taken literally.')
const pattern = z.string().describe('A regular expression (RE2); `^` and `$` are the ends of the text.')
const ignoreCase = z.boolean().default(false).describe('Take upper and lower case for the same.')
const width = t.int.describe('Width in code points.')
const foundType = z.object({
  text: z.string(), start: t.int, end: t.int,
  groups: z.array(z.string().nullable()).describe('The groups in order; null where a group took no part.'),
  named: t.map(z.string()).describe('The named groups.'),
})

function bounded(result: string): string {
  if (result.length > MAX_TEXT_LENGTH) throw new ToolFailure('too-long', `The text is longer than ${MAX_TEXT_LENGTH} characters.`)
  return result
}

function boundedWidth(value: number): number {
  if (value < 0 || value > MAX_WIDTH) throw new ToolFailure('bad-width', `The width must be from 0 to ${MAX_WIDTH}.`)
  return value
}

function nonEmpty(value: string, what: string): string {
  if (value === '') throw new ToolFailure('empty', `${what} may not be empty.`)
  return value
}

/** Slice by code points without making a list when there are only single units. */
function sliced(value: string, start: number, end: number | undefined): string {
  return /[\ud800-\udbff]/.test(value) ? [...value].slice(start, end).join('') : value.slice(start, end)
}

const codePointIndex = (value: string, units: number): number | null => (units < 0 ? null : [...value.slice(0, units)].length)

function filler(value: string, wanted: number, fill: string): string {
  const missing = boundedWidth(wanted) - [...value].length
  if (missing <= 0) return ''
  const pieces = [...nonEmpty(fill, 'fill')]
  return Array.from({ length: missing }, (_, index) => pieces[index % pieces.length]).join('')
}

const nameCase = (doc: string, example: string, of: (text: string) => string) =>
  pure({ doc, input: { text }, output: z.string(), example, run: ({ text }) => of(bounded(text)) })

const pad = (doc: string, example: string, of: (text: string, width: number, fill: string) => string) =>
  pure({
    doc, example, output: z.string(),
    input: { text, width, fill: z.string().default(' ').describe('What to fill with, repeated.') },
    run: ({ text, width, fill }) => bounded(of(text, width, fill)),
  })

const searching = {
  count: pure({
    doc: 'How often a text occurs, without overlaps.',
    input: { text, part },
    output: t.int,
    example: 'text.count("a b a", "a") == 2',
    run: ({ text, part }) => {
      nonEmpty(part, 'part')
      let [count, at] = [0, text.indexOf(part)]
      for (; at >= 0; at = text.indexOf(part, at + part.length)) count++
      return count
    },
  }),
  contains: pure({
    doc: 'Whether a text occurs in another.',
    input: { text, part }, output: z.boolean(),
    example: 'text.contains("review", "view") == true',
    run: ({ text, part }) => text.includes(part),
  }),
  startsWith: pure({
    doc: 'Whether a text begins with another.',
    input: { text, part }, output: z.boolean(),
    example: 'text.startsWith("review", "re") == true',
    run: ({ text, part }) => text.startsWith(part),
  }),
  endsWith: pure({
    doc: 'Whether a text ends with another.',
    input: { text, part }, output: z.boolean(),
    example: 'text.endsWith("a.ts", ".ts") == true',
    run: ({ text, part }) => text.endsWith(part),
  }),
  indexOf: pure({
    doc: 'Where a text first occurs, counted from 0, or null.',
    input: { text, part }, output: t.int.nullable(),
    example: 'text.indexOf("👍 yes", "yes") == 2',
    run: ({ text, part }) => codePointIndex(text, text.indexOf(part)),
  }),
  lastIndexOf: pure({
    doc: 'Where a text last occurs, counted from 0, or null.',
    input: { text, part }, output: t.int.nullable(),
    example: 'text.lastIndexOf("a/b/c", "/") == 3',
    run: ({ text, part }) => codePointIndex(text, text.lastIndexOf(part)),
  }),
  matches: pure({
    doc: 'Whether a regular expression matches somewhere in the text; anchor it with `^` and `$` to match all of it.',
    input: { text, pattern, ignoreCase }, output: z.boolean(), runs: 'thread',
    example: 'text.matches("v12", r"^v\\d+$") == true',
    run: ({ text, pattern, ignoreCase }) => compilePattern(pattern, ignoreCase).matcher(bounded(text)).find(),
  }),
  find: pure({
    doc: 'The first match of a regular expression, or null.',
    input: { text, pattern, ignoreCase }, output: foundType.nullable(), runs: 'thread',
    example: 'text.find("a=1", r"(\\w)=(?P<value>\\d)") == { text: "a=1", start: 0, end: 3, groups: ["a", "1"], named: { value: "1" } }',
    run: ({ text, pattern, ignoreCase }) => findMatches(bounded(text), compilePattern(pattern, ignoreCase), 1).found[0] ?? null,
  }),
  findAll: pure({
    doc: 'All matches of a regular expression, from left to right, without overlaps; at most 1,000,000.',
    input: { text, pattern, ignoreCase }, output: z.array(foundType), runs: 'thread',
    example: 'map(text.findAll("1 and 22", r"\\d+"), m => m.text) == ["1", "22"]',
    run: ({ text, pattern, ignoreCase }) => {
      const { found, more } = findMatches(bounded(text), compilePattern(pattern, ignoreCase), MAX_MATCHES)
      if (more) throw new ToolFailure('too-many', `There are more than ${MAX_MATCHES} matches.`)
      return found
    },
  }),
  replaceRegex: pure({
    doc: 'Replaces every match. In the replacement `$1` or `$<name>` stands for a group, `$0` for the whole match and `$$` for a dollar sign.',
    input: { text, pattern, replacement: z.string().describe('What to put there.'), ignoreCase }, output: z.string(), runs: 'thread',
    example: 'text.replaceRegex("Ada Lovelace", r"(\\w+) (\\w+)", "$2, $1") == "Lovelace, Ada"',
    run: ({ text, pattern, replacement, ignoreCase }) => bounded(replaceMatches(bounded(text), compilePattern(pattern, ignoreCase), replacement, MAX_TEXT_LENGTH)),
  }),
  splitRegex: pure({
    doc: 'The pieces between the matches of a regular expression.',
    input: { text, pattern, ignoreCase }, output: z.array(z.string()), runs: 'thread',
    example: 'text.splitRegex("a, b;c", r"[,;]\\s*") == ["a", "b", "c"]',
    run: ({ text, pattern, ignoreCase }) => {
      const matcher = compilePattern(pattern, ignoreCase).matcher(bounded(text))
      const pieces: string[] = []
      let from = 0
      while (matcher.find()) {
        if (matcher.end() === matcher.start()) continue
        pieces.push(text.slice(from, matcher.start()))
        from = matcher.end()
      }
      return [...pieces, text.slice(from)]
    },
  }),
}

const shaping = {
  lines: pure({
    doc: 'The lines of a text, without their line ends; a line end at the very end makes no further line.',
    input: { text }, output: z.array(z.string()),
    example: 'text.lines("a\\r\\nb\\n") == ["a", "b"]',
    run: ({ text }) => linesOf(text),
  }),
  words: pure({
    doc: 'The words of a text in any script, without punctuation.',
    input: { text }, output: z.array(z.string()),
    example: 'text.words("It\'s done, isn\'t it?") == ["It\'s", "done", "isn\'t", "it"]',
    run: ({ text }) => wordsOf(bounded(text)),
  }),
  slice: pure({
    doc: 'The part from one position to before another; negative positions count from the end.',
    input: { text, start: t.int.describe('First position, from 0.'), end: t.int.optional().describe('Position after the last one; the end unless given.') },
    output: z.string(),
    example: 'text.slice("abcdef", -3, -1) == "de"',
    run: ({ text, start, end }) => sliced(text, start, end),
  }),
  padStart: pad('Fills up on the left to a width.', 'text.padStart("7", 3, "0") == "007"', (value, to, fill) => filler(value, to, fill) + value),
  padEnd: pad('Fills up on the right to a width.', 'text.padEnd("ab", 4, ".") == "ab.."', (value, to, fill) => value + filler(value, to, fill)),
  center: pad('Fills up on both sides to a width; an odd one goes to the right.', 'text.center("ab", 5, "*") == "*ab**"', (value, to, fill) => {
    const missing = Math.max(0, boundedWidth(to) - [...value].length)
    const left = Math.floor(missing / 2)
    return filler('', left, fill) + value + filler('', missing - left, fill)
  }),
  wrap: pure({
    doc: 'Breaks lines at spaces so that they are at most `width` wide; a longer word stays whole.',
    input: { text, width: t.int.default(80).describe('Width in code points.') }, output: z.string(),
    example: 'text.wrap("one two three", 7) == "one two\\nthree"',
    run: ({ text, width }) => wrapped(bounded(text), Math.max(1, boundedWidth(width))),
  }),
  indent: pure({
    doc: 'Puts a prefix before each line that is not empty.',
    input: { text, prefix: z.string().default('  ').describe('What to put in front.') }, output: z.string(),
    example: 'text.indent("a\\nb", "> ") == "> a\\n> b"',
    run: ({ text, prefix }) => bounded(text.split('\n').map(line => (line === '' ? line : prefix + line)).join('\n')),
  }),
  dedent: pure({
    doc: 'Removes the white space that all lines have in front.',
    input: { text }, output: z.string(),
    example: 'text.dedent("  a\\n    b") == "a\\n  b"',
    run: ({ text }) => dedented(text),
  }),
  truncate: pure({
    doc: 'The text, or its beginning with a mark when it is longer than `max`; the result is never longer than `max`.',
    input: { text, max: t.int.describe('Greatest length in code points.'), mark: z.string().default('…').describe('Put where text was cut.') },
    output: z.string(),
    example: 'text.truncate("abcdef", 4) == "abc…"',
    run: ({ text, max, mark }) => {
      if (max < 0) throw new ToolFailure('bad-width', 'max must not be negative.')
      const points = [...text]
      if (points.length <= max) return text
      const tail = [...mark].slice(0, max)
      return points.slice(0, max - tail.length).join('') + tail.join('')
    },
  }),
  repeat: pure({
    doc: 'The text several times; the result is at most 10,000,000 characters.',
    input: { text, times: t.int.describe('How often, 0 or more.') }, output: z.string(),
    example: 'text.repeat("ab", 3) == "ababab"',
    run: ({ text, times }) => {
      if (times < 0) throw new ToolFailure('bad-count', 'times must not be negative.')
      if (text.length * times > MAX_TEXT_LENGTH) throw new ToolFailure('too-long', `The text would be longer than ${MAX_TEXT_LENGTH} characters.`)
      return text.repeat(times)
    },
  }),
  reverse: pure({
    doc: 'The text from back to front, by code points.',
    input: { text }, output: z.string(),
    example: 'text.reverse("a👍b") == "b👍a"',
    run: ({ text }) => [...text].reverse().join(''),
  }),
  normalize: pure({
    doc: 'Unicode normalization, so that equal-looking text is equal.',
    input: { text, form: z.enum(['NFC', 'NFD', 'NFKC', 'NFKD']).default('NFC').describe('The Unicode normalization form.') }, output: z.string(),
    example: 'text.normalize("e\\u{301}") == "é"',
    run: ({ text, form }) => bounded(text.normalize(form)),
  }),
  collapse: pure({
    doc: 'Removes white space at both ends and makes each run of white space one space.',
    input: { text }, output: z.string(),
    example: 'text.collapse("  a \\n b ") == "a b"',
    run: ({ text }) => text.trim().replace(/\s+/g, ' '),
  }),
  toBytes: pure({
    doc: 'The UTF-8 bytes of a text.',
    input: { text }, output: t.bytes, runs: 'thread',
    example: 'text.fromBytes(text.toBytes("é")) == "é"',
    run: ({ text }) => Buffer.from(bounded(text), 'utf8').toString('base64'),
  }),
  fromBytes: pure({
    doc: 'The text of UTF-8 bytes; fails when they are not UTF-8.',
    input: { bytes: t.bytes.describe('The bytes.') }, output: z.string(), runs: 'thread',
    example: 'text.fromBytes(text.toBytes("")) == ""',
    run: ({ bytes }) => {
      try {
        return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(bounded(bytes), 'base64'))
      } catch {
        throw new ToolFailure('not-utf8', 'The bytes are not UTF-8 text.')
      }
    },
  }),
  capitalize: nameCase('Makes the first letter upper case.', 'text.capitalize("ada lovelace") == "Ada lovelace"', capitalized),
  title: nameCase('Makes the first letter of each word upper case, the rest lower case.', 'text.title("ada LOVELACE") == "Ada Lovelace"', titleCase),
  camel: nameCase('A name in camelCase.', 'text.camel("parse HTTP-url") == "parseHttpUrl"', camelCase),
  pascal: nameCase('A name in PascalCase.', 'text.pascal("parse_http_url") == "ParseHttpUrl"', pascalCase),
  kebab: nameCase('A name in kebab-case.', 'text.kebab("parseHTTPUrl") == "parse-http-url"', value => nameParts(value).join('-')),
  snake: nameCase('A name in snake_case.', 'text.snake("parseHTTPUrl") == "parse_http_url"', value => nameParts(value).join('_')),
}

const comparing = {
  diff: pure({
    doc: 'How two texts differ, line by line. Beyond 5,000 changed lines it is everything out and everything in.',
    input: { before: z.string().describe('The old text.'), after: z.string().describe('The new text.') },
    output: z.object({ added: t.int, removed: t.int, lines: z.array(z.object({ kind: z.enum(['same', 'added', 'removed']), text: z.string() })) }),
    runs: 'thread',
    example: 'text.diff("a\\nb", "a\\nc").added == 1',
    run: ({ before, after }) => {
      const lines = lineDifference(bounded(before), bounded(after))
      const count = (kind: string) => lines.reduce((sum, line) => sum + (line.kind === kind ? 1 : 0), 0)
      return { added: count('added'), removed: count('removed'), lines }
    },
  }),
  unified: pure({
    doc: 'The difference of two texts in the form of `diff -u`; "" when they are equal.',
    input: {
      before: z.string().describe('The old text.'), after: z.string().describe('The new text.'),
      name: z.string().default('text').describe('The name in the head.'), context: t.int.default(3).describe('Equal lines shown around a change.'),
    },
    output: z.string(), runs: 'thread',
    example: 'text.unified("a\\n", "b\\n", "x") == "--- x\\n+++ x\\n@@ -1,1 +1,1 @@\\n-a\\n+b\\n"',
    run: ({ before, after, name, context }) => unifiedDifference(bounded(before), bounded(after), { before: name, after: name }, boundedWidth(context)),
  }),
  similarity: pure({
    doc: 'How alike two texts are, from 0 to 1: the share of neighbouring letter pairs they have in common (Sørensen–Dice), whatever the case.',
    input: { a: z.string().describe('One text.'), b: z.string().describe('The other text.') }, output: z.number(), runs: 'thread',
    example: 'text.similarity("night", "nacht") == 0.25',
    run: ({ a, b }) => similarity(bounded(a), bounded(b)),
  }),
  distance: pure({
    doc: 'How many letters must be put in, taken out or changed to make one text into the other (Levenshtein); for texts of at most 5,000 characters.',
    input: { a: z.string().describe('One text.'), b: z.string().describe('The other text.') }, output: t.int, runs: 'thread',
    example: 'text.distance("kitten", "sitting") == 3',
    run: ({ a, b }) => editDistance(a, b),
  }),
}

const code = {
  complexity: pure({
    doc: 'How many ways control may take through source code: 1, and one more for each if, loop, case, catch, `&&`, `||`, `??`, `and`, `or` and conditional `?` outside comments and strings. Comparable between files of one language.',
    input: { source: z.string().describe('The source code.'), language: z.string().default('').describe('Name or extension of the language, for its comments; C-like unless known.') },
    output: t.int, runs: 'thread',
    example: 'text.complexity("if (a && b) { c() } // if") == 3',
    run: ({ source, language }) => codeMetrics(bounded(source), language).complexity,
  }),
  metrics: pure({
    doc: 'Lines of code, comments and blank lines, the longest line, the deepest nesting (brackets, or indentation) and the complexity of source code.',
    input: { source: z.string().describe('The source code.'), language: z.string().default('').describe('Name or extension of the language, for its comments; C-like unless known.') },
    output: z.object({ lines: t.int, code: t.int, comment: t.int, blank: t.int, longestLine: t.int, nesting: t.int, complexity: t.int }),
    runs: 'thread',
    example: 'text.metrics("// a\\n\\nb()\\n").comment == 1',
    run: ({ source, language }) => codeMetrics(bounded(source), language),
  }),
  duplicates: pure({
    doc: 'Runs of lines that stand in more than one place, the costliest first, at most 1,000. White space at the ends, blank lines and lines without a letter or digit do not count.',
    input: {
      files: z.array(z.object({ file: t.path, text: z.string() })).describe('The files with their text.'),
      minLines: t.int.default(6).describe('Shortest run, in lines that count; at least 2.'),
    },
    output: z.array(z.object({ lines: t.int, places: z.array(z.object({ file: t.path, line: t.int, endLine: t.int })), sample: z.string() })),
    runs: 'thread',
    example: 'map(text.duplicates([{ file: "a", text: "x\\ny" }, { file: "b", text: "x\\ny" }], 2), d => d.lines) == [2]',
    run: ({ files, minLines }) => {
      if (minLines < 2 || minLines > 10_000) throw new ToolFailure('bad-count', 'minLines must be from 2 to 10,000.')
      return findDuplicates(files, minLines)
    },
  }),
  grep: reads({
    doc: 'The lines of files that match a regular expression, in the order of the files. Files that are not text are passed over.',
    input: {
      paths: z.array(t.path).describe('The files, for example from fs.glob.'),
      pattern: z.string().describe('A regular expression (RE2), matched against each line.'),
      ignoreCase,
      limit: t.int.default(10_000).describe('Fail when more lines match; at most 1,000,000.'),
    },
    output: z.array(z.object({ file: t.path, line: t.int, column: t.int, text: t.untrusted(z.string()) })),
    needs: { 'fs.read': ['$paths'] },
    runs: 'thread',
    run: ({ paths, pattern, ignoreCase, limit }, context) => {
      if (limit < 1 || limit > MAX_MATCHES) throw new ToolFailure('bad-limit', `limit must be from 1 to ${MAX_MATCHES}.`)
      return grepFiles(paths, pattern, { ignoreCase, limit }, context)
    },
  }),
}

export default definePlugin({
  name: 'text',
  version: '1.0.0',
  doc: 'Text: searching, regular expressions (RE2), shaping, comparing, and source code as text. Positions count code points.',
  tools: { ...searching, ...shaping, ...comparing, ...code },
})
