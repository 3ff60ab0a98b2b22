// Loop: what can be wrong with a loop, its stages and their names.
// Owns: the words. Does not own: finding it (compiler/3-check).
import { defineDiagnostics } from '../diagnostic.ts'

export const loopErrors = defineDiagnostics('loop', {
  'may-run-forever': {
    severity: 'error',
    message: (p: { loop: string }) => `The loop \`${p.loop}\` may run for ever: it has no limit.`,
    help: () => 'Add `limits { cycles: 10 }`, or a limit of `time` or `cost`.',
  },
  'name-too-early': {
    severity: 'error',
    message: (p: { name: string; stage: string; made: string }) => `\`${p.name}\` is not known in \`${p.stage}\`: it is made by \`${p.made}\`, which comes later.`,
    help: () => 'Stages run in this order: sense, decide, replicate or differentiate or quiesce, gates, run, observe, score, vary, promote, rollback.',
  },
  'nothing-to-run': {
    severity: 'error',
    message: (p: { loop: string }) => `The loop \`${p.loop}\` says nothing about what to run.`,
    help: () => 'Add `run = …`, or `evolves WORKFLOW` after the name.',
  },
  'bad-decision': {
    severity: 'error',
    message: (p: { found: string }) => `\`decide\` must choose a branch, and this is \`${p.found}\`.`,
    help: () => 'The branches are `replicate(n)`, `differentiate(value)`, `quiesce(reason)` and `escalate(question)`.',
  },
  'self-modification-off': {
    severity: 'error',
    message: (p: { loop: string }) => `The loop \`${p.loop}\` rewrites a program, and this file does not allow it.`,
    help: () => 'Say so at the top of the file: `limits { selfModification: true }`.',
  },
})
