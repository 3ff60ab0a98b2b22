// Plan facts: what can be said of a plan without running it.
// Owns: grants as text, what a workflow reaches, the calls it can make, the programs it may start, what is left to the guard. Does not own: printing,
// the worst case (compiler/3-check/worst-case; it is in the plan).
import type { Plan, PlanExpr, PlanGrant, PlanModule, PlanTool, PlanTrusted, PlanUndecided } from '#model/plan.ts'
import { modelsOf } from './plan-agents.ts'

/** Grants as a program writes them, `${name}` for a parameter; sorted, each once. */
export function grantsOf(grants: readonly PlanGrant[]): string[] {
  const texts = grants.map(grant => (grant.args.length === 0 ? grant.name : `${grant.name}(${grant.args.map(printPattern).join(', ')})`))
  return [...new Set(texts)].sort()
}

function printPattern(expression: PlanExpr): string {
  switch (expression.op) {
    case 'value':
      return JSON.stringify(expression.value)
    case 'template':
      return `"${expression.parts.map(part => (typeof part === 'string' ? part : `\${${printName(part)}}`)).join('')}"`
    default:
      return printName(expression)
  }
}

const printName = (expression: PlanExpr): string => (expression.op === 'param' || expression.op === 'constant' || expression.op === 'local' ? expression.name : '…')

/** The workflows and agents that a workflow can come to, itself first. */
export interface Reached {
  readonly workflows: ReadonlySet<string>
  readonly agents: ReadonlySet<string>
}

const toolsOf = (plan: Plan, agent: string): readonly PlanTool[] => plan.agentBodies?.[agent]?.tools ?? []

/** What an agent asks for; plans of version 2 say it apart. */
export const agentGrants = (plan: Plan, agent: string): readonly PlanGrant[] => plan.agentBodies?.[agent]?.authority ?? plan.agentAuthority?.[agent] ?? []

export function reachedFrom(plan: Plan, workflow: string): Reached {
  const workflows = new Set([workflow])
  const agents = new Set<string>()
  for (let [before, after] = [0, 1]; before !== after; [before, after] = [after, workflows.size + agents.size]) {
    for (const key of workflows) {
      for (const { body } of plan.workflows[key]?.nodes ?? []) {
        if (body.kind === 'workflow') workflows.add(body.workflow)
        else if (body.kind === 'agent') agents.add(body.agent)
      }
    }
    for (const key of agents) {
      for (const led of plan.agentBodies?.[key]?.leads ?? []) agents.add(led)
      for (const tool of toolsOf(plan, key)) for (const opened of openedBy(tool)) workflows.add(opened)
    }
  }
  return { workflows, agents }
}

/** Keys of the workflows by which a call of a tool is carried out. */
function openedBy(tool: PlanTool): string[] {
  if (tool.kind === 'ask-lead') return Object.values(tool.leads)
  return [...(tool.kind === 'workflow' ? [tool.workflow] : []), ...('asked' in tool && tool.asked !== undefined ? [tool.asked] : [])]
}

/** Calls of a workflow, and of those it calls, that the guard decides when they are made; by place. */
export function undecidedOf(plan: Plan, workflow: string): PlanUndecided[] {
  return placedIn(plan.undecided ?? [], plan, workflow)
}

/** What a person vouches for in a workflow and in those it calls; by place. */
export function trustedOf(plan: Plan, workflow: string): PlanTrusted[] {
  return placedIn(plan.trusted ?? [], plan, workflow)
}

function placedIn<Each extends PlanTrusted | PlanUndecided>(all: readonly Each[], plan: Plan, workflow: string): Each[] {
  if (all.length === 0) return []
  const { workflows } = reachedFrom(plan, workflow)
  return all.filter(each => workflows.has(each.workflow)).sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : a.line - b.line || a.column - b.column))
}

/** What a plugin's code runs in, what is behind a server. */
export function isolationOf({ origin, needsNode, server }: Pick<PlanModule, 'origin' | 'needsNode' | 'server'>): string {
  if (origin === 'std') return 'part of tek'
  if (server !== undefined) return /^https?:/.test(server.shows) ? `reaches ${server.shows}` : `starts ${server.shows}`
  return needsNode === undefined ? 'in the engine' : `in a confined process: ${needsNode}`
}

/** What stands between a part of a program and the world. */
export interface Beneath {
  /** `workflow lib.tek#scan`, `agent reviewer`. */
  readonly name: string
  readonly may: readonly string[]
  /** The file whose own `can` narrows it, and what that says. */
  readonly file: { readonly path: string; readonly may: readonly string[] } | null
}

/** The workflows and agents that a workflow uses and that may touch anything, each with what it asks for. */
export function beneath(plan: Plan, workflow: string): Beneath[] {
  const { workflows, agents } = reachedFrom(plan, workflow)
  const flows = [...workflows].filter(key => key !== workflow).flatMap(key => {
    const { authority, file, standsFor } = plan.workflows[key]!
    if (standsFor !== undefined && !('loop' in standsFor)) return [] // it has what its agent has
    const level = file === undefined ? undefined : plan.files?.[file]
    const may = grantsOf(authority ?? [])
    return may.length === 0 ? [] : [{ name: `workflow ${key}`, may, file: level?.authority ? { path: level.path, may: grantsOf(level.authority) } : null }]
  })
  return [...flows, ...[...agents].map(key => ({ name: `agent ${key}`, may: grantsOf(agentGrants(plan, key)), file: null }))]
}

export interface CallFact {
  /** `fs.read`. */
  readonly name: string
  readonly effect: 'read' | 'write'
}

/** Every effectful function that a workflow, one that it calls or an agent that it asks can call; sorted by name. */
export function callsOf(plan: Plan, workflow: string): CallFact[] {
  const found = new Map<string, CallFact>()
  for (const node of expressionsOf(plan, workflow)) {
    const { op, module, fn, effect } = node as { op?: string; module?: string; fn?: string; effect?: string }
    if (op === 'call' && (effect === 'read' || effect === 'write')) found.set(`${module}.${fn}`, { name: `${module}.${fn}`, effect })
  }
  for (const agent of reachedFrom(plan, workflow).agents) {
    for (const tool of toolsOf(plan, agent)) {
      if (tool.kind === 'function' && tool.effect !== 'pure') found.set(`${tool.module}.${tool.fn}`, { name: `${tool.module}.${tool.fn}`, effect: tool.effect })
    }
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Keys of the secrets that a workflow, or one that it calls, hands to a tool or asks a model with, and of those that its webhooks are signed with. */
export function secretsOf(plan: Plan, workflow: string): string[] {
  const found = new Set<string>()
  for (const trigger of plan.workflows[workflow]?.triggers ?? []) if (trigger.kind === 'webhook' && trigger.secret !== null) found.add(trigger.secret)
  for (const node of expressionsOf(plan, workflow)) {
    const { op, name } = node as { op?: string; name?: string }
    if (op === 'secret' && name !== undefined) found.add(name)
  }
  for (const model of [...reachedFrom(plan, workflow).agents].flatMap(agent => modelsOf(plan, agent))) {
    const key = plan.models?.[model]?.key ?? null
    if (key !== null) found.add(key)
  }
  return [...found].sort()
}

/** Every part of every expression that a workflow can come to; data is left out, whatever it looks like. */
function* expressionsOf(plan: Plan, workflow: string): Generator<object> {
  for (const key of reachedFrom(plan, workflow).workflows) {
    const target = plan.workflows[key]
    if (target === undefined) continue
    const left: unknown[] = [target.nodes, target.returns]
    while (left.length > 0) {
      const part = left.pop()
      if (typeof part !== 'object' || part === null || (part as { op?: string }).op === 'value') continue
      yield part
      for (const each of Object.values(part)) left.push(each)
    }
  }
}

/** A program that may be started, and with what. */
export interface StartedProgram {
  readonly program: string
  /** Patterns of its arguments, as written. */
  readonly with: readonly string[]
  /** The grants that bring it; '' = asked for by itself. */
  readonly by: readonly string[]
}

/** Programs that the grants of a workflow, and of what it uses, let it start; by name. */
export function programsOf(plan: Plan, workflow: string): StartedProgram[] {
  const { workflows, agents } = reachedFrom(plan, workflow)
  const grants = [...[...workflows].flatMap(key => plan.workflows[key]?.authority ?? []), ...[...agents].flatMap(key => agentGrants(plan, key))]
  const found = new Map<string, { with: Set<string>; by: Set<string> }>()
  const add = (program: string, args: readonly string[], by: string): void => {
    const known = found.get(program) ?? { with: new Set(), by: new Set() }
    known.with.add(args.join(' '))
    known.by.add(by)
    found.set(program, known)
  }
  for (const { name, args, implies } of grants) {
    if (name === 'exec') {
      const [program, ...rest] = args.map(each => (each.op === 'value' ? String(each.value) : printPattern(each)))
      add(program ?? '', rest, '')
    }
    for (const each of implies) if (each.name === 'exec') add(each.args[0] ?? '', each.args.slice(1), name)
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([program, { with: patterns, by }]) => ({ program, with: [...patterns].sort(), by: [...by].sort() }))
}
