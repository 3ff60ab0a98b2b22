// Unbounded for: a `for` that asks a model once per item of a list whose length nobody knows.
import { taskErrors } from '#diagnostics/catalog/task.ts'
import type { LimitsClause } from '../../1-syntax/ast.ts'
import { Lengths } from '../worst-case/length.ts'
import type { WorkflowRule } from './rule.ts'

export const unboundedFor: WorkflowRule = (checker, workflow, facts) => {
  const asking = facts.nodes.filter(node => node.callsModel && node.declaration.kind === 'task' && node.declaration.forEach !== null)
  if (asking.length === 0 || checker.fileFacts.limits.has('tasks') || workflow.body.some(each => each.kind === 'limits' && hasTasks(each))) return
  const lengths = new Lengths(checker.facts, unit => checker.factsOf(unit))
  for (const { declaration, name } of asking) {
    if (declaration.kind !== 'task' || declaration.forEach === null) continue
    const { list } = declaration.forEach
    const length = lengths.of(list)
    if (length.open !== null && !length.isTaken) checker.report(taskErrors['unbounded-for']({ name }, { at: checker.at(list) }))
  }
}

const hasTasks = (clause: LimitsClause): boolean => clause.values.entries.some(entry => entry.kind === 'entry' && entry.key.text === 'tasks')
