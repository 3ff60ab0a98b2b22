// Cli: what can be wrong with a command line and the files it names.
// Owns: the words. Does not own: exit codes (cli/exit-codes.ts).
import { defineDiagnostics } from '../diagnostic.ts'

const quoted = (names: readonly string[]): string => names.map(name => `\`${name}\``).join(', ')

export const cliErrors = defineDiagnostics('cli', {
  'unknown-command': {
    severity: 'error',
    message: (p: { command: string }) => `tek has no command \`${p.command}\`.`,
    help: () => '`tek --help` lists the commands.',
  },
  'no-more-files': {
    severity: 'error',
    message: () => 'This process may open no more files: the system does not let it.',
    help: () => 'Raise the limit (`ulimit -n 1024`) and try again; a run that had begun is gone on with by `tek resume`.',
  },
  'not-available-yet': {
    severity: 'error',
    message: (p: { command: string; version: string }) => `\`tek ${p.command}\` is planned, and not part of tek ${p.version}.`,
    help: () => '`tek --help` lists what is there.',
  },
  'unknown-option': {
    severity: 'error',
    message: (p: { option: string; command: string }) => `\`tek ${p.command}\` has no option \`${p.option}\`.`,
    help: (p: { option: string; command: string }) => `\`tek ${p.command} --help\` lists its options.`,
  },
  'missing-argument': {
    severity: 'error',
    message: (p: { command: string; what: string }) => `\`tek ${p.command}\` needs ${p.what}.`,
    help: (p: { command: string; what: string }) => `\`tek ${p.command} --help\` shows examples.`,
  },
  'missing-value': {
    severity: 'error',
    message: (p: { option: string }) => `\`${p.option}\` needs a value.`,
    help: (p: { option: string }) => `Write it after the option: \`${p.option} VALUE\`.`,
  },
  'too-many-arguments': {
    severity: 'error',
    message: (p: { command: string; extra: string }) => `\`tek ${p.command}\` has no use for \`${p.extra}\`.`,
    help: (p: { command: string; extra: string }) => `\`tek ${p.command} --help\` shows what it takes.`,
  },
  'bad-value': {
    severity: 'error',
    message: (p: { option: string; value: string; allowed: string }) => `\`${p.option}\` cannot be \`${p.value}\`: it takes ${p.allowed}.`,
    help: (p: { option: string; value: string; allowed: string }) => `Give another value to \`${p.option}\`, or leave it out for the default.`,
  },
  'unfit-option': {
    severity: 'error',
    message: (p: { option: string; fits: 'with' | 'without'; other: string }) => (p.fits === 'with' ? `\`${p.option}\` is only for \`${p.other}\`.` : `\`${p.option}\` and \`${p.other}\` exclude each other.`),
    help: (p: { option: string; fits: 'with' | 'without'; other: string }) => (p.fits === 'with' ? `Add \`${p.other}\`, or leave \`${p.option}\` out.` : 'Give one of the two.'),
  },
  'file-not-found': {
    severity: 'error',
    message: (p: { path: string; from?: string }) => `There is no file \`${p.path}\`.`,
    /** `from`: what its path is relative to, and what to do, where that is something else. */
    help: (p: { path: string; from?: string }) => p.from ?? 'Paths are relative to the folder you are in.',
  },
  'is-a-folder': {
    severity: 'error',
    message: (p: { path: string }) => `\`${p.path}\` is a folder, and a file is needed.`,
    help: () => 'Name one `.tek` file inside it.',
  },
  'cannot-read': {
    severity: 'error',
    message: (p: { path: string; reason: string }) => `\`${p.path}\` cannot be read: ${p.reason}.`,
    help: () => 'Check that you may read it: `ls -l` shows who may.',
  },
  'not-utf8': {
    severity: 'error',
    message: (p: { path: string }) => `\`${p.path}\` is not UTF-8 text.`,
    help: () => 'Save it as UTF-8 in your editor, or convert it: `iconv -f LATIN1 -t UTF-8`.',
  },
  'too-large': {
    severity: 'error',
    message: (p: { path: string; limitMb: number }) => `\`${p.path}\` is larger than ${p.limitMb} MB.`,
    help: () => 'Split it: `use "./other.tek" (name)` takes declarations from another file.',
  },
  'no-programs': {
    severity: 'error',
    message: (p: { path: string }) => `There is no \`.tek\` file in \`${p.path}\`.`,
    help: () => 'Name a file or another folder: `tek check path/to/file.tek`.',
  },
  'too-many-files': {
    severity: 'error',
    message: (p: { path: string; limit: number }) => `There are more than ${p.limit} \`.tek\` files in \`${p.path}\`.`,
    help: () => 'Name a smaller folder.',
  },
  'in-the-way': {
    severity: 'error',
    message: (p: { paths: readonly string[] }) => `${quoted(p.paths)} ${p.paths.length === 1 ? 'is' : 'are'} there already.`,
    help: () => 'Nothing was written. Name a folder of its own: `tek init my-project`.',
  },
  'cannot-write': {
    severity: 'error',
    message: (p: { path: string; reason: string }) => `\`${p.path}\` cannot be written: ${p.reason}.`,
    help: () => 'Nothing was changed: files are written whole or not at all.',
  },
  'unknown-program': {
    severity: 'error',
    message: (p: { name: string }) => `There is no file and no bundled program named \`${p.name}\`.`,
    help: () => 'A file is named by its path, such as `./flow.tek`.',
  },
  'unknown-workflow': {
    severity: 'error',
    message: (p: { workflow: string; program: string }) => `\`${p.program}\` has no workflow \`${p.workflow}\`.`,
  },
  'choose-workflow': {
    severity: 'error',
    message: (p: { program: string; workflows: readonly string[] }) =>
      p.workflows.length === 0 ? `\`${p.program}\` has no workflow to run.` : `\`${p.program}\` has several workflows: ${quoted(p.workflows)}.`,
    help: (p: { program: string; workflows: readonly string[] }) => (p.workflows.length === 0 ? 'Declare one: `workflow main() { … }`.' : `Name one: \`tek run ${p.program} ${p.workflows[0]}\`.`),
  },
  'unknown-parameter': {
    severity: 'error',
    message: (p: { parameter: string; workflow: string }) => `The workflow \`${p.workflow}\` has no parameter \`${p.parameter}\`.`,
    help: () => '`tek run FILE --help` lists the parameters of a workflow.',
  },
  'missing-parameter': {
    severity: 'error',
    message: (p: { parameter: string; workflow: string; type: string }) => `The workflow \`${p.workflow}\` needs \`--${p.parameter}\` (${p.type}).`,
    help: (p: { parameter: string; workflow: string; type: string }) => (p.parameter === 'args' ? 'Write its words after `--`: `tek run PROGRAM -- WORD…`.' : `Add \`--${p.parameter} VALUE\`.`),
  },
  'bad-parameter': {
    severity: 'error',
    message: (p: { parameter: string; value: string; expected: string }) => `\`--${p.parameter}\` cannot be \`${p.value}\`: it is ${p.expected}.`,
  },
  'no-trailing-arguments': {
    severity: 'error',
    message: (p: { workflow: string }) => `The workflow \`${p.workflow}\` takes no arguments after \`--\`.`,
    help: () => 'They go to a parameter named `args` that is a list of strings; this workflow has none.',
  },
  'bad-args-file': {
    severity: 'error',
    message: (p: { path: string; reason: string }) => `\`${p.path}\` does not hold parameters: ${p.reason}.`,
    help: () => 'It holds one JSON object: `{ "root": "src" }`.',
  },
  'bad-plan': {
    severity: 'error',
    message: (p: { path: string; reason: string }) => `\`${p.path}\` is not a compiled plan: ${p.reason}.`,
    help: () => 'Make one with `tek compile FILE -o plan.json`.',
  },
  'unknown-code': {
    severity: 'error',
    message: (p: { code: string }) => `There is no page for \`${p.code}\`.`,
    help: () => '`tek explain` without a code lists them all.',
  },
  'unknown-run': {
    severity: 'error',
    message: (p: { run: string }) => `There is no run \`${p.run}\` here.`,
    help: () => '`tek runs` lists them; the first letters of an id are enough.',
  },
  'unknown-thread': {
    severity: 'error',
    message: (p: { name: string }) => `No agent remembers anything here as \`${p.name}\`.`,
    help: () => '`tek agents --threads` lists what is remembered.',
  },
  'ambiguous-run': {
    severity: 'error',
    message: (p: { run: string; matches: readonly string[] }) => `Several runs begin with \`${p.run}\`: ${quoted(p.matches)}.`,
    help: () => 'Give more letters of the id.',
  },
  'nothing-to-resume': {
    severity: 'error',
    message: (p: { done?: string }) => (p.done === undefined ? 'No run of this folder is unfinished.' : `The run \`${p.done}\` is done: nothing of it is left to go on with.`),
    help: () => '`tek runs` lists them; `tek run PROGRAM` begins one.',
  },
  'several-running': {
    severity: 'error',
    message: (p: { runs: readonly string[]; command: string; agent?: string }) => `Several runs go on: ${quoted(p.runs)}.`,
    help: (p: { runs: readonly string[]; command: string; agent?: string }) => (p.agent === undefined ? `Name one, or ${p.command} them all: \`tek ${p.command} --all\`.`
      : `Name the one whose agent is meant: \`tek ${p.command} --agent ${p.agent} ${p.runs[0] ?? 'RUN'}\`.`),
  },
  'nothing-asks': {
    severity: 'error',
    message: () => 'Nothing here waits for an answer.',
    help: () => '`tek waits` lists what waits; `tek runs` shows how each run stands.',
  },
  'unknown-question': {
    severity: 'error',
    message: (p: { task: string; tasks: readonly string[]; near: readonly string[] }) => `No task \`${p.task}\` waits for an answer here. ${p.tasks.length === 1 ? 'This one does' : 'These do'}: ${quoted(p.tasks)}.`,
    help: (p: { task: string; near: readonly string[] }) => (p.near.length > 0 ? `Did you mean \`${p.near[0]}\`?` : '`tek waits` shows what they ask.'),
  },
  'several-ask': {
    severity: 'error',
    message: (p: { asks: readonly string[]; command: string }) => `Several questions wait: ${quoted(p.asks)}.`,
    help: (p: { asks: readonly string[]; command: string }) => `Name the task and the run: \`tek ${p.command} ${p.asks[0]}\`. \`tek waits\` shows what they ask.`,
  },
  'several-runs': {
    severity: 'error',
    message: (p: { task: string; runs: readonly string[]; command: string }) => `Several runs are not finished and have a task \`${p.task}\`: ${quoted(p.runs)}.`,
    help: (p: { task: string; runs: readonly string[]; command: string }) => `Name one: \`tek ${p.command} ${p.task} ${p.runs[0]}\`.`,
  },
  'still-running': {
    severity: 'error',
    message: (p: { run: string; pid: number; hostName: string }) => `The run \`${p.run}\` was asked to stop, and its process ${p.pid} on ${p.hostName} has not ended after two seconds.`,
    help: (p: { run: string; pid: number; hostName: string }) => `Look again with \`tek runs\`, or end it: \`kill -9 ${p.pid}\`. What had finished is kept either way.`,
  },
  'no-tests': {
    severity: 'error',
    message: (p: { path: string; filter?: string }) => (p.filter === undefined ? `There is no \`test\` block in \`${p.path}\`.` : `No test in \`${p.path}\` has \`${p.filter}\` in its name.`),
    help: (p: { path: string; filter?: string }) => (p.filter === undefined ? 'Write one: `test "adds" { expect 1 + 1 == 2 }`.' : 'Without `--filter` all are run, and named.'),
  },
  'not-formatted': {
    severity: 'error',
    message: (p: { files: number }) => `${p.files === 1 ? '1 file is' : `${p.files} files are`} not formatted.`,
    help: () => '`tek fmt` formats them.',
  },
})
