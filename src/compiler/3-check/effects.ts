// Effects: where calls that act on the world may stand.
// Owns: the rule of language.md (right-hand sides of tasks and stages, actions, tests) and its reports. Does not own: grants.
//   E1. Pure functions of tek's own modules may stand anywhere; those of plugins only where tool calls may (they are calls to foreign code).
//   E2. A call of a workflow is a sub-workflow: the whole value of a task (in a test, of a `let`), nothing else.
import { agentErrors } from '#diagnostics/catalog/agent.ts'
import { taskErrors } from '#diagnostics/catalog/task.ts'
import type { CallExpr, PipeExpr, Span } from '../1-syntax/ast.ts'
import type { Checker } from './checker.ts'
import type { CallTarget } from './facts.ts'
import type { Scope } from './scope.ts'
import { isTeamModule } from './team.ts'

/** Reports a call that may not stand where it stands. */
export function checkCallPlace(checker: Checker, expr: CallExpr | PipeExpr, callable: { readonly name: string; readonly target: CallTarget }, scope: Scope, at: Span): void {
  const { target, name } = callable
  const { calls } = scope
  if (target.kind === 'workflow') {
    const word = calls.inTest ? 'let' : 'task'
    if (calls.workflowCall !== expr) checker.report(taskErrors['workflow-call-not-whole']({ workflow: name, word }, { at: checker.at(at) })) // E2
    return
  }
  if (target.kind !== 'function') return
  const { effect } = target.signature
  if (isTeamModule(target.module)) return checker.report(agentErrors['only-for-agents']({ tool: name }, { at: checker.at(at) }))
  if (effect === 'pure' && target.module.kind === 'std') return // E1
  const what = effect === 'pure' ? 'is code of a plugin' : 'acts on the world'
  if (calls.inLambda) checker.report(taskErrors['call-in-lambda']({ callee: name, what }, { at: checker.at(at) }))
  else if (calls.allowed === 'none') checker.report(taskErrors['call-not-allowed-here']({ callee: name, what, place: calls.place }, { at: checker.at(at) }))
  else if (calls.allowed === 'read' && effect === 'write') checker.report(taskErrors['writes-in-read-only-stage']({ callee: name, stage: calls.place }, { at: checker.at(at) }))
}
