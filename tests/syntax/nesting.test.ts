// Nesting: what stands 256 deep is read, printed and checked on the stack of a cold process and of a worker thread; 257 are too deep.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MAX_NESTING } from '#compiler/1-syntax/parser-base.ts'

const root = new URL('../../', import.meta.url).pathname
const folder = mkdtempSync(join(tmpdir(), 'tek-nesting-'))
const child = join(folder, 'child.mjs')

beforeAll(async () => {
  await build({
    entryPoints: [join(root, 'tests/syntax/nesting-child.ts')], outfile: child, bundle: true, platform: 'node', format: 'esm', conditions: ['tek-source'],
    absWorkingDir: root, logLevel: 'warning', banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  })
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What is put around a core again and again, each with one level of nesting. */
const constants: Readonly<Record<string, readonly [string, string]>> = {
  lists: ['[', ']'], records: ['{ a: ', ' }'], parentheses: ['(', ')'], calls: ['abs(', ')'], 'named arguments': ['round(digits: 0, value: ', ')'], strings: ['"${', '}"'],
  'block strings': ['"""\n${', '}"""'], ifs: ['if true then ', ' else 1'], 'else-ifs': ['if true then 1 else ', ''], matches: ['match 1 { _ => ', ' }'],
  lambdas: ['a => ', ''], comprehensions: ['[', ' for a in b]'], indices: ['a[', ']'], pipes: ['1 |> max(', ')'],
}
const types: Readonly<Record<string, readonly [string, string]>> = {
  'record types': ['{ a: ', ' }'], 'list types': ['(', ')[]'], 'map types': ['map<', '>'], 'optional records': ['{ a?: untrusted ', '?[] }'],
}
const deep = (times: number): [string, string][] => [
  ...Object.entries(constants).map(([name, [open, close]]): [string, string] => [name, `const x = ${open.repeat(times)}1${close.repeat(times)}\n`]),
  ...Object.entries(types).map(([name, [open, close]]): [string, string] => [name, `type X = ${open.repeat(times)}int${close.repeat(times)}\n`]),
]

/** Each text in a process of its own, so that no other one has warmed its code. */
const answers = (text: string): [string[], string[]] => (JSON.parse(execFileSync(process.execPath, [child, JSON.stringify([text])], { encoding: 'utf8' })) as [string[][], string[][]])
  .map(each => each[0]!) as [string[], string[]]

const ofSyntax = (codes: readonly string[]): string[] => codes.filter(code => !/^(name|type|expr|const)\//.test(code))

describe('nesting', () => {
  it('has the bound that the design names', () => expect(MAX_NESTING).toBe(256))

  it.each(deep(MAX_NESTING))('of 256 %s is read, printed and checked', (_, text) => {
    const [alone, inWorker] = answers(text)
    expect(ofSyntax(alone)).toEqual([])
    expect(inWorker).toEqual(alone)
  })

  it.each(deep(MAX_NESTING + 1))('of 257 %s is too deep', (_, text) => {
    const [alone, inWorker] = answers(text)
    expect(alone).toContain('syntax/too-deep')
    expect(inWorker).toEqual(alone)
  })
})
