// Approved: what a person has seen in the question of `approve` and said yes to.
// Owns: which references the yes covers. Does not own: asking (interpreter).
//   A1. It covers exactly what the question shows: `${x}` and `${x.field}`, written as themselves, in the value of that one task.
//       The question is asked whole or not at all (interpreter/engine/waiting.ts), whoever it is passed on to.
//   A2. Nothing else of the task: what the person was not shown stays as it was.
import type { Type } from '#model/type.ts'
import { qualifiersWithin } from '#types/construct.ts'
import { withoutUntrusted } from '#types/trust.ts'
import type { TaskDecl } from '../../1-syntax/ast.ts'
import type { Checker } from '../checker.ts'
import { pureCalls, referenceOf, type Scope } from '../scope.ts'

/** References and their types once the question is answered. */
export function approved(checker: Checker, task: TaskDecl, scope: Scope): ReadonlyMap<string, Type> {
  const known = new Map<string, Type>()
  for (const clause of task.clauses) {
    if (clause.kind !== 'approve' || clause.question.kind !== 'template') continue
    const inner = scope.inside(pureCalls('`approve`'))
    for (const part of clause.question.parts) {
      const reference = part.kind === 'template-text' ? null : referenceOf(part)
      if (part.kind === 'template-text' || reference === null) continue
      const type = checker.infer(part, inner)
      if (!qualifiersWithin(type).untrusted) continue
      known.set(reference, withoutUntrusted(type)) // A1
      checker.facts.trusted.push({ at: part, reason: `a person is shown \`${reference}\` and asked` })
    }
  }
  return known
}
