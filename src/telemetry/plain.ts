// Plain: a run without a terminal (a pipe, CI): a line for each top-level task that ended, nothing redrawn.
// Owns: these lines. Does not own: the result.
//   L1. Items of a `for` and tasks of sub-workflows are not named, unless they failed: a log has room for what matters.
//   L2. A text of a program's making stays one line: it cannot pass for one of these.
import { elapsed, neutraliseLine } from '#base/terminal-text.ts'
import type { RunNotice, Wait } from '#model/report.ts'
import { finalLines } from './final-lines.ts'
import type { RunListener, Surface } from './listener.ts'
import { agentWords } from './agent-words.ts'
import { waitKey, waitWords } from './wait-words.ts'

/** Failed inner tasks that are named; after that only the top-level task tells. */
const MAX_INNER_FAILURES = 20
/** Waits that are named as they begin. */
const MAX_WAIT_LINES = 50

export function plainListener(surface: Surface, isKept = true): RunListener {
  let innerFailures = 0
  /** Waits that were named. */
  const named = new Set<string>()
  const waits = (all: readonly Wait[]): void => {
    for (const wait of all) {
      if (named.size >= MAX_WAIT_LINES || named.has(waitKey(wait))) continue
      named.add(waitKey(wait))
      surface.write(`${surface.paint('yellow', 'waiting  ')} ${waitWords(wait)}\n`)
    }
  }
  const task = (notice: Extract<RunNotice, { kind: 'task' }>): void => {
    const top = !/[[/]/.test(notice.path)
    if (!top && (notice.status !== 'failed' || ++innerFailures > MAX_INNER_FAILURES)) return // L1
    if (notice.status !== 'done' && notice.status !== 'failed' && notice.status !== 'skipped' && notice.status !== 'cancelled') return
    const colour = notice.status === 'failed' ? 'red' : notice.status === 'done' ? 'green' : 'dim'
    const about = notice.failure === null ? '' : ` · ${notice.failure.code}: ${neutraliseLine(notice.failure.message)}`
    const cached = notice.cached ? ' · from cache' : ''
    surface.write(`${surface.paint(colour, notice.status.padEnd(9))} ${neutraliseLine(notice.label ?? notice.path)} · ${elapsed(notice.elapsedMs)}${cached}${about}\n`)
  }
  return {
    notice(notice) {
      if (notice.kind === 'task') task(notice)
      else if (notice.kind === 'waits') waits(notice.waits)
      else if (notice.kind === 'log') surface.write(`${neutraliseLine(notice.task)}: ${neutraliseLine(notice.message)}\n`) // L2
      else if (notice.kind === 'agent') surface.write(`${surface.paint('yellow', 'agent    ')} ${agentWords(notice)}\n`)
      else if (notice.kind === 'run-finished') surface.write(`${finalLines(notice.summary, surface.paint, isKept).join('\n')}\n`)
    },
    tick: () => {},
    close: () => {},
  }
}
