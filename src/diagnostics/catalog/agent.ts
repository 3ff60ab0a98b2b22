// Agent: what can be wrong with an agent or a model.
// Owns: the words. Does not own: finding it (compiler/3-check).
import { defineDiagnostics } from '../diagnostic.ts'

export const agentErrors = defineDiagnostics('agent', {
  'leads-itself': {
    severity: 'error',
    message: (p: { path: string }) => `These agents lead each other in a circle: ${p.path}.`,
    help: () => 'Let one of them lead the others.',
  },
})
