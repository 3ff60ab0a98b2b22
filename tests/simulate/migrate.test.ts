// Migrate: a run is cut off anywhere, its program is changed, and it goes on with the new one. It comes to what a fresh run of the new program comes to, and
// what the change left alone is not asked of the world again.
import { describe, expect, test } from 'vitest'
import { lower } from '#compiler/4-lower/lower.ts'
import { pathOf } from '#interpreter/engine/path.ts'
import { phase } from '#interpreter/engine/tasks.ts'
import { folded } from '#interpreter/find-task.ts'
import { memoryJournal } from '#interpreter/journal/memory.ts'
import type { Journal } from '#interpreter/journal/journal.ts'
import { migrateRun, type Migrated } from '#interpreter/migrate.ts'
import { replayRun } from '#interpreter/replay.ts'
import { hasValue } from '#interpreter/take-over.ts'
import type { RunEvent } from '#model/event.ts'
import type { Plan } from '#model/plan.ts'
import type { RunSummary } from '#model/report.ts'
import type { Value } from '#model/type.ts'
import { memoryHost } from '#testing/memory-host.ts'
import { compileText } from '../compiler/compile-text.ts'
import { drawProgram, random } from '../compiler/random-programs.ts'
import { binary, call, list, local, node, param, plan, sub, task, value, workflow } from '../engine/plan-builder.ts'
import { resumePlan, runnerOf, runPlan, type Tool } from '../engine/run-plan.ts'
import { edited, untouched, withValues } from './random-edits.ts'

const PROGRAMS = 1_000
/** What comes of a timeout depends on how busy the machine is; a cache spares calls as well. */
const timed = / ?(cache 1d|timeout \d+ms)/g

let drawn = 0

function cutJournal(summary: RunSummary, events: readonly RunEvent[], program: Plan): Journal {
  const journal = memoryJournal()
  const isOver = events.at(-1)?.kind === 'run-finished'
  journal.startRun(isOver ? summary : { ...summary, status: 'running', outcome: null }, program, { events })
  return journal
}

function migrated(journal: Journal, runId: string, to: Plan, more: { isDry?: boolean; mayWriteAgain?: string[] } = {}): Migrated {
  const host = Object.assign(memoryHost(), { randomHex: () => `migrated${drawn++}` })
  const made = migrateRun(journal, host, runId, { plan: to, constants: new Map(), pure: () => null, isDry: false, mayWriteAgain: [], ...more })
  if (made === null || 'severity' in made) throw new Error(made?.message ?? 'no such run')
  return made
}

/** Answers depend on the arguments alone: lengths, or a failure. */
function worldOf(seed: number, asked: string[]): Record<string, Tool> {
  const fails = random(seed)() < 0.3 ? String.fromCharCode(97 + (seed % 9)) : ''
  return {
    read(args, context) {
      asked.push(context.idempotencyKey)
      if (args['path'] === fails) throw Object.assign(new Error('gone'), { retryable: seed % 2 === 0 })
      return 'x'.repeat((String(args['path']).charCodeAt(0) + seed) % 7)
    },
    exists: args => (String(args['path']).length + seed) % 3 !== 0,
    glob: () => Array.from({ length: seed % 7 }, (_, index) => String(index)),
  }
}

/** Paths of the calls that a run made itself, after it was taken up. */
function callsOf(journal: Journal, runId: string, program: Plan): string[] {
  const events = [...journal.openRun(runId)!.log.events()]
  const state = folded(program, events)
  const from = events.findIndex(each => each.kind === 'run-resumed')
  return events.slice(from).flatMap(event => (event.kind === 'call-started' ? [pathOf(state, event.task)] : []))
}

const compiled = (text: string): Plan | null => {
  const { program } = compileText(text)
  return program === null ? null : lower(program)
}

test(`${PROGRAMS} random programs, cut off anywhere, changed, and gone on with`, async () => {
  const seen = { migrated: 0, sameResult: 0, spared: 0, again: 0, failed: 0, allKept: 0 }
  for (let seed = 1; seed <= PROGRAMS; seed++) {
    const before = withValues(drawProgram(seed, { timed: false }).text.replaceAll(timed, '').replaceAll(/ {2}limits .*\n/g, ''), seed)
    const after = edited(before, seed)
    const [was, is] = [compiled(before), compiled(after)]
    if (was === null || is === null) continue
    const full = memoryJournal()
    const { result } = await runPlan(was, { journal: full, advancing: true, tools: worldOf(seed, []) })
    const fresh = await runPlan(is, { advancing: true, tools: worldOf(seed, []) })
    if (result.kind === 'refused' || fresh.result.kind === 'refused') throw new Error('refused')
    const events = [...full.openRun(result.summary.runId)!.log.events()]
    const cut = 1 + Math.floor(random(seed * 7)() * events.length)
    const record = events.slice(0, cut)
    const journal = cutJournal(result.summary, record, was)
    const { runId } = result.summary
    const made = migrated(journal, runId, is)
    const where = `seed ${seed}, cut after ${cut} of ${events.length}\n${before}\n---\n${after}`
    expect(journal.openRun(runId)!.summary.successor, where).toBe(made.runId)
    const { result: end } = await resumePlan(is, made.runId!, { journal, advancing: true, tools: worldOf(seed, []) })
    if (end.kind === 'refused') throw new Error(`refused: ${end.diagnostics[0]!.code}`)
    seen.migrated++
    expect(end.summary.status, where).toBe(fresh.result.summary.status)
    if (fresh.result.summary.status === 'done') {
      expect(end.summary.outcome, where).toEqual(fresh.result.summary.outcome)
      seen.sameResult++
    } else seen.failed++

    const { isUntouched } = untouched(before, after)
    const old = folded(was, record)
    const hadValue = new Set<string>()
    for (let each = 1; each < old.tasks.size; each++) if (hasValue(old, each) && old.tasks.phase[each] !== phase.cancelled) hadValue.add(pathOf(old, each))
    const again = callsOf(journal, made.runId!, is)
    for (const path of again) {
      expect(hadValue.has(path) && isUntouched(path.split('/')), `${where}\n${path} is asked again`).toBe(false)
    }
    seen.again += again.length
    seen.spared += hadValue.size
    if (made.again === 0 && made.kept > 0) seen.allKept++
    const replay = await replayRun(journal.openRun(made.runId!)!, { toolRunner: runnerOf({}), capacity: { parallel: Infinity, cpu: 2, memoryBytes: 4e9 }, pool: () => { throw new Error('nothing is heavy') } })
    expect(replay, where).toMatchObject({ difference: null })
  }
  for (const [kind, count] of Object.entries(seen)) expect(count, kind).toBeGreaterThan(PROGRAMS / 40)
}, 300_000)

const build = workflow([task('make', call('make')), task('test', call('test', { x: node(0) }), { dependsOn: [0] }), task('lint', call('lint'))], list(node(0), node(1), node(2)))

const nodes = [
  task('files', call('list', {}, { effect: 'read' })),
  task('scan', call('read', { x: local('f') }, { effect: 'read' }), { dependsOn: [0], forEach: { item: 'f', list: node(0), width: value(1) } }),
  task('build', sub('build'), { retry: { count: 2, fromMs: 10, toMs: 10 } }),
  task('sum', binary('+', param('n'), { op: 'constant', name: 'base' })),
  task('all', list(node(1), node(2), node(3)), { dependsOn: [1, 2, 3] }),
]
const params = [{ name: 'n', type: { kind: 'int' as const }, default: value(1) }]

const programOf = (main: Parameters<typeof workflow>[0] = nodes, more: { build?: typeof build; base?: number; n?: number; hash?: string } = {}): Plan => plan(
  {
    main: workflow(main, node(main.length - 1), { params: [{ ...params[0]!, default: value(more.n ?? 1) }] }),
    build: more.build ?? build,
  },
  { constants: [{ name: 'base', value: value(more.base ?? 10) }], hash: more.hash ?? 'later' },
)
const program = programOf(nodes, { hash: 'first' })

const fine: Record<string, Tool> = { list: () => [1, 2, 3, 4], read: ({ x }) => Number(x) * 10, make: () => 'made', test: () => 'tested', lint: () => 'linted' }
const whole = [[10, 20, 30, 40], ['made', 'tested', 'linted'], 11]

/** A run that is cut off when `isLast` says so of an event. */
async function cutRun(isLast: (event: RunEvent, path: string) => boolean, tools: Record<string, Tool> = fine): Promise<{ journal: Journal; runId: string }> {
  const full = memoryJournal()
  const { result } = await runPlan(program, { journal: full, tools, advancing: true, args: {} })
  if (result.kind !== 'ran') throw new Error('refused')
  const { runId } = result.summary
  const events = [...full.openRun(runId)!.log.events()]
  const state = folded(program, events)
  const at = events.findIndex(event => isLast(event, 'task' in event ? pathOf(state, event.task) : ''))
  return { journal: cutJournal(result.summary, at < 0 ? events : events.slice(0, at + 1), program), runId }
}

async function goneOn(journal: Journal, runId: string, to: Plan, tools: Record<string, Tool> = fine, more: { mayWriteAgain?: string[] } = {}): Promise<{ made: Migrated; got: Value; asked: string[] }> {
  const made = migrateRun(journal, Object.assign(memoryHost(), { randomHex: () => `migrated${drawn++}` }), runId, {
    plan: to, constants: new Map([['base', (to.constants[0]!.value as { value: Value }).value]]), pure: () => null, isDry: false, mayWriteAgain: [], ...more,
  })
  if (made === null || 'severity' in made || made.runId === null) throw new Error('nothing was recorded')
  const { value: got } = await resumePlan(to, made.runId, { journal, tools, advancing: true })
  return { made, got, asked: callsOf(journal, made.runId, to) }
}

const everything = () => cutRun(event => event.kind === 'evaluated' && event.part === 'returns' && event.task === 0)
const noWrites = { mayWriteAgain: ['build/test', 'build/make', 'build/lint'] }

describe('what still holds', () => {
  test('nothing changed but the order and a label: everything', async () => {
    const { journal, runId } = await everything()
    const [files, ...others] = nodes
    const { made, got, asked } = await goneOn(journal, runId, programOf([{ ...files!, label: value('the files'), priority: 1 }, ...others]))
    expect({ got, asked, again: made.again }).toEqual({ got: whole, asked: [], again: 0 })
  })

  test('a task more, before all others', async () => {
    const { journal, runId } = await everything()
    const shifted = nodes.map(each => ({ ...each, dependsOn: each.dependsOn.map(index => index + 1) }))
    const moved = JSON.parse(JSON.stringify(shifted), (_, at: { op?: string; index?: number } | null) => (at?.op === 'node' ? { ...at, index: at.index! + 1 } : at)) as typeof nodes
    const { got, asked } = await goneOn(journal, runId, programOf([task('first', call('lint')), ...moved]))
    expect({ got, asked }).toEqual({ got: whole, asked: ['first'] })
  })

  test('one task of a workflow: its siblings stay', async () => {
    const { journal, runId } = await everything()
    const changed = { ...build, nodes: build.nodes.map(each => (each.name === 'test' ? { ...each, timeoutMs: 60_000 } : each)) }
    const { made, got, asked } = await goneOn(journal, runId, programOf(nodes, { build: changed }), { ...fine, test: () => 'again' }, noWrites)
    expect({ got, asked }).toEqual({ got: [whole[0], ['made', 'again', 'linted'], 11], asked: ['build/test'] })
    expect(made).toMatchObject({ againTasks: ['all', 'build/test'], writesAgain: ['build/test'], goneTasks: [] })
  })

  test('a parameter and a constant: only what mentions them', async () => {
    const { journal, runId } = await everything()
    expect(await goneOn(journal, runId, programOf(nodes, { n: 5 }))).toMatchObject({ got: [whole[0], whole[1], 15], asked: [], made: { againTasks: ['sum', 'all'] } })
    const other = await everything()
    expect(await goneOn(other.journal, other.runId, programOf(nodes, { base: 90 }))).toMatchObject({ got: [whole[0], whole[1], 91], asked: [] })
  })

  test('authority: what its calls need, not what others do', async () => {
    const needs = (grant: string, literal: string) => ({ needs: [{ grant, args: [{ literal }] }] })
    const can = (...grants: readonly (readonly [string, string])[]) => ({ authority: grants.map(([name, arg]) => ({ name, args: [value(arg)], implies: [] })) })
    const two = [task('reads', call('list', {}, needs('fs.read', 'src/a'))), task('asks', call('lint', {}, needs('net', 'a.example')))]
    const whole = (...grants: readonly (readonly [string, string])[]) => plan({ main: workflow(two, list(node(0), node(1)), can(...grants)) }, { hash: JSON.stringify(grants) })
    const was = whole(['fs.read', '**'], ['net', 'a.example'])
    const begun = async (): Promise<{ journal: Journal; runId: string }> => {
      const full = memoryJournal()
      const { result } = await runPlan(was, { journal: full, tools: fine })
      if (result.kind !== 'ran') throw new Error('refused')
      return { journal: cutJournal(result.summary, [...full.openRun(result.summary.runId)!.log.events()].slice(0, -1), was), runId: result.summary.runId }
    }
    const againWith = async (...grants: readonly (readonly [string, string])[]): Promise<readonly string[]> => {
      const { journal, runId } = await begun()
      return migrated(journal, runId, whole(...grants), { isDry: true }).againTasks
    }
    expect(await againWith(['fs.read', '**'], ['net', 'a.example'], ['fs.write', 'out/**'])).toEqual([])
    expect(await againWith(['fs.read', '**'], ['net', 'b.example'])).toEqual(['asks'])
    expect(await againWith(['fs.read', 'src/**'], ['net', 'a.example'])).toEqual(['reads'])
  })

  test('a task is gone: so is what waits for it, if it mentions it', async () => {
    const { journal, runId } = await everything()
    const left = [nodes[0]!, nodes[1]!, task('all', list(node(1)), { dependsOn: [1] })]
    const { made, got } = await goneOn(journal, runId, programOf(left))
    expect(got).toEqual([whole[0]])
    expect(made).toMatchObject({ againTasks: ['all'], goneTasks: ['sum', 'build/make', 'build/test', 'build/lint'], writesAgain: [] })
  })

  test('items of a `for` that were over stay, those that were not go on', async () => {
    const { journal, runId } = await cutRun((event, path) => event.kind === 'evaluated' && path === 'scan[1]')
    const { got, asked } = await goneOn(journal, runId, programOf([...nodes.slice(0, 4), { ...nodes[4]!, label: value('x') }]))
    expect(got).toEqual(whole)
    expect(asked.filter(each => /files|scan\[[01]\]/.test(each))).toEqual([])
  })
})

describe('what is under way', () => {
  test('a call keeps its key, also where the process ends once more', async () => {
    const keys: string[] = []
    const tools: Record<string, Tool> = { ...fine, test: (_, { idempotencyKey }) => (keys.push(idempotencyKey), 'tested') }
    const { journal, runId } = await cutRun((event, path) => event.kind === 'call-started' && path === 'build/test', tools)
    const later = programOf([...nodes.slice(0, 4), { ...nodes[4]!, timeoutMs: 1_000 }])
    const { made, got } = await goneOn(journal, runId, later, tools)
    expect(got).toEqual(whole)
    expect(keys).toEqual([keys[0], keys[0]])
    const again = [...journal.openRun(made.runId!)!.log.events()]
    const state = folded(later, again)
    const cut = again.slice(0, again.findLastIndex(each => each.kind === 'call-started' && pathOf(state, each.task) === 'build/test') + 1)
    const second = cutJournal(journal.openRun(made.runId!)!.summary, cut, later)
    await resumePlan(later, made.runId!, { journal: second, tools, advancing: true })
    expect(keys).toEqual([keys[0], keys[0], keys[0]])
  })

  test('a task that was changed under way has a key of its own', async () => {
    const keys: string[] = []
    const tools: Record<string, Tool> = { ...fine, test: (_, { idempotencyKey }) => (keys.push(idempotencyKey), 'tested') }
    const { journal, runId } = await cutRun((event, path) => event.kind === 'call-started' && path === 'build/test', tools)
    await goneOn(journal, runId, programOf(nodes, { build: { ...build, nodes: build.nodes.map(each => (each.name === 'test' ? { ...each, timeoutMs: 60_000 } : each)) } }), tools)
    expect(new Set(keys).size).toBe(2)
  })

  test('a run that failed goes on with its mended program', async () => {
    const { journal, runId } = await cutRun(() => false, { ...fine, test: () => { throw new Error('broken') } })
    expect(journal.openRun(runId)!.summary.status).toBe('failed')
    const mended = { ...build, nodes: build.nodes.map(each => (each.name === 'test' ? { ...each, body: { kind: 'expr' as const, value: value('mended') } } : each)) }
    const { got, asked } = await goneOn(journal, runId, programOf(nodes, { build: mended }), fine, noWrites)
    expect(got).toEqual([whole[0], ['made', 'mended', 'linted'], 11])
    expect(asked).not.toContain('files')
    expect(asked).not.toContain('build/make')
  })
})

test('what had failed is tried again, also where it was not changed', async () => {
  const { journal, runId } = await cutRun(() => false, { ...fine, test: () => { throw new Error('broken') } })
  const { got, asked } = await goneOn(journal, runId, programOf(nodes, { n: 1, base: 11 }), fine, noWrites)
  expect(got).toEqual([whole[0], whole[1], 12])
  expect(asked).toContain('build/test')
  expect(asked).not.toContain('build/make')
})

describe('the old run', () => {
  test('nothing is recorded while a task would write again that nobody named', async () => {
    const { journal, runId } = await everything()
    const later = programOf(nodes, { build: { ...build, nodes: build.nodes.map(each => ({ ...each, timeoutMs: 60_000 })) } })
    expect(migrated(journal, runId, later)).toMatchObject({ runId: null, writesAgain: ['build/make', 'build/test', 'build/lint'] })
    expect(migrated(journal, runId, later, { mayWriteAgain: ['build/make', 'build/test'] }).runId).toBe(null)
    expect(migrated(journal, runId, later, { ...noWrites, isDry: true }).runId).toBe(null)
    expect(journal.listRuns()).toHaveLength(1)
    expect(journal.openRun(runId)!.summary.successor).toBe(undefined)
    expect(migrated(journal, runId, later, noWrites).runId).not.toBe(null)
  })

  test('it stays as it is, says who took its place, and cannot be gone on with', async () => {
    const { journal, runId } = await cutRun((event, path) => event.kind === 'evaluated' && path === 'files')
    const before = [...journal.openRun(runId)!.log.events()]
    const { made } = await goneOn(journal, runId, programOf(nodes, { n: 2 }))
    expect([...journal.openRun(runId)!.log.events()]).toEqual(before)
    expect((await resumePlan(program, runId, { journal, tools: fine })).code).toBe('run/superseded')
    expect(journal.openRun(made.runId!)!.summary.origin).toEqual({ runId, task: '', migrated: true })
  })

  test('arguments that the new program does not take', () => {
    const journal = memoryJournal()
    const summary = {
      runId: 'r', workflow: 'main', program: 'p', planHash: 'first', startedAtMs: 1, elapsedMs: 0, status: 'stopped' as const, outcome: null,
      tasks: { total: 0, done: 0, failed: 0, skipped: 0, cancelled: 0, running: 0, cached: 0 }, calls: { read: 0, wrote: 0, ran: 0, fetched: 0, refused: 0 },
    }
    journal.startRun(summary, program, { events: [{ kind: 'run-started', atMs: 1, runId: 'r', planHash: 'first', workflow: 'main', args: { n: 5 }, tekVersion: 'test' }] })
    const to = (later: Plan) => migrateRun(journal, memoryHost(), 'r', { plan: later, constants: new Map(), pure: () => null, isDry: true, mayWriteAgain: [] })
    expect(to(plan({ main: workflow([], value(1)) }))).toMatchObject({ code: 'run/unknown-argument' })
    expect(to(plan({ main: workflow([], value(1), { params: [{ name: 'n', type: { kind: 'string' }, default: null }] }) }))).toMatchObject({ code: 'run/bad-argument' })
    expect(to(plan({ main: workflow([], value(1), { params: [{ name: 'n', type: { kind: 'int' }, default: null }] }) }))).toMatchObject({ kept: 0 })
  })

  test('a workflow that is there no more', async () => {
    const { journal, runId } = await everything()
    const renamed = plan({ other: workflow([], value(1)) }, { hash: 'renamed' })
    expect(migrateRun(journal, memoryHost(), runId, { plan: renamed, constants: new Map(), pure: () => null, isDry: true, mayWriteAgain: [] })).toMatchObject({ code: 'run/unknown-workflow' })
    expect(migrateRun(journal, memoryHost(), 'none', { plan: renamed, constants: new Map(), pure: () => null, isDry: true, mayWriteAgain: [] })).toBe(null)
  })
})

describe('an approval', () => {
  const asked = (wrote: string, question = 'Clean up?'): Plan => plan({
    main: workflow([task('gone', sub('clean'), { approve: value(question) }), task('last', call('read', { path: value('x') }), { dependsOn: [0] })], list(node(0), node(1))),
    clean: workflow([task('deep', sub('deeper'))], node(0)),
    deeper: workflow([task('look', call('read', { path: value('a') })), task('wipe', call('read', { path: value(wrote) }), { dependsOn: [0] })], list(node(0), node(1))),
  })
  const read = { read: (args: Readonly<Record<string, Value>>): Value => String(args['path']) }

  /** Approved, and cut off inside of what was approved. */
  async function approvedThen(later: Plan): Promise<{ code: string | null; asks: boolean }> {
    const before = asked('small')
    const full = memoryJournal()
    const { result } = await runPlan(before, { journal: full, tools: read })
    if (result.kind !== 'ran') throw new Error('refused')
    const { runId } = result.summary
    full.mailbox.put(runId, { kind: 'answer', task: 'gone', verdict: 'approved', by: 'ada' }, 0)
    const done = await resumePlan(before, runId, { journal: full, tools: read })
    expect(done.value).toEqual([['a', 'small'], 'x'])
    const events = [...full.openRun(runId)!.log.events()]
    const cut = events.findIndex(each => each.kind === 'call-finished') + 1
    const journal = cutJournal(result.summary, events.slice(0, cut), before)
    const made = migrated(journal, runId, later, { mayWriteAgain: ['gone/deep/look', 'gone/deep/wipe'] })
    const { code } = await resumePlan(later, made.runId!, { journal, tools: read })
    return { code, asks: journal.openRun(made.runId!)!.summary.status === 'waiting' }
  }

  test('holds where what was approved is as it was', async () => {
    const main = asked('small').workflows['main']!
    expect(await approvedThen({ ...asked('small'), hash: 'later', workflows: { ...asked('small').workflows, main: { ...main, nodes: [main.nodes[0]!, { ...main.nodes[1]!, body: { kind: 'expr', value: value('y') } }] } } })).toMatchObject({ asks: false })
  })

  test('is asked for again where a workflow that it goes through became another', async () => {
    expect(await approvedThen({ ...asked('everything'), hash: 'later' })).toMatchObject({ asks: true })
  })
})
