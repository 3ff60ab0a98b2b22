// Plan: what can be wrong with a compiled program that is loaded again.
// Owns: the words. Does not own: the validation (types/plan-json.ts).
import { defineDiagnostics } from '../diagnostic.ts'

export const planErrors = defineDiagnostics('plan', {
  'damaged': {
    severity: 'error',
    message: (p: { problem: string }) => `This compiled program is damaged: ${p.problem}.`,
    help: () => 'Compile it again from its source with `tek compile`.',
  },
  'other-version': {
    severity: 'error',
    message: (p: { found: string; known: number }) => `This compiled program has format ${p.found}; this tek reads format ${p.known}.`,
    help: () => 'Compile it again from its source with `tek compile`.',
  },
})
