// Lower llm: which levels of authority ask for which models, though no `can` says so.
// Owns: adding `llm(…)` to agents, workflows and files. Does not own: levels that name `llm` themselves, which the checker holds to it (3-check/agent-authority.ts).
//   L1. An agent asks for its model and for those that model falls back on, whatever its `can` says. // P7 of the plan
//   L2. Every other level asks for the models beneath it: of agents it asks or leads, of workflows it calls or has as tools. One that names `llm` means that alone.
import { MAX_MODEL_CHAIN, type Plan, type PlanAgent, type PlanGrant, type PlanModel } from '#model/plan.ts'

type Levels = Pick<Plan, 'workflows' | 'authority' | 'files'> & {
  readonly agentBodies: Readonly<Record<string, PlanAgent>>
  readonly models: Readonly<Record<string, PlanModel>>
}

/** The levels of a plan, each with the models it comes to ask. */
export function withModelGrants(levels: Levels): Omit<Levels, 'models'> {
  const { workflows, agentBodies, models, authority, files } = levels
  const found = modelsBeneath(levels)
  if (found.size === 0) return { workflows, agentBodies, authority, ...(files === undefined ? {} : { files }) }
  const sorted = (id: string): string[] => [...(found.get(id) ?? [])].sort()
  const inFile = (isOfFile: (key: string, file: number | undefined) => boolean): string[] => {
    const own = (kind: Kind, table: Readonly<Record<string, { readonly file?: number }>>): string[] => Object.entries(table).flatMap(([key, each]) => (isOfFile(key, each.file) ? sorted(kind + key) : []))
    return [...new Set([...own('workflow ', workflows), ...own('agent ', agentBodies)])].sort()
  }
  return {
    authority: authority === null ? null : asking(authority, inFile((key, file) => file === undefined && !key.includes('#'))),
    ...(files === undefined ? {} : { files: files.map((file, index) => (file.authority === null ? file : { ...file, authority: asking(file.authority, inFile((_key, each) => each === index)) })) }),
    agentBodies: mapped(agentBodies, (key, agent) => ({ ...agent, authority: [...asking(agent.authority, sorted(`agent ${key}`)), ...missing(agent.authority, chainOf(models, agent.model))] })),
    workflows: mapped(workflows, (key, workflow) => {
      const beneath = sorted(`workflow ${key}`)
      return beneath.length === 0 ? workflow : { ...workflow, authority: asking(workflow.authority ?? [], beneath) }
    }),
  }
}

const mapped = <T>(table: Readonly<Record<string, T>>, to: (key: string, each: T) => T): Record<string, T> => Object.fromEntries(Object.entries(table).map(([key, each]) => [key, to(key, each)]))

const llm = (key: string): PlanGrant => ({ name: 'llm', args: [{ op: 'value', value: key }], implies: [] })

const namesModels = (authority: readonly PlanGrant[]): boolean => authority.some(each => each.name === 'llm')

/** L2. */
const asking = (authority: readonly PlanGrant[], models: readonly string[]): readonly PlanGrant[] => (namesModels(authority) ? authority : [...authority, ...models.map(llm)])

/** L1: of an agent whose own `can` names models, those of its own that it does not name. */
function missing(authority: readonly PlanGrant[], own: readonly string[]): PlanGrant[] {
  if (!namesModels(authority)) return []
  const named = new Set(authority.flatMap(({ name, args }) => (name === 'llm' && args[0]?.op === 'value' ? [args[0].value] : [])))
  return own.filter(key => !named.has(key)).map(llm)
}

/** The keys of a model and of those it falls back on. */
function chainOf(models: Readonly<Record<string, PlanModel>>, first: string | null): string[] {
  const chain: string[] = []
  for (let next = first; next !== null && chain.length < MAX_MODEL_CHAIN; next = models[next]?.fallback ?? null) chain.push(next)
  return chain
}

type Kind = 'workflow ' | 'agent '

/** The models that each workflow and agent comes to ask; what asks none is left out. */
function modelsBeneath({ workflows, agentBodies, models }: Levels): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>()
  if (Object.values(agentBodies).every(agent => agent.model === null)) return found
  const askedBy = new Map<string, string[]>()
  const link = (from: string, to: string): unknown => askedBy.set(to, [...(askedBy.get(to) ?? []), from])
  for (const [key, { nodes }] of Object.entries(workflows)) {
    for (const { body } of nodes) {
      if (body.kind === 'workflow') link(`workflow ${key}`, `workflow ${body.workflow}`)
      else if (body.kind === 'agent' && body.hasNoTools !== true) link(`workflow ${key}`, `agent ${body.agent}`)
    }
  }
  for (const [key, { tools, leads }] of Object.entries(agentBodies)) {
    for (const led of leads) link(`agent ${key}`, `agent ${led}`)
    for (const tool of tools) if (tool.kind === 'workflow') link(`agent ${key}`, `workflow ${tool.workflow}`)
  }
  const left: string[] = []
  const add = (id: string, more: Iterable<string>): void => {
    const own = found.get(id) ?? new Set<string>()
    const before = own.size
    for (const model of more) own.add(model)
    if (own.size > before) left.push(id)
    found.set(id, own)
  }
  for (const [key, { model }] of Object.entries(agentBodies)) if (model !== null) add(`agent ${key}`, chainOf(models, model))
  for (let id = left.pop(); id !== undefined; id = left.pop()) for (const by of askedBy.get(id) ?? []) add(by, found.get(id)!)
  return found
}
