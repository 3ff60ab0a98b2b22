// Attack: one thing that somebody tries against a run, and what stops it.
// Owns: the shape of a row, and finding out from what happened which layer it was. Does not own: the rows (the other files), the page (attacks.test.ts).
//   A1. A row is carried out for real: on a folder of its own, with the host of this machine, the checker, the engine and the command line as they are.
//   A2. `stopped` is worked out from what came back, never written down beforehand; the row says what is expected, the test compares.
//   A3. A row that nothing stops says `nothing`, with the reason in its words: the page lists it among the others.
import { HostError } from '#host/host.ts'
import { ToolFailure } from '#plugin-api/context.ts'
import type { World } from './world.ts'

/** Where an attack ends. `meaning`: there is nothing to attack: what was given is taken as plain data. */
export type Layer = 'checker' | 'guard' | 'host' | 'tool' | 'engine' | 'journal' | 'audit log' | 'plan' | 'permits' | 'kill switch' | 'terminal' | 'command line' | 'meaning' | 'nothing'

export interface Stopped {
  readonly by: Layer
  /** A code, or in a word what became of it. */
  readonly with: string
}

export interface Attack {
  readonly id: string
  /** What is tried, as a sentence goes on after "tries to". */
  readonly tries: string
  readonly by: Layer
  readonly with: string
  /** Carries it out, and checks that no harm was done. */
  readonly run: (world: World) => Promise<Stopped>
}

export interface Family {
  readonly name: string
  /** What the rows have in common, in a sentence. */
  readonly about: string
  readonly attacks: readonly Attack[]
}

/** What stopped a call of a tool's context: the guard refuses with `permit/denied`, the host with codes of its own. */
export async function stoppedCall(call: () => Promise<unknown>): Promise<Stopped> {
  try {
    await call()
  } catch (error) {
    if (error instanceof ToolFailure) return { by: error.code === 'permit/denied' ? 'guard' : 'tool', with: error.code }
    if (error instanceof HostError) return { by: 'host', with: error.code }
    throw error
  }
  return { by: 'nothing', with: 'it was done' }
}

/** The layer a failure of a run comes from, by its code. */
export function stoppedRun(code: string | null): Stopped {
  if (code === null) return { by: 'nothing', with: 'it was done' }
  const family = code.split('/')[0]!
  if (family === 'permit') return { by: 'guard', with: code }
  if (family === 'run') return { by: 'engine', with: code }
  return { by: 'tool', with: code }
}
