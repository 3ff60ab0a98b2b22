// Nesting: what stands 256 deep is read, printed and checked on the stack of a cold process and of a worker thread; 257 are too deep.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { parse } from '#compiler/1-syntax/parse.ts'
import { MAX_NESTING } from '#compiler/1-syntax/parser-base.ts'
import { buildScripts } from '../journal/build-scripts.ts'

let child = ''
beforeAll(async () => {
  child = join(await buildScripts('nesting', { child: 'tests/syntax/nesting-child.ts' }), 'child.mjs')
})

/** What is put around a core again and again, each with one level of nesting. */
const constants: Readonly<Record<string, readonly [string, string]>> = {
  lists: ['[', ']'], records: ['{ a: ', ' }'], parentheses: ['(', ')'], calls: ['abs(', ')'], 'named arguments': ['round(digits: 0, value: ', ')'], strings: ['"${', '}"'],
  'block strings': ['"""\n${', '}"""'], ifs: ['if true then ', ' else 1'], 'else-ifs': ['if true then 1 else ', ''], matches: ['match 1 { _ => ', ' }'],
  lambdas: ['a => ', ''], comprehensions: ['[', ' for a in b]'], indices: ['a[', ']'], pipes: ['1 |> max(', ')'],
}
const types: Readonly<Record<string, readonly [string, string]>> = {
  'record types': ['{ a: ', ' }'], 'list types': ['(', ')[]'], 'map types': ['map<', '>'],
}
const deep = (times: number): [string, string][] => [
  ...Object.entries(constants).map(([name, [open, close]]): [string, string] => [name, `const x = ${open.repeat(times)}1${close.repeat(times)}\n`]),
  ...Object.entries(types).map(([name, [open, close]]): [string, string] => [name, `type X = ${open.repeat(times)}int${close.repeat(times)}\n`]),
]

/** The codes of a text's diagnostics in a process of its own, which nothing has warmed, and in a worker thread of it. */
function answers(text: string): [alone: string[], inWorker: string[]] {
  const [alone, inWorker] = JSON.parse(execFileSync(process.execPath, [child, JSON.stringify([text])], { encoding: 'utf8' })) as [string[][], string[][]]
  return [alone[0]!, inWorker[0]!]
}

describe('nesting', () => {
  it('has the bound that the design names', () => expect(MAX_NESTING).toBe(256))

  it.each(deep(MAX_NESTING))('of 256 %s is read, printed and checked', (_, text) => {
    const [alone, inWorker] = answers(text)
    // What the checker says of names and types is of no interest here; a full stack would be an error without a family.
    expect(alone.filter(code => code.startsWith('syntax/') || !/^[a-z]+\/[a-z-]+$/.test(code))).toEqual([])
    expect(inWorker).toEqual(alone)
  })

  it.each(deep(MAX_NESTING + 1))('of 257 %s is too deep', (_, text) => {
    expect(parse({ path: 'a.tek', text }).diagnostics.map(each => each.code)).toContain('syntax/too-deep')
  })
})
