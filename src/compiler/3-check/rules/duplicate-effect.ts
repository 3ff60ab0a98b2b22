// Duplicate effect: two tasks that change the world in the very same way, with no order between them.
// The first pair of each group is enough: the others follow from mending it.
import { taskErrors } from '#diagnostics/catalog/task.ts'
import type { NodeFacts } from '../facts.ts'
import type { WorkflowRule } from './rule.ts'

/** Nodes looked at to find whether one of a pair comes before the other. */
const MAX_NODES_SEARCHED = 10_000

export const duplicateEffect: WorkflowRule = (checker, _workflow, facts) => {
  const writing = facts.nodes.filter(node => node.effect === 'write')
  if (writing.length < 2) return
  const first = new Map<string, NodeFacts>()
  for (const node of writing) {
    const { declaration } = node
    if (declaration.kind !== 'task' || declaration.when !== null) continue
    const key = shapeText([declaration.value, declaration.forEach?.list ?? null])
    const other = first.get(key)
    if (other === undefined) first.set(key, node)
    else if (!comesAfter(facts.nodes, node, other) && !comesAfter(facts.nodes, other, node)) {
      const related = [{ at: checker.at(other.declaration.name), message: `\`${other.name}\` is here` }]
      checker.report(taskErrors['duplicate-effect']({ name: node.name, other: other.name }, { at: checker.at(declaration.name), related }))
    }
  }
}

/** The tree as text, without where it stands. */
function shapeText(node: unknown): string {
  return JSON.stringify(node, (key, value: unknown) => (key === 'start' || key === 'end' ? undefined : value))
}

function comesAfter(nodes: readonly NodeFacts[], later: NodeFacts, earlier: NodeFacts): boolean {
  const seen = new Set<number>()
  const pending = [...later.dependsOn]
  while (pending.length > 0 && seen.size < MAX_NODES_SEARCHED) {
    const index = pending.pop()!
    if (index === earlier.written) return true
    if (seen.has(index)) continue
    seen.add(index)
    pending.push(...nodes[index]!.dependsOn)
  }
  return false
}
