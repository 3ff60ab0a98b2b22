// Cost: what a task that does nothing may cost, by counting: events, commands, kinds of objects.
import { setFlagsFromString } from 'node:v8'
import { expect, test } from 'vitest'
import type { RunEvent } from '#model/event.ts'
import { memoryJournal } from '#interpreter/journal/memory.ts'
import { initialState } from '#interpreter/engine/state.ts'
import { transition } from '#interpreter/engine/transition.ts'
import { Evaluation } from '#interpreter/engine/evaluation.ts'
import { lower } from '#compiler/4-lower/lower.ts'
import { compileText } from '../compiler/compile-text.ts'
import { binary, local, node, plan, task, value, workflow } from './plan-builder.ts'
import { runPlan } from './run-plan.ts'

const ITEMS = 1_000

test('a task without effects costs one event and two commands', async () => {
  const items = { item: 'x', list: value(Array.from({ length: ITEMS }, (_, i) => i)), width: null }
  const program = plan({ main: workflow([task('a', binary('+', local('x'), value(1)), { forEach: items })], node(0)) })
  const journal = memoryJournal()
  const { result } = await runPlan(program, { journal })
  const events: RunEvent[] = result.kind === 'ran' ? [...journal.openRun(result.summary.runId)!.log.events()] : []
  const state = initialState(program, { parallel: 8, cpu: 2, memoryBytes: 1e9 })
  let commands = 0
  for (const event of events) commands += transition(state, event).length
  expect(events.length).toBeLessThanOrEqual(ITEMS + 6)
  expect(commands).toBeLessThanOrEqual(2 * ITEMS + 10)
})

test('an expression is compiled once for all items, and asks what is loaded only if it calls something', () => {
  let asked = 0
  const pure = () => (asked++, null)
  const names = { param: () => 1, node: () => 1, constant: () => 1, local: () => 1 }
  const expr = binary('+', local('x'), value(1))
  const run = () => new Evaluation(expr, names, { inlineSteps: null, maxSteps: 1_000, pure }).start()
  expect(run()).toEqual({ kind: 'done', value: 2 })
  expect(run()).toEqual({ kind: 'done', value: 2 })
  expect(asked).toBe(0)
})

test('the nodes of a lowered workflow are objects of one shape', () => {
  setFlagsFromString('--allow-natives-syntax')
  const isSameShape = new Function('a', 'b', 'return %HaveSameMap(a, b)') as (a: object, b: object) => boolean
  setFlagsFromString('--no-allow-natives-syntax')
  const lines = Array.from({ length: 300 }, (_, i) => {
    if (i % 3 === 0) return `  task t${i} = ${i}`
    return i % 3 === 1 ? `  let t${i} = t${i - 1} + 1` : `  task t${i} retry 2 = t${i - 1} + 1`
  })
  const compiled = compileText(`workflow w() -> int {\n${lines.join('\n')}\n  return t299\n}\n`)
  expect(compiled.diagnostics.filter(each => each.severity === 'error')).toEqual([])
  const { nodes } = lower(compiled.program!).workflows['w']!
  expect(nodes.filter(each => !isSameShape(each, nodes[0]!))).toEqual([])
})
