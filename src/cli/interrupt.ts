// Interrupt: Ctrl-C once asks a run to stop, twice ends it at once.
// Owns: the signal handlers while something long goes on. Does not own: what stopping means (interpreter).
//   I1. Handlers stand only while a run does; elsewhere Ctrl-C ends the process as usual.
//   I2. SIGTERM, and SIGHUP of a terminal that is closed, stop as gracefully, but are kill switches, not an interrupt: their exit code is another.
import { exitCodes, type ExitCode } from './exit-codes.ts'
import type { Output } from './terminal.ts'

/** Signals that mean a run. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export class Interrupt {
  readonly #controller = new AbortController()
  readonly #err: Output
  #first: NodeJS.Signals | null = null

  constructor(err: Output) {
    this.#err = err
    for (const signal of SIGNALS) process.on(signal, this.#asked)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  get wasAsked(): boolean {
    return this.#first !== null
  }

  /** What the one who asked is answered with. // I2 */
  get exitCode(): ExitCode {
    return this.#first === 'SIGINT' ? exitCodes.interrupted : exitCodes.stopped
  }

  readonly #asked = (signal: NodeJS.Signals): void => {
    if (this.#first !== null) process.exit(this.exitCode)
    this.#first = signal
    const again = signal === 'SIGINT' ? ' Press Ctrl-C again to end at once.' : ''
    this.#err.write(`\nStopping: what runs is cancelled, what is finished is kept.${again}\n`)
    this.#controller.abort(signal === 'SIGINT' ? 'interrupt' : 'terminate')
  }

  close(): void {
    for (const signal of SIGNALS) process.off(signal, this.#asked) // I1
  }
}
