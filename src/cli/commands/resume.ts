// Resume: `tek resume`, a run that was stopped or whose process is gone, brought to its result.
// Owns: which run is meant, what follows where its program was changed meanwhile. Does not own: going on with it (go-on.ts), what still holds (interpreter/migrate.ts).
//   R1. A run goes on with the program it began with, or with a changed one where a person says so: never silently with either, once they differ.
//   R2. A program that is gone, or does not compile any more, is no reason not to go on: the run has its own copy.
//   R3. What had written writes again only after a person said so, by name of the tasks.
import { Option } from 'clipanion'
import { sha256 } from '#base/hash.ts'
import { neutraliseLine, thousands } from '#base/terminal-text.ts'
import { cliErrors } from '#diagnostics/catalog/cli.ts'
import { runErrors } from '#diagnostics/catalog/run.ts'
import type { Host } from '#host/host.ts'
import type { RecordedRun } from '#model/report.ts'
import type { RecordedProgram } from '#tek.ts'
import { SHORT_ID } from '#telemetry/final-lines.ts'
import { changeText } from '../change-text.ts'
import { answered, CliFailure } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { GoingOnCommand } from '../go-on.ts'
import { openProgram, sourceHashes, type OpenProgram } from '../open-program.ts'
import { LineReader } from '../read-line.ts'
import { chooseRun, databasePath, recordedRuns } from '../recorded-runs.ts'
import { readSource, stdinPath } from '../source-files.ts'
import { steer } from '../steering.ts'

/** Lines of the difference that are shown. */
const MAX_DIFFERENCE_LINES = 40
const MAX_NAMED = 8
/** States from which a run goes on when nobody says which one. */
const goesOn: ReadonlySet<RecordedRun['state']> = new Set(['resumable', 'paused', 'waiting'])

export class ResumeCommand extends GoingOnCommand {
  static override paths = [['resume']]
  static override usage = {
    description: 'goes on with a run that was stopped, killed or paused, or that waits',
    details: [
      'RUN is the id of a run, or its first letters, or `last`; without it, the newest run that is not finished: stopped, killed, paused or waiting.',
      'It goes on with the program as it was when the run began, and does nothing again that had finished. Where the program was changed since, it says so and does',
      'nothing until told how to go on: --as-recorded, or --migrate, which begins a new run of the program as it is with every result that still holds.',
      'Of a finished run it prints the result.',
      'It may do what is allowed now, in tek.permits.yaml or by flags, whatever was allowed when it began.',
    ].join('\n'),
    examples: [
      ['the newest unfinished run', 'tek resume'],
      ['a run', 'tek resume 4f2a'],
      ['with the program as it is now', 'tek resume 4f2a --migrate'],
      ['a stream of events for another program', 'tek resume 4f2a --json'],
    ] as [string, string][],
  }
  run = Option.String({ name: 'RUN', required: false })
  agent = Option.String('--agent', { description: 'let one agent go on that was paused; the run itself is not resumed by it' })
  asRecorded = Option.Boolean('--as-recorded', false, { description: 'go on with the program as it was when the run began' })
  migrate = Option.Boolean('--migrate', false, { description: 'go on with the program as it is now, as a new run that takes over what still holds' })
  dryRun = Option.Boolean('--dry-run', false, { description: 'with --migrate: say what would be kept and what would begin again, and do nothing' })
  repeatWrites = Option.Boolean('--repeat-writes', false, { description: 'with --migrate: let tasks that had written write again' })

  override async execute(): Promise<ExitCode> {
    this.expectFittingFlags()
    const host = await this.context.host()
    if (this.agent !== undefined) return steer(this.context, host, { does: 'resume', agent: this.agent, run: this.run, json: this.json })
    const database = databasePath(host.cwd)
    if ((await host.files.stat(database)) === null) return this.goOnWithChosen(host)
    const { keepingOpen } = await import('#history/journal-access.ts')
    return keepingOpen(database, () => this.goOnWithChosen(host))
  }

  private async goOnWithChosen(host: Host): Promise<ExitCode> {
    const runs = await recordedRuns(host)
    // One that is being driven is chosen last, and then answered with who drives it.
    const chosen = this.run === undefined ? (runs.find(each => this.canGoOnWith(each)) ?? runs.find(each => each.state === 'running')) : chooseRun(runs, this.run)
    if (chosen === undefined) throw new CliFailure([cliErrors['nothing-to-resume']({})], exitCodes.usage)
    if (chosen.successor !== undefined && (this.migrate || chosen.state === 'superseded')) throw new CliFailure([runErrors.superseded({ runId: short(chosen.runId), successor: short(chosen.successor) })], exitCodes.usage)
    if (this.migrate) return this.goOnChanged(host, chosen)
    if (!this.asRecorded && isOpen(chosen)) await this.expectSameProgram(host, chosen)
    return this.goOn(host, chosen.runId, await this.permitAgain(host, chosen.runId))
  }

  /** A changed program may be what a run needs that failed, or that reached a limit. */
  private canGoOnWith({ state, successor }: RecordedRun): boolean {
    return goesOn.has(state) || (this.migrate && successor === undefined && (state === 'limited' || state === 'failed'))
  }

  private expectFittingFlags(): void {
    if (this.migrate && this.asRecorded) throw new CliFailure([cliErrors['unfit-option']({ option: '--as-recorded', fits: 'without', other: '--migrate' })], exitCodes.usage)
    for (const [option, isSet] of [['--dry-run', this.dryRun], ['--repeat-writes', this.repeatWrites]] as const) {
      if (isSet && !this.migrate) throw new CliFailure([cliErrors['unfit-option']({ option, fits: 'with', other: '--migrate' })], exitCodes.usage)
    }
  }

  /** R1 R2. */
  private async expectSameProgram(host: Host, { runId, program }: RecordedRun): Promise<void> {
    const recorded = await this.recorded(host, runId)
    if (recorded !== null && (await isMadeOfTheSame(host, recorded))) return
    const found = await this.programNow(host, program)
    if (recorded === null || typeof found === 'string') {
      if (typeof found === 'string') this.say(`${neutraliseLine(program)} ${found}: the run goes on with the program as it was.`)
      return
    }
    const { diffPlans, isSameProgram } = await import('#compiler/4-lower/diff.ts')
    if (isSameProgram(recorded.plan, found.plan)) return
    const { err } = this.context
    const lines = diffPlans(recorded.plan, found.plan).flatMap(each => changeText(each, err.paint).split('\n'))
    const more = lines.length > MAX_DIFFERENCE_LINES ? [`… and ${thousands(lines.length - MAX_DIFFERENCE_LINES)} more lines`] : []
    if (!this.json) err.write([...lines.slice(0, MAX_DIFFERENCE_LINES), ...more].map(each => `${each}\n`).join(''))
    throw new CliFailure([runErrors['program-changed']({ program, runId: short(runId) })], exitCodes.usage)
  }

  private async goOnChanged(host: Host, { runId, program: name, state }: RecordedRun): Promise<ExitCode> {
    const recorded = await this.recorded(host, runId)
    if (recorded === null || state === 'done') throw new CliFailure([cliErrors['nothing-to-resume'](state === 'done' ? { done: short(runId) } : {})], exitCodes.usage)
    const program = await openProgram(this.context, host, name, { quiet: true, mayBeUnconfined: this.unconfined })
    const [{ isSameProgram }, { migrate }] = await Promise.all([import('#compiler/4-lower/diff.ts'), import('#tek.ts')])
    if (isSameProgram(recorded.plan, program.plan) && state !== 'failed') {
      this.say('The program is as it was.')
      return this.dryRun ? exitCodes.fine : this.goOn(host, runId, await this.permitAgain(host, runId))
    }
    const { plan, folder } = program
    const sources = sourceHashes(program)
    const told = answered(await migrate(host, databasePath(host.cwd), runId, { plan, folder, sources, isDry: true, mayWriteAgain: [] }))
    const { kept, again, againTasks, goneTasks, writesAgain } = told
    if (this.dryRun && this.json) this.printJson({ version: 1, run: runId, kept, again, againTasks, goneTasks, writesAgain })
    else this.say([`kept ${thousands(kept)}, begins again ${thousands(again)}${named(againTasks)}`, ...(goneTasks.length === 0 ? [] : [`no longer there${named(goneTasks)}`])].join('\n'))
    if (writesAgain.length > 0 && !this.json) this.context.err.write(`writes again${named(writesAgain)}\n`)
    if (this.dryRun) return exitCodes.fine
    if (writesAgain.length > 0 && !this.repeatWrites && !(await this.isAllowedToRepeat())) throw new CliFailure([runErrors['would-write-again']({ tasks: writesAgain })], exitCodes.usage) // R3
    const { asked } = await import('#tek.ts')
    const asks = await asked(host, { plan, folder, workflow: recorded.workflow, args: recorded.args })
    const isBundled = program.isBundled && Object.keys(recorded.args).length === 0
    const permit = await this.permitFor(host, { ...asks, asked: asks.grants, section: 'programs', plan, shown: program.shown, isBundled, isResumed: true })
    const made = answered(await migrate(host, databasePath(host.cwd), runId, { plan, folder, sources, isDry: false, mayWriteAgain: writesAgain }))
    if (made.runId === null) throw new CliFailure([runErrors['would-write-again']({ tasks: made.writesAgain })], exitCodes.usage) // it went on meanwhile
    this.say(`run ${short(made.runId)} takes the place of run ${short(runId)}`)
    return this.goOn(host, made.runId, permit)
  }

  private async recorded(host: Host, runId: string): Promise<RecordedProgram | null> {
    const { recordedProgram } = await import('#tek.ts')
    return answered(await recordedProgram(databasePath(host.cwd), runId))
  }

  /** The program under the name it had, or what became of it. */
  private async programNow(host: Host, name: string): Promise<OpenProgram | string> {
    if (name === stdinPath) return 'was typed'
    try {
      return await openProgram(this.context, host, name, { quiet: true, mayBeUnconfined: this.unconfined })
    } catch (error) {
      if (!(error instanceof CliFailure)) throw error
      return error.exitCode === exitCodes.doesNotCompile ? 'does not compile any more' : 'is not there any more'
    }
  }

  private async isAllowedToRepeat(): Promise<boolean> {
    if (!this.canAsk()) return false
    const { stdin, err } = this.context
    const line = await new LineReader(stdin).ask(() => err.write('Let them write again? [y/N] '))
    return line !== null && /^y(es)?$/i.test(line.trim())
  }

  private say(line: string): void {
    if (!this.quiet && !this.json) this.context.err.write(`${line}\n`)
  }
}

/** Whether each file that a program was made of is as it was: then so is the program, and need not be checked. A plugin's code may have changed all the same. */
async function isMadeOfTheSame(host: Host, { sources, plan }: RecordedProgram): Promise<boolean> {
  if (sources === null || Object.keys(sources).length === 0 || plan.modules.some(each => each.origin !== 'std')) return false
  try {
    for (const [path, hash] of Object.entries(sources)) if (sha256(await readSource(host, path)) !== hash) return false
    return true
  } catch (error) {
    if (error instanceof CliFailure) return false
    throw error
  }
}

const short = (runId: string): string => runId.slice(0, SHORT_ID)

const isOpen = ({ state }: RecordedRun): boolean => state !== 'running' && state !== 'done' && state !== 'failed'

const named = (tasks: readonly string[]): string =>
  tasks.length === 0 ? '' : `: ${tasks.slice(0, MAX_NAMED).map(neutraliseLine).join(', ')}${tasks.length > MAX_NAMED ? ` and ${tasks.length - MAX_NAMED} more` : ''}`
