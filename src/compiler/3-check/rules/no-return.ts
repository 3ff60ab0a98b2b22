// No return: a workflow that promises a result and ends without one.
import { taskErrors } from '#diagnostics/catalog/task.ts'
import { isAssignable } from '#types/assignable.ts'
import { nullType } from '#types/construct.ts'
import { printType } from '#types/print.ts'
import type { WorkflowRule } from './rule.ts'

export const noReturn: WorkflowRule = (checker, workflow, facts) => {
  if (workflow.result === null || workflow.returns !== null || workflow.broken || isAssignable(nullType, facts.result)) return
  checker.report(taskErrors['no-return']({ workflow: workflow.name.text, type: printType(facts.result) }, { at: checker.at(workflow.name) }))
}
