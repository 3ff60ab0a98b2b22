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
  'bad-value': {
    severity: 'error',
    message: (p: { stage: string; wanted: string; found: string }) => `\`${p.stage}\` must give ${p.wanted}, and gave ${p.found}.`,
    help: () => 'Bring it into that range: `min`, `max` and `take` do so.',
  },
  'not-driven': {
    severity: 'error',
    message: () => 'A cycle of a loop goes on only while its loop does.',
    help: () => '`tek run FILE LOOP` takes the loop up again, at the stage where it stopped.',
  },
  'being-driven': {
    severity: 'error',
    message: (p: { loop: string; pid: number; hostName: string }) => `The loop \`${p.loop}\` goes on in another process already: ${p.pid} on ${p.hostName}.`,
    help: (p: { loop: string }) => `\`tek stop ${p.loop}\` stops it.`,
  },
  'taken-over': {
    severity: 'error',
    message: () => 'Another process drives this loop by now.',
    help: () => 'This one was suspended for longer than its lease holds; nothing is lost, and the other one goes on.',
  },
  'no-journal': {
    severity: 'error',
    message: (p: { loop: string }) => `The loop \`${p.loop}\` keeps its champion in the journal, and there is none.`,
    help: () => 'Run it without `--no-journal`.',
  },
  'limit-reached': {
    severity: 'error',
    message: (p: { loop: string; limit: string; of: string }) => `The loop \`${p.loop}\` has reached its limit of ${p.limit}: ${p.of}.`,
    help: () => 'What it found is kept. `tek run FILE LOOP` begins another series with the same champion.',
  },
  'too-many-errors': {
    severity: 'error',
    message: (p: { loop: string; errors: number }) => `${p.errors} cycles of \`${p.loop}\` failed one after another.`,
    help: (p: { loop: string }) => `\`tek show ${p.loop} --decisions\` says why.`,
  },
  'no-workspace': {
    severity: 'error',
    message: (p: { path: string; reason: string }) => `\`${p.path.slice(0, 200)}\` cannot be a workspace: ${p.reason}.`,
    help: () => '`over copy("site")` takes a folder within the project, `over git(".")` a git repository with a commit.',
  },
  'champion-changed': {
    severity: 'error',
    message: (p: { path: string }) => `\`${p.path.slice(0, 200)}\` was changed by somebody while a candidate was tried: what was tested is not what it would become.`,
    help: () => 'Nothing was switched. The next cycle begins with what is there now.',
  },
  'unknown-loop': {
    severity: 'error',
    message: (p: { loop: string; known: readonly string[] }) => `No loop \`${p.loop}\` has run here.`,
    help: (p: { loop: string; known: readonly string[] }) => (p.known.length === 0 ? '`tek run FILE LOOP` runs one.' : `Loops that have: ${p.known.map(each => `\`${each}\``).join(', ')}.`),
  },
  'several-loops': {
    severity: 'error',
    message: (p: { loop: string; programs: readonly string[] }) => `Several programs have a loop \`${p.loop}\`: ${p.programs.join(', ')}.`,
    help: (p: { loop: string; programs: readonly string[] }) => `Name the program with it: \`${p.programs[0] ?? 'program.tek'}:${p.loop}\`.`,
  },
  'unknown-version': {
    severity: 'error',
    message: (p: { loop: string; version: string }) => `\`${p.loop}\` has no version ${p.version}.`,
    help: (p: { loop: string; version: string }) => `\`tek versions ${p.loop}\` lists them.`,
  },
  'cycle-open': {
    severity: 'error',
    message: (p: { loop: string; cycle: number }) => `Cycle ${p.cycle} of \`${p.loop}\` is not over: it would go on with the other champion.`,
    help: () => '`tek run FILE LOOP` brings it to its end first.',
  },
  'cannot-evolve': {
    severity: 'error',
    message: (p: { loop: string }) => `The loop \`${p.loop}\` rewrites a program, and this tek cannot carry that out.`,
    help: () => 'Let it try values instead: `differentiate` without `evolves`.',
  },
})
