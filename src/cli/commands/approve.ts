// Approve: `tek approve`, a yes to a question of a run.
// Owns: the command's words. Does not own: which question is meant, and answering it (answering.ts), what a yes does (interpreter).
import { AnsweringCommand } from '../answering.ts'
import { resumeDetails } from '../asking.ts'
import type { ExitCode } from '../exit-codes.ts'

export class ApproveCommand extends AnsweringCommand {
  static override paths = [['approve']]
  static override usage = {
    description: 'answers a question of a run with yes',
    details: [
      'TASK is the task that asks; it may be left out where only one question waits. RUN is the id of a run, or its first letters, or `last`; it may be left',
      'out where only one run asks by that task.',
      resumeDetails,
      '`tek waits` lists the questions. The first answer counts; it is recorded with who gave it, and the note.',
    ].join('\n'),
    examples: [
      ['the only question', 'tek approve'], ['by its task', 'tek approve deploy'], ['in a run, with a reason', "tek approve deploy 4f2a --note 'checked with Ada'"],
      ['and go on at once', 'tek approve deploy --resume'],
    ] as [string, string][],
  }

  override async execute(): Promise<ExitCode> {
    return this.answer(await this.context.host(), 'approved', 'approve')
  }
}
