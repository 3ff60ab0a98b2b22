// Same task: whether a task of one plan is the task of the same name in another: whether it comes to the same from the same.
// Owns: what a task's definition is made of. Does not own: whether what it depends on is the same (migrate.ts), the hash of plans (types/plan-json.ts).
//   S1. A definition is everything that may change what a task comes to: expressions, clauses, type, whom it waits for, and the constants, prompts, secrets and
//       plugins that these mention. Its label and priority are not, nor is the place of its declaration, nor a newer release of the standard library.
//   S2. A body that is a workflow is its name and arguments: that workflow's own tasks are compared one by one. Where a person approves the task, it is all that
//       workflow reaches: a yes is to what it was then, and what became another is asked about again.
//   S4. A body that is done by an agent is the agent whole, with its models, its tools and the workflows that carry them out: it may do otherwise when any of it changes.
//   S3. Of authority matters what its calls need. What a program is shown depends on all of it; so do plugins.
import { canonicalJson, type Json } from '#base/json.ts'
import type { Plan, PlanExpr, PlanGrant, PlanNode, PlanTool, PlanWorkflow } from '#model/plan.ts'
import { agentIn, workflowsOf } from './effects/key-parts.ts'
import { withoutFieldDocs } from '#types/plan-json.ts'

/** What a piece of a plan mentions, through constants and prompts too. */
export interface Mentions {
  /** Constants, prompts, secrets and plugins as text, each once, in order. */
  readonly reached: string
  readonly params: readonly string[]
  /** Names of the grants that its calls need. */
  readonly grants: readonly string[]
  /** Calls that write, as the journal names them. */
  readonly writes: ReadonlySet<string>
}

/** One plan's definitions, each worked out once. */
export class Definitions {
  private readonly plan: Plan
  private readonly nodes = new Map<PlanNode, string>()
  private readonly results = new Map<PlanWorkflow, string>()
  private readonly mentioned = new Map<object, Mentions>()

  constructor(plan: Plan) {
    this.plan = plan
  }

  /** Definition of a task; equal texts are equal definitions. // S1 S2 */
  ofNode(workflow: PlanWorkflow, node: PlanNode): string {
    let text = this.nodes.get(node)
    if (text === undefined) {
      const { label: _label, priority: _priority, dependsOn, ...rest } = node
      const piece = {
        ...rest, type: withoutFieldDocs(node.type),
        onFailure: node.onFailure ?? (node.kind === 'let' ? null : workflow.onFailure),
        ...(node.approve === null ? {} : { approved: this.reachedBy(node) }),
        waitsFor: dependsOn.map(index => workflow.nodes[index]!.name).sort(),
      }
      this.nodes.set(node, (text = `${textOf(piece, workflow)} ${this.mentions(node).reached}`))
    }
    return text
  }

  /** Every workflow that a task's body goes through, with what these mention. // S2 */
  private reachedBy(node: PlanNode): readonly string[] {
    const found = new Map<string, string>()
    const left: PlanNode[] = [node]
    for (let at = left.pop(); at !== undefined; at = left.pop()) {
      if (at.body.kind !== 'workflow' || found.has(at.body.workflow)) continue
      const { body } = at
      const workflow = this.plan.workflows[body.workflow]
      if (workflow === undefined) continue
      const { name: _name, triggers: _triggers, nodes, ...rest } = workflow
      const all = { ...rest, nodes: nodes.map(({ label: _label, priority: _priority, ...each }) => each) }
      found.set(body.workflow, `${textOf(all, workflow)} ${mentionsIn(this.plan, all).reached}`)
      left.push(...workflow.nodes)
    }
    return [...found].map(([key, text]) => `${key} ${text}`).sort()
  }

  /** Definition of what a workflow gives. */
  ofResult(workflow: PlanWorkflow): string {
    let text = this.results.get(workflow)
    if (text === undefined) {
      this.results.set(workflow, (text = `${textOf([workflow.returns, withoutFieldDocs(workflow.result)], workflow)} ${this.mentions(workflow.returns).reached}`))
    }
    return text
  }

  /** Definition of what is worked out before a workflow's tasks begin: parameters and authority, those of the file with it where it is entered. */
  ofBeginning(workflow: PlanWorkflow, file: readonly PlanGrant[] | null | undefined): string {
    const params = workflow.params.map(param => ({ ...param, type: withoutFieldDocs(param.type) }))
    const piece = [params, workflow.authority, file ?? null]
    return `${textOf(piece, workflow)} ${mentionsIn(this.plan, piece).reached}`
  }

  mentions(piece: PlanNode | PlanExpr): Mentions {
    let found = this.mentioned.get(piece)
    if (found === undefined) this.mentioned.set(piece, (found = mentionsIn(this.plan, piece)))
    return found
  }
}

/** Tasks by their names, so that one that is put in before another changes nothing. */
function textOf(piece: unknown, { nodes }: PlanWorkflow): string {
  const named = JSON.parse(JSON.stringify(piece, (_, at: { op?: unknown; index?: unknown } | null) => (at?.op === 'node' && typeof at.index === 'number' ? { op: 'node', name: nodes[at.index]!.name } : at))) as Json
  return canonicalJson(named)
}

function mentionsIn(plan: Plan, piece: unknown): Mentions {
  const reached = new Map<string, string>()
  const params = new Set<string>()
  const grants = new Set<string>()
  const writes = new Set<string>()
  const left: unknown[] = [piece]
  const add = (part: string, code: unknown): void => {
    if (reached.has(part)) return
    reached.set(part, code === undefined ? '' : canonicalJson(JSON.parse(JSON.stringify(code)) as Json))
    left.push(code)
  }
  const addCall = ({ module, fn, effect, needs }: Pick<Extract<PlanTool, { kind: 'function' }>, 'module' | 'fn' | 'effect' | 'needs'>): void => {
    const used = plan.modules.find(each => each.name === module)
    if (used?.origin === 'plugin') add(`plugin ${module}`, used.hash)
    for (const need of needs) grants.add(need.grant)
    if (effect === 'write') writes.add(`${module}.${fn}`)
  }
  while (left.length > 0) {
    const at = left.pop()
    if (typeof at !== 'object' || at === null) continue
    const asked = agentIn(plan, at)
    if (asked !== null) { // S4
      add(`agent ${asked.key}`, asked.agent)
      for (const key of asked.models) add(`model ${key}`, plan.models?.[key])
      for (const tool of asked.agent.tools) {
        if (tool.kind === 'function') addCall(tool)
        for (const key of workflowsOf(tool)) add(`workflow ${key}`, plan.workflows[key])
      }
      grants.add('llm')
    }
    const expr = at as PlanExpr
    switch (expr.op) {
      case 'value':
        continue
      case 'param':
        params.add(expr.name)
        break
      case 'call': {
        addCall(expr)
        break
      }
      case 'prompt':
        add(`prompt ${expr.prompt}`, plan.prompts[expr.prompt])
        break
      case 'constant':
        add(`constant ${expr.name}`, plan.constants.find(each => each.name === expr.name)?.value)
        break
      case 'secret':
        add(`secret ${expr.name}`, plan.secrets?.find(each => each.name === expr.name)?.source)
        break
    }
    for (const part of Object.values(at)) left.push(part)
  }
  return { reached: [...reached].map(([part, code]) => `${part} ${code}`).sort().join('\n'), params: [...params], grants: [...grants], writes }
}

/** Grants whose calls see nothing of other grants. */
const alone = new Set(['fs.read', 'fs.write', 'net', 'env', 'llm', 'ml'])

/** Whether all authority matters to calls that need these grants, not theirs alone. // S3 */
export function needsAllAuthority(grants: readonly string[]): boolean {
  return grants.some(each => !alone.has(each))
}
