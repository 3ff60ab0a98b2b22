// Graphs: what a plan's tasks look like, and that a drawing says exactly what the graph says.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { displayWidth, plainPaint } from '#base/terminal-text.ts'
import { graphOfPlan, graphOfRun, type Graph } from '#graph/graph.ts'
import { layersOf } from '#graph/layers.ts'
import { drawSvg } from '#graph/svg.ts'
import { drawTerminal } from '#graph/terminal.ts'
import { drawDot, drawMermaid } from '#graph/text-formats.ts'
import type { Plan, PlanNode } from '#model/plan.ts'
import type { RunReport } from '#model/report.ts'

/** `a>b, b>c` as a graph. */
function graph(text: string, notes: Readonly<Record<string, string>> = {}): Graph {
  const edges = text.split(', ').filter(each => each.includes('>')).map(each => ({ from: each.split('>')[0]!, to: each.split('>')[1]! }))
  const ids = [...new Set(text.split(/, |>/))]
  return { title: 'w', nodes: ids.map(id => ({ id, label: id, note: notes[id] ?? '', status: null })), edges }
}

const draw = (of: Graph, columns = 80): string => drawTerminal(of, { columns, paint: plainPaint })

test('a diamond', () => {
  expect(draw(graph('files>history, files>duplicates, history>report, duplicates>report', { history: 'for file' }))).toMatchInlineSnapshot(`
    "          ┌───────┐
              │ files │
              └───┬───┘
          ┌───────┴───────┐
          ▼               ▼
    ┌──────────┐   ┌────────────┐
    │ history  │   │ duplicates │
    │ for file │   └──────┬─────┘
    └─────┬────┘          │
          ├───────────────┘
          ▼
     ┌────────┐
     │ report │
     └────────┘
    "
  `)
})

test('too wide for the terminal: a list', () => {
  expect(draw(graph('first>last, second>last, third>last'), 24)).toBe('first\nlast    after first, seco…\nsecond\nthird\n')
})

/** Follows the lines of a drawing from box to box: the edges that a reader sees. */
function readBack(drawing: string): string[] {
  const rows = drawing.split('\n').map(line => [...line])
  const at = (y: number, x: number): string => rows[y]?.[x] ?? ' '
  const down = new Set('│├┌┐┬┼┤▼')
  const boxAt = (y: number, x: number): string | null => {
    for (let left = x; left >= 0; left--) if (at(y, left) === '┌') return rows[y + 1]!.slice(left + 2).join('').split(' ')[0]!
    return null
  }
  const found = new Set<string>()
  for (let y = 0; y < rows.length; y++) {
    for (let x = 0; x < rows[y]!.length; x++) {
      // A box's foot: ┬ in a line that begins with └ and belongs to a box (its top is further up).
      if (at(y, x) !== '┬') continue
      let left = x
      while (at(y, left) === '─' || at(y, left) === '┬') left--
      let right = x
      while (at(y, right) === '─' || at(y, right) === '┬') right++
      if (at(y, left) !== '└' || at(y, right) !== '┘' || at(y - 1, left) !== '│' || at(y - 1, right) !== '│') continue
      let top = y - 1
      while (at(top, left) === '│') top--
      if (at(top, left) !== '┌' || at(top, right) !== '┐') continue
      const name = rows[top + 1]!.slice(left + 2).join('').split(' ')[0]!
      const seen = new Set<string>()
      const follow = (fy: number, fx: number, way: 'down' | 'left' | 'right'): void => {
        const key = `${fy} ${fx} ${way}`
        if (seen.has(key)) return
        seen.add(key)
        const here = at(fy, fx)
        if (here === '▼') {
          found.add(`${name}>${boxAt(fy + 1, fx)}`)
          return
        }
        if (way === 'down') {
          if ('│├┤┬┼┌┐'.includes(here)) follow(fy + 1, fx, 'down')
          if ('├└┴┬┼'.includes(here)) follow(fy, fx + 1, 'right')
          if ('┤┘┴┬┼'.includes(here)) follow(fy, fx - 1, 'left')
        } else {
          const step = way === 'left' ? -1 : 1
          if ('┬┼├┤┌┐'.includes(here) && down.has(here)) follow(fy + 1, fx, 'down')
          if ('─│┬┼┴'.includes(here) || (way === 'left' ? here === '┤' : here === '├')) follow(fy, fx + step, way)
        }
      }
      follow(y + 1, x, 'down')
    }
  }
  return [...found].sort()
}

test('a reader of the drawing sees the edges of the graph, no more and no fewer', () => {
  const edges = fc.array(fc.tuple(fc.nat(9), fc.nat(9)).filter(([a, b]) => a < b), { minLength: 1, maxLength: 16 })
  let drawn = 0
  fc.assert(
    fc.property(edges, pairs => {
      const text = [...new Set(pairs.map(([a, b]) => `node${a}>node${b}`))].sort()
      const picture = draw(graph(text.join(', ')), 110)
      for (const line of picture.split('\n')) expect(displayWidth(line)).toBeLessThanOrEqual(110)
      if (!picture.includes('┌')) return // a list
      drawn++
      expect(readBack(picture)).toEqual(text)
    }),
    { numRuns: 400, seed: 7 },
  )
  expect(drawn).toBeGreaterThan(200)
})

test('layers: every arrow goes down by exactly one', () => {
  const layers = layersOf(graph('a>b, b>c, a>c, d>c'))
  expect(layers.map(layer => layer.length)).toEqual([2, 3, 1])
  const row = new Map(layers.flatMap((layer, index) => layer.map(slot => [slot, index] as const)))
  for (const layer of layers) for (const slot of layer) for (const next of slot.down) expect(row.get(next)).toBe(row.get(slot)! + 1)
})

test('10,000 tasks are drawn, as a list, without delay', () => {
  const text = Array.from({ length: 10_000 }, (_, index) => `t${index}>t${index + 1}`).join(', ')
  expect(draw(graph(text)).split('\n')).toHaveLength(10_002)
})

const hostile: Graph = {
  title: '</title><script>alert(1)</script>', edges: [{ from: 'a"]; b', to: 'é&<' }],
  nodes: [{ id: 'a"]; b', label: 'a"]; b --> c\u001b[2J', note: '<img src=x onerror=alert(1)>', status: 'failed' }, { id: 'é&<', label: 'é&<\u0000', note: '', status: null }],
}

test('svg: escaped, complete, the same every time, light and dark', () => {
  const svg = drawSvg(hostile)
  expect(drawSvg(hostile)).toBe(svg)
  expect(svg).not.toMatch(/<script|<img|[\u0000-\u0008\u001b]/)
  expect(svg).toContain('prefers-color-scheme:dark')
  expect(svg).toContain('&lt;/title&gt;')
  expect(svg.match(/<g class="node/g)).toHaveLength(2)
  expect(svg.match(/<path class="edge"/g)).toHaveLength(1)
  expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"/)
  const tags = [...svg.matchAll(/<(\/?)([a-z]+)(?:[^>"]|"[^"]*")*?(\/?)>/g)]
  const open: string[] = []
  for (const [, closing, name, alone] of tags) {
    if (closing) expect(open.pop()).toBe(name)
    else if (!alone) open.push(name!)
  }
  expect(open).toEqual([])
})

test('svg of nothing is still a picture', () => {
  expect(drawSvg({ title: 'w', nodes: [], edges: [] })).toContain('</svg>')
})

test('mermaid and dot: a name cannot mean anything in them', () => {
  expect(drawMermaid(hostile)).toMatchInlineSnapshot(`
    "flowchart TD
      t0["a#34;#93;#59; b --#62; c␛#91;2J<br/>#60;img src=x onerror=alert(1)#62;"]:::failed
      t1["é#38;#60;␀"]
      t0 --> t1
      classDef done stroke:#1a7f4b
      classDef failed stroke:#c0352b,stroke-width:3px
      classDef running stroke:#9a6700
      classDef skipped stroke-dasharray:4 3
      classDef cancelled stroke-dasharray:4 3
    "
  `)
  const dot = drawDot(hostile)
  expect(dot).toContain('t0 [label="a\\"]; b --> c␛[2J\\n<img src=x onerror=alert(1)>"')
  expect(dot).toContain('  t0 -> t1\n')
})

const node = (name: string, kind: 'let' | 'task', dependsOn: number[], more: Partial<PlanNode> = {}): PlanNode => ({
  name, kind, dependsOn, forEach: null, when: null, body: { kind: 'expr', value: { op: 'value', value: 1 } }, type: { kind: 'int' }, retry: null, timeoutMs: null, cache: null,
  verify: null, priority: 0, needs: null, onFailure: null, approve: null, label: null, ...more,
})

test('a plan: lets are passed through, notes say what a task is', () => {
  const nodes = [
    node('files', 'task', []), node('some', 'let', [0]), node('more', 'let', [1, 0]),
    node('scan', 'task', [2], { forEach: { item: 'file', list: { op: 'node', index: 2 }, width: null }, body: { kind: 'workflow', workflow: 'inner', args: {} } }),
  ]
  const plan = { workflows: { w: { nodes } } } as unknown as Plan
  expect(graphOfPlan(plan, 'w')).toEqual({
    title: 'w', edges: [{ from: 'files', to: 'scan' }],
    nodes: [{ id: 'files', label: 'files', note: '', status: null }, { id: 'scan', label: 'scan', note: 'for file, calls inner', status: null }],
  })
})

test('a plan: an agent with those it leads', () => {
  const nodes = [node('found', 'task', [], { body: { kind: 'agent', agent: 'lead', prompt: { op: 'value', value: '' } } })]
  const plan = { workflows: { w: { nodes } }, agentBodies: { lead: { leads: ['finder', 'doubter'] } } } as unknown as Plan
  expect(graphOfPlan(plan, 'w').nodes[0]!.note).toBe('by lead with finder, doubter')
})

test('a run: items are counted, not drawn', () => {
  const task = (path: string, dependsOn: string[] = []): RunReport['tasks'][number] => ({ path, status: 'done', attempts: 1, cached: false, startedAtMs: 0, elapsedMs: 1, outcome: null, dependsOn })
  const report = { summary: { workflow: 'w' }, tasks: [task('files'), task('scan', ['files']), task('scan[0]'), task('scan[1]'), task('scan[1]/inner')] } as unknown as RunReport
  expect(graphOfRun(report)).toMatchObject({ nodes: [{ id: 'files', note: '' }, { id: 'scan', note: '2 items', status: 'done' }], edges: [{ from: 'files', to: 'scan' }] })
})
