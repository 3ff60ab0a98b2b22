// Names: what each stands for, and that renaming it anywhere changes no meaning.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { occurrenceAt, type Occurrence, occurrencesIn } from '#editor/occurrences.ts'
import { placesOf, renameProblem } from '#editor/rename.ts'
import { nodeHost } from '#host/node-host.ts'
import { check } from '#tek.ts'
import { compileText } from '../compiler/compile-text.ts'
import { examplePrograms, projectRoot } from '../examples/run-tek.ts'

const host = nodeHost({ cwd: projectRoot })

/** The text with `new` at every place of one file. */
function renamed(text: string, path: string, places: readonly { path: string; start: number; end: number }[], name: string): string {
  const own = places.filter(each => each.path === path).sort((a, b) => b.start - a.start)
  return own.reduce((result, { start, end }) => result.slice(0, start) + name + result.slice(end), text)
}

const codes = (all: readonly { readonly code: string }[]): string[] => all.map(each => each.code)

describe.each(examplePrograms())('%s', path => {
  test('each thing that is declared can be renamed, and the program means the same', async () => {
    const text = readFileSync(join(projectRoot, path), 'utf8')
    const before = await check(host, path)
    const all = occurrencesIn(before, path)
    const declared = all.filter(each => each.isDeclaration && each.target.declaredAt?.path === path)
    expect(declared.length).toBeGreaterThan(0)
    for (const { target } of declared) {
      const places = placesOf(target, all)
      expect(renameProblem(target, 'renamedHere', all)).toBeNull()
      expect(new Set(places.map(({ start, end }) => text.slice(start, end)))).toEqual(new Set([target.name]))
      const changed = renamed(text, path, places, target.kind === 'symbol' && target.symbol.kind === 'type' ? 'RenamedHere' : 'renamedHere')
      const after = await check(host, path, { readText: asked => (asked === path ? changed : undefined) })
      expect(codes(after.diagnostics), `${target.name} in ${path}`).toEqual(codes(before.diagnostics))
    }
  }, 300_000)
})

/** What the name at `|` stands for. */
function at(marked: string, others: Readonly<Record<string, string>> = {}): { readonly found: Occurrence | null; readonly all: readonly Occurrence[]; readonly text: string } {
  const offset = marked.indexOf('|')
  const text = marked.replace('|', '')
  const checked = compileText(text, others)
  const all = [...occurrencesIn(checked, 'main.tek'), ...Object.keys(others).flatMap(path => occurrencesIn(checked, path))]
  return { found: occurrenceAt(all.filter(each => each.at.path === 'main.tek'), offset), all, text }
}

const shown = (text: string, { found, all }: ReturnType<typeof at>): string[] => placesOf(found!.target, all).map(({ path, start }) => (path === 'main.tek' ? `line ${text.slice(0, start).split('\n').length}` : path))

describe('what a name stands for', () => {
  test('the innermost of what binds it', () => {
    const seen = at('workflow main(x: int) -> int[] {\n  task a = [x for x in [1, 2] if |x > 1]\n  return [x]\n}\n')
    expect(seen.found?.target.kind).toBe('local')
    expect(placesOf(seen.found!.target, seen.all)).toHaveLength(3)
    expect(renameProblem(seen.found!.target, 'y', seen.all)).toBeNull()
  })
  test('a parameter of a workflow, also where it is called by name', () => {
    const seen = at('workflow one(size|: int) -> int {\n  return size\n}\nworkflow main() -> int {\n  task a = one(size: 3)\n  return a\n}\n')
    expect(shown(seen.text, seen)).toEqual(['line 1', 'line 2', 'line 5'])
  })
  test('a name from another file', () => {
    const seen = at('use "./other.tek" (two)\nworkflow main() -> int {\n  task a = |two()\n  return a\n}\n', { 'other.tek': 'workflow two() -> int {\n  return 2\n}\n' })
    expect(shown(seen.text, seen)).toEqual(['other.tek', 'line 1', 'line 3'])
  })
  test('agents, tools, capabilities, types, modules', () => {
    const text = 'use std.fs as files\ncapability all = files.read("**")\nmodel m = anthropic("x")\ntype T = { a: int }\nagent one {\n  model m\n  role "One."\n  can all\n  tools files.read\n}\nworkflow main() -> T {\n  can all\n  task a by one -> T = prompt """?"""\n  return a\n}\n'
    const kinds = ['all', 'm ', 'T =', 'one {', 'files\n'].map(name => at(text.replace(name, `|${name}`)))
    expect(kinds.map(({ found, all }) => placesOf(found!.target, all).length)).toEqual([3, 2, 3, 2, 3])
  })
})

describe('what cannot be renamed says why', () => {
  test.each([
    ['workflow main(a: int, b: int) -> int {\n  return |a + b\n}\n', 'b', '`b` is declared already, in main.tek.'],
    ['workflow main(a: int) -> int {\n  return |a\n}\n', '1a', '`1a` is no name: letters, digits and `_`, no digit first.'],
    ['workflow main(a: int) -> int {\n  return |a\n}\n', 'task', '`task` is a word of the language.'],
    ['workflow main() -> int {\n  return len(fs|.glob("x"))\n}\n', 'gs', '`fs` is not declared in this project.'],
  ])('%s to %s', (text, name, problem) => {
    const { found, all } = at(text)
    expect(renameProblem(found!.target, name, all)).toBe(problem)
  })
  test('a name of another workflow is free', () => {
    const { found, all } = at('workflow one(a: int) -> int {\n  return a\n}\nworkflow main(|b: int) -> int {\n  return b\n}\n')
    expect(renameProblem(found!.target, 'a', all)).toBeNull()
  })
})
