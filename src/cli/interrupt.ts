// Interrupt: Ctrl-C once asks a run to stop, twice ends it at once.
// Owns: the signal handlers while something long goes on. Does not own: what stopping means (interpreter).
//   I1. Handlers stand only while a run does; elsewhere Ctrl-C ends the process as usual.
//   I2. SIGTERM counts as the first Ctrl-C.
import { exitCodes } from './exit-codes.ts'
import type { Output } from './terminal.ts'

export class Interrupt {
  readonly #controller = new AbortController()
  readonly #err: Output
  #count = 0

  constructor(err: Output) {
    this.#err = err
    process.on('SIGINT', this.#asked)
    process.on('SIGTERM', this.#asked)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  get wasAsked(): boolean {
    return this.#count > 0
  }

  readonly #asked = (signal: NodeJS.Signals): void => {
    this.#count++
    if (this.#count > 1) process.exit(exitCodes.interrupted)
    this.#err.write('\nStopping: what runs is cancelled, what is finished is kept. Press Ctrl-C again to end at once.\n')
    this.#controller.abort(signal === 'SIGTERM' ? 'terminate' : 'interrupt')
  }

  close(): void {
    process.off('SIGINT', this.#asked) // I1
    process.off('SIGTERM', this.#asked)
  }
}
