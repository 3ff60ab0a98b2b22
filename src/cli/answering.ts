// Answering: what `tek approve` and `tek refuse` share.
// Owns: TASK, RUN, the note, showing what was answered. Does not own: which question is meant (choose-wait.ts).
//   A1. What is answered is what is shown: the question stands above what came of the answer, whole as far as it was kept.
import { Option } from 'clipanion'
import { neutraliseLine } from '#base/terminal-text.ts'
import type { Host } from '#host/host.ts'
import { questionLines } from './ask-person.ts'
import { AskingCommand } from './asking.ts'
import { chooseQuestion } from './choose-wait.ts'
import { CliFailure } from './command.ts'
import { cliErrors } from '#diagnostics/catalog/cli.ts'
import { exitCodes, type ExitCode } from './exit-codes.ts'
import { whoDid } from './who.ts'

/** Characters of a note. */
const MAX_NOTE_LENGTH = 4_000

export abstract class AnsweringCommand extends AskingCommand {
  task = Option.String({ name: 'TASK', required: false })
  run = Option.String({ name: 'RUN', required: false })
  note = Option.String('--note', { description: 'why; recorded with the answer' })

  protected async answer(host: Host, verdict: 'approved' | 'refused', command: 'approve' | 'refuse'): Promise<ExitCode> {
    if (this.note !== undefined && this.note.length > MAX_NOTE_LENGTH) {
      throw new CliFailure([cliErrors['bad-value']({ option: '--note', value: `${this.note.slice(0, 20)}…`, allowed: `at most ${MAX_NOTE_LENGTH} characters` })], exitCodes.usage)
    }
    const { runId, task, question } = await chooseQuestion(host, command, this.task, this.run)
    const { err } = this.context
    if (question !== null && !this.json && !this.quiet) err.write(`${questionLines(question, host.now(), err.paint, err.columns()).join('\n')}\n`) // A1
    const said = this.note?.trim() ?? ''
    const note = said === '' ? {} : { note: said } // an empty one is none
    return this.put(host, runId, { kind: 'answer', task, verdict, by: whoDid(`tek ${command}`), ...note }, `\`${neutraliseLine(task)}\` is ${verdict}`)
  }
}
