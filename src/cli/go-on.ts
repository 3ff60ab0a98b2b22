// Go on: a recorded run brought to its end in front of somebody, whether it was stopped or is a fork.
// Owns: the options of such commands, asking for what the run needs now. Does not own: which run is meant (commands/).
import { Option } from 'clipanion'
import type { Host } from '#host/host.ts'
import type { Permit } from '#model/capability.ts'
import { answered } from './command.ts'
import type { ExitCode } from './exit-codes.ts'
import { liveRun } from './live-run.ts'
import { isBundledRun } from './open-program.ts'
import { PermittedCommand } from './permission.ts'
import { databasePath } from './recorded-runs.ts'

/** Of a finished run only the result is printed. */
const nothing: Permit = { grants: [], by: 'file' }

/** A command that goes on with recorded runs. */
export abstract class GoingOnCommand extends PermittedCommand {
  json = Option.Boolean('--json', false, { description: 'print events as JSON, one a line, instead of the result' })
  quiet = Option.Boolean('--quiet', false, { description: 'print nothing but the result and failures' })
  workers = Option.String('--workers', { description: 'most threads for heavy work (default: one a processor)' })

  /** What the run may do now. */
  protected async permitAgain(host: Host, runId: string): Promise<Permit> {
    const { askedAgain } = await import('#tek.ts')
    const asks = answered(await askedAgain(host, databasePath(host.cwd), runId))
    return asks === null ? nothing : this.permitFor(host, {
      asked: asks.grants, kindsOf: asks.kindsOf, plan: asks.plan, section: 'programs', shown: asks.program, isBundled: await isBundledRun(host, asks), isResumed: true,
    })
  }

  protected async goOn(host: Host, runId: string, permit: Permit): Promise<ExitCode> {
    const { resume } = await import('#tek.ts')
    const { json, quiet, workers } = this
    return liveRun(this.context, host, { json, quiet, workers, isKept: true }, options => resume(host, { ...options, permit, mayBeUnconfined: this.unconfined, runId, database: databasePath(host.cwd) }))
  }
}
