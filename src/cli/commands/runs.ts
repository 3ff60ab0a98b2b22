// Runs: `tek runs`, the runs recorded in this folder.
import { Option } from 'clipanion'
import { cutToWidth, elapsed, neutralise, neutraliseLine, padToWidth, thousands } from '#base/terminal-text.ts'
import { cliErrors } from '#diagnostics/catalog/cli.ts'
import type { RecordedRun } from '#model/report.ts'
import { SHORT_ID } from '#telemetry/final-lines.ts'
import { clockTime } from '#telemetry/wait-words.ts'
import { CliFailure, TekCommand } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { recordedRuns } from '../recorded-runs.ts'

const DEFAULT_COUNT = 20
const MAX_COUNT = 10_000
const STATE_COLUMNS = 12

export class RunsCommand extends TekCommand {
  static override paths = [['runs']]
  static override usage = {
    description: 'lists the runs recorded in this folder',
    details: [
      'The newest first: running, resumable (`tek resume ID` goes on with it), paused, waiting (for a person or a time; `tek waits` says more), limited (it would stop at',
      'the same limit again), superseded (a run of the changed program took its place), done or failed. `tek show ID` tells about one; the first letters of an id are enough.',
    ].join('\n'),
    examples: [['the newest', 'tek runs'], ['all of them, for programs', 'tek runs --limit 10000 --json']] as [string, string][],
  }
  limit = Option.String('--limit', { description: `how many (default ${DEFAULT_COUNT})` })
  json = Option.Boolean('--json', false, { description: 'print as JSON' })

  override async execute(): Promise<ExitCode> {
    const limit = this.limit === undefined ? DEFAULT_COUNT : Number(this.limit)
    if (!Number.isInteger(limit) || limit < 1 || limit > MAX_COUNT) {
      throw new CliFailure([cliErrors['bad-value']({ option: '--limit', value: this.limit ?? '', allowed: `a whole number from 1 to ${MAX_COUNT}` })], exitCodes.usage)
    }
    const host = await this.context.host()
    const runs = (await recordedRuns(host)).slice(0, limit)
    const { out } = this.context
    if (this.json) {
      this.printJson({ version: 1, runs })
      return exitCodes.fine
    }
    if (runs.length === 0) this.context.err.write('No run is recorded here.\n')
    const nowMs = host.now()
    for (const run of runs) {
      const colour = run.state === 'done' ? 'green' : run.state === 'failed' ? 'red' : 'yellow'
      const when = new Date(run.startedAtMs).toISOString().slice(0, 19).replace('T', ' ')
      const driver = run.driver === null ? '' : ` · process ${run.driver.pid}`
      // They are recorded when a process ends its part: of the first one that goes on, or was killed, nothing is known yet.
      const isCounted = run.tasks.total > 0 || (run.state !== 'running' && run.state !== 'resumable')
      const counts = isCounted ? ` · ${thousands(run.tasks.done)}/${thousands(run.tasks.total)} tasks · ${elapsed(run.elapsedMs)}` : ''
      const text = `${neutralise(run.program)} ${neutralise(run.workflow)}${firstWait(run, nowMs)}${driver}${counts}`
      const head = `${run.runId.slice(0, SHORT_ID)}  ${when}  `
      out.write(`${head}${out.paint(colour, padToWidth(run.state, STATE_COLUMNS))}${cutToWidth(text, out.columns() - head.length - STATE_COLUMNS)}\n`)
    }
    return exitCodes.fine
  }
}

/** What an unfinished run waits for first; a question before a time. */
function firstWait({ state, waits = [] }: RecordedRun, nowMs: number): string {
  const first = waits.find(each => each.kind === 'approval') ?? waits[0]
  if (first === undefined || state === 'done' || state === 'failed' || state === 'superseded') return ''
  const task = neutraliseLine(first.task)
  const until = first.dueMs === null ? '' : `until ${clockTime(first.dueMs, nowMs)}`
  return ` · ${first.kind === 'time' ? `${until}: ${task}` : `${task} asks${until === '' ? '' : ` ${until}`}`}${waits.length > 1 ? ` and ${thousands(waits.length - 1)} more` : ''}`
}
