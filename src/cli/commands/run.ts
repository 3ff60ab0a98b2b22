// Run: `tek run`, a program from its name to its result.
// Owns: the program and its parameters. Does not own: how a run looks and what its end means to the shell (live-run.ts).
import { Option } from 'clipanion'
import { cliErrors } from '#diagnostics/catalog/cli.ts'
import type { Host } from '#host/host.ts'
import { CliFailure, TekCommand } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { bundledPrograms } from '../install-place.ts'
import { liveRun, workerCount } from '../live-run.ts'
import { chooseWorkflow, openProgram } from '../open-program.ts'
import { databasePath } from '../recorded-runs.ts'
import { readSource } from '../source-files.ts'
import { readWorkflowArguments, readWorkflowWords, workflowHelp } from '../workflow-flags.ts'

export class RunCommand extends TekCommand {
  static override paths = [['run']]
  static override usage = {
    description: 'runs a program',
    details: [
      'PROGRAM is a file, the name of a bundled program, a compiled plan (.json) or - for standard input.',
      'WORKFLOW is needed only where there are several. Its parameters are flags: --max-files 20.',
      'Words after -- go to the parameter `args`. `tek run PROGRAM --help` lists the parameters of a program.',
    ].join('\n'),
    examples: [
      ['a file with one workflow', 'tek run todos.tek'],
      ['name the workflow, set a parameter', 'tek run flow.tek review --root lib'],
      ['a bundled program', 'tek run repo-health'],
      ['a bundled program with arguments of its own', 'tek run flaky -- npm test'],
      ['parameters from a file', 'tek run flow.tek --args settings.json'],
      ['a stream of events for another program', 'tek run flow.tek --json'],
    ] as [string, string][],
  }
  args = Option.String('--args', { description: 'JSON file with parameters; flags win over it' })
  json = Option.Boolean('--json', false, { description: 'print events as JSON, one a line, instead of the result' })
  quiet = Option.Boolean('--quiet', false, { description: 'print nothing but the result and failures' })
  workers = Option.String('--workers', { description: 'most threads for heavy work (default: one a processor)' })
  noJournal = Option.Boolean('--no-journal', false, { description: 'keep the run in memory: it cannot be shown or resumed' })

  override async execute(): Promise<ExitCode> {
    const [name, ...words] = this.context.rest
    if (name === undefined || (name.startsWith('-') && name !== '-')) throw noProgram(name)
    workerCount(this.workers) // before anything is compiled
    const host = await this.context.host()
    const program = await openProgram(this.context, host, name, { quiet: this.quiet || this.json || this.context.wantsHelp })
    const asked = readWorkflowWords(words, program.plan)
    if (this.context.wantsHelp) {
      this.context.out.write(workflowHelp(program.plan, program.shown, asked.workflow === undefined ? undefined : chooseWorkflow(program, asked.workflow), this.context.out.paint))
      return exitCodes.fine
    }
    const workflow = chooseWorkflow(program, asked.workflow)
    const fromFile = this.args === undefined ? {} : await this.readArgs(host, this.args)
    const args = readWorkflowArguments(program.plan, workflow, asked.words, this.context.trailing, fromFile)
    const { run } = await import('#tek.ts')
    const { json, quiet, workers } = this
    return liveRun(this.context, host, { json, quiet, workers, isKept: !this.noJournal }, options => run(host, {
      ...options, plan: program.plan, program: program.shown, workflow, args, database: this.noJournal ? null : databasePath(host.cwd), folder: program.folder,
    }))
  }

  private async readArgs(host: Host, path: string): Promise<Readonly<Record<string, unknown>>> {
    const text = await readSource(host, path)
    let value: unknown
    try {
      value = JSON.parse(text.replace(/^\ufeff/, ''))
    } catch {
      throw new CliFailure([cliErrors['bad-args-file']({ path, reason: 'it is not JSON' })], exitCodes.usage)
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new CliFailure([cliErrors['bad-args-file']({ path, reason: 'it is not a JSON object' })], exitCodes.usage)
    return value as Readonly<Record<string, unknown>>
  }
}

function noProgram(option: string | undefined): CliFailure {
  const names = bundledPrograms()
  const help = names.length > 0 ? [`Bundled programs: ${names.join(', ')}.`] : []
  const what = option === undefined ? 'a program: a file or a bundled name' : `a program before \`${option}\``
  return new CliFailure([cliErrors['missing-argument']({ command: 'run', what }, { help })], exitCodes.usage)
}
