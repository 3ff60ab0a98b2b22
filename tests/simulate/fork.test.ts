// Fork: what does not depend on the task is taken over and not asked of the world again; the rest runs again, and comes to the same where the world is the same.
import { expect, test } from 'vitest'
import { lower } from '#compiler/4-lower/lower.ts'
import { forkRun, type Forked } from '#interpreter/fork.ts'
import { pathOf } from '#interpreter/engine/path.ts'
import { initialState } from '#interpreter/engine/state.ts'
import { transition } from '#interpreter/engine/transition.ts'
import { memoryJournal } from '#interpreter/journal/memory.ts'
import type { Journal } from '#interpreter/journal/journal.ts'
import { replayRun } from '#interpreter/replay.ts'
import { reportOf } from '#interpreter/report.ts'
import type { Plan } from '#model/plan.ts'
import type { Value } from '#model/type.ts'
import { compileText } from '../compiler/compile-text.ts'
import { drawProgram, random } from '../compiler/random-programs.ts'
import { call, list, local, node, plan, sub, task, value, workflow } from '../engine/plan-builder.ts'
import { resumePlan, runnerOf, runPlan, type Tool } from '../engine/run-plan.ts'

const PROGRAMS = 500

let drawn = 0
const host = { now: () => Date.UTC(2026, 5, 1), randomHex: () => `fork${drawn++}` }

function forked(journal: Journal, runId: string, from: string): Forked {
  const made = forkRun(journal, host, runId, from)
  if (made === null || 'severity' in made) throw new Error(made?.message ?? 'no such run')
  return made
}

/** Nodes of a workflow that wait for one, itself included. */
function downstream({ workflows, entries }: Plan, name: string): Set<string> {
  const { nodes } = workflows[entries[0]!]!
  const found = new Set([nodes.findIndex(each => each.name === name)])
  nodes.forEach((each, index) => void (each.dependsOn.some(on => found.has(on)) && found.add(index)))
  return new Set([...found].map(index => nodes[index]!.name))
}

const topOf = (path: string): string => path.replace(/[[/#].*/, '')

/** Paths of the calls that a run made itself: of a fork, those after it was taken up. */
function callsOf(journal: Journal, runId: string, program: Plan): string[] {
  const state = initialState(program, { parallel: Infinity, cpu: Infinity, memoryBytes: Infinity })
  let calls: string[] = []
  for (const event of journal.openRun(runId)!.log.events()) {
    if (event.kind === 'run-resumed') calls = []
    if (event.kind === 'call-started') calls.push(pathOf(state, event.task))
    transition(state, event)
  }
  return calls.sort()
}

/** A world that always answers the same. */
function worldOf(seed: number, keys: string[]): Record<string, Tool> {
  const next = random(seed)
  const [items, size, isThere] = [Math.floor(next() * 9), Math.floor(next() * 5), next() < 0.7]
  const tool = (answer: Value): Tool => (_, context) => {
    keys.push(context.idempotencyKey)
    return answer
  }
  return { read: tool('x'.repeat(size)), exists: tool(isThere), glob: tool(Array.from({ length: items }, (_, index) => String(index))) }
}

test(`${PROGRAMS} random programs, forked from each of their tasks`, async () => {
  const seen = { forks: 0, done: 0, spared: 0, again: 0, stopped: 0 }
  for (let seed = 1; seed <= PROGRAMS; seed++) {
    const text = drawProgram(seed, { timed: false }).text.replaceAll(/ ?cache 1d/g, '') // a cache spares calls as well: see below
    const compiled = compileText(text)
    if (compiled.program === null) continue
    const program = lower(compiled.program)
    const journal = memoryJournal()
    const firstKeys: string[] = []
    const { result } = await runPlan(program, { journal, advancing: true, tools: worldOf(seed, firstKeys) })
    if (result.kind === 'refused') throw new Error('refused')
    const { runId, status } = result.summary
    const first = callsOf(journal, runId, program)
    for (const { name, kind } of program.workflows['main']!.nodes) {
      if (kind !== 'task') continue
      const again = downstream(program, name)
      const made = forked(journal, runId, name)
      const beginning = journal.openRun(made.runId)!
      const statuses = new Map(reportOf(program, beginning.summary, beginning.log.events()).tasks.map(each => [each.path, each.status]))
      const secondKeys: string[] = []
      const { result: end } = await resumePlan(program, made.runId, { journal, advancing: true, tools: worldOf(seed, secondKeys) })
      if (end.kind === 'refused') throw new Error('refused')
      const where = `seed ${seed}, from ${name}\n${text}`
      expect(secondKeys.filter(each => firstKeys.includes(each)), where).toEqual([])
      const second = callsOf(journal, made.runId, program)
      expect(end.summary.origin, where).toEqual({ runId, task: name })
      seen.forks++
      if (status !== 'done') {
        seen.stopped++
        for (const path of second) expect(again.has(topOf(path)) || statuses.get(topOf(path)) !== 'done', `${where}: ${path}`).toBe(true)
        continue
      }
      expect(end.summary.outcome, where).toEqual(result.summary.outcome)
      expect(second, where).toEqual(first.filter(each => again.has(topOf(each))))
      for (const [path, now] of statuses) expect(['done', 'skipped', 'failed'].includes(now), `${where}: ${path} ${now}`).toBe(!again.has(topOf(path)))
      const replay = await replayRun(journal.openRun(made.runId)!, { toolRunner: runnerOf({}), capacity: { parallel: Infinity, cpu: 2, memoryBytes: 4e9 }, pool: () => { throw new Error('nothing is heavy') } })
      expect(replay, where).toMatchObject({ difference: null })
      seen.done++
      seen.again += second.length
      seen.spared += first.length - second.length
    }
  }
  for (const [kind, count] of Object.entries(seen)) expect(count, kind).toBeGreaterThan(PROGRAMS / 20)
}, 300_000)

const program = plan({
  main: workflow([
    task('files', call('list', {}, { effect: 'read' })),
    task('scan', call('read', { x: local('f') }), { dependsOn: [0], forEach: { item: 'f', list: node(0), width: value(1) } }),
    task('build', sub('build'), { retry: { count: 2, fromMs: 10, toMs: 10 } }),
    task('all', list(node(1), node(2)), { dependsOn: [1, 2] }),
  ], node(3)),
  build: workflow([task('make', call('make')), task('test', call('test', { x: node(0) }), { dependsOn: [0] }), task('lint', call('lint'))], list(node(0), node(1), node(2))),
})

const fine = { list: () => [1, 2, 3, 4], read: ({ x }: Readonly<Record<string, Value>>) => Number(x) * 10, make: () => 'made', test: () => 'tested', lint: () => 'linted' }

async function begun(answers: Record<string, Tool> = fine): Promise<{ journal: Journal; runId: string; value: Value }> {
  const journal = memoryJournal()
  const { result, value: got } = await runPlan(program, { journal, tools: answers, advancing: true })
  return { journal, runId: result.kind === 'ran' ? result.summary.runId : '', value: got }
}

test('one item of a `for`: only it runs again, however narrow the `for` is', async () => {
  const { journal, runId, value: got } = await begun()
  for (const [index, item] of ['scan[0]', 'scan[1]', 'scan[3]'].entries()) {
    const made = forked(journal, runId, item)
    const again = await resumePlan(program, made.runId, { journal, tools: { ...fine, read: () => 99 }, advancing: true })
    expect(callsOf(journal, made.runId, program), item).toEqual([item])
    expect(again.value).toEqual([(got as [number[], Value])[0].with([0, 1, 3][index]!, 99), (got as Value[])[1]])
  }
})

test('a task inside a workflow: what is beside it stays, what it is in comes to its end again', async () => {
  const { journal, runId, value: got } = await begun()
  const made = forked(journal, runId, 'build/test')
  const again = await resumePlan(program, made.runId, { journal, tools: { ...fine, test: () => 'again' }, advancing: true })
  expect(callsOf(journal, made.runId, program)).toEqual(['build/test'])
  expect(again.value).toEqual([(got as Value[])[0], ['made', 'again', 'linted']])
})

test('a run that failed: what failed runs again, what came to a value does not', async () => {
  const { journal, runId } = await begun({ ...fine, test: () => { throw new Error('broken') } })
  const had = callsOf(journal, runId, program)
  const made = forked(journal, runId, 'build')
  const again = await resumePlan(program, made.runId, { journal, tools: fine, advancing: true })
  expect(again.value).toEqual([[10, 20, 30, 40], ['made', 'tested', 'linted']])
  const asked = callsOf(journal, made.runId, program)
  expect(had).toContain('files')
  expect(asked).not.toContain('files')
  expect(asked.filter(each => each.startsWith('build/'))).toEqual(['build/lint', 'build/make', 'build/test'])
})

test('in the second attempt of a workflow', async () => {
  let tests = 0
  const { journal, runId, value: got } = await begun({ ...fine, test: () => {
    if (tests++ === 0) throw Object.assign(new Error('busy'), { retryable: true })
    return 'tested'
  } })
  expect(got).toEqual([[10, 20, 30, 40], ['made', 'tested', 'linted']])
  const made = forked(journal, runId, 'build#2/test')
  const again = await resumePlan(program, made.runId, { journal, tools: fine, advancing: true })
  expect(again.value).toEqual(got)
  expect(callsOf(journal, made.runId, program)).toEqual(['build#2/test'])
})

test('the task itself is not answered by the cache, others are', async () => {
  const cached = { cache: { ageMs: null, by: null } }
  const two = plan({ main: workflow([task('a', call('one'), cached), task('b', call('two', { x: node(0) }), { ...cached, dependsOn: [0] })], node(1)) })
  const journal = memoryJournal()
  const { result } = await runPlan(two, { journal, tools: { one: () => 1, two: () => 2 } })
  const made = forked(journal, result.kind === 'ran' ? result.summary.runId : '', 'a')
  await resumePlan(two, made.runId, { journal, tools: { one: () => 1, two: () => 2 } })
  expect(callsOf(journal, made.runId, two)).toEqual(['a'])
})

test('no such run, no such task', () => {
  expect(forkRun(memoryJournal(), host, 'none', 'a')).toBe(null)
})

test('the old run stays as it is; the new one says where it comes from', async () => {
  const { journal, runId } = await begun()
  const before = [...journal.openRun(runId)!.log.events()]
  const made = forked(journal, runId, 'scan')
  expect([...journal.openRun(runId)!.log.events()]).toEqual(before)
  expect(made).toMatchObject({ origin: { runId, task: 'scan' }, takenOver: 4 })
  expect(forkRun(journal, host, runId, 'scann')).toMatchObject({ code: 'run/unknown-task' })
})
