// Team plan: plans whose agents lead others, as the compiler lowers them: a hidden workflow for each thing that an agent can ask for inside a run.
import type { Plan, PlanAgent, PlanBody, PlanExpr, PlanGrant, PlanNode, PlanTool, PlanWorkflow } from '#model/plan.ts'
import { listOf, recordOf, stringType } from '#types/construct.ts'
import { node, param, plan, task, value, workflow } from './plan-builder.ts'
import { agent, model } from './talk-world.ts'

export interface Member extends Partial<PlanAgent> {
  /** Beside those that follow from `leads`. */
  readonly tools?: readonly PlanTool[]
  readonly leads?: readonly string[]
  /** It may ask whoever leads it. */
  readonly asksLead?: true
  /** It sends and receives messages. */
  readonly talks?: true
}

const authority: readonly PlanGrant[] = [{ name: 'llm', args: [value('m')], implies: [] }]
const facts = (name: string): { name: string; doc: string; isUntrusted: boolean; isSink: boolean } => ({ name, doc: `Is ${name}.`, isUntrusted: false, isSink: false })

export const messageTools: readonly PlanTool[] = [
  { ...facts('send'), kind: 'message', does: 'send', input: recordOf({ to: stringType, text: stringType }) },
  { ...facts('receive'), kind: 'message', does: 'receive', input: recordOf({}) },
  { ...facts('listen'), kind: 'message', does: 'listen', input: recordOf({ topic: stringType }) },
]

export const byAgent = (prompt: PlanExpr, of = 'lead', more: Partial<Extract<PlanBody, { kind: 'agent' }>> = {}): PlanBody => ({ kind: 'agent', agent: of, prompt, ...more })

/** A workflow that is a tool. */
export function workflowTool(name: string, key: string, more: Partial<Extract<PlanTool, { kind: 'workflow' }>> = {}): PlanTool {
  return { ...facts(name), kind: 'workflow', workflow: key, input: recordOf({ task: stringType }), ...more }
}

/** The workflow by which an agent is a tool of its lead. */
export function standIn(lead: string, led: string): PlanWorkflow {
  const params = [{ name: 'task', type: stringType, default: null }]
  return workflow([task(led, byAgent(param('task'), led, { isUntrusted: true }), { type: stringType })], node(0), { standsFor: { kind: 'agent', lead, agent: led }, params, result: stringType, authority })
}

function leadAsked(lead: string, asker: string): PlanWorkflow {
  const params = [{ name: 'question', type: stringType, default: null }]
  return workflow([task(lead, byAgent(param('question'), lead, { isUntrusted: true, hasNoTools: true }), { type: stringType })], node(0), {
    standsFor: { kind: 'ask-lead', lead, agent: asker }, params, result: stringType, authority,
  })
}

/** The workflow that asks a person and then calls a tool. */
export function askedCall(of: string, tool: Extract<PlanTool, { kind: 'function' }>, more: Partial<PlanNode> = {}): PlanWorkflow {
  const names = tool.input.kind === 'record' ? Object.keys(tool.input.fields) : []
  const args = Object.fromEntries(names.map(name => [name, param(name)]))
  const body: PlanExpr = { op: 'call', module: tool.module, fn: tool.fn, effect: tool.effect, runs: tool.runs, needs: tool.needs, args }
  const question: PlanExpr = { op: 'template', parts: [`${of} wants to call ${tool.name}: `, ...names.flatMap(name => [`${name} = `, param(name), ' '])] }
  return workflow([task(tool.name, body, { approve: question, ...more })], node(0), {
    standsFor: { kind: 'asked-call', agent: of, tool: tool.name }, params: names.map(name => ({ name, type: { kind: 'any' as const }, default: null })), authority,
  })
}

/** Each to choose one of some options. */
export function votePlan(lead: string, voters: readonly string[]): PlanWorkflow {
  const params = [{ name: 'question', type: stringType, default: null }, { name: 'options', type: listOf(stringType), default: null }]
  const nodes = voters.map(name => task(name, byAgent(param('question'), name, { isUntrusted: true, hasNoTools: true }), { type: stringType, onFailure: { kind: 'continue' } }))
  const votes: PlanExpr = {
    op: 'list',
    items: voters.map((name, at) => ({ op: 'record', entries: [{ key: 'agent', value: value(name) }, { key: 'choice', value: { op: 'if', condition: { op: 'in', left: node(at), right: param('options') }, then: node(at), else: value(null) } }] })),
  }
  return workflow(nodes, { op: 'record', entries: [{ key: 'votes', value: votes }] }, { standsFor: { kind: 'vote', lead }, params, authority, returnsDependsOn: voters.map((_, at) => at) })
}

/** A program of one task that the agent `lead` does, in a workflow of these clauses. */
export function teamPlan(members: Readonly<Record<string, Member>>, more: { readonly main?: Partial<PlanWorkflow>; readonly node?: Partial<PlanNode>; readonly workflows?: Readonly<Record<string, PlanWorkflow>>; readonly plan?: Partial<Plan> } = {}): Plan {
  const hidden: Record<string, PlanWorkflow> = {}
  const agentBodies: Record<string, PlanAgent> = {}
  for (const [name, { asksLead, talks, ...of }] of Object.entries(members)) {
    const tools = [...(of.tools ?? []), ...(talks === true ? messageTools : [])]
    for (const led of of.leads ?? []) {
      const key = `@agent:${name}/${led}`
      hidden[key] = standIn(name, led)
      tools.push(workflowTool(led, key))
    }
    if (asksLead === true) {
      const leads = Object.keys(members).filter(each => members[each]!.leads?.includes(name) === true)
      for (const lead of leads) hidden[`@ask-lead:${lead}/${name}`] = leadAsked(lead, name)
      tools.push({ ...facts('ask_lead'), kind: 'ask-lead', input: recordOf({ question: stringType }), leads: Object.fromEntries(leads.map(lead => [lead, `@ask-lead:${lead}/${name}`])) })
    }
    agentBodies[name] = agent({ name, role: value(`You are ${name}.`), authority, ...of, tools })
  }
  const main = workflow([task('t', byAgent(value('Do it.')), { type: stringType, ...more.node })], node(0), { authority, ...more.main })
  return plan({ main, ...hidden, ...more.workflows }, { agents: Object.keys(members), agentBodies, models: { m: model() }, ...more.plan })
}
