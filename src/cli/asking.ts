// Asking: commands that ask something of a run, whoever drives it: an answer, a task given up.
// Owns: `--resume`, what is said of what came of it. Does not own: which run is meant (choose-wait.ts), the request (history/ask.ts), going on (`tek resume`).
import { Option } from 'clipanion'
import { neutraliseLine } from '#base/terminal-text.ts'
import type { Host } from '#host/host.ts'
import type { AskSeen } from '#history/ask.ts'
import type { RunRequest } from '#interpreter/journal/journal.ts'
import { SHORT_ID } from '#telemetry/final-lines.ts'
import { answered } from './command.ts'
import { DrivingCommand } from './driving.ts'
import { exitCodes, type ExitCode } from './exit-codes.ts'
import { databasePath, recordedRuns } from './recorded-runs.ts'

export const resumeDetails = 'A run that no process drives keeps it until one does: `--resume` goes on at once, here, with the options of `tek resume`.'

export abstract class AskingCommand extends DrivingCommand {
  resumes = Option.Boolean('--resume', false, { description: 'go on with the run at once, in this process, if no other drives it' })

  /** Puts the request; `words` say what it does: "`deploy` is approved". */
  protected async put(host: Host, runId: string, request: RunRequest, words: string): Promise<ExitCode> {
    await this.driving() // a value that cannot be read is one before anything is recorded
    const { ask } = await import('#tek.ts')
    const seen = answered(await ask(host, databasePath(host.cwd), runId, request))
    const goesOn = this.resumes && seen.kind === 'recorded'
    if (this.json && !goesOn) this.printJson({ version: 1, ...seen, request })
    else if (!this.json && !(goesOn && this.quiet)) {
      // `tek serve` wakes what waits, and neither what a person paused or stopped nor what a killed process left.
      const isWoken = (await recordedRuns(host)).find(each => each.runId === runId)?.state === 'waiting'
      ;(goesOn ? this.context.err : this.context.out).write(`${sentence(seen, words, goesOn, isWoken)}\n`)
    }
    return goesOn ? this.resume(runId) : exitCodes.fine
  }

  private async resume(runId: string): Promise<ExitCode> {
    const { json, quiet, yes, allowAll, unconfined, workers, drain, expires, allow, context } = this
    const flags = Object.entries({ '--json': json, '--quiet': quiet, '--yes': yes, '--allow-all': allowAll, '--unconfined': unconfined }).flatMap(([name, isSet]) => (isSet ? [name] : []))
    const values = Object.entries({ '--workers': workers, '--drain': drain, '--expires': expires }).flatMap(([name, value]) => (value === undefined ? [] : [name, value]))
    return (await context.runCommand(['resume', runId, ...flags, ...values, ...allow.flatMap(grant => ['--allow', grant])])) as ExitCode
  }
}

function sentence(seen: AskSeen, words: string, goesOn: boolean, isWoken: boolean): string {
  const id = seen.runId.slice(0, SHORT_ID)
  if (seen.kind === 'taken') return `${id}: ${words}; process ${seen.pid} goes on with the run.`
  if (seen.kind === 'not-taken') return `${id}: ${words} as soon as process ${seen.pid} on ${neutraliseLine(seen.hostName)} looks; it has not yet.`
  return goesOn ? `${id}: ${words}.` : `${id}: ${words}, and recorded: \`tek resume ${id}\`${isWoken ? ' or `tek serve`' : ''} goes on with the run.`
}
