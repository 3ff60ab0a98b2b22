// Outside: types and values at tek's edges: JSON Schema, validation, flags, money.
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Type, Value } from '#model/type.ts'
import { t } from '#plugin-api/schemas.ts'
import { fromJsonValue, parseArgument, printArgument, toJsonValue } from '#types/codec.ts'
import { listOf, optional, recordOf, sameType, union } from '#types/construct.ts'
import { fromJsonSchema, toJsonSchema, UnsupportedSchema, type JsonSchema } from '#types/json-schema.ts'
import { printType } from '#types/print.ts'
import { validate } from '#types/validate.ts'
import { types, values } from './random-types.ts'

const int: Type = { kind: 'int' }
const money: Type = { kind: 'money' }

describe('json schema', () => {
  test('there and back is the same type', () => {
    fc.assert(fc.property(types({ records: true, maps: true, qualifiers: true }), type => {
      const back = fromJsonSchema(JSON.parse(JSON.stringify(toJsonSchema(type))) as JsonSchema)
      expect(printType(back)).toBe(printType(type))
      expect(sameType(back, type)).toBe(true)
    }), { numRuns: 1000 })
  })
  test('labels, docs, functions and variables survive', () => {
    const type: Type = recordOf({ f: { type: int, optional: true, doc: 'Line.' }, g: { kind: 'function', params: [{ kind: 'variable', name: 'T' }], result: money } }, 'Finding')
    expect(fromJsonSchema(toJsonSchema(type))).toEqual(type)
  })
  test('validate agrees with zod', () => {
    fc.assert(fc.property(types({ records: true, maps: true }), values, (type, value) => {
      // zod keeps no own `__proto__`, and counts a text's length in UTF-16 units.
      fc.pre(!JSON.stringify(toJsonSchema(type)).includes('__proto__'))
      fc.pre(!JSON.stringify(value).includes('😀'))
      const zod = z.fromJSONSchema(toJsonSchema(type) as never).safeParse(value).success
      expect(validate(type, value) === null, `${printType(type)} of ${JSON.stringify(value)}`).toBe(zod)
    }), { numRuns: 2000 })
  })
  const fromZod: [string, z.ZodType, string][] = [
    ['int', z.int(), 'int'],
    ['range', z.int().min(0).max(10), 'int(0..10)'],
    ['exclusive', z.int().gt(0), 'int(min: 1)'],
    ['enum or null', z.enum(['a', 'b']).nullable(), '"a" | "b" | null'],
    ['tuple of types', z.union([z.string(), z.boolean(), z.null()]), 'string | bool | null'],
    ['map', t.map(t.duration), 'map<duration>'],
    ['record', z.object({ a: t.path, b: t.size.optional() }), '{ a: path, b?: size }'],
    ['variable', z.array(t.variable('T')), 'T[]'],
    ['untrusted', t.untrusted(z.string()), 'untrusted string'],
    ['untrusted and marked', t.untrusted(t.path), 'untrusted path'],
    ['secret', t.secret(z.string()), 'secret string'],
    ['money', t.money, 'money'],
    ['json and any', z.array(z.union([t.json])), 'json[]'],
    ['any', t.any, 'any'],
    ['refinement', z.string().regex(/^[a-z]+$/).max(8), 'string(matches: r"^[a-z]+$", max: 8)'],
    ['named', z.object({ a: z.object({ q: t.int }).meta({ id: 'Shared' }), b: z.array(z.object({})) }), '{ a: Shared, b: {}[] }'],
    ['choice by field', z.discriminatedUnion('k', [z.object({ k: z.literal('a') }), z.object({ k: z.literal('b') })]), '{ k: "a" } | { k: "b" }'],
  ]
  test.each(fromZod)('reads what zod writes: %s', (_, schema, printed) => {
    expect(printType(fromJsonSchema(z.toJSONSchema(schema) as JsonSchema))).toBe(printed)
  })

  const recursive: z.ZodType = z.object({ get children(): z.ZodType { return z.array(recursive) } })
  test.each<[string, JsonSchema, RegExp]>([
    ['recursion', z.toJSONSchema(recursive) as JsonSchema, /holds itself/],
    ['a tuple', z.toJSONSchema(z.tuple([z.string(), z.int()])) as JsonSchema, /prefixItems/],
    ['look-ahead', { type: 'string', pattern: '^(?!x)' }, /looking ahead/],
    ['a foreign reference', { $ref: 'https://example.com/a' }, /leads outside/],
    ['a field of unknown type', { type: 'object', properties: { a: { type: 'date' } } }, /at \/properties\/a/],
    ['typed rest', { type: 'object', properties: { a: {} }, additionalProperties: { type: 'string' } }, /fields beside/],
  ])('refuses %s', (_, schema, reason) => {
    expect(() => fromJsonSchema(schema)).toThrow(UnsupportedSchema)
    expect(() => fromJsonSchema(schema)).toThrow(reason)
  })
})

describe('validate', () => {
  const finding = recordOf({ file: { kind: 'path' }, line: int, severity: union([{ kind: 'literal', value: 'low' }, { kind: 'literal', value: 'high' }]) }, 'Finding')
  test.each<[Type, unknown, string, string]>([
    [listOf(finding), [{ file: 'a', line: 'x', severity: 'low' }], '[0].line', 'int is needed, the text "x" is given'],
    [finding, { file: 'a', line: 1 }, '', 'the field `severity` ("low" | "high") is missing'],
    [int, 2 ** 53, '', 'int is needed, 9007199254740992 is given'],
    [{ kind: 'float' }, Number.NaN, '', 'float is needed, NaN is given'],
    [{ kind: 'string', maxLength: 2 }, '😀😀😀', '', 'the text is longer than 2 characters'],
    [{ kind: 'string' }, '\ud800', '', 'the text holds half of a character (a lone surrogate)'],
    [{ kind: 'any' }, { a: { b: () => 1 } }, 'a.b', 'plain data is needed, something that is not data is given'],
    [{ kind: 'json' }, [new Date(0)], '[0]', 'plain data is needed, something that is not data is given'],
    [{ kind: 'map', value: int }, { 'a b': 1.5 }, '["a b"]', 'int is needed, 1.5 is given'],
    [finding, { file: 'a', line: 1, severity: 'low', extra: [undefined] }, 'extra[0]', 'plain data is needed, nothing is given'],
    [optional(finding), { file: 'a', line: null, severity: 'low' }, 'line', 'int is needed, null is given'],
  ])('%j of %j', (type, value, path, message) => expect(validate(type, value)).toEqual({ path, message }))

  test('megabytes of base64', () => {
    expect(validate({ kind: 'bytes' }, 'A'.repeat(16_000_000))).toBeNull()
    expect(validate({ kind: 'bytes' }, 'A'.repeat(15_999_999))).not.toBeNull()
  })
  test('text is measured by code point', () => expect(validate({ kind: 'string', maxLength: 3 }, '😀😀😀')).toBeNull())
  test('nesting has a limit', () => {
    let deep: unknown = 1
    for (let level = 0; level < 100_000; level++) deep = [deep]
    expect(validate({ kind: 'json' }, deep)?.message).toBe('the value is nested too deep')
    expect(validate({ kind: 'json' }, [[1]], { depth: 1 })?.message).toBe('the value is nested too deep')
    expect(validate({ kind: 'json' }, [[1]], { depth: 2 })).toBeNull()
  })
})

test('a value that holds itself, or one part over and over, comes to an end', () => {
  let twice: unknown = 1
  for (let level = 0; level < 100; level++) twice = [twice, twice]
  expect(validate({ kind: 'json' }, twice)?.message).toBe('the value has too many parts')
  const itself: Record<string, unknown> = {}
  itself['a'] = itself
  expect(validate({ kind: 'json' }, itself)?.message).toBe('the value is nested too deep')
})

describe('flags', () => {
  test.each<[Type, string | string[], unknown]>([
    [{ kind: 'duration' }, '5m', 300_000],
    [{ kind: 'duration' }, '1.5h', 5_400_000],
    [{ kind: 'size' }, '2MB', 2_097_152],
    [{ kind: 'tokens' }, '200k', 200_000],
    [money, '$0.50', 500_000],
    [money, '1.234567', 1_234_567],
    [{ kind: 'bool' }, 'true', true],
    [int, '-1_000', -1000],
    [{ kind: 'float' }, '80%', 0.8],
    [listOf(int), ['1', '2'], [1, 2]],
    [listOf(int), '[1, 2]', [1, 2]],
    [listOf({ kind: 'string' }), 'a', ['a']],
    [optional(int), 'null', null],
    [union([int, { kind: 'string' }]), '5', 5],
    [union([int, { kind: 'string' }]), 'five', 'five'],
    [{ kind: 'untrusted', of: { kind: 'string' } }, 'x', 'x'],
    [recordOf({ a: money }), '{"a": "0.5"}', { a: 500_000 }],
    [union([{ kind: 'literal', value: 'low' }, { kind: 'literal', value: 'high' }]), 'low', 'low'],
  ])('%j from %j', (type, text, value) => expect(parseArgument(type, text)).toEqual({ value }))

  test.each<[Type, Value, string]>([
    [{ kind: 'duration' }, 300_000, '5m'], [{ kind: 'duration' }, 1500, '1500ms'], [{ kind: 'duration' }, 0, '0ms'], [{ kind: 'size' }, 65_536, '64KB'], [{ kind: 'size' }, 100, '100B'],
    [{ kind: 'tokens' }, 1000, '1k'], [{ kind: 'tokens' }, 1001, '1001'], [money, 500_000, '$0.50'], [money, -500_000, '-$0.50'], [int, 5, '5'], [listOf(int), [1], '[1]'],
  ])('prints %j %j as %j, which reads as the same', (type, value, text) => {
    expect(printArgument(type, value)).toBe(text)
    expect(parseArgument(type, text)).toEqual({ value })
  })

  test.each<[Type, string | string[], RegExp]>([
    [{ kind: 'duration' }, '5min', /250ms, 5s/],
    [int, '1.5', /a whole number is needed, "1.5" is given/],
    [int, ['1', '2'], /given 2 times/],
    [{ kind: 'int', max: 3 }, '4', /4 is above 3/],
    [money, '$1.2345678', /six decimals/],
    [recordOf({ a: int }), '{a', /as JSON/],
    [int, '9007199254740993', /int is needed/],
  ])('refuses %j from %j', (type, text, why) => {
    const read = parseArgument(type, text)
    expect('problem' in read && read.problem).toMatch(why)
  })
})

describe('money', () => {
  test('there and back', () => {
    fc.assert(fc.property(fc.integer({ min: -9e15, max: 9e15 }), micros => {
      expect(fromJsonValue(money, toJsonValue(money, micros))).toEqual({ value: micros })
      expect(z.fromJSONSchema(toJsonSchema(money) as never).safeParse(toJsonValue(money, micros)).success).toBe(true)
    }))
  })
  test('inside other values', () => {
    const type = recordOf({ costs: listOf(optional(money)), note: { kind: 'string' } })
    expect(toJsonValue(type, { costs: [500_000, null], note: '1' })).toEqual({ costs: ['0.50', null], note: '1' })
    expect(fromJsonValue(type, { costs: ['0.5', null], note: '1' })).toEqual({ value: { costs: [500_000, null], note: '1' } })
    expect(fromJsonValue(money, 5)).toEqual({ problem: 'an amount of dollars such as "0.50" is needed, "5" is given' })
  })
})
