// Replay as a property: random programs are run with tools that fail, skip and answer anything; carried out again from their journals they come to the
// same values without a single call. A record that was changed is found, by the task.
import { expect, test } from 'vitest'
import { lower } from '#compiler/4-lower/lower.ts'
import { memoryJournal } from '#interpreter/journal/memory.ts'
import type { Journal, OpenedRun } from '#interpreter/journal/journal.ts'
import { replayRun } from '#interpreter/replay.ts'
import type { Replay } from '#model/report.ts'
import type { RunEvent } from '#model/event.ts'
import type { Plan } from '#model/plan.ts'
import type { Value } from '#model/type.ts'
import { compileText } from '../compiler/compile-text.ts'
import { drawProgram, random } from '../compiler/random-programs.ts'
import { binary, call, list, node, plan, sub, task, value, workflow } from '../engine/plan-builder.ts'
import { runnerOf, runPlan } from '../engine/run-plan.ts'

const PROGRAMS = 600

/** What the machine of the memory host has. */
const capacity = { parallel: Infinity, cpu: 2, memoryBytes: 4_000_000_000 }
const noPool = (): never => {
  throw new Error('nothing here is heavy')
}
/** Tools that must not be called: replaying has no door to the world. */
const closed = runnerOf({})

async function replayed(opened: OpenedRun, to?: string): Promise<Replay> {
  const found = await replayRun(opened, { toolRunner: closed, capacity, pool: noPool, ...(to === undefined ? {} : { to }) })
  if ('severity' in found) throw new Error(found.message)
  return found
}

async function randomRun(seed: number): Promise<{ opened: OpenedRun; text: string } | null> {
  const { text } = drawProgram(seed, { timed: false })
  const compiled = compileText(text)
  if (compiled.program === null) return null
  const next = random(seed * 7_919)
  const failing = next() < 0.4 ? 0 : next() * 0.3
  const tool = (answer: () => Value) => (): Value => {
    if (next() < failing) throw Object.assign(new Error('no'), { code: 'test/no', retryable: next() < 0.8 })
    return answer()
  }
  const journal = memoryJournal()
  const { result } = await runPlan(lower(compiled.program), {
    journal, advancing: true,
    tools: { read: tool(() => 'x'.repeat(Math.floor(next() * 5))), exists: tool(() => next() < 0.5), glob: tool(() => Array.from({ length: Math.floor(next() * 9) }, (_, index) => String(index))) },
  })
  if (result.kind === 'refused') throw new Error(result.diagnostics[0]!.message)
  return { opened: journal.openRun(result.summary.runId)!, text }
}

function withEvents(opened: OpenedRun, events: readonly RunEvent[]): OpenedRun {
  return { ...opened, log: { ...opened.log, events: () => events } }
}

test(`${PROGRAMS} random programs replay to the same values; a changed value is found`, async () => {
  const seen = { replayed: 0, values: 0, calls: 0, failed: 0, tampered: 0 }
  for (let seed = 1; seed <= PROGRAMS; seed++) {
    const ran = await randomRun(seed)
    if (ran === null) continue
    const { opened, text } = ran
    const found = await replayed(opened)
    expect(found.difference, `seed ${seed}\n${text}`).toBe(null)
    expect((await replayed(opened)).hash).toBe(found.hash)
    seen.replayed++
    seen.values += found.values
    seen.calls += found.calls
    if (opened.summary.status === 'failed') seen.failed++
    // One recorded end is made another one: just there it is found.
    const events = [...opened.log.events()]
    const bodies = events.flatMap((event, index) => (event.kind === 'evaluated' && event.part === 'body' && event.outcome.kind === 'value' ? [index] : []))
    const changed = bodies[seed % Math.max(1, bodies.length)]
    if (changed === undefined) continue
    const event = events[changed] as Extract<RunEvent, { kind: 'evaluated' }>
    const tampered = events.with(changed, { ...event, outcome: { kind: 'value', value: 'tampered' } })
    const { difference } = await replayed(withEvents(opened, tampered))
    if (difference === null) continue // the attempt had been given up: its end meant nothing
    expect(difference).toMatchObject({ part: 'body', recorded: { kind: 'value', value: 'tampered' }, replayed: event.outcome })
    seen.tampered++
  }
  expect(seen.replayed).toBeGreaterThan(PROGRAMS / 2)
  for (const [kind, count] of Object.entries(seen)) expect(count, kind).toBeGreaterThan(PROGRAMS / 20)
}, 300_000)

const program: Plan = plan({
  main: workflow([
    task('a', call('one', {}, { effect: 'read' })),
    task('b', binary('+', node(0), value(1)), { dependsOn: [0] }),
    task('each', sub('inner', {}), { dependsOn: [1], forEach: { item: 'x', list: list(value(1), value(2)), width: null } }),
  ], list(node(1), node(2))),
  inner: workflow([task('c', call('one', {}))], node(0)),
})

async function recorded(): Promise<{ journal: Journal; opened: OpenedRun; events: RunEvent[] }> {
  const journal = memoryJournal()
  const { result } = await runPlan(program, { journal, tools: { one: () => 1 } })
  const opened = journal.openRun(result.kind === 'ran' ? result.summary.runId : '')!
  return { journal, opened, events: [...opened.log.events()] }
}

test('a changed answer of a tool is found where it matters: in the task that asked', async () => {
  const { opened, events } = await recorded()
  const at = events.findIndex(each => each.kind === 'call-finished')
  const { difference } = await replayed(withEvents(opened, events.with(at, { ...events[at], outcome: { kind: 'value', value: 7 } } as RunEvent)))
  expect(difference).toMatchObject({ task: 'a', part: 'body', recorded: { value: 1 }, replayed: { value: 7 } })
})

test('a call without a recorded answer, one of another name, another result of the run', async () => {
  const { opened, events } = await recorded()
  const finished = events.findIndex(each => each.kind === 'call-finished')
  expect((await replayed(withEvents(opened, events.filter((_, index) => index !== finished)))).difference).toMatchObject({ task: 'a', words: expect.stringContaining('no outcome') })
  const started = events.findIndex(each => each.kind === 'call-started')
  expect((await replayed(withEvents(opened, events.with(started, { ...events[started], name: 'test.other' } as RunEvent)))).difference).toMatchObject({ words: expect.stringContaining('`test.other`') })
  expect((await replayed(withEvents(opened, events.with(-1, { ...events.at(-1), outcome: { kind: 'value', value: 0 } } as RunEvent)))).difference).toMatchObject({ task: 'main', part: 'result' })
})

test('up to a task: its values then, and nothing later', async () => {
  const { opened } = await recorded()
  const { state, difference } = await replayed(opened, 'b')
  expect(difference).toBe(null)
  expect(state!.tasks.map(each => [each.path, each.outcome?.kind === 'value' ? each.outcome.value : null])).toEqual([['a', 1], ['b', 2], ['each', null]])
  const inner = await replayed(opened, 'each[0]/c')
  expect(inner.state!.tasks.find(each => each.path === 'each[0]/c')?.outcome).toEqual({ kind: 'value', value: 1 })
  expect(await replayRun(opened, { toolRunner: closed, capacity, pool: noPool, to: 'bb' })).toMatchObject({ code: 'run/unknown-task', help: ['Did you mean `b`?'] })
})

test('a run that was stopped replays as far as it went', async () => {
  const { opened, events } = await recorded()
  for (let cut = 1; cut < events.length; cut++) expect((await replayed(withEvents(opened, events.slice(0, cut)))).difference).toBe(null)
})

