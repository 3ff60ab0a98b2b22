// Go on: a recorded run brought to its end in front of somebody, whether it was stopped or is a fork.
// Owns: asking for what the run needs now. Does not own: which run is meant (commands/).
import type { Host } from '#host/host.ts'
import type { Permit } from '#model/capability.ts'
import { answered } from './command.ts'
import { DrivingCommand } from './driving.ts'
import type { ExitCode } from './exit-codes.ts'
import { liveRun } from './live-run.ts'
import { isBundledRun } from './open-program.ts'
import { databasePath } from './recorded-runs.ts'

/** Of a finished run only the result is printed. */
const nothing: Permit = { grants: [], by: 'file' }

/** A command that goes on with recorded runs. */
export abstract class GoingOnCommand extends DrivingCommand {
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
    const database = databasePath(host.cwd)
    return liveRun(this.context, host, { ...(await this.driving()), database }, options => resume(host, { ...options, permit, mayBeUnconfined: this.unconfined, runId, database }))
  }
}
