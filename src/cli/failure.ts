// Failure: why a run did not give its result, for people, and as an exit code.
// Owns: the mapping of codes to exit codes. Does not own: codes.
import { neutralise, neutraliseLine } from '#base/terminal-text.ts'
import type { Failure } from '#model/event.ts'
import type { RunSummary } from '#model/report.ts'
import { exitCodes, type ExitCode } from './exit-codes.ts'
import { hasErrorPage } from './install-place.ts'
import type { Output } from './terminal.ts'

const MAX_DETAIL_LINES = 20

export function printFailure(err: Output, failure: Failure): void {
  const { paint } = err
  const [first = '', ...rest] = neutralise(failure.message).split('\n')
  const lines = [`${paint('red', paint('bold', `error ${failure.code}`))}${paint('bold', `: ${first}`)}`]
  lines.push(...rest.slice(0, MAX_DETAIL_LINES).map(line => `  ${paint('blue', '|')} ${line}`)) // no line of a message passes for one of ours
  if (failure.task !== '') lines.push(`  ${paint('blue', '-->')} task ${neutraliseLine(failure.task)}`)
  if (failure.details) {
    const details = neutralise(failure.details).trimEnd().split('\n')
    lines.push(...details.slice(-MAX_DETAIL_LINES).map(line => `  ${paint('blue', '|')} ${line}`))
  }
  if (failure.help) lines.push(`  ${paint('blue', '=')} ${paint('bold', 'help:')} ${neutraliseLine(failure.help)}`)
  // A plugin's own codes have no page.
  if (hasErrorPage(failure.code)) lines.push(paint('dim', `  tek explain ${failure.code} says more`))
  err.write(`${lines.join('\n')}\n`)
}

/** What a run's end means to the shell. */
export function exitCodeOf(summary: RunSummary, interrupted: boolean): ExitCode {
  if (summary.status === 'done' && summary.outcome?.kind !== 'failure') return exitCodes.fine
  if (summary.status === 'waiting' || summary.status === 'paused') return exitCodes.waits
  if (interrupted && summary.status === 'stopped') return exitCodes.interrupted
  if (summary.status === 'stopped') return exitCodes.stopped
  return summary.outcome?.kind === 'failure' ? exitCodeOfFailure(summary.outcome.failure) : exitCodes.failed
}

export function exitCodeOfFailure(failure: Pick<Failure, 'code'>): ExitCode {
  if (failure.code.startsWith('permit/')) return exitCodes.notPermitted
  if (failure.code.startsWith('limit/') || stopped.has(failure.code)) return exitCodes.stopped
  return exitCodes.failed
}

/** Codes outside the family `limit` that say a limit or a kill switch ended the run. */
const stopped = new Set(['run/limit-reached', 'run/too-many-tasks', 'run/stop-file'])
