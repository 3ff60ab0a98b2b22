// Permit: what the guard refuses while a program runs.
// Owns: the words for those who show them as diagnostics. The guard's own refusals say what was wanted (interpreter/guard/guard.ts).
import { defineDiagnostics } from '../diagnostic.ts'

export const permitErrors = defineDiagnostics('permit', {
  denied: {
    severity: 'error',
    message: (p: { action: string }) => `This may not ${p.action}: nothing grants it.`,
    help: () => 'If it should, write the `can` clause in the file and in the workflow or agent that does it.',
  },
})
