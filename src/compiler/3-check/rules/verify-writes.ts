// Verify writes: `verify` runs a task several times, so the task must not change the world.
import { taskErrors } from '#diagnostics/catalog/task.ts'
import type { WorkflowRule } from './rule.ts'

export const verifyWrites: WorkflowRule = (checker, _workflow, facts) => {
  for (const node of facts.nodes) {
    if (node.declaration.kind !== 'task' || node.effect !== 'write') continue
    const verify = node.declaration.clauses.find(clause => clause.kind === 'verify')
    if (verify === undefined) continue
    const { start, end } = node.declaration.value
    const writes = checker.facts.callLog.find(({ at, fact: { target } }) => {
      const mayWrite = target.kind === 'workflow' || (target.kind === 'function' && target.signature.effect === 'write')
      return mayWrite && at.start >= start && at.end <= end
    })
    checker.report(taskErrors['verify-writes']({ callee: writes?.name ?? node.name }, { at: checker.at(verify) }))
  }
}
