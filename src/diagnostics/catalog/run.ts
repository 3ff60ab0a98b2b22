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
  'refused-by-person': { severity: 'error', message: () => 'A person refused a task.' },
  'not-approved': { severity: 'error', message: () => 'Nobody answered the question of a task in time.' },
  'cancelled-by-person': { severity: 'error', message: () => 'A person gave a task up.' },
  'question-too-long': { severity: 'error', message: () => 'The question of a task is longer than what a person is asked.' },
  'wait-too-long': { severity: 'error', message: () => 'A task would wait longer than a wait may take.' },
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
  'unknown-agent': {
    severity: 'error',
    message: (p: { runId: string; name: string; suggestions: readonly string[] }) => `The run \`${p.runId}\` has no agent \`${p.name}\`.`,
    help: (p: { suggestions: readonly string[] }) => (p.suggestions.length > 0 ? `Did you mean \`${p.suggestions[0]}\`?` : '`tek agents RUN` lists its agents.'),
  },
  'agent-over': {
    severity: 'error',
    message: (p: { agent: string; by: string | null }) => `\`${p.agent}\` was ${p.by === null ? 'given up, because its model failed too often in a row' : `stopped by ${p.by}`}: nothing was changed.`,
    help: () => 'That is for good, in this run. `tek agents RUN` shows what it did.',
  },
  'not-ensured': { severity: 'error', message: () => 'A task did not come to what was wanted.' },
  'answered-before': {
    severity: 'error',
    message: (p: { task: string; verdict: 'approved' | 'refused'; by: string; atMs: number }) => `\`${p.task}\` was ${p.verdict} before this by ${p.by}, at ${new Date(p.atMs).toISOString().slice(0, 19)}Z.`,
    help: () => 'The first answer counts. `tek show RUN` lists what was answered.',
  },
  'over-before': {
    severity: 'error',
    message: (p: { task: string }) => `\`${p.task}\` was over before this could be done: nothing was changed.`,
    help: () => '`tek show RUN` shows what became of it.',
  },
  'not-asking': {
    severity: 'error',
    message: (p: { task: string }) => `\`${p.task}\` asks nothing now.`,
    help: () => '`tek waits` lists what waits for a person.',
  },
  'given-up-already': {
    severity: 'error',
    message: (p: { task: string }) => `\`${p.task}\` is given up already.`,
    help: () => '`tek show RUN` shows what becomes of it.',
  },
  'finished-already': {
    severity: 'error',
    message: (p: { runId: string }) => `The run \`${p.runId}\` is finished.`,
    help: (p: { runId: string }) => `\`tek show ${p.runId}\` shows what came of it.`,
  },
  'too-many-requests': {
    severity: 'error',
    message: (p: { runId: string }) => `Too many answers and requests wait for the run \`${p.runId}\` already.`,
    help: (p: { runId: string }) => `\`tek resume ${p.runId}\` takes them up.`,
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
  'program-changed': {
    severity: 'error',
    message: (p: { program: string; runId: string }) => `The program \`${p.program}\` has changed since the run \`${p.runId}\` began.`,
    help: (p: { program: string; runId: string }) =>
      `\`tek resume ${p.runId} --as-recorded\` goes on with the program as it was; \`tek resume ${p.runId} --migrate\` with the program as it is, keeping every result that still holds.`,
  },
  'would-write-again': {
    severity: 'error',
    message: (p: { tasks: readonly string[] }) => `What had written would write again: ${p.tasks.slice(0, 8).map(each => `\`${each}\``).join(', ')}${p.tasks.length > 8 ? ` and ${p.tasks.length - 8} more` : ''}.`,
    help: () => '`--repeat-writes` lets it; `--as-recorded` goes on with the program as it was.',
  },
  superseded: {
    severity: 'error',
    message: (p: { runId: string; successor: string }) => `The run \`${p.runId}\` goes on as \`${p.successor}\`, with a later version of its program.`,
    help: (p: { runId: string; successor: string }) => `\`tek resume ${p.successor}\` goes on with that.`,
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
  'journal-removed': {
    severity: 'error',
    message: (p: { path: string }) => `The journal ${p.path} was taken away or replaced while the run went on, so the run has stopped.`,
    help: () => 'Its record is gone with it: start again, or put the file back and `tek resume`.',
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
  'folder-taken': {
    severity: 'error',
    message: (p: { path: string; reason: string; isForcible: boolean }) => `\`${p.path}\` is there already, and ${p.reason}.`,
    help: (p: { isForcible: boolean }) => `Name a folder that is not there yet.${p.isForcible ? ' `--force` replaces one that is, with everything in it.' : ''}`,
  },
  'evidence-too-large': {
    severity: 'error',
    message: (p: { limitMb: number }) => `The evidence of this run would be larger than ${p.limitMb.toLocaleString('en')} MB.`,
    help: () => 'Write less of it: `--tasks failed`.',
  },
  'not-evidence': {
    severity: 'error',
    message: (p: { path: string }) => `\`${p.path}\` is no folder with the evidence of a run.`,
    help: () => '`tek show RUN --out DIR` writes one.',
  },
  'evidence-changed': {
    severity: 'error',
    message: (p: { path: string; problems: readonly string[]; total: number }) => `\`${p.path}\` is not as it was written: ${p.problems[0]}${p.total > 1 ? `, and ${p.total - 1} more` : ''}.`,
    help: (p: { path: string; problems: readonly string[]; total: number }) => (p.problems.length > 1 ? p.problems.slice(1).map(each => `${each}.`).join(' ') : 'If its run is still recorded, `tek show RUN --out DIR` writes it again.'),
  },
})
