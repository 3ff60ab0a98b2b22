// Go on: a recorded run brought to its end in front of somebody, whether it was stopped or is a fork.
// Owns: asking for what the run needs now. Does not own: which run is meant (commands/).
import type { Host } from '#host/host.ts'
import type { Permit } from '#model/capability.ts'
import { answered } from './command.ts'
import { DrivingCommand, type Recording } from './driving.ts'
import type { ExitCode } from './exit-codes.ts'
import { liveRun } from './live-run.ts'
import { withoutModels } from './model-keys.ts'
import { isBundledRun } from './open-program.ts'
import { databasePath } from './recorded-runs.ts'

/** Of a finished run only the result is printed. */
const nothing: Permit = { grants: [], by: 'file' }

/** A command that goes on with recorded runs. */
export abstract class GoingOnCommand extends DrivingCommand {
  private cassettes: Promise<Recording> | null = null

  /** Found before anybody is asked. */
  private recordingOnce(host: Host): Promise<Recording> {
    return (this.cassettes ??= this.recording(host))
  }

  /** What the run may do now. */
  protected async permitAgain(host: Host, runId: string): Promise<Permit> {
    await this.recordingOnce(host)
    const { askedAgain } = await import('#tek.ts')
    const asks = answered(await askedAgain(host, databasePath(host.cwd), runId))
    return asks === null ? nothing : this.permitFor(host, {
      asked: this.replay === undefined || asks.grants === null ? asks.grants : withoutModels(asks.plan, asks.grants),
      kindsOf: asks.kindsOf, plan: asks.plan, section: 'programs', shown: asks.program, isBundled: await isBundledRun(host, asks), isResumed: true,
    })
  }

  protected async goOn(host: Host, runId: string, permit: Permit): Promise<ExitCode> {
    const { resume } = await import('#tek.ts')
    const database = databasePath(host.cwd)
    const { recorder, replayed } = await this.recordingOnce(host)
    const more = { ...recorder?.options, ...(replayed === null ? {} : { replayed }), permit, mayBeUnconfined: this.unconfined, runId, database }
    const code = await liveRun(this.context, host, { ...(await this.driving()), database }, options => resume(host, { ...options, ...more }))
    await recorder?.end()
    return code
  }
}
