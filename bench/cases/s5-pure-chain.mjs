// S5, second part: a chain of 2,000 pure tasks, one after the other: no thread is worth its hop, so what one step of the engine costs.
// Peer: Piscina, which sends each to a thread. Floor: a loop.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { chainTek } from '../generate.mjs'
import { runScript } from '../measure.mjs'

const LENGTH = 2_000

export const id = 'S5b'
export const title = 'a pure task in a chain of 2,000'
export const unit = 'µs'
export const goal = { text: '≤ 3 µs', met: tek => tek <= 3 }

export function contestants({ folder, tekRun, peer, floor }) {
  const program = join(folder, 's5b.tek')
  writeFileSync(program, chainTek(LENGTH))
  return {
    tek: async () => ((await tekRun(program)).elapsedMs * 1000) / LENGTH,
    Piscina: async () => ((await runScript(peer('piscina-layers.mjs'), [LENGTH, 1])).elapsedMs * 1000) / LENGTH,
    floor: async () => ((await runScript(floor('bare-loop.mjs'), [LENGTH])).elapsedMs * 1000) / LENGTH,
  }
}
