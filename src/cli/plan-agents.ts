// Plan agents: what is told of an agent before it is asked: whose answers it gives, what it can call, what it may.
// Owns: the words. Does not own: what workflows come to (plan-facts.ts), drawing (plan-text.ts), amounts (model/worst.ts).
import { thousands } from '#base/terminal-text.ts'
import { amountText, timeText } from '#compiler/3-check/worst-case/amount-text.ts'
import { MAX_MODEL_CHAIN, type Plan, type PlanModel, type PlanTool, STANDARD_MEMORY_TOKENS } from '#model/plan.ts'

/** The keys of an agent's model and of those that answer in its place, in order. */
export function modelsOf(plan: Plan, agent: string): string[] {
  const chain: string[] = []
  for (let key = plan.agentBodies?.[agent]?.model ?? null; key !== null && chain.length < MAX_MODEL_CHAIN; key = plan.models?.[key]?.fallback ?? null) chain.push(key)
  return chain
}

/** `smart: anthropic claude-sonnet-4-5, key account`; the second and later begin with `then`. */
export function modelTexts(plan: Plan, agent: string): string[] {
  return modelsOf(plan, agent).map((key, index) => `${index === 0 ? '' : 'then '}${key}: ${modelText(plan.models?.[key])}`)
}

function modelText(model: PlanModel | undefined): string {
  if (model === undefined) return 'unknown'
  const { provider, model: name, options, key, price, answerTokens, timeoutMs } = model
  const at = options['baseUrl']
  const given = Object.entries(options).flatMap(([option, value]) => (option === 'baseUrl' ? [] : [value.op === 'value' ? `${option} ${String(value.value)}` : option]))
  const free = price !== null && price.inputMicros === 0 && price.outputMicros === 0
  return [
    `${provider} ${name}${at === undefined ? '' : ` at ${at.op === 'value' ? String(at.value) : 'an address of the program'}`}`,
    ...given,
    ...(answerTokens === null ? [] : [`answers of ${thousands(answerTokens)} tokens`]),
    ...(timeoutMs === null ? [] : [`${timeText(timeoutMs)} for an answer`]),
    ...(price === null ? ['of unknown price'] : free ? [] : [`${amountText('cost', price.inputMicros)} in and ${amountText('cost', price.outputMicros)} out for a million tokens`]),
    ...(key === null ? [] : [`key ${key}`]),
  ].join(', ')
}

/** A tool with what a careful person wants to know of it. */
export function toolText(plan: Plan, tool: PlanTool): string {
  const { name, isUntrusted } = tool
  return `${name} (${[deedOf(plan, tool), ...(isUntrusted ? ['gives text from outside'] : []), ...askedText(tool)].join(', ')})`
}

function askedText(tool: PlanTool): string[] {
  const isAsked = 'asked' in tool && tool.asked !== undefined
  if (isAsked && tool.alwaysAsks === true) return ['a person is asked before each call']
  return !tool.isSink ? [] : [isAsked ? 'a person is asked once it has read text from outside' : 'not by itself once it has read text from outside']
}

function deedOf(plan: Plan, tool: PlanTool): string {
  switch (tool.kind) {
    case 'workflow': {
      const standsFor = plan.workflows[tool.workflow]?.standsFor
      return standsFor?.kind === 'agent' ? 'an agent that it leads' : standsFor?.kind === 'vote' ? 'asks those it leads to choose' : 'runs a workflow'
    }
    case 'ask-lead':
      return 'asks who leads it'
    case 'message':
      return 'speaks with its team'
    case 'function':
      return tool.effect === 'write' ? 'changes' : tool.effect === 'read' ? 'reads' : 'works out'
  }
}

/** What an agent keeps of earlier conversations. */
export function memoryTexts(plan: Plan, agent: string): string[] {
  const memory = plan.agentBodies?.[agent]?.memory
  if (memory === undefined || memory.kind === 'none') return []
  const { keepTokens = STANDARD_MEMORY_TOKENS, summarises } = memory
  const bounds = `${thousands(keepTokens)} tokens; what is older is ${summarises === true ? 'put into a few words' : 'dropped'}`
  return [`${memory.kind === 'run' ? 'what it was told in the same run' : `the thread ${memory.name.op === 'value' ? JSON.stringify(memory.name.value) : 'that the program names'}`}, ${bounds}`]
}
