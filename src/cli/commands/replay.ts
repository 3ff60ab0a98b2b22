// Replay: `tek replay RUN`, a recorded run carried out again from its journal, and compared.
// Owns: the two forms, the exit code. Does not own: replaying (interpreter/replay.ts).
import { Option } from 'clipanion'
import { cutToWidth, displayWidth, neutralise, neutraliseLine, padToWidth, thousands } from '#base/terminal-text.ts'
import type { ReplayDifference } from '#model/report.ts'
import type { Outcome } from '#model/event.ts'
import type { RunReport } from '#model/report.ts'
import { SHORT_ID } from '#telemetry/final-lines.ts'
import { answered, TekCommand } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { chooseRun, databasePath, recordedRuns } from '../recorded-runs.ts'

const MAX_TASK_COLUMNS = 40
const MAX_TASKS = 500
const MAX_VALUE_LENGTH = 2_000
const SHOWN_HASH = 16

export class ReplayCommand extends TekCommand {
  static override paths = [['replay']]
  static override usage = {
    description: 'carries a recorded run out again from its journal, and compares',
    details: [
      'RUN is the id of a run, or its first letters, or `last`. Nothing is touched: what tools answered comes from the record, every expression is evaluated again.',
      'It says that all values are the same, or names the first task whose value is not, and then exits with 1.',
      '--to TASK stops at the end of a task and shows the values there.',
    ].join('\n'),
    examples: [['is it the same?', 'tek replay last'], ['the values when a task had ended', 'tek replay last --to scan'], ['for programs', 'tek replay 4f2a --json']] as [string, string][],
  }
  run = Option.String({ name: 'RUN' })
  to = Option.String('--to', { description: 'stop at the end of this task and show the values there' })
  json = Option.Boolean('--json', false, { description: 'print as JSON' })

  override async execute(): Promise<ExitCode> {
    const host = await this.context.host()
    const { runId } = chooseRun(await recordedRuns(host), this.run)
    const { replay } = await import('#tek.ts')
    const found = answered(await replay(host, databasePath(host.cwd), runId, this.to))
    const { out } = this.context
    if (this.json) this.printJson({ version: 1, same: found.difference === null, ...found, state: found.state === null ? null : found.state.tasks })
    else {
      if (found.state !== null) out.write(stateLines(found.state, out.columns()).map(each => `${each}\n`).join(''))
      const fed = `${thousands(found.calls)} recorded ${found.calls === 1 ? 'answer' : 'answers'} fed back`
      if (found.difference === null) out.write(`${out.paint('green', 'the same')} · run ${runId.slice(0, SHORT_ID)} · ${thousands(found.values)} ${found.values === 1 ? 'value' : 'values'}, ${fed} · ${found.hash.slice(0, SHOWN_HASH)}\n`)
      else out.write(`${out.paint('red', 'not the same')} · run ${runId.slice(0, SHORT_ID)} · after ${thousands(found.values)} values, ${fed}\n${differenceLines(found.difference).join('\n')}\n`)
    }
    return found.difference === null ? exitCodes.fine : exitCodes.failed
  }
}

function differenceLines({ task, part, words, recorded, replayed }: ReplayDifference): string[] {
  return [
    `  task ${neutraliseLine(task)}, ${part}: ${neutraliseLine(words)}`,
    ...(recorded === null ? [] : [`  recorded: ${shown(recorded)}`]),
    ...(replayed === null ? [] : [`  replayed: ${shown(replayed)}`]),
  ]
}

function shown(outcome: Outcome): string {
  const text = outcome.kind === 'value' ? JSON.stringify(outcome.value) : `${outcome.failure.code}: ${outcome.failure.message}`
  return neutraliseLine(text.length <= MAX_VALUE_LENGTH ? text : `${text.slice(0, MAX_VALUE_LENGTH - 1)}…`)
}

/** What each task had come to. */
function stateLines({ tasks }: RunReport, columns: number): string[] {
  const width = Math.min(MAX_TASK_COLUMNS, Math.max(0, ...tasks.map(each => displayWidth(neutralise(each.path)))))
  const lines = tasks.slice(0, MAX_TASKS).map(({ path, status, outcome }) => cutToWidth(`  ${status.padEnd(9)} ${padToWidth(cutToWidth(neutralise(path), width), width)}  ${outcome === null ? '' : shown(outcome)}`.trimEnd(), columns))
  return tasks.length > MAX_TASKS ? [...lines, `  and ${thousands(tasks.length - MAX_TASKS)} more tasks (--json lists all)`] : lines
}
