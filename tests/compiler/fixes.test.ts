// Fixes: what is offered mends the mistake it is offered for.
import { describe, expect, it } from 'vitest'
import { compileText, reports } from './compile-text.ts'

/** The text with the first fix of every diagnostic applied. */
function mended(text: string): string {
  const edits = compileText(text).diagnostics.flatMap(each => each.fixes[0]?.edits ?? []).sort((a, b) => b.at.start - a.at.start)
  return edits.reduce((all, edit) => all.slice(0, edit.at.start) + edit.newText + all.slice(edit.at.end), text)
}

const cases: readonly (readonly [string, string])[] = [
  ['a misspelt name', 'workflow w() -> int {\n  task files = 1\n  return flies\n}\n'],
  ['a misspelt function', 'workflow w() -> int {\n  return text.cuont("a", "b")\n}\n'],
  ['a misspelt argument', 'workflow w() -> int {\n  return text.count("a", prat: "b")\n}\n'],
  ['a foreign type', 'type T = { a: boolean, b: str }\n'],
  ['a misspelt field', 'workflow w(f: { line: int }) -> int {\n  return f.lien\n}\n'],
  ['a misspelt field of a record', 'type F = { line: int, note?: string }\nconst f: F = { line: 1, nite: "x" }\n'],
  ['a missing grant, no can yet', 'workflow w() -> string {\n  task a = fs.read("a.txt")\n  return a\n}\n'],
  ['a missing grant beside another', 'workflow w() {\n  can fs.read("a.txt")\n  task a = fs.read("a.txt")\n  task b = fs.write("b.txt", a)\n}\n'],
  ['a missing grant that mentions a parameter', 'workflow w(root: path) -> string {\n  task a = fs.read("${root}/a.txt")\n  return a\n}\n'],
  ['a missing grant of a command', 'workflow w() {\n  task a = shell.run("npm", "test")\n}\n'],
  ['a grant that is too narrow', 'workflow w() -> string {\n  can fs.read("src/**")\n  task a = fs.read("docs/a.md")\n  return a\n}\n'],
  ['a command with an argument too many', 'workflow w() {\n  can exec("npm", "test")\n  task a = shell.run("npm", "test", "--", "a b")\n}\n'],
  ['a grant that nothing uses', 'workflow w() -> string {\n  can fs.read("src/**"), net("a.com")\n  task a = fs.read("src/a.md")\n  return a\n}\n'],
  ['the first of two grants', 'workflow w() -> string {\n  can net("a.com"), fs.read("src/**")\n  task a = fs.read("src/a.md")\n  return a\n}\n'],
  ['a misspelt pattern', 'workflow w(l: "low" | "high") -> int {\n  return match l { "low" => 1, "hihg" => 2 }\n}\n'],
  ['a misspelt limit', 'workflow w() {\n  limits { tiem: 5m }\n}\n'],
  ['a misspelt grant', 'capability c = fs.raed("a")\n'],
  ['a careful dot', 'workflow w(i: { title: string }?) -> string? {\n  return i.title\n}\n'],
]

describe('fixes', () => {
  it.each(cases)('%s', (_name, text) => {
    expect(reports(text)).not.toEqual([])
    expect(reports(mended(text))).toEqual([])
  })

  it('takes a `can` away with its last grant, line and all', () => {
    expect(mended('workflow w() -> int {\n  can net("a.com")\n  task a = 1\n  return a\n}\n')).toBe('workflow w() -> int {\n  task a = 1\n  return a\n}\n')
  })

  it('widens nothing on its own unless every argument is written out', () => {
    const safety = (argument: string): boolean[] =>
      compileText(`workflow w() {\n  can fs.write("out/**"), fs.read("src/**")\n  task a for f in fs.glob("src/*") = fs.write(${argument}, "")\n}\n`).diagnostics.flatMap(each => each.fixes.map(fix => fix.safe))
    expect([safety('"src/a"'), safety('f')]).toEqual([[true], [false]])
  })

  it('offers the smallest clause', () => {
    expect(mended('workflow w() {\n  task a = shell.run("npm", "test")\n}\n')).toBe('workflow w() {\n  can exec("npm", "test")\n  task a = shell.run("npm", "test")\n}\n')
  })

  it('says of a built-in function sought in a module that it needs none', () => {
    const [found] = compileText('workflow w() -> any {\n  task a = fs.trim("x")\n  return a\n}\n').diagnostics
    expect(found).toMatchObject({ code: 'name/unknown-function', help: ['`trim` needs no module: `trim(…)`.'], fixes: [] })
  })
})
