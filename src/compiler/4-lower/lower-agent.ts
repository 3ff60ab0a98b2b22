// Lower agent: agents with their tools, and the models that are declared.
// Owns: what a tool takes as a model sees it. Does not own: expressions, limits' units, the numbers of a model (3-check/models.ts), who asks for `llm` (lower-llm.ts).
//   A1. What a model may give is a record of plain values: an optional parameter that takes a function is left out (a needed one was refused by the checker).
import { invariant } from '#base/invariant.ts'
import type { PlanAgent, PlanMemoryBounds, PlanModel, PlanParam, PlanTool, PlanValue } from '#model/plan.ts'
import type { ParamSignature } from '#model/signature.ts'
import type { FieldType, Type } from '#model/type.ts'
import { anyType, listOf, optional, qualifiersWithin, recordOf, stringType } from '#types/construct.ts'
import { mentionsVariable } from '#types/variables.ts'
import type { AgentMember, AgentMemory, LimitsClause } from '../1-syntax/ast.ts'
import { fallbackOf, modelOfAgent } from '../2-resolve/models.ts'
import type { Sym } from '../2-resolve/program.ts'
import { readLimits } from '../3-check/limits.ts'
import { argOf, modelNumbers } from '../3-check/models.ts'
import { askedWhen, leadsOf, type TeamDeed, teamDeed } from '../3-check/team.ts'
import { canBeOffered, toolName } from '../3-check/tools.ts'
import { type AgentTool, ledBy, toolsOf } from '../3-check/trust/intake.ts'
import type { LowerAt, LowerContext } from './lower-context.ts'
import { lowerExpr, needsOf, standardsOf } from './lower-expression.ts'
import { type AskedCall, askedWorkflow, askLeadWorkflow, givesUntrusted, holdsUntrusted, ledWorkflow, voteWorkflow } from './lower-team.ts'
import { lowerGrants, lowerParams } from './lower-workflow.ts'

export function lowerAgent(context: LowerContext, symbol: Sym<'agent'>): PlanAgent {
  const at = context.at(symbol.unit)
  const { declaration } = symbol
  const member = <K extends AgentMember['kind']>(kind: K): Extract<AgentMember, { kind: K }> | undefined => declaration.body.findLast((each): each is Extract<AgentMember, { kind: K }> => each.kind === kind)
  const model = modelOfAgent(symbol)
  const role = member('agent-role')
  const led = ledBy(symbol)
  return {
    name: symbol.name,
    doc: declaration.doc,
    model: model?.key ?? null,
    role: role === undefined ? null : lowerExpr(at, role.value),
    authority: at.facts.grants === null ? [] : lowerGrants(context, at.facts.grants),
    tools: [...toolsOf(context.checked.program, symbol).flatMap(tool => lowerTool(at, symbol, tool, led)), ...led.map(agent => ledTool(context, symbol, agent))],
    leads: led.map(each => each.key),
    limits: readLimits(declaration.body.filter((each): each is LimitsClause => each.kind === 'limits')),
    memory: lowerMemory(at, member('agent-memory')),
    ...(member('after-untrusted')?.action === 'ask' ? { afterUntrusted: 'ask' } : {}),
  }
}

function lowerMemory(at: LowerAt, memory: AgentMemory | undefined): PlanAgent['memory'] {
  if (memory === undefined || memory.scope === 'none') return { kind: 'none' }
  const bounds: PlanMemoryBounds = { ...(memory.keep === null ? {} : { keepTokens: Number(memory.keep.value) }), ...(memory.summarises ? { summarises: true } : {}) }
  return memory.thread === null ? { kind: 'run', ...bounds } : { kind: 'thread', name: lowerExpr(at, memory.thread), ...bounds }
}

/** An agent that is led, as its lead sees it. */
function ledTool(context: LowerContext, lead: Sym<'agent'>, agent: Sym<'agent'>): PlanTool {
  const input = recordOf({ task: { type: stringType, optional: false, doc: 'What to do, with all that it has to know for it.' } })
  return { kind: 'workflow', name: agent.name, doc: agent.declaration.doc, input, workflow: ledWorkflow(context, lead, agent), isUntrusted: givesUntrusted(context, agent), isSink: false }
}

/** None for one that reaches nobody, of which the checker has warned. */
function lowerTool(at: LowerAt, agent: Sym<'agent'>, tool: AgentTool, led: readonly Sym<'agent'>[]): PlanTool[] {
  const name = toolName(tool.path)
  if (tool.kind === 'workflow') {
    const fact = at.facts.workflowTools.get(tool.path)
    invariant(fact !== undefined, 'a tool of a checked agent was looked at')
    const isSink = fact.effect === 'write' || fact.params.some(param => param.sink === true)
    const { symbol } = tool
    const workflow = at.context.needWorkflow(symbol)
    const asked = (): AskedCall => ({ kind: 'workflow', workflow, name: symbol.name, params: lowerParams(at.context, symbol), type: at.context.at(symbol.unit).facts.workflow!.result })
    const facts = { name, doc: symbol.declaration.doc, input: inputOf(fact.params), isUntrusted: fact.isUntrusted, isSink }
    return [{ kind: 'workflow', ...facts, workflow, ...askedFirst(at.context, agent, tool, facts, asked) }]
  }
  const { module, signature } = tool
  const deed = teamDeed(module, signature.name)
  if (deed !== null) return teamTool(at.context, agent, { name, doc: signature.doc, input: inputOf(signature.params), isSink: false }, deed, led)
  const standards = standardsOf(signature)
  const facts = {
    name, doc: signature.doc, input: inputOf(signature.params),
    isUntrusted: signature.untrusted || qualifiersWithin(signature.result).untrusted, isSink: signature.effect === 'write' || signature.params.some(param => param.sink === true),
  }
  const planModule = at.context.needModule(at.unit, module)
  const needs = needsOf(module, signature)
  const asked = (): AskedCall => ({ kind: 'function', signature, module: planModule, needs, params: paramsOf(signature.params, standards) })
  return [{
    kind: 'function', ...facts, module: planModule, fn: signature.name, effect: signature.effect, runs: signature.runs, needs,
    ...(Object.keys(standards).length === 0 ? {} : { standards }), result: mentionsVariable(signature.result) ? anyType : signature.result, ...askedFirst(at.context, agent, tool, facts, asked),
  }]
}

/** Whether and when a person is asked before a call. */
function askedFirst(context: LowerContext, agent: Sym<'agent'>, tool: AgentTool, { name, isSink }: Pick<PlanTool, 'name' | 'isSink'>, asked: () => AskedCall): { readonly asked?: string; readonly alwaysAsks?: true } {
  const when = askedWhen(agent, tool.path, isSink)
  if (when === 'never') return {}
  return { asked: askedWorkflow(context, agent, name, tool.path.parts.map(part => part.text).join('.'), asked()), ...(when === 'always' ? { alwaysAsks: true } : {}) }
}

function teamTool(context: LowerContext, agent: Sym<'agent'>, facts: Pick<PlanTool, 'name' | 'doc' | 'input' | 'isSink'>, deed: TeamDeed, led: readonly Sym<'agent'>[]): PlanTool[] {
  if (deed === 'vote') return [{ kind: 'workflow', ...facts, workflow: voteWorkflow(context, agent, led), isUntrusted: led.some(each => givesUntrusted(context, each)) }]
  if (deed !== 'ask-lead') return [{ kind: 'message', ...facts, does: deed, isUntrusted: deed === 'receive' && holdsUntrusted(context, agent) }]
  const leads = leadsOf(context.checked.program, agent)
  const isUntrusted = leads.some(lead => holdsUntrusted(context, lead))
  return leads.length === 0 ? [] : [{ kind: 'ask-lead', ...facts, leads: Object.fromEntries(leads.map(lead => [lead.key, askLeadWorkflow(context, lead, agent)])), isUntrusted }]
}

/** The parameters of a function as those of a workflow; null is how one is left open. // A1 */
function paramsOf(params: readonly ParamSignature[], standards: Readonly<Record<string, PlanValue>>): PlanParam[] {
  return params.filter(param => canBeOffered(param.type)).map(({ name, type, optional: isOptional, default: own, rest }) => {
    const whole = rest === true ? listOf(type) : type
    if (rest === true) return { name, type: whole, default: { op: 'value', value: [] } }
    const standard = Object.hasOwn(standards, name) ? standards[name]! : null
    if (!isOptional && own === undefined) return { name, type: whole, default: null }
    return { name, type: standard === null ? optional(whole) : whole, default: { op: 'value', value: standard } }
  })
}

function inputOf(params: readonly ParamSignature[]): Type {
  const fields = params.filter(param => canBeOffered(param.type)).map(({ name, doc, type, optional, default: standard, rest }): [string, FieldType] => {
    return [name, { type: rest === true ? listOf(type) : type, optional: optional || rest === true || standard !== undefined, ...(doc === '' ? {} : { doc }) }]
  })
  return recordOf(Object.fromEntries(fields)) // A1
}

/** Of a model that is declared by a call. */
export function lowerModel(context: LowerContext, symbol: Sym<'model'>): PlanModel {
  const at = context.at(symbol.unit)
  const fact = at.facts.model
  invariant(fact !== null, 'a model of a checked program has a provider')
  const { model, price, contextTokens, answerTokens, timeoutMs } = modelNumbers(at.facts, fact)
  const key = argOf(fact, 'key')
  const secret = key?.kind === 'name-expr' ? symbol.unit.file.values.get(key.name) : undefined
  const options = fact.args.filter(({ param }) => !APART.has(param.name)).map(({ param, values }) => [param.name, lowerExpr(at, values[0]!)] as const)
  return {
    provider: fact.module === null ? fact.provider : `${context.needModule(symbol.unit, fact.module)}.${fact.provider}`, model, options: Object.fromEntries(options),
    key: secret?.key ?? null, fallback: fallbackOf(symbol)?.key ?? null, price, contextTokens, answerTokens, timeoutMs,
  }
}

/** What every provider takes, and the plan tells apart. */
const APART: ReadonlySet<string> = new Set(['model', 'key', 'fallback', 'price', 'maxTokens', 'timeout'])

