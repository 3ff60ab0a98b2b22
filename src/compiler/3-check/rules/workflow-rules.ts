// Workflow rules: the rules over one workflow, in the order they report.
import { checkAskedAgent } from '../agent-authority.ts'
import { checkContained } from './contained.ts'
import { duplicateEffect } from './duplicate-effect.ts'
import { neverRuns } from './never-runs.ts'
import { noReturn } from './no-return.ts'
import { checkGranted } from './not-granted.ts'
import type { WorkflowRule } from './rule.ts'
import { unboundedFor } from './unbounded-for.ts'
import { unused } from './unused.ts'
import { unusedGrants } from './unused-grants.ts'
import { verifyWrites } from './verify-writes.ts'

const granted: WorkflowRule = (checker, workflow) => {
  const cans = workflow.body.filter(member => member.kind === 'can')
  const head = workflow.result ?? workflow.params.at(-1) ?? workflow.name
  const owner = `the workflow \`${workflow.name.text}\``
  checkGranted(checker, owner, cans, head)
  checkContained(checker, owner, cans, head)
  for (const member of workflow.body) if (member.kind === 'task' && member.by !== null) checkAskedAgent(checker, member.by, owner, cans, head)
}

export const workflowRules: readonly WorkflowRule[] = [noReturn, granted, neverRuns, verifyWrites, duplicateEffect, unboundedFor, unused, unusedGrants]
