// Capability: what can be wrong with what a program asks to be allowed.
// Owns: the words. Does not own: containment (grants/) or the permit (interpreter/guard).
import { defineDiagnostics } from '../diagnostic.ts'

export const capabilityErrors = defineDiagnostics('capability', {
  'not-granted': {
    severity: 'error',
    message: (p: { callee: string; grant: string; place: string }) => `\`${p.callee}\` needs \`${p.grant}\`, and ${p.place} does not ask for it.`,
  },
  'outside': {
    severity: 'error',
    message: (p: { callee: string; grant: string; place: string }) => `\`${p.callee}\` needs \`${p.grant}\`, and nothing ${p.place} asks for covers that.`,
  },
  'decided-at-run-time': {
    severity: 'error',
    message: (p: { callee: string; grant: string }) => `Only a run can tell whether \`${p.grant}\`, which \`${p.callee}\` needs, is granted.`,
    help: () => 'Build the argument from what is written in the grant, or ask for the folder, host or command it is always in.',
  },
  'exceeds-caller': {
    severity: 'error',
    message: (p: { callee: string; grant: string; place: string }) => `\`${p.callee}\` asks for \`${p.grant}\`, which is more than ${p.place} that calls it has.`,
  },
  'unused': {
    severity: 'warning',
    message: (p: { grant: string; place: string }) => `Nothing in ${p.place} uses \`${p.grant}\`.`,
    help: () => 'Take it away: what is not asked for cannot be misused.',
  },
  'unknown-grant': { severity: 'error', message: (p: { name: string }) => `There is no capability or grant \`${p.name}\`.` },
  'bad-arguments': { severity: 'error', message: (p: { grant: string; problem: string }) => `\`${p.grant}\` ${p.problem}.` },
  'cycle': {
    severity: 'error',
    message: (p: { path: string }) => `These capabilities contain each other: ${p.path}.`,
    help: () => 'Take one of the names out.',
  },
})
