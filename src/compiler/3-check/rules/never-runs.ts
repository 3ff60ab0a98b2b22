// Never runs: a task whose `when` is false whatever happens.
import { taskErrors } from '#diagnostics/catalog/task.ts'
import type { WorkflowRule } from './rule.ts'

export const neverRuns: WorkflowRule = (checker, _workflow, facts) => {
  for (const { declaration } of facts.nodes) {
    if (declaration.kind !== 'task' || declaration.when === null) continue
    const type = checker.facts.types.get(declaration.when)
    if (type?.kind === 'literal' && type.value === false) checker.report(taskErrors['never-runs']({ name: declaration.name.text }, { at: checker.at(declaration.when) }))
  }
}
