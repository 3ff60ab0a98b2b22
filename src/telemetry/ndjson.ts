// Ndjson: a run as a stream of JSON objects, one a line, for programs. The schema is in docs/cli.md and is only ever added to.
// Owns: the envelope. Does not own: the notices (model/report.ts), which it passes on as they are.
//   J1. Each line is whole JSON with `version` and `kind`; control characters are escaped by JSON itself.
import type { RunNotice } from '#model/report.ts'
import type { RunListener } from './listener.ts'

export const eventStreamVersion = 1

export function ndjsonListener(write: (text: string) => void): RunListener {
  return {
    notice: (notice: RunNotice) => write(`${JSON.stringify({ version: eventStreamVersion, ...notice })}\n`),
    tick: () => {},
    close: () => {},
  }
}
