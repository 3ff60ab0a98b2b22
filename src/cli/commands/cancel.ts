// Cancel: `tek cancel TASK`, one task of a run given up; the rest of the run goes on as its `on failure` says.
// Owns: the command's words. Does not own: which run is meant (choose-wait.ts), what giving up does (interpreter).
import { Option } from 'clipanion'
import { neutraliseLine } from '#base/terminal-text.ts'
import { AskingCommand, resumeDetails } from '../asking.ts'
import { chooseTask } from '../choose-wait.ts'
import type { ExitCode } from '../exit-codes.ts'
import { whoDid } from '../who.ts'

export class CancelCommand extends AskingCommand {
  static override paths = [['cancel']]
  static override usage = {
    description: 'gives up one task of a run, with everything inside it',
    details: [
      'The task fails with `run/cancelled-by-person`: it is not tried again, and what its `on failure` says follows. What it has started is ended.',
      'TASK is a task as `tek show` lists it: `build`, an item of a `for` such as `scan[3]`, a task inside another such as `build/test`.',
      'RUN is the id of a run, or its first letters, or `last`; without it, the only run that is not finished and has such a task.',
      resumeDetails,
      'To end a whole run: `tek stop`.',
    ].join('\n'),
    examples: [['a task of the only run', 'tek cancel build'], ['an item of a `for`', "tek cancel 'scan[3]' 4f2a"], ['a task inside another', 'tek cancel build/test last']] as [string, string][],
  }
  task = Option.String({ name: 'TASK' })
  run = Option.String({ name: 'RUN', required: false })

  override async execute(): Promise<ExitCode> {
    const host = await this.context.host()
    const { runId, task } = await chooseTask(host, 'cancel', this.task, this.run)
    return this.put(host, runId, { kind: 'cancel', task, by: whoDid('tek cancel') }, `\`${neutraliseLine(task)}\` is given up`)
  }
}
