// Scheduling: random graphs against what must hold whatever the order: dependencies, capacity, nobody waits for ever, short makespans.
import { describe, expect, test } from 'vitest'
import type { PlanNode } from '#model/plan.ts'
import { AGING_EVERY } from '#interpreter/engine/queue.ts'
import { plan, task, value, workflow } from './plan-builder.ts'
import { simulate } from './simulator.ts'

/** Numbers that are the same in every run of the test. */
function drawer(seed: number): () => number {
  let at = seed
  return () => {
    at = (at + 0x6d2b79f5) | 0
    let t = Math.imul(at ^ (at >>> 15), 1 | at)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

function randomGraph(count: number, seed: number, more: (draw: () => number) => Partial<PlanNode> = () => ({})): PlanNode[] {
  const draw = drawer(seed)
  return Array.from({ length: count }, (_, index) => {
    const dependsOn = new Set<number>()
    const wanted = Math.floor(draw() * 4)
    for (let i = 0; i < wanted && index > 0; i++) dependsOn.add(Math.max(0, index - 1 - Math.floor(draw() * Math.min(index, 200))))
    return task(`t${index}`, value(null), { dependsOn: [...dependsOn].sort((a, b) => a - b), ...more(draw) })
  })
}

describe('random graphs', () => {
  for (const [count, seed] of [[10, 1], [10, 2], [100, 3], [1_000, 4], [10_000, 5]] as const) {
    test(`${count} tasks: dependencies first, needs never over-committed, all done`, () => {
      const capacity = { parallel: 7, cpu: 4, memoryBytes: 1_000 }
      const nodes = randomGraph(count, seed, draw => ({
        priority: Math.floor(draw() * 3) - 1,
        needs: draw() < 0.5 ? null : { cpu: 1 + Math.floor(draw() * 4), memoryBytes: 100 * Math.floor(draw() * 10) },
      }))
      const draw = drawer(seed + 100)
      const byName = new Map(nodes.map((each, index) => [each.name, index]))
      const over = new Set<number>()
      const running = new Set<number>()
      const started = new Set<number>()
      const { outcome } = simulate(plan({ main: workflow(nodes, value('end')) }), {
        capacity,
        durationMs: () => 1 + Math.floor(draw() * 20),
        onStart: path => {
          const index = byName.get(path)!
          expect(started.has(index)).toBe(false)
          started.add(index)
          running.add(index)
          for (const each of nodes[index]!.dependsOn) if (!over.has(each)) throw new Error(`${path} before t${each}`)
          const sum = (of: (node: PlanNode) => number) => [...running].reduce((total, each) => total + of(nodes[each]!), 0)
          if (running.size > capacity.parallel || sum(n => n.needs?.cpu ?? 0) > capacity.cpu || sum(n => n.needs?.memoryBytes ?? 0) > capacity.memoryBytes) throw new Error(`over-committed at ${path}`)
        },
        onEnd: path => {
          running.delete(byName.get(path)!)
          over.add(byName.get(path)!)
        },
      })
      expect(outcome?.kind).toBe('value')
      expect(over.size).toBe(count)
    })
  }
})

test('no ready task waits for ever: a low one behind a stream of high ones', () => {
  // A chain of high tasks, each of which makes many more high ones ready: always hundreds of them in line.
  const nodes: PlanNode[] = [task('low', value(null), { priority: -1 })]
  for (let i = 0; i < 2_000; i++) nodes.push(task(`h${i}`, value(null), { priority: 1, dependsOn: i < 300 ? [] : [i - 299] }))
  let before = 0
  let lowAfter = -1
  simulate(plan({ main: workflow(nodes, value(null)) }), {
    capacity: { parallel: 2 }, durationMs: () => 1,
    onStart: path => {
      if (path === 'low') lowAfter = before
      before++
    },
  })
  expect(lowAfter).toBeGreaterThan(-1)
  expect(lowAfter).toBeLessThanOrEqual(AGING_EVERY * 2)
})

test('a task with large needs is not starved by small ones', () => {
  const nodes: PlanNode[] = Array.from({ length: 1_000 }, (_, i) => task(`s${i}`, value(null), { needs: { cpu: 1, memoryBytes: 0 }, priority: 1 }))
  nodes.push(task('large', value(null), { needs: { cpu: 4, memoryBytes: 0 } }))
  const order: string[] = []
  simulate(plan({ main: workflow(nodes, value(null)) }), { capacity: { parallel: 8, cpu: 4 }, durationMs: path => 1 + (path.length % 3), onStart: path => void order.push(path) })
  expect(order.length).toBe(1_001)
  expect(order.indexOf('large')).toBeLessThan(100)
})

test('needs beyond the machine fail with a code', () => {
  const { outcome } = simulate(plan({ main: workflow([task('a', value(null), { needs: { cpu: 9, memoryBytes: 0 } })], value(null)) }), { capacity: { cpu: 2 } })
  expect(outcome).toMatchObject({ kind: 'failure', failure: { code: 'run/needs-too-much', task: 'a' } })
})

describe('makespan against max(critical path, work / p)', () => {
  const weightsOf = (durations: Map<string, number>) => Object.fromEntries([...durations].map(([name, ms]) => [`main/${name}`, ms]))
  for (const seed of [11, 12, 13, 14]) {
    test(`random graph ${seed} with known times`, () => {
      const nodes = randomGraph(2_000, seed)
      const draw = drawer(seed)
      const durations = new Map(nodes.map(each => [each.name, 1 + Math.floor(draw() ** 3 * 200)]))
      const p = 8
      const { endMs } = simulate(plan({ main: workflow(nodes, value(null)) }), { capacity: { parallel: p }, weights: weightsOf(durations), durationMs: path => durations.get(path)! })
      const finish: number[] = []
      let work = 0
      nodes.forEach((each, index) => {
        const ms = durations.get(each.name)!
        work += ms
        finish[index] = ms + Math.max(0, ...each.dependsOn.map(on => finish[on]!))
      })
      const bound = Math.max(work / p, ...finish)
      expect(endMs / bound).toBeLessThanOrEqual(1.01)
    })
  }
})
