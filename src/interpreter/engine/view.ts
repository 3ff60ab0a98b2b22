// View: what effects may see of the state: the expression to work on and the values it may mention.
// Owns: which expression a part is, which names it sees. Does not own: evaluating (evaluation.ts).
import { invariant } from '#base/invariant.ts'
import type { Part, TaskId } from '#model/event.ts'
import type { PlanExpr, PlanNode } from '#model/plan.ts'
import type { Value } from '#model/type.ts'
import { agentOf, limitOfAgent, roleExpr } from './agent-role.ts'
import { ensureExpr } from './ensure.ts'
import { workflowKey } from './open-scope.ts'
import type { Level, RecordedCall, Scope, State } from './state.ts'
import { timeoutOf } from './timeout.ts'

/** Names an expression may mention; the shape that `Evaluation` asks for. */
export class Names {
  private readonly state: State
  private readonly scope: Scope
  private readonly task: TaskId
  private readonly part: Part
  private readonly constants: ReadonlyMap<string, Value>

  constructor(state: State, task: TaskId, part: Part, constants: ReadonlyMap<string, Value>) {
    this.state = state
    this.task = task
    this.part = part
    this.scope = scopeSeenBy(state, task, part)
    this.constants = constants
  }

  param(name: string): Value {
    return this.scope.params[name] ?? null
  }

  node(index: number): Value {
    return this.state.tasks.values[this.scope.base + index] ?? null
  }

  constant(name: string): Value {
    return this.constants.get(name) ?? null
  }

  local(name: string): Value | undefined {
    const { state, task } = this
    if (this.part === 'returns') return undefined
    if (name === 'error' && this.part === 'fallback') {
      const failure = state.failures.get(task)
      if (failure !== undefined) return { code: failure.code, message: failure.message, task: failure.task, retryable: failure.retryable }
    }
    if (name === verifiedValue && this.part === 'verify-key') return state.held.get(task) ?? null
    if (name === ensuredValue && this.part === 'ensure') return state.ensuring.get(task) ?? null
    const group = state.tasks.group[task]!
    if (group === -1 || state.nodeOf(task).forEach?.item !== name) return undefined
    const { base, items } = state.groups.get(group)!
    return items[task - base]
  }
}

/** Name under which a `verify`'s key expression sees the value of a run, unless it is a lambda. */
const verifiedValue = 'value'
/** Name under which the conditions of `ensure` see the value of a body. */
const ensuredValue = 'answer'

function scopeSeenBy(state: State, task: TaskId, part: Part): Scope {
  const scope = part === 'returns' ? state.inside.get(task) : state.scopeOf(task)
  invariant(scope !== undefined, 'an expression is worked on outside of every workflow')
  return scope
}

/** The expression that a part of a task is; null where there is none (`setup` is put together by its effect). */
export function expressionOf(state: State, task: TaskId, part: Part): PlanExpr | null {
  if (part === 'returns') return state.inside.get(task)?.shape.workflow.returns ?? null
  if (part === 'setup') return null
  const node = state.nodeOf(task)
  switch (part) {
    case 'body':
      return node.body.kind === 'expr' ? node.body.value : null
    case 'when':
      return node.when
    case 'list':
      return node.forEach?.list ?? null
    case 'width':
      return node.forEach?.width ?? null
    case 'cache-key':
      return node.cache?.by ?? null
    case 'verify-key':
      return node.verify?.key ?? null
    case 'label':
      return node.label
    case 'approve':
      return node.approve
    case 'wait':
      return node.wait?.value ?? null
    case 'ensure':
      return ensureExpr(node)
    case 'thread': {
      const memory = agentOf(state, task)?.memory
      return memory?.kind === 'thread' ? memory.name : null
    }
    case 'prompt':
      return node.body.kind === 'agent' ? node.body.prompt : null
    case 'role':
      return roleExpr(state, task)
    case 'fallback': {
      const policy = node.onFailure ?? state.scopeOf(task).shape.workflow.onFailure
      return policy.kind === 'use' ? policy.value : null
    }
  }
}

/** Levels of authority that hold for a task's own calls, and for the questions of an agent that does it: each must allow. */
export function levelsOf(state: State, task: TaskId): readonly Level[] {
  const { levels } = state.scopeOf(task)
  const agent = state.talks.size === 0 || state.ensuring.has(task) ? undefined : state.talks.get(task)?.levels // E3 of ensure.ts
  return agent === undefined ? levels : [...levels, ...agent]
}

/** What one attempt of a task may take of the machine; a field is absent where nothing says so. */
export interface TaskBounds {
  /** Bytes, of all processes it starts together. */
  readonly memoryBytes?: number
  /** Processors; may be a fraction. */
  readonly cpu?: number
  /** Milliseconds the whole attempt may take: its `timeout`, or the shortest time limit around it. */
  readonly timeMs?: number
}

/**
 * The bounds that hold for what a task starts: its own `needs` and `timeout`, and the limits of every workflow and file it is in; of each the least.
 *
 * @example
 * const { memoryBytes, cpu, timeMs } = limitsOf(world.state, place.task)
 */
export function limitsOf(state: State, task: TaskId): TaskBounds {
  if (task === 0) return {}
  const { needs } = state.nodeOf(task)
  const inner = state.scopeOf(task)
  const least = (...all: readonly (number | null)[]): number | null => all.reduce((a, b) => (a === null ? b : b === null ? a : Math.min(a, b)), null)
  let timeMs = timeoutOf(state, task)
  for (let scope = inner; ; scope = state.scopeOf(scope.task)) {
    timeMs = least(timeMs, scope.timeMs, scope.task === 0 ? null : timeoutOf(state, scope.task))
    if (scope.task === 0) break
  }
  const agent = state.ensuring.has(task) ? null : agentOf(state, task) // E3 of ensure.ts
  const ofAgent = (name: 'memoryBytes' | 'cpu'): number | null => (agent === null ? null : (limitOfAgent(state, task, agent, name) ?? null))
  const memoryBytes = least(inner.bounds.memoryBytes, ofAgent('memoryBytes'), needs === null || needs.memoryBytes === 0 ? null : needs.memoryBytes)
  const share = least(inner.bounds.cpu, ofAgent('cpu'))
  const cpu = least(share === null ? null : share * state.capacity.cpu, needs === null || needs.cpu === 0 ? null : needs.cpu)
  return { ...(memoryBytes === null ? {} : { memoryBytes }), ...(cpu === null ? {} : { cpu }), ...(timeMs === null ? {} : { timeMs }) }
}

/** Calls of the current attempt that the journal knows, in order. */
export function recordedCalls(state: State, task: TaskId): readonly RecordedCall[] {
  return state.calls.get(task) ?? []
}

export function nodeOf(state: State, task: TaskId): PlanNode | null {
  return task === 0 ? null : state.nodeOf(task)
}

/** Key under which a task's durations are kept: `workflow/node`; null for lets and for what waits for other tasks. */
export function durationKeyOf(state: State, task: TaskId): string | null {
  if (task === 0) return null
  const node = state.nodeOf(task)
  return node.kind === 'let' || node.body.kind !== 'expr' ? null : `${state.scopeOf(task).shape.key}/${node.name}`
}

/** The sub-workflow that is a task's body. */
export function calleeOf(state: State, task: TaskId): { readonly key: string; readonly args: Readonly<Record<string, PlanExpr>> } {
  const body = task === 0 ? null : state.nodeOf(task).body
  return { key: workflowKey(state, task), args: body?.kind === 'workflow' ? body.args : {} }
}

/** How urgent a task is; higher goes first. */
export function rankOf(state: State, task: TaskId): number {
  return state.tasks.rank[task]!
}
