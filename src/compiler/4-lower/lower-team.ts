// Lower team: workflows that nobody wrote, each to carry out one kind of call of an agent.
// Owns: their keys, parameters, nodes and results. Does not own: which tools an agent is shown (lower-agent.ts), carrying them out (interpreter/engine).
//   H1. A key begins with `@`, which no name of a program does; it says whom it is for, so that two of them are never one.
//   H2. Their authority is that of the agent they are for (hidden-workflows.ts): they narrow nothing.
//   H3. A choice that was not offered is no vote; of choices with as many votes as each other none wins.
//   H4. A person is shown a call whole, as JSON, so that no argument can look like another one.
import type { PlanBody, PlanExpr, PlanNode, PlanParam } from '#model/plan.ts'
import type { FunctionSignature } from '#model/signature.ts'
import type { Type } from '#model/type.ts'
import { anyType, listOf, optional, qualify, recordOf, stringType } from '#types/construct.ts'
import { mentionsVariable } from '#types/variables.ts'
import type { Sym } from '../2-resolve/program.ts'
import type { LowerContext } from './lower-context.ts'

const param = (name: string): PlanExpr => ({ op: 'param', name })
const local = (name: string): PlanExpr => ({ op: 'local', name })
const call = (fn: string, ...args: PlanExpr[]): PlanExpr => ({ op: 'prelude', fn, args })
const text = (name: string): PlanParam => ({ name, type: stringType, default: null })

function node(name: string, type: Type, body: PlanBody, more: Partial<PlanNode> = {}): PlanNode {
  return {
    name, type, dependsOn: [], kind: 'task', forEach: null, when: null, body, retry: null, timeoutMs: null, cache: null, verify: null, priority: 0, needs: null,
    onFailure: null, approve: null, label: null, ...more,
  }
}

const isTrue = (is: boolean): { readonly isUntrusted?: true } => (is ? { isUntrusted: true } : {})

/** What an agent gives whoever leads it comes from outside. */
export const givesUntrusted = (context: LowerContext, agent: Sym<'agent'>): boolean => context.at(agent.unit).facts.team?.gives === true
/** Its conversations may hold text from outside. */
export const holdsUntrusted = (context: LowerContext, agent: Sym<'agent'>): boolean => context.at(agent.unit).facts.team?.holds === true

/** The workflow that stands for an agent that another one leads. */
export function ledWorkflow(context: LowerContext, lead: Sym<'agent'>, agent: Sym<'agent'>): string {
  const type = qualify(stringType, { untrusted: givesUntrusted(context, agent) })
  return context.hidden.add(`@agent:${lead.key}/${agent.key}`, agent.key, { kind: 'agent', lead: lead.key, agent: agent.key }, {
    name: agent.name, params: [text('task')], result: type, returns: { op: 'node', index: 0 },
    nodes: [node(agent.name, type, { kind: 'agent', agent: agent.key, prompt: param('task'), ...isTrue(holdsUntrusted(context, lead)) })],
  })
}

/** The workflow that asks a lead beside the conversation in which it delegated. */
export function askLeadWorkflow(context: LowerContext, lead: Sym<'agent'>, agent: Sym<'agent'>): string {
  const type = qualify(stringType, { untrusted: holdsUntrusted(context, lead) })
  const prompt: PlanExpr = { op: 'template', parts: [`${agent.name} works on what you gave it, and asks:\n\n`, param('question')] }
  return context.hidden.add(`@ask-lead:${lead.key}/${agent.key}`, lead.key, { kind: 'ask-lead', lead: lead.key, agent: agent.key }, {
    name: lead.name, params: [text('question')], result: type, returns: { op: 'node', index: 0 },
    nodes: [node(lead.name, type, { kind: 'agent', agent: lead.key, prompt, ...isTrue(holdsUntrusted(context, agent)), hasNoTools: true })],
  })
}

const CHOICE = recordOf({ choice: { type: stringType, optional: false, doc: 'One of the options, exactly as it is written.' } })
const VOTES = listOf(recordOf({ agent: { type: stringType, optional: false }, choice: { type: stringType, optional: false } }))

/** The workflow that asks each of those an agent leads to choose. */
export function voteWorkflow(context: LowerContext, lead: Sym<'agent'>, led: readonly Sym<'agent'>[]): string {
  const untrusted = led.some(agent => givesUntrusted(context, agent))
  const options: PlanExpr = { op: 'comprehension', item: 'option', list: param('options'), condition: null, value: { op: 'template', parts: ['- ', local('option')] } }
  const prompt: PlanExpr = { op: 'template', parts: [param('question'), '\n\nChoose one of these:\n', call('join', options, { op: 'value', value: '\n' })] }
  const body = (agent: Sym<'agent'>): PlanBody => ({ kind: 'agent', agent: agent.key, prompt, ...isTrue(holdsUntrusted(context, lead)) })
  return context.hidden.add(`@vote:${lead.key}`, lead.key, { kind: 'vote', lead: lead.key }, {
    name: 'vote', params: [text('question'), { name: 'options', type: listOf(stringType), default: null }],
    result: qualify(recordOf({ votes: { type: VOTES, optional: false }, winner: { type: optional(stringType), optional: false } }), { untrusted }),
    nodes: led.map(agent => node(agent.name, qualify(CHOICE, { untrusted: givesUntrusted(context, agent) }), body(agent), { onFailure: { kind: 'continue' } })),
    returns: counted(led.map((agent, index) => ({ agent: agent.name, index }))),
  })
}

/** `{ votes, winner }` of the answers of some nodes, each null where nobody answered. // H3 */
function counted(voters: readonly { readonly agent: string; readonly index: number }[]): PlanExpr {
  const record = (entries: Readonly<Record<string, PlanExpr>>): PlanExpr => ({ op: 'record', entries: Object.entries(entries).map(([key, value]) => ({ key, value })) })
  const member = (object: PlanExpr, name: string): PlanExpr => ({ op: 'member', object, name, optional: true })
  /** `value` with `name` standing for what `is` gives. */
  const where = (name: string, is: PlanExpr, value: PlanExpr): PlanExpr => ({ op: 'index', object: { op: 'comprehension', item: name, list: { op: 'list', items: [is] }, condition: null, value }, index: { op: 'value', value: 0 } })
  const answers: PlanExpr = { op: 'list', items: voters.map(({ agent, index }) => record({ agent: { op: 'value', value: agent }, choice: member({ op: 'node', index }, 'choice') })) }
  const valid: PlanExpr = { op: 'comprehension', item: 'vote', list: answers, condition: { op: 'in', left: member(local('vote'), 'choice'), right: param('options') }, value: local('vote') }
  const isFor: PlanExpr = { op: 'lambda', param: 'vote', body: { op: '==', left: member(local('vote'), 'choice'), right: local('option') } }
  const tally: PlanExpr = {
    op: 'comprehension', item: 'option', list: call('unique', param('options')), condition: null, value: record({ option: local('option'), count: call('count', local('votes'), isFor) }),
  }
  const most = call('max', { op: 'comprehension', item: 'each', list: local('tally'), condition: null, value: member(local('each'), 'count') })
  const best: PlanExpr = { op: 'comprehension', item: 'each', list: local('tally'), condition: { op: '==', left: member(local('each'), 'count'), right: local('most') }, value: member(local('each'), 'option') }
  const hasOne: PlanExpr = { op: 'and', left: { op: '>', left: call('len', local('votes')), right: { op: 'value', value: 0 } }, right: { op: '==', left: call('len', local('best')), right: { op: 'value', value: 1 } } }
  const winner: PlanExpr = { op: 'if', condition: hasOne, then: call('first', local('best')), else: { op: 'value', value: null } }
  return where('votes', valid, record({ votes: local('votes'), winner: where('tally', tally, where('most', most, where('best', best, winner))) }))
}

/** What is called once a person has said yes. */
export type AskedCall =
  | { readonly kind: 'function'; readonly signature: FunctionSignature; readonly module: string; readonly needs: Extract<PlanExpr, { op: 'call' }>['needs']; readonly params: readonly PlanParam[] }
  | { readonly kind: 'workflow'; readonly workflow: string; readonly name: string; readonly params: readonly PlanParam[]; readonly type: Type }

/** The workflow that asks a person, then calls a tool of an agent. `written` is the tool as the program names it. */
export function askedWorkflow(context: LowerContext, agent: Sym<'agent'>, tool: string, written: string, asked: AskedCall): string {
  const args = Object.fromEntries(asked.params.map(({ name }) => [name, param(name)]))
  const shown: PlanExpr = { op: 'record', entries: Object.entries(args).map(([key, value]) => ({ key, value })) }
  const approve: PlanExpr = { op: 'template', parts: [`${agent.name} asks to call ${written} with `, shown] } // H4
  const [name, type, body]: [string, Type, PlanBody] = asked.kind === 'workflow' ? [asked.name, asked.type, { kind: 'workflow', workflow: asked.workflow, args }] : [
    asked.signature.name, mentionsVariable(asked.signature.result) ? anyType : asked.signature.result,
    { kind: 'expr', value: { op: 'call', module: asked.module, fn: asked.signature.name, effect: asked.signature.effect, runs: asked.signature.runs, args, needs: asked.needs } },
  ]
  return context.hidden.add(`@asked:${agent.key}/${tool}`, agent.key, { kind: 'asked-call', agent: agent.key, tool }, {
    name, params: asked.params, result: type, returns: { op: 'node', index: 0 }, nodes: [node(name, type, body, { approve })],
  })
}
