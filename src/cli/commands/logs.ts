// Logs: `tek logs [RUN]`, what the tools of a run said, and what failed in it.
// Owns: the two forms. Does not own: the lines (interpreter/run-log.ts), following them (history/follow.ts).
import { Option } from 'clipanion'
import { cutToWidth, displayWidth, neutraliseLine, padToWidth, thousands } from '#base/terminal-text.ts'
import type { Host } from '#host/host.ts'
import type { LogLine, RecordedRun } from '#model/report.ts'
import { finalLines, SHORT_ID } from '#telemetry/final-lines.ts'
import { logLineJson } from '#telemetry/log-json.ts'
import { waitWords } from '#telemetry/wait-words.ts'
import { answered, TekCommand } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { chooseRun, databasePath, recordedRuns } from '../recorded-runs.ts'

/** Lines that are printed for people; with --json, MAX_JSON_LINES. */
const MAX_SHOWN_LINES = 1_000
const MAX_JSON_LINES = 200_000
const MAX_TASK_COLUMNS = 28
/** Lines from before that `--follow` begins with. */
const MAX_FIRST_LINES = 100
/** Waits that are named where a run pauses. */
const MAX_SHOWN_WAITS = 5
/** Columns of a task's name where the names to come are not known. */
const FOLLOWED_TASK_COLUMNS = 16

export class LogsCommand extends TekCommand {
  static override paths = [['logs']]
  static override usage = {
    description: 'what the tools of a run said, and what failed in it',
    details: [
      'RUN is the id of a run, or its first letters, or `last`, which is also meant without it.',
      '--follow goes on with the lines to come, whichever process drives the run, also when it stops and is resumed; it ends with the run, or with Ctrl-C.',
      '--task shows one task with its items and what is inside it. With --json each line is an object; its schema is docs/schema/log-line.schema.json.',
    ].join('\n'),
    examples: [['the newest run', 'tek logs'], ['what it says from now on', 'tek logs --follow'], ['one task', 'tek logs last --task test'], ['for programs, one object a line', 'tek logs 4f2a --json']] as [string, string][],
  }
  run = Option.String({ name: 'RUN', required: false })
  task = Option.String('--task', { description: 'only of this task, its items and what is inside it' })
  follow = Option.Boolean('--follow,-f', false, { description: 'go on with the lines to come, until the run is finished' })
  json = Option.Boolean('--json', false, { description: 'print as JSON, one object a line' })

  override async execute(): Promise<ExitCode> {
    const host = await this.context.host()
    const { runId } = chooseRun(await recordedRuns(host), this.run ?? 'last')
    if (this.follow) return this.followed(host, runId)
    const { runLog } = await import('#tek.ts')
    const options = { limit: this.json ? MAX_JSON_LINES : MAX_SHOWN_LINES, ...(this.task === undefined ? {} : { task: this.task }) }
    const { lines, total } = answered(await runLog(databasePath(host.cwd), runId, options))
    if (this.json) this.printObjects(runId, lines)
    else this.print(lines, total)
    return exitCodes.fine
  }

  private async followed(host: Host, runId: string): Promise<ExitCode> {
    const { err } = this.context
    const { followLog } = await import('#tek.ts')
    const onLines = (lines: readonly LogLine[]): void => (this.json ? this.printObjects(runId, lines) : this.printLines(lines, FOLLOWED_TASK_COLUMNS))
    const onState = (run: RecordedRun): void => {
      if (!this.json && run.state !== 'running' && run.state !== 'done' && run.state !== 'failed') for (const line of pausedLines(run)) err.write(`${line}\n`)
    }
    const task = this.task === undefined ? {} : { task: this.task }
    const run = answered(await followLog(host, databasePath(host.cwd), runId, { ...task, last: this.json ? MAX_JSON_LINES : MAX_FIRST_LINES, onLines, onState }))
    if (!this.json) err.write(`${finalLines(run, err.paint).join('\n')}\n`)
    return exitCodes.fine
  }

  private printObjects(runId: string, lines: readonly LogLine[]): void {
    for (const line of lines) this.context.out.write(logLineJson(runId, line))
  }

  private print(lines: readonly LogLine[], total: number): void {
    const { err } = this.context
    if (total === 0) err.write('Nothing was said and nothing failed.\n')
    if (total > lines.length) err.write(`The last ${thousands(lines.length)} of ${thousands(total)} lines; \`--json\` prints more.\n`)
    this.printLines(lines, Math.min(MAX_TASK_COLUMNS, Math.max(0, ...lines.map(each => displayWidth(neutraliseLine(each.task))))))
  }

  private printLines(lines: readonly LogLine[], width: number): void {
    const { out } = this.context
    for (const { atMs, level, task, message } of lines) {
      const when = new Date(atMs).toISOString().slice(11, 23)
      const colour = level === 'error' ? 'red' : level === 'warn' ? 'yellow' : 'dim'
      out.write(`${when}  ${out.paint(colour, level.padEnd(5))}  ${padToWidth(cutToWidth(neutraliseLine(task), width), width)}  ${neutraliseLine(message)}\n`)
    }
  }
}

/** How a run stands that nobody drives now, and may be gone on with. */
function pausedLines(run: RecordedRun): string[] {
  const id = run.runId.slice(0, SHORT_ID)
  const waits = (run.waits ?? []).slice(0, MAX_SHOWN_WAITS).map(each => `  ${waitWords(each)}`)
  return [`${id} is ${run.state}: what it says when it goes on follows here.`, ...waits]
}
