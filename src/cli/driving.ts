// Driving: what commands share that carry out a run in front of somebody: begun, gone on with, forked, answered.
// Owns: their options, reading the values before anything is done. Does not own: what a run looks like (live-run.ts).
import { Option } from 'clipanion'
import { cliErrors } from '#diagnostics/catalog/cli.ts'
import { elapsed } from '#base/terminal-text.ts'
import type { Host } from '#host/host.ts'
import type { Cassette } from '#model/cassette.ts'
import type { Recorder } from './cassettes.ts'
import { CliFailure } from './command.ts'
import { exitCodes } from './exit-codes.ts'
import { PermittedCommand } from './permission.ts'
import { shownPath } from './source-files.ts'

const MAX_WORKERS = 256
/** Longest time that what runs may be given to end. */
const MAX_DRAIN_MS = 24 * 3_600_000

export interface DrivingOptions {
  readonly json: boolean
  readonly quiet: boolean
  /** Null: as the machine says. */
  readonly workers: number | null
  /** Every question is answered with yes. */
  readonly yes: boolean
  /** Null: the usual time. */
  readonly drainMs: number | null
}

/** What a run is recorded to, and answered from. */
export interface Recording {
  readonly recorder: Recorder | null
  readonly replayed: Cassette | null
}

export abstract class DrivingCommand extends PermittedCommand {
  json = Option.Boolean('--json', false, { description: 'print events as JSON, one a line, instead of the result' })
  quiet = Option.Boolean('--quiet', false, { description: 'print nothing but the result and failures, and ask nothing' })
  workers = Option.String('--workers', { description: 'most threads for heavy work (default: one a processor)' })
  yes = Option.Boolean('--yes', false, { description: 'answer every question of the run with yes; recorded as answered by --yes' })
  record = Option.String('--record', { description: 'write what models are asked and answer to this file, a cassette; see docs/testing.md' })
  replay = Option.String('--replay', { description: 'let models answer as recorded in this cassette: none is reached, and no key is read' })
  drain = Option.String('--drain', { description: 'how long calls under way may take to end after SIGTERM: 30s, 5m (default: 1s)' })

  /** What `--record` and `--replay` say, found before anything is run. */
  protected async recording(host: Host): Promise<Recording> {
    const { record, replay, quiet, json } = this
    if (record === undefined && replay === undefined) return { recorder: null, replayed: null }
    if (record !== undefined && replay !== undefined) throw new CliFailure([cliErrors['unfit-option']({ option: '--record', fits: 'without', other: '--replay' })], exitCodes.usage)
    const { openCassette, recorderTo } = await import('./cassettes.ts')
    if (replay !== undefined) return { recorder: null, replayed: await openCassette(host, shownPath(this.context.cwd, replay)) }
    return { recorder: await recorderTo(this.context, host, record!, quiet || json), replayed: null }
  }

  /** The values of the options; a usage failure for one that cannot be read. */
  protected async driving(): Promise<DrivingOptions> {
    const { json, quiet, yes } = this
    return { json, quiet, yes, workers: this.workerCount(), drainMs: await this.drainTime() }
  }

  private workerCount(): number | null {
    if (this.workers === undefined) return null
    const count = Number(this.workers)
    if (Number.isInteger(count) && count >= 0 && count <= MAX_WORKERS) return count
    throw new CliFailure([cliErrors['bad-value']({ option: '--workers', value: this.workers, allowed: `a whole number from 0 to ${MAX_WORKERS}` })], exitCodes.usage)
  }

  private async drainTime(): Promise<number | null> {
    if (this.drain === undefined) return null
    const { parseArgument } = await import('#types/codec.ts')
    const read = parseArgument({ kind: 'duration' }, this.drain)
    if ('value' in read && typeof read.value === 'number' && read.value >= 0 && read.value <= MAX_DRAIN_MS) return read.value
    throw new CliFailure([cliErrors['bad-value']({ option: '--drain', value: this.drain, allowed: `a time such as 500ms, 30s or 5m, at most ${elapsed(MAX_DRAIN_MS)}` })], exitCodes.usage)
  }
}
