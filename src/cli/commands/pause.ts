// Pause: `tek pause`, a run that begins nothing new until it is resumed.
// Owns: which runs are meant, what is said of each. Does not own: pausing (history/ask.ts, interpreter).
import { Option } from 'clipanion'
import { neutraliseLine } from '#base/terminal-text.ts'
import { cliErrors } from '#diagnostics/catalog/cli.ts'
import type { PauseSeen } from '#history/ask.ts'
import type { RecordedRun } from '#model/report.ts'
import { SHORT_ID } from '#telemetry/final-lines.ts'
import { answered, CliFailure, TekCommand } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { chooseRun, databasePath, recordedRuns } from '../recorded-runs.ts'
import { agentOption, steer } from '../steering.ts'

export class PauseCommand extends TekCommand {
  static override paths = [['pause']]
  static override usage = {
    description: 'lets a run finish what it is at, and begin nothing new',
    details: [
      'RUN is the id of a run, or its first letters, or `last`; without it, the only run that goes on.',
      'Its process ends when what runs is finished. Only `tek resume` goes on with a paused run: an answer or a time that is due wakes it no more.',
      'With --agent, nothing new is asked of that agent, and everything else goes on; `tek resume --agent` lets it go on.',
      '`tek stop` is the kill switch: it ends what runs as well.',
    ].join('\n'),
    examples: [['the only run', 'tek pause'], ['a run', 'tek pause 4f2a'], ['every run of this folder', 'tek pause --all'], ['one agent of the only run', 'tek pause --agent triage']] as [string, string][],
  }
  run = Option.String({ name: 'RUN', required: false })
  all = Option.Boolean('--all', false, { description: 'every run of this folder that goes on or waits' })
  agent = Option.String('--agent', agentOption)
  json = Option.Boolean('--json', false, { description: 'print as JSON' })

  override async execute(): Promise<ExitCode> {
    const { out, err } = this.context
    const host = await this.context.host()
    if (this.agent !== undefined) {
      if (this.all) throw new CliFailure([cliErrors['unfit-option']({ option: '--all', fits: 'without', other: '--agent' })], exitCodes.usage)
      return steer(this.context, host, { does: 'pause', agent: this.agent, run: this.run, json: this.json })
    }
    const runs = await recordedRuns(host)
    const chosen = this.choose(runs)
    const waiting = runs.filter(each => each.state === 'waiting').length
    if (chosen.length === 0 && !this.json) err.write(`Nothing is running here.${waiting === 0 ? '' : ` What waits is kept from being woken by \`tek pause RUN\`${waiting === 1 ? '' : ' or `tek pause --all`'}: \`tek waits\` lists it.`}\n`)
    const { pause } = await import('#tek.ts')
    const seen = chosen.length === 0 ? [] : answered(await pause(host, databasePath(host.cwd), chosen.map(each => each.runId)))
    if (this.json) this.printJson({ version: 1, runs: seen })
    else for (const each of seen) out.write(`${sentence(each)}\n`)
    return exitCodes.fine
  }

  private choose(runs: readonly RecordedRun[]): readonly RecordedRun[] {
    if (this.run !== undefined && this.all) throw new CliFailure([cliErrors['too-many-arguments']({ command: 'pause --all', extra: this.run })], exitCodes.usage)
    if (this.run !== undefined) return [chooseRun(runs, this.run)]
    if (this.all) return runs.filter(each => each.state === 'running' || each.state === 'waiting')
    const running = runs.filter(each => each.state === 'running')
    if (running.length > 1) throw new CliFailure([cliErrors['several-running']({ command: 'pause', runs: running.slice(0, 5).map(each => each.runId.slice(0, SHORT_ID)) })], exitCodes.usage)
    return running
  }
}

function sentence(seen: PauseSeen): string {
  const id = seen.runId.slice(0, SHORT_ID)
  switch (seen.kind) {
    case 'taken':
      return `${id} begins nothing new: process ${seen.pid} finishes what runs, then ends. \`tek resume ${id}\` goes on with it.`
    case 'not-taken':
      return `${id} is to pause as soon as process ${seen.pid} on ${neutraliseLine(seen.hostName)} looks; it has not yet.`
    case 'paused':
    case 'recorded':
      return `${id} is paused. \`tek resume ${id}\` goes on with it.`
    default:
      return `${id} is not running.`
  }
}
