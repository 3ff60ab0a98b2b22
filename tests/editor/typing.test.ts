// What an editor offers and shows while somebody types: completion, hover, hints, outline.
import { describe, expect, test } from 'vitest'
import { KEYWORDS } from '#compiler/1-syntax/keywords.ts'
import { completionsAt } from '#editor/completion.ts'
import { callHelpAt, hintsOf } from '#editor/hints.ts'
import { hoverAt } from '#editor/hover.ts'
import { occurrencesIn } from '#editor/occurrences.ts'
import { foldsOf, outlineOf } from '#editor/outline.ts'
import { compileText } from '../compiler/compile-text.ts'

const program = `/// Counts.
type Found = { file: path, count: int }
const most = 5
capability source = fs.read("src/**")
/// Looks at one.
workflow one(file: path, depth: int = 2) -> int {
  can source
  task text = fs.read(file)
  return len(text)
}
workflow main(root: path) {
  can source
  task files = fs.glob("src/*.ts")
  task sizes for each in files = one(each)
  return sum(sizes)
}
`

/** The program with `typed` put in the place of `|` in a line added to `main`, and where the cursor then is. */
function typing(line: string, inside = true): { text: string; offset: number } {
  const added = inside ? program.replace('  return sum(sizes)\n', `${line}\n  return sum(sizes)\n`) : `${program}${line}\n`
  return { text: added.replace('|', ''), offset: added.indexOf('|') }
}

function offered(line: string, inside = true): string[] {
  const { text, offset } = typing(line, inside)
  return completionsAt(compileText(text), 'main.tek', text, offset).map(each => each.label)
}

describe('completion', () => {
  test('after a module, what it offers, with what is needed as a snippet', () => {
    const { text, offset } = typing('  task a = fs.|')
    const found = completionsAt(compileText(text), 'main.tek', text, offset)
    expect(found.map(each => each.label)).toContain('glob')
    expect(found.find(each => each.label === 'read')).toMatchObject({ kind: 'function', snippet: 'read(${1:path})', detail: 'fs.read(path: path) -> string' })
  })
  test('after a module in a `can`, its grants', () => expect(offered('  can fs.|')).toContain('read'))
  test('in a `can`, capabilities and modules', () => expect(offered('  can |')).toEqual(expect.arrayContaining(['source', 'fs', 'exec'])))
  test('in column 1, declarations', () => {
    const found = offered('|', false)
    expect(found).toEqual(expect.arrayContaining(['workflow', 'agent', 'test', 'use']))
    expect(found).not.toContain('sizes')
  })
  test('at the beginning of a line in a workflow, its members', () => expect(offered('  |')).toEqual(expect.arrayContaining(['task', 'return', 'can', 'limits'])))
  test('in the head of a task, clauses', () => expect(offered('  task a re|')).toEqual(expect.arrayContaining(['retry', 'timeout', 'ensure', 'by'])))
  test('in an expression, tasks, parameters, workflows, the prelude and modules', () => {
    const found = offered('  task a = |')
    expect(found).toEqual(expect.arrayContaining(['files', 'sizes', 'root', 'one', 'most', 'len', 'fs']))
    expect(found).not.toContain('depth')
  })
  test('in a type, types alone', () => {
    const found = offered('  task a -> |')
    expect(found).toEqual(expect.arrayContaining(['Found', 'string', 'int']))
    expect(found).not.toContain('files')
  })
  test('in `limits`, the limits of that place', () => {
    expect(offered('  limits { time: 3m, |')).toEqual(expect.arrayContaining(['tokens', 'tasks', 'cost']))
    expect(offered('  limits { |')).not.toContain('turns')
    expect(offered('agent reader {\n  limits { tu|', false)).toContain('turns')
    expect(offered('agent reader {\n  limits { tu|', false)).not.toContain('tasks')
  })
  test('where an agent or a model is named, those alone', () => {
    const declared = 'model near = openai("x", baseUrl: "http://127.0.0.1:1/v1")\nagent reader { model near }\n'
    expect(offered(`${declared}agent other {\n  model |`, false)).toEqual(['near'])
    expect(offered(`${declared}workflow w() -> string {\n  task t by |`, false)).toContain('reader')
    expect(offered(`${declared}workflow w() -> string {\n  task t by |`, false)).not.toContain('len')
  })
  test('in a comment, nothing', () => expect(offered('  // fs.|')).toEqual([]))
  test.each(['  task a = nothing.|', '  task a = "${fs|', '  }}|', '  task a = fs.read(|'])('what is no program yet makes no trouble: %s', line => expect(offered(line)).toBeInstanceOf(Array))
  test('every snippet of a declaration is one that the parser reads, once filled in', () => {
    const text = ''
    for (const { label, snippet } of completionsAt(compileText(text), 'main.tek', text, 0)) {
      expect(KEYWORDS.has(label), label).toBe(true)
      const filled = (snippet ?? label).replaceAll('\\$', '\0').replaceAll(/\$\{\d+:([^{}]*)\}/g, '$1').replaceAll(/\$\{\d+\|([^,|]*)[^}]*\}/g, '$1').replaceAll(/\$\{?\d\}?/g, '').replaceAll('\0', '$')
      const codes = compileText(`${filled}\n`).diagnostics.map(each => each.code).filter(code => code.startsWith('syntax/'))
      if (!['const', 'edition', 'can', 'limits', 'accept', 'loop', 'test'].includes(label)) expect(codes, filled).toEqual([])
    }
  })
})

function hover(marked: string): string | null {
  const offset = program.indexOf(marked)
  expect(offset).not.toBe(-1)
  const checked = compileText(program)
  return hoverAt(checked, 'main.tek', occurrencesIn(checked, 'main.tek'), offset + 1)?.markdown ?? null
}

describe('hover', () => {
  test('a function with what it needs and that what it gives comes from outside', () => {
    const text = hover('read(file)')
    expect(text).toContain('fs.read(path: path) -> string')
    expect(text).toContain('looks at the world · needs `fs.read(path)` · gives text from outside')
  })
  test('a workflow with its head, doc and authority', () => {
    expect(hover('one(each)')).toBe('```tek\nworkflow one(file: path, depth: int = 2) -> int\n```\n\nLooks at one.\n\nasks for `fs.read`')
  })
  test('a task with its type and trust', () => expect(hover('text)')).toBe('```tek\ntask text: untrusted string\n```\n\nholds text from outside'))
  test('a parameter, what a `for` names, a const, a type', () => {
    expect(hover('file)\n')).toBe('```tek\nfile: path\n```')
    expect(hover('each)')).toBe('```tek\nlet each: path\n```')
    expect(hover('most')).toBe('```tek\nconst most = 5\n```')
    expect(hover('Found')).toBe('```tek\ntype Found = { file: path, count: int }\n```\n\nCounts.')
  })
  test('an expression with its type', () => expect(hover('"src/*.ts"')).toContain('"src/*.ts"'))
})

test('hints: types and what is waited for', () => {
  const hints = hintsOf(compileText(program), 'main.tek').map(({ offset, text }) => `${program.slice(0, offset).split(/\W/).at(-1)}${text}`)
  expect(hints).toEqual(['text: untrusted string', 'files: path[]', 'sizes: int[]', 'sizes after files'])
})

test('the call that is being typed, and which parameter', () => {
  const at = program.indexOf('one(each)') + 'one(e'.length
  expect(callHelpAt(compileText(program), 'main.tek', at)).toEqual({ label: 'one(file: path, depth: int = 2)', doc: 'Looks at one.', params: [{ label: 'file: path', doc: '' }, { label: 'depth: int = 2', doc: '' }], active: 0 })
  expect(callHelpAt(compileText(program), 'main.tek', 5)).toBeNull()
})

test('outline and folds', () => {
  const outline = outlineOf({ path: 'main.tek', text: program })
  expect(outline.map(({ name, kind }) => `${kind} ${name}`)).toEqual(['type Found', 'const most', 'capability source', 'workflow one', 'workflow main'])
  expect(outline[4]!.children.map(each => each.name)).toEqual(['files', 'sizes'])
  expect(outline[0]!.children.map(each => each.name)).toEqual(['file', 'count'])
  expect(foldsOf({ path: 'main.tek', text: `// a\n// b\n${program}` }).map(each => each.kind)).toEqual(['comment', 'code', 'code'])
})
