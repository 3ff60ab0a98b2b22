// Fork: `tek fork RUN --from TASK`, a new run that takes over what a recorded one found up to a task.
// Owns: the command. Does not own: what is taken over (interpreter/fork.ts), going on (go-on.ts).
//   F1. A fork that is not permitted leaves no run behind.
import { Option } from 'clipanion'
import { neutralise, thousands } from '#base/terminal-text.ts'
import { cliErrors } from '#diagnostics/catalog/cli.ts'
import type { Permit } from '#model/capability.ts'
import { SHORT_ID } from '#telemetry/final-lines.ts'
import { answered, CliFailure } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { GoingOnCommand } from '../go-on.ts'
import { chooseRun, databasePath, recordedRuns } from '../recorded-runs.ts'

export class ForkCommand extends GoingOnCommand {
  static override paths = [['fork']]
  static override usage = {
    description: 'runs a recorded run again from a task on, as a new run',
    details: [
      'RUN is the id of a run, or its first letters, or `last`. TASK is a path as `tek show RUN` lists it: `scan`, `scan[3]`, `build/test`.',
      'The new run takes over every result that does not depend on TASK. The task, what waits for it, and what came to no result runs again,',
      'with the program and the parameters of the old run, and with idempotency keys of its own. The old run stays as it is.',
    ].join('\n'),
    examples: [['from a task on', 'tek fork last --from review'], ['one item of a `for`', 'tek fork 4f2a --from \'scan[3]\'']] as [string, string][],
  }
  run = Option.String({ name: 'RUN' })
  from = Option.String('--from', { description: 'the task from which on it runs again' })

  override async execute(): Promise<ExitCode> {
    if (this.from === undefined) throw new CliFailure([cliErrors['missing-argument']({ command: 'fork', what: 'a task: `--from TASK`' })], exitCodes.usage)
    const host = await this.context.host()
    const { runId: old } = chooseRun(await recordedRuns(host), this.run)
    const { forget, fork } = await import('#tek.ts')
    const { runId, takenOver } = answered(await fork(host, databasePath(host.cwd), old, this.from))
    let permit: Permit
    try {
      permit = await this.permitAgain(host, runId)
    } catch (error) {
      await forget(host, databasePath(host.cwd), runId) // F1
      throw error
    }
    const results = `${thousands(takenOver)} ${takenOver === 1 ? 'result' : 'results'} of run ${old.slice(0, SHORT_ID)}`
    if (!this.quiet && !this.json) this.context.err.write(`run ${runId.slice(0, SHORT_ID)} takes over ${results}, and goes on from \`${neutralise(this.from)}\`\n`)
    return this.goOn(host, runId, permit)
  }
}
