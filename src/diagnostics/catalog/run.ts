// Run: what can go wrong while a program runs, and with the journal that keeps its runs.
// Owns: the codes. The words of most of them are made where they arise (engine/failures.ts, engine/evaluate), because the facts are only there.
import { defineDiagnostics } from '../diagnostic.ts'

/** For a failure whose sentence comes with it. */
const asSaid = (p: { message: string }): string => p.message

export const runErrors = defineDiagnostics('run', {
  failed: { severity: 'error', message: asSaid },
  'integer-overflow': { severity: 'error', message: asSaid },
  'division-by-zero': { severity: 'error', message: asSaid },
  'not-a-number': { severity: 'error', message: asSaid },
  'wrong-kind': { severity: 'error', message: asSaid },
  'expression-too-long': { severity: 'error', message: asSaid },
  'value-too-large': { severity: 'error', message: asSaid },
  'not-a-list': { severity: 'error', message: asSaid },
  'bad-width': { severity: 'error', message: asSaid },
  'timed-out': { severity: 'error', message: asSaid },
  'too-many-tasks': { severity: 'error', message: asSaid },
  'too-many-attempts': { severity: 'error', message: asSaid },
  'too-deep': { severity: 'error', message: asSaid },
  'needs-too-much': { severity: 'error', message: asSaid },
  'verify-disagreed': { severity: 'error', message: asSaid },
  'not-available-yet': { severity: 'error', message: asSaid },
  'damaged-plan': { severity: 'error', message: asSaid },
  'worker-crashed': {
    severity: 'error',
    message: (p: { reason: string }) => `The thread that worked on this ended: ${p.reason}.`,
    help: () => 'Work on less at once: it may have run out of memory.',
  },
  'unknown-workflow': {
    severity: 'error',
    message: (p: { name: string; suggestions: readonly string[] }) => `There is no workflow \`${p.name}\` in this program.`,
    help: (p: { name: string; suggestions: readonly string[] }) => (p.suggestions.length > 0 ? `Did you mean \`${p.suggestions[0]}\`?` : 'Name one of the workflows that the file declares.'),
  },
  'which-workflow': {
    severity: 'error',
    message: (p: { names: readonly string[] }) => (p.names.length === 0 ? 'This program declares no workflow.' : `This program has ${p.names.length} workflows; name one.`),
    help: (p: { names: readonly string[] }) => (p.names.length === 0 ? 'Declare one: `workflow main() -> string { return "hello" }`.' : `Name one of: ${p.names.slice(0, 8).join(', ')}.`),
  },
  'missing-argument': {
    severity: 'error',
    message: (p: { name: string; type: string }) => `The parameter \`${p.name}\` (${p.type}) has no value.`,
    help: (p: { name: string; type: string }) => `Give it one: \`--${p.name} …\`, or a default in the program.`,
  },
  'unknown-argument': {
    severity: 'error',
    message: (p: { name: string; suggestions: readonly string[] }) => `The workflow has no parameter \`${p.name}\`.`,
    help: (p: { name: string; suggestions: readonly string[] }) => (p.suggestions.length > 0 ? `Did you mean \`${p.suggestions[0]}\`?` : 'Leave it out.'),
  },
  'bad-argument': {
    severity: 'error',
    message: (p: { name: string; message: string }) => `\`${p.name}\` has a value that does not fit: ${p.message}`,
    help: () => 'Give a value of the type that the workflow declares.',
  },
  'unknown-run': {
    severity: 'error',
    message: (p: { runId: string }) => `There is no run \`${p.runId}\` here.`,
    help: () => '`tek runs` lists them.',
  },
  'other-plan': {
    severity: 'error',
    message: (p: { runId: string }) => `The program has changed since the run \`${p.runId}\` began, so it cannot go on with it.`,
    help: () => 'Run the program anew, or bring back the program as it was.',
  },
  cancelled: { severity: 'error', message: asSaid },
  interrupted: {
    severity: 'error',
    message: () => 'The run was interrupted.',
    help: () => 'What had finished is kept.',
  },
  stopped: {
    severity: 'error',
    message: () => 'The run was stopped.',
    help: () => 'What had finished is kept.',
  },
  'limit-reached': {
    severity: 'error',
    message: (p: { detail: string }) => p.detail,
    help: () => 'Raise the limit; what had finished is kept.',
  },
  'journal-not-writable': {
    severity: 'error',
    message: (p: { path: string }) => `The journal ${p.path} cannot be written.`,
    help: () => 'Check who may write there, or run with `--no-journal` (then nothing can be resumed).',
  },
  'journal-disk-full': {
    severity: 'error',
    message: (p: { path: string }) => `The disk with the journal ${p.path} is full.`,
    help: () => 'Make room; what was recorded before is kept.',
  },
  'journal-locked': {
    severity: 'error',
    message: (p: { path: string }) => `The journal ${p.path} is held by another process.`,
    help: () => 'Wait until it is done, or end it.',
  },
  'journal-damaged': {
    severity: 'error',
    message: (p: { path: string }) => `The journal ${p.path} is damaged.`,
    help: () => 'Move the file away: a new one is made by the next run.',
  },
  'journal-newer': {
    severity: 'error',
    message: (p: { path: string }) => `The journal ${p.path} was written by a newer tek.`,
    help: () => 'Use that version, or move the file away.',
  },
  'journal-taken': {
    severity: 'error',
    message: (p: { path: string }) => `Another process goes on with the same run in ${p.path}.`,
    help: () => 'Let one of them finish.',
  },
})
