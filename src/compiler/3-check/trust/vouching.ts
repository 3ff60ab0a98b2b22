// Vouching: `trust(value, because: "…")`, by which a person takes the mark off a value.
// Owns: what the reason must be, the note of each for the plan. Does not own: the type of the result (prelude.ts).
//   V1. The reason is written out and says something: nobody can make it up when the program runs.
import { trustErrors } from '#diagnostics/catalog/trust.ts'
import type { CallExpr, PipeExpr } from '../../1-syntax/ast.ts'
import type { Checker } from '../checker.ts'
import type { CallFact } from '../facts.ts'

export function checkVouching(checker: Checker, expr: CallExpr | PipeExpr, fact: CallFact): void {
  const reason = fact.args.find(({ param }) => param.name === 'because')?.values[0]
  if (reason === undefined) return // a missing argument was reported
  if (reason.kind !== 'string-literal' || !/\p{L}/u.test(reason.value)) checker.report(trustErrors['reason-needed']({}, { at: checker.at(reason) })) // V1
  else if (!checker.facts.trusted.some(each => each.at === expr)) checker.facts.trusted.push({ at: expr, reason: reason.value })
}
