// Run: `tek run`, a program from its name to its result.
// Owns: the program and its parameters. Does not own: how a run looks and what its end means to the shell (live-run.ts).
import { Option } from 'clipanion'
import { cliErrors } from '#diagnostics/catalog/cli.ts'
import { loopErrors } from '#diagnostics/catalog/loop.ts'
import type { Host } from '#host/host.ts'
import { headLine } from '#permits/plain-words.ts'
import type { DriveOptions } from '#tek.ts'
import { CliFailure } from '../command.ts'
import { DrivingCommand, type DrivingOptions } from '../driving.ts'
import { checkEvidencePlace, writeEvidence } from '../evidence.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { bundledPrograms } from '../install-place.ts'
import { liveRun } from '../live-run.ts'
import { withoutModels } from '../model-keys.ts'
import { chooseLoop, chooseWorkflow, openProgram, sourceHashes, type OpenProgram } from '../open-program.ts'
import { databasePath } from '../recorded-runs.ts'
import { runAgain } from '../run-again.ts'
import { at, readSource, shownPath } from '../source-files.ts'
import { readWorkflowArguments, readWorkflowWords, workflowHelp } from '../workflow-flags.ts'

export class RunCommand extends DrivingCommand {
  static override paths = [['run']]
  static override usage = {
    description: 'runs a program',
    details: [
      'PROGRAM is a file, the name of a bundled program, a compiled plan (.json) or - for standard input.',
      'WORKFLOW is needed only where there are several. Its parameters are flags: --max-files 20.',
      'Words after -- go to the parameter `args`. `tek run PROGRAM --help` lists the parameters of a program.',
      'What a program asks for is allowed by tek.permits.yaml, which the first run on a terminal writes after asking, or by flags.',
    ].join('\n'),
    examples: [
      ['a file with one workflow', 'tek run todos.tek'],
      ['name the workflow, set a parameter', 'tek run flow.tek review --root lib'],
      ['a bundled program', 'tek run repo-health'],
      ['a bundled program with arguments of its own', 'tek run jail -- npm test'],
      ['parameters from a file', 'tek run flow.tek --args settings.json'],
      ['a stream of events for another program', 'tek run flow.tek --json'],
      ['again at every change of its files', 'tek run flow.tek --watch'],
      ['allow something for this time', `tek run flow.tek --allow 'fs.read("src/**")'`],
    ] as [string, string][],
  }
  args = Option.String('--args', { description: 'JSON file with parameters; flags win over it' })
  evidence = Option.String('--evidence', { description: 'write a folder with the evidence of the run when it ends; see `tek show --out`' })
  watch = Option.Boolean('--watch', false, { description: 'run again whenever the files of the program change' })
  noJournal = Option.Boolean('--no-journal', false, { description: 'keep the run in memory: it cannot be shown or resumed' })

  override async execute(): Promise<ExitCode> {
    const [name, ...words] = this.context.rest
    if (name === undefined || (name.startsWith('-') && name !== '-')) throw noProgram(name)
    const driving = await this.driving() // before anything is compiled
    const { evidence } = this
    if (this.watch && (this.record ?? this.replay) !== undefined) throw new CliFailure([cliErrors['unfit-option']({ option: '--watch', fits: 'without', other: this.record === undefined ? '--replay' : '--record' })], exitCodes.usage)
    if (evidence !== undefined && this.noJournal) throw new CliFailure([cliErrors['bad-value']({ option: '--evidence', value: evidence, allowed: 'a folder, of a run that is recorded: not with `--no-journal`' })], exitCodes.usage)
    if (evidence !== undefined) await checkEvidencePlace(this.context, evidence)
    const host = await this.context.host()
    if (!this.watch || this.context.wantsHelp) return this.once(host, name, words, driving)
    const path = shownPath(this.context.cwd, name)
    if (name === '-' || evidence !== undefined || (await host.files.stat(at(host, path))) === null) {
      throw new CliFailure([cliErrors['bad-value']({ option: '--watch', value: evidence ?? name, allowed: 'a program that is a file, without `--evidence`' })], exitCodes.usage)
    }
    return runAgain(this.context, host, path, opened => this.once(host, name, words, driving, opened))
  }

  private async once(host: Host, name: string, words: readonly string[], driving: DrivingOptions, opened: (program: OpenProgram) => Promise<void> = async () => {}): Promise<ExitCode> {
    const { evidence } = this
    const program = await openProgram(this.context, host, name, { quiet: this.quiet || this.json || this.context.wantsHelp, mayBeUnconfined: this.unconfined })
    await opened(program)
    const typed = readWorkflowWords(words, program.plan)
    if (this.context.wantsHelp) {
      this.context.out.write(workflowHelp(program.plan, program.shown, typed.workflow === undefined ? undefined : chooseWorkflow(program, typed.workflow), this.context.out.paint))
      return exitCodes.fine
    }
    const loop = chooseLoop(program.plan, typed.workflow)
    if (loop !== null) return this.loop(host, program, loop, typed.words, driving)
    const workflow = chooseWorkflow(program, typed.workflow)
    const fromFile = this.args === undefined ? {} : await this.readArgs(host, this.args)
    const args = readWorkflowArguments(program.plan, workflow, typed.words, this.context.trailing, fromFile)
    const { asked, run } = await import('#tek.ts')
    const { json, quiet } = this
    const { plan, shown, folder, isBundled } = program
    const asks = await asked(host, { plan, folder, workflow, args })
    const { recorder, replayed } = await this.recording(host)
    const grants = replayed === null || asks.grants === null ? asks.grants : withoutModels(plan, asks.grants)
    const permit = await this.permitFor(host, { ...asks, asked: grants, section: 'programs', plan, shown, isBundled, isResumed: false })
    if (isBundled && !quiet && !json) this.context.err.write(`${shown} · ${headLine(grants ?? [])}\n`)
    let runId: string | null = null
    const database = this.noJournal ? (await import('#interpreter/journal/memory.ts')).memoryJournal() : databasePath(host.cwd)
    const go = (options: DriveOptions) => run(host, {
      ...options, ...recorder?.options, ...(replayed === null ? {} : { replayed }), permit,
      mayBeUnconfined: this.unconfined, plan: program.plan, program: program.shown, workflow, args, database, folder: program.folder, sources: sourceHashes(program),
      onNotice: notice => {
        if (notice.kind === 'run-started') runId = notice.runId
        options.onNotice(notice)
      },
    })
    const code = await liveRun(this.context, host, { ...driving, database }, go)
    await recorder?.end()
    if (evidence !== undefined && runId !== null) await writeEvidence(this.context, runId, { out: evidence, tasks: 'standard', isForced: false })
    return code
  }

  /** Cycles of a loop, until it ends. */
  private async loop(host: Host, program: OpenProgram, loop: string, words: readonly string[], driving: DrivingOptions): Promise<ExitCode> {
    const unfit = words[0] ?? (this.evidence === undefined ? undefined : '--evidence')
    if (unfit !== undefined) throw new CliFailure([cliErrors['too-many-arguments']({ command: 'run', extra: unfit })], exitCodes.usage)
    if (this.noJournal) throw new CliFailure([loopErrors['no-journal']({ loop })], exitCodes.usage)
    const [{ asked }, { loopRun }] = await Promise.all([import('#tek.ts'), import('../loop-run.ts')])
    const { plan, shown, folder, isBundled } = program
    const asks = await asked(host, { plan, folder, workflow: plan.loopBodies![loop]!.cycle, args: {} })
    const permit = await this.permitFor(host, { ...asks, asked: asks.grants, section: 'programs', plan, shown, isBundled, isResumed: false })
    return loopRun(this.context, host, driving, { plan, program: shown, folder, sources: sourceHashes(program), loop, permit, mayBeUnconfined: this.unconfined, database: databasePath(host.cwd) })
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
