// Runs: `tek runs`, the runs recorded in this folder.
import { Option } from 'clipanion'
import { cutToWidth, elapsed, neutralise, padToWidth, thousands } from '#base/terminal-text.ts'
import { cliErrors } from '#diagnostics/catalog/cli.ts'
import { SHORT_ID } from '#telemetry/final-lines.ts'
import { CliFailure, TekCommand } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { recordedRuns } from '../recorded-runs.ts'

const DEFAULT_COUNT = 20
const MAX_COUNT = 10_000
const STATE_COLUMNS = 10

export class RunsCommand extends TekCommand {
  static override paths = [['runs']]
  static override usage = {
    description: 'lists the runs recorded in this folder',
    details: 'The newest first: running, resumable (`tek resume ID` goes on with it), limited (it would stop at the same limit again), done or failed. `tek show ID` tells about one; the first letters of an id are enough.',
    examples: [['the newest', 'tek runs'], ['all of them, for programs', 'tek runs --limit 10000 --json']] as [string, string][],
  }
  limit = Option.String('--limit', { description: `how many (default ${DEFAULT_COUNT})` })
  json = Option.Boolean('--json', false, { description: 'print as JSON' })

  override async execute(): Promise<ExitCode> {
    const limit = this.limit === undefined ? DEFAULT_COUNT : Number(this.limit)
    if (!Number.isInteger(limit) || limit < 1 || limit > MAX_COUNT) {
      throw new CliFailure([cliErrors['bad-value']({ option: '--limit', value: this.limit ?? '', allowed: `a whole number from 1 to ${MAX_COUNT}` })], exitCodes.usage)
    }
    const runs = (await recordedRuns(await this.context.host())).slice(0, limit)
    const { out } = this.context
    if (this.json) {
      this.printJson({ version: 1, runs })
      return exitCodes.fine
    }
    if (runs.length === 0) this.context.err.write('No run is recorded here.\n')
    for (const run of runs) {
      const colour = run.state === 'done' ? 'green' : run.state === 'failed' ? 'red' : 'yellow'
      const when = new Date(run.startedAtMs).toISOString().slice(0, 19).replace('T', ' ')
      const text = `${neutralise(run.program)} ${neutralise(run.workflow)} · ${thousands(run.tasks.done)}/${thousands(run.tasks.total)} tasks · ${elapsed(run.elapsedMs)}${run.driver === null ? '' : ` · process ${run.driver.pid}`}`
      const head = `${run.runId.slice(0, SHORT_ID)}  ${when}  `
      out.write(`${head}${out.paint(colour, padToWidth(run.state, STATE_COLUMNS))}${cutToWidth(text, out.columns() - head.length - STATE_COLUMNS)}\n`)
    }
    return exitCodes.fine
  }
}
