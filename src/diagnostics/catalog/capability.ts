// Capability: what can be wrong with what a program asks to be allowed.
// Owns: the words. Does not own: containment (grants/) or the permit (interpreter/guard).
import { defineDiagnostics } from '../diagnostic.ts'

export const capabilityErrors = defineDiagnostics('capability', {
  'not-granted': {
    severity: 'error',
    message: (p: { callee: string; grant: string; place: string }) => `\`${p.callee}\` needs \`${p.grant}\`, and ${p.place} does not ask for it.`,
  },
  'unknown-grant': { severity: 'error', message: (p: { name: string }) => `There is no capability or grant \`${p.name}\`.` },
  'bad-arguments': { severity: 'error', message: (p: { grant: string; problem: string }) => `\`${p.grant}\` ${p.problem}.` },
  'cycle': {
    severity: 'error',
    message: (p: { path: string }) => `These capabilities contain each other: ${p.path}.`,
    help: () => 'Take one of the names out.',
  },
})
