// Programs of several files: what is shared, what is private, circles, missing files.
import { describe, expect, it } from 'vitest'
import { lower } from '#compiler/4-lower/lower.ts'
import { collectUses } from '#compiler/compile.ts'
import { parse } from '#compiler/1-syntax/parse.ts'
import { compileText, reports } from './compile-text.ts'

describe('files that use each other', () => {
  it('shares types, values and capabilities by name', () => {
    const shared = 'type Finding = { file: path }\nconst most = 3\ncapability source = fs.read("src/**")\nworkflow scan(n: int = most) -> Finding[] {\n  return []\n}\n'
    const main = 'use "./lib/shared.tek" (Finding, most, source, scan)\nworkflow w() -> Finding[] {\n  can source\n  task a = scan(most)\n  task b = fs.read("src/x")\n  return if empty(b) then a else []\n}\n'
    const compiled = compileText(main, { 'lib/shared.tek': shared })
    expect(compiled.diagnostics).toEqual([])
    const plan = lower(compiled.program!)
    expect(Object.keys(plan.workflows)).toEqual(['lib/shared.tek#scan', 'w'])
    expect(plan.entries).toEqual(['w'])
    expect(plan.constants.map(each => each.name)).toEqual(['lib/shared.tek#most'])
    expect(plan.workflows['w']!.authority!.map(grant => grant.name)).toEqual(['fs.read'])
  })

  it('keeps private names private and suggests near ones', () => {
    expect(reports('use "./a.tek" (_hidden, findign)\nconst x = _hidden + findign\n', { 'a.tek': 'const _hidden = 1\nconst finding = 2\n' })).toEqual([
      'name/private "_hidden"', 'name/unknown-export "findign"',
    ])
  })

  it('names a circle of files with its path, once', () => {
    const compiled = compileText('use "./a.tek" (x)\nconst y = x\n', { 'a.tek': 'use "./b.tek" (z)\nconst x = z\n', 'b.tek': 'use "./main.tek" (y)\nconst z = y\n' })
    expect(compiled.diagnostics.map(each => each.message)).toEqual(['These files use each other in a circle: `main.tek` → `a.tek` → `b.tek` → `main.tek`.'])
  })

  it('finds a circle of a thousand files without a deep stack', () => {
    const files = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`f${index}.tek`, `use "./f${(index + 1) % 1_000}.tek" (x${(index + 1) % 1_000})\nconst x${index} = 1\n`]))
    const { diagnostics } = compileText('use "./f0.tek" (x0)\nconst y = x0\n', files)
    expect(diagnostics.map(each => each.code)).toEqual(['name/import-cycle'])
    expect(diagnostics[0]!.message.length).toBeLessThan(300)
  })

  it('reports a missing file at its use, and nothing of what it would give', () => {
    expect(reports('use "./missing.tek" (thing, Kind)\nconst x: Kind = thing\nworkflow w() -> int {\n  task t = thing(1)\n  return t.n\n}\n')).toEqual(['name/file-not-found "\\"./missing.tek\\""'])
  })

  it('reports mistakes of both files, each in its own', () => {
    const { diagnostics } = compileText('use "./a.tek" (x)\nconst y: string = x\n', { 'a.tek': 'const x: int = "one"\n' })
    expect(diagnostics.map(each => [each.code, each.at?.path])).toEqual([['type/mismatch', 'main.tek'], ['type/mismatch', 'a.tek']])
  })

  it('tells equal declarations of two files apart', () => {
    const both = 'workflow twice(x: Kind) -> Kind {\n  task t = x\n  return t\n}\n'
    const compiled = compileText(`use "./a.tek" (start)\ntype Kind = int\n${both}workflow w() {\n  task a = start()\n}\n`, { 'a.tek': `type Kind = string\n${both}workflow start() -> string {\n  task t = twice("a")\n  return t\n}\n` })
    expect(compiled.diagnostics.filter(each => each.severity === 'error')).toEqual([])
    const plan = lower(compiled.program!)
    expect([plan.workflows['twice']!.result.kind, plan.workflows['a.tek#twice']!.result.kind]).toEqual(['int', 'string'])
  })

  it('lists what a file uses', () => {
    const { value } = parse({ path: 'a.tek', text: 'use std.git as g\nuse "./b.tek" (x)\nuse plugin "./p.ts" as p\nworkflow w() -> int {\n  can fs.read("a")\n  return text.count("a", "b") |> math.sqrt\n}\n' })
    const uses = collectUses(value)
    expect(uses.files).toEqual(['./b.tek'])
    expect(uses.plugins).toEqual(['./p.ts'])
    expect([...uses.std].sort()).toEqual(['fs', 'git', 'math', 'text'])
  })
})
