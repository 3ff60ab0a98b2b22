// Large and hostile programs: long circles, deep chains, many mistakes; and random task graphs against an oracle.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { orderGraph } from '#compiler/3-check/graph.ts'
import { preludeNames } from '#compiler/3-check/prelude.ts'
import { preludeFunctions, preludeParams } from '#interpreter/engine/evaluate/prelude.ts'
import { prelude } from '#compiler/3-check/prelude.ts'
import { compileText } from './compile-text.ts'

const codes = (text: string): string[] => compileText(text).diagnostics.map(each => each.code)

describe('the prelude', () => {
  it('has the names and parameters that the evaluator implements', () => {
    expect([...preludeNames].sort()).toEqual([...preludeFunctions].sort())
    for (const [name, params] of Object.entries(preludeParams)) expect([name, prelude.get(name)!.params.map(param => param.name)]).toEqual([name, params])
  })
})

describe('large programs', () => {
  it('names a circle of 1,000 tasks in one short message', () => {
    const tasks = Array.from({ length: 1_000 }, (_, index) => `  task t${index} = t${(index + 1) % 1_000} + 1`)
    const { diagnostics } = compileText(`workflow w() -> int {\n${tasks.join('\n')}\n  return t0\n}\n`)
    expect(diagnostics.map(each => each.code)).toEqual(['task/cycle'])
    expect(diagnostics[0]!.message).toMatch(/^These tasks wait for each other: `t0` → `t1` .*… \d+ more ….* → `t0`\.$/)
  })

  it('follows chains of 10,000 consts, types, tasks and workflows', () => {
    const count = 10_000
    const chain = (line: (index: number) => string): string => Array.from({ length: count }, (_, index) => line(index)).join('\n')
    expect(codes(chain(index => `const c${index} = ${index === count - 1 ? '1' : `c${index + 1} + 1`}`))).toEqual([])
    expect(codes(chain(index => `type T${index} = ${index === count - 1 ? 'int' : `T${index + 1}`}`))).toEqual([])
    expect(codes(`workflow w() -> int {\n${chain(index => `  task t${index} = ${index === count - 1 ? '1' : `t${index + 1} + 1`}`)}\n  return t0\n}\n`)).toEqual([])
    expect(codes(chain(index => `workflow w${index}() -> int {\n  task t = ${index === count - 1 ? '1' : `w${index + 1}()`}\n  return t\n}`))).toEqual([])
  }, 60_000)

  it('refuses a type that doubles at each name', () => {
    const lines = ['type T0 = { a: int, b: string }', ...Array.from({ length: 60 }, (_, index) => `type T${index + 1} = { a: T${index}, b: T${index} }`)]
    expect(codes(lines.join('\n'))).toEqual(['type/too-large', 'type/too-large', 'type/too-large', 'type/too-large'])
  })

  it('reports 100 planted mistakes among 1,000 declarations at most 1.3 times each', () => {
    const mistakes = ['  task x = fs.raed("a")', '  task x = nothng + 1', '  task x: = 3', '  task x = text.count("a")', '  task x = 1 + "a"', '  task x = fs.write("out/a", "b")', '  task x for i in 3 = i', '  task x retry 0 = root', '  task x = first([1]) + 1', '  task x by nobody -> int = prompt "x"']
    const declarations = Array.from({ length: 1_000 }, (_, index) => `workflow w${index}(root: path = "src") -> path[] {\n  can fs.read("\${root}/**")\n  task files = fs.glob("\${root}/*")\n${index % 10 === 5 ? `${mistakes[Math.floor(index / 10) % 10]}\n` : ''}  return files\n}`)
    const { diagnostics } = compileText(declarations.join('\n'))
    expect(diagnostics.length).toBeGreaterThanOrEqual(100)
    expect(diagnostics.length).toBeLessThanOrEqual(130)
  })

  it('reports what is too deep, and nothing overflows', () => {
    const many = 100_000
    const texts = [
      `const x = ${'not '.repeat(many)}true`, `const x = ${'- '.repeat(many)}1`, `const x = ${`(${'not '.repeat(499)}`.repeat(60)}true${')'.repeat(60)}`,
      `type X = ${'untrusted '.repeat(many)}string`, `type X = ${`{ a: ${'secret '.repeat(400)}`.repeat(60)}string${' }'.repeat(60)}\nworkflow w(x: X) -> X {\n  return x\n}`,
    ]
    for (const text of texts) expect(codes(text)).toContain('syntax/too-deep')
  })

  it('checks any sample cut off anywhere without throwing', () => {
    const text = 'type F = { file: path, n: int }\nagent a { model m }\nworkflow w(xs: F[]) -> F[] {\n  can fs.read("${xs}/**")\n  task s for x in xs when x.n > 3 by a -> F retry 2 = prompt "Look at ${x.file}."\n  return s |> filter(f => match f.n { 1 => true, _ => false })\n}\nloop l evolves w {\n  limits { cycles: 3 }\n  decide = if sense.health.cpu > 80% then quiesce("x") else replicate(2)\n  promote when score > 0.5 do note("done")\n}\ntest "t" {\n  given a replies [1]\n  let r = w([])\n  expect denied(fs.read("x"))\n}\n'
    for (let end = 0; end <= text.length; end++) compileText(text.slice(0, end))
    for (let start = 0; start < text.length; start += 7) compileText(text.slice(0, start) + text.slice(start + 5))
  }, 60_000)
})

describe('the order of a graph', () => {
  const graphs = fc.integer({ min: 1, max: 30 }).chain(count => fc.array(fc.array(fc.nat({ max: count - 1 }), { maxLength: 4 }), { minLength: count, maxLength: count }))

  it('puts every node after those it depends on, and finds a circle exactly when there is one', () => {
    fc.assert(fc.property(graphs, edges => {
      const { order, cycles } = orderGraph(edges)
      expect([...order].sort((a, b) => a - b)).toEqual(edges.map((_, index) => index))
      expect(cycles.length > 0).toBe(edges.some((_, node) => reaches(edges, node)))
      for (const cycle of cycles) cycle.forEach((node, index) => expect(edges[node]).toContain(cycle[(index + 1) % cycle.length]))
      const circular = new Set(edges.flatMap((_, node) => (reaches(edges, node) ? [node] : [])))
      const place = new Map(order.map((node, index) => [node, index]))
      edges.forEach((targets, node) => targets.forEach(target => circular.has(node) || expect(place.get(target)!).toBeLessThan(place.get(node)!)))
    }), { seed: 7, numRuns: 500 })
  })
})

/** The oracle: whether a node leads back to itself. */
function reaches(edges: readonly (readonly number[])[], node: number): boolean {
  const seen = new Set<number>()
  const pending = [...edges[node]!]
  while (pending.length > 0) {
    const next = pending.pop()!
    if (next === node) return true
    if (seen.has(next)) continue
    seen.add(next)
    pending.push(...edges[next]!)
  }
  return false
}
