// Interrupted runs: random programs that wait, ask, fail and are given up come to what an oracle says, whatever ends their processes and sets their clocks.
import { expect, test } from 'vitest'
import type { State } from '#interpreter/engine/state.ts'
import { pathOf } from '#interpreter/engine/path.ts'
import type { RunRequest } from '#interpreter/journal/journal.ts'
import type { Outcome, Part, TaskId } from '#model/event.ts'
import type { Plan, PlanNode, PlanWorkflow } from '#model/plan.ts'
import type { Value } from '#model/type.ts'
import { random } from '../compiler/random-programs.ts'
import { Interrupted, type InterruptedRun } from './interrupted.ts'
import { plan, sub, task, value, workflow } from './plan-builder.ts'
import { failed, given } from './simulator.ts'

const PROGRAMS = 1_500
const HOUR = 3_600_000

/** What the world does, decided by seed and name alone. */
class World {
  private readonly seed: number
  constructor(seed: number) {
    this.seed = seed
  }

  /** From 0 to below 1. */
  draw(...names: readonly (string | number)[]): number {
    let hash = this.seed
    for (const unit of names.join('\n')) hash = Math.imul(hash ^ unit.codePointAt(0)!, 16_777_619)
    return random(hash)()
  }

  isWanted(path: string): boolean {
    return this.draw('when', path) < 0.85
  }

  list(path: string): Value[] {
    return Array.from({ length: Math.floor(this.draw('list', path) * 4) }, (_, index) => index)
  }

  waitMs(path: string): Value {
    const drawn = this.draw('wait', path)
    return drawn < 0.05 ? 'soon' : drawn < 0.2 ? -5 : Math.floor(drawn * 3 * HOUR)
  }

  body(path: string, attempt: number): Outcome | null {
    const drawn = this.draw('body', path, attempt)
    if (this.draw('hangs', path) < 0.08) return null
    return drawn < 0.5 ? given(`${path} ${attempt}`) : drawn < 0.8 ? failed('test/busy', true) : failed('test/bad')
  }

  says(path: string, step: number, isLast: boolean): 'approved' | 'refused' | 'cancelled' | 'nothing' {
    if (/stuck\d+\/q$/.test(path)) return 'nothing'
    const drawn = this.draw('says', path, step)
    return drawn < 0.3 && !isLast ? 'nothing' : drawn < 0.7 ? 'approved' : drawn < 0.9 ? 'refused' : 'cancelled'
  }

  /** Given up as soon as its workflow is opened, when it cannot have begun. */
  isGivenUpEarly(path: string, node: PlanNode): boolean {
    return node.dependsOn.length > 0 && this.draw('early', path) < 0.08
  }
}

function drawPlan(seed: number): Plan {
  const next = random(seed)
  const below = (count: number): number => Math.floor(next() * count)
  const chance = (share: number): boolean => next() < share
  const clauses = (index: number): Partial<PlanNode> => ({
    dependsOn: Array.from({ length: index }, (_, each) => each).filter(() => chance(0.35)),
    ...(chance(0.5) ? { approve: value('sure?'), ...(chance(0.6) ? { approval: { withinMs: 1 + below(3 * HOUR), escalate: Array.from({ length: below(3) }, (_, at) => ({ to: `p${at}`, withinMs: 1 + below(HOUR) })) } } : {}) } : {}),
    ...(chance(0.3) ? { wait: { kind: chance(0.8) ? 'for' : 'until', value: value(0) } } : {}),
    ...(chance(0.4) ? { retry: { count: 1 + below(4), fromMs: below(10_000), toMs: below(2 * HOUR) } } : {}),
    ...(chance(0.3) ? { forEach: { item: 'x', list: value([]), width: chance(0.5) ? value(1 + below(2)) : null } } : {}),
    ...(chance(0.3) ? { when: value(true) } : {}),
    ...(chance(0.2) ? { cache: { ageMs: null, by: null } } : {}),
    ...(chance(0.2) ? { needs: { cpu: 1 + below(2), memoryBytes: 0 } } : {}),
    onFailure: chance(0.5) ? { kind: 'continue' } : { kind: 'use', value: value(0) },
  })
  const nodes = (count: number, inner: string | null): PlanNode[] => Array.from({ length: count }, (_, index) => {
    const more = clauses(index)
    if (inner === null || chance(0.7)) return task(`t${index}`, value(0), more)
    return chance(0.2) ? task(`stuck${index}`, sub('stuck'), { ...more, forEach: null }) : task(`s${index}`, sub(inner), { ...more, retry: null })
  })
  return plan({
    main: workflow(nodes(1 + below(5), 'inner'), value(0), chance(0.3) ? { limits: { parallel: 1 + below(2) } } : {}),
    inner: workflow(nodes(1 + below(3), 'innermost'), value(0)),
    innermost: workflow(nodes(1 + below(2), null), value(0)),
    stuck: workflow([task('q', value(0), { approve: value('never answered') }), task('w', value(0), { wait: { kind: 'for', value: value(0) }, onFailure: { kind: 'continue' } })], value(0)),
  })
}

/** What a workflow comes to, worked out without an engine: nothing here knows of time. */
function oracle(drawn: Plan, world: World, key: string, prefix: string): Value {
  const { nodes } = drawn.workflows[key]!
  return nodes.map(node => ofNode(drawn, world, node, `${prefix}${node.name}`))
}

function ofNode(drawn: Plan, world: World, node: PlanNode, path: string): Value {
  const isGivenUp = world.isGivenUpEarly(path, node)
  const isSkipped = node.when !== null && !world.isWanted(path)
  if (node.forEach !== null) return isSkipped ? null : world.list(path).map((_, index) => (isGivenUp ? instead(node, 'run/cancelled-by-person') : ofTask(drawn, world, node, `${path}[${index}]`)))
  if (isGivenUp) return instead(node, 'run/cancelled-by-person')
  return isSkipped ? null : ofTask(drawn, world, node, path)
}

function ofTask(drawn: Plan, world: World, node: PlanNode, path: string): Value {
  const problem = beforeBody(world, node, path)
  if (problem !== null) return instead(node, problem)
  if (node.body.kind === 'workflow') return node.body.workflow === 'stuck' ? instead(node, 'run/cancelled-by-person') : oracle(drawn, world, node.body.workflow, `${path}/`)
  for (let attempt = 1; ; attempt++) {
    const outcome = world.body(path, attempt)
    if (outcome === null) return instead(node, 'run/cancelled-by-person')
    if (outcome.kind === 'value') return outcome.value
    if (!outcome.failure.retryable || attempt > (node.retry?.count ?? 0)) return instead(node, outcome.failure.code)
  }
}

function beforeBody(world: World, node: PlanNode, path: string): string | null {
  const deadlines = node.approval === undefined ? 0 : 1 + node.approval.escalate.length
  for (let step = 0; node.approve !== null; step++) {
    if (deadlines > 0 && step === deadlines) return 'run/not-approved'
    const says = world.says(path, step, deadlines === 0)
    if (says === 'approved') break
    if (says !== 'nothing') return says === 'refused' ? 'run/refused-by-person' : 'run/cancelled-by-person'
  }
  return node.wait !== undefined && typeof world.waitMs(path) !== 'number' ? 'run/wrong-kind' : null
}

function instead({ onFailure }: PlanNode, code: string): Value {
  return onFailure?.kind === 'use' ? `instead of ${code}` : null
}

const cancel = (name: string): RunRequest => ({ kind: 'cancel', task: name, by: 'x' })

function runOf(drawn: Plan, world: World, isInterrupted: boolean): InterruptedRun {
  const nodeAt = (state: State, at: TaskId): PlanNode => state.nodeOf(at)
  const answer = (state: State, at: TaskId, part: Part, attempt: number): Outcome | null => {
    const path = at === 0 ? '' : pathOf(state, at)
    switch (part) {
      case 'setup':
        return given({ args: {}, authority: [] })
      case 'when':
        return given(world.isWanted(path))
      case 'list':
        return given(world.list(path))
      case 'width':
        return given((nodeAt(state, at).forEach!.width as { value: number }).value)
      case 'approve':
        return given('sure?')
      case 'wait': {
        const ms = world.waitMs(path)
        return given(typeof ms === 'number' && nodeAt(state, at).wait!.kind === 'until' ? state.atMs + ms : ms)
      }
      case 'fallback':
        return given(`instead of ${state.failures.get(at)!.code}`)
      case 'returns': {
        const scope = state.inside.get(at)!
        return given(scope.shape.workflow.nodes.map((_, index) => state.tasks.values[scope.base + index] ?? null))
      }
      default:
        return world.body(path, attempt)
    }
  }
  const givesUp = (path: string) => ({ request: cancel(path), ms: Math.floor(world.draw('gives up', path) * HOUR) })
  const withinOf = (path: string, step: number): number => {
    const { approval } = nodeByPath(drawn, path)
    return approval === undefined ? HOUR : step === 0 ? approval.withinMs : approval.escalate[step - 1]!.withinMs
  }
  return {
    plan: drawn, capacity: { parallel: 3, cpu: 2, memoryBytes: 1e9 }, answer,
    durationMs: (path, attempt) => Math.floor(world.draw('takes', path, attempt) * 20_000),
    onAsk: (path, step) => {
      const node = nodeByPath(drawn, path)
      const says = world.says(path, step, node.approval === undefined)
      if (says === 'nothing') return null
      const request: RunRequest = says === 'cancelled' ? cancel(path) : { kind: 'answer', task: path, verdict: says, by: 'x' }
      return { request, ms: Math.floor(world.draw('answers', path, step) * withinOf(path, step)) }
    },
    onBegin: path => (world.body(path, 1) === null ? givesUp(path) : null),
    onOpen: path => {
      const early = workflowByPath(drawn, path).nodes.map(node => [`${path === '' ? '' : `${path}/`}${node.name}`, node] as const).filter(([name, node]) => world.isGivenUpEarly(name, node))
      return [...(/stuck\d+$/.test(path) ? [givesUp(path)] : []), ...early.map(([name]) => ({ request: cancel(name), ms: 0 }))]
    },
    interruption: process => {
      const drawnNow = world.draw('ends', process)
      return !isInterrupted || process > 40 || drawnNow < 0.1 ? null : { kind: drawnNow < 0.75 ? 'kill' : 'pause', afterEvents: 1 + Math.floor(world.draw('after', process) * 12) }
    },
    leaves: process => isInterrupted && world.draw('leaves', process) < 0.5,
    gap: process => ({ ms: Math.floor(world.draw('gap', process) ** 4 * 10 * HOUR), setMs: world.draw('sets', process) < 0.7 ? 0 : Math.floor((world.draw('set', process) - 0.5) * 48 * HOUR) }),
  }
}

function nodeByPath(drawn: Plan, path: string): PlanNode {
  const at = path.lastIndexOf('/')
  const name = path.slice(at + 1).replace(/\[\d+\]$/, '')
  return workflowByPath(drawn, path.slice(0, Math.max(0, at))).nodes.find(each => each.name === name)!
}

/** The workflow that is the body of a task; the first one for an empty path. */
function workflowByPath(drawn: Plan, path: string): PlanWorkflow {
  const { body } = path === '' ? { body: { kind: 'workflow' as const, workflow: drawn.entries[0]! } } : nodeByPath(drawn, path)
  return drawn.workflows[body.kind === 'workflow' ? body.workflow : '']!
}

test(`${PROGRAMS} random programs come to the same, interrupted or not`, () => {
  const seen = { events: 0, processes: 0, answered: 0, cancelled: 0, due: 0, waiting: 0, pause: 0, refused: 0, notApproved: 0, again: 0 }
  for (let seed = 1; seed <= PROGRAMS; seed++) {
    const drawn = drawPlan(seed)
    const world = new World(seed)
    const expected = oracle(drawn, world, 'main', '')
    for (const isInterrupted of [false, true]) {
      const run = new Interrupted(runOf(drawn, world, isInterrupted)).live()
      const where = `seed ${seed}, ${isInterrupted ? 'interrupted' : 'not interrupted'}`
      expect(run.state.outcome, where).toEqual(given(expected))
      expect(run.violations, where).toEqual([])
      expect(run.misfits.filter(each => !('task' in each) || !/stuck\d+\//.test(each.task)), where).toEqual([]) // what is inside may be over first
      check(run, where)
      if (!isInterrupted) continue
      seen.events += run.events.length
      seen.processes += run.processes
      seen.again += run.begun.length - new Set(run.begun).size
      for (const event of run.events) {
        if (event.kind === 'answered') seen.answered++
        if (event.kind === 'task-cancelled') seen.cancelled++
        if (event.kind === 'timer-fired') seen.due++
        if (event.kind === 'stop-requested' && (event.reason === 'waiting' || event.reason === 'pause')) seen[event.reason]++
      }
      const text = JSON.stringify(expected)
      if (text.includes('run/refused-by-person')) seen.refused++
      if (text.includes('run/not-approved')) seen.notApproved++
    }
  }
  for (const [kind, count] of Object.entries(seen)) expect(count, kind).toBeGreaterThan(PROGRAMS / 20)
}, 300_000)

/** Nothing that came to its end is done again, nobody is asked twice, and nothing is left over. */
function check(run: Interrupted, where: string): void {
  const ended = new Set<string>()
  const asked = new Set<TaskId>()
  for (const event of run.events) {
    if (event.kind !== 'evaluated') continue
    const key = `${event.task} ${event.attempt} ${event.part}`
    expect(ended.has(key), `${where}: ${key} came to two ends`).toBe(false)
    ended.add(key)
    if (event.part !== 'approve') continue
    expect(asked.has(event.task), `${where}: ${event.task} asked twice`).toBe(false)
    asked.add(event.task)
  }
  const { state } = run
  expect([state.waits.size, state.givenUp.size, state.schedule.running], where).toEqual([0, 0, 0])
  expect(state.drivenMs, where).toBe(run.drivenMs)
}
