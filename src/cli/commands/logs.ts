// Logs: `tek logs [RUN]`, what the tools of a run said, and what failed in it.
// Owns: the two forms. Does not own: the lines (interpreter/run-log.ts).
import { Option } from 'clipanion'
import { cutToWidth, displayWidth, neutraliseLine, padToWidth, thousands } from '#base/terminal-text.ts'
import type { LogLine } from '#model/report.ts'
import { answered, TekCommand } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { chooseRun, databasePath, recordedRuns } from '../recorded-runs.ts'

/** Lines that are printed for people; with --json, MAX_JSON_LINES. */
const MAX_SHOWN_LINES = 1_000
const MAX_JSON_LINES = 200_000
const MAX_TASK_COLUMNS = 28

export class LogsCommand extends TekCommand {
  static override paths = [['logs']]
  static override usage = {
    description: 'what the tools of a run said, and what failed in it',
    details: [
      'RUN is the id of a run, or its first letters, or `last`, which is also meant without it.',
      '--task shows one task with its items and what is inside it. With --json each line is an object: `runId`, `task`, `level` (`info`, `warn`, `error`), `atMs`, `message`.',
    ].join('\n'),
    examples: [['the newest run', 'tek logs'], ['one task', 'tek logs last --task test'], ['for programs, one object a line', 'tek logs 4f2a --json']] as [string, string][],
  }
  run = Option.String({ name: 'RUN', required: false })
  task = Option.String('--task', { description: 'only of this task, its items and what is inside it' })
  json = Option.Boolean('--json', false, { description: 'print as JSON, one object a line' })

  override async execute(): Promise<ExitCode> {
    const host = await this.context.host()
    const { runId } = chooseRun(await recordedRuns(host), this.run ?? 'last')
    const { runLog } = await import('#tek.ts')
    const options = { limit: this.json ? MAX_JSON_LINES : MAX_SHOWN_LINES, ...(this.task === undefined ? {} : { task: this.task }) }
    const { lines, total } = answered(await runLog(databasePath(host.cwd), runId, options))
    if (this.json) for (const line of lines) this.context.out.write(`${JSON.stringify({ version: 1, runId, ...line })}\n`)
    else this.print(lines, total)
    return exitCodes.fine
  }

  private print(lines: readonly LogLine[], total: number): void {
    const { out, err } = this.context
    if (total === 0) err.write('Nothing was said and nothing failed.\n')
    if (total > lines.length) err.write(`The last ${thousands(lines.length)} of ${thousands(total)} lines; \`--json\` prints more.\n`)
    const width = Math.min(MAX_TASK_COLUMNS, Math.max(0, ...lines.map(each => displayWidth(neutraliseLine(each.task)))))
    for (const { atMs, level, task, message } of lines) {
      const when = new Date(atMs).toISOString().slice(11, 23)
      const colour = level === 'error' ? 'red' : level === 'warn' ? 'yellow' : 'dim'
      out.write(`${when}  ${out.paint(colour, level.padEnd(5))}  ${padToWidth(cutToWidth(neutraliseLine(task), width), width)}  ${neutraliseLine(message)}\n`)
    }
  }
}
