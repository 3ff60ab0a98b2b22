// Why: `tek why TASK [RUN]`, what made a task run again, or what spared it.
// Owns: the two forms. Does not own: the reasons and their words (interpreter/why.ts).
import { Option } from 'clipanion'
import { neutralise, neutraliseLine, thousands } from '#base/terminal-text.ts'
import { SHORT_ID } from '#telemetry/final-lines.ts'
import { answered, TekCommand } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { chooseRun, databasePath, recordedRuns } from '../recorded-runs.ts'

export class WhyCommand extends TekCommand {
  static override paths = [['why']]
  static override usage = {
    description: 'what made a task run again, or what spared it',
    details: [
      'TASK is a path as `tek show RUN` lists it: `scan`, `scan[3]`, `build/test`. RUN is the id of a run, or its first letters; without it, the newest.',
      'The key of a task with `cache` is made of its body, the values it mentions and the code it calls. What of that changed since the run before is named.',
    ].join('\n'),
    examples: [['in the newest run', 'tek why scan'], ['one item, in an earlier run', "tek why 'scan[3]' 4f2a"], ['for programs', 'tek why scan --json']] as [string, string][],
  }
  task = Option.String({ name: 'TASK' })
  run = Option.String({ name: 'RUN', required: false })
  json = Option.Boolean('--json', false, { description: 'print as JSON' })

  override async execute(): Promise<ExitCode> {
    const host = await this.context.host()
    const { runId } = chooseRun(await recordedRuns(host), this.run ?? 'last')
    const { why } = await import('#tek.ts')
    const found = answered(await why(databasePath(host.cwd), runId, this.task))
    const { out } = this.context
    if (this.json) {
      this.printJson({ version: 1, ...found })
      return exitCodes.fine
    }
    const { answers, fromCache, ran, comparedWith } = found
    const beside = comparedWith === null ? '' : ` · compared with ${comparedWith.slice(0, SHORT_ID)}`
    out.write(`${out.paint('bold', neutralise(found.task))} · run ${runId.slice(0, SHORT_ID)}${beside}\n`)
    if (fromCache + ran > 1) out.write(`${thousands(fromCache)} of ${thousands(fromCache + ran)} came from the cache.\n`)
    for (const each of answers) {
      const head = each.task === found.task ? '' : `${neutralise(each.task)}: `
      for (const words of each.words) out.write(`  ${head}${neutraliseLine(words)}\n`)
    }
    if (answers.length < fromCache + ran) out.write(out.paint('dim', `  and ${thousands(fromCache + ran - answers.length)} more: name one, as in ${neutralise(answers[0]!.task)}\n`))
    return exitCodes.fine
  }
}
