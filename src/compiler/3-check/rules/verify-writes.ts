// Verify writes: `verify` runs a task several times, so the task must not change the world.
import { taskErrors } from '#diagnostics/catalog/task.ts'
import type { WorkflowRule } from './rule.ts'

export const verifyWrites: WorkflowRule = (checker, _workflow, facts) => {
  for (const node of facts.nodes) {
    if (node.declaration.kind !== 'task' || node.effect !== 'write') continue
    const verify = node.declaration.clauses.find(clause => clause.kind === 'verify')
    if (verify === undefined) continue
    const writes = checker.facts.callLog.slice(node.calls.from, node.calls.to).find(({ fact: { target } }) => {
      return target.kind === 'workflow' || (target.kind === 'function' && target.signature.effect === 'write')
    })
    checker.report(taskErrors['verify-writes']({ callee: writes?.name ?? node.name }, { at: checker.at(verify) }))
  }
}
