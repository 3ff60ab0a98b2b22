// Terminal: the two streams the command line writes to, and what they can show.
// Owns: colour on or off, width, quiet end of a closed pipe. Does not own: what is written.
//   T1. Colour only on a terminal; NO_COLOR (any value but empty) turns it off, FORCE_COLOR turns it on, NO_COLOR wins.
//   T2. A reader that went away (`tek … | head`) is no error: writing stops and the process ends quietly.
import type { Writable } from 'node:stream'
import { ansiPaint, plainPaint, type Paint } from '#base/terminal-text.ts'

const DEFAULT_COLUMNS = 80
const MIN_COLUMNS = 40
const MAX_COLUMNS = 200

export interface Output {
  write(text: string): void
  readonly isTerminal: boolean
  readonly paint: Paint
  /** Columns now; follows a resize. */
  columns(): number
}

type Environment = Readonly<Record<string, string | undefined>>

/** Whether colour is wanted on a stream (T1). */
export function wantsColour(isTerminal: boolean, env: Environment): boolean {
  if (env['NO_COLOR']) return false
  const force = env['FORCE_COLOR']
  if (force !== undefined) return force !== '0' && force !== 'false'
  return isTerminal && env['TERM'] !== 'dumb'
}

/** An output over a stream of the process or of a test. */
export function output(stream: Writable, env: Environment): Output {
  const terminal = stream as Writable & { isTTY?: boolean; columns?: number }
  const isTerminal = terminal.isTTY === true
  return {
    write: text => {
      if (!stream.destroyed && stream.writable) stream.write(text)
    },
    isTerminal,
    paint: wantsColour(isTerminal, env) ? ansiPaint : plainPaint,
    columns: () => {
      // Some terminals say 0 when they do not know.
      const columns = [terminal.columns, Number(env['COLUMNS'])].find(each => each !== undefined && Number.isInteger(each) && each > 0) ?? DEFAULT_COLUMNS
      return Math.max(MIN_COLUMNS, Math.min(columns, MAX_COLUMNS))
    },
  }
}

/** Resolves when everything written so far has left the process. */
export function flushed(stream: Writable): Promise<void> {
  if (stream.destroyed || !stream.writable || stream.writableLength === 0) return Promise.resolve()
  return new Promise(resolve => {
    stream.once('close', resolve)
    stream.write('', () => resolve())
  })
}

/** Ends the process quietly when the reader of a stream goes away (T2). */
export function endQuietlyWithReader(stream: Writable, end: () => void): void {
  stream.on('error', error => {
    if (isGone(error)) end()
  })
}

/** Whether a stream's error says that its reader went away. */
export function isGone(error: NodeJS.ErrnoException): boolean {
  return error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED'
}
