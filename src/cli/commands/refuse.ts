// Refuse: `tek refuse`, a no to a question of a run.
// Owns: the command's words. Does not own: which question is meant, and answering it (answering.ts), what a no does (interpreter).
import { AnsweringCommand } from '../answering.ts'
import { resumeDetails } from '../asking.ts'
import type { ExitCode } from '../exit-codes.ts'

export class RefuseCommand extends AnsweringCommand {
  static override paths = [['refuse']]
  static override usage = {
    description: 'answers a question of a run with no',
    details: [
      'The task fails with `run/refused-by-person`, and what its `on failure` says follows.',
      'TASK and RUN are as for `tek approve`: they may be left out where only one question fits.',
      resumeDetails,
    ].join('\n'),
    examples: [['the only question', 'tek refuse'], ['with a reason', "tek refuse deploy 4f2a --note 'not on a Friday'"], ['and see what follows', 'tek refuse deploy --resume']] as [string, string][],
  }

  override async execute(): Promise<ExitCode> {
    return this.answer(await this.context.host(), 'refused', 'refuse')
  }
}
