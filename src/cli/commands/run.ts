// Run: `tek run`, a program from its name to its result.
// Owns: parameters, live output, the result, the exit code. Does not own: running (tek.ts) or drawing progress (telemetry).
//   R1. The result alone goes to standard output; progress, logs and failures go to standard error.
//   R2. Ctrl-C once stops gracefully and says how to go on; twice ends at once; both exit with 130.
import { Option } from 'clipanion'
import { cliErrors } from '#diagnostics/catalog/cli.ts'
import type { Host } from '#host/host.ts'
import type { RunSummary } from '#model/report.ts'
import { consoleListener } from '#telemetry/console.ts'
import { SHORT_ID } from '#telemetry/final-lines.ts'
import type { RunListener } from '#telemetry/listener.ts'
import { ndjsonListener } from '#telemetry/ndjson.ts'
import { plainListener } from '#telemetry/plain.ts'
import { answered, CliFailure, TekCommand } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { exitCodeOf, printFailure } from '../failure.ts'
import { bundledPrograms, tekVersion } from '../install-place.ts'
import { Interrupt } from '../interrupt.ts'
import { chooseWorkflow, openProgram } from '../open-program.ts'
import { printValue } from '../print-value.ts'
import { databasePath } from '../recorded-runs.ts'
import { readSource } from '../source-files.ts'
import { readWorkflowArguments, readWorkflowWords, workflowHelp } from '../workflow-flags.ts'

const TICK_MS = 250
const MAX_WORKERS = 256

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
    const workers = this.workerCount()
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
    const listener = this.listener(host)
    const interrupt = new Interrupt(this.context.err)
    const ticker = setInterval(() => listener.tick(), TICK_MS)
    let summary: RunSummary
    try {
      const { run } = await import('#tek.ts')
      summary = answered(await run(host, {
        plan: program.plan, program: program.shown, workflow, args, database: this.noJournal ? null : databasePath(host.cwd),
        ...(workers === null ? {} : { workers }), folder: program.folder, tekVersion: tekVersion(),
        onNotice: notice => listener.notice(notice), signal: interrupt.signal,
      }))
    } finally {
      clearInterval(ticker)
      listener.close()
      interrupt.close()
    }
    this.finish(summary, interrupt.wasAsked)
    return exitCodeOf(summary, interrupt.wasAsked)
  }

  private workerCount(): number | null {
    if (this.workers === undefined) return null
    const count = Number(this.workers)
    if (!Number.isInteger(count) || count < 0 || count > MAX_WORKERS) {
      throw new CliFailure([cliErrors['bad-value']({ option: '--workers', value: this.workers, allowed: `a whole number from 0 to ${MAX_WORKERS}` })], exitCodes.usage)
    }
    return count
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

  private listener(host: Host): RunListener {
    const { out, err } = this.context
    if (this.json) return ndjsonListener(text => out.write(text))
    if (this.quiet) return { notice: () => {}, tick: () => {}, close: () => {} }
    return err.isTerminal && this.context.env['TERM'] !== 'dumb' ? consoleListener(err, () => host.monotonic()) : plainListener(err)
  }

  private finish(summary: RunSummary, interrupted: boolean): void {
    const { out, err } = this.context
    if (!this.json && summary.outcome?.kind === 'value') printValue(out, summary.outcome.value) // R1
    if (!this.json && summary.outcome?.kind === 'failure') printFailure(err, summary.outcome.failure)
    if (interrupted && !this.json) {
      const kept = this.noJournal ? 'Nothing was kept: the run had no journal.' : `What it finished is kept: tek show ${summary.runId.slice(0, SHORT_ID)}`
      err.write(`Interrupted. ${kept}\n`) // R2
    }
  }
}

function noProgram(option: string | undefined): CliFailure {
  const names = bundledPrograms()
  const help = names.length > 0 ? [`Bundled programs: ${names.join(', ')}.`] : []
  const what = option === undefined ? 'a program: a file or a bundled name' : `a program before \`${option}\``
  return new CliFailure([cliErrors['missing-argument']({ command: 'run', what }, { help })], exitCodes.usage)
}
