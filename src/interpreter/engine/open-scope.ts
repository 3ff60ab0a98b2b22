// Open scope: a workflow begins: its tasks get numbers, ranks, and limits to live under.
// Owns: authority levels, limiters, quotas, ranks. Does not own: the tasks' own steps (begin.ts).
//   O1. A workflow's levels are its caller's, its file's (where it is entered from another file) and its own: each of them must allow an action.
//   O4. The limits of a file hold for each of its workflows that is entered from another file; within the file they hold already.
//   O3. Arguments of a sub-workflow are checked here, those of a run before it begins (run.ts).
//   O2. Rank: priority first, then the longest way to the end of the run.
import { invariant } from '#base/invariant.ts'
import type { Grant } from '#model/capability.ts'
import type { Outcome, TaskId } from '#model/event.ts'
import type { PlanFile, PlanLimits } from '#model/plan.ts'
import type { Value } from '#model/type.ts'
import { validate } from '#types/validate.ts'
import { budgetOf } from './budget.ts'
import { failures } from './failures.ts'
import { pathOf } from './path.ts'
import { MAX_TASKS, MAX_WORKFLOW_DEPTH, timerOf } from './protocol.ts'
import { Limiter } from './schedule.ts'
import type { Level, Quota, Scope, State } from './state.ts'
import { phase } from './tasks.ts'

/** Milliseconds that one step of priority outweighs: more than any path. */
const PRIORITY_WEIGHT = 1e12

/** What the part `setup` answers. */
export type Setup = {
  readonly args: Readonly<Record<string, Value>>
  /** Null: the workflow has no `can`. */
  readonly authority: readonly SetupGrant[] | null
  /** The level of its file, where it is entered from another or begins the run; null when that file has none. */
  readonly file?: readonly SetupGrant[] | null
}
export type SetupGrant = { readonly name: string; readonly args: readonly string[]; readonly implies: readonly { readonly name: string; readonly args: readonly string[] }[] }

/** Begins the workflow of a task, or says why it cannot be. */
export function openScope(state: State, task: TaskId, setup: Setup): Outcome | null {
  const caller = task === 0 ? null : state.scopeOf(task)
  const key = workflowKey(state, task)
  const path = pathOf(state, task)
  const shape = state.shapes.of(key)
  if (shape === null) return { kind: 'failure', failure: failures.unknownWorkflow(path, key) }
  const depth = caller === null ? 0 : caller.depth + 1
  if (depth > MAX_WORKFLOW_DEPTH) return { kind: 'failure', failure: failures.tooDeep(path) }
  for (const { name, type } of caller === null ? [] : shape.workflow.params) {
    const problem = validate(type, setup.args[name] ?? null) // O3
    if (problem !== null) return { kind: 'failure', failure: failures.wrongType(path, `The argument \`${name}\``, problem) }
  }
  const total = state.counts.total + addedTasks(state, task, shape.taskCount)
  if (total > MAX_TASKS) return { kind: 'failure', failure: failures.tooManyTasks(path, total) }

  const { tasks } = state
  const { workflow } = shape
  const node = caller === null ? null : state.nodeOf(task)
  const own = stricter(fileEntered(state, task)?.limits ?? {}, workflow.limits) // O4
  const limits = caller === null ? stricter(own, { ...state.within }) : own
  const attempt = tasks.attempt[task]!
  const index = state.scopes.length
  const base = tasks.allocate(workflow.nodes.length)
  const nodeIndex = caller === null ? 0 : (tasks.group[task] === -1 ? task : tasks.group[task]!) - caller.base
  const scope: Scope = {
    index, task, attempt, shape, base, params: setup.args, depth,
    levels: levelsOf(caller, setup),
    limiter: limits.parallel === undefined ? (caller?.limiter ?? null) : new Limiter(Math.max(1, limits.parallel), caller?.limiter ?? null, tasks),
    quota: quotaOf(limits.tasks, workflow.name, caller?.quota ?? null),
    callQuota: quotaOf(limits.calls, workflow.name, caller?.callQuota ?? null),
    budgets: {
      tokens: budgetOf(limits.tokens, workflow.name, caller?.budgets.tokens ?? null),
      cost: budgetOf(limits.costMicros, workflow.name, caller?.budgets.cost ?? null),
    },
    bounds: { memoryBytes: least(limits.memoryBytes, caller?.bounds.memoryBytes), cpu: least(limits.cpu, caller?.bounds.cpu) },
    timeMs: limits.timeMs ?? null,
    openedAtMs: state.drivenMs,
    tail: caller === null ? 0 : caller.tail + caller.shape.toEnd[nodeIndex]! - caller.shape.own[nodeIndex]!,
    priority: caller === null ? 0 : caller.priority + node!.priority,
    lane: node?.needs ? state.schedule.laneOf(node.needs) : (caller?.lane ?? 0),
    desk: null,
    remaining: workflow.nodes.length,
    isOpen: true,
  }
  state.scopes.push(scope)
  state.inside.set(task, scope)
  tasks.phase[task] = phase.inside
  state.counts.total = total
  state.opened.add(task)
  if (scope.timeMs !== null) state.out.push({ kind: 'set-timer', timer: timerOf(task, attempt, 'time-limit'), ms: scope.timeMs })
  if (caller === null) state.schedule.narrow(scope.bounds)
  for (let i = 0; i < workflow.nodes.length; i++) {
    tasks.scope[base + i] = index
    tasks.pending[base + i] = shape.dependencyCounts[i]!
    tasks.rank[base + i] = (workflow.nodes[i]!.priority + scope.priority) * PRIORITY_WEIGHT + shape.toEnd[i]! + scope.tail // O2
  }
  for (let i = 0; i < workflow.nodes.length; i++) if (shape.dependencyCounts[i] === 0) state.toBegin.push(base + i)
  if (workflow.nodes.length === 0) askForResult(state, scope)
  return null
}

/** All tasks of a workflow are over: its result is next. */
export function askForResult(state: State, scope: Scope): void {
  state.tasks.phase[scope.task] = phase.returns
  state.out.push({ kind: 'evaluate', task: scope.task, attempt: scope.attempt, part: 'returns' })
}

/** The key of the workflow that is the body of a task. */
export function workflowKey(state: State, task: TaskId): string {
  if (task === 0) return state.workflow
  const { body } = state.nodeOf(task)
  return body.kind === 'workflow' ? body.workflow : ''
}

function levelsOf(caller: Scope | null, setup: Setup): readonly Level[] {
  return [...(caller?.levels ?? []), ...ownLevels(setup)] // O1
}

/** Levels that come with a workflow: its file's, where it is entered and has one, and its own. */
export function ownLevels(setup: Setup): readonly Level[] {
  const own = levelOf(setup.authority ?? [])
  return setup.file ? [levelOf(setup.file), own] : [own]
}

export function levelOf(grants: readonly SetupGrant[]): Level {
  return {
    allows: grants.map((each): Grant => ({ name: each.name, args: each.args })),
    implied: grants.flatMap(each => each.implies.map(grant => ({ by: each.name, grant }))),
  }
}

const ENFORCED = ['timeMs', 'tasks', 'calls', 'tokens', 'costMicros', 'parallel', 'memoryBytes', 'cpu'] as const

/** Of two sets of limits, the smaller of each that the engine enforces. */
function stricter(a: PlanLimits, b: PlanLimits): { readonly [Name in (typeof ENFORCED)[number]]?: number } {
  const found: { [Name in (typeof ENFORCED)[number]]?: number } = {}
  for (const name of ENFORCED) {
    const limit = least(a[name], b[name])
    if (limit !== null) found[name] = limit
  }
  return found
}

export function least(a: number | null | undefined, b: number | null | undefined): number | null {
  return a === undefined || a === null ? (b ?? null) : b === undefined || b === null ? a : Math.min(a, b)
}

function quotaOf(limit: number | undefined, workflow: string, parent: Quota | null): Quota | null {
  return limit === undefined ? parent : { limit, workflow, used: 0, announced: 0, parent }
}

/** The level of the file that a task's workflow is from, where the task enters that file; null where it has none or is in it already. */
export function fileEntered(state: State, task: TaskId): Pick<PlanFile, 'authority' | 'limits'> | null {
  if (task === 0) return state.plan
  const { plan } = state
  const key = workflowKey(state, task)
  const file = Object.hasOwn(plan.workflows, key) ? plan.workflows[key]!.file : undefined
  if (file === undefined || file === state.scopeOf(task).shape.workflow.file) return null
  const level = plan.files?.[file]
  invariant(level !== undefined, 'a workflow of a plan names a file of the plan')
  return level
}

/** Tasks that are new: a task that is a workflow is itself counted only until its tasks are there. */
function addedTasks(state: State, task: TaskId, taskCount: number): number {
  return task === 0 || state.opened.has(task) || state.nodeOf(task).kind === 'let' ? taskCount : taskCount - 1
}
