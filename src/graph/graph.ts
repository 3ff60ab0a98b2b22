// Graph: a plan's tasks, or a run's, as boxes and arrows.
// Owns: the shape, and making it from a plan or a report. Does not own: places on a page (layers.ts, svg.ts) or drawing.
//   G1. `let`s are left out: an arrow goes from a task to the tasks whose values reach it, through any number of lets.
//   G2. Deterministic: nodes in the order of the plan, edges by target then source.
import type { Plan, PlanNode } from '#model/plan.ts'
import type { RunReport, TaskStatus } from '#model/report.ts'

export interface GraphNode {
  readonly id: string
  readonly label: string
  /** Second line: what kind of task it is. '' when there is nothing to say. */
  readonly note: string
  readonly status: TaskStatus | null
}

export interface GraphEdge {
  readonly from: string
  readonly to: string
}

export interface Graph {
  readonly title: string
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly GraphEdge[]
}

/** What a task is, in a few words: `for item`, `by reviewer`, `calls build`. */
function noteOf(plan: Plan, node: PlanNode): string {
  const parts: string[] = []
  if (node.forEach) parts.push(`for ${node.forEach.item}`)
  if (node.body.kind === 'agent') {
    const led = plan.agentBodies?.[node.body.agent]?.leads ?? []
    parts.push(`by ${node.body.agent}${led.length === 0 ? '' : ` with ${led.join(', ')}`}`)
  }
  if (node.body.kind === 'workflow') parts.push(`calls ${node.body.workflow}`)
  if (node.when) parts.push('when')
  if (node.approve) parts.push('asks a person')
  if (node.wait) parts.push('waits')
  return parts.join(', ')
}

/** The tasks of one workflow of a plan. */
export function graphOfPlan(plan: Plan, workflow: string): Graph {
  const nodes = plan.workflows[workflow]!.nodes
  // For each node, the tasks its value comes from: itself, or for a let those of its dependencies (P3 of Plan: these come before it).
  const sources: (readonly number[])[] = []
  for (const [index, node] of nodes.entries()) {
    sources.push(node.kind === 'task' ? [index] : [...new Set(node.dependsOn.flatMap(each => sources[each] ?? []))])
  }
  const edges: GraphEdge[] = []
  for (const node of nodes) {
    if (node.kind !== 'task') continue
    const from = [...new Set(node.dependsOn.flatMap(each => sources[each] ?? []))].sort((a, b) => a - b)
    for (const each of from) edges.push({ from: nodes[each]!.name, to: node.name })
  }
  const tasks = nodes.filter(node => node.kind === 'task')
  return { title: workflow, nodes: tasks.map(node => ({ id: node.name, label: node.name, note: noteOf(plan, node), status: null })), edges }
}

/** Calls of agents that a graph of a run shows. */
const MAX_DELEGATED = 60

/** The top-level tasks of a run, items of a `for` folded into their task, and what agents delegated beneath them. */
export function graphOfRun(report: RunReport): Graph {
  const top = report.tasks.filter(task => !/[[/]/.test(task.path))
  const known = new Set(top.map(task => task.path))
  const items = new Map<string, number>()
  for (const task of report.tasks) {
    const at = task.path.indexOf('[')
    if (at > 0 && /^[^/]*\[\d+\]$/.test(task.path)) items.set(task.path.slice(0, at), (items.get(task.path.slice(0, at)) ?? 0) + 1)
  }
  const nodes = top.map(task => {
    const count = items.get(task.path)
    const parts = [task.status === 'done' ? '' : task.status, count === undefined ? '' : `${count} items`, task.cached ? 'from cache' : '']
    return { id: task.path, label: task.path, note: parts.filter(each => each !== '').join(', '), status: task.status }
  })
  const edges = top.flatMap(task => [...new Set(task.dependsOn)].filter(from => known.has(from)).map(from => ({ from, to: task.path })))
  for (const { path, status, delegated } of report.tasks) { // what is around a call comes before it
    if (delegated === undefined || nodes.length - top.length >= MAX_DELEGATED) continue
    const from = nearest(delegated.by, known)
    if (from === null) continue
    known.add(path)
    nodes.push({ id: path, label: delegated.tool, note: [`asked by ${from.slice(from.lastIndexOf('/') + 1).replace(/^\d+\./, '')}`, status === 'done' ? '' : status].filter(each => each !== '').join(', '), status })
    edges.push({ from, to: path })
  }
  return { title: report.summary.workflow, nodes, edges }
}

/** The node that a task is, or is in. */
function nearest(path: string, known: ReadonlySet<string>): string | null {
  for (let at = path; at !== ''; at = at.slice(0, Math.max(0, at.lastIndexOf('/')))) if (known.has(at)) return at
  return null
}
