// People lines: what a run asked people and what they said, and what it waits for, as `tek show` tells it.
import { cutToWidth, neutraliseLine, thousands } from '#base/terminal-text.ts'
import type { RunReport } from '#model/report.ts'
import { clockTime, waitWords } from '#telemetry/wait-words.ts'
import type { Output } from './terminal.ts'

/** Answers and waits that are listed; `--json` has all that are kept. */
const MAX_LISTED = 20
/** Characters of a note. */
const MAX_NOTE_LENGTH = 400

/** @param nowMs when it is read, in milliseconds since 1970. */
export function peopleLines({ said = [], summary }: RunReport, out: Output, nowMs: number): string[] {
  const { waits = [] } = summary
  const answers = said.slice(-MAX_LISTED).map(({ task, verdict, by, atMs, note }) => {
    const why = note === undefined ? '' : ` · ${neutraliseLine(note.slice(0, MAX_NOTE_LENGTH))}`
    return `  ${cutToWidth(`${neutraliseLine(task)}: ${verdict} by ${neutraliseLine(by)}, ${clockTime(atMs, nowMs)}${why}`, out.columns() - 2)}`
  })
  const open = waits.slice(0, MAX_LISTED).map(each => `  ${out.paint(each.kind === 'approval' ? 'yellow' : 'dim', cutToWidth(waitWords(each, nowMs), out.columns() - 2))}`)
  return [
    ...(answers.length === 0 ? [] : [out.paint('dim', `said by people${said.length > MAX_LISTED ? `, the last ${MAX_LISTED} of ${thousands(said.length)}` : ''}`), ...answers]),
    ...(open.length === 0 ? [] : [out.paint('dim', `waits for${waits.length > MAX_LISTED ? `, the first ${MAX_LISTED}` : ''}`), ...open]),
  ]
}
