// Bounds: deep, long and broken texts end quickly in a coded report; unchanged declarations keep their nodes.
import { describe, expect, it } from 'vitest'
import { format } from '#compiler/1-syntax/format.ts'
import { parse, ParseCache } from '#compiler/1-syntax/parse.ts'

const codes = (text: string): string[] => [...new Set(parse({ path: 'a.tek', text }).diagnostics.map(each => each.code))]
const many = 100_000

const deep: readonly (readonly [string, string])[] = [
  ['lists', `const x = ${'['.repeat(many)}`], ['records', `const x = ${'{a:'.repeat(many)}`], ['groups', `const x = ${'('.repeat(many)}1${')'.repeat(many)}`],
  ['strings', `const x = ${'"${'.repeat(many)}`], ['choices', `const x = ${'if a then '.repeat(many)}`], ['lambdas', `const x = ${'a => '.repeat(many)}1`],
  ['sums', `const x = ${Array(many).fill('1').join('+')}`], ['pipes', `const x = a${' |> f'.repeat(many)}`], ['members', `const x = a${'.b'.repeat(many)}`],
  ['negations', `const x = ${'not '.repeat(many)}a`], ['signs', `const x = ${'- '.repeat(many)}a`], ['qualifiers', `type X = ${'untrusted '.repeat(many)}a`],
  ['signs in groups', `const x = ${`(${'- '.repeat(499)}`.repeat(60)}a${')'.repeat(60)}`], ['list types', `type X = a${'[]'.repeat(many)}`], ['record types', `type X = ${'{a:'.repeat(many)}`],
]

describe('depth', () => {
  it.each(deep)('%s of 100,000 are too deep', (_, text) => {
    const { value, diagnostics } = parse({ path: 'a.tek', text })
    expect(diagnostics.map(each => each.code)).toContain('syntax/too-deep')
    expect(value.items).toHaveLength(1)
    expect(value.items[0]!.declaration.broken).toBe(true)
    expect(format({ path: 'a.tek', text }).value).toBe(text)
  })

  it('within the bound is read and formatted', () => {
    for (const [open, close] of [['[', ']'], ['(', ')'], ['f(', ')'], ['{ a: ', ' }'], ['"${', '}"'], ['match a { _ => ', ' }']] as const) {
      const text = `const x = ${open.repeat(60)}1${close.repeat(60)}\n`
      expect(codes(text), open).toEqual([])
      expect(codes(format({ path: 'a.tek', text }).value), open).toEqual([])
    }
    expect(codes(`const x = ${Array(450).fill('1').join(' + ')}`)).toEqual([])
  })

  it('of a file has a bound, and so have its reports', () => {
    expect(codes(' '.repeat(4 * 1024 * 1024 + 1))).toEqual(['syntax/file-too-large'])
    expect(parse({ path: 'a.tek', text: 'task a\n'.repeat(5000) }).diagnostics.length).toBeLessThanOrEqual(1000)
  })
})

const program = (n: number): string => `/// Review number ${n}.
workflow review${n}(root: path = "src", max: int = 20) -> Finding[] {
  can fs.read("\${root}/**")
  task files = take(fs.glob("\${root}/**/*.ts"), 200)
  task scan for file in files by reviewer -> Finding[] retry 2 timeout 2m =
    prompt """Find in \${file}."""
  return flatten(scan)
}

`
const mistakes: readonly (readonly [string, string])[] = [
  ['"src"', '"src'], ['20) -> ', '20 -> '], [' = take', ' take'], ['flatten(scan)', 'flatten(scan'], ['\n}\n', '\n\n'], ['timeout 2m', 'timeout'], ['task files', 'tsk files'],
  [': path', ' path'], ['in files', 'files'], ['{\n', '\n'], ['Finding[]', 'Finding[['], ['retry 2', 'retries 2'], ['for file', 'for'], ['200', '200,,'], ['task scan', 'task'],
  ['workflow', 'worfklow'], ['."""', '.'], ['can fs.read(', 'can fs.read'], ['${file}', '${file'], ['root:', 'root'],
]

describe('10,000 declarations', () => {
  it('with 100 mistakes keep all declarations and give at most 1.3 reports per mistake', () => {
    const parts = Array.from({ length: 10_000 }, (_, index) => program(index))
    for (let index = 0; index < 100; index++) {
      const [right, wrong] = mistakes[index % mistakes.length]!
      parts[index * 100 + 7] = parts[index * 100 + 7]!.replace(right, () => wrong)
    }
    const { value, diagnostics } = parse({ path: 'a.tek', text: parts.join('') })
    expect(value.items).toHaveLength(10_000)
    expect(value.items.filter(item => item.declaration.broken)).toHaveLength(100)
    expect(diagnostics.length).toBeGreaterThanOrEqual(100)
    expect(diagnostics.length).toBeLessThanOrEqual(130)
  })

  it('keep the nodes of all but the touched one', () => {
    const cache = new ParseCache()
    const text = Array.from({ length: 100 }, (_, index) => program(index)).join('')
    const before = parse({ path: 'a.tek', text }, cache).value.items
    const after = parse({ path: 'a.tek', text: text.replace('number 50.', 'number fifty.') }, cache).value.items
    expect(after.filter((item, index) => item.declaration !== before[index]!.declaration)).toHaveLength(1)
  })
})
