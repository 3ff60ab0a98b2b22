// Lines: what the tools of a run said, as the journal keeps it. The bounds; sqlite-lines.ts and memory.ts keep the lines.
//   N1. A log is bounded: MAX_LINES and MAX_LOG_LENGTH a run, MAX_LINE_LENGTH a line. What comes after that is counted in no table: the last line says so.
//   N2. A line waits for the next commit. Nothing waits for a line.
import type { LogLine } from '#model/report.ts'

/** Lines of one run. */
export const MAX_LINES = 10_000
/** Characters of all lines of one run. */
export const MAX_LOG_LENGTH = 4 * 1_024 * 1_024
/** Characters of one line; what is longer is cut. */
export const MAX_LINE_LENGTH = 16_000

export class LogBound {
  private lines: number
  private length: number
  private isFull: boolean

  /** @param lines that are kept already, @param length their characters. */
  constructor(lines: number, length: number) {
    this.lines = lines
    this.length = length
    this.isFull = lines > MAX_LINES || length > MAX_LOG_LENGTH
  }

  /** The line as it is kept; null for one too many. // N1 */
  admit(line: LogLine): LogLine | null {
    if (this.isFull) return null
    this.lines++
    this.length += Math.min(line.message.length, MAX_LINE_LENGTH)
    if (this.lines > MAX_LINES || this.length > MAX_LOG_LENGTH) {
      this.isFull = true
      return { ...line, level: 'warn', message: 'The log of this run is full: what was said from here on was not kept.' }
    }
    return line.message.length <= MAX_LINE_LENGTH ? line : { ...line, message: `${line.message.slice(0, MAX_LINE_LENGTH - 1)}…` }
  }
}
