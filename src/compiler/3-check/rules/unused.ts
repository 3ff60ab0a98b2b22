// Unused: a task or let that nothing uses and that has no effect.
import { taskErrors } from '#diagnostics/catalog/task.ts'
import type { WorkflowRule } from './rule.ts'

export const unused: WorkflowRule = (checker, _workflow, facts) => {
  const used = new Uint8Array(facts.nodes.length)
  for (const node of facts.nodes) for (const other of node.dependsOn) if (other !== node.written) used[other] = 1
  for (const index of facts.returnsDependsOn) used[index] = 1
  for (const node of facts.nodes) {
    const { declaration } = node
    if (used[node.written] === 1 || node.effect !== 'pure' || node.callsModel || node.fails) continue
    if (declaration.kind === 'task' && declaration.clauses.some(clause => clause.kind === 'approve')) continue
    if (node.dependsOn.includes(node.written) || checker.unit.declaration.broken) continue
    checker.report(taskErrors.unused({ what: declaration.kind, name: node.name }, { at: checker.at(declaration.name) }))
  }
}
