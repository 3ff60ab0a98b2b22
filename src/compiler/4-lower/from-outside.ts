// From outside: which prompts, and which words of `ensure`, may hold text from outside, in whatever way their workflow is called.
// Owns: the walk over all that was learnt of a workflow. Does not own: types (3-check), what is done with a conversation that holds such text (interpreter/engine).
//   O1. A workflow is in the plan once, and is called with trusted values here and untrusted ones there: what one of the calls brings in counts for all.
//   O2. What a model gives a workflow that is its tool is not looked at: whether that comes from outside is known when it runs.
import { qualifiersWithin } from '#types/construct.ts'
import type { Expr, Value } from '../1-syntax/ast.ts'
import type { CheckedProgram } from '../3-check/check.ts'
import type { UnitFacts } from '../3-check/facts.ts'

export function textsFromOutside(checked: CheckedProgram): ReadonlySet<Expr> {
  const found = new Set<Expr>()
  const looks = new Set<UnitFacts>(checked.facts.values())
  for (const facts of looks) { // it grows
    for (const { fact } of facts.callLog) if (fact.variant !== null) looks.add(fact.variant) // O1 O2
    for (const text of textsFor(facts)) {
      const type = facts.types.get(text)
      if (type !== undefined && qualifiersWithin(type).untrusted) found.add(text)
    }
  }
  return found
}

function textsFor({ unit: { declaration } }: UnitFacts): Expr[] {
  if (declaration.kind !== 'workflow') return []
  return declaration.body.flatMap(member => (member.kind !== 'task' ? [] : [
    ...(member.by === null ? [] : [promptText(member.value)]),
    ...member.clauses.flatMap(clause => (clause.kind === 'ensure' && clause.says !== null ? [clause.says] : [])),
  ]))
}

/** The text that a prompt comes to. */
export function promptText(prompt: Value): Expr {
  return prompt.kind === 'prompt-value' ? prompt.text : prompt
}
