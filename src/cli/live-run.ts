// Live run: a run in front of somebody, begun or gone on with: progress, questions, result, what its end means to the shell.
// Owns: which listener shows it, who is asked, Ctrl-C, the last lines. Does not own: running (tek.ts), drawing progress (telemetry), asking (ask-person.ts).
//   R1. The result alone goes to standard output; progress, questions, logs and failures go to standard error.
//   R2. Ctrl-C once stops gracefully and says how to go on; twice ends at once; both exit with 130. SIGTERM is a kill switch: 5.
//   R3. Where somebody can be asked the run stays while they may still answer, and asks; elsewhere it ends, waits without a process, and says how it is answered: 6.
import { runErrors } from '#diagnostics/catalog/run.ts'
import type { Host } from '#host/host.ts'
import type { Journal } from '#interpreter/journal/journal.ts'
import type { RunNotice, RunSummary, Wait } from '#model/report.ts'
import type { Answer, DriveOptions } from '#tek.ts'
import { consoleListener } from '#telemetry/console.ts'
import { SHORT_ID } from '#telemetry/final-lines.ts'
import { heldListener, type HeldListener } from '#telemetry/held.ts'
import type { RunListener } from '#telemetry/listener.ts'
import { ndjsonListener } from '#telemetry/ndjson.ts'
import { plainListener } from '#telemetry/plain.ts'
import { AskPerson } from './ask-person.ts'
import { answered, type CliContext } from './command.ts'
import type { DrivingOptions } from './driving.ts'
import { exitCodes, type ExitCode } from './exit-codes.ts'
import { exitCodeOf, printFailure } from './failure.ts'
import { tekVersion } from './install-place.ts'
import { Interrupt } from './interrupt.ts'
import { isTerminal } from './permission.ts'
import { printValue } from './print-value.ts'
import { LineReader } from './read-line.ts'
import { waitingLines } from './waiting-lines.ts'
import { whoDid } from './who.ts'

const TICK_MS = 250

export interface LiveOptions extends DrivingOptions {
  /** Where the run is recorded; a journal in memory cannot be gone on with afterwards. */
  readonly database: string | Journal
}

/** Shows a run from here to its end. */
export async function liveRun(context: CliContext, host: Host, options: LiveOptions, go: (options: DriveOptions) => Promise<Answer<RunSummary>>): Promise<ExitCode> {
  const isKept = typeof options.database === 'string'
  const { workers, drainMs, yes } = options
  const listener = heldListener(listenerFor(context, host, options, isKept))
  const person = personFor(context, host, options, listener)
  const interrupt = new Interrupt(context.err, drainMs)
  const ticker = setInterval(() => listener.tick(), TICK_MS)
  const onNotice = (notice: RunNotice): void => {
    listener.notice(notice)
    person?.notice(notice)
  }
  // Without a journal it is lost with this process: a time is waited for. // R3
  const waitsLive = (waits: readonly Wait[]): boolean => person?.attends(waits) === true || (!isKept && waits.some(each => each.dueMs !== null))
  let summary: RunSummary
  try {
    const more = { ...(workers === null ? {} : { workers }), ...(drainMs === null ? {} : { drainMs }) }
    summary = answered(await go({ ...more, tekVersion: tekVersion(), onNotice, signal: interrupt.signal, waitsLive, answerAll: yes }))
  } finally {
    clearInterval(ticker)
    person?.close()
    listener.close()
    interrupt.close()
  }
  if (!options.json) finish(context, summary, isKept)
  return exitCodeOf(summary, interrupt.wasAsked && interrupt.exitCode === exitCodes.interrupted)
}

function listenerFor({ out, err, env }: CliContext, host: Host, { json, quiet }: LiveOptions, isKept: boolean): RunListener {
  if (json) return ndjsonListener(text => out.write(text))
  if (quiet) return { notice: () => {}, tick: () => {}, close: () => {} }
  return err.isTerminal && env['TERM'] !== 'dumb' ? consoleListener(err, () => host.monotonic(), isKept) : plainListener(err, isKept)
}

/** Who is asked here; null: nobody. */
function personFor(context: CliContext, host: Host, { json, quiet, yes, database }: LiveOptions, listener: HeldListener): AskPerson | null {
  if (json || quiet || yes || !isTerminal(context)) return null
  return new AskPerson({
    err: context.err, reader: new LineReader(context.stdin), listener, by: whoDid('terminal'), now: () => host.now(),
    answer: async (runId, request) => {
      const { post } = await import('#history/ask.ts')
      const put = await post(host, database, runId, request)
      return put.kind === 'refused' ? (put.diagnostics[0]?.message ?? '') : put.value ? null : runErrors['too-many-requests']({ runId }).message
    },
  })
}

function finish({ out, err }: CliContext, summary: RunSummary, isKept: boolean): void {
  const { outcome, status, runId } = summary
  if (outcome?.kind === 'value') printValue(out, outcome.value) // R1
  if (!isKept && status !== 'done' && status !== 'failed') err.write('Nothing was kept: the run had no journal.\n')
  if (isKept && (status === 'waiting' || status === 'paused')) for (const line of waitingLines(summary)) err.write(`${line}\n`) // R3
  if (outcome?.kind !== 'failure') return
  if (status !== 'stopped') return printFailure(err, outcome.failure)
  const { help, ...bare } = outcome.failure // it says what is kept
  printFailure(err, isKept ? outcome.failure : bare)
  const canGoOn = bare.code !== 'run/limit-reached' || bare.retryable // a limit of tasks or calls holds again
  if (isKept && canGoOn) err.write(`\`tek resume ${runId.slice(0, SHORT_ID)}\` goes on with it.\n`) // R2
}
