// Algebra: laws of the type algebra on random types, and the cases of language.md by name.
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Type } from '#model/type.ts'
import { isAssignable, whyNotAssignable } from '#types/assignable.ts'
import { hasNoRoomForInstructions, isOptional, join, listOf, nonNull, optional, qualifiersOf, qualify, recordOf, sameType, stripQualifiers, union } from '#types/construct.ts'
import { printType } from '#types/print.ts'
import { bindVariables, substitute } from '#types/variables.ts'
import { types } from './random-types.ts'

const int: Type = { kind: 'int' }
const float: Type = { kind: 'float' }
const text: Type = { kind: 'string' }
const bool: Type = { kind: 'bool' }
const nil: Type = { kind: 'null' }
const lit = (value: string | number | boolean): Type => ({ kind: 'literal', value })
const variable = (name: string): Type => ({ kind: 'variable', name })
const any: Type = { kind: 'any' }

describe('laws', () => {
  const all = types({ records: true, maps: true, qualifiers: true })

  test('every type is assignable to itself', () => {
    fc.assert(fc.property(all, type => isAssignable(type, type)))
  })
  test('a join holds both', () => {
    fc.assert(fc.property(all, all, (a, b) => isAssignable(a, join(a, b)) && isAssignable(b, join(a, b))), { numRuns: 1000 })
  })
  test('a union holds its members and is canonical', () => {
    fc.assert(fc.property(fc.array(all, { minLength: 1, maxLength: 4 }), members => {
      const made = union(members)
      expect(members.every(member => isAssignable(member, made))).toBe(true)
      expect(sameType(union([made]), made)).toBe(true)
      const bare = stripQualifiers(made)
      if (bare.kind === 'union') {
        expect(bare.members.length).toBeGreaterThan(1)
        expect(bare.members.every(member => member.kind !== 'union' && member.kind !== 'untrusted')).toBe(true)
        expect(bare.members.slice(0, -1).every(member => member.kind !== 'null')).toBe(true)
      }
    }))
  })
  test.each([['records', { records: true, maps: false }], ['maps', { records: false, maps: true }]])('assignability is transitive among %s', (_, kinds) => {
    const some = types(kinds)
    fc.assert(fc.property(some, some, some, (a, b, c) => {
      const chain = [[a, join(a, b), join(join(a, b), c)], [a, b, c]] as const
      for (const [x, y, z] of chain) if (isAssignable(x, y) && isAssignable(y, z)) expect(isAssignable(x, z)).toBe(true)
    }), { numRuns: 2000 })
  })
  test('a reason is given exactly when a type does not fit', () => {
    fc.assert(fc.property(all, all, (a, b) => (whyNotAssignable(a, b) === null) === isAssignable(a, b)), { numRuns: 1000 })
  })
  test('nonNull undoes optional', () => {
    fc.assert(fc.property(all, type => {
      expect(isOptional(nonNull(type))).toBe(false)
      expect(isAssignable(nonNull(optional(type)), type)).toBe(true)
    }))
  })
})

describe('assignable', () => {
  const yes: [string, Type, Type][] = [
    ['int to float', int, float],
    ['path to string', { kind: 'path' }, text],
    ['text literal to path', lit('src'), { kind: 'path' }],
    ['literal to base', lit(3), int],
    ['whole literal to tokens', lit(500), { kind: 'tokens' }],
    ['bool to both its literals', bool, union([lit(true), lit(false)])],
    ['never to anything', { kind: 'never' }, int],
    ['any to anything', any, recordOf({ a: int })],
    ['empty list to any list', listOf({ kind: 'never' }), listOf(text)],
    ['extra fields', recordOf({ a: int, b: int }), recordOf({ a: int })],
    ['a missing optional field', recordOf({ a: int }), recordOf({ a: int, b: { type: int, optional: true } })],
    ['record to map', recordOf({ a: int, b: lit(2) }), { kind: 'map', value: int }],
    ['T to T?', int, optional(int)],
    ['untrusted is transparent', { kind: 'untrusted', of: text }, text],
    ['anything plain to json', recordOf({ a: listOf(optional(text)) }), { kind: 'json' }],
    ['range within range', { kind: 'int', min: 1, max: 5 }, { kind: 'int', min: 0, max: 100 }],
    ['literal that matches', lit('abc'), { kind: 'string', pattern: '^[a-z]+$', maxLength: 3 }],
    ['lambda of fewer parameters', { kind: 'function', params: [], result: int }, { kind: 'function', params: [text], result: float }],
  ]
  test.each(yes)('%s', (_, from, to) => expect(isAssignable(from, to)).toBe(true))

  const no: [string, Type, Type, string][] = [
    ['float to int', float, int, 'int is needed, float is given'],
    ['string to path', text, { kind: 'path' }, 'path is needed, string is given'],
    ['T? to T', optional(int), int, 'int is needed, and it may be null'],
    ['a missing field', recordOf({ a: int }), recordOf({ a: int, b: text }), 'the field `b` (string) is missing'],
    ['a field that may be missing', recordOf({ a: { type: int, optional: true } }), recordOf({ a: int }), 'the field `a` may be missing, and is needed'],
    ['deep inside', listOf(recordOf({ line: text })), listOf(recordOf({ line: int })), 'in [].line: int is needed, string is given'],
    ['json to int', { kind: 'json' }, int, 'int is needed, json is given'],
    ['duration to int', { kind: 'duration' }, int, 'int is needed, duration is given'],
    ['a wider range', int, { kind: 'int', min: 0 }, 'int(min: 0) is needed, int is given'],
    ['a literal that does not match', lit('A b'), { kind: 'string', pattern: '^[a-z]+$' }, 'string(matches: r"^[a-z]+$") is needed, "A b" is given'],
    ['something to never', int, { kind: 'never' }, 'never is needed, int is given'],
  ]
  test.each(no)('not %s', (_, from, to, why) => {
    expect(isAssignable(from, to)).toBe(false)
    expect(whyNotAssignable(from, to)).toBe(why)
  })
})

describe('construct', () => {
  test('joins', () => {
    expect(join(int, float)).toEqual(float)
    expect(join(lit('a'), lit('b'))).toEqual(union([lit('a'), lit('b')]))
    expect(join(int, nil)).toEqual(optional(int))
    expect(join(any, int)).toEqual(any)
    expect(join({ kind: 'untrusted', of: text }, text)).toEqual({ kind: 'untrusted', of: text })
  })
  test('a join of very many literals is their base', () => {
    const words = Array.from({ length: 60 }, (_, index) => lit(`w${index}`))
    expect(words.reduce((all, word) => join(all, word))).toEqual(text)
  })
  test('qualifiers are outermost, untrusted first, and narrow types drop untrusted', () => {
    expect(qualify(text, { untrusted: true, secret: true })).toEqual({ kind: 'untrusted', of: { kind: 'secret', of: text } })
    expect(qualify({ kind: 'secret', of: text }, { untrusted: true })).toEqual({ kind: 'untrusted', of: { kind: 'secret', of: text } })
    expect(qualify(int, { untrusted: true })).toEqual(int)
    expect(qualifiersOf(optional({ kind: 'untrusted', of: text }))).toEqual({ untrusted: true, secret: false })
  })
  test.each([
    [bool, true], [int, true], [union([lit('low'), lit('high')]), true], [optional(int), true], [text, false], [{ kind: 'path' } as Type, false], [listOf(text), false],
    [{ kind: 'string', pattern: '^[a-z0-9-]{1,20}$' } as Type, false], // may begin with -
    [{ kind: 'string', pattern: '^[a-z0-9][a-z0-9-]{1,20}$' } as Type, true],
    [{ kind: 'string', pattern: '^[a-z]+$' } as Type, false], // no length
    [{ kind: 'string', pattern: '^[a-z]+$', maxLength: 64 } as Type, true],
    [{ kind: 'string', pattern: '[a-z]', maxLength: 64 } as Type, false],
    [{ kind: 'string', pattern: '^a|b$', maxLength: 64 } as Type, false],
    [{ kind: 'string', pattern: '^[a-z.]+$', maxLength: 64 } as Type, false],
    [{ kind: 'string', pattern: '^\\S+$', maxLength: 64 } as Type, false],
    [{ kind: 'string', pattern: '(?m)^[a-z]+$', maxLength: 64 } as Type, false],
    [union([int, text]), false],
  ])('room for instructions: %j', (type, none) => expect(hasNoRoomForInstructions(type)).toBe(none))
})

describe('print', () => {
  test.each<[Type, string]>([
    [listOf(optional(int)), 'int?[]'],
    [listOf(union([int, text])), '(int | string)[]'],
    [union([int, text, nil]), 'int | string | null'],
    [{ kind: 'untrusted', of: optional(text) }, 'untrusted string?'],
    [listOf({ kind: 'untrusted', of: text }), '(untrusted string)[]'],
    [recordOf({ a: int, 'b-c': { type: text, optional: true } }), '{ a: int, "b-c"?: string }'],
    [recordOf({ a: int }, 'Finding'), 'Finding'],
    [{ kind: 'string', pattern: '^[a-z]+$', maxLength: 80 }, 'string(matches: r"^[a-z]+$", max: 80)'],
    [{ kind: 'int', min: 0, max: 100 }, 'int(0..100)'],
    [{ kind: 'map', value: lit('x') }, 'map<"x">'],
  ])('%j', (type, printed) => expect(printType(type)).toBe(printed))
})

describe('variables', () => {
  const bind = (param: Type, arg: Type): Record<string, Type> => {
    const bindings = new Map<string, Type>()
    bindVariables(param, arg, bindings)
    return Object.fromEntries(bindings)
  }
  test('bind through lists, options and lambdas', () => {
    expect(bind(listOf(variable('T')), listOf(int))).toEqual({ T: int })
    expect(bind(optional(variable('T')), optional(int))).toEqual({ T: int })
    expect(bind(variable('T'), optional(int))).toEqual({ T: optional(int) })
    expect(bind({ kind: 'function', params: [variable('T')], result: variable('U') }, { kind: 'function', params: [text], result: int })).toEqual({ T: text, U: int })
    expect(bind({ kind: 'map', value: variable('T') }, recordOf({ a: int, b: float }))).toEqual({ T: float })
    expect(bind(listOf(variable('T')), any)).toEqual({ T: any })
  })
  test('what is in an untrusted list is untrusted', () => {
    expect(bind(listOf(variable('T')), { kind: 'untrusted', of: listOf(text) })).toEqual({ T: { kind: 'untrusted', of: text } })
  })
  test('substitute', () => {
    expect(substitute(listOf(variable('T')), new Map([['T', optional(int)]]))).toEqual(listOf(optional(int)))
    expect(substitute(variable('T'), new Map(), any)).toEqual(any)
    expect(substitute(optional(variable('T')), new Map([['T', optional(int)]]))).toEqual(optional(int))
  })
})
