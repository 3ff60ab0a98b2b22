// Coverage: which parts of a program's workflows and agents some runs went through.
// Owns: what counts, and counting it. Does not own: running, what is shown of it (cli/coverage-report.ts).
//   C1. Counted are: each task that somebody wrote (it ran, or one of its items did), both ways of each `when`, the failure that each `on failure` is for, and each
//       tool that an agent has. Branches within an expression are not.
//   C2. It is read off the record: a run counts the same whether it was watched or not.
//   C3. The same task of several programs, found by its place, is one.
import type { RunEvent, TaskId } from '#model/event.ts'
import type { Plan, PlanTool } from '#model/plan.ts'
import { initialState, type State } from './engine/state.ts'
import { transition } from './engine/transition.ts'
import { unbounded } from './find-task.ts'

export type CoveredKind = 'task' | 'when true' | 'when false' | 'on failure' | 'tool'

/** Something that a test can go through. */
export interface CoveredPart {
  readonly kind: CoveredKind
  /** File, as the program names it; 1-based line, null where it stands in no line of its own. */
  readonly path: string
  readonly line: number | null
  /** Of the workflow or agent it is in. */
  readonly owner: string
  readonly name: string
  /** Times that it was gone through. */
  count: number
}

export class Coverage {
  private readonly parts = new Map<string, CoveredPart>()

  /** Adds what a program has. `entry`: its file, for what has no place of its own. */
  add(plan: Plan, entry: string): void {
    for (const [key, workflow] of Object.entries(plan.workflows)) {
      if (workflow.standsFor !== undefined || plan.places[key] === undefined) continue
      for (const node of workflow.nodes) {
        if (node.kind !== 'task') continue
        const kinds: CoveredKind[] = ['task', ...(node.when === null ? [] : (['when true', 'when false'] as const)), ...(node.onFailure === null || node.onFailure.kind === 'stop' ? [] : (['on failure'] as const))]
        for (const kind of kinds) this.part(plan, entry, kind, key, node.name)
      }
    }
    for (const [key, agent] of Object.entries(plan.agentBodies ?? {})) for (const tool of agent.tools) this.part(plan, entry, 'tool', key, tool.name)
  }

  /** Counts what a run went through. // C2 */
  count(plan: Plan, entry: string, events: Iterable<RunEvent>): void {
    const state = initialState(plan, unbounded)
    const hit = (kind: CoveredKind, task: TaskId): void => {
      const node = state.nodeOf(task)
      const { key, workflow } = state.scopeOf(task).shape
      if (node.kind === 'task' && workflow.standsFor === undefined && plan.places[key] !== undefined) this.part(plan, entry, kind, key, node.name).count++
    }
    const workflowTools = new Map(Object.entries(plan.agentBodies ?? {}).flatMap(([agent, { tools }]) => tools.flatMap(tool => workflowsOf(tool).map(key => [`${agent} ${key}`, tool.name] as const))))
    for (const event of events) {
      if (event.kind === 'call-started') this.called(state, plan, entry, event)
      if (event.kind === 'evaluated' && event.part === 'when' && event.outcome.kind === 'value' && event.task < state.tasks.size) {
        const kind = event.outcome.value === true ? 'when true' : 'when false'
        if (state.nodeOf(event.task).when !== null) hit(kind, event.task)
      }
      for (const command of transition(state, event)) {
        if (command.kind !== 'changed' || command.task === 0) continue
        if (command.status === 'done' || command.status === 'failed') hit('task', command.task)
        if (command.status === 'failed' && state.nodeOf(command.task).onFailure?.kind === 'continue') hit('on failure', command.task)
      }
      if (event.kind === 'evaluated' && event.part === 'fallback' && state.nodeOf(event.task).onFailure?.kind === 'use') hit('on failure', event.task)
      if (event.kind === 'evaluated' && event.part === 'setup' && workflowTools.size > 0) this.entered(state, plan, entry, event.task, workflowTools)
    }
  }

  /** Everything, in the order of files, lines and names. */
  all(): CoveredPart[] {
    return [...this.parts.values()].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : (a.line ?? Infinity) - (b.line ?? Infinity) || (a.owner < b.owner ? -1 : a.owner > b.owner ? 1 : 0)))
  }

  private called(state: State, plan: Plan, entry: string, { task, name }: Extract<RunEvent, { kind: 'call-started' }>): void {
    const talk = task < state.tasks.size ? state.talks.get(task) : undefined
    const tool = talk?.agent.tools.find(each => (each.kind === 'function' ? `${each.module}.${each.fn}` === name : each.name === name))
    if (talk !== undefined && tool !== undefined) this.part(plan, entry, 'tool', talk.key, tool.name).count++
  }

  /** A workflow that an agent called as a tool. */
  private entered(state: State, plan: Plan, entry: string, task: TaskId, tools: ReadonlyMap<string, string>): void {
    const opened = state.inside.get(task)?.shape.key
    if (opened === undefined) return
    for (const [key] of Object.entries(plan.agentBodies ?? {})) {
      const tool = tools.get(`${key} ${opened}`)
      if (tool !== undefined) this.part(plan, entry, 'tool', key, tool).count++
    }
  }

  /** C3. */
  private part(plan: Plan, entry: string, kind: CoveredKind, key: string, name: string): CoveredPart {
    const place = kind === 'tool' ? undefined : (plan.places[`${key}/${name}`] ?? plan.places[key])
    const [file, owner = key] = key.includes('#') ? key.split('#') : [entry, key]
    const path = place?.path ?? file!
    const id = JSON.stringify([path, place?.line ?? 0, place?.column ?? 0, kind, owner, name])
    let found = this.parts.get(id)
    if (found === undefined) this.parts.set(id, (found = { kind, path, line: place?.line ?? null, owner, name, count: 0 }))
    return found
  }
}

/** Workflows that a call of a tool may begin. */
function workflowsOf(tool: PlanTool): string[] {
  const own = tool.kind === 'workflow' ? [tool.workflow] : []
  return 'asked' in tool && tool.asked !== undefined ? [...own, tool.asked] : own
}
