// Agent: what can be wrong with an agent or a model.
// Owns: the words. Does not own: finding it (compiler/3-check).
import { defineDiagnostics } from '../diagnostic.ts'

export const agentErrors = defineDiagnostics('agent', {
  'leads-itself': {
    severity: 'error',
    message: (p: { path: string }) => `These agents lead each other in a circle: ${p.path}.`,
    help: () => 'Let one of them lead the others.',
  },
  'exceeds': {
    severity: 'error',
    message: (p: { agent: string; grant: string; place: string }) => `The agent \`${p.agent}\` asks for \`${p.grant}\`, which is more than ${p.place} has.`,
  },
  'lethal-trifecta': {
    severity: 'error',
    message: (p: { agent: string }) => `\`${p.agent}\` reads private data, takes in text from outside and sends data out.`,
    help: () => 'Take one of the three away: let one agent read and another send. Or write `accept risk "…"`, with your reason, at the top of the file.',
  },
})
