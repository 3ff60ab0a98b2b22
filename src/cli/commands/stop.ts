// Stop: `tek stop`, a kill switch for runs of this folder.
// Owns: which runs are meant, what is said of each. Does not own: how a process is asked (tek.ts).
import { Option } from 'clipanion'
import { neutralise } from '#base/terminal-text.ts'
import { cliErrors } from '#diagnostics/catalog/cli.ts'
import type { Host } from '#host/host.ts'
import type { RecordedRun, StopSeen } from '#model/report.ts'
import { SHORT_ID } from '#telemetry/final-lines.ts'
import { answered, CliFailure, TekCommand } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { chooseRun, databasePath, recordedRuns } from '../recorded-runs.ts'
import { agentOption, steer } from '../steering.ts'

export class StopCommand extends TekCommand {
  static override paths = [['stop']]
  static override usage = {
    description: 'stops a run or a loop that goes on in another process',
    details: [
      'RUN is the id of a run, or its first letters, or `last`; without it, the only run that goes on.',
      'The name of a loop stops that loop, with the cycle it is in; `tek run FILE LOOP` goes on with both.',
      'It asks the process to stop. One that does not answer in time (it is blocked, or suspended) is ended with everything it has started, all within',
      'two seconds. It says what it saw. The run can be resumed.',
      'With --agent, that agent alone: its conversations are given up, and its further tasks fail with `agent/stopped`; `on failure` applies, and the run goes on.',
      'A file .tek/STOP stops every run of this folder, and keeps others from beginning until it is removed.',
    ].join('\n'),
    examples: [['the only run', 'tek stop'], ['a run', 'tek stop 4f2a'], ['every run of this folder', 'tek stop --all'], ['one agent of the only run', 'tek stop --agent triage']] as [string, string][],
  }
  run = Option.String({ name: 'RUN', required: false })
  all = Option.Boolean('--all', false, { description: 'every run of this folder' })
  agent = Option.String('--agent', agentOption)
  json = Option.Boolean('--json', false, { description: 'print as JSON' })

  override async execute(): Promise<ExitCode> {
    const { out, err } = this.context
    const host = await this.context.host()
    if (this.agent !== undefined) {
      if (this.all) throw new CliFailure([cliErrors['unfit-option']({ option: '--all', fits: 'without', other: '--agent' })], exitCodes.usage)
      return steer(this.context, host, { does: 'stop', agent: this.agent, run: this.run, json: this.json })
    }
    const loop = this.run === undefined || this.all ? null : await this.loop(host, this.run)
    if (loop !== null) return loop
    const chosen = this.choose(await recordedRuns(host))
    if (chosen.length === 0 && !this.json) err.write('Nothing is running here.\n')
    const { stop } = await import('#tek.ts')
    const seen = chosen.length === 0 ? [] : answered(await stop(host, databasePath(host.cwd), chosen.map(each => each.runId)))
    const goingOn = seen.flatMap(each => (each.kind === 'going-on' ? [cliErrors['still-running']({ run: each.runId.slice(0, SHORT_ID), pid: each.pid, hostName: neutralise(each.hostName) })] : []))
    if (this.json) this.printJson({ version: 1, runs: seen })
    else for (const each of seen) if (each.kind !== 'going-on') out.write(`${sentence(each, chosen.some(run => run.runId === each.runId && run.state === 'waiting'))}\n`)
    if (goingOn.length === 0) return exitCodes.fine
    if (this.json) return exitCodes.failed
    throw new CliFailure(goingOn, exitCodes.failed)
  }

  /** A loop of that name, asked to end; null where there is none. */
  private async loop(host: Host, name: string): Promise<ExitCode | null> {
    if (/^(?:last|[0-9a-f]{1,12})$/.test(name) || (await host.files.stat(databasePath(host.cwd))) === null) return null
    const { isLoop, stopLoop } = await import('#loops/loop-records.ts')
    if (!answered(await isLoop(databasePath(host.cwd), name))) return null
    const { row, isDriven, runId } = answered(await stopLoop(host, databasePath(host.cwd), name))
    const { stop } = await import('#tek.ts')
    const seen = isDriven && runId !== null ? answered(await stop(host, databasePath(host.cwd), [runId])) : []
    if (this.json) this.printJson({ version: 1, loop: row.name, program: row.program, wasDriven: isDriven, runs: seen })
    else this.context.out.write(isDriven ? `${neutralise(row.name)} is stopping. \`tek run ${neutralise(row.program)} ${neutralise(row.name)}\` goes on with it.\n` : `${neutralise(row.name)} is not running.\n`)
    return exitCodes.fine
  }

  private choose(runs: readonly RecordedRun[]): readonly RecordedRun[] {
    if (this.run !== undefined && this.all) throw new CliFailure([cliErrors['too-many-arguments']({ command: 'stop --all', extra: this.run })], exitCodes.usage)
    if (this.run !== undefined) return [chooseRun(runs, this.run)]
    const running = runs.filter(each => each.state === 'running')
    if (!this.all && running.length > 1) throw new CliFailure([cliErrors['several-running']({ command: 'stop', runs: running.slice(0, 5).map(each => each.runId.slice(0, SHORT_ID)) })], exitCodes.usage)
    return running
  }
}

function sentence(seen: Exclude<StopSeen, { kind: 'going-on' }>, isWaiting: boolean): string {
  const id = seen.runId.slice(0, SHORT_ID)
  if (seen.kind === 'killed') {
    const others = seen.processes === 0 ? '' : ` with ${seen.processes} ${seen.processes === 1 ? 'process' : 'processes'} that it had started`
    return `${id} did not answer, so its process ${seen.pid} was ended${others}. \`tek resume ${id}\` goes on with it.`
  }
  if (seen.kind === 'ended') return `${id} has stopped, and its process ${seen.pid} has ended. \`tek resume ${id}\` goes on with it.`
  return isWaiting ? `${id} is not running: it waits. \`tek pause ${id}\` keeps it from being gone on with.` : `${id} is not running.`
}
