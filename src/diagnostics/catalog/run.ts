// Run: what can go wrong while a program runs, and with the journal that keeps its runs.
// Owns: the codes, and a general sentence for each. Failures of tasks say it with their own facts where they arise (engine/failures.ts, engine/evaluate).
import { defineDiagnostics } from '../diagnostic.ts'

export const runErrors = defineDiagnostics('run', {
  failed: { severity: 'error', message: () => 'The program said that it cannot go on.' },
  'integer-overflow': { severity: 'error', message: () => 'A whole number is beyond ±(2^53 - 1).' },
  'division-by-zero': { severity: 'error', message: () => 'A number is divided by zero.' },
  'not-a-number': { severity: 'error', message: () => 'A calculation gave something that is no number.' },
  'wrong-kind': { severity: 'error', message: () => 'A value is of another kind than is needed here.' },
  'wrong-type': { severity: 'error', message: () => 'A value is not of the type that the program declares for it.' },
  'expression-too-long': { severity: 'error', message: () => 'An expression takes too many steps.' },
  'value-too-large': { severity: 'error', message: () => 'A value is too large.' },
  'not-a-list': { severity: 'error', message: () => 'A `for` needs a list.' },
  'bad-width': { severity: 'error', message: () => '`parallel` needs a whole number of 1 or more.' },
  'timed-out': { severity: 'error', message: () => 'An attempt took longer than its timeout.' },
  'too-many-tasks': { severity: 'error', message: () => 'A run would have more tasks than it may.' },
  'too-many-attempts': { severity: 'error', message: () => 'A task has been tried too often.' },
  'too-deep': { severity: 'error', message: () => 'Workflows are too deep inside each other.' },
  'needs-too-much': { severity: 'error', message: () => 'A task needs more than the machine has.' },
  'verify-disagreed': { severity: 'error', message: () => 'The runs of a `verify` do not agree.' },
  'not-available-yet': { severity: 'error', message: () => 'This cannot be run by this version of tek.' },
  'damaged-plan': { severity: 'error', message: () => 'The plan does not fit together.' },
  'worker-crashed': {
    severity: 'error',
    message: () => 'The thread that worked on this ended before it was done.',
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
    message: (p: { name: string; problem: string }) => `The parameter \`${p.name}\` has a value that does not fit.`,
    help: (p: { name: string; problem: string }) => p.problem,
  },
  'unknown-run': {
    severity: 'error',
    message: (p: { runId: string }) => `There is no run \`${p.runId}\` here.`,
    help: () => '`tek runs` lists them.',
  },
  'unknown-task': {
    severity: 'error',
    message: (p: { runId: string; path: string; suggestions: readonly string[] }) => `The run \`${p.runId}\` has no task \`${p.path}\`.`,
    help: (p: { suggestions: readonly string[] }) => (p.suggestions.length > 0 ? `Did you mean \`${p.suggestions[0]}\`?` : '`tek show RUN` lists its tasks; an item of a `for` is `scan[3]`, a task inside another `build/test`.'),
  },
  'still-driven': {
    severity: 'error',
    message: (p: { runs: readonly string[] }) => `Not everything can be removed: a process still drives ${p.runs.map(each => `\`${each}\``).join(', ')}.`,
    help: () => '`tek stop --all` stops what goes on in this folder.',
  },
  'other-plan': {
    severity: 'error',
    message: (p: { runId: string }) => `The program has changed since the run \`${p.runId}\` began, so it cannot go on with it.`,
    help: () => 'Run the program anew, or bring back the program as it was.',
  },
  'other-format': {
    severity: 'error',
    message: (p: { runId: string; found: string; known: number }) => `The run \`${p.runId}\` was begun by another version of tek: its program has format ${p.found}, this tek carries out format ${p.known}.`,
    help: () => 'Run the program anew; or go on with that run by the version that began it.',
  },
  cancelled: { severity: 'error', message: () => 'A call was given up before it had ended.' },
  interrupted: {
    severity: 'error',
    message: () => 'The run was interrupted.',
    help: () => 'What had finished is kept.',
  },
  stopped: {
    severity: 'error',
    message: (p: { by: string }) => `The run was stopped by ${p.by}.`,
    help: () => 'What had finished is kept.',
  },
  'over-bound': {
    severity: 'error',
    message: (p: { program: string; bound: 'memory' | 'processes' | 'cpu'; allowed: string; seen: string | null }) =>
      `\`${p.program}\` was ended with all it had started: it used more than ${p.allowed}${p.seen === null ? '' : ` (${p.seen} seen)`}.`,
    help: (p: { bound: 'memory' | 'processes' | 'cpu' }) =>
      p.bound === 'memory' ? 'Give its task more if that is right: `task … needs { memory: 8GiB }`.'
        : p.bound === 'cpu' ? 'Give it more time if that is right, or let it do less at once.' : 'Let it start fewer at once: most test runners and build tools have an option for it.',
  },
  'limit-reached': {
    severity: 'error',
    message: () => 'A limit of the program is reached.',
    help: () => 'Raise the limit; what had finished is kept.',
  },
  'being-driven': {
    severity: 'error',
    message: (p: { runId: string; pid: number; hostName: string }) => `The process ${p.pid} on ${p.hostName} goes on with the run \`${p.runId}\` already.`,
    help: (p: { runId: string }) => `Let it finish, or stop it: \`tek stop ${p.runId}\`.`,
  },
  'lease-lost': {
    severity: 'error',
    message: (p: { runId: string }) => `Another process has taken over the run \`${p.runId}\`, so this one has stopped.`,
    help: () => '`tek runs` says whether it is finished.',
  },
  'stop-file': {
    severity: 'error',
    message: () => 'The file .tek/STOP is there: nothing runs in this folder.',
    help: () => 'Remove it to run again: `rm .tek/STOP`.',
  },
  'journal-not-writable': {
    severity: 'error',
    message: (p: { path: string }) => `The journal ${p.path} cannot be written.`,
    help: () => 'Check who may write there and whether the disk is full, or run with `--no-journal` (then nothing can be resumed).',
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
