// Interrupt: Ctrl-C once asks a run to stop, twice ends it at once.
// Owns: the signal handlers while something long goes on. Does not own: what stopping means (interpreter).
//   I1. Handlers stand only while a run does; elsewhere Ctrl-C ends the process as usual.
//   I2. SIGTERM, and SIGHUP of a terminal that is closed, stop as gracefully, but are kill switches, not an interrupt: their exit code is another.
//   I3. After SIGTERM or SIGHUP, calls under way have the time of `--drain` to end.
import { elapsed } from '#base/terminal-text.ts'
import { exitCodes, type ExitCode } from './exit-codes.ts'
import type { Output } from './terminal.ts'

/** Signals that mean a run. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export class Interrupt {
  readonly #controller = new AbortController()
  readonly #err: Output
  readonly #drainMs: number | null
  #first: NodeJS.Signals | null = null

  /** @param drainMs what `--drain` says; null: the usual time, which needs no words. */
  constructor(err: Output, drainMs: number | null = null) {
    this.#err = err
    this.#drainMs = drainMs
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
    const again = signal === 'SIGINT' ? ' Press Ctrl-C again to end at once.' : this.#drainMs === null ? '' : ' A second signal ends it at once.'
    const under = signal === 'SIGINT' || this.#drainMs === null ? 'what runs is cancelled' : `calls under way have ${elapsed(this.#drainMs)} to end` // I3
    this.#err.write(`\nStopping: ${under}, what is finished is kept.${again}\n`)
    this.#controller.abort(signal === 'SIGINT' ? 'interrupt' : 'terminate')
  }

  close(): void {
    for (const signal of SIGNALS) process.off(signal, this.#asked) // I1
  }
}
