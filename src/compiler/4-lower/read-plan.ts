// Read plan: a compiled program as loaded from a file, or what is wrong with it in the user's words.
// Owns: words for the validation's findings. Does not own: the validation (types/plan-json.ts), reading the file.
import { planErrors } from '#diagnostics/catalog/plan.ts'
import type { Diagnostic } from '#diagnostics/diagnostic.ts'
import { type Plan, planVersion } from '#model/plan.ts'
import { validatePlan } from '#types/plan-json.ts'

/** Validates JSON as a plan. */
export function readPlan(json: unknown): { value: Plan | null; diagnostics: Diagnostic[] } {
  const { value, problem } = validatePlan(json)
  if (problem === null) return { value, diagnostics: [] }
  const diagnostic = problem.kind === 'other-version' ? planErrors['other-version']({ found: problem.found, known: planVersion }) : planErrors.damaged({ problem: problem.problem })
  return { value: null, diagnostics: [diagnostic] }
}
