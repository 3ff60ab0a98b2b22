// Command table: the commands there are, in the order help lists them, each loaded only when it is used.
// Owns: names and one-line summaries. Does not own: options (each command declares its own).
import type { CommandClass } from 'clipanion'
import type { CliContext } from './command.ts'

export interface CommandEntry {
  readonly name: string
  /** Shown in `tek --help`: what it takes. */
  readonly takes: string
  readonly summary: string
  /** Takes the parameters of a program beside its own options. */
  readonly programArguments?: boolean
  readonly load: () => Promise<CommandClass<CliContext>>
}

export const commandTable: readonly CommandEntry[] = [
  { name: 'run', takes: 'PROGRAM [WORKFLOW | LOOP] [--PARAMETER VALUE]', summary: 'run a program: a file, a bundled name, or a compiled plan', programArguments: true, load: async () => (await import('./commands/run.ts')).RunCommand },
  { name: 'resume', takes: '[RUN]', summary: 'go on with a run that was stopped, killed or paused, or that waits', load: async () => (await import('./commands/resume.ts')).ResumeCommand },
  { name: 'stop', takes: '[RUN | LOOP | --all]', summary: 'stop a run or a loop that goes on elsewhere', load: async () => (await import('./commands/stop.ts')).StopCommand },
  { name: 'pause', takes: '[RUN | --all]', summary: 'let a run finish what it is at, and begin nothing new', load: async () => (await import('./commands/pause.ts')).PauseCommand },
  { name: 'agents', takes: '[RUN]', summary: 'what the agents of a run are at, and what agents remember', load: async () => (await import('./commands/agents.ts')).AgentsCommand },
  { name: 'waits', takes: '[RUN]', summary: 'what waits here for a person or a time', load: async () => (await import('./commands/waits.ts')).WaitsCommand },
  { name: 'approve', takes: '[TASK] [RUN]', summary: 'answer a question of a run with yes', load: async () => (await import('./commands/approve.ts')).ApproveCommand },
  { name: 'refuse', takes: '[TASK] [RUN]', summary: 'answer a question of a run with no', load: async () => (await import('./commands/refuse.ts')).RefuseCommand },
  { name: 'cancel', takes: 'TASK [RUN]', summary: 'give up one task of a run', load: async () => (await import('./commands/cancel.ts')).CancelCommand },
  { name: 'serve', takes: '[FILE…]', summary: 'begin workflows by their triggers, and wake runs that wait', load: async () => (await import('./commands/serve.ts')).ServeCommand },
  { name: 'fork', takes: 'RUN --from TASK', summary: 'run a recorded run again from a task on, as a new run', load: async () => (await import('./commands/fork.ts')).ForkCommand },
  { name: 'check', takes: '[FILE…]', summary: 'find mistakes without running anything', load: async () => (await import('./commands/check.ts')).CheckCommand },
  { name: 'plan', takes: 'FILE', summary: 'what a program may touch and do, before it does', load: async () => (await import('./commands/plan.ts')).PlanCommand },
  { name: 'test', takes: '[FILE…]', summary: 'run the `test` blocks of programs', load: async () => (await import('./commands/test.ts')).TestCommand },
  { name: 'fmt', takes: '[FILE…]', summary: 'format programs', load: async () => (await import('./commands/fmt.ts')).FmtCommand },
  { name: 'graph', takes: 'FILE | RUN', summary: 'draw the tasks and what they wait for', load: async () => (await import('./commands/graph.ts')).GraphCommand },
  { name: 'compile', takes: 'FILE', summary: 'lower a program to a plan that runs without its source', load: async () => (await import('./commands/compile.ts')).CompileCommand },
  { name: 'diff', takes: 'A B', summary: 'what differs between two programs, layout aside', load: async () => (await import('./commands/diff.ts')).DiffCommand },
  { name: 'permits', takes: '[revoke PROGRAM]', summary: 'what the programs of this folder may do, and taking it away', load: async () => (await import('./commands/permits.ts')).PermitsCommand },
  { name: 'mcp', takes: 'lock | list | FILE', summary: 'servers of tools that programs use, and a program as one', load: async () => (await import('./commands/mcp.ts')).McpCommand },
  { name: 'plugin', takes: 'new | check | test | pack | list', summary: 'make, check, test and pack plugins, and list those a program uses', load: async () => (await import('./commands/plugin.ts')).PluginCommand },
  { name: 'runs', takes: '', summary: 'list the runs recorded in this folder', load: async () => (await import('./commands/runs.ts')).RunsCommand },
  { name: 'show', takes: 'RUN | LOOP', summary: 'what a run did, task by task; how a loop stands', load: async () => (await import('./commands/show.ts')).ShowCommand },
  { name: 'versions', takes: 'LOOP', summary: 'the champions that a loop had', load: async () => (await import('./commands/versions.ts')).VersionsCommand },
  { name: 'rollback', takes: 'LOOP [VERSION]', summary: 'make an earlier version of a loop champion again', load: async () => (await import('./commands/rollback.ts')).RollbackCommand },
  { name: 'logs', takes: '[RUN]', summary: 'what the tools of a run said, and what failed in it', load: async () => (await import('./commands/logs.ts')).LogsCommand },
  { name: 'stats', takes: '[PROGRAM | RUN]', summary: 'how long runs take here, how often they fail, what is slow', load: async () => (await import('./commands/stats.ts')).StatsCommand },
  { name: 'why', takes: 'TASK [RUN]', summary: 'what made a task run again, or what spared it', load: async () => (await import('./commands/why.ts')).WhyCommand },
  { name: 'replay', takes: 'RUN [--to TASK]', summary: 'carry a run out again from its journal, and compare', load: async () => (await import('./commands/replay.ts')).ReplayCommand },
  { name: 'clean', takes: '', summary: 'take away old runs, caches, or everything tek keeps here', load: async () => (await import('./commands/clean.ts')).CleanCommand },
  { name: 'audit', takes: 'verify | show [RUN]', summary: 'what was decided here, and whether that record is whole', load: async () => (await import('./commands/audit.ts')).AuditCommand },
  { name: 'explain', takes: '[CODE]', summary: 'what a code means, with a wrong and a right example', load: async () => (await import('./commands/explain.ts')).ExplainCommand },
  { name: 'demo', takes: '[crash]', summary: 'watch tek being killed twenty times, and count what is lost', load: async () => (await import('./commands/demo.ts')).DemoCommand },
  { name: 'init', takes: '[FOLDER]', summary: 'begin a project: a program, its tests, and what keeps its runs out of git', load: async () => (await import('./commands/init.ts')).InitCommand },
  { name: 'completion', takes: 'bash | zsh | fish', summary: 'make a shell complete commands, options and runs', load: async () => (await import('./commands/completion.ts')).CompletionCommand },
  { name: 'lsp', takes: '', summary: 'the language server that editors start', load: async () => (await import('./commands/lsp.ts')).LspCommand },
  { name: 'doctor', takes: '', summary: 'what this machine offers and what is enforced on it', load: async () => (await import('./commands/doctor.ts')).DoctorCommand },
]

/** Commands of the design that this version does not have: typing one is answered as planned, not as unknown. */
export const plannedCommands: readonly string[] = [
  'import', 'export', 'model',
  'ui', 'worker', 'bench',
]
