// Unused: a task or let that nothing uses and that has no effect.
import { taskErrors } from '#diagnostics/catalog/task.ts'
import type { WorkflowRule } from './rule.ts'

export const unused: WorkflowRule = (checker, _workflow, facts) => {
  if (checker.hasErrors() || checker.unit.declaration.broken) return // a misspelt name leaves the right one unused
  const used = new Uint8Array(facts.nodes.length)
  for (const node of facts.nodes) for (const other of node.dependsOn) if (other !== node.written) used[other] = 1
  for (const index of facts.returnsDependsOn) used[index] = 1
  for (const node of facts.nodes) {
    const { declaration } = node
    if (used[node.written] === 1 || node.effect !== 'pure' || node.callsModel || node.fails) continue
    if (declaration.kind === 'task' && declaration.clauses.some(clause => clause.kind === 'approve' || clause.kind === 'wait')) continue
    checker.report(taskErrors.unused({ what: declaration.kind, name: node.name }, { at: checker.at(declaration.name) }))
  }
}
