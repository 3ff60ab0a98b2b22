// Rule: what a rule over one workflow is given. A rule is a page: one visitor, one report; it never mends another rule's work.
import type { WorkflowDecl } from '../../1-syntax/ast.ts'
import type { Checker } from '../checker.ts'
import type { WorkflowFacts } from '../facts.ts'

export type WorkflowRule = (checker: Checker, workflow: WorkflowDecl, facts: WorkflowFacts) => void
