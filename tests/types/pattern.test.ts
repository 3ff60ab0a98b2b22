// Pattern: our matcher against RE2's JavaScript port as the oracle, and its bounds.
import * as fc from 'fast-check'
import { RE2JS } from 're2js'
import { describe, expect, test } from 'vitest'
import { compilePattern, matches, patternFacts } from '#base/pattern.ts'

const pieces = fc.constantFrom('a', 'b', '-', 'é', '😀', '.', '\\d', '\\w', '\\S', '[a-c]', '[^a]', '[\\d_]', '\\b', '\\B', '^', '$', '\\A', '\\z', '(?i)B', '\\.', '\\x61', '\\pL', '[[:alpha:]]', '(?s).', '(?m)$', '\\n')
const patterns: fc.Arbitrary<string> = fc.letrec<{ p: string }>(tie => ({
  p: fc.oneof(
    { maxDepth: 4 },
    pieces,
    fc.tuple(tie('p'), tie('p')).map(([a, b]) => a + b),
    fc.tuple(tie('p'), tie('p')).map(([a, b]) => `(?:${a}|${b})`),
    fc.tuple(tie('p'), fc.constantFrom('*', '+', '?', '{2}', '{1,3}', '{0,}', '+?')).map(([a, repeat]) => `(${a})${repeat}`),
  ),
})).p
const texts = fc.array(fc.constantFrom('a', 'b', 'B', 'c', '1', '_', '-', ' ', '\n', 'é', '😀', '.'), { maxLength: 8 }).map(parts => parts.join(''))

describe('matching', () => {
  test('agrees with RE2', () => {
    fc.assert(fc.property(patterns, texts, (pattern, text) => {
      expect(matches(pattern, text), `${pattern} on ${JSON.stringify(text)}`).toBe(RE2JS.compile(pattern).matcher(text).find())
    }), { numRuns: 5000 })
  })
  test('takes linear time where backtracking does not', () => {
    expect(matches('^(a|a)*$', 'a'.repeat(100_000) + 'b')).toBe(false)
    expect(matches('^(a*)*$', 'a'.repeat(100_000))).toBe(true)
  })
  test.each([
    ['(?=a)', /ahead/], ['\\1', /references/], ['a**', /repeated/], ['*a', /nothing to repeat/], ['(', /`\)` is missing/], [')', /no `\(`/], ['[a', /`\]` is missing/],
    ['a{2000}', /above 1000/], ['(a{1000}){1000}', /states/], [`${'('.repeat(200)}a${')'.repeat(200)}`, /nested/], ['\\y', /means nothing/], ['[b-a]', /backwards/], ['a'.repeat(20_000), /longer/],
  ])('refuses %s', (pattern, why) => {
    const compiled = compilePattern(pattern)
    expect('problem' in compiled && compiled.problem).toMatch(why)
  })
  test('any text as a pattern is read or refused, never thrown at', () => {
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...'ab(){}[]|*+?\\^$.-:P<>pdQE19,') }), text => {
      const compiled = compilePattern(text)
      if ('pattern' in compiled) expect(typeof compiled.pattern.test('ab1')).toBe('boolean')
    }), { numRuns: 3000 })
  })
})

test('facts', () => {
  const facts = patternFacts('^(?:[a-z]{1,3}|-x)$')!
  expect(facts.anchored).toBe(true)
  expect(facts.maxLength).toBe(3)
  expect(facts.mayStartWith('-')).toBe(true)
  expect(facts.mayStartWith('1')).toBe(false)
  expect(facts.mayHold(/\s/)).toBe(false)
})
