// Lower agent: agents with their tools, and the models that are declared.
// Owns: what a tool takes as a model sees it. Does not own: expressions, limits' units, the numbers of a model (3-check/models.ts), who asks for `llm` (lower-llm.ts).
//   A1. What a model may give is a record of plain values: an optional parameter that takes a function is left out (a needed one was refused by the checker).
import { invariant } from '#base/invariant.ts'
import type { PlanAgent, PlanModel, PlanTool } from '#model/plan.ts'
import type { ParamSignature } from '#model/signature.ts'
import type { FieldType, Type } from '#model/type.ts'
import { listOf, qualifiersWithin, recordOf } from '#types/construct.ts'
import type { AgentMember, LimitsClause } from '../1-syntax/ast.ts'
import { fallbackOf, modelOfAgent } from '../2-resolve/models.ts'
import type { Sym } from '../2-resolve/program.ts'
import { readLimits } from '../3-check/limits.ts'
import { argOf, modelNumbers } from '../3-check/models.ts'
import { canBeOffered, toolName } from '../3-check/tools.ts'
import { type AgentTool, ledBy, toolsOf } from '../3-check/trust/intake.ts'
import type { LowerAt, LowerContext } from './lower-context.ts'
import { lowerExpr, needsOf, standardsOf } from './lower-expression.ts'
import { lowerGrants } from './lower-workflow.ts'

export function lowerAgent(context: LowerContext, symbol: Sym<'agent'>): PlanAgent {
  const at = context.at(symbol.unit)
  const { declaration } = symbol
  const member = <K extends AgentMember['kind']>(kind: K): Extract<AgentMember, { kind: K }> | undefined => declaration.body.findLast((each): each is Extract<AgentMember, { kind: K }> => each.kind === kind)
  const model = modelOfAgent(symbol)
  const role = member('agent-role')
  const memory = member('agent-memory')
  return {
    name: symbol.name,
    doc: declaration.doc,
    model: model?.key ?? null,
    role: role === undefined ? null : lowerExpr(at, role.value),
    authority: at.facts.grants === null ? [] : lowerGrants(context, at.facts.grants),
    tools: toolsOf(context.checked.program, symbol).map(tool => lowerTool(at, tool)),
    leads: ledBy(symbol).map(each => each.key),
    limits: readLimits(declaration.body.filter((each): each is LimitsClause => each.kind === 'limits')),
    memory: memory === undefined || memory.scope === 'none' ? { kind: 'none' } : memory.thread === null ? { kind: 'run' } : { kind: 'thread', name: lowerExpr(at, memory.thread) },
  }
}

function lowerTool(at: LowerAt, tool: AgentTool): PlanTool {
  const name = toolName(tool.path)
  if (tool.kind === 'workflow') {
    const fact = at.facts.workflowTools.get(tool.path)
    invariant(fact !== undefined, 'a tool of a checked agent was looked at')
    const isSink = fact.effect === 'write' || fact.params.some(param => param.sink === true)
    const { symbol } = tool
    return { kind: 'workflow', name, doc: symbol.declaration.doc, input: inputOf(fact.params), workflow: at.context.needWorkflow(symbol), isUntrusted: fact.isUntrusted, isSink }
  }
  const { module, signature } = tool
  const standards = standardsOf(signature)
  return {
    kind: 'function', name, doc: signature.doc, input: inputOf(signature.params), module: at.context.needModule(at.unit, module), fn: signature.name, effect: signature.effect,
    runs: signature.runs, needs: needsOf(module, signature), ...(Object.keys(standards).length === 0 ? {} : { standards }), result: signature.result,
    isUntrusted: signature.untrusted || qualifiersWithin(signature.result).untrusted, isSink: signature.effect === 'write' || signature.params.some(param => param.sink === true),
  }
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

