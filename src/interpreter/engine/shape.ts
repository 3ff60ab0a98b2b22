// Shape: what can be known of a workflow before it runs, worked out once: who waits for whom, how long the way to the end is.
// Owns: dependents, critical-path lengths, which `when` looks at an item. Does not own: anything that changes while a run goes on.
//   H1. A path's length is the sum of its tasks' mean durations in milliseconds where earlier runs gave them, else 1 a task.
import type { Plan, PlanExpr, PlanNode, PlanWorkflow } from '#model/plan.ts'
import { MAX_WORKFLOW_DEPTH } from './protocol.ts'

/** Mean milliseconds of a task's body by `workflow/node`, from earlier runs. */
export type Weights = Readonly<Record<string, number>>

export interface Shape {
  readonly key: string
  readonly workflow: PlanWorkflow
  /** Dependents of node i are `dependents[starts[i] .. starts[i + 1]]`. */
  readonly starts: Int32Array
  readonly dependents: Int32Array
  readonly dependencyCounts: Int32Array
  /** Length of the longest path from the start of node i to the end of the workflow. */
  readonly toEnd: Float64Array
  /** Its own length. */
  readonly own: Float64Array
  /** Nodes of kind `task`. */
  readonly taskCount: number
  readonly length: number
}

/** Makes and keeps the shapes of a plan's workflows. */
export class Shapes {
  private readonly made = new Map<string, Shape>()
  private readonly plan: Plan
  /** Null where earlier runs gave none. */
  private readonly weights: Weights | null

  constructor(plan: Plan, weights: Weights) {
    this.plan = plan
    this.weights = Object.keys(weights).length === 0 ? null : weights
  }

  of(key: string): Shape | null {
    return this.make(key, 0)
  }

  private make(key: string, depth: number): Shape | null {
    const known = this.made.get(key)
    if (known !== undefined) return known
    const workflow = Object.hasOwn(this.plan.workflows, key) ? this.plan.workflows[key] : undefined
    if (workflow === undefined || depth > MAX_WORKFLOW_DEPTH) return null
    const shape = shapeOf(key, workflow, node => this.lengthOf(key, node, depth))
    this.made.set(key, shape)
    return shape
  }

  private lengthOf(key: string, node: PlanNode, depth: number): number {
    const mean = this.weights === null ? undefined : this.weights[`${key}/${node.name}`]
    if (mean !== undefined && mean >= 0) return mean
    if (node.kind === 'let') return 0
    if (node.body.kind === 'workflow') return this.make(node.body.workflow, depth + 1)?.length ?? 1
    return 1 // H1
  }
}

function shapeOf(key: string, workflow: PlanWorkflow, lengthOf: (node: PlanNode) => number): Shape {
  const nodes = workflow.nodes
  const starts = new Int32Array(nodes.length + 1)
  const dependencyCounts = new Int32Array(nodes.length)
  nodes.forEach((node, index) => {
    dependencyCounts[index] = node.dependsOn.length
    for (const each of node.dependsOn) starts[each + 1]!++
  })
  for (let i = 0; i < nodes.length; i++) starts[i + 1]! += starts[i]!
  const dependents = new Int32Array(starts[nodes.length]!)
  const next = starts.slice()
  nodes.forEach((node, index) => {
    for (const each of node.dependsOn) dependents[next[each]!++] = index
  })
  const toEnd = new Float64Array(nodes.length)
  const own = new Float64Array(nodes.length)
  let length = 0
  for (let i = nodes.length - 1; i >= 0; i--) { // nodes come after what they depend on: from the end, every dependent is known
    let after = 0
    for (let j = starts[i]!; j < starts[i + 1]!; j++) after = Math.max(after, toEnd[dependents[j]!]!)
    own[i] = lengthOf(nodes[i]!)
    toEnd[i] = own[i]! + after
    length = Math.max(length, toEnd[i]!)
  }
  const taskCount = nodes.reduce((count, node) => count + (node.kind === 'task' ? 1 : 0), 0)
  return { key, workflow, starts, dependents, dependencyCounts, toEnd, own, taskCount, length }
}

const itemMentions = new WeakMap<PlanExpr, boolean>()

/** True when a node's `when` looks at the item of its `for`: then it is asked for each item, else once for the whole. */
export function asksWhenPerItem(node: PlanNode): boolean {
  if (node.when === null || node.forEach === null) return false
  const known = itemMentions.get(node.when)
  if (known !== undefined) return known
  const answer = mentionsLocal(node.when, node.forEach.item)
  itemMentions.set(node.when, answer)
  return answer
}

/** Whether an expression mentions a local by name (a lambda's own variable of that name counts too: the answer errs towards true). */
function mentionsLocal(expr: PlanExpr, name: string): boolean {
  const left: unknown[] = [expr]
  while (left.length > 0) {
    const at = left.pop()
    if (typeof at !== 'object' || at === null) continue
    const node = at as { op?: unknown; name?: unknown }
    if (node.op === 'value') continue
    if (node.op === 'local' && node.name === name) return true
    for (const part of Object.values(at)) left.push(part)
  }
  return false
}
