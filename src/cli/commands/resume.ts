// Resume: `tek resume`, a run that was stopped or whose process is gone, brought to its result.
// Owns: which run is meant. Does not own: how it looks (live-run.ts), going on (tek.ts).
import { Option } from 'clipanion'
import { cliErrors } from '#diagnostics/catalog/cli.ts'
import type { Permit } from '#model/capability.ts'
import { answered, CliFailure } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { liveRun } from '../live-run.ts'
import { isBundledRun } from '../open-program.ts'
import { PermittedCommand } from '../permission.ts'
import { chooseRun, databasePath, recordedRuns } from '../recorded-runs.ts'

/** Of a finished run only the result is printed. */
const nothing: Permit = { grants: [], by: 'file' }

export class ResumeCommand extends PermittedCommand {
  static override paths = [['resume']]
  static override usage = {
    description: 'goes on with a run that was stopped or killed',
    details: [
      'RUN is the id of a run, or its first letters, or `last`; without it, the newest run that is not finished.',
      'It goes on with the program as it was when the run began, and does nothing again that had finished.',
      'Of a finished run it prints the result.',
      'It may do what is allowed now, in tek.permits.yaml or by flags, whatever was allowed when it began.',
    ].join('\n'),
    examples: [['the newest unfinished run', 'tek resume'], ['a run', 'tek resume 4f2a'], ['a stream of events for another program', 'tek resume 4f2a --json']] as [string, string][],
  }
  run = Option.String({ name: 'RUN', required: false })
  json = Option.Boolean('--json', false, { description: 'print events as JSON, one a line, instead of the result' })
  quiet = Option.Boolean('--quiet', false, { description: 'print nothing but the result and failures' })
  workers = Option.String('--workers', { description: 'most threads for heavy work (default: one a processor)' })

  override async execute(): Promise<ExitCode> {
    const host = await this.context.host()
    const runs = await recordedRuns(host)
    // One that is being driven is chosen last, and then answered with who drives it.
    const chosen = this.run === undefined ? (runs.find(each => each.state === 'resumable') ?? runs.find(each => each.state === 'running')) : chooseRun(runs, this.run)
    if (chosen === undefined) throw new CliFailure([cliErrors['nothing-to-resume']({})], exitCodes.usage)
    const { askedAgain, resume } = await import('#tek.ts')
    const { json, quiet, workers } = this
    const { runId } = chosen
    const database = databasePath(host.cwd)
    const asks = answered(await askedAgain(host, database, runId))
    const permit = asks === null ? nothing : await this.permitFor(host, {
      asked: asks.grants, kindsOf: asks.kindsOf, plan: asks.plan, section: 'programs', shown: asks.program, isBundled: await isBundledRun(host, asks), isResumed: true,
    })
    return liveRun(this.context, host, { json, quiet, workers, isKept: true }, options => resume(host, { ...options, permit, mayBeUnconfined: this.unconfined, runId, database }))
  }
}
