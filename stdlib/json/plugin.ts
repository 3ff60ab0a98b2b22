// json: reading, writing, taking apart and checking JSON.
// Owns: the tools. Does not own: the walk over values (pointer), the schema check (schema), the limits (limits).
import { definePlugin, pure, t, ToolFailure, z } from 'tek-lang/plugin'
import { canonical } from '../shared/canonical.ts'
import { MAX_TEXT_LENGTH, parseJson, withinDepth, type Json } from './limits.ts'
import { differences, mergePatch, pointerParts, valueAt, withValueAt } from './pointer.ts'
import { schemaProblems } from './schema.ts'

const MAX_LINES = 1_000_000

const value = t.json.describe('The value.')
const pointer = z.string().describe('A JSON Pointer (RFC 6901): `/items/0/name`; "" is the whole value.')

function printed(content: unknown, indent: number): string {
  if (indent < 0 || indent > 10) throw new ToolFailure('bad-indent', 'indent must be from 0 to 10.')
  withinDepth(content)
  const text = JSON.stringify(content, null, indent)
  if (text.length > MAX_TEXT_LENGTH) throw new ToolFailure('too-long', `JSON text is at most ${MAX_TEXT_LENGTH} characters here.`)
  return text
}

export default definePlugin({
  name: 'json',
  version: '1.0.0',
  doc: 'JSON: reading, writing, taking apart, merging, comparing, checking against a schema. At most 10,000,000 characters and 128 deep.',
  tools: {
    parse: pure({
      doc: 'The value that a JSON text stands for.',
      input: { text: z.string().describe('JSON text.') }, output: t.json, runs: 'thread',
      example: 'json.parse("[1, {}]") == [1, {}]',
      run: ({ text }) => parseJson(text),
    }),
    tryParse: pure({
      doc: 'The value that a JSON text stands for, or null when it is not JSON.',
      input: { text: z.string().describe('Perhaps JSON text.') }, output: t.json.nullable(), runs: 'thread',
      example: 'json.tryParse("{oops") == null',
      run: ({ text }) => {
        try {
          return parseJson(text)
        } catch (problem) {
          if (problem instanceof ToolFailure && problem.code === 'not-json') return null
          throw problem
        }
      },
    }),
    print: pure({
      doc: 'A value as JSON text.',
      input: { value, indent: t.int.default(0).describe('Spaces for each level, 0 to 10; 0 is one line.') }, output: z.string(), runs: 'thread',
      example: 'json.print([1, "a"]) == "[1,\\"a\\"]"',
      run: ({ value, indent }) => printed(value, indent),
    }),
    canonical: pure({
      doc: 'A value as JSON text with sorted fields and no white space: equal values have equal text.',
      input: { value }, output: z.string(), runs: 'thread',
      example: 'json.canonical({ b: 1, a: 2 }) == "{\\"a\\":2,\\"b\\":1}"',
      run: ({ value }) => canonical(value),
    }),
    lines: pure({
      doc: 'The values of a text with one JSON value on each line (NDJSON); blank lines are passed over.',
      input: { text: z.string().describe('Lines of JSON.') }, output: z.array(t.json), runs: 'thread',
      example: 'json.lines("1\\n\\n[2]") == [1, [2]]',
      run: ({ text }) => {
        const lines = text.split('\n')
        if (lines.length > MAX_LINES) throw new ToolFailure('too-many', `There are more than ${MAX_LINES} lines.`)
        return lines.flatMap((line, index) => {
          if (line.trim() === '') return []
          try {
            return [parseJson(line)]
          } catch (problem) {
            if (!(problem instanceof ToolFailure)) throw problem
            throw new ToolFailure(problem.code, `Line ${index + 1}: ${problem.message}`)
          }
        })
      },
    }),
    printLines: pure({
      doc: 'Values as text with one JSON value on each line (NDJSON).',
      input: { values: z.array(t.json).describe('The values.') }, output: z.string(), runs: 'thread',
      example: 'json.printLines([1, [2]]) == "1\\n[2]\\n"',
      run: ({ values }) => values.map(one => `${printed(one, 0)}\n`).join(''),
    }),
    get: pure({
      doc: 'What is at a place in a value, or `otherwise` (null unless given) when there is nothing.',
      input: { value, pointer, otherwise: t.json.default(null).describe('The result when nothing is there.') }, output: t.json,
      example: 'json.get({ items: [{ name: "a" }] }, "/items/0/name") == "a"',
      run: ({ value, pointer, otherwise }) => valueAt(value as Json, pointer) ?? otherwise,
    }),
    has: pure({
      doc: 'Whether there is something at a place, null included.',
      input: { value, pointer }, output: z.boolean(),
      example: 'json.has({ a: null }, "/a") == true',
      run: ({ value, pointer }) => valueAt(value as Json, pointer) !== undefined,
    }),
    set: pure({
      doc: 'A copy with another value at a place. Records on the way are made; `-` in a list is its end.',
      input: { value, pointer, replacement: t.json.describe('What to put there.') }, output: t.json,
      example: 'json.set({ a: [1] }, "/a/-", 2) == { a: [1, 2] }',
      run: ({ value, pointer, replacement }) => withValueAt(value as Json, pointer, replacement as Json),
    }),
    merge: pure({
      doc: 'A value changed by a merge patch (RFC 7396): records merge field by field, null removes a field, everything else replaces.',
      input: { value, patch: t.json.describe('The patch.') }, output: t.json, runs: 'thread',
      example: 'json.merge({ a: 1, b: { c: 2 } }, { a: null, b: { d: 3 } }) == { b: { c: 2, d: 3 } }',
      run: ({ value, patch }) => mergePatch(value as Json, patch as Json),
    }),
    diff: pure({
      doc: 'Where two values differ; lists are compared place by place. At most 100,000 differences.',
      input: { before: t.json.describe('The old value.'), after: t.json.describe('The new value.') },
      output: z.array(z.object({ pointer: z.string(), kind: z.enum(['added', 'removed', 'changed']), before: t.json, after: t.json })),
      runs: 'thread',
      example: 'json.diff({ a: 1 }, { a: 2 }) == [{ pointer: "/a", kind: "changed", before: 1, after: 2 }]',
      run: ({ before, after }) => differences(before as Json, after as Json),
    }),
    validate: pure({
      doc: 'Checks a value against a JSON Schema (2020-12; `format` is not checked, references must stay inside the schema). Names at most 100 problems by place.',
      input: { value, schema: t.json.describe('The schema.') },
      output: z.object({ ok: z.boolean(), problems: z.array(z.object({ pointer: z.string(), message: z.string() })) }),
      runs: 'thread',
      example: 'json.validate({ age: "1" }, { properties: { age: { type: "integer" } } }).problems == [{ pointer: "/age", message: "must be integer, is string" }]',
      run: ({ value, schema }) => {
        withinDepth(value)
        const problems = schemaProblems(value as Json, schema as Json)
        return { ok: problems.length === 0, problems }
      },
    }),
    pointer: pure({
      doc: 'The parts of a JSON Pointer, unescaped.',
      input: { pointer }, output: z.array(z.string()),
      example: 'json.pointer("/a~1b/0") == ["a/b", "0"]',
      run: ({ pointer }) => pointerParts(pointer),
    }),
  },
})
