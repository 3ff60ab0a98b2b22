// Report: everything that can be told of a run afterwards, from its plan and its events alone.
// Owns: the fold of events to task reports. It goes through the engine, so numbers, paths and statuses are the engine's own.
import type { RunEvent, TaskId } from '#model/event.ts'
import type { Plan, PlanBody } from '#model/plan.ts'
import type { Delegation, RunReport, RunSummary, TaskReport, TaskStatus, ToolUse } from '#model/report.ts'
import { pathOf } from '#interpreter/engine/path.ts'
import { initialState, type State } from '#interpreter/engine/state.ts'
import { callNameOf } from '#interpreter/engine/talks.ts'
import { phase } from '#interpreter/engine/tasks.ts'
import { transition } from '#interpreter/engine/transition.ts'

/** Paths of dependencies that a task's report lists. */
const MAX_LISTED_DEPENDENCIES = 100
const MAX_LISTED_TOOLS = 100

interface Times {
  startedAtMs: number
  endedAtMs: number
}

/** The report of a run. */
export function reportOf(plan: Plan, summary: RunSummary, events: Iterable<RunEvent>): RunReport {
  const state = initialState(plan, { parallel: Infinity, cpu: Infinity, memoryBytes: Infinity })
  const times: (Times | undefined)[] = []
  const tools = new ToolUses(state)
  const values = new Map<TaskId, TaskReport['outcome']>()
  for (const event of events) {
    if ('task' in event && event.kind !== 'task-cancelled') note(times, event) // one that is given up may never have begun
    if (event.kind === 'call-started' || event.kind === 'call-finished') tools.note(event)
    for (const command of transition(state, event)) {
      if (command.kind === 'changed' && command.status !== 'running') values.set(command.task, outcomeOf(state, command.task, command.status))
    }
  }
  const tasks: TaskReport[] = []
  for (let task = 1; task < state.tasks.size; task++) {
    if (state.nodeOf(task).kind === 'task') tasks.push(reportOfTask(state, task, times[task], values.get(task) ?? null, tools.of(task)))
  }
  return { summary, tasks }
}

function note(times: (Times | undefined)[], event: Extract<RunEvent, { task: TaskId }>): void {
  const elapsedMs = 'elapsedMs' in event ? event.elapsedMs : 0
  const known = times[event.task]
  if (known === undefined) times[event.task] = { startedAtMs: event.atMs - elapsedMs, endedAtMs: event.atMs }
  else {
    known.startedAtMs = Math.min(known.startedAtMs, event.atMs - elapsedMs)
    known.endedAtMs = Math.max(known.endedAtMs, event.atMs)
  }
}

function outcomeOf(state: State, task: TaskId, status: TaskStatus): TaskReport['outcome'] {
  const failure = state.failures.get(task)
  if (status === 'failed' && failure !== undefined) return { kind: 'failure', failure }
  const value = state.tasks.values[task]
  return value === undefined ? null : { kind: 'value', value }
}

function reportOfTask(state: State, task: TaskId, times: Times | undefined, outcome: TaskReport['outcome'], tools: readonly ToolUse[]): TaskReport {
  const scope = state.scopeOf(task)
  const isItem = state.tasks.group[task] !== -1
  const status = statusOf(state, task)
  const usage = state.spent.get(task)
  const { body, forEach } = state.nodeOf(task)
  const delegated = delegationOf(state, task)
  return {
    path: pathOf(state, task), status, outcome,
    attempts: times === undefined ? 0 : state.tasks.attempt[task]!,
    cached: state.cached.has(task),
    startedAtMs: times?.startedAtMs ?? null,
    elapsedMs: times === undefined ? 0 : times.endedAtMs - times.startedAtMs,
    dependsOn: isItem ? [] : state.nodeOf(task).dependsOn.slice(0, MAX_LISTED_DEPENDENCIES).map(each => pathOf(state, scope.base + each)),
    ...(usage === undefined ? {} : { usage }),
    ...(body.kind === 'agent' && (forEach === null || isItem) ? { agent: body.agent } : {}),
    ...(tools.length === 0 ? {} : { tools }),
    ...(delegated === null ? {} : { delegated }),
  }
}

/** What a task is to the agent that asked for it; null where it is no call of one. */
function delegationOf(state: State, task: TaskId): Delegation | null {
  const { desk, task: by } = state.scopeOf(task)
  if (desk === null) return null
  const { body } = state.nodeOf(task)
  return { by: pathOf(state, by), tool: desk.tool.name, as: standsAs(state, body) }
}

function standsAs({ plan }: State, body: PlanBody): Delegation['as'] {
  const stands = body.kind === 'workflow' ? plan.workflows[body.workflow]?.standsFor : undefined
  return stands === undefined || 'loop' in stands ? 'workflow' : stands.kind // no agent asks for a part of a loop
}

/** Calls that agents made of tools. */
class ToolUses {
  private readonly state: State
  private readonly uses = new Map<TaskId, Map<string, { readonly calls: Set<string>; failed: number }>>()

  constructor(state: State) {
    this.state = state
  }

  /** Before the event is folded; a call that is made again after a crash is the same call. */
  note(event: Extract<RunEvent, { kind: 'call-started' | 'call-finished' }>): void {
    const { task, attempt, call } = event
    const name = this.state.tasks.attempt[task] === attempt ? callNameOf(this.state, task, call) : null
    if (name === null) return
    const ofTask = this.uses.get(task) ?? new Map<string, { readonly calls: Set<string>; failed: number }>()
    const use = ofTask.get(name) ?? { calls: new Set(), failed: 0 }
    this.uses.set(task, ofTask.set(name, use))
    if (event.kind === 'call-started') use.calls.add(`${attempt} ${call}`)
    else if (event.outcome.kind === 'failure') use.failed++
  }

  of(task: TaskId): readonly ToolUse[] {
    return [...(this.uses.get(task) ?? [])].slice(0, MAX_LISTED_TOOLS).map(([name, { calls, failed }]) => ({ name, calls: calls.size, failed }))
  }
}

function statusOf(state: State, task: TaskId): TaskStatus {
  switch (state.tasks.phase[task]) {
    case phase.done:
      return 'done'
    case phase.failed:
      return 'failed'
    case phase.skipped:
      return 'skipped'
    case phase.cancelled:
      return 'cancelled'
    case phase.waiting:
    case phase.asking:
    case phase.resting:
      return 'waiting'
    case phase.queued:
      return 'ready'
    default:
      return 'running'
  }
}
