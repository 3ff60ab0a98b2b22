// Plan JSON, hidden workflows: whether those that nobody wrote are such as stand for calls of agents, and whether the tools that lead to them say so.
// Owns: what belongs together. Does not own: workflows and tools as such (plan-json.ts, plan-json-agents.ts), whose shapes have been looked at.
//   H1. A key begins with `@` if and only if the workflow stands for something; nobody begins a run with it.
//   H2. A tool that opens one names the very one that is for its agent: what a call does is what its agent is shown.
//   H3. What a person is asked is what is done: the question shows tool and arguments whole, in these words and no others, and the yes makes that very call.
import { canonicalJson, type Json } from '#base/json.ts'

import { LOOP_PARTS } from './plan-json-loops.ts'

type Fields = Readonly<Record<string, unknown>>

const isRecord = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value)

const PARAMS: Readonly<Record<string, readonly string[]>> = { agent: ['task'], 'ask-lead': ['question'], vote: ['question', 'options'] }

/** The first problem, or null. */
export function hiddenProblem({ workflows, entries, agentBodies }: Fields): string | null {
  const table = workflows as Readonly<Record<string, Fields>>
  const agents = (agentBodies ?? {}) as Readonly<Record<string, Fields>>
  for (const [key, workflow] of Object.entries(table)) {
    const { standsFor } = workflow
    const at = `workflows.${key}`
    if (key.startsWith('@') !== (standsFor !== undefined)) return `${at}.standsFor is ${standsFor === undefined ? 'missing' : 'of a workflow that somebody wrote'}` // H1
    const problem = standsFor === undefined ? null : standsForProblem(key, workflow, standsFor, agents)
    if (problem !== null) return `${at}.${problem}`
  }
  const entry = (entries as readonly string[]).find(each => each.startsWith('@'))
  if (entry !== undefined) return `entries names ${entry}, which stands for a call`
  for (const [key, agent] of Object.entries(agents)) {
    const tools = agent['tools'] as readonly Fields[]
    const wrong = tools.findIndex(tool => !opensItsOwn(key, agent['name'] as string, tool, table))
    if (wrong >= 0) return `agentBodies.${key}.tools[${wrong}] opens a workflow that is not for it`
  }
  return null
}

function standsForProblem(key: string, workflow: Fields, standsFor: unknown, agents: Readonly<Record<string, Fields>>): string | null {
  if (!isRecord(standsFor)) return 'standsFor is no record'
  const { kind, lead, agent, tool } = standsFor
  const isAgent = (each: unknown): boolean => typeof each === 'string' && Object.hasOwn(agents, each)
  const nodes = workflow['nodes'] as readonly Fields[]
  if (workflow['triggers'] !== undefined) return 'triggers is of a workflow that nobody wrote'
  if (kind === 'asked-call') {
    if (!isAgent(agent) || typeof tool !== 'string') return 'standsFor names no agent'
    return key === `@asked:${agent as string}/${tool}` && nodes.length === 1 && nodes[0]!['approve'] !== null ? null : 'nodes ask nobody'
  }
  if (LOOP_PARTS.has(kind as string)) return null // looked at with their loops
  const params = PARAMS[kind as string]
  if (params === undefined) return 'standsFor.kind is unknown'
  const names = (workflow['params'] as readonly Fields[]).map(each => each['name'])
  if (names.length !== params.length || params.some((name, index) => names[index] !== name)) return `params are not ${params.join(' and ')}`
  if (!isAgent(lead) || (kind !== 'vote' && !isAgent(agent))) return 'standsFor names no agent'
  const asked = nodes.map(each => each['body'] as Fields)
  const who = kind === 'vote' ? null : kind === 'agent' ? agent : lead
  const isOwn = asked.length > 0 && asked.every(body => body['kind'] === 'agent' && (who === null || (asked.length === 1 && body['agent'] === who)))
  return isOwn ? null : 'nodes ask somebody else'
}

/** H2. */
function opensItsOwn(agent: string, agentName: string, tool: Fields, workflows: Readonly<Record<string, Fields>>): boolean {
  const standsFor = (key: unknown): Fields | undefined => workflows[key as string]?.['standsFor'] as Fields | undefined
  const { kind, asked, alwaysAsks, workflow, leads, name } = tool
  if (asked !== undefined && !asksWhatItDoes(tool, workflows[asked as string], agentName)) return false
  if (asked === undefined ? alwaysAsks !== undefined : asked !== `@asked:${agent}/${name as string}` || standsFor(asked)?.['kind'] !== 'asked-call' || ![undefined, true].includes(alwaysAsks as true)) return false
  if (kind === 'workflow') {
    const hidden = standsFor(workflow)
    return hidden === undefined || (!LOOP_PARTS.has(hidden['kind'] as string) && hidden['kind'] !== 'asked-call' && hidden['kind'] !== 'ask-lead' && hidden['lead'] === agent)
  }
  if (kind !== 'ask-lead') return true
  return Object.entries(leads as Fields).every(([lead, key]) => {
    const hidden = standsFor(key)
    return hidden?.['kind'] === 'ask-lead' && hidden['lead'] === lead && hidden['agent'] === agent
  })
}

/** H3. */
function asksWhatItDoes(tool: Fields, workflow: Fields | undefined, agentName: string): boolean {
  const node = (workflow?.['nodes'] as readonly Fields[] | undefined)?.[0]
  if (workflow === undefined || node === undefined) return false
  const names = (workflow['params'] as readonly Fields[]).map(each => each['name'] as string)
  const args = Object.fromEntries(names.map(name => [name, { op: 'param', name }]))
  const { module, fn, effect, runs, needs } = tool
  const body = tool['kind'] === 'workflow'
    ? { kind: 'workflow', workflow: tool['workflow'], args }
    : { kind: 'expr', value: { op: 'call', module, fn, effect, runs, args, needs } }
  const { parts, op } = node['approve'] as Fields
  const [words, shown, ...more] = (Array.isArray(parts) ? parts : []) as readonly unknown[]
  const written = typeof words === 'string' ? /^(.*) asks to call ([^ ]+) with $/s.exec(words) : null
  const record = { op: 'record', entries: names.map(name => ({ key: name, value: { op: 'param', name } })) }
  const isWhole = op === 'template' && more.length === 0 && written?.[1] === agentName && written[2]!.replaceAll('.', '_') === tool['name'] && isSame(shown, record)
  const isPlain = node['forEach'] === null && node['when'] === null && node['onFailure'] === null && node['cache'] === null
  const returns = workflow['returns']
  return isWhole && isPlain && isSame(node['body'], body) && isSame(returns, { op: 'node', index: 0 })
}

const isSame = (left: unknown, right: unknown): boolean => canonicalJson((left ?? null) as Json) === canonicalJson(right as Json)
