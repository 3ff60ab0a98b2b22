// yaml: reading and writing YAML 1.2.
// Owns: the limits, duplicate keys, values that JSON does not have. The grammar is the npm package `yaml`.
//   Y1. Size and depth are checked before the parser runs: deep input would end the process, not throw.
//   Y2. Duplicate keys are found here with a set; the parser's own check is quadratic.
//   Y3. Core schema only: no dates, no custom tags, no merge keys; .nan and .inf are refused because JSON has no such numbers.
import { definePlugin, pure, t, ToolFailure, z } from 'tek-lang/plugin'
import { isMap, isScalar, parseAllDocuments, stringify, visit, type Document } from 'yaml'
import { nestingBound } from './depth.ts'

const MAX_TEXT_LENGTH = 1_000_000
const MAX_DEPTH = 64
const MAX_DOCUMENTS = 10_000
const MAX_ALIASES = 100

function lineOf(text: string, offset: number): number {
  let line = 1
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line++
  return line
}

function refuseDuplicates(document: Document.Parsed, text: string): void {
  visit(document, {
    Map: (_, map) => {
      const seen = new Set<string>()
      for (const pair of map.items) {
        if (!isScalar(pair.key)) continue
        const name = String(pair.key.value)
        if (seen.has(name)) throw new ToolFailure('duplicate-key', `Line ${lineOf(text, pair.key.range?.[0] ?? 0)}: the key \`${name.slice(0, 100)}\` stands twice in one map.`)
        seen.add(name)
      }
    },
    Pair: (_, pair) => {
      if (isMap(pair.key) || (pair.key !== null && typeof pair.key === 'object' && !isScalar(pair.key))) {
        throw new ToolFailure('bad-key', 'A key must be a single value; lists and maps as keys have no place in JSON.')
      }
    },
  })
}

/** `around` are the lists and maps that hold the value. */
function asJson(value: unknown, around: readonly unknown[] = []): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new ToolFailure('not-a-number', '.nan and .inf have no place in JSON.')
  if (value === undefined) return null
  if (value === null || typeof value !== 'object') return value
  if (around.includes(value)) throw new ToolFailure('circular', 'An alias stands within what it names; the value would have no end.')
  const inside = [...around, value]
  if (Array.isArray(value)) return value.map(each => asJson(each, inside))
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, asJson(child, inside)]))
}

function parseDocuments(text: string): unknown[] {
  if (text.length > MAX_TEXT_LENGTH) throw new ToolFailure('too-long', `YAML text is at most ${MAX_TEXT_LENGTH} characters here.`)
  if (nestingBound(text) > MAX_DEPTH) throw new ToolFailure('too-deep', `YAML is at most ${MAX_DEPTH} levels deep here.`) // Y1
  const documents = parseAllDocuments(text, { version: '1.2', schema: 'core', uniqueKeys: false, merge: false, prettyErrors: false, logLevel: 'silent' })
  if (!Array.isArray(documents)) return []
  if (documents.length > MAX_DOCUMENTS) throw new ToolFailure('too-many', `There are more than ${MAX_DOCUMENTS} documents.`)
  return documents.map(document => {
    const problem = document.errors[0]
    if (problem !== undefined) throw new ToolFailure('not-yaml', `Line ${lineOf(text, problem.pos[0])}: ${problem.message}.`)
    refuseDuplicates(document, text) // Y2
    try {
      return asJson(document.toJS({ maxAliasCount: MAX_ALIASES })) // Y3
    } catch (problem) {
      if (problem instanceof ToolFailure) throw problem
      throw new ToolFailure('not-yaml', `The text cannot be read: ${(problem as Error).message.slice(0, 200)}.`)
    }
  })
}

function withinDepth(value: unknown, depth: number): void {
  if (depth > MAX_DEPTH) throw new ToolFailure('too-deep', `YAML is at most ${MAX_DEPTH} levels deep here.`)
  if (value !== null && typeof value === 'object') for (const child of Object.values(value)) withinDepth(child, depth + 1)
}

export default definePlugin({
  name: 'yaml',
  version: '1.0.0',
  doc: 'YAML 1.2 (core schema). At most 1,000,000 characters, 64 levels and 100 aliases; duplicate keys are refused.',
  tools: {
    parse: pure({
      doc: 'The value of a YAML text with one document; empty text is null.',
      input: { text: z.string().describe('YAML text.') }, output: t.json, runs: 'thread',
      example: 'yaml.parse("a: 1\\nb: [x, yes]") == { a: 1, b: ["x", "yes"] }',
      run: ({ text }) => {
        const documents = parseDocuments(text)
        if (documents.length > 1) throw new ToolFailure('many-documents', `The text holds ${documents.length} documents.`, { help: 'Use yaml.parseAll.' })
        return documents[0] ?? null
      },
    }),
    parseAll: pure({
      doc: 'The values of all documents of a YAML text, which `---` parts.',
      input: { text: z.string().describe('YAML text.') }, output: z.array(t.json), runs: 'thread',
      example: 'yaml.parseAll("1\\n---\\n2") == [1, 2]',
      run: ({ text }) => parseDocuments(text),
    }),
    print: pure({
      doc: 'A value as YAML text.',
      input: { value: t.json.describe('The value.'), indent: t.int.default(2).describe('Spaces for each level, 1 to 10.') }, output: z.string(), runs: 'thread',
      example: 'yaml.print({ a: [1, "yes"] }) == "a:\\n  - 1\\n  - yes\\n"',
      run: ({ value, indent }) => {
        if (indent < 1 || indent > 10) throw new ToolFailure('bad-indent', 'indent must be from 1 to 10.')
        withinDepth(value, 0)
        const text = stringify(value, { version: '1.2', schema: 'core', indent, lineWidth: 0, aliasDuplicateObjects: false })
        if (text.length > MAX_TEXT_LENGTH) throw new ToolFailure('too-long', `YAML text is at most ${MAX_TEXT_LENGTH} characters here.`)
        return text
      },
    }),
  },
})
