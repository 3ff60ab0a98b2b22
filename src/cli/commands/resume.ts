// Resume: `tek resume`, a run that was stopped or whose process is gone, brought to its result.
// Owns: which run is meant. Does not own: going on with it (go-on.ts).
import { Option } from 'clipanion'
import { cliErrors } from '#diagnostics/catalog/cli.ts'
import { CliFailure } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { GoingOnCommand } from '../go-on.ts'
import { chooseRun, recordedRuns } from '../recorded-runs.ts'

export class ResumeCommand extends GoingOnCommand {
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

  override async execute(): Promise<ExitCode> {
    const host = await this.context.host()
    const runs = await recordedRuns(host)
    // One that is being driven is chosen last, and then answered with who drives it.
    const chosen = this.run === undefined ? (runs.find(each => each.state === 'resumable') ?? runs.find(each => each.state === 'running')) : chooseRun(runs, this.run)
    if (chosen === undefined) throw new CliFailure([cliErrors['nothing-to-resume']({})], exitCodes.usage)
    return this.goOn(host, chosen.runId, await this.permitAgain(host, chosen.runId))
  }
}
