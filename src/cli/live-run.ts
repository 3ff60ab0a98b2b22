// Live run: a run in front of somebody, begun or gone on with: progress, result, what its end means to the shell.
// Owns: which listener shows it, Ctrl-C, the last lines. Does not own: running (tek.ts) or drawing progress (telemetry).
//   R1. The result alone goes to standard output; progress, logs and failures go to standard error.
//   R2. Ctrl-C once stops gracefully and says how to go on; twice ends at once; both exit with 130. SIGTERM is a kill switch: 5.
import type { Host } from '#host/host.ts'
import type { RunSummary } from '#model/report.ts'
import type { Answer, DriveOptions } from '#tek.ts'
import { consoleListener } from '#telemetry/console.ts'
import { SHORT_ID } from '#telemetry/final-lines.ts'
import type { RunListener } from '#telemetry/listener.ts'
import { ndjsonListener } from '#telemetry/ndjson.ts'
import { plainListener } from '#telemetry/plain.ts'
import { cliErrors } from '#diagnostics/catalog/cli.ts'
import { answered, CliFailure, type CliContext } from './command.ts'
import { exitCodes, type ExitCode } from './exit-codes.ts'
import { exitCodeOf, printFailure } from './failure.ts'
import { tekVersion } from './install-place.ts'
import { Interrupt } from './interrupt.ts'
import { printValue } from './print-value.ts'

const TICK_MS = 250
const MAX_WORKERS = 256

export interface LiveOptions {
  readonly json: boolean
  readonly quiet: boolean
  /** The value of `--workers`. */
  readonly workers: string | undefined
  /** Whether the run can be gone on with afterwards. */
  readonly isKept: boolean
}

/** Shows a run from here to its end. */
export async function liveRun(context: CliContext, host: Host, options: LiveOptions, go: (options: DriveOptions) => Promise<Answer<RunSummary>>): Promise<ExitCode> {
  const workers = workerCount(options.workers)
  const listener = listenerFor(context, host, options)
  const interrupt = new Interrupt(context.err)
  const ticker = setInterval(() => listener.tick(), TICK_MS)
  let summary: RunSummary
  try {
    summary = answered(await go({ ...(workers === null ? {} : { workers }), tekVersion: tekVersion(), onNotice: notice => listener.notice(notice), signal: interrupt.signal }))
  } finally {
    clearInterval(ticker)
    listener.close()
    interrupt.close()
  }
  if (!options.json) finish(context, summary, options.isKept)
  return exitCodeOf(summary, interrupt.wasAsked && interrupt.exitCode === exitCodes.interrupted)
}

export function workerCount(text: string | undefined): number | null {
  if (text === undefined) return null
  const count = Number(text)
  if (!Number.isInteger(count) || count < 0 || count > MAX_WORKERS) {
    throw new CliFailure([cliErrors['bad-value']({ option: '--workers', value: text, allowed: `a whole number from 0 to ${MAX_WORKERS}` })], exitCodes.usage)
  }
  return count
}

function listenerFor({ out, err, env }: CliContext, host: Host, { json, quiet, isKept }: LiveOptions): RunListener {
  if (json) return ndjsonListener(text => out.write(text))
  if (quiet) return { notice: () => {}, tick: () => {}, close: () => {} }
  return err.isTerminal && env['TERM'] !== 'dumb' ? consoleListener(err, () => host.monotonic(), isKept) : plainListener(err, isKept)
}

function finish({ out, err }: CliContext, { outcome, status, runId }: RunSummary, isKept: boolean): void {
  if (outcome?.kind === 'value') printValue(out, outcome.value) // R1
  if (outcome?.kind !== 'failure') return
  if (status !== 'stopped') return printFailure(err, outcome.failure)
  const { help, ...bare } = outcome.failure // it says what is kept
  printFailure(err, isKept ? outcome.failure : bare)
  const canGoOn = bare.code !== 'run/limit-reached' || bare.retryable // a limit of tasks or calls holds again
  if (!isKept) err.write('Nothing was kept: the run had no journal.\n')
  else if (canGoOn) err.write(`\`tek resume ${runId.slice(0, SHORT_ID)}\` goes on with it.\n`) // R2
}
