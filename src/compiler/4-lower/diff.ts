// Diff: what changed between two plans, part by part.
// Owns: which parts are compared, and how a part is named. Does not own: drawing (cli), the line diff of sources.
//   D1. Layout, comments, docs that no model is told and the order in which tasks are written make no difference: equal hashes give no changes.
//   D2. A task is the same task when it has the same name in the same workflow.
import { canonicalJson, type Json } from '#base/json.ts'
import type { Plan, PlanAgent, PlanExpr, PlanGiven, PlanModel, PlanNode, PlanOnFailure, PlanTool, PlanWorkflow } from '#model/plan.ts'
import type { Type } from '#model/type.ts'
import { hashPlan, withoutFieldDocs } from '#types/plan-json.ts'
import { printType } from '#types/print.ts'
import { amountText } from '../3-check/worst-case/amount-text.ts'
import { type NodeNames, printApproval, printBody, printGrant, printPlanExpr, printTrigger } from './print-plan-expr.ts'

export interface PlanChange {
  readonly kind: 'added' | 'removed' | 'changed'
  /** From the outside in: `['workflow todos', 'task files', 'value']`. */
  readonly path: readonly string[]
  /** tek text of the part; null where there is none. */
  readonly before: string | null
  readonly after: string | null
}

/** A named part of a plan: text, or parts of its own. */
type Part = string | Parts
interface Parts {
  readonly [name: string]: Part
}

/**
 * The changes from one plan to another, in the order of their paths; none when only layout differs (D1).
 *
 * @example
 * for (const change of diffPlans(champion, challenger)) print(change.kind, change.path.join(' / '), change.before, change.after)
 */
export function diffPlans(before: Plan, after: Plan): PlanChange[] {
  if (before.hash === after.hash) return []
  const changes: PlanChange[] = []
  compare(planParts(before), planParts(after), [], changes)
  return changes
}

/** Whether two plans do the same, but for the release of the standard library that they are checked against. */
export function isSameProgram(a: Plan, b: Plan): boolean {
  const bare = (plan: Plan): Plan => ({ ...plan, version: 0, modules: plan.modules.map(each => (each.origin === 'std' ? { ...each, release: '', hash: '' } : each)) })
  return a.hash === b.hash || hashPlan(bare(a)) === hashPlan(bare(b))
}

function compare(before: Parts, after: Parts, path: readonly string[], changes: PlanChange[]): void {
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const old = Object.hasOwn(before, name) ? before[name] : undefined
    const now = Object.hasOwn(after, name) ? after[name] : undefined
    const here = [...path, name]
    if (old === undefined) changes.push({ kind: 'added', path: here, before: null, after: flat(now!) })
    else if (now === undefined) changes.push({ kind: 'removed', path: here, before: flat(old), after: null })
    else if (typeof old === 'string' || typeof now === 'string') {
      if (flat(old) !== flat(now)) changes.push({ kind: 'changed', path: here, before: flat(old), after: flat(now) })
    } else compare(old, now, here, changes)
  }
}

function flat(part: Part): string {
  if (typeof part === 'string') return part
  return Object.entries(part).map(([name, inner]) => (typeof inner === 'string' ? `${name}: ${inner}` : `${name} { ${flat(inner)} }`)).join(', ')
}

function planParts(plan: Plan): Parts {
  const parts: Record<string, Part> = { edition: String(plan.edition) }
  for (const module of plan.modules) parts[`module ${module.name}`] = `${module.origin} ${module.source} ${module.release} ${module.hash}`
  for (const constant of plan.constants) parts[`const ${constant.name}`] = printPlanExpr(constant.value)
  for (const [key, prompt] of Object.entries(plan.prompts)) parts[`prompt ${key}`] = `(${prompt.params.join(', ')}) ${printPlanExpr(prompt.text)}`
  if (plan.authority !== null) parts['can'] = grants(plan.authority)
  Object.assign(parts, limits(plan.limits))
  for (const { path, authority, limits: own } of plan.files ?? []) parts[`file ${path}`] = { ...(authority === null ? {} : { can: grants(authority) }), ...limits(own) }
  for (const [key, workflow] of Object.entries(plan.workflows)) if (workflow.standsFor === undefined) parts[`workflow ${key}`] = { ...fileOf(plan, workflow), ...workflowParts(workflow) }
  for (const test of plan.tests) parts[`test "${test.name}"`] = testParts(test)
  for (const [key, model] of Object.entries(plan.models ?? {})) parts[`model ${key}`] = modelParts(model)
  for (const key of plan.agents) {
    const body = plan.agentBodies?.[key]
    parts[`agent ${key}`] = body !== undefined ? agentParts(plan, body) : plan.agentAuthority?.[key] === undefined ? '' : { can: grants(plan.agentAuthority[key]) }
  }
  plan.accepted?.forEach((reason, index) => (parts[`accepted risk ${index + 1}`] = reason))
  for (const key of plan.loops) parts[`loop ${key}`] = ''
  return parts
}

/** The file whose level holds for a workflow, where it is not the entry's. */
const fileOf = (plan: Plan, { file }: PlanWorkflow): Parts => (file === undefined ? {} : { file: plan.files?.[file]?.path ?? '' })

function workflowParts(workflow: PlanWorkflow): Parts {
  const names = workflow.nodes.map(node => node.name)
  const parts: Record<string, Part> = {}
  for (const param of workflow.params) parts[`parameter ${param.name}`] = `${printType(param.type, { expand: true })}${param.default === null ? '' : ` = ${printPlanExpr(param.default)}`}`
  parts['result'] = printType(workflow.result, { expand: true })
  if (workflow.authority !== null) parts['can'] = grants(workflow.authority)
  Object.assign(parts, limits(workflow.limits))
  parts['on failure'] = onFailure(workflow.onFailure, names)
  workflow.triggers?.forEach((trigger, index) => (parts[`trigger ${index + 1}`] = printTrigger(trigger)))
  for (const node of workflow.nodes) parts[`${node.kind} ${node.name}`] = nodeParts(node, names)
  parts['return'] = printPlanExpr(workflow.returns, names)
  return parts
}

function modelParts({ provider, model, options, key, fallback, price, answerTokens, timeoutMs }: PlanModel): Parts {
  const parts: Record<string, Part> = { model: `${provider} ${model}` }
  for (const [name, value] of Object.entries(options)) parts[name] = printPlanExpr(value)
  if (key !== null) parts['key'] = key
  if (fallback !== null) parts['fallback'] = fallback
  if (price !== null) parts['price'] = `${amountText('cost', price.inputMicros)} in, ${amountText('cost', price.outputMicros)} out`
  if (answerTokens !== null) parts['maxTokens'] = String(answerTokens)
  if (timeoutMs !== null) parts['timeout'] = amountText('time', timeoutMs, 'written')
  return parts
}

function agentParts(plan: Plan, agent: PlanAgent): Parts {
  const parts: Record<string, Part> = { ...(agent.file === undefined ? {} : { file: plan.files?.[agent.file]?.path ?? '' }) }
  if (agent.model !== null) parts['model'] = agent.model
  if (agent.role !== null) parts['role'] = printPlanExpr(agent.role)
  if (agent.authority.length > 0) parts['can'] = grants(agent.authority)
  for (const tool of agent.tools) parts[`tool ${tool.name}`] = `${printType(withoutFieldDocs(tool.input), { expand: true })}${askedWords(tool)}`
  for (const tool of agent.tools) if (tool.kind === 'workflow') parts[`told of ${tool.name}`] = [tool.doc, ...docsIn(tool.input)].join('; ')
  if (agent.leads.length > 0) parts['leads'] = agent.leads.join(', ')
  Object.assign(parts, limits(agent.limits))
  if (agent.afterUntrusted !== undefined) parts['after untrusted'] = agent.afterUntrusted
  if (agent.memory.kind !== 'none') {
    const { keepTokens, summarises } = agent.memory
    const bounds = `${keepTokens === undefined ? '' : ` keep ${keepTokens}`}${summarises === true ? ' summarise' : ''}`
    parts['memory'] = `${agent.memory.kind === 'run' ? 'run' : `thread ${printPlanExpr(agent.memory.name)}`}${bounds}`
  }
  if (agent.doc !== '') parts['about'] = agent.doc
  return parts
}

/** What a person is asked about a tool. What it is carried out by follows from the rest, and is not shown. */
function askedWords(tool: PlanTool): string {
  if (!('asked' in tool) || tool.asked === undefined) return ''
  return tool.alwaysAsks === true ? ', a person is asked before each call' : ', a person is asked once there is text from outside'
}

/** The doc comments inside a type, by which a model knows its fields. */
function docsIn(type: Type): string[] {
  switch (type.kind) {
    case 'record':
      return Object.entries(type.fields).flatMap(([name, field]) => [...(field.doc === undefined ? [] : [`${name}: ${field.doc}`]), ...docsIn(field.type)])
    case 'union':
      return type.members.flatMap(docsIn)
    case 'list':
      return docsIn(type.item)
    case 'map':
      return docsIn(type.value)
    case 'untrusted':
    case 'secret':
      return docsIn(type.of)
    default:
      return []
  }
}

function nodeParts(node: PlanNode, names: NodeNames): Parts {
  const parts: Record<string, Part> = {}
  const note = (name: string, text: string | null): void => {
    if (text !== null) parts[name] = text
  }
  const expr = (value: PlanExpr | null): string | null => (value === null ? null : printPlanExpr(value, names))
  note('for', node.forEach === null ? null : `${node.forEach.item} in ${printPlanExpr(node.forEach.list, names)}`)
  note('parallel', node.forEach === null ? null : expr(node.forEach.width))
  note('waits for', node.dependsOn.length === 0 ? null : node.dependsOn.map(index => names[index] ?? '').sort().join(', '))
  note('when', expr(node.when))
  note('value', printBody(node.body, names))
  note('type', printType(node.type, { expand: true }))
  const told = node.body.kind === 'agent' ? docsIn(node.type) : []
  note('told of the answer', told.length === 0 ? null : told.join('; '))
  note('retry', node.retry === null ? null : `${node.retry.count} backoff ${node.retry.fromMs}ms..${node.retry.toMs}ms`)
  note('timeout', node.timeoutMs === null ? null : `${node.timeoutMs}ms`)
  note('cache', node.cache === null ? null : `${node.cache.ageMs === null ? '' : `${node.cache.ageMs}ms`}${node.cache.by === null ? '' : ` by ${printPlanExpr(node.cache.by, names)}`}`)
  note('verify', node.verify === null ? null : canonicalJson({ ...node.verify, key: expr(node.verify.key) } as Json))
  note('priority', node.priority === 0 ? null : String(node.priority))
  note('needs', node.needs === null ? null : canonicalJson({ ...node.needs } as Json))
  note('on failure', node.onFailure === null ? null : onFailure(node.onFailure, names))
  note('approve', node.approve === null ? null : [printPlanExpr(node.approve, names), ...(node.approval === undefined ? [] : [printApproval(node.approval)])].join(' '))
  node.ensure?.forEach(({ condition, says }, index) => note(`ensure ${index + 1}`, `${printPlanExpr(condition, names)} else ${printPlanExpr(says, names)}`))
  note('wait', node.wait === undefined ? null : waitText(node.wait, names))
  note('label', expr(node.label))
  return parts
}

function waitText({ kind, value }: NonNullable<PlanNode['wait']>, names: NodeNames): string {
  const isLength = kind === 'for' && value.op === 'value' && typeof value.value === 'number'
  return isLength ? amountText('time', value.value as number, 'written') : `${kind === 'until' ? 'until ' : ''}${printPlanExpr(value, names)}`
}

function testParts(test: Plan['tests'][number]): Parts {
  const parts: Record<string, Part> = {}
  test.given.forEach((each, index) => (parts[`given ${index + 1}`] = givenText(each)))
  test.steps.forEach((step, index) => (parts[`step ${index + 1}`] = step.kind === 'let' ? `let ${step.name} = ${printBody(step.body, [])}` : `expect ${printPlanExpr(step.condition)}`))
  return parts
}

function givenText(given: PlanGiven): string {
  if (given.kind === 'returns' || given.kind === 'fails') return `${given.module}.${given.fn} ${given.kind} ${printPlanExpr(given.value)}`
  return given.kind === 'replays' ? `${given.agent} replays ${JSON.stringify(given.cassette)}` : `${given.agent} replies ${printPlanExpr(given.replies)}`
}

const grants = (authority: NonNullable<Plan['authority']>): string => authority.map(printGrant).sort().join(', ')

const limits = (all: Plan['limits']): Parts => Object.fromEntries(Object.entries(all).map(([name, value]) => [`limit ${name}`, String(value)]))

function onFailure(policy: PlanOnFailure, names: NodeNames): string {
  return policy.kind === 'use' ? `use ${printPlanExpr(policy.value, names)}` : policy.kind
}
