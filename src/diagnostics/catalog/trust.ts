// Trust: what can be wrong with where untrusted text goes.
// Owns: the words. Does not own: finding it (compiler/3-check/trust).
import { defineDiagnostics } from '../diagnostic.ts'

export const trustErrors = defineDiagnostics('trust', {
  'untrusted-reaches-sink': {
    severity: 'error',
    message: (p: { source: string; sink: string }) => `${p.source} reaches ${p.sink}.`,
  },
  'untrusted-and-undecided': {
    severity: 'error',
    message: (p: { source: string; grant: string; callee: string }) => `${p.source} decides whether \`${p.grant}\`, which \`${p.callee}\` needs, is granted.`,
    help: () => 'Ask for what covers every value it may have, choose among values of your own, or give it a type with no room for instructions.',
  },
  'reason-needed': {
    severity: 'error',
    message: () => '`trust` needs a reason, written out, that says why this text cannot do harm.',
    help: () => 'Write it as a sentence: `because: "the file is part of this repository"`. Reviewers and `tek plan` see it.',
  },
  'too-many-steps': {
    severity: 'error',
    message: (p: { workflow: string; limit: number }) => `Untrusted text goes through more than ${p.limit} workflows before \`${p.workflow}\`: it cannot be followed further.`,
    help: (p: { workflow: string }) => `Declare the parameter \`untrusted\` where \`${p.workflow}\` takes it: each workflow is then checked by itself.`,
  },
})
