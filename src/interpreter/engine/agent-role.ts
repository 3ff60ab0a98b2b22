// Agent role: what is worked out of an agent before it is asked: its role and what it may do.
// Owns: the one expression that both are, reading its value. Does not own: evaluating it, the conversation (talks.ts).
//   G1. An agent's levels are its own and, where it is of another file than the workflow that asks it, that file's; those of the workflow stand above them.
import type { TaskId } from '#model/event.ts'
import type { PlanAgent, PlanExpr, PlanFile, PlanGrant, PlanLimits } from '#model/plan.ts'
import type { Value } from '#model/type.ts'
import { levelOf } from './open-scope.ts'
import type { Level, State } from './state.ts'

/** The agent that does a task; null where the plan has none of that key. */
export function agentOf(state: State, task: TaskId): PlanAgent | null {
  const { body } = state.nodeOf(task)
  const { agentBodies } = state.plan
  return body.kind === 'agent' && agentBodies !== undefined && Object.hasOwn(agentBodies, body.agent) ? agentBodies[body.agent]! : null
}

/** The file whose level holds for an agent beside its own; null where there is none. // G1 */
export function fileOfAgent(state: State, task: TaskId, { file }: PlanAgent): PlanFile | null {
  return file === undefined || file === state.scopeOf(task).shape.workflow.file ? null : (state.plan.files?.[file] ?? null)
}

/** Of the limits of an agent and its file, the smaller of each. */
export function limitOfAgent(state: State, task: TaskId, agent: PlanAgent, name: keyof PlanLimits): number | undefined {
  const both = [agent.limits[name], fileOfAgent(state, task, agent)?.limits[name]].filter(each => typeof each === 'number')
  return both.length === 0 ? undefined : Math.min(...both)
}

const made = new WeakMap<PlanAgent, { readonly alone?: PlanExpr; readonly inFile?: PlanExpr }>()

/** Role and arguments of grants as one expression, made once so that it is compiled once. */
export function roleExpr(state: State, task: TaskId): PlanExpr | null {
  const agent = agentOf(state, task)
  if (agent === null) return null
  const file = fileOfAgent(state, task, agent)
  const kind = file === null ? 'alone' : 'inFile'
  const known = made.get(agent)
  const expr = known?.[kind] ?? exprOf(agent, file)
  if (known?.[kind] === undefined) made.set(agent, { ...known, [kind]: expr })
  return expr
}

function exprOf(agent: PlanAgent, file: PlanFile | null): PlanExpr {
  const entries = [
    { key: 'role', value: agent.role ?? { op: 'value', value: '' } },
    { key: 'authority', value: argumentsOf(agent.authority) },
    { key: 'file', value: argumentsOf(file?.authority ?? []) },
  ] as const
  return { op: 'record', entries }
}

function argumentsOf(authority: readonly PlanGrant[]): PlanExpr {
  return { op: 'list', items: authority.map(grant => ({ op: 'list', items: grant.args })) }
}

/** Reads what `roleExpr` came to. */
export function readRole(state: State, task: TaskId, agent: PlanAgent, value: Value): { readonly role: string; readonly levels: readonly Level[] } {
  const { role, authority, file } = value as { readonly role: Value; readonly authority: readonly Value[]; readonly file: readonly Value[] }
  const own = levelFor(agent.authority, authority)
  const entered = fileOfAgent(state, task, agent)?.authority ?? null
  return { role: typeof role === 'string' ? role : JSON.stringify(role), levels: entered === null ? [own] : [levelFor(entered, file), own] } // G1
}

function levelFor(grants: readonly PlanGrant[], args: readonly Value[]): Level {
  return levelOf(grants.map(({ name, implies }, index) => ({ name, implies, args: (args[index] as readonly Value[]).map(String) })))
}
