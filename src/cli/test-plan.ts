// Test plan: a `test` block as a workflow of its own, so that tests run through the same interpreter as everything else.
// Owns: the making of that workflow and the reading of its result. Does not own: running it.
//   T1. A `let` becomes a task, an `expect` becomes a value of the result; the order of the block is kept by dependencies.
//   T2. A test may do what the workflows it calls may do, and where it calls tools itself, what the file may do; without network and models. A grant that
//       mentions a workflow's parameter is widened here and narrowed again by that workflow's own `can`.
//   T3. Of a comparison without calls both sides are kept, to be shown when it does not hold.
//   T4. Nobody waits for a test: every question is answered with yes (by whoever runs it), and no `wait` takes any time. Both are worked out, so that
//       a mistake in them is found.
//   T5. Models answer what `given` says: no key of theirs is read, and what only a key is read from is not asked for.
import { sha256 } from '#base/hash.ts'
import type { Plan, PlanExpr, PlanGrant, PlanNode, PlanTest, PlanWorkflow } from '#model/plan.ts'
import type { Value } from '#model/type.ts'

const WORKFLOW = 'test'
/** Grants that reach out of the machine. */
const OUTSIDE = new Set(['net', 'llm', 'mcp', 'ml'])
const comparisons = new Set(['==', '!=', '<', '<=', '>', '>=', 'in'])

export interface Expectation {
  readonly text: string
  readonly holds: boolean
  /** Both sides of a comparison, when they are known. */
  readonly left?: Value
  readonly right?: Value
}

/** A plan whose one entry is the test. */
export function planOfTest(plan: Plan, test: PlanTest): { readonly plan: Plan; readonly workflow: string } {
  const nodes: PlanNode[] = []
  const indexes = new Map<string, number>()
  const entries: { key: string | null; value: PlanExpr }[] = []
  let count = 0
  for (const step of test.steps) {
    if (step.kind === 'let') {
      const body = inNodes(step.body, indexes)
      nodes.push(taskNode(step.name, nodes.map((_, index) => index), body))
      indexes.set(step.name, nodes.length - 1)
      continue
    }
    const condition = inNodes(step.condition, indexes)
    nodes.push(taskNode(`expect ${count + 1}`, nodes.map((_, index) => index), { kind: 'expr', value: condition }))
    const parts = [{ key: 'holds', value: { op: 'node', index: nodes.length - 1 } as PlanExpr }]
    if (comparisons.has(condition.op) && 'left' in condition && !hasCall(condition)) parts.push({ key: 'left', value: condition.left }, { key: 'right', value: condition.right }) // T3
    entries.push({ key: `e${count++}`, value: { op: 'record', entries: parts } })
  }
  const workflow = `${WORKFLOW}:${test.name}`
  const made: Plan = {
    ...plan,
    hash: sha256(`${plan.hash} ${test.name}`),
    entries: [workflow],
    ...withoutKeys(plan), // T5
    workflows: {
      ...Object.fromEntries(Object.entries(plan.workflows).map(([key, each]) => [key, withoutWaits(each)])), // T4
      [workflow]: {
        name: workflow, params: [], result: { kind: 'any' }, authority: testAuthority(plan, test), limits: {}, onFailure: { kind: 'stop' }, nodes,
        returns: { op: 'record', entries }, returnsDependsOn: nodes.map((_, index) => index),
      },
    },
  }
  return { plan: made, workflow }
}

/** A plan with a workflow that may do what any of the tests may, to be asked about before the first of them. */
export function planOfTests(plan: Plan, tests: readonly PlanTest[]): { readonly plan: Plan; readonly workflow: string } {
  const workflow: PlanWorkflow = {
    name: WORKFLOW, params: [], result: { kind: 'any' }, authority: tests.flatMap(test => testAuthority(plan, test)), limits: {}, onFailure: { kind: 'stop' }, nodes: [],
    returns: { op: 'value', value: null }, returnsDependsOn: [],
  }
  return { plan: { ...plan, entries: [WORKFLOW], workflows: { ...plan.workflows, [WORKFLOW]: workflow } }, workflow: WORKFLOW }
}

/** What the result of a test's workflow says. */
export function expectationsOf(test: PlanTest, result: Value): Expectation[] {
  const record = result as Readonly<Record<string, { readonly holds: Value; readonly left?: Value; readonly right?: Value }>>
  const texts = test.steps.flatMap(step => (step.kind === 'expect' ? [step.text] : []))
  return texts.map((text, index) => {
    const entry = record[`e${index}`]!
    return { text, holds: entry.holds === true, ...(entry.left === undefined ? {} : { left: entry.left }), ...(entry.right === undefined ? {} : { right: entry.right }) }
  })
}

function taskNode(name: string, dependsOn: readonly number[], body: PlanNode['body']): PlanNode {
  return {
    name, kind: 'task', dependsOn, forEach: null, when: null, body, type: { kind: 'any' }, retry: null, timeoutMs: null, cache: null, verify: null,
    priority: 0, needs: null, onFailure: null, approve: null, label: null,
  }
}

/** The same workflow, in which no time passes: a wait is as long as none, whatever its length is worked out to be. // T4 */
function withoutWaits(workflow: PlanWorkflow): PlanWorkflow {
  if (!workflow.nodes.some(node => node.wait !== undefined)) return workflow
  const nodes = workflow.nodes.map((node): PlanNode => {
    if (node.wait === undefined) return node
    return { ...node, wait: { kind: 'for', value: { op: '*', left: node.wait.value, right: { op: 'value', value: 0 }, float: true } } }
  })
  return { ...workflow, nodes }
}

/** The same expressions with the test's lets as nodes; a lambda's or comprehension's own variable of that name stays. */
function inNodes<Part>(part: Part, indexes: ReadonlyMap<string, number>): Part {
  if (Array.isArray(part)) return part.map(each => inNodes(each as unknown, indexes)) as Part
  if (typeof part !== 'object' || part === null) return part
  const node = part as Readonly<Record<string, unknown>>
  if (node['op'] === 'value') return part
  if (node['op'] === 'local' && indexes.has(node['name'] as string)) return { op: 'node', index: indexes.get(node['name'] as string) } as Part
  const own = node['op'] === 'lambda' ? node['param'] : node['op'] === 'comprehension' ? node['item'] : undefined
  const visible = typeof own === 'string' && indexes.has(own) ? new Map([...indexes].filter(([name]) => name !== own)) : indexes
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, inNodes(value, key === 'list' ? indexes : visible)])) as Part
}

function hasCall(part: unknown): boolean {
  if (Array.isArray(part)) return part.some(hasCall)
  if (typeof part !== 'object' || part === null) return false
  const { op } = part as { op?: string }
  return op === 'call' || op === 'denied' || (op !== 'value' && Object.values(part).some(hasCall))
}

/** Whether a test calls tools that act, beside what its workflows do. */
function actsItself(part: unknown): boolean {
  if (Array.isArray(part)) return part.some(actsItself)
  if (typeof part !== 'object' || part === null) return false
  const { op, effect } = part as { op?: string; effect?: string }
  return op === 'denied' || (op === 'call' && effect !== 'pure') || (op !== 'value' && Object.values(part).some(actsItself))
}

/** T2 */
function testAuthority(plan: Plan, { steps }: PlanTest): readonly PlanGrant[] {
  const everything = (): readonly PlanGrant[] => plan.authority ?? Object.values(plan.workflows).flatMap(each => each.authority ?? [])
  const called = steps.flatMap(step => (step.kind === 'let' && step.body.kind === 'workflow' ? [step.body.workflow] : []))
  const all = actsItself(steps) ? everything() : called.flatMap(key => plan.workflows[key]?.authority ?? [])
  const keys = keySources(plan)
  const widened = all.filter(grant => !OUTSIDE.has(grant.name) && !keys.has(textOf(grant))).map(grant => ({ ...grant, args: grant.args.map(widen) }))
  return [...new Map(widened.map(grant => [JSON.stringify([grant.name, grant.args]), grant])).values()]
}

/** T5. */
function withoutKeys({ models }: Plan): Pick<Plan, 'models'> {
  return models === undefined ? {} : { models: Object.fromEntries(Object.entries(models).map(([key, model]) => [key, { ...model, key: null }])) }
}

/** The variables that are read for nothing but keys of models, as grants. // T5 */
function keySources(plan: Plan): ReadonlySet<string> {
  const keys = new Set(Object.values(plan.models ?? {}).flatMap(({ key }) => (key === null ? [] : [key])))
  const mentioned = JSON.stringify([plan.workflows, plan.constants, plan.prompts, plan.tests])
  const others = (plan.secrets ?? []).filter(({ name }) => !keys.has(name) || mentioned.includes(JSON.stringify({ op: 'secret', name })))
  const variables = (secrets: typeof others): string[] => secrets.flatMap(({ source }) => (source.kind === 'env' ? [textOf({ name: 'env', args: [{ op: 'value', value: source.name }] })] : []))
  const needed = new Set(variables(others))
  return new Set(variables((plan.secrets ?? []).filter(({ name }) => keys.has(name))).filter(each => !needed.has(each)))
}

const textOf = ({ name, args }: Pick<PlanGrant, 'name' | 'args'>): string => JSON.stringify([name, args])

function widen(argument: PlanExpr): PlanExpr {
  return mentionsParam(argument) ? { op: 'value', value: '**' } : argument
}

function mentionsParam(part: unknown): boolean {
  if (Array.isArray(part)) return part.some(mentionsParam)
  if (typeof part !== 'object' || part === null) return false
  return (part as { op?: string }).op === 'param' || Object.values(part).some(mentionsParam)
}
