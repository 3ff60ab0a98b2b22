// Plan JSON, agents: whether agents and models of some JSON are such as a plan has.
// Owns: their shape, references between them, circles. Does not own: expressions, types, grants and limits within them (plan-json.ts).
//   G1. Every chain of fallbacks and of leads ends, so that whoever follows one needs no bound of its own.
//   G2. Tools of an agent are told apart by names that every provider takes.
import { MAX_AGENT_TOOLS, MAX_MEMORY_TOKENS, MAX_MODEL_CHAIN, MAX_TOOL_NAME_LENGTH } from '#model/plan.ts'

type Fields = Readonly<Record<string, unknown>>
type Check = (value: unknown, at: string) => string | null

/** What plan-json.ts lends: each gives the first problem, or null. */
export interface PlanLook {
  hasModule(name: string): boolean
  hasWorkflow(key: string): boolean
  readonly type: Check
  readonly expr: Check
  readonly authority: Check
  readonly limits: Check
  readonly needs: Check
}

const isRecord = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value)
const isText = (value: unknown): value is string => typeof value === 'string'
const isAmount = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value) && value >= 0
const isAmountOrNull = (value: unknown): boolean => value === null || (isAmount(value) && value !== 0)
const isKeyOf = (table: unknown, key: unknown): boolean => isText(key) && isRecord(table) && Object.hasOwn(table, key)

function tableProblem(value: unknown, at: string, check: Check): string | null {
  if (!isRecord(value)) return `\`${at}\` is no object`
  for (const [key, each] of Object.entries(value)) {
    const problem = check(each, `${at}.${key}`)
    if (problem !== null) return problem
  }
  return null
}

/** What is wrong with a plan's models, or null. */
export function modelsProblem({ models }: Fields, look: PlanLook, secrets: ReadonlySet<string>): string | null {
  if (models === undefined) return null
  return tableProblem(models, 'models', (model, at) => {
    if (!isRecord(model)) return `${at} is no model`
    const { provider, key, fallback, price } = model
    if (!isText(provider) || provider === '' || !isText(model['model'])) return `${at} has no provider and model`
    const point = provider.indexOf('.')
    if (point >= 0 && !look.hasModule(provider.slice(0, point))) return `${at}.provider names no module`
    if (key !== null && !(isText(key) && secrets.has(key))) return `${at}.key names no secret`
    if (fallback !== null && !isKeyOf(models, fallback)) return `${at}.fallback names no model`
    if (price !== null && !(isRecord(price) && isAmount(price['inputMicros']) && isAmount(price['outputMicros']))) return `${at}.price is damaged`
    for (const name of ['contextTokens', 'answerTokens', 'timeoutMs']) if (!isAmountOrNull(model[name])) return `${at}.${name} is no amount`
    return chainProblem(models as Fields, at, model) ?? tableProblem(model['options'], `${at}.options`, look.expr)
  })
}

/** G1. */
function chainProblem(models: Fields, at: string, first: Fields): string | null {
  let next: unknown = first
  for (let step = 0; step < MAX_MODEL_CHAIN; step++) {
    if (!isRecord(next) || next['fallback'] === null) return null
    next = models[next['fallback'] as string]
  }
  return `${at}.fallback never ends`
}

/** What is wrong with a plan's agents, or null. */
export function agentBodiesProblem({ agents, agentBodies, models, files }: Fields, look: PlanLook): string | null {
  if (agentBodies === undefined) return null
  const keys = new Set(agents as readonly string[])
  const problem = tableProblem(agentBodies, 'agentBodies', (agent, at) => {
    if (!isRecord(agent) || !isText(agent['name']) || !isText(agent['doc'])) return `${at} has no name`
    const { model, role, leads, tools, memory, file } = agent
    if (model !== null && !isKeyOf(models, model)) return `${at}.model names no model`
    if (file !== undefined && !(Number.isInteger(file) && Number(file) >= 0 && Array.isArray(files) && Number(file) < files.length)) return `${at}.file names no file`
    if (!Array.isArray(leads) || !leads.every(each => isKeyOf(agentBodies, each))) return `${at}.leads names no agent`
    if (agent['authority'] === null) return `${at}.authority is no list`
    if (agent['afterUntrusted'] !== undefined && agent['afterUntrusted'] !== 'ask') return `${at}.afterUntrusted is not ask`
    return (
      (role === null ? null : look.expr(role, `${at}.role`)) ??
      look.authority(agent['authority'], `${at}.authority`) ??
      look.limits(agent['limits'], `${at}.limits`) ??
      toolsProblem(tools, `${at}.tools`, look) ??
      memoryProblem(memory, `${at}.memory`, look)
    )
  })
  if (problem !== null) return problem
  const missing = [...keys].find(key => !isKeyOf(agentBodies, key)) ?? Object.keys(agentBodies as Fields).find(key => !keys.has(key))
  return missing !== undefined ? `\`agents\` and \`agentBodies\` differ in ${missing}` : circleProblem(agentBodies as Readonly<Record<string, Fields>>)
}

function memoryProblem(memory: unknown, at: string, look: PlanLook): string | null {
  if (!isRecord(memory)) return `${at} is missing`
  const { kind, keepTokens, summarises } = memory
  if (kind === 'none') return keepTokens === undefined && summarises === undefined ? null : `${at} keeps nothing`
  if (kind !== 'run' && kind !== 'thread') return `${at}.kind is unknown`
  if (keepTokens !== undefined && !(Number.isInteger(keepTokens) && Number(keepTokens) > 0 && Number(keepTokens) <= MAX_MEMORY_TOKENS)) return `${at}.keepTokens is no number of tokens`
  if (summarises !== undefined && summarises !== true) return `${at}.summarises is not true`
  return kind === 'thread' ? look.expr(memory['name'], `${at}.name`) : null
}

function toolsProblem(tools: unknown, at: string, look: PlanLook): string | null {
  if (!Array.isArray(tools) || tools.length > MAX_AGENT_TOOLS) return `${at} is no list of tools`
  const names = new Set<string>()
  for (const [index, tool] of tools.entries()) {
    const problem = toolProblem(tool, `${at}[${index}]`, names, look)
    if (problem !== null) return problem
  }
  return null
}

function toolProblem(tool: unknown, at: string, names: Set<string>, look: PlanLook): string | null {
  if (!isRecord(tool) || !isText(tool['doc'])) return `${at} is no tool`
  const { name, input, standards } = tool
  if (!isText(name) || name.length > MAX_TOOL_NAME_LENGTH || !/^[A-Za-z0-9_-]+$/.test(name) || names.has(name)) return `${at}.name is no name of its own` // G2
  names.add(name)
  if (!isRecord(input) || input['kind'] !== 'record') return `${at}.input is no record`
  if (typeof tool['isUntrusted'] !== 'boolean' || typeof tool['isSink'] !== 'boolean') return `${at} does not say what it gives`
  const inside = look.type(input, `${at}.input`)
  if (inside !== null) return inside
  if (tool['asked'] !== undefined && !(isText(tool['asked']) && look.hasWorkflow(tool['asked']))) return `${at}.asked names no workflow`
  if (tool['kind'] === 'workflow') return isText(tool['workflow']) && look.hasWorkflow(tool['workflow']) ? null : `${at} names no workflow`
  if (tool['kind'] === 'message') return ['send', 'receive', 'listen'].includes(tool['does'] as string) ? null : `${at}.does is unknown`
  if (tool['kind'] === 'ask-lead') {
    const { leads } = tool
    if (!isRecord(leads) || Object.keys(leads).length === 0) return `${at}.leads is empty`
    return Object.values(leads).every(key => isText(key) && look.hasWorkflow(key)) ? null : `${at}.leads names no workflow`
  }
  if (tool['kind'] !== 'function') return `${at}.kind is unknown`
  if (!isText(tool['module']) || !look.hasModule(tool['module'])) return `${at} names no module`
  if (!isText(tool['fn']) || !['pure', 'read', 'write'].includes(tool['effect'] as string) || !['thread', 'host'].includes(tool['runs'] as string)) return `${at} is damaged`
  if (standards !== undefined && !isRecord(standards)) return `${at}.standards is no object`
  return look.needs(tool['needs'], `${at}.needs`) ?? look.type(tool['result'], `${at}.result`)
}

/** An agent that comes to lead itself. // G1 */
function circleProblem(agents: Readonly<Record<string, Fields>>): string | null {
  const isDone = new Map<string, boolean>()
  const stack = Object.keys(agents)
  for (let key = stack.at(-1); key !== undefined; key = stack.at(-1)) {
    if (isDone.get(key) !== undefined) {
      isDone.set(key, true)
      stack.pop()
      continue
    }
    isDone.set(key, false)
    for (const led of agents[key]!['leads'] as readonly string[]) {
      if (isDone.get(led) === false) return `agentBodies.${led} leads itself`
      if (isDone.get(led) === undefined) stack.push(led)
    }
  }
  return null
}
