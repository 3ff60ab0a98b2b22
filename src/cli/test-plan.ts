// Test plan: a `test` block as a workflow of its own, so that tests run through the same interpreter as everything else.
// Owns: the making of that workflow and the reading of its result. Does not own: running it.
//   T1. A `let` becomes a task, an `expect` becomes a value of the result; the order of the block is kept by dependencies.
//   T2. A test may do what the workflows it calls may do, and where it calls tools itself, what the file may do. A grant that mentions a workflow's parameter is
//       widened here and narrowed again by that workflow's own `can`. A person is asked for none of it that reaches out of the machine, which nothing does in a test
//       (interpreter/effects/fakes.ts), and for nothing that only tools need for which the test gives something.
//   T3. Of what does not hold, the parts are shown (expectation-parts.ts): both sides of a comparison are worked out once, the other parts only when it does not
//       hold, each by itself, so that one which fails hides no other.
//   T4. Nobody waits for a test: every question is answered with yes (by whoever runs it), and no `wait` takes any time. Both are worked out, so that
//       a mistake in them is found.
//   T5. Models answer what `given` says: no key of theirs is read, and what only a key is read from is not asked for.
import { sha256 } from '#base/hash.ts'
import type { Plan, PlanExpr, PlanGrant, PlanNode, PlanTest, PlanWorkflow } from '#model/plan.ts'
import type { Value } from '#model/type.ts'
import { OUTSIDE } from '#interpreter/effects/fakes.ts'
import { partsOfExpectation } from './expectation-parts.ts'
import { keyReader, withoutKeys } from './model-keys.ts'

const WORKFLOW = 'test'
const comparisons = new Set(['==', '!=', '<', '<=', '>', '>=', 'in'])

export interface Expectation {
  readonly text: string
  readonly holds: boolean
  /** Both sides of a comparison. */
  readonly left?: Value
  readonly right?: Value
  /** What it is made of, where it does not hold. */
  readonly parts: readonly { readonly text: string; readonly value: Value }[]
}

/** A plan whose one entry is the test. */
export function planOfTest(plan: Plan, test: PlanTest): { readonly plan: Plan; readonly workflow: string } {
  const nodes: PlanNode[] = []
  const main: number[] = []
  const indexes = new Map<string, number>()
  const entries: { key: string | null; value: PlanExpr }[] = []
  const add = (name: string, body: PlanNode['body'], more: Partial<PlanNode> = {}): PlanExpr => {
    nodes.push({ ...taskNode(name, [...main], body), ...more })
    if (more.when === undefined) main.push(nodes.length - 1)
    return { op: 'node', index: nodes.length - 1 }
  }
  let count = 0
  for (const step of test.steps) {
    if (step.kind === 'let') {
      const body = inNodes(step.body, indexes)
      add(step.name, body)
      indexes.set(step.name, nodes.length - 1)
      continue
    }
    const name = `expect ${count + 1}`
    const { holds, sides } = conditionOf(inNodes(step.condition, indexes), (body, suffix = '') => add(`${name}${suffix}`, { kind: 'expr', value: body }))
    const isUnmet: PlanExpr = { op: 'not', value: holds }
    const ifUnmet: Partial<PlanNode> = { when: isUnmet, onFailure: { kind: 'use', value: { op: 'value', value: null } } }
    const parts = partsOfExpectation(step.condition, test).map((part, at) => add(`${name}, part ${at + 1}`, { kind: 'expr', value: oneOf(inNodes(part.expr, indexes)) }, ifUnmet))
    const kept = parts.length === 0 ? [] : [{ key: 'parts', value: { op: 'list', items: parts } as PlanExpr }]
    entries.push({ key: `e${count++}`, value: { op: 'record', entries: [{ key: 'holds', value: holds }, ...sides, ...kept] } })
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

/** The value of a condition, and of both sides of a comparison. // T3 */
function conditionOf(condition: PlanExpr, add: (value: PlanExpr, suffix?: string) => PlanExpr): { readonly holds: PlanExpr; readonly sides: readonly { readonly key: string; readonly value: PlanExpr }[] } {
  if (!comparisons.has(condition.op) || !('left' in condition) || holdsFunction(condition.left) || holdsFunction(condition.right)) return { holds: add(condition), sides: [] }
  const both = add({ op: 'list', items: [condition.left, condition.right] })
  const side = (at: number): PlanExpr => ({ op: 'index', object: both, index: { op: 'value', value: at } })
  const compared = { ...condition, left: side(0), right: side(1) } as PlanExpr
  return { holds: add(compared, ' holds'), sides: [{ key: 'left', value: side(0) }, { key: 'right', value: side(1) }] }
}

const oneOf = (value: PlanExpr): PlanExpr => ({ op: 'list', items: [value] })

const holdsFunction = ({ op }: PlanExpr): boolean => op === 'lambda'

/** A plan with a workflow that may do what any of the tests may, to be asked about before the first of them. */
export function planOfTests(plan: Plan, tests: readonly PlanTest[]): { readonly plan: Plan; readonly workflow: string } {
  const workflow: PlanWorkflow = {
    name: WORKFLOW, params: [], result: { kind: 'any' }, authority: tests.flatMap(test => askedFor(plan, test)), limits: {}, onFailure: { kind: 'stop' }, nodes: [],
    returns: { op: 'value', value: null }, returnsDependsOn: [],
  }
  return { plan: { ...plan, entries: [WORKFLOW], workflows: { ...plan.workflows, [WORKFLOW]: workflow } }, workflow: WORKFLOW }
}

/** What the result of a test's workflow says. */
export function expectationsOf(test: PlanTest, result: Value): Expectation[] {
  const record = result as Readonly<Record<string, { readonly holds: Value; readonly left?: Value; readonly right?: Value; readonly parts?: readonly (readonly [Value] | null)[] }>>
  return test.steps.flatMap(step => (step.kind === 'expect' ? [step] : [])).map(({ text, condition }, index) => {
    const { holds, left, right, parts = [] } = record[`e${index}`]!
    const names = parts.length === 0 ? [] : partsOfExpectation(condition, test)
    const shown = holds === true ? [] : parts.flatMap((value, at) => (value === null || names[at] === undefined ? [] : [{ text: names[at].text, value: value[0] }]))
    return { text, holds: holds === true, ...(left === undefined ? {} : { left }), ...(right === undefined ? {} : { right }), parts: shown }
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

/** Whether a test calls tools that act, beside what its workflows do. What is only asked to be denied is not called, but for its arguments. */
function actsItself(part: unknown, asksToo: boolean): boolean {
  if (Array.isArray(part)) return part.some(each => actsItself(each, asksToo))
  if (typeof part !== 'object' || part === null) return false
  const { op, effect, call } = part as { readonly op?: string; readonly effect?: string; readonly call?: { readonly op?: string; readonly args?: unknown } }
  if (op === 'denied' && !asksToo) return actsItself(call?.op === 'call' ? call.args : call, asksToo)
  return op === 'denied' || (op === 'call' && effect !== 'pure') || (op !== 'value' && Object.values(part).some(each => actsItself(each, asksToo)))
}

/** T2 */
function testAuthority(plan: Plan, { steps }: PlanTest, acts: (part: unknown) => boolean = part => actsItself(part, true)): readonly PlanGrant[] {
  const isKey = keyReader(plan)
  const everything = (): readonly PlanGrant[] => plan.authority ?? Object.values(plan.workflows).flatMap(each => each.authority ?? [])
  const called = steps.flatMap(step => (step.kind === 'let' && step.body.kind === 'workflow' ? [step.body.workflow] : []))
  const all = acts(steps) ? everything() : called.flatMap(key => plan.workflows[key]?.authority ?? [])
  const widened = all.filter(grant => !isKey(grant)).map(grant => ({ ...grant, args: grant.args.map(widen) }))
  return [...new Map(widened.map(grant => [JSON.stringify([grant.name, grant.args]), grant])).values()]
}

/** T2. */
function askedFor(plan: Plan, test: PlanTest): readonly PlanGrant[] {
  const faked = new Set(test.given.flatMap(each => (each.kind === 'returns' || each.kind === 'fails' ? [`${each.module}.${each.fn}`] : [])))
  const grants = testAuthority(plan, test, part => actsItself(part, false)).filter(grant => !OUTSIDE.has(grant.name))
  if (faked.size === 0) return grants
  const needed = neededGrants([plan.workflows, plan.agentBodies, plan.prompts, test.steps])
  return grants.filter(({ name }) => [...(needed.get(name) ?? [null])].some(tool => tool === null || !faked.has(tool)))
}

/** By the name of each grant, the tools whose calls need it. */
function neededGrants(whole: unknown): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>()
  const visit = (part: unknown): void => {
    if (Array.isArray(part)) return part.forEach(visit)
    if (typeof part !== 'object' || part === null) return
    const { op, module, fn, needs } = part as { readonly op?: string; readonly module?: unknown; readonly fn?: unknown; readonly needs?: unknown }
    if (op === 'value') return
    if (typeof module === 'string' && typeof fn === 'string' && Array.isArray(needs)) {
      for (const { grant } of needs as readonly { readonly grant: string }[]) found.set(grant, (found.get(grant) ?? new Set()).add(`${module}.${fn}`))
    }
    Object.values(part).forEach(visit)
  }
  visit(whole)
  return found
}

function widen(argument: PlanExpr): PlanExpr {
  return mentionsParam(argument) ? { op: 'value', value: '**' } : argument
}

function mentionsParam(part: unknown): boolean {
  if (Array.isArray(part)) return part.some(mentionsParam)
  if (typeof part !== 'object' || part === null) return false
  return (part as { op?: string }).op === 'param' || Object.values(part).some(mentionsParam)
}
