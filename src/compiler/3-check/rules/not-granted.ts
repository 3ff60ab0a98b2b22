// Not granted: a call that needs a grant which no `can` in force names.
// Whether the grant's argument covers the call's is containment, which is another rule's work (contained.ts).
//   N1. One report per grant and unit: the first call stands for the others, one clause mends them all.
import { capabilityErrors } from '#diagnostics/catalog/capability.ts'
import type { CanClause, Span } from '../../1-syntax/ast.ts'
import type { Checker } from '../checker.ts'
import { clauseFor, grantAsWritten, insertion } from './clause-offer.ts'

/** Reports the calls of a unit that its own `can` and its file's do not name. `owner` is for the message: `` the workflow `x` ``. */
export function checkGranted(checker: Checker, owner: string, cans: readonly CanClause[], bodyStart: Span): void {
  const own = new Set((checker.facts.grants ?? []).map(grant => grant.name))
  const file = checker.fileFacts.grants
  const reported = new Set<string>()
  for (const { at, name, fact } of checker.facts.callLog) {
    if (fact.target.kind !== 'function') continue
    for (const need of fact.target.signature.needs) {
      if (reported.has(need.grant)) continue
      const lacksOwn = !own.has(need.grant)
      if (!lacksOwn && (file === null || file.has(need.grant))) continue
      reported.add(need.grant) // N1
      const clause = clauseFor(need, fact, checker.unit)
      const place = lacksOwn ? owner : 'this file'
      const fix = lacksOwn ? insertion(checker, cans, bodyStart, clause) : null
      checker.report(capabilityErrors['not-granted']({ callee: name, grant: grantAsWritten(need.grant, checker.unit), place }, {
        at: checker.at(at), help: [`Add \`can ${clause.text}\` to ${place}.`], fixes: fix === null ? [] : [fix],
      }))
    }
  }
}
