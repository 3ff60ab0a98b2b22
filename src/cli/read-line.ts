// Read line: a line that a person types at the terminal.
// Owns: waiting for it, who else may end that wait. Does not own: what is asked.
//   L1. What was typed before the question is no answer to it; Ctrl-C and the end of input are none either.
//   L2. The input is left paused: nothing is read that nobody asked for, and an idle process can end.

/** Characters of an answer. */
const MAX_ANSWER_LENGTH = 2_000
const DRAIN_MS = 40

export class LineReader {
  private readonly stdin: NodeJS.ReadableStream
  private isOver: boolean

  constructor(stdin: NodeJS.ReadableStream) {
    this.stdin = stdin
    this.isOver = (stdin as { readableEnded?: boolean }).readableEnded === true // `tek run -`, typed
  }

  /** The next line, without its end; null for the end of input, Ctrl-C, or an aborted `signal`. `prompt` is called when the person may type. */
  async ask(prompt: () => void, signal?: AbortSignal): Promise<string | null> {
    if (!this.isOver) this.isOver = await drained(this.stdin) // L1
    if (this.isOver || signal?.aborted === true) return null
    const { line, isOver } = await lineFrom(this.stdin, prompt, signal)
    this.isOver = isOver
    return line
  }

  /** Nothing more will be typed. */
  get hasEnded(): boolean {
    return this.isOver
  }
}

/** Reads away what was typed before; whether the input ended. */
function drained(stdin: NodeJS.ReadableStream): Promise<boolean> {
  return new Promise(resolve => {
    const end = (ended: boolean): void => {
      clearTimeout(timer)
      stdin.off('data', drop).off('end', ends).pause() // L2
      resolve(ended)
    }
    const drop = (): void => {}
    const ends = (): void => end(true)
    const timer = setTimeout(() => end(false), DRAIN_MS)
    stdin.on('data', drop).on('end', ends).resume()
  })
}

/** The next line after `prompt`, without what follows it. Ctrl-C and the end of input are the end of all lines. */
function lineFrom(stdin: NodeJS.ReadableStream, prompt: () => void, signal: AbortSignal | undefined): Promise<{ readonly line: string | null; readonly isOver: boolean }> {
  return new Promise(resolve => {
    let text = ''
    const end = (line: string | null, isOver: boolean): void => {
      stdin.off('data', more).off('end', ends).off('error', ends).pause() // L2
      process.off('SIGINT', ends)
      signal?.removeEventListener('abort', taken)
      resolve({ line, isOver })
    }
    const ends = (): void => end(null, true)
    const taken = (): void => end(null, false)
    const more = (chunk: Buffer | string): void => {
      text += chunk.toString()
      const at = text.search(/[\r\n]/)
      if (at >= 0) end(text.slice(0, at), false)
      else if (text.length > MAX_ANSWER_LENGTH) end('', false)
    }
    process.on('SIGINT', ends)
    signal?.addEventListener('abort', taken)
    stdin.on('data', more).on('end', ends).on('error', ends).resume()
    prompt()
  })
}
