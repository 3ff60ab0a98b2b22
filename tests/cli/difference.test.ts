// Differences of two values, and JSON that a person can compare: found place by place, within bounds, the same for the same values.
import { expect, test } from 'vitest'
import { differencesOf, pathText } from '#base/difference.ts'
import type { Json } from '#base/json.ts'
import { readableJson } from '#base/readable-json.ts'
import { plainPaint } from '#base/terminal-text.ts'
import { differenceLines, shownDifferences, sideLines } from '../../src/cli/difference-lines.ts'

const told = (left: Json, right: Json, most?: number) => differencesOf(left, right, most).places.map(({ path, kind, ...sides }) => [pathText(path), kind, ...Object.values(sides)])

test('fields, items and lines that differ are told, what is equal is not', () => {
  expect(told({ a: 1, b: { c: [1, 2] }, d: 0 }, { a: 1, b: { c: [1, 3] }, e: null })).toEqual([['b.c[1]', 'changed', 2, 3], ['d', 'removed', 0], ['e', 'added', null]])
  expect(told('a\nb\nc', 'a\nB\nc')).toEqual([['line 2', 'changed', 'b', 'B']])
  expect(told({ 'x-y': 1, '': 2 }, { 'x-y': 2, '': 2 })).toEqual([['"x-y"', 'changed', 1, 2]])
  expect(told({ a: 1, b: 2 }, { b: 2, a: 1 })).toEqual([])
  expect(told([], {})).toEqual([['', 'changed', [], {}]])
  expect(told(JSON.parse('{"__proto__":1}') as Json, JSON.parse('{"__proto__":2}') as Json)).toEqual([['__proto__', 'changed', 1, 2]])
})

test('an item that was put in or taken out makes no other differ', () => {
  expect(told([1, 2, 3, 4], [1, 9, 2, 3, 4])).toEqual([['[1]', 'added', 9]])
  expect(told([{ n: 1 }, { n: 2 }, { n: 3 }], [{ n: 1 }, { n: 3 }])).toEqual([['[1]', 'removed', { n: 2 }]])
  expect(told('one\ntwo\nthree\n', 'one\nthree\n')).toEqual([['line 2', 'removed', 'two']])
})

test('it is bounded: places, lists too long to be aligned, depth', () => {
  const many = differencesOf(Array.from({ length: 5_000 }, (_, at) => at), Array.from({ length: 6_000 }, (_, at) => at + 1), 3)
  expect([many.places.length, many.isMore]).toEqual([3, true])
  let [left, right]: [Json, Json] = [1, 2]
  for (let level = 0; level < 3_00; level++) [left, right] = [[left], [right]]
  expect(differencesOf(left, right).places[0]!.path).toHaveLength(64)
})

test('what is shown is harmless and cut, a long text around the place where it differs', () => {
  const lines = sideLines(`${'x'.repeat(5_000)}\u{1f600}\u001b[31m left`, `${'x'.repeat(5_000)}right`, plainPaint)
  expect(lines[0]).toMatch(/^left {3}… "x{40}\u{1f600}.*left" \(from character 4961\)$/u)
  expect(lines.join('')).not.toContain('\u001b')
  const shown = shownDifferences({ a: 'é\u202e', list: [1] }, { a: 'è', list: [1, 2] }, path => (path[0] === 'a' ? 'task first of w' : null))!
  expect(differenceLines(shown, plainPaint)).toEqual(['they differ, - left + right:', '  a · task first of w', expect.not.stringContaining('\u202e'), '  + "è"', '  list[1]', '  + 2'])
  expect(shownDifferences(1, { a: 1 }, () => null)).toBeNull()
})

test('JSON that can be read: what fits a line stays on one, and it is the same value', () => {
  const value = { usage: { input: 1, output: 2 }, lines: Array.from({ length: 30 }, (_, at) => `line ${at}`), empty: [], none: {}, text: 'a\n"b"', deep: [[[['x'.repeat(130)]]]], no: null, left: undefined }
  const text = readableJson(value as unknown as Json)
  expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
  expect(text.split('\n')).toContain('  "usage": { "input": 1, "output": 2 },')
  expect(text.split('\n').filter(line => line.length > 120 && !line.includes('xxx'))).toEqual([])
})
