// Loop run: a loop in front of somebody: a line a cycle, what it came to, what its end means to the shell.
// Owns: those lines, Ctrl-C. Does not own: driving (loops/drive-loop.ts).
//   R1. The champion alone goes to standard output; cycles and why it ended go to standard error.
//   R2. It ends with 0 when `stop when` holds or its cycles are done; with 5 at another limit or a kill switch, 6 where it waits for a person.
import { cutToWidth, elapsed, neutraliseLine } from '#base/terminal-text.ts'
import type { Host } from '#host/host.ts'
import { driveLoop, type LoopEvent, type LoopOptions, type LoopStanding } from '#loops/drive-loop.ts'
import { answered, type CliContext, printDiagnostics } from './command.ts'
import type { DrivingOptions } from './driving.ts'
import { exitCodes, type ExitCode } from './exit-codes.ts'
import { tekVersion } from './install-place.ts'
import { Interrupt } from './interrupt.ts'
import { printValue } from './print-value.ts'
import { waitingLines } from './waiting-lines.ts'

type Driven = Omit<LoopOptions, 'tekVersion' | 'onNotice' | 'onLoop' | 'signal'>

export async function loopRun(context: CliContext, host: Host, { json, quiet, workers, drainMs, yes }: DrivingOptions, options: Driven): Promise<ExitCode> {
  const { out, err } = context
  const interrupt = new Interrupt(err, drainMs)
  const tell = (event: LoopEvent): void => {
    if (json) out.write(`${JSON.stringify(event)}\n`)
    else if (!quiet) for (const line of linesOf(event, host)) err.write(`${cutToWidth(line, Math.max(40, err.columns()))}\n`)
  }
  let standing: LoopStanding
  try {
    standing = answered(await driveLoop(host, {
      ...options, tekVersion: tekVersion(), signal: interrupt.signal, answerAll: yes, onLoop: tell,
      onNotice: notice => {
        if (json) out.write(`${JSON.stringify(notice)}\n`)
      },
      ...(workers === null ? {} : { workers }), ...(drainMs === null ? {} : { drainMs }),
    }))
  } finally {
    interrupt.close()
  }
  if (json) out.write(`${JSON.stringify({ version: 1, ...standing })}\n`)
  else finish(context, standing)
  return interrupt.wasAsked && interrupt.exitCode === exitCodes.interrupted ? exitCodes.interrupted : exitCodeOf(standing)
}

function linesOf(event: LoopEvent, host: Host): string[] {
  switch (event.kind) {
    case 'loop-began':
      return [event.resumed ? `${event.loop} goes on after ${event.cycles} ${event.cycles === 1 ? 'cycle' : 'cycles'}` : `${event.loop} begins${event.champion === 0 ? '' : ` with version ${event.champion}`}`]
    case 'cycle-began':
      return event.resumed ? [`cycle ${event.cycle} goes on (${event.runId})`] : []
    case 'cycle-ended':
      return [`cycle ${event.cycle}  ${neutraliseLine(event.end.says)}  ${elapsed(event.end.elapsedMs)}`]
    case 'rests':
      return [event.untilMs === null ? `rests: ${neutraliseLine(event.reason)}` : `rests ${elapsed(Math.max(0, event.untilMs - host.now()))}${event.reason === '' ? ' until its next cycle' : `: ${neutraliseLine(event.reason)}`}`]
  }
}

function finish({ out, err }: CliContext, standing: LoopStanding): void {
  if (standing.champion === null) err.write('It has no champion.\n')
  else {
    err.write(`champion: version ${standing.champion.version}, score ${Math.round(standing.champion.score * 1_000) / 1_000}\n`)
    printValue(out, standing.champion.candidate) // R1
  }
  if (standing.open !== null && standing.kind === 'waits') for (const line of waitingLines(standing.open)) err.write(`${line}\n`)
  if (standing.because !== null) printDiagnostics(err, [standing.because], new Map())
  else if (standing.kind === 'ended') err.write(`It has ended: ${neutraliseLine(standing.says)}.\n`)
}

/** R2. */
function exitCodeOf({ kind, because }: LoopStanding): ExitCode {
  if (kind === 'waits' || kind === 'paused') return exitCodes.waits
  if (kind === 'stopped') return exitCodes.stopped
  if (because === null) return exitCodes.fine
  return because.code === 'loop/too-many-errors' ? exitCodes.failed : exitCodes.stopped
}
